//! What kubectl prints of our own objects, recorded, and what this binary prints of them: the same bytes.
//!
//! `tests/data/parity/objects.json` has objects of every kind, in many states. Recording (`record`, which wants kubectl)
//! hands them to kubectl through a server of our own; replaying stores them. Both are given the same command lines.
//! Times are old enough for ages of two digits, whatever the day.

mod openapi;
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Duration, Utc};
use jobctl::api::events::EventRecord;
use jobctl::api::kinds::{Key, Kind, RESOURCES};
use jobctl::store::{ProcessLock, Store, Table, Write};
use serde_json::{Value, json};

use crate::common::{PATH, World, words};
use server::Served;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read(name: &str) -> Value {
    let path = data(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A world whose store holds objects, and whose working directory has each as a file, such as `Job.done.json`.
fn world() -> World {
    let given = read("parity/objects.json");
    let world = World::without_background();
    let mut writes = Vec::new();
    for object in given["objects"].as_array().expect("objects") {
        let kind = Kind::from_name(object["kind"].as_str().expect("a kind")).expect("a kind of ours");
        let of = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        world.manifest(&format!("{kind}.{}.json", of("name")), object.to_string());
        let key = Key::new(of("namespace"), of("name"));
        writes.push(Write::put(Table::from(kind), key, object.to_string()).numbered(writes.len() as u64));
    }
    let now = Utc::now();
    for event in given["events"].as_array().expect("events") {
        let ago = |field: &str| now - Duration::seconds(event[field].as_i64().expect("seconds"));
        let mut record = event.clone();
        // Of the Events of one object none may begin with another.
        let number = writes.len();
        let stamp = |at: DateTime<Utc>| json!(EventRecord::stamp(at + Duration::nanoseconds(number as i64)));
        record["first"] = stamp(ago("first"));
        record["last"] = stamp(ago("last"));
        let record: EventRecord = serde_json::from_value(record).expect("an Event");
        let key = Key::new(&record.about.namespace, &record.name());
        let text = serde_json::to_string(&record).expect("text");
        writes.push(Write::put(Table::EVENTS, key, text).numbered(number as u64));
    }
    // Nothing is to be started where a command makes a pass.
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node1", "uid": "node1", "creationTimestamp": "2010-01-01T00:00:00Z", "resourceVersion": "0"},
        "spec": {"unschedulable": true}
    });
    writes.push(
        Write::put(Table::NODES, Key::new("", "node1"), node.to_string()).numbered(writes.len() as u64),
    );
    let store = Store::open(&world.store()).expect("a store");
    let (_, tail) = store.read(&[]).expect("an empty store");
    store.lock(tail).expect("a lock").commit(writes).expect("a commit");
    for (name, text) in read("parity/files.json").as_object().expect("files") {
        world.manifest(name, text.as_str().expect("a text"));
    }
    world
}

/// An answer: what was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    line: String,
    code: i64,
    stdout: String,
    stderr: String,
    /// Where kubectl goes through what has no order, as Go does: by chance.
    is_unordered: bool,
}

fn answers(name: &str) -> Vec<Answer> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let answers = read(name);
    let answers = answers.as_array().expect("answers").iter().map(|answer| Answer {
        line: text(&answer[0]),
        code: answer[1].as_i64().unwrap_or_default(),
        stdout: text(&answer[2]),
        stderr: text(&answer[3]),
        is_unordered: answer[4] == "unordered",
    });
    answers.collect()
}

/// Errors as the usual builds of kubectl write them. The one that was asked writes some with a capital, and hands some to its
/// log.
fn stock(text: &str) -> String {
    let line = |line: &str| {
        if let Some(rest) = line.strip_prefix("Error: ") {
            return format!("error: {rest}");
        }
        let logged = line.strip_prefix('E').and_then(|line| line.split_once("] \"command failed\" err="));
        match logged {
            Some((_, quoted)) => {
                let message: String = serde_json::from_str(quoted.trim_end()).expect("a quoted message");
                format!("error: {message}\n")
            }
            None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Text in which ages of the same width are the same, and one name stands for both programs.
fn comparable(text: &str) -> String {
    // A format that newer kubectls have too.
    let text = stock(text).replace("kubectl", "jobctl").replace(",kyaml,", ",");
    let mut comparable = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        let (before, after) = (&rest[..start], &rest[start + digits..]);
        let stands_alone = before.ends_with([' ', '(', '\n']) || before.is_empty();
        let unit = after.chars().next().filter(|unit| "ym".contains(*unit));
        let ends = !after.chars().nth(1).is_some_and(char::is_alphanumeric);
        comparable.push_str(before);
        if digits == 2 && stands_alone && ends && unit.is_some() {
            comparable.push_str("NN");
        } else {
            comparable.push_str(&rest[start..start + digits]);
        }
        rest = after;
    }
    comparable + rest
}

/// The command lines of which a table of the page says that the answer is another.
fn listed(heading: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(data("../../docs/compatibility.md"))
        .expect("the page that names every difference");
    let section = page.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}")).1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut listed = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap_or_default();
        // Between backticks, of which every second pair is a gap.
        listed.extend(cell.split('`').skip(1).step_by(2).map(|line| line.replace("\\|", "|")));
    }
    listed
}

/// Holds that every line is answered as kubectl has answered it, but for those that the page lists.
pub(crate) fn assert_replayed(name: &str, heading: &str, at_least: usize) {
    let answers = answers(name);
    assert!(answers.len() >= at_least, "only {} answers", answers.len());
    let listed = listed(heading);
    let known: BTreeSet<&str> = answers.iter().map(|answer| answer.line.as_str()).collect();
    let unknown: Vec<_> = listed.iter().filter(|line| !known.contains(line.as_str())).collect();
    assert!(unknown.is_empty(), "listed, and not recorded: {unknown:#?}");
    let mut wrong = Vec::new();
    // Who waits brings a controller along, by which the pods of these objects turn out to be gone: there it finds one.
    let (waits, others): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.line.starts_with("wait ") || answer.line.starts_with("rollout "));
    let (world, resting) = (world(), world());
    let lock = Store::trusted(&resting.store()).controller_lock_path();
    let _controller = ProcessLock::try_acquire(&lock).expect("a lock").expect("that nobody has");
    let others = others.into_iter().map(|answer| (&world, answer));
    for (world, answer) in others.chain(waits.into_iter().map(|answer| (&resting, answer))) {
        let output = world.command_of(words(&answer.line)).run();
        let of = |code: i64, stdout: &str, stderr: &str| {
            let of = |text: &str| {
                let text = comparable(text);
                let mut lines: Vec<&str> = text.split('\n').collect();
                if answer.is_unordered {
                    lines.sort_unstable();
                }
                lines.join("\n")
            };
            (code, of(stdout), of(stderr))
        };
        let here = of(i64::from(output.code), &output.stdout, &output.stderr);
        let there = of(answer.code, &answer.stdout, &answer.stderr);
        match (here == there, listed.contains(&answer.line)) {
            (true, true) => wrong.push(format!("{} agrees, and docs/compatibility.md says not", answer.line)),
            (false, false) => wrong.push(difference(&answer.line, &there, &here)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), answers.len(), wrong.join("\n"));
}

fn difference(line: &str, there: &(i64, String, String), here: &(i64, String, String)) -> String {
    let mut told = format!("=== {line}\n");
    if there.0 != here.0 {
        told.push_str(&format!("exit code there {}, here {}\n", there.0, here.0));
    }
    for (there, here) in [(&there.1, &here.1), (&there.2, &here.2)] {
        if there != here {
            let (theirs, ours): (BTreeSet<&str>, BTreeSet<&str>) =
                (there.lines().collect(), here.lines().collect());
            let mut lines: Vec<String> = Vec::new();
            lines.extend(there.lines().filter(|line| !ours.contains(line)).map(|line| format!("- {line}")));
            lines.extend(here.lines().filter(|line| !theirs.contains(line)).map(|line| format!("+ {line}")));
            if lines.is_empty() {
                lines.push("(the same lines in another order, or another end)".to_owned());
            }
            lines.truncate(24);
            told.push_str(&lines.join("\n"));
            told.push('\n');
        }
    }
    told
}

#[test]
fn objects_are_shown_and_changed_as_kubectl_does_it_but_for_the_listed() {
    assert_replayed("parity/answers.json", "## Where what is printed differs from kubectl's", 300);
}

/// Records anew what kubectl answers, in the files that hold the command lines: `cargo test --test cli parity::record --
/// --ignored`. With PARITY_ONLY only those of the lines that begin with it.
#[test]
#[ignore = "wants kubectl, and writes what it says into tests/data"]
fn record() {
    let world = world();
    let mut objects = Vec::new();
    for resource in RESOURCES {
        let output = world.run(&format!("get {} -A -o json", resource.plural)).success();
        let list: Value = serde_json::from_str(&output.stdout).expect("JSON");
        objects.extend(list["items"].as_array().cloned().unwrap_or_default());
    }
    let server = server::serve(Served { objects, documents: openapi::documents() });
    let wanted = std::env::var("PARITY_ONLY").unwrap_or_default();
    for name in ["parity/answers.json", "kubectl-errors.json"] {
        let kept = read(name);
        let recorded: Vec<String> = answers(name)
            .iter()
            .zip(kept.as_array().expect("answers"))
            .map(|(answer, kept)| {
                if !answer.line.starts_with(&wanted) {
                    return kept.to_string();
                }
                let mut command = Command::new("kubectl");
                command.arg(format!("--server={server}")).args(words(&answer.line));
                command.env_clear().env("PATH", PATH).env("HOME", world.path("home"));
                command.current_dir(world.path("work")).stdin(Stdio::null());
                let output = command.output().expect("kubectl");
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
                let code = output.status.code().unwrap_or(-1);
                let mut recorded = vec![json!(answer.line), json!(code), json!(stdout), json!(stderr)];
                recorded.extend(answer.is_unordered.then(|| json!("unordered")));
                Value::Array(recorded).to_string()
            })
            .collect();
        std::fs::write(data(name), format!("[\n{}\n]\n", recorded.join(",\n"))).expect("write");
    }
}
