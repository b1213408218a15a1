//! Devices of this machine that pods have for themselves: which of them a pod has leased, and what its containers see of them.
//!
//! A pod asks for them by number, as an extended resource; the scheduler gives it some by id, which its annotation keeps for as
//! long as it lives.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

use super::meta::{ANNOTATION_DEVICES, annotation};
use super::pod_resources::{is_sidecar, requests};
use super::quantity::whole;

/// Ids of devices by the resource that they are.
pub type Devices = BTreeMap<String, Vec<String>>;

/// How many devices of a resource a pod asks for.
pub fn wanted(spec: &PodSpec, resource: &str) -> usize {
    requests(spec).get(resource).and_then(|amount| whole(&amount.0)).map_or(0, |count| count.max(0) as usize)
}

/// The devices that a pod was given with its place. What it does not ask for it does not have, whatever its annotation says.
pub fn leased(pod: &Pod) -> Devices {
    let Some(text) = annotation(&pod.metadata, ANNOTATION_DEVICES) else { return Devices::new() };
    let mut devices: Devices = serde_json::from_str(text).unwrap_or_default();
    let spec = pod.spec.as_ref();
    devices.retain(|resource, ids| {
        ids.truncate(spec.map_or(0, |spec| wanted(spec, resource)));
        !ids.is_empty()
    });
    devices
}

/// Notes the devices that a pod is given.
pub fn lease(pod: &mut Pod, devices: &Devices) {
    let annotations = pod.metadata.annotations.get_or_insert_default();
    if devices.is_empty() {
        annotations.remove(ANNOTATION_DEVICES);
    } else {
        let text = serde_json::to_string(devices).unwrap_or_default();
        annotations.insert(ANNOTATION_DEVICES.to_owned(), text);
    }
    if annotations.is_empty() {
        pod.metadata.annotations = None;
    }
}

/// Which of the pod's devices of a resource a container has. Sidecars and main containers run beside each other, so each has
/// its own; what the main containers have, the init containers had before them (as upstream's device manager hands them out).
pub fn of_container<'a>(spec: &PodSpec, container: &str, resource: &str, ids: &'a [String]) -> &'a [String] {
    let count = |container: &Container| {
        let amounts = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        amounts.and_then(|amounts| whole(&amounts.get(resource)?.0)).map_or(0, |count| count.max(0) as usize)
    };
    let inits = spec.init_containers.iter().flatten().map(|one| (one, is_sidecar(one)));
    let mains = spec.containers.iter().map(|one| (one, true));
    let mut first = 0;
    for (one, keeps_its_own) in inits.chain(mains) {
        let after = (first + count(one)).min(ids.len());
        if one.name == container {
            return &ids[first..after];
        }
        if keeps_its_own {
            first = after;
        }
    }
    &[]
}

/// What hides every device from a program: no device has this number, and programs do not take it for a variable that is not
/// set.
const NONE: &str = "-1";

/// The variables by which programs know which devices they may use: of each resource of which this machine has some.
pub fn variables(resource: &str, ids: &[String]) -> Vec<(String, String)> {
    let list = if ids.is_empty() { NONE.to_owned() } else { ids.join(",") };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match resource.split_once('/').map_or("", |(domain, _)| domain) {
        "nvidia.com" => vec![
            // The order in which the driver's files name them, and these ids with it.
            pair("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            pair("CUDA_VISIBLE_DEVICES", &list),
            pair("NVIDIA_VISIBLE_DEVICES", if ids.is_empty() { "void" } else { &list }),
        ],
        "amd.com" => vec![pair("HIP_VISIBLE_DEVICES", &list)],
        _ if ids.is_empty() => Vec::new(),
        _ => {
            let name = resource.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_ascii_uppercase();
            vec![pair(&name, &list)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GPU: &str = "nvidia.com/gpu";

    fn spec(inits: &[(&str, u32, bool)], mains: &[(&str, u32)]) -> PodSpec {
        let container = |name: &str, gpus: u32, sidecar: bool| {
            let policy = sidecar.then_some("Always");
            json!({"name": name, "restartPolicy": policy, "resources": {"requests": {GPU: gpus.to_string()}}})
        };
        let inits: Vec<_> =
            inits.iter().map(|(name, gpus, sidecar)| container(name, *gpus, *sidecar)).collect();
        let mains: Vec<_> = mains.iter().map(|(name, gpus)| container(name, *gpus, false)).collect();
        serde_json::from_value(json!({"initContainers": inits, "containers": mains})).expect("a pod spec")
    }

    #[test]
    fn containers_that_run_at_a_time_have_devices_of_their_own() {
        let spec = spec(
            &[("first", 2, false), ("side", 1, true), ("second", 3, false)],
            &[("a", 1), ("b", 2), ("c", 0)],
        );
        assert_eq!(wanted(&spec, GPU), 4);
        let ids: Vec<String> = ["0", "1", "2", "3"].map(str::to_owned).to_vec();
        for (container, expected) in [
            ("first", vec!["0", "1"]),
            ("side", vec!["0"]),
            ("second", vec!["1", "2", "3"]),
            ("a", vec!["1"]),
            ("b", vec!["2", "3"]),
            ("c", vec![]),
            ("unknown", vec![]),
        ] {
            assert_eq!(of_container(&spec, container, GPU, &ids), expected, "{container}");
        }
    }

    #[test]
    fn a_pod_has_what_it_was_given_and_asks_for() {
        let mut pod = Pod { spec: Some(spec(&[], &[("a", 1)])), ..Pod::default() };
        assert_eq!(leased(&pod), Devices::new());
        let given = Devices::from([(GPU.to_owned(), vec!["1".to_owned()])]);
        lease(&mut pod, &given);
        assert_eq!(leased(&pod), given);
        // What somebody else has written there counts for nothing.
        let text = r#"{"nvidia.com/gpu":["0","1"],"amd.com/gpu":["0"]}"#.to_owned();
        pod.metadata.annotations.get_or_insert_default().insert(ANNOTATION_DEVICES.into(), text);
        assert_eq!(leased(&pod), Devices::from([(GPU.to_owned(), vec!["0".to_owned()])]));
        lease(&mut pod, &Devices::new());
        assert_eq!(pod.metadata.annotations, None);
    }

    #[test]
    fn programs_are_told_by_the_variables_that_they_know() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let text = |resource, given: &[&str]| {
            let pairs = variables(resource, &ids(given));
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            text(GPU, &["0", "2"]),
            "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,2 NVIDIA_VISIBLE_DEVICES=0,2"
        );
        assert_eq!(
            text(GPU, &[]),
            "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=-1 NVIDIA_VISIBLE_DEVICES=void"
        );
        assert_eq!(text("amd.com/gpu", &["1"]), "HIP_VISIBLE_DEVICES=1");
        assert_eq!(text("amd.com/gpu", &[]), "HIP_VISIBLE_DEVICES=-1");
        assert_eq!(text("example.com/licence-key", &["a", "b"]), "EXAMPLE_COM_LICENCE_KEY=a,b");
        assert_eq!(text("example.com/licence-key", &[]), "");
    }
}
