//! `delete`.

use std::io::{Read as _, Write as _};

use crate::common::{SOON, World, eventually, job};

#[test]
fn a_job_goes_with_its_pods_and_their_files() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "", "echo hello"));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.wait_for_end("one");
    world.run(&format!("delete -f {path}")).prints("job.batch \"one\" deleted\n");
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
    world.assert_no_processes_left();
    assert_eq!(
        std::fs::read_dir(world.store().join("pods")).expect("pods").count(),
        0,
        "directories of pods"
    );
}

#[test]
fn objects_are_chosen_by_name_selector_field_or_all() {
    let world = World::new();
    for name in ["a", "b", "c", "d", "e"] {
        let tier = if name < "c" { "low" } else { "high" };
        let manifest = job(name, "suspend: true", "true")
            .replace("metadata:\n", &format!("metadata:\n  labels: {{tier: {tier}}}\n"));
        let _ = world.apply(&manifest);
    }
    world.run("delete job e").prints("job.batch \"e\" deleted\n");
    world.run("delete jobs -l tier=low").prints("job.batch \"a\" deleted\njob.batch \"b\" deleted\n");
    world.run("delete jobs --field-selector metadata.name=c").prints("job.batch \"c\" deleted\n");
    world.run("delete job/d").prints("job.batch \"d\" deleted\n");
    world.run("delete jobs --all").prints("No resources found\n");
    world.run("delete jobs -l tier=low").prints("No resources found\n");
}

#[test]
fn finished_jobs_are_deleted_by_their_number_of_successes() {
    let world = World::new();
    let _ = world.apply(&job("done", "", "true"));
    let _ = world.apply(&job("todo", "suspend: true", "true"));
    world.wait_for_end("done");
    world.run("delete jobs --field-selector status.successful=1").prints("job.batch \"done\" deleted\n");
    world.run("get jobs -o name").prints("job.batch/todo\n");
}

#[test]
fn what_is_missing_is_an_error_unless_that_is_fine() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.run("delete job nope").fails_with("Error from server (NotFound): jobs.batch \"nope\" not found\n");
    world.run("delete job nope --ignore-not-found").prints("");
    world.run("delete job one nope").is(
        1,
        "job.batch \"one\" deleted\n",
        "Error from server (NotFound): jobs.batch \"nope\" not found\n",
    );
    world.run("delete job").fails_with("error: resource(s) were provided, but no name was specified\n");
    world.run("delete").fails_with(
        "error: You must provide one or more resources by argument or filename.\nExample resource specifications \
         include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'\n",
    );
    world
        .run("delete job x --now --grace-period=3")
        .fails_with("error: --now and --grace-period cannot be specified together\n");
    let cascade = world.run("delete job x --cascade=foo").failure();
    assert!(
        cascade
            .stderr
            .contains("invalid cascade value (foo). Must be \"background\", \"foreground\", or \"orphan\""),
        "{}",
        cascade.stderr
    );
}

#[test]
fn a_dry_run_deletes_nothing() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.run("delete job one --dry-run=client").prints("job.batch \"one\" deleted (dry run)\n");
    world.run("delete job one --dry-run=server").prints("job.batch \"one\" deleted (server dry run)\n");
    world.run("delete job one -o name").prints("job.batch/one\n");
}

#[test]
fn orphaned_pods_live_on_without_their_job() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "until test -f go; do sleep 0.01; done; echo end"));
    eventually(SOON, || world.value("pods", "{.items[*].status.phase}") == "Running");
    world.run("delete job one --cascade=orphan").prints("job.batch \"one\" deleted\n");
    assert_eq!(world.value("pods", "{.items[*].metadata.ownerReferences}"), "");
    world.manifest("go", "");
    let pod = world.value("pods", "{.items[0].metadata.name}");
    world.wait_for_value(&format!("pod/{pod}"), "{.status.phase}", "Succeeded");
    world.run(&format!("logs {pod}")).prints("end\n");
}

#[test]
fn the_old_boolean_cascade_is_accepted_with_a_warning() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "true"));
    world.wait_for_end("one");
    world.run("delete job one --cascade=true").is(
        0,
        "job.batch \"one\" deleted\n",
        "warning: --cascade=true is deprecated (boolean value) and can be replaced with --cascade=background.\n",
    );
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn foreground_means_that_the_pods_are_gone_first() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    world.run("delete job one --cascade=foreground").prints("job.batch \"one\" deleted\n");
    assert!(world.processes_named("sleep").is_empty());
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn a_deleted_pod_of_a_running_job_is_replaced() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "test -f go || exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let pod = world.value("pods", "{.items[0].metadata.name}");
    world.manifest("go", "");
    world.run(&format!("delete pod {pod}")).prints("pod \"one-xxxxx\" deleted\n");
    world.wait_for_end("one");
    assert_eq!(world.tally("one").split(' ').next_back(), Some("Complete"));
    assert_ne!(world.value("pods", "{.items[0].metadata.name}"), pod);
}

#[test]
fn deleting_can_be_called_off() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    let no = world.command("delete job one -i").stdin("n\n").run().success();
    assert!(
        no.stdout.starts_with("You are about to delete the following 1 resource(s):\njob.batch/one\n"),
        "{}",
        no.stdout
    );
    assert!(no.stdout.ends_with("deletion is cancelled\n"), "{}", no.stdout);
    world.run("get jobs -o name").prints("job.batch/one\n");
    let yes = world.command("delete job one -i").stdin("y\n").run().success();
    assert!(yes.stdout.ends_with("job.batch \"one\" deleted\n"), "{}", yes.stdout);
}

#[test]
fn a_job_and_its_pods_can_be_deleted_in_one_command_in_any_order() {
    let world = World::new();
    for command in [
        "delete jobs,pods --all",
        "delete pods,jobs --all",
        "delete jobs,pods --all --now",
        "delete jobs,pods --all --cascade=orphan",
        "delete jobs,pods --all --cascade=foreground",
        "delete cronjobs,jobs,pods --all",
    ] {
        let _ = world.apply(&job("one", "", "exec sleep 1000"));
        eventually(SOON, || world.processes_named("sleep").len() == 1);
        let deleted = world.run(command).success();
        let mut lines: Vec<String> = deleted.normal_stdout().lines().map(str::to_owned).collect();
        lines.sort_unstable();
        assert_eq!(lines, ["job.batch \"one\" deleted", "pod \"one-xxxxx\" deleted"], "{command}");
        world.run("get all").is(0, "", "No resources found in default namespace.\n");
        world.assert_no_processes_left();
    }
}

#[test]
fn no_grace_period_is_too_long() {
    let world = World::new();
    let (five, endless) = ("GracePeriodSeconds: 5", "GracePeriodSeconds: 9223372036854775807");
    let _ = world.apply(&job("one", "", "exec sleep 1000").replace(five, endless));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    world.run("delete job one").prints("job.batch \"one\" deleted\n");
    let _ = world.apply(&job("two", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    world.run("delete job two --grace-period=9999999999999").prints("job.batch \"two\" deleted\n");
    world.assert_no_processes_left();
}

#[test]
fn a_selector_holds_for_files_too_and_not_beside_names() {
    let world = World::new();
    let labelled = |name: &str, app: &str| {
        job(name, "suspend: true", "true")
            .replace("metadata:\n", &format!("metadata:\n  labels: {{app: {app}}}\n"))
    };
    let both = world.manifest("both.yaml", format!("{}---\n{}", labelled("a", "one"), labelled("b", "two")));
    let _ = world.run(&format!("create -f {both}")).success();
    world.run(&format!("get -f {both} -l app=two -o name")).prints("job.batch/b\n");
    world.run(&format!("label -f {both} -l app=two seen=yes")).prints("job.batch/b labeled\n");
    world.run(&format!("delete -f {both} -l app=three")).prints("No resources found\n");
    world.run(&format!("delete -f {both} -l app=two")).prints("job.batch \"b\" deleted\n");
    world.run(&format!("apply -f {both} -l app=three")).fails_with("error: no objects passed to apply\n");
    let named = "error: name cannot be provided when a selector is specified\n";
    let all = "error: setting 'all' parameter but found a non empty selector. \n";
    let words = "error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well\n";
    for (line, error) in [
        ("delete job a --all", named),
        ("delete job a -l app=one", named),
        ("wait job a -l app=one --for=delete", named),
        ("delete job --all -l app=one", all),
        ("delete job --all --field-selector metadata.name=a", all),
        ("delete -f both.yaml job a", words),
        ("get -f both.yaml job a", words),
    ] {
        world.run(line).fails_with(error);
    }
    world.run("get jobs -o name").prints("job.batch/a\n");
}

/// Starts a `delete` that asks, and waits for its question.
fn ask(world: &World, line: &str) -> std::process::Child {
    let mut child = world.command(line).build().spawn().expect("start jobctl");
    let mut said = Vec::new();
    while !said.ends_with(b"(y/N): ") {
        let mut byte = [0];
        child.stdout.as_mut().expect("a pipe").read_exact(&mut byte).expect("a question");
        said.push(byte[0]);
    }
    child
}

fn answer(mut child: std::process::Child, text: &str) -> (Option<i32>, String, String) {
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("an answer");
    let output = child.wait_with_output().expect("wait");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn nobody_waits_while_a_person_is_asked_and_only_what_was_shown_is_deleted() {
    let world = World::new();
    let suspended = |name: &str| job(name, "suspend: true", "true");
    let _ = world.apply(&suspended("a"));
    let _ = world.apply(&suspended("b"));
    let path = world.manifest("a.yaml", suspended("a"));
    let child = ask(&world, "delete jobs --all -i");
    // The store is free: others come and go meanwhile.
    let _ = world.apply(&suspended("c"));
    let _ = world.run(&format!("replace --force -f {path}")).success();
    let (code, stdout, stderr) = answer(child, "y\n");
    assert_eq!(stdout, "\njob.batch \"b\" deleted\n");
    // With --all what is not there is no error.
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    world.run("get jobs -o name").prints("job.batch/a\njob.batch/c\n");
    let child = ask(&world, "delete job a -i");
    let _ = world.run(&format!("replace --force -f {path}")).success();
    let (code, _, stderr) = answer(child, "y\n");
    assert_eq!(
        (code, stderr.as_str()),
        (Some(1), "Error from server (NotFound): jobs.batch \"a\" not found\n")
    );
    world.run("get jobs -o name").prints("job.batch/a\njob.batch/c\n");
}
