//! The three podFailurePolicy walkthroughs of the last source document, command by command; sleeps are shorter.

use crate::common::{SOON, World, eventually};

const FAIL_JOB: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job-pod-failure-policy-failjob
spec:
  completions: 8
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: docker.io/library/bash:5
        command: ["bash"]
        args:
        - -c
        - echo "Hello world! I'm going to exit with 42 to simulate a software bug." && sleep 0.2 && exit 42
  backoffLimit: 6
  podFailurePolicy:
    rules:
    - action: FailJob
      onExitCodes:
        containerName: main
        operator: In
        values: [42]
"#;

const IGNORE: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job-pod-failure-policy-ignore
spec:
  completions: 4
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: docker.io/library/bash
        command: ["bash"]
        args:
        - -c
        - echo "Hello world! I'm going to exit with 0 (success)." && (test -f ready || sleep 90) && exit 0
  backoffLimit: 0
  podFailurePolicy:
    rules:
    - action: Ignore
      onPodConditions:
      - type: DisruptionTarget
"#;

const CONFIG_ISSUE: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job-pod-failure-policy-config-issue
spec:
  completions: 8
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: "non-existing-repo/non-existing-image:example"
  backoffLimit: 6
  podFailurePolicy:
    rules:
    - action: FailJob
      onPodConditions:
      - type: ConfigIssue
"#;

#[test]
fn an_exit_code_that_no_retry_can_mend_ends_the_job() {
    let world = World::new();
    let path = world.manifest("job-pod-failure-policy-failjob.yaml", FAIL_JOB);
    world.run(&format!("create -f {path}")).prints("job.batch/job-pod-failure-policy-failjob created\n");
    world.wait_for_end("job-pod-failure-policy-failjob");
    let yaml = world.run("get jobs -l job-name=job-pod-failure-policy-failjob -o yaml").success().stdout;
    for part in [
        "      reason: PodFailurePolicy\n",
        "matching FailJob rule at index 0\n",
        "    failed: 2\n",
        "    ready: 0\n",
        "    terminating: 0\n",
    ] {
        assert!(yaml.contains(part), "{part}: {yaml}");
    }
    world
        .run("delete jobs/job-pod-failure-policy-failjob")
        .prints("job.batch \"job-pod-failure-policy-failjob\" deleted\n");
}

#[test]
fn pods_that_were_drained_are_not_counted() {
    let world = World::new();
    let path = world.manifest("job-pod-failure-policy-ignore.yaml", IGNORE);
    world.run(&format!("create -f {path}")).prints("job.batch/job-pod-failure-policy-ignore created\n");
    let label = "job-name=job-pod-failure-policy-ignore";
    eventually(SOON, || world.value("job job-pod-failure-policy-ignore", "{.status.ready}") == "2");
    let node = world.value(&format!("pods -l {label}"), "'{.items[0].spec.nodeName}'");
    let pods = world.value(&format!("pods -l {label}"), "'{.items[*].metadata.name}'");
    let (first, second) = pods.split_once(' ').expect("two pods");
    let drained = world.run(&format!("drain nodes/{node} --ignore-daemonsets --grace-period=0")).success();
    assert_eq!(
        drained.stdout,
        format!(
            "node/{node} cordoned\nevicting pod default/{first}\nevicting pod default/{second}\npod/{first} \
             evicted\npod/{second} evicted\nnode/{node} drained\n"
        )
    );
    assert_eq!(world.value("job job-pod-failure-policy-ignore", "{.status.failed}"), "");
    eventually(SOON, || {
        let waiting =
            world.value(&format!("pods -l {label}"), "'{.items[*].spec.nodeName}{.items[*].status.phase}'");
        waiting == "Pending Pending"
    });
    let why = "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 \
               Preemption is not helpful for scheduling.";
    let told = world.value(&format!("pods -l {label}"), "'{.items[0].status.conditions[0].message}'");
    assert_eq!(told, why);
    world.manifest("ready", "");
    world.run(&format!("uncordon nodes/{node}")).prints(&format!("node/{node} uncordoned\n"));
    world.wait_for_end("job-pod-failure-policy-ignore");
    assert_eq!(
        world.tally("job-pod-failure-policy-ignore"),
        "4/ SuccessCriteriaMet Complete",
        "the Job resumes and completes"
    );
    let _ = world.run("delete jobs/job-pod-failure-policy-ignore").success();
}

#[test]
fn a_condition_that_somebody_else_sets_can_end_the_job() {
    let world = World::new();
    let path = world.manifest("job-pod-failure-policy-config-issue.yaml", CONFIG_ISSUE);
    let _ = world.run(&format!("create -f {path}")).success();
    let label = "job-name=job-pod-failure-policy-config-issue";
    eventually(SOON, || {
        let yaml = world.run(&format!("get pods -l {label} -o yaml")).success().stdout;
        yaml.contains("Back-off pulling image \"non-existing-repo/non-existing-image:example\"")
            && yaml.contains("reason: ImagePullBackOff\n")
            && yaml.contains("    phase: Pending\n")
    });
    world.manifest(
        "patch.yaml",
        "status:\n  conditions:\n  - type: ConfigIssue\n    status: \"True\"\n    reason: \"NonExistingImage\"\n    \
         lastTransitionTime: \"2026-11-21T00:00:00Z\"\n",
    );
    let pod = world.value(&format!("pods -l {label}"), "'{.items[0].metadata.name}'");
    let patch = format!("patch pod {pod} --subresource=status --patch-file=patch.yaml");
    assert_eq!(world.run(&patch).success().stdout, format!("pod/{pod} patched\n"));
    let deleted = world.run(&format!("delete pods/{pod}")).success();
    assert_eq!(deleted.stdout, format!("pod \"{pod}\" deleted\n"));
    world.wait_for_end("job-pod-failure-policy-config-issue");
    let failed = "'{range .status.conditions[?(@.type==\"Failed\")]}{.reason}: {.message}{end}'";
    assert_eq!(
        world.value("job job-pod-failure-policy-config-issue", failed),
        format!(
            "PodFailurePolicy: Pod default/{pod} has condition ConfigIssue matching FailJob rule at index 0"
        )
    );
    let _ = world.run("delete jobs/job-pod-failure-policy-config-issue").success();
}
