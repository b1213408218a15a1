//! What every container may use of this machine, whoever has started us.

use std::sync::OnceLock;

/// How the C library calls a resource.
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
/// How the C library calls a resource.
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// A resource, what a container should have of it, and what this user can give it in any case.
pub(super) type Limit = (Resource, libc::rlimit, libc::rlimit);

/// Open files of a container at first, and how far it may raise that.
const OPEN_FILES: libc::rlimit = libc::rlimit { rlim_cur: 65_536, rlim_max: 1_048_576 };
/// Stack of a container's threads.
const STACK: libc::rlim_t = 8 << 20;

/// The limits of every container, whoever has started us: none, but for the usual bounds on open files and stacks, and without
/// core dumps. Only who has CAP_SYS_RESOURCE, as root mostly, can raise a hard limit: of others the inherited ones stay.
pub(super) fn standard_limits() -> &'static [Limit] {
    static LIMITS: OnceLock<Vec<Limit>> = OnceLock::new();
    LIMITS.get_or_init(|| {
        let resources = [
            libc::RLIMIT_AS,
            libc::RLIMIT_CORE,
            libc::RLIMIT_CPU,
            libc::RLIMIT_DATA,
            libc::RLIMIT_FSIZE,
            libc::RLIMIT_MEMLOCK,
            libc::RLIMIT_NOFILE,
            libc::RLIMIT_NPROC,
            libc::RLIMIT_STACK,
        ];
        resources.into_iter().filter_map(standard_limit).collect()
    })
}

fn standard_limit(resource: Resource) -> Option<Limit> {
    let mut inherited = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is ours and lives through the call.
    if unsafe { libc::getrlimit(resource, &raw mut inherited) } != 0 {
        return None;
    }
    let none = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let wanted = match resource {
        libc::RLIMIT_CORE => libc::rlimit { rlim_cur: 0, ..none },
        libc::RLIMIT_STACK => libc::rlimit { rlim_cur: STACK, ..none },
        libc::RLIMIT_NOFILE => OPEN_FILES,
        _ => none,
    };
    let possible =
        libc::rlimit { rlim_cur: wanted.rlim_cur.min(inherited.rlim_max), rlim_max: inherited.rlim_max };
    Some((resource, wanted, possible))
}
