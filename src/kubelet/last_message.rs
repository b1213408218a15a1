//! What a container that has ended leaves to say: its termination message (kubernetes-behaviour 4.9).

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::actions::ContainerRun;
use super::logs::{LogOptions, LogPiece, LogReader, Runs};
use crate::store::PodDirectory;

/// The most of a message: its last bytes.
const LONGEST: u64 = 4096;
/// The most of a container's output that stands for a message.
const LONGEST_FROM_LOG: usize = 2048;
/// How many lines of it, at the most.
const LINES_FROM_LOG: usize = 80;

/// The message of the run that has just ended; `restart` is its number.
pub(super) fn last_message(
    container: &ContainerRun,
    exit_code: i32,
    directory: &PodDirectory,
    restart: i32,
) -> Option<String> {
    let left = container.message_path.as_ref().and_then(|_| end_of_file(directory, &container.name));
    let message = left.filter(|message| !message.is_empty());
    if message.is_some() || !container.message_from_log || exit_code == 0 {
        return message;
    }
    end_of_log(container, directory, restart).filter(|message| !message.is_empty())
}

fn end_of_file(directory: &PodDirectory, container: &str) -> Option<String> {
    let mut file = File::open(directory.message_path(container)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST))).ok()?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn end_of_log(container: &ContainerRun, directory: &PodDirectory, restart: i32) -> Option<String> {
    let options = LogOptions { tail: Some(LINES_FROM_LOG), ..LogOptions::default() };
    let runs = Runs::Only(restart);
    let mut reader = LogReader::new(directory.clone(), "", &container.name, runs, options, String::new());
    let mut bytes = Vec::new();
    let mut take = |piece: LogPiece<'_>| {
        if let LogPiece::Text(text) = piece {
            bytes.extend_from_slice(text);
        }
        Ok(())
    };
    reader.read(&mut take).ok()?;
    let end = &bytes[bytes.len().saturating_sub(LONGEST_FROM_LOG)..];
    Some(String::from_utf8_lossy(end).into_owned())
}
