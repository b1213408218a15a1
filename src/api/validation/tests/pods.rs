//! Families of rules about a pod's spec, beyond what recorded answers hold.

use serde_json::{Value, json};

use super::{put, texts};
use crate::api::Pod;
use crate::api::defaults::set_pod_defaults;
use crate::api::validation::{validate_pod, validate_pod_update};

/// A pod that breaks no rule, with the values at some places of its spec replaced.
fn pod(changes: &[(&str, Value)]) -> Pod {
    let mut manifest = json!({
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"serviceAccountName": "default", "containers": [{"name": "c", "image": "busybox"}]},
    });
    for (place, value) in changes {
        put(&mut manifest, &format!("/spec/{place}"), value.clone());
    }
    let mut pod = serde_json::from_value(manifest).expect("a Pod");
    set_pod_defaults(&mut pod);
    pod
}

#[track_caller]
fn holds(rows: &[(&str, Value, &[&str])]) {
    for (place, value, expected) in rows {
        let pod = pod(&[(place, value.clone())]);
        assert_eq!(texts(&validate_pod(&pod)), *expected, "{place}: {value}");
    }
}

const DESCENDS: &str = "must not contain '..'";

#[test]
fn volumes_and_their_sources() {
    let v = |source: Value| {
        let mut volume = source;
        volume["name"] = json!("v");
        json!([volume])
    };
    let claim = |spec: Value| v(json!({"ephemeral": {"volumeClaimTemplate": {"spec": spec}}}));
    let claim_spec = "spec.volumes[0].ephemeral.volumeClaimTemplate.spec";
    let mode = "must be a number between 0 and 0777 (octal), both inclusive";
    let up = format!("spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": {DESCENDS}");
    let item_up = format!("spec.volumes[0].configMap.items[0].path: Invalid value: \"a/../b\": {DESCENDS}");
    let item_mode = format!("spec.volumes[0].secret.items[0].mode: Invalid value: 512: {mode}");
    let default_mode = format!("spec.volumes[0].configMap.defaultMode: Invalid value: -1: {mode}");
    let bad_class = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
        and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
        '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let bad_class = format!("{claim_spec}.storageClassName: Invalid value: \"A b\": {bad_class}");
    let sizes = format!("{claim_spec}.resources[storage]: Required value");
    let small = format!("{claim_spec}.resources[storage]: Invalid value: \"0\": must be greater than zero");
    let modes = format!(
        "{claim_spec}.accessModes: Unsupported value: \"rw\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \
         \"ReadWriteOnce\", \"ReadWriteOncePod\""
    );
    let alone =
        format!("{claim_spec}.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes");
    let none = format!("{claim_spec}.accessModes: Required value: at least 1 access mode is required");
    let one_gi = || json!({"requests": {"storage": "1Gi"}});
    holds(&[
        (
            "volumes",
            json!([{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]),
            &["spec.volumes[1].name: Duplicate value: \"v\""],
        ),
        (
            "volumes",
            v(json!({"emptyDir": {"sizeLimit": "-1"}})),
            &[
                "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
            ],
        ),
        ("volumes", v(json!({"hostPath": {"path": "/a/../b"}})), &[&up]),
        (
            "volumes",
            v(json!({"hostPath": {"path": "/a", "type": "directory"}})),
            &[
                "spec.volumes[0].hostPath.type: Unsupported value: \"directory\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
            ],
        ),
        (
            "volumes",
            v(json!({"configMap": {"name": "m", "items": [{"key": "k", "path": "a/../b"}]}})),
            &[&item_up],
        ),
        (
            "volumes",
            v(json!({"configMap": {"name": "m", "items": [{"key": "k", "path": "/a"}]}})),
            &["spec.volumes[0].configMap.items[0].path: Invalid value: \"/a\": must be a relative path"],
        ),
        (
            "volumes",
            v(json!({"configMap": {"name": "m", "items": [{"key": "k", "path": "..a"}]}})),
            &["spec.volumes[0].configMap.items[0].path: Invalid value: \"..a\": must not start with '..'"],
        ),
        ("volumes", v(json!({"configMap": {"name": "m", "defaultMode": -1}})), &[&default_mode]),
        (
            "volumes",
            v(json!({"secret": {"secretName": "s", "items": [{"key": "k", "path": "a", "mode": 512}]}})),
            &[&item_mode],
        ),
        ("volumes", v(json!({"secret": {}})), &["spec.volumes[0].secret.secretName: Required value"]),
        (
            "volumes",
            v(json!({"downwardAPI": {"items": [{"path": "x"}]}})),
            &[
                "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
            ],
        ),
        (
            "volumes",
            v(
                json!({"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.name"}, "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}}]}}),
            ),
            &[
                "spec.volumes[0].downwardAPI: Invalid value: \"resource\": fieldRef and resourceFieldRef can not be specified simultaneously",
            ],
        ),
        (
            "volumes",
            v(json!({"projected": {"sources": [{"secret": {"name": "s"}, "configMap": {"name": "m"}}]}})),
            &[
                "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source",
            ],
        ),
        (
            "volumes",
            v(
                json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 4_294_967_297_i64}}]}}),
            ),
            &[
                "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
            ],
        ),
        (
            "volumes",
            v(json!({"persistentVolumeClaim": {}})),
            &["spec.volumes[0].persistentVolumeClaim.claimName: Required value"],
        ),
        (
            "volumes",
            json!([{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": one_gi()}}}}, {"name": "w", "persistentVolumeClaim": {"claimName": "p-v"}}]),
            &[
                "spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: \"p-v\": must not reference a PVC that gets created for an ephemeral volume",
            ],
        ),
        ("volumes", claim(json!({"resources": one_gi()})), &[&none]),
        ("volumes", claim(json!({"accessModes": ["rw"], "resources": one_gi()})), &[&modes]),
        (
            "volumes",
            claim(json!({"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"], "resources": one_gi()})),
            &[&alone],
        ),
        ("volumes", claim(json!({"accessModes": ["ReadWriteOnce"]})), &[&sizes]),
        (
            "volumes",
            claim(json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "0"}}})),
            &[&small],
        ),
        (
            "volumes",
            claim(
                json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "A b", "resources": one_gi()}),
            ),
            &[&bad_class],
        ),
        (
            "volumes",
            v(json!({"csi": {"driver": "d".repeat(64)}})),
            &["spec.volumes[0].csi.driver: Too long: may not be more than 63 bytes"],
        ),
        (
            "volumes",
            v(json!({"iscsi": {"targetPortal": "1.2.3.4", "iqn": "x", "lun": 256, "chapAuthSession": true}})),
            &[
                "spec.volumes[0].iscsi.iqn: Invalid value: \"x\": must be valid format starting with iqn, eui, or naa",
                "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
                "spec.volumes[0].iscsi.secretRef: Required value",
            ],
        ),
        (
            "volumes",
            v(json!({"fc": {"targetWWNs": ["a"], "wwids": ["b"]}})),
            &[
                "spec.volumes[0].fc.targetWWNs: Invalid value: [\"a\"]: targetWWNs and wwids can not be specified simultaneously",
                "spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified",
            ],
        ),
        (
            "volumes",
            v(json!({"gcePersistentDisk": {"partition": 256}})),
            &[
                "spec.volumes[0].persistentDisk.pdName: Required value",
                "spec.volumes[0].persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive",
            ],
        ),
        (
            "volumes",
            v(json!({"emptyDir": {}, "downwardAPI": {}, "cephfs": {"monitors": []}})),
            &[
                "spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type",
                "spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type",
            ],
        ),
    ]);
}

#[test]
fn mounts_and_devices() {
    let with = |mount: Value| {
        let mut mount = mount;
        mount["name"] = json!("v");
        json!([{"name": "c", "image": "i", "volumeMounts": [mount]}])
    };
    let volumes = ("volumes", json!([{"name": "v", "persistentVolumeClaim": {"claimName": "x"}}]));
    let path = "spec.containers[0].volumeMounts";
    let devices = "spec.containers[0].volumeDevices";
    let up = format!("{path}.subPath: Invalid value: \"../x\": {DESCENDS}");
    for (containers, expected) in [
        (with(json!({"mountPath": "/a", "subPath": "../x"})), vec![up]),
        (
            with(json!({"mountPath": "/a", "subPath": "x", "subPathExpr": "y"})),
            vec![format!(
                "{path}[0].subPathExpr: Invalid value: \"y\": subPathExpr and subPath are mutually exclusive"
            )],
        ),
        (with(json!({})), vec![format!("{path}[0].mountPath: Required value")]),
        (
            with(json!({"mountPath": "/a", "mountPropagation": "Both"})),
            vec![format!(
                "{path}.mountPropagation: Unsupported value: \"Both\": supported values: \"Bidirectional\", \
                 \"HostToContainer\", \"None\""
            )],
        ),
        (with(json!({"mountPath": "/a", "mountPropagation": "HostToContainer"})), vec![]),
        (
            json!([{"name": "c", "image": "i", "volumeMounts": [{"mountPath": "/a"}]}]),
            vec![format!("{path}[0].name: Required value"), format!("{path}[0].name: Not found: \"\"")],
        ),
        (
            json!([{"name": "c", "image": "i", "volumeDevices": [
                {"name": "v", "devicePath": "/dev/../x"}, {"name": "v", "devicePath": "/dev/y"}, {"name": "w"}]}]),
            vec![
                format!(
                    "{devices}[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')"
                ),
                format!("{devices}[1].name: Invalid value: \"v\": must be unique"),
                format!("{devices}[2].name: Not found: \"w\""),
                format!("{devices}[2].devicePath: Required value"),
            ],
        ),
        (
            json!([{"name": "c", "image": "i", "volumeDevices": [{"name": "v", "devicePath": "/x"}],
                    "volumeMounts": [{"name": "w", "mountPath": "/x"}]}]),
            vec![
                format!("{path}[0].name: Not found: \"w\""),
                format!(
                    "{path}[0].mountPath: Invalid value: \"/x\": must not already exist as a path in volumeDevices"
                ),
                format!(
                    "{devices}[0].devicePath: Invalid value: \"/x\": must not already exist as a path in volumeMounts"
                ),
            ],
        ),
    ] {
        let pod = pod(&[volumes.clone(), ("containers", containers.clone())]);
        assert_eq!(texts(&validate_pod(&pod)), expected, "{containers}");
    }
}

#[test]
fn resources_of_containers_and_of_pods() {
    let of = |resources: Value| json!([{"name": "c", "image": "i", "resources": resources}]);
    let path = "spec.containers[0].resources";
    let standard = "must be a standard resource for containers";
    let unknown = format!(
        "{path}.requests[cpus]: Invalid value: \"cpus\": must be a standard resource type or fully qualified"
    );
    let not_for_containers = format!("{path}.requests[cpus]: Invalid value: \"cpus\": {standard}");
    let negative = format!("{path}.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0");
    let above =
        format!("{path}.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1");
    let pages = |list| {
        format!(
            "{path}.{list}[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"
        )
    };
    let whole = |list| format!("{path}.{list}[a.b/c]: Invalid value: \"500m\": must be an integer");
    holds(&[
        ("containers", of(json!({"requests": {"cpus": "1"}})), &[&unknown, &not_for_containers]),
        ("containers", of(json!({"requests": {"cpu": "-1"}})), &[&negative]),
        ("containers", of(json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})), &[&above]),
        (
            "containers",
            of(json!({"limits": {"cpu": "1", "hugepages-2Mi": "3Mi"}})),
            &[&pages("limits"), &pages("requests")],
        ),
        ("containers", of(json!({"limits": {"a.b/c": "500m"}})), &[&whole("limits"), &whole("requests")]),
        (
            "resources",
            json!({"limits": {"ephemeral-storage": "1Gi"}}),
            &[
                "spec.resources.limits[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", \"hugepages-\", \"memory\"",
            ],
        ),
        (
            "resources",
            json!({"claims": [{"name": "x"}]}),
            &[
                "spec.resources.claims: Forbidden: claims cannot be set for Resources at pod-level",
                "spec.resources.claims[0]: Not found: \"x\": must be one of the names in pod.spec.resourceClaims which is empty",
            ],
        ),
        (
            "resourceClaims",
            json!([{"name": "g", "resourceClaimName": "a", "resourceClaimTemplateName": "b"}, {"name": "g", "resourceClaimName": "a"}]),
            &[
                "spec.resourceClaims[0]: Invalid value: {\"Name\":\"g\",\"ResourceClaimName\":\"a\",\"ResourceClaimTemplateName\":\"b\"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
                "spec.resourceClaims[1].name: Duplicate value: \"g\"",
            ],
        ),
    ]);
    let claims = ("resourceClaims", json!([{"name": "g", "resourceClaimName": "a"}]));
    let used = |claims: Value| ("containers", of(json!({"claims": claims})));
    for (claims_used, expected) in [
        (json!([{"name": "g"}, {"name": "g"}]), vec![format!("{path}.claims[1]: Duplicate value: \"g\"")]),
        (
            json!([{"name": "g", "request": "r"}, {"name": "g"}]),
            vec![format!("{path}.claims[1]: Duplicate value: \"g\"")],
        ),
        (json!([{"name": "g", "request": "r"}, {"name": "g", "request": "s"}]), vec![]),
        (
            json!([{"name": "h"}]),
            vec![format!(
                "{path}.claims[0]: Not found: \"h\": must be one of the names in pod.spec.resourceClaims: g"
            )],
        ),
    ] {
        let pod = pod(&[claims.clone(), used(claims_used.clone())]);
        assert_eq!(texts(&validate_pod(&pod)), expected, "{claims_used}");
    }
    let of_pod = ("resources", json!({"limits": {"cpu": "1"}}));
    let pod = pod(&[of_pod, ("containers", of(json!({"limits": {"cpu": "2"}, "requests": {"cpu": "1"}})))]);
    assert_eq!(
        texts(&validate_pod(&pod)),
        [
            "spec.resources.containers[0][cpu].limits: Invalid value: \"2\": must be less than or equal to pod limits of 1"
        ]
    );
}

#[test]
fn rights_of_containers_and_systems() {
    let of = |context: Value| json!([{"name": "c", "image": "i", "securityContext": context}]);
    let path = "spec.containers[0].securityContext";
    let mount =
        format!("{path}.procMount: Unsupported value: \"All\": supported values: \"Default\", \"Unmasked\"");
    let file = format!(
        "{path}.seccompProfile.localhostProfile: Invalid value: {{\"Type\":\"RuntimeDefault\",\"LocalhostProfile\":\"x\"}}: can only be set when seccomp type is Localhost"
    );
    let padded = format!(
        "{path}.appArmorProfile.localhostProfile: Invalid value: \" x\": must not be padded with whitespace"
    );
    let armor = format!(
        "{path}.appArmorProfile.type: Unsupported value: \"None\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\""
    );
    let user = format!(
        "{path}.windowsOptions.runAsUserName: Invalid value: \"\": runAsUserName cannot be an empty string"
    );
    holds(&[
        ("containers", of(json!({"privileged": true})), &[]),
        ("containers", of(json!({"procMount": "All"})), &[&mount]),
        (
            "containers",
            of(json!({"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "x"}})),
            &[&file],
        ),
        (
            "containers",
            of(json!({"appArmorProfile": {"type": "Localhost", "localhostProfile": " x"}})),
            &[&padded],
        ),
        ("containers", of(json!({"appArmorProfile": {"type": "None"}})), &[&armor]),
        ("containers", of(json!({"windowsOptions": {"runAsUserName": ""}})), &[&user]),
        (
            "securityContext",
            json!({"supplementalGroupsPolicy": "Loose", "seLinuxChangePolicy": "Never"}),
            &[
                "spec.securityContext.supplementalGroupsPolicy: Unsupported value: \"Loose\": supported values: \"Merge\", \"Strict\"",
                "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"Never\": supported values: \"MountOption\", \"Recursive\"",
            ],
        ),
        (
            "securityContext",
            json!({"windowsOptions": {"hostProcess": true}}),
            &[
                "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
                "spec: Forbidden: hostProcess containers are disallowed by cluster policy",
            ],
        ),
    ]);
    let windows = pod(&[
        ("os", json!({"name": "windows"})),
        ("hostPID", json!(true)),
        ("securityContext", json!({"runAsUser": 1})),
        ("containers", of(json!({"capabilities": {"drop": ["ALL"]}}))),
    ]);
    assert_eq!(
        texts(&validate_pod(&windows)),
        [
            "spec.hostPID: Forbidden: cannot be set for a windows pod",
            "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
            "spec.containers[0].securityContext.capabilities: Forbidden: cannot be set for a windows pod",
        ]
    );
}

#[test]
fn annotations_that_mean_something() {
    for (annotations, expected) in [
        (
            json!({"controller.kubernetes.io/pod-deletion-cost": "+1"}),
            "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+1\": must be a 32bit integer",
        ),
        (
            json!({"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}),
            "metadata.annotations[container.apparmor.security.beta.kubernetes.io/x]: Invalid value: \"x\": container not found",
        ),
        (
            json!({"seccomp.security.alpha.kubernetes.io/pod": "none"}),
            "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: \"none\": must be a valid seccomp profile",
        ),
        (
            json!({"kubernetes.io/config.mirror": "x"}),
            "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod annotation is set",
        ),
    ] {
        let mut pod = pod(&[]);
        pod.metadata.annotations = serde_json::from_value(annotations).expect("annotations");
        assert_eq!(texts(&validate_pod(&pod)), [expected]);
    }
    let key = "container.apparmor.security.beta.kubernetes.io/c";
    let profile =
        json!([{"name": "c", "image": "i", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}}]);
    let mut pod = pod(&[("containers", profile)]);
    pod.metadata.annotations = Some([(key.to_owned(), "runtime/default".to_owned())].into());
    assert_eq!(
        texts(&validate_pod(&pod)),
        [
            "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match"
        ]
    );
}

#[test]
fn keys_of_labels_and_terms_of_affinity() {
    let spread = |extra: Value| {
        let mut constraint = json!({"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"});
        for (field, value) in extra.as_object().expect("fields") {
            constraint[field] = value.clone();
        }
        json!([constraint])
    };
    let term = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]";
    let both = format!(
        "{term}.matchLabelKeys[0]: Invalid value: \"a\": exists in both matchLabelKeys and mismatchLabelKeys"
    );
    let together =
        |term: Value| json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    let repeated =
        json!([{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "In", "values": ["x"]}]);
    let twice = format!("{term}[0]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector");
    holds(&[
        (
            "topologySpreadConstraints",
            spread(json!({"minDomains": 0})),
            &["spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero"],
        ),
        (
            "topologySpreadConstraints",
            spread(json!({"matchLabelKeys": ["a"]})),
            &[
                "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
            ],
        ),
        (
            "topologySpreadConstraints",
            spread(json!({"matchLabelKeys": ["a"], "labelSelector": {"matchExpressions": repeated}})),
            &[
                "spec.topologySpreadConstraints[0][0]: Invalid value: \"a\": exists in both matchLabelKeys and labelSelector",
            ],
        ),
        (
            "affinity",
            together(
                json!({"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["a"], "mismatchLabelKeys": ["a"]}),
            ),
            &[&both],
        ),
        (
            "affinity",
            together(
                json!({"topologyKey": "z", "labelSelector": {"matchExpressions": repeated}, "matchLabelKeys": ["a"]}),
            ),
            &[&twice],
        ),
        (
            "affinity",
            json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {
            "matchExpressions": [{"key": "a", "operator": "In", "values": ["a b"]}]}}]}}),
            &[],
        ),
        (
            "affinity",
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": []}]}]}}}),
            &[
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
            ],
        ),
    ]);
}

#[test]
fn a_gated_pod_may_be_sent_to_fewer_nodes_and_no_pod_gets_new_gates() {
    let old = pod(&[
        ("schedulingGates", json!([{"name": "a"}])),
        ("nodeSelector", json!({"x": "1"})),
        (
            "affinity",
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}),
        ),
    ]);
    let term = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let required =
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let shown = |key: &str| {
        format!(
            "{{\"MatchExpressions\":[{{\"Key\":\"{key}\",\"Operator\":\"Exists\",\"Values\":null}}],\"MatchFields\":null}}"
        )
    };
    for (place, value, expected) in [
        ("/spec/nodeSelector".to_owned(), json!({"x": "1", "y": "2"}), None),
        (
            "/spec/nodeSelector".to_owned(),
            json!({"y": "2"}),
            Some("spec.nodeSelector: Invalid value: {\"y\":\"2\"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)".to_owned()),
        ),
        (
            format!("{term}/0/matchExpressions"),
            json!([{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}]),
            None,
        ),
        (
            format!("{term}/0/matchExpressions"),
            json!([{"key": "b", "operator": "Exists"}]),
            Some(format!("{required}[0]: Invalid value: {}: only additions are allowed (no mutations or deletions)", shown("b"))),
        ),
        (
            term.to_owned(),
            json!([]),
            Some(format!("{required}: Invalid value: []: no additions/deletions to non-empty NodeSelectorTerms list are allowed")),
        ),
        ("/spec/schedulingGates".to_owned(), json!([]), None),
        (
            "/spec/schedulingGates".to_owned(),
            json!([{"name": "a"}, {"name": "b"}]),
            Some("spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'".to_owned()),
        ),
        ("/spec/containers/0/image".to_owned(), json!("other"), None),
    ] {
        let mut new = serde_json::to_value(&old).expect("JSON");
        put(&mut new, &place, value.clone());
        let new: Pod = serde_json::from_value(new).expect("a Pod");
        let mut found = texts(&validate_pod_update(&new, &old));
        // A required affinity without terms is a mistake of its own.
        found.retain(|text| !text.ends_with("must have at least one node selector term"));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{place}: {value}");
    }
}

#[test]
fn ephemeral_containers_are_judged_though_none_may_be_there() {
    let given = json!([{"name": "c", "image": " i", "targetContainerName": "x", "livenessProbe": {"exec": {"command": ["a"]}}}]);
    let pod = pod(&[("ephemeralContainers", given)]);
    assert_eq!(
        texts(&validate_pod(&pod)),
        [
            "spec.ephemeralContainers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace",
            "spec.ephemeralContainers[0].name: Duplicate value: \"c\"",
            "spec.ephemeralContainers[0].targetContainerName: Not found: \"x\"",
            "spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container",
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ]
    );
}
