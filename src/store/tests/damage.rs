//! The store under torn ends and damage: what is reported, what is refused, and what is set aside.

use super::*;

#[test]
fn a_torn_end_is_ignored_by_readers_and_cut_by_the_next_writer() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let whole = fs::read(journal(&store)).expect("a journal");
    let (_, mut follower) = store.read(&[]).expect("a state");
    let next = commit_text(2, &[put("torn", "1")]);
    for length in [1, next.len() / 2, next.len() - 1] {
        append(&journal(&store), &next.as_bytes()[..length]);
        assert_eq!(jobs(&store).len(), 1, "torn after {length} bytes");
        assert_eq!(seen(&mut follower), Vec::<String>::new());
        assert_eq!(commit(&store, &[]), 1);
        assert_eq!(fs::read(journal(&store)).expect("a journal"), whole, "cut off");
    }
    append(&journal(&store), &next.as_bytes()[..100]);
    assert_eq!(commit(&store, &[put("b", "1")]), 2, "the next commit takes its place");
    assert_eq!(jobs(&store).len(), 2);
    assert_eq!(seen(&mut follower), [r#"2 b {"is":"1"}"#]);
    // After a power cut the last blocks may be there without what was in them.
    let next = commit_text(3, &[put("torn", "1")]);
    for length in [0, 10, record::HEAD, next.len() - 5] {
        append(&journal(&store), &next.as_bytes()[..length]);
        append(&journal(&store), &vec![0; next.len() - length]);
        assert_eq!(jobs(&store).len(), 2, "unwritten after {length} bytes");
        assert_eq!(commit(&store, &[]), 2);
    }
    assert_eq!(commit(&store, &[put("c", "1")]), 3);
    assert_eq!(jobs(&store).len(), 3);
}

#[test]
fn damage_is_reported_with_its_place_and_nothing_is_changed() {
    let commit_of = |first| commit_text(first, &[put("c", "1")]);
    let head = record::HEAD;
    let object = commit_of(3).len() - 60;
    let flipped = |at: usize| {
        let mut bytes = commit_of(3).into_bytes();
        bytes[at] ^= 4;
        bytes
    };
    let three = commit_of(3).len();
    for (what, bad, line, at) in [
        ("zeros before a commit", b"\0\0\0\0\0\n".to_vec(), 7, 0),
        ("no commit", b"{\"a\":1}\n".to_vec(), 7, 0),
        ("a commit twice", commit_of(2).into_bytes(), 7, 0),
        ("one that is missing", commit_of(4).into_bytes(), 7, 0),
        ("half a commit", commit_of(3).into_bytes()[..object].to_vec(), 8, head),
        ("a flipped bit in the head", flipped(40), 7, 0),
        ("in an object", flipped(object), 8, head),
        ("in the end", flipped(three - 10), 9, three - record::END),
        ("in the last newline", flipped(three - 1), 9, three - record::END),
    ] {
        for is_last in [false, true] {
            if is_last && bad.len() < three {
                // The journal's end is torn then.
                continue;
            }
            let (_place, store) = new_store();
            let (_, mut early) = store.read(&[]).expect("a state");
            commit(&store, &[put("a", "1")]);
            let (_, mut follower) = store.read(&[]).expect("a state");
            commit(&store, &[put("b", "1")]);
            let offset = fs::read(journal(&store)).expect("a journal").len() + at;
            append(&journal(&store), &bad);
            if !is_last {
                append(&journal(&store), commit_text(4, &[put("d", "1")]).as_bytes());
            }
            let before = contents(store.root());
            let expected = ("journal.jsonl".to_owned(), line, offset);
            assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err(what)), expected, "{what}: a reader");
            assert_eq!(
                damage(&store.lock_and_read(&[Table::JOBS]).expect_err(what)),
                expected,
                "{what}: a writer"
            );
            for tail in [&mut early, &mut follower] {
                let error = tail.changes(&[Table::JOBS], |_| ()).expect_err(what);
                assert_eq!(damage(&error), expected, "{what}: a follower");
            }
            let text = format!("{:#}", store.read(&[Table::JOBS]).expect_err(what));
            let place = format!("line {line} (byte {offset})");
            assert!(text.contains(&place) && text.contains("nothing was changed"), "{text}");
            assert_eq!(contents(store.root()), before, "{what}: nothing is changed");
        }
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (_place, store) = new_store();
    let pod = json!({"metadata": {"name": "p", "uid": "p"}, "spec": {"containers": []}}).to_string();
    commit(&store, &[job("a", "1"), Write::put(Table::PODS, named("p"), pod), event("e", Duration::zero())]);
    compact(&store);
    commit(&store, &[job("b", "1"), Write::delete(Table::EVENTS, named("e"))]);
    commit(&store, &[job("b", "2")]);
    everything(&store).expect("readable");
    let snapshot = store.current_snapshot().expect("a snapshot");
    let files =
        ["jobs.jsonl", "pods.jsonl", "events.jsonl", "pods.listing.jsonl", "sizes.json", "journal.jsonl"];
    for path in files.map(|name| snapshot.join(name)).into_iter().chain([store.root().join("format")]) {
        let whole = fs::read(&path).expect("a file");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                overwrite_in_place(&path, &flipped);
                let what = format!("{} byte {at} bit {bit}", path.display());
                assert!(everything(&store).is_err(), "{what}");
                if path.starts_with(&snapshot) {
                    assert!(!store.examine().expect("an examination").is_sound(), "{what}: doctor");
                }
            }
        }
        overwrite_in_place(&path, &whole);
    }
    everything(&store).expect("readable again");
}

#[test]
fn damage_in_a_snapshot_is_reported_with_its_place() {
    for (what, bad) in
        [("zeros", "\0\0\n"), ("not a record", "{}\n"), ("no end", r#"{"crc":"01234567","bytes":"#)]
    {
        let (_place, store) = new_store();
        commit(&store, &[put("a", "1")]);
        compact(&store);
        let file = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
        let at = fs::read(&file).expect("a snapshot").len();
        append(&file, bad.as_bytes());
        let before = contents(store.root());
        let expected = ("jobs.jsonl".to_owned(), 2, at);
        assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err(what)), expected, "{what}");
        let length = ("jobs.jsonl".to_owned(), if bad.ends_with('\n') { 3 } else { 2 }, at + bad.len());
        let streamed = store.stream(&[Table::JOBS], |_| Ok(())).expect_err(what);
        assert_eq!(damage(&streamed), length, "{what}: the length is looked at first");
        let (mut locked, _) = store.lock_and_read(&[]).expect("other tables read");
        locked.commit(vec![]).expect("nothing");
        drop(locked);
        assert!(store.read(&[Table::PODS]).is_ok(), "{what}: other tables can be read");
        assert_eq!(contents(store.root()), before, "{what}: nothing is changed");
    }
}

#[test]
fn a_snapshot_that_lost_whole_lines_is_damaged() {
    for keep in [0, 1] {
        let (_place, store) = new_store();
        commit(&store, &[put("a", "1"), put("b", "1")]);
        compact(&store);
        let path = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
        let whole = fs::read_to_string(&path).expect("jobs");
        let kept: String = whole.lines().take(keep).map(|line| format!("{line}\n")).collect();
        let file = fs::OpenOptions::new().write(true).open(&path).expect("the file");
        file.set_len(kept.len() as u64).expect("cut");
        let error = store.read(&[Table::JOBS]).expect_err("noticed");
        assert_eq!(damage(&error), ("jobs.jsonl".into(), keep + 1, kept.len()));
        let detail = format!("{} bytes were written, {} are there", whole.len(), kept.len());
        assert!(error.to_string().contains(&detail), "{error:#}");
        fs::remove_file(&path).expect("removed");
        assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err("noticed")).1, 1, "gone altogether");
        let found = store.examine().expect("an examination");
        assert_eq!(found.files().map(|file| file.damage.len()).sum::<usize>(), 1, "doctor sees it too");
        append_new(&path, whole.as_bytes());
        assert!(store.read(&[Table::JOBS]).is_ok() && store.examine().expect("an examination").is_sound());
    }
}

#[test]
fn a_damaged_store_is_not_compacted() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    compact(&store);
    commit(&store, &[put("b", "1")]);
    append(&store.current_snapshot().expect("a snapshot").join("jobs.jsonl"), b"{}\n");
    let before = contents(store.root());
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    assert!(locked.compact(noon()).is_err());
    assert_eq!(contents(store.root()), before);
}

#[test]
fn an_object_that_does_not_parse_is_reported_with_its_place() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let at = fs::read(journal(&store)).expect("a journal").len();
    commit(&store, &[Write::put(Table::JOBS, named("b"), r#"{"metadata":7}"#.into())]);
    let (state, _) = store.read(&[Table::JOBS]).expect("a state");
    let object = state.get(Table::JOBS, &named("b")).expect("the object");
    let error = object.parse::<crate::api::Job>().expect_err("not a Job");
    assert_eq!(damage(&error), ("journal.jsonl".to_owned(), 5, at + record::HEAD));
}

#[test]
fn a_store_that_is_not_ours_alone_or_newer_is_refused() {
    let (_place, store) = new_store();
    let mode = |mode| fs::set_permissions(store.root(), fs::Permissions::from_mode(mode)).expect("chmod");
    for (bits, refused) in [(0o700, false), (0o755, false), (0o770, true), (0o702, true), (0o777, true)] {
        mode(bits);
        let opened = Store::open(store.root());
        assert_eq!(opened.is_err(), refused, "{bits:o}");
        if let Err(error) = opened {
            assert!(matches!(error.downcast_ref(), Some(StoreError::NotPrivate { .. })), "{error:#}");
            assert!(error.to_string().contains("chmod go-w"), "says what to do: {error:#}");
        }
    }
    mode(0o700);
    for version in ["0\n", "3\n", "99\n", "", "abc", "2", "02\n", "2\n\n"] {
        write_atomic(&store.root().join("format"), version.as_bytes()).expect("a format");
        let error = Store::open(store.root()).expect_err(version);
        assert!(matches!(error.downcast_ref(), Some(StoreError::OtherFormat { .. })), "{error:#}");
    }
    let file = store.root().join("format");
    let error = Store::open(&file).expect_err("a file");
    assert!(error.to_string().contains("is not a directory"), "{error:#}");
    let fresh = store.root().join("deep/er");
    Store::open(&fresh).expect("a new store");
    assert_eq!(fs::metadata(&fresh).expect("a directory").permissions().mode() & 0o777, 0o700);
}

/// What the Jobs say, by name.
fn annotations(store: &Store) -> Vec<String> {
    let of = |(name, text): (String, String)| {
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        format!("{name} {}", value["metadata"]["annotations"]["is"].as_str().unwrap_or_default())
    };
    all(store, Table::JOBS).into_iter().map(of).collect()
}

/// What lies in the data directory under names like that, with its content.
fn aside(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let names = fs::read_dir(store.root()).expect("a directory").flatten().map(|entry| entry.path());
    let is_aside = |path: &std::path::PathBuf| path.display().to_string().contains(".corrupt-");
    names
        .filter(|path| path.is_file() && is_aside(path))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect()
}

/// Flips a bit in the middle of the line that holds a text; the last such line.
fn damage_line(path: &Path, text: &str) {
    let mut bytes = fs::read(path).expect("the file");
    let at = memchr::memmem::rfind(&bytes, text.as_bytes()).expect("the text");
    bytes[at] ^= 1;
    overwrite_in_place(path, &bytes);
}

#[test]
fn without_damage_nothing_is_set_aside() {
    let (_place, store) = new_store();
    assert!(store.set_aside(noon()).expect("nothing").is_none());
    commit(&store, &[job("a", "1")]);
    append(&journal(&store), &commit_text(2, &[job("b", "1")]).as_bytes()[..120]);
    let before = contents(store.root());
    assert!(store.set_aside(noon()).expect("nothing").is_none(), "a torn end is no damage");
    assert_eq!(contents(store.root()), before);
}

#[test]
fn damaged_lines_are_set_aside_and_everything_else_stands() {
    let (_place, store) = new_store();
    for name in ["a", "b", "c", "d", "e"] {
        commit(&store, &[job(name, "1")]);
    }
    compact(&store);
    let jobs_file = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
    // In the snapshot: a, which nobody writes again, and b, which a later commit does. Of b the newline is gone.
    damage_line(&jobs_file, "annotations\":{\"is\":\"1\"},\"name\":\"a");
    let second =
        fs::read_to_string(&jobs_file).expect("the Jobs").match_indices('\n').nth(1).expect("lines").0;
    let mut bytes = fs::read(&jobs_file).expect("the Jobs");
    bytes[second] = b' ';
    overwrite_in_place(&jobs_file, &bytes);
    let damaged_jobs = bytes[..=second].to_vec();
    commit(&store, &[job("b", "2"), job("c", "2")]);
    let journal_file = journal(&store);
    let third = fs::read(&journal_file).expect("the journal").len();
    // Revisions 8 to 11 change c and e, make x and remove d; 12 changes c again.
    let removed = WriteContent::Delete(Some("{}".into()));
    let removal = Write { content: removed, ..Write::delete(Table::JOBS, named("d")) };
    commit(&store, &[job("c", "3"), job("e", "3"), job("x", "3"), removal]);
    damage_line(&journal_file, "\"name\":\"e\",\"namespace");
    let damaged_commit = fs::read(&journal_file).expect("the journal")[third..].to_vec();
    append(&journal_file, commit_text(12, &[job("c", "4")]).as_bytes());
    append(&journal_file, &commit_text(13, &[job("c", "5")]).as_bytes()[..100]);

    let done = store.set_aside(noon()).expect("set aside").expect("something");
    assert_eq!(annotations(&store), ["b 2", "c 4", "d 1", "e 1"]);
    let fates: Vec<String> = done
        .lines
        .iter()
        .flat_map(|line| &line.objects)
        .map(|object| format!("{} {:?}", object.key.name, object.fate))
        .collect();
    let expected = ["a Lost", "b Unharmed", "c Unharmed", "e SetBack", "x Lost", "d Back"];
    assert_eq!(fates, expected);
    assert_eq!((done.objects, done.revision), (4, 13));
    assert_eq!(done.gaps, [Gap { first: 8, last: 11, lines: 1 }]);
    // Byte for byte.
    let expected = BTreeMap::from([
        ("jobs.jsonl.corrupt-20231114T221320Z".to_owned(), damaged_jobs),
        ("journal.jsonl.corrupt-20231114T221320Z".to_owned(), damaged_commit),
    ]);
    assert_eq!(aside(&store), expected);
    for name in expected.keys() {
        let mode = fs::metadata(store.root().join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(commit(&store, &[job("f", "1")]), 14, "the store can be used again");
    assert!(store.examine().expect("an examination").is_sound());
    assert!(store.set_aside(noon()).expect("nothing").is_none());
    compact(&store);
    assert_eq!(aside(&store), expected, "no compaction removes what was set aside");
}

#[test]
fn whoever_has_followed_a_damaged_store_has_to_start_again() {
    let (_place, store) = new_store();
    commit(&store, &[job("a", "1")]);
    commit(&store, &[job("b", "1")]);
    let (_, mut follower) = store.read(&[Table::JOBS]).expect("a state");
    let (_, writer) = store.read(&[Table::JOBS]).expect("a state");
    damage_line(&journal(&store), "annotations");
    store.set_aside(noon()).expect("set aside").expect("something");
    let error = follower.changes(&[Table::JOBS], |_| ()).expect_err("another history");
    assert!(error.to_string().contains("run the command again"), "{error:#}");
    let mut locked = store.lock(writer).expect("the lock");
    assert!(locked.catch_up(&[Table::JOBS], |_| ()).is_err(), "nor does a writer go on");
    drop(locked);
    assert_eq!(annotations(&store), ["a 1"]);
}

#[test]
fn a_missing_commit_is_damage_without_a_line() {
    let (_place, store) = new_store();
    commit(&store, &[job("a", "1")]);
    append(&journal(&store), commit_text(4, &[job("b", "1")]).as_bytes());
    assert!(!store.examine().expect("an examination").is_sound());
    let done = store.set_aside(noon()).expect("set aside").expect("something");
    assert_eq!(
        (done.lines.len(), done.gaps.as_slice()),
        (0, [Gap { first: 2, last: 3, lines: 0 }].as_slice())
    );
    assert_eq!((annotations(&store).len(), aside(&store).len()), (2, 0));
    assert!(store.examine().expect("an examination").is_sound());
}

#[test]
fn logs_and_reports_of_pods_outlive_the_commits_that_are_lost() {
    let pod = |name: &str, phase: &str| {
        let object = json!({"metadata": {"name": name, "uid": name}, "status": {"phase": phase}});
        Write::put(Table::PODS, named(name), object.to_string())
    };
    let (_place, store) = new_store();
    commit(&store, &[pod("kept", "Pending"), pod("over", "Succeeded")]);
    commit(&store, &[pod("kept", "Succeeded"), pod("lost", "Running")]);
    for name in ["kept", "over", "lost"] {
        let directory = store.pod_path(name);
        fs::create_dir(&directory).expect("a directory");
        append_new(&directory.join("main.0.log"), name.as_bytes());
        append_new(&directory.join("supervisor.lock"), b"");
        for sequence in [9, 10] {
            append_new(&directory.join(format!("report.{sequence}")), b"{}");
        }
    }
    damage_line(&journal(&store), "Succeeded");
    let done = store.set_aside(noon()).expect("set aside").expect("something");
    let logs = store.root().join("pods.corrupt-20231114T221320Z");
    assert_eq!((done.reports, done.logs), (1, Some((logs.clone(), vec!["lost".to_owned()]))));
    let kept = BTreeMap::from([(logs.join("lost/main.0.log").display().to_string(), b"lost".to_vec())]);
    assert_eq!(contents(&logs), kept);
    assert!(store.pod_path("lost").join("main.0.log").exists(), "and where they were");
    let waiting: Vec<_> = fs::read_dir(store.inbox_path())
        .expect("an inbox")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(waiting, ["kept.10"], "the newest report of the pod that looks unfinished");
    assert!(!store.pod_path("kept").join("report.10").exists(), "moved");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes are damaged: what is set aside and what stands are together all that there was.
    #[test]
    fn no_damage_is_too_much(
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        compacted in any::<bool>(),
    ) {
        let (_place, store) = new_store();
        for number in 0..6 {
            commit(&store, &[job(&format!("j{number}"), "1"), job("always", &number.to_string())]);
        }
        if compacted {
            compact(&store);
            commit(&store, &[job("always", "last")]);
        }
        let directory = store.current_snapshot().expect("a snapshot");
        let files = ["jobs.jsonl", "journal.jsonl"].map(|name| directory.join(name));
        for (place, byte) in bytes {
            let path = &files[usize::from(compacted && byte % 2 == 0)];
            let path = if compacted { path } else { &files[1] };
            let mut content = fs::read(path).expect("a file");
            let at = place.index(content.len());
            content[at] = byte;
            write_atomic(path, &content).expect("a write");
        }
        let before: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap_or_default()).collect();
        let size: usize = before.iter().map(Vec::len).sum();
        let examined = store.examine().expect("an examination");
        let of_records = || examined.files().filter(|file| !file.path.ends_with("sizes.json"));
        let damaged: usize = of_records().flat_map(|file| &file.damage).map(|damage| damage.length).sum();
        let sound: usize = of_records().flat_map(|file| file.sound_parts()).map(|(_, part)| part.len()).sum();
        prop_assert_eq!(size, sound + damaged + examined.torn);
        prop_assert_eq!(examined.is_sound(), everything(&store).is_ok(), "readers and doctor agree");
        let done = store.set_aside(noon()).expect("set aside");
        prop_assert_eq!(done.is_some(), !examined.is_sound());
        let aside: Vec<Vec<u8>> = aside(&store).into_values().collect();
        prop_assert_eq!(aside.iter().map(Vec::len).sum::<usize>(), damaged);
        prop_assert!(store.examine().expect("an examination").is_sound());
        everything(&store).expect("readable");
        commit(&store, &[job("after", "1")]);
    }
}
