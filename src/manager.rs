//! One pass, and the background controller that makes passes as long as there is work. This room reads the clock
//! once a pass and hands it down.

mod adopted;
mod check;
mod config;
mod config_file;
mod current_context;
mod devices;
mod endpoints;
mod engine;
mod follow;
mod holders;
mod hooks;
mod node;
mod notice;
mod outline;
mod request;
mod run;
mod timers;
mod trace;
mod world;

pub use check::{ControllerCheck, Pods, check_controller};
pub use config::{
    Config, DEFAULT_PATH, configure, configured, creator_umask, identity, session_environment, take_umask,
};
pub use config_file::KEYS as CONFIGURATION_KEYS;
pub use current_context::{
    ChosenContext, CurrentContext, choose_context, choose_namespace, choose_namespace_of,
};
pub use endpoints::{MADE_OF, show_endpoints};
pub use engine::{Engine, PassReport};
pub use follow::{CommitListener, Follower, wait_until_readable};
pub use holders::{Holder, holders};
pub use hooks::{run_hook_of_cron_job, take_and_run_hook};
pub use node::{register_node, show_default_namespace, show_node};
pub use notice::take_notices;
pub use request::{
    Companion, begin, begin_after, commit, commit_quietly, ensure_controller, restart_after_error,
    revive_controller, run_pass_here,
};
pub use run::{Controller, ControllerMode};
pub use trace::{start_trace, tell_trace};

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use chrono::{DateTime, Utc};

use crate::controller::ClockReading;
use crate::kubelet::{SteadyClock, since_boot};
use crate::store::{boot_id, clock_offset};

/// The current time. Everything below the manager gets it as an argument.
#[expect(clippy::disallowed_methods, reason = "the manager reads the clock for everybody")]
pub fn clock() -> DateTime<Utc> {
    Utc::now() + clock_offset()
}

/// The time as it passes, for waiting: somebody who sets the clock neither shortens nor prolongs it. It begins with the wall
/// clock's time at the first call of this process.
pub fn steady_clock() -> DateTime<Utc> {
    static CLOCK: OnceLock<SteadyClock> = OnceLock::new();
    CLOCK.get_or_init(|| SteadyClock::start(clock())).now()
}

/// The wall clock, just read as `now`, as it stands: by this somebody who sets it is noticed.
pub(crate) fn clock_reading(now: DateTime<Utc>) -> ClockReading {
    static BOOT: OnceLock<u64> = OnceLock::new();
    let boot = *BOOT.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        boot_id().hash(&mut hasher);
        hasher.finish()
    });
    let since_boot = since_boot().as_millis() as i64;
    ClockReading { boot, offset: now.timestamp_millis() - since_boot }
}

/// A seed for names and uids, from the system's randomness.
pub fn seed() -> u64 {
    fastrand::u64(..)
}
