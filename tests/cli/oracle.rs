//! Side by side with a real kubectl, where one is installed; offline, for there is no cluster.

use std::process::Command;

use crate::common::{PATH, World};

/// What kubectl prints; `None` where there is none, said on the way.
fn kubectl(world: &World, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("kubectl");
    command.args(arguments).env_clear().env("PATH", PATH).env("HOME", world.path("home"));
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            println!("skipped: no kubectl in {PATH}: {error}");
            None
        }
    }
}

#[test]
fn create_job_prints_what_kubectl_prints_byte_by_byte() {
    let world = World::new();
    for arguments in [
        "create job x --image=y --dry-run=client -o yaml -- cmd",
        "create job yes --image=busybox:1.36 --dry-run=client -o yaml -- sh -c 'for i in 1 2 3; do echo \"$i: x\"; done'",
        "create job x --image=y --dry-run=client -o yaml -- echo '' ' ' 'a: b' '- c' '#d' 1 1.5 0x1f true null ~",
        "create job x --image=y --dry-run=client -o name -- cmd",
        "create job x --image=y --dry-run=client -- cmd",
        "create job x --image=y --dry-run=client -o yaml",
    ] {
        let words = crate::common::words(arguments);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(expected) = kubectl(&world, &words) else { return };
        assert_eq!(world.run(arguments).success().stdout, expected, "{arguments}");
    }
}

#[test]
#[ignore = "kubectl prints JSON of `create job` in the order of its Go structs, we print it sorted"]
fn create_job_prints_the_json_that_kubectl_prints() {
    let world = World::new();
    let words = ["create", "job", "x", "--image=y", "--dry-run=client", "-o", "json", "--", "cmd", "a", "b"];
    let Some(expected) = kubectl(&world, &words) else { return };
    let found = world.run(&words.join(" ")).success().stdout;
    assert_eq!(found, expected);
}

#[test]
fn create_job_prints_json_of_the_same_value() {
    let world = World::new();
    let words = ["create", "job", "x", "--image=y", "--dry-run=client", "-o", "json", "--", "cmd", "a", "b"];
    let Some(expected) = kubectl(&world, &words) else { return };
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(value(&world.run(&words.join(" ")).success().stdout), value(&expected));
}

#[test]
fn files_that_do_not_parse_are_told_as_kubectl_tells_them() {
    let world = World::new();
    let sound = r#"{"kind":"A","apiVersion":"v1","metadata":{"name":"x"}}"#;
    for text in [
        format!("{sound} x"),
        format!("{sound}}}"),
        format!("{sound}\n{}", r#"{"kind":"A","apiVersion":"v1","metadata":{"name":"y",}}"#),
        r#"{"kind":"A" "b":1}"#.into(),
        r#"{"kind":"A"#.into(),
        r#"{"kind":tru}"#.into(),
        r#"{"kind":"A","b":[1 2]}"#.into(),
        r#"{"kind":"A","b":1.x}"#.into(),
        r#"{"kind":"A\u12x4"}"#.into(),
        r#"{"kind":'A'}"#.into(),
        "kind: A\nmetadata:\n\tname: x\n".into(),
        "kind: A\nmetadata: x\n\ty: z\n".into(),
        "kind: A\nb: [1, 2\n".into(),
        "kind: A\n  b: 1\n".into(),
    ] {
        let file = world.path("work/file");
        world.manifest("file", &text);
        let file = file.to_str().expect("a path");
        let arguments = ["label", "--local", "-f", file, "a=b", "-o", "name"];
        let mut command = Command::new("kubectl");
        command.args(arguments).env_clear().env("PATH", PATH).env("HOME", world.path("home"));
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => {
                println!("skipped: no kubectl in {PATH}: {error}");
                return;
            }
        };
        let ours = world.command_of(arguments.map(str::to_owned).into()).run();
        let theirs = String::from_utf8_lossy(&output.stderr);
        assert_eq!((ours.stderr.as_str(), ours.code), (&*theirs, 1), "{text}");
        assert_eq!(ours.stdout, String::from_utf8_lossy(&output.stdout), "{text}");
    }
}
