//! What kubectl says to kubeconfigs, good and bad ones, recorded (tests/data/kubeconfigs.json), and what this binary says to
//! them. Nobody listens where they lead.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{PATH, World};

/// A kubeconfig, and what was answered to a line with it.
struct Answer {
    kubeconfig: String,
    line: String,
    code: i64,
    stdout: String,
    stderr: String,
    /// Whether ours is another; docs/compatibility.md says how.
    differs: bool,
}

fn path() -> String {
    format!("{}/tests/data/kubeconfigs.json", env!("CARGO_MANIFEST_DIR"))
}

fn answers() -> Vec<Answer> {
    let text = std::fs::read_to_string(path()).expect("the recorded answers");
    let answers: Vec<Vec<Value>> = serde_json::from_str(&text).expect("a list of answers");
    let words = |value: &Value| value.as_str().expect("text").to_owned();
    let answers = answers.into_iter().map(|answer| Answer {
        kubeconfig: words(&answer[0]),
        line: words(&answer[1]),
        code: answer[2].as_i64().expect("an exit code"),
        stdout: words(&answer[3]),
        stderr: words(&answer[4]),
        differs: answer.len() > 5,
    });
    answers.collect()
}

/// One name stands for both programs; a format that newer kubectls have too does not count.
fn comparable(text: &str) -> String {
    text.replace("kubectl", "jobctl").replace(",kyaml,", ",")
}

#[test]
fn kubeconfigs_are_answered_as_kubectl_answers_them_but_for_the_listed() {
    let answers = answers();
    assert!(answers.len() > 80, "only {} answers", answers.len());
    let world = World::new();
    let work = world.path("work").display().to_string();
    let mut wrong = Vec::new();
    for Answer { kubeconfig, line, code, stdout, stderr, differs } in answers {
        world.manifest("k", &kubeconfig);
        let output = world.run(&format!("--kubeconfig=k {line}"));
        let here = (
            i64::from(output.code),
            comparable(&output.stdout),
            comparable(&output.stderr.replace(&work, "WORK")),
        );
        let there = (code, comparable(&stdout), comparable(&stderr));
        if (here == there) == differs {
            wrong.push(format!("=== {line}\n{kubeconfig}- {there:?}\n+ {here:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What kubectl says on standard error without what it hands to its log: a line each, and the lines that follow one until its
/// end.
pub(crate) fn without_log(said: &str) -> String {
    let mut is_logging = false;
    let said = said.split_inclusive('\n').filter(|line| {
        let begins = line.starts_with('E') && line[1..].starts_with(|c: char| c.is_ascii_digit());
        let is_log = begins || is_logging;
        is_logging = if begins { line.ends_with("=<\n") } else { is_logging && *line != " >\n" };
        !is_log
    });
    said.collect()
}

/// Records anew what kubectl answers: `cargo test --test cli kubeconfigs::record -- --ignored`.
#[test]
#[ignore = "wants kubectl, and writes what it says into tests/data"]
fn record() {
    let world = World::new();
    let work = world.path("work");
    let mut recorded = Vec::new();
    for Answer { kubeconfig, line, differs, .. } in answers() {
        world.manifest("k", &kubeconfig);
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig=k").args(line.split(' ')).stdin(Stdio::null()).current_dir(&work);
        command.env_clear().env("PATH", PATH).env("HOME", world.path("home"));
        let output = command.output().expect("kubectl");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&work.display().to_string(), "WORK");
        let mut answer = vec![
            json!(kubeconfig),
            json!(line),
            json!(output.status.code()),
            json!(text(&output.stdout)),
            json!(without_log(&text(&output.stderr))),
        ];
        answer.extend(differs.then(|| json!("differs")));
        recorded.push(Value::from(answer).to_string());
    }
    std::fs::write(path(), format!("[\n{}\n]\n", recorded.join(",\n"))).expect("write");
}
