//! Whether there are colours: what the command line says, then the environment, then whether somebody looks.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use super::progress::terminal_draws;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// At a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

static CHOSEN: OnceLock<Color> = OnceLock::new();

/// Takes what the command line says.
pub(super) fn choose(color: Color) {
    let _ = CHOSEN.set(color);
}

/// Whether stdout has colours.
pub(super) fn on_stdout() -> bool {
    is_coloured(|| io::stdout().is_terminal())
}

/// Whether stderr has.
pub(super) fn on_stderr() -> bool {
    is_coloured(|| io::stderr().is_terminal())
}

fn is_coloured(is_terminal: impl Fn() -> bool) -> bool {
    let chosen = CHOSEN.get().copied().unwrap_or_default();
    let variable = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_forced =
        variable("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_none_or(|value| value != "0");
    decide(chosen, variable("NO_COLOR"), is_forced, || terminal_draws() && is_terminal())
}

fn decide(chosen: Color, is_forbidden: bool, is_forced: bool, is_terminal: impl Fn() -> bool) -> bool {
    match chosen {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_forbidden => false,
        Color::Auto => is_forced || is_terminal(),
    }
}

/// A line for stderr, with its first word in colour where it is `error:` or `Warning:`.
pub(super) fn with_coloured_word(line: &str) -> Option<String> {
    let (word, code) =
        [("error:", "31;1"), ("Warning:", "33;1")].into_iter().find(|(word, _)| line.starts_with(word))?;
    Some(format!("\u{1b}[{code}m{word}\u{1b}[0m{}", &line[word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_decides_before_the_environment_and_that_before_the_terminal() {
        for is_terminal in [false, true] {
            let at = || is_terminal;
            assert!(decide(Color::Always, true, false, at));
            assert!(!decide(Color::Never, false, true, at));
            assert!(!decide(Color::Auto, true, true, at));
            assert!(decide(Color::Auto, false, true, at));
            assert_eq!(decide(Color::Auto, false, false, at), is_terminal);
        }
    }

    #[test]
    fn only_the_word_has_a_colour() {
        assert_eq!(with_coloured_word("error: x").as_deref(), Some("\u{1b}[31;1merror:\u{1b}[0m x"));
        assert_eq!(with_coloured_word("Warning: x").as_deref(), Some("\u{1b}[33;1mWarning:\u{1b}[0m x"));
        assert_eq!(with_coloured_word("an error: x"), None);
    }
}
