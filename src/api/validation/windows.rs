//! Rules about pods of one operating system, and about what is only for Windows (validateOS, validateLinux,
//! validateWindows, validateWindowsSecurityContextOptions, validateWindowsHostProcessPod).

use k8s_openapi::api::core::v1::{PodSpec, SecurityContext, WindowsSecurityContextOptions};

use super::{containers, each, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const SYSTEMS: [&str; 2] = ["linux", "windows"];
const NOT_FOR_WINDOWS: &str = "cannot be set for a windows pod";
const NOT_FOR_LINUX: &str = "windows options cannot be set for a linux pod";
/// The longest credentials, in KiB.
const LONGEST_CREDENTIALS: usize = 64;
const LONGEST_DOMAIN: usize = 256;
const LONGEST_USER: usize = 104;

/// Everything wrong with the pod's operating system, and with what does not go with it.
pub(super) fn validate_system(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    match spec.os.as_ref().map(|os| os.name.as_str()) {
        None => Vec::new(),
        Some("") => vec![FieldError::required(format!("{path}.os.name"), "cannot be empty")],
        Some("linux") => not_for_linux(spec, path),
        Some("windows") => not_for_windows(spec, path),
        Some(other) => vec![FieldError::unsupported(format!("{path}.os"), quoted(other), &SYSTEMS)],
    }
}

/// The security contexts of all containers, with their paths.
fn contexts<'a>(spec: &'a PodSpec, path: &str) -> Vec<(&'a SecurityContext, String)> {
    let contexts = containers::all(spec, path).into_iter().filter_map(|(container, path)| {
        Some((container.security_context?, format!("{path}.securityContext")))
    });
    contexts.collect()
}

fn not_for_linux(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let of_pod = spec.security_context.as_ref().and_then(|context| context.windows_options.as_ref());
    let of_pod = of_pod.map(|_| format!("{path}.securityContext"));
    let contexts = contexts(spec, path).into_iter();
    let of_containers =
        contexts.filter(|(context, _)| context.windows_options.is_some()).map(|(_, path)| path);
    of_pod
        .into_iter()
        .chain(of_containers)
        .map(|path| FieldError::forbidden(format!("{path}.windowsOptions"), NOT_FOR_LINUX))
        .collect()
}

fn not_for_windows(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let context = spec.security_context.clone().unwrap_or_default();
    let of_pod = [
        ("securityContext.appArmorProfile", context.app_armor_profile.is_some()),
        ("securityContext.seLinuxOptions", context.se_linux_options.is_some()),
        ("hostUsers", spec.host_users.is_some()),
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("securityContext.seccompProfile", context.seccomp_profile.is_some()),
        ("securityContext.fsGroup", context.fs_group.is_some()),
        ("securityContext.fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
        ("securityContext.sysctls", context.sysctls.is_some_and(|sysctls| !sysctls.is_empty())),
        ("shareProcessNamespace", spec.share_process_namespace.is_some()),
        ("securityContext.runAsUser", context.run_as_user.is_some()),
        ("securityContext.runAsGroup", context.run_as_group.is_some()),
        ("securityContext.supplementalGroups", context.supplemental_groups.is_some()),
        ("securityContext.supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
        ("securityContext.seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
    ];
    let mut errors = forbidden(&of_pod, path);
    for (context, path) in contexts(spec, path) {
        let of_container = [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ];
        errors.extend(forbidden(&of_container, &path));
    }
    errors
}

fn forbidden(fields: &[(&str, bool)], path: &str) -> Vec<FieldError> {
    let set = fields.iter().filter(|(_, is_set)| *is_set);
    set.map(|(field, _)| FieldError::forbidden(format!("{path}.{field}"), NOT_FOR_WINDOWS)).collect()
}

/// Everything wrong with what is set for Windows.
pub(super) fn validate_options(
    options: Option<&WindowsSecurityContextOptions>,
    path: &str,
) -> Vec<FieldError> {
    let Some(options) = options else { return Vec::new() };
    let mut errors = Vec::new();
    if let Some(name) = &options.gmsa_credential_spec_name {
        errors.extend(each(&names::dns_subdomain(name), &format!("{path}.gmsaCredentialSpecName"), name));
    }
    if let Some(credentials) = &options.gmsa_credential_spec {
        let problem = match credentials.len() {
            0 => Some("gmsaCredentialSpec cannot be an empty string".to_owned()),
            length if length > LONGEST_CREDENTIALS * 1024 => {
                Some(format!("gmsaCredentialSpec size must be under {LONGEST_CREDENTIALS} KiB"))
            }
            _ => None,
        };
        let field = format!("{path}.gmsaCredentialSpec");
        errors.extend(problem.map(|problem| FieldError::invalid(field, quoted(credentials), &problem)));
    }
    if let Some(user) = &options.run_as_user_name {
        errors.extend(each(&user_problems(user), &format!("{path}.runAsUserName"), user));
    }
    errors
}

/// What is wrong with the name of a user, `DOMAIN\USER` or `USER`.
fn user_problems(name: &str) -> Vec<String> {
    let one = |problem: &str| vec![format!("runAsUserName {problem}")];
    if name.is_empty() {
        return one("cannot be an empty string");
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return one("cannot contain control characters");
    }
    let (domain, user) = match name.split('\\').collect::<Vec<_>>()[..] {
        [user] => (None, user),
        [domain, user] => (Some(domain), user),
        _ => return one("cannot contain more than one backslash"),
    };
    let mut problems = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= LONGEST_DOMAIN) {
        problems.push(format!("runAsUserName's Domain length must be under {LONGEST_DOMAIN} characters"));
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_domain(domain)) {
        problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        problems.push("runAsUserName's User cannot be empty".to_owned());
    } else if user.len() > LONGEST_USER {
        problems
            .push(format!("runAsUserName's User length must not be longer than {LONGEST_USER} characters"));
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        problems.push("runAsUserName's User cannot contain only periods or spaces".to_owned());
    }
    if user.contains(|c: char| "\"/\\:;|=,+*?<>@[]".contains(c)) {
        let problem = "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]";
        problems.push(problem.to_owned());
    }
    problems
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(|c: char| "\\/:*?\"<>|".contains(c))
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// Containers that are processes of the host are so all together, and on its network; here they are not allowed.
pub(super) fn validate_host_processes(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let is_host_process = |options: &Option<WindowsSecurityContextOptions>| {
        options.as_ref().and_then(|options| options.host_process)
    };
    let of_pod = spec.security_context.as_ref().and_then(|context| is_host_process(&context.windows_options));
    let containers = containers::all(spec, path);
    let mut errors = Vec::new();
    let mut count = 0;
    for (container, place) in &containers {
        let own = container.security_context.and_then(|context| is_host_process(&context.windows_options));
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && own != of_pod
        {
            let detail =
                format!("pod hostProcess value must be identical if both are specified, was {of_pod}");
            let field = format!("{place}.securityContext.windowsOptions.hostProcess");
            errors.push(FieldError::invalid(field, own, &detail));
        }
        count += usize::from(own.or(of_pod) == Some(true));
    }
    if count == 0 {
        return errors;
    }
    if count != containers.len() {
        let detail =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(FieldError::invalid(path, "\"\"", detail));
    }
    if spec.host_network != Some(true) {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(FieldError::invalid(format!("{path}.hostNetwork"), false, detail));
    }
    errors.push(FieldError::forbidden(path, "hostProcess containers are disallowed by cluster policy"));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_windows_may_have_a_domain() {
        for (name, problems) in [
            ("ContainerUser", 0),
            ("NT AUTHORITY\\SYSTEM", 0),
            ("example.com\\u", 0),
            ("a-domain-longer-than-net-bios.example\\u", 0),
            ("", 1),
            ("a\tb", 1),
            ("a\\b\\c", 1),
            ("d\\", 1),
            (".hidden\\u", 1),
            ("...", 1),
            ("a@b", 1),
        ] {
            assert_eq!(user_problems(name).len(), problems, "{name}");
        }
    }
}
