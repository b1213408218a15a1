//! `logs`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, job, kill, restarting_job};

fn pod_of(world: &World, job: &str) -> String {
    world.value(&format!("pods -l job-name={job}"), "{.items[0].metadata.name}")
}

/// A finished pod of two containers and an init container.
fn several() -> World {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: two}
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: setup, command: [echo, set up]}
      containers:
      - {name: a, command: [sh, -c, 'echo a1; echo a2; echo a3']}
      - {name: b, command: [sh, -c, 'echo b1']}
";
    let _ = world.apply(manifest);
    world.wait_for_end("two");
    world
}

#[test]
fn both_streams_are_kept_in_order_whole() {
    let world = World::new();
    let _ = world.apply(&job("hi", "", "echo out; echo err >&2; printf 'no newline'"));
    world.wait_for_end("hi");
    let logs = world.run("logs job/hi").success();
    let mut lines = logs.lines();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "no newline", "out"]);
    assert_eq!(logs.stderr, "");
    let pod = pod_of(&world, "hi");
    assert_eq!(world.run(&format!("logs {pod}")).success().stdout, logs.stdout);
    assert_eq!(world.run(&format!("logs pod/{pod}")).success().stdout, logs.stdout);
    assert_eq!(world.run("logs -l job-name=hi").success().stdout, logs.stdout);
}

#[test]
fn a_large_output_is_kept_byte_by_byte() {
    let world = World::new();
    let _ = world.apply(&job("big", "", "seq 1 200000"));
    world.wait_for_end("big");
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(world.run("logs job/big").success().stdout == expected, "the output differs");
    world.run("logs job/big --tail=2").prints("199999\n200000\n");
}

#[test]
fn containers_are_chosen_by_name() {
    let world = several();
    let pod = pod_of(&world, "two");
    world.run(&format!("logs {pod}")).is(
        0,
        "a1\na2\na3\n",
        "Defaulted container \"a\" out of: a, b, setup (init)\n",
    );
    world.run(&format!("logs {pod} b")).prints("b1\n");
    world.run(&format!("logs {pod} -c setup")).prints("set up\n");
    world.run("logs job/two -c b").prints("b1\n");
    world
        .run(&format!("logs {pod} -c zz"))
        .fails_with(&format!("error: container zz is not valid for pod {pod}\n").replace(&pod, "two-xxxxx"));
    let all = world.run("logs job/two --all-containers").success();
    let mut lines = all.lines();
    lines.sort_unstable();
    assert_eq!(lines, ["a1", "a2", "a3", "b1", "set up"]);
    world
        .run(&format!("logs {pod} -c a --all-containers"))
        .fails_with("error: --all-containers=true should not be specified with container name a\n");
}

#[test]
fn lines_can_be_limited_stamped_and_prefixed() {
    let world = several();
    let pod = pod_of(&world, "two");
    world.run(&format!("logs {pod} -c a --tail=1")).prints("a3\n");
    world.run(&format!("logs {pod} -c a --tail=0")).prints("");
    world.run(&format!("logs {pod} -c a --limit-bytes=4")).prints("a1\na");
    world.run(&format!("logs {pod} -c a --since=1h --tail=2")).prints("a2\na3\n");
    world.run(&format!("logs {pod} -c a --since-time=2100-01-01T00:00:00Z")).prints("");
    world.run(&format!("logs {pod} -c b --prefix")).prints("[pod/two-xxxxx/b] b1\n");
    world.run(&format!("logs {pod} -c b --timestamps")).prints("2026-01-01T00:00:00.000000000Z b1\n");
    world
        .run(&format!("logs {pod} --tail=-2"))
        .fails_with("error: --tail must be greater than or equal to -1\n");
    world.run(&format!("logs {pod} --since-time=foo")).fails_with(
        "error: parsing time \"foo\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"foo\" as \"2006\"\n",
    );
    world
        .run(&format!("logs {pod} --limit-bytes=0"))
        .fails_with("error: --limit-bytes must be greater than 0\n");
    world
        .run(&format!("logs {pod} --since=1s --since-time=2100-01-01T00:00:00Z"))
        .fails_with("error: at most one of `sinceTime` or `sinceSeconds` may be specified\n");
}

#[test]
fn following_a_job_prints_every_pod_and_ends_with_the_job() {
    let world = World::new();
    let script = "echo begin; until test -f go; do sleep 0.01; done; echo end";
    let path = world.manifest("job.yaml", job("slow", "", script));
    let _ = world.run(&format!("apply -f {path}")).success();
    let mut child = world.command("logs -f job/slow").spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "begin", "what is there comes at once");
    world.manifest("go", "");
    assert_eq!(lines.next().expect("a line").expect("text"), "end");
    assert!(lines.next().is_none(), "it ends with the Job");
    assert!(child.wait().expect("wait").success());
}

#[test]
fn following_waits_for_a_container_that_has_not_started_and_goes_on_with_the_next_pod() {
    let world = World::new();
    let _ =
        world.apply(&job("retry", "suspend: true", "echo try; mkdir first 2>/dev/null && exit 1; exit 0"));
    let child = world.command("logs -f job/retry").spawn();
    let _ = world
        .command("apply -f -")
        .stdin(job("retry", "suspend: false", "echo try; mkdir first 2>/dev/null && exit 1; exit 0"))
        .run()
        .success();
    let output = child.wait_with_output().expect("wait");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "try\ntry\n");
    assert!(output.status.success());
}

#[test]
fn the_run_before_the_last_restart_has_its_own_log() {
    let world = World::new();
    let script = "echo run $(ls | wc -l); mkdir again 2>/dev/null && exit 1; exit 0";
    let _ = world.apply(&restarting_job("twice", "", script));
    world.wait_for_end("twice");
    let pod = pod_of(&world, "twice");
    world.run(&format!("logs {pod}")).prints("run 1\n");
    world.run(&format!("logs {pod} -p")).prints("run 0\n");
    let _ = world.apply(&job("once", "", "true"));
    world.wait_for_end("once");
    let pod = pod_of(&world, "once");
    world.run(&format!("logs {pod} -p")).fails_with(
        "Error from server (BadRequest): previous terminated container \"main\" in pod \"once-xxxxx\" not found\n",
    );
}

#[test]
fn of_several_pods_one_is_chosen_and_said_or_all_are_shown() {
    let world = World::new();
    let _ = world.apply(&job("many", "completions: 3\nparallelism: 3", "echo hello"));
    world.wait_for_end("many");
    let one = world.run("logs job/many").success();
    assert_eq!(one.stdout, "hello\n");
    assert_eq!(one.normal_stderr(), "Found 3 pods, using pod/many-xxxxx\n");
    world
        .run("logs job/many --all-pods")
        .prints("[pod/many-xxxxx/main] hello\n[pod/many-xxxxx/main] hello\n[pod/many-xxxxx/main] hello\n");
    world.run("logs -l job-name=many").prints("hello\nhello\nhello\n");
}

#[test]
fn missing_pods_are_told_as_kubectl_does() {
    let world = World::new();
    world.run("logs nope").fails_with(
        "error: error from server (NotFound): pods \"nope\" not found in namespace \"default\"\n",
    );
    world.run("logs -l a=b").is(0, "", "No resources found in default namespace.\n");
    let none = world.run("logs").failure();
    assert!(
        none.stderr.contains("POD or TYPE/NAME is a required argument for the logs command"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_job_without_a_pod_is_waited_for_as_long_as_asked() {
    let world = World::new();
    let _ = world.apply(&job("later", "suspend: true", "true"));
    let started = Instant::now();
    world
        .run("logs job/later --pod-running-timeout=300ms")
        .fails_with("error: timed out waiting for the condition\n");
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn logs_of_a_running_container_are_there_before_it_ends() {
    let world = World::new();
    let _ = world.apply(&job("slow", "", "echo begin; until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.run("logs job/slow").stdout == "begin\n");
    world.manifest("go", "");
}

#[test]
fn with_a_selector_each_pod_says_which_container_is_shown() {
    let world = several();
    let defaulted = "Defaulted container \"a\" out of: a, b, setup (init)\n";
    world.run("logs -l job-name=two").is(0, "a1\na2\na3\n", defaulted);
    world.run("logs -f -l job-name=two").is(0, "a1\na2\na3\n", defaulted);
    world.run("logs -f job/two").is(0, "a1\na2\na3\n", defaulted);
    world.run("logs -l job-name=two -c b").prints("b1\n");
    world.run("logs -l job-name=two --all-containers").prints("set up\na1\na2\na3\nb1\n");
}

#[test]
fn a_container_that_a_pod_does_not_have_is_an_error_however_the_pod_was_found() {
    let world = several();
    for line in [
        "logs -l job-name=two -c zz",
        "logs job/two --all-pods -c zz",
        "logs -f job/two -c zz",
        "logs -f -l job-name=two -c zz",
    ] {
        world.run(line).fails_with("error: container zz is not valid for pod two-xxxxx\n");
    }
}

#[test]
fn a_failed_job_whose_pod_is_gone_can_still_be_followed() {
    let world = World::new();
    let _ = world.apply(&job("gone", "backoffLimit: 0", "echo try; exec sleep 1000"));
    eventually(SOON, || world.run("logs job/gone").stdout == "try\n");
    let _ = world.run("delete pods --all").success();
    world.wait_for_end("gone");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    for line in ["logs job/gone", "logs -f job/gone", "logs -f job/gone -c main", "logs -f job/gone --tail=1"]
    {
        world.run(line).prints("try\n");
    }
    world.run("logs -f job/gone --all-pods").prints("[pod/gone-xxxxx/main] try\n");
}

#[test]
fn a_container_that_was_never_started_is_told_even_when_its_pod_has_ended() {
    let world = World::new();
    let _ = world.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  restartPolicy: Never
  initContainers:
  - {name: one, command: [echo, first]}
  - {name: two, command: [sh, -c, 'exit 3']}
  containers:
  - {name: main, command: [echo, never]}
",
    );
    world.wait_for_value("pod/stuck", "{.status.phase}", "Failed");
    for line in ["logs stuck -c main", "logs -f stuck -c main"] {
        world.run(line).fails_with(
            "Error from server (BadRequest): container \"main\" in pod \"stuck\" is waiting to start: \
             PodInitializing\n",
        );
    }
    world.run("logs stuck -c one").prints("first\n");
    world.run("logs stuck -c two").prints("");
}

/// The log files of the world, with their sizes.
fn log_files(world: &World) -> Vec<(String, u64)> {
    let pods = std::fs::read_dir(world.store().join("pods")).into_iter().flatten().flatten();
    let files = pods.flat_map(|pod| std::fs::read_dir(pod.path()).into_iter().flatten().flatten());
    let mut logs: Vec<(String, u64)> = files
        .filter_map(|file| Some((file.file_name().into_string().ok()?, file.metadata().ok()?.len())))
        .filter(|(name, _)| name.ends_with(".log"))
        .collect();
    logs.sort();
    logs
}

fn bytes_of_logs(world: &World) -> u64 {
    log_files(world).iter().map(|(_, size)| size).sum()
}

/// More lines than a container's log keeps.
const MANY: u32 = 1_400_000;

fn all_lines() -> String {
    (1..=MANY).map(|number| format!("{number}\n")).collect()
}

/// Waits until a Job's logs have stopped to grow, at the size that is kept of them.
fn wait_until_held_up(world: &World) {
    let mut size = 0;
    let mut same = 0;
    eventually(SOON * 3, || {
        let now = bytes_of_logs(world);
        same = if now == size && now > 50_000_000 { same + 1 } else { 0 };
        size = now;
        same == 20
    });
    assert!(size < 56_000_000, "{size} bytes");
}

#[test]
fn run_prints_every_line_however_slowly_it_is_read() {
    let world = World::new();
    let mut child = world.command("run -f -").stdin(job("big", "", &format!("seq 1 {MANY}"))).spawn();
    // Nobody reads: the container has to wait, for no line may go that has not been read.
    wait_until_held_up(&world);
    assert_eq!(world.value("job big", "{.status.active}"), "1");
    let mut output = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut output).expect("text");
    assert!(child.wait().expect("wait").success());
    assert!(output == all_lines(), "{} of {MANY} lines", output.lines().count());
    // Afterwards only the newest is left, and that is said.
    let logs = world.run("logs job/big").success();
    assert!(all_lines().ends_with(&logs.stdout) && logs.stdout.len() < output.len());
    let missing = records_of(MANY - logs.stdout.lines().count() as u32);
    assert_eq!(
        logs.normal_stderr(),
        format!("pod/big-xxxxx: container main: the first {missing} bytes of its log are gone\n")
    );
    world.run("logs job/big --tail=2").prints("1399999\n1400000\n");
}

/// How long the records of the first lines are: each has the time and the stream before it.
fn records_of(lines: u32) -> u64 {
    let before = "2026-01-01T00:00:00.000000000Z stdout F ".len();
    (1..=lines).map(|number| (before + number.to_string().len() + 1) as u64).sum()
}

#[test]
fn a_container_does_not_wait_for_a_run_that_was_killed() {
    let world = World::new();
    let mut child = world.command("run -f -").stdin(job("big", "", &format!("seq 1 {MANY}"))).spawn();
    wait_until_held_up(&world);
    kill(child.id() as i32, Signal::SIGKILL);
    let _ = child.wait();
    world.wait_for_end("big");
    assert_eq!(world.tally("big"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn whoever_follows_too_slowly_is_told_what_has_gone() {
    let world = World::new();
    let script = format!("seq 1 1000; until test -f go; do sleep 0.01; done; seq 1001 {MANY}");
    let _ = world.apply(&job("big", "", &script));
    let mut child = world.command("logs -f job/big").spawn();
    // It holds the first file, and sticks in its output.
    eventually(SOON, || bytes_of_logs(&world) >= records_of(1000));
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut output = String::new();
    stdout.read_line(&mut output).expect("a line");
    world.manifest("go", "");
    world.wait_for_end("big");
    stdout.read_to_string(&mut output).expect("text");
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    assert!(child.wait().expect("wait").success());
    let numbers: Vec<u32> = output.lines().map(|line| line.parse().expect("a whole line")).collect();
    let jumps: Vec<(u32, u32)> =
        numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&MANY)));
    let [(before, after)] = jumps[..] else { panic!("one gap: {jumps:?}") };
    let missing = records_of(after - 1) - records_of(before);
    assert!(
        stderr.ends_with(&format!(": {missing} bytes of its log were removed before they were read\n")),
        "{missing}: {stderr}"
    );
}

#[test]
fn the_logs_of_many_runs_are_bounded_and_the_first_and_the_last_are_kept() {
    let world = World::new();
    let script = "echo begin >> count; echo run $(wc -l < count); head -c 20000000 /dev/zero | tr '\\0' x; \
                  test $(wc -l < count) -ge 7";
    let _ = world.apply(&restarting_job("big", "backoffLimit: 20", script));
    world.wait_for_end("big");
    let logs = log_files(&world);
    let total: u64 = logs.iter().map(|(_, size)| size).sum();
    assert!(total < 80_000_000, "of 140 MB: {logs:?}");
    let is_there = |file: &str| logs.iter().any(|(name, _)| name == file);
    assert!(is_there("main.0.log") && is_there("main.6.log"), "the first and the last: {logs:?}");
    let last = world.run("logs job/big").success().stdout;
    assert!(last.starts_with("run 7\n") && last.len() == 20_000_006, "{}", last.len());
}

#[test]
fn a_pod_of_the_same_name_in_another_namespace_is_another() {
    let world = World::new();
    let pod = |namespace: &str, script: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: same, namespace: {namespace}}}\nspec:\n  restartPolicy: \
             Never\n  terminationGracePeriodSeconds: 1\n  containers:\n  - {{name: main, command: [sh, -c, '{script}']}}\n"
        )
    };
    let _ = world.apply(&pod("a", "echo begin; until test -f go; do sleep 0.01; done; echo end"));
    let _ = world.apply(&pod("b", "exec sleep 1000"));
    let mut child = world.command("logs -f same -n a").spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "begin");
    let _ = world.run("delete pod same -n b").success();
    world.manifest("go", "");
    assert_eq!(lines.next().expect("it goes on").expect("text"), "end");
    assert!(child.wait().expect("wait").success());
}

#[test]
fn what_finished_pods_have_written_stays_when_they_are_deleted_or_drained() {
    let world = World::new();
    // A controller that has seen all of it happen.
    let _ = world.apply(&job("busy", "", "exec sleep 1000"));
    for name in ["deleted", "drained"] {
        let _ = world.apply(&job(name, "completions: 3\nparallelism: 3", "echo hello"));
        world.wait_for_end(name);
        let remove = if name == "deleted" { "delete pods -l job-name=deleted" } else { "drain node1" };
        let _ = world.run(remove).success();
        world.run(&format!("get pods -l job-name={name}")).is(
            0,
            "",
            "No resources found in default namespace.\n",
        );
        // It has taken note by the time that it has done something else.
        let _ = world.apply(
            &job("after", "", "true")
                .replace("    spec:\n", "    spec:\n      tolerations: [{operator: Exists}]\n"),
        );
        world.wait_for_end("after");
        let _ = world.run("delete job after").success();
        let all = world.run(&format!("logs job/{name} --all-pods")).success();
        assert_eq!(all.lines().len(), 3, "{name}: {}", all.stdout);
        assert!(all.lines().iter().all(|line| line.ends_with("/main] hello")), "{}", all.stdout);
        let one = world.run(&format!("logs job/{name}")).success();
        assert_eq!(one.stdout, "hello\n", "{}", one.stderr);
    }
    // With the Jobs goes what was kept.
    let _ = world.run("uncordon node1").success();
    let _ = world.run("delete jobs --all --now").success();
    eventually(SOON, || std::fs::read_dir(world.store().join("pods")).expect("pods").count() == 0);
}

#[test]
fn a_parallel_job_is_followed_to_its_end() {
    let world = World::new();
    // Two at once, of four.
    let script = "echo begin; until test -f go; do sleep 0.01; done; echo end";
    let _ = world.apply(&job("four", "completions: 4\nparallelism: 2", script));
    let mut child = world.command("logs -f job/four").spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for _ in 0..2 {
        let line = lines.next().expect("a line").expect("text");
        assert!(line.starts_with("[pod/four-") && line.ends_with("/main] begin"), "{line}");
    }
    world.manifest("go", "");
    assert_eq!(lines.count(), 6, "all of the four");
    assert!(child.wait().expect("wait").success());
    assert_eq!(world.tally("four"), "4/ SuccessCriteriaMet Complete");
}

#[test]
fn a_cronjob_has_the_logs_of_its_last_run() {
    let world = World::new();
    let _ = world
        .run("create cronjob c --image=busybox --schedule='@yearly' -- sh -c 'echo from $HOSTNAME'")
        .success();
    world.run("logs cronjob/c").fails_with("error: cronjob c has no run whose logs are kept\n");
    for run in ["c-1", "c-2"] {
        let _ = world.run(&format!("create job {run} --from=cronjob/c")).success();
        world.wait_for_end(run);
    }
    let logs = world.run("logs cronjob/c").success().stdout;
    assert!(logs.starts_with("from c-2-"), "{logs}");
    assert_eq!(world.run("logs -f cronjob/c").success().stdout, logs);
    assert!(world.run("logs cronjob/none").failure().stderr.contains("\"none\" not found"));
    let _ = world.run("delete cronjob c").success();
}

#[test]
fn how_the_logs_of_all_failed_pods_end() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: sweep, annotations: {jobctl.local/backoff-base: 1ms}}
spec:
  completions: 5
  parallelism: 5
  completionMode: Indexed
  backoffLimitPerIndex: 1
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        command: [sh, -c, 'seq 1 30; test $((JOB_COMPLETION_INDEX % 2)) = 0 && exit; exit $JOB_COMPLETION_INDEX']
";
    let _ = world.apply(manifest);
    world.wait_for_end("sweep");
    let logs = world.run("logs job/sweep --failed").success();
    assert_eq!(logs.stderr, "");
    let heads: Vec<_> = logs.lines().into_iter().filter(|line| line.starts_with("==>")).collect();
    assert_eq!(heads.len(), 2, "{}", logs.stdout);
    for (head, index) in heads.iter().zip([1, 3]) {
        assert!(head.starts_with(&format!("==> pod/sweep-{index}-")), "{head}");
        let end = format!(", index {index}: container main ended with exit code {index} (Error) <==");
        assert!(head.ends_with(&end), "{head}");
    }
    let tail: String = (11..=30).map(|number| format!("{number}\n")).collect();
    assert_eq!(logs.stdout, format!("{}\n{tail}\n{}\n{tail}", heads[0], heads[1]));
    // Also of pods that were removed, and as many lines as are wanted.
    let _ = world.run("delete pods --all").success();
    let short = format!("{}\n30\n\n{}\n30\n", heads[0], heads[1]);
    assert_eq!(world.run("logs job/sweep --failed --tail=1").success().stdout, short);
    assert_eq!(world.run("logs job/sweep --failed --tail=1 -c main").success().stdout, short);

    let _ = world.apply(&job("good", "", "true"));
    world.wait_for_end("good");
    world.run("logs job/good --failed").is(0, "", "job good has no failed pods\n");
    world
        .run("logs job/sweep --failed -f")
        .fails_with("error: --failed shows what has ended, pod by pod: it cannot be used with --follow\n");
    world.run("logs pod/x --failed").fails_with(
        "error: --failed is for job/NAME and cronjob/NAME; failed pods are listed by: jobctl get pods --failed\n",
    );
    assert!(world.run("logs job/none --failed").failure().stderr.contains("\"none\" not found"));
}
