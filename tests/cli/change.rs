//! patch, label, annotate, suspend, resume, rerun and the node's verbs: texts, exit codes and what they leave behind.

use serde_json::{Value, json};

use crate::common::{SOON, World, eventually, job};

fn sleeping(world: &World, spec: &str) {
    let _ = world.apply(&job("x", spec, "test -f go || exec sleep 1000"));
    eventually(SOON, || {
        world.value("job x", "{.status.ready}") == world.value("job x", "{.spec.parallelism}")
    });
}

#[test]
fn labels_are_set_removed_and_listed_in_kubectls_words() {
    let world = World::new();
    let _ = world.apply(&job("x", "suspend: true", "true"));
    let _ = world.run("label job x app=one").success();
    for (line, code, stdout, stderr) in [
        ("label job x a=b", 0, "job.batch/x labeled\n", ""),
        ("label job/x a=b", 0, "job.batch/x not labeled\n", ""),
        ("label job x a=c", 1, "", "error: 'a' already has a value (b), and --overwrite is false\n"),
        ("label job x a=c --overwrite", 0, "job.batch/x labeled\n", ""),
        ("label jobs -l app=one a-", 0, "job.batch/x unlabeled\n", ""),
        ("label job x nope-", 0, "label \"nope\" not found.\njob.batch/x not labeled\n", ""),
        ("label job x", 1, "", "error: at least one label update is required\n"),
        ("label job x a=b=c", 1, "", "error: invalid label spec: a=b=c\n"),
        ("label job x a=b a-", 1, "", "error: can not both modify and remove a label in the same command\n"),
        ("label job y a=b", 1, "", "Error from server (NotFound): jobs.batch \"y\" not found\n"),
        ("label job x b=1 --dry-run=server", 0, "job.batch/x labeled (server dry run)\n", ""),
        ("label job x b=1 -o name", 0, "job.batch/x\n", ""),
        ("label job x b=2 --overwrite -o jsonpath={.metadata.labels.b}", 0, "2", ""),
        (
            "label job x c=1 --resource-version=1",
            1,
            "",
            "Error from server (Conflict): Operation cannot be fulfilled on jobs.batch \"x\": the object has been \
             modified; please apply your changes to the latest version and try again\n",
        ),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
    let listed = world.run("label job x --list").success();
    assert!(listed.lines().contains(&"app=one") && listed.lines().contains(&"b=2"), "{}", listed.stdout);
    let output = world.run("label job x 'a=not good'").failure();
    assert!(output.stderr.starts_with("error: invalid label value: "), "{}", output.stderr);
}

#[test]
fn annotations_are_always_annotated() {
    let world = World::new();
    let _ = world.apply(&job("x", "suspend: true", "true"));
    let clash = "error: --overwrite is false but found the following declared annotation(s): 'n' already has a value \
                 (v)\n";
    for (line, code, stdout, stderr) in [
        ("annotate job x n=v", 0, "job.batch/x annotated\n", ""),
        ("annotate job x n=v", 0, "job.batch/x annotated\n", ""),
        ("annotate job x n=w", 1, "", clash),
        ("annotate job x 'n=w = z' --overwrite", 0, "job.batch/x annotated\n", ""),
        ("annotate job x n- nope-", 0, "job.batch/x annotated\n", ""),
        ("annotate job x", 1, "", "error: at least one annotation update is required\n"),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
    assert_eq!(world.value("job x", "{.metadata.annotations.n}"), "");
}

#[test]
fn every_recorded_text_reads_and_writes_as_kubectls() {
    let world = World::new();
    let read: Value = serde_json::from_str(include_str!("../data/yaml-read.json")).expect("recorded answers");
    let mut seen = 0;
    for row in read["rows"].as_array().expect("rows") {
        let path = world.manifest("f.yaml", row["yaml"].as_str().expect("yaml"));
        let output = world.run(&format!("label --local -f {path} a=b -o json"));
        if row["value"].is_null() || output.code != 0 {
            // Refused here and there; a key that is there twice only here.
            assert!(
                row.get("value").is_none() || output.stderr.contains("already"),
                "{row}: {}",
                output.stderr
            );
            continue;
        }
        let object: Value = serde_json::from_str(&output.stdout).expect("JSON");
        assert_eq!(object["spec"], row["value"], "{}", row["name"]);
        assert_eq!(object["metadata"]["labels"]["a"], "b");
        seen += 1;
    }
    assert!(seen > 50, "{seen} rows read");
    let written: Value =
        serde_json::from_str(include_str!("../data/yaml-write.json")).expect("recorded output");
    for row in written["rows"].as_array().expect("rows") {
        let path = world.manifest("f.json", row["object"].to_string());
        let expected = row["yaml"].as_str().expect("yaml");
        let output = world.run(&format!("label --local -f {path} a=b -o yaml")).success();
        assert_eq!(output.stdout, expected);
    }
    let path = world.manifest("f.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n");
    world.run(&format!("label --local -f {path} a=b")).prints("deployment.apps/d labeled\n");
}

#[test]
fn patches_of_three_kinds() {
    let world = World::new();
    let _ = world.apply(&job("x", "suspend: true\ncompletions: 3", "true"));
    world.manifest("patch.yaml", "spec:\n  parallelism: 3\n");
    for (line, code, stdout, stderr) in [
        ("patch job x -p '{\"spec\":{\"parallelism\":2}}'", 0, "job.batch/x patched\n", ""),
        ("patch job x -p 'spec: {parallelism: 2}'", 0, "job.batch/x patched (no change)\n", ""),
        ("patch job/x --patch-file=patch.yaml", 0, "job.batch/x patched\n", ""),
        (
            "patch job x --type=merge -p '{\"metadata\":{\"labels\":{\"k\":\"v\"}}}'",
            0,
            "job.batch/x patched\n",
            "",
        ),
        (
            "patch job x --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/parallelism\",\"value\":1}]'",
            0,
            "job.batch/x patched\n",
            "",
        ),
        (
            "patch job x",
            1,
            "",
            "error: must specify --patch or --patch-file containing the contents of the patch\n",
        ),
        ("patch job x -p 7", 1, "", "error: invalid JSON document\n"),
        (
            "patch job x --type=json -p '{}'",
            1,
            "",
            "error: json: cannot unmarshal object into Go value of type jsonpatch.Patch\n",
        ),
        (
            "patch job x -p '{\"spec\":{\"completions\":5}}'",
            1,
            "",
            "The Job \"x\" is invalid: spec.completions: Invalid value: 5: field is immutable\n",
        ),
        (
            "patch job x -p '{\"spec\":{\"parallel\":5},\"status\":{\"succeeded\":9}}'",
            0,
            "job.batch/x patched (no change)\n",
            "Warning: unknown field \"spec.parallel\"\n",
        ),
        ("patch job y -p '{}'", 1, "", "Error from server (NotFound): jobs.batch \"y\" not found\n"),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
    assert_eq!(world.value("job x", "'{.spec.parallelism} {.metadata.labels.k}'"), "1 v");
}

#[test]
fn case_25_the_status_is_a_subresource() {
    let world = World::new();
    let _ = world.apply(&job("x", "suspend: true", "true"));
    let patch = "{\"spec\":{\"parallelism\":7},\"status\":{\"conditions\":[{\"type\":\"CustomConditionType\",\"status\":\"True\"}]}}";
    world
        .run(&format!("patch job x --subresource=status --type=merge -p '{patch}'"))
        .prints("job.batch/x patched\n");
    // The controller says again what it knows itself.
    eventually(SOON, || {
        let found = world.value("job x", "'{.status.conditions[*].type} {.spec.parallelism}'");
        found == "CustomConditionType Suspended 1"
    });
    // Without the subresource the status is the controllers' alone.
    let patch = "{\"status\":{\"succeeded\":9}}";
    let _ = world.run(&format!("patch job x --type=merge -p '{patch}'")).success();
    assert_eq!(world.value("job x", "{.status.succeeded}"), "");
}

#[test]
fn case_22_a_pod_without_owner_is_adopted_and_one_without_labels_released() {
    let world = World::new();
    sleeping(&world, "parallelism: 1");
    let pod = world.value("pods", "'{.items[0].metadata.name}'");
    let owner = |pod: &str| world.value(&format!("pod {pod}"), "'{.metadata.ownerReferences[*].name}'");
    let patch = "[{\"op\":\"remove\",\"path\":\"/metadata/ownerReferences\"}]";
    let _ = world.run(&format!("patch pod {pod} --type=json -p '{patch}'")).success();
    eventually(SOON, || owner(&pod) == "x");
    let labels =
        "batch.kubernetes.io/controller-uid- batch.kubernetes.io/job-name- controller-uid- job-name-";
    let unlabeled = world.run(&format!("label pod {pod} {labels}")).success();
    assert_eq!(unlabeled.stdout, format!("pod/{pod} unlabeled\n"));
    eventually(SOON, || owner(&pod).is_empty());
    eventually(SOON, || world.run("get pods --no-headers").stdout.lines().count() == 2);
    let _ = world.run("delete job x").success();
    let _ = world.run(&format!("delete pod {pod} --now")).success();
}

#[test]
fn case_26_the_life_of_a_job_through_the_api() {
    let world = World::new();
    let manifest = job("x", "suspend: true\nparallelism: 2\ncompletions: 2", "true")
        .replace("metadata:\n  name: x\n", "metadata:\n  name: x\n  labels: {e2e: life}\n");
    let _ = world.apply(&manifest);
    let _ = world.run("label job x stage=patched").success();
    let patch = "{\"metadata\":{\"annotations\":{\"updated\":\"true\"}},\"spec\":{\"suspend\":false}}";
    let _ = world.run(&format!("patch job x --type=merge -p '{patch}'")).success();
    let listed = world.run("get jobs -A -l stage=patched -o name").success();
    assert_eq!(listed.stdout, "job.batch/x\n");
    world.wait_for_end("x");
    world.run("delete jobs -l e2e=life").prints("job.batch \"x\" deleted\n");
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn a_job_is_suspended_and_resumed() {
    let world = World::new();
    sleeping(&world, "parallelism: 2\ncompletions: 2");
    world.run("suspend job/x").prints("job.batch/x suspended\n");
    world.run("suspend job/x").prints("job.batch/x already suspended\n");
    eventually(SOON, || world.processes_named("sleep").is_empty());
    world.manifest("go", "");
    world.run("resume job x").prints("job.batch/x resumed\n");
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "2/ Suspended SuccessCriteriaMet Complete");
    let pod = world.value("pods", "'{.items[0].metadata.name}'");
    world.run(&format!("suspend pod {pod}")).is(
        1,
        "",
        "error: cannot suspend pods: only Jobs and CronJobs can be suspended\n",
    );
}

#[test]
fn a_job_that_has_ended_runs_once_more() {
    let world = World::new();
    let _ = world.apply(&job("x", "backoffLimit: 0", "echo run >> runs; test -f good"));
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "/1 FailureTarget Failed");
    let uid = world.value("job x", "{.metadata.uid}");
    world.manifest("good", "");
    world.run("rerun job/x").prints("job.batch/x rerun\n");
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "1/ SuccessCriteriaMet Complete");
    assert_ne!(world.value("job x", "{.metadata.uid}"), uid);
    assert_eq!(world.run("get pods --no-headers").success().lines().len(), 1, "the old run's pod is gone");
    assert_eq!(std::fs::read_to_string(world.path("work/runs")).expect("runs"), "run\nrun\n");
}

#[test]
fn of_an_indexed_job_only_what_has_not_completed_runs_again() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 4\nparallelism: 4\nbackoffLimitPerIndex: 0";
    let script = "echo $JOB_COMPLETION_INDEX >> ran; test -f good || exit $(expr $JOB_COMPLETION_INDEX % 2)";
    let _ = world.apply(&job("x", spec, script));
    world.run("rerun job/y").is(1, "", "Error from server (NotFound): jobs.batch \"y\" not found\n");
    world.wait_for_end("x");
    world.manifest("good", "");
    world.run("rerun job/x --failed-indexes").prints("job.batch/x rerun\n");
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "4/ SuccessCriteriaMet Complete");
    let mut ran: Vec<String> =
        std::fs::read_to_string(world.path("work/ran")).expect("ran").lines().map(str::to_owned).collect();
    ran.sort_unstable();
    assert_eq!(ran, ["0", "1", "1", "2", "3", "3"]);
    let output = world.run("rerun job/x --failed-indexes").failure();
    assert_eq!(output.stderr, "error: --failed-indexes: every index of job \"x\" has completed\n");
}

#[test]
fn a_running_job_is_rerun_only_by_force() {
    let world = World::new();
    sleeping(&world, "parallelism: 1");
    let output = world.run("rerun job/x").failure();
    assert!(output.stderr.starts_with("error: job \"x\" has not ended yet"), "{}", output.stderr);
    world.manifest("go", "");
    world.run("rerun job/x --force").prints("job.batch/x rerun\n");
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn the_node_is_this_machine() {
    let world = World::new();
    let name = world.value("nodes", "{.items[0].metadata.name}");
    assert_eq!(world.run("get nodes -o name").success().stdout, format!("node/{name}\n"));
    let table = world.run("get no").success();
    assert!(table.lines()[1].starts_with(&format!("{name} ")) && table.lines()[1].contains(" Ready "));
    for (line, said) in [
        (format!("cordon {name}"), "cordoned"),
        (format!("cordon node/{name}"), "already cordoned"),
        (format!("uncordon {name}"), "uncordoned"),
        (format!("uncordon {name}"), "already uncordoned"),
        (format!("label node {name} disk=ssd"), "labeled"),
    ] {
        world.run(&line).prints(&format!("node/{name} {said}\n"));
    }
    assert_eq!(world.run("get nodes -l disk=ssd -o name").success().stdout, format!("node/{name}\n"));
    world.run("cordon nowhere").is(1, "", "Error from server (NotFound): nodes \"nowhere\" not found\n");
    let output = world.run(&format!("delete node {name}")).failure();
    assert!(output.stderr.contains("it cannot be deleted"), "{}", output.stderr);
}

#[test]
fn a_pod_that_nobody_would_make_again_is_not_drained_without_force() {
    let world = World::new();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: bare}\nspec:\n  containers: [{name: main, command: [sleep, '1000']}]\n";
    let _ = world.apply(pod);
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let why = "cannot delete Pods that declare no controller (use --force to override): default/bare";
    world.run(&format!("drain {node}")).is(
        1,
        &format!("node/{node} cordoned\n"),
        &format!(
            "error: unable to drain node \"{node}\" due to error: {why}, continuing command...\nThere are pending nodes \
             to be drained:\n {node}\n{why}\n"
        ),
    );
    world.run(&format!("drain {node} --force --grace-period=1")).is(
        0,
        &format!(
            "node/{node} already cordoned\nevicting pod default/bare\npod/bare evicted\nnode/{node} drained\n"
        ),
        "Warning: deleting Pods that declare no controller: default/bare\n",
    );
}

#[test]
fn what_is_in_an_empty_dir_is_not_drained_away_unasked() {
    let world = World::new();
    let pod = |name: &str, volumes: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers: [{{name: main, command: [sleep, \
                 '1000']}}]\n{volumes}"
        )
    };
    let _ = world.apply(&pod("bare", ""));
    let _ = world.apply(&pod("stores", "  volumes: [{name: v, emptyDir: {}}]\n"));
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let refused = world.run(&format!("drain {node} --dry-run=client")).exits(1);
    let (bare, stores) = (
        "cannot delete Pods that declare no controller (use --force to override): default/bare",
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): default/stores",
    );
    assert_eq!(
        refused.stderr,
        format!(
            "error: unable to drain node \"{node}\" due to error: [{bare}, {stores}], continuing command...\nThere are \
             pending nodes to be drained:\n {node}\n{bare}\n{stores}\n"
        )
    );
    let drained =
        world.run(&format!("drain {node} --force --delete-emptydir-data --grace-period=1")).success();
    assert_eq!(
        drained.stderr,
        "Warning: deleting Pods with local storage: default/stores\nWarning: deleting Pods that declare no controller: \
         default/bare, default/stores\n"
    );
}

#[test]
fn case_4_evicted_pods_do_not_fail_the_job() {
    let world = World::new();
    let ignore = "podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}";
    sleeping(&world, &format!("completions: 3\nparallelism: 3\nbackoffLimit: 0\n{ignore}"));
    let node = world.value("nodes", "{.items[0].metadata.name}");
    world.manifest("go", "");
    let _ = world.run(&format!("drain {node}")).success();
    let _ = world.run(&format!("uncordon {node}")).success();
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "3/ SuccessCriteriaMet Complete");
}

#[test]
fn events_are_listed_in_the_order_in_which_they_happened() {
    let world = World::new();
    world.run("events").is(0, "", "No events found in default namespace.\n");
    let _ = world.apply(&job("x", "", "true"));
    world.wait_for_end("x");
    let listed = world.run("events --for job/x").success();
    let reasons: Vec<&str> =
        listed.lines()[1..].iter().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(reasons, ["SuccessfulCreate", "Completed"]);
    assert!(
        listed.lines()[0].starts_with("LAST SEEN   TYPE     REASON             OBJECT   MESSAGE"),
        "{}",
        listed.stdout
    );
    world.run("events --types=Strange").is(1, "", "error: valid --types are Normal or Warning\n");
    world.run("events --types=Warning").is(0, "", "No events found in default namespace.\n");
    let json: Value = serde_json::from_str(&world.run("events -o json").success().stdout).expect("JSON");
    assert!(json["items"].as_array().is_some_and(|items| items.len() > 2));
}

#[test]
fn a_field_without_effect_is_told_of_when_it_comes_and_not_again() {
    let world = World::new();
    let _ = world.run("create cronjob x --image=i --schedule=@yearly -- true").success();
    let patch = json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": { "setHostnameAsFQDN": true } } } } } });
    let words = ["patch", "cronjob", "x", "-p", &patch.to_string()].map(str::to_owned);
    world.command_of(words.to_vec()).run().is(
        0,
        "cronjob.batch/x patched\n",
        "Warning: spec.jobTemplate.spec.template.spec.setHostnameAsFQDN: has no effect: HOSTNAME is the pod's short name\n",
    );
    world.run("label cronjob x a=b").prints("cronjob.batch/x labeled\n");
    world.manifest("x.yaml", world.run("get cronjob x -o yaml").success().stdout.replace("a: b", "a: c"));
    world.run("replace -f x.yaml").prints("cronjob.batch/x replaced\n");
    assert_eq!(world.value("cronjob x", "{.metadata.labels.a}"), "c");
    world.run("delete cronjob x").prints("cronjob.batch \"x\" deleted\n");
}

#[test]
fn what_completed_indexes_have_written_stays_when_the_others_run_again() {
    let world = World::new();
    let spec = "completions: 4\nparallelism: 4\ncompletionMode: Indexed\nbackoffLimitPerIndex: 0\nmaxFailedIndexes: 4";
    let script = "echo try; test $JOB_COMPLETION_INDEX -lt $(cat limit)";
    world.manifest("limit", "2");
    let _ = world.apply(&job("x", spec, script));
    world.wait_for_end("x");
    let logs = |count: usize| {
        let logs = world.run("logs job/x --all-pods").success();
        let tries = logs.lines().iter().filter(|line| line.ends_with("main] try")).count();
        assert_eq!(tries, count, "{}", logs.stdout);
    };
    logs(4);
    world.manifest("limit", "3");
    for completed in [3, 4] {
        let _ = world.run("rerun job/x --failed-indexes").success();
        world.wait_for_end("x");
        assert_eq!(world.value("job x", "{.status.succeeded}"), completed.to_string());
        logs(4);
        world.manifest("limit", "4");
    }
    // With the Job it goes.
    let _ = world.run("delete job x").success();
    eventually(SOON, || std::fs::read_dir(world.store().join("pods")).expect("pods").count() == 0);
}

#[test]
fn what_was_kept_of_removed_pods_goes_when_asked() {
    let world = World::new();
    let directories = || std::fs::read_dir(world.store().join("pods")).expect("pods").count();
    let _ = world.apply(&job("x", "completions: 3\nparallelism: 3", "echo hello"));
    let _ = world.apply(&job("busy", "backoffLimit: 5", "echo hello; exec sleep 1000"));
    world.wait_for_end("x");
    world.run("prune").is(0, "", "Nothing to prune\n");
    let _ = world.run("delete pods -l job-name=x").success();
    world.run("prune --older-than=1h").is(0, "", "Nothing to prune\n");
    world.run("prune -n other").is(0, "", "Nothing to prune\n");
    let dry = world.run("prune --dry-run").success();
    assert!(dry.stdout.starts_with("job.batch/x pruned: 3 removed pods, "), "{}", dry.stdout);
    assert!(dry.stdout.ends_with(" KiB of logs (dry run)\n"), "{}", dry.stdout);
    assert_eq!(world.run("logs job/x --all-pods").success().lines().len(), 3);
    assert!(world.run("prune").success().stdout.starts_with("job.batch/x pruned: 3 removed pods, "));
    world.run("logs job/x --all-pods").prints("");
    world.run("logs job/x").fails_with("error: job x has ended, and none of its pods is left\n");
    assert_eq!(directories(), 1, "that of the Job that runs");
    world.run("get job x -o name").prints("job.batch/x\n");
    let _ = world.run("delete jobs --all --now").success();
    eventually(SOON, || directories() == 0);
}

#[test]
fn prune_deletes_jobs_that_have_ended_where_it_is_told_to() {
    let world = World::new();
    let directories = || std::fs::read_dir(world.store().join("pods")).expect("pods").count();
    let _ = world.apply(&job("busy", "backoffLimit: 5", "echo hello; exec sleep 1000"));
    for name in ["first", "second", "third"] {
        let _ = world.apply(&job(name, "completions: 2", "echo hello"));
        world.wait_for_end(name);
    }
    let _ = world.run("delete pods -l job-name=first").success();
    world.run("prune --jobs --older-than=1d").is(0, "", "Nothing to prune\n");
    world.run("prune --jobs --keep=3").is(0, "", "Nothing to prune\n");
    world.run("prune --jobs -n other").is(0, "", "Nothing to prune\n");
    for bad in ["prune --older-than=1y", "prune --older-than=-1d", "prune --keep=-1"] {
        let _ = world.run(bad).failure();
    }
    let dry = world.run("prune --jobs --keep=2 --dry-run").success();
    assert!(dry.stdout.starts_with("job.batch/first deleted: 2 pods, "), "{}", dry.stdout);
    assert!(dry.stdout.ends_with(" KiB of logs (dry run)\n"), "{}", dry.stdout);
    assert_eq!(world.run("logs job/first --all-pods").success().lines().len(), 2);
    let done = world.run("prune --jobs --keep=2").success();
    assert_eq!(done.stdout, dry.stdout.replace(" (dry run)", ""));
    world.run("get jobs -o name").prints("job.batch/busy\njob.batch/second\njob.batch/third\n");
    assert_eq!(world.run("prune --jobs").success().lines().len(), 2);
    world.run("get jobs -o name").prints("job.batch/busy\n");
    eventually(SOON, || directories() == 1);
    let _ = world.run("delete jobs --all --now").success();
    eventually(SOON, || directories() == 0);
}
