//! The manifests and commands of the documents this program was written for, as printed there; only sleeps and sums
//! are shorter.

use crate::common::{SOON, World, eventually};

const PI: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  template:
    spec:
      containers:
      - name: pi
        image: perl
        command: ["perl",  "-Mbignum=bpi", "-wle", "print bpi(20)"]
      restartPolicy: Never
"#;

/// The document's first Job; `command` and other parts are put in by its later steps.
fn myjob(command: &str, policy: &str, spec: &str) -> String {
    format!(
        r#"apiVersion: batch/v1
kind: Job
metadata:
  name: myjob
  annotations:
    jobctl.local/backoff-base: 20ms
spec:
{spec}  template:
    metadata:
      name: myjob
    spec:
      containers:
      - name: hello
        image: busybox
        command: [{command}]
      restartPolicy: {policy}
"#
    )
}

#[test]
fn document_0_a_job_that_says_hello() {
    let world = World::new();
    world.manifest("myjob.yml", myjob(r#""echo","hello k8s!""#, "Never", ""));
    world.run("apply -f myjob.yml").prints("job.batch/myjob created\n");
    world.wait_for_end("myjob");
    world.run("get job").prints(
        "
        NAME    STATUS     COMPLETIONS   DURATION   AGE
        myjob   Complete   1/1           0s         0s
        ",
    );
    world.run("get pod --show-all").prints(
        "
        NAME          READY   STATUS      RESTARTS   AGE
        myjob-xxxxx   0/1     Completed   0          0s
        ",
    );
    let pod = world.value("pods", "{.items[0].metadata.name}");
    world.run(&format!("logs {pod}")).prints("hello k8s!\n");
}

#[test]
fn document_0_a_wrong_command_under_never_makes_pod_after_pod() {
    let world = World::new();
    world.manifest("myjob.yml", myjob(r#""invalid_command","hello k8s!""#, "Never", ""));
    let _ = world.run("apply -f myjob.yml").success();
    eventually(SOON, || world.run("get pods -o name").lines().len() >= 3);
    let statuses = world.run("get pods --no-headers").success();
    for line in statuses.lines() {
        assert!(
            line.contains("StartError") || line.contains("Pending") || line.contains("ContainerCreating"),
            "{line}"
        );
    }
    let described = world.run("describe pod").success().stdout;
    assert!(
        described.contains(r#"exec: "invalid_command": executable file not found in $PATH"#),
        "{described}"
    );
    world.run("delete -f myjob.yml").prints("job.batch \"myjob\" deleted\n");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn document_0_a_wrong_command_under_on_failure_is_restarted_in_one_pod() {
    let world = World::new();
    // It goes on for so long that a slow machine sees it, too.
    let patient = myjob(r#""invalid_command","hello k8s!""#, "OnFailure", "").replace("20ms", "200ms");
    world.manifest("myjob.yml", patient);
    let _ = world.run("apply -f myjob.yml").success();
    eventually(SOON, || {
        // A number for each pod: of one, it reads.
        let restarts = world.value("pods", "{.items[*].status.containerStatuses[0].restartCount}");
        restarts.parse::<u32>().is_ok_and(|restarts| restarts >= 2)
    });
    assert_eq!(world.run("get pods -o name").success().lines().len(), 1, "one pod, restarted");
    let _ = world.run("delete -f myjob.yml").success();
}

#[test]
fn document_0_two_at_a_time_until_six_have_succeeded() {
    let world = World::new();
    world.manifest("myjob.yml", myjob(r#""echo","hello k8s!""#, "Never", "  parallelism: 2\n"));
    let _ = world.run("apply -f myjob.yml").success();
    world.wait_for_end("myjob");
    assert_eq!(world.run("get pods -o name").success().lines().len(), 2);
    world.run("delete -f myjob.yml").prints("job.batch \"myjob\" deleted\n");
    world.manifest(
        "myjob.yml",
        myjob(r#""echo","hello k8s!""#, "Never", "  completions: 6\n  parallelism: 2\n"),
    );
    let _ = world.run("apply -f myjob.yml").success();
    world.wait_for_end("myjob");
    let listed = world.run("get job myjob --no-headers").success().stdout;
    assert!(listed.starts_with("myjob   Complete   6/6   "), "{listed}");
}

#[test]
fn document_0_a_cronjob_of_an_alpha_version_is_not_recognized() {
    let world = World::new();
    let manifest = r#"apiVersion: batch/v2alpha1
kind: CronJob
medadata:
  name: hello
spec:
  schedule: "*/1 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: hello
            image: busybox
            command: ["echo", "Hello k8S!"]
          restartPolicy: OnFailure
"#;
    world.manifest("cronjob.yml", manifest);
    let error = world.run("apply -f cronjob.yml").failure().stderr;
    assert!(error.contains(r#"no matches for kind "CronJob" in version "batch/v2alpha1""#), "{error}");
    assert!(error.contains(r#"from "cronjob.yml""#), "{error}");
}

#[test]
fn document_1_pi_and_the_old_ways_to_look_at_its_pods() {
    let world = World::new();
    world.manifest(
        "job.yaml",
        PI.replace(
            "    spec:\n      containers",
            "    metadata:\n      name: pi\n    spec:\n      containers",
        ),
    );
    world.run("create -f ./job.yaml").prints("job.batch/pi created\n");
    world.wait_for_end("pi");
    let shown = world.run("get pods --show-all").success();
    assert!(shown.stdout.contains("Completed"), "{}", shown.stdout);
    assert_eq!(world.run("get pods -a").success().normal_stdout(), shown.normal_stdout());
    world.run("logs job/pi").prints("3.1415926535897932385\n");
}

#[test]
fn document_1_scaling_a_paused_job() {
    let world = World::new();
    let _ = world.apply(&PI.replace("spec:\n  template", "spec:\n  parallelism: 0\n  template"));
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    world.run("scale --replicas=10 jobs/pi").prints("job.batch/pi scaled\n");
    world.wait_for_end("pi");
    assert_eq!(world.value("job pi", "{.spec.parallelism}"), "10");
}

#[test]
fn document_1_a_deadline_is_shown_as_the_reason() {
    let world = World::new();
    let manifest = PI
        .replace("name: pi\nspec:", "name: pi-with-timeout\nspec:\n  activeDeadlineSeconds: 1")
        .replace(r#"["perl",  "-Mbignum=bpi", "-wle", "print bpi(20)"]"#, r#"["perl", "-e", "sleep 1000"]"#);
    let _ = world.apply(&manifest);
    world.wait_for_end("pi-with-timeout");
    let described = world.run("describe job pi-with-timeout").success().stdout;
    assert!(described.contains("DeadlineExceeded"), "{described}");
    assert!(described.contains("Active Deadline Seconds:  1s"), "{described}");
}

#[test]
fn document_2_create_look_and_delete() {
    let world = World::new();
    world.manifest(
        "pi.yaml",
        PI.replace(
            "spec:\n  template",
            "spec:\n  completions: 2\n  parallelism: 2\n  backoffLimit: 4\n  template",
        ),
    );
    world.run("create -f pi.yaml").prints("job.batch/pi created\n");
    world.wait_for_end("pi");
    let listed = world.run("get job --no-headers").success().stdout;
    assert!(listed.starts_with("pi    Complete   2/2   "), "{listed}");
    world.run("delete job pi").prints("job.batch \"pi\" deleted\n");
}

#[test]
fn document_3_every_kind_of_job_runs() {
    let world = World::new();
    let insert =
        |name: &str, spec: &str| PI.replace("name: pi\nspec:", &format!("name: {name}\nspec:\n{spec}"));
    let queue = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job-with-completions
spec:
  parallelism: 2  # at once
  completions: 4  # in all
  template:
    spec:
      containers:
      - name: worker
        image: busybox
        command: ["sh", "-c", "echo 'Hello from the Job'; sleep 0.01"]
      restartPolicy: Never
"#;
    let own_selector = PI.replace("name: pi\nspec:\n  template:\n    spec:", "name: own\nspec:\n  manualSelector: true\n  selector:\n    matchLabels:\n      app: pi\n  template:\n    metadata:\n      labels:\n        app: pi\n    spec:");
    let migration = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: data-migration
spec:
  template:
    spec:
      containers:
      - name: migration-worker
        image: python:3.7
        command: ["sh", "-c", "echo $SOURCE_DB $TARGET_DB"]
        env:
        - name: SOURCE_DB
          value: "source-db.example.com"
        - name: TARGET_DB
          value: "target-db.example.com"
      restartPolicy: Never
"#;
    for (name, manifest) in [
        ("plain", insert("plain", "")),
        ("retries", insert("retries", "  backoffLimit: 4\n")),
        ("fixed", insert("fixed", "  parallelism: 2\n  completions: 4\n")),
        ("queue", insert("queue", "  parallelism: 2\n")),
        ("deadline", insert("deadline", "  activeDeadlineSeconds: 3600\n")),
        ("kept", insert("kept", "  ttlSecondsAfterFinished: 100\n")),
        ("job-with-completions", queue.to_owned()),
        ("own", own_selector),
        ("data-migration", migration.to_owned()),
    ] {
        let _ = world.apply(&manifest);
        world
            .run(&format!("wait --for=condition=complete job/{name}"))
            .prints(&format!("job.batch/{name} condition met\n"));
    }
    world.run("logs job/data-migration").prints("source-db.example.com target-db.example.com\n");
    assert_eq!(world.run("get pods -l job-name=fixed -o name").success().lines().len(), 4);
    world.run("delete job kept --cascade=true").is(
        0,
        "job.batch \"kept\" deleted\n",
        "warning: --cascade=true is deprecated (boolean value) and can be replaced with --cascade=background.\n",
    );
    let deleted = world.run("delete jobs --field-selector status.successful=1").success();
    let names: Vec<&str> = deleted.lines().iter().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(names, ["data-migration", "deadline", "own", "plain", "retries"]);
    // It has a TTL: without this, the controller would wait for it.
    world
        .run("delete jobs --all")
        .success()
        .lines()
        .iter()
        .for_each(|line| assert!(line.ends_with("deleted")));
}
