//! What of a security context holds for a container that is a process of this machine (kubernetes-behaviour 4.9; mechanisms 1).

#[cfg(test)]
mod tests;

use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SecurityContext};

use super::{Container, PodSpec};

/// Who starts containers on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user: 0 may become anybody.
    pub user: u32,
    /// The group.
    pub group: u32,
}

/// As whom a container runs, and with what rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// The user, where it is not who starts the container.
    pub user: Option<u32>,
    /// The group, where it is another.
    pub group: Option<u32>,
    /// Further groups; `None` leaves them as they are.
    pub groups: Option<Vec<u32>>,
    /// Whether no program may give it more rights.
    pub no_new_privileges: bool,
    /// The capabilities that it may have at most, a bit each; `None` leaves them as they are.
    pub capabilities: Option<u64>,
    /// Whether it can write to its volumes only.
    pub read_only_root: bool,
    /// What is asked for and not in force: fields of the container's or the pod's security context.
    pub not_in_force: Vec<&'static str>,
}

/// What a pod's context says of its volumes: the group that they belong to.
pub fn fs_group(spec: &PodSpec) -> Option<u32> {
    u32::try_from(spec.security_context.as_ref()?.fs_group?).ok()
}

impl Security {
    /// The context of a container within its pod's.
    ///
    /// # Errors
    /// Upstream's sentence about a container that must not run as root and would.
    pub fn of(spec: &PodSpec, container: &Container, me: Identity) -> Result<Self, String> {
        let none = (PodSecurityContext::default(), SecurityContext::default());
        let pod = spec.security_context.as_ref().unwrap_or(&none.0);
        let own = container.security_context.as_ref().unwrap_or(&none.1);
        let id = |own: Option<i64>, of_pod: Option<i64>| own.or(of_pod).and_then(|id| u32::try_from(id).ok());
        let (user, group) = (id(own.run_as_user, pod.run_as_user), id(own.run_as_group, pod.run_as_group));
        if own.run_as_non_root.or(pod.run_as_non_root) == Some(true) && user.unwrap_or(me.user) == 0 {
            return Err(if user.is_some() {
                "container's runAsUser breaks non-root policy".into()
            } else {
                "container has runAsNonRoot and image will run as root".into()
            });
        }
        let mut security = Self {
            user: user.filter(|user| *user != me.user),
            // Who becomes another does not keep the group of who was before.
            group: group.or(user.filter(|user| *user != me.user)).filter(|group| *group != me.group),
            no_new_privileges: own.allow_privilege_escalation == Some(false),
            capabilities: own.capabilities.as_ref().and_then(allowed),
            read_only_root: own.read_only_root_filesystem == Some(true),
            ..Self::default()
        };
        let mut groups: Vec<u32> =
            pod.supplemental_groups.iter().flatten().filter_map(|group| u32::try_from(*group).ok()).collect();
        groups.extend(fs_group(spec));
        if me.user == 0 {
            let changes = security.user.is_some() || security.group.is_some() || !groups.is_empty();
            security.groups = changes.then_some(groups);
        } else {
            // All ids but one's own are out of reach: within a user namespace one may be called by another.
            let mut not_in_force = |is_asked: bool, field| {
                if is_asked {
                    security.not_in_force.push(field);
                }
            };
            not_in_force(groups.iter().any(|group| *group != me.group), "supplementalGroups and fsGroup");
            not_in_force(own.privileged == Some(true), "privileged");
            let adds = own.capabilities.as_ref().and_then(|all| all.add.as_ref());
            not_in_force(adds.is_some_and(|add| !add.is_empty()), "capabilities.add");
        }
        Ok(security)
    }

    /// Whether it takes a user namespace: an ordinary user who is to be called by another number.
    pub fn needs_user_namespace(&self, me: Identity) -> bool {
        me.user != 0 && (self.user.is_some() || self.group.is_some())
    }
}

/// The capabilities by their numbers.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What is left of all capabilities; `None` where none is dropped.
fn allowed(capabilities: &Capabilities) -> Option<u64> {
    let bits = |names: &Option<Vec<String>>| {
        let names = names.iter().flatten().map(|name| name.to_ascii_uppercase());
        names.fold(0_u64, |bits, name| {
            let name = name.strip_prefix("CAP_").unwrap_or(&name);
            let bit = CAPABILITIES.iter().position(|known| *known == name);
            bits | if name == "ALL" { u64::MAX } else { bit.map_or(0, |bit| 1 << bit) }
        })
    };
    let dropped = bits(&capabilities.drop);
    (dropped != 0).then(|| !dropped | bits(&capabilities.add))
}
