//! Which rights verbs need of a cluster: no more than kubectl. Whatever else is asked is refused with 403.

use std::sync::{Arc, Mutex};

use crate::bad_way::{Fault, Heard};
use crate::common::{World, job};
use crate::remote_answers::Trial;

/// What RBAC calls a request: `get jobs`, `list pods`, `get pods/log`; nothing of what everybody may ask.
fn right(heard: &Heard) -> Option<String> {
    let path = heard.path.split('?').next().unwrap_or_default();
    let rest = match path.strip_prefix("/api/v1/") {
        Some(rest) => rest,
        None => path.strip_prefix("/apis/")?.splitn(3, '/').nth(2)?,
    };
    let mut words: Vec<&str> = rest.split('/').collect();
    if words.len() > 2 && words[0] == "namespaces" {
        words.drain(..2);
    }
    let resource =
        words.first()?.to_string() + &words.get(2).map_or_else(String::new, |sub| format!("/{sub}"));
    let verb = match heard.method.as_str() {
        "GET" if heard.is_watch() => "watch",
        "GET" if words.len() > 1 => "get",
        "GET" => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        _ => "delete",
    };
    Some(format!("{verb} {resource}"))
}

/// Puts what each line is about into the server's world.
fn prepare(there: &World, line: &str) {
    let job = job("a", "suspend: true", "true");
    if line.contains("new") {
        let _ = there.run("delete job new --ignore-not-found").success();
    } else if line.contains("cronjob") {
        let _ = there.run("delete job made --ignore-not-found").success();
    } else {
        let _ = there.run("delete job a --ignore-not-found").success();
        let _ = there.apply(&job).success();
    }
}

#[test]
fn verbs_need_no_more_rights_than_kubectl() {
    let allowed = Arc::new(Mutex::new(Vec::<&str>::new()));
    let rights = allowed.clone();
    let trial = Trial::new(move |heard| match right(heard) {
        Some(right) if !rights.lock().expect("the rights").contains(&right.as_str()) => {
            Fault::status(403, "Forbidden", "")
        }
        _ => Fault::None,
    });
    let _ = trial.there.run("create cronjob often --image=x --schedule=@yearly -- true").success();
    let _ = trial.there.run_to_end("done", &job("done", "", "echo here"));
    let pod =
        trial.there.run("get pods -l job-name=done -o jsonpath={.items[0].metadata.name}").success().stdout;
    let _ = trial.here.manifest("a.yaml", job("a", "suspend: true", "true"));
    let _ = trial.here.manifest("new.yaml", job("new", "suspend: true", "true"));
    let logs_of_pod = format!("logs {pod}");
    // The last word says whether kubectl has the line.
    let lines: [(&str, &[&str], bool); 23] = [
        ("get jobs", &["list jobs"], false),
        ("get job a -o name", &["get jobs"], true),
        ("delete job a", &["delete jobs"], true),
        ("delete job nothing", &["delete jobs"], true),
        ("delete job nothing --ignore-not-found", &["delete jobs"], true),
        ("delete -f a.yaml", &["delete jobs"], true),
        ("delete -f a.yaml", &["delete jobs", "get jobs"], true),
        ("delete jobs -l a=b", &["delete jobs", "list jobs"], true),
        ("create -f new.yaml", &["create jobs"], true),
        ("apply -f new.yaml", &["get jobs", "create jobs"], true),
        ("apply -f a.yaml", &["get jobs", "patch jobs"], true),
        ("apply --server-side -f new.yaml", &["patch jobs"], true),
        ("patch job a -p \"spec: {parallelism: 2}\"", &["get jobs", "patch jobs"], true),
        ("label job a b=c --overwrite", &["get jobs", "patch jobs"], true),
        ("annotate job a b=c --overwrite", &["get jobs", "patch jobs"], true),
        ("create job made --from=cronjob/often", &["get cronjobs", "create jobs"], true),
        (
            "wait --for=condition=Suspended job/a --timeout=20s",
            &["get jobs", "list jobs", "watch jobs"],
            true,
        ),
        (logs_of_pod.as_str(), &["get pods", "get pods/log"], true),
        ("logs job/done", &["get jobs", "list pods", "get pods/log"], true),
        ("suspend job/a", &["get jobs", "patch jobs"], false),
        ("rerun job/done", &["get jobs", "create jobs", "delete jobs"], false),
        ("describe job a", &["get jobs"], false),
        ("get job a -o name", &[], true),
    ];
    let mut wrong = Vec::new();
    for (line, rights, has_kubectl) in lines {
        prepare(&trial.there, line);
        *allowed.lock().expect("the rights") = rights.to_vec();
        let from = trial.way.heard().len();
        let ours = trial.run(line);
        let asked: Vec<String> = trial.way.heard()[from..].iter().filter_map(right).collect();
        let should_fail = rights.is_empty() || (line == "delete job nothing");
        if (ours.2 == 0) == should_fail
            || rights.iter().all(|right| !asked.iter().any(|asked| asked == right)) != rights.is_empty()
        {
            wrong.push(format!("{line}: {ours:?}: {asked:?}"));
        }
        if !has_kubectl {
            continue;
        }
        prepare(&trial.there, line);
        let Some(theirs) = trial.kubectl(line) else { continue };
        if theirs != ours {
            wrong.push(format!("{line}\n  kubectl: {theirs:?}\n  jobctl:  {ours:?}: {asked:?}"));
        }
    }
    *allowed.lock().expect("the rights") =
        vec!["get jobs", "update jobs", "get configmaps", "update configmaps"];
    let _ = trial.there.run("create configmap c --from-literal=a=1").success();
    let _ = trial
        .here
        .manifest("c.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: \"2\"}}");
    let replaced = trial.run("replace -f c.yaml");
    assert_eq!(replaced, ("configmap/c replaced\n".to_owned(), String::new(), 0));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where a namespace is missing, that is what is said.
#[test]
fn a_namespace_that_is_missing_is_told_as_by_kubectl() {
    let trial = Trial::new(|_| Fault::None);
    let _ = trial.here.manifest("a.yaml", job("a", "suspend: true", "true"));
    let _ = trial.there.run("create namespace there").success();
    let mut wrong = Vec::new();
    for line in [
        "get job a",
        "get job a --ignore-not-found",
        "get job a b -o name",
        "get jobs -o name",
        "get -f a.yaml",
        "describe job a",
        "label job a b=c",
        "annotate job a b=c",
        "patch job a -p {}",
        "set image job/a main=b",
        "delete job a",
        "delete -f a.yaml",
        "delete jobs --all",
        "create -f a.yaml",
        "apply -f a.yaml",
        "apply --server-side -f a.yaml",
        "replace -f a.yaml",
        "create job b --image=c",
        "create job b --from=cronjob/c",
        "wait --for=condition=complete job/a --timeout=1s",
        "wait --for=delete job/a --timeout=1s",
        "logs a",
        "logs job/a",
        "rollout status sts/a",
        "edit job a",
    ] {
        for namespace in ["nowhere", "there", "default"] {
            if namespace != "nowhere" && (line.starts_with("create") || line.starts_with("apply")) {
                continue;
            }
            let line = format!("{line} -n {namespace}");
            let (ours, Some(theirs)) = (trial.run(&line), trial.kubectl(&line)) else { continue };
            if ours != theirs {
                wrong.push(format!("{line}\n  kubectl: {theirs:?}\n  jobctl:  {ours:?}"));
            }
        }
    }
    let (_, said, _) = trial.run("get job a -n nowhere");
    assert_eq!(said, "Error from server (NotFound): namespaces \"nowhere\" not found\n");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
