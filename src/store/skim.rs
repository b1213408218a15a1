//! Reading the journal for its small tables: a Job is some 2 KB of a commit that holds 100 KB of pods and Events.
//!
//! The records of a commit are ordered by table, so what comes after the tables asked for is not read. Whatever looks odd is
//! left to the full reading, which can say what is wrong and where.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{END, HEAD, Head, Table, check_end, read_record, table_of_record};

/// What is read of a commit at first; more where its small tables need it.
const FIRST_READ: usize = 8 << 10;

/// The records of some tables.
pub(super) struct Skimmed {
    /// The records, one after the other.
    pub(super) text: String,
    /// Where the last whole commit ends in the file.
    pub(super) end: u64,
    /// Its last revision.
    pub(super) revision: u64,
}

/// Whether reading these tables alone spares much.
pub(super) fn is_worth_it(tables: &[Table]) -> bool {
    tables.iter().all(|table| *table < Table::PODS)
}

/// The records of the tables asked for in the commits from byte `from` to the end of the journal; `None` where something is
/// odd about one of them.
///
/// # Errors
/// A failing read.
pub(super) fn skim(
    journal: &File,
    from: u64,
    revision: u64,
    tables: &[Table],
) -> io::Result<Option<Skimmed>> {
    let length = journal.metadata()?.len();
    let mut skimmed = Skimmed { text: String::new(), end: from, revision };
    while skimmed.end < length {
        if !skim_commit(journal, length, tables, &mut skimmed)? {
            return Ok(None);
        }
    }
    Ok(Some(skimmed))
}

/// Takes in one commit; false where it is odd.
fn skim_commit(journal: &File, length: u64, tables: &[Table], skimmed: &mut Skimmed) -> io::Result<bool> {
    let at = skimmed.end;
    let mut size = FIRST_READ;
    loop {
        let available = usize::try_from(length - at).unwrap_or(usize::MAX).min(size);
        let mut bytes = vec![0; available];
        journal.read_exact_at(&mut bytes, at)?;
        let Ok(head) = Head::read(&bytes) else { return Ok(false) };
        let end = at + head.length();
        if end > length || head.first != skimmed.revision + 1 {
            return Ok(false);
        }
        let records = (head.length() - END as u64) as usize;
        let mut kept = HEAD;
        let is_enough = loop {
            if kept >= records {
                break true;
            }
            let Some(rest) = bytes.get(kept..) else { break false };
            match table_of_record(rest) {
                Some(table) if tables.iter().all(|asked| *asked < table) => break true,
                Some(_) => {}
                None => break false,
            }
            match read_record(rest) {
                Ok((_, length)) => kept += length,
                Err(_) => break false,
            }
        };
        if !is_enough {
            // Damaged, or longer than what was read.
            if bytes.len() as u64 >= head.length() {
                return Ok(false);
            }
            size *= 4;
            continue;
        }
        let mut last = [0; END];
        journal.read_exact_at(&mut last, end - END as u64)?;
        let Ok(text) = std::str::from_utf8(&bytes[HEAD..kept]) else { return Ok(false) };
        if check_end(&last, head.last()).is_err() {
            return Ok(false);
        }
        skimmed.text.push_str(text);
        skimmed.end = end;
        skimmed.revision = head.last();
        return Ok(true);
    }
}
