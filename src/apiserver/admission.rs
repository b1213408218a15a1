//! What is judged of an object by others of its kind (admission plug-ins of upstream's).

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::create::{judge, refuse};
use super::read::Source as _;
use super::transaction::Transaction;
use crate::api::kinds::Kind;
use crate::api::priorities::PriorityClasses;
use crate::api::status_error::{FieldError, StatusError};
use crate::registry::object::Object;
use crate::store::Table;

impl Transaction {
    /// Refuses an object for the `causes` that its own rules give, for what others of its kind say and for what cannot be done
    /// here; gives a Service what the server picks. Says what of the manifest has no effect here.
    pub(super) fn judge_all(
        &mut self,
        object: &mut Object,
        causes: Vec<FieldError>,
        manifest: &Value,
    ) -> Result<Vec<String>> {
        // What no cluster would take comes before what this machine cannot do.
        judge(object, causes)?;
        refuse(object, self.circular_dependency(object)?.into_iter().collect())?;
        self.admit_beside_others(object)?;
        if let Object::Service(service) = object {
            let causes = self.allocate(service)?;
            refuse(object, causes)?;
        }
        let findings = object.findings(manifest);
        refuse(object, findings.refused)?;
        Ok(findings.warnings)
    }

    /// Gives a new Pod the priority of its class.
    ///
    /// # Errors
    /// [`StatusError::Forbidden`].
    pub(super) fn admit_priority(&self, object: &mut Object) -> Result<()> {
        let Object::Pod(pod) = object else { return Ok(()) };
        let mut classes = PriorityClasses::default();
        for (_, class) in self.entries(Table::PRIORITY_CLASSES)? {
            classes.put(class.parse()?);
        }
        let Err(detail) = classes.admit(pod.spec.get_or_insert_default()) else { return Ok(()) };
        let meta = &pod.metadata;
        let given = [&meta.name, &meta.generate_name].into_iter().flatten().find(|name| !name.is_empty());
        let name = given.map_or("Unknown", String::as_str).to_owned();
        Err(StatusError::Forbidden { kind: Kind::Pod, name, detail }.into())
    }

    /// Refuses a second PriorityClass for pods that name none.
    ///
    /// # Errors
    /// [`StatusError::Forbidden`].
    fn admit_beside_others(&self, object: &Object) -> Result<()> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Class {
            #[serde(default)]
            global_default: bool,
        }
        let Object::PriorityClass(class) = object else { return Ok(()) };
        if class.global_default != Some(true) {
            return Ok(());
        }
        let own = object.key();
        for (key, entry) in self.entries(Table::PRIORITY_CLASSES)? {
            if *key != own && entry.parse::<Class>()?.global_default {
                let detail = format!(
                    "PriorityClass {} is already marked as default. Only one default can exist",
                    key.name
                );
                let (kind, name) = (Kind::PriorityClass, own.name.to_string());
                return Err(StatusError::Forbidden { kind, name, detail }.into());
            }
        }
        Ok(())
    }
}
