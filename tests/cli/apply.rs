//! `apply`.

use crate::common::{SOON, World, eventually, job};

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
         go-template,go-template-file,json,jsonpath,\
         jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml\n",
    );
}

#[test]
fn apply_without_a_file_says_what_is_missing() {
    let world = World::new();
    world.run("apply").fails_with("error: must specify one of -f and -k\n");
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
    world.run(&format!("apply -f {path} --server-side --dry-run=client")).fails_with(
        "error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)\n",
    );
    world
        .run(&format!("apply -f {path} --server-side --force"))
        .fails_with("error: --force cannot be used with --server-side\n");
    world
        .run(&format!("apply -f {path} --force-conflicts"))
        .fails_with("error: --force-conflicts only works with --server-side\n");
    world.run(&format!("apply -f {path} --field-manager=me")).prints("job.batch/one created\n");
    world.manifest("stored.yaml", world.run("get job one -o yaml").success().stdout);
    world.run("replace -f stored.yaml --field-manager=me").prints("job.batch/one replaced\n");
    let _ = world.run("delete job one").success();
    world.run(&format!("create -f {path} --field-manager me")).prints("job.batch/one created\n");
}

#[test]
fn a_container_that_cannot_start_here_is_warned_of() {
    let world = World::new();
    let cron_job = "
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '@yearly'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          initContainers:
          - {name: setup, command: [no-such-program]}
          containers:
          - {name: main, image: redis}
          - {name: here, command: [sh]}
          - {name: file, command: [./missing.sh], workingDir: sub}
";
    let at = "Warning: spec.jobTemplate.spec.template.spec";
    world.command("apply -f -").stdin(cron_job).run().is(
        0,
        "cronjob.batch/nightly created\n",
        &format!(
            "{at}.initContainers[0].command: \"no-such-program\" is not found on the PATH that the pod will have\n\
             {at}.containers[0]: no command: jobctl runs programs of this machine and knows no entrypoint of image \
             \"redis\", so the container will wait with ErrImagePull; to say what it runs: jobctl image set redis -- COMMAND\n\
             {at}.containers[2].command: \"./missing.sh\" does not exist on this machine\n"
        ),
    );
    // Changed, it is warned of what is new.
    let changed = cron_job.replace("command: [sh]", "command: [no-other-program]");
    world.command("apply -f -").stdin(&changed).run().is(
        0,
        "cronjob.batch/nightly configured\n",
        &format!("{at}.containers[1].command: \"no-other-program\" is not found on the PATH that the pod will have\n"),
    );
    let _ = world.run("delete cronjobs --all").success();
}

#[test]
fn nobody_waits_for_a_command_whose_warnings_nobody_reads() {
    let world = World::new();
    // More warnings than a pipe holds, each of its own: what is the same is said once.
    let many: String = (0..700)
        .map(|number| {
            let job = job(&format!("x{number}"), "suspend: true", "")
                .replace("command: [sh, -c, \"\"]", &format!("image: none{number}"));
            format!("{job}---\n")
        })
        .collect();
    let path = world.manifest("many.yaml", many);
    let mut child = world.command(&format!("apply -f {path}")).spawn();
    eventually(3 * SOON, || world.value("jobs", "{.items[*].metadata.name}").contains("x699"));
    let mut other = world.command("create job other --image=x --dry-run=server -- true").spawn();
    eventually(SOON, || other.try_wait().expect("wait").is_some());
    assert!(child.try_wait().expect("wait").is_none(), "it waits for a reader");
    let output = child.wait_with_output().expect("wait");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 700);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 700);
}

#[test]
fn whoever_goes_by_warnings_hears_of_them_each_time() {
    let world = World::new();
    let manifest = job("one", "suspend: true", "").replace("command: [sh, -c, \"\"]", "image: none");
    let path = world.manifest("job.yaml", &manifest);
    for said in ["created", "unchanged", "unchanged"] {
        let output = world.run(&format!("apply -f {path} --warnings-as-errors")).failure();
        assert_eq!(output.stdout, format!("job.batch/one {said}\n"));
        assert!(output.stderr.ends_with("error: 1 warning received\n"), "{}", output.stderr);
    }
    world.run(&format!("apply -f {path}")).prints("job.batch/one unchanged\n");
    world.manifest("job.yaml", manifest.replace("spec:\n  suspend", "spec:\n  backoffLimit: 2\n  suspend"));
    let output = world.run(&format!("apply -f {path} --warnings-as-errors")).failure();
    assert_eq!(output.stdout, "job.batch/one configured\n");
}

#[test]
fn a_cronjob_goes_on_where_it_was_applied_last() {
    let world = World::new();
    let cron_job = "
apiVersion: batch/v1
kind: CronJob
metadata: {name: where}
spec:
  schedule: '@yearly'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, command: [sh, -c, 'pwd; echo $PATH']}]
";
    std::fs::create_dir_all(world.path("elsewhere")).expect("a directory");
    let apply = |verb: &str, directory: &str, path: &str| {
        let command = world.command(&format!("{verb} -f -")).directory(directory).env("PATH", path);
        command.stdin(cron_job).run().success().stdout
    };
    let path = crate::common::PATH;
    let longer = format!("{path}:/opt/tools");
    assert_eq!(apply("apply", "work", path), "cronjob.batch/where created\n");
    assert_eq!(apply("apply", "work", path), "cronjob.batch/where unchanged\n");
    assert_eq!(apply("apply", "elsewhere", path), "cronjob.batch/where configured\n");
    assert_eq!(apply("apply", "elsewhere", path), "cronjob.batch/where unchanged\n");
    assert_eq!(apply("apply", "elsewhere", &longer), "cronjob.batch/where configured\n");
    let runs_in = |name: &str| {
        let _ = world.run(&format!("create job {name} --from=cronjob/where")).success();
        world.wait_for_end(name);
        world.run(&format!("logs job/{name}")).success().stdout
    };
    assert_eq!(runs_in("one"), format!("{}\n{longer}\n", world.path("elsewhere").display()));
    // So it does when it is replaced.
    assert_eq!(apply("replace", "work", path), "cronjob.batch/where replaced\n");
    assert_eq!(runs_in("two"), format!("{}\n{path}\n", world.path("work").display()));
    let _ = world.run("delete cronjob where").success();
    // A Job goes on where it began: its pods are one run.
    let manifest = job("one-run", "suspend: true", "true");
    let apply = |directory: &str| {
        world.command("apply -f -").directory(directory).stdin(&manifest).run().success().stdout
    };
    assert_eq!(apply("work"), "job.batch/one-run created\n");
    assert_eq!(apply("elsewhere"), "job.batch/one-run unchanged\n");
}

#[test]
fn a_manifest_as_kubectl_generates_it_is_unchanged_the_second_time() {
    let world = World::new();
    let create = "create cronjob c --schedule '0 0 1 1 *' --image=x --dry-run=client -o yaml -- pwd";
    let manifest = world.run(create).success().stdout;
    assert!(manifest.contains("resources: {}") && manifest.contains("status: {}"), "{manifest}");
    let path = world.manifest("c.yaml", manifest);
    world.run(&format!("apply -f {path}")).prints("cronjob.batch/c created\n");
    world.run(&format!("apply -f {path}")).prints("cronjob.batch/c unchanged\n");
    let small = job("small", "suspend: true", "true").replace(
        "        command:",
        "        resources: {limits: {cpu: \"0.5\", memory: 1024Mi}}\n        command:",
    );
    let path = world.manifest("small.yaml", small);
    assert_eq!(world.run(&format!("apply -f {path}")).success().stdout, "job.batch/small created\n");
    assert_eq!(world.run(&format!("apply -f {path}")).success().stdout, "job.batch/small unchanged\n");
    let _ = world.run("delete cronjob c").success();
}
