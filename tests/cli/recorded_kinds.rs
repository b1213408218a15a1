//! What a Kubernetes 1.34 API server and kubectl made of ConfigMaps, Secrets, Services and the like, recorded, and what this
//! binary makes of them: its answers, the objects as they are stored, and what `get` and `describe` print.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::World;
use crate::recorded_answers::normal;

/// The page that names every difference, and the warnings that are ours.
const PAGE: &str = include_str!("../../docs/kinds.md");

/// The cells of the tables that begin after a heading of the page.
fn rows_after(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let section = PAGE.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}")).1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

/// The cases that the page says are different.
fn listed(heading: &str) -> BTreeSet<&'static str> {
    let cases = rows_after(heading).flat_map(|row| row[0].split(", ").collect::<Vec<_>>());
    cases.filter_map(|case| case.strip_prefix('`')?.strip_suffix('`')).collect()
}

fn read(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("recorded cases")
}

fn id(case: &Value) -> &str {
    case["id"].as_str().expect("an id")
}

fn words(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).expect("words")
}

/// `{{x*N}}` stands for N times x.
fn expanded(text: &str) -> String {
    let mut parts = text.split("{{");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inner, rest) = part.split_once("}}").expect("an end");
        let (character, count) = inner.split_once('*').expect("a count");
        whole.push_str(&character.repeat(count.parse().expect("a number")));
        whole.push_str(rest);
    }
    whole
}

/// Holds that the cases which differ are those of a table of the page; returns how many there are.
fn assert_listed(heading: &str, cases: &[Value], differences: &[(String, String)]) -> usize {
    let listed = listed(heading);
    let different: BTreeSet<&str> = differences.iter().map(|(id, _)| id.as_str()).collect();
    let known: BTreeSet<&str> = cases.iter().map(id).collect();
    let unknown: Vec<_> = listed.difference(&known).collect();
    assert!(unknown.is_empty(), "listed, and not recorded: {unknown:?}");
    let agreeing: Vec<_> = listed.difference(&different).collect();
    assert!(agreeing.is_empty(), "these agree, and docs/kinds.md says not: {agreeing:?}");
    let wrong: Vec<&str> = differences
        .iter()
        .filter(|(id, _)| !listed.contains(id.as_str()))
        .map(|(_, told)| told.as_str())
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    different.len()
}

/// Texts without what differs from one day to the next.
fn comparable(text: &str, notes: &BTreeSet<&str>, is_unordered: bool) -> String {
    let text = normal(text, notes);
    if !is_unordered {
        return text;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// What differs in a case, and whether its verdict does.
fn difference(world: &World, case: &Value, notes: &BTreeSet<&str>) -> Option<(String, bool)> {
    let mut told = Vec::new();
    let mut verdict = false;
    let is_unordered = case["unordered"] == true;
    for step in case["steps"].as_array().expect("steps") {
        if step["file"].is_object() {
            world.manifest("FILE", expanded(&step["file"].to_string()));
        }
        let output = world.command_of(words(&step["args"])).run();
        let code = step["code"].as_i64().expect("a code");
        let of = |text: &str| comparable(text, notes, is_unordered);
        let there = of(step["stderr"].as_str().unwrap_or_default());
        let here = of(&output.stderr);
        let stdout = step["stdout"].as_str().map(of);
        let is_other = (code == 0) != (output.code == 0);
        verdict |= is_other;
        if there != here || is_other || stdout.is_some_and(|stdout| stdout != of(&output.stdout)) {
            let Value::Array(args) = &step["args"] else { panic!("no words") };
            told.push(format!(
                "{args:?}\nthere ({code})\n{there}here ({})\n{here}{}",
                output.code, output.stdout
            ));
        }
    }
    (!told.is_empty()).then(|| (format!("{}: {}", case["id"], told.join("\n")), verdict))
}

#[test]
fn answers_about_the_kinds_are_those_of_a_real_server_but_for_the_listed() {
    let recorded: Value =
        serde_json::from_str(include_str!("../data/kinds-answers.json")).expect("recorded answers");
    let cases = recorded["cases"].as_array().expect("cases");
    assert!(cases.len() > 180, "only {} cases", cases.len());
    let notes: BTreeSet<&str> =
        rows_after("# Kinds").filter(|row| row[1] == "warning").map(|row| row[2]).collect();
    assert!(notes.contains("has no effect: pods use the network of this machine"), "{notes:?}");
    let world = World::without_background();
    let _ = world.run("cordon node1").success();
    for (name, text) in recorded["sources"].as_object().expect("sources") {
        world.manifest(name, expanded(text.as_str().expect("a text")));
    }
    for (name, text) in recorded["sources64"].as_object().expect("sources") {
        let bytes: k8s_openapi::ByteString = serde_json::from_value(text.clone()).expect("base64");
        world.manifest(name, bytes.0);
    }
    let mut differences = Vec::new();
    let mut verdicts = 0;
    for case in cases {
        if let Some((told, verdict)) = difference(&world, case, &notes) {
            verdicts += usize::from(verdict);
            differences.push((id(case).to_owned(), told));
        }
    }
    let texts = assert_listed("## Where answers differ", cases, &differences);
    assert!(verdicts * 100 <= cases.len() * 3, "{verdicts} verdicts differ: that is more than 3 %");
    assert!(texts * 100 <= cases.len() * 5, "{texts} texts differ: that is more than 5 %");
}

/// An object without what is written for each anew.
fn settled(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for field in ["uid", "creationTimestamp", "resourceVersion"] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !name.starts_with("jobctl.local/"));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return object };
    let ip = spec.get("clusterIP").cloned().unwrap_or_default();
    if ip.as_str().is_some_and(|ip| ip.starts_with("127.")) {
        assert_eq!(spec["clusterIPs"], json!([ip]));
        spec.insert("clusterIP".into(), json!("CLUSTERIP"));
        spec.insert("clusterIPs".into(), json!(["CLUSTERIP"]));
    }
    object
}

/// Puts the placeholder for a port of the node where the recording has it.
fn with_placeholders(mut object: Value, recorded: &Value) -> Value {
    let picked = |value: &Value| value.as_i64().is_some_and(|port| (30_000..=32_767).contains(&port));
    for place in ["/spec/ports/0/nodePort", "/spec/healthCheckNodePort"] {
        if recorded.pointer(place) == Some(&json!("NODEPORT"))
            && let Some(value) = object.pointer_mut(place).filter(|value| picked(value))
        {
            *value = json!("NODEPORT");
        }
    }
    object
}

#[test]
fn objects_are_stored_as_a_real_server_stores_them_but_for_the_listed() {
    let cases = read(include_str!("../data/kinds-stored.json"));
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let world = World::without_background();
    let mut differences = Vec::new();
    for case in &cases {
        let path = world.manifest("FILE", case["file"].to_string());
        let output = world.run(&format!("create --dry-run=server -o json -f {path}")).success();
        let stored: Value = serde_json::from_str(&output.stdout).expect("JSON");
        let stored = with_placeholders(settled(stored), &case["stored"]);
        if stored != case["stored"] {
            let told = format!("{}\nthere {}\nhere  {stored}", case["id"], case["stored"]);
            differences.push((id(case).to_owned(), told));
        }
    }
    assert_listed("## Where stored forms differ", &cases, &differences);
}

/// Output without what differs from one day to the next. As the width of a column depends on that, two blanks stand for more.
fn plain(text: &str) -> String {
    let is_time = |word: &str| word.len() == 20 && word.ends_with('Z') && word.contains('T');
    let is_age =
        |word: &str| word.len() < 4 && word.strip_suffix('s').is_some_and(|age| age.parse::<u8>().is_ok());
    let mut lines = Vec::new();
    let mut in_annotations = false;
    for line in text.lines() {
        let line = line.trim_end();
        // Annotations of our own are the only ones here.
        let is_own = line.trim_start().starts_with("jobctl.local/");
        if line.starts_with("Annotations:") && line.contains("jobctl.local/") {
            in_annotations = true;
            lines.push("Annotations:  <none>".to_owned());
            continue;
        }
        if in_annotations && is_own {
            continue;
        }
        in_annotations = false;
        let indent = &line[..line.len() - line.trim_start().len()];
        let cells = line.trim_start().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        let cells = cells.map(|cell| match cell {
            age if is_age(age) => "AGE",
            time if is_time(time) => "TIME",
            ip if ip.starts_with("127.") && ip.parse::<std::net::Ipv4Addr>().is_ok() => "CLUSTERIP",
            other => other,
        });
        let mut line = format!("{indent}{}", cells.collect::<Vec<_>>().join("  "));
        for head in ["Created on:", "CreationTimestamp:"] {
            if line.starts_with(head) {
                line = format!("{head}  TIME");
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn objects_are_printed_as_kubectl_prints_them_but_for_the_listed() {
    let cases = read(include_str!("../data/kinds-printed.json"));
    assert!(cases.len() > 15, "only {} cases", cases.len());
    let world = World::without_background();
    let _ = world.run("cordon node1").success();
    let mut differences = Vec::new();
    let mut outputs = 0;
    for case in &cases {
        let path = world.manifest("FILE", case["manifest"].to_string());
        let _ = world.run(&format!("create -f {path}")).success();
        for step in case["after"].as_array().expect("commands") {
            let _ = world.command_of(words(step)).run().success();
        }
        for printed in case["printed"].as_array().expect("outputs") {
            outputs += 1;
            let here = plain(&world.command_of(words(&printed["args"])).run().success().stdout);
            let there = plain(printed["stdout"].as_str().expect("a text"));
            if here != there {
                let told =
                    format!("{} {}\n--- there\n{there}\n--- here\n{here}", case["id"], printed["args"]);
                differences.push((id(case).to_owned(), told));
            }
        }
    }
    assert!(outputs > 70, "only {outputs} outputs");
    assert_listed("## Where what is printed differs", &cases, &differences);
}
