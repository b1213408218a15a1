//! How much memory one document may take once it is a tree.

use serde_json::Value;

/// What a document may take in memory, by the estimate below. `{a},` is four bytes of text and a map of its
/// own, so that the size of the text alone bounds nothing; and an alias repeats what it names.
pub(super) const MAX_DOCUMENT_MEMORY: usize = 512 << 20;

/// What the copies made for anchors and aliases may add up to. The classic attack asks for gigabytes.
pub(super) const MAX_ALIAS_MEMORY: usize = 64 << 20;

/// A map allocates room for eleven entries at once.
const MAP: usize = 640;
const NODE: usize = 32;

/// The memory a document has asked for so far.
#[derive(Default)]
pub(super) struct Budget {
    total: usize,
    copies: usize,
}

/// The document would take more than it may.
#[derive(Debug)]
pub(super) enum Exceeded {
    Memory,
    Aliases,
}

impl Exceeded {
    /// go-yaml's words for aliases, ours for the rest.
    pub(super) fn message(&self) -> String {
        match self {
            Exceeded::Memory => {
                format!("document takes more than {} MiB in memory", MAX_DOCUMENT_MEMORY >> 20)
            }
            Exceeded::Aliases => format!(
                "document contains excessive aliasing (more than {} MiB of copies)",
                MAX_ALIAS_MEMORY >> 20
            ),
        }
    }
}

impl Budget {
    /// Accounts for one more value, without its children.
    pub(super) fn take(&mut self, value: &Value) -> Result<(), Exceeded> {
        self.spend(own_weight(value))
    }

    /// Accounts for a map that is being filled.
    pub(super) fn take_map(&mut self) -> Result<(), Exceeded> {
        self.spend(MAP)
    }

    /// Accounts for a key of a map.
    pub(super) fn take_key(&mut self, key: &str) -> Result<(), Exceeded> {
        self.spend(NODE + key.len())
    }

    /// Accounts for a copy of a whole value.
    pub(super) fn take_copy(&mut self, weight: usize) -> Result<(), Exceeded> {
        self.copies = self.copies.saturating_add(weight);
        if self.copies > MAX_ALIAS_MEMORY {
            return Err(Exceeded::Aliases);
        }
        self.spend(weight)
    }

    fn spend(&mut self, weight: usize) -> Result<(), Exceeded> {
        self.total = self.total.saturating_add(weight);
        if self.total > MAX_DOCUMENT_MEMORY { Err(Exceeded::Memory) } else { Ok(()) }
    }
}

fn own_weight(value: &Value) -> usize {
    match value {
        Value::String(text) => NODE + text.len(),
        Value::Object(_) => MAP,
        _ => NODE,
    }
}

/// The estimate for a value with everything in it.
pub(super) fn weight(value: &Value) -> usize {
    own_weight(value)
        + match value {
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(map) => map.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum(),
            _ => 0,
        }
}
