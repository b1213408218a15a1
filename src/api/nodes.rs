//! What holds for every node: its well-known labels, a cordon's taint, and which pods may go where.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration};

use super::selectors::label::{Operator, Requirement};

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// The taint of a cordoned node, which the node controller of a cluster adds.
pub const TAINT_UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// The labels that a kubelet gives to its node.
pub fn well_known_labels(node_name: &str) -> Labels {
    let labels = [
        ("kubernetes.io/hostname", node_name),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", architecture()),
    ];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The architecture that this binary was built for, as Go calls it.
pub const fn architecture() -> &'static str {
    if cfg!(target_arch = "x86_64") {
        "amd64"
    } else if cfg!(target_arch = "aarch64") {
        "arm64"
    } else if cfg!(target_arch = "riscv64") {
        "riscv64"
    } else {
        "unknown"
    }
}

/// What a cordon adds to a node's taints.
pub fn unschedulable_taint() -> Taint {
    Taint { key: TAINT_UNSCHEDULABLE.into(), effect: "NoSchedule".into(), value: None, time_added: None }
}

/// Whether a pod may go to a cordoned node.
pub fn tolerates_cordon(spec: &PodSpec) -> bool {
    spec.tolerations.iter().flatten().any(tolerates_unschedulable)
}

fn tolerates_unschedulable(toleration: &Toleration) -> bool {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let exists = toleration.operator.as_deref() == Some("Exists");
    set(&toleration.effect).is_none_or(|effect| effect == "NoSchedule")
        && match set(&toleration.key) {
            None => exists,
            Some(key) => key == TAINT_UNSCHEDULABLE && (exists || set(&toleration.value).is_none()),
        }
}

/// Whether a pod asks anything of the labels or the name of its node.
pub fn asks_for_node(spec: &PodSpec) -> bool {
    spec.node_selector.as_ref().is_some_and(|selector| !selector.is_empty()) || required_terms(spec).is_some()
}

/// Whether a node has what a pod's nodeSelector and required node affinity ask for. Terms are alternatives; within one,
/// everything must hold, and an empty one holds for no node.
pub fn fits_node(spec: &PodSpec, node_name: &str, labels: &Labels) -> bool {
    spec.node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
        && required_terms(spec)
            .is_none_or(|terms| terms.iter().any(|term| fits_term(term, node_name, labels)))
}

fn required_terms(spec: &PodSpec) -> Option<&[NodeSelectorTerm]> {
    let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
    Some(&required.node_selector_terms)
}

fn fits_term(term: &NodeSelectorTerm, node_name: &str, labels: &Labels) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let is_empty = expressions.is_empty() && fields.is_empty();
    !is_empty
        && expressions.iter().all(|rule| holds(rule, labels.get(&rule.key).map(String::as_str)))
        && fields.iter().all(|rule| holds(rule, (rule.key == "metadata.name").then_some(node_name)))
}

/// What cannot be read as a requirement holds for no node, as upstream has it.
fn holds(rule: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let operator = match rule.operator.as_str() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::GreaterThan,
        "Lt" => Operator::LessThan,
        _ => return false,
    };
    let values = rule.values.iter().flatten().cloned().collect();
    Requirement::new(&rule.key, operator, values).is_ok_and(|requirement| requirement.matches(value))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(fields: &Value) -> PodSpec {
        let mut all = json!({"containers": []});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn affinity(terms: &Value) -> PodSpec {
        let required = json!({"nodeSelectorTerms": terms});
        spec(
            &json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}),
        )
    }

    fn rule(key: &str, operator: &str, values: &[&str]) -> Value {
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
    }

    #[test]
    fn which_pods_fit_a_node_named_here_with_disk_ssd_and_cores_8() {
        let labels: Labels =
            [("disk", "ssd"), ("cores", "8")].map(|(key, value)| (key.into(), value.into())).into();
        for (sentence, spec, fits) in [
            ("who asks nothing fits", spec(&json!({})), true),
            ("an empty selector asks nothing", spec(&json!({"nodeSelector": {}})), true),
            ("a label that is there", spec(&json!({"nodeSelector": {"disk": "ssd"}})), true),
            (
                "all of a selector must hold",
                spec(&json!({"nodeSelector": {"disk": "ssd", "gpu": "1"}})),
                false,
            ),
            ("another value", spec(&json!({"nodeSelector": {"disk": "hdd"}})), false),
            ("no term fits no node", affinity(&json!([])), false),
            ("an empty term fits no node", affinity(&json!([{}])), false),
            ("terms are alternatives", affinity(&json!([{}, rule("disk", "In", &["ssd"])])), true),
            ("In", affinity(&json!([rule("disk", "In", &["hdd", "ssd"])])), true),
            ("NotIn of a label that is missing", affinity(&json!([rule("gpu", "NotIn", &["1"])])), true),
            ("NotIn of the value", affinity(&json!([rule("disk", "NotIn", &["ssd"])])), false),
            ("Exists", affinity(&json!([rule("disk", "Exists", &[])])), true),
            ("DoesNotExist", affinity(&json!([rule("disk", "DoesNotExist", &[])])), false),
            ("Gt compares numbers", affinity(&json!([rule("cores", "Gt", &["7"])])), true),
            ("Lt compares numbers", affinity(&json!([rule("cores", "Lt", &["8"])])), false),
            ("an unknown operator fits no node", affinity(&json!([rule("disk", "Is", &["ssd"])])), false),
            (
                "the name of the node is a field",
                affinity(
                    &json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["here"]}]}]),
                ),
                true,
            ),
            (
                "selector and affinity must both hold",
                PodSpec {
                    node_selector: Some([("disk".into(), "hdd".into())].into()),
                    ..affinity(&json!([rule("disk", "Exists", &[])]))
                },
                false,
            ),
        ] {
            assert_eq!(fits_node(&spec, "here", &labels), fits, "{sentence}");
        }
    }

    #[test]
    fn who_tolerates_a_cordon() {
        for (sentence, toleration, tolerates) in [
            ("the taint by its name", json!({"key": TAINT_UNSCHEDULABLE, "operator": "Exists"}), true),
            ("everything", json!({"operator": "Exists"}), true),
            ("the taint has no value", json!({"key": TAINT_UNSCHEDULABLE, "value": "x"}), false),
            ("an equal, empty value", json!({"key": TAINT_UNSCHEDULABLE, "effect": "NoSchedule"}), true),
            ("another effect", json!({"operator": "Exists", "effect": "NoExecute"}), false),
            ("another taint", json!({"key": "gpu", "operator": "Exists"}), false),
        ] {
            let spec = spec(&json!({"tolerations": [toleration]}));
            assert_eq!(tolerates_cordon(&spec), tolerates, "{sentence}");
        }
        assert!(!tolerates_cordon(&spec(&json!({}))), "nobody by default");
    }
}
