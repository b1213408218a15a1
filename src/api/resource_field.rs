//! What a `resourceFieldRef` stands for: how much of something a container asks for, or may have at most.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity::nanos;

/// Amounts of resources, by their names.
pub type Amounts = BTreeMap<String, Quantity>;

/// The amount in units of the divisor, rounded up to a whole number; nothing counts as 0, and `None` is for what no
/// reference may name. `unlimited` is how much a container can have of what it has no limit for, where that is known.
pub(crate) fn value(
    reference: &ResourceFieldSelector,
    container: &Container,
    unlimited: impl Fn(&str) -> Option<i128>,
) -> Option<i128> {
    let (list, name) = reference.resource.split_once('.')?;
    let has_pages = name.starts_with("hugepages-");
    if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !has_pages {
        return None;
    }
    let resources = container.resources.as_ref();
    let amount = match list {
        // A limit of zero is none; there are no more huge pages than a container is given.
        "limits" => {
            let limit = amount_of(resources.and_then(|resources| resources.limits.as_ref()), name);
            limit.or_else(|| unlimited(name).filter(|_| !has_pages))
        }
        "requests" => amount_of(resources.and_then(|resources| resources.requests.as_ref()), name),
        _ => return None,
    };
    let divisor = reference.divisor.as_ref().and_then(|divisor| nanos(&divisor.0));
    let divisor = divisor.filter(|divisor| *divisor > 0).unwrap_or(1_000_000_000);
    let amount = amount.unwrap_or(0);
    Some(amount / divisor + i128::from(amount % divisor > 0))
}

/// How much a list says there is of a resource, in billionths; `None` for nothing.
pub(crate) fn amount_of(amounts: Option<&Amounts>, name: &str) -> Option<i128> {
    amounts?.get(name).and_then(|amount| nanos(&amount.0)).filter(|amount| *amount != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_divided_and_rounded_up() {
        let container: Container = serde_json::from_value(json!({"name": "c", "resources": {
            "limits": {"cpu": "1500m", "memory": "100Mi", "hugepages-2Mi": "4Mi"},
            "requests": {"cpu": "0", "memory": "1500m", "ephemeral-storage": "9e999"},
        }}))
        .expect("a container");
        let bare = Container::default();
        for (container, resource, divisor, expected) in [
            (&container, "limits.cpu", None, Some(2)),
            (&container, "limits.cpu", Some("0"), Some(2)),
            (&container, "limits.cpu", Some("1m"), Some(1500)),
            (&container, "limits.memory", None, Some(104_857_600)),
            (&container, "limits.memory", Some("1Mi"), Some(100)),
            (&container, "limits.memory", Some("1M"), Some(105)),
            (&container, "limits.memory", Some("1Gi"), Some(1)),
            (&container, "limits.memory", Some("1k"), Some(104_858)),
            (&container, "limits.hugepages-2Mi", Some("1Mi"), Some(4)),
            (&container, "limits.ephemeral-storage", None, Some(7)),
            (&container, "requests.cpu", None, Some(0)),
            (&container, "requests.memory", None, Some(2)),
            (&container, "requests.ephemeral-storage", Some("1m"), Some(i128::MAX / 1_000_000 + 1)),
            (&bare, "limits.cpu", Some("1m"), Some(7000)),
            (&bare, "limits.hugepages-2Mi", None, Some(0)),
            (&bare, "requests.cpu", None, Some(0)),
            (&bare, "limits.example.com/gpu", None, None),
            (&bare, "cpu", None, None),
            (&bare, "most.cpu", None, None),
        ] {
            let reference = ResourceFieldSelector {
                resource: resource.to_owned(),
                divisor: divisor.map(|divisor| Quantity(divisor.to_owned())),
                container_name: None,
            };
            assert_eq!(value(&reference, container, |_| nanos("7")), expected, "{resource} {divisor:?}");
        }
        let reference = ResourceFieldSelector { resource: "limits.cpu".into(), ..Default::default() };
        assert_eq!(value(&reference, &bare, |_| None), Some(0));
    }
}
