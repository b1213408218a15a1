//! The kinds of Kubernetes 1.34 that are not here: a manifest that has one is no spelling mistake.

/// Kinds by group; the groups that have been left for others since are not told apart.
const FOREIGN: [(&str, &[&str]); 15] = [
    ("", &["Binding", "ComponentStatus", "PersistentVolume", "PodTemplate", "ReplicationController"]),
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
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet"]),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_kubernetes_are_told_from_others() {
        for (group, kind, expected) in [
            ("", "Endpoints", false),
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
}
