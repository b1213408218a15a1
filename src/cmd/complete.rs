//! `__complete`: what may stand where the cursor is. The question and the answer are those of kubectl's own scripts: the words of
//! the command line, the last of them unfinished; a candidate on each line with what it is after a tab, and `:` with a number
//! at the end that says how a shell is to take them.

mod line;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;

use super::output::print;
use line::{Current, Line};

/// `jobctl __complete WORD…`.
pub(super) const WORD: &str = "__complete";

/// Files are not what is wanted where there is no candidate.
const NO_FILES: u8 = 4;
/// No space after the candidate: it goes on.
const NO_SPACE: u8 = 2;

/// A word that may stand there, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    word: String,
    about: String,
}

impl Candidate {
    fn of(word: impl Into<String>) -> Self {
        Self { word: word.into(), about: String::new() }
    }
}

/// What there is to say.
#[derive(Debug, Default)]
struct Answer {
    candidates: Vec<Candidate>,
    /// Whether a file may stand there, too.
    files: bool,
}

impl Answer {
    fn of(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { candidates: words.into_iter().map(Candidate::of).collect(), files: false }
    }

    fn files() -> Self {
        Self { candidates: Vec::new(), files: true }
    }
}

/// Answers; what cannot be read has no candidates.
pub(super) fn run(words: &[OsString]) -> ExitCode {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut tree = super::command();
    tree.build();
    let line = Line::parse(&tree, &words);
    let answer = match &line.current {
        Current::FlagName(prefix) => flag_names(&line, prefix),
        Current::FlagValue { flag, prefix } => with_prefix(values::of_flag(&line, flag), prefix),
        Current::AfterDashes => Answer::files(),
        Current::Operand => operands(&line),
    };
    match print(&text(answer, &line.word)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn flag_names(line: &Line<'_>, prefix: &str) -> Answer {
    let flags = line.command.get_arguments().filter(|flag| !flag.is_hide_set());
    let flags = flags.filter_map(|flag| {
        let long = flag.get_long()?;
        let about = flag.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Candidate { word: format!("--{long}"), about })
    });
    Answer { candidates: flags.filter(|flag| flag.word.starts_with(prefix)).collect(), files: false }
}

/// The flag's name stands before its value in the same word.
fn with_prefix(mut answer: Answer, prefix: &str) -> Answer {
    answer.candidates.iter_mut().for_each(|candidate| candidate.word.insert_str(0, prefix));
    answer
}

fn operands(line: &Line<'_>) -> Answer {
    let verbs = line.command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs: Vec<Candidate> =
        verbs.map(|verb| Candidate { word: verb.get_name().into(), about: about(verb) }).collect();
    if verbs.is_empty() || !line.operands.is_empty() {
        return values::of_operand(line);
    }
    Answer { candidates: verbs, files: false }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// The answer as a shell's script reads it.
fn text(answer: Answer, word: &str) -> String {
    let fitting = answer.candidates.into_iter().filter(|candidate| candidate.word.starts_with(word));
    let mut fitting: Vec<Candidate> = fitting.collect();
    fitting.sort_by(|a, b| a.word.cmp(&b.word));
    fitting.dedup_by(|a, b| a.word == b.word);
    let goes_on = |candidate: &Candidate| candidate.word.ends_with(['/', '=', ':', ',']);
    let mut directive = if answer.files { 0 } else { NO_FILES };
    if !fitting.is_empty() && fitting.iter().all(goes_on) {
        directive |= NO_SPACE;
    }
    let mut text = String::new();
    for Candidate { word, about } in fitting {
        text.push_str(&word);
        if let Some(line) = about.lines().next().filter(|line| !line.is_empty()) {
            text.push('\t');
            text.push_str(line);
        }
        text.push('\n');
    }
    text.push_str(&format!(":{directive}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_sorted_and_says_whether_it_goes_on() {
        let answer = Answer::of(["job/", "jsonpath=", "x", "job/"]);
        assert_eq!(text(answer, "j"), "job/\njsonpath=\n:6\n");
        assert_eq!(text(Answer::of(["a", "b/"]), ""), "a\nb/\n:4\n");
        assert_eq!(text(Answer::files(), ""), ":0\n");
        let described = Answer {
            candidates: vec![Candidate { word: "get".into(), about: "Display\nmore".into() }],
            files: false,
        };
        assert_eq!(text(described, ""), "get\tDisplay\n:4\n");
    }
}
