//! Log files in the CRI's format: `TIME stdout F TEXT`, one line each; `P` marks a part of a longer line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

/// A file is rotated beyond this size.
const LARGEST_FILE: u64 = 10 << 20;
/// How many files one run of a container keeps.
const MOST_FILES: u32 = 5;
/// A line longer than this is written in parts, as container runtimes do.
const LONGEST_PART: usize = 16 << 10;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Writes the log of one run of a container.
#[derive(Debug)]
pub(super) struct LogWriter {
    path: PathBuf,
    file: File,
    size: u64,
    unfinished: [Vec<u8>; 2],
    lost: u64,
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Creates the file, and the container's directory with it.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file = open().or_else(|_| {
            let directory = path.parent().unwrap_or(Path::new("/"));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            open()
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size: 0,
            unfinished: [Vec::new(), Vec::new()],
            lost: 0,
            buffer: Vec::new(),
        })
    }

    /// Takes what a container has written; whole lines are written out, the rest waits for its end.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8], now: DateTime<Utc>) {
        let mut held = std::mem::take(&mut self.unfinished[stream as usize]);
        let stamp = stamp(now);
        let mut rest = bytes;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            held.extend_from_slice(&rest[..newline]);
            self.push_line(&stamp, stream, &held, true);
            held.clear();
            rest = &rest[newline + 1..];
        }
        held.extend_from_slice(rest);
        while held.len() >= LONGEST_PART {
            let part: Vec<u8> = held.drain(..LONGEST_PART).collect();
            self.push_record(&stamp, stream, b"P", &part);
        }
        self.unfinished[stream as usize] = held;
        self.flush();
    }

    /// Writes out what has no newline at the end.
    pub(super) fn finish(&mut self, now: DateTime<Utc>) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let held = std::mem::take(&mut self.unfinished[stream as usize]);
            if !held.is_empty() {
                self.push_line(&stamp(now), stream, &held, false);
            }
        }
        self.flush();
    }

    fn push_line(&mut self, stamp: &str, stream: Stream, line: &[u8], whole: bool) {
        let mut parts = line.chunks(LONGEST_PART).peekable();
        if line.is_empty() {
            self.push_record(stamp, stream, b"F", b"");
        }
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            self.push_record(stamp, stream, if last && whole { b"F" } else { b"P" }, part);
        }
    }

    fn push_record(&mut self, stamp: &str, stream: Stream, tag: &[u8], text: &[u8]) {
        let buffer = &mut self.buffer;
        for part in [stamp.as_bytes(), b" ", stream.as_str().as_bytes(), b" ", tag, b" ", text, b"\n"] {
            buffer.extend_from_slice(part);
        }
    }

    /// A full disk must not stop the container: what cannot be written is counted, and said as soon as it can be.
    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if self.size > LARGEST_FILE {
            self.rotate();
        }
        let bytes = std::mem::take(&mut self.buffer);
        if self.lost > 0 {
            let notice = format!(
                "{} stderr F jobctl: {} bytes of output were lost because they could not be written\n",
                String::from_utf8_lossy(&bytes[..bytes.iter().position(|byte| *byte == b' ').unwrap_or(0)]),
                self.lost
            );
            if self.file.write_all(notice.as_bytes()).is_ok() {
                self.lost = 0;
            }
        }
        match self.file.write_all(&bytes) {
            Ok(()) => self.size += bytes.len() as u64,
            Err(_) => self.lost += bytes.len() as u64,
        }
        self.buffer = bytes;
        self.buffer.clear();
    }

    #[expect(clippy::disallowed_methods, reason = "rotated logs move up by one number")]
    fn rotate(&mut self) {
        let numbered = |number: u32| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        let _ = fs::remove_file(numbered(MOST_FILES - 1));
        for number in (1..MOST_FILES - 1).rev() {
            let _ = fs::rename(numbered(number), numbered(number + 1));
        }
        let _ = fs::rename(&self.path, numbered(1));
        if let Ok(file) = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path) {
            self.file = file;
            self.size = 0;
        }
    }
}

fn stamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// One record of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// RFC 3339 with nanoseconds.
    pub time: &'a str,
    /// Where it came from.
    pub stream: Stream,
    /// Whether a newline followed the text.
    pub whole: bool,
    /// The text.
    pub text: &'a [u8],
}

/// Reads a record, without its newline. `None` for a line that is none.
pub fn parse_line(line: &[u8]) -> Option<LogLine<'_>> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(parts.next()?).ok()?;
    let stream = match parts.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let whole = match parts.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    Some(LogLine { time, stream, whole, text: parts.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_writes_reads_back_whatever_the_pieces() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("main/0.log");
        let mut log = LogWriter::create(&path).expect("created");
        let now = DateTime::UNIX_EPOCH;
        log.take(Stream::Stdout, b"one\ntw", now);
        log.take(Stream::Stderr, b"err\n", now);
        log.take(Stream::Stdout, b"o\n\nno end", now);
        let long = vec![b'x'; LONGEST_PART * 2 + 5];
        log.take(Stream::Stderr, &long, now);
        log.finish(now);
        let text = fs::read(&path).expect("written");
        let lines: Vec<(Stream, bool, usize)> = text
            .strip_suffix(b"\n")
            .expect("ends with a newline")
            .split(|byte| *byte == b'\n')
            .map(|line| parse_line(line).expect("a record"))
            .map(|line| (line.stream, line.whole, line.text.len()))
            .collect();
        let (out, err) = (Stream::Stdout, Stream::Stderr);
        assert_eq!(
            lines,
            [
                (out, true, 3),
                (err, true, 3),
                (out, true, 3),
                (out, true, 0),
                (err, false, LONGEST_PART),
                (err, false, LONGEST_PART),
                (out, false, 6),
                (err, false, 5)
            ]
        );
    }

    #[test]
    fn a_large_log_is_rotated_and_at_most_five_files_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("main/0.log");
        let mut log = LogWriter::create(&path).expect("created");
        let line = [vec![b'x'; 8000], vec![b'\n']].concat().repeat(100);
        for _ in 0..90 {
            log.take(Stream::Stdout, &line, DateTime::UNIX_EPOCH);
        }
        assert_eq!(crate::store::log_files(&path).len(), 5);
    }
}
