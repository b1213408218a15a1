//! label, annotate and patch without a store, and what of their arguments does not go together: the texts are kubectl
//! 1.32's for the same command line.

use crate::common::{World, job};

#[test]
fn local_changes_and_their_mistakes_are_told_as_kubectl_tells_them() {
    let world = World::new();
    let manifest = job("x", "", "true").replace("  name: x\n", "  name: x\n  labels: {a: b}\n");
    assert!(manifest.contains("labels: {a: b}"), "{manifest}");
    let _ = world.manifest("f.yaml", &manifest);
    let labeled = "job.batch/x labeled\n";
    let no_file = "error: one or more files must be specified as -f pod.yaml or --filename=pod.json\n";
    let only_files =
        "error: can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set\n";
    let no_objects =
        "error: one or more resources must be specified as <resource> <name> or <resource>/<name>\n";
    let not_server = "error: cannot specify --local and --dry-run=server - did you mean --dry-run=client?\n";
    for (line, code, stdout, stderr) in [
        ("label --local -f f.yaml a-", 0, "job.batch/x unlabeled\n", ""),
        ("label --local -f f.yaml a- --overwrite", 0, labeled, ""),
        ("label --local -f f.yaml a- longer=than-before", 0, labeled, ""),
        ("label --local -f f.yaml nope-", 0, "job.batch/x not labeled\n", ""),
        ("label --local -f f.yaml --list", 0, "a=b\n", ""),
        ("label --local -f f.yaml --list z=1", 0, "a=b\nz=1\n", ""),
        ("label --local -f f.yaml z=1 --dry-run=server", 1, "", not_server),
        ("label --local z=1", 1, "", no_file),
        ("label --local -f f.yaml x z=1", 1, "", only_files),
        ("label --local -f f.yaml =b", 1, "", only_files),
        ("label z=1", 1, "", no_objects),
        ("annotate z=1", 1, "", no_objects),
        ("label job x z=1 y", 1, "", "error: all resources must be specified before label changes: y\n"),
        ("label job x --list -o json", 1, "", "error: --list and --output may not be specified together\n"),
        ("label jobs --all -l a=b z=1", 1, "", "error: cannot set --all and --selector at the same time\n"),
        (
            "annotate job x n=1 n-",
            1,
            "",
            "error: can not both modify and remove the following annotation(s) in the same command: n\n",
        ),
        ("patch --local -f f.yaml -p {}", 0, "job.batch/x patched (no change)\n", ""),
        ("patch --local -f f.yaml -p 'spec: {parallelism: 2}'", 0, "job.batch/x patched\n", ""),
        ("patch --local -f f.yaml -p {} --dry-run=server", 1, "", not_server),
        ("patch --local -f f.yaml --type=merge -p 7", 1, "", "error: Invalid JSON Patch\n"),
        (
            "patch --local -f f.yaml --type=foo -p {}",
            1,
            "",
            "error: --type must be one of [json merge strategic], not \"foo\"\n",
        ),
        (
            "patch --local -f f.yaml --patch-file=nope.yaml",
            1,
            "",
            "error: unable to read patch file: open nope.yaml: no such file or directory\n",
        ),
        (
            "patch --local -f f.yaml -p ''",
            1,
            "",
            "error: must specify --patch or --patch-file containing the contents of the patch\n",
        ),
        (
            "patch --local -f f.yaml -p 'bad: [yaml'",
            1,
            "",
            "error: unable to parse \"bad: [yaml\": yaml: line 1: did not find expected ',' or ']'\n",
        ),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
}

#[test]
fn listing_changes_nothing_and_names_each_of_several_objects() {
    let world = World::new();
    for name in ["w", "x"] {
        let _ = world.apply(&job(name, "suspend: true", "true"));
        let _ = world.run(&format!("label job {name} is={name}")).success();
    }
    let listed = world.run("label job x z=1 --list").success();
    assert!(listed.lines().contains(&"is=x") && listed.lines().contains(&"z=1"), "{}", listed.stdout);
    assert_eq!(world.value("job x", "{.metadata.labels.z}"), "", "it was only listed");
    let listed = world.run("label jobs --all --list").success();
    for line in ["Listing labels for Job.batch/w:", " is=w", "Listing labels for Job.batch/x:", " is=x"] {
        assert!(listed.lines().contains(&line), "{line}: {}", listed.stdout);
    }
    let refused = world.run("label job x 'bad key=v'").failure();
    let start = "The Job \"x\" is invalid: metadata.labels: Invalid value: \"bad key\": ";
    assert!(refused.stderr.starts_with(start), "{}", refused.stderr);
}
