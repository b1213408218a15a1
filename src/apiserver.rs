//! What a Kubernetes API server does to a request, between the registry and whoever asks: admission, defaults, validation,
//! create, update, patch, delete with propagation, list with selectors, watch. Objects go in; objects, warnings and
//! [`StatusError`](crate::api::status_error::StatusError) come out, never text for people.
//!
//! Requests that change something are made within a [`Transaction`], which holds the store's lock: either all of them are
//! committed or none. Each sees what those before it have done.

mod admission;
mod apply;
mod client_events;
mod create;
mod creator;
mod delete;
mod dependencies;
mod dependents;
mod finalizers;
mod hooks;
mod managed_fields;
mod namespaces;
mod owners;
mod patch;
mod read;
mod recorder;
mod removed_pods;
mod rerun;
mod selectors;
mod services;
mod transaction;
mod update;
mod watch;
mod watch_cache;
mod writes;

#[cfg(test)]
mod tests;

pub use apply::{Applied, Apply};
pub use create::{Answer, FieldValidation, decode};
pub use creator::Creator;
pub use delete::{DeleteOptions, Deleted};
pub use namespaces::{DEFAULT_NAMESPACE, default_namespace_uid, namespace_named};
pub use patch::{Patch, PatchType};
pub use read::{Elsewhere, Entries, Entry, Found, Read, Reader, Source, uid_of};
pub use recorder::Recorder;
pub use rerun::{RerunError, fresh_job};
pub use selectors::Selectors;
pub use transaction::{Moment, Transaction};
pub use update::{Subresource, Update, Updated};
pub use watch::{EventType, Watch, WatchEvent, unversioned};
pub use watch_cache::{Past, Selection, WatchCache};
pub use writes::Writes;
