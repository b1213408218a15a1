//! What a Job's policies say of its pods: podFailurePolicy and successPolicy (kubernetes-behaviour 2.11, 2.12).

use k8s_openapi::api::batch::v1::{
    PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicy,
};

use crate::api::indexes::Indexes;
use crate::api::meta::{name, namespace};
use crate::api::{ContainerStatus, Pod};

/// What to do about a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureAction {
    /// Counted towards the limits, as without a policy.
    Count,
    /// Not counted anywhere; the pod is replaced.
    Ignore,
    /// The index fails without another try.
    FailIndex,
    /// The Job fails at once; the message says why.
    FailJob(String),
}

/// The action of the first rule that matches the failed pod; without one the failure counts.
pub fn failure_action(policy: Option<&PodFailurePolicy>, pod: &Pod) -> FailureAction {
    let rules = policy.into_iter().flat_map(|policy| policy.rules.iter().enumerate());
    for (number, rule) in rules {
        let Some(cause) = matching_cause(rule, pod) else { continue };
        return match rule.action.as_str() {
            "Ignore" => FailureAction::Ignore,
            "FailIndex" => FailureAction::FailIndex,
            "FailJob" => FailureAction::FailJob(format!("{cause} matching FailJob rule at index {number}")),
            _ => FailureAction::Count,
        };
    }
    FailureAction::Count
}

/// What about the pod the rule matches, in the words of the Job's condition.
fn matching_cause(rule: &PodFailurePolicyRule, pod: &Pod) -> Option<String> {
    let full_name = format!("{}/{}", namespace(&pod.metadata), name(&pod.metadata));
    if let Some(requirement) = &rule.on_exit_codes {
        let (container, code) = matching_exit_code(requirement, pod)?;
        return Some(format!("Container {container} for pod {full_name} failed with exit code {code}"));
    }
    let conditions = pod.status.as_ref()?.conditions.as_deref().unwrap_or_default();
    let pattern = rule.on_pod_conditions.iter().flatten().find(|pattern| {
        conditions
            .iter()
            .any(|condition| condition.type_ == pattern.type_ && condition.status == pattern.status)
    })?;
    Some(format!("Pod {full_name} has condition {}", pattern.type_))
}

/// The first container that ended with an exit code the requirement names; exit code 0 is never looked at.
fn matching_exit_code<'a>(
    requirement: &PodFailurePolicyOnExitCodesRequirement,
    pod: &'a Pod,
) -> Option<(&'a str, i32)> {
    let status = pod.status.as_ref()?;
    let containers = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    containers.filter_map(failed_exit).find(|(container, code)| {
        let is_named = requirement.container_name.as_ref().is_none_or(|name| name == container);
        let is_listed = requirement.values.contains(code);
        is_named && is_listed == (requirement.operator == "In")
    })
}

fn failed_exit(container: &ContainerStatus) -> Option<(&str, i32)> {
    let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
    (code != 0).then_some((container.name.as_str(), code))
}

/// The number of the first rule of a successPolicy that the completed indexes meet.
pub fn matching_success_rule(policy: &SuccessPolicy, completed: &Indexes, completions: i32) -> Option<usize> {
    policy.rules.iter().position(|rule| {
        let counted = match rule.succeeded_indexes.as_deref() {
            None => completed.len(),
            Some(list) => {
                let listed = Indexes::of_status(Some(list), completions);
                let common = listed.count_common(completed);
                if rule.succeeded_count.is_none() {
                    return common >= listed.len();
                }
                common
            }
        };
        rule.succeeded_count.is_some_and(|wanted| counted >= wanted)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "x", "namespace": "default"}, "status": status}))
            .expect("a pod")
    }

    fn ended(containers: &[(&str, i32)]) -> Value {
        containers
            .iter()
            .map(|(name, code)| {
                json!({"name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0,
                       "state": {"terminated": {"exitCode": code}}})
            })
            .collect()
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let codes = |operator: &str, values: &[i32], container: Option<&str>, action: &str| json!({"action": action, "onExitCodes": {"operator": operator, "values": values, "containerName": container}});
        let disruption = |action: &str, status: &str| json!({"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": status}]});
        let main_42 = json!({"containerStatuses": ended(&[("side", 0), ("main", 42)])});
        let init_7 = json!({"containerStatuses": ended(&[("main", 1)]), "initContainerStatuses": ended(&[("setup", 7)])});
        let evicted = json!({"containerStatuses": ended(&[("main", 143)]),
            "conditions": [{"type": "DisruptionTarget", "status": "True"}]});
        let fail_job = |text: &str| FailureAction::FailJob(text.into());
        for (what, rules, status, expected) in [
            ("no rule matches", json!([codes("In", &[1], None, "FailJob")]), &main_42, FailureAction::Count),
            (
                "FailJob says which container and code",
                json!([codes("In", &[1], None, "Ignore"), codes("In", &[42], None, "FailJob")]),
                &main_42,
                fail_job(
                    "Container main for pod default/x failed with exit code 42 matching FailJob rule at index 1",
                ),
            ),
            (
                "the first of two matching rules wins",
                json!([codes("In", &[42], None, "Count"), codes("In", &[42], None, "FailJob")]),
                &main_42,
                FailureAction::Count,
            ),
            (
                "NotIn matches other codes but never 0",
                json!([
                    codes("NotIn", &[42], None, "FailJob"),
                    codes("NotIn", &[41], Some("main"), "Ignore")
                ]),
                &main_42,
                FailureAction::Ignore,
            ),
            (
                "a rule for another container does not match",
                json!([codes("NotIn", &[1], Some("side"), "FailJob")]),
                &main_42,
                FailureAction::Count,
            ),
            (
                "regular containers are looked at before init containers",
                json!([codes("In", &[1, 7], None, "FailJob")]),
                &init_7,
                fail_job(
                    "Container main for pod default/x failed with exit code 1 matching FailJob rule at index 0",
                ),
            ),
            (
                "an init container can match",
                json!([codes("In", &[7], Some("setup"), "FailIndex")]),
                &init_7,
                FailureAction::FailIndex,
            ),
            ("a condition", json!([disruption("Ignore", "True")]), &evicted, FailureAction::Ignore),
            ("another status", json!([disruption("Ignore", "False")]), &evicted, FailureAction::Count),
            (
                "a condition can fail the Job",
                json!([disruption("FailJob", "True")]),
                &evicted,
                fail_job("Pod default/x has condition DisruptionTarget matching FailJob rule at index 0"),
            ),
        ] {
            let policy: PodFailurePolicy = serde_json::from_value(json!({"rules": rules})).expect("a policy");
            assert_eq!(failure_action(Some(&policy), &pod(status)), expected, "{what}");
        }
    }

    #[test]
    fn success_rules_look_at_the_listed_indexes() {
        for (what, rules, completed, expected) in [
            ("all listed are done", json!([{"succeededIndexes": "0,2"}]), "0-2", Some(0)),
            ("one listed is missing", json!([{"succeededIndexes": "0,2"}]), "0,1", None),
            (
                "so many of the listed",
                json!([{"succeededIndexes": "0-3", "succeededCount": 2}]),
                "1,3",
                Some(0),
            ),
            ("others do not count", json!([{"succeededIndexes": "0-3", "succeededCount": 2}]), "1,7", None),
            ("so many of any", json!([{"succeededCount": 2}]), "1,7", Some(0)),
            (
                "the first that matches",
                json!([{"succeededIndexes": "9"}, {"succeededCount": 1}, {"succeededIndexes": "1"}]),
                "1",
                Some(1),
            ),
        ] {
            let policy: SuccessPolicy = serde_json::from_value(json!({"rules": rules})).expect("a policy");
            let completed = Indexes::of_status(Some(completed), 10);
            assert_eq!(matching_success_rule(&policy, &completed, 10), expected, "{what}");
        }
    }
}
