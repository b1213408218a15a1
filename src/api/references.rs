//! Which other objects a pod cannot do without.

use super::PodSpec;
use super::containers::containers;
use super::kinds::Kind;
use super::priorities::is_system_class;

/// An object that a pod names: its kind, its name, and the field of the spec that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind.
    pub kind: Kind,
    /// The name, in the pod's namespace where the kind has one.
    pub name: String,
    /// Where.
    pub field: String,
}

/// The ConfigMaps, Secrets, claims and PriorityClasses that must be there for a pod to start; optional ones are not among them.
pub fn references(spec: &PodSpec) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |kind, name: &str, optional: Option<bool>, field: String| {
        if optional != Some(true) && !name.is_empty() {
            found.push(Reference { kind, name: name.to_owned(), field });
        }
    };
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let at = |field: &str| format!("volumes[{index}].{field}");
        if let Some(source) = &volume.config_map {
            add(Kind::ConfigMap, &source.name, source.optional, at("configMap.name"));
        }
        if let Some(source) = &volume.secret {
            let name = source.secret_name.as_deref().unwrap_or_default();
            add(Kind::Secret, name, source.optional, at("secret.secretName"));
        }
        if let Some(source) = &volume.persistent_volume_claim {
            let field = at("persistentVolumeClaim.claimName");
            add(Kind::PersistentVolumeClaim, &source.claim_name, None, field);
        }
        let projections = volume.projected.iter().flat_map(|source| source.sources.iter().flatten());
        for (number, projection) in projections.enumerate() {
            let at = |field: &str| at(&format!("projected.sources[{number}].{field}"));
            if let Some(source) = &projection.config_map {
                add(Kind::ConfigMap, &source.name, source.optional, at("configMap.name"));
            }
            if let Some(source) = &projection.secret {
                add(Kind::Secret, &source.name, source.optional, at("secret.name"));
            }
        }
    }
    if let Some(class) = spec.priority_class_name.as_deref().filter(|class| !is_system_class(class)) {
        add(Kind::PriorityClass, class, None, "priorityClassName".to_owned());
    }
    for (place, container) in containers(spec) {
        for (index, source) in container.env_from.iter().flatten().enumerate() {
            let at = |field: &str| format!("{place}.envFrom[{index}].{field}");
            if let Some(source) = &source.config_map_ref {
                add(Kind::ConfigMap, &source.name, source.optional, at("configMapRef.name"));
            }
            if let Some(source) = &source.secret_ref {
                add(Kind::Secret, &source.name, source.optional, at("secretRef.name"));
            }
        }
        for (index, variable) in container.env.iter().flatten().enumerate() {
            let at = |field: &str| format!("{place}.env[{index}].valueFrom.{field}");
            let Some(source) = &variable.value_from else { continue };
            if let Some(source) = &source.config_map_key_ref {
                add(Kind::ConfigMap, &source.name, source.optional, at("configMapKeyRef.name"));
            }
            if let Some(source) = &source.secret_key_ref {
                add(Kind::Secret, &source.name, source.optional, at("secretKeyRef.name"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_pod_cannot_do_without() {
        let spec = json!({
            "priorityClassName": "class",
            "volumes": [
                {"name": "a", "configMap": {"name": "one"}},
                {"name": "b", "secret": {"secretName": "two", "optional": true}},
                {"name": "c", "persistentVolumeClaim": {"claimName": "three"}},
                {"name": "d", "projected": {"sources": [{"secret": {"name": "four"}}]}},
                {"name": "e", "emptyDir": {}},
            ],
            "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "five"}}]}],
            "containers": [{"name": "c", "env": [
                {"name": "A", "value": "x"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "six", "key": "k"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "seven", "key": "k", "optional": true}}},
            ]}],
        });
        let spec: PodSpec = serde_json::from_value(spec).expect("a spec");
        let found = references(&spec);
        let found: Vec<String> =
            found.iter().map(|one| format!("{} {} {}", one.kind, one.name, one.field)).collect();
        assert_eq!(
            found,
            [
                "ConfigMap one volumes[0].configMap.name",
                "PersistentVolumeClaim three volumes[2].persistentVolumeClaim.claimName",
                "Secret four volumes[3].projected.sources[0].secret.name",
                "PriorityClass class priorityClassName",
                "ConfigMap five initContainers[0].envFrom[0].configMapRef.name",
                "Secret six containers[0].env[1].valueFrom.secretKeyRef.name",
            ]
        );
    }
}
