//! What manifests bring beside their Jobs, as a person meets it: namespaces, Services, claims, StatefulSets, and files of all
//! of them.

use std::io::{BufRead as _, BufReader};

use std::collections::BTreeSet;

use crate::common::{SOON, World, eventually, job};

#[test]
fn a_namespace_goes_with_all_that_is_in_it() {
    let world = World::new();
    let note = "Warning: namespace \"a\" did not exist and is created\n";
    world.run("create configmap c -n a").is(0, "configmap/c created\n", note);
    world.run("create configmap c -n b --dry-run=server").is(
        0,
        "configmap/c created (server dry run)\n",
        "Warning: namespace \"b\" did not exist and is created\n",
    );
    let path = world.manifest("job.yaml", job("j", "suspend: true", "true"));
    world.run(&format!("create -f {path} -n a")).prints("job.batch/j created\n");
    world.run(&format!("create -f {path}")).prints("job.batch/j created\n");
    world.run("get ns").prints(
        "
        NAME      STATUS   AGE
        a         Active   0s
        default   Active   0s
        ",
    );
    world.run("delete ns a").prints("namespace \"a\" deleted\n");
    world.run("get cm,jobs -A -o name").prints("job.batch/j\n");
    world.run("get ns -o name").prints("namespace/default\n");
    world.run("create ns a --dry-run=client -o name").prints("namespace/a\n");
    world.run("create ns a").prints("namespace/a created\n");
    world
        .run("create ns a")
        .fails_with("Error from server (AlreadyExists): namespaces \"a\" already exists\n");
}

#[test]
fn a_namespace_goes_with_the_last_of_its_pods() {
    let world = World::new();
    let _ = world.run("create ns a").success();
    let script =
        "trap 'until [ -e go ]; do sleep 0.02; done; exit 0' TERM; touch up; while :; do sleep 0.05; done";
    let path =
        world.manifest("job.yaml", job("j", "", script).replace("PeriodSeconds: 5", "PeriodSeconds: 60"));
    let _ = world.run(&format!("create -f {path} -n a")).success();
    let _ = world.run("create configmap c -n a").success();
    eventually(SOON, || world.path("work/up").exists());
    world.run("delete ns a --wait=false").prints("namespace \"a\" deleted\n");
    assert_eq!(world.run("get ns a --no-headers").success().normal_stdout(), "a     Terminating   0s\n");
    assert!(world.run("describe ns a").success().stdout.contains("Status:       Terminating\n"));
    world.run("get cm,jobs -n a -o name").prints("");
    world.run("create configmap d -n a").fails_with(
        "error: failed to create configmap: configmaps \"d\" is forbidden: unable to create new content in namespace a \
         because it is being terminated\n",
    );
    world.run("delete ns a --timeout=100ms").is(
        1,
        "namespace \"a\" deleted\n",
        "error: timed out waiting for the condition on namespaces/a\n",
    );
    let mut waiting = world.command("delete ns a").spawn();
    let mut line = String::new();
    // It has found the namespace.
    BufReader::new(waiting.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let _ = world.manifest("go", "");
    assert!(waiting.wait().expect("wait").success());
    world.run("get pods,ns -A -o name").prints("namespace/default\n");
    let _ = world.run("create configmap d -n a").success();
}

#[test]
fn the_default_namespace_is_always_there() {
    let world = World::new();
    world.run("get ns default -o name").prints("namespace/default\n");
    world
        .run("create ns default")
        .fails_with("Error from server (AlreadyExists): namespaces \"default\" already exists\n");
    world.run("label ns default a=b").prints("namespace/default labeled\n");
    world
        .run("get ns default -o jsonpath={.metadata.labels}")
        .prints("{\"a\":\"b\",\"kubernetes.io/metadata.name\":\"default\"}");
    world.run("delete ns default").fails_with(
        "Error from server (Forbidden): namespaces \"default\" is forbidden: this namespace may not be deleted\n",
    );
    let described = world.run("describe ns default").success().normal_stdout();
    assert!(
        described.ends_with("Status:       Active\n\nNo resource quota.\n\nNo LimitRange resource.\n"),
        "{described}"
    );
}

#[test]
fn services_have_addresses_and_ports_of_their_own() {
    let world = World::new();
    let mut addresses = BTreeSet::new();
    for number in 0..20 {
        let _ = world.run(&format!("create service clusterip s{number} --tcp=80")).success();
        let address = world.value(&format!("svc/s{number}"), "{.spec.clusterIP}");
        let octets = address.parse::<std::net::Ipv4Addr>().expect("an address").octets();
        assert!(octets[0] == 127 && octets[1] & 0xf0 == 96, "{address}");
        assert!(addresses.insert(address), "twice");
    }
    let _ = world.run("create service nodeport n --tcp=80 --node-port=30100").success();
    world.run("create service nodeport m --tcp=80 --node-port=30100").fails_with(
        "error: failed to create NodePort service: Service \"m\" is invalid: spec.ports[0].nodePort: Invalid value: 30100: \
         provided port is already allocated\n",
    );
    world.run("create service nodeport m --tcp=80 --node-port=80").fails_with(
        "error: failed to create NodePort service: Service \"m\" is invalid: spec.ports[0].nodePort: Invalid value: 80: \
         provided port is not in the valid range. The range of valid ports is 30000-32767\n",
    );
    let taken = addresses.first().expect("an address");
    world.run(&format!("create service clusterip m --tcp=80 --clusterip={taken}")).fails_with(&format!(
        "error: failed to create ClusterIP service: Service \"m\" is invalid: spec.clusterIPs: Invalid value: [\"{taken}\"]: \
         failed to allocate IP {taken}: provided IP is already allocated\n"
    ));
    // What was picked stays when the Service is changed.
    let picked = || ["{.spec.clusterIP}", "{.spec.ports[0].nodePort}"].map(|path| world.value("svc/n", path));
    let before = picked();
    assert_eq!(before[1], "30100");
    let changed = r#"patch svc n -p {"spec":{"sessionAffinity":"ClientIP"}}"#;
    let _ = world.command_of(changed.split(' ').map(str::to_owned).collect()).run().success();
    assert_eq!(picked(), before);
}

#[test]
fn a_claim_is_bound_and_can_grow() {
    let world = World::new();
    let claim = |size: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: c}}\nspec: {{accessModes: [ReadWriteOnce], \
             resources: {{requests: {{storage: {size}}}}}}}\n"
        )
    };
    world.apply(&claim("1Gi")).prints("persistentvolumeclaim/c created\n");
    let waited = "wait --for=jsonpath={.status.phase}=Bound pvc/c --timeout=0s";
    world.run(waited).prints("persistentvolumeclaim/c condition met\n");
    let uid = world.value("pvc/c", "{.metadata.uid}");
    assert_eq!(world.value("pvc/c", "{.spec.volumeName}"), format!("pvc-{uid}"));
    assert_eq!(world.value("pvc/c", "{.status.capacity.storage}"), "1Gi");
    world.apply(&claim("1Gi")).prints("persistentvolumeclaim/c unchanged\n");
    world.apply(&claim("2Gi")).prints("persistentvolumeclaim/c configured\n");
    assert_eq!(world.value("pvc/c", "{.status.capacity.storage}"), "2Gi");
    let smaller = world.command("apply -f -").stdin(claim("1Gi")).run().failure();
    assert!(smaller.stderr.contains("field can not be less than status.capacity"), "{}", smaller.stderr);
    world.run("delete pvc c").prints("persistentvolumeclaim \"c\" deleted\n");
    world.run("wait --for=delete pvc/c --timeout=0s").prints("");
}

#[test]
fn only_what_has_pods_can_be_scaled() {
    let world = World::new();
    world
        .run("scale cm x --replicas=1")
        .fails_with("error: no objects passed to scale configmaps \"x\" not found\n");
}

#[test]
fn the_rest_of_a_file_goes_in_beside_a_kind_that_is_not_here() {
    let world = World::new();
    let text = "kind: List\napiVersion: v1\nitems:\n\
                - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n\
                - {apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}\n\
                - {apiVersion: v1, kind: Secret, metadata: {name: s}}\n";
    let path = world.manifest("all.yaml", text);
    world.run(&format!("apply -f {path}")).is(
        1,
        "configmap/c created\nsecret/s created\n",
        "error: resource mapping not found for name: \"d\" namespace: \"\" from \"all.yaml\": no matches for kind \
         \"Deployment\" in version \"apps/v1\"\nDeployment is a kind of Kubernetes that this version of jobctl does not have\n",
    );
    // What is applied no longer is pruned, of these kinds too.
    let path = world.manifest("all.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s}}\n");
    world.run(&format!("apply -f {path} --prune --all")).prints("secret/s unchanged\nconfigmap/c pruned\n");
}

#[test]
fn objects_of_no_namespace_have_none() {
    let world = World::new();
    let class = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: p, namespace: x}, value: 5}\n";
    let _ = world.command("apply -f -").stdin(class).run().success();
    assert_eq!(world.value("pc/p", "{.metadata.namespace}{.value}"), "5");
    world.run("get pc -n other").prints(
        "
        NAME   VALUE   GLOBAL-DEFAULT   AGE   PREEMPTIONPOLICY
        p      5       false            0s    PreemptLowerPriority
        ",
    );
    world.run("get ns -o name").prints("namespace/default\n");
}

#[test]
fn only_one_priority_class_is_for_pods_that_name_none() {
    let world = World::new();
    let _ = world.run("create priorityclass a --value=5 --global-default").success();
    world.run("create priorityclass b --value=5 --global-default").fails_with(
        "error: failed to create priorityclass: priorityclasses.scheduling.k8s.io \"b\" is forbidden: PriorityClass a is \
         already marked as default. Only one default can exist\n",
    );
    let _ = world.run("create priorityclass b --value=5").success();
    let patch = r#"patch pc b --type=merge -p {"globalDefault":true}"#;
    let _ = world.command_of(patch.split(' ').map(str::to_owned).collect()).run().failure();
    let _ = world.run("label pc a x=y").success();
}

#[test]
fn what_is_too_much_for_a_kind_is_told_before_what_is_too_much_for_the_store() {
    let world = World::new();
    world.manifest("two", "x".repeat(2 << 20));
    world.run("create configmap c --from-file=two").fails_with(
        "error: failed to create configmap: ConfigMap \"c\" is invalid: []: Too long: may not be more than 1048576 bytes\n",
    );
    world.manifest("four", "x".repeat(4 << 20));
    let refused = world.run("create configmap c --from-file=four").failure();
    assert!(refused.stderr.contains("too large"), "{}", refused.stderr);
}

#[test]
fn what_holds_for_several_objects_is_said_once() {
    let world = World::new();
    let role = |name: &str| {
        format!("{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: {name}}}}}\n---\n")
    };
    world.command("apply -f -").stdin(role("a") + &role("b")).run().is(
        0,
        "role.rbac.authorization.k8s.io/a created\nrole.rbac.authorization.k8s.io/b created\n",
        "Warning: Role: has no effect: whoever may use the data directory may do everything\n",
    );
}
