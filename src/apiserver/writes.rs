//! The writes of one commit, collected: of an object changed several times only the last state is written.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::controller::JobFacts;
use crate::registry::object::Object;
use crate::store::{Table, Write};

/// An object on its way into the store.
#[derive(Debug)]
enum Content {
    Object(Object),
    Text(String),
    Deleted,
}

/// The writes of one commit.
#[derive(Debug, Default)]
pub struct Writes {
    writes: BTreeMap<(Table, Key), (u64, Content)>,
}

impl Writes {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// An object that is written again keeps its number.
    fn write(&mut self, table: Table, key: Key, content: Content) {
        let next = self.writes.len() as u64;
        self.writes.entry((table, key)).or_insert((next, Content::Deleted)).1 = content;
    }

    /// Whether an object is deleted.
    pub fn deletes(&self, table: Table, key: &Key) -> bool {
        matches!(self.writes.get(&(table, key.clone())), Some((_, Content::Deleted)))
    }

    /// How many writes come before that of an object.
    pub(super) fn number_of(&self, table: Table, key: &Key) -> Option<u64> {
        self.writes.get(&(table, key.clone())).map(|(number, _)| *number)
    }

    /// Writes an object.
    pub fn put(&mut self, object: impl Into<Object>) {
        let object = object.into();
        self.write(Table::from(object.kind()), object.key(), Content::Object(object));
    }

    /// Writes what the Job controller remembers.
    ///
    /// # Errors
    /// Never in practice: facts always encode.
    pub fn put_facts(&mut self, key: Key, facts: &JobFacts) -> Result<()> {
        self.put_text(Table::JobFacts, key, encode(facts)?);
        Ok(())
    }

    /// Writes an Event.
    ///
    /// # Errors
    /// Never in practice: Events always encode.
    pub fn put_event(&mut self, event: &EventRecord) -> Result<()> {
        let key = Key::new(&event.about.namespace, &event.name());
        self.put_text(Table::EVENTS, key, encode(event)?);
        Ok(())
    }

    /// Writes an object that is JSON text already.
    pub fn put_text(&mut self, table: Table, key: Key, text: String) {
        self.write(table, key, Content::Text(text));
    }

    /// Deletes an object. One that this commit would have created is gone without a trace.
    pub fn delete(&mut self, table: Table, key: Key) {
        self.write(table, key, Content::Deleted);
    }

    /// Leaves an object as it is, whatever was to become of it.
    pub fn forget(&mut self, table: Table, key: &Key) {
        if let Some((gone, _)) = self.writes.remove(&(table, key.clone())) {
            // Numbers are without gaps.
            let later = self.writes.values_mut().filter(|(number, _)| *number > gone);
            later.for_each(|(number, _)| *number -= 1);
        }
    }

    /// The objects of a table that this commit writes.
    pub(super) fn keys(&self, table: Table) -> impl Iterator<Item = &Key> {
        let first = (table, Key::new("", ""));
        self.writes.range(first..).map_while(move |((of, key), _)| (*of == table).then_some(key))
    }

    /// What this commit makes of an object, as JSON text: `None` where it leaves it alone, `Some(None)` where it deletes it.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn text_of(&self, table: Table, key: &Key) -> Result<Option<Option<String>>> {
        let Some((_, content)) = self.writes.get(&(table, key.clone())) else { return Ok(None) };
        Ok(Some(match content {
            Content::Object(object) => Some(object.to_text().context(ENCODE)?),
            Content::Text(text) => Some(text.clone()),
            Content::Deleted => None,
        }))
    }

    /// The writes of the commit that begins with that revision. API objects carry the revision of their write as their
    /// resourceVersion.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn into_writes(self, first: u64) -> Result<Vec<Write>> {
        self.writes
            .into_iter()
            .map(|((table, key), (number, content))| {
                let write = match content {
                    Content::Object(mut object) => {
                        object.meta_mut().resource_version = Some((first + number).to_string());
                        Write::put(table, key, object.to_text().context(ENCODE)?)
                    }
                    Content::Text(text) => Write::put(table, key, text),
                    Content::Deleted => Write::delete(table, key),
                };
                Ok(write.numbered(number))
            })
            .collect()
    }
}

/// What fails where nothing ever does.
const ENCODE: &str = "encode an object";

fn encode(object: &impl Serialize) -> Result<String> {
    serde_json::to_string(object).context(ENCODE)
}
