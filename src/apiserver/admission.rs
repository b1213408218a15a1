//! What is judged of an object by others of its kind (admission plug-ins of upstream's).

use anyhow::Result;
use serde::Deserialize;

use super::read::Source as _;
use super::transaction::Transaction;
use crate::api::kinds::Kind;
use crate::api::status_error::StatusError;
use crate::registry::object::Object;
use crate::store::Table;

impl Transaction {
    /// Refuses a second PriorityClass for pods that name none.
    ///
    /// # Errors
    /// [`StatusError::Forbidden`].
    pub(super) fn admit_beside_others(&self, object: &Object) -> Result<()> {
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
        for (key, entry) in self.entries(Table::from(Kind::PriorityClass))? {
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
