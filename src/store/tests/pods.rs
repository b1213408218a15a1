//! Pods' directories: claims, reports, and files that are replaced whole.

use super::*;

fn report(uid: &str, sequence: u64) -> PodReport {
    PodReport {
        namespace: "default".into(),
        name: uid.into(),
        uid: uid.into(),
        sequence,
        last: false,
        status: PodStatus::default(),
        events: Vec::new(),
    }
}

/// A pod's directory, as its supervisor has it.
fn claimed(store: &Store, uid: &str) -> (PodDirectory, ProcessLock) {
    let directory = PodDirectory::new(store.pod_path(uid));
    let lock = directory.claim(None).expect("a claim").expect("the first");
    (directory, lock)
}

#[test]
fn a_last_report_stays_with_its_pod_and_needs_no_inode() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    let (directory, lock) = claimed(&store, "a");
    lock.add_line("17 3 4\n");
    inbox.leave(&report("a", 1), &directory, &lock).expect("a report");
    assert_eq!(inbox.last_report_put_away(&directory), None, "not the last");
    let last = PodReport { last: true, ..report("a", 2) };
    inbox.leave(&last, &directory, &lock).expect("a report");
    let inode = |path: &std::path::Path| fs::symlink_metadata(path).expect("a file").ino();
    for (path, _) in inbox.reports().expect("reports") {
        assert_eq!(inode(&path), inode(&directory.lock_path()));
        inbox.put_away(&path, &store.pods_path());
    }
    assert!(inbox.is_empty().expect("an inbox"));
    assert_eq!(inbox.last_report_put_away(&directory), Some(last));
    assert!(directory.lock_text().starts_with("17 3 4\n"), "what was there stays");
    // What has restarted very often has files for its reports.
    lock.add_line(&"x".repeat(70_000));
    lock.add_line("\n");
    let later = PodReport { last: true, ..report("a", 3) };
    inbox.leave(&later, &directory, &lock).expect("a report");
    inbox.reports().expect("reports").iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert_eq!(inbox.last_report_put_away(&directory), Some(later));
    // A pod whose directory is gone has a last word all the same.
    directory.remove();
    inbox.leave(&report("a", 4), &directory, &lock).expect("a report");
    assert_eq!(inbox.reports().expect("reports").len(), 1);
}

#[test]
fn reports_are_read_in_order_until_they_are_removed() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    assert!(inbox.is_empty().expect("an inbox"));
    let pods = ["a", "b"].map(|uid| (uid, claimed(&store, uid)));
    for (uid, sequence) in [("a", 2), ("b", 1), ("a", 10), ("a", 1)] {
        let (_, (directory, lock)) = pods.iter().find(|(known, _)| *known == uid).expect("claimed");
        inbox.leave(&report(uid, sequence), directory, lock).expect("a report");
    }
    let reports = inbox.reports().expect("reports");
    let of_a: Vec<u64> =
        reports.iter().filter(|(_, report)| report.uid == "a").map(|(_, report)| report.sequence).collect();
    assert_eq!(of_a, [1, 2, 10]);
    assert_eq!(inbox.reports().expect("reports").len(), 4, "they stay");
    reports.iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert!(inbox.is_empty().expect("an inbox"));
}

#[test]
fn a_report_that_cannot_be_read_is_set_aside() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    let (directory, lock) = claimed(&store, "good");
    inbox.leave(&report("good", 1), &directory, &lock).expect("a report");
    append_new(&store.inbox_path().join("torn.1"), b"{\"namespace\":\"def");
    append_new(&store.inbox_path().join("empty.1"), b"");
    fs::create_dir(store.inbox_path().join("directory")).expect("a directory");
    // Being written: not a report yet.
    append_new(&store.inbox_path().join(".later.1.tmp"), b"{");
    let reports = inbox.reports().expect("reports");
    assert_eq!(reports.iter().map(|(_, report)| report.uid.as_str()).collect::<Vec<_>>(), ["good"]);
    reports.iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert!(inbox.is_empty().expect("an inbox"), "nothing is left that would wake a controller for ever");
    let aside = fs::read(store.inbox_path().join(".torn.1.corrupt")).expect("set aside, not lost");
    assert_eq!(aside, b"{\"namespace\":\"def");
}

#[test]
fn write_atomic_replaces_a_file_whole_or_not_at_all() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("file");
    for text in ["one", "", "three"] {
        write_atomic(&file, text.as_bytes()).expect("a write");
        assert_eq!(fs::read_to_string(&file).expect("the file"), text);
    }
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    let error = write_atomic(&place.path().join("no/file"), b"x").expect_err("no directory");
    assert!(format!("{error:#}").contains("no/file"), "{error:#}");
    // A directory cannot be replaced by a file: the rename fails, what is there stays, nothing is left beside.
    fs::create_dir(place.path().join("directory")).expect("a directory");
    write_atomic(&place.path().join("directory"), b"x").expect_err("a directory");
    let mut names: Vec<_> =
        fs::read_dir(place.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["directory", "file"]);
}

#[test]
fn a_pods_directory_is_claimed_once_for_ever() {
    let (_place, store) = new_store();
    let directory = PodDirectory::new(store.pod_path("uid"));
    assert!(!directory.is_claimed());
    let lock = directory.claim(None).expect("a claim").expect("the first claim");
    assert!(directory.is_claimed());
    drop(lock);
    assert!(directory.claim(None).expect("a claim").is_none(), "also after the holder has gone");
    let left = fs::read_dir(store.pod_path("uid")).expect("a directory").count();
    assert_eq!(left, 1, "the lock, nothing else");
    directory.remove();
    assert!(!directory.is_claimed());
}
