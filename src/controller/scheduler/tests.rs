//! Which pods the node takes, and what is said of the others (kubernetes-behaviour 4.6).

use serde_json::{Value, json};

use super::*;
use crate::api::Node;
use crate::api::events::EventRecord;
use crate::controller::Settings;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn node(fields: &Value) -> Node {
    let mut node = json!({"metadata": {"name": "here"}});
    for (key, value) in fields.as_object().unwrap() {
        if key == "labels" {
            node["metadata"]["labels"] = value.clone();
        } else {
            node[key] = value.clone();
        }
    }
    serde_json::from_value(node).unwrap()
}

fn world() -> World {
    World::new(Settings { node_name: "here".into(), ..Settings::default() })
}

fn pod(spec: &Value) -> Pod {
    let mut pod = json!({
        "metadata": {"name": "p", "namespace": "default", "uid": "u"},
        "spec": {"containers": [{"name": "main"}]},
    });
    for (key, value) in spec.as_object().unwrap() {
        pod["spec"][key] = value.clone();
    }
    serde_json::from_value(pod).unwrap()
}

fn sentence(why: &str) -> String {
    format!(
        "0/1 nodes are available: 1 node(s) {why}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for \
         scheduling."
    )
}

#[test]
fn which_pods_the_node_takes() {
    let open = json!({});
    let cordoned = json!({"spec": {"unschedulable": true}});
    let ssd = json!({"labels": {"disk": "ssd"}});
    let wants_ssd = json!({"nodeSelector": {"disk": "ssd"}});
    let tolerates = json!({"tolerations": [{"operator": "Exists"}]});
    for (rule, state, spec, refused) in [
        ("a node takes pods", &open, json!({}), None),
        ("a cordoned one does not", &cordoned, json!({}), Some("were unschedulable")),
        ("but those that tolerate it", &cordoned, tolerates, None),
        ("and those that name it, whom no scheduler sees", &cordoned, json!({"nodeName": "here"}), None),
        (
            "a name that is not this machine's is that of no node",
            &open,
            json!({"nodeName": "there"}),
            Some("didn't match the requested node name"),
        ),
        ("labels that fit", &ssd, wants_ssd.clone(), None),
        ("labels that do not", &open, wants_ssd.clone(), Some("didn't match Pod's node affinity/selector")),
        ("of several obstacles the first is told", &cordoned, wants_ssd, Some("were unschedulable")),
    ] {
        let mut world = world();
        world.put_node(&node(state));
        let mut pod = pod(&spec);
        let event = schedule(&world, &mut pod, NOW);
        let condition = pod_condition(&pod, "PodScheduled").expect("a condition").clone();
        match refused {
            None => {
                assert_eq!(event.message, "Successfully assigned default/p to here", "{rule}");
                assert!(is_bound(&pod) && condition.status == "True", "{rule}");
            }
            Some(why) => {
                assert_eq!(
                    (event.type_.as_str(), event.reason.as_str()),
                    ("Warning", "FailedScheduling"),
                    "{rule}"
                );
                assert_eq!(event.message, sentence(why), "{rule}");
                assert_eq!(condition.reason.as_deref(), Some("Unschedulable"), "{rule}");
                assert_eq!(condition.message, Some(event.message), "{rule}");
                assert!(is_unscheduled(&pod), "{rule}");
            }
        }
    }
}

#[test]
fn a_node_that_is_not_stored_yet_has_the_well_known_labels() {
    let mut pod =
        pod(&json!({"nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "here"}}));
    let _ = schedule(&world(), &mut pod, NOW);
    assert!(is_bound(&pod));
}

/// What the next passes do with a pod that waits.
fn told(world: &mut World) -> Vec<EventRecord> {
    let mut actions = Vec::new();
    schedule_waiting(world, NOW, &mut actions);
    let mut events = Vec::new();
    for action in actions {
        match action {
            Action::UpdatePod(pod) => world.put_pod(*pod),
            Action::RecordEvent(event) => events.push(event),
            other => panic!("{other:?}"),
        }
    }
    events
}

#[test]
fn a_pod_that_waits_is_told_only_what_is_new() {
    let mut world = world();
    world.put_node(&node(&json!({"spec": {"unschedulable": true}})));
    let mut pod = pod(&json!({"nodeSelector": {"disk": "ssd"}}));
    let _ = schedule(&world, &mut pod, NOW);
    world.put_pod(pod);
    assert_eq!(told(&mut world), [], "nothing has changed");
    world.put_node(&node(&json!({})));
    let events = told(&mut world);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].message, sentence("didn't match Pod's node affinity/selector"));
    assert_eq!(told(&mut world), [], "said once");
    world.put_node(&node(&json!({"labels": {"disk": "ssd"}})));
    assert_eq!(told(&mut world)[0].reason, "Scheduled");
    assert_eq!(world.unscheduled().count(), 0);
}
