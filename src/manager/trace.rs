//! `-v`: what is decided while a command runs, told as it comes, by the changes of objects that the decisions are.
//!
//! The controllers are pure, and most passes are made by another process: so nobody tells while deciding. What was decided
//! is in the journal, whoever did it, with the Events and conditions that say why.

mod told;

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use chrono::Duration;

use super::{Config, Follower, clock};
use crate::store::{Store, Table, Transacted, keep_ledger, take_ledger};
use told::Known;

/// From this level on decisions are told.
const DECISIONS: i32 = 4;
/// From this level on each transaction of this process is told too.
const TRANSACTIONS: i32 = 6;

/// What is followed.
const TABLES: [Table; 6] =
    [Table::CRON_JOBS, Table::STATEFUL_SETS, Table::JOBS, Table::JobFacts, Table::PODS, Table::EVENTS];

/// What has been told so far.
struct Trace {
    follower: Follower,
    known: Known,
    level: i32,
    backoff_base: Duration,
    /// The revisions of this process's commits.
    own: Vec<(u64, u64)>,
    say: fn(&str),
}

static TRACE: Mutex<Option<Trace>> = Mutex::new(None);

/// From now on tells what is decided, by one line each, as far as the level asks for it.
///
/// # Errors
/// A store that cannot be read.
pub fn start_trace(config: &Config, store: &Store, level: i32, say: fn(&str)) -> Result<()> {
    let mut trace = TRACE.lock().unwrap_or_else(PoisonError::into_inner);
    if level < DECISIONS || trace.is_some() {
        return Ok(());
    }
    let (state, follower) = Follower::start(config, store, &TABLES)?;
    let mut known = Known::default();
    for table in TABLES {
        state.objects(table).for_each(|(key, object)| known.know(table, key.clone(), object.text));
    }
    let backoff_base = config.settings.backoff_base;
    *trace = Some(Trace { follower, known, level, backoff_base, own: Vec::new(), say });
    drop(trace);
    keep_ledger();
    Ok(())
}

/// Tells what has been decided since the last call.
pub fn tell_trace() {
    // Whoever comes while somebody tells need not wait for it.
    if let Ok(mut trace) = TRACE.try_lock()
        && let Some(trace) = &mut *trace
    {
        trace.tell();
    }
}

impl Trace {
    fn tell(&mut self) {
        let now = clock();
        let at = now.format("%H:%M:%S%.3fZ");
        for transacted in take_ledger() {
            if transacted.is_commit {
                self.own.push(transacted.revisions);
            }
            if self.level >= TRANSACTIONS {
                (self.say)(&format!("{at} here: {}", sentence(&transacted)));
            }
        }
        let Self { follower, known, backoff_base, own, say, .. } = self;
        // A store that does not read is the command's own to complain of.
        let _ = follower.read_changes(|change| {
            let is_own = own.iter().any(|(first, last)| (*first..=*last).contains(&change.revision));
            let who = if is_own { "here" } else { "elsewhere" };
            known.take(&change, *backoff_base).iter().for_each(|line| say(&format!("{at} {who}: {line}")));
        });
    }
}

/// `commit of revisions 3 to 6: jobs 1, pods 3 in 0.8 ms`.
fn sentence(transacted: &Transacted) -> String {
    let objects: Vec<String> =
        transacted.objects.iter().map(|(table, count)| format!("{} {count}", table.as_str())).collect();
    let milliseconds = transacted.took.as_secs_f64() * 1000.;
    let what = match (transacted.is_commit, transacted.revisions) {
        (false, (revision, _)) => format!("read as of revision {revision}"),
        (true, (first, last)) if first == last => format!("commit of revision {first}"),
        (true, (first, last)) => format!("commit of revisions {first} to {last}"),
    };
    let objects = if objects.is_empty() { "nothing".to_owned() } else { objects.join(", ") };
    format!("{what}: {objects} in {milliseconds:.1} ms")
}
