//! Objects with their fields in the order in which Kubernetes' API declares them: kubectl prints JSON that way where it has
//! made an object itself.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// The fields of what kubectl makes, such that each type's are in its own order.
const ORDER: &[&str] = &[
    "kind",
    "apiVersion",
    "apiGroup",
    "metadata",
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "labels",
    "annotations",
    "ownerReferences",
    "spec",
    "status",
    "verbs",
    "apiGroups",
    "resourceNames",
    "nonResourceURLs",
    "schedule",
    "timeZone",
    "parallelism",
    "completions",
    "backoffLimit",
    "suspend",
    "jobTemplate",
    "template",
    "image",
    "command",
    "args",
    "env",
    "resources",
    "containers",
    "restartPolicy",
    "subjects",
    "roleRef",
    "rules",
    "aggregationRule",
    "secrets",
    "value",
    "globalDefault",
    "description",
    "preemptionPolicy",
    "immutable",
    "data",
    "binaryData",
    "stringData",
    "protocol",
    "port",
    "targetPort",
    "nodePort",
    "ports",
    "selector",
    "clusterIP",
    "type",
    "externalName",
    "hard",
    "scopes",
    "loadBalancer",
];

/// Fields that hold what users have named, in the order of the names.
const MAPS: &[&str] =
    &["labels", "annotations", "data", "binaryData", "stringData", "selector", "hard", "matchLabels"];

/// A value whose fields come in the declared order.
pub(super) struct Declared<'a> {
    value: &'a Value,
    /// The field that it is in.
    field: &'a str,
}

impl<'a> Declared<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self { value, field: "" }
    }
}

impl Serialize for Declared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Array(items) => {
                serializer.collect_seq(items.iter().map(|value| Declared { value, field: self.field }))
            }
            Value::Object(fields) => {
                let place = |name: &str| {
                    let known = ORDER.iter().position(|known| *known == name);
                    match (name, self.field) {
                        _ if MAPS.contains(&self.field) => 0,
                        // Of what refers to a role the group comes first.
                        ("apiGroup", "roleRef") => 0,
                        _ => known.map_or(usize::MAX, |known| known + 1),
                    }
                };
                let mut entries: Vec<(&String, &Value)> = fields.iter().collect();
                entries.sort_by_key(|(name, _)| place(name));
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (field, value) in entries {
                    map.serialize_entry(field, &Declared { value, field })?;
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}
