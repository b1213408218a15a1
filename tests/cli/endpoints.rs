//! Where Services lead to, as a person asks for it, and what is said of Services that would lead elsewhere on a cluster.

use std::io::BufReader;

use serde_json::Value;

use crate::api_client::{Events, Server};
use crate::common::{SOON, World, eventually};

const WEB: &str =
    "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: None, selector: {app: web},
                    ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: away}, spec: {ports: [{port: 1}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: idle}, spec: {selector: {app: none}, ports: [{port: 1}]}}
---
";

fn pod(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: web}}}}, spec: {{hostname: {name}, subdomain: web,
           terminationGracePeriodSeconds: 0, containers: [{{name: c, command: [sleep, '1000']}}]}}}}\n---\n"
    )
}

#[test]
fn services_lead_to_the_pods_that_they_select() {
    let world = World::new();
    let applied = world.command("apply -f -").stdin(WEB.to_owned() + &pod("a")).run().success();
    assert_eq!(applied.stderr, "", "a headless Service leads to the pods themselves on a cluster too");
    world.wait_for_value("pod/a", "{.status.phase}", "Running");
    let address = world.value("pod/a", "{.status.podIP}");
    let rows = |kind: &str| {
        let table = world.run(&format!("get {kind} --no-headers")).success().stdout;
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let slices = rows("endpointslices");
    assert_eq!(slices.len(), 2, "{slices:?}");
    assert!(slices[0].starts_with("idle-") && slices[0].contains(" IPv4 <unset> <unset> "), "{slices:?}");
    assert!(slices[1].starts_with("web-"), "{slices:?}");
    assert!(slices[1].contains(&format!(" IPv4 8080 {address} ")), "{slices:?}");
    assert_eq!(rows("ep")[1].split(' ').nth(1), Some(format!("{address}:8080").as_str()));
    let name = slices[1].split(' ').next().expect("a name").to_owned();
    assert_eq!(rows("endpointslices")[1].split(' ').next(), Some(name.as_str()), "the same each time");
    let of = |path: &str| world.value(&format!("endpointslice/{name}"), path);
    assert_eq!(of("{.endpoints[0].conditions.ready}"), "true");
    assert_eq!(of("{.endpoints[0].targetRef.name}"), "a");
    assert_eq!(of("{.endpoints[0].hostname}"), "a");
    assert_eq!(of("{.metadata.labels.kubernetes\\.io/service-name}"), "web");
    assert_eq!(
        world.run("get endpointslices -l kubernetes.io/service-name=web -o name").success().lines().len(),
        1
    );
    let described = world.run("describe svc web").success().stdout;
    assert!(described.contains(&format!("{address}:8080")), "{described}");

    // Of more than three the first are shown.
    let more: String = ["b", "c", "d", "e"].into_iter().map(pod).collect();
    let _ = world.command("apply -f -").stdin(more).run().success();
    eventually(SOON, || rows("endpointslices")[1].contains(" + 2 more..."));
    let _ = world.run("delete pods --all").success();
    eventually(SOON, || rows("endpointslices")[1].contains("<unset>"));
}

#[test]
fn what_a_service_cannot_do_here_is_said() {
    let world = World::new();
    let service = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.0.0.9, selector: {app: web},
                    ports: [{port: 80, targetPort: 8080}]}}";
    world.command("apply -f -").stdin(service).run().is(
        0,
        "service/web created\n",
        "Warning: spec.clusterIP: nobody on this machine answers there: the Service's name leads to its pods, its variables \
         lead nowhere\nWarning: spec.ports[0].port: leads nowhere: a Service is only a name here, and its pods are reached at \
         their own port, the targetPort\n",
    );
    let _ = world.run("delete svc web").success();
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: []}";
    let refused = world.command("apply -f -").stdin(slice).run().failure();
    assert!(
        refused
            .stderr
            .ends_with("EndpointSlice: these are made of Services and pods, they cannot be submitted\n"),
        "{}",
        refused.stderr
    );
    world.run("delete endpoints x").fails_with("Error from server (NotFound): endpoints \"x\" not found\n");
}

/// A Service, and the pods that it selects.
const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}}
---
";

#[test]
fn where_services_lead_is_watched_on_the_command_line() {
    let world = World::new();
    let _ = world.apply(SERVICE);
    let mut child = world
        .command("get endpoints -w -o json --output-watch-events")
        .build()
        .spawn()
        .expect("start jobctl");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut events = serde_json::Deserializer::from_reader(lines).into_iter::<Value>();
    let mut next = || {
        let event = events.next().expect("an event").expect("JSON");
        let addresses = event["object"]["subsets"][0]["addresses"].as_array().map_or(0, Vec::len);
        (event["type"].as_str().unwrap_or_default().to_owned(), addresses)
    };
    assert_eq!(next(), ("ADDED".to_owned(), 0));
    let _ = world.apply(&pod("a"));
    while next() != ("MODIFIED".to_owned(), 1) {}
    // What does not concern it is not told.
    let _ = world.run("create configmap other").success();
    let _ = world.run("annotate pod a x=y").success();
    let _ = world.run("delete pod a").success();
    assert_eq!(next(), ("MODIFIED".to_owned(), 0));
    let waiting =
        world.command("wait --for=jsonpath={.subsets[0].addresses[0].targetRef.name}=b endpoints/s").spawn();
    let _ = world.apply(&pod("b"));
    assert!(waiting.wait_with_output().expect("wait").status.success());
    let _ = world.run("delete pod b").success();
    while next() != ("MODIFIED".to_owned(), 0) {}
    let _ = world.run("delete service s").success();
    assert_eq!(next(), ("DELETED".to_owned(), 0));
    child.kill().expect("end it");
    let _ = child.wait().expect("wait");
}

#[test]
fn where_services_lead_is_watched_by_clients() {
    let world = World::new();
    let server = Server::start(&world);
    let _ = world.apply(SERVICE);
    for path in [
        "/api/v1/namespaces/default/endpoints",
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    ] {
        let addresses = |event: &Value| {
            let object = &event["object"];
            let found = object.pointer("/subsets/0/addresses").or_else(|| object.pointer("/endpoints"));
            found.and_then(Value::as_array).map_or(0, Vec::len)
        };
        let begin =
            server.get(path).json()["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        let initial = format!(
            "{path}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        );
        let mut live = Events::watch(&server, &initial, &[]);
        let first = [live.next().expect("an event"), live.next().expect("an event")];
        assert_eq!([&first[0]["type"], &first[1]["type"]], ["ADDED", "BOOKMARK"]);
        assert_eq!(first[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
        let _ = world.apply(&pod("a"));
        let found = live.find(|event| event["type"] == "MODIFIED" && addresses(event) == 1);
        let version = |event: &Value| -> u64 {
            let text = event["object"]["metadata"]["resourceVersion"].as_str();
            text.and_then(|text| text.parse().ok()).expect("a version")
        };
        let told = version(&found.expect("a change"));
        // From a list on that was made before.
        let mut later = Events::watch(&server, &format!("{path}?watch=1&resourceVersion={begin}"), &[]);
        let change = later.find(|event| addresses(event) == 1).expect("a change");
        assert_eq!(change["type"], "MODIFIED", "it was there at that revision");
        assert!(version(&change) >= told);
        let _ = world.run("delete pod a --now").success();
        let gone = |events: &mut Events| events.find(|event| addresses(event) == 0).expect("a change");
        assert!(version(&gone(&mut live)) > told);
        let _ = gone(&mut later);
        let selected = format!("{path}?watch=1&fieldSelector=metadata.name%3Dother&timeoutSeconds=1");
        assert_eq!(Events::watch(&server, &selected, &[]).count(), 0);
    }
    let _ = world.run("delete service s").success();
}
