//! How command lines are read, and what is said of wrong ones.

use crate::common::{World, job};

#[test]
fn every_boolean_flag_takes_a_value() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.run("get job nope --ignore-not-found=true").is(0, "", "");
    world
        .run("get job nope --ignore-not-found=false")
        .fails_with("Error from server (NotFound): jobs.batch \"nope\" not found\n");
    let headed = "
        NAMESPACE   NAME   STATUS      COMPLETIONS   DURATION   AGE
        default     one    Suspended   0/1                      0s
        ";
    world.run("get jobs -A=1 --no-headers=false --watch=F").prints(headed);
    world.run("get jobs -Aw=false").prints(headed);
    world.run("get jobs --no-headers --no-headers=false --all-namespaces=TRUE -w=0").prints(headed);
    world
        .run("get jobs --show-kind=true --no-headers=t")
        .prints("job.batch/one   Suspended   0/1         0s\n");
    let events = world.run("events --no-headers=true --watch=false --for job/one").success().stdout;
    assert!(events.contains("Job suspended") && !events.contains("LAST SEEN"), "{events}");
    world.run("version --client=true").prints(concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\n"));
    world.run("label job one a=1 --overwrite=false --all=false").prints("job.batch/one labeled\n");
    world.run("label job one a=2 --overwrite=true").prints("job.batch/one labeled\n");
    world.manifest("deep/er/two.yaml", job("two", "suspend: true", "true"));
    world.run("apply -f deep --recursive=true --dry-run=client").prints("job.batch/two created (dry run)\n");
    world
        .run("apply -f deep -R=false")
        .fails_with("error: error reading [deep]: recognized file extensions are [.json .yaml .yml]\n");
    world.run("delete jobs --all=true --now=true --force=false").prints("job.batch \"one\" deleted\n");
}

#[test]
fn values_that_a_flag_cannot_have_are_told_as_kubectl_does() {
    let world = World::new();
    for (line, error) in [
        (
            "get pods --watch=maybe",
            "invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax\n\
             See 'jobctl get --help' for usage.",
        ),
        (
            "get pods -w=",
            "invalid argument \"\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"\": invalid syntax\n\
             See 'jobctl get --help' for usage.",
        ),
        (
            "delete job x --wait=maybe",
            "invalid argument \"maybe\" for \"--wait\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax\n\
             See 'jobctl delete --help' for usage.",
        ),
        (
            "scale --replicas=x job/y",
            "invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\n\
             See 'jobctl scale --help' for usage.",
        ),
        (
            "logs x --tail=99999999999999999999",
            "invalid argument \"99999999999999999999\" for \"--tail\" flag: strconv.ParseInt: parsing \
             \"99999999999999999999\": value out of range\nSee 'jobctl logs --help' for usage.",
        ),
        (
            "create job x --image=y --dry-run=bogus",
            "Invalid dry-run value (bogus). Must be \"none\", \"server\", or \"client\".",
        ),
        (
            "delete job x --cascade=foo",
            "invalid cascade value (foo). Must be \"background\", \"foreground\", or \"orphan\"",
        ),
        (
            "apply -f x --validate=foo",
            "invalid - validate option \"foo\"; must be one of: strict (or true), warn, ignore (or false)",
        ),
        ("apply -f", "flag needs an argument: 'f' in -f\nSee 'jobctl apply --help' for usage."),
        ("delete --filename", "flag needs an argument: --filename\nSee 'jobctl delete --help' for usage."),
        ("get -n", "flag needs an argument: 'n' in -n\nSee 'jobctl get --help' for usage."),
    ] {
        world.run(line).fails_with(&format!("error: {error}\n"));
    }
}

#[test]
fn what_follows_a_flag_is_its_value_and_the_last_one_counts() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.run("get jobs -n other --namespace default -o json -o name").prints("job.batch/one\n");
    world.run("get jobs -l --watch").fails_with("Error from server (BadRequest): Unable to find \"batch/v1, Resource=jobs\" that match label selector \"--watch\", field selector \"\": unable to parse requirement: <nil>: Invalid value: \"--watch\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n");
}

#[test]
fn unknown_flags_and_stray_words_are_told_as_kubectl_does() {
    let world = World::new();
    for (line, error) in [
        ("get pods --frob", "unknown flag: --frob\nSee 'jobctl get --help' for usage."),
        ("get pods -wZn", "unknown shorthand flag: 'Z' in -Zn\nSee 'jobctl get --help' for usage."),
        (
            "create job x --image=y --frob=1",
            "unknown flag: --frob\nSee 'jobctl create job --help' for usage.",
        ),
        ("--frob get", "unknown flag: --frob\nSee 'jobctl --help' for usage."),
        ("gett", "unknown command \"gett\" for \"jobctl\"\n\nDid you mean this?\n\tset\n\tget\n\tnext\n"),
        ("descrbe", "unknown command \"descrbe\" for \"jobctl\"\n\nDid you mean this?\n\tdescribe\n"),
        ("nothing-like-it", "unknown command \"nothing-like-it\" for \"jobctl\""),
        ("apply x y", "Unexpected args: [x y]\nSee 'jobctl apply -h' for help and examples"),
        ("create foo", "Unexpected args: [foo]\nSee 'jobctl create -h' for help and examples"),
        ("create -f x.yaml foo", "Unexpected args: [foo]\nSee 'jobctl create -h' for help and examples"),
        ("completion bash x", "Unexpected args: [x]\nSee 'jobctl completion -h' for help and examples"),
        ("version x", "extra arguments: [x]"),
        ("api-versions x", "unexpected arguments: [x]\nSee 'jobctl api-versions -h' for help and examples"),
    ] {
        world.run(line).fails_with(&format!("error: {error}\n"));
    }
    let takes = "A Job of a manifest: jobctl run -f FILE\nA Job of a command: jobctl run [NAME] -- COMMAND\nA Pod of an \
                 image, as kubectl makes it: jobctl run NAME --image=IMAGE\n";
    world.run("run pi hole").fails_with(&format!(
        "error: Unexpected args: [hole]\nSee 'jobctl run -h' for help and examples\n{takes}"
    ));
    world
        .run("run pi --replicas=2 -- echo hi")
        .fails_with(&format!("error: unknown flag: --replicas\nSee 'jobctl run --help' for usage.\n{takes}"));
}

#[test]
fn help_shows_flags_plainly_however_it_is_asked_for() {
    let world = World::new();
    let help = world.run("get --help").success().stdout;
    assert!(help.contains("-w, --watch\n") && !help.contains("--watch["), "{help}");
    world.run("get jobs --watch=false --help").prints(&help);
    world.run("help get").prints(&help);
}

#[test]
fn flags_that_choose_a_cluster_are_accepted_on_either_side_of_the_verb() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    let said = "--as, --as-group, --cluster, --insecure-skip-tls-verify, --server, --token, --user have no effect: \
                no cluster is named (--context), all objects are on this machine\n";
    let flags = "--context=jobctl --cluster b --user=c --as d --as-group e -s http://h:1 --request-timeout=5s \
        --token f -v=2 --insecure-skip-tls-verify --cache-dir g --match-server-version=false";
    world.run(&format!("{flags} get jobs -o name")).is(0, "job.batch/one\n", said);
    world.run(&format!("get jobs {flags} -o name")).is(0, "job.batch/one\n", said);
    world.run("get jobs -v2 --v 3 --server=h -o name").is(
        0,
        "job.batch/one\n",
        "--server has no effect: no cluster is named (--context), all objects are on this machine\n",
    );
    world.run(&format!("create job x --image=y {flags} --dry-run=client -o name -- true")).is(
        0,
        "job.batch/x\n",
        said,
    );
    let help = world.run("get --help").success().stdout;
    assert!(!help.contains("--server"), "{help}");
}

#[test]
fn warnings_can_be_errors() {
    let world = World::new();
    let manifest = job("one", "suspend: true\nsudden: 1\nunheard: 2", "true");
    let warnings = "Warning: unknown field \"spec.sudden\"\nWarning: unknown field \"spec.unheard\"\n";
    let created = "job.batch/one created\n";
    let apply = |flags: &str| world.command(&format!("create -f - {flags}")).stdin(&manifest).run();
    apply("--dry-run=server --validate=warn").is(0, "job.batch/one created (server dry run)\n", warnings);
    apply("--validate=ignore --warnings-as-errors").prints(created);
    let _ = world.run("delete job one").success();
    apply("--validate=warn --warnings-as-errors=true").is(
        1,
        created,
        &format!("{warnings}error: 2 warnings received\n"),
    );
}

#[test]
fn a_reader_who_has_gone_ends_a_verb_without_a_word() {
    let world = World::new();
    let _ = world.apply(&job("x", "completions: 1", "seq 1000"));
    world.wait_for_end("x");
    let verbs = [
        "get jobs",
        "get pods -A -o yaml",
        "describe job x",
        "logs job/x",
        "events",
        "api-resources",
        "explain job",
        "options",
        "version",
        "config view",
        "wait --for=condition=Complete job/x",
        "label job x a=b",
        "run y -- seq 1000",
    ];
    for verb in verbs {
        let mut command = world.command(verb).build();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let done = command.stdin(std::process::Stdio::null()).stdout(writer).output().expect("start jobctl");
        assert_eq!(done.status.code(), Some(141), "{verb}");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{verb}");
    }
}

#[test]
fn verbs_that_need_a_cluster_say_what_to_do_instead() {
    let world = World::new();
    for (line, part) in [
        ("alpha", "jobctl --help"),
        ("autoscale job/x --max=3", "jobctl scale --replicas=COUNT job/NAME"),
        ("certificate approve x", "nothing has to be approved"),
        ("debug x -it --image=busybox", "jobctl exec -it POD -- sh"),
        ("expose pod x --port=80", "jobctl create service clusterip NAME --tcp=PORT"),
        ("kustomize .", "kustomize build DIRECTORY | jobctl apply -f -"),
        ("plugin list", "run them as such"),
        ("proxy --port=8001", "jobctl get --output=json"),
        ("taint nodes node1 a=b:NoSchedule", "jobctl cordon NODE"),
        ("cluster-info dump", "jobctl get all --all-namespaces -o yaml"),
    ] {
        let output = world.run(line).failure();
        assert!(
            output.stderr.contains("is of clusters: ") && output.stderr.contains(part),
            "{line}: {}",
            output.stderr
        );
        assert_eq!(output.stderr.lines().count(), 1, "{line}");
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn the_version_is_one_flag_away() {
    let world = World::new();
    let shortly = world.run("version --client").success().stdout;
    world.run("--version").prints(&shortly);
}

#[test]
fn a_bare_name_of_a_job_is_answered_with_the_line_that_works() {
    let world = World::new();
    let _ = world.apply(&job("good", "suspend: true", "true"));
    let _ = world.run("create cronjob backup --image=busybox --schedule='@yearly' -- true").success();
    let no_type = |name: &str| format!("error: the server doesn't have a resource type \"{name}\"\n");
    for (line, kind) in [
        ("get good", "job"),
        ("describe good", "job"),
        ("delete good", "job"),
        ("suspend good", "job"),
        ("next backup", "cronjob"),
        ("delete backup", "cronjob"),
    ] {
        let (verb, name) = line.split_once(' ').expect("two words");
        world.run(line).fails_with(&format!("{}Did you mean: jobctl {verb} {kind}/{name}\n", no_type(name)));
    }
    let logs = world.run("logs good").failure().stderr;
    assert!(
        logs.contains("pods \"good\" not found") && logs.ends_with("\nDid you mean: jobctl logs job/good\n"),
        "{logs}"
    );
    // Where no such line would work, nothing is said.
    world.run("get nobody").fails_with(&no_type("nobody"));
    world.run("get good -n other").fails_with(&no_type("good"));
    world.run("next good").fails_with(&no_type("good"));
    assert!(!world.run("exec backup -- true").failure().stderr.contains("Did you mean"));
    let _ = world.run("delete cronjob backup").success();
}
