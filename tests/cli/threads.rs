//! Users who may have no more threads: what is done side by side elsewhere is done one after the other.

use std::process::Child;

use serde_json::json;

use crate::api_client::Server;
use crate::common::{World, is_root};

/// How many threads a user may have.
const MOST: usize = 40;
const JOBCTL: &str = env!("CARGO_BIN_EXE_jobctl");

/// A world of somebody of whom nothing else runs, if there can be one.
fn world(user: u32) -> Option<World> {
    if is_root() {
        return Some(World::of_user(user));
    }
    println!("skipped: only root can be somebody of whom nothing else runs");
    None
}

/// Processes that take all threads that the user may have.
struct Crowd(Vec<Child>);

impl Crowd {
    fn gather(world: &World) -> Self {
        let start = |_| world.command("").program("sleep").arg("100").spawn().expect("start");
        Self((0..MOST).map(start).collect())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for one in &mut self.0 {
            let _ = one.kill();
            let _ = one.wait();
        }
    }
}

#[test]
fn clients_of_serve_are_answered() {
    let Some(world) = world(54_321) else { return };
    let server = Server::start_by(&world, &["prlimit", &format!("--nproc={MOST}"), JOBCTL]);
    let _crowd = Crowd::gather(&world);
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    assert_eq!(server.send("POST", "/api/v1/namespaces/default/configmaps", &map).status, 201);
    for path in ["/metrics", "/openapi/v3/apis/batch/v1", "/apis/metrics.k8s.io/v1beta1/nodes"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn many_objects_are_listed() {
    let Some(world) = world(54_322) else { return };
    let one = |at| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m{at}\n");
    let all: String = (0..1200).map(one).collect();
    let _ = world.apply(&all);
    let script = |line: &str| format!("ulimit -u {MOST}; exec {JOBCTL} {line}");
    let list = |line: &str| {
        let listed = world.command("").shell(&script(line));
        assert!(listed.status.success(), "{line}: {}", String::from_utf8_lossy(&listed.stderr));
        let text = String::from_utf8(listed.stdout).expect("text");
        // Ages are not the same twice.
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect::<Vec<_>>()
    };
    for line in ["get configmaps --no-headers", "get configmaps -o json"] {
        let before = list(line);
        assert!(before.len() >= 1200, "{line}");
        let crowd = Crowd::gather(&world);
        assert!(before == list(line), "{line}");
        drop(crowd);
    }
}
