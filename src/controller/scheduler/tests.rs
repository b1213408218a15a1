//! Which pods the node takes, and what is said of the others (kubernetes-behaviour 4.6).

use serde_json::{Value, json};

use super::*;
use crate::api::Node;
use crate::api::events::EventRecord;
use crate::controller::Settings;
use crate::controller::room::NodeLimits;

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
        let event = schedule(&world, &mut pod, NOW).expect("nothing is asked for but the node");
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

/// A world that has so much room, where so much is asked for by those who ask for nothing.
fn roomy(allocatable: &Value, max_pods: Option<u32>, default_requests: &Value) -> World {
    let limits = NodeLimits {
        max_pods,
        default_requests: serde_json::from_value(default_requests.clone()).unwrap(),
        ..NodeLimits::default()
    };
    let mut world =
        World::new(Settings { node_name: "here".into(), limits: limits.into(), ..Settings::default() });
    let mut amounts = allocatable.clone();
    if let Some(most) = max_pods {
        amounts["pods"] = json!(most.to_string());
    }
    world.set_allocatable(&serde_json::from_value(amounts).unwrap());
    world
}

fn asking(name: &str, age: i64, priority: i32, requests: &Value) -> Pod {
    let mut pod = pod(&json!({
        "priority": priority,
        "containers": [{"name": "main", "resources": {"requests": requests}}],
    }));
    pod.metadata.name = Some(name.into());
    pod.metadata.uid = Some(name.into());
    pod.metadata.creation_timestamp = Some(crate::api::meta::time(NOW - chrono::Duration::seconds(age)));
    pod
}

/// Creates a pod as the API server or a controller does.
fn create(world: &mut World, mut pod: Pod) {
    let _ = schedule(world, &mut pod, NOW);
    world.put_pod(pod);
}

fn end(world: &mut World, name: &str) {
    let mut pod = Pod::clone(world.live_pod(&Key::new("default", name)).unwrap());
    pod.status.get_or_insert_default().phase = Some("Succeeded".into());
    world.put_pod(pod);
}

fn running(world: &World) -> Vec<String> {
    world
        .live_pods()
        .filter(|pod| is_bound(pod) && !is_pod_finished(pod))
        .map(|pod| pod.metadata.name.clone().unwrap())
        .collect()
}

fn why(world: &World, name: &str) -> String {
    let pod = world.live_pod(&Key::new("default", name)).unwrap();
    pod_condition(pod, "PodScheduled").and_then(|condition| condition.message.clone()).unwrap_or_default()
}

fn no_room(reasons: &str) -> String {
    format!(
        "0/1 nodes are available: {reasons}. preemption: 0/1 nodes are available: 1 No preemption victims found for \
         incoming pod."
    )
}

#[test]
fn what_does_not_fit_waits_and_says_what_is_missing() {
    let mut world = roomy(&json!({"cpu": "2", "memory": "1Gi", "example.com/gpu": "1"}), None, &json!({}));
    create(&mut world, asking("a", 9, 0, &json!({"cpu": "1500m", "memory": "512Mi"})));
    create(&mut world, asking("b", 8, 0, &json!({"cpu": "1", "memory": "1Gi"})));
    create(&mut world, asking("c", 7, 0, &json!({"example.com/gpu": "2"})));
    create(&mut world, asking("d", 6, 0, &json!({"other.com/fpga": "1"})));
    create(&mut world, asking("e", 5, 0, &json!({"ephemeral-storage": "1Ei", "cpu": "0"})));
    let events: Vec<String> = told(&mut world).into_iter().map(|event| event.message).collect();
    assert_eq!(running(&world), ["a", "e"]);
    assert_eq!(why(&world, "b"), no_room("1 Insufficient cpu, 1 Insufficient memory"));
    let too_much = |name: &str| {
        no_room(&format!("1 Insufficient {name}")).replace(
            "No preemption victims found for incoming pod",
            "Preemption is not helpful for scheduling",
        )
    };
    assert_eq!(why(&world, "c"), too_much("example.com/gpu"), "more than there is at all");
    assert_eq!(why(&world, "d"), too_much("other.com/fpga"));
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(told(&mut world), [], "said once");
    end(&mut world, "a");
    let events = told(&mut world);
    assert_eq!(events[0].message, "Successfully assigned default/b to here");
    assert_eq!((events.len(), running(&world)), (1, vec!["b".to_owned(), "e".to_owned()]));
}

#[test]
fn the_most_pods_at_a_time_hold_for_pods_that_ask_for_nothing() {
    let mut world = roomy(&json!({"cpu": "2"}), Some(2), &json!({}));
    for (age, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        create(&mut world, asking(name, 9 - age as i64, 0, &json!({})));
    }
    let events = told(&mut world);
    assert_eq!(running(&world), ["a", "b"]);
    assert_eq!(why(&world, "c"), no_room("1 Too many pods"));
    assert_eq!(events.len(), 4);
    world.remove_pod(&Key::new("default", "a"));
    let _ = told(&mut world);
    assert_eq!(running(&world), ["b", "c"]);
}

#[test]
fn who_waits_for_room_starts_when_it_counts_as_asking_for_none() {
    let mut narrow = roomy(&json!({"cpu": "2"}), Some(0), &json!({}));
    create(&mut narrow, asking("a", 9, 0, &json!({})));
    let _ = told(&mut narrow);
    let waits = Pod::clone(narrow.live_pod(&Key::new("default", "a")).unwrap());
    assert!(is_told_of_room(&waits));
    let mut wide = roomy(&json!({"cpu": "2"}), None, &json!({}));
    wide.put_pod(waits);
    let _ = told(&mut wide);
    assert_eq!(running(&wide), ["a"]);
}

#[test]
fn containers_that_say_nothing_count_as_the_default() {
    let mut world = roomy(&json!({"cpu": "2", "memory": "1Gi"}), None, &json!({"cpu": "1"}));
    for (age, name) in ["a", "b", "c"].into_iter().enumerate() {
        create(&mut world, asking(name, 9 - age as i64, 0, &json!({"memory": "1Mi"})));
    }
    create(&mut world, asking("free", 1, 0, &json!({"cpu": "0"})));
    let _ = told(&mut world);
    assert_eq!(running(&world), ["a", "b", "free"], "who says zero asks for none");
    assert_eq!(why(&world, "c"), no_room("1 Insufficient cpu"));
}

#[test]
fn nobody_goes_before_another_whom_that_would_hold_up() {
    let mut world = roomy(&json!({"cpu": "4", "example.com/gpu": "1"}), None, &json!({}));
    create(&mut world, asking("runs", 9, 0, &json!({"cpu": "2", "example.com/gpu": "1"})));
    let _ = told(&mut world);
    create(&mut world, asking("large", 8, 0, &json!({"cpu": "3"})));
    create(&mut world, asking("small", 7, 0, &json!({"cpu": "1"})));
    create(&mut world, asking("impossible", 6, 9, &json!({"cpu": "5"})));
    create(&mut world, asking("gpu", 5, 0, &json!({"example.com/gpu": "1"})));
    let _ = told(&mut world);
    assert_eq!(running(&world), ["runs"]);
    assert_eq!(why(&world, "small"), no_room("1 Insufficient cpu"), "kept for the one before it");
    create(&mut world, asking("urgent", 1, 5, &json!({"cpu": "4"})));
    let _ = told(&mut world);
    end(&mut world, "runs");
    let _ = told(&mut world);
    assert_eq!(
        running(&world),
        ["gpu", "urgent"],
        "by priority, and who takes nothing from others beside it"
    );
    end(&mut world, "urgent");
    let _ = told(&mut world);
    assert_eq!(running(&world), ["gpu", "large", "small"]);
}

#[test]
fn a_world_that_does_not_know_all_pods_admits_only_those_that_ask_for_nothing() {
    let mut world = world();
    create(&mut world, asking("asks", 9, 0, &json!({"cpu": "1"})));
    create(&mut world, asking("free", 9, 0, &json!({})));
    let mut named = asking("named", 9, 0, &json!({"cpu": "1"}));
    named.spec.as_mut().unwrap().node_name = Some("here".into());
    create(&mut world, named);
    assert_eq!(told(&mut world), []);
    assert_eq!(running(&world), ["free"], "who names the node needs room on it all the same");
    assert_eq!(world.unscheduled().count(), 2);
}

#[test]
fn what_a_plan_does_to_a_pod_is_not_undone_by_its_admission() {
    let mut world = roomy(&json!({"cpu": "1"}), None, &json!({}));
    create(&mut world, asking("a", 9, 0, &json!({"cpu": "1"})));
    let mut deleted = Pod::clone(world.live_pod(&Key::new("default", "a")).unwrap());
    crate::controller::pods::mark_deleted(&mut deleted, None, NOW);
    let mut actions = vec![Action::UpdatePod(Box::new(deleted))];
    schedule_waiting(&world, NOW, &mut actions);
    assert_eq!(actions.len(), 1);
}

#[test]
fn a_pod_that_waits_for_room_waits_for_the_node_too() {
    let mut world = roomy(&json!({"cpu": "1"}), None, &json!({}));
    create(&mut world, asking("a", 9, 0, &json!({"cpu": "1"})));
    let _ = told(&mut world);
    create(&mut world, asking("b", 8, 0, &json!({"cpu": "1"})));
    create(&mut world, asking("c", 8, 0, &json!({"cpu": "500m"})));
    let _ = told(&mut world);
    world.put_node(&node(&json!({"spec": {"unschedulable": true}})));
    end(&mut world, "a");
    let _ = told(&mut world);
    assert_eq!(why(&world, "b"), sentence("were unschedulable"));
    world.put_node(&node(&json!({})));
    let _ = told(&mut world);
    assert_eq!(running(&world), ["b"]);
    assert_eq!(why(&world, "c"), no_room("1 Insufficient cpu"));
}

/// Something that happens to the queue.
#[derive(Clone, Debug)]
enum Step {
    Create { cpu: u32, memory: u32, priority: i32 },
    End(usize),
    Delete(usize),
    Resize { cpu: u32, max_pods: u32 },
    Cordon(bool),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    use proptest::prelude::*;
    let step = prop_oneof![
        4 => (0..5_u32, 0..5_u32, 0..3).prop_map(|(cpu, memory, priority)| Step::Create { cpu, memory, priority }),
        3 => any::<usize>().prop_map(Step::End),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => (1..5_u32, 1..5_u32).prop_map(|(cpu, max_pods)| Step::Resize { cpu, max_pods }),
        1 => any::<bool>().prop_map(Step::Cordon),
    ];
    proptest::collection::vec(step, 0..40)
}

fn amounts_of(cpu: u32, max_pods: u32) -> crate::api::resource_field::Amounts {
    let amounts = json!({"cpu": cpu.to_string(), "memory": "4", "pods": max_pods.to_string()});
    serde_json::from_value(amounts).unwrap()
}

/// (CPUs, memory) that a pod asks for.
fn asked(pod: &Pod) -> (u32, u32) {
    let requests = crate::api::pod_resources::requests(pod.spec.as_ref().unwrap());
    let whole = |name: &str| requests.get(name).map_or(0, |amount| amount.0.parse().unwrap());
    (whole("cpu"), whole("memory"))
}

/// Who comes before whom.
fn rank(pod: &Pod) -> impl Ord {
    let priority = pod.spec.as_ref().and_then(|spec| spec.priority).unwrap_or(0);
    (std::cmp::Reverse(priority), pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Never is more admitted than there is; nobody is admitted who takes from one before it; in the end all are.
    #[test]
    fn admission_is_bounded_fair_and_complete(steps in steps()) {
        use proptest::prelude::*;
        let (mut cpu, mut most) = (3_u32, 3_u32);
        let mut world = roomy(&json!({"cpu": "3", "memory": "4"}), Some(3), &json!({}));
        let mut born = 0;
        let check = |world: &mut World, cpu: u32, most: u32| {
            let before: BTreeSet<String> = running(world).into_iter().collect();
            let _ = told(world);
            let settled = told(world);
            prop_assert!(settled.is_empty(), "{:?}", settled);
            let (bound, waits): (Vec<_>, Vec<_>) = world.live_pods().partition(|pod| is_bound(pod));
            let new: Vec<_> = bound.iter().filter(|pod| !before.contains(pod.metadata.name.as_deref().unwrap())).collect();
            let taken = bound.iter().fold((0, 0), |sum, pod| (sum.0 + asked(pod).0, sum.1 + asked(pod).1));
            // After less has been allowed, who runs goes on running; but nobody comes.
            if !new.is_empty() {
                let (of_cpu, of_memory) = new.iter().fold((0, 0), |sum, pod| (sum.0 + asked(pod).0, sum.1 + asked(pod).1));
                prop_assert!(bound.len() as u32 <= most);
                prop_assert!(of_cpu == 0 || taken.0 <= cpu, "{taken:?} of {cpu}");
                prop_assert!(of_memory == 0 || taken.1 <= 4, "{taken:?}");
            }
            for pod in waits {
                let (wanted_cpu, wanted_memory) = asked(pod);
                // Who went before one that could have come takes nothing that it waits for.
                let could_come = wanted_cpu <= cpu && wanted_memory <= 4 && !world.is_cordoned();
                for other in new.iter().filter(|other| could_come && rank(other) > rank(pod)) {
                    prop_assert!((bound.len() as u32) < most, "of places");
                    prop_assert!(asked(other).0 == 0 || taken.0 + wanted_cpu <= cpu, "of CPUs");
                    prop_assert!(asked(other).1 == 0 || taken.1 + wanted_memory <= 4, "of memory");
                }
                prop_assert!(!why(world, pod.metadata.name.as_deref().unwrap()).is_empty(), "told why");
            }
            Ok(())
        };
        for step in steps {
            match step {
                Step::Create { cpu, memory, priority } => {
                    born += 1;
                    let requests = json!({"cpu": cpu.to_string(), "memory": memory.to_string()});
                    create(&mut world, asking(&format!("p{born}"), 1000 - born, priority, &requests));
                }
                Step::End(which) => {
                    let running = running(&world);
                    if !running.is_empty() {
                        end(&mut world, &running[which % running.len()]);
                    }
                }
                Step::Delete(which) => {
                    let all: Vec<Key> = world.live_pods().map(|pod| key(&pod.metadata)).collect();
                    if !all.is_empty() {
                        world.remove_pod(&all[which % all.len()]);
                    }
                }
                Step::Resize { cpu: to, max_pods } => {
                    (cpu, most) = (to, max_pods);
                    world.set_allocatable(&amounts_of(cpu, most));
                }
                Step::Cordon(cordoned) => world.put_node(&node(&json!({"spec": {"unschedulable": cordoned}}))),
            }
            check(&mut world, cpu, most)?;
        }
        // All fit one by one.
        (cpu, most) = (4, 1);
        world.set_allocatable(&amounts_of(cpu, most));
        world.put_node(&node(&json!({})));
        for _ in 0..=born {
            check(&mut world, cpu, most)?;
            let running = running(&world);
            for name in running {
                end(&mut world, &name);
            }
        }
        prop_assert_eq!(world.live_pods().count(), 0, "everybody has had a turn");
    }
}
