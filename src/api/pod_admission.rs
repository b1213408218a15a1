//! What the admission plug-ins that every API server runs write into a Pod: ServiceAccount and
//! DefaultTolerationSeconds. Of a service account only the name is written: there is no token to mount. `priorities` does what
//! Priority does.

use k8s_openapi::api::core::v1::{PodSpec, Toleration};

/// Taints by which a cluster says that a node does not answer.
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// How long a pod stays on such a node.
const TOLERATION_SECONDS: i64 = 300;

/// Completes the spec of a new Pod.
pub fn admit(spec: &mut PodSpec) {
    let account = spec.service_account_name.get_or_insert_with(|| "default".into()).clone();
    spec.service_account = Some(account);
    for key in [NOT_READY, UNREACHABLE] {
        add_toleration(spec, key);
    }
}

/// Completes the spec that is to replace another: what was written into that stays.
pub fn readmit(spec: &mut PodSpec, old: &PodSpec) {
    if spec.service_account_name.is_none() {
        spec.service_account_name.clone_from(&old.service_account_name);
        spec.service_account.clone_from(&old.service_account);
    }
    spec.priority = spec.priority.or(old.priority);
    if spec.preemption_policy.is_none() {
        spec.preemption_policy.clone_from(&old.preemption_policy);
    }
    for key in [NOT_READY, UNREACHABLE] {
        if old.tolerations.iter().flatten().any(|toleration| *toleration == stay(key)) {
            add_toleration(spec, key);
        }
    }
}

fn stay(key: &str) -> Toleration {
    Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".into()),
        effect: Some("NoExecute".into()),
        toleration_seconds: Some(TOLERATION_SECONDS),
        value: None,
    }
}

fn add_toleration(spec: &mut PodSpec, key: &str) {
    let is_or_any = |field: &Option<String>, wanted: &str| {
        field.as_deref().is_none_or(|given| given.is_empty() || given == wanted)
    };
    let tolerations = spec.tolerations.get_or_insert_default();
    let is_tolerated =
        tolerations.iter().any(|given| is_or_any(&given.key, key) && is_or_any(&given.effect, "NoExecute"));
    if !is_tolerated {
        tolerations.push(stay(key));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(value: Value) -> PodSpec {
        let mut value = value;
        value["containers"] = json!([]);
        serde_json::from_value(value).expect("a pod spec")
    }

    #[test]
    fn a_new_pod_has_an_account_and_two_tolerations() {
        let mut plain = spec(json!({}));
        admit(&mut plain);
        assert_eq!(plain.service_account.as_deref(), Some("default"));
        let keys: Vec<_> = plain.tolerations.iter().flatten().filter_map(|one| one.key.as_deref()).collect();
        assert_eq!(keys, [NOT_READY, UNREACHABLE]);

        let own =
            json!([{"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 5, "effect": "NoExecute"}]);
        let mut own = spec(json!({"tolerations": own}));
        admit(&mut own);
        assert_eq!(own.tolerations.map(|list| list.len()), Some(2));

        let mut all = spec(json!({"tolerations": [{"operator": "Exists"}]}));
        admit(&mut all);
        assert_eq!(all.tolerations.map(|list| list.len()), Some(1));
    }

    #[test]
    fn an_update_takes_back_nothing_that_was_written_and_adds_nothing_that_was_not() {
        let mut old = spec(json!({"serviceAccountName": "robot", "priority": 0}));
        admit(&mut old);
        let mut new = spec(json!({}));
        readmit(&mut new, &old);
        assert_eq!(new.service_account_name.as_deref(), Some("robot"));
        assert_eq!((new.priority, new.tolerations.map(|list| list.len())), (Some(0), Some(2)));
        let mut new = spec(json!({}));
        readmit(&mut new, &spec(json!({})));
        assert_eq!((new.priority, new.tolerations), (None, None));
    }
}
