//! What a Kubernetes 1.34 API server said, through kubectl, to our own manifests (tests/data/apiserver-answers.json,
//! recorded), and what this binary says to the same command lines: exit code and stderr.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::World;

/// The page that names every difference, and the warnings that are ours.
const PAGE: &str = include_str!("../../docs/compatibility.md");
/// How many worlds share the work.
const WORLDS: usize = 4;

/// The cells of the page's tables that begin after a heading.
fn rows_after(heading: &str) -> Vec<Vec<&'static str>> {
    let section = PAGE.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}")).1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The cases that the page says are answered differently.
fn listed() -> BTreeSet<&'static str> {
    let rows = rows_after("## Where answers differ from a real API server's");
    let cases = rows.into_iter().flat_map(|row| row[0].split(", ").collect::<Vec<_>>());
    cases.filter_map(|case| case.strip_prefix('`')?.strip_suffix('`')).collect()
}

/// What our own warnings say of a field.
fn own_notes() -> BTreeSet<&'static str> {
    let rows = PAGE.lines().filter(|line| line.contains("| warning"));
    rows.filter_map(|row| Some(row.trim_matches('|').rsplit_once('|')?.1.trim())).collect()
}

/// The text without what differs from one day to the next, and without the warnings that are ours.
pub(crate) fn normal(text: &str, notes: &BTreeSet<&str>) -> String {
    let is_ours = |line: &str| {
        let field = line.strip_prefix("Warning: ").and_then(|line| line.split_once(": "));
        // Of what a pod refers to and does not find, no server speaks before it starts.
        let is_missing = line.ends_with(" is not there yet: pods wait for it");
        is_missing || field.is_some_and(|(_, note)| notes.contains(note))
    };
    let kept: String = text.lines().filter(|line| !is_ours(line)).map(|line| format!("{line}\n")).collect();
    let mut normal = String::new();
    let mut rest = kept.replace("kubectl ", "jobctl ");
    // Words of contents, digits and dashes: a uid has four dashes at fixed places.
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        normal.push_str(&rest[..start]);
        let word = &rest[start..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        normal.push_str(if parts == [8, 4, 4, 4, 12] { "UID" } else { word });
        rest = after.to_owned();
    }
    normal + &rest
}

/// A generated name ends in five contents of the server's choice, wherever it stands.
fn without_suffix(text: &str, manifest: &Value) -> String {
    let base = manifest["metadata"]["generateName"].as_str().unwrap_or_default();
    if base.is_empty() {
        return text.to_owned();
    }
    let mut parts = text.split(base);
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let suffix: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
        normal.push_str(base);
        normal.push_str(if suffix.len() == 5 { "XXXXX" } else { &suffix });
        normal.push_str(&part[suffix.len()..]);
    }
    normal
}

/// What differs in a case: nothing, its text, or its verdict too.
fn differences(world: &World, case: &Value, notes: &BTreeSet<&str>) -> Option<String> {
    let mut told = Vec::new();
    let mut verdict = false;
    for step in case["steps"].as_array().expect("steps") {
        let manifest = &step["file"];
        match manifest {
            Value::Null => {}
            Value::String(text) => drop(world.manifest("FILE", text)),
            object => drop(world.manifest("FILE", object.to_string())),
        }
        let words: Vec<String> = serde_json::from_value(step["args"].clone()).expect("words");
        let output = world.command_of(words).run();
        let code = step["code"].as_i64().expect("a code");
        let there = without_suffix(&normal(step["stderr"].as_str().unwrap_or_default(), notes), manifest);
        let here = without_suffix(&normal(&output.stderr, notes), manifest);
        verdict |= (code == 0) != (output.code == 0);
        if there != here || verdict {
            told.push(format!("{}\nthere ({code})\n{there}here ({})\n{here}", step["args"], output.code));
        }
    }
    let what = if verdict { "verdict" } else { "text" };
    (!told.is_empty()).then(|| format!("{} differs in {what}: {}", case["id"], told.join("\n")))
}

#[test]
fn answers_are_those_of_a_real_server_but_for_the_listed() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../data/apiserver-answers.json")).expect("recorded answers");
    assert!(cases.len() > 250, "only {} cases", cases.len());
    let (listed, notes) = (listed(), own_notes());
    assert!(notes.contains("is not given to the pods"), "{notes:?}");
    let found: Vec<(&Value, Option<String>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = cases
            .chunks(cases.len().div_ceil(WORLDS))
            .map(|cases| {
                let notes = &notes;
                scope.spawn(move || {
                    let world = World::without_background();
                    // Nothing is to run: what is said does not depend on it.
                    let _ = world.run("cordon node1").success();
                    cases.iter().map(|case| (case, differences(&world, case, notes))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    let mut wrong = Vec::new();
    for (case, difference) in &found {
        let id = case["id"].as_str().expect("an id");
        match difference {
            Some(difference) if !listed.contains(id) => wrong.push(difference.clone()),
            None if listed.contains(id) => {
                wrong.push(format!("{id} agrees, and docs/compatibility.md says not"));
            }
            _ => {}
        }
    }
    let known: BTreeSet<&str> = cases.iter().filter_map(|case| case["id"].as_str()).collect();
    let unknown: Vec<_> = listed.difference(&known).collect();
    assert!(unknown.is_empty(), "listed, and not recorded: {unknown:?}");
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let count =
        |what: &str| found.iter().flat_map(|(_, found)| found).filter(|told| told.contains(what)).count();
    let (verdicts, texts) = (count(" differs in verdict: "), count(" differs in "));
    assert!(verdicts * 100 <= cases.len() * 2, "{verdicts} verdicts differ: that is more than 2 %");
    assert!(texts * 100 <= cases.len() * 7, "{texts} texts differ: that is more than 7 %");
}
