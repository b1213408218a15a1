//! Laws of the room: requests by many are requests one after the other, and a watch tells what a list shows.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::controller::{ClockReading, Settings};
use crate::registry::deletion::Propagation;
use crate::store::{State, Store, Table};

fn moment(seed: u64) -> Moment {
    let now = DateTime::<Utc>::UNIX_EPOCH + Duration::days(20_000) + Duration::seconds(seed as i64);
    Moment { now, clock: ClockReading { boot: 1, offset: 0 }, seed }
}

fn begin(store: &Store, seed: u64) -> Transaction {
    let tables = [Table::CRON_JOBS, Table::JOBS, Table::PODS];
    Transaction::begin(store, &Settings::default(), moment(seed), &tables).expect("the lock")
}

fn creator() -> Creator {
    Creator { working_directory: "/work".into(), path: "/bin".into(), umask: 0o22, ..Creator::default() }
}

fn key(name: &str) -> Key {
    Key::new("default", name)
}

/// What a request asks for. Objects are CronJobs and Jobs of a few names.
#[derive(Clone, Debug)]
enum Op {
    Create(Kind, u8),
    Label(Kind, u8, u8),
    Parallelism(u8, i32),
    Delete(Kind, u8, Propagation),
    Recreate(u8),
    Evict(u8),
}

fn ops() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![Just(Kind::CronJob), Just(Kind::Job)];
    let propagation =
        prop_oneof![Just(Propagation::Background), Just(Propagation::Foreground), Just(Propagation::Orphan)];
    prop_oneof![
        3 => (kind.clone(), 0..3_u8).prop_map(|(kind, name)| Op::Create(kind, name)),
        3 => (kind.clone(), 0..3_u8, 0..3_u8).prop_map(|(kind, name, value)| Op::Label(kind, name, value)),
        1 => (0..3_u8, 0..4_i32).prop_map(|(name, parallelism)| Op::Parallelism(name, parallelism)),
        2 => (kind, 0..3_u8, propagation).prop_map(|(kind, name, how)| Op::Delete(kind, name, how)),
        1 => (0..3_u8).prop_map(Op::Recreate),
        1 => (0..3_u8).prop_map(Op::Evict),
    ]
}

fn manifest(kind: Kind, name: u8) -> Value {
    let job = json!({"parallelism": 2, "completions": 2, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "i", "command": ["true"]}]}}});
    let metadata = json!({"name": format!("n{name}"), "namespace": "default", "labels": {"tier": "0"}});
    match kind {
        Kind::CronJob => json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata,
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": job}}}),
        _ => json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}),
    }
}

fn perform(transaction: &mut Transaction, op: &Op) -> Result<()> {
    let merge = |value: Value| Patch::Merge(value);
    match op {
        Op::Create(kind, name) => {
            let manifest = manifest(*kind, *name);
            let object = decode(*kind, &manifest, FieldValidation::Strict)?.object;
            transaction.create(object, &manifest, &creator())?;
        }
        Op::Label(kind, name, value) => {
            let patch = merge(json!({"metadata": {"labels": {"tier": value.to_string()}}}));
            transaction.patch(*kind, &key(&format!("n{name}")), &patch, Subresource::Main)?;
        }
        Op::Parallelism(name, parallelism) => {
            let patch = merge(json!({"spec": {"parallelism": parallelism}}));
            transaction.patch(Kind::Job, &key(&format!("n{name}")), &patch, Subresource::Main)?;
        }
        Op::Delete(kind, name, propagation) => {
            let options = DeleteOptions { propagation: *propagation, ..DeleteOptions::default() };
            transaction.delete(*kind, &key(&format!("n{name}")), &options)?;
        }
        Op::Recreate(name) => {
            let manifest = manifest(Kind::Job, *name);
            let object = decode(Kind::Job, &manifest, FieldValidation::Strict)?.object;
            transaction.recreate(object, &manifest, &creator(), &DeleteOptions::default())?;
        }
        Op::Evict(name) => {
            let job: Option<Value> = transaction.current(Table::JOBS, &key(&format!("n{name}")))?;
            let uid =
                job.as_ref().and_then(|job| job["metadata"]["uid"].as_str()).unwrap_or_default().to_owned();
            let pods = if uid.is_empty() { Vec::new() } else { transaction.pods_of_job(&uid)? };
            if let Some(pod) = pods.first() {
                transaction.evict(&crate::api::meta::key(&pod.metadata), Some(1))?;
            }
        }
    }
    Ok(())
}

/// One request by itself: the revision of the store after it, where it has changed something.
fn request(store: &Store, seed: u64, op: &Op) -> Option<u64> {
    let mut transaction = begin(store, seed);
    match perform(&mut transaction, op) {
        Ok(()) => transaction.commit().expect("a commit").map(|tail| tail.revision()),
        Err(error) => {
            assert!(error.is::<StatusError>(), "{op:?}: {error:#}");
            None
        }
    }
}

/// Everything that is stored, without the revisions.
fn objects(store: &Store) -> BTreeMap<(Table, Key), Value> {
    let tables: Vec<Table> = Table::all().collect();
    let (state, _) = store.read(&tables).expect("a state");
    let mut objects = BTreeMap::new();
    for table in tables {
        for (key, object) in state.objects(table) {
            let mut value: Value = object.parse().expect("JSON");
            if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
                metadata.remove("resourceVersion");
            }
            objects.insert((table, key.clone()), value);
        }
    }
    objects
}

fn shown(reader: &Reader, kind: Kind, selectors: &Selectors) -> BTreeMap<Key, String> {
    let found = reader.list(kind, Some("default"), selectors).expect("a list");
    found.into_iter().map(|one| (one.key.into_owned(), one.text.into_owned())).collect()
}

fn fresh_list(store: &Store, kind: Kind, selectors: &Selectors) -> BTreeMap<Key, String> {
    let (state, _) = store.read(&[Table::from(kind)]).expect("a state");
    shown(&Reader::new(state, moment(0).now), kind, selectors)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_of_many_clients_are_as_requests_one_after_the_other(
        clients in proptest::collection::vec(proptest::collection::vec(ops(), 1..8), 2..4),
    ) {
        let place = tempfile::tempdir().expect("a directory");
        let together = Store::open(&place.path().join("together")).expect("a store");
        let done: Mutex<Vec<(u64, u64, Op)>> = Mutex::default();
        std::thread::scope(|scope| {
            for (client, ops) in clients.iter().enumerate() {
                let (store, done) = (together.clone(), &done);
                scope.spawn(move || {
                    for (nth, op) in ops.iter().enumerate() {
                        let seed = (client * 100 + nth) as u64;
                        if let Some(revision) = request(&store, seed, op) {
                            done.lock().expect("no panic").push((revision, seed, op.clone()));
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("no panic");
        done.sort_by_key(|(revision, ..)| *revision);
        let alone = Store::open(&place.path().join("alone")).expect("a store");
        for (revision, seed, op) in &done {
            prop_assert_eq!(request(&alone, *seed, op), Some(*revision), "{:?}", op);
        }
        prop_assert_eq!(objects(&together), objects(&alone));
    }

    #[test]
    fn requests_that_are_committed_together_see_each_other(ops in proptest::collection::vec(ops(), 1..10)) {
        let place = tempfile::tempdir().expect("a directory");
        let (one, each) = (place.path().join("one"), place.path().join("each"));
        let (one, each) = (Store::open(&one).expect("a store"), Store::open(&each).expect("a store"));
        let mut transaction = begin(&one, 7);
        let mut created: Vec<&Op> = Vec::new();
        for (op, seed) in ops.iter().zip(8..) {
            // What a transaction has created it does not create again, whatever became of it.
            if target(op).is_some() && created.iter().any(|seen| target(seen) == target(op)) {
                continue;
            }
            let failed = perform(&mut transaction, op).is_err();
            let mut alone = begin(&each, seed);
            prop_assert_eq!(perform(&mut alone, op).is_err(), failed, "{:?}", op);
            if !failed {
                alone.commit().expect("a commit");
                created.push(op);
            }
        }
        transaction.commit().expect("a commit");
        let names = |store: &Store| {
            [Kind::Job, Kind::CronJob].map(|kind| {
                let list = fresh_list(store, kind, &Selectors::none());
                let spec = |text: &String| {
                    let value: Value = serde_json::from_str(text).expect("JSON");
                    (value["metadata"]["labels"]["tier"].clone(), value["spec"]["parallelism"].clone(),
                        value["metadata"]["deletionTimestamp"].is_null())
                };
                list.iter().map(|(key, text)| (key.name.to_string(), spec(text))).collect::<Vec<_>>()
            })
        };
        prop_assert_eq!(names(&one), names(&each));
    }

    #[test]
    fn a_watch_from_any_revision_and_a_fresh_list_agree(
        ops in proptest::collection::vec((ops(), prop::bool::weighted(0.1)), 1..14),
        selector in prop_oneof![Just(""), Just("tier=0"), Just("tier!=1")],
    ) {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let selectors = Selectors::parse(Some(selector), None).expect("a selector");
        let kinds = [Kind::CronJob, Kind::Job, Kind::Pod];
        let list = |store: &Store| kinds.map(|kind| fresh_list(store, kind, &selectors));
        let mut history = vec![(0, list(&store))];
        let mut oldest = 0;
        for (nth, (op, compacts)) in ops.iter().enumerate() {
            if let Some(revision) = request(&store, nth as u64, op) {
                history.push((revision, list(&store)));
            }
            if *compacts {
                let (mut locked, state) = store.lock_and_read(&[]).expect("the lock");
                locked.compact(moment(0).now).expect("a compaction");
                oldest = state.revision();
            }
        }
        for (revision, listed) in &history {
            for ((kind, mut seen), now) in kinds.into_iter().zip(listed.clone()).zip(list(&store)) {
                let watch = Watch::new(kind, Some("default"), &selectors).expect("a watch");
                let watched = watch.since(&store, *revision);
                if *revision < oldest {
                    let error = watched.expect_err("too old");
                    let is_told = matches!(error.downcast_ref(), Some(StatusError::Expired { .. }));
                    prop_assert!(is_told, "{error:#}");
                    continue;
                }
                let (_, events, _) = watched.expect("a watch");
                let mut last = *revision;
                for WatchEvent { event, key, text, revision } in events {
                    prop_assert!(revision > last, "in the order of revisions");
                    last = revision;
                    let before = match event {
                        EventType::Deleted => seen.remove(&key),
                        EventType::Added | EventType::Modified => seen.insert(key, text),
                    };
                    prop_assert_eq!(before.is_none(), event == EventType::Added);
                }
                prop_assert_eq!(seen, now, "{} from {}", kind, revision);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The pages of a list are the list, whatever their length, and each says how much is still to come.
    #[test]
    fn pages_are_the_list(
        places in proptest::collection::btree_map(("a|a-b|ab|b", "x|x-y|xy|y|z"), 0..2_u8, 0..16),
        namespace in proptest::option::of("a|ab|c"),
        is_selected in any::<bool>(),
        limit in 1..6_usize,
    ) {
        let mut state = State::default();
        for ((namespace, name), label) in &places {
            let labels = json!({"l": label.to_string()});
            let object = json!({"metadata": {"namespace": namespace, "name": name, "labels": labels}});
            state.add(Table::Kind(Kind::ConfigMap), Key::new(namespace, name), object.to_string());
        }
        let reader = Reader::new(state, moment(0).now);
        let selectors = Selectors::parse(is_selected.then_some("l=1"), None).expect("selectors");
        let (kind, namespace) = (Kind::ConfigMap, namespace.as_deref());
        let whole = reader.list(kind, namespace, &selectors).expect("a list");
        let expected: Vec<Key> = places
            .iter()
            .filter(|((of, _), label)| namespace.is_none_or(|wanted| wanted == of) && (!is_selected || **label == 1))
            .map(|((namespace, name), _)| Key::new(namespace, name))
            .collect();
        let keys = |found: &[Found<'_>]| found.iter().map(|one| one.key.clone().into_owned()).collect::<Vec<_>>();
        prop_assert_eq!(&keys(&whole), &expected);
        let (mut paged, mut from) = (Vec::new(), None);
        loop {
            let (page, rest) = reader.page(kind, namespace, &selectors, from.as_ref(), limit).expect("a page");
            paged.extend(keys(&page));
            let left = expected.len() - paged.len();
            prop_assert_eq!(rest, if is_selected { left.min(1) } else { left });
            let Some(last) = paged.last().filter(|_| rest > 0) else { break };
            from = Some(Key::new(&last.namespace, &format!("{}\0", last.name)));
        }
        prop_assert_eq!(paged, expected);
    }
}

/// What a request creates.
fn target(op: &Op) -> Option<(Kind, u8)> {
    match op {
        Op::Create(kind, name) => Some((*kind, *name)),
        Op::Recreate(name) => Some((Kind::Job, *name)),
        _ => None,
    }
}

#[test]
fn a_stale_resource_version_is_a_conflict_and_changes_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let store = Store::open(&place.path().join("data")).expect("a store");
    let cron_job = (Kind::CronJob, key("n1"));
    request(&store, 1, &Op::Create(Kind::CronJob, 1)).expect("created");
    let stale = begin(&store, 2).get(cron_job.0, &cron_job.1).expect("there").value().expect("JSON");
    request(&store, 3, &Op::Label(Kind::CronJob, 1, 2)).expect("changed");
    let before = objects(&store);
    let mut transaction = begin(&store, 4);
    let error = transaction.update(Update::new(cron_job.0, &cron_job.1, stale.clone())).expect_err("stale");
    assert!(matches!(error.downcast_ref(), Some(StatusError::Conflict { .. })), "{error:#}");
    let version = stale["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    let options = DeleteOptions { resource_version: version, ..DeleteOptions::default() };
    let error = transaction.delete(cron_job.0, &cron_job.1, &options).expect_err("stale");
    assert!(matches!(error.downcast_ref(), Some(StatusError::Conflict { .. })), "{error:#}");
    assert!(transaction.commit().expect("no commit").is_none(), "nothing to commit");
    assert_eq!(objects(&store), before);
}

#[test]
fn a_watch_from_a_revision_still_to_come_is_told_so() {
    let place = tempfile::tempdir().expect("a directory");
    let store = Store::open(&place.path().join("data")).expect("a store");
    let revision = request(&store, 1, &Op::Create(Kind::CronJob, 1)).expect("created");
    let watch = || Watch::new(Kind::Job, None, &Selectors::none()).expect("a watch");
    assert!(watch().since(&store, revision).is_ok());
    let error = watch().since(&store, revision + 1).expect_err("to come");
    assert_eq!(
        error.to_string(),
        format!("Too large resource version: {}, current: {revision}", revision + 1)
    );
}

#[test]
fn events_that_a_compaction_leaves_behind_are_gone_for_whoever_watches() {
    let place = tempfile::tempdir().expect("a directory");
    let store = Store::open(&place.path().join("data")).expect("a store");
    let later = 2 * 3600;
    for (name, seed) in [("old", 1), ("new", later)] {
        let about = json!({ "kind": "Job", "name": "j", "namespace": "default", "uid": name });
        let event =
            json!({ "metadata": { "name": name }, "involvedObject": about, "reason": "R", "type": "Normal" });
        let mut transaction = begin(&store, seed);
        transaction.create_event(event, "default").expect("an Event");
        transaction.commit().expect("a commit").expect("something new");
    }
    let mut cache = WatchCache::load(&store).expect("a cache");
    let names = |cache: &WatchCache| -> Vec<String> {
        cache.state().objects(Table::EVENTS).map(|(key, _)| key.name.to_string()).collect()
    };
    assert_eq!(names(&cache), ["new", "old"]);
    let begin_of_watch = cache.revision();
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    locked.compact(moment(later).now).expect("a compaction");
    drop(locked);
    cache.read_on().expect("a look");
    assert_eq!(cache.revision(), begin_of_watch, "a deletion has a revision of its own");
    request(&store, later, &Op::Create(Kind::CronJob, 1)).expect("created");
    cache.read_on().expect("a look");
    assert_eq!(names(&cache), ["new"]);
    let told: Vec<_> = cache.since(Kind::Event, begin_of_watch).expect("known").collect();
    let selection =
        Selection { kind: Kind::Event, namespace: Some("default".into()), selectors: Selectors::none() };
    let (kind, text) = selection.event(told[0]).expect("an Event").expect("news");
    let last: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((told.len(), kind, &last["metadata"]["name"]), (1, EventType::Deleted, &json!("old")));
    assert_eq!(last["metadata"]["resourceVersion"], cache.revision().to_string());
    // Those who have heard of that hear of it once.
    assert_eq!(cache.since(Kind::Event, cache.revision()).expect("known").count(), 0);
    let before = cache.state_at(Kind::Event, begin_of_watch).expect("known");
    assert_eq!(before.objects(Table::EVENTS).count(), 2);
}
