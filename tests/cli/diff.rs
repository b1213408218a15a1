//! diff: what apply would change, by exit code and by what the program that compares is given.

use crate::common::{World, job};

#[test]
fn differences_are_shown_and_nothing_is_stored() {
    let world = World::new();
    let path = world.manifest("x.yaml", job("x", "suspend: true\nbackoffLimit: 2", "true"));
    let diff =
        |line: &str| world.command(line).env("TMPDIR", world.path("tmp").to_str().expect("a path")).run();
    let new = diff(&format!("diff -f {path}"));
    assert_eq!((new.code, new.stderr.as_str()), (1, ""), "{}", new.stdout);
    assert!(
        new.stdout.contains("+  name: x\n") && new.stdout.contains("batch.v1.Job.default.x"),
        "{}",
        new.stdout
    );
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    let _ = world.run(&format!("apply -f {path}")).success();
    let same = diff(&format!("diff -f {path}"));
    assert_eq!((same.code, same.stdout.as_str(), same.stderr.as_str()), (0, "", ""));
    let path = world.manifest("x.yaml", job("x", "suspend: true\nbackoffLimit: 3", "true"));
    let changed = diff(&format!("diff -f {path}"));
    assert_eq!(changed.code, 1);
    let lines: Vec<&str> = changed
        .stdout
        .lines()
        .filter(|line| line.starts_with(['-', '+']) && !line.contains("/tmp/"))
        .collect();
    assert_eq!(lines[lines.len() - 2..], ["-  backoffLimit: 2", "+  backoffLimit: 3"], "{}", changed.stdout);
    assert!(!changed.stdout.contains("resourceVersion: \"0\""), "{}", changed.stdout);
    assert_eq!(world.value("job x", "{.spec.backoffLimit}"), "2", "nothing is stored");
    let left = std::fs::read_dir(world.path("tmp")).expect("a directory").count();
    assert_eq!(left, 0, "no file is left");
    // Another program has its own exit code.
    let listed = world.command(&format!("diff -f {path}")).env("KUBECTL_EXTERNAL_DIFF", "ls").run();
    assert_eq!(listed.code, 0);
    assert_eq!(listed.stdout.matches("batch.v1.Job.default.x").count(), 2, "{}", listed.stdout);
}

#[test]
fn errors_have_another_exit_code_than_differences() {
    let world = World::new();
    let path = world.manifest("x.yaml", job("x", "suspend: true", "true"));
    let _ = world.run(&format!("apply -f {path}")).success();
    let other = world.manifest("other.yaml", job("x", "suspend: true", "false"));
    for (line, program, error) in [
        ("diff".to_owned(), "", "error: must specify one of -f and -k\n"),
        ("diff -f nope.yaml".to_owned(), "", "error: the path \"nope.yaml\" does not exist\n"),
        (
            format!("diff -f {path}"),
            "no-such-program",
            "error: failed to run \"no-such-program\": executable file not found in $PATH\n",
        ),
    ] {
        world.command(&line).env("KUBECTL_EXTERNAL_DIFF", program).run().is(2, "", error);
    }
    let immutable = world.run(&format!("diff -f {other}"));
    assert_eq!(immutable.code, 2);
    assert!(
        immutable.stderr.starts_with("The Job \"x\" is invalid: spec.template: "),
        "{}",
        immutable.stderr
    );
    let secret = |value: &str| {
        let value =
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{k: {value}}}\n");
        world.manifest("s.yaml", value)
    };
    let _ = world.run(&format!("apply -f {}", secret("hunter2"))).success();
    let masked = world.run(&format!("diff -f {}", secret("swordfish")));
    assert_eq!(masked.code, 1);
    assert!(masked.stdout.contains("-  k: '*** (before)'\n+  k: '*** (after)'\n"), "{}", masked.stdout);
}
