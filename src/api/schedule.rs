//! Schedules of CronJobs: what their text means and when they fire. All schedule text is read here (kubernetes-behaviour
//! 3.6: the standard parser of robfig/cron v3).
//!
//! Upstream's rules hold but around clock changes, where its library skips runs and doubles others. Here no run is lost
//! or doubled, as in Debian's cron: a fixed time that the clock skips fires at the first moment after the gap, one that
//! comes twice fires the first time only. Where the hour is open (`*`, `?` or `*/N`) the schedule just follows the clock.
//! The `cron` crate reads other text (seconds, Sunday as 1, both day fields at once) and has no such rules.

mod next;
mod parse;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

/// What is said of a schedule that names its zone itself, which upstream's library reads and its API refuses.
pub const ZONE_IN_SCHEDULE: &str = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";

/// When a CronJob fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Five fields of the calendar, or a word for them.
    Calendar(Calendar),
    /// `@every`: so long after the last time.
    Every(Duration),
}

/// The five fields, each as a set of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both day fields must match where one of them is open, otherwise one of the two.
    both_days: bool,
    /// The hour is open: the schedule follows elapsed time through clock changes.
    open_hour: bool,
}

impl FromStr for Schedule {
    type Err = String;

    /// Reads a schedule; the error is the sentence of upstream's parser.
    fn from_str(text: &str) -> Result<Self, String> {
        parse::schedule(text)
    }
}

impl Schedule {
    /// The first time after `after`; `None` where there is none within five years.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(interval) => Some(whole_second(after) + *interval),
            Self::Calendar(calendar) => next::next(calendar, after, zone),
        }
    }

    /// The last time after `after` and not after `now`.
    pub fn last(&self, after: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        if let Self::Every(interval) = self {
            let start = whole_second(after);
            let count = (now - start).num_seconds().div_euclid(interval.num_seconds().max(1));
            return (count > 0).then(|| start + *interval * i32::try_from(count).unwrap_or(i32::MAX));
        }
        // Going back in growing steps finds the last of a million missed times among the last few.
        let mut window = Duration::hours(1);
        loop {
            let from = after.max(now - window);
            let mut found = None;
            let mut at = from;
            while let Some(next) = self.next(at, zone).filter(|next| *next <= now) {
                found = Some(next);
                at = next;
            }
            if found.is_some() || from == after {
                return found;
            }
            window = window * 24;
        }
    }
}

/// Every whole second has its own place on the clock; fractions of one do not count.
fn whole_second(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time)
}

/// Finds a time zone as `spec.timeZone` names it.
///
/// # Errors
/// `unknown time zone X`.
pub fn zone(name: &str) -> Result<Tz, String> {
    // The same zones stand under `posix/` in a system's database, which a real server reads.
    let plain = name.strip_prefix("posix/").unwrap_or(name);
    plain.parse::<Tz>().map_err(|_| format!("unknown time zone {name}"))
}
