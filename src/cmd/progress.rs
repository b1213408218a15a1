//! One line on stderr that says what a verb is waiting for, and renews itself. It is there for a person at a terminal, and for
//! nobody else.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use rustix::fs::{FileType, fstat};
use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};

use super::output::complain;
use crate::client::Follower;
use crate::manager::steady_clock;
use crate::printers::terminal::escaped;

/// What is over before that needs no line.
const DELAY: Duration = Duration::milliseconds(500);
/// How often the line is renewed.
const RENEW: Duration = Duration::milliseconds(200);
/// How wide a terminal is that does not say it.
const COLUMNS: usize = 80;

/// The line of this process.
struct Line {
    /// Whether somebody draws it: one at a time.
    has_owner: bool,
    is_drawn: bool,
    /// Whether what was printed last has not ended its own line.
    is_mid_line: bool,
    /// Whether the process is about to end.
    is_over: bool,
}

static LINE: Mutex<Line> =
    Mutex::new(Line { has_owner: false, is_drawn: false, is_mid_line: false, is_over: false });

fn line() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// What takes it away: the cursor stands at its beginning, so that this holds for a line that a narrower terminal has
    /// wrapped, too.
    fn erasure(&mut self) -> &'static [u8] {
        if std::mem::take(&mut self.is_drawn) { b"\r\x1b[J" } else { b"" }
    }

    fn erase(&mut self) {
        let erasure = self.erasure();
        if !erasure.is_empty() {
            let _ = io::stderr().lock().write_all(erasure);
        }
    }

    fn draw(&mut self, text: &str) {
        if self.is_over || self.is_mid_line || !is_in_foreground() {
            return;
        }
        let mut bytes = self.erasure().to_vec();
        // The last column is left free: writing there wraps the line on some terminals.
        let shown = escaped(text).chars().take(columns().saturating_sub(1)).collect::<String>();
        bytes.extend_from_slice(shown.as_bytes());
        bytes.push(b'\r');
        self.is_drawn = io::stderr().lock().write_all(&bytes).is_ok();
    }
}

/// To be called before something is written to stdout.
pub(super) fn make_way() {
    line().erase();
}

/// To be called after something was written to stdout.
pub(super) fn printed(bytes: &[u8]) {
    if let Some(last) = bytes.last() {
        line().is_mid_line = *last != b'\n';
    }
}

/// Writes to stderr, in the place of the line.
pub(super) fn write_to_stderr(bytes: &[u8]) {
    let mut line = line();
    let all = [line.erasure(), bytes].concat();
    let _ = io::stderr().lock().write_all(&all);
}

/// Takes the line away for good, because the process ends.
pub(super) fn end() {
    let mut line = line();
    line.is_over = true;
    line.erase();
}

fn columns() -> usize {
    let size = tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { COLUMNS } else { size }
}

/// Whether the shell has not put us into the background, where we would write over what somebody types.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stderr()).map_or(true, |group| group == getpgrp())
}

/// Whether a terminal, if there is one, understands more than text.
pub(super) fn terminal_draws() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Whether a person sees what is drawn, and nothing else is in between.
fn is_attended() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // What comes out of a pipe may well be shown at the same terminal, and we would not know when.
    let is_piped = |end: BorrowedFd<'_>| {
        fstat(end).is_ok_and(|found| {
            matches!(FileType::from_raw_mode(found.st_mode), FileType::Fifo | FileType::Socket)
        })
    };
    terminal_draws()
        && !is_set("CI")
        && !is_set("GITHUB_ACTIONS")
        && io::stderr().is_terminal()
        && !is_piped(io::stdout().as_fd())
}

/// Somebody who waits, and shows it. The line is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    began: DateTime<Utc>,
    next: DateTime<Utc>,
    /// Whether the line is ours to draw.
    is_shown: bool,
}

impl Progress {
    /// Begins to wait.
    pub(super) fn begin() -> Self {
        Self::begin_if(true)
    }

    /// As [`Progress::begin`]; nothing is shown of what is not wanted.
    pub(super) fn begin_if(is_wanted: bool) -> Self {
        let began = steady_clock();
        let mut line = line();
        let is_shown = is_wanted && !line.has_owner && is_attended();
        if is_shown {
            line.has_owner = true;
            line.is_mid_line = false;
        }
        Self { began, next: began + DELAY, is_shown }
    }

    /// As the follower's own wait, with the line renewed meanwhile. `text` is asked for it with the time since the beginning.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn wait(
        &mut self,
        follower: &mut Follower,
        others: &[BorrowedFd<'_>],
        until: Option<DateTime<Utc>>,
        text: impl Fn(Duration) -> Option<String>,
    ) -> Result<bool> {
        follower.take_trouble().iter().for_each(|trouble| complain(trouble));
        if !self.is_shown {
            return follower.wait(others, until);
        }
        loop {
            let now = steady_clock();
            if now >= self.next {
                let Some(text) = text(now - self.began) else { return follower.wait(others, until) };
                line().draw(&text);
                self.next = now + RENEW;
            }
            let look_at = until.map_or(self.next, |until| until.min(self.next));
            if follower.wait(others, Some(look_at))? {
                return Ok(true);
            }
            if until.is_some_and(|until| steady_clock() > until) {
                return Ok(false);
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let mut line = line();
            line.has_owner = false;
            line.erase();
        }
    }
}
