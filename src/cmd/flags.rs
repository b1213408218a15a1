//! How flags are read: as pflag does, for the whole tree of verbs at once.
//!
//! The verbs declare what flags they have and of which type; the spelling that kubectl takes is here.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use chrono::Duration;
use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::api::durations;
use crate::api::quoted::quoted;

/// Where words end up that the verb has no use for.
const STRAY: &str = "stray";

/// Flags of every kubectl verb that choose a cluster, say how to reach it, or how much to tell of that. Scripts carry
/// them; on this machine there is nothing that they could change. With the short form, and whether they are boolean.
const OF_CLUSTERS: [(&str, Option<char>, bool); 22] = [
    ("as", None, false),
    (AS_GROUP, None, false),
    ("as-uid", None, false),
    ("cache-dir", None, false),
    ("certificate-authority", None, false),
    ("client-certificate", None, false),
    ("client-key", None, false),
    ("cluster", None, false),
    ("disable-compression", None, true),
    (SKIP_VERIFY, None, true),
    ("log-flush-frequency", None, false),
    ("match-server-version", None, true),
    ("password", None, false),
    ("profile", None, false),
    ("profile-output", None, false),
    (REQUEST_TIMEOUT, None, false),
    ("server", Some('s'), false),
    ("tls-server-name", None, false),
    ("token", None, false),
    ("user", None, false),
    ("username", None, false),
    ("vmodule", None, false),
];

/// Those of them that somebody gives who means a certain cluster, or a certain user of it.
const OF_ANOTHER: [&str; 15] = [
    "as",
    AS_GROUP,
    "as-uid",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "cluster",
    SKIP_VERIFY,
    "kubeconfig",
    "password",
    "server",
    "tls-server-name",
    "token",
    "user",
    "username",
];

const REQUEST_TIMEOUT: &str = "request-timeout";
const AS_GROUP: &str = "as-group";
const SKIP_VERIFY: &str = "insecure-skip-tls-verify";

/// What a command line says of a cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meant {
    /// The flags that are of no use on this machine, as `--server`.
    pub(super) idle: Vec<String>,
    /// What those that have one value say, by their names.
    pub(super) values: BTreeMap<&'static str, String>,
    /// How long a request may take, as it is written.
    pub(super) request_timeout: Option<String>,
    /// What `--as-group` says, each time.
    pub(super) groups: Vec<String>,
    /// Whether nobody is to ask who the server is.
    pub(super) insecure_skip_tls_verify: bool,
}

/// What a command line says of a cluster, at whichever of its verbs.
pub(super) fn meant(matches: &ArgMatches) -> Meant {
    let mut meant = Meant::default();
    let mut next = Some(matches);
    while let Some(matches) = next {
        let is_given = |name: &str| {
            // A verb's own flag of that name is another one.
            matches!(matches.try_contains_id(name), Ok(true))
                && matches.value_source(name) == Some(ValueSource::CommandLine)
        };
        if is_given(REQUEST_TIMEOUT) {
            meant.request_timeout = matches.try_get_one::<String>(REQUEST_TIMEOUT).ok().flatten().cloned();
        }
        for name in OF_ANOTHER.into_iter().filter(|name| is_given(name)) {
            meant.idle.push(format!("--{name}"));
            let mut values: Vec<String> =
                matches.try_get_many(name).ok().flatten().into_iter().flatten().cloned().collect();
            if name == SKIP_VERIFY {
                meant.insecure_skip_tls_verify = matches.try_get_one(name).ok().flatten() == Some(&true);
            } else if name == AS_GROUP {
                meant.groups.append(&mut values);
            } else if let Some(last) = values.pop() {
                meant.values.insert(name, last);
            }
        }
        next = matches.subcommand().map(|(_, inner)| inner);
    }
    meant
}

/// The long names of these flags.
pub(super) fn names_of_cluster_flags() -> impl Iterator<Item = &'static str> {
    OF_CLUSTERS.into_iter().map(|(name, ..)| name)
}

/// These flags, but those that the verb has itself: `create rolebinding --user`.
fn of_clusters(tree: &Command) -> Vec<Arg> {
    let has = |name: &str| tree.get_arguments().any(|own| own.get_long() == Some(name));
    let missing = OF_CLUSTERS.into_iter().filter(|(name, ..)| !has(name));
    let flags = missing.map(|(name, short, is_boolean)| {
        let flag = Arg::new(name).long(name).short(short).hide(true);
        if is_boolean {
            flag.action(ArgAction::SetTrue).value_parser(clap::value_parser!(bool))
        } else if name == AS_GROUP {
            flag.action(ArgAction::Append)
        } else {
            flag
        }
    });
    flags.collect()
}

/// The tree as a command line is read by it. Only the verbs that the line may mean are made ready: this is paid at
/// every start.
pub(super) fn readable(tree: Command, arguments: &[OsString]) -> Command {
    let is_meant = |command: &Command| {
        let mut names = command.get_all_aliases().chain([command.get_name()]);
        names.any(|name| arguments.iter().any(|argument| argument == name))
    };
    let takes_words = tree.get_positionals().next().is_some() || tree.is_subcommand_required_set();
    let of_clusters = of_clusters(&tree);
    let tree =
        tree.args_override_self(true).args(of_clusters).mut_args(readable_flag).mut_subcommands(|command| {
            if is_meant(&command) { readable(command, arguments) } else { command }
        });
    if takes_words {
        return tree;
    }
    tree.arg(Arg::new(STRAY).num_args(0..).value_parser(clap::value_parser!(OsString)).hide(true))
}

/// The arguments with the word that `create` and the like are followed by (`create -n x job y`) before the flags between: as
/// for cobra, all flags are the last verb's.
pub(super) fn verbs_first(tree: &Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(verb) = next_word(&arguments, 1, &[tree]) else { return arguments };
    let Some(command) = arguments[verb].to_str().and_then(|name| tree.find_subcommand(name)) else {
        return arguments;
    };
    if !command.has_subcommands() {
        return arguments;
    }
    if let Some(word) = next_word(&arguments, verb + 1, &[tree, command])
        && arguments[word].to_str().is_some_and(|name| command.find_subcommand(name).is_some())
    {
        arguments[verb + 1..=word].rotate_right(1);
    }
    arguments
}

/// Where from a place on the first argument stands that is neither a flag nor the value of one.
fn next_word(arguments: &[OsString], from: usize, trees: &[&Command]) -> Option<usize> {
    let mut at = from;
    while let Some(argument) = arguments.get(at) {
        match argument.to_str() {
            Some("--") => return None,
            Some(flag) if flag.len() > 1 && flag.starts_with('-') => {
                at += 1 + usize::from(takes_next_word(flag, trees));
            }
            _ => return Some(at),
        }
    }
    None
}

/// Whether the value of a flag is the argument after it.
fn takes_next_word(flag: &str, trees: &[&Command]) -> bool {
    let takes_value = |is_it: &dyn Fn(&Arg) -> bool| {
        let flag = trees.iter().flat_map(|tree| tree.get_arguments()).find(|flag| is_it(flag));
        flag.is_some_and(|flag| flag.get_action().takes_values() && !flag.is_require_equals_set())
    };
    match flag.strip_prefix("--") {
        Some(long) => takes_value(&|flag| flag.get_long() == Some(long)),
        // Of several contents the first that takes a value has the rest for it.
        None => {
            let mut contents = flag.chars().skip(1);
            let takes = contents.find(|letter| takes_value(&|flag| flag.get_short() == Some(*letter)));
            takes.is_some() && contents.next().is_none()
        }
    }
}

/// The tree as help and completions show it: a boolean flag is a plain one, whatever else it takes.
pub(super) fn shown(tree: Command) -> Command {
    tree.mut_args(shown_flag).mut_subcommands(shown)
}

/// The verbs that lead to what was asked for, as `jobctl create job`, and the words that no verb has taken.
pub(super) fn path_and_strays(matches: &ArgMatches) -> (String, Vec<&OsString>) {
    let mut path = "jobctl".to_owned();
    let mut matches = matches;
    while let Some((name, inner)) = matches.subcommand() {
        path = format!("{path} {name}");
        matches = inner;
    }
    let strays = matches.try_get_many::<OsString>(STRAY).ok().flatten();
    (path, strays.into_iter().flatten().collect())
}

fn readable_flag(flag: Arg) -> Arg {
    if flag.is_positional() {
        return flag;
    }
    let holds = flag.get_value_parser().type_id();
    if holds == TypeId::of::<bool>() {
        let flag = match flag.get_action() {
            ArgAction::SetTrue => flag.default_value("false"),
            _ => flag,
        };
        return flag
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(boolean);
    }
    let parser = if holds == TypeId::of::<i64>() {
        Some(ValueParser::new(integer::<i64>))
    } else if holds == TypeId::of::<i32>() {
        Some(ValueParser::new(integer::<i32>))
    } else {
        None
    };
    let flag = match parser {
        Some(parser) => flag.value_parser(parser),
        None => flag,
    };
    // What follows a flag that takes a value is its value, whatever it looks like.
    let takes_next_word = flag.get_action().takes_values() && !flag.is_require_equals_set();
    flag.allow_hyphen_values(takes_next_word)
}

fn shown_flag(flag: Arg) -> Arg {
    let is_on_by_default = flag.get_default_values().iter().any(|value| value == "true");
    if flag.is_positional() || flag.get_value_parser().type_id() != TypeId::of::<bool>() {
        return flag;
    }
    if is_on_by_default {
        return flag.num_args(0..=1).require_equals(true).default_missing_value("true");
    }
    flag.action(ArgAction::SetTrue)
}

/// A value that a flag cannot have, in Go's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadValue(String);

impl BadValue {
    fn new(function: &str, value: &str, problem: &str) -> Self {
        Self(format!("strconv.{function}: parsing {}: {problem}", quoted(value)))
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadValue {}

const SYNTAX: &str = "invalid syntax";
const RANGE: &str = "value out of range";

fn boolean(text: &str) -> Result<bool, BadValue> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(BadValue::new("ParseBool", text, SYNTAX)),
    }
}

/// A number in base 10, or in the base that its prefix names.
fn integer<T: TryFrom<i128>>(text: &str) -> Result<T, BadValue> {
    let bad = |problem| BadValue::new("ParseInt", text, problem);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(bad(SYNTAX));
    }
    let magnitude = i128::from_str_radix(digits, radix).map_err(|_| bad(RANGE))?;
    T::try_from(sign * magnitude).map_err(|_| bad(RANGE))
}

/// A duration, for the flags that take one.
pub(super) fn duration(text: &str) -> Result<Duration, BadValue> {
    durations::parse(text).map_err(BadValue)
}

/// The same where days and weeks are usual, such as 7d.
pub(super) fn age(text: &str) -> Result<Duration, BadValue> {
    durations::parse_with_days(text).map_err(BadValue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_verb_comes_before_the_flags() {
        let tree = Command::new("x")
            .arg(Arg::new("n").long("namespace").short('n').global(true))
            .arg(Arg::new("q").short('q').action(ArgAction::SetTrue).global(true))
            .subcommand(Command::new("get"))
            .subcommand(Command::new("create").subcommand(Command::new("job")));
        for (line, expected) in [
            ("x create -n foo job y", "x create job -n foo y"),
            ("x create -nfoo -q job y", "x create job -nfoo -q y"),
            ("x create -qn foo --namespace=bar job y", "x create job -qn foo --namespace=bar y"),
            ("x -n create create --namespace job job y", "x -n create create job --namespace job y"),
            ("x create -n job y", "x create -n job y"),
            ("x create -- job y", "x create -- job y"),
            ("x create other job", "x create other job"),
            ("x get -n foo job", "x get -n foo job"),
            ("x", "x"),
        ] {
            let words = line.split(' ').map(OsString::from).collect();
            let words: Vec<String> = verbs_first(&tree, words)
                .into_iter()
                .map(|word| word.into_string().expect("a word"))
                .collect();
            assert_eq!(words.join(" "), expected);
        }
    }

    #[test]
    fn booleans_and_numbers_are_those_of_go() {
        assert_eq!((boolean("TRUE"), boolean("0")), (Ok(true), Ok(false)));
        assert_eq!(
            boolean("yes").map_err(|error| error.to_string()),
            Err("strconv.ParseBool: parsing \"yes\": invalid syntax".to_owned())
        );
        for (text, number) in
            [("7", 7), ("-7", -7), ("+7", 7), ("0x1F", 31), ("010", 8), ("0b11", 3), ("0", 0)]
        {
            assert_eq!(integer::<i32>(text), Ok(number), "{text}");
        }
        for (text, problem) in [
            ("", SYNTAX),
            ("x", SYNTAX),
            ("1.5", SYNTAX),
            ("09", SYNTAX),
            ("- 1", SYNTAX),
            ("--1", SYNTAX),
            ("2147483648", RANGE),
            ("99999999999999999999999999999999999999999999", RANGE),
        ] {
            let expected = format!("strconv.ParseInt: parsing {text:?}: {problem}");
            assert_eq!(integer::<i32>(text), Err(BadValue(expected)), "{text}");
        }
    }
}
