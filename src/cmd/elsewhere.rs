//! kubectl's verbs that mean nothing without a cluster: why, and what to do instead.

/// Each with the reason and the way that there is.
const VERBS: &[(&str, &str)] = &[
    ("alpha", "no feature of kubectl is tried out here; all verbs: jobctl --help"),
    (
        "autoscale",
        "nothing measures the load of pods and scales by it; by hand: jobctl scale --replicas=COUNT job/NAME",
    ),
    ("certificate", "there are no nodes and users that ask for certificates; nothing has to be approved"),
    ("debug", "pods are processes of this machine: jobctl exec -it POD -- sh, or any debugger with the pid"),
    (
        "expose",
        "a Service is not made of another object here: jobctl create service clusterip NAME --tcp=PORT, or jobctl run \
         --expose",
    ),
    ("kustomize", "nothing is built here; it works as: kustomize build DIRECTORY | jobctl apply -f -"),
    (
        "plugin",
        "plugins of kubectl speak to a server, and there is none; they are ordinary programs: run them as such",
    ),
    ("proxy", "there is no server to stand before; objects are read with: jobctl get --output=json"),
    (
        "taint",
        "there is one node, and no other that pods could go to; to keep new pods off it: jobctl cordon NODE",
    ),
];

/// What there is to say of a verb of kubectl's that is not here.
pub(super) fn advice(verb: &str) -> Option<String> {
    let (_, why) = VERBS.iter().find(|(name, _)| *name == verb)?;
    Some(format!("{verb} is of clusters: {why}"))
}

/// The same of `cluster-info dump`.
pub(super) const CLUSTER_INFO_DUMP: &str = "error: dump is of clusters: there is no control plane to look into; all objects: jobctl get all --all-namespaces -o yaml, \
     and what is wrong with this machine: jobctl doctor";
