//! Type errors in Go's words, which name the struct of the API that holds the field.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::api::{quantity, times};

/// Fields that are maps: what is below them has no field of its own.
pub(super) const MAPS: [&str; 20] = [
    "allocatedResources",
    "annotations",
    "binaryData",
    "data",
    "default",
    "defaultRequest",
    "hard",
    "labels",
    "limits",
    "matchLabels",
    "max",
    "maxLimitRequestRatio",
    "min",
    "nodeSelector",
    "overhead",
    "requests",
    "stringData",
    "used",
    "capacity",
    "volumeAttributes",
];

/// Lists whose elements are strings.
const STRING_LISTS: [&str; 21] = [
    "accessModes",
    "add",
    "apiGroups",
    "args",
    "clusterIPs",
    "command",
    "drop",
    "dryRun",
    "except",
    "externalIPs",
    "finalizers",
    "ipFamilies",
    "loadBalancerSourceRanges",
    "nameservers",
    "nonResourceURLs",
    "policyTypes",
    "resourceNames",
    "resources",
    "scopes",
    "searches",
    "verbs",
];

/// Fields that are quantities.
pub(super) const QUANTITIES: [&str; 2] = ["sizeLimit", "divisor"];
/// Fields that are maps of quantities.
pub(super) const QUANTITY_MAPS: [&str; 12] = [
    "allocatedResources",
    "capacity",
    "default",
    "defaultRequest",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "min",
    "overhead",
    "requests",
    "used",
];

/// Whether the types want a quantity there.
pub(super) fn is_quantity(path: &Path) -> bool {
    let names = fields(path);
    names.last().is_some_and(|name| QUANTITIES.contains(name) || QUANTITY_MAPS.contains(name))
}

/// The first quantity of an object that is none: its path, and what is said of it.
pub(super) fn bad_quantity(value: &Value) -> Option<(String, &'static str)> {
    bad_quantity_in(value, "", "")
}

/// The same of what is below a field.
fn bad_quantity_in(value: &Value, path: &str, field: &str) -> Option<(String, &'static str)> {
    match value {
        // What is in a list is no map of its name: the limits of a LimitRange are structs.
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, item)| bad_quantity_in(item, &format!("{path}[{index}]"), "")),
        Value::Object(map) if !MAPS.contains(&field) || QUANTITY_MAPS.contains(&field) => {
            map.iter().find_map(|(key, value)| {
                let path = super::join(path, key);
                let is_quantity = QUANTITY_MAPS.contains(&field) || QUANTITIES.contains(&key.as_str());
                if is_quantity {
                    problem_of(value).map(|problem| (path, problem))
                } else {
                    bad_quantity_in(value, &path, key)
                }
            })
        }
        _ => None,
    }
}

/// What is wrong with one quantity; null counts as absent, and other types are told apart by their decoding.
fn problem_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => quantity::parse(text).err(),
        Value::Number(number) => quantity::parse(&number.to_string()).err(),
        _ => None,
    }
}

/// Whether the elements of the list there are structs.
pub(super) fn holds_objects(path: &Path) -> bool {
    matches!(path.iter().next_back(), Some(Segment::Seq { .. }))
        && fields(path).last().is_some_and(|name| !STRING_LISTS.contains(name))
}

/// The names of the fields on the way, without the keys of maps and the positions in lists.
fn fields(path: &Path) -> Vec<&str> {
    let mut names = Vec::new();
    let mut segments = path.iter().peekable();
    while let Some(segment) = segments.next() {
        if let Segment::Map { key } = segment {
            names.push(key.as_str());
            let is_list = matches!(segments.peek(), Some(Segment::Seq { .. }));
            if MAPS.contains(&key.as_str()) && !is_list {
                break;
            }
        }
    }
    names
}

/// What is wrong with the value found at a path; `error` is serde's account of it.
pub(super) fn problem(kind: &str, path: &Path, found: Option<&Value>, error: &str) -> String {
    let mut names = fields(path);
    // The selector of a Service is a map of labels, others are structs.
    let is_label = kind == "Service" && matches!(names[..], ["spec", "selector", _]);
    if is_label {
        names.pop();
    }
    if let (Some(Value::String(text)), Some(name)) = (found, names.last())
        && (name.ends_with("Timestamp") || name.ends_with("Time") || *name == "time")
    {
        return times::parse(text).err().unwrap_or_else(|| format!("json: {error}"));
    }
    let expected = error.rsplit_once(", expected ").map(|(_, expected)| expected);
    let (Some(found), Some(expected), Some((name, parents))) = (found, expected, names.split_last()) else {
        return format!("json: {error}");
    };
    let go_type = match expected {
        "i32" | "a 32-bit integer" | "IntOrString" => "int32".to_owned(),
        "i64" => "int64".to_owned(),
        "f64" => "float64".to_owned(),
        "a boolean" => "bool".to_owned(),
        "a base64-encoded string" => "[]uint8".to_owned(),
        "a string" if is_label => "string".to_owned(),
        "a string" if STRING_LISTS.contains(name) && is_element(path) => list_item_type(&names).to_owned(),
        "a string" if MAPS.contains(name) && is_element(path) => "string".to_owned(),
        "a string" => text_type(&names).to_owned(),
        "a sequence" if STRING_LISTS.contains(name) => format!("[]{}", list_item_type(&names)),
        "a sequence" => format!("[]v1.{}", struct_name(kind, &names)),
        "a map" if is_quantity(path) => "v1.ResourceList".to_owned(),
        "a map" => "map[string]string".to_owned(),
        "Quantity" => return quantity::FORMAT.to_owned(),
        "Time" | "MicroTime" => "time.Time".to_owned(),
        other if other.starts_with(|c: char| c.is_ascii_uppercase()) => format!("v1.{other}"),
        _ => return format!("json: {error}"),
    };
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) if go_type.starts_with("int") => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    };
    let holder = struct_name(kind, parents);
    format!(
        "json: cannot unmarshal {found} into Go struct field {holder}.{} of type {go_type}",
        names.join(".")
    )
}

/// Whether a path leads into a list or a map, not to a field of a struct.
fn is_element(path: &Path) -> bool {
    let names = fields(path).len();
    let keys = path.iter().filter(|segment| matches!(segment, Segment::Map { .. })).count();
    matches!(path.iter().next_back(), Some(Segment::Seq { .. })) || keys > names
}

/// The type of the elements of a list of texts.
fn list_item_type(names: &[&str]) -> &'static str {
    match names.last() {
        Some(&("add" | "drop")) => "v1.Capability",
        Some(&"accessModes") => "v1.PersistentVolumeAccessMode",
        Some(&"ipFamilies") => "v1.IPFamily",
        Some(&"policyTypes") => "v1.PolicyType",
        Some(&"scopes") => "v1.ResourceQuotaScope",
        _ => "string",
    }
}

/// The type of a text field: many have one of their own.
fn text_type(names: &[&str]) -> &'static str {
    let Some((name, parents)) = names.split_last() else { return "string" };
    let parent = parents.last().copied().unwrap_or_default();
    match (parent, *name) {
        ("metadata" | "ownerReferences" | "preconditions", "uid") => "types.UID",
        ("containers" | "initContainers", "restartPolicy") => "v1.ContainerRestartPolicy",
        ("resizePolicy", "restartPolicy") => "v1.ResourceResizeRestartPolicy",
        ("resizePolicy", "resourceName") => "v1.ResourceName",
        (_, "restartPolicy") => "v1.RestartPolicy",
        ("tolerations", "operator") => "v1.TolerationOperator",
        ("onExitCodes", "operator") => "v1.PodFailurePolicyOnExitCodesOperator",
        ("matchExpressions" | "matchFields", "operator") => {
            let of_node = parents.iter().any(|name| *name == "nodeSelectorTerms" || *name == "preference");
            if of_node { "v1.NodeSelectorOperator" } else { "v1.LabelSelectorOperator" }
        }
        ("onPodConditions", "type") | ("readinessGates", "conditionType") => "v1.PodConditionType",
        ("onPodConditions", "status") => "v1.ConditionStatus",
        ("rules", "action") => "v1.PodFailurePolicyAction",
        ("hostPath", "type") => "v1.HostPathType",
        ("seccompProfile", "type") => "v1.SeccompProfileType",
        ("appArmorProfile", "type") => "v1.AppArmorProfileType",
        ("emptyDir", "medium") => "v1.StorageMedium",
        ("os", "name") => "v1.OSName",
        ("limits", "type") => "v1.LimitType",
        ("updateStrategy", "type") => "v1.StatefulSetUpdateStrategyType",
        // A field of this name at the top is a Secret's, in a spec a Service's.
        ("", "type") => "v1.SecretType",
        ("spec", "type") => "v1.ServiceType",
        (_, "sessionAffinity") => "v1.ServiceAffinity",
        (_, "externalTrafficPolicy") => "v1.ServiceExternalTrafficPolicy",
        (_, "internalTrafficPolicy") => "v1.ServiceInternalTrafficPolicy",
        (_, "ipFamilyPolicy") => "v1.IPFamilyPolicy",
        (_, "volumeMode") => "v1.PersistentVolumeMode",
        (_, "podManagementPolicy") => "v1.PodManagementPolicyType",
        (_, "whenDeleted" | "whenScaled") => "v1.PersistentVolumeClaimRetentionPolicyType",
        ("httpGet", "scheme") => "v1.URIScheme",
        ("ports", "protocol") => "v1.Protocol",
        ("tolerations", "effect") => "v1.TaintEffect",
        (_, "terminationMessagePolicy") => "v1.TerminationMessagePolicy",
        (_, "imagePullPolicy") => "v1.PullPolicy",
        (_, "dnsPolicy") => "v1.DNSPolicy",
        (_, "propagationPolicy") => "v1.DeletionPropagation",
        (_, "preemptionPolicy") => "v1.PreemptionPolicy",
        (_, "completionMode") => "v1.CompletionMode",
        (_, "podReplacementPolicy") => "v1.PodReplacementPolicy",
        (_, "concurrencyPolicy") => "v1.ConcurrencyPolicy",
        (_, "whenUnsatisfiable") => "v1.UnsatisfiableConstraintAction",
        (_, "nodeAffinityPolicy" | "nodeTaintsPolicy") => "v1.NodeInclusionPolicy",
        (_, "mountPropagation") => "v1.MountPropagationMode",
        (_, "fsGroupChangePolicy") => "v1.PodFSGroupChangePolicy",
        (_, "supplementalGroupsPolicy") => "v1.SupplementalGroupsPolicy",
        (_, "procMount") => "v1.ProcMountType",
        (_, "stopSignal") => "v1.Signal",
        _ => "string",
    }
}

/// The struct at a path of fields.
fn struct_name(kind: &str, names: &[&str]) -> String {
    let Some((name, parents)) = names.split_last() else { return kind.to_owned() };
    let parent = parents.last().copied().unwrap_or_default();
    let known = match (parent, *name) {
        ("", "spec") => return format!("{kind}Spec"),
        ("", "status") => return format!("{kind}Status"),
        ("template", "spec") => "PodSpec",
        ("jobTemplate", "spec") => "JobSpec",
        ("spec", "securityContext") => "PodSecurityContext",
        ("successPolicy", "rules") => "SuccessPolicyRule",
        ("status", "conditions") => return format!("{kind}Condition"),
        ("podFailurePolicy", "rules") => "PodFailurePolicyRule",
        ("podAffinity" | "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution") => {
            "PodAffinityTerm"
        }
        ("podAffinity" | "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution") => {
            "WeightedPodAffinityTerm"
        }
        ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution") => "NodeSelector",
        ("nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution") => "PreferredSchedulingTerm",
        ("nodeSelectorTerms" | "preference", "matchExpressions" | "matchFields") => "NodeSelectorRequirement",
        ("resources", "claims") => "ResourceClaim",
        ("downwardAPI", "items") => "DownwardAPIVolumeFile",
        ("sources", "configMap") => "ConfigMapProjection",
        ("sources", "secret") => "SecretProjection",
        ("sources", "downwardAPI") => "DownwardAPIProjection",
        ("ephemeral", "volumeClaimTemplate") => "PersistentVolumeClaimTemplate",
        ("volumeClaimTemplate" | "volumeClaimTemplates", "spec") => "PersistentVolumeClaimSpec",
        ("ingress" | "egress", "ports") => "NetworkPolicyPort",
        ("spec", "ingress") => "NetworkPolicyIngressRule",
        ("spec", "egress") => "NetworkPolicyEgressRule",
        ("spec", "resources") if kind == "PersistentVolumeClaim" || kind == "StatefulSet" => {
            "VolumeResourceRequirements"
        }
        ("", "rules") => "PolicyRule",
        ("spec", "limits") => "LimitRangeItem",
        (_, "from" | "to") => "NetworkPolicyPeer",
        (_, "ipBlock") => "IPBlock",
        (_, "clientIP") => "ClientIPConfig",
        (_, "volumeClaimTemplates") => "PersistentVolumeClaim",
        (_, "updateStrategy") => "StatefulSetUpdateStrategy",
        (_, "rollingUpdate") => "RollingUpdateStatefulSetStrategy",
        (_, "ordinals") => "StatefulSetOrdinals",
        (_, "persistentVolumeClaimRetentionPolicy") => "StatefulSetPersistentVolumeClaimRetentionPolicy",
        (_, "dataSource") => "TypedLocalObjectReference",
        (_, "dataSourceRef") => "TypedObjectReference",
        (_, "scopeSelector") => "ScopeSelector",
        ("scopeSelector", "matchExpressions") => "ScopedResourceSelectorRequirement",
        (_, "metadata") => "ObjectMeta",
        (_, "jobTemplate") => "JobTemplateSpec",
        (_, "template") => "PodTemplateSpec",
        (_, "containers" | "initContainers") => "Container",
        (_, "ephemeralContainers") => "EphemeralContainer",
        (_, "env") => "EnvVar",
        (_, "envFrom") => "EnvFromSource",
        (_, "valueFrom") => "EnvVarSource",
        (_, "configMapKeyRef") => "ConfigMapKeySelector",
        (_, "secretKeyRef") => "SecretKeySelector",
        (_, "fileKeyRef") => "FileKeySelector",
        (_, "fieldRef") => "ObjectFieldSelector",
        (_, "resourceFieldRef") => "ResourceFieldSelector",
        (_, "configMapRef") => "ConfigMapEnvSource",
        (_, "secretRef") => "SecretEnvSource",
        (_, "ports") if kind == "Service" => "ServicePort",
        (_, "ports") => "ContainerPort",
        (_, "resources") => "ResourceRequirements",
        (_, "resizePolicy") => "ContainerResizePolicy",
        (_, "restartPolicyRules") => "ContainerRestartRule",
        (_, "livenessProbe" | "readinessProbe" | "startupProbe") => "Probe",
        (_, "exec") => "ExecAction",
        (_, "httpGet") => "HTTPGetAction",
        (_, "httpHeaders") => "HTTPHeader",
        (_, "tcpSocket") => "TCPSocketAction",
        (_, "grpc") => "GRPCAction",
        (_, "sleep") => "SleepAction",
        (_, "postStart" | "preStop") => "LifecycleHandler",
        (_, "capabilities") => "Capabilities",
        (_, "seLinuxOptions") => "SELinuxOptions",
        (_, "windowsOptions") => "WindowsSecurityContextOptions",
        (_, "sysctls") => "Sysctl",
        (_, "emptyDir") => "EmptyDirVolumeSource",
        (_, "hostPath") => "HostPathVolumeSource",
        (_, "configMap") => "ConfigMapVolumeSource",
        (_, "secret") => "SecretVolumeSource",
        (_, "persistentVolumeClaim") => "PersistentVolumeClaimVolumeSource",
        (_, "projected") => "ProjectedVolumeSource",
        (_, "sources") => "VolumeProjection",
        (_, "serviceAccountToken") => "ServiceAccountTokenProjection",
        (_, "downwardAPI") => "DownwardAPIVolumeSource",
        (_, "ephemeral") => "EphemeralVolumeSource",
        (_, "csi") => "CSIVolumeSource",
        (_, "nfs") => "NFSVolumeSource",
        ("volumes", other) => match other {
            "awsElasticBlockStore" => "AWSElasticBlockStoreVolumeSource",
            "cephfs" => "CephFSVolumeSource",
            "fc" => "FCVolumeSource",
            "flexVolume" => "FlexVolumeSource",
            "gcePersistentDisk" => "GCEPersistentDiskVolumeSource",
            "iscsi" => "ISCSIVolumeSource",
            "portworxVolume" => "PortworxVolumeSource",
            "rbd" => "RBDVolumeSource",
            "scaleIO" => "ScaleIOVolumeSource",
            "storageos" => "StorageOSVolumeSource",
            "vsphereVolume" => "VsphereVirtualDiskVolumeSource",
            other => return format!("{}VolumeSource", capitalized(other)),
        },
        (_, "nodePublishSecretRef") => "LocalObjectReference",
        (_, "clusterTrustBundle") => "ClusterTrustBundleProjection",
        (_, "podCertificate") => "PodCertificateProjection",
        (_, "items") => "KeyToPath",
        (_, "onExitCodes") => "PodFailurePolicyOnExitCodesRequirement",
        (_, "onPodConditions") => "PodFailurePolicyOnPodConditionsPattern",
        (_, "selector" | "labelSelector" | "namespaceSelector") => "LabelSelector",
        (_, "matchExpressions") => "LabelSelectorRequirement",
        (_, "preference") => "NodeSelectorTerm",
        (_, "dnsConfig") => "PodDNSConfig",
        (_, "options") => "PodDNSConfigOption",
        (_, "hostAliases") => "HostAlias",
        (_, "readinessGates") => "PodReadinessGate",
        (_, "schedulingGates") => "PodSchedulingGate",
        (_, "os") => "PodOS",
        (_, "imagePullSecrets") => "LocalObjectReference",
        (_, "resourceClaims") => "PodResourceClaim",
        (_, "ownerReferences") => "OwnerReference",
        (_, "managedFields") => "ManagedFieldsEntry",
        (_, "preconditions") => "Preconditions",
        (_, "deleteOptions") => "DeleteOptions",
        (_, "resourceAttributes") => "ResourceAttributes",
        (_, "nonResourceAttributes") => "NonResourceAttributes",
        (_, other) => return capitalized(other.strip_suffix('s').unwrap_or(other)),
    };
    known.to_owned()
}

/// Most structs are called like the field: volumes, volumeMounts, tolerations, affinity, lifecycle.
fn capitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
