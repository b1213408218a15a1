//! What a pod as a whole asks for and may use: its containers together, or what it says itself (PodRequests, PodLimits
//! and ComputePodQOS upstream).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity::{nanos, thousandths, whole, written_like};
use super::resource_field::Amounts;

/// The resources by which pods are classed.
const CLASSED: [&str; 2] = ["cpu", "memory"];
const HUGE_PAGES: &str = "hugepages-";

/// Whether a pod may have a resource of its own, beside those of its containers.
pub fn is_of_pods(resource: &str) -> bool {
    CLASSED.contains(&resource) || resource.starts_with(HUGE_PAGES)
}

/// Whether a container is an init container that goes on running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// What the pod asks for: per resource its own request, or else that of its containers together; and the overhead.
pub fn requests(spec: &PodSpec) -> Amounts {
    let mut sums = Sums::of_containers(spec, requests_of);
    sums.take_of_pod(spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()));
    sums.add(spec.overhead.as_ref());
    sums.into_amounts()
}

/// Whether anything in the pod asks for any resource.
pub(crate) fn says_anything(spec: &PodSpec) -> bool {
    let says = |amounts: Option<&Amounts>| amounts.is_some_and(|amounts| !amounts.is_empty());
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.any(|container| says(requests_of(container)))
        || says(spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()))
        || says(spec.overhead.as_ref())
}

/// What the pod asks for where a container that says nothing of a resource counts as asking for so much of it. One that
/// says zero has said something.
pub(crate) fn requests_with_defaults(spec: &PodSpec, defaults: &Amounts) -> Amounts {
    if defaults.is_empty() {
        return requests(spec);
    }
    let with_defaults = |container: &Container| {
        let mut amounts = defaults.clone();
        amounts.extend(requests_of(container).cloned().unwrap_or_default());
        let resources = ResourceRequirements { requests: Some(amounts), ..ResourceRequirements::default() };
        Container {
            restart_policy: container.restart_policy.clone(),
            resources: Some(resources),
            ..Container::default()
        }
    };
    requests(&PodSpec {
        containers: spec.containers.iter().map(with_defaults).collect(),
        init_containers: spec.init_containers.as_ref().map(|all| all.iter().map(with_defaults).collect()),
        resources: spec.resources.clone(),
        overhead: spec.overhead.clone(),
        ..PodSpec::default()
    })
}

/// What the pod may use at most: per resource its own limit, or else those of its containers together; the overhead is
/// added to what is limited. A container without a limit counts for nothing here: see [`limit_of_all`].
pub fn limits(spec: &PodSpec) -> Amounts {
    let mut sums = Sums::of_containers(spec, limits_of);
    sums.take_of_pod(spec.resources.as_ref().and_then(|resources| resources.limits.as_ref()));
    for (name, overhead) in spec.overhead.iter().flatten() {
        if sums.0.get(name).is_some_and(|sum| sum.nanos != 0) {
            sums.add_one(name, overhead);
        }
    }
    sums.into_amounts()
}

/// The limit that all processes of the pod have together (ResourceConfigForPod upstream): nothing where the pod says none
/// and one of its containers has none, for that one may use whatever there is.
pub fn limit_of_all(spec: &PodSpec, resource: &str) -> Option<Quantity> {
    let is_set = |amounts: Option<&Amounts>| {
        amounts.and_then(|amounts| nanos(&amounts.get(resource)?.0)).is_some_and(|nanos| nanos != 0)
    };
    let of_pod = spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    (is_set(of_pod) || containers.all(|container| is_set(limits_of(container))))
        .then(|| limits(spec).remove(resource))
        .flatten()
}

/// What the containers ask for together: the most that is needed at a time. Init containers run one after the other, each
/// beside the sidecars before it; the main containers run beside all sidecars (AggregateContainerRequests).
pub(crate) fn requests_of_containers(spec: &PodSpec) -> Amounts {
    Sums::of_containers(spec, requests_of).into_amounts()
}

/// The limits of the containers together, reckoned likewise (AggregateContainerLimits).
pub(crate) fn limits_of_containers(spec: &PodSpec) -> Amounts {
    Sums::of_containers(spec, limits_of).into_amounts()
}

/// How many thousandths of a CPU that is, rounded up; nothing where the amounts say nothing of CPUs.
pub fn milli_cpus(amounts: &Amounts) -> Option<i64> {
    thousandths(&amounts.get("cpu")?.0)
}

/// How many bytes (of memory, of storage) that is, rounded up; nothing where the amounts say nothing of them.
pub fn bytes(amounts: &Amounts, resource: &str) -> Option<i64> {
    whole(&amounts.get(resource)?.0)
}

/// `Guaranteed`, `Burstable` or `BestEffort`: by what the pod says of CPU and memory itself where it says anything, by what
/// all its containers say otherwise.
pub fn qos_class(spec: &PodSpec) -> &'static str {
    let (mut requests, mut limits) = (Sums::default(), Sums::default());
    let mut is_guaranteed = true;
    let mut count = |resources: &ResourceRequirements| {
        let limited = limits.add_classed(resources.limits.as_ref());
        requests.add_classed(resources.requests.as_ref());
        limited == CLASSED.len()
    };
    match &spec.resources {
        Some(resources) => {
            let is_limited = count(resources);
            is_guaranteed = is_limited || resources.limits.as_ref().is_none_or(BTreeMap::is_empty);
        }
        None => {
            let none = ResourceRequirements::default();
            for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
                is_guaranteed &= count(container.resources.as_ref().unwrap_or(&none));
            }
        }
    }
    let values = |sums: &Sums| sums.0.iter().map(|(name, sum)| (name.clone(), sum.nanos)).collect::<Vec<_>>();
    if requests.0.is_empty() && limits.0.is_empty() {
        "BestEffort"
    } else if is_guaranteed && values(&requests) == values(&limits) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

fn requests_of(container: &Container) -> Option<&Amounts> {
    container.resources.as_ref()?.requests.as_ref()
}

fn limits_of(container: &Container) -> Option<&Amounts> {
    container.resources.as_ref()?.limits.as_ref()
}

/// An amount in billionths, and a text whose family of suffixes it is written in.
#[derive(Clone, Debug, Default)]
struct Sum {
    nanos: i128,
    like: String,
}

#[derive(Clone, Debug, Default)]
struct Sums(BTreeMap<String, Sum>);

impl Sums {
    fn of_containers(spec: &PodSpec, amounts: fn(&Container) -> Option<&Amounts>) -> Self {
        let mut sums = Self::default();
        for container in &spec.containers {
            sums.add(amounts(container));
        }
        let (mut sidecars, mut most) = (Self::default(), Self::default());
        for container in spec.init_containers.iter().flatten() {
            let mut at_a_time = sidecars.clone();
            at_a_time.add(amounts(container));
            if is_sidecar(container) {
                sums.add(amounts(container));
                sidecars = at_a_time.clone();
            }
            most.raise(&at_a_time);
        }
        sums.raise(&most);
        sums
    }

    fn add(&mut self, amounts: Option<&Amounts>) {
        for (name, amount) in amounts.into_iter().flatten() {
            self.add_one(name, amount);
        }
    }

    fn add_one(&mut self, name: &str, amount: &Quantity) {
        let Some(nanos) = nanos(&amount.0) else { return };
        let sum = self.0.entry(name.to_owned()).or_default();
        // As upstream, a sum is written as the first amount in it that is not zero.
        if sum.nanos == 0 {
            sum.like.clone_from(&amount.0);
        }
        sum.nanos = sum.nanos.saturating_add(nanos);
    }

    /// Adds what counts for a pod's class. Returns of how many resources that is anything.
    fn add_classed(&mut self, amounts: Option<&Amounts>) -> usize {
        let given = CLASSED.iter().filter_map(|name| Some((name, amounts?.get(*name)?)));
        let given = given.filter(|(_, amount)| nanos(&amount.0).is_some_and(|nanos| nanos > 0));
        given.map(|(name, amount)| self.add_one(name, amount)).count()
    }

    /// Takes what is more elsewhere.
    fn raise(&mut self, other: &Self) {
        for (name, more) in &other.0 {
            match self.0.get(name) {
                Some(sum) if sum.nanos >= more.nanos => {}
                _ => drop(self.0.insert(name.clone(), more.clone())),
            }
        }
    }

    /// Takes what the pod says itself.
    fn take_of_pod(&mut self, amounts: Option<&Amounts>) {
        for (name, amount) in amounts.into_iter().flatten().filter(|(name, _)| is_of_pods(name)) {
            self.0.remove(name);
            self.add_one(name, amount);
        }
    }

    fn into_amounts(self) -> Amounts {
        let written =
            self.0.into_iter().map(|(name, sum)| (name, Quantity(written_like(sum.nanos, &sum.like))));
        written.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn spec(value: Value) -> PodSpec {
        serde_json::from_value(value).expect("a pod spec")
    }

    fn container(name: &str, requests: &Value, limits: &Value) -> Value {
        json!({"name": name, "resources": {"requests": requests, "limits": limits}})
    }

    fn shown(amounts: &Amounts) -> Value {
        amounts
            .iter()
            .map(|(name, amount)| (name.clone(), json!(amount.0)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    #[test]
    fn init_containers_count_by_the_most_sidecars_and_main_ones_together() {
        let sidecar =
            json!({"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "250m"}}});
        for (sentence, value, expected) in [
            (
                "main containers add up",
                json!({"containers": [container("a", &json!({"cpu": "500m", "memory": "1Gi"}), &json!({})),
                                      container("b", &json!({"cpu": "1", "memory": "512Mi"}), &json!({}))]}),
                json!({"cpu": "1500m", "memory": "1536Mi"}),
            ),
            (
                "of init containers the largest counts",
                json!({"containers": [container("a", &json!({"cpu": "1"}), &json!({}))],
                       "initContainers": [container("i", &json!({"cpu": "3"}), &json!({})),
                                          container("j", &json!({"cpu": "2"}), &json!({}))]}),
                json!({"cpu": "3"}),
            ),
            (
                "beside the sidecars that run by then",
                json!({"containers": [container("a", &json!({"cpu": "1"}), &json!({}))],
                       "initContainers": [container("i", &json!({"cpu": "1"}), &json!({})), sidecar,
                                          container("j", &json!({"cpu": "2"}), &json!({}))]}),
                json!({"cpu": "2250m"}),
            ),
            (
                "sidecars run beside the main containers",
                json!({"containers": [container("a", &json!({"cpu": "1"}), &json!({}))], "initContainers": [sidecar]}),
                json!({"cpu": "1250m"}),
            ),
            (
                "what the pod says itself stands, and the overhead comes on top",
                json!({"containers": [container("a", &json!({"cpu": "1", "memory": "1Gi"}), &json!({}))],
                       "resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "100m", "memory": "1Mi"}}),
                json!({"cpu": "2100m", "memory": "1025Mi"}),
            ),
        ] {
            assert_eq!(shown(&requests(&spec(value))), expected, "{sentence}");
        }
    }

    #[test]
    fn limits_are_of_all_only_where_all_have_one() {
        let half = json!({"containers": [container("a", &json!({}), &json!({"cpu": "1", "memory": "1Gi"})),
                                         container("b", &json!({}), &json!({"cpu": "500m"}))],
                          "overhead": {"cpu": "250m", "memory": "1Mi", "pods": "1"}});
        let half = spec(half);
        assert_eq!(shown(&limits(&half)), json!({"cpu": "1750m", "memory": "1025Mi"}));
        assert_eq!(limit_of_all(&half, "cpu"), Some(Quantity("1750m".into())));
        assert_eq!(limit_of_all(&half, "memory"), None);
        assert_eq!(bytes(&limits(&half), "memory"), Some(1025 << 20));
        assert_eq!((milli_cpus(&limits(&half)), bytes(&limits(&half), "storage")), (Some(1750), None));
        let own = PodSpec {
            resources: serde_json::from_value(json!({"limits": {"memory": "4Gi"}})).expect("resources"),
            overhead: None,
            ..half
        };
        assert_eq!(limit_of_all(&own, "memory"), Some(Quantity("4Gi".into())));
    }

    #[test]
    fn pods_are_classed_as_upstream_does() {
        let both = || json!({"cpu": "1", "memory": "1Gi"});
        for (sentence, value, expected) in [
            ("nothing said", json!({"containers": [{"name": "a"}]}), "BestEffort"),
            (
                "only other resources",
                json!({"containers": [container("a", &json!({}), &json!({"example.com/gpu": "1"}))]}),
                "BestEffort",
            ),
            (
                "zero is nothing",
                json!({"containers": [container("a", &json!({"cpu": "0"}), &json!({}))]}),
                "BestEffort",
            ),
            (
                "limits that are asked for",
                json!({"containers": [container("a", &both(), &both())]}),
                "Guaranteed",
            ),
            (
                "the same amounts, written otherwise",
                json!({"containers": [container("a", &both(), &json!({"cpu": "1000m", "memory": "1024Mi"}))]}),
                "Guaranteed",
            ),
            (
                "one container without",
                json!({"containers": [container("a", &both(), &both()), {"name": "b"}]}),
                "Burstable",
            ),
            (
                "an init container without",
                json!({"containers": [container("a", &both(), &both())], "initContainers": [{"name": "b"}]}),
                "Burstable",
            ),
            (
                "limits not all asked for",
                json!({"containers": [container("a", &json!({"cpu": "1"}), &both())]}),
                "Burstable",
            ),
            (
                "what the pod says itself counts alone",
                json!({"containers": [container("a", &both(), &both())], "resources": {"requests": {"cpu": "1"}}}),
                "Burstable",
            ),
            (
                "also to be guaranteed",
                json!({"containers": [{"name": "a"}], "resources": {"requests": both(), "limits": both()}}),
                "Guaranteed",
            ),
        ] {
            assert_eq!(qos_class(&spec(value)), expected, "{sentence}");
        }
    }

    proptest! {
        /// The pod never asks for less than any of its containers, nor for more than all of them together.
        #[test]
        fn a_pods_request_is_between_its_largest_container_and_their_sum(
            main in prop::collection::vec(0_i64..4000, 1..4),
            init in prop::collection::vec((0_i64..4000, any::<bool>()), 0..4),
        ) {
            let of = |milli: &i64| json!({"requests": {"cpu": format!("{milli}m")}});
            let main_containers: Vec<_> = main.iter().map(|milli| json!({"name": "c", "resources": of(milli)})).collect();
            let init_containers: Vec<_> = init.iter().map(|(milli, stays)| {
                let policy = if *stays { json!("Always") } else { Value::Null };
                json!({"name": "c", "resources": of(milli), "restartPolicy": policy})
            }).collect();
            let pod = spec(json!({"containers": main_containers, "initContainers": init_containers}));
            let asked = milli_cpus(&requests(&pod)).unwrap_or(0);
            let each = main.iter().copied().chain(init.iter().map(|(milli, _)| *milli));
            prop_assert!(asked >= each.clone().max().unwrap_or(0));
            prop_assert!(asked >= main.iter().sum());
            prop_assert!(asked <= each.sum());
        }
    }
}
