//! Where Services lead to, as a person asks for it, and what is said of Services that would lead elsewhere on a cluster.

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
    world.run("get endpointslices -w").fails_with(
        "Error from server (MethodNotAllowed): what is made of Services and pods when it is asked for cannot be watched\n",
    );
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
