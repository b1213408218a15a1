//! Who creates an object: what a pod that is started later, by somebody else, cannot know.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::transaction::Transaction;
use crate::api::ObjectMeta;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PASSED_ENVIRONMENT_ID, ANNOTATION_PATH, ANNOTATION_SESSION,
    ANNOTATION_UMASK, ANNOTATION_WORKING_DIRECTORY,
};
use crate::controller::pods::new_uid;
use crate::store::Table;

/// The surroundings of whoever creates objects, and the variables that are to be passed to their pods.
#[derive(Clone, Debug, Default)]
pub struct Creator {
    /// Where commands are looked for and relative paths begin.
    pub working_directory: String,
    /// `PATH`.
    pub path: String,
    /// The file mode mask.
    pub umask: u32,
    /// The variables of a session: `HOME`, `LANG` and the like.
    pub session: BTreeMap<String, String>,
    /// Variables by request (`--pass-env`). Their values are stored apart from the object, which anybody may show.
    pub passed: BTreeMap<String, String>,
}

/// Variables for the pods of an object, on their way into the store.
pub(super) struct Passed {
    /// What the object calls them.
    key: Key,
    values: BTreeMap<String, String>,
}

impl Creator {
    fn annotations(&self) -> Result<[(&'static str, String); 4]> {
        Ok([
            (ANNOTATION_WORKING_DIRECTORY, self.working_directory.clone()),
            (ANNOTATION_PATH, self.path.clone()),
            (ANNOTATION_UMASK, format!("{:04o}", self.umask)),
            (ANNOTATION_SESSION, serde_json::to_string(&self.session)?),
        ])
    }

    /// Of an object that stays what it was: who created it, unless somebody says otherwise. A CronJob is recreated by whoever
    /// changes it, as far as the Jobs to come go, and a StatefulSet its pods to come; a Job or a pod goes on where it began.
    pub(super) fn keep(&self, kind: Kind, new: &mut Value, old: &Value, given: &Value) -> Result<()> {
        if !kind.has_pods() {
            return Ok(());
        }
        let of = |object: &Value, name: &str| object["metadata"]["annotations"].get(name).cloned();
        let caller: BTreeMap<&str, String> = self.annotations()?.into();
        let has_pods_to_come = matches!(kind, Kind::CronJob | Kind::StatefulSet);
        let passed = [ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PASSED_ENVIRONMENT_ID];
        for name in caller.keys().copied().chain(passed) {
            let from_caller = caller.get(name).filter(|_| has_pods_to_come).map(|value| json!(value));
            let value = of(given, name).or(from_caller).or_else(|| of(old, name));
            let Some(value) = value else { continue };
            if !new["metadata"]["annotations"].is_object() {
                new["metadata"]["annotations"] = json!({});
            }
            new["metadata"]["annotations"][name] = value;
        }
        Ok(())
    }
}

impl Transaction {
    /// Notes in a new object who creates it. Returns the variables that are passed, as they are to be stored with it.
    pub(super) fn add_creator(&mut self, meta: &mut ObjectMeta, creator: &Creator) -> Result<Option<Passed>> {
        let annotations = meta.annotations.get_or_insert_default();
        for (name, value) in creator.annotations()? {
            annotations.entry(name.into()).or_insert(value);
        }
        if creator.passed.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = creator.passed.keys().map(String::as_str).collect();
        let id = new_uid(&mut self.random);
        annotations.insert(ANNOTATION_PASSED_ENVIRONMENT.into(), names.join(","));
        annotations.insert(ANNOTATION_PASSED_ENVIRONMENT_ID.into(), id.clone());
        Ok(Some(Passed { key: Key::new("", &id), values: creator.passed.clone() }))
    }

    pub(super) fn store_passed(&mut self, passed: Option<Passed>) -> Result<()> {
        passed.map_or(Ok(()), |Passed { key, values }| self.put_text(Table::Environments, key, &values))
    }
}
