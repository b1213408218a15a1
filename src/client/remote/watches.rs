//! Which watches a verb's wish becomes.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::api::{Api, Query};
use super::follower::Follower;
use super::reader::{Asked, kind_of};
use crate::api::Event;
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::apiserver::Reader;
use crate::store::Table;

/// The label by which the pods of a Job are known in every release.
const JOB_NAME: &str = "job-name";
/// How many names one request may select by.
const MOST_NAMES: usize = 50;

/// Reads the kinds of some tables, and follows them. Where objects are named no more is wanted than these; of Jobs also
/// their pods and Events.
///
/// # Errors
/// A refusal, or no answer.
pub(in crate::client) fn watch(
    api: &Arc<Api>,
    namespace: Option<&str>,
    tables: &[Table],
    named: &[(Kind, Key)],
) -> Result<(Reader, Follower)> {
    let kinds: BTreeSet<Kind> = tables.iter().copied().filter_map(kind_of).collect();
    let wanted = kinds.into_iter().flat_map(|kind| queries(kind, namespace, named)).collect();
    let (lists, follower) = Follower::start(api, wanted)?;
    let asked = Asked::new(api.clone(), namespace.map(str::to_owned)).knowing(lists, named);
    Ok((Reader::elsewhere(Box::new(asked)), follower))
}

/// Whether of a kind only what has to do with certain Jobs is asked for, where these are named.
pub(super) fn goes_by_jobs(kind: Kind) -> bool {
    matches!(kind, Kind::Job | Kind::Pod | Kind::Event)
}

/// What is asked for of one kind.
fn queries(kind: Kind, namespace: Option<&str>, named: &[(Kind, Key)]) -> Vec<(Kind, Query)> {
    let all = |namespace: Option<&str>| Query {
        namespace: namespace.filter(|_| kind.resource().namespaced).map(str::to_owned),
        ..Query::default()
    };
    let by_jobs = goes_by_jobs(kind) && named.iter().all(|(of, _)| *of == Kind::Job);
    let keys: Vec<&Key> = named.iter().filter(|(of, _)| by_jobs || *of == kind).map(|(_, key)| key).collect();
    if keys.is_empty() {
        return vec![(kind, all(namespace))];
    }
    let namespaces: BTreeSet<&str> = keys.iter().map(|key| &*key.namespace).collect();
    let of_each = namespaces.into_iter().map(|namespace| {
        let names: Vec<&str> =
            keys.iter().filter(|key| &*key.namespace == namespace).map(|key| &*key.name).collect();
        let mut query = all(Some(namespace));
        match (kind, names.as_slice()) {
            // Whoever waits for Jobs wants to hear what goes wrong.
            (Kind::Event, _) if by_jobs => query.fields = "type=Warning".into(),
            (Kind::Pod, names)
                if by_jobs && names.len() <= MOST_NAMES && names.iter().all(|name| name.len() < 64) =>
            {
                query.labels = format!("{JOB_NAME} in ({})", names.join(","));
            }
            (Kind::Pod, _) if by_jobs => {}
            // Who may see one object only may ask for it by name.
            (_, [one]) => query.fields = format!("metadata.name={one}"),
            _ => {}
        }
        (kind, query)
    });
    of_each.collect()
}

/// The Events about an object, by name.
///
/// # Errors
/// A refusal, or no answer.
pub(in crate::client) fn events_about(api: &Api, namespace: Option<&str>, uid: &str) -> Result<Vec<Event>> {
    let query = Query {
        namespace: namespace.map(str::to_owned),
        fields: format!("involvedObject.uid={uid}"),
        ..Query::default()
    };
    let listing = api.wait(api.list(Kind::Event, &query))?;
    let event = |text: &str| -> Result<Event> {
        let record: EventRecord = serde_json::from_str(text)?;
        Ok(serde_json::from_value(record.to_event())?)
    };
    listing.objects.values().map(|one| event(&one.text).context("read an Event")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_named_objects_only_these_are_watched() {
        let jobs = [Key::new("a", "x"), Key::new("a", "y"), Key::new("b", "z")].map(|key| (Kind::Job, key));
        let maps =
            [Key::new("a", "x"), Key::new("b", "y"), Key::new("b", "z")].map(|key| (Kind::ConfigMap, key));
        let asked = |kind, named: &[(Kind, Key)]| {
            let queries = queries(kind, Some("default"), named).into_iter();
            let told = queries.map(|(_, Query { namespace, labels, fields })| {
                format!("{} {labels}{fields}", namespace.unwrap_or_default())
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(asked(Kind::Pod, &jobs), ["a job-name in (x,y)", "b job-name in (z)"]);
        assert_eq!(asked(Kind::Job, &jobs), ["a ", "b metadata.name=z"]);
        assert_eq!(asked(Kind::Event, &jobs), ["a type=Warning", "b type=Warning"]);
        assert_eq!(asked(Kind::Node, &jobs), [" "]);
        assert_eq!(asked(Kind::Pod, &[]), ["default "]);
        assert_eq!(asked(Kind::ConfigMap, &maps), ["a metadata.name=x", "b "]);
        assert_eq!(asked(Kind::Pod, &maps), ["default "]);
        assert_eq!(asked(Kind::Namespace, &[(Kind::Namespace, Key::new("", "n"))]), [" metadata.name=n"]);
        assert_eq!(asked(Kind::Pod, &[(Kind::Pod, Key::new("a", "p"))]), ["a metadata.name=p"]);
    }
}
