//! Values as a server keeps them. Its types do not tell an empty text, list or map from one that is absent, nor `false`
//! and 0 in most places, so neither is stored; and a quantity is kept in one form, however it was written.

use serde_json::Value;

use super::go::{MAPS, QUANTITIES, QUANTITY_MAPS};
use crate::api::quantity::{self, canonical_amount};

/// Texts that are optional by themselves: an empty one is a value.
const OPTIONAL_TEXTS: [&str; 29] = [
    "completionMode",
    "containerName",
    "failedIndexes",
    "fsGroupChangePolicy",
    "hostnameOverride",
    "localhostProfile",
    "managedBy",
    "mountPropagation",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "podReplacementPolicy",
    "preemptionPolicy",
    "procMount",
    "recursiveReadOnly",
    "resourceClaimName",
    "resourceClaimTemplateName",
    "runtimeClassName",
    "seLinuxChangePolicy",
    "service",
    "signerName",
    "stopSignal",
    "storageClassName",
    "succeededIndexes",
    "supplementalGroupsPolicy",
    "timeZone",
    "volumeAttributesClassName",
    "volumeMode",
    "gmsaCredentialSpec",
    "runAsUserName",
];
/// Switches that are not optional by themselves: `false` is the same as nothing.
const SWITCHES: [&str; 12] = [
    "chapAuthDiscovery",
    "chapAuthSession",
    "globalDefault",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "publishNotReadyAddresses",
    "readOnly",
    "sslEnabled",
    "stdin",
    "stdinOnce",
    "tty",
];
/// Numbers of which the same holds.
const NUMBERS: [&str; 10] = [
    "failureThreshold",
    "healthCheckNodePort",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "partition",
    "periodSeconds",
    "successThreshold",
    "timeoutSeconds",
];

/// Fields that are optional by themselves only below some others: any value of them is kept.
const KEPT: [(&str, &str); 11] = [
    ("azureDisk", "readOnly"),
    ("clientIP", "timeoutSeconds"),
    ("csi", "fsType"),
    ("csi", "readOnly"),
    ("dataSource", "apiGroup"),
    ("dataSourceRef", "apiGroup"),
    ("dataSourceRef", "namespace"),
    ("hostPath", "type"),
    ("options", "value"),
    ("rollingUpdate", "partition"),
    ("windowsOptions", "gmsaCredentialSpecName"),
];

/// The value as it is kept; `None` where it is that already.
pub(super) fn canonical(value: &Value) -> Option<Value> {
    if !is_to_be_changed("", value) {
        return None;
    }
    let mut value = value.clone();
    change("", &mut value);
    Some(value)
}

/// Whether a field with this value is kept as if it were not there. `parent` is the field that it is in.
fn is_absent(parent: &str, field: &str, value: &Value) -> bool {
    if KEPT.contains(&(parent, field)) {
        return false;
    }
    match value {
        // Null is absent already; so it may stay.
        Value::Null => false,
        // An optional text of the same name elsewhere (`restartPolicy` of a container) is judged as the common one.
        Value::String(text) => text.is_empty() && !OPTIONAL_TEXTS.contains(&field),
        Value::Bool(value) => !value && SWITCHES.contains(&field),
        Value::Number(number) => number.as_i64() == Some(0) && NUMBERS.contains(&field),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty() && MAPS.contains(&field),
    }
}

/// Whether the keys are the user's. The selector of a Service is labels, others are structs.
fn is_map(field: &str, map: &serde_json::Map<String, Value>) -> bool {
    MAPS.contains(&field) || field == "selector" && map.values().all(Value::is_string)
}

/// The field that the items of a list are in. A list of the name of a map, as `limits` of a LimitRange, holds structs.
fn of_items(field: &str) -> &str {
    if MAPS.contains(&field) || QUANTITY_MAPS.contains(&field) { "" } else { field }
}

/// A quantity in its one form, where it has another.
fn written(value: &Value, canonical: fn(&str) -> String) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let canonical = canonical(&text);
    (value.as_str() != Some(&canonical)).then_some(canonical)
}

fn is_to_be_changed(field: &str, value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|item| is_to_be_changed(of_items(field), item)),
        Value::Object(map) if QUANTITY_MAPS.contains(&field) => {
            map.values().any(|value| written(value, canonical_amount).is_some())
        }
        Value::Object(map) if is_map(field, map) => false,
        Value::Object(map) => map.iter().any(|(name, value)| {
            is_absent(field, name, value)
                || QUANTITIES.contains(&name.as_str()) && written(value, quantity::canonical).is_some()
                || is_to_be_changed(name, value)
        }),
        _ => false,
    }
}

fn change(field: &str, value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| change(of_items(field), item)),
        Value::Object(map) if QUANTITY_MAPS.contains(&field) => {
            map.values_mut().for_each(|value| rewrite(value, canonical_amount));
        }
        Value::Object(map) if is_map(field, map) => {}
        Value::Object(map) => {
            map.retain(|name, value| !is_absent(field, name, value));
            for (name, value) in map {
                if QUANTITIES.contains(&name.as_str()) {
                    rewrite(value, quantity::canonical);
                }
                change(name, value);
            }
        }
        _ => {}
    }
}

fn rewrite(value: &mut Value, canonical: fn(&str) -> String) {
    if let Some(text) = written(value, canonical) {
        *value = text.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_says_nothing_is_not_kept_and_quantities_have_one_form() {
        let given = json!({
            "metadata": {"labels": {}, "annotations": {"a": "", "limits": "1024Mi"}, "finalizers": []},
            "spec": {
                "timeZone": "",
                "succeededIndexes": "",
                "template": {"spec": {
                    "hostNetwork": false, "automountServiceAccountToken": false, "restartPolicy": "",
                    "securityContext": {},
                    "containers": [{
                        "name": "c", "args": [""], "command": [], "tty": false,
                        "env": [{"name": "A", "value": ""}],
                        "resources": {"limits": {"memory": "1024Mi", "cpu": 0.5}, "requests": {}},
                        "livenessProbe": {"initialDelaySeconds": 0, "exec": {"command": ["x"]}},
                    }],
                    "dnsConfig": {"options": [{"name": "o", "value": ""}]},
                    "volumes": [
                        {"name": "v", "emptyDir": {"sizeLimit": "0.5Gi"}},
                        {"name": "w", "csi": {"driver": "d", "readOnly": false, "volumeAttributes": {"a": ""}}},
                        {"name": "x", "nfs": {"server": "s", "path": "/", "readOnly": false}},
                    ],
                }},
            },
            "status": {"uncountedTerminatedPods": {}, "failedIndexes": "", "active": 0},
        });
        let kept = canonical(&given).expect("a change");
        assert_eq!(
            kept,
            json!({
                "metadata": {"annotations": {"a": "", "limits": "1024Mi"}},
                "spec": {
                    "timeZone": "",
                    "succeededIndexes": "",
                    "template": {"spec": {
                        "automountServiceAccountToken": false,
                        "securityContext": {},
                        "containers": [{
                            "name": "c", "args": [""], "env": [{"name": "A"}],
                            "resources": {"limits": {"memory": "1Gi", "cpu": "500m"}},
                            "livenessProbe": {"exec": {"command": ["x"]}},
                        }],
                        "dnsConfig": {"options": [{"name": "o", "value": ""}]},
                        "volumes": [
                            {"name": "v", "emptyDir": {"sizeLimit": "512Mi"}},
                            {"name": "w", "csi": {"driver": "d", "readOnly": false, "volumeAttributes": {"a": ""}}},
                            {"name": "x", "nfs": {"server": "s", "path": "/"}},
                        ],
                    }},
                },
                "status": {"uncountedTerminatedPods": {}, "failedIndexes": "", "active": 0},
            })
        );
        assert_eq!(canonical(&kept), None);
    }
}
