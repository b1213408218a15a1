use serde_json::{Value, json};

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
}

fn probes(container: &Value) -> ProbesRun {
    let mut container = container.clone();
    container["name"] = json!("c");
    let container: Container = serde_json::from_value(container).expect("a container");
    ProbesRun::of(&container, "127.16.0.1").expect("probes")
}

#[test]
fn handlers_are_resolved() {
    let found = probes(&json!({
        "ports": [{"name": "web", "containerPort": 8080}],
        "startupProbe": {"exec": {"command": ["x", "y"]}},
        "livenessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 3, "terminationGracePeriodSeconds": 7},
        "readinessProbe": {"httpGet": {"port": 80, "host": "h", "httpHeaders": [{"name": "A", "value": "b"}]}},
        "lifecycle": {"postStart": {"sleep": {"seconds": 4}}, "preStop": {"httpGet": {"path": "/bye", "port": "web"}}},
    }));
    let http = |host: &str, port, path: &str, headers: &[(&str, &str)]| Handler::Http {
        host: host.into(),
        port,
        path: path.into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    };
    let handler = |probe: &Option<ProbeRun>| probe.as_ref().map(|probe| probe.handler.clone());
    assert_eq!(handler(&found.startup), Some(Handler::Exec(vec!["x".into(), "y".into()])));
    assert_eq!(handler(&found.liveness), Some(Handler::Tcp { host: "127.16.0.1".into(), port: 8080 }));
    assert_eq!(handler(&found.readiness), Some(http("h", 80, "/", &[("A", "b")])));
    assert_eq!(found.post_start, Some(Handler::Sleep(4)));
    assert_eq!(found.pre_stop, Some(http("127.16.0.1", 8080, "/bye", &[])));
    let liveness = found.liveness.expect("a probe");
    assert_eq!(
        (liveness.period, liveness.timeout, liveness.failure_threshold, liveness.grace),
        (3, 1, 3, Some(7))
    );
    let nothing = serde_json::from_value(json!({"name": "c"})).expect("a container");
    assert_eq!(ProbesRun::of(&nothing, ""), None);
}

#[test]
fn a_container_is_asked_in_time_and_the_others_wait_for_its_startup() {
    let exec = json!({"command": ["x"]});
    let run = probes(&json!({
        "startupProbe": {"exec": exec, "periodSeconds": 1, "failureThreshold": 2},
        "livenessProbe": {"exec": exec, "initialDelaySeconds": 5, "failureThreshold": 2},
        "readinessProbe": {"exec": exec, "periodSeconds": 2, "successThreshold": 2, "failureThreshold": 1},
    }));
    use ProbeKind::{Liveness, Readiness, Startup};
    let mut states = ProbeStates::new(&run, at(0));
    assert_eq!(states.due(&run, at(0)), [Startup]);
    assert_eq!(
        (states.due(&run, at(9)), states.next(&run)),
        (vec![], None),
        "while it is asked nothing else is"
    );
    assert_eq!(states.take(&run, Startup, false), Finding::Nothing);
    assert_eq!(states.next(&run), Some(at(1)));
    assert_eq!(states.due(&run, at(1)), [Startup]);
    assert_eq!(states.take(&run, Startup, true), Finding::Started);
    assert_eq!(states.next(&run), Some(at(0)), "the others are late by now");
    assert_eq!(states.due(&run, at(2)), [Readiness]);
    assert_eq!(states.take(&run, Readiness, true), Finding::Nothing);
    assert_eq!(states.due(&run, at(4)), [Readiness]);
    assert_eq!(states.take(&run, Readiness, true), Finding::Ready(true));
    assert_eq!(states.due(&run, at(6)), [Liveness, Readiness]);
    assert_eq!(states.take(&run, Readiness, false), Finding::Ready(false));
    assert_eq!(states.take(&run, Liveness, false), Finding::Nothing);
    assert_eq!(states.due(&run, at(16)), [Liveness, Readiness]);
    assert_eq!(states.take(&run, Liveness, false), Finding::Kill(None));
    let mut states = ProbeStates::new(&run, at(0));
    for _ in 0..2 {
        let _ = states.due(&run, at(100));
        let found = states.take(&run, Startup, false);
        assert!(matches!(found, Finding::Nothing | Finding::Kill(None)));
    }
    assert_eq!(states.take(&run, Startup, false), Finding::Kill(None));
}
