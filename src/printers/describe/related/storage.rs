//! PersistentVolumeClaims, StatefulSets and what these have been.

use k8s_openapi::api::core::v1::PersistentVolumeClaimSpec;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::{Output, line, selector_text};
use super::{Describe, Related, go_list};
use crate::api::meta::{controller_of, name, namespace, uid};
use crate::api::{ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet};
use crate::printers::rows::access_modes;

impl Describe for PersistentVolumeClaim {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        let meta = &self.metadata;
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        line!(out, 0, "Name:\t{}", name(meta));
        line!(out, 0, "Namespace:\t{}", namespace(meta));
        line!(out, 0, "StorageClass:\t{}", spec.storage_class_name.as_deref().unwrap_or_default());
        line!(out, 0, "Status:\t{}", status.phase.as_deref().unwrap_or_default());
        line!(out, 0, "Volume:\t{}", spec.volume_name.as_deref().unwrap_or_default());
        out.labels("", "Labels", meta.labels.as_ref());
        out.annotations("", meta.annotations.as_ref());
        line!(out, 0, "Finalizers:\t{}", go_list(meta.finalizers.as_deref().unwrap_or_default()));
        // A claim without a volume has neither.
        let is_bound = spec.volume_name.is_some();
        let capacity = status.capacity.as_ref().and_then(|capacity| capacity.get("storage"));
        let capacity = capacity.map_or("0", |capacity| capacity.0.as_str());
        let capacity = if is_bound { capacity } else { "" };
        let modes = status.access_modes.as_deref().filter(|_| is_bound).unwrap_or_default();
        line!(out, 0, "Capacity:\t{capacity}");
        line!(out, 0, "Access Modes:\t{}", access_modes(modes));
        if let Some(mode) = &spec.volume_mode {
            line!(out, 0, "VolumeMode:\t{mode}");
        }
        if let Some(source) = &spec.data_source {
            line!(out, 0, "DataSource:");
            if let Some(group) = &source.api_group {
                line!(out, 1, "APIGroup:\t{group}");
            }
            line!(out, 1, "Kind:\t{}", source.kind);
            line!(out, 1, "Name:\t{}", source.name);
        }
        let users: Vec<&str> =
            related.pods.iter().filter(|pod| uses(pod, name(meta))).map(|pod| name(&pod.metadata)).collect();
        let mut head = "Used By:".to_owned();
        for user in &users {
            line!(out, 0, "{head}\t{user}");
            head = String::new();
        }
        if users.is_empty() {
            line!(out, 0, "{head}\t<none>");
        }
    }
}

/// Whether a pod has a volume of a claim.
fn uses(pod: &Pod, claim: &str) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref()).any(|used| used.claim_name == claim)
}

impl Describe for StatefulSet {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        let meta = &self.metadata;
        let spec = self.spec.clone().unwrap_or_default();
        let total = self.status.as_ref().map_or(0, |status| status.replicas);
        line!(out, 0, "Name:\t{}", name(meta));
        line!(out, 0, "Namespace:\t{}", namespace(meta));
        line!(out, 0, "CreationTimestamp:\t{}", out.time(meta.creation_timestamp.as_ref()));
        line!(out, 0, "Selector:\t{}", selector_text(&spec.selector));
        out.labels("", "Labels", meta.labels.as_ref());
        out.annotations("", meta.annotations.as_ref());
        line!(out, 0, "Replicas:\t{} desired | {total} total", spec.replicas.unwrap_or(1));
        let strategy = spec.update_strategy.clone().unwrap_or_default();
        line!(out, 0, "Update Strategy:\t{}", strategy.type_.as_deref().unwrap_or_default());
        if let Some(rolling) = &strategy.rolling_update {
            if let Some(partition) = rolling.partition {
                line!(out, 1, "Partition:\t{partition}");
            }
            match &rolling.max_unavailable {
                Some(IntOrString::Int(most)) => line!(out, 1, "MaxUnavailable:\t{most}"),
                Some(IntOrString::String(most)) => line!(out, 1, "MaxUnavailable:\t{most}"),
                None => {}
            }
        }
        let is_own = |pod: &&Pod| controller_of(&pod.metadata).is_some_and(|owner| owner.uid == uid(meta));
        let phases: Vec<&str> = related
            .pods
            .iter()
            .filter(is_own)
            .filter_map(|pod| pod.status.as_ref()?.phase.as_deref())
            .collect();
        let count = |wanted: &str| phases.iter().filter(|phase| **phase == wanted).count();
        line!(
            out,
            0,
            "Pods Status:\t{} Running / {} Waiting / {} Succeeded / {} Failed",
            count("Running"),
            count("Pending"),
            count("Succeeded"),
            count("Failed")
        );
        out.pod_template(&spec.template);
        let claims = spec.volume_claim_templates.as_deref().unwrap_or_default();
        if claims.is_empty() {
            line!(out, 0, "Volume Claims:\t<none>");
            return;
        }
        line!(out, 0, "Volume Claims:");
        for claim in claims {
            describe_claim(out, claim);
        }
    }
}

impl Describe for ControllerRevision {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, true);
        line!(out, 0, "Revision:\t{}", self.revision);
        let template = self.data.as_ref().map(|data| data.0["spec"]["template"].clone());
        if let Some(template) = template.and_then(|template| serde_json::from_value(template).ok()) {
            out.pod_template(&template);
        }
    }
}

fn describe_claim(out: &mut Output<'_>, claim: &PersistentVolumeClaim) {
    let PersistentVolumeClaimSpec { storage_class_name, resources, access_modes, .. } =
        claim.spec.clone().unwrap_or_default();
    line!(out, 1, "Name:\t{}", name(&claim.metadata));
    line!(out, 1, "StorageClass:\t{}", storage_class_name.unwrap_or_default());
    out.labels("  ", "Labels", claim.metadata.labels.as_ref());
    // As labels are, for upstream prints both alike here.
    out.labels("  ", "Annotations", claim.metadata.annotations.as_ref());
    let requests = resources.and_then(|resources| resources.requests);
    let capacity = requests.and_then(|requests| requests.get("storage").cloned());
    line!(out, 1, "Capacity:\t{}", capacity.map_or_else(|| "<default>".to_owned(), |capacity| capacity.0));
    line!(out, 1, "Access Modes:\t{}", go_list(&access_modes.unwrap_or_default()));
}
