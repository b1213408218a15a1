//! What becomes of Jobs: pods, counts, conditions, and what is left in the process table.

use std::io::Read as _;
use std::time::{Duration, Instant};

use crate::common::{SOON, World, eventually, is_alive, job, restarting_job};

/// The Job's conditions with reason and message, one a line.
fn conditions(world: &World, name: &str) -> String {
    let path = r#"'{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'"#;
    world.value(&format!("job {name}"), path)
}

#[test]
fn a_job_completes_after_the_command_that_started_it_has_returned() {
    let world = World::new();
    let _ = world.apply(&job("hi", "", "echo hello"));
    world.run("wait --for=condition=complete job/hi").prints("job.batch/hi condition met\n");
    world.run("logs job/hi").prints("hello\n");
    let expected = "SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods\n\
                    Complete=True CompletionsReached: Reached expected number of succeeded pods\n";
    assert_eq!(conditions(&world, "hi"), expected);
    assert_ne!(world.value("job hi", "{.status.completionTime}"), "");
}

#[test]
fn a_fixed_completion_count_is_reached_exactly_and_parallelism_never_exceeded() {
    let world = World::new();
    // `$$` in a command means one dollar, to Kubernetes. Each pod leaves a file while it runs; the file's name tells how many there were at once.
    let script = "touch run.$$$$; ls run.* | wc -l >> seen; sleep 0.05; rm run.$$$$";
    let _ = world.apply(&job("six", "completions: 6\nparallelism: 2", script));
    world.wait_for_end("six");
    assert_eq!(world.tally("six"), "6/ SuccessCriteriaMet Complete");
    let seen = std::fs::read_to_string(world.path("work/seen")).expect("every pod writes");
    assert_eq!(seen.lines().count(), 6, "each pod ran once");
    assert!(seen.lines().all(|count| count.trim() == "1" || count.trim() == "2"), "at once: {seen:?}");
    assert!(seen.lines().any(|count| count.trim() == "2"), "two ran side by side: {seen:?}");
    assert_eq!(world.run("get pods -l job-name=six --no-headers").success().lines().len(), 6);
}

#[test]
fn a_work_queue_ends_when_one_has_succeeded_and_the_others_have_ended_by_themselves() {
    let world = World::new();
    // The first to make the directory succeeds at once; the others see the queue empty and end a little later.
    let script = "mkdir done && exit 0; until test -f go; do sleep 0.01; done";
    let _ = world.apply(&job("queue", "parallelism: 3", script));
    eventually(SOON, || world.value("job queue", "{.status.succeeded}") == "1");
    assert_eq!(
        world.value("job queue", "{.status.active}"),
        "2",
        "nobody is stopped and nobody new is started"
    );
    world.manifest("go", "");
    world.wait_for_end("queue");
    assert_eq!(world.tally("queue"), "3/ SuccessCriteriaMet Complete");
    assert_eq!(world.value("job queue", "{.spec.completions}"), "");
}

#[test]
fn failures_of_a_work_queues_other_workers_do_not_matter_once_one_has_succeeded() {
    let world = World::new();
    let script = "mkdir done && exit 0; until test -f go; do sleep 0.01; done; exit 1";
    let _ = world.apply(&job("queue", "parallelism: 2\nbackoffLimit: 3", script));
    eventually(SOON, || world.value("job queue", "{.status.succeeded}") == "1");
    world.manifest("go", "");
    world.wait_for_end("queue");
    assert_eq!(world.tally("queue"), "1/1 SuccessCriteriaMet Complete");
}

#[test]
fn parallelism_of_zero_is_a_pause_that_scale_ends() {
    let world = World::new();
    let _ = world.apply(&job("paused", "parallelism: 0\ncompletions: 2", "true"));
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    world.run("get job paused").prints(
        "
        NAME     STATUS    COMPLETIONS   DURATION   AGE
        paused   Running   0/2           0s         0s
        ",
    );
    world.run("scale --replicas=2 job/paused").prints("job.batch/paused scaled\n");
    world.wait_for_end("paused");
    assert_eq!(world.tally("paused"), "2/ SuccessCriteriaMet Complete");
}

#[test]
fn a_job_whose_pods_fail_has_reached_its_backoff_limit_after_exactly_one_pod_more() {
    let world = World::new();
    let _ = world.apply(&job("bad", "backoffLimit: 2", "echo no; exit 7"));
    world.wait_for_end("bad");
    assert_eq!(world.tally("bad"), "/3 FailureTarget Failed");
    let expected = "FailureTarget=True BackoffLimitExceeded: Job has reached the specified backoff limit\n\
                    Failed=True BackoffLimitExceeded: Job has reached the specified backoff limit\n";
    assert_eq!(conditions(&world, "bad"), expected);
    assert_eq!(world.value("job bad", "{.status.completionTime}"), "", "only a complete Job has one");
    world.run("get pods").prints(
        "
        NAME        READY   STATUS   RESTARTS   AGE
        bad-xxxxx   0/1     Error    0          0s
        bad-xxxxx   0/1     Error    0          0s
        bad-xxxxx   0/1     Error    0          0s
        ",
    );
    assert_eq!(
        world.value("pods", "'{.items[*].status.containerStatuses[0].state.terminated.exitCode}'"),
        "7 7 7"
    );
}

#[test]
fn on_failure_the_container_is_restarted_in_its_pod_until_it_succeeds() {
    let world = World::new();
    let script = "echo try >> tries; test $(wc -l < tries) -ge 3";
    let _ = world.apply(&restarting_job("again", "", script));
    world.wait_for_end("again");
    assert_eq!(world.tally("again"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(world.value("pods", "'{.items[*].status.containerStatuses[0].restartCount}'"), "2");
    assert_eq!(std::fs::read_to_string(world.path("work/tries")).expect("written"), "try\ntry\ntry\n");
}

#[test]
fn on_failure_restarts_count_towards_the_backoff_limit() {
    let world = World::new();
    let _ = world.apply(&restarting_job("never", "backoffLimit: 2", "echo try; exit 3"));
    world.wait_for_end("never");
    assert_eq!(
        conditions(&world, "never").lines().next_back(),
        Some("Failed=True BackoffLimitExceeded: Job has reached the specified backoff limit")
    );
    world.run("logs job/never --all-pods").success().stdout.lines().for_each(|line| {
        assert!(line.ends_with("try"), "evidence of failed attempts stays: {line}");
    });
}

#[test]
fn a_deadline_stops_the_pods_and_fails_the_job() {
    let world = World::new();
    let started = Instant::now();
    let _ = world.apply(&job("late", "activeDeadlineSeconds: 1", "exec sleep 1000"));
    world.wait_for_end("late");
    assert!(started.elapsed() >= Duration::from_secs(1), "not before its time");
    let expected = "FailureTarget=True DeadlineExceeded: Job was active longer than specified deadline\n\
                    Failed=True DeadlineExceeded: Job was active longer than specified deadline\n";
    assert_eq!(conditions(&world, "late"), expected);
    assert_eq!(world.value("job late", "{.status.active}"), "");
    world.assert_no_processes_left();
}

#[test]
fn a_finished_job_goes_after_its_ttl_with_its_pods_and_their_files() {
    let world = World::new();
    let _ = world.apply(&job("brief", "ttlSecondsAfterFinished: 1", "echo hello"));
    world.run("wait --for=condition=complete job/brief").prints("job.batch/brief condition met\n");
    let _ = world.run("wait --for=delete job/brief --timeout=10s").success();
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
    world.assert_no_processes_left();
    let left = std::fs::read_dir(world.store().join("pods")).expect("pods").count();
    assert_eq!(left, 0, "directories of pods");
    // A script that waits too late still learns the truth.
    world.run("wait --for=condition=complete job/brief").prints("job.batch/brief condition met\n");
}

#[test]
fn a_job_that_goes_at_once_is_still_seen_to_end() {
    let world = World::new();
    let brief = |name: &str, script: &str| job(name, "ttlSecondsAfterFinished: 0\nbackoffLimit: 0", script);
    let path = world.manifest("run.yaml", brief("failing", "echo out; exit 4"));
    let run = world.run(&format!("run -f {path}")).exits(4);
    assert_eq!(run.stdout, "out\n");
    assert!(run.stderr.starts_with("job.batch/failing failed: BackoffLimitExceeded"), "{}", run.stderr);
    let _ = world.apply(&brief("well", "true"));
    world.run("wait --for=condition=complete job/well").prints("job.batch/well condition met\n");
    let _ = world.run("wait --for=delete job/well job/failing --timeout=10s").success();
    world.run("wait --for=condition=complete job/well").prints("job.batch/well condition met\n");
}

#[test]
fn a_deadline_may_lie_beyond_the_calendar() {
    let world = World::new();
    for seconds in ["9000000000000", "9223372036854775807"] {
        let _ = world.apply(&job(
            &format!("far-{seconds}"),
            &format!("activeDeadlineSeconds: {seconds}"),
            "true",
        ));
        world.wait_for_end(&format!("far-{seconds}"));
        assert_eq!(world.tally(&format!("far-{seconds}")), "1/ SuccessCriteriaMet Complete");
    }
}

#[test]
fn a_supervisor_takes_one_pod_after_the_other_and_nothing_of_one_is_seen_by_the_next() {
    let world = World::new();
    // Each leaves a process behind that has gone its own way; the next finds none.
    let script =
        "echo $PPID $(grep -lsxz '9876[5]' /proc/[0-9]*/cmdline | wc -l); (setsid sleep 98765 &); true";
    let _ = world.apply(&job("row", "completions: 20\nparallelism: 1", script));
    world.wait_for_end("row");
    let logs = world.run("logs job/row --all-pods").success();
    let seen: Vec<(String, String)> = logs
        .lines()
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(parent, left)| (parent.rsplit(' ').next().unwrap_or_default().to_owned(), left.to_owned()))
        .collect();
    assert_eq!(seen.len(), 20, "{logs:?}");
    assert!(seen.iter().all(|(_, left)| left == "0"), "{seen:?}");
    let supervisors: std::collections::BTreeSet<&String> = seen.iter().map(|(parent, _)| parent).collect();
    assert!(supervisors.len() < 20, "at least once a supervisor was not too late for the next pod: {seen:?}");
    world.assert_no_processes_left();
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("later", "suspend: true", "echo ran"));
    let _ = world.run(&format!("apply -f {path}")).success();
    assert_eq!(conditions(&world, "later"), "Suspended=True JobSuspended: Job suspended\n");
    assert_eq!(world.value("job later", "{.status.startTime}"), "");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    world.run("get job later").prints(
        "
        NAME    STATUS      COMPLETIONS   DURATION   AGE
        later   Suspended   0/1                      0s
        ",
    );
    world.manifest("job.yaml", job("later", "suspend: false", "echo ran"));
    world.run(&format!("apply -f {path}")).prints("job.batch/later configured\n");
    world.wait_for_end("later");
    assert_eq!(conditions(&world, "later").lines().next(), Some("Suspended=False JobResumed: Job resumed"));
    world.run("logs job/later").prints("ran\n");
}

#[test]
fn suspending_a_running_job_stops_its_pods_without_counting_them_as_failed() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("busy", "", "test -f go || exec sleep 1000"));
    let _ = world.run(&format!("apply -f {path}")).success();
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    world.manifest("job.yaml", job("busy", "suspend: true", "test -f go || exec sleep 1000"));
    world.run(&format!("apply -f {path}")).prints("job.batch/busy configured\n");
    eventually(SOON, || world.processes_named("sleep").is_empty());
    world.wait_for_value("job/busy", "{.status.terminating}", "0");
    assert_eq!(world.tally("busy"), "/ Suspended");
    world.assert_no_processes_left();
    world.manifest("go", "");
    world.manifest("job.yaml", job("busy", "suspend: false", "test -f go || exec sleep 1000"));
    world.run(&format!("apply -f {path}")).prints("job.batch/busy configured\n");
    world.wait_for_end("busy");
    assert_eq!(world.tally("busy"), "1/ Suspended SuccessCriteriaMet Complete");
}

#[test]
fn scaling_a_running_job_starts_and_stops_pods() {
    let world = World::new();
    let _ = world.apply(&job("many", "completions: 10\nparallelism: 1", "test -f go || exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let _ = world.run("scale job many --replicas=4").success();
    eventually(SOON, || world.processes_named("sleep").len() == 4);
    let _ = world.run("scale job many --replicas=2").success();
    eventually(SOON, || world.processes_named("sleep").len() == 2);
    assert_eq!(world.value("job many", "{.status.failed}"), "", "stopped pods have not failed");
    let _ = world.run("scale job many --replicas=0").success();
    eventually(SOON, || world.processes_named("sleep").is_empty());
    world.manifest("go", "");
    let _ = world.run("scale job many --replicas=5").success();
    world.wait_for_end("many");
    assert_eq!(world.tally("many"), "10/ SuccessCriteriaMet Complete");
}

#[test]
fn a_command_that_does_not_exist_is_a_start_error_that_names_it() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: missing}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox
        command: [\"no-such-program\", \"hello\"]
";
    let _ = world.apply(manifest);
    world.wait_for_end("missing");
    let path = "'{.items[0].status.containerStatuses[0].state.terminated.exitCode} \
                {.items[0].status.containerStatuses[0].state.terminated.reason} \
                {.items[0].status.containerStatuses[0].state.terminated.message}'";
    let found = world.value("pods", path);
    assert!(found.starts_with("128 StartError "), "{found}");
    assert!(
        found.ends_with(
            "unable to start container process: exec: \"no-such-program\": executable file not found in $PATH"
        ),
        "the words of container runtimes, but for those that are not here: {found}"
    );
    world.run("get pods").prints(
        "
        NAME            READY   STATUS       RESTARTS   AGE
        missing-xxxxx   0/1     StartError   0          0s
        ",
    );
    let described = world.run("describe pod").success().stdout;
    assert!(described.contains("no-such-program"), "{described}");
}

#[test]
fn exit_codes_are_kept_and_signals_are_128_and_their_number() {
    let world = World::new();
    for (name, script, code) in
        [("seven", "exit 7", "7"), ("segv", "kill -s SEGV $$$$", "139"), ("kill", "kill -9 $$$$", "137")]
    {
        let _ = world.apply(&job(name, "backoffLimit: 0", script));
        world.wait_for_end(name);
        let path = "'{.items[*].status.containerStatuses[*].state.terminated.exitCode}'";
        assert_eq!(world.value(&format!("pods -l job-name={name}"), path), code, "{script}");
    }
}

#[test]
fn a_deleted_pods_process_may_end_in_order_after_sigterm() {
    let world = World::new();
    let script = "trap 'echo bye > said; exit 0' TERM; touch ready; while :; do sleep 0.01; done";
    let _ = world.apply(&job("polite", "", script));
    eventually(SOON, || world.path("work/ready").exists());
    let _ = world.run("delete job polite --cascade=foreground").success();
    assert_eq!(std::fs::read_to_string(world.path("work/said")).expect("written"), "bye\n");
    world.assert_no_processes_left();
}

#[test]
fn whoever_ignores_sigterm_is_killed_when_the_grace_period_is_over_and_not_before() {
    let world = World::new();
    let _ = world.apply(&job("stubborn", "", "trap '' TERM; touch ready; while :; do sleep 0.01; done"));
    eventually(SOON, || world.path("work/ready").exists());
    let started = Instant::now();
    let _ = world.run("delete job stubborn --grace-period=1 --cascade=foreground").success();
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(900), "killed too early: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(15), "killed too late: {elapsed:?}");
    world.assert_no_processes_left();
}

#[test]
fn nothing_of_a_pod_is_left_alive_whatever_it_does_to_escape() {
    let world = World::new();
    let script = "setsid sleep 1001 & \
                  (trap '' TERM; exec sleep 1002) & \
                  (setsid sh -c 'trap \"\" TERM HUP; sleep 1003 & sleep 1003' &) ; \
                  (env -i setsid sleep 1004 >/dev/null 2>&1 </dev/null &) ; \
                  nohup sleep 1005 >/dev/null 2>&1 & \
                  until test $(ps ax | grep -c '[s]leep 100') -ge 5; do sleep 0.01; done";
    let _ = world.apply(&job("escape", "", script));
    world.wait_for_end("escape");
    assert_eq!(world.tally("escape"), "1/ SuccessCriteriaMet Complete");
    assert!(world.processes_named("sleep").is_empty(), "{:?}", world.processes());
}

#[test]
fn deleting_a_job_leaves_none_of_its_escaped_children() {
    let world = World::new();
    let script = "setsid sh -c 'trap \"\" TERM; sleep 1001 & sleep 1001' & touch ready; wait";
    let _ = world.apply(&job("escape", "", script));
    eventually(SOON, || world.path("work/ready").exists() && world.processes_named("sleep").len() == 2);
    let _ = world.run("delete job escape --now --cascade=foreground").success();
    assert!(world.processes_named("sleep").is_empty(), "{:?}", world.processes());
}

#[test]
fn a_pod_of_several_containers_ends_when_all_have_and_fails_when_one_has() {
    let world = World::new();
    let manifest = |name: &str, second: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  backoffLimit: 0\n  template:\n    \
             spec:\n      restartPolicy: Never\n      containers:\n      - name: a\n        command: [echo, from a]\n      \
             - name: b\n        command: [sh, -c, {second:?}]\n"
        )
    };
    let _ = world.apply(&manifest("good", "echo from b"));
    let _ = world.apply(&manifest("bad", "exit 4"));
    world.wait_for_end("good");
    world.wait_for_end("bad");
    assert_eq!(world.tally("good"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(world.tally("bad"), "/1 FailureTarget Failed");
    let logs = world.run("logs job/good --all-containers --prefix");
    logs.prints("[pod/good-xxxxx/a] from a\n[pod/good-xxxxx/b] from b\n");
    world.run("get pods -l job-name=good").prints(
        "
        NAME         READY   STATUS      RESTARTS   AGE
        good-xxxxx   0/2     Completed   0          0s
        ",
    );
}

#[test]
fn init_containers_run_one_after_another_before_the_others() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: steps}
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: one, command: [sh, -c, 'sleep 0.05; echo one >> order']}
      - {name: two, command: [sh, -c, 'echo two >> order']}
      containers:
      - {name: main, command: [sh, -c, 'echo main >> order']}
";
    let _ = world.apply(manifest);
    world.wait_for_end("steps");
    assert_eq!(std::fs::read_to_string(world.path("work/order")).expect("written"), "one\ntwo\nmain\n");
}

#[test]
fn a_failed_init_container_fails_the_pod_and_the_others_never_run() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: steps}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: one, command: [sh, -c, 'exit 3']}
      containers:
      - {name: main, command: [touch, main-ran]}
";
    let _ = world.apply(manifest);
    world.wait_for_end("steps");
    assert_eq!(world.tally("steps"), "/1 FailureTarget Failed");
    assert!(!world.path("work/main-ran").exists());
    world.run("get pods").prints(
        "
        NAME          READY   STATUS       RESTARTS   AGE
        steps-xxxxx   0/1     Init:Error   0          0s
        ",
    );
}

#[test]
fn a_sidecar_runs_beside_the_others_and_ends_with_them() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: aided}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 2
      initContainers:
      - name: helper
        restartPolicy: Always
        command: [sh, -c, 'touch up; trap \"exit 0\" TERM; while :; do sleep 0.01; done']
      containers:
      - {name: main, command: [sh, -c, 'until test -f up; do sleep 0.01; done; echo helped']}
";
    let _ = world.apply(manifest);
    world.wait_for_end("aided");
    assert_eq!(world.tally("aided"), "1/ SuccessCriteriaMet Complete");
    world.run("logs job/aided -c main").prints("helped\n");
    world.assert_no_processes_left();
}

#[test]
fn variables_are_expanded_as_the_kubelet_does() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: vars}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        env:
        - {name: WHO, value: world}
        - {name: GREETING, value: hello $(WHO)}
        - {name: LATER, value: $(AFTER)}
        - {name: AFTER, value: x}
        command: [echo, $(GREETING), $$(WHO), $(NOBODY), $(LATER)]
        args: ['$(WHO)!', $HOME]
";
    let _ = world.apply(manifest);
    world.wait_for_end("vars");
    world.run("logs job/vars").prints("hello world $(WHO) $(NOBODY) $(AFTER) world! $HOME\n");
}

#[test]
fn a_pod_has_a_clean_environment_and_what_is_passed_on_purpose() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("env", "", "env | cut -d= -f1 | sort | tr '\\n' ' '"));
    let apply = world.command(&format!("apply -f {path} --pass-env WANTED"));
    let _ = apply.env("SECRET_TOKEN", "leak").env("WANTED", "yes").env("LC_ALL", "C").run().success();
    world.wait_for_end("env");
    let names = world.run("logs job/env").success().stdout;
    let names: Vec<&str> =
        names.split_whitespace().filter(|name| !["_", "OLDPWD", "SHLVL"].contains(name)).collect();
    let expected = "HOME HOSTNAME JOBCTL_CONTAINER JOBCTL_NODE_NAME JOBCTL_POD_UID LC_ALL PATH PWD WANTED";
    let expected: Vec<&str> = expected.split(' ').collect();
    assert_eq!(names, expected);
}

#[test]
fn a_pass_env_of_a_variable_that_does_not_exist_is_an_error_and_nothing_is_created() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("env", "", "true"));
    let output = world.run(&format!("apply -f {path} --pass-env NO_SUCH_ONE"));
    output.fails_with("error: --pass-env: there is no variable NO_SUCH_ONE\n");
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn a_container_runs_where_its_object_was_created_or_where_it_says() {
    let world = World::new();
    world.manifest("sub/job.yaml", job("here", "", "pwd"));
    let _ = world.command("apply -f job.yaml").directory("work/sub").run().success();
    world.wait_for_end("here");
    world.run("logs job/here").prints("WORK/sub\n");
    let there = job("there", "", "pwd").replace("name: main", "name: main\n        workingDir: /usr/bin");
    let _ = world.apply(&there);
    world.wait_for_end("there");
    world.run("logs job/there").prints("/usr/bin\n");
}

#[test]
fn nothing_in_the_background_holds_the_callers_pipes_open() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("slow", "", "exec sleep 1000"));
    let started = Instant::now();
    let mut child = world.command(&format!("apply -f {path}")).spawn();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    // Both reach their end only when nobody holds them any more.
    child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("read");
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("read");
    assert!(child.wait().expect("wait").success());
    assert!(started.elapsed() < SOON, "the caller was kept waiting {:?}", started.elapsed());
    assert_eq!((stdout.as_str(), stderr.as_str()), ("job.batch/slow created\n", ""));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let sleeper = world.processes_named("sleep")[0];
    for process in world.processes() {
        for fd in 0..3 {
            let open = std::fs::read_link(format!("/proc/{}/fd/{fd}", process.pid)).unwrap_or_default();
            let ours = open.to_string_lossy().into_owned();
            assert!(process.pid == sleeper || !ours.starts_with("pipe:"), "{process:?} holds {ours}");
        }
    }
    let _ = world.run("delete job slow --now --cascade=foreground").success();
    assert!(!is_alive(sleeper));
}

#[test]
fn what_a_command_has_reported_the_next_one_sees() {
    let world = World::new();
    for turn in 0..10 {
        let name = format!("turn-{turn}");
        let _ = world.apply(&job(&name, "", "echo hello"));
        assert_eq!(world.value(&format!("job {name}"), "{.metadata.name}"), name);
        let pods = world.run(&format!("get pods -l job-name={name} -o name")).success();
        assert_eq!(pods.lines().len(), 1, "the pod is there as soon as apply has returned");
        world.wait_for_end(&name);
        world.run(&format!("logs job/{name}")).prints("hello\n");
        world.run(&format!("delete job {name}")).prints(&format!("job.batch \"{name}\" deleted\n"));
        let pods = world.run(&format!("get pods -l job-name={name} -o name")).success();
        assert_eq!(pods.lines().len(), 0, "the pods went with it");
    }
}

#[test]
fn a_bare_pod_runs_and_always_means_again_and_again() {
    let world = World::new();
    let manifest = "
apiVersion: v1
kind: Pod
metadata:
  name: loop
  annotations: {jobctl.local/backoff-base: 10ms}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, command: [sh, -c, 'echo run >> runs']}
";
    world.command("apply -f -").stdin(manifest).run().prints("pod/loop created\n");
    eventually(SOON, || {
        std::fs::read_to_string(world.path("work/runs")).is_ok_and(|runs| runs.lines().count() >= 3)
    });
    world.run("delete pod loop").prints("pod \"loop\" deleted\n");
    world.assert_no_processes_left();
}
