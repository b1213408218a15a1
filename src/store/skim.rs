//! Reading the journal for its small tables: a Job is some 2 KB of a commit that holds 100 KB of pods and Events.
//!
//! Commits are ordered by table and say how long they are, so what comes after the tables asked for is not read.
//! Whatever looks odd is left to the full reading, which can say what is wrong and where.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memmem::Finder;

use super::record::{Table, changes, head_of, table_of_write};

/// What is read of a commit at first; more where its small tables need it.
const FIRST_READ: usize = 8 << 10;

/// Commits cut to some tables, one line each.
pub(super) struct Skimmed {
    pub(super) text: String,
    /// Where the last whole commit ends in the file.
    pub(super) end: u64,
}

/// Whether reading these tables alone spares much.
pub(super) fn is_worth_it(tables: &[Table]) -> bool {
    tables.iter().all(|table| *table < Table::Pods)
}

/// The whole commits from byte `from` to the end of the journal, cut to the tables asked for; `None` where something
/// is odd about one of them.
///
/// # Errors
/// A failing read.
pub(super) fn skim(journal: &File, from: u64, tables: &[Table]) -> io::Result<Option<Skimmed>> {
    let length = journal.metadata()?.len();
    let mut skimmed = Skimmed { text: String::new(), end: from };
    while skimmed.end < length {
        let Some(end) = skim_commit(journal, skimmed.end, length, tables, &mut skimmed.text)? else {
            return Ok(None);
        };
        skimmed.end = end;
    }
    Ok(Some(skimmed))
}

/// Takes in one commit and returns where it ends.
fn skim_commit(
    journal: &File,
    at: u64,
    length: u64,
    tables: &[Table],
    text: &mut String,
) -> io::Result<Option<u64>> {
    let operation = Finder::new(b"{\"op\":\"");
    let mut size = FIRST_READ;
    loop {
        let available = usize::try_from(length - at).unwrap_or(usize::MAX).min(size);
        let mut bytes = vec![0; available];
        journal.read_exact_at(&mut bytes, at)?;
        let Some(head) = head_of(&bytes) else { return Ok(None) };
        let end = at + (head.start + head.rest) as u64;
        if end > length {
            return Ok(None);
        }
        let whole = bytes.len() >= head.start + head.rest;
        bytes.truncate(head.start + head.rest);
        let writes = &bytes[head.start..];
        let is_beyond = |write: &usize| {
            let table = table_of_write(&writes[*write..]);
            table.is_some_and(|table| tables.iter().all(|asked| *asked < table))
        };
        let kept = match operation.find_iter(writes).find(is_beyond) {
            // Between two writes stands one comma.
            Some(beyond) => &writes[..beyond.saturating_sub(1)],
            None if whole => writes.strip_suffix(b"]}\n").unwrap_or_default(),
            None => {
                size *= 4;
                continue;
            }
        };
        let Ok(kept) = std::str::from_utf8(kept) else { return Ok(None) };
        let line = format!("{{\"revision\":{},\"writes\":[{kept}]}}", head.revision);
        if changes(&line, tables, |_| ()).is_err() || !ends_a_line(journal, end)? {
            return Ok(None);
        }
        text.push_str(&line);
        text.push('\n');
        return Ok(Some(end));
    }
}

fn ends_a_line(journal: &File, end: u64) -> io::Result<bool> {
    let mut last = [0];
    journal.read_exact_at(&mut last, end - 1)?;
    Ok(last == *b"\n")
}
