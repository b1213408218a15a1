//! Names: how pods find each other and Services.

use crate::common::{SOON, World, eventually};
use crate::volumes::has_namespaces;

const HEADLESS: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: peers}\nspec: {clusterIP: None, selector: {app: peers}}\n";

/// An Indexed Job as the tutorial of Jobs with communication between pods has it.
fn peers(script: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: ring}}\nspec:\n  completions: 3\n  parallelism: 3\n  completionMode: Indexed\n  \
         backoffLimit: 0\n  template:\n    metadata: {{labels: {{app: peers}}}}\n    spec:\n      subdomain: peers\n      \
         restartPolicy: Never\n      containers:\n      - {{name: worker, image: bash, command: [sh, -c, {script:?}]}}\n"
    )
}

#[test]
fn pods_of_an_indexed_job_find_each_other_by_a_headless_service() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let _ = world.apply(HEADLESS);
    let script = "for i in 0 1 2; do until getent hosts ring-$i.peers > /dev/null; do sleep 0.02; done; done; \
         getent hosts ring-0.peers.default.svc.cluster.local | grep -c '^127.1'; hostname; hostname -f; \
         until [ $(getent ahostsv4 peers | grep -c STREAM) = 3 ]; do sleep 0.02; done; touch done-$JOB_COMPLETION_INDEX; \
         until [ -e done-0 -a -e done-1 -a -e done-2 ]; do sleep 0.02; done";
    let manifest = world.manifest("ring.yaml", peers(script));
    let output = world.run(&format!("run -f {manifest}")).exits(0);
    for index in 0..3 {
        let fqdn = format!("ring-{index}.peers.default.svc.cluster.local");
        assert!(output.stdout.contains(&fqdn), "{}", output.stdout);
    }
    let addresses = world.value("pods", "{.items[*].status.podIP}");
    let mut all: Vec<&str> = addresses.split(' ').collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3, "an address each: {addresses}");
}

#[test]
fn who_comes_late_still_finds_those_that_have_ended() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let _ = world.apply(HEADLESS);
    // The last looks for the others when these have ended.
    let script = "[ $JOB_COMPLETION_INDEX != 2 ] || until [ -e done-0 -a -e done-1 ]; do sleep 0.02; done; sleep 0.2; \
         for i in 0 1 2; do until getent hosts ring-$i.peers > /dev/null; do sleep 0.02; done; done; touch done-$JOB_COMPLETION_INDEX";
    let manifest = world.manifest("ring.yaml", peers(script));
    let _ = world.run(&format!("run --timeout=60s -f {manifest}")).exits(0);
}

#[test]
fn a_service_leads_to_pods_as_long_as_they_are_ready() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web-1}\nspec:\n  selector: {app: web}\n  ports: [{name: http, port: 80}]\n";
    let _ = world.apply(service);
    let address = world.value("service web-1", "{.spec.clusterIP}");
    assert!(address.starts_with("127."), "{address}");
    let script = "echo $WEB_1_SERVICE_HOST $WEB_1_SERVICE_PORT_HTTP; getent hosts web-1 | cut -d' ' -f1; touch seen; \
         until getent hosts web-1.default | grep -qv $WEB_1_SERVICE_HOST; do sleep 0.02; done; echo up; touch up; \
         until getent hosts web-1 | grep -q $WEB_1_SERVICE_HOST; do sleep 0.02; done; echo down";
    let job = |name: &str, labels: &str, script: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  template:\n    metadata: {{labels: {labels}}}\n    spec:\n      \
             restartPolicy: Never\n      containers: [{{name: main, image: i, command: [sh, -c, {script:?}]}}]\n"
        )
    };
    let _ = world.apply(&job("client", "{}", script));
    eventually(SOON, || world.path("work/seen").exists());
    let _ = world.apply(&job("server", "{app: web}", "until test -e up; do sleep 0.01; done"));
    world.wait_for_end("client");
    assert_eq!(world.run("logs job/client").success().stdout, format!("{address} 80\n{address}\nup\ndown\n"));
}

#[test]
fn who_has_a_view_of_his_own_finds_himself_by_his_name() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let manifest = peers("getent hosts $(hostname) | tr -s ' '; echo $(hostname)")
        .replace("subdomain: peers\n", "volumes: [{name: v, emptyDir: {}}]\n")
        .replace("name: worker,", "name: worker, volumeMounts: [{name: v, mountPath: /srv/of-the-pod}],")
        .replace("completions: 3\n  parallelism: 3", "completions: 1");
    let path = world.manifest("alone.yaml", manifest);
    let output = world.run(&format!("run -f {path}")).exits(0);
    let address = world.value("pods", "{.items[0].status.podIP}");
    assert_eq!(output.stdout, format!("{address} ring-0\nring-0\n"));
}

#[test]
fn aliases_stand_in_the_pods_own_file_and_not_in_that_of_the_machine() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let before = std::fs::read("/etc/hosts").expect("a file");
    let manifest = peers("getent hosts db.example | tr -s ' '; getent hosts $(hostname) | cut -d. -f1")
        .replace("subdomain: peers", "hostAliases: [{ip: 10.1.2.3, hostnames: [db.example, db]}]")
        .replace("completions: 3\n  parallelism: 3", "completions: 1");
    let path = world.manifest("aliases.yaml", manifest);
    let output = world.run(&format!("run -f {path}")).exits(0);
    assert_eq!(output.stdout, "10.1.2.3 db.example db\n127\n");
    assert_eq!(std::fs::read("/etc/hosts").expect("a file"), before);
}
