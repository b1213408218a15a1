//! What `doctor` makes of what was found: facts -> rows, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::api::CronJob;
use crate::api::meta::{ANNOTATION_EXPECT_EVERY, annotation, name, namespace};
use crate::controller::cronjob::overdue_since;
use crate::kubelet::{Facility, Limits, PodProcess};
use crate::manager::{ControllerCheck, Holder, Pods};
use crate::printers;
use crate::store::{
    Affected, AsideLine, DirectoryCheck, DiskUse, Entry, FORMAT, Fate, Format, Gap, InboxContents,
    RecordsCheck, Space,
};

/// How a thing stands, worse last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// As it should be.
    Good,
    /// Worth knowing, and harmless.
    Note,
    /// Somebody should see to it.
    Wrong,
    /// Records that do not read back.
    Damaged,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) standing: Standing,
    pub(super) detail: String,
}

impl Standing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Wrong => "wrong",
            Self::Damaged => "damaged",
        }
    }
}

fn finding(check: &'static str, standing: Standing, detail: impl Into<String>) -> Finding {
    Finding { check, standing, detail: detail.into() }
}

/// What lies in a data directory and counts; whatever else is there is its owner's affair.
const NAMES: [&str; 8] =
    ["format", "snapshot", "store.lock", "notifier", "inbox", "controller.lock", "pods", "spare"];
/// A pod needs two processes at least, and something is always about to start.
const FEW_THREADS: u64 = 16;
/// A supervisor needs a handful of descriptors, a controller one for each pod that it has found running.
const FEW_FILES: u64 = 64;
/// What a command may have to make before it can say what is wrong.
const FEW_NEW_FILES: u64 = 100;
/// Room for what is written beside the next snapshot.
const SPARE_BYTES: u64 = 1 << 20;
/// What takes less of the disk is not worth a word.
const LARGE: u64 = 1 << 20;
/// As many names as fit into a sentence.
const MOST_NAMES: usize = 5;

/// Whether the data directory may be looked into: it is ours, and of a format that we know.
pub(super) fn may_enter(found: &DirectoryCheck, me: u32) -> bool {
    found.root.is_directory
        && found.root.uid == me
        && matches!(found.format, Format::Known(_) | Format::Missing)
}

/// Whose the data directory is, who may write to it, and what format it has.
pub(super) fn directory(found: &DirectoryCheck, me: u32) -> Vec<Finding> {
    let mut findings = vec![owner(&found.root, me)];
    if !found.root.is_directory || found.root.uid != me {
        return findings;
    }
    findings.push(format(&found.format));
    let ours = |entry: &&Entry| {
        let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
        let is_inside = entry.path.parent() != Some(&found.root.path);
        !entry.is_link && (is_inside || NAMES.contains(&name.as_ref()))
    };
    let looked_at: Vec<&Entry> = found.entries.iter().filter(ours).collect();
    let wrong: Vec<Finding> = looked_at
        .iter()
        .filter_map(|entry| Some(finding("permissions", Standing::Wrong, forbidden(entry, me)?)))
        .collect();
    if wrong.is_empty() {
        let detail = format!("{} files and directories, all yours alone to write", looked_at.len());
        findings.push(finding("permissions", Standing::Good, detail));
    }
    findings.extend(wrong);
    findings.extend(found.set_aside.iter().map(|path| {
        let detail = format!("{}, from earlier; yours to keep or to delete", path.display());
        finding("set aside", Standing::Note, detail)
    }));
    findings
}

fn owner(root: &Entry, me: u32) -> Finding {
    let path = root.path.display();
    let mode = root.mode;
    let (standing, detail) = if !root.is_directory {
        (Standing::Wrong, format!("{path} is not a directory"))
    } else if root.uid != me {
        let detail = format!(
            "{path} belongs to user {}, not to you (user {me}); nothing in it was looked at",
            root.uid
        );
        (Standing::Wrong, detail)
    } else if mode & 0o022 != 0 {
        let detail = format!("{path} is writable by others (mode {mode:04o}); run: chmod go-w {path}");
        (Standing::Wrong, detail)
    } else if mode & 0o055 != 0 {
        let detail =
            format!("{path} is readable by others (mode {mode:04o}); to close it: chmod 0700 {path}");
        (Standing::Note, detail)
    } else {
        (Standing::Good, format!("{path} is yours alone (user {me}, mode {mode:04o})"))
    };
    finding("directory", standing, detail)
}

fn format(format: &Format) -> Finding {
    let unknown = format!("this jobctl knows {FORMAT}; nothing else was looked at");
    let (standing, detail) = match format {
        Format::Known(version) => (Standing::Good, version.to_string()),
        Format::Missing => (Standing::Note, "not written down; the next command does it".into()),
        Format::Other(version) => {
            (Standing::Wrong, format!("{version}, of another version of jobctl; {unknown}"))
        }
        Format::Unreadable(text) => (Standing::Wrong, format!("{text:?} is no version; {unknown}")),
    };
    finding("format", standing, detail)
}

/// What is wrong with a file's owner or bits, and the remedy.
fn forbidden(entry: &Entry, me: u32) -> Option<String> {
    let path = entry.path.display();
    let (needed, contents) = if entry.is_directory { (0o700, "rwx") } else { (0o600, "rw") };
    if entry.uid != me {
        Some(format!("{path} belongs to user {}, not to you (user {me})", entry.uid))
    } else if entry.mode & 0o022 != 0 {
        Some(format!("{path} is writable by others (mode {:04o}); run: chmod go-w {path}", entry.mode))
    } else if entry.mode & needed != needed {
        Some(format!("{path} is closed to you (mode {:04o}); run: chmod u+{contents} {path}", entry.mode))
    } else {
        None
    }
}

/// The snapshot and the journal: what is there, and all that does not read back.
pub(super) fn records(found: &RecordsCheck) -> Vec<Finding> {
    let damaged = |any: bool| if any { Standing::Damaged } else { Standing::Good };
    let tables = || found.tables.iter().map(|(_, file)| file);
    let files = || found.snapshot_files();
    let detail = format!(
        "{}: {} in {}, {}",
        found.snapshot.display(),
        count(tables().map(|file| file.records).sum(), "record"),
        count(found.tables.len(), "table"),
        size(tables().map(|file| file.size() as u64).sum())
    );
    let mut findings =
        vec![finding("snapshot", damaged(files().any(|file| !file.damage.is_empty())), detail)];
    findings.extend(files().flat_map(|file| damaged_lines("snapshot", file)));
    let journal = &found.journal;
    let detail = format!("{}, {}", count(journal.records, "commit"), size(journal.size() as u64));
    let is_damaged = !journal.damage.is_empty() || !found.gaps.is_empty();
    findings.push(finding("journal", damaged(is_damaged), detail));
    findings.extend(damaged_lines("journal", journal));
    findings.extend(found.gaps.iter().map(|gap| {
        let how = if gap.lines == 0 { "not there" } else { "not readable" };
        finding("journal", Standing::Damaged, format!("{} {how}", revisions(gap)))
    }));
    if found.torn > 0 {
        let detail = format!(
            "an unfinished commit of {} bytes at the end; harmless: nobody reads it, the next commit takes its place",
            found.torn
        );
        findings.push(finding("journal", Standing::Note, detail));
    }
    findings
}

fn damaged_lines<'a>(
    check: &'static str,
    file: &'a crate::store::FileCheck,
) -> impl Iterator<Item = Finding> + 'a {
    file.damage.iter().map(move |damage| {
        let detail = format!(
            "{} line {} (byte {}, {} bytes): {}",
            file.path.display(),
            damage.line,
            damage.offset,
            damage.length,
            damage.detail
        );
        finding(check, Standing::Damaged, detail)
    })
}

/// `revision 3 is`, `revisions 3 to 5 are`.
fn revisions(gap: &Gap) -> String {
    if gap.first == gap.last {
        format!("revision {} is", gap.first)
    } else {
        format!("revisions {} to {} are", gap.first, gap.last)
    }
}

/// Whether there is room for what comes: a new snapshot beside the old one above all. `stored` is the store's size in bytes.
pub(super) fn disk(space: &Space, stored: u64) -> Finding {
    let needed = stored + SPARE_BYTES;
    let (standing, detail) = match space.files {
        _ if space.available < needed => {
            let detail =
                format!("only {} free, the next snapshot needs {}", size(space.available), size(needed));
            (Standing::Wrong, detail)
        }
        Some(files) if files < FEW_NEW_FILES => {
            (Standing::Wrong, format!("only {files} more files can be made"))
        }
        _ => (Standing::Good, format!("{} of {} free", size(space.available), size(space.total))),
    };
    finding("disk", standing, detail)
}

/// What the data directory takes of it, and who takes most: what to delete, or to prune, where there is little left.
pub(super) fn disk_use(used: &DiskUse, holders: &[Holder]) -> Vec<Finding> {
    let sum = |all: &[(String, u64)]| size(all.iter().map(|(_, bytes)| bytes).sum());
    let detail = format!(
        "{} in use here: {} by pods, {} by claims",
        size(used.total),
        sum(&used.pods),
        sum(&used.claims)
    );
    let large = holders.iter().filter(|holder| holder.bytes >= LARGE).take(MOST_NAMES);
    let rows = large.map(|holder| {
        let pods = if holder.pods == 0 { String::new() } else { format!(", {}", count(holder.pods, "pod")) };
        let detail = format!("{} -n {}: {}{pods}", holder.title, holder.namespace, size(holder.bytes));
        finding("disk", Standing::Good, detail)
    });
    [finding("disk", Standing::Good, detail)].into_iter().chain(rows).collect()
}

/// Who does the work. `background`: whether a controller may run there.
pub(super) fn controller(found: &ControllerCheck, background: bool) -> Finding {
    let (standing, detail) = match (found.controller, found.has_work) {
        (None, _) if !found.examination.is_sound() => {
            (Standing::Wrong, "not running; none can start on a damaged store".into())
        }
        (Some(pid), true) => (Standing::Good, format!("running (pid {pid})")),
        (Some(pid), false) => (Standing::Good, format!("running (pid {pid}), with nothing left to do")),
        (None, false) => (Standing::Good, "not running, and nothing is left to do".into()),
        (None, true) if background => {
            let detail = "not running, though there is work; the next command starts one, for instance: \
                          jobctl get jobs";
            (Standing::Wrong, detail.into())
        }
        (None, true) => {
            let detail = "not running, as JOBCTL_BACKGROUND=never says; there is work, for instance for: \
                          jobctl reconcile";
            (Standing::Note, detail.into())
        }
    };
    finding("controller", standing, detail)
}

/// A line of the controller's log, where it stands for those who look back.
pub(super) fn controller_log(line: &str) -> Finding {
    finding("controller", Standing::Note, format!("said: {line}"))
}

/// The CronJobs that have not succeeded for as long as they say; nothing where none says how long that may be.
pub(super) fn cron_jobs(all: &[CronJob], now: DateTime<Utc>) -> Vec<Finding> {
    let expecting: Vec<&CronJob> =
        all.iter().filter(|one| annotation(&one.metadata, ANNOTATION_EXPECT_EVERY).is_some()).collect();
    let overdue: Vec<Finding> = expecting
        .iter()
        .filter_map(|one| {
            let since = overdue_since(one, now)?.to_rfc3339_opts(SecondsFormat::Secs, true);
            let every = annotation(&one.metadata, ANNOTATION_EXPECT_EVERY)?;
            let (namespace, name) = (namespace(&one.metadata), name(&one.metadata));
            let detail = format!(
                "{namespace}/{name} has not succeeded for {every}, since {since}; look at: jobctl logs -n {namespace} \
                 cronjob/{name}"
            );
            Some(finding("cronjobs", Standing::Wrong, detail))
        })
        .collect();
    if overdue.is_empty() && !expecting.is_empty() {
        let detail = format!("{} to succeed every so often, none overdue", count(expecting.len(), "CronJob"));
        return vec![finding("cronjobs", Standing::Good, detail)];
    }
    overdue
}

/// The reports that wait. `is_running`: whether a controller is there to take them.
pub(super) fn inbox(found: &InboxContents, is_running: bool) -> Vec<Finding> {
    let reports = found.reports.len();
    let (standing, detail) = match (reports, is_running) {
        (0, _) => (Standing::Good, "no report waits".to_owned()),
        (_, true) => (Standing::Good, format!("{} for the controller", count(reports, "report"))),
        (_, false) => (Standing::Note, format!("{} for the next pass", count(reports, "report"))),
    };
    let mut findings = vec![finding("inbox", standing, detail)];
    findings.extend(found.unreadable.iter().map(|path| {
        let detail = format!("{} is no report; the next pass sets it aside", path.display());
        finding("inbox", Standing::Wrong, detail)
    }));
    findings
}

/// Pods without supervisors, directories without pods. `pods_path` is where the directories are. Where the store is damaged
/// nothing is made of what does not fit: the pods as they are may be in the damaged lines.
pub(super) fn pods(found: &Pods, pods_path: &Path, is_sound: bool) -> Vec<Finding> {
    let detail = format!("{} stored, {} running", found.stored, found.supervised);
    if !is_sound {
        let detail = format!("{detail}; not compared with what lies there, for the store is damaged");
        return vec![finding("pods", Standing::Note, detail)];
    }
    let mut findings = vec![finding("pods", Standing::Good, detail)];
    findings.extend(found.lost.iter().map(|name| {
        let detail = format!(
            "{name}: its supervisor is gone without a last report; the next pass takes it as lost, and its Job goes on"
        );
        finding("pods", Standing::Wrong, detail)
    }));
    let (alive, dead): (BTreeMap<_, _>, BTreeMap<_, _>) =
        found.leftovers.iter().partition(|(_, supervisor)| supervisor.is_some());
    for (uid, supervisor) in alive {
        let detail = format!(
            "{} belongs to no stored pod and its supervisor runs (pid {}); the next controller to start stops it",
            pods_path.join(uid).display(),
            supervisor.unwrap_or_default()
        );
        findings.push(finding("pods", Standing::Note, detail));
    }
    if !dead.is_empty() {
        let names: Vec<String> = dead.keys().map(|uid| pods_path.join(uid).display().to_string()).collect();
        let detail = format!("left over, for the next controller to start to remove: {}", some_of(&names));
        findings.push(finding("pods", Standing::Note, detail));
    }
    findings
}

fn some_of(names: &[String]) -> String {
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}

/// Processes that nobody supervises.
pub(super) fn processes(strays: &[PodProcess]) -> Vec<Finding> {
    if strays.is_empty() {
        return vec![finding("processes", Standing::Good, "none without a supervisor")];
    }
    let row = |stray: &PodProcess| {
        let detail = format!(
            "pid {} is of the pod with uid {}, which nobody supervises; to end it: kill -9 {}",
            stray.pid, stray.pod_uid, stray.pid
        );
        finding("processes", Standing::Wrong, detail)
    };
    strays.iter().map(row).collect()
}

/// What the kernel does not give.
pub(super) fn kernel(facilities: &[Facility]) -> Vec<Finding> {
    let broken: Vec<Finding> = facilities
        .iter()
        .filter_map(|one| {
            let error = one.works.as_ref().err()?;
            let detail = format!("{} does not work ({error}); needed for {}", one.name, one.purpose);
            Some(finding("kernel", Standing::Wrong, detail))
        })
        .collect();
    if !broken.is_empty() {
        return broken;
    }
    let names: Vec<&str> = facilities.iter().map(|one| one.name).collect();
    vec![finding("kernel", Standing::Good, format!("{} work", names.join(", ")))]
}

/// What holds containers to the limits of their manifests. Without control groups most is in force too.
pub(super) fn limiting(by_groups: &[&str]) -> Finding {
    let of = |resource: &str, otherwise: &str| match by_groups.contains(&resource) {
        true => "control groups".to_owned(),
        false => otherwise.to_owned(),
    };
    let memory = of("memory", "looking at it");
    let cpu = of("cpu", "whole processors and niceness");
    finding("limits", Standing::Good, format!("containers are held to memory by {memory}, to CPU by {cpu}"))
}

/// Whether this user may start what pods need.
pub(super) fn limits(found: &Limits) -> Vec<Finding> {
    let threads = match found.most_threads {
        None => format!("{} threads run, no limit", found.threads),
        Some(most) if found.is_root => {
            format!("{} threads run, the limit of {most} does not bind root", found.threads)
        }
        Some(most) => format!("{} threads of at most {most} run (ulimit -u)", found.threads),
    };
    let left = found.most_threads.filter(|_| !found.is_root).map(|most| most.saturating_sub(found.threads));
    let files = match found.most_files {
        None => "no limit on open files".to_owned(),
        Some(most) => format!("{most} open files in one process (ulimit -n)"),
    };
    let standing = |few: bool| if few { Standing::Wrong } else { Standing::Good };
    vec![
        finding("limits", standing(left.is_some_and(|left| left < FEW_THREADS)), threads),
        finding("limits", standing(found.most_files.is_some_and(|most| most < FEW_FILES)), files),
    ]
}

/// The last line: what it all means.
pub(super) fn verdict(findings: &[Finding]) -> String {
    let of = |standing| findings.iter().filter(|finding| finding.standing == standing).count();
    match (of(Standing::Damaged), of(Standing::Wrong)) {
        (0, 0) => "nothing is wrong".into(),
        (0, wrong) => format!("{} wrong", if wrong == 1 { "1 thing is".into() } else { format!("{wrong} things are") }),
        _ => "the store is damaged, and nothing was changed; to set the damaged lines aside, so that everything else can \
              be used: jobctl doctor --set-aside"
            .into(),
    }
}

/// What was set aside, line by line, and what that means to the objects named there.
pub(super) fn set_aside(line: &AsideLine) -> Vec<String> {
    let damage = &line.damage;
    let mut said = vec![
        format!(
            "{} line {} (byte {}, {} bytes): {}",
            line.file.display(),
            damage.line,
            damage.offset,
            damage.length,
            damage.detail
        ),
        format!("  set aside into {}", line.into.display()),
    ];
    if line.objects.is_empty() {
        said.push("  names no object that could be read".into());
    }
    said.extend(line.objects.iter().map(|object| format!("  {}", fate(object))));
    said
}

fn fate(object: &Affected) -> String {
    let became = match object.fate {
        Fate::Unharmed => "unharmed, by a later commit",
        Fate::SetBack => "as it was before that commit",
        Fate::Lost => "lost",
        Fate::Back => "there again, for its deletion is lost",
    };
    format!("{} {}: {became}", object.table.as_str(), object.key)
}

/// The revisions that are gone for good.
pub(super) fn lost_revisions(gap: &Gap) -> String {
    format!("{} lost", revisions(gap))
}

pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Bytes for people: those of a small file are counted.
fn size(bytes: u64) -> String {
    match usize::try_from(bytes) {
        Ok(few) if few < 1024 => count(few, "byte"),
        _ => printers::size::size(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 1000;

    fn entry(path: &str, uid: u32, mode: u32) -> Entry {
        let is_directory = mode & 0o100 != 0;
        Entry { path: path.into(), uid, mode, is_directory, is_link: false }
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|one| format!("{} {}: {}", one.check, one.standing.as_str(), one.detail))
            .collect()
    }

    fn inspection(root: Entry) -> DirectoryCheck {
        DirectoryCheck { root, entries: vec![], format: Format::Known(1), set_aside: vec![] }
    }

    #[test]
    fn a_directory_that_is_ours_alone() {
        let mut found = inspection(entry("/d", ME, 0o700));
        found.entries =
            vec![entry("/d/format", ME, 0o600), entry("/d/pods", ME, 0o700), entry("/d/notes", 7, 0o666)];
        let expected = [
            "directory ok: /d is yours alone (user 1000, mode 0700)",
            "format ok: 1",
            "permissions ok: 2 files and directories, all yours alone to write",
        ];
        assert_eq!(shown(&directory(&found, ME)), expected);
        assert!(may_enter(&found, ME));
    }

    #[test]
    fn a_directory_of_somebody_else_or_open_to_others() {
        for (root, says, enter) in [
            (
                entry("/d", 7, 0o700),
                "directory wrong: /d belongs to user 7, not to you (user 1000); nothing in it was looked at",
                false,
            ),
            (entry("/d", ME, 0o600), "directory wrong: /d is not a directory", false),
            (
                entry("/d", ME, 0o777),
                "directory wrong: /d is writable by others (mode 0777); run: chmod go-w /d",
                true,
            ),
            (
                entry("/d", ME, 0o755),
                "directory note: /d is readable by others (mode 0755); to close it: chmod 0700 /d",
                true,
            ),
        ] {
            let found = inspection(root);
            assert_eq!(shown(&directory(&found, ME))[0], says);
            assert_eq!(may_enter(&found, ME), enter, "{says}");
        }
    }

    #[test]
    fn a_format_that_is_not_ours() {
        for (format, says) in [
            (
                Format::Other(9),
                "format wrong: 9, of another version of jobctl; this jobctl knows 2; nothing else was looked at",
            ),
            (
                Format::Unreadable("x".into()),
                "format wrong: \"x\" is no version; this jobctl knows 2; nothing else was looked at",
            ),
        ] {
            let found = DirectoryCheck { format, ..inspection(entry("/d", ME, 0o700)) };
            assert_eq!(shown(&directory(&found, ME))[1], says);
            assert!(!may_enter(&found, ME));
        }
    }

    #[test]
    fn who_takes_much_of_the_disk_is_named() {
        let used = DiskUse { total: 7 << 20, pods: vec![(String::new(), 5 << 20)], claims: Vec::new() };
        let holder =
            |title: &str, pods, bytes| Holder { title: title.into(), namespace: "ns".into(), pods, bytes };
        let claim = "persistentvolumeclaim/c";
        let holders =
            [holder("job.batch/x", 2, 3 << 20), holder(claim, 0, 1 << 20), holder("pod/p", 1, 4096)];
        let expected = [
            "disk ok: 7.0 MiB in use here: 5.0 MiB by pods, 0 bytes by claims",
            "disk ok: job.batch/x -n ns: 3.0 MiB, 2 pods",
            "disk ok: persistentvolumeclaim/c -n ns: 1.0 MiB",
        ];
        assert_eq!(shown(&disk_use(&used, &holders)), expected);
        let many = vec![holder("job.batch/x", 1, 3 << 20); 9];
        assert_eq!(disk_use(&used, &many).len(), 1 + MOST_NAMES);
    }

    #[test]
    fn files_with_wrong_permissions() {
        let mut found = inspection(entry("/d", ME, 0o700));
        found.entries = vec![
            entry("/d/format", 0, 0o600),
            entry("/d/snapshot/1/journal.jsonl", ME, 0o622),
            entry("/d/notifier", ME, 0o400),
            entry("/d/inbox", ME, 0o500),
            Entry { is_link: true, ..entry("/d/snapshot", ME, 0o777) },
        ];
        let expected = [
            "permissions wrong: /d/format belongs to user 0, not to you (user 1000)",
            "permissions wrong: /d/snapshot/1/journal.jsonl is writable by others (mode 0622); run: chmod go-w \
             /d/snapshot/1/journal.jsonl",
            "permissions wrong: /d/notifier is closed to you (mode 0400); run: chmod u+rw /d/notifier",
            "permissions wrong: /d/inbox is closed to you (mode 0500); run: chmod u+rwx /d/inbox",
        ];
        assert_eq!(shown(&directory(&found, ME))[2..], expected);
    }

    #[test]
    fn little_room() {
        let space = Space { available: 10 << 30, total: 20 << 30, files: Some(1000) };
        assert_eq!(shown(&[disk(&space, 0)]), ["disk ok: 10.0 GiB of 20.0 GiB free"]);
        assert_eq!(disk(&Space { files: None, ..space }, 0).standing, Standing::Good);
        let few = disk(&Space { files: Some(9), ..space }, 0);
        assert_eq!(shown(&[few]), ["disk wrong: only 9 more files can be made"]);
        let full = disk(&Space { available: 2 << 20, ..space }, 3 << 20);
        assert_eq!(shown(&[full]), ["disk wrong: only 2.0 MiB free, the next snapshot needs 4.0 MiB"]);
    }

    #[test]
    fn limits_that_are_near() {
        let limits_of = |threads, most_threads, most_files, is_root| {
            let found = Limits { threads, most_threads, most_files, is_root };
            shown(&limits(&found))
        };
        assert_eq!(
            limits_of(90, Some(100), Some(63), false),
            [
                "limits wrong: 90 threads of at most 100 run (ulimit -u)",
                "limits wrong: 63 open files in one process (ulimit -n)",
            ]
        );
        assert_eq!(
            limits_of(90, Some(100), None, true),
            [
                "limits ok: 90 threads run, the limit of 100 does not bind root",
                "limits ok: no limit on open files"
            ]
        );
        assert_eq!(
            limits_of(200, Some(100), None, false)[0],
            "limits wrong: 200 threads of at most 100 run (ulimit -u)"
        );
    }

    #[test]
    fn a_kernel_that_lacks_something() {
        let facility = |name, works| Facility { name, purpose: "stopping pods", works };
        let all = [facility("a", Ok(())), facility("b", Ok(()))];
        assert_eq!(shown(&kernel(&all)), ["kernel ok: a, b work"]);
        let some = [facility("a", Ok(())), facility("b", Err("ENOSYS".into()))];
        assert_eq!(
            shown(&kernel(&some)),
            ["kernel wrong: b does not work (ENOSYS); needed for stopping pods"]
        );
    }

    #[test]
    fn pods_and_processes_that_do_not_fit_together() {
        let leftovers = (0..7).map(|number| (format!("u{number}"), None)).chain([("v".to_owned(), Some(5))]);
        let found = Pods {
            stored: 3,
            supervised: 1,
            lost: vec!["default/a".into()],
            leftovers: leftovers.collect(),
            strays: vec![PodProcess { pid: 8, pod_uid: "u1".into() }],
        };
        let expected = [
            "pods ok: 3 stored, 1 running",
            "pods wrong: default/a: its supervisor is gone without a last report; the next pass takes it as lost, and its \
             Job goes on",
            "pods note: /p/v belongs to no stored pod and its supervisor runs (pid 5); the next controller to start stops \
             it",
            "pods note: left over, for the next controller to start to remove: /p/u0, /p/u1, /p/u2, /p/u3, /p/u4 and 2 \
             more",
        ];
        assert_eq!(shown(&pods(&found, Path::new("/p"), true)), expected);
        let says =
            "pods note: 3 stored, 1 running; not compared with what lies there, for the store is damaged";
        assert_eq!(shown(&pods(&found, Path::new("/p"), false)), [says]);
        assert_eq!(
            shown(&processes(&found.strays)),
            [
                "processes wrong: pid 8 is of the pod with uid u1, which nobody supervises; to end it: kill -9 8"
            ]
        );
    }

    #[test]
    fn the_verdict_counts_what_is_wrong() {
        let of = |standings: &[Standing]| {
            let findings: Vec<Finding> = standings.iter().map(|one| finding("x", *one, "")).collect();
            verdict(&findings)
        };
        assert_eq!(of(&[Standing::Good, Standing::Note]), "nothing is wrong");
        assert_eq!(of(&[Standing::Wrong]), "1 thing is wrong");
        assert_eq!(of(&[Standing::Wrong, Standing::Wrong]), "2 things are wrong");
        assert!(of(&[Standing::Wrong, Standing::Damaged]).starts_with("the store is damaged"));
    }

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 20, "5.0 MiB"),
            (3 << 40, "3.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
