//! Rounds whose pods have volumes, limits, probes, devices and a Service: nothing of these may be left, lost or shared.

use std::fs;
use std::path::PathBuf;

use crate::common::World;

/// What the pods refer to.
pub(crate) const OBJECTS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {key: value}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {part: of-a-round}}
";

/// Where the volumes lie: nothing on any host is called so.
const SCRATCH: &str = "/jobctl-faults-scratch";
const SETTINGS: &str = "/jobctl-faults-settings";
const CLAIM: &str = "/jobctl-faults-claim";

/// What a pod does first: its emptyDir is its own and empty, its files say what they should, and nobody else has its device.
/// The lock goes with its processes, whatever ends them.
const CHECKS: &str = "echo $JOBCTL_POD_UID $CUDA_VISIBLE_DEVICES $HOSTNAME $(cut -d' ' -f1 /proc/uptime) >> starts; [ -z \"$(ls /jobctl-faults-scratch)\" ] || echo $JOBCTL_POD_UID a used emptyDir >> broken; \
     echo mine > /jobctl-faults-scratch/file; \
     [ \"$(cat /jobctl-faults-settings/key)\" = value ] || echo $JOBCTL_POD_UID no ConfigMap >> broken; \
     echo $JOBCTL_POD_UID >> /jobctl-faults-claim/pods; \
     exec 9>>device-$CUDA_VISIBLE_DEVICES; flock -n 9 || sh ./tell >> broken; ";

/// Says who has the device of a pod.
const TELL: &str = r#"
echo "$JOBCTL_POD_UID: device $CUDA_VISIBLE_DEVICES twice at $(cut -d' ' -f1 /proc/uptime)"
for process in /proc/[0-9]*; do
    case "$(readlink $process/fd/9)" in
    */device-$CUDA_VISIBLE_DEVICES) echo "$process: $(tr '\0' ' ' < $process/cmdline | cut -c-60) $(tr '\0' '\n' < $process/environ | grep JOBCTL_POD_UID) $(cut -d' ' -f3-8 $process/stat)";;
    esac
done
"#;

/// Whether this machine gives pods a view of the file system of their own.
pub(crate) fn has_namespaces() -> bool {
    let tried =
        std::process::Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Two devices for pods to lease.
pub(crate) fn prepare(world: &World) {
    let text = "nodeName: node1\nextendedResources: {nvidia.com/gpu: [0, 1]}\n";
    fs::write(world.path("config/jobctl/config.yaml"), text).expect("the configuration");
    fs::write(world.path("work/tell"), TELL).expect("a script");
}

/// A Job with all that pods may have.
pub(crate) fn furnish(job: &str) -> String {
    let container = format!(
        "        resources: {{limits: {{memory: 96Mi, cpu: 100m, nvidia.com/gpu: 1}}}}\n        \
         livenessProbe: {{exec: {{command: [test, -d, {SCRATCH}]}}, periodSeconds: 1}}\n        \
         lifecycle: {{preStop: {{exec: {{command: ['true']}}}}}}\n        \
         volumeMounts: [{{name: s, mountPath: {SCRATCH}}}, {{name: c, mountPath: {SETTINGS}}}, {{name: k, mountPath: {CLAIM}}}]\n"
    );
    let pod = "      subdomain: peers\n      volumes: [{name: s, emptyDir: {}}, {name: c, configMap: {name: settings}}, \
         {name: k, persistentVolumeClaim: {claimName: kept}}]\n      containers:\n";
    let job = job
        .replace("      containers:\n", pod)
        .replace("  template:\n", "  template:\n    metadata: {labels: {part: of-a-round}}\n");
    let (before, script) = job.split_once("echo $JOB_COMPLETION_INDEX").expect("the script");
    let checks = CHECKS.replace('"', "\\\"");
    let job = format!("{before}{checks}echo $JOB_COMPLETION_INDEX{script}");
    job.trim_end().to_owned() + "\n" + &container
}

/// Every control group of a pod.
fn groups_of(uid: &str) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points =
        mounts.lines().filter(|line| line.contains(" - cgroup")).filter_map(|line| line.split(' ').nth(4));
    let mut left: Vec<PathBuf> = points.map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().contains(uid) {
                    found.push(entry.path());
                }
                left.push(entry.path());
            }
        }
    }
    found
}

/// Removes the control groups of a pod.
pub(crate) fn remove_groups(uid: &str) {
    for group in groups_of(uid) {
        for inner in fs::read_dir(&group).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(inner.path());
        }
        let _ = fs::remove_dir(group);
    }
}

/// What is wrong after everything has ended: what pods have noticed, and what is left of them.
pub(crate) fn what_is_left(world: &World) -> Option<String> {
    if let Ok(broken) = fs::read_to_string(world.path("work/broken")) {
        let starts = fs::read_to_string(world.path("work/starts")).unwrap_or_default();
        return Some(format!("pods have noticed: {broken}in these starts:\n{starts}"));
    }
    if let Some(there) = [SCRATCH, SETTINGS, CLAIM].iter().find(|path| fs::symlink_metadata(path).is_ok()) {
        return Some(format!("{there} was made on the host"));
    }
    let store = world.store();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_within = |line: &&str| {
        line.split(' ').nth(4).is_some_and(|point| point.starts_with(&format!("{}/", store.display())))
    };
    if let Some(mount) = mounts.lines().find(is_within) {
        return Some(format!("a mount is left: {mount}"));
    }
    let text = fs::read_dir(world.path("work")).into_iter().flatten().flatten().filter_map(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("ran-")
            .then(|| fs::read_to_string(entry.path()).unwrap_or_default())
    });
    let uids: Vec<String> = text
        .flat_map(|text| {
            text.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    if let Some(group) = uids.iter().flat_map(|uid| groups_of(uid)).next() {
        return Some(format!("a control group is left: {}", group.display()));
    }
    let volumes = fs::read_dir(store.join("pods"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("volumes"));
    let left: Vec<PathBuf> = volumes.filter(|path| path.exists()).collect();
    (!left.is_empty()).then(|| format!("volumes are left: {left:?}"))
}
