//! How far a StatefulSet is with what its spec wants, in kubectl's words.

use crate::api::StatefulSet;

/// What is said of a set, and whether there is nothing left to wait for.
///
/// # Errors
/// A set whose pods are replaced by whoever deletes them.
pub(super) fn of_stateful_set(set: &StatefulSet) -> Result<(String, bool), &'static str> {
    let spec = set.spec.clone().unwrap_or_default();
    let status = set.status.clone().unwrap_or_default();
    let strategy = spec.update_strategy.unwrap_or_default();
    let is_rolling = strategy.type_.as_deref().unwrap_or("RollingUpdate") == "RollingUpdate";
    if !is_rolling {
        return Err("rollout status is only available for RollingUpdate strategy type");
    }
    let observed = status.observed_generation.unwrap_or_default();
    if observed == 0 || set.metadata.generation.unwrap_or_default() > observed {
        return Ok(("Waiting for statefulset spec update to be observed...".into(), false));
    }
    let replicas = spec.replicas.unwrap_or(1);
    let ready = status.ready_replicas.unwrap_or_default();
    if ready < replicas {
        return Ok((format!("Waiting for {} pods to be ready...", replicas - ready), false));
    }
    let updated = status.updated_replicas.unwrap_or_default();
    if let Some(rolling) = strategy.rolling_update {
        let wanted = replicas - rolling.partition.unwrap_or_default();
        if updated < wanted {
            let said = format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            );
            return Ok((said, false));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated..."), true));
    }
    let (update, current) =
        (status.update_revision.unwrap_or_default(), status.current_revision.unwrap_or_default());
    if update != current {
        let said = format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        );
        return Ok((said, false));
    }
    let count = status.current_replicas.unwrap_or_default();
    Ok((format!("statefulset rolling update complete {count} pods at revision {current}..."), true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The texts are those that kubectl 1.32 has printed of these objects.
    #[test]
    fn kubectl_says_the_same() {
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
        let plain = json!({"type": "RollingUpdate"});
        for (strategy, status, expected) in [
            (
                &rolling,
                json!({"observedGeneration": 2, "readyReplicas": 1}),
                Ok(("Waiting for 2 pods to be ready...", false)),
            ),
            (
                &rolling,
                json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 2}),
                Ok((
                    "Waiting for partitioned roll out to finish: 2 out of 3 new pods have been updated...",
                    false,
                )),
            ),
            (
                &rolling,
                json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 3}),
                Ok(("partitioned roll out complete: 3 new pods have been updated...", true)),
            ),
            (
                &rolling,
                json!({"observedGeneration": 1, "readyReplicas": 3}),
                Ok(("Waiting for statefulset spec update to be observed...", false)),
            ),
            (
                &plain,
                json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 3, "currentRevision": "web-1",
                    "updateRevision": "web-2"}),
                Ok(("waiting for statefulset rolling update to complete 3 pods at revision web-2...", false)),
            ),
            (
                &plain,
                json!({"observedGeneration": 2, "readyReplicas": 3, "currentReplicas": 3, "currentRevision": "web-2",
                    "updateRevision": "web-2"}),
                Ok(("statefulset rolling update complete 3 pods at revision web-2...", true)),
            ),
            (
                &json!({"type": "OnDelete"}),
                json!({"observedGeneration": 2}),
                Err("rollout status is only available for RollingUpdate strategy type"),
            ),
        ] {
            let set = json!({"metadata": {"generation": 2}, "spec": {"replicas": 3, "serviceName": "web",
                "selector": {}, "template": {}, "updateStrategy": strategy}, "status": {"replicas": 3}});
            let mut set = set;
            for (key, value) in status.as_object().expect("fields") {
                set["status"][key] = value.clone();
            }
            let set: StatefulSet = serde_json::from_value(set).expect("a StatefulSet");
            let found = of_stateful_set(&set);
            assert_eq!(found.as_ref().map(|(said, done)| (said.as_str(), *done)).map_err(|e| *e), expected);
        }
    }
}
