//! The kinds of Kubernetes 1.34 that are not here: a manifest that has one is no spelling mistake.

/// Kinds by group; the groups that have been left for others since are not told apart.
const FOREIGN: [(&str, &[&str]); 16] = [
    (
        "",
        &[
            "Binding",
            "ComponentStatus",
            "Endpoints",
            "PersistentVolume",
            "PodTemplate",
            "ReplicationController",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenReview"]),
    (
        "authorization.k8s.io",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["IPAddress", "Ingress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["Eviction", "PodDisruptionBudget"]),
    (
        "storage.k8s.io",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
];
/// Kinds for devices, which have a group of their own.
const DEVICES: [&str; 4] = ["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"];
/// Where several kinds of `apps`, `networking.k8s.io` and `policy` have been before.
const FORMER_GROUP: &str = "extensions";

/// Whether Kubernetes has a kind of that name in that group, and jobctl does not.
pub fn is_foreign(group: &str, kind: &str) -> bool {
    let of_group = |known: &str| known == group || group == FORMER_GROUP;
    FOREIGN.iter().any(|(known, kinds)| of_group(known) && kinds.contains(&kind))
        || group == "resource.k8s.io" && DEVICES.contains(&kind)
}

/// Short names of such kinds.
const SHORT: [(&str, &str); 14] = [
    ("crd", "CustomResourceDefinition"),
    ("csr", "CertificateSigningRequest"),
    ("deploy", "Deployment"),
    ("ds", "DaemonSet"),
    ("ep", "Endpoints"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("ing", "Ingress"),
    ("pdb", "PodDisruptionBudget"),
    ("pv", "PersistentVolume"),
    ("rc", "ReplicationController"),
    ("rs", "ReplicaSet"),
    ("sc", "StorageClass"),
    ("vac", "VolumeAttributesClass"),
    ("crds", "CustomResourceDefinition"),
];

/// The group and the plural of the resource that a word names: in that group, or in any where it is empty.
pub fn resource(word: &str, group: &str) -> Option<(&'static str, String)> {
    let word = word.to_lowercase();
    let devices = ("resource.k8s.io", &DEVICES[..]);
    let groups =
        FOREIGN.into_iter().chain([devices]).filter(|(known, _)| group.is_empty() || *known == group);
    let mut kinds = groups.flat_map(|(group, kinds)| kinds.iter().map(move |kind| (group, *kind)));
    kinds.find_map(|(group, kind)| {
        let (singular, plural) = (kind.to_lowercase(), plural(kind));
        let is_short = SHORT.contains(&(word.as_str(), kind));
        (word == singular || word == plural || is_short).then_some((group, plural))
    })
}

/// How Kubernetes calls the resource of a kind.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.as_bytes() {
        _ if kind == "endpoints" => kind,
        [.., b's'] => format!("{kind}es"),
        [.., b'y'] => format!("{}ies", &kind[..kind.len() - 1]),
        _ => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_kubernetes_are_told_from_others() {
        for (group, kind, expected) in [
            ("", "Endpoints", true),
            ("", "ConfigMap", false),
            ("apps", "Deployment", true),
            ("extensions", "Deployment", true),
            ("extensions", "Ingress", true),
            ("resource.k8s.io", "ResourceClaim", true),
            ("batch", "Deployment", false),
            ("batch", "Job", false),
            ("batch", "Jobz", false),
            ("argoproj.io", "Workflow", false),
        ] {
            assert_eq!(is_foreign(group, kind), expected, "{group} {kind}");
        }
    }

    #[test]
    fn resources_are_known_by_all_their_names() {
        for (word, group, expected) in [
            ("deploy", "", Some(("apps", "deployments"))),
            ("Deployments", "apps", Some(("apps", "deployments"))),
            ("deployments", "batch", None),
            ("ingress", "", Some(("networking.k8s.io", "ingresses"))),
            ("endpoints", "", Some(("", "endpoints"))),
            ("deviceclasses", "resource.k8s.io", Some(("resource.k8s.io", "deviceclasses"))),
            (
                "mutatingadmissionpolicies",
                "",
                Some(("admissionregistration.k8s.io", "mutatingadmissionpolicies")),
            ),
            ("widgets", "", None),
        ] {
            let found = resource(word, group);
            let found = found.as_ref().map(|(group, plural)| (*group, plural.as_str()));
            assert_eq!(found, expected, "{word}.{group}");
        }
    }
}
