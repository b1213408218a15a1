#![allow(clippy::needless_pass_by_value, reason = "json! literals are handed over as they stand")]

use serde_json::{Value, json};

use super::super::{ended, started};
use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
}

/// A pod of init containers `i0`, `i1` …, sidecars `s0` … and containers `c0` ….
fn run(policy: &str, roles: &[Role]) -> PodRun {
    let letter = |role: &Role| match role {
        Role::Init => 'i',
        Role::Sidecar => 's',
        Role::Main => 'c',
    };
    let mut containers: Vec<ContainerRun> = Vec::new();
    for role in roles {
        let number = containers.iter().filter(|container| container.role == *role).count();
        let name = format!("{}{number}", letter(role));
        containers.push(ContainerRun { name, image: "img".into(), role: *role, ..ContainerRun::default() });
    }
    PodRun {
        namespace: "default".into(),
        name: "p".into(),
        uid: "u".into(),
        restart_policy: policy.into(),
        backoff_base_milliseconds: 10_000,
        containers,
        ..PodRun::default()
    }
}

fn waits() -> ContainerState {
    ContainerState::new()
}

fn runs() -> ContainerState {
    started(&waits(), at(0))
}

fn exit(code: i32, second: i64) -> Terminated {
    Terminated {
        exit_code: code,
        reason: if code == 0 { "Completed".into() } else { "Error".into() },
        message: None,
        started_at: Some(at(0)),
        finished_at: at(second),
    }
}

fn exited(code: i32) -> ContainerState {
    ended(&runs(), exit(code, 1))
}

/// Has failed at second 1, was restarted at once, and has failed again at second 2.
fn failed_twice() -> ContainerState {
    ended(&started(&exited(1), at(1)), exit(1, 2))
}

fn status(run: &PodRun, states: &[ContainerState], finished: bool) -> PodStatus {
    pod_status(run, states, finished, Verdict::None, at(0), None, at(3))
}

/// `name: state reason`, with `ready`, the number of restarts and the state before, for every container.
fn told(statuses: Option<&Vec<ContainerStatus>>) -> String {
    let state = |state: Option<&ApiState>| {
        let value: Value = serde_json::to_value(state).expect("a state");
        let Some((kind, detail)) = value.as_object().and_then(|object| object.iter().next()) else {
            return String::new();
        };
        let code = detail["exitCode"].as_i64().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{kind} {}{code}", detail["reason"].as_str().unwrap_or_default()).trim_end().to_owned()
    };
    let one = |status: &ContainerStatus| {
        let mut line = format!("{}: {}", status.name, state(status.state.as_ref()));
        if status.ready {
            line.push_str(", ready");
        }
        if status.restart_count > 0 {
            line.push_str(&format!(", restarts {}", status.restart_count));
        }
        let last = state(status.last_state.as_ref());
        if !last.is_empty() {
            line.push_str(&format!(", last {last}"));
        }
        line
    };
    statuses.into_iter().flatten().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn phases_and_containers() {
    use Role::{Init, Main, Sidecar};
    for (rule, run, states, finished, phase, expected) in [
        ("created", run("Never", &[Main]), vec![waits()], false, "Pending", "c0: waiting ContainerCreating"),
        ("running", run("Never", &[Main]), vec![runs()], false, "Running", "c0: running, ready"),
        (
            "with one of two started it runs",
            run("Never", &[Main, Main]),
            vec![runs(), waits()],
            false,
            "Running",
            "c0: running, ready; c1: waiting ContainerCreating",
        ),
        (
            "all ended with 0",
            run("Never", &[Main, Main]),
            vec![exited(0), exited(0)],
            true,
            "Succeeded",
            "c0: terminated Completed 0; c1: terminated Completed 0",
        ),
        (
            "one ended otherwise",
            run("Never", &[Main, Main]),
            vec![exited(0), exited(3)],
            true,
            "Failed",
            "c0: terminated Completed 0; c1: terminated Error 3",
        ),
        (
            "stopped before it was started",
            run("Never", &[Main]),
            vec![waits()],
            true,
            "Failed",
            "c0: waiting ContainerCreating",
        ),
        (
            "one has ended, the other runs on",
            run("Never", &[Main, Main]),
            vec![exited(1), runs()],
            false,
            "Running",
            "c0: terminated Error 1; c1: running, ready",
        ),
        (
            "before the first restart the end is shown",
            run("OnFailure", &[Main]),
            vec![exited(1)],
            false,
            "Running",
            "c0: terminated Error 1",
        ),
        (
            "restarted: the end before is the last state",
            run("OnFailure", &[Main]),
            vec![started(&exited(1), at(1))],
            false,
            "Running",
            "c0: running, ready, restarts 1, last terminated Error 1",
        ),
        (
            "waiting for its second restart",
            run("OnFailure", &[Main]),
            vec![failed_twice()],
            false,
            "Running",
            "c0: waiting CrashLoopBackOff, restarts 1, last terminated Error 1",
        ),
        (
            "a pod that is over waits for nothing",
            run("OnFailure", &[Main]),
            vec![failed_twice()],
            true,
            "Failed",
            "c0: terminated Error 1, restarts 1, last terminated Error 1",
        ),
        (
            "a success waits for no restart under OnFailure",
            run("OnFailure", &[Main, Main]),
            vec![ended(&started(&exited(1), at(1)), exit(0, 2)), runs()],
            false,
            "Running",
            "c0: terminated Completed 0, restarts 1, last terminated Error 1; c1: running, ready",
        ),
        (
            "but does under Always",
            run("Always", &[Main]),
            vec![ended(&started(&exited(0), at(1)), exit(0, 2))],
            false,
            "Running",
            "c0: waiting CrashLoopBackOff, restarts 1, last terminated Completed 0",
        ),
        (
            "init containers run: pending",
            run("Never", &[Init, Init, Main]),
            vec![runs(), waits(), waits()],
            false,
            "Pending",
            "i0: running; i1: waiting PodInitializing; c0: waiting PodInitializing",
        ),
        (
            "an init container that has done its work is ready",
            run("Never", &[Init, Init, Main]),
            vec![exited(0), runs(), waits()],
            false,
            "Pending",
            "i0: terminated Completed 0, ready; i1: running; c0: waiting PodInitializing",
        ),
        (
            "an init container that fails ends the pod under Never",
            run("Never", &[Init, Main]),
            vec![exited(2), waits()],
            true,
            "Failed",
            "i0: terminated Error 2; c0: waiting PodInitializing",
        ),
        (
            "and crash-loops under OnFailure",
            run("OnFailure", &[Init, Main]),
            vec![failed_twice(), waits()],
            false,
            "Pending",
            "i0: waiting CrashLoopBackOff, restarts 1, last terminated Error 1; c0: waiting PodInitializing",
        ),
        (
            "a sidecar runs beside the rest",
            run("Never", &[Sidecar, Main]),
            vec![runs(), runs()],
            false,
            "Running",
            "s0: running, ready; c0: running, ready",
        ),
        (
            "a sidecar's end does not matter",
            run("Never", &[Sidecar, Main]),
            vec![exited(143), exited(0)],
            true,
            "Succeeded",
            "s0: terminated Error 143; c0: terminated Completed 0",
        ),
    ] {
        let status = status(&run, &states, finished);
        assert_eq!(status.phase.as_deref(), Some(phase), "{rule}");
        let parts = [told(status.init_container_statuses.as_ref()), told(status.container_statuses.as_ref())];
        let all: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        assert_eq!(all.join("; "), expected, "{rule}");
    }
}

/// `Type=Status Reason Message`, one a line.
fn conditions(status: &PodStatus) -> String {
    let one = |condition: &k8s_openapi::api::core::v1::PodCondition| {
        let reason = condition.reason.as_deref().unwrap_or_default();
        let message = condition.message.as_deref().unwrap_or_default();
        format!("{}={} {reason} {message}", condition.type_, condition.status).trim_end().to_owned()
    };
    status.conditions.iter().flatten().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn conditions_of_a_pod() {
    use Role::{Init, Main};
    let unready = |names: &str| {
        format!(
            "Ready=False ContainersNotReady containers with unready status: [{names}]\n\
             ContainersReady=False ContainersNotReady containers with unready status: [{names}]"
        )
    };
    for (rule, run, states, finished, expected) in [
        (
            "waiting: the unready containers are named",
            run("Never", &[Main, Main]),
            vec![waits(), runs()],
            false,
            format!("PodReadyToStartContainers=True\nInitialized=True\n{}", unready("c0")),
        ),
        (
            "running",
            run("Never", &[Main]),
            vec![runs()],
            false,
            "PodReadyToStartContainers=True\nInitialized=True\nReady=True\nContainersReady=True".into(),
        ),
        (
            "initializing: those that are not done are named",
            run("Never", &[Init, Init, Main]),
            vec![exited(0), runs(), waits()],
            false,
            format!(
                "PodReadyToStartContainers=True\n\
                 Initialized=False ContainersNotInitialized containers with incomplete status: [i1]\n{}",
                unready("c0")
            ),
        ),
        (
            "succeeded",
            run("Never", &[Main]),
            vec![exited(0)],
            true,
            "PodReadyToStartContainers=False\nInitialized=True PodCompleted\nReady=False PodCompleted\n\
             ContainersReady=False PodCompleted"
                .into(),
        ),
        (
            "failed",
            run("Never", &[Main]),
            vec![exited(1)],
            true,
            "PodReadyToStartContainers=False\nInitialized=True\nReady=False PodFailed\n\
             ContainersReady=False PodFailed"
                .into(),
        ),
    ] {
        assert_eq!(conditions(&status(&run, &states, finished)), expected, "{rule}");
    }
}

#[test]
fn a_condition_keeps_its_time_until_it_changes() {
    let run = run("Never", &[Role::Main]);
    let times = |status: &PodStatus| -> Vec<i64> {
        let times = status.conditions.iter().flatten().filter_map(|one| one.last_transition_time.as_ref());
        times.map(|time| (time.0 - at(0)).num_seconds()).collect()
    };
    let of = |states: &[ContainerState], previous: Option<&PodStatus>, now| {
        pod_status(&run, states, false, Verdict::None, at(0), previous, at(now))
    };
    let first = of(&[waits()], None, 1);
    let second = of(&[runs()], Some(&first), 5);
    assert_eq!((times(&first), times(&second)), (vec![1, 1, 1, 1], vec![1, 1, 5, 5]));
    assert_eq!(times(&of(&[runs()], Some(&second), 9)), [1, 1, 5, 5]);
}

#[test]
fn the_text_of_crash_loop_back_off_names_delay_container_and_pod() {
    let run = run("OnFailure", &[Role::Main]);
    let mut state = failed_twice();
    for (restarts, delay) in
        [(1, "10s"), (2, "20s"), (3, "40s"), (4, "1m20s"), (5, "2m40s"), (6, "5m0s"), (9, "5m0s")]
    {
        state.recent_restarts = restarts;
        let status = status(&run, std::slice::from_ref(&state), false);
        let waiting = status.container_statuses.and_then(|all| all[0].state.clone()?.waiting);
        let expected = format!("back-off {delay} restarting failed container=c0 pod=p_default(u)");
        assert_eq!(waiting.and_then(|waiting| waiting.message), Some(expected));
    }
}

#[test]
fn a_container_that_could_not_be_started() {
    let how = Terminated {
        exit_code: 128,
        reason: "StartError".into(),
        message: Some("exec: \"x\"".into()),
        started_at: None,
        finished_at: at(2),
    };
    let status = status(&run("Never", &[Role::Main]), &[ended(&runs(), how)], true);
    assert_eq!(status.phase.as_deref(), Some("Failed"));
    let state = serde_json::to_value(&status.container_statuses.expect("one")[0].state).expect("a state");
    let expected = json!({"terminated": {
        "containerID": "jobctl://u/c0/0", "exitCode": 128, "reason": "StartError", "message": "exec: \"x\"",
        "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "2023-11-14T22:13:22Z",
    }});
    assert_eq!(state, expected);
}

#[test]
fn a_pod_past_its_own_deadline_has_failed_whatever_its_containers_say() {
    let run = run("Never", &[Role::Main]);
    let status = pod_status(&run, &[exited(0)], true, Verdict::DeadlineExceeded, at(0), None, at(3));
    assert_eq!(status.phase.as_deref(), Some("Failed"));
    assert_eq!(status.reason.as_deref(), Some("DeadlineExceeded"));
    let message = "Pod was active on the node longer than the specified deadline";
    assert_eq!(status.message.as_deref(), Some(message));
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without borrows")]
fn pod(spec: Value, status: Value) -> Pod {
    let meta = json!({"name": "p", "namespace": "default", "uid": "u"});
    serde_json::from_value(json!({"metadata": meta, "spec": spec, "status": status})).expect("a pod")
}

#[test]
fn a_lost_pod_has_failed_and_no_exit_code_of_its_own_is_invented() {
    let run = run("OnFailure", &[Role::Init, Role::Main, Role::Main, Role::Main]);
    let states = [exited(0), runs(), waits(), exited(3)];
    let before = status(&run, &states, false);
    let lost =
        lost_status(&pod(json!({"containers": []}), serde_json::to_value(before).expect("a status")), at(9));
    assert_eq!(lost.phase.as_deref(), Some("Failed"));
    assert_eq!(told(lost.init_container_statuses.as_ref()), "i0: terminated Completed 0, ready");
    assert_eq!(
        told(lost.container_statuses.as_ref()),
        "c0: terminated ContainerStatusUnknown 137; c1: terminated ContainerStatusUnknown 137; c2: terminated Error 3",
    );
    let conditions = conditions(&lost);
    for expected in
        ["DisruptionTarget=True DeletionByPodGC", "Ready=False PodFailed", "ContainersReady=False PodFailed"]
    {
        assert!(conditions.contains(expected), "{conditions}");
    }
    let initializing = status(&run, &[runs(), waits(), waits(), waits()], false);
    let lost = lost_status(
        &pod(json!({"containers": []}), serde_json::to_value(initializing).expect("a status")),
        at(9),
    );
    assert_eq!(told(lost.init_container_statuses.as_ref()), "i0: terminated ContainerStatusUnknown 137");
    let never_reported = lost_status(&pod(json!({"containers": []}), json!({"phase": "Pending"})), at(9));
    assert_eq!((never_reported.phase.as_deref(), never_reported.container_statuses), (Some("Failed"), None));
}

#[test]
fn a_pod_that_cannot_be_started_waits_as_for_its_image() {
    let spec = json!({"containers": [{"name": "a", "image": "img:1"}, {"name": "b", "image": "other"}]});
    let blocked = Blocked { container: "a".into(), reason: "ErrImagePull", message: "no such image".into() };
    let fresh = pod(spec.clone(), json!({"phase": "Pending"}));
    let (first, wake) = blocked_status(&fresh, &blocked, at(0));
    assert_eq!(
        told(first.container_statuses.as_ref()),
        "a: waiting ErrImagePull; b: waiting ContainerCreating"
    );
    assert_eq!((first.phase.as_deref(), wake), (Some("Pending"), Some(at(10))));
    let again = pod(spec, serde_json::to_value(&first).expect("a status"));
    assert_eq!(blocked_status(&again, &blocked, at(9)).0, first, "nothing changes before the back-off");
    let (later, wake) = blocked_status(&again, &blocked, at(10));
    assert_eq!(
        told(later.container_statuses.as_ref()),
        "a: waiting ImagePullBackOff; b: waiting ContainerCreating"
    );
    assert_eq!(wake, Some(at(20)), "and is tried again, as an image is pulled again");
    let message = later.container_statuses.and_then(|all| all[0].state.clone()?.waiting?.message);
    assert_eq!(message.as_deref(), Some("Back-off pulling image \"img:1\": ErrImagePull: no such image"));
    let never = Blocked { reason: "ErrImageNeverPull", ..blocked.clone() };
    assert_eq!(blocked_status(&fresh, &never, at(99)).1, None);
    let with_init = json!({"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]});
    let (status, _) = blocked_status(&pod(with_init, json!({"phase": "Pending"})), &blocked, at(0));
    assert_eq!(told(status.init_container_statuses.as_ref()), "i: waiting PodInitializing");
}
