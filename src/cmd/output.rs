//! What goes to stdout and stderr. A reader who has gone away is not an error: the verb just stops talking.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(reader_gone()),
        result => Ok(result?),
    }
}

/// Writes one line for a person to stdout; what would drive the terminal is shown instead.
///
/// # Errors
/// As [`print`].
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    print(&format!("{}\n", escaped(line)))
}

/// Writes one line to stderr; what would drive the terminal is shown instead.
pub(super) fn complain(line: &str) {
    if !line.is_empty() {
        complain_as_is(&escaped(line));
    }
}

fn complain_as_is(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

/// How often this process has warned.
pub(super) fn warnings() -> usize {
    WARNINGS.load(Ordering::Relaxed)
}

/// A warning in kubectl's form, yellow on a terminal.
pub(super) fn warn(text: &str) {
    WARNINGS.fetch_add(1, Ordering::Relaxed);
    if io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        complain_as_is(&format!("\u{1b}[33;1mWarning:\u{1b}[0m {}", escaped(text)));
    } else {
        complain(&format!("Warning: {text}"));
    }
}

/// An error without words: nobody reads what we print any more.
fn reader_gone() -> anyhow::Error {
    super::failure::verbatim("")
}
