//! The list of a parameter sweep: a file with a line for each item, or a table whose columns have names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use crate::api::items::{ITEM_VARIABLE, Item};
use crate::api::names;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ListFormat {
    /// An item on each line
    Lines,
    /// A first row with the columns' names, then a row for each item
    Csv,
    /// A JSON object on each line, whose keys are the columns; one that is missing is empty
    Jsonl,
}

impl ListFormat {
    /// By the end of a file's name.
    pub(super) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, end)| end) {
            Some("csv") => Self::Csv,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            _ => Self::Lines,
        }
    }
}

/// The longest item: what a program can be given as one variable, with the variable's name.
const LONGEST_ITEM: usize = 128 * 1024 - 16;

/// Variables that a column must not take from its containers.
const TAKEN: [&str; 6] = [ITEM_VARIABLE, "PATH", "HOME", "HOSTNAME", "JOB_COMPLETION_INDEX", "LD_PRELOAD"];

/// The items of a list. Lines with nothing on them are left out.
///
/// # Errors
/// What cannot be an item, by its line or row; a list without items.
pub(super) fn parse(text: &str, format: ListFormat) -> Result<Vec<Item>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let items = match format {
        ListFormat::Lines => {
            lines(text).map(|(_, line)| Item { text: line.into(), ..Item::default() }).collect()
        }
        ListFormat::Csv => of_csv(text)?,
        ListFormat::Jsonl => of_json_lines(text)?,
    };
    if items.is_empty() {
        bail!("there is no item in it");
    }
    for (number, item) in items.iter().enumerate() {
        if let Some((what, _)) = parts(item).find(|(_, value)| value.contains('\0')) {
            bail!("item {number}: {what} holds a NUL, which no program can be given");
        }
        if let Some((what, value)) = parts(item).find(|(_, value)| value.len() > LONGEST_ITEM) {
            bail!("item {number}: {what} is longer than {LONGEST_ITEM} bytes: {}", value.len());
        }
    }
    Ok(items)
}

fn parts(item: &Item) -> impl Iterator<Item = (&str, &str)> {
    let columns = item.columns.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    [("it", item.text.as_str())].into_iter().chain(columns)
}

/// The lines that hold something, with their numbers from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let all = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    all.filter(|(_, line)| !line.trim().is_empty())
}

fn of_csv(text: &str) -> Result<Vec<Item>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    check_names(names.iter().map(String::as_str)).context("the first row")?;
    let mut items = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut start = usize::try_from(reader.position().byte())?;
    while reader.read_record(&mut record)? {
        let end = usize::try_from(reader.position().byte())?;
        let columns = names.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        let row = text.get(start..end).unwrap_or_default().trim_matches(['\r', '\n']);
        items.push(Item { text: row.to_owned(), columns });
        start = end;
    }
    Ok(items)
}

fn of_json_lines(text: &str) -> Result<Vec<Item>> {
    let item = |(number, line): (usize, &str)| -> Result<Item> {
        let object: Map<String, Value> =
            serde_json::from_str(line).with_context(|| format!("line {number} is no JSON object"))?;
        check_names(object.keys().map(String::as_str)).with_context(|| format!("line {number}"))?;
        let columns = object.into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        Ok(Item { text: line.trim().to_owned(), columns: columns.collect::<BTreeMap<_, _>>() })
    };
    let mut items: Vec<Item> = lines(text).map(item).collect::<Result<_>>()?;
    // A column is empty where an object has no such key, as it is in a table.
    let names: BTreeSet<String> = items.iter().flat_map(|item| item.columns.keys().cloned()).collect();
    for item in &mut items {
        for name in &names {
            item.columns.entry(name.clone()).or_default();
        }
    }
    Ok(items)
}

/// Columns become variables, and parts of the keys of a ConfigMap.
fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if let Some(problem) = names::old_env_name(name).into_iter().next() {
            bail!("{name:?} cannot be a column: {problem}");
        }
        if TAKEN.contains(&name) {
            bail!("{name:?} cannot be a column: containers have a variable of that name");
        }
        if !seen.insert(name) {
            bail!("two columns are called {name:?}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, format: ListFormat) -> String {
        match parse(text, format) {
            Ok(items) => items
                .iter()
                .map(|item| {
                    let columns: Vec<_> =
                        item.columns.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    format!("[{}|{}]", item.text, columns.join(" "))
                })
                .collect(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn lists_of_lines() {
        assert_eq!(shown("a b\n\n  \nc\r\n{}", ListFormat::Lines), "[a b|][c|][{}|]");
        assert_eq!(shown("\n", ListFormat::Lines), "there is no item in it");
        assert_eq!(shown("a\0b", ListFormat::Lines), "item 0: it holds a NUL, which no program can be given");
    }

    #[test]
    fn tables_with_named_columns() {
        let csv = "lr, seed\n0.1,1\r\n\"0,2\",\"two\nlines\"\n";
        assert_eq!(
            shown(csv, ListFormat::Csv),
            "[0.1,1|lr=0.1 seed=1][\"0,2\",\"two\nlines\"|lr=0,2 seed=two\nlines]"
        );
        assert_eq!(
            shown("lr\n1,2\n", ListFormat::Csv),
            "CSV error: record 1 (line: 2, byte: 3): found record with 2 fields, but the previous record has 1 fields"
        );
        assert_eq!(shown("lr,lr\n", ListFormat::Csv), "the first row: two columns are called \"lr\"");
        assert!(shown("a b\n", ListFormat::Csv).starts_with("the first row: \"a b\" cannot be a column"));
        assert_eq!(
            shown("PATH\n/\n", ListFormat::Csv),
            "the first row: \"PATH\" cannot be a column: containers have a variable of that name"
        );
    }

    #[test]
    fn objects_of_json() {
        assert_eq!(
            shown("{\"lr\": 0.1, \"name\": \"a b\"}\n\n{\"lr\": [1]}\n", ListFormat::Jsonl),
            "[{\"lr\": 0.1, \"name\": \"a b\"}|lr=0.1 name=a b][{\"lr\": [1]}|lr=[1] name=]"
        );
        assert_eq!(
            shown("{\"a\": 1}\n{\"b\": null}\n", ListFormat::Jsonl),
            "[{\"a\": 1}|a=1 b=][{\"b\": null}|a= b=null]",
            "what is missing is empty"
        );
        assert!(
            shown("1\n", ListFormat::Jsonl)
                .starts_with("line 1 is no JSON object: invalid type: integer `1`")
        );
    }

    #[test]
    fn the_format_is_told_by_the_name() {
        assert_eq!(ListFormat::of("a/b.csv"), ListFormat::Csv);
        assert_eq!(ListFormat::of("b.jsonl"), ListFormat::Jsonl);
        assert_eq!(ListFormat::of("csv"), ListFormat::Lines);
    }
}
