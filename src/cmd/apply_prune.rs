//! `apply --prune`: what was applied earlier and is no longer wanted.

use anyhow::Result;
use serde_json::Value;

use super::selection::Selectors;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::ANNOTATION_LAST_APPLIED;
use crate::apiserver::Read;

/// The kinds that kubectl prunes unless it is told otherwise, in its order.
const KINDS: [Kind; 9] = [
    Kind::ConfigMap,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::StatefulSet,
    // With all that is in it.
    Kind::Namespace,
];

/// Stored objects that came from `apply`, are selected, and are not among those applied now. Only namespaces of the
/// latter are looked at.
pub(super) fn left_over(
    reader: &impl Read,
    applied: &[(Kind, Key)],
    selectors: &Selectors,
) -> Result<Vec<(Kind, Key, Value)>> {
    let mut namespaces: Vec<&str> = applied.iter().map(|(_, key)| &*key.namespace).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut left = Vec::new();
    let namespaced = |kind: &Kind| kind.resource().namespaced;
    let mut places: Vec<(Option<&str>, Kind)> = Vec::new();
    for namespace in namespaces.into_iter().filter(|namespace| !namespace.is_empty()) {
        places.extend(KINDS.into_iter().filter(namespaced).map(|kind| (Some(namespace), kind)));
    }
    places.extend(KINDS.into_iter().filter(|kind| !namespaced(kind)).map(|kind| (None, kind)));
    for (namespace, kind) in places {
        for found in reader.list(kind, namespace, selectors)? {
            let is_wanted = applied.iter().any(|(other, key)| *other == kind && *key == *found.key);
            // Cheaper than parsing 10,000 of them.
            if is_wanted || !found.text.contains(ANNOTATION_LAST_APPLIED) {
                continue;
            }
            let value = found.value()?;
            if value["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].is_string() {
                left.push((kind, found.key.into_owned(), value));
            }
        }
    }
    Ok(left)
}
