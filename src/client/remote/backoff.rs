//! How long to wait before something is tried again that has failed.

use std::iter::Take;
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(10);
/// How often something is tried again that is given up in the end.
const TRIES: usize = 5;

/// Waits without an end: each is twice the one before, up to a limit.
#[derive(Clone, Debug)]
pub(super) struct Waits(Duration);

impl Waits {
    /// Those before something is given up.
    pub(super) fn few() -> Take<Self> {
        Self(FIRST).take(TRIES)
    }
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        Some(wait)
    }
}

/// Waits for what is tried again and again. A random part of each comes on top, so that many that have lost the same server do not
/// come back at once.
#[derive(Debug)]
pub(super) struct Backoff(Waits);

impl Backoff {
    /// Before the first failure.
    pub(super) fn new() -> Self {
        Self(Waits(FIRST))
    }

    /// Something went well.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    /// Waits.
    pub(super) async fn sleep(&mut self) {
        if let Some(wait) = self.0.next() {
            tokio::time::sleep(wait.mul_f64(1.0 + fastrand::f64() / 4.0)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let milliseconds = |waits: Vec<Duration>| waits.iter().map(Duration::as_millis).collect::<Vec<_>>();
        assert_eq!(milliseconds(Waits::few().collect()), [100, 200, 400, 800, 1600]);
        let waits = Waits(FIRST).skip(5).take(4).collect();
        assert_eq!(milliseconds(waits), [3200, 6400, 10_000, 10_000]);
    }
}
