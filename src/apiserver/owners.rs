//! Which objects an owner controls.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use k8s_openapi::Metadata;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::read::Read;
use super::transaction::Transaction;
use crate::api::ObjectMeta;
use crate::api::kinds::Key;
use crate::api::meta::controller_of;
use crate::store::{State, Table};

/// The objects of each table by the uid of the object that controls them. A table is searched once, however many owners
/// are asked for.
#[derive(Debug)]
pub(super) struct Owners {
    stored: BTreeMap<Table, OnceCell<HashMap<String, Vec<Key>>>>,
    /// What the requests have written. An entry that is not true any more does no harm: whoever asks looks at the object.
    written: BTreeMap<(Table, String), BTreeSet<Key>>,
}

impl Default for Owners {
    fn default() -> Self {
        let stored = Table::all().map(|table| (table, OnceCell::new())).collect();
        Self { stored, written: BTreeMap::new() }
    }
}

impl Owners {
    /// Notes what is written.
    pub(super) fn note(&mut self, table: Table, key: &Key, meta: &ObjectMeta) {
        if let Some(owner) = controller_of(meta) {
            self.written.entry((table, owner.uid.clone())).or_default().insert(key.clone());
        }
    }

    /// The keys of what an owner may control.
    fn keys<'a>(&'a self, table: Table, owner: &str, state: &State) -> BTreeSet<&'a Key> {
        let stored = self.stored.get(&table).map(|cell| cell.get_or_init(|| stored_owners(state, table)));
        let stored = stored.and_then(|owners| owners.get(owner)).into_iter().flatten();
        let written = self.written.get(&(table, owner.to_owned())).into_iter().flatten();
        stored.chain(written).collect()
    }
}

fn stored_owners(state: &State, table: Table) -> HashMap<String, Vec<Key>> {
    let mut owners: HashMap<String, Vec<Key>> = HashMap::new();
    for (key, object) in state.objects(table) {
        if let Some(owner) = controller_uid(object.text) {
            owners.entry(owner).or_default().push(key.clone());
        }
    }
    owners
}

/// The uid of the controller of an object, by its text: parsing 10,000 pods would take long. The name of the field cannot
/// stand in a string, where its quotation marks would be escaped.
fn controller_uid(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Owner<'a> {
        #[serde(borrow)]
        uid: Cow<'a, str>,
        #[serde(default)]
        controller: bool,
    }
    const FIELD: &str = "\"ownerReferences\":";
    let at = memchr::memmem::find(text.as_bytes(), FIELD.as_bytes())? + FIELD.len();
    let mut rest = serde_json::Deserializer::from_str(&text[at..]);
    let owners = Vec::<Owner<'_>>::deserialize(&mut rest).ok()?;
    owners.into_iter().find(|owner| owner.controller).map(|owner| owner.uid.into_owned())
}

/// Whether an owner controls an object.
pub(super) fn is_controlled_by<T: Metadata<Ty = ObjectMeta>>(object: &T, owner: &str) -> bool {
    controller_of(object.metadata()).is_some_and(|found| found.uid == owner)
}

impl Read for Transaction {
    fn owned<T>(&self, table: Table, owner: &str) -> Result<Vec<T>>
    where
        T: DeserializeOwned + Metadata<Ty = ObjectMeta>,
    {
        let mut owned = Vec::new();
        for key in self.owners.keys(table, owner, self.stored(table)?) {
            owned.extend(self.current(table, key)?.filter(|object| is_controlled_by(object, owner)));
        }
        Ok(owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_is_told_by_the_text() {
        let of = |owners: &str| controller_uid(&format!("{{\"metadata\":{{{owners}}},\"spec\":{{}}}}"));
        assert_eq!(of(""), None);
        assert_eq!(of(r#""ownerReferences":[{"uid":"a"}]"#), None);
        assert_eq!(
            of(r#""ownerReferences":[{"uid":"a"},{"kind":"Job","uid":"b","controller":true}]"#),
            Some("b".into())
        );
        let text = r#""annotations":{"x":"\"ownerReferences\":[{\"uid\":\"c\",\"controller\":true}]"}"#;
        assert_eq!(of(text), None);
    }
}
