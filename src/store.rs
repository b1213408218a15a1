//! Every path and byte at rest: locks, snapshots, the journal, the inbox and the pods' directories.
//!
//! ```text
//! DATA/
//!   format                       the layout's version
//!   current -> snapshot/<rev>    switched by one rename
//!   snapshot/<rev>/<kind>.jsonl  one object a line, sorted by key, as of revision <rev>
//!   snapshot/<rev>/journal.jsonl every commit since
//!   store.lock                   held while committing
//!   notifier                         a shared word, raised at every commit
//!   boot                         in which boot of the machine the newest commits were made
//!   spare/                       directories of pods that are gone, for pods to come
//!   inbox/                       reports of supervisors: each a name of the file whose lock it holds
//!   reserve                      room for deletions on a full disk
//!   controller.lock              held by the running controller
//!   controller.log               why controllers in the background have ended
//!   controller.failed            how many in a row could not go on
//!   readers.lock                 locked by those who read logs for the record, a byte for each Job
//!   pods/<uid>/                  written by that pod's supervisor alone, but for its volumes
//!   volumes/<namespace>/<claim>  persistent volume claims
//!   <file>.corrupt-<time>        damaged lines, set aside by `jobctl doctor --set-aside`
//! ```
//!
//! Readers take no lock: a commit says how long it is, so the whole commits at the start of a journal are a consistent state.

mod atomic;
mod boot;
mod check_directory;
mod check_records;
mod commit;
mod compaction;
mod controller_log;
mod crash;
mod directory;
mod disk_use;
mod inbox;
mod ledger;
mod locks;
mod notifier;
mod pod_directory;
mod readers;
mod record;
mod reserve;
mod retention;
mod set_aside;
mod sizes;
mod skim;
mod snapshot;
mod spares;
mod state;
mod stream;
mod tail;
#[cfg(test)]
mod tests;
mod volumes;

pub use atomic::write_atomic;
pub use boot::boot_id;
pub use check_directory::{DirectoryCheck, Entry, Format, Space};
pub use check_records::{Damage, FileCheck, Gap, RecordsCheck};
pub use controller_log::ControllerFailures;
pub use crash::{clock_offset, crash_point};
pub use directory::{FORMAT, Store};
pub use disk_use::DiskUse;
pub use inbox::{Inbox, InboxContents, PodReport, ReportedEvent};
pub use ledger::{Transacted, keep_ledger, take_ledger};
pub use locks::{LockedStore, ProcessLock, holder_of};
pub use pod_directory::{LogPart, PodDirectory};
pub use readers::{ReaderOfRecord, is_anything_read_for_record, is_read_for_record, oldest_part_being_read};
pub use record::{Change, Table, Write, WriteContent};
pub use reserve::is_out_of_room;
pub use set_aside::{Affected, AsideLine, Fate, SetAside};
pub use spares::Spares;
pub use state::{Object, State};
pub use tail::{Tail, sync_journal};
pub use volumes::{
    VolumeFiles, give_to_group, make_open_directory, make_plain_directory, remove_tree, write_in_place,
    write_message_file, write_volume_files,
};

use std::fmt;
use std::path::PathBuf;

/// What can be wrong with a store; nothing is ever reset because of it.
#[derive(Debug)]
pub enum StoreError {
    /// A record does not read back.
    Damaged {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte at which the line starts.
        offset: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// Commits that a reader of the journal has not seen are in no journal any more: it slept through two compactions, or
    /// damage was set aside.
    Gap {
        /// The last revision that was read.
        read: u64,
        /// The revision of the snapshot in force.
        next: u64,
    },
    /// The data directory was removed while it was read. Another may have been made at its place.
    Removed {
        /// The data directory.
        directory: PathBuf,
    },
    /// The layout is not the one of this program.
    OtherFormat {
        /// The data directory.
        directory: PathBuf,
        /// The version found.
        found: String,
    },
    /// The data directory is not ours alone.
    NotPrivate {
        /// The data directory.
        directory: PathBuf,
        /// Why.
        detail: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { file, line, offset, detail } => write!(
                formatter,
                "the store is damaged: {} line {line} (byte {offset}): {detail}; nothing was changed; what can be \
                 done: jobctl doctor",
                file.display()
            ),
            Self::Gap { read, next } => write!(
                formatter,
                "the store went on from revision {read} to {next} without the commits between; run the command again"
            ),
            Self::Removed { directory } => {
                write!(formatter, "the data directory {} has been removed", directory.display())
            }
            Self::OtherFormat { directory, found } => {
                let format = directory::FORMAT;
                write!(formatter, "the data directory {} ", directory.display())?;
                match found.parse::<u32>() {
                    Ok(number) if number > format => write!(
                        formatter,
                        "was written by a newer jobctl (format {number}, this one knows {format}); use that version, or \
                         another directory with --data-dir"
                    ),
                    Ok(number) if number > 0 => write!(
                        formatter,
                        "was written by an older jobctl (format {number}, this one knows {format}); let its Jobs end with \
                         that version, then move the directory away, or use another with --data-dir"
                    ),
                    _ => write!(
                        formatter,
                        "does not say its format: its file \"format\" holds {found:?} where this jobctl writes {format}; \
                         use another directory with --data-dir"
                    ),
                }
            }
            Self::NotPrivate { directory, detail } => {
                write!(formatter, "the data directory {} {detail}", directory.display())
            }
        }
    }
}

impl std::error::Error for StoreError {}
