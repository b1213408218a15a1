//! What a list of pods shows and selects by, cut out of the whole pods. The store keeps it beside its snapshot of the
//! pods, so that `get pods` reads a third of what ten thousand pods are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What is kept of a JSON value; of an array it is said of each element.
#[derive(Clone, Copy)]
enum Keep {
    Whole,
    Fields(&'static [(&'static str, Keep)]),
}

const STATE: Keep = Keep::Fields(&[
    ("running", Keep::Fields(&[])),
    (
        "terminated",
        Keep::Fields(&[
            ("exitCode", Keep::Whole),
            ("finishedAt", Keep::Whole),
            ("reason", Keep::Whole),
            ("signal", Keep::Whole),
        ]),
    ),
    ("waiting", Keep::Fields(&[("reason", Keep::Whole)])),
]);

const CONTAINER_STATUSES: Keep = Keep::Fields(&[
    ("lastState", STATE),
    ("name", Keep::Whole),
    ("ready", Keep::Whole),
    ("restartCount", Keep::Whole),
    ("started", Keep::Whole),
    ("state", STATE),
]);

const POD: Keep = Keep::Fields(&[
    ("apiVersion", Keep::Whole),
    ("kind", Keep::Whole),
    (
        "metadata",
        Keep::Fields(&[
            ("creationTimestamp", Keep::Whole),
            ("deletionTimestamp", Keep::Whole),
            ("generateName", Keep::Whole),
            ("labels", Keep::Whole),
            ("name", Keep::Whole),
            ("namespace", Keep::Whole),
        ]),
    ),
    (
        "spec",
        Keep::Fields(&[
            ("containers", Keep::Fields(&[("name", Keep::Whole)])),
            ("hostNetwork", Keep::Whole),
            ("initContainers", Keep::Fields(&[("name", Keep::Whole), ("restartPolicy", Keep::Whole)])),
            ("nodeName", Keep::Whole),
            ("readinessGates", Keep::Whole),
            ("restartPolicy", Keep::Whole),
            ("schedulerName", Keep::Whole),
            ("serviceAccountName", Keep::Whole),
        ]),
    ),
    (
        "status",
        Keep::Fields(&[
            (
                "conditions",
                Keep::Fields(&[("reason", Keep::Whole), ("status", Keep::Whole), ("type", Keep::Whole)]),
            ),
            ("containerStatuses", CONTAINER_STATUSES),
            ("hostIP", Keep::Whole),
            ("initContainerStatuses", CONTAINER_STATUSES),
            ("nominatedNodeName", Keep::Whole),
            ("phase", Keep::Whole),
            ("podIP", Keep::Whole),
            ("reason", Keep::Whole),
        ]),
    ),
]);

/// The fields of a pod that its row in a table, its name and the selectors of `get` are made from, in the order of the
/// pod's own text.
///
/// # Errors
/// The text is not JSON.
pub fn listed_pod(json: &str) -> serde_json::Result<String> {
    let mut kept = String::with_capacity(json.len() / 2);
    let mut parser = serde_json::Deserializer::from_str(json);
    Cut { keep: POD, into: &mut kept }.deserialize(&mut parser)?;
    parser.end()?;
    Ok(kept)
}

/// Copies what is kept of the next value.
struct Cut<'a> {
    keep: Keep,
    into: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Cut<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.keep {
            Keep::Whole => {
                let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
                self.into.push_str(raw.get());
                Ok(())
            }
            Keep::Fields(_) => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Cut<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object, an array or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.into.push_str("null");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.into.push('[');
        let mut length = self.into.len();
        while elements.next_element_seed(Cut { keep: self.keep, into: &mut *self.into })?.is_some() {
            length = self.into.len();
            self.into.push(',');
        }
        self.into.truncate(length);
        self.into.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = match self.keep {
            Keep::Fields(fields) => fields,
            Keep::Whole => &[],
        };
        let separators = [',', '{'];
        let mut is_first = true;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let Some((name, keep)) = fields.iter().find(|(field, _)| **field == *name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.into.push(separators[usize::from(is_first)]);
            is_first = false;
            self.into.extend(["\"", name, "\":"]);
            map.next_value_seed(Cut { keep: *keep, into: &mut *self.into })?;
        }
        self.into.push_str(if is_first { "{}" } else { "}" });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::selectors::{field_value, selectable_fields};

    #[test]
    fn what_no_list_shows_is_left_out_and_the_rest_stands_as_it_was() {
        let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"a":"b"},"creationTimestamp":"t",
            "labels":{"x":"\"é\\"},"name":"p","namespace":"n"},"spec":{"containers":[{"command":["a"],"name":"c"},
            {"name":"d"}],"initContainers":[],"nodeName":"here","volumes":null},"status":{"conditions":null,
            "containerStatuses":[{"image":"","name":"c","state":{"terminated":{"exitCode":3,"containerID":"x"}}},
            {"name":"d","state":{"running":{"startedAt":"t"}}}],"phase":"Running","reason":""}}"#;
        let listed = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":"t",
            "labels":{"x":"\"é\\"},"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c"},
            {"name":"d"}],"initContainers":[],"nodeName":"here"},"status":{"conditions":null,
            "containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":3}}},
            {"name":"d","state":{"running":{}}}],"phase":"Running","reason":""}}"#;
        let compact = |text: &str| text.lines().map(str::trim).collect::<String>();
        assert_eq!(listed_pod(&compact(pod)).expect("a pod"), compact(listed));
        assert!(listed_pod(&compact(pod)[..40]).is_err());
    }

    #[test]
    fn a_listed_pod_answers_every_selector_as_the_whole_one() {
        let pod = r#"{"metadata":{"labels":{"a":"b"},"name":"p"},"spec":{"hostNetwork":true,"nodeName":"n",
            "restartPolicy":"Never","schedulerName":"s","serviceAccountName":"a"},"status":{"nominatedNodeName":"m",
            "phase":"Failed","podIP":"10.0.0.1"}}"#;
        let whole: Value = serde_json::from_str(pod).expect("JSON");
        let listed: Value = serde_json::from_str(&listed_pod(pod).expect("a pod")).expect("JSON");
        for field in selectable_fields("Pod") {
            let value = field_value("Pod", field, &whole);
            assert_eq!(field_value("Pod", field, &listed), value, "{field}");
            assert!(!value.is_empty(), "{field} is tried");
        }
        assert_eq!(listed["metadata"]["labels"], whole["metadata"]["labels"]);
    }
}
