//! Rules about StatefulSets (ValidateStatefulSet).

use k8s_openapi::api::apps::v1::{StatefulSetSpec, StatefulSetUpdateStrategy};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, PodTemplateSpec, Volume};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::update::differ;
use super::value::json;
use super::{
    claim, claim_spec, each, metadata, non_negative, pod, quoted, update, warnings, without_repeats,
};
use crate::api::meta::name;
use crate::api::names;
use crate::api::selectors::LabelSelector;
use crate::api::status_error::FieldError;
use crate::api::{ControllerRevision, StatefulSet};

const POLICIES: [&str; 2] = ["OrderedReady", "Parallel"];
const RETENTIONS: [&str; 2] = ["Retain", "Delete"];

/// Every rule a StatefulSet breaks.
pub fn validate_stateful_set(set: &StatefulSet) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&set.metadata, "metadata", names::dns_label);
    errors.extend(validate_spec(&set.spec.clone().unwrap_or_default()));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_stateful_set_update(new: &StatefulSet, old: &StatefulSet) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_stateful_set(new));
    let (spec, old) = (new.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
    let fixed = StatefulSetSpec {
        replicas: spec.replicas,
        ordinals: spec.ordinals.clone(),
        template: spec.template.clone(),
        update_strategy: spec.update_strategy.clone(),
        revision_history_limit: spec.revision_history_limit,
        persistent_volume_claim_retention_policy: spec.persistent_volume_claim_retention_policy.clone(),
        min_ready_seconds: spec.min_ready_seconds,
        ..old
    };
    if differ(&spec, &fixed) {
        errors.push(FieldError::forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ));
    }
    without_repeats(errors)
}

/// Every rule a ControllerRevision breaks (ValidateControllerRevision).
pub fn validate_controller_revision(revision: &ControllerRevision) -> Vec<FieldError> {
    let mut errors = metadata::validate(&revision.metadata, "metadata");
    if revision.data.as_ref().is_none_or(|data| data.0.is_null()) {
        errors.push(FieldError::required("data", "data is mandatory"));
    }
    errors.extend(non_negative("revision", Some(revision.revision)));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_controller_revision_update(
    new: &ControllerRevision,
    old: &ControllerRevision,
) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_controller_revision(new));
    if new.data != old.data {
        let data = new.data.as_ref().map(|data| data.0.to_string()).unwrap_or_default();
        errors.push(FieldError::invalid("data", data, "field is immutable"));
    }
    without_repeats(errors)
}

/// What is said of a StatefulSet that is accepted.
pub fn warnings_of_stateful_set(set: &StatefulSet) -> Vec<String> {
    let Some(spec) = &set.spec else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(pods) = &spec.template.spec {
        let meta = spec.template.metadata.clone().unwrap_or_default();
        found.extend(warnings::of_pod_spec(pods, &meta, "spec.template."));
    }
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        let path = format!("spec.volumeClaimTemplates[{index}].spec");
        found.extend(claim.spec.iter().flat_map(|spec| claim::warnings_of_spec(spec, &path)));
    }
    if spec.revision_history_limit.is_some_and(|limit| limit < 0) {
        found.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .into(),
        );
    }
    found
}

fn validate_spec(spec: &StatefulSetSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let policy = spec.pod_management_policy.as_deref().unwrap_or_default();
    if !POLICIES.contains(&policy) {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        errors.push(FieldError::invalid("spec.podManagementPolicy", quoted(policy), detail));
    }
    errors.extend(spec.update_strategy.iter().flat_map(validate_strategy));
    if let Some(retention) = &spec.persistent_volume_claim_retention_policy {
        for (field, word) in
            [("whenDeleted", &retention.when_deleted), ("whenScaled", &retention.when_scaled)]
        {
            let word = word.as_deref().unwrap_or_default();
            if !RETENTIONS.contains(&word) {
                let path = format!("spec.persistentVolumeClaimRetentionPolicy.{field}");
                errors.push(FieldError::unsupported(path, quoted(word), &RETENTIONS));
            }
        }
    }
    errors.extend(non_negative("spec.replicas", spec.replicas.map(i64::from)));
    errors.extend(non_negative("spec.minReadySeconds", spec.min_ready_seconds.map(i64::from)));
    let start = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start);
    errors.extend(non_negative("spec.ordinals.start", start.map(i64::from)));
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        let path = format!("spec.volumeClaimTemplates[{index}].spec");
        errors.extend(claim_spec::validate(&claim.spec.clone().unwrap_or_default(), &path));
    }
    if let Some(service) = spec.service_name.as_deref().filter(|service| !service.is_empty()) {
        errors.extend(each(&names::dns_label(service), "spec.serviceName", service));
    }
    errors.extend(validate_selector(spec));
    errors.extend(pod::validate_template(&with_claims(spec), "spec.template"));
    let pods = spec.template.spec.clone().unwrap_or_default();
    let restart = pods.restart_policy.as_deref().unwrap_or_default();
    if restart != "Always" {
        let path = "spec.template.spec.restartPolicy";
        errors.push(FieldError::unsupported(path, quoted(restart), &["Always"]));
    }
    if pods.active_deadline_seconds.is_some() {
        errors.push(FieldError::forbidden(
            "spec.template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in StatefulSet is not Supported",
        ));
    }
    without_repeats(errors)
}

fn validate_strategy(strategy: &StatefulSetUpdateStrategy) -> Vec<FieldError> {
    const PATH: &str = "spec.updateStrategy";
    let rolling = strategy.rolling_update.as_ref();
    let shown = || {
        rolling.map_or_else(
            || "null".to_owned(),
            |rolling| {
                let (partition, most) = (json(&rolling.partition), json(&rolling.max_unavailable));
                format!("{{\"Partition\":{partition},\"MaxUnavailable\":{most}}}")
            },
        )
    };
    match strategy.type_.as_deref().unwrap_or_default() {
        "OnDelete" if rolling.is_some() => vec![FieldError::invalid(
            format!("{PATH}.rollingUpdate"),
            shown(),
            "only allowed for updateStrategy 'RollingUpdate'",
        )],
        "OnDelete" => Vec::new(),
        "RollingUpdate" => {
            let Some(rolling) = rolling else { return Vec::new() };
            let path = format!("{PATH}.rollingUpdate");
            let mut errors: Vec<FieldError> =
                non_negative(&format!("{path}.partition"), rolling.partition.map(i64::from))
                    .into_iter()
                    .collect();
            if let Some(IntOrString::Int(0)) = rolling.max_unavailable {
                errors.push(FieldError::invalid(format!("{path}.maxUnavailable"), 0, "cannot be 0"));
            }
            errors
        }
        other => vec![FieldError::invalid(
            PATH,
            format!("{{\"Type\":{},\"RollingUpdate\":{}}}", json(&other), shown()),
            "must be 'RollingUpdate' or 'OnDelete'",
        )],
    }
}

fn validate_selector(spec: &StatefulSetSpec) -> Vec<FieldError> {
    const PATH: &str = "spec.selector";
    let mut errors = metadata::validate_selector(&spec.selector, PATH);
    let has_labels = spec.selector.match_labels.as_ref().is_some_and(|labels| !labels.is_empty());
    let has_terms = spec.selector.match_expressions.as_ref().is_some_and(|terms| !terms.is_empty());
    if !has_labels && !has_terms {
        return errors;
    }
    let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
    let is_met = LabelSelector::from_object(&spec.selector)
        .is_ok_and(|selector| selector.matches(labels.unwrap_or(&std::collections::BTreeMap::new())));
    if !is_met && errors.is_empty() {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", json(&labels), detail));
    }
    errors
}

/// What is wrong with a manifest without a selector or with one of nothing. The type does not tell one from the other, so this
/// is not among the rules above.
pub fn validate_missing_selector(manifest: &Value) -> Vec<FieldError> {
    let spec = &manifest["spec"];
    match &spec["selector"] {
        Value::Null => vec![
            FieldError::required("spec.selector", ""),
            FieldError::invalid(
                "spec.template.metadata.labels",
                json(&spec["template"]["metadata"]["labels"]),
                "`selector` does not match template `labels`",
            ),
        ],
        selector => {
            let is_empty = |field: &str| match &selector[field] {
                Value::Object(map) => map.is_empty(),
                Value::Array(list) => list.is_empty(),
                _ => true,
            };
            let says_nothing = is_empty("matchLabels") && is_empty("matchExpressions");
            let detail = "empty selector is invalid for statefulset";
            says_nothing.then(|| FieldError::invalid("spec.selector", "{}", detail)).into_iter().collect()
        }
    }
}

/// The template as its pods have it: with a volume for each claim, which takes the place of one of the same name.
fn with_claims(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let claims = spec.volume_claim_templates.as_deref().unwrap_or_default();
    if claims.is_empty() {
        return template;
    }
    let names: Vec<&str> = claims.iter().map(|claim| name(&claim.metadata)).collect();
    let mut volumes: Vec<Volume> = names
        .iter()
        .map(|name| Volume {
            name: (*name).to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: (*name).to_owned(),
                read_only: None,
            }),
            ..Volume::default()
        })
        .collect();
    let pods = template.spec.get_or_insert_default();
    let others = pods.volumes.take().unwrap_or_default();
    volumes.extend(others.into_iter().filter(|volume| !names.contains(&volume.name.as_str())));
    pods.volumes = Some(volumes);
    template
}
