//! Jobs that wait for each other would never start.

use anyhow::Result;

use super::transaction::Transaction;
use crate::api::Job;
use crate::api::dependencies::dependencies;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{ANNOTATION_AFTER, annotation, namespace};
use crate::api::quoted::quoted;
use crate::api::status_error::FieldError;
use crate::registry::object::Object;
use crate::store::Table;

impl Transaction {
    /// Says how a Job would wait for itself, through those that it waits for.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn circular_dependency(&self, object: &Object) -> Result<Option<FieldError>> {
        let Object::Job(job) = object else { return Ok(None) };
        let own = object.key();
        let mut seen = Vec::new();
        let mut open = vec![(Job::clone(job), vec![own.name.to_string()])];
        while let Some((job, path)) = open.pop() {
            for dependency in dependencies(&job.metadata) {
                let path: Vec<String> = path.iter().cloned().chain([dependency.job.clone()]).collect();
                if dependency.job == *own.name {
                    let value = annotation(object.meta(), ANNOTATION_AFTER).unwrap_or_default();
                    let path: Vec<String> = path.iter().map(|name| format!("job/{name}")).collect();
                    let detail = format!("the Job would wait for itself: {}", path.join(" after "));
                    let field = format!("metadata.annotations[{ANNOTATION_AFTER}]");
                    return Ok(Some(FieldError::invalid(field, quoted(value), &detail)));
                }
                let key: Key = Kind::Job.key(namespace(object.meta()), &dependency.job);
                if seen.contains(&key) {
                    continue;
                }
                let next: Option<Job> = self.current(Table::JOBS, &key)?;
                seen.push(key);
                open.extend(next.map(|next| (next, path)));
            }
        }
        Ok(None)
    }
}
