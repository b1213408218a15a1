use k8s_openapi::api::discovery::v1::EndpointConditions;
use serde_json::{Value, json};

use super::*;
use crate::api::EndpointSlice;
use crate::controller::Settings;

fn service(namespace: &str, name: &str, spec: &Value) -> Service {
    serde_json::from_value(json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec}))
        .expect("a Service")
}

fn pod(name: &str, address: &str, ready: bool, spec: &Value) -> Pod {
    let condition = json!({"type": "Ready", "status": if ready { "True" } else { "False" }});
    let mut spec = spec.clone();
    spec["nodeName"] = json!("here");
    spec["containers"] = json!([]);
    serde_json::from_value(json!({
        "metadata": {"namespace": "space", "name": name, "uid": name, "labels": {"app": "web", "x": "y"}},
        "spec": spec,
        "status": {"phase": "Running", "podIP": address, "conditions": [condition]},
    }))
    .expect("a pod")
}

fn world() -> World {
    let mut world = World::new(Settings::default());
    let ports = json!([{"port": 80}, {"port": 53, "name": "dns-udp", "protocol": "UDP"}]);
    let web = json!({"clusterIP": "127.96.0.1", "selector": {"app": "web"}, "ports": ports});
    world.put_service(service("space", "web", &web));
    world.put_service(service("space", "head", &json!({"clusterIP": "None", "selector": {"x": "y"}})));
    world.put_service(service(
        "space",
        "idle",
        &json!({"clusterIP": "127.96.0.2", "selector": {"app": "db"}}),
    ));
    world.put_service(service("other", "far", &json!({"clusterIP": "127.96.0.3"})));
    world.put_pod(pod("one", "127.16.0.1", true, &json!({})));
    world.put_pod(pod("two", "127.16.0.2", true, &json!({"hostname": "job-0", "subdomain": "head"})));
    world.put_pod(pod("unready", "127.16.0.3", false, &json!({})));
    world
}

#[test]
fn names_lead_to_ready_pods() {
    let lines = hosts_lines(&world(), "space", &[]);
    let expected = "127.96.0.3\tfar.other.svc.cluster.local far.other.svc far.other\n\
        127.16.0.1\thead.space.svc.cluster.local head.space.svc head.space head\n\
        127.16.0.2\thead.space.svc.cluster.local head.space.svc head.space head\n\
        127.16.0.2\tjob-0.head.space.svc.cluster.local job-0.head.space.svc job-0.head.space job-0.head\n\
        127.96.0.2\tidle.space.svc.cluster.local idle.space.svc idle.space idle\n\
        127.16.0.1\tweb.space.svc.cluster.local web.space.svc web.space web\n\
        127.16.0.2\tweb.space.svc.cluster.local web.space.svc web.space web\n";
    assert_eq!(lines, expected);
    assert!(
        hosts_lines(&world(), "other", &[])
            .starts_with("127.96.0.3\tfar.other.svc.cluster.local far.other.svc far.other far\n")
    );
}

#[test]
fn a_pod_has_its_own_name_and_its_aliases() {
    let aliases = json!({"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a", "b.c"]}]});
    let one = pod("one", "", true, &aliases);
    assert_eq!(own_lines(&one, "127.16.0.1"), "127.16.0.1\tone\n10.0.0.1\ta b.c\n");
    let two = pod("two", "", true, &json!({"hostname": "job-0", "subdomain": "head"}));
    assert_eq!(own_lines(&two, "127.16.0.2"), "127.16.0.2\tjob-0.head.space.svc.cluster.local job-0\n");
}

#[test]
fn only_pods_that_can_use_names_get_them() {
    let empty = World::new(Settings::default());
    let spec = |spec: Value| pod("p", "", true, &spec).spec.expect("a spec");
    assert!(!has_names(&empty, "space", &spec(json!({}))));
    assert!(has_names(&empty, "space", &spec(json!({"subdomain": "s"}))));
    assert!(has_names(&empty, "space", &spec(json!({"hostAliases": [{"ip": "10.0.0.1"}]}))));
    assert!(has_names(&world(), "space", &spec(json!({}))));
    assert!(!has_names(&world(), "space", &spec(json!({"hostNetwork": true}))));
    assert!(!has_names(&world(), "empty", &spec(json!({}))));
}

#[test]
fn services_are_variables_too() {
    let variables = service_variables(&world(), "space");
    let shown: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "WEB_PORT=tcp://127.96.0.1:80",
            "WEB_PORT_53_UDP=udp://127.96.0.1:53",
            "WEB_PORT_53_UDP_ADDR=127.96.0.1",
            "WEB_PORT_53_UDP_PORT=53",
            "WEB_PORT_53_UDP_PROTO=udp",
            "WEB_PORT_80_TCP=tcp://127.96.0.1:80",
            "WEB_PORT_80_TCP_ADDR=127.96.0.1",
            "WEB_PORT_80_TCP_PORT=80",
            "WEB_PORT_80_TCP_PROTO=tcp",
            "WEB_SERVICE_HOST=127.96.0.1",
            "WEB_SERVICE_PORT=80",
            "WEB_SERVICE_PORT_DNS_UDP=53",
        ]
    );
}

#[test]
fn slices_say_where_each_port_leads_to() {
    let mut world = World::new(Settings::default());
    let ports = json!([{"name": "web", "port": 80, "targetPort": "http"}]);
    let spec = json!({"clusterIP": "127.96.0.1", "selector": {"app": "web"}, "ports": ports});
    world.put_service(service("space", "web", &spec));
    let serving = |name: &str, address: &str, port: i32, ready: bool| {
        let mut pod = pod(name, address, ready, &json!({}));
        let container = json!({"name": "c", "ports": [{"name": "http", "containerPort": port}]});
        pod.spec.as_mut().expect("a spec").containers =
            vec![serde_json::from_value(container).expect("a container")];
        pod
    };
    world.put_pod(serving("one", "127.16.0.1", 8080, true));
    world.put_pod(serving("two", "127.16.0.2", 9090, true));
    world.put_pod(serving("three", "127.16.0.3", 9090, false));
    let shown = |world: &World| -> Vec<String> {
        let of = |slice: EndpointSlice| {
            let ports: Vec<_> = slice.ports.iter().flatten().filter_map(|port| port.port).collect();
            let ready = |conditions: Option<EndpointConditions>| conditions.and_then(|all| all.ready);
            let all =
                slice.endpoints.into_iter().map(|one| (one.addresses[0].clone(), ready(one.conditions)));
            format!("{ports:?} {:?}", all.collect::<Vec<_>>())
        };
        endpoint_slices(world).into_iter().map(of).collect()
    };
    assert_eq!(
        shown(&world),
        [
            r#"[8080] [("127.16.0.1", Some(true))]"#,
            r#"[9090] [("127.16.0.3", Some(false)), ("127.16.0.2", Some(true))]"#,
        ]
    );
    let names = |world: &World| -> Vec<_> {
        endpoint_slices(world).into_iter().filter_map(|slice| slice.metadata.name).collect()
    };
    assert_eq!(names(&world), names(&world), "the same whenever they are asked for");
    assert_ne!(names(&world)[0], names(&world)[1]);
    let old = &endpoints_of_services(&world)[0];
    let subsets = old.subsets.as_deref().expect("subsets");
    let counts = |list: &Option<Vec<_>>| list.as_ref().map_or(0, Vec::len);
    let counts = subsets.iter().map(|one| (counts(&one.addresses), counts(&one.not_ready_addresses)));
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 0), (1, 1)]);

    for number in 0..150 {
        world.put_pod(serving(&format!("more-{number}"), "127.16.1.1", 8080, true));
    }
    assert_eq!(names(&world).len(), 3, "a hundred in one slice");
}

#[test]
fn a_pod_that_has_ended_just_now_keeps_its_name_until_another_has_it() {
    let spec = json!({"hostname": "job-1", "subdomain": "head"});
    let ended = Member::of(&pod("gone", "127.16.0.9", true, &spec)).expect("a name");
    let line =
        "127.16.0.9\tjob-1.head.space.svc.cluster.local job-1.head.space.svc job-1.head.space job-1.head\n";
    let mut world = world();
    assert!(hosts_lines(&world, "space", &[&ended]).contains(line));
    assert!(!hosts_lines(&world, "space", &[]).contains(line));
    world.put_pod(pod("new", "127.16.0.10", false, &spec));
    assert!(!hosts_lines(&world, "space", &[&ended]).contains("127.16.0.9"), "the name has another owner");
    assert_eq!(Member::of(&pod("one", "127.16.0.1", true, &json!({}))), None);
}
