//! The store under readers, writers and compaction.

use super::*;

#[test]
fn what_was_committed_is_read_back() {
    let (_place, store) = new_store();
    assert_eq!(commit(&store, &[put("a", "1"), put("b", "1")]), 2, "each write has a revision of its own");
    assert_eq!(commit(&store, &[put("a", "2"), Write::delete(Table::JOBS, named("b"))]), 4);
    assert_eq!(commit(&store, &[]), 4, "nothing to commit is no revision");
    assert_eq!(jobs(&store), [r#"a {"is":"2"}"#]);
    assert!(all(&store, Table::PODS).is_empty(), "one table does not show in another");
    let again = Store::open(store.root()).expect("the same store");
    assert_eq!(jobs(&again), jobs(&store));
    assert_eq!(again.read(&[Table::JOBS]).expect("a state").0.revision(), 4);
    assert_eq!(
        again.read(&[Table::JOBS]).expect("a state").0.get(Table::JOBS, &named("a")).expect("a").revision,
        3
    );
}

#[test]
fn a_follower_sees_every_commit_once_in_order_across_compactions() {
    let (_place, store) = new_store();
    commit(&store, &[put("before", "1")]);
    let (_, mut early) = store.read(&[Table::JOBS]).expect("a state");
    commit(&store, &[put("a", "1")]);
    compact(&store);
    let (state, mut late) = store.read(&[Table::JOBS]).expect("a state");
    assert_eq!(state.objects(Table::JOBS).count(), 2, "the snapshot holds what came before it");
    commit(&store, &[put("a", "2"), Write::delete(Table::JOBS, named("before"))]);
    let after = [r#"3 a {"is":"2"}"#, "4 before gone"];
    let mut both = vec![r#"2 a {"is":"1"}"#];
    both.extend(after);
    assert_eq!(seen(&mut early), both, "a follower from before the compaction");
    assert_eq!(seen(&mut late), after, "a follower from after it");
    assert_eq!((seen(&mut early), seen(&mut late)), (vec![], vec![]), "nothing twice");
    compact(&store);
    commit(&store, &[put("a", "3")]);
    assert_eq!(seen(&mut early), [r#"5 a {"is":"3"}"#]);
    assert_eq!(jobs(&store), [r#"a {"is":"3"}"#]);
}

#[test]
fn a_writer_whose_position_is_older_than_a_compaction_writes_to_the_new_journal() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let (_, tail) = store.read(&[]).expect("a state");
    commit(&store, &[put("b", "1")]);
    compact(&store);
    let mut locked = store.lock(tail).expect("the lock");
    let refused = locked.commit(vec![put("c", "1")]);
    assert!(refused.is_err(), "a commit without having read what came before");
    let mut names = Vec::new();
    locked.catch_up(&[Table::JOBS], |change| names.push(change.name.to_owned())).expect("changes");
    assert_eq!(names, ["b"]);
    assert_eq!(locked.next_revision(), 3);
    locked.commit(vec![put("c", "1")]).expect("a commit");
    drop(locked);
    assert_eq!(jobs(&store).len(), 3);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what somebody else does to the directory")]
fn one_that_has_gone_is_told_and_another_in_its_place_is_left_alone() {
    let removed = |directory: &Path| fs::remove_dir_all(directory).expect("remove it");
    let moved = |directory: &Path| fs::rename(directory, directory.with_extension("old")).expect("move it");
    for go in [&removed as &dyn Fn(&Path), &moved] {
        another_is_left_alone(go);
    }
}

fn another_is_left_alone(go: &dyn Fn(&Path)) {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let ((_, mut follower), (_, writer)) =
        (store.read(&[]).expect("a state"), store.read(&[]).expect("a state"));
    let is_removed = |error: &anyhow::Error| matches!(error.downcast_ref(), Some(StoreError::Removed { .. }));
    go(store.root());
    assert!(is_removed(&follower.changes(&[Table::JOBS], |_| ()).expect_err("nothing to follow")));
    let again = Store::open(store.root()).expect("another store");
    commit(&again, &[put("b", "1")]);
    let before = contents(again.root());
    assert!(is_removed(&follower.changes(&[Table::JOBS], |_| ()).expect_err("another one")));
    let mut locked = store.lock(writer).expect("the lock");
    assert!(is_removed(&locked.commit(vec![put("c", "1")]).expect_err("not its journal")));
    drop(locked);
    assert_eq!(contents(again.root()), before);
    assert_eq!(jobs(&again), [r#"b {"is":"1"}"#]);
}

#[test]
fn compaction_leaves_one_snapshot_and_changes_nothing_that_can_be_read() {
    let (_place, store) = new_store();
    for number in 0..20 {
        commit(&store, &[put(&format!("job-{}", number % 7), &number.to_string())]);
    }
    let before = (jobs(&store), store.read(&[]).expect("a state").0.revision());
    compact(&store);
    compact(&store);
    assert_eq!((jobs(&store), store.read(&[]).expect("a state").0.revision()), before);
    let snapshots = fs::read_dir(store.root().join("snapshot")).expect("a directory").count();
    assert_eq!(snapshots, 1, "the old ones are gone");
    assert_eq!(fs::read(journal(&store)).expect("a journal"), b"");
}

#[test]
fn leftovers_of_a_compaction_that_died_do_not_matter() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let snapshots = store.root().join("snapshot");
    for leftover in [".1.tmp", "1", ".trash.9"] {
        fs::create_dir(snapshots.join(leftover)).expect("a directory");
        append_new(&snapshots.join(leftover).join("jobs.jsonl"), b"half a rec");
    }
    append_new(&store.root().join(".current.tmp"), b"");
    assert_eq!(jobs(&store).len(), 1);
    compact(&store);
    assert_eq!(jobs(&store), [r#"a {"is":"1"}"#]);
    assert_eq!(fs::read_dir(snapshots).expect("a directory").count(), 1);
}

#[test]
fn a_small_journal_is_not_compacted() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    assert!(!locked.compact_if_due(noon()).expect("no compaction"));
    let large = "x".repeat(5 << 20);
    locked.commit(vec![put("a", &large)]).expect("a commit");
    assert!(locked.compact_if_due(noon()).expect("a compaction"));
    assert!(!locked.compact_if_due(noon()).expect("no compaction"), "the new journal is empty");
}

#[test]
fn whoever_has_not_read_everything_does_not_compact() {
    let (_place, store) = new_store();
    let (_, behind) = store.read(&[]).expect("a state");
    commit(&store, &[put("a", "1")]);
    let before = contents(store.root());
    let mut locked = store.lock(behind).expect("the lock");
    locked.compact_unless_behind(noon()).expect("nothing to do");
    assert_eq!(contents(store.root()), before);
    let mut seen = 0;
    locked.catch_up(&record::TABLES, |_| seen += 1).expect("the commit");
    locked.compact_unless_behind(noon()).expect("a compaction");
    assert_eq!((seen, fs::read(journal(&store)).expect("a journal").len()), (1, 0));
}

#[test]
fn whoever_reads_the_small_tables_alone_sees_what_all_see() {
    let (_place, store) = new_store();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..60 {
        let writes: Vec<Write> = (0..random.usize(1..6))
            .map(|_| {
                let table = [Table::JOBS, Table::CRON_JOBS, Table::PODS, Table::EVENTS][random.usize(..4)];
                let key = named(&format!("x{}", random.u8(..8)));
                let text = format!(r#"{{"text":"{}"}}"#, "é".repeat(random.usize(..9_000)));
                if random.bool() { Write::put(table, key, text) } else { Write::delete(table, key) }
            })
            .collect();
        commit(&store, &writes);
        let (all, end) = store.read(&record::TABLES).expect("a state");
        let (few, few_end) = store.read(&[Table::JOBS, Table::CRON_JOBS]).expect("a state");
        for table in [Table::JOBS, Table::CRON_JOBS] {
            let told = |state: &State| -> Vec<(Key, String)> {
                state.objects(table).map(|(key, object)| (key.clone(), object.text.to_owned())).collect()
            };
            assert_eq!(told(&few), told(&all));
        }
        assert_eq!((few.revision(), few_end.offset()), (all.revision(), end.offset()));
    }
}

#[test]
fn writers_side_by_side_lose_nothing_and_revisions_are_consecutive() {
    const WRITERS: usize = 6;
    const COMMITS: usize = 25;
    let (_place, store) = new_store();
    let (_, mut follower) = store.read(&[]).expect("a state");
    std::thread::scope(|scope| {
        let mut writers = Vec::new();
        for writer in 0..WRITERS {
            let root = store.root().to_owned();
            writers.push(scope.spawn(move || {
                let store = Store::open(&root).expect("a store");
                for number in 0..COMMITS {
                    // Half go by their own old position, as the controller does, half read anew, as verbs do.
                    let (_, tail) = store.read(&[]).expect("a state");
                    let mut locked = match number % 2 {
                        0 => store.lock(tail).expect("the lock"),
                        _ => store.lock_and_read(&[]).expect("the lock").0,
                    };
                    locked.catch_up(&[], |_| ()).expect("changes");
                    let revision = locked.next_revision();
                    let write = put(&format!("w{writer}-{number}"), &revision.to_string());
                    locked.commit(vec![write]).expect("a commit");
                    // Once: a position two compactions old cannot be followed.
                    if writer == 0 && number == COMMITS / 2 {
                        locked.compact(noon()).expect("a compaction");
                    }
                    drop(locked);
                    store.read(&TABLES).expect("a reader between");
                }
            }));
        }
        // A follower that looks all the time sees every revision once, in order.
        let mut revisions = Vec::new();
        let mut more = true;
        while more {
            // Asked before the last look, so that nothing is missed and a writer that fails ends this too.
            more = writers.iter().any(|writer| !writer.is_finished());
            follower.changes(&[Table::JOBS], |change| revisions.push(change.revision)).expect("changes");
        }
        let expected: Vec<u64> = (1..=(WRITERS * COMMITS) as u64).collect();
        assert_eq!(revisions, expected);
    });
    let stored = all(&store, Table::JOBS);
    assert_eq!(stored.len(), WRITERS * COMMITS);
}

#[test]
fn compaction_forgets_old_events_and_the_oldest_tombstones() {
    let (_place, store) = new_store();
    commit(
        &store,
        &[
            event("old", Duration::minutes(61)),
            event("an-hour", Duration::minutes(60)),
            event("new", Duration::zero()),
        ],
    );
    // Not the age counts by which they are sorted, but that of the write.
    commit(&store, &[Write::put(Table::Tombstones, named("a-young-one"), "{}".into())]);
    let tombstones: Vec<Write> = (0..1010)
        .map(|number| Write::put(Table::Tombstones, named(&format!("t{:04}", 2000 - number)), "{}".into()))
        .collect();
    commit(&store, &tombstones);
    commit(&store, &[Write::put(Table::Tombstones, named("a-young-one"), "{}".into())]);
    compact(&store);
    assert_eq!(all(&store, Table::EVENTS).into_keys().collect::<Vec<_>>(), ["an-hour", "new"]);
    let tombstones: Vec<String> = all(&store, Table::Tombstones).into_keys().collect();
    assert_eq!(
        (tombstones.len(), tombstones[0].as_str(), tombstones[999].as_str()),
        (1000, "a-young-one", "t1989")
    );
}

#[test]
fn events_of_objects_that_are_gone_make_way_first() {
    let (_place, store) = new_store();
    commit(&store, &[put("there", "1")]);
    let about = |name: &str, number: usize| {
        let Write { content, .. } = event(name, Duration::zero());
        Write { content, ..Write::delete(Table::EVENTS, named(&format!("{name}.{number:05}"))) }
    };
    let events: Vec<Write> =
        (0..1500).flat_map(|number| [about("there", number), about("gone", number)]).collect();
    commit(&store, &events);
    compact(&store);
    let count =
        |prefix: &str| all(&store, Table::EVENTS).keys().filter(|name| name.starts_with(prefix)).count();
    assert_eq!((count("there"), count("gone")), (1500, 1000));
    assert!(all(&store, Table::EVENTS).contains_key("gone.01499"), "the newest stay");
}

#[test]
fn a_commit_of_many_deletions_is_bounded() {
    let (_place, store) = new_store();
    let large = "x".repeat(1 << 20);
    let names: Vec<String> = (0..6).map(|number| format!("j{number}")).collect();
    for name in &names {
        commit(&store, &[put(name, &large)]);
    }
    let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
    let deletions: Vec<Write> = names.iter().map(|name| Write::delete(Table::JOBS, named(name))).collect();
    commit(&store, &deletions);
    let mut kept = 0;
    tail.changes(&TABLES, |change| kept += usize::from(change.last.is_some())).expect("changes");
    assert_eq!(kept, 3, "as many as fit");
    assert!(jobs(&store).is_empty());
}

#[test]
fn a_deletion_keeps_the_last_object_for_those_who_watch() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1"), put("b", "1"), put("c", "1")]);
    compact(&store);
    commit(&store, &[put("b", "2")]);
    let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
    let delete = |name: &str| Write::delete(Table::JOBS, named(name));
    let given = Write { content: WriteContent::Delete(Some("{\"is\":\"given\"}".into())), ..delete("c") };
    let facts = Write::delete(Table::JobFacts, named("a"));
    commit(&store, &[delete("a"), delete("b"), given, delete("never"), facts]);
    let mut last = Vec::new();
    tail.changes(&TABLES, |change| {
        assert_eq!(change.object, None);
        last.push(format!("{} {} {:?}", change.revision, change.name, change.last));
    })
    .expect("changes");
    let text = |is: &str| format!("{:?}", Some(json!({"is": is}).to_string()));
    let expected = [
        format!("5 a {}", text("1")),
        format!("6 b {}", text("2")),
        format!("7 c {}", text("given")),
        "8 never None".to_owned(),
        "9 a None".to_owned(),
    ];
    assert_eq!(last, expected);
}

#[test]
fn lists_read_the_pods_as_they_stand_and_the_parts_they_show() {
    let (_place, store) = new_store();
    let pod = |phase: &str| {
        json!({"metadata": {"name": "x"}, "spec": {"containers": []}, "status": {"phase": phase}}).to_string()
    };
    let listed = |phase: &str| listed_pod(&pod(phase)).expect("a pod");
    let put = |name: &str, text: String| Write::put(Table::PODS, named(name), text);
    let listing = || -> Vec<(String, String)> {
        let (state, _) = store.read_listing(&[Table::PODS]).expect("a listing");
        state
            .objects(Table::PODS)
            .map(|(key, object)| (key.name.to_string(), object.text.to_owned()))
            .collect()
    };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());

    commit(&store, &["a", "b", "c", "d"].map(|name| put(name, pod("Running"))));
    assert_eq!(listing()[0], pair("a", &pod("Running")), "no snapshot yet");
    compact(&store);
    commit(
        &store,
        &[put("b", pod("Failed")), put("d", "{no pod}".into()), Write::delete(Table::PODS, named("c"))],
    );
    assert_eq!(
        listing(),
        [pair("a", &listed("Running")), pair("b", &pod("Failed")), pair("d", "{no pod}")],
        "the journal has whole pods"
    );
    compact(&store);
    let expected = [pair("a", &listed("Running")), pair("b", &listed("Failed")), pair("d", "{no pod}")];
    assert_eq!(listing(), expected);
    assert_eq!(all(&store, Table::PODS)["b"], pod("Failed"), "whole for everybody else");
}

/// Something done to a store.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u8, Option<u16>)>),
    Compact,
    Reopen,
    Tear(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (0..8_u8, prop::option::weighted(0.7, any::<u16>()));
    let step = prop_oneof![
        6 => prop::collection::vec(write, 0..4).prop_map(Step::Commit),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        1 => (1..60_usize).prop_map(Step::Tear),
    ];
    prop::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_map(steps in steps()) {
        let (_place, mut store) = new_store();
        let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
        let (mut model, mut followed) = (BTreeMap::new(), BTreeMap::new());
        let mut revision = 0;
        for step in steps {
            match step {
                Step::Commit(writes) => {
                    let spelled: Vec<Write> = writes
                        .iter()
                        .map(|(key, value)| match value {
                            Some(value) => put(&format!("k{key}"), &value.to_string()),
                            None => Write::delete(Table::JOBS, named(&format!("k{key}"))),
                        })
                        .collect();
                    revision += writes.len() as u64;
                    prop_assert_eq!(commit(&store, &spelled), revision);
                    for (key, value) in writes {
                        match value {
                            Some(value) => {
                                model.insert(format!("k{key}"), json!({"is": value.to_string()}).to_string())
                            }
                            None => model.remove(&format!("k{key}")),
                        };
                    }
                }
                Step::Compact => compact(&store),
                Step::Reopen => store = Store::open(store.root()).expect("the same store"),
                Step::Tear(length) => {
                    // Every writer cuts off what one before it left.
                    commit(&store, &[]);
                    let line = commit_text(revision + 1, &[put("torn", "x")]);
                    append(&journal(&store), &line.as_bytes()[..length]);
                }
            }
            prop_assert_eq!(&all(&store, Table::JOBS), &model);
            tail.changes(&[Table::JOBS], |change| {
                match change.object {
                    Some(object) => followed.insert(change.name.to_owned(), object.to_owned()),
                    None => followed.remove(change.name),
                };
            })
            .expect("changes");
            prop_assert_eq!(&followed, &model, "a follower");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Keys and values of objects may be all that the store itself writes.
    #[test]
    fn any_object_survives(object in any_object(), other in any_object()) {
        let (_place, store) = new_store();
        let key = |name: &str| Write::put(Table::JOBS, named(name), object.to_string());
        let wrapped = json!({"metadata": {"name": "c", "annotations": {}}, "spec": null, "status": null}).to_string();
        commit(&store, &[key("a"), Write::put(Table::PODS, named("b"), other.to_string()), Write::put(Table::JOBS, named("c"), wrapped)]);
        let whole = everything(&store).expect("readable");
        prop_assert_eq!(&all(&store, Table::JOBS)["a"], &object.to_string());
        prop_assert_eq!(&all(&store, Table::PODS)["b"], &other.to_string());
        compact(&store);
        prop_assert_eq!(&all(&store, Table::JOBS)["a"], &object.to_string());
        prop_assert!(whole.contains(&object.to_string()));
        let mut streamed = Vec::new();
        store.stream(&[Table::JOBS], |change| {
            streamed.push(change.object.map(str::to_owned));
            Ok(())
        }).expect("readable");
        prop_assert_eq!(streamed[0].clone(), Some(object.to_string()));
        let examined = store.examine().expect("an examination");
        let unreadable = |damage: &Damage| damage.detail.contains("checksum") || damage.detail.contains("record");
        prop_assert!(!examined.files().flat_map(|file| &file.damage).any(unreadable));
        commit(&store, &[Write::delete(Table::JOBS, named("a"))]);
        prop_assert!(!all(&store, Table::JOBS).contains_key("a"));
        prop_assert_eq!(&all(&store, Table::PODS)["b"], &other.to_string());
    }
}

/// Words of the store's own among the keys and values.
fn any_word() -> impl Strategy<Value = String> {
    let ours = prop::sample::select(vec![
        "op",
        "crc",
        "bytes",
        "put",
        "delete",
        "commit",
        "end",
        "revision",
        "namespace",
        "name",
        "object",
        "writes",
        "type",
        "Failed",
        "{\"op\":\"put\"",
        "{\"crc\":\"00000000\",\"end\":",
        "\n",
        "\"}\n",
        "spec",
        "status",
        ",\"spec\":{",
    ]);
    prop_oneof![3 => ours.prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_object() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any_word().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from)
    ];
    let value = leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((any_word(), inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    prop::collection::vec((any_word(), value), 0..6)
        .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into())
}
