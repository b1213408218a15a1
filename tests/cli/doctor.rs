//! `doctor`: what it says of healthy and of damaged data directories, and what it sets aside.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::common::{Output, SOON, World, eventually, is_root, job, kill};

/// Every file of the store with its content, and every link with its target.
fn contents(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![world.store()];
    while let Some(path) = left.pop() {
        if path.is_symlink() {
            let target = fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes();
            found.insert(path, target);
        } else if path.is_dir() {
            left.extend(fs::read_dir(&path).expect("a directory").flatten().map(|entry| entry.path()));
        } else {
            let content = fs::read(&path).expect("a file");
            found.insert(path, content);
        }
    }
    found
}

/// What was said, without what differs between machines and runs: numbers of bytes, pids, times, the machine's rows.
fn said(output: &Output) -> String {
    let mut lines = Vec::new();
    for line in output.normal_stdout().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["disk" | "kernel" | "limits", "ok", ..] => {
                let row = format!("{} ok", words[0]);
                if lines.last() != Some(&row) {
                    lines.push(row);
                }
            }
            _ => lines.push(mask(&words.join(" "))),
        }
    }
    lines.join("\n") + "\n"
}

/// Sizes, pids and times as `#`.
fn mask(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, after) in [
        (", ", " bytes"),
        (", ", " KiB"),
        ("(pid ", ")"),
        ("pid ", " is of"),
        ("kill -9 ", ""),
        ("corrupt-", "Z"),
        ("user ", ", mode"),
    ] {
        let Some(start) = line.find(before).map(|at| at + before.len()) else { continue };
        let digits =
            line[start..].bytes().take_while(|byte| byte.is_ascii_digit() || b".T".contains(byte)).count();
        if digits > 0 && line[start + digits..].starts_with(after) {
            line.replace_range(start..start + digits, "#");
        }
    }
    line
}

/// What a whole examination says, with the machine's rows in one line each.
#[track_caller]
fn says(output: &Output, expected: &str) {
    let expected = crate::common::unindent(expected);
    let found = said(output);
    assert!(found == expected, "--- expected\n{expected}--- found\n{found}---");
}

/// A world with three suspended Jobs, each in a commit of its own, and nothing that runs.
pub(crate) fn with_three_jobs() -> World {
    let world = World::new();
    for name in ["one", "two", "three"] {
        let _ = world.apply(&job(name, "suspend: true", "true"));
        world.assert_no_processes_left();
    }
    world
}

pub(crate) fn journal(world: &World) -> PathBuf {
    world.store().join("current/journal.jsonl")
}

/// The lines of a file, with their newlines.
pub(crate) fn lines(path: &Path) -> Vec<Vec<u8>> {
    let content = fs::read(path).expect("the file");
    content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// A commit of the journal.
pub(crate) struct Commit {
    /// The line of its head, from 1.
    pub(crate) line: usize,
    /// The byte at which it starts.
    pub(crate) offset: usize,
    pub(crate) bytes: Vec<u8>,
    /// Its first and its last revision.
    pub(crate) revisions: (u64, u64),
}

impl Commit {
    /// How it stands in the journal with a NUL in its head.
    pub(crate) fn damaged(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[DAMAGED] = b'\0';
        bytes
    }
}

/// Where in its head a commit is damaged: within the name of its first field.
const DAMAGED: usize = 3;

/// The commits of a whole journal.
pub(crate) fn commits(world: &World) -> Vec<Commit> {
    let mut found: Vec<Commit> = Vec::new();
    let mut offset = 0;
    for (number, line) in (1..).zip(lines(&journal(world))) {
        let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        if let Some(first) = value["commit"].as_u64() {
            let revisions = (first, first + value["writes"].as_u64().expect("a number") - 1);
            found.push(Commit { line: number, offset, bytes: Vec::new(), revisions });
        }
        offset += line.len();
        found.last_mut().expect("a commit").bytes.extend(line);
    }
    found
}

/// The commits that put a Job.
fn commits_of(world: &World, name: &str) -> Vec<Commit> {
    let puts = |commit: &Commit| {
        commit.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).any(|line| {
            let value: serde_json::Value = serde_json::from_slice(line).expect("JSON");
            value["put"] == "jobs" && value["name"] == name
        })
    };
    commits(world).into_iter().filter(puts).collect()
}

/// Damages a commit of the journal.
pub(crate) fn damage_commit(world: &World, commit: &Commit) {
    // In place, as a disk would do it: a controller may have the file open.
    let file = fs::OpenOptions::new().write(true).open(journal(world)).expect("the journal");
    file.write_all_at(b"\0", (commit.offset + DAMAGED) as u64).expect("write");
}

/// Makes a byte of a line a NUL; the line as it is now, and the byte at which it starts.
fn damage(path: &Path, line: usize, at: usize) -> (Vec<u8>, usize) {
    let mut all = lines(path);
    all[line][at] = b'\0';
    let offset: usize = all[..line].iter().map(Vec::len).sum();
    let file = fs::OpenOptions::new().write(true).open(path).expect("the file");
    file.write_all_at(b"\0", (offset + at) as u64).expect("write");
    (all.swap_remove(line), offset)
}

/// The start of a commit that a writer could not finish.
pub(crate) fn torn_commit(world: &World) -> Vec<u8> {
    commits(world)[0].bytes[..60].to_vec()
}

/// The one file of that name in the store's directory.
pub(crate) fn aside(world: &World, name: &str) -> PathBuf {
    let entries = fs::read_dir(world.store()).expect("the store").flatten();
    let prefix = format!("{name}.corrupt-");
    let mut found = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)));
    let path = found.next().expect("something was set aside");
    assert_eq!(found.next(), None);
    path
}

fn me() -> u32 {
    nix::unistd::geteuid().as_raw()
}

const HEAD: &str = "CHECK STATE DETAIL\ndirectory ok DATA is yours alone (user #, mode 0700)\nformat ok 2\n";

#[test]
fn where_nothing_has_been_stored_nothing_is_made() {
    let world = World::new();
    world.run("doctor").prints("there is no store in DATA yet\n");
    world.run("doctor --set-aside").prints("there is no store in DATA yet\n");
    assert!(!world.store().exists());
    fs::create_dir(world.store()).expect("a directory");
    world.run("doctor").prints("there is no store in DATA yet\n");
    assert_eq!(fs::read_dir(world.store()).expect("the directory").count(), 0);
}

#[test]
fn a_healthy_store() {
    let world = with_three_jobs();
    let _ = world.apply(&job("done", "", "true"));
    world.wait_for_end("done");
    world.assert_no_processes_left();
    let before = contents(&world);
    let output = world.run("doctor").success();
    let commits = commits(&world).len();
    says(
        &output,
        &format!(
            "{HEAD}\
             permissions ok {} files and directories, all yours alone to write\n\
             snapshot ok DATA/snapshot/0: 0 records in 0 tables, # bytes\n\
             journal ok {commits} commits, # KiB\n\
             disk ok\n\
             controller ok not running, and nothing is left to do\n\
             inbox ok no report waits\n\
             pods ok 1 stored, 0 running\n\
             processes ok none without a supervisor\n\
             kernel ok\n\
             limits ok\n\
             \n\
             nothing is wrong\n",
            files(&world)
        ),
    );
    assert_eq!(output.stderr, "");
    world.run("doctor --set-aside").prints("nothing is damaged: there is nothing to set aside\n");
    assert!(contents(&world) == before, "nothing was changed");
}

#[test]
fn a_store_in_use() {
    let world = World::new();
    let _ = world.apply(&job("long", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let output = world.run("doctor").success();
    let said = said(&output);
    for row in ["controller ok running (pid #)\n", "pods ok 1 stored, 1 running\n", "nothing is wrong\n"] {
        assert!(said.contains(row), "{row}: {said}");
    }
    let _ = world.run("delete job long").success();
}

#[test]
fn jobs_that_take_much_of_the_disk() {
    let world = World::new();
    let _ =
        world.apply(&job("large", "completions: 2", "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99"));
    let _ = world.apply(&job("small", "", "echo hello"));
    world.wait_for_end("large");
    world.wait_for_end("small");
    let _ = world.run("delete pods -l job-name=large").success();
    let output = world.run("doctor").success();
    let row = |row: &str| output.stdout.lines().filter(|line| line.contains(row)).count();
    assert_eq!(row(" MiB in use here: "), 1, "{}", output.stdout);
    assert_eq!((row("job.batch/large -n default: "), row(" MiB, 2 pods")), (1, 1), "{}", output.stdout);
    assert_eq!(row("job.batch/small"), 0, "{}", output.stdout);
}

#[test]
fn a_damaged_commit_in_the_middle_is_shown_and_set_aside() {
    let world = with_three_jobs();
    let two = commits_of(&world, "two");
    // The Job was stored by its verb and again by the controller, if that came to it.
    let commit = &two[0];
    let sound = commits(&world).len() - 1;
    damage_commit(&world, commit);
    let before = contents(&world);
    let (line, offset) = (commit.line, commit.offset);
    let revisions = match commit.revisions {
        (first, last) if first == last => format!("revision {first} is"),
        (first, last) => format!("revisions {first} to {last} are"),
    };
    let error = format!(
        "error: the store is damaged: DATA/snapshot/0/journal.jsonl line {line} (byte {offset}): not the head of a commit; \
         nothing was changed; what can be done: jobctl doctor\n",
    );
    world.run("get jobs").fails_with(&error);
    let output = world.run("doctor").exits(1);
    says(
        &output,
        &format!(
            "{HEAD}\
             permissions ok {} files and directories, all yours alone to write\n\
             snapshot ok DATA/snapshot/0: 0 records in 0 tables, # bytes\n\
             journal damaged {sound} commits, # KiB\n\
             journal damaged DATA/snapshot/0/journal.jsonl line {line} (byte {offset}, # bytes): not the head of a commit\n\
             journal damaged {revisions} not readable\n\
             disk ok\n\
             controller wrong not running; none can start on a damaged store\n\
             inbox ok no report waits\n\
             pods note 0 stored, 0 running; not compared with what lies there, for the store is damaged\n\
             processes ok none without a supervisor\n\
             kernel ok\n\
             limits ok\n\
             \n\
             the store is damaged, and nothing was changed; to set the damaged lines aside, so that everything else can be \
             used: jobctl doctor --set-aside\n",
            files(&world)
        ),
    );
    assert!(contents(&world) == before, "nothing was changed");

    let output = world.run("doctor --set-aside").success();
    assert_eq!(
        fs::read(aside(&world, "journal.jsonl")).expect("the commit"),
        commit.damaged(),
        "byte for byte"
    );
    assert!(output.stdout.contains("  jobs default/two: "), "{}", output.stdout);
    assert!(output.stdout.contains(&format!("{revisions} lost\n")), "{}", output.stdout);
    let names = world.run("get jobs -o name").success();
    let expected: &[&str] = if two.len() > 1 {
        &["job.batch/one", "job.batch/three", "job.batch/two"]
    } else {
        &["job.batch/one", "job.batch/three"]
    };
    assert_eq!(names.lines(), expected);
    let _ = world.apply(&job("four", "", "true"));
    world.wait_for_end("four");
    world.assert_no_processes_left();
    let again = world.run("doctor").success();
    assert!(
        said(&again).contains("set aside note DATA/journal.jsonl.corrupt-#Z, from earlier"),
        "{}",
        again.stdout
    );
    world.run("doctor --set-aside").prints("nothing is damaged: there is nothing to set aside\n");
}

/// How many files and directories the examination looks at, by its own rule.
fn files(world: &World) -> usize {
    let known = ["format", "snapshot", "store.lock", "notifier", "inbox", "controller.lock", "pods", "spare"];
    let direct = known.iter().filter(|name| world.store().join(name).exists()).count();
    let snapshot = fs::canonicalize(world.store().join("current")).expect("the snapshot");
    direct + 1 + fs::read_dir(snapshot).expect("the snapshot").count()
}

/// A world of four Jobs, the first three in a snapshot.
fn with_a_snapshot() -> World {
    let world = World::new();
    for name in ["one", "two", "three"] {
        let _ = world.apply(&job(name, "suspend: true", "true"));
    }
    world.assert_no_processes_left();
    // Jobs with much in them make the journal long enough to be folded when there is nothing else to do.
    for name in ["big", "bigger"] {
        let big = job(name, "suspend: true", &format!("true {}", "x".repeat(700 << 10)));
        let _ = world.command("create -f -").stdin(big).run().success();
    }
    world.assert_no_processes_left();
    let is_folded = || fs::metadata(journal(&world)).is_ok_and(|found| found.len() == 0);
    eventually(SOON, is_folded);
    // A deletion keeps the last object, which makes the journal as long again.
    let _ = world.run("delete job big bigger").success();
    world.assert_no_processes_left();
    eventually(SOON, is_folded);
    let _ = world.apply(&job("four", "suspend: true", "true"));
    world.assert_no_processes_left();
    world
}

#[test]
fn several_damages_in_snapshot_and_journal_with_a_torn_end() {
    let world = with_a_snapshot();
    let snapshot = fs::canonicalize(world.store().join("current")).expect("the snapshot");
    let revision = snapshot.file_name().expect("a name").to_string_lossy().into_owned();
    let jobs = snapshot.join("jobs.jsonl");
    let place = |name: &str| {
        let part = format!("\"name\":\"{name}\",\"object\"");
        lines(&jobs).iter().position(|line| String::from_utf8_lossy(line).contains(&part)).expect("the Job")
    };
    let (one, two) = (place("one"), place("two"));
    // In one a brace of the object, in two the end of the record.
    let brace =
        lines(&jobs)[one].windows(10).position(|bytes| bytes == b"\"object\":{").expect("the object") + 10;
    let (first, first_at) = damage(&jobs, one, brace);
    let (second, second_at) = damage(&jobs, two, lines(&jobs)[two].len() - 2);
    let mut torn = fs::read(journal(&world)).expect("the journal");
    let commits = commits(&world).len();
    torn.extend(torn_commit(&world));
    fs::write(journal(&world), &torn).expect("write");

    let before = contents(&world);
    let shown = said(&world.run("doctor").exits(1));
    for row in [
        format!("snapshot damaged DATA/snapshot/{revision}: "),
        format!(
            "snapshot damaged DATA/snapshot/{revision}/jobs.jsonl line {} (byte {first_at}, # bytes): the checksum does not match\n",
            one + 1
        ),
        format!(
            "snapshot damaged DATA/snapshot/{revision}/jobs.jsonl line {} (byte {second_at}, # bytes): the checksum does not match\n",
            two + 1
        ),
        format!("journal ok {commits} commit, # KiB\n"),
        "journal note an unfinished commit of 60 bytes at the end; harmless: nobody reads it, the next commit takes its place\n"
            .into(),
    ] {
        assert!(shown.contains(&row), "{row}\n{shown}");
    }
    assert!(contents(&world) == before, "nothing was changed");

    let output = world.run("doctor --set-aside").success();
    let mut both = [(one, first), (two, second)];
    both.sort_by_key(|(line, _)| *line);
    let expected = both.map(|(_, line)| line).concat();
    let path = aside(&world, "jobs.jsonl");
    assert_eq!(fs::read(&path).expect("the lines"), expected, "byte for byte");
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    for name in ["one", "two"] {
        assert!(output.stdout.contains(&format!("  jobs default/{name}: lost\n")), "{}", output.stdout);
    }
    assert_eq!(world.run("get jobs -o name").success().lines(), ["job.batch/four", "job.batch/three"]);
    world.assert_no_processes_left();
    let _ = world.run("doctor").success();
}

#[test]
fn a_torn_end_is_harmless() {
    let world = with_three_jobs();
    let mut text = fs::read(journal(&world)).expect("the journal");
    text.extend(torn_commit(&world));
    fs::write(journal(&world), &text).expect("write");
    let shown = said(&world.run("doctor").success());
    assert!(
        shown.contains("journal note an unfinished commit of 60 bytes at the end; harmless: "),
        "{shown}"
    );
    assert!(shown.ends_with("\nnothing is wrong\n"), "{shown}");
    world.run("doctor --set-aside").prints("nothing is damaged: there is nothing to set aside\n");
    assert_eq!(fs::read(journal(&world)).expect("the journal"), text, "nothing was changed");
}

#[test]
fn a_leftover_directory_and_a_stray_process() {
    let world = with_three_jobs();
    let uid = "11111111-2222-3333-4444-555555555555";
    let directory = world.store().join("pods").join(uid);
    fs::create_dir(&directory).expect("a directory");
    fs::write(directory.join("supervisor.lock"), "").expect("write");
    let shown = said(&world.run("doctor").success());
    let row = "pods note left over, for the next controller to start to remove: \
               DATA/pods/00000000-0000-0000-0000-000000000000\n";
    assert!(shown.contains(row), "{shown}");
    assert!(directory.exists());

    let mut stray = std::process::Command::new("sleep")
        .arg("1000")
        .env_clear()
        .env("JOBCTL_POD_UID", uid)
        .current_dir(world.path("work"))
        .spawn()
        .expect("start a process");
    // Until it has become `sleep` it carries our environment.
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let output = world.run("doctor").exits(1);
    let row = format!(
        "processes  wrong  pid {0} is of the pod with uid {uid}, which nobody supervises; to end it: kill -9 {0}\n",
        stray.id()
    );
    let squeezed = |text: &str| -> String {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    };
    assert!(squeezed(&output.stdout).contains(&squeezed(&row)), "{}", output.stdout);
    assert!(output.stdout.ends_with("\n1 thing is wrong\n"), "{}", output.stdout);
    stray.kill().expect("kill");
    stray.wait().expect("wait");
    let _ = world.run("doctor").success();
}

#[test]
fn a_pod_whose_supervisor_is_gone() {
    let world = World::without_background();
    let _ = world.apply(&job("lost", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    for supervisor in world.supervisors() {
        kill(supervisor, Signal::SIGKILL);
    }
    world.assert_no_processes_left();
    let output = world.run("doctor").exits(1);
    let shown = said(&output);
    for row in [
        "controller note not running, as JOBCTL_BACKGROUND=never says; there is work, for instance for: jobctl reconcile\n",
        "pods wrong default/lost-xxxxx: its supervisor is gone without a last report; the next pass takes it as lost, and its \
         Job goes on\n",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    let _ = world.run("delete job lost").success();
    let _ = world.run("reconcile").success();
    world.assert_no_processes_left();
}

#[test]
fn a_controller_that_is_missing() {
    let world = World::new();
    let apply = world.command("apply -f -").env("JOBCTL_BACKGROUND", "never");
    let script = "until test -f go; do sleep 0.01; done";
    let _ = apply.stdin(job("waits", "", script)).run().success();
    eventually(SOON, || world.supervisors().len() == 1);
    let shown = said(&world.run("doctor").exits(1));
    let row = "controller wrong not running, though there is work; the next command starts one, for instance: jobctl get jobs\n";
    assert!(shown.contains(row), "{shown}");
    world.manifest("go", "");
    world.wait_for_end("waits");
}

#[test]
fn permissions_and_owners() {
    let world = with_three_jobs();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    mode(&world.store(), 0o755);
    let shown = said(&world.run("doctor").success());
    assert!(
        shown.contains(
            "directory note DATA is readable by others (mode 0755); to close it: chmod 0700 DATA\n"
        ),
        "{shown}"
    );
    mode(&world.store(), 0o770);
    mode(&journal(&world), 0o622);
    let shown = said(&world.run("doctor").exits(1));
    for row in [
        "directory wrong DATA is writable by others (mode 0770); run: chmod go-w DATA\n",
        "permissions wrong DATA/snapshot/0/journal.jsonl is writable by others (mode 0622); run: chmod go-w \
         DATA/snapshot/0/journal.jsonl\n",
        "2 things are wrong\n",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    damage_commit(&world, &commits(&world)[0]);
    let before = contents(&world);
    world.run("doctor --set-aside").fails_with(
        "error: the data directory DATA is writable by others (mode 0770); run: chmod go-w DATA\n",
    );
    assert!(contents(&world) == before, "nothing was changed");
}

#[test]
fn a_store_of_somebody_else_is_reported_and_not_touched() {
    if !is_root() {
        println!("skipped: only root can give a directory away");
        return;
    }
    let world = with_three_jobs();
    damage_commit(&world, &commits(&world)[0]);
    chown(world.store(), Some(65534), Some(65534)).expect("chown");
    let before = contents(&world);
    says(
        &world.run("doctor").exits(1),
        &format!(
            "CHECK STATE DETAIL\n\
             directory wrong DATA belongs to user 65534, not to you (user {}); nothing in it was looked at\n\
             kernel ok\n\
             limits ok\n\
             \n\
             1 thing is wrong\n",
            me()
        ),
    );
    world.run("doctor --set-aside").fails_with(
        "error: the data directory DATA belongs to user 65534, not to you (user 0); choose another with --data-dir\n",
    );
    assert!(contents(&world) == before, "nothing was changed");
}

#[test]
fn a_store_of_a_newer_version_is_reported_and_not_touched() {
    let world = with_three_jobs();
    damage_commit(&world, &commits(&world)[0]);
    fs::write(world.store().join("format"), "99\n").expect("write");
    let before = contents(&world);
    let shown = said(&world.run("doctor").exits(1));
    let row =
        "format wrong 99, of another version of jobctl; this jobctl knows 2; nothing else was looked at\n";
    assert!(shown.contains(row) && !shown.contains("journal"), "{shown}");
    world.run("doctor --set-aside").fails_with(
        "error: the data directory DATA was written by a newer jobctl (format 99, this one knows 2); use that version, or \
         another directory with --data-dir\n",
    );
    assert!(contents(&world) == before, "nothing was changed");
}

#[test]
fn a_store_without_a_snapshot_in_force() {
    let world = with_three_jobs();
    fs::remove_file(world.store().join("current")).expect("remove");
    let shown = said(&world.run("doctor").exits(1));
    assert!(
        shown.contains("store wrong read DATA/current: No such file or directory (os error 2)\n"),
        "{shown}"
    );
    let error = world.run("doctor --set-aside").failure().normal_stderr();
    assert!(
        error.starts_with("error: there is no snapshot in force, so nothing that could be set aside: "),
        "{error}"
    );
}

#[test]
fn a_pod_whose_end_is_in_a_lost_commit_does_not_run_again() {
    let world = World::new();
    let _ = world.apply(&job("once", "", "echo ran >> ran"));
    world.wait_for_end("once");
    world.assert_no_processes_left();
    // Everything since the Job was created: the pod's end, and that the Job has counted it.
    for commit in &commits(&world)[1..] {
        damage_commit(&world, commit);
    }
    let output = world.run("doctor --set-aside").success();
    assert!(
        output.stdout.contains("1 unfinished pod: what the supervisors had reported last"),
        "{}",
        output.stdout
    );
    world.wait_for_end("once");
    assert_eq!(world.tally("once"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(fs::read_to_string(world.path("work/ran")).expect("it ran"), "ran\n", "once");
    assert_eq!(world.run("get pods -o name").success().lines().len(), 1);
}

#[test]
fn a_running_controller_starts_again_and_pods_go_on() {
    let world = World::new();
    let script = "until test -f go; do sleep 0.01; done";
    let _ = world.apply(&job("runs", "", script));
    let _ = world.apply(&job("paused", "suspend: true", "true"));
    eventually(SOON, || world.supervisors().len() == 1 && world.controller().is_some());
    // The pod's start is committed: nothing else is going to be, so the journal holds still.
    world.wait_for_value("job runs", "{.status.ready}", "1");
    let supervisor = world.supervisors();
    let before = world.controller();
    damage_commit(&world, commits_of(&world, "paused").last().expect("a commit"));
    let output = world.run("doctor --set-aside").success();
    assert!(
        said(&output).contains("the controller (pid #) ends, and another starts with what is there now\n"),
        "{}",
        output.stdout
    );
    eventually(SOON, || world.controller().is_some_and(|pid| Some(pid) != before));
    let _ = world.run("doctor").success();
    assert_eq!(world.supervisors(), supervisor, "it has not been disturbed");
    world.manifest("go", "");
    world.wait_for_end("runs");
    assert_eq!(world.tally("runs"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn the_logs_of_a_pod_whose_object_is_lost_are_kept() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "echo evidence"));
    world.wait_for_end("one");
    world.assert_no_processes_left();
    // All commits but none: the Job and its pod are gone.
    for commit in commits(&world) {
        damage_commit(&world, &commit);
    }
    let output = world.run("doctor --set-aside").success();
    let says = "1 pod without a stored object: what runs of them is stopped by the next controller, their logs are kept in \
                DATA/pods.corrupt-#Z\n";
    assert!(said(&output).contains(says), "{}", output.stdout);
    // A controller starts, clears the pod's directory away and leaves.
    let _ = world.apply(&job("two", "", "true"));
    world.wait_for_end("two");
    world.assert_no_processes_left();
    let kept: Vec<PathBuf> = contents(&world)
        .into_keys()
        .filter(|path| path.display().to_string().contains("pods.corrupt-"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(fs::read_to_string(&kept[0]).expect("the log").contains(" stdout F evidence\n"));
}
