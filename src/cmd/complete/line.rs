//! An unfinished command line: which verb it is, what has been given, and what the cursor stands in.

use clap::{Arg, Command};

/// What has been typed so far.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The verb, or the whole program where there is none yet.
    pub(super) command: &'a Command,
    /// The verbs on the way to it.
    pub(super) verbs: Vec<&'a str>,
    /// What is no flag.
    pub(super) operands: Vec<&'a str>,
    /// The flags with values, by their long names.
    pub(super) flags: Vec<(&'a str, &'a str)>,
    /// The unfinished word.
    pub(super) word: String,
    /// What that is.
    pub(super) current: Current<'a>,
}

/// What the unfinished word is.
#[derive(Debug)]
pub(super) enum Current<'a> {
    /// A flag, as far as it is there.
    FlagName(&'a str),
    /// The value of a flag; before it in the same word stands this.
    FlagValue {
        /// The flag.
        flag: &'a Arg,
        /// `--name=`, or nothing.
        prefix: String,
    },
    /// A word of the command that a container is to run.
    AfterDashes,
    /// Anything else.
    Operand,
}

impl<'a> Line<'a> {
    /// Reads a command line whose last word is unfinished.
    pub(super) fn parse(tree: &'a Command, words: &'a [String]) -> Self {
        let (last, done) = words.split_last().map_or(("", words), |(last, done)| (last.as_str(), done));
        let mut line = Self {
            command: tree,
            verbs: Vec::new(),
            operands: Vec::new(),
            flags: Vec::new(),
            word: last.to_owned(),
            current: Current::Operand,
        };
        let mut awaited: Option<&Arg> = None;
        for word in done {
            if let Some(flag) = awaited.take() {
                line.flags.extend(flag.get_long().map(|long| (long, word.as_str())));
            } else if word == "--" {
                line.current = Current::AfterDashes;
                return line;
            } else {
                awaited = line.take(word);
            }
        }
        line.current = match awaited {
            Some(flag) => Current::FlagValue { flag, prefix: String::new() },
            None => line.unfinished(last),
        };
        line
    }

    /// Takes in a word; returns the flag whose value comes next.
    fn take(&mut self, word: &'a str) -> Option<&'a Arg> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let flag = self.flag(|flag| flag.get_long() == Some(name))?;
            match value {
                Some(value) => self.flags.extend(flag.get_long().map(|long| (long, value))),
                None if takes_next(flag) => return Some(flag),
                None => {}
            }
            return None;
        }
        if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            for (at, letter) in letters.char_indices() {
                let flag = self.flag(|flag| flag.get_short() == Some(letter))?;
                if takes_next(flag) {
                    let value = &letters[at + letter.len_utf8()..];
                    if value.is_empty() {
                        return Some(flag);
                    }
                    let value = value.strip_prefix('=').unwrap_or(value);
                    self.flags.extend(flag.get_long().map(|long| (long, value)));
                    return None;
                }
            }
            return None;
        }
        match self.command.find_subcommand(word).filter(|_| self.operands.is_empty()) {
            Some(verb) => {
                self.verbs.push(verb.get_name());
                self.command = verb;
            }
            None => self.operands.push(word),
        }
        None
    }

    fn unfinished(&self, word: &'a str) -> Current<'a> {
        if !word.starts_with('-') || word == "-" {
            return Current::Operand;
        }
        let named = word.strip_prefix("--").and_then(|long| long.split_once('='));
        match named.and_then(|(name, _)| self.flag(|flag| flag.get_long() == Some(name))) {
            Some(flag) => {
                let prefix = word.split_inclusive('=').next().unwrap_or_default().to_owned();
                Current::FlagValue { flag, prefix }
            }
            None => Current::FlagName(word),
        }
    }

    fn flag(&self, is_it: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        self.command.get_arguments().find(|flag| is_it(flag))
    }

    /// What a flag has been given last.
    pub(super) fn value_of(&self, long: &str) -> Option<&'a str> {
        self.flags.iter().rev().find(|(name, _)| *name == long).map(|(_, value)| *value)
    }
}

/// Whether a flag's value is the next word.
fn takes_next(flag: &Arg) -> bool {
    flag.get_action().takes_values()
        && !flag.is_require_equals_set()
        && flag.get_num_args().is_none_or(|range| range.takes_values())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<R>(text: &str, check: impl FnOnce(&Line<'_>) -> R) -> R {
        let mut tree = crate::cmd::command();
        tree.build();
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        check(&Line::parse(&tree, &words))
    }

    fn shown(text: &str) -> String {
        with(text, |line| {
            let current = match &line.current {
                Current::FlagName(word) => format!("flag {word}"),
                Current::FlagValue { flag, prefix } => {
                    format!("value of {} after {prefix:?}", flag.get_long().unwrap_or_default())
                }
                Current::AfterDashes => "after --".into(),
                Current::Operand => "operand".into(),
            };
            format!("{} {:?} {:?} {current}", line.verbs.join(" "), line.operands, line.flags)
        })
    }

    #[test]
    fn command_lines() {
        for (text, expected) in [
            ("", " [] [] operand"),
            ("ge", " [] [] operand"),
            ("get -n team pods a", "get [\"pods\"] [(\"namespace\", \"team\")] operand"),
            ("-n team get ", "get [] [(\"namespace\", \"team\")] operand"),
            (
                "get -nteam -Aw --output=yaml --wa",
                "get [] [(\"namespace\", \"team\"), (\"output\", \"yaml\")] flag --wa",
            ),
            ("get -o ", "get [] [] value of output after \"\""),
            ("get --output=j", "get [] [] value of output after \"--output=\""),
            ("create secret generic x --from-f", "create secret generic [\"x\"] [] flag --from-f"),
            ("exec pod -- ls -", "exec [\"pod\"] [] after --"),
            ("apply --dry-run -f ", "apply [] [] value of filename after \"\""),
            ("run -f a.yaml -q ", "run [] [(\"filename\", \"a.yaml\")] operand"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
