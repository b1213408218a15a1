//! How long Jobs took that were done within a second: their status has whole seconds.

use anyhow::Result;
use chrono::Duration;

use crate::api::kinds::Key;
use crate::apiserver::{Reader, Source as _, uid_of};
use crate::client::Client;
use crate::controller::JobFacts;
use crate::printers::duration::below_a_second;
use crate::printers::rows::Row;
use crate::store::Table;

/// Columns of the table of Jobs.
const STATUS: usize = 1;
const DURATION: usize = 3;

/// What the Job controller remembers of Jobs.
pub(super) struct ShortRuns(Reader);

impl ShortRuns {
    /// Reads it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn read(client: &Client) -> Result<Self> {
        client.read(&[Table::JobFacts]).map(Self)
    }

    /// How long a Job took, where that was less than a second.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn of(&self, key: &Key, uid: &str) -> Result<Option<Duration>> {
        let Some(entry) = self.0.entry(Table::JobFacts, key)? else { return Ok(None) };
        let facts: JobFacts = entry.parse()?;
        Ok(facts.short_run().filter(|_| facts.uid == uid))
    }
}

/// Puts into rows of Jobs, made of these texts, what they took, where kubectl has `0s`, or `1s` over the turn of a second.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn show(rows: &mut [Row<'_>], texts: &[&str], client: &Client) -> Result<()> {
    let mut runs = None;
    for (row, text) in rows.iter_mut().zip(texts) {
        if row.cells[STATUS] != "Complete" || !["0s", "1s"].contains(&&*row.cells[DURATION]) {
            continue;
        }
        if runs.is_none() {
            runs = Some(ShortRuns::read(client)?);
        }
        let key = Key::new(&row.namespace, &row.cells[0]);
        let uid = uid_of(text).unwrap_or_default();
        if let Some(took) = runs.as_ref().map(|runs| runs.of(&key, &uid)).transpose()?.flatten() {
            row.cells[DURATION] = below_a_second(took).into();
        }
    }
    Ok(())
}
