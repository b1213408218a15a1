//! `matchLabelKeys` and `mismatchLabelKeys`: keys of the pod's own labels, which the API server turns into expressions of
//! the selector beside them when it creates the pod (mutatePodAffinity, mutateTopologySpreadConstraints).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

type Labels = BTreeMap<String, String>;

/// Completes the selectors of a new pod with these labels.
pub(super) fn add_to_selectors(spec: &mut PodSpec, labels: Option<&Labels>) {
    let none = Labels::new();
    let labels = labels.unwrap_or(&none);
    if let Some(affinity) = &mut spec.affinity {
        if let Some(together) = &mut affinity.pod_affinity {
            let required = &mut together.required_during_scheduling_ignored_during_execution;
            add_to_terms(
                required,
                &mut together.preferred_during_scheduling_ignored_during_execution,
                labels,
            );
        }
        if let Some(apart) = &mut affinity.pod_anti_affinity {
            let required = &mut apart.required_during_scheduling_ignored_during_execution;
            add_to_terms(required, &mut apart.preferred_during_scheduling_ignored_during_execution, labels);
        }
    }
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        if let Some(selector) = &mut constraint.label_selector {
            add(selector, constraint.match_label_keys.as_deref(), "In", labels);
        }
    }
}

fn add_to_terms(
    required: &mut Option<Vec<PodAffinityTerm>>,
    preferred: &mut Option<Vec<WeightedPodAffinityTerm>>,
    labels: &Labels,
) {
    let preferred = preferred.iter_mut().flatten().map(|choice| &mut choice.pod_affinity_term);
    for term in required.iter_mut().flatten().chain(preferred) {
        let Some(selector) = &mut term.label_selector else { continue };
        add(selector, term.match_label_keys.as_deref(), "In", labels);
        add(selector, term.mismatch_label_keys.as_deref(), "NotIn", labels);
    }
}

fn add(selector: &mut LabelSelector, keys: Option<&[String]>, operator: &str, labels: &Labels) {
    for key in keys.unwrap_or_default() {
        let Some(value) = labels.get(key) else { continue };
        selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.to_owned(),
            values: Some(vec![value.clone()]),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_that_the_pod_has_become_expressions() {
        let given = json!({"containers": [],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["a", "none"], "mismatchLabelKeys": ["b"]},
                {"topologyKey": "z", "matchLabelKeys": ["a"]}]}},
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"x": "y"}}, "matchLabelKeys": ["b"]}]});
        let mut spec: PodSpec = serde_json::from_value(given).expect("a pod spec");
        let labels = [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        add_to_selectors(&mut spec, Some(&labels.into()));
        let spec = serde_json::to_value(spec).expect("JSON");
        let terms = &spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        assert_eq!(
            terms[0]["labelSelector"]["matchExpressions"],
            json!([{"key": "a", "operator": "In", "values": ["1"]}, {"key": "b", "operator": "NotIn", "values": ["2"]}])
        );
        assert_eq!(terms[1]["labelSelector"], json!(null));
        assert_eq!(
            spec["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"],
            json!([{"key": "b", "operator": "In", "values": ["2"]}])
        );
    }
}
