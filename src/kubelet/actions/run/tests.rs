use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::{Value, json};

use super::super::ConfigObjects;
use super::*;
use crate::api::Pod;
use crate::controller::Settings;

fn owner(annotations: &Value) -> ObjectMeta {
    serde_json::from_value(json!({"name": "job", "annotations": annotations})).expect("metadata")
}

fn pod(container: Value) -> Pod {
    let mut container = container;
    container["name"] = json!("main");
    serde_json::from_value(json!({
        "metadata": {
            "name": "p-x", "namespace": "space", "uid": "u",
            "labels": {"app": "web"}, "annotations": {"note": "n"},
        },
        "spec": {"nodeName": "here", "restartPolicy": "Never", "containers": [container]},
    }))
    .expect("a pod")
}

fn resolve(pod: &Pod, annotations: &Value) -> Result<PodRun, Blocked> {
    let base =
        BTreeMap::from([("PATH".to_owned(), "/bin".to_owned()), ("HOME".to_owned(), "/home".to_owned())]);
    let passed = [("TOKEN", "t"), ("HOME", "/other"), ("A", "passed")];
    let passed = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let world = World::new(Settings { node_name: "here".into(), ..Settings::default() });
    let allocatable = [("cpu", "7"), ("memory", "1000Ki")];
    let allocatable = allocatable.map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).into();
    let config = ConfigObjects::default();
    let environment =
        Environment { base: &base, passed: &passed, me: Identity { user: 1000, group: 1000 }, nfs: &[] };
    let referenced = Referenced { pod, address: "127.16.0.9", config: &config, allocatable: &allocatable };
    pod_run(referenced, &owner(annotations), &world, &environment).map(|prepared| prepared.run)
}

fn env(run: &PodRun) -> String {
    run.containers[0].env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_environment_of_a_container() {
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    let ours = "JOBCTL_CONTAINER=main JOBCTL_NODE_NAME=here JOBCTL_POD_UID=u";
    for (rule, annotations, variables, expected) in [
        (
            "a clean one: the user's session, the host's name and ours",
            json!({}),
            json!([]),
            format!("HOME=/home HOSTNAME=p-x {ours} PATH=/bin"),
        ),
        (
            "PATH of whoever created the object",
            json!({"jobctl.local/path": "/venv/bin:/bin"}),
            json!([]),
            format!("HOME=/home HOSTNAME=p-x {ours} PATH=/venv/bin:/bin"),
        ),
        (
            "the session of whoever created the object",
            json!({"jobctl.local/session": r#"{"HOME":"/creator","TZ":"Asia/Tokyo"}"#}),
            json!([]),
            format!("HOME=/creator HOSTNAME=p-x {ours} PATH=/bin TZ=Asia/Tokyo"),
        ),
        (
            "what was passed on purpose",
            json!({"jobctl.local/environment": "HOME,TOKEN,NOT_KEPT"}),
            json!([]),
            format!("HOME=/other HOSTNAME=p-x {ours} PATH=/bin TOKEN=t"),
        ),
        (
            "the container's own comes last and sees what stands before it",
            json!({"jobctl.local/environment": "A"}),
            json!([
                {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2$(C)"}, {"name": "C", "value": "3"},
                {"name": "PATH", "value": "/own"}, {"name": "E"},
            ]),
            format!("A=1 B=12$(C) C=3 E= HOME=/home HOSTNAME=p-x {ours} PATH=/own"),
        ),
        (
            "variables of the session are not replaced: on a cluster they would not be there",
            json!({}),
            json!([{"name": "A", "value": "$(HOME) $(HOSTNAME)"}]),
            format!("A=$(HOME) $(HOSTNAME) HOME=/home HOSTNAME=p-x {ours} PATH=/bin"),
        ),
        (
            "fields of the pod",
            json!({}),
            json!([
                {"name": "A", "valueFrom": field("metadata.name")},
                {"name": "B", "valueFrom": field("metadata.labels['app']")},
                {"name": "C", "valueFrom": field("metadata.annotations['none']")},
                {"name": "D", "valueFrom": field("status.podIP")},
                {"name": "E", "valueFrom": field("spec.nodeName")},
                {"name": "F", "value": "$(A)/$(B)"},
                {"name": "G", "valueFrom": field("metadata.namespace")},
            ]),
            format!(
                "A=p-x B=web C= D=127.16.0.9 E=here F=p-x/web G=space HOME=/home HOSTNAME=p-x {ours} PATH=/bin"
            ),
        ),
        (
            "the marks by which a lost pod's processes are found cannot be changed",
            json!({}),
            json!([{"name": "JOBCTL_POD_UID", "value": "x"}, {"name": "JOBCTL_CONTAINER", "value": "x"}]),
            format!("HOME=/home HOSTNAME=p-x {ours} PATH=/bin"),
        ),
    ] {
        let run = resolve(&pod(json!({"command": ["c"], "env": variables})), &annotations).expect(rule);
        assert_eq!(env(&run), expected, "{rule}");
    }
}

#[test]
fn variables_of_what_containers_may_have() {
    for (rule, resources, of_pod, reference, expected) in [
        (
            "its own limit",
            json!({"limits": {"cpu": "2"}}),
            json!(null),
            json!({"resource": "limits.cpu"}),
            "2",
        ),
        (
            "in units of the divisor, rounded up",
            json!({"limits": {"memory": "1500k"}}),
            json!(null),
            json!({"resource": "limits.memory", "divisor": "1Mi"}),
            "2",
        ),
        ("without a limit, the machine", json!({}), json!(null), json!({"resource": "limits.cpu"}), "7"),
        (
            "a limit of zero is none",
            json!({"limits": {"memory": "0"}}),
            json!(null),
            json!({"resource": "limits.memory"}),
            "1024000",
        ),
        (
            "or what the pod may have",
            json!({}),
            json!({"limits": {"cpu": "1500m"}}),
            json!({"resource": "limits.cpu", "divisor": "1m"}),
            "1500",
        ),
        (
            "nobody says how much storage there is",
            json!({}),
            json!(null),
            json!({"resource": "limits.ephemeral-storage"}),
            "0",
        ),
        ("no request is none", json!({}), json!(null), json!({"resource": "requests.memory"}), "0"),
        (
            "that of another container",
            json!({}),
            json!(null),
            json!({"resource": "requests.cpu", "containerName": "first", "divisor": "1m"}),
            "250",
        ),
    ] {
        let env = json!([
            {"name": "A", "valueFrom": {"resourceFieldRef": reference}}, {"name": "B", "value": "$(A)!"},
        ]);
        let mut pod = pod(json!({"command": ["c"], "env": env, "resources": resources}));
        let spec = pod.spec.as_mut().expect("a spec");
        spec.resources = serde_json::from_value(of_pod).expect("resources");
        let first = json!([{"name": "first", "command": ["c"], "resources": {"requests": {"cpu": "250m"}}}]);
        spec.init_containers = serde_json::from_value(first).expect("containers");
        let run = resolve(&pod, &json!({})).expect(rule);
        let own = run.containers[1].env.iter().filter(|(name, _)| ["A", "B"].contains(&name.as_str()));
        let values: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, [expected, &format!("{expected}!")], "{rule}");
    }
}

#[test]
fn a_variable_about_a_container_that_is_not_there_keeps_its_own_waiting() {
    let reference = json!({"resource": "limits.cpu", "containerName": "other"});
    let env = json!([{"name": "A", "valueFrom": {"resourceFieldRef": reference}}]);
    let blocked =
        resolve(&pod(json!({"command": ["c"], "env": env})), &json!({})).expect_err("no such container");
    assert_eq!(
        (blocked.container.as_str(), blocked.reason, blocked.message.as_str()),
        ("main", "CreateContainerConfigError", "container other not found")
    );
}

#[test]
fn command_arguments_and_directory() {
    let annotated = json!({"jobctl.local/working-directory": "/created/in"});
    for (rule, container, annotations, argv, directory) in [
        ("where the object was created", json!({"command": ["c"]}), &annotated, "c", "/created/in"),
        (
            "the container's own directory",
            json!({"command": ["c"], "workingDir": "/own"}),
            &annotated,
            "c",
            "/own",
        ),
        (
            "one below",
            json!({"command": ["c"], "workingDir": "sub/dir"}),
            &annotated,
            "c",
            "/created/in/sub/dir",
        ),
        ("an empty one is none", json!({"command": ["c"], "workingDir": ""}), &annotated, "c", "/created/in"),
        ("not known", json!({"command": ["c"]}), &json!({}), "c", "/"),
        ("below the root", json!({"command": ["c"], "workingDir": "x"}), &json!({}), "c", "/x"),
        (
            "arguments follow the command, variables replaced, words kept",
            json!({"command": ["c", "-v"], "args": ["a b", "$(A)", "$$(A)", "$(NO)"], "env": [{"name": "A", "value": "1 2"}]}),
            &annotated,
            "c|-v|a b|1 2|$(A)|$(NO)",
            "/created/in",
        ),
    ] {
        let run = resolve(&pod(container), annotations).expect(rule);
        assert_eq!(run.containers[0].argv.join("|"), argv, "{rule}");
        assert_eq!(run.containers[0].working_directory, directory, "{rule}");
    }
}

#[test]
fn what_keeps_a_container_from_being_started() {
    for (rule, container, reason, part) in [
        (
            "no command: only an image could say what to run",
            json!({"image": "img:1"}),
            "ErrImagePull",
            "\"img:1\"",
        ),
        (
            "arguments alone are no command",
            json!({"image": "img", "args": ["x"]}),
            "ErrImagePull",
            "give the container a command",
        ),
        (
            "never to be pulled",
            json!({"image": "img", "imagePullPolicy": "Never"}),
            "ErrImageNeverPull",
            "Container image \"img\" is not present with pull policy of Never",
        ),
        (
            "a field that does not exist",
            json!({"command": ["c"], "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nope"}}}]}),
            "CreateContainerConfigError",
            "unsupported fieldPath: metadata.nope",
        ),
    ] {
        let blocked = resolve(&pod(container), &json!({})).expect_err(rule);
        assert_eq!((blocked.container.as_str(), blocked.reason), ("main", reason), "{rule}");
        assert!(blocked.message.contains(part), "{rule}: {}", blocked.message);
    }
}

#[test]
fn what_a_supervisor_is_told_of_its_pod() {
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "a".repeat(70), "namespace": "default", "uid": "u"},
        "spec": {
            "activeDeadlineSeconds": 5,
            "initContainers": [
                {"name": "i", "command": ["c"]},
                {"name": "s", "command": ["c"], "restartPolicy": "Always"},
            ],
            "containers": [{"name": "c", "command": ["c"]}],
        },
    }))
    .expect("a pod");
    let run = resolve(&pod, &json!({"jobctl.local/backoff-base": "200ms"})).expect("a run");
    let roles: Vec<(&str, Role)> =
        run.containers.iter().map(|container| (container.name.as_str(), container.role)).collect();
    assert_eq!(roles, [("i", Role::Init), ("s", Role::Sidecar), ("c", Role::Main)]);
    assert_eq!(run.hostname.len(), 63, "a host's name is cut to a label");
    assert_eq!((run.restart_policy.as_str(), run.grace_seconds), ("Always", 30), "defaults");
    assert_eq!((run.active_deadline_seconds, run.backoff_base_milliseconds), (Some(5), 200));
}

/// So many variables, each of which names the one before it four times.
fn doubling(count: usize) -> Value {
    let variables = (0..count).map(|number| match number {
        0 => json!({"name": "V0", "value": "x"}),
        _ => json!({"name": format!("V{number}"), "value": format!("$(V{0})", number - 1).repeat(4)}),
    });
    variables.collect()
}

#[test]
fn more_than_a_program_can_be_given_is_refused_and_never_made() {
    let long = |bytes: usize| "x".repeat(bytes);
    let many = |count: usize, bytes: usize| -> Value {
        (0..count).map(|number| json!({"name": format!("V{number}"), "value": long(bytes)})).collect()
    };
    let one = "is longer than the 131071 bytes that a program can be given";
    let all = "its arguments and variables are longer than the 1572864 bytes that a program can be given";
    for (rule, fields, expected) in [
        (
            "thirty variables of four times the one before",
            json!({"env": doubling(30)}),
            Some(format!("variable V9 {one}")),
        ),
        (
            "as long as can be",
            json!({"args": [long(131_071)], "env": [{"name": "A", "value": long(131_069)}]}),
            None,
        ),
        ("one argument", json!({"args": ["x", long(131_072)]}), Some(format!("argument 2 {one}"))),
        (
            "one variable",
            json!({"env": [{"name": "A", "value": long(131_070)}]}),
            Some(format!("variable A {one}")),
        ),
        (
            "an argument made of variables",
            json!({"args": ["$(A)$(A)"], "env": [{"name": "A", "value": long(100_000)}]}),
            Some(format!("argument 1 {one}")),
        ),
        ("many variables", json!({"env": many(16, 100_000)}), Some(all.to_owned())),
        ("many arguments", json!({"args": vec![long(100_000); 16]}), Some(all.to_owned())),
        ("not too many", json!({"args": vec![long(100_000); 7], "env": many(7, 100_000)}), None),
    ] {
        let mut container = fields;
        container["command"] = json!(["true"]);
        let found = resolve(&pod(container), &json!({}));
        match (found, expected) {
            (Ok(_), None) => {}
            (Err(blocked), Some(expected)) => {
                assert_eq!(blocked.reason, "CreateContainerError", "{rule}");
                let message = format!("container \"main\" cannot be started: {expected}");
                assert_eq!((blocked.container, blocked.message), ("main".to_owned(), message), "{rule}");
            }
            (found, _) => panic!("{rule}: {}", found.is_ok()),
        }
    }
    let session = json!({"jobctl.local/session": json!({"A": long(131_072)}).to_string()});
    let blocked = resolve(&pod(json!({"command": ["true"]})), &session).expect_err("too long");
    assert_eq!(blocked.message, format!("container \"main\" cannot be started: variable A {one}"));
}

#[test]
fn thousands_of_containers_share_one_bound() {
    let mut many = pod(json!({"command": ["true"], "env": doubling(8)}));
    let containers = &mut many.spec.as_mut().expect("a spec").containers;
    *containers = (0..5_000)
        .map(|number| crate::api::Container { name: format!("c{number}"), ..containers[0].clone() })
        .collect();
    let blocked = resolve(&many, &json!({})).expect_err("too much");
    assert_eq!(blocked.reason, "CreateContainerError");
    let end = "the arguments and variables of the pod's containers are longer than 16777216 bytes";
    assert!(blocked.message.ends_with(end), "{}", blocked.message);
}
