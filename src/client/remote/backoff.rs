//! How long to wait before something is tried again that has failed.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(10);

/// Each wait is twice the one before, up to a limit, and a random part of it comes on top, so that many that have lost the
/// same server do not come back at once.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    /// Before the first failure.
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// Something went well.
    pub(super) fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// Waits.
    pub(super) async fn sleep(&mut self) {
        let wait = self.0.mul_f64(1.0 + fastrand::f64() / 4.0);
        self.0 = (self.0 * 2).min(LONGEST);
        tokio::time::sleep(wait).await;
    }
}
