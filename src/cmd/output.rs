//! What goes to stdout and stderr. A reader who has gone away is not an error: the verb just stops talking.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Where output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Stdout,
    Stderr,
}

type Piece = (To, Vec<u8>);

/// What is held back, in order.
static HELD: Mutex<Option<Vec<Piece>>> = Mutex::new(None);
/// Why what was held back could not be written.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Holds output back as long as it lives. For whoever keeps others waiting: a pipe that nobody reads is no reason to.
#[derive(Debug)]
#[must_use = "what is said comes out when this is dropped"]
pub(super) struct Held(());

/// Holds output back from now on.
pub(super) fn hold() -> Held {
    *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    Held(())
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
        for (to, bytes) in held.into_iter().flatten() {
            let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
            match to {
                To::Stderr => progress::write_to_stderr(&bytes),
                To::Stdout if failure.is_none() => *failure = write(&bytes).err(),
                To::Stdout => {}
            }
        }
    }
}

/// True where it is held back.
fn held_back(to: To, bytes: &[u8]) -> bool {
    match HELD.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        Some(held) => {
            held.push((to, bytes.to_owned()));
            true
        }
        None => false,
    }
}

/// The error that what was held back has met on its way out.
///
/// # Errors
/// As [`print`].
pub(super) fn held_is_out() -> anyhow::Result<()> {
    FAILURE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .map_or(Ok(()), |error| Err(unwritten(error)))
}

fn write(bytes: &[u8]) -> io::Result<()> {
    progress::make_way();
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())?;
    progress::printed(bytes);
    Ok(())
}

/// The error of output that could not be written.
pub(super) fn unwritten(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe { ReaderGone.into() } else { error.into() }
}

use super::colour;
use super::failure::ReaderGone;
use super::progress;
use crate::kubelet::LogPiece;
use crate::printers::terminal::escaped;

/// Writes text to stdout and flushes it.
///
/// # Errors
/// Anything but a closed pipe, which ends the process quietly as SIGPIPE would.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// As [`print`], for bytes that may not be text.
///
/// # Errors
/// As [`print`].
pub(super) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    if held_back(To::Stdout, bytes) {
        return Ok(());
    }
    write(bytes).map_err(unwritten)
}

/// Prints what comes of reading a log: its lines on stdout, what is missing of it on stderr.
///
/// # Errors
/// As [`print`].
pub(super) fn print_log(piece: LogPiece<'_>) -> anyhow::Result<()> {
    match piece {
        LogPiece::Text(bytes) => print_bytes(bytes),
        LogPiece::Notice(notice) => {
            complain(notice);
            Ok(())
        }
    }
}

/// Writes one line for a person to stdout; what would drive the terminal is shown instead.
///
/// # Errors
/// As [`print`].
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    print(&format!("{}\n", escaped(line)))
}

/// Writes one line to stderr; what would drive the terminal is shown instead. `error:` and `Warning:` have colours at a terminal.
pub(super) fn complain(line: &str) {
    if !line.is_empty() {
        let line = escaped(line);
        let coloured = colour::on_stderr().then(|| colour::with_coloured_word(&line)).flatten();
        complain_as_is(coloured.as_deref().unwrap_or(&line));
    }
}

/// As [`complain`], also where output is held back: the process ends after it.
pub(super) fn complain_at_last(line: &str) {
    progress::write_to_stderr(format!("{}\n", escaped(line)).as_bytes());
}

fn complain_as_is(line: &str) {
    let line = format!("{line}\n");
    if !held_back(To::Stderr, line.as_bytes()) {
        progress::write_to_stderr(line.as_bytes());
    }
}

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

/// How often this process has warned.
pub(super) fn warnings() -> usize {
    WARNINGS.load(Ordering::Relaxed)
}

/// What has been said by [`warn_once`].
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// As [`warn`], for what is worth saying once, however many objects it holds for.
pub(super) fn warn_once(text: &str) {
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
        warn(text);
    }
}

/// A warning in kubectl's form, yellow on a terminal.
pub(super) fn warn(text: &str) {
    WARNINGS.fetch_add(1, Ordering::Relaxed);
    complain(&format!("Warning: {text}"));
}

/// As [`warn_once`], of each: a command says what the server has said of several objects once, as kubectl does.
pub(super) fn warn_all(texts: &[String]) {
    texts.iter().for_each(|text| warn_once(text));
}
