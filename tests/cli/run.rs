//! `run`: submit, follow, wait, and end as the program ended.

use std::io::{BufRead as _, BufReader, Read as _};

use nix::sys::signal::Signal;

use crate::common::{Output, SOON, World, eventually, job, kill};

fn run(world: &World, manifest: &str) -> crate::common::Output {
    world.command("run -f -").stdin(manifest).run()
}

#[test]
fn the_exit_code_is_the_programs_own() {
    let world = World::new();
    let good = run(&world, &job("good", "", "echo hello")).exits(0);
    assert_eq!(good.stdout, "hello\n");
    let _ = run(&world, &job("seven", "backoffLimit: 0", "exit 7")).exits(7);
    let _ = run(&world, &job("killed", "backoffLimit: 0", "kill -9 $$$$")).exits(137);
    let late = run(&world, &job("late", "activeDeadlineSeconds: 1", "exec sleep 1000")).exits(124);
    assert!(late.stderr.contains("DeadlineExceeded"), "{}", late.stderr);
}

#[test]
fn a_finished_job_of_that_name_is_run_again_and_a_running_one_is_not_disturbed() {
    let world = World::new();
    assert_eq!(run(&world, &job("one", "", "echo first")).exits(0).stdout, "first\n");
    assert_eq!(run(&world, &job("one", "", "echo second")).exits(0).stdout, "second\n");
    let busy = job("busy", "", "echo begin; until test -f go; do sleep 0.01; done; exit 3")
        .replace("spec:\n  template", "spec:\n  backoffLimit: 0\n  template");
    let _ = world.apply(&busy);
    let refused = run(&world, &job("busy", "", "echo other")).exits(1);
    assert_eq!(
        refused.stderr,
        "error: \"STDIN\": job.batch/busy is running, by another manifest; follow it with: jobctl logs -f job/busy\n"
    );
    // By the same manifest it is followed from its beginning.
    let mut child = world.command("run -f -").stdin(busy).spawn();
    let line = first_line_with(child.stderr.take().expect("a pipe"), "busy");
    assert_eq!(line, "job.batch/busy is running already; following it");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "begin");
    world.manifest("go", "");
    assert_eq!(child.wait().expect("wait").code(), Some(3));
}

#[test]
fn time_may_run_out_and_the_job_goes_on() {
    let world = World::new();
    let manifest = job("slow", "", "until test -f go; do sleep 0.01; done");
    let _ = world.command("run -f - --timeout=300ms").stdin(manifest).run().exits(124);
    assert_eq!(world.value("job slow", "{.status.active}"), "1");
    world.manifest("go", "");
    world.wait_for_end("slow");
    assert_eq!(world.tally("slow"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn with_rm_nothing_is_left() {
    let world = World::new();
    let output = world.command("run -f - --rm").stdin(job("one", "", "echo hello")).run().exits(0);
    assert!(output.stdout.starts_with("hello\n"), "{}", output.stdout);
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn several_pods_are_told_apart_by_a_prefix() {
    let world = World::new();
    let output = run(&world, &job("many", "completions: 2\nparallelism: 2", "echo hello")).exits(0);
    assert_eq!(output.normal_stdout(), "[pod/many-xxxxx/main] hello\n[pod/many-xxxxx/main] hello\n");
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let world = World::new();
    for (name, program, problem) in [
        ("missing", "no-such-program", "executable file not found in $PATH"),
        ("plain", "/etc/passwd", "permission denied"),
    ] {
        let manifest = job(name, "backoffLimit: 0", "").replace("[sh, -c, \"\"]", &format!("[{program}]"));
        let output = run(&world, &manifest).exits(128);
        assert_eq!(output.stdout, "");
        let stderr = output.normal_stderr();
        let mut lines = stderr.lines().skip_while(|line| line.starts_with("Warning: "));
        assert_eq!(
            lines.next(),
            Some(&*format!(
                "job.batch/{name} failed: BackoffLimitExceeded: Job has reached the specified backoff limit"
            ))
        );
        let why = lines.next().unwrap_or_default();
        let ended = format!("pod/{name}-xxxxx: container main ended with exit code 128 (StartError): ");
        assert!(why.starts_with(&ended), "{why}");
        assert!(why.contains(&format!("exec: \"{program}\": {problem}")), "{why}");
    }
}

#[test]
fn what_has_been_run_can_be_applied() {
    let world = World::new();
    let manifest = world.manifest("job.yaml", job("one", "", "echo hello"));
    let _ = world.run(&format!("run -f {manifest}")).success();
    world.run(&format!("apply -f {manifest}")).prints("job.batch/one unchanged\n");
}

#[test]
fn several_jobs_are_followed_at_once_and_the_first_that_fails_decides() {
    let world = World::new();
    // Each waits for what only the other one, having started, makes; their words come between each other's.
    let partner = |name: &str, other: &str, end: &str| {
        let script = format!("echo 1; touch {name}; until test -f {other}; do sleep 0.01; done; {end}");
        job(name, "backoffLimit: 0", &script)
    };
    let first = partner("one", "two", "until test -f seen; do sleep 0.01; done; exit 3");
    let second = partner("two", "one", "echo 2; exit 4");
    let mut child = world
        .command("run -f -")
        .stdin(format!("{first}---\n{second}---\n{}", job("three", "", "echo 1")))
        .spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || {
        let line = lines.next().expect("a line").expect("text");
        let (pod, said) = line.strip_prefix("[pod/").and_then(|rest| rest.split_once('/')).expect("a prefix");
        let (name, _) = pod.split_once('-').expect("the pod of a Job");
        format!("{name} {said}")
    };
    // All of this while the first Job still runs.
    let mut said: Vec<String> = (0..4).map(|_| next()).collect();
    said.sort();
    assert_eq!(said, ["one main] 1", "three main] 1", "two main] 1", "two main] 2"]);
    world.manifest("seen", "");
    let output = child.wait_with_output().expect("wait for jobctl");
    let output = Output::new(&world, "jobctl run -f -".into(), output.status, b"", &output.stderr).exits(3);
    let table: Vec<Vec<&str>> = output
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("JOB"))
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let ends: Vec<_> = table.iter().map(|row| (row[0], row[1], *row.last().expect("an exit code"))).collect();
    assert_eq!(ends, [("one", "Failed", "3"), ("two", "Failed", "4"), ("three", "Complete", "0")]);
}

#[test]
fn a_job_that_goes_before_the_others_have_ended_is_in_the_table_all_the_same() {
    let world = World::new();
    let brief = job("brief", "ttlSecondsAfterFinished: 0\nbackoffLimit: 0", "exit 4");
    let long = job("long", "", "until test -f go; do sleep 0.01; done");
    let child = world.command("run -f -").stdin(format!("{brief}---\n{long}")).spawn();
    eventually(SOON, || world.value("jobs", "{.items[*].metadata.name}") == "long");
    world.manifest("go", "");
    let output = child.wait_with_output().expect("wait for jobctl");
    let output = Output::new(&world, "jobctl run -f -".into(), output.status, b"", &output.stderr).exits(4);
    let table: Vec<&str> =
        output.stderr.lines().skip_while(|line| !line.starts_with("JOB")).skip(1).collect();
    assert!(table[0].starts_with("brief   Failed (BackoffLimitExceeded)"), "{table:?}");
    assert!(table[1].starts_with("long    Complete"), "{table:?}");
}

#[test]
fn a_name_given_twice_is_refused_before_anything_runs() {
    let world = World::new();
    let twice = job("one", "", "exec sleep 1000");
    let stream = world.manifest("twice.yaml", format!("{twice}---\n{twice}"));
    world.run(&format!("run -f {stream}")).fails_with(
        "Error from server (AlreadyExists): error when creating \"twice.yaml\": jobs.batch \"one\" already exists\n",
    );
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
    let replaced = world.run(&format!("replace --force -f {stream}")).exits(1);
    assert_eq!(replaced.stdout, "job.batch/one replaced\n");
    assert!(replaced.stderr.ends_with("jobs.batch \"one\" already exists\n"), "{}", replaced.stderr);
    assert_eq!(world.run("get pods -o name").success().lines().len(), 1);
    world.run("rerun --force job/one job/one").prints("job.batch/one rerun\n");
    world.run("delete job one").prints("job.batch \"one\" deleted\n");
    // The pods of those that were replaced may take a moment.
    eventually(SOON, || world.run("get all").stdout.is_empty());
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
    world.assert_no_processes_left();
}

#[test]
fn output_is_complete_when_the_job_goes_before_it_is_read() {
    let world = World::new();
    // More than a pipe holds and than one file of the log.
    let manifest = job("brief", "ttlSecondsAfterFinished: 0", "seq 1 300000");
    let mut child = world.command("run -f -").stdin(manifest).spawn();
    eventually(SOON, || world.value("pods", "{.items[*].metadata.name}").starts_with("brief-"));
    eventually(SOON, || world.value("jobs,pods", "{.items[*].metadata.name}").is_empty());
    let mut output = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut output).expect("text");
    assert!(child.wait().expect("wait").success());
    let expected: String = (1..=300_000).map(|number| format!("{number}\n")).collect();
    assert!(output == expected, "{} lines", output.lines().count());
    assert_eq!(std::fs::read_dir(world.store().join("pods")).expect("pods").count(), 0, "nothing is left");
}

/// The first line of a command's stderr that contains a word.
fn first_line_with(stderr: impl std::io::Read, word: &str) -> String {
    let mut lines = BufReader::new(stderr).lines();
    lines.find_map(|line| line.ok().filter(|line| line.contains(word))).expect("such a line")
}

fn without_command(name: &str) -> String {
    job(name, "", "").replace("command: [sh, -c, \"\"]", "image: redis")
}

#[test]
fn why_a_pod_cannot_start_is_said_as_soon_as_it_is_known() {
    let world = World::new();
    let _ = world.run("cordon node1").success();
    for (manifest, word) in [
        (
            without_command("nothing"),
            "container main is waiting: ErrImagePull: failed to pull image \"redis\"",
        ),
        (job("cordoned", "", "true"), "; to let it start: jobctl uncordon node1"),
    ] {
        if word.contains("ErrImagePull") {
            let _ = world.run("uncordon node1").success();
        } else {
            let _ = world.run("cordon node1").success();
        }
        let mut child = world.command("run -f -").stdin(&manifest).spawn();
        let line = first_line_with(child.stderr.take().expect("a pipe"), "pod/");
        assert!(line.contains(word), "{line}");
        kill(child.id() as i32, Signal::SIGKILL);
        let _ = child.wait();
        let _ = world.run("delete jobs --all").success();
    }
    let _ = world.run("uncordon node1").success();
    // In the summary too, once; and a wait says the same.
    let _ = world.apply(&without_command("nothing"));
    eventually(SOON, || {
        let path = "{.items[*].status.containerStatuses[0].state.waiting.reason}";
        world.value("pods", path).contains("Image")
    });
    let timed_out =
        world.command("run -f - --timeout=300ms").stdin(without_command("nothing")).run().exits(124);
    let said = timed_out.stderr.matches("container main is waiting: ").count();
    assert_eq!(said, 2, "once when it was known, once in the summary: {}", timed_out.stderr);
    assert!(timed_out.stderr.contains("nothing   Waiting ("), "{}", timed_out.stderr);
    let waited = world.run("wait --for=condition=complete job/nothing --timeout=300ms").failure();
    assert!(waited.stderr.contains("container main is waiting: "), "{}", waited.stderr);
    assert!(waited.stderr.ends_with("error: timed out waiting for the condition on jobs/nothing\n"));
    let _ = world.run("delete job nothing").success();
}

#[test]
fn the_wait_before_a_retry_is_told_once() {
    let world = World::new();
    let manifest =
        job("again", "backoffLimit: 3", "exit 1").replace("backoff-base: 10ms", "backoff-base: 3s");
    let mut child = world.command("run -f -").stdin(manifest).spawn();
    let line = first_line_with(child.stderr.take().expect("a pipe"), "has failed");
    assert!(line.contains("job.batch/again: a pod has failed; the next one starts in "), "{line}");
    kill(child.id() as i32, Signal::SIGKILL);
    let _ = child.wait();
    let _ = world.run("delete job again").success();
}

#[test]
fn a_suspended_job_is_not_run() {
    let world = World::new();
    let manifest = world.manifest("job.yaml", job("still", "suspend: true", "true"));
    let refused = world.run(&format!("run -f {manifest}")).failure();
    assert!(
        refused.stderr.starts_with("error: \"job.yaml\": job.batch/still is suspended"),
        "{}",
        refused.stderr
    );
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    let _ = world.run(&format!("apply -f {manifest}")).success();
    let waited = world.run("wait --for=condition=complete job/still --timeout=300ms").failure();
    assert!(
        waited.stderr.starts_with("job.batch/still is suspended; to start it: jobctl resume job/still\n")
    );
}

/// A Job whose processes say so when they are asked to end.
fn endless(name: &str) -> String {
    job(name, "", "trap 'echo asked to end; exit 1' TERM; echo begin; while :; do sleep 0.01; done")
}

/// Starts `run`, and waits for its Job's first line.
fn start(
    world: &World,
    flags: &str,
    stdin: std::process::Stdio,
) -> (std::process::Child, impl Iterator<Item = String>) {
    let manifest = world.manifest("endless.yaml", endless("endless"));
    let mut command = world.command(&format!("run -f {manifest} {flags}")).build();
    let mut child = command.stdin(stdin).spawn().expect("start jobctl");
    let mut lines =
        BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("text"));
    assert_eq!(lines.next().as_deref(), Some("begin"));
    (child, lines)
}

#[test]
fn an_interruption_where_nobody_sits_at_a_terminal_deletes_the_job_and_its_processes() {
    for world in [World::new(), World::without_background()] {
        for (signal, code, flags) in [
            (Signal::SIGTERM, 143, ""),
            (Signal::SIGINT, 130, "--rm"),
            (Signal::SIGINT, 130, "--detach-on-interrupt=false"),
        ] {
            let (child, lines) = start(&world, flags, std::process::Stdio::null());
            kill(child.id() as i32, signal);
            let rest: Vec<String> = lines.collect();
            let output = child.wait_with_output().expect("wait");
            assert_eq!(output.status.code(), Some(code));
            // Nothing of it is left when it ends, and what was said at the end is printed.
            assert_eq!(world.processes_named("sh").len(), 0);
            world.run("get all").is(0, "", "No resources found in default namespace.\n");
            assert!(rest.iter().any(|line| line == "asked to end"), "{rest:?}");
            assert_eq!(
                std::fs::read_dir(world.store().join("pods")).expect("pods").count(),
                0,
                "no logs are left"
            );
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let expected = format!(
                "{signal}: deleting job.batch/endless and waiting for the processes to end; a second signal ends jobctl at \
                 once\n"
            );
            assert_eq!(stderr, expected);
        }
    }
}

#[test]
fn ctrl_c_at_a_terminal_leaves_the_job_and_says_how_to_go_on() {
    let world = World::new();
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let said = "SIGINT: job.batch/endless goes on\n  to follow it: jobctl logs -f job/endless\n  to delete it: jobctl delete \
                job endless\n";
    for (flags, stdin) in [
        ("", std::process::Stdio::from(terminal.slave.try_clone().expect("a second name"))),
        ("--detach-on-interrupt", std::process::Stdio::null()),
        // The one that runs already is not ours to delete.
        ("", std::process::Stdio::null()),
    ] {
        let (child, _) = start(&world, flags, stdin);
        kill(child.id() as i32, Signal::SIGINT);
        let output = child.wait_with_output().expect("wait");
        assert_eq!(output.status.code(), Some(130));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.ends_with(said), "{stderr}");
        assert_eq!(world.value("job endless", "{.status.active}"), "1");
    }
    let _ = world.run("delete job endless").success();
}

#[test]
fn a_second_signal_ends_at_once() {
    let world = World::new();
    let stubborn = job("stubborn", "", "trap '' TERM; echo begin; while :; do sleep 0.01; done")
        .replace("GracePeriodSeconds: 5", "GracePeriodSeconds: 1000");
    let mut child = world.command("run -f -").stdin(stubborn).spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "begin");
    kill(child.id() as i32, Signal::SIGINT);
    let said = first_line_with(child.stderr.take().expect("a pipe"), "deleting");
    assert!(said.starts_with("SIGINT"), "{said}");
    kill(child.id() as i32, Signal::SIGTERM);
    assert_eq!(child.wait().expect("wait").code(), Some(143));
    let _ = world.run("delete jobs,pods --all --now").success();
}

/// Follows sixty pods under limits that a shell sets; each speaks once at the start, and once at its end.
fn follow_sixty_pods(limits: &str) {
    let world = World::new();
    let script = "echo hello; until test -f go; do sleep 0.1; done; echo bye";
    let manifest = world.manifest("many.yaml", job("many", "completions: 60\nparallelism: 60", script));
    // Applied before, so that the controller has another limit.
    let _ = world.run(&format!("apply -f {manifest}")).success();
    let command = world.command(&format!("run -f {manifest}")).build();
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", &format!("{limits}; exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().expect("a directory"));
    limited
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = limited.spawn().expect("start jobctl");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut count = |word: &str| {
        let ends = format!("/main] {word}");
        lines.by_ref().take(60).filter(|line| line.as_ref().is_ok_and(|line| line.ends_with(&ends))).count()
    };
    // All sixty at once.
    assert_eq!(count("hello"), 60, "{limits}");
    world.manifest("go", "");
    assert_eq!(count("bye"), 60, "{limits}");
    let output = child.wait_with_output().expect("wait");
    assert!(output.status.success(), "{limits}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn more_pods_are_followed_than_files_may_be_open_at_first() {
    follow_sixty_pods("ulimit -S -n 40");
}

#[test]
fn more_pods_are_followed_than_files_may_ever_be_open() {
    follow_sixty_pods("ulimit -n 30");
}

#[test]
fn an_interruption_is_heard_while_nobody_reads_the_output() {
    let world = World::new();
    let manifest = world.manifest("flood.yaml", job("flood", "", "exec yes"));
    let mut child = world.command(&format!("run -f {manifest}")).spawn();
    // It sticks in its output, and the container is about to be held up.
    eventually(SOON, || {
        let logs = world.run("logs job/flood --tail=1").stdout;
        logs == "y\n" && world.processes_named("yes").len() == 1
    });
    kill(child.id() as i32, Signal::SIGTERM);
    eventually(SOON, || child.try_wait().expect("wait").is_some());
    assert_eq!(child.wait().expect("wait").code(), Some(143));
    assert!(world.processes_named("yes").is_empty());
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
    assert_eq!(std::fs::read_dir(world.store().join("pods")).expect("pods").count(), 0, "no logs are left");
}
