//! `apply`.

use crate::common::{World, job};

#[test]
fn apply_creates_then_finds_nothing_to_change_then_configures() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one created\n");
    world.run(&format!("apply -f {path}")).prints("job.batch/one unchanged\n");
    world.manifest("job.yaml", job("one", "backoffLimit: 2", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "{.spec.backoffLimit}"), "2");
    world.manifest("job.yaml", job("one", "", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one configured\n");
    assert_eq!(
        world.value("job one", "{.spec.backoffLimit}"),
        "6",
        "a field taken away gets its default again"
    );
}

#[test]
fn apply_keeps_what_it_was_given_in_the_annotation_of_kubectl() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: a1}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, command: [\"true\"]}]}}}
";
    world.command("apply -f -").stdin(manifest).run().prints("job.batch/a1 created\n");
    let path = r"{.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}";
    let expected = concat!(
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"annotations":{},"name":"a1","namespace":"default"},"#,
        r#""spec":{"suspend":true,"template":{"spec":{"containers":[{"command":["true"],"name":"c"}],"#,
        r#""restartPolicy":"Never"}}}}"#,
        "\n"
    );
    assert_eq!(world.run(&format!("get job a1 -o 'jsonpath={path}'")).success().stdout, expected);
}

#[test]
fn what_others_have_set_survives_an_apply() {
    let world = World::new();
    let manifest = |label: &str| {
        job("one", "suspend: true", "true")
            .replace("metadata:\n", &format!("metadata:\n  labels: {{mine: {label}}}\n"))
    };
    let path = world.manifest("job.yaml", manifest("a"));
    let _ = world.run(&format!("apply -f {path}")).success();
    let _ = world.run("scale --replicas=7 job/one").success();
    world.manifest("job.yaml", manifest("b"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "'{.metadata.labels.mine} {.spec.parallelism}'"), "b 7");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("apply -f {path} --dry-run=client")).prints("job.batch/one created (dry run)\n");
    world
        .run(&format!("apply -f {path} --dry-run=server"))
        .prints("job.batch/one created (server dry run)\n");
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    let _ = world.run(&format!("apply -f {path}")).success();
    world.run(&format!("apply -f {path} --dry-run=client")).prints("job.batch/one configured (dry run)\n");
    world
        .run(&format!("apply -f {path} --dry-run=server"))
        .prints("job.batch/one unchanged (server dry run)\n");
    let bogus = world.run(&format!("apply -f {path} --dry-run=bogus"));
    assert!(
        bogus
            .failure()
            .stderr
            .contains(r#"Invalid dry-run value (bogus). Must be "none", "server", or "client"."#)
    );
}

#[test]
fn a_changed_pod_template_is_one_line_with_the_path_and_the_command_that_would_do_it() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "", "echo first"));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.wait_for_end("one");
    world.manifest("job.yaml", job("one", "", "echo second"));
    world.run(&format!("apply -f {path}")).fails_with(
        "The Job \"one\" is invalid: spec.template: field is immutable: \
         spec.template.spec.containers[0].command differs; to replace the Job and run it again: jobctl replace \
         --force -f job.yaml\n",
    );
    world.run("replace --force -f job.yaml").prints("job.batch \"one\" deleted\njob.batch/one replaced\n");
    world.wait_for_end("one");
    world.run("logs job/one").prints("second\n");
    world.run("apply -f job.yaml").prints("job.batch/one unchanged\n");
}

#[test]
fn an_object_that_was_not_applied_gets_its_annotation_with_a_warning() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("create -f {path}")).prints("job.batch/one created\n");
    world.run(&format!("apply -f {path}")).is(
        0,
        "job.batch/one configured\n",
        "Warning: resource jobs/one is missing the kubectl.kubernetes.io/last-applied-configuration annotation which \
         is required by jobctl apply. jobctl apply should only be used on resources created declaratively by either \
         jobctl create --save-config or jobctl apply. The missing annotation will be patched automatically.\n",
    );
    world.run(&format!("apply -f {path}")).prints("job.batch/one unchanged\n");
}

#[test]
fn apply_with_a_selector_takes_only_the_documents_that_match() {
    let world = World::new();
    let labelled = |name: &str, label: &str| {
        job(name, "suspend: true", "true")
            .replace("metadata:\n", &format!("metadata:\n  labels: {{tier: {label}}}\n"))
    };
    let path =
        world.manifest("jobs.yaml", format!("{}---\n{}", labelled("a", "east"), labelled("b", "west")));
    world.run(&format!("apply -f {path} -l tier=west")).prints("job.batch/b created\n");
}

#[test]
fn apply_prints_the_objects_when_asked() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("apply -f {path} -o name")).prints("job.batch/one\n");
    let yaml = world.run(&format!("apply -f {path} -o yaml")).success();
    assert!(yaml.stdout.starts_with("apiVersion: batch/v1\nkind: Job\nmetadata:\n"), "{}", yaml.stdout);
    world.run(&format!("apply -f {path} -o table")).fails_with(
        "error: unable to match a printer suitable for the output format \"table\", allowed formats are: \
         json,jsonpath,name,yaml\n",
    );
}

#[test]
fn apply_without_a_file_says_what_is_missing() {
    let world = World::new();
    world.run("apply").fails_with("error: must specify -f\n");
}

#[test]
fn all_mistakes_of_a_job_are_told_at_once_with_their_paths() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: Wrong_Name}
spec:
  parallelism: -1
  completions: -2
  template:
    spec:
      restartPolicy: Always
      containers:
      - {name: c, command: [\"true\"]}
";
    world.command("apply -f -").stdin(manifest).run().fails_with(concat!(
        "The Job \"Wrong_Name\" is invalid: \n",
        "* metadata.name: Invalid value: \"Wrong_Name\": a lowercase RFC 1123 subdomain must consist of lower case ",
        "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. ",
        "'example.com', regex used for validation is ",
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n",
        "* spec.parallelism: Invalid value: -1: must be greater than or equal to 0\n",
        "* spec.completions: Invalid value: -2: must be greater than or equal to 0\n",
        "* spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"\n",
    ));
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn with_force_what_cannot_be_changed_is_replaced() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    let _ = world.run(&format!("apply -f {path}")).success();
    let uid = world.value("job one", "{.metadata.uid}");
    world.manifest("job.yaml", job("one", "suspend: true", "false"));
    let refused = world.run(&format!("apply -f {path}")).failure();
    assert!(refused.stderr.contains("field is immutable"), "{}", refused.stderr);
    world
        .run(&format!("apply -f {path} --force --dry-run=server"))
        .fails_with("error: --dry-run=server cannot be used with --force\n");
    world.run(&format!("apply -f {path} --force=true --wait")).prints("job.batch/one configured\n");
    let script = "{.spec.template.spec.containers[0].command[2]}";
    assert_eq!(world.value("job one", script), "false");
    assert_ne!(world.value("job one", "{.metadata.uid}"), uid, "it is another Job");
    world.run(&format!("apply -f {path} --force")).prints("job.batch/one unchanged\n");
    world.manifest("job.yaml", job("one", "suspend: true\nbackoffLimit: 2", "false"));
    let uid = world.value("job one", "{.metadata.uid}");
    world.run(&format!("apply -f {path} --force")).prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "{.metadata.uid}"), uid, "what can be changed is not replaced");
}

#[test]
fn without_overwrite_a_field_that_somebody_else_has_changed_is_left_alone() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true\nparallelism: 2", "true"));
    let _ = world.run(&format!("apply -f {path}")).success();
    let _ = world.run("scale --replicas=7 job/one").success();
    world.run(&format!("apply -f {path} --overwrite=false")).fails_with(
        "error: error when applying \"job.yaml\": of the Job \"one\" somebody else has changed spec.parallelism since it \
         was applied last, and --overwrite is false\n",
    );
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "7");
    world.manifest("job.yaml", job("one", "suspend: true\nparallelism: 7\nactiveDeadlineSeconds: 5", "true"));
    world.run(&format!("apply -f {path} --overwrite=false")).prints("job.batch/one configured\n");
    world.manifest("job.yaml", job("one", "suspend: true\nparallelism: 3", "true"));
    world.run(&format!("apply -f {path} --overwrite")).prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "3");
}

#[test]
fn what_is_in_no_manifest_any_more_is_pruned_where_asked() {
    let world = World::new();
    let labelled = |name: &str, tier: &str| {
        job(name, "suspend: true", "true")
            .replace("metadata:\n", &format!("metadata:\n  labels: {{tier: {tier}}}\n"))
    };
    let _ = world.apply(&labelled("old", "a"));
    let _ = world.apply(&labelled("other", "b"));
    let _ = world.run("create job by-hand --image=x -- true").success();
    world.wait_for_end("by-hand");
    let path = world.manifest("new.yaml", labelled("new", "a"));
    world.run(&format!("apply -f {path} --prune")).fails_with(
        "error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the \
         --all flag. If you did not mean to prune all resources, specify a label selector\n",
    );
    world
        .run(&format!("apply -f {path} --prune --all -l tier=a"))
        .fails_with("error: cannot set --all and --selector at the same time\n");
    world
        .run(&format!("apply -f {path} --prune -l tier=a --dry-run=server"))
        .prints("job.batch/new created (server dry run)\njob.batch/old pruned (server dry run)\n");
    world
        .run(&format!("apply -f {path} --prune -l tier=a"))
        .prints("job.batch/new created\njob.batch/old pruned\n");
    world
        .run(&format!("apply -f {path} --prune --all --wait"))
        .prints("job.batch/new unchanged\njob.batch/other pruned\n");
    world.run("get jobs -o name").prints("job.batch/by-hand\njob.batch/new\n");
}

#[test]
fn what_needs_a_server_is_refused_and_what_means_nothing_is_accepted() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("apply -f {path} --server-side")).fails_with(
        "error: --server-side needs a server that records who manages a field: apply without it\n",
    );
    world
        .run(&format!("apply -f {path} --force-conflicts"))
        .fails_with("error: --force-conflicts only works with --server-side\n");
    world.run(&format!("apply -f {path} --field-manager=me")).prints("job.batch/one created\n");
    world.manifest("stored.yaml", world.run("get job one -o yaml").success().stdout);
    world.run("replace -f stored.yaml --field-manager=me").prints("job.batch/one replaced\n");
    let _ = world.run("delete job one").success();
    world.run(&format!("create -f {path} --field-manager me")).prints("job.batch/one created\n");
}
