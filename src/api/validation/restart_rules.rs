//! Rules about what a container says of being started again (validateContainerRestartPolicy).

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule};

use super::quoted;
use crate::api::status_error::FieldError;

const POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;

/// Everything wrong with a container's own restartPolicy and its rules.
pub(super) fn validate(container: &Container, path: &str) -> Vec<FieldError> {
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    let at_policy = format!("{path}.restartPolicy");
    let mut errors = Vec::new();
    match container.restart_policy.as_deref() {
        None if !rules.is_empty() => {
            let detail = "must specify restartPolicy when restart rules are used";
            errors.push(FieldError::required(at_policy, detail));
        }
        Some(policy) if !POLICIES.contains(&policy) => {
            errors.push(FieldError::unsupported(at_policy, quoted(policy), &POLICIES));
        }
        _ => {}
    }
    let at_rules = format!("{path}.restartPolicyRules");
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(at_rules.as_str(), rules.len(), MOST_RULES));
    }
    let rules = rules.iter().enumerate();
    errors.extend(rules.flat_map(|(index, rule)| validate_rule(rule, &format!("{at_rules}[{index}]"))));
    errors
}

fn validate_rule(rule: &ContainerRestartRule, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if rule.action != "Restart" {
        errors.push(FieldError::unsupported(format!("{path}.action"), quoted(&rule.action), &["Restart"]));
    }
    let at_codes = format!("{path}.exitCodes");
    let Some(codes) = &rule.exit_codes else {
        errors.push(FieldError::required(at_codes, "must be specified"));
        return errors;
    };
    if !["In", "NotIn"].contains(&codes.operator.as_str()) {
        let at_operator = format!("{at_codes}.operator");
        errors.push(FieldError::unsupported(at_operator, quoted(&codes.operator), &["In", "NotIn"]));
    }
    let count = codes.values.as_ref().map_or(0, Vec::len);
    if count > MOST_EXIT_CODES {
        errors.push(FieldError::too_many(format!("{at_codes}.values"), count, MOST_EXIT_CODES));
    }
    errors
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_wrong_with_rules_is_said_as_upstream_says_it() {
        let rule = json!({"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}});
        for (policy, rules, expected) in [
            (json!("Never"), json!([rule]), vec![]),
            (json!("OnFailure"), Value::Null, vec![]),
            (
                json!("never"),
                Value::Null,
                vec![
                    "c.restartPolicy: Unsupported value: \"never\": supported values: \"Always\", \"Never\", \"OnFailure\"",
                ],
            ),
            (
                Value::Null,
                json!([rule]),
                vec![
                    "c.restartPolicy: Required value: must specify restartPolicy when restart rules are used",
                ],
            ),
            (
                json!("Never"),
                json!([{"action": "Stop", "exitCodes": {"operator": ""}}, {"action": "Restart"}]),
                vec![
                    "c.restartPolicyRules[0].action: Unsupported value: \"Stop\": supported values: \"Restart\"",
                    "c.restartPolicyRules[0].exitCodes.operator: Unsupported value: \"\": supported values: \"In\", \"NotIn\"",
                    "c.restartPolicyRules[1].exitCodes: Required value: must be specified",
                ],
            ),
            (
                json!("Never"),
                json!(vec![rule; 21]),
                vec!["c.restartPolicyRules: Too many: 21: must have at most 20 items"],
            ),
            (
                json!("Never"),
                json!([{"action": "Restart", "exitCodes": {"operator": "In", "values": vec![1; 256]}}]),
                vec!["c.restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"],
            ),
        ] {
            let container = json!({"name": "c", "restartPolicy": policy, "restartPolicyRules": rules});
            let container: Container = serde_json::from_value(container).expect("a container");
            let found: Vec<String> = validate(&container, "c").iter().map(ToString::to_string).collect();
            assert_eq!(found, expected);
        }
    }
}
