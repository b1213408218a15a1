//! What a Kubernetes 1.34 API server said, through kubectl, to our own Pods (tests/data/pod-answers.json), and what it
//! stored of them (tests/data/pod-stored.json), against the pure functions of this room. What this machine cannot do yet is
//! no matter here: `compatibility` comes after these.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Value, json};

use super::super::Strategy;
use crate::api::Pod;
use crate::api::decode::strict::{self, Decoded};
use crate::api::decode::{TypeMeta, documents};
use crate::api::kinds::Kind;
use crate::api::meta::name;
use crate::api::priorities::PriorityClasses;
use crate::api::status_error::{FieldError, StatusError};
use crate::registry::json_patch::json_patch;
use crate::registry::merge::{json_merge_patch, strategic_merge_patch};

const ANSWERS: &str = include_str!("../../../../tests/data/pod-answers.json");
const STORED: &str = include_str!("../../../../tests/data/pod-stored.json");
/// The page that names every difference.
const PAGE: &str = include_str!("../../../../docs/compatibility.md");

/// What came of a request: the object, or what kubectl prints; warnings are printed in both cases.
struct Outcome {
    object: Option<Pod>,
    stderr: String,
}

fn refused(text: String) -> Outcome {
    Outcome { object: None, stderr: text + "\n" }
}

fn decided(pod: Pod, mut causes: Vec<FieldError>) -> Outcome {
    let mut seen = Vec::new();
    causes.retain(|cause| {
        let is_new = !seen.contains(cause);
        seen.push(cause.clone());
        is_new
    });
    if causes.is_empty() {
        let stderr = pod.warnings().iter().map(|warning| format!("Warning: {warning}\n")).collect();
        return Outcome { object: Some(pod), stderr };
    }
    let name = name(&pod.metadata).to_owned();
    refused(StatusError::Invalid { kind: Kind::Pod, name, causes }.to_string())
}

/// The object that a manifest holds, or what is said of a field that does not fit.
fn decoded(manifest: &Value) -> Result<Pod, String> {
    let Decoded { object, unknown_fields } =
        strict::from_value::<Pod>(manifest).map_err(|error| error.to_string())?;
    if unknown_fields.is_empty() {
        return Ok(object);
    }
    let problems: Vec<_> = unknown_fields.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    let meta = TypeMeta { api_version: "v1".into(), kind: "Pod".into() };
    Err(strict::strict_decoding_error(&meta, &problems))
}

fn created(manifest: &Value) -> Outcome {
    let mut pod = match decoded(manifest) {
        Ok(pod) => pod,
        Err(problem) => {
            let doing = "Error from server (BadRequest): error when creating \"FILE\"";
            return refused(format!("{doing}: {problem}"));
        }
    };
    pod.metadata.namespace.get_or_insert_with(|| "default".into());
    if pod.metadata.name.is_none() {
        pod.metadata.name = pod.metadata.generate_name.as_ref().map(|base| format!("{base}xxxxx"));
    }
    if let Err(detail) = PriorityClasses::default().admit(pod.spec.get_or_insert_default()) {
        let name = name(&pod.metadata).to_owned();
        let problem = StatusError::Forbidden { kind: Kind::Pod, name, detail };
        return refused(format!("Error from server (Forbidden): error when creating \"FILE\": {problem}"));
    }
    pod.set_defaults();
    pod.prepare_for_create("u-1", DateTime::UNIX_EPOCH);
    let causes = pod.validate();
    pod.canonicalize();
    decided(pod, causes)
}

fn patched(old: &Pod, step: &Value) -> Outcome {
    let (current, patch) = (serde_json::to_value(old).expect("JSON"), &step["patch"]);
    let new = match step["type"].as_str() {
        Some("json") => json_patch(&current, patch),
        Some("merge") => Ok(json_merge_patch(&current, patch)),
        _ => strategic_merge_patch(&current, patch),
    };
    let mut pod = match new.map_err(|problem| problem.to_string()).and_then(|new| decoded(&new)) {
        Ok(pod) => pod,
        Err(problem) => return refused(problem),
    };
    pod.set_defaults();
    pod.prepare_for_update(old);
    let causes = pod.validate_update(old);
    // Of a Pod that is changed a server warns of nothing.
    let Outcome { object, stderr } = decided(pod, causes);
    let stderr = if object.is_some() { String::new() } else { stderr };
    Outcome { object, stderr }
}

/// The manifest of a case: an object, or YAML.
fn manifest(case: &Value) -> Value {
    match &case["manifest"] {
        Value::String(text) => {
            documents(text.as_bytes()).next().expect("a document").expect("good YAML").value
        }
        object => serde_json::from_str(&filled(&object.to_string())).expect("JSON"),
    }
}

/// `{{x*3}}` stands for `xxx`.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{{") else { return text.to_owned() };
    let (what, after) = rest.split_once("}}").expect("its end");
    let (letter, times) = what.split_once('*').expect("a number of times");
    format!("{before}{}{}", letter.repeat(times.parse().expect("a number")), filled(after))
}

/// How an answer differs from the recorded one: in verdict, or else in text.
fn difference(step: &Value, outcome: &Outcome) -> Option<(&'static str, String)> {
    let there = step["stderr"].as_str().unwrap_or_default();
    let is_accepted = step["code"] == 0;
    let what = match outcome.object.is_some() == is_accepted {
        false => "verdict",
        true if there != outcome.stderr => "text",
        true => return None,
    };
    Some((what, format!("there\n{there}\nhere\n{}", outcome.stderr)))
}

/// What differs in a case, with how it does.
fn differences(case: &Value) -> Vec<(&'static str, String)> {
    let outcome = created(&manifest(case));
    let mut found: Vec<_> = difference(case, &outcome).into_iter().collect();
    let Some(mut object) = outcome.object else { return found };
    for step in case["patches"].as_array().into_iter().flatten() {
        let outcome = patched(&object, step);
        found.extend(difference(step, &outcome));
        if let Some(new) = outcome.object {
            let is_changed = new != object;
            if is_changed == (step["unchanged"] == true) {
                found.push(("text", format!("{} changes: {is_changed}", step["patch"])));
            }
            object = new;
        }
    }
    found
}

/// The stored form without what differs each time.
fn stored(case: &Value) -> Value {
    let Some(pod) = created(&manifest(case)).object else { return Value::Null };
    let mut value = serde_json::to_value(pod).expect("JSON");
    let meta = value["metadata"].as_object_mut().expect("metadata");
    meta.remove("uid");
    meta.remove("creationTimestamp");
    if let Some(base) = meta["name"].as_str().and_then(|name| name.strip_suffix("xxxxx")) {
        meta["name"] = format!("{base}XXXXX").into();
    }
    value
}

/// The fields in which two values differ.
fn fields(there: &Value, here: &Value, path: &str, found: &mut Vec<String>) {
    match (there, here) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                fields(&there[name], &here[name], &format!("{path}.{name}"), found);
            }
        }
        _ if there != here => found.push(format!("{path}: there {there}, here {here}")),
        _ => {}
    }
}

/// The cases that the page says are answered differently.
fn listed() -> BTreeSet<&'static str> {
    let section = PAGE.split_once("\n## Where answers about Pods differ").map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let cases = rows.filter_map(|row| row.split('|').next()).flat_map(|cell| cell.trim().split(", "));
    cases.filter_map(|case| case.strip_prefix('`')?.strip_suffix('`')).collect()
}

#[test]
fn pods_are_judged_and_stored_as_by_a_real_server_but_for_the_listed() {
    let cases: Vec<Value> = serde_json::from_str(ANSWERS).expect("recorded answers");
    let forms: Vec<Value> = serde_json::from_str(STORED).expect("recorded objects");
    assert!(cases.len() > 250 && forms.len() > 100, "{} cases, {} forms", cases.len(), forms.len());
    let listed = listed();
    let mut told = Vec::new();
    let (mut wrong_cases, mut wrong_verdicts, mut wrong_texts, mut wrong_forms) = (BTreeSet::new(), 0, 0, 0);
    for case in &cases {
        let id = case["id"].as_str().expect("an id");
        let mut found = differences(case);
        if let Some(form) = forms.iter().find(|form| form["id"] == case["id"]) {
            let mut differing = Vec::new();
            fields(&form["stored"], &stored(case), "", &mut differing);
            if !differing.is_empty() {
                found.push(("stored form", differing.join("\n")));
            }
        }
        let differs_in = |what: &str| usize::from(found.iter().any(|(kind, _)| *kind == what));
        wrong_verdicts += differs_in("verdict");
        wrong_texts += differs_in("text");
        wrong_forms += differs_in("stored form");
        if !found.is_empty() {
            wrong_cases.insert(id);
        }
        match listed.contains(id) {
            false => {
                told.extend(found.iter().map(|(what, how)| format!("{id} differs in its {what}: {how}")));
            }
            true if found.is_empty() => {
                told.push(format!("{id} agrees, and docs/compatibility.md says not"));
            }
            true => {}
        }
    }
    let known: BTreeSet<&str> = cases.iter().filter_map(|case| case["id"].as_str()).collect();
    let unknown: Vec<_> = listed.difference(&known).collect();
    assert!(unknown.is_empty(), "listed, and not recorded: {unknown:?}");
    let figures = json!({
        "cases": cases.len(), "verdicts that differ": wrong_verdicts, "texts": wrong_texts,
        "stored forms": forms.len(), "that differ": wrong_forms,
    });
    println!("{figures}");
    assert!(told.is_empty(), "{figures}\n{}", told.join("\n"));
}

/// What has been stored stands as it is: put in its own place it breaks no rule and changes nothing.
#[test]
fn a_stored_pod_in_its_own_place_changes_nothing() {
    let cases: Vec<Value> = serde_json::from_str(ANSWERS).expect("recorded answers");
    let stored: Vec<Pod> = cases.iter().filter_map(|case| created(&manifest(case)).object).collect();
    assert!(stored.len() > 100, "{}", stored.len());
    for old in stored {
        let value = serde_json::to_value(&old).expect("JSON");
        let mut new = decoded(&value).expect("a Pod");
        assert_eq!(new, old);
        new.set_defaults();
        new.prepare_for_update(&old);
        assert_eq!(new.validate_update(&old), [], "{value}");
        assert_eq!(new, old);
    }
}

/// The places of all values in a document.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{path}/{name}");
        places(child, &place, found);
        found.push(place);
    }
}

/// Whatever stands at a place of a manifest, there is an answer; and what is accepted stands as it is stored.
#[test]
fn no_value_anywhere_is_more_than_refused() {
    let odd = [
        json!(null),
        json!(""),
        json!("é"),
        json!("../x"),
        json!(-1),
        json!(4_294_967_296_i64),
        json!({}),
        json!([]),
        json!([{}]),
    ];
    let cases: Vec<Value> = serde_json::from_str(ANSWERS).expect("recorded answers");
    let (mut tried, mut accepted) = (0, 0);
    for case in cases.iter().filter(|case| case["id"] != "annotations-big") {
        let good = manifest(case);
        let mut found = Vec::new();
        places(&good["spec"], "/spec", &mut found);
        for place in found {
            for value in &odd {
                let mut changed = good.clone();
                *changed.pointer_mut(&place).expect("a place") = value.clone();
                tried += 1;
                let Some(old) = created(&changed).object else { continue };
                accepted += 1;
                let mut new = decoded(&serde_json::to_value(&old).expect("JSON")).expect("a Pod");
                new.set_defaults();
                new.prepare_for_update(&old);
                assert_eq!(new.validate_update(&old), [], "{place} as {value} in {}", case["id"]);
                assert_eq!(new, old, "{place} as {value} in {}", case["id"]);
            }
        }
    }
    assert!(tried > 10_000 && accepted > 1_000, "{tried} tried, {accepted} accepted");
}
