//! How values look inside `Invalid value: V`: strings as Go quotes them, everything else as JSON.
//!
//! A server prints its own types: fields in the order of their declaration and, where these types are internal to it,
//! under the names and with the nulls of Go.

use k8s_openapi::api::batch::v1::{PodFailurePolicy, SuccessPolicy};
use k8s_openapi::api::core::v1::{
    AppArmorProfile, Capabilities, NodeSelectorRequirement, NodeSelectorTerm, PodResourceClaim,
    SELinuxOptions, SeccompProfile, SecurityContext, WindowsSecurityContextOptions,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use serde::Serialize;

/// Anything else, as compact JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// JSON with fields in the order given; those without a value are left out.
fn fields(fields: &[(&str, Option<String>)]) -> String {
    let given = fields.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", value.as_ref()?)));
    format!("{{{}}}", given.collect::<Vec<_>>().join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// An owner, in the order of the API.
pub(super) fn owner(owner: &OwnerReference) -> String {
    fields(&[
        ("apiVersion", Some(json(&owner.api_version))),
        ("kind", Some(json(&owner.kind))),
        ("name", Some(json(&owner.name))),
        ("uid", Some(json(&owner.uid))),
        ("controller", owner.controller.as_ref().map(json)),
        ("blockOwnerDeletion", owner.block_owner_deletion.as_ref().map(json)),
    ])
}

/// A selector, in the order of the API.
pub(super) fn selector(selector: &LabelSelector) -> String {
    fields(&[
        ("matchLabels", selector.match_labels.as_ref().map(json)),
        ("matchExpressions", selector.match_expressions.as_ref().map(json)),
    ])
}

/// Several owners.
pub(super) fn owners(owners: &[OwnerReference]) -> String {
    list(owners.iter().map(owner))
}

/// A successPolicy, as the server's own type.
pub(super) fn success_policy(policy: &SuccessPolicy) -> String {
    let rules = policy.rules.iter().map(|rule| {
        fields(&[
            ("SucceededIndexes", Some(json(&rule.succeeded_indexes))),
            ("SucceededCount", Some(json(&rule.succeeded_count))),
        ])
    });
    fields(&[("Rules", Some(list(rules)))])
}

/// A podFailurePolicy, as the server's own type.
pub(super) fn pod_failure_policy(policy: &PodFailurePolicy) -> String {
    let rules = policy.rules.iter().map(|rule| {
        let codes = rule.on_exit_codes.as_ref().map(|codes| {
            fields(&[
                ("ContainerName", Some(json(&codes.container_name))),
                ("Operator", Some(json(&codes.operator))),
                ("Values", Some(json(&codes.values))),
            ])
        });
        let conditions = rule.on_pod_conditions.as_ref().map(|conditions| {
            list(conditions.iter().map(|condition| {
                fields(&[("Type", Some(json(&condition.type_))), ("Status", Some(json(&condition.status)))])
            }))
        });
        let or_null = |value: Option<String>| Some(value.unwrap_or_else(|| "null".to_owned()));
        fields(&[
            ("Action", Some(json(&rule.action))),
            ("OnExitCodes", or_null(codes)),
            ("OnPodConditions", or_null(conditions)),
        ])
    });
    fields(&[("Rules", Some(list(rules)))])
}

/// A value in Go's JSON, `null` for one that is not there.
fn or_null<T>(value: Option<&T>, shown: impl Fn(&T) -> String) -> Option<String> {
    Some(value.map_or_else(|| "null".to_owned(), shown))
}

fn text(value: Option<&String>) -> Option<String> {
    Some(json(&value.map(String::as_str).unwrap_or_default()))
}

/// A list, `null` where it is empty.
fn listed(values: Option<&Vec<String>>) -> Option<String> {
    or_null(values.filter(|values| !values.is_empty()), json)
}

/// The claim of a device, as the server's own type.
pub(super) fn pod_resource_claim(claim: &PodResourceClaim) -> String {
    fields(&[
        ("Name", Some(json(&claim.name))),
        ("ResourceClaimName", or_null(claim.resource_claim_name.as_ref(), json)),
        ("ResourceClaimTemplateName", or_null(claim.resource_claim_template_name.as_ref(), json)),
    ])
}

/// The rights of a container, as the server's own type.
pub(super) fn security_context(context: &SecurityContext) -> String {
    fields(&[
        ("Capabilities", or_null(context.capabilities.as_ref(), capabilities)),
        ("Privileged", or_null(context.privileged.as_ref(), json)),
        ("SELinuxOptions", or_null(context.se_linux_options.as_ref(), se_linux_options)),
        ("WindowsOptions", or_null(context.windows_options.as_ref(), windows_options)),
        ("RunAsUser", or_null(context.run_as_user.as_ref(), json)),
        ("RunAsGroup", or_null(context.run_as_group.as_ref(), json)),
        ("RunAsNonRoot", or_null(context.run_as_non_root.as_ref(), json)),
        ("ReadOnlyRootFilesystem", or_null(context.read_only_root_filesystem.as_ref(), json)),
        ("AllowPrivilegeEscalation", or_null(context.allow_privilege_escalation.as_ref(), json)),
        ("ProcMount", or_null(context.proc_mount.as_ref(), json)),
        ("SeccompProfile", or_null(context.seccomp_profile.as_ref(), seccomp_profile)),
        ("AppArmorProfile", or_null(context.app_armor_profile.as_ref(), app_armor_profile)),
    ])
}

fn capabilities(capabilities: &Capabilities) -> String {
    fields(&[("Add", listed(capabilities.add.as_ref())), ("Drop", listed(capabilities.drop.as_ref()))])
}

fn se_linux_options(options: &SELinuxOptions) -> String {
    fields(&[
        ("User", text(options.user.as_ref())),
        ("Role", text(options.role.as_ref())),
        ("Type", text(options.type_.as_ref())),
        ("Level", text(options.level.as_ref())),
    ])
}

fn windows_options(options: &WindowsSecurityContextOptions) -> String {
    fields(&[
        ("GMSACredentialSpecName", or_null(options.gmsa_credential_spec_name.as_ref(), json)),
        ("GMSACredentialSpec", or_null(options.gmsa_credential_spec.as_ref(), json)),
        ("RunAsUserName", or_null(options.run_as_user_name.as_ref(), json)),
        ("HostProcess", or_null(options.host_process.as_ref(), json)),
    ])
}

/// A seccomp profile, as the server's own type.
pub(super) fn seccomp_profile(profile: &SeccompProfile) -> String {
    fields(&[
        ("Type", Some(json(&profile.type_))),
        ("LocalhostProfile", or_null(profile.localhost_profile.as_ref(), json)),
    ])
}

fn app_armor_profile(profile: &AppArmorProfile) -> String {
    fields(&[
        ("Type", Some(json(&profile.type_))),
        ("LocalhostProfile", or_null(profile.localhost_profile.as_ref(), json)),
    ])
}

/// A term of a node selector, as the server's own type.
pub(super) fn node_selector_term(term: &NodeSelectorTerm) -> String {
    let rules = |rules: Option<&Vec<NodeSelectorRequirement>>| {
        or_null(rules.filter(|rules| !rules.is_empty()), |rules| {
            list(rules.iter().map(|rule| {
                fields(&[
                    ("Key", Some(json(&rule.key))),
                    ("Operator", Some(json(&rule.operator))),
                    ("Values", listed(rule.values.as_ref())),
                ])
            }))
        })
    };
    fields(&[
        ("MatchExpressions", rules(term.match_expressions.as_ref())),
        ("MatchFields", rules(term.match_fields.as_ref())),
    ])
}

/// Several of them.
pub(super) fn node_selector_terms(terms: &[NodeSelectorTerm]) -> String {
    list(terms.iter().map(node_selector_term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_the_server_writes_its_own() {
        let selector_of = serde_json::json!({
            "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}], "matchLabels": {"c": "d"}});
        assert_eq!(
            selector(&serde_json::from_value(selector_of).expect("a selector")),
            r#"{"matchLabels":{"c":"d"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}"#
        );
        let policy = serde_json::json!({"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 2]}}]});
        assert_eq!(
            pod_failure_policy(&serde_json::from_value(policy).expect("a policy")),
            r#"{"Rules":[{"Action":"Ignore","OnExitCodes":null,"OnPodConditions":[{"Type":"DisruptionTarget","Status":"True"}]},{"Action":"FailJob","OnExitCodes":{"ContainerName":null,"Operator":"In","Values":[1,2]},"OnPodConditions":null}]}"#
        );
    }
}
