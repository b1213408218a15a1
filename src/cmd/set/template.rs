//! Where the pod template of an object is, of whatever kind, and what Go adds when it writes one.

use serde_json::{Map, Value, json};

/// The pod's spec within an object; `None` for kinds without pods.
pub(super) fn pod_spec(object: &mut Value) -> Option<&mut Value> {
    let path = match object["kind"].as_str()? {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Job" | "StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet" | "ReplicationController" => {
            "/spec/template/spec"
        }
        _ => return None,
    };
    object.pointer_mut(path)
}

/// The containers of a pod's spec in the order in which kubectl goes through them.
pub(super) fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    // Both lists are borrowed at once, so they are looked for in one go.
    let mut lists: Vec<(bool, &mut Vec<Value>)> = spec
        .as_object_mut()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.as_str() {
            "containers" => Some((false, value.as_array_mut()?)),
            "initContainers" => Some((true, value.as_array_mut()?)),
            _ => None,
        })
        .collect();
    lists.sort_by_key(|(is_init, _)| *is_init);
    lists.into_iter().flat_map(|(_, list)| list.iter_mut()).filter_map(Value::as_object_mut)
}

/// Whether a name is meant: by itself, or by a pattern in which `*` stands for anything.
pub(super) fn is_meant(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_meant(tail, &rest[at..]))
}

/// The fields that Go writes although nothing is in them: kubectl prints what it has changed from its own types.
pub(super) fn as_go_writes(mut object: Value) -> Value {
    add(&mut object["metadata"], &[("creationTimestamp", Value::Null)]);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "RoleBinding" | "ClusterRoleBinding" => return object,
        "Service" => {
            for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
                add(port, &[("targetPort", json!(0))]);
            }
            add(&mut object, &[("status", json!({"loadBalancer": {}}))]);
            return object;
        }
        _ => {}
    }
    let (of_spec, of_status) = match kind.as_str() {
        "StatefulSet" => (
            vec![("selector", Value::Null), ("serviceName", json!("")), ("updateStrategy", json!({}))],
            json!({"availableReplicas": 0, "replicas": 0}),
        ),
        "Deployment" => (vec![("selector", Value::Null), ("strategy", json!({}))], json!({})),
        "DaemonSet" => (
            vec![("selector", Value::Null), ("updateStrategy", json!({}))],
            json!({
                "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0
            }),
        ),
        "ReplicaSet" => (vec![("selector", Value::Null)], json!({"replicas": 0})),
        "ReplicationController" => (Vec::new(), json!({"replicas": 0})),
        _ => (Vec::new(), json!({})),
    };
    add(&mut object["spec"], &of_spec);
    add(&mut object, &[("status", of_status)]);
    match kind.as_str() {
        "Pod" => {}
        "CronJob" => {
            add(&mut object["spec"]["jobTemplate"]["metadata"], &[("creationTimestamp", Value::Null)]);
            template(&mut object["spec"]["jobTemplate"]["spec"]["template"]);
        }
        _ => template(&mut object["spec"]["template"]),
    }
    let times: &[_] = match kind.as_str() {
        "Pod" | "Job" => &[("lastProbeTime", Value::Null), ("lastTransitionTime", Value::Null)],
        _ => &[("lastTransitionTime", Value::Null)],
    };
    for condition in
        object.pointer_mut("/status/conditions").and_then(Value::as_array_mut).into_iter().flatten()
    {
        add(condition, times);
    }
    for claim in object["spec"]["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
        add(&mut claim["metadata"], &[("creationTimestamp", Value::Null)]);
        add(&mut claim["spec"], &[("resources", json!({}))]);
        add(claim, &[("status", json!({}))]);
    }
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.retain(|key, value| key != "volumeClaimTemplates" || !value.is_null());
    }
    if let Some(spec) = pod_spec(&mut object) {
        containers(spec).for_each(|container| {
            container.entry("resources").or_insert_with(|| json!({}));
        });
    }
    object
}

fn template(template: &mut Value) {
    add(&mut template["metadata"], &[("creationTimestamp", Value::Null)]);
}

fn add(object: &mut Value, fields: &[(&str, Value)]) {
    if object.is_null() {
        *object = json!({});
    }
    let Some(object) = object.as_object_mut() else { return };
    for (key, value) in fields {
        object.entry(*key).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "main", true),
            ("main", "main", true),
            ("main", "main2", false),
            ("m*n", "main", true),
            ("m*n", "mainly", false),
            ("*a*", "main", true),
            ("a*a", "a", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(is_meant(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn containers_come_before_init_containers() {
        let mut spec =
            json!({"initContainers": [{"name": "i"}], "containers": [{"name": "a"}, {"name": "b"}]});
        let names: Vec<_> = containers(&mut spec).map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["a", "b", "i"]);
        assert_eq!(pod_spec(&mut json!({"kind": "ConfigMap", "data": {}})), None);
    }
}
