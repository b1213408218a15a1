//! Whether a container that has ended is started again, and when (kubernetes-behaviour 4.4).

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{ContainerRun, ContainerState, PodRun, Role, Terminated};
use crate::api::Container;
use crate::controller::backoff;

/// The longest delay between restarts of a container.
const LONGEST_RESTART_DELAY: Duration = Duration::minutes(5);

/// What a container says itself of being started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRestarts {
    /// `Never`, `OnFailure` or `Always`, in the place of the pod's.
    pub policy: Option<String>,
    /// By which exit codes it is started again whatever the policy says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RestartRule>,
}

/// Exit codes by which a container is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartRule {
    /// Whether all others are meant.
    pub is_not_in: bool,
    /// The exit codes.
    pub values: Vec<i32>,
}

impl OwnRestarts {
    /// What a manifest says; `None` for nothing.
    pub fn of(container: &Container) -> Option<Self> {
        // The only action there is starts the container again.
        let codes =
            container.restart_policy_rules.iter().flatten().filter_map(|rule| rule.exit_codes.as_ref());
        let rules = codes.map(|codes| RestartRule {
            is_not_in: codes.operator == "NotIn",
            values: codes.values.clone().unwrap_or_default(),
        });
        let own = Self { policy: container.restart_policy.clone(), rules: rules.collect() };
        (own != Self::default()).then_some(own)
    }
}

/// Whether and when.
pub(super) enum Restart {
    Never,
    /// At once when `None`.
    At(Option<DateTime<Utc>>),
}

pub(super) fn restart_decision(run: &PodRun, container: &ContainerRun, state: &ContainerState) -> Restart {
    let Some(how) = state.terminated() else { return Restart::At(None) };
    if !is_restarted(run, container, how) {
        return Restart::Never;
    }
    Restart::At(Some(how.finished_at + restart_delay(state, run.backoff_base())))
}

/// Whether a container that has ended so is started again.
pub(super) fn is_restarted(run: &PodRun, container: &ContainerRun, how: &Terminated) -> bool {
    let own = container.restarts.as_ref();
    let has_failed = how.exit_code != 0;
    // An init container that has succeeded has done its work, whatever is said of its exit code.
    let may_be = has_failed || container.role != Role::Init;
    let rules = own.map_or(&[][..], |own| &own.rules);
    if may_be && rules.iter().any(|rule| rule.values.contains(&how.exit_code) != rule.is_not_in) {
        return true;
    }
    let policy = own.and_then(|own| own.policy.as_ref()).unwrap_or(&run.restart_policy);
    match (container.role, policy.as_str()) {
        (Role::Sidecar, _) | (Role::Main, "Always") => true,
        (Role::Init | Role::Main, "OnFailure") | (Role::Init, "Always") => has_failed,
        _ => false,
    }
}

/// The first restart is immediate, then base, doubled each time up to five minutes (4.4).
pub(super) fn restart_delay(state: &ContainerState, base: Duration) -> Duration {
    backoff::delay(state.recent_restarts, base, LONGEST_RESTART_DELAY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_containers_own_rules_and_policy_come_before_the_pods() {
        let rules = json!([
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [42, 0]}},
            {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0, 1, 2, 3]}},
        ]);
        for (what, role, pods, own, rules, codes) in [
            ("without a word of its own", Role::Main, "OnFailure", None, None, vec![1, 42]),
            ("never", Role::Main, "Always", Some("Never"), None, vec![]),
            ("always", Role::Main, "Never", Some("Always"), None, vec![0, 1, 42]),
            ("by its rules", Role::Main, "Never", Some("Never"), Some(&rules), vec![0, 42]),
            (
                "where no rule fits, by its policy",
                Role::Main,
                "Never",
                Some("OnFailure"),
                Some(&rules),
                vec![0, 1, 42],
            ),
            ("an init container", Role::Init, "Always", Some("Never"), None, vec![]),
            ("one with rules that has succeeded", Role::Init, "Never", Some("Never"), Some(&rules), vec![42]),
            ("a sidecar", Role::Sidecar, "Never", Some("Always"), None, vec![0, 1, 42]),
        ] {
            let container = json!({"name": "c", "restartPolicy": own, "restartPolicyRules": rules});
            let container: Container = serde_json::from_value(container).expect("a container");
            let container =
                ContainerRun { role, restarts: OwnRestarts::of(&container), ..ContainerRun::default() };
            let run = PodRun { restart_policy: pods.into(), ..PodRun::default() };
            let ended = |exit_code| Terminated {
                exit_code,
                reason: String::new(),
                message: None,
                started_at: None,
                finished_at: DateTime::UNIX_EPOCH,
            };
            let restarted =
                [0, 1, 42].into_iter().filter(|code| is_restarted(&run, &container, &ended(*code)));
            assert_eq!(restarted.collect::<Vec<_>>(), codes, "{what}");
        }
    }
}
