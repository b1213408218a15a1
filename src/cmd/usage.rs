//! Wrong command lines -> kubectl's sentences, and exit code 1.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};

use super::flags::{self, BadValue};
use super::output::complain;
use super::{Cli, diff, elsewhere, run};

/// Says what is wrong with a command line; help is printed as clap has it.
pub(super) fn report(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return help(error, arguments);
    }
    let path = path(arguments);
    let at_fault = flag_at_fault(error);
    if error.kind() == ErrorKind::UnknownArgument && !at_fault.starts_with('-') {
        return report_strays(&path, &[&at_fault.into()]);
    }
    let tree = super::command();
    let message = match error.kind() {
        ErrorKind::UnknownArgument => see_usage(&unknown_flag(error, arguments), &path),
        ErrorKind::InvalidSubcommand => unknown_command(error, &path),
        ErrorKind::ValueValidation => bad_value(error, &path, &tree),
        ErrorKind::InvalidValue
            if context(error, ContextKind::InvalidValue).is_none_or(|it| it.is_empty()) =>
        {
            see_usage(&missing_value(error, arguments), &path)
        }
        _ => see_usage(&sentence(error), &path),
    };
    complain(&format!("error: {message}"));
    advise(&path);
    ExitCode::FAILURE
}

/// Says that a verb has been given words that mean nothing to it.
pub(super) fn report_strays(path: &str, strays: &[&OsString]) -> ExitCode {
    let words: Vec<_> = strays.iter().map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    let see = format!("See '{path} -h' for help and examples");
    // The verbs of kubectl do not agree on a sentence.
    complain(&match path {
        "jobctl cluster-info" if words == "dump" => elsewhere::CLUSTER_INFO_DUMP.to_owned(),
        "jobctl version" => format!("error: extra arguments: [{words}]"),
        "jobctl api-resources" | "jobctl api-versions" => {
            format!("error: unexpected arguments: [{words}]\n{see}")
        }
        _ => format!("error: Unexpected args: [{words}]\n{see}"),
    });
    advise(path);
    // Of `diff` 1 says that there is a difference.
    if path == "jobctl diff" { ExitCode::from(diff::ERROR) } else { ExitCode::FAILURE }
}

/// A verb that means something else than kubectl's of that name says what it takes.
fn advise(path: &str) {
    if path == "jobctl run" {
        complain(run::TAKES);
    }
}

/// Help with the flags as they are documented, not as they are read.
fn help(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let asks = |line: Vec<OsString>| {
        super::command().try_get_matches_from(line).err().filter(|shown| shown.kind() == error.kind())
    };
    let shown = asks(arguments.to_vec()).or_else(|| {
        let long = if arguments.iter().any(|word| word == "--help") { "--help" } else { "-h" };
        asks(path(arguments).split(' ').chain([long]).map(OsString::from).collect())
    });
    let _ = shown.as_ref().unwrap_or(error).print();
    if error.kind() == ErrorKind::DisplayHelp { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The verbs on the command line, as far as they can be told from the rest.
fn path(arguments: &[OsString]) -> String {
    let lenient = Cli::command().ignore_errors(true).disable_help_flag(true).disable_help_subcommand(true);
    let matches = flags::readable(lenient, arguments).try_get_matches_from(arguments);
    matches.map_or_else(|_| "jobctl".to_owned(), |matches| flags::path_and_strays(&matches).0)
}

fn see_usage(problem: &str, path: &str) -> String {
    format!("{problem}\nSee '{path} --help' for usage.")
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    }
}

/// The flag at fault as `--long` or `-s`, without what clap shows of its value.
fn flag_at_fault(error: &clap::Error) -> String {
    let shown = context(error, ContextKind::InvalidArg).unwrap_or_default();
    shown.split([' ', '=', '[']).next().unwrap_or_default().to_owned()
}

fn unknown_flag(error: &clap::Error, arguments: &[OsString]) -> String {
    let flag = flag_at_fault(error);
    if flag.starts_with("--") {
        return format!("unknown flag: {flag}");
    }
    let letter = flag.chars().nth(1).unwrap_or(' ');
    let cluster = clusters(arguments).find_map(|cluster| cluster.find(letter).map(|at| &cluster[at..]));
    format!("unknown shorthand flag: {letter:?} in -{}", cluster.unwrap_or(&flag[1.min(flag.len())..]))
}

/// What stands behind a single dash, word by word.
fn clusters(arguments: &[OsString]) -> impl DoubleEndedIterator<Item = &str> {
    arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str()?.strip_prefix('-'))
        .filter(|rest| !rest.is_empty() && !rest.starts_with('-'))
}

/// A flag without its value can only stand at the end.
fn missing_value(error: &clap::Error, arguments: &[OsString]) -> String {
    let last = arguments.last().and_then(|last| last.to_str()).unwrap_or_default();
    match last.strip_prefix('-').and_then(|rest| rest.chars().last()) {
        Some(letter) if !last.starts_with("--") => format!("flag needs an argument: {letter:?} in -{letter}"),
        _ => format!("flag needs an argument: {}", flag_at_fault(error)),
    }
}

/// How many letters may be wrong in what may have been meant.
const NEAR: usize = 2;

/// How many letters are to be put, taken or replaced until one word is the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, known) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *known);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

fn unknown_command(error: &clap::Error, path: &str) -> String {
    let word = context(error, ContextKind::InvalidSubcommand).unwrap_or_default();
    if path.contains(' ') {
        return format!("unknown command {word:?}\nSee '{path} -h' for help and examples");
    }
    if let Some(advice) = elsewhere::advice(&word) {
        return advice;
    }
    let tree = super::command();
    let near: String = tree
        .get_subcommands()
        .map(Command::get_name)
        .filter(|name| distance(&word.to_lowercase(), name) <= NEAR || name.starts_with(&word.to_lowercase()))
        .map(|name| format!("\t{name}\n"))
        .collect();
    let near = if near.is_empty() { near } else { format!("\n\nDid you mean this?\n{near}") };
    format!("unknown command {word:?} for {path:?}{near}")
}

/// Numbers and the like are refused while flags are read, words with a meaning by the verb, in a sentence of its own.
fn bad_value(error: &clap::Error, path: &str, tree: &Command) -> String {
    let Some(cause) = std::error::Error::source(error) else { return see_usage(&sentence(error), path) };
    if !cause.is::<BadValue>() {
        return cause.to_string();
    }
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    let flag = both_names(&flag_at_fault(error), path, tree);
    see_usage(&format!("invalid argument {value:?} for {flag:?} flag: {cause}"), path)
}

/// `-w, --watch`, where a flag has both.
fn both_names(flag: &str, path: &str, tree: &Command) -> String {
    let long = flag.trim_start_matches('-');
    let commands = path.split(' ').skip(1).scan(Some(tree), |command, name| {
        *command = command.and_then(|command| command.find_subcommand(name));
        *command
    });
    let mut flags = commands.chain([tree]).flat_map(Command::get_arguments);
    let short = flags.find(|flag| flag.get_long() == Some(long)).and_then(Arg::get_short);
    short.map_or_else(|| flag.to_owned(), |short| format!("-{short}, {flag}"))
}

/// What clap says, without its advice.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or(text).trim_end().to_owned()
}
