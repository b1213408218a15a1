//! What a controller in the background has to say: nobody sees its standard error.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{Store, write_atomic};

/// The log is begun anew beyond this size; the one before stays beside it.
const LARGEST_LOG: u64 = 64 << 10;
/// A failure this long after the last one is the first of a row.
const ROW_ENDS_AFTER: Duration = Duration::minutes(5);

/// Failures of controllers, one soon after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerFailures {
    /// How many in a row.
    pub count: u32,
    /// When the last was.
    pub at: DateTime<Utc>,
    /// Why.
    pub error: String,
}

impl ControllerFailures {
    /// How long the last one that failed waits before the next: a second, doubled for each further one, at most a minute.
    pub fn wait(&self) -> Duration {
        Duration::seconds(1 << self.count.saturating_sub(1).min(6)).min(Duration::minutes(1))
    }
}

impl Store {
    fn controller_log_path(&self) -> PathBuf {
        self.root().join("controller.log")
    }

    fn failures_path(&self) -> PathBuf {
        self.root().join("controller.failed")
    }

    /// Adds a line to the controller's log. One that cannot be written is left out.
    pub fn log_for_controller(&self, now: DateTime<Utc>, text: &str) {
        let path = self.controller_log_path();
        if fs::metadata(&path).is_ok_and(|found| found.len() > LARGEST_LOG) {
            #[expect(clippy::disallowed_methods, reason = "the full log makes way for the next")]
            let _ = fs::rename(&path, self.root().join("controller.log.1"));
        }
        let line =
            format!("{} {}\n", now.to_rfc3339_opts(SecondsFormat::Secs, true), text.replace('\n', " "));
        if self.is_laid_out()
            && let Ok(mut file) = OpenOptions::new().create(true).append(true).mode(0o600).open(path)
        {
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// The last lines of the controller's log.
    pub fn controller_log(&self, most: usize) -> Vec<String> {
        let bytes = fs::read(self.controller_log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(most)..].iter().map(|line| (*line).to_owned()).collect()
    }

    /// Notes that a controller has failed, and how often in a row by now.
    pub fn note_controller_failure(&self, now: DateTime<Utc>, error: &str) -> ControllerFailures {
        self.log_for_controller(now, &format!("the controller ended: {error}"));
        let before = self.controller_failures().filter(|last| now - last.at < ROW_ENDS_AFTER);
        let count = before.map_or(0, |last| last.count).saturating_add(1);
        let failures = ControllerFailures { count, at: now, error: error.to_owned() };
        if self.is_laid_out()
            && let Ok(text) = serde_json::to_string(&failures)
        {
            let _ = write_atomic(&self.failures_path(), text.as_bytes());
        }
        failures
    }

    /// Failures of controllers since one has ended well.
    pub fn controller_failures(&self) -> Option<ControllerFailures> {
        serde_json::from_slice(&fs::read(self.failures_path()).ok()?).ok()
    }

    /// A controller has ended well.
    pub fn forget_controller_failures(&self) {
        let _ = fs::remove_file(self.failures_path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_counted_and_the_log_is_bounded() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time");
        assert_eq!(store.controller_failures(), None);
        let waits: Vec<i64> = (0..9)
            .map(|number| store.note_controller_failure(at(number), "no\nroom").wait().num_seconds())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(store.controller_failures().map(|last| (last.count, last.at)), Some((9, at(8))));
        assert_eq!(store.controller_log(1), ["2023-11-14T22:13:28Z the controller ended: no room"]);
        assert_eq!(store.note_controller_failure(at(1000), "x").count, 1, "a new row");
        store.forget_controller_failures();
        assert_eq!(store.controller_failures(), None);
        for _ in 0..3000 {
            store.log_for_controller(at(0), &"x".repeat(100));
        }
        let size = |name: &str| fs::metadata(store.root().join(name)).expect("a log").len();
        assert!(size("controller.log") + size("controller.log.1") < 3 * LARGEST_LOG);
    }
}
