//! Rules about the rights of containers (ValidateSecurityContext, validatePodSpecSecurityContext).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl,
};

use super::paths::descending;
use super::value;
use super::{quoted, windows};
use crate::api::status_error::FieldError;

const IDS: core::ops::RangeInclusive<i64> = 0..=2_147_483_647;
const ID: &str = "must be between 0 and 2147483647, inclusive";

const FS_GROUP_POLICIES: [&str; 2] = ["Always", "OnRootMismatch"];
const GROUPS_POLICIES: [&str; 2] = ["Merge", "Strict"];
const SE_LINUX_POLICIES: [&str; 2] = ["MountOption", "Recursive"];
const PROC_MOUNTS: [&str; 2] = ["Default", "Unmasked"];
/// The kinds of profiles, of seccomp as of AppArmor.
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// The longest path of an AppArmor profile.
const LONGEST_PROFILE: usize = 4095;
const LONGEST_SYSCTL: usize = 253;
const SYSCTL: &str = "must have at most 253 characters and match regex \
                      ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
/// What of the kernel's settings is a pod's own, by the namespace that it is in.
const NETWORK: &str = "net.";
const MESSAGE_QUEUES: &str = "fs.mqueue.";
const IPC: [&str; 10] = [
    "kernel.msg",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
];

/// Everything wrong with the rights of a container.
pub(super) fn validate_container(
    context: &SecurityContext,
    has_host_users: bool,
    path: &str,
) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    errors.extend(validate_id(context.run_as_user, &at("runAsUser")));
    errors.extend(validate_id(context.run_as_group, &at("runAsGroup")));
    if let Some(mount) = context.proc_mount.as_deref() {
        if !PROC_MOUNTS.contains(&mount) {
            errors.push(FieldError::unsupported(at("procMount"), quoted(mount), &PROC_MOUNTS));
        }
        if has_host_users && mount == "Unmasked" {
            let detail = "`hostUsers` must be false to use `Unmasked`";
            errors.push(FieldError::invalid(at("procMount"), quoted(mount), detail));
        }
    }
    errors.extend(validate_seccomp(context.seccomp_profile.as_ref(), &at("seccompProfile")));
    if context.allow_privilege_escalation == Some(false) {
        let invalid = |detail| FieldError::invalid(path, value::security_context(context), detail);
        if context.privileged == Some(true) {
            errors.push(invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
        }
        let added = context.capabilities.iter().flat_map(|capabilities| capabilities.add.iter().flatten());
        errors.extend(added.filter(|capability| *capability == "CAP_SYS_ADMIN").map(|_| {
            invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
        }));
    }
    errors.extend(windows::validate_options(context.windows_options.as_ref(), &at("windowsOptions")));
    errors.extend(validate_app_armor(context.app_armor_profile.as_ref(), &at("appArmorProfile")));
    errors
}

/// Everything wrong with the rights that all containers of a pod have. `path` is that of the pod's spec.
pub(super) fn validate_pod(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.securityContext.{field}");
    let none = PodSecurityContext::default();
    let context = spec.security_context.as_ref().unwrap_or(&none);
    let mut errors = Vec::new();
    errors.extend(validate_id(context.fs_group, &at("fsGroup")));
    errors.extend(validate_id(context.run_as_user, &at("runAsUser")));
    errors.extend(validate_id(context.run_as_group, &at("runAsGroup")));
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        errors.extend(validate_id(Some(*group), &at(&format!("supplementalGroups[{index}]"))));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        // In the server's own types these two are part of the security context.
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(at("shareProcessNamespace"), true, detail));
    }
    errors.extend(validate_sysctls(context.sysctls.as_deref().unwrap_or_default(), spec, &at("sysctls")));
    errors.extend(validate_word(
        context.fs_group_change_policy.as_deref(),
        &FS_GROUP_POLICIES,
        &at("fsGroupChangePolicy"),
    ));
    errors.extend(validate_seccomp(context.seccomp_profile.as_ref(), &at("seccompProfile")));
    errors.extend(windows::validate_options(context.windows_options.as_ref(), &at("windowsOptions")));
    errors.extend(validate_app_armor(context.app_armor_profile.as_ref(), &at("appArmorProfile")));
    errors.extend(validate_word(
        context.supplemental_groups_policy.as_deref(),
        &GROUPS_POLICIES,
        &at("supplementalGroupsPolicy"),
    ));
    errors.extend(validate_word(
        context.se_linux_change_policy.as_deref(),
        &SE_LINUX_POLICIES,
        &at("seLinuxChangePolicy"),
    ));
    errors
}

fn validate_id(id: Option<i64>, field: &str) -> Option<FieldError> {
    let id = id.filter(|id| !IDS.contains(id))?;
    Some(FieldError::invalid(field, id, ID))
}

fn validate_word(word: Option<&str>, known: &[&str], field: &str) -> Option<FieldError> {
    let word = word.filter(|word| !known.contains(word))?;
    Some(FieldError::unsupported(field, quoted(word), known))
}

fn validate_sysctls(sysctls: &[Sysctl], spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, sysctl) in sysctls.iter().enumerate() {
        let field = format!("{path}[{index}].name");
        let name = sysctl.name.as_str();
        if name.is_empty() {
            errors.push(FieldError::required(&field, ""));
        } else if !is_sysctl(name) {
            errors.push(FieldError::invalid(&field, quoted(name), SYSCTL));
        } else if seen.contains(name) {
            errors.push(FieldError::duplicate(&field, quoted(name)));
        }
        let dotted = with_dots(name);
        let is_of_ipc = IPC.contains(&dotted.as_str()) || dotted.starts_with(MESSAGE_QUEUES);
        for (shared, is_of_it, detail) in [
            (
                spec.host_network,
                dotted.starts_with(NETWORK),
                "may not be specified when 'hostNetwork' is true",
            ),
            (spec.host_ipc, is_of_ipc, "may not be specified when 'hostIPC' is true"),
        ] {
            if shared == Some(true) && is_of_it {
                errors.push(FieldError::invalid(&field, quoted(name), detail));
            }
        }
        seen.insert(name);
    }
    errors
}

/// Whether a text has the form of a setting's name: words between dots or slashes.
fn is_sysctl(name: &str) -> bool {
    let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= LONGEST_SYSCTL
        && name.split(['.', '/']).all(|word| {
            let bytes = word.as_bytes();
            bytes.first().is_some_and(|byte| is_end(*byte))
                && bytes.last().is_some_and(|byte| is_end(*byte))
                && bytes.iter().all(|byte| is_end(*byte) || b"-_".contains(byte))
        })
}

/// A setting's name with dots between its words: where the first separator is a slash, dots stand for slashes in words.
fn with_dots(name: &str) -> String {
    if name.find(['.', '/']).is_none_or(|at| name.as_bytes()[at] == b'.') {
        return name.to_owned();
    }
    name.chars()
        .map(|c| {
            if c == '/' {
                '.'
            } else if c == '.' {
                '/'
            } else {
                c
            }
        })
        .collect()
}

fn validate_seccomp(profile: Option<&SeccompProfile>, path: &str) -> Vec<FieldError> {
    let Some(profile) = profile else { return Vec::new() };
    let mut errors = Vec::new();
    let (kind, file) = (format!("{path}.type"), format!("{path}.localhostProfile"));
    match profile.type_.as_str() {
        "" => errors.push(FieldError::required(kind, "type is required when seccompProfile is set")),
        known if PROFILES.contains(&known) => {}
        other => errors.push(FieldError::unsupported(kind, quoted(other), &PROFILES)),
    }
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Localhost", None) => {
            errors.push(FieldError::required(file, "must be set when seccomp type is Localhost"));
        }
        ("Localhost", Some(name)) => errors.extend(descending(name, &file)),
        (_, None) => {}
        (_, Some(_)) => {
            let shown = value::seccomp_profile(profile);
            errors.push(FieldError::invalid(file, shown, "can only be set when seccomp type is Localhost"));
        }
    }
    errors
}

fn validate_app_armor(profile: Option<&AppArmorProfile>, path: &str) -> Vec<FieldError> {
    let Some(profile) = profile else { return Vec::new() };
    let (kind, file) = (format!("{path}.type"), format!("{path}.localhostProfile"));
    let missing = || FieldError::required(&file, "must be set when AppArmor type is Localhost");
    let mut errors = Vec::new();
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => errors.push(missing()),
        ("Localhost", Some(name)) => {
            if name.trim() != name {
                let detail = "must not be padded with whitespace";
                errors.push(FieldError::invalid(&file, quoted(name), detail));
            } else if name.is_empty() {
                errors.push(missing());
            }
            if name.len() > LONGEST_PROFILE {
                errors.push(FieldError::too_long(&file, LONGEST_PROFILE));
            }
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            let detail = "can only be set when AppArmor type is Localhost";
            errors.push(FieldError::invalid(&file, quoted(name), detail));
        }
        ("", _) => errors.push(FieldError::required(kind, "type is required when appArmorProfile is set")),
        (other, _) => errors.push(FieldError::unsupported(kind, quoted(other), &PROFILES)),
    }
    errors
}

/// Whether the AppArmor profile of a container is one that a server takes.
pub(super) fn is_good_app_armor(profile: &AppArmorProfile) -> bool {
    validate_app_armor(Some(profile), "").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_settings_may_have_slashes() {
        for (name, is_good) in [
            ("kernel.sem", true),
            ("net/ipv4/conf/eno2.100/rp_filter", true),
            ("net.ipv4.conf.eno2/100.rp_filter", true),
            ("Kernel.sem", false),
            ("a..b", false),
            ("-a", false),
            ("a-", false),
        ] {
            assert_eq!(is_sysctl(name), is_good, "{name}");
        }
        assert_eq!(with_dots("net/ipv4/conf/eno2.100/x"), "net.ipv4.conf.eno2/100.x");
        assert_eq!(with_dots("net.ipv4.conf.eno2/100.x"), "net.ipv4.conf.eno2/100.x");
    }
}
