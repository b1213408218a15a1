//! Bad input: one clear error, exit code 1, nothing changed, nothing left running.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Output, SOON, World, eventually, is_root, job};

/// The error is the only thing said, and nothing has come of it.
#[track_caller]
fn refused(world: &World, output: Output) -> String {
    let output = output.failure();
    assert_eq!(output.stdout, "", "nothing is reported as done");
    world.run("get all -A").is(0, "", "No resources found\n");
    world.assert_no_processes_left();
    output.normal_stderr()
}

#[test]
fn a_missing_file() {
    let world = World::new();
    let output = world.run("apply -f nosuch.yaml");
    assert_eq!(refused(&world, output), "error: the path \"nosuch.yaml\" does not exist\n");
}

#[test]
fn an_empty_file() {
    let world = World::new();
    world.manifest("empty.yaml", "");
    let output = world.run("apply -f empty.yaml");
    assert_eq!(refused(&world, output), "error: no objects passed to apply\n");
    let output = world.run("create -f empty.yaml");
    assert_eq!(refused(&world, output), "error: no objects passed to create\n");
    world.manifest("empty.yaml", "# nothing\n---\n---\n");
    let output = world.run("apply -f empty.yaml");
    assert_eq!(refused(&world, output), "error: no objects passed to apply\n");
}

#[test]
fn an_unreadable_directory() {
    // Root reads everything, so an ordinary user is made.
    let world = if is_root() { World::of_user(65534) } else { World::new() };
    world.manifest("dir/job.yaml", job("one", "", "true"));
    let directory = world.path("work/dir");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o000)).expect("chmod");
    let output = world.run("apply -f dir");
    let error = refused(&world, output);
    assert!(error.contains("dir") && error.contains("Permission denied"), "{error}");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("chmod");
}

#[test]
fn a_yaml_with_a_tab() {
    let world = World::new();
    world.manifest("tab.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata:\n\tname: x\n");
    let output = world.run("apply -f tab.yaml");
    let error = refused(&world, output);
    assert!(
        error.starts_with("error: error parsing tab.yaml: error converting YAML to JSON: yaml: line 4: "),
        "{error}"
    );
    assert!(error.contains("tab") || error.contains("cannot start any token"), "{error}");
}

#[test]
fn a_billion_laughs() {
    let world = World::new();
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(", ")));
    }
    world.manifest("laughs.yaml", text);
    let started = Instant::now();
    let output = world.run("apply -f laughs.yaml");
    let error = refused(&world, output);
    assert!(started.elapsed() < Duration::from_secs(10), "refused after {:?}", started.elapsed());
    assert!(error.starts_with("error: error parsing laughs.yaml: "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_document_of_fifty_megabytes() {
    let world = World::new();
    // Nothing but a long comment: handled.
    let mut text = job("big", "suspend: true", "true").into_bytes();
    text.resize(50 << 20, b'#');
    world.manifest("big.yaml", text);
    world.run("apply -f big.yaml --dry-run=server").prints("job.batch/big created (server dry run)\n");
    // As many values as fit: refused long before they fill the memory.
    let mut text = b"apiVersion: batch/v1\nkind: Job\nx: [".to_vec();
    text.extend(b"{a},".iter().copied().cycle().take(50 << 20));
    text.extend(b"]\n");
    world.manifest("big.yaml", text);
    let output = world.run("apply -f big.yaml");
    let error = refused(&world, output);
    assert!(error.contains("big.yaml") && error.contains("512 MiB"), "the limit is named: {error}");
    // Larger than any manifest may be.
    world.manifest("big.yaml", vec![b'#'; 80 << 20]);
    let output = world.run("apply -f big.yaml");
    let error = refused(&world, output);
    assert!(error.contains("big.yaml") && error.contains("64 MiB"), "the limit is named: {error}");
    let usage =
        nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).expect("getrusage");
    assert!(
        usage.max_rss() < 1 << 20,
        "no child of this program took more than 1 GiB: {} KiB",
        usage.max_rss()
    );
}

/// What is refused must be refused at once: an attack shows in the time it takes.
#[track_caller]
fn at_once(world: &World, line: &str) -> String {
    let started = Instant::now();
    let output = world.run(line);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    refused(world, output)
}

#[test]
fn millions_of_documents() {
    let world = World::new();
    let none = "---\n".repeat(12_500_000);
    world.manifest("many.yaml", none);
    assert_eq!(at_once(&world, "apply -f many.yaml"), "error: no objects passed to apply\n");
    world.manifest("many.yaml", "---\n# x\n\n".repeat(1_000_000));
    assert_eq!(at_once(&world, "apply -f many.yaml"), "error: no objects passed to apply\n");
    world.manifest("many.yaml", "null\n---\n".repeat(200_000));
    assert_eq!(
        at_once(&world, "apply -f many.yaml"),
        "error: error parsing many.yaml: more than 100000 documents\n"
    );
    let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{}1]}}"#, "1,".repeat(200_000));
    world.manifest("many.json", list);
    assert_eq!(
        at_once(&world, "apply -f many.json"),
        "error: many.json: more than 100000 objects are given at once\n"
    );
}

#[test]
fn an_object_that_is_too_large() {
    let world = World::new();
    let too_large = "Error from server (RequestEntityTooLarge): error when creating \"big.yaml\": Request entity too large: \
                     limit is 1572864\n";
    for bytes in [1_600_000, 50_000_000] {
        let manifest = job("big", "", "true")
            .replace("        command:", &format!("        args: [{}]\n        command:", "x".repeat(bytes)));
        assert!(manifest.len() > bytes);
        world.manifest("big.yaml", manifest);
        assert_eq!(at_once(&world, "create -f big.yaml"), too_large, "{bytes}");
    }
    world.manifest("small.yaml", job("small", "suspend: true", "true"));
    world.run("create -f small.yaml").prints("job.batch/small created\n");
    let annotation = "x".repeat(100_000);
    for name in ["a", "b"] {
        let patch = format!(r#"{{"metadata": {{"annotations": {{"{name}": "{annotation}"}}}}}}"#);
        world.manifest("patch.json", patch);
        world.run("patch job small --type=merge --patch-file=patch.json").prints("job.batch/small patched\n");
    }
    let arguments = format!(
        r#"{{"spec": {{"template": {{"spec": {{"nodeSelector": {{"a": "{}"}}}}}}}}}}"#,
        "x".repeat(1_600_000)
    );
    world.manifest("patch.json", arguments);
    world.run("patch job small --type=merge --patch-file=patch.json").fails_with(
        "Error from server (RequestEntityTooLarge): Request entity too large: limit is 1572864\n",
    );
}

#[test]
fn variables_that_grow_without_end_hold_up_nobody_else() {
    let world = World::new();
    let variables: String = (1..30)
        .map(|number| format!("{{name: V{number}, value: {}}}, ", format!("$(V{})", number - 1).repeat(4)))
        .collect();
    let manifest = job("bomb", "", "echo $V29");
    let bomb = manifest.replace(
        "        command:",
        &format!("        env: [{{name: V0, value: xxxx}}, {variables}]\n        command:"),
    );
    assert!(bomb.len() < 3_000, "{}", bomb.len());
    let _ = world.apply(&bomb);
    let _ = world.apply(&job("other", "", "true"));
    world.wait_for_end("other");
    assert_eq!(world.tally("other"), "1/ SuccessCriteriaMet Complete");
    let waiting = "{.items[0].status.containerStatuses[0].state.waiting.reason}";
    eventually(SOON, || world.value("pods -l job-name=bomb", waiting) == "CreateContainerError");
    let message = world.value("pods -l job-name=bomb", &waiting.replace("reason", "message"));
    assert_eq!(
        message,
        "container \"main\" cannot be started: variable V8 is longer than the 131071 bytes that a program can be given"
    );
    let _ = world.run("delete job bomb").success();
}

#[test]
fn a_template_of_thousands_of_ranges() {
    let world = World::new();
    world.manifest("job.yaml", job("x", "suspend: true", "true"));
    let template = format!("{}{}", "{range .items[*]}".repeat(5_000), "{end}".repeat(5_000));
    let started = Instant::now();
    let output = world
        .command_of(vec!["get".into(), "jobs".into(), "-o".into(), format!("jsonpath={template}")])
        .run();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(output.stderr.ends_with(", more than 32 ranges inside each other\n"), "{}", output.code);
    assert_eq!(output.code, 1);
}

#[test]
fn a_name_that_climbs_out() {
    let world = World::new();
    for name in ["../x", "a/../../b", "..", "/etc"] {
        let output = world.command("apply -f -").stdin(job(&format!("{name:?}"), "", "true")).run();
        let error = refused(&world, output);
        assert!(error.starts_with(&format!("The Job {name:?} is invalid: ")), "{error}");
        assert!(error.contains(&format!("metadata.name: Invalid value: {name:?}: ")), "{error}");
    }
    let output = world.command("apply -n ../x -f -").stdin(job("one", "", "true")).run();
    let error = refused(&world, output);
    assert!(error.contains("../x"), "{error}");
}

#[test]
fn a_negative_parallelism() {
    let world = World::new();
    let output = world.command("apply -f -").stdin(job("one", "parallelism: -1", "true")).run();
    assert_eq!(
        refused(&world, output),
        "The Job \"one\" is invalid: spec.parallelism: Invalid value: -1: must be greater than or equal to 0\n"
    );
}

#[test]
fn a_restart_policy_of_always() {
    let world = World::new();
    let manifest = job("one", "", "true").replace("restartPolicy: Never", "restartPolicy: Always");
    let output = world.command("apply -f -").stdin(manifest).run();
    assert_eq!(
        refused(&world, output),
        "The Job \"one\" is invalid: spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \
         \"Never\"\n"
    );
}

#[test]
fn an_unknown_field() {
    let world = World::new();
    let manifest = job("one", "paralelism: 2", "true");
    let output = world.command("create -f -").stdin(manifest).run();
    assert_eq!(
        refused(&world, output),
        "Error from server (BadRequest): error when creating \"STDIN\": Job in version \"v1\" cannot be handled as a \
         Job: strict decoding error: unknown field \"spec.paralelism\"\n"
    );
}

#[test]
fn a_selector_that_does_not_parse() {
    let world = World::new();
    for verb in [
        "get jobs",
        "delete jobs",
        "logs",
        "describe jobs",
        "scale --replicas=1 jobs",
        "wait --for=delete jobs",
    ] {
        let output = world.run(&format!("{verb} -l 'a in (b'"));
        let error = refused(&world, output);
        assert!(error.contains("a in (b") || error.contains("parse"), "{verb}: {error}");
        assert_eq!(error.lines().count(), 1, "{verb}: {error}");
    }
}

#[test]
fn a_duration_that_does_not_parse() {
    let world = World::new();
    for line in [
        "wait --for=delete job/x --timeout=5parsecs",
        "logs job/x --since=5parsecs",
        "delete job x --timeout=5parsecs",
    ] {
        let output = world.run(line);
        let error = refused(&world, output);
        assert!(error.contains("5parsecs"), "{line}: {error}");
    }
    let manifest = job("one", "", "true").replace("10ms", "5parsecs");
    let output = world.command("apply -f -").stdin(manifest).run();
    let error = refused(&world, output);
    assert!(error.contains("jobctl.local/backoff-base") && error.contains("5parsecs"), "{error}");
}

#[test]
fn a_store_written_by_a_newer_version() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.assert_no_processes_left();
    let journal = world.store().join("current/journal.jsonl");
    let before = fs::read(&journal).expect("the journal");
    fs::write(world.store().join("format"), "99\n").expect("write");
    for line in ["get jobs", "delete job one", "reconcile"] {
        world.run(line).fails_with(
            "error: the data directory DATA was written by a newer jobctl (format 99, this one knows 2); use that version, \
             or another directory with --data-dir\n",
        );
    }
    assert_eq!(fs::read(&journal).expect("the journal"), before);
    assert_eq!(fs::read_to_string(world.store().join("format")).expect("the format"), "99\n");
}

#[test]
fn a_store_with_a_damaged_record() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    let _ = world.apply(&job("two", "suspend: true", "true"));
    world.assert_no_processes_left();
    let journal = world.store().join("current/journal.jsonl");
    let mut text = fs::read(&journal).expect("the journal");
    let second = text.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    text[second + 3] = b'\0';
    fs::write(&journal, &text).expect("damage it");
    for line in ["get jobs", "delete job one", "reconcile", "wait --for=delete job/one", "logs job/one"] {
        let error = world.run(line).failure().normal_stderr();
        let expected =
            format!("error: the store is damaged: DATA/snapshot/0/journal.jsonl line 2 (byte {second}): ");
        assert!(error.starts_with(&expected), "{line}: {error}");
        assert!(
            error.ends_with("; nothing was changed; what can be done: jobctl doctor\n"),
            "{line}: {error}"
        );
    }
    let apply = world.command("apply -f -").stdin(job("three", "", "true")).run().failure();
    assert!(apply.stderr.contains("damaged"), "{}", apply.stderr);
    assert_eq!(fs::read(&journal).expect("the journal"), text, "it is never reset");
}

/// A small file system in a directory, for as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where it cannot be had, with the reason printed.
    fn mount(directory: PathBuf, size: &str) -> Option<Self> {
        if !is_root() {
            println!("skipped: only root can mount a small file system");
            return None;
        }
        let options = format!("size={size},mode=0755");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&directory).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: mounting a tmpfs is refused here");
            return None;
        }
        Some(Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status().expect("umount");
        assert!(unmounted.success() || std::thread::panicking());
    }
}

#[test]
fn deletions_on_a_full_disk_make_room() {
    let world = World::new();
    let Some(_disk) = SmallDisk::mount(world.path("data"), "1m") else { return };
    let content = "y".repeat(60_000);
    let create = |name: &str| world.run(&format!("create configmap {name} --from-literal=x={content}"));
    let mut created = Vec::new();
    let refused = loop {
        let name = format!("m{}", created.len());
        let output = create(&name);
        if output.code != 0 {
            break output;
        }
        created.push(name);
    };
    assert!(refused.stderr.contains("No space left on device"), "{}", refused.stderr);
    assert!(created.len() > 5, "{created:?}");
    // Each is more than is left of the disk.
    for name in &created {
        world.run(&format!("delete configmap {name}")).prints(&format!("configmap \"{name}\" deleted\n"));
    }
    for name in &created[created.len() / 2..] {
        create(name).prints(&format!("configmap/{name} created\n"));
    }
    world.assert_no_processes_left();
}

#[test]
fn a_full_disk() {
    let world = World::new();
    let small = world.path("data");
    let Some(disk) = SmallDisk::mount(small.clone(), "256k") else { return };
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.assert_no_processes_left();
    // What is left is taken up to the last byte.
    let filler = small.join("filler");
    let _ = fs::write(&filler, vec![0; 1 << 20]);
    let mut before = fs::read(world.store().join("current/journal.jsonl")).expect("the journal");
    let mut filled = false;
    for number in 0..200 {
        let manifest = job(&format!("more-{number}"), "suspend: true", "true");
        let output = world.command("apply -f -").stdin(manifest).run();
        if output.code == 0 {
            before = fs::read(world.store().join("current/journal.jsonl")).expect("the journal");
            continue;
        }
        let output = output.failure();
        assert!(output.stderr.contains("No space left on device"), "{}", output.stderr);
        assert_eq!(output.stdout, "");
        filled = true;
        break;
    }
    world.assert_no_processes_left();
    let after = fs::read(world.store().join("current/journal.jsonl")).expect("the journal");
    // What makes room needs some itself.
    let deletion = world.run("delete job one");
    world.assert_no_processes_left();
    fs::remove_file(&filler).expect("make room");
    let works = world.command("apply -f -").stdin(job("late", "suspend: true", "true")).run();
    world.assert_no_processes_left();
    drop(disk);
    assert!(filled, "the disk was never full");
    assert!(after == before, "the state before stands");
    deletion.prints("job.batch \"one\" deleted\n");
    works.prints("job.batch/late created\n");
}

#[test]
fn a_data_directory_that_others_may_write_to() {
    let world = World::new();
    fs::create_dir(world.store()).expect("a directory");
    fs::set_permissions(world.store(), fs::Permissions::from_mode(0o777)).expect("chmod");
    world.run("get jobs").fails_with(
        "error: the data directory DATA is writable by others (mode 0777); run: chmod go-w DATA\n",
    );
    let apply = world.command("apply -f -").stdin(job("one", "", "true")).run().failure();
    assert!(apply.stderr.contains("is writable by others"), "{}", apply.stderr);
}

#[test]
fn a_data_directory_of_somebody_else() {
    if !is_root() {
        println!("skipped: only root can give a directory away");
        return;
    }
    let world = World::new();
    fs::create_dir(world.store()).expect("a directory");
    chown(world.store(), Some(65534), Some(65534)).expect("chown");
    world.run("get jobs").fails_with(
        "error: the data directory DATA belongs to user 65534, not to you (user 0); choose another with --data-dir\n",
    );
}

#[test]
fn a_data_directory_that_is_removed_keeps_nobody_alive() {
    let world = World::new();
    let _ =
        world.apply(&job("one", "completions: 3\nparallelism: 1", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.supervisors().len() == 1);
    // The controller may be writing into it.
    eventually(SOON, || fs::remove_dir_all(world.store()).is_ok());
    world.manifest("go", "");
    world.assert_no_processes_left();
    assert!(!world.store().exists(), "nobody makes it again");
}

#[test]
fn a_data_directory_that_is_moved_takes_its_jobs_along() {
    let world = World::new();
    let script = "until test -f go; do sleep 0.01; done; echo over";
    let _ = world.apply(&job("one", "", script));
    world.wait_for_value("job/one", "{.status.ready}", "1");
    let moved = world.path("moved");
    fs::rename(world.store(), &moved).expect("move it");
    // The controller has nothing left to do here.
    eventually(SOON, || world.controller().is_none());
    let there = format!("--data-dir {}", moved.display());
    world.run(&format!("{there} get job one -o jsonpath={{.status.active}}")).prints("1");
    world.manifest("go", "");
    let waited = world.run(&format!("{there} wait --for=condition=complete job/one --timeout=20s"));
    waited.prints("job.batch/one condition met\n");
    world.run(&format!("{there} logs job/one")).prints("over\n");
    world.assert_no_processes_left();
    assert!(!world.store().exists(), "nobody makes it again");
}

#[test]
fn resources_that_a_cluster_refuses_are_refused_here() {
    let world = World::new();
    let with = |resources: &str| {
        job("one", "suspend: true", "true")
            .replace(
                "      containers:\n",
                "      containers:\n      - name: other\n        command: [x]\n        RES\n",
            )
            .replace("RES", &format!("resources: {resources}"))
    };
    let decoding = "Error from server (BadRequest): error when creating \"job.yaml\": Job in version \"v1\" cannot be handled \
                    as a Job: ";
    let at = "The Job \"one\" is invalid: spec.template.spec.containers[0].resources";
    for (resources, error) in [
        (
            "{limits: {cpu: 1x}}",
            format!(
                "{decoding}quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n"
            ),
        ),
        ("{requests: {memory: 1ki}}", format!("{decoding}unable to parse quantity's suffix\n")),
        (
            "{requests: {memory: -5}}",
            format!("{at}.requests[memory]: Invalid value: \"-5\": must be greater than or equal to 0\n"),
        ),
        (
            "{limits: {cpu: 0.5}, requests: {cpu: 3}}",
            format!("{at}.requests: Invalid value: \"3\": must be less than or equal to cpu limit of 500m\n"),
        ),
    ] {
        let path = world.manifest("job.yaml", with(resources));
        world.run(&format!("create -f {path}")).fails_with(&error);
    }
    // Labels are free to be called so.
    let labelled =
        job("one", "suspend: true", "true").replace("metadata:\n", "metadata:\n  labels: {limits: 1x}\n");
    let path = world.manifest("job.yaml", labelled);
    world.run(&format!("create -f {path}")).prints("job.batch/one created\n");
}

#[test]
fn what_is_wrong_in_the_configuration_is_named_with_its_file() {
    let world = World::new();
    let path = world.path("config/jobctl/config.yaml");
    for (text, problem) in [
        ("backoffBase: soon\n", "backoffBase: time: invalid duration \"soon\""),
        ("backoffBase: -5s\n", "backoffBase: \"-5s\" is negative"),
        ("idleTimeout: -5s\n", "idleTimeout: \"-5s\" is negative"),
        ("backOffBase: 5s\n", "unknown field `backOffBase`, expected one of `backoffBase`, "),
        (
            "nodeName: Not_A_Name\n",
            "nodeName: \"Not_A_Name\": a lowercase RFC 1123 subdomain must consist of",
        ),
        ("terminatedPodThreshold: many\n", "terminatedPodThreshold: invalid type: string \"many\""),
        ("maxPods: -1\n", "maxPods: invalid type: integer `-1`, expected u32"),
        (
            "defaultRequests: {cpu: 1x}\n",
            "defaultRequests: cpu: \"1x\": quantities must match the regular expression",
        ),
        ("defaultRequests: {cpu: -1}\n", "defaultRequests: cpu: \"-1\" is negative"),
        (
            "defaultRequests: {example.com/gpu: 1}\n",
            "defaultRequests: \"example.com/gpu\": must be cpu, memory, or one of extendedResources",
        ),
        (
            "extendedResources: {gpu: 1}\n",
            "extendedResources: \"gpu\": must be a name with a domain, such as example.com/gpu",
        ),
        ("extendedResources: {a b/c: 1}\n", "extendedResources: \"a b/c\": prefix part a lowercase RFC 1123"),
        (
            "extendedResources: {example.com/gpu: some}\n",
            "extendedResources: must be a number, or a list of ids",
        ),
        ("[1\n", ""),
    ] {
        std::fs::write(&path, text).expect("write");
        let output = world.run("get jobs").failure();
        let expected = format!("error: read WORLD/config/jobctl/config.yaml: {problem}");
        assert!(output.normal_stderr().starts_with(&expected), "{text}: {}", output.normal_stderr());
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide.md")).expect("a guide");
    let world = World::new();
    std::fs::write(world.path("config/jobctl/config.yaml"), "no: 1\n").expect("write");
    let output = world.run("get jobs").failure();
    let (_, keys) = output.stderr.split_once("expected one of ").expect("the keys there are");
    let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
    assert!(keys.len() >= 3, "{keys:?}");
    for key in keys {
        assert!(readme.contains(&format!("| `{key}` |")), "{key} is not in the guide's table");
    }
}
