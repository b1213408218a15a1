//! The manifests below docs/examples, run as a reader of the documentation would.

use std::path::Path;

use crate::common::World;

/// Copies an example into the world's working directory.
fn example(world: &World, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name);
    world.manifest(name, std::fs::read(path).expect("read the example"));
}

fn is_installed(program: &str) -> bool {
    std::process::Command::new(program).arg("-v").output().is_ok()
}

#[test]
fn the_main_job_of_the_readme_prints_pi() {
    if !is_installed("perl") {
        println!("skipped: no perl on this machine");
        return;
    }
    let world = World::new();
    example(&world, "pi.yaml");
    let output = world.run("run -f pi.yaml").success();
    assert!(output.stdout.starts_with("3.14159265358979323846"), "{}", output.stdout);
    // A second time, as a reader does who liked the first.
    let output = world.run("run -f pi.yaml --rm --quiet").success();
    assert_eq!(output.stderr, "");
    assert_eq!(world.value("jobs", "{.items[*].metadata.name}"), "");
}

#[test]
fn twelve_runs_four_at_a_time() {
    let world = World::new();
    example(&world, "parallel.yaml");
    let submitted = world.run("apply -f parallel.yaml").success();
    assert_eq!(submitted.stdout, "job.batch/parallel created\n");
    let waited = world.run("wait --for=condition=complete job/parallel").success();
    assert_eq!(waited.stdout, "job.batch/parallel condition met\n");
    assert_eq!(world.value("job/parallel", "{.status.succeeded}"), "12");
    let logs = world.run("logs job/parallel --all-pods --tail=1").success();
    let said: Vec<&str> = logs.stdout.lines().collect();
    assert_eq!(said.len(), 12, "{}", logs.stdout);
    for line in said {
        // Every line as the README shows it: the pod's prefix, and what the pod says of itself.
        let pod = line.strip_prefix("[pod/").and_then(|rest| rest.split_once('/')).map(|(pod, _)| pod);
        let pod = pod.expect("a prefix");
        assert_eq!(line, format!("[pod/{pod}/worker] {pod} works"));
    }
}

/// The examples that a test of this file runs.
const RUN: [&str; 6] =
    ["cronjob.yaml", "deadline.yaml", "failing.yaml", "parallel.yaml", "pi.yaml", "retry.yaml"];

#[test]
fn no_example_is_forgotten() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut found: Vec<String> = std::fs::read_dir(directory)
        .expect("read the examples")
        .map(|entry| entry.expect("an example").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(
        found, RUN,
        "each needs a test that holds what it prints against what the documentation shows"
    );
}

#[test]
fn no_program_of_an_example_complains() {
    let world = World::new();
    for name in RUN.iter().filter(|name| **name != "pi.yaml" || is_installed("perl")) {
        example(&world, name);
        let _ = world.run(&format!("apply -f {name}")).success();
    }
    let _ = world.run("create job hello --from=cronjob/hello").success();
    let _ = world.run("delete cronjob hello --cascade=orphan").success();
    for job in world.value("jobs", "'{.items[*].metadata.name}'").split(' ') {
        world.wait_for_end(job);
        let logs = world.run(&format!("logs job/{job} --all-pods")).success();
        assert!(!logs.stdout.contains("not found"), "{job}: {}", logs.stdout);
    }
}

#[test]
fn two_failures_then_a_success() {
    let world = World::new();
    example(&world, "retry.yaml");
    // The second run is as the first: nothing of it is left behind.
    for _ in 0..2 {
        let output = world.run("run -f retry.yaml").success();
        assert_eq!(output.stdout, "");
        assert_eq!(world.value("job/retry", "{.status.succeeded}/{.status.failed}"), "1/2");
    }
    let left = |directory: &str| {
        let entries = std::fs::read_dir(world.path(directory)).expect("a directory").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "retry.yaml").collect::<Vec<_>>()
    };
    assert_eq!(left("work"), Vec::<String>::new());
}

#[test]
fn a_failure_says_why() {
    let world = World::new();
    example(&world, "failing.yaml");
    let _ = world.run("apply -f failing.yaml").success();
    world.run("wait --for=condition=complete job/failing").fails_with(
        "error: job.batch/failing failed: BackoffLimitExceeded: Job has reached the specified backoff limit\n\
         pod/failing-xxxxx: container main ended with exit code 7 (Error); its log ends with:\n    importing\n    disk \
         quota exceeded\n",
    );
}

#[test]
fn the_first_screen_of_the_readme_names_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("read the README");
    let screen_of = |readme: &str| {
        let screen = readme.split("```console").nth(1).expect("a first screen");
        screen.split("```").next().expect("its end").to_owned()
    };
    let screen = screen_of(&read("README.md"));
    assert_eq!(screen_of(&read("README.zh-CN.md")), screen, "it is the same in every language");
    let commands: Vec<&str> = screen.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(!commands.is_empty());
    for words in commands.iter().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
        for pair in words.windows(2).filter(|pair| pair[0] == "-f") {
            assert!(root.join(pair[1]).is_file(), "{}", pair[1]);
        }
    }
}

#[test]
fn a_deadline_ends_with_its_own_exit_code() {
    let world = World::new();
    example(&world, "deadline.yaml");
    let output = world.run("run -f deadline.yaml");
    assert_eq!(output.code, 124, "{}", output.stderr);
    assert_eq!(
        world.value("job/deadline", "{.status.conditions[*].reason}"),
        "DeadlineExceeded DeadlineExceeded"
    );
}

#[test]
fn a_cronjob_that_greets_every_minute() {
    let world = World::new();
    example(&world, "cronjob.yaml");
    world.run("apply -f cronjob.yaml").prints("cronjob.batch/hello created\n");
    // Its schedule does not take a minute's patience here.
    let next = world.run("next cronjob/hello --from 2027-03-28T00:59:30Z -n 2 -o json").success();
    assert_eq!(next.stdout, "[\n    \"2027-03-28T03:00:00+02:00\",\n    \"2027-03-28T03:01:00+02:00\"\n]\n");
    let _ = world.run("create job now --from=cronjob/hello").success();
    world.wait_for_end("now");
    assert!(world.run("logs job/now").success().stdout.ends_with("\nHello from jobctl\n"));
    world.run("delete -f cronjob.yaml").prints("cronjob.batch \"hello\" deleted\n");
    world.run("get cronjobs,jobs").is(0, "", "No resources found in default namespace.\n");
}
