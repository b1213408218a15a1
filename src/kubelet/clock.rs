//! The time as it passes, the time in which the machine slept included.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::time::{ClockId, clock_gettime};

/// The time since the machine was started.
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// A clock that begins with a reading of the wall clock: somebody who sets that later neither shortens nor prolongs what is
/// measured by this one.
#[derive(Clone, Copy, Debug)]
pub struct SteadyClock {
    start: DateTime<Utc>,
    since: Duration,
}

impl SteadyClock {
    /// Begins at what the wall clock says.
    pub fn start(now: DateTime<Utc>) -> Self {
        Self { start: now, since: since_boot() }
    }

    /// The time by this clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.start + since_boot().saturating_sub(self.since)
    }
}
