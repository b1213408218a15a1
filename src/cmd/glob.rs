//! Patterns of file names in `-f`, as kubectl expands those that a shell was kept from expanding.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The paths that a pattern matches, in order; none where nothing matches. A pattern without a special character matches
/// the path that it is.
///
/// # Errors
/// A pattern that ends within brackets or after a backslash.
pub(super) fn expand(pattern: &str) -> Result<Vec<PathBuf>> {
    if !is_well_formed(pattern) {
        bail!("pattern {pattern:?} is not valid: syntax error in pattern");
    }
    Ok(matches(Path::new(pattern)))
}

fn matches(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    if !has_meta(&text) {
        return if pattern.symlink_metadata().is_ok() { vec![pattern.to_owned()] } else { Vec::new() };
    }
    let (Some(parent), Some(name)) = (pattern.parent(), pattern.file_name()) else { return Vec::new() };
    matches(parent_or_here(parent))
        .iter()
        .flat_map(|directory| entries(directory, &name.to_string_lossy()))
        .map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path))
        .collect()
}

fn parent_or_here(parent: &Path) -> &Path {
    if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
}

/// The entries of a directory whose names match. What cannot be read has none, as in Go's `filepath.Glob`.
fn entries(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(read) = fs::read_dir(directory) else { return Vec::new() };
    let pattern: Vec<char> = pattern.chars().collect();
    let mut found: Vec<PathBuf> = read
        .flatten()
        .filter(|entry| {
            let name: Vec<char> = entry.file_name().to_string_lossy().chars().collect();
            is_match(&pattern, &name)
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn has_meta(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

/// Whether every bracket is closed and every backslash has something to quote.
fn is_well_formed(pattern: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut rest = pattern.as_slice();
    while let [first, after @ ..] = rest {
        rest = match first {
            '\\' if after.is_empty() => return false,
            '\\' => &after[1..],
            '[' => match Class::read(after) {
                Some((_, after)) => after,
                None => return false,
            },
            _ => after,
        };
    }
    true
}

/// Whether a whole name matches a pattern that is well formed.
fn is_match(pattern: &[char], name: &[char]) -> bool {
    // Where the last `*` stands, and how much of the name it has taken so far: on a mismatch it takes one more.
    let mut star: Option<(&[char], &[char])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        if let ['*', after @ ..] = pattern {
            star = Some((after, name));
            pattern = after;
            continue;
        }
        match (step(pattern, name), name) {
            (Some(after), [_, rest @ ..]) => (pattern, name) = (after, rest),
            _ if pattern.is_empty() && name.is_empty() => return true,
            _ => match star {
                Some((after, [_, rest @ ..])) => {
                    star = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
                _ => return false,
            },
        }
    }
}

/// What is left of a pattern when its first term, no star, matches the first character of a name.
fn step<'a>(pattern: &'a [char], name: &[char]) -> Option<&'a [char]> {
    let character = *name.first()?;
    match pattern {
        ['?', after @ ..] => Some(after),
        ['[', after @ ..] => {
            Class::read(after).filter(|(class, _)| class.holds(character)).map(|(_, rest)| rest)
        }
        ['\\', quoted, after @ ..] => (*quoted == character).then_some(after),
        [plain, after @ ..] => (*plain == character).then_some(after),
        [] => None,
    }
}

/// `[a-z]`, `[^a-z]`.
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Reads what follows the opening bracket; gives the class and what follows the closing one.
    fn read(text: &[char]) -> Option<(Self, &[char])> {
        let (negated, mut rest) = match text {
            ['^', after @ ..] => (true, after),
            _ => (false, text),
        };
        let mut ranges = Vec::new();
        loop {
            if let (false, [']', after @ ..]) = (ranges.is_empty(), rest) {
                return Some((Self { negated, ranges }, after));
            }
            let (low, after) = Self::read_end(rest)?;
            let (high, after) = match after {
                ['-', after @ ..] => Self::read_end(after)?,
                _ => (low, after),
            };
            ranges.push((low, high));
            rest = after;
        }
    }

    /// One end of a range.
    fn read_end(text: &[char]) -> Option<(char, &[char])> {
        match text {
            ['\\', quoted, after @ ..] => Some((*quoted, after)),
            ['-' | ']' | '\\', ..] | [] => None,
            [plain, after @ ..] => Some((*plain, after)),
        }
    }

    fn holds(&self, character: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::{is_match, is_well_formed};

    #[test]
    fn names_match_as_in_go() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", ".hidden", true),
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a*b*c", "aXbbc", true),
            ("a*b*c", "aXbbcd", false),
            ("?.yml", "ab.yml", false),
            ("[ab].yml", "b.yml", true),
            ("[^ab].yml", "b.yml", false),
            ("[a-c]*", "cat", true),
            ("[\\]-]x", "]x", false),
            ("[\\-]x", "-x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a", "ba", true),
            ("*é?", "aéb", true),
        ] {
            let (pattern_chars, name_chars) =
                (pattern.chars().collect::<Vec<_>>(), name.chars().collect::<Vec<_>>());
            let found = is_well_formed(pattern) && is_match(&pattern_chars, &name_chars);
            assert_eq!(found, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_ends_too_early_is_none() {
        for pattern in ["[", "[a", "[a-", "[]a]", "[-]", "a\\", "[^]"] {
            assert!(!is_well_formed(pattern), "{pattern}");
        }
        assert!(is_well_formed("a]b"));
    }
}
