//! Old annotations for AppArmor, which the API server writes into the fields that have replaced them
//! (applyAppArmorVersionSkew).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, SecurityContext};

use crate::api::validation::{APP_ARMOR_ANNOTATION, app_armor_of_annotation};

/// Gives the containers of a new pod the profiles that its annotations name, unless they have one.
pub(super) fn add_profiles(spec: &mut PodSpec, annotations: Option<&BTreeMap<String, String>>) {
    let is_windows = spec.os.as_ref().is_some_and(|os| os.name == "windows");
    let Some(annotations) = annotations.filter(|_| !is_windows) else { return };
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.clone());
    let profile_of = |name: &str| {
        let profile = app_armor_of_annotation(annotations.get(&format!("{APP_ARMOR_ANNOTATION}{name}"))?)?;
        (of_pod.as_ref() != Some(&profile)).then_some(profile)
    };
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        let Some(profile) = profile_of(&container.name) else { continue };
        let context = container.security_context.get_or_insert_with(SecurityContext::default);
        context.app_armor_profile.get_or_insert(profile);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_gets_the_profile_of_its_annotation_unless_it_has_one() {
        let mut spec: PodSpec = serde_json::from_value(json!({"containers": [
            {"name": "a"}, {"name": "b", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, {"name": "c"}]}))
        .expect("a pod spec");
        let annotations = [("a", "localhost/p"), ("b", "runtime/default"), ("c", "nonsense")]
            .map(|(name, value)| (format!("{APP_ARMOR_ANNOTATION}{name}"), value.to_owned()));
        add_profiles(&mut spec, Some(&annotations.into()));
        let profiles: Vec<_> =
            spec.containers.iter().map(|c| json!(c)["securityContext"]["appArmorProfile"].clone()).collect();
        assert_eq!(
            profiles,
            [
                json!({"type": "Localhost", "localhostProfile": "p"}),
                json!({"type": "Unconfined"}),
                json!(null)
            ]
        );
    }
}
