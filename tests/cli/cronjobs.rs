//! CronJobs on real processes and a real clock: overlap, history, suspension, faults, the verbs around them, and the
//! walkthroughs of the source documents (`@every 1s` in place of every minute).

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::common::{SOON, World, eventually, kill, until_asleep};

/// Three runs a second apart, on a machine under load.
const A_WHILE: Duration = Duration::from_secs(20);

/// A CronJob of one container; `spec` are lines of its own spec.
fn cron_job(name: &str, schedule: &str, spec: &str, script: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let script = serde_json::to_string(script).expect("a string");
    format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\nspec:\n  schedule: {schedule:?}\n{spec}  \
         jobTemplate:\n    spec:\n      backoffLimit: 0\n      template:\n        spec:\n          restartPolicy: Never\n          \
         terminationGracePeriodSeconds: 1\n          containers:\n          - name: main\n            command: [sh, -c, {script}]\n"
    )
}

fn jobs(world: &World) -> Vec<String> {
    let names = world.value("jobs", "'{.items[*].metadata.name}'");
    names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The CronJob goes, and with it the controller that waits for its next time.
fn remove(world: &World) {
    let _ = world.run("delete cronjob --all").success();
    world.assert_no_processes_left();
}

#[test]
fn case_1_under_allow_runs_overlap() {
    let world = World::new();
    let _ = world.apply(&cron_job("tick", "@every 1s", "concurrencyPolicy: Allow", "exec sleep 1000"));
    let active = || world.value("cronjob tick", "'{.status.active[*].name}'").split_whitespace().count();
    eventually(A_WHILE, || active() >= 2);
    remove(&world);
}

#[test]
fn case_2_a_suspended_one_starts_nothing_and_needs_nobody() {
    let world = World::new();
    let _ = world.apply(&cron_job("tick", "@every 1s", "suspend: true", "true"));
    world.assert_no_processes_left();
    assert_eq!(jobs(&world), [""; 0]);
    let listed = world.run("get cronjobs").success();
    assert!(listed.lines()[1].starts_with("tick   @every 1s   <none>     True      0        <none> "));
    world.run("resume cronjob/tick").prints("cronjob.batch/tick resumed\n");
    eventually(A_WHILE, || !jobs(&world).is_empty());
    world.run("suspend cronjob/tick").prints("cronjob.batch/tick suspended\n");
    remove(&world);
}

#[test]
fn case_3_under_forbid_never_two_at_once() {
    let world = World::new();
    let script = "mkdir running || touch doubled; sleep 1.5; rmdir running";
    let _ = world.apply(&cron_job("tick", "@every 1s", "concurrencyPolicy: Forbid", script));
    eventually(A_WHILE, || jobs(&world).len() >= 2);
    let events = world.run("get events --field-selector reason=JobAlreadyActive").success();
    assert!(!events.stdout.is_empty() && !world.path("work/doubled").exists());
    remove(&world);
}

#[test]
fn case_4_under_replace_the_old_one_goes() {
    let world = World::new();
    let _ = world.apply(&cron_job("tick", "@every 1s", "concurrencyPolicy: Replace", "exec sleep 1000"));
    let mut seen = BTreeSet::new();
    eventually(A_WHILE, || {
        let now = jobs(&world);
        assert!(now.len() <= 1, "{now:?}");
        seen.extend(now);
        seen.len() >= 3
    });
    remove(&world);
}

#[test]
fn case_7_an_active_job_that_is_deleted_is_missed() {
    let world = World::new();
    let spec = "concurrencyPolicy: Forbid";
    let _ = world.apply(&cron_job("tick", "@every 1s", spec, "exec sleep 1000"));
    eventually(A_WHILE, || jobs(&world).len() == 1);
    let _ = world.run("suspend cronjob tick").success();
    let job = jobs(&world).remove(0);
    let _ = world.run(&format!("delete job {job}")).success();
    eventually(SOON, || world.value("cronjob tick", "{.status.active}").is_empty());
    let told = world.run("events --for cronjob/tick").success();
    assert!(told.stdout.contains(&format!("Active job went missing: {job}\n")), "{}", told.stdout);
    remove(&world);
}

#[test]
fn cases_8_and_9_history_is_kept_within_its_limits() {
    for (limits, script, terminal) in [
        ("successfulJobsHistoryLimit: 1\nfailedJobsHistoryLimit: 0", "true", "Complete"),
        ("successfulJobsHistoryLimit: 0\nfailedJobsHistoryLimit: 1", "exit 1", "Failed"),
    ] {
        let world = World::new();
        let _ = world.apply(&cron_job("tick", "@every 1s", limits, script));
        let finished = |name: &str| world.value(&format!("job {name}"), "'{.status.conditions[*].type}'");
        eventually(A_WHILE, || {
            world.run("events --for cronjob/tick").stdout.matches("Deleted job").count() >= 2
        });
        let _ = world.run("suspend cronjob tick").success();
        eventually(SOON, || {
            let left = jobs(&world);
            left.len() == 1 && finished(&left[0]).contains(terminal)
        });
        eventually(SOON, || world.run("get pods --no-headers").stdout.lines().count() == 1);
        let logs = std::fs::read_dir(world.store().join("pods")).expect("the pods' directories").count();
        assert_eq!(logs, 1, "the logs of the others are gone");
        remove(&world);
    }
}

#[test]
fn case_10_a_time_zone_that_does_not_exist_is_invalid() {
    let world = World::new();
    world.command("create -f -").stdin(cron_job("tick", "* * * * *", "timeZone: bad-time-zone", "true")).run().is(
        1,
        "",
        "The CronJob \"tick\" is invalid: spec.timeZone: Invalid value: \"bad-time-zone\": unknown time zone \
         bad-time-zone\n",
    );
}

#[test]
fn case_11_the_api_operations() {
    let world = World::new();
    let _ = world.apply(&cron_job("life", "* */1 * * ?", "suspend: true", "true"));
    let _ = world.run("label cronjob life stage=one").success();
    let merge = |patch: &str, more: &str| format!("patch cronjob life --type=merge -p '{patch}' {more}");
    world.run(&merge("{\"spec\":{\"schedule\":\"0 0 * * *\"}}", "")).prints("cronjob.batch/life patched\n");
    let status = "{\"status\":{\"lastScheduleTime\":\"2026-01-01T00:00:00Z\"}}";
    let _ = world.run(&merge(status, "--subresource=status")).success();
    let told = "'{.spec.schedule} {.status.lastScheduleTime} {.metadata.generation}'";
    assert_eq!(world.value("cronjob life", told), "0 0 * * * 2026-01-01T00:00:00Z 2");
    world.run("delete cronjobs -l stage=one").prints("cronjob.batch \"life\" deleted\n");
    world.run("get cj").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn after_a_kill_nothing_is_doubled_and_the_next_command_goes_on() {
    let world = World::new();
    let script = "date +%s >> runs";
    let _ = world.apply(&cron_job("tick", "@every 1s", "successfulJobsHistoryLimit: 100", script));
    eventually(A_WHILE, || jobs(&world).len() >= 2);
    // A pod that ends after the kill would bring it back at once.
    eventually(SOON, || {
        let controller = world.controller().filter(|_| world.supervisors().is_empty());
        controller.is_some_and(|controller| {
            kill(controller, Signal::SIGKILL);
            eventually(SOON, || world.controller() != Some(controller));
            world.controller().is_none()
        })
    });
    std::thread::sleep(Duration::from_millis(2_500));
    let before = std::fs::read_to_string(world.path("work/runs")).expect("runs").lines().count();
    // Any command brings it back; of the times missed meanwhile only the last is made up for.
    let _ = world.run("get cronjobs").success();
    eventually(A_WHILE, || jobs(&world).len() > before);
    let _ = world.run("suspend cronjob tick").success();
    world.assert_no_processes_left();
    let runs = std::fs::read_to_string(world.path("work/runs")).expect("runs").lines().count();
    assert_eq!(runs, jobs(&world).len(), "every Job ran once");
    let events =
        world.run("get events --field-selector reason=SuccessfulCreate,involvedObject.kind=CronJob -o name");
    assert_eq!(events.success().lines().len(), runs);
    remove(&world);
}

#[test]
fn two_controllers_at_once_start_each_run_once() {
    let world = World::new();
    let _ = world.apply(&cron_job("tick", "@every 1s", "successfulJobsHistoryLimit: 100", "echo >> runs"));
    let mut one = world.command("watch").spawn();
    let mut two = world.command("watch").spawn();
    eventually(A_WHILE, || jobs(&world).len() >= 3);
    for child in [&mut one, &mut two] {
        kill(child.id() as i32, Signal::SIGINT);
        let _ = child.wait().expect("waited");
    }
    let _ = world.run("suspend cronjob tick").success();
    world.assert_no_processes_left();
    let runs = std::fs::read_to_string(world.path("work/runs")).expect("runs").lines().count();
    assert_eq!(runs, jobs(&world).len());
    remove(&world);
}

#[test]
fn a_controller_that_waits_for_a_time_does_not_wake_up() {
    let world = World::new();
    let _ = world.apply(&cron_job("yearly", "@yearly", "", "true"));
    eventually(SOON, || world.controller().is_some());
    let controller = world.controller().expect("it waits");
    until_asleep(&[controller], Duration::from_secs(2));
    remove(&world);
}

#[test]
fn cascade_orphan_leaves_the_jobs() {
    let world = World::new();
    let _ = world.apply(&cron_job("tick", "@every 1s", "", "true"));
    eventually(A_WHILE, || !jobs(&world).is_empty());
    let _ = world.run("suspend cronjob tick").success();
    let before = jobs(&world);
    let _ = world.run("delete cronjob tick --cascade=orphan").success();
    assert_eq!(jobs(&world), before);
    assert_eq!(world.value("jobs", "'{.items[*].metadata.ownerReferences}'"), "");
}

#[test]
fn cascade_foreground_waits_for_jobs_and_pods() {
    let world = World::new();
    let script = "trap 'until test -f go; do sleep 0.01; done; exit 0' TERM; touch ready; while :; do sleep 0.01; done";
    let manifest = cron_job("tick", "@every 1s", "concurrencyPolicy: Forbid", script)
        .replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 30");
    let _ = world.apply(&manifest);
    eventually(A_WHILE, || world.path("work/ready").exists());
    let _ = world.run("delete cronjob tick --cascade=foreground --wait=false").success();
    assert!(!world.value("cronjob tick", "{.metadata.deletionTimestamp}").is_empty());
    assert_eq!(jobs(&world).len(), 1, "the Job waits for its pod, the CronJob for the Job");
    world.manifest("go", "");
    let _ = world.run("wait --for=delete cronjob/tick --timeout=20s").success();
    assert_eq!(jobs(&world), [""; 0]);
}

#[test]
fn a_job_is_made_of_a_cronjob_by_hand() {
    let world = World::new();
    let manifest = cron_job("tick", "@yearly", "suspend: true", "echo $WHO $0").replace(
        "  jobTemplate:\n",
        "  jobTemplate:\n    metadata: {labels: {from: template}, annotations: {note: yes-it-is}}\n",
    );
    let _ = world.apply(&manifest);
    for (line, code, stdout, stderr) in [
        ("create job now --from=cronjob/tick --env WHO=me", 0, "job.batch/now created\n", ""),
        (
            "create job now --from=cronjob/tick",
            1,
            "",
            "error: failed to create job: jobs.batch \"now\" already exists\n",
        ),
        (
            "create job other --from=cronjob/none",
            1,
            "",
            "Error from server (NotFound): cronjobs.batch \"none\" not found\n",
        ),
        ("create job other --from=job/now", 1, "", "error: unknown object type *v1.Job\n"),
        (
            "create job other --from=cronjob/tick --image=x",
            1,
            "",
            "error: either --image or --from must be specified\n",
        ),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
    world.wait_for_end("now");
    world.run("logs job/now").prints("me sh\n");
    let told = r"'{.metadata.labels.from} {.metadata.annotations.cronjob\.kubernetes\.io/instantiate} {.metadata.ownerReferences[0].name} {.metadata.ownerReferences[0].controller}'";
    assert_eq!(world.value("job now", told), "template manual tick true");
    let args = world.run("create job args --from=cronjob/tick --dry-run=server -o json -- one two").success();
    let job: Value = serde_json::from_str(&args.stdout).expect("JSON");
    assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["args"], serde_json::json!(["one", "two"]));
    remove(&world);
}

#[test]
fn create_cronjob_makes_what_kubectl_makes() {
    let world = World::new();
    let line = "create cronjob c --image=y --schedule='*/5 * * * *' --dry-run=client -o yaml -- echo hi";
    world.run(line).prints(
        "
        apiVersion: batch/v1
        kind: CronJob
        metadata:
          creationTimestamp: null
          name: c
        spec:
          jobTemplate:
            metadata:
              creationTimestamp: null
              name: c
            spec:
              template:
                metadata:
                  creationTimestamp: null
                spec:
                  containers:
                  - command:
                    - echo
                    - hi
                    image: \"y\"
                    name: c
                    resources: {}
                  restartPolicy: OnFailure
          schedule: '*/5 * * * *'
        status: {}
        ",
    );
    for (line, stderr) in [
        ("create cronjob c --image=y -- true", "error: required flag(s) \"schedule\" not set\n"),
        (
            "create cronjob c --schedule=bogus -- true",
            "error: failed to create cronjob: CronJob.batch \"c\" is invalid: spec.schedule: Invalid value: \"bogus\": \
             expected exactly 5 fields, found 1: [bogus]\n",
        ),
        (
            "create cronjob c --schedule='* * * * * *' -- true",
            "error: failed to create cronjob: CronJob.batch \"c\" is invalid: spec.schedule: Invalid value: \"* * * * * *\": \
             expected exactly 5 fields, found 6: [* * * * * *]\n",
        ),
        (
            "create cronjob c --schedule='TZ=UTC 0 0 * * *' -- true",
            "error: failed to create cronjob: CronJob.batch \"c\" is invalid: spec.schedule: Invalid value: \"TZ=UTC 0 0 * * *\": \
             cannot use TZ or CRON_TZ in schedule, use timeZone field instead\n",
        ),
    ] {
        world.run(line).is(1, "", stderr);
    }
}

#[test]
fn a_cronjob_with_many_faults_hears_of_all_at_once() {
    let world = World::new();
    let bad = cron_job(
        &"n".repeat(53),
        "61 * * * *",
        "timeZone: Local\nconcurrencyPolicy: Never\nfailedJobsHistoryLimit: -1\nstartingDeadlineSeconds: -5",
        "true",
    );
    let output = world.command("apply -f -").stdin(bad).run().failure();
    for part in [
        "* spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61\n",
        "* spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones\n",
        "* spec.startingDeadlineSeconds: Invalid value: -5: must be greater than or equal to 0\n",
        "* spec.concurrencyPolicy: Unsupported value: \"Never\": supported values: \"Allow\", \"Forbid\", \"Replace\"\n",
        "* spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0\n",
        "must be no more than 52 characters",
    ] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
}

#[test]
fn the_coming_times_are_shown() {
    let world = World::new();
    let spring = "next --schedule '30 2 * * *' --time-zone Europe/Berlin --from 2026-03-28T00:00:00Z -n 3";
    world
        .run(spring)
        .prints("2026-03-28T02:30:00+01:00\n2026-03-29T03:00:00+02:00\n2026-03-30T02:30:00+02:00\n");
    let json = world.run(&format!("{spring} -o json")).success();
    let times: Vec<String> = serde_json::from_str(&json.stdout).expect("an array");
    assert_eq!(times.len(), 3);
    world.run("next --schedule '0 0 30 2 *'").prints("never\n");
    let _ = world.apply(&cron_job("tick", "0 12 * * *", "suspend: true\ntimeZone: Asia/Kolkata", "true"));
    world
        .run("next cronjob/tick --from 2026-01-01T00:00:00Z --count 1")
        .prints("2026-01-01T12:00:00+05:30\n");
    for (line, stderr) in [
        ("next --schedule @daily --count -1", "error: --count must not be negative, got -1\n"),
        ("next", "error: name one CronJob (cronjob/NAME), or give --schedule\n"),
        ("next --schedule x", "error: schedule \"x\": expected exactly 5 fields, found 1: [x]\n"),
        ("next --schedule @daily --time-zone Mars", "error: unknown time zone Mars\n"),
        (
            "next --schedule @daily --from yesterday",
            "error: --from: \"yesterday\" is no time like 2026-01-01T00:00:00Z: premature end of input\n",
        ),
    ] {
        world.run(line).is(1, "", stderr);
    }
    remove(&world);
}

#[test]
fn the_service_can_be_looked_at_before_it_is_installed() {
    let world = World::new();
    let unit = world.run("service install --print").success().stdout;
    assert!(
        unit.starts_with("[Unit]\n") && unit.contains("\nExecStart=\"") && unit.contains(" watch\n"),
        "{unit}"
    );
    world.run("service status").is(1, "not installed\n", "");
    let output = world.run("service uninstall").failure();
    assert!(output.stderr.starts_with("error: the service is not installed"), "{}", output.stderr);
}

#[test]
fn document_4_an_automated_task() {
    let world = World::new();
    let manifest = r#"apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "@every 1s"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: hello
            image: busybox:1.28
            imagePullPolicy: IfNotPresent
            command:
            - /bin/sh
            - -c
            - date; echo Hello from the Kubernetes cluster
          restartPolicy: OnFailure
"#;
    let path = world.manifest("cronjob.yaml", manifest);
    world.run(&format!("create -f {path}")).prints("cronjob.batch/hello created\n");
    let shown = world.run("get cronjob hello").success();
    assert!(shown.lines()[1].starts_with("hello   @every 1s   <none>     False "), "{}", shown.stdout);
    eventually(A_WHILE, || world.value("jobs", "'{.items[*].status.succeeded}'").contains('1'));
    let _ = world.run("suspend cronjob hello").success();
    let job = world.value("cronjob hello", "{.status.lastScheduleTime}");
    assert!(!job.is_empty());
    let job = jobs(&world).pop().expect("a Job");
    assert!(job.starts_with("hello-"), "{job}");
    let pods =
        world.run(&format!("get pods --selector=job-name={job} --output=jsonpath={{.items..metadata.name}}"));
    let pod = pods.success().stdout;
    let logs = world.run(&format!("logs {pod}")).success().stdout;
    assert!(logs.ends_with("\nHello from the Kubernetes cluster\n"), "{logs}");
    world.run("delete cronjob hello").prints("cronjob.batch \"hello\" deleted\n");
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    eventually(SOON, || world.run("get pods").stderr == "No resources found in default namespace.\n");
}

#[test]
fn document_3_a_backup_of_a_claim_is_accepted_in_its_old_version() {
    let world = World::new();
    let manifest = cron_job("backup-job", "0 2 * * *", "", "true").replace(
        "          containers:\n",
        "          volumes: [{name: data, persistentVolumeClaim: {claimName: data-pvc}}]\n          containers:\n",
    );
    // The document is older than the version that all clusters have now.
    let old = manifest.replace("batch/v1", "batch/v1beta1");
    let output = world.command("apply -f -").stdin(old).run().success();
    assert!(output.stderr.starts_with("Warning: batch/v1beta1 CronJob is deprecated"), "{}", output.stderr);
    assert_eq!(output.stdout, "cronjob.batch/backup-job created\n");
    let volume = "{.items[0].spec.jobTemplate.spec.template.spec.volumes[0].persistentVolumeClaim.claimName}";
    assert_eq!(world.value("cj", volume), "data-pvc");
    let _ = world.run("delete cronjob backup-job").success();
}
