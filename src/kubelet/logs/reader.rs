//! Reading a container's log: part after part, whatever has become of those before, in bounded memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use super::{LogLine, Stream, parse_line};
use crate::store::{LogPart, PodDirectory};

/// What of a log is wanted, and how it is to look.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Only the last lines.
    pub tail: Option<usize>,
    /// Only lines from then on.
    pub since: Option<DateTime<Utc>>,
    /// Each line with its time.
    pub timestamps: bool,
    /// At most so many bytes of each log.
    pub limit_bytes: Option<usize>,
    /// Only what was written there.
    pub stream: Option<Stream>,
}

/// Which runs of a container are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Only that one.
    Only(i32),
    /// The newest there is at first, and those that follow it.
    NewestAndLater,
    /// All, for the record: nothing goes that has not been read (`store/readers`).
    All,
}

/// What comes of reading a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPiece<'a> {
    /// Lines, as they are to be printed.
    Text(&'a [u8]),
    /// What is to be said of the log beside it: of what is missing.
    Notice(&'a str),
}

/// How much is read at once. Records are shorter.
pub const CHUNK: usize = 64 << 10;
/// How many times that before it is another log's turn.
const SHARE: usize = 16;
/// How much of a part is looked through for its last lines, before all of it is.
const TAIL_WINDOW: u64 = 256 << 10;

/// Where a reader is: the part is held open, so that it can be read to its end though it is removed meanwhile.
#[derive(Debug)]
struct Place {
    part: LogPart,
    /// Nothing after [`LogReader::close`], or where the part has gone since.
    file: Option<File>,
    /// The first byte that has not been read.
    offset: u64,
}

/// Reads a container's log and, asked again, goes on where it stopped.
#[derive(Debug)]
pub struct LogReader {
    directory: PodDirectory,
    container: String,
    /// Whose log it is, for what is said of it.
    whose: String,
    runs: Runs,
    options: LogOptions,
    prefix: String,
    place: Option<Place>,
    /// How many bytes came before the first part that was there, until a line shows that they were wanted.
    missing_at_first: u64,
    at_line_start: bool,
    printed: usize,
}

impl LogReader {
    /// A reader of the log of a container of the named pod. `prefix` is put before each line.
    pub fn new(
        directory: PodDirectory,
        pod: &str,
        container: &str,
        runs: Runs,
        options: LogOptions,
        prefix: String,
    ) -> Self {
        Self {
            directory,
            container: container.to_owned(),
            whose: format!("pod/{pod}: container {container}"),
            runs,
            options,
            prefix,
            place: None,
            missing_at_first: 0,
            at_line_start: true,
            printed: 0,
        }
    }

    /// Hands what has come since the last call to `print`, in pieces. What rotation has removed before it was read is told
    /// on stderr.
    ///
    /// # Errors
    /// An unreadable file; what `print` says.
    pub fn read(&mut self, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        while self.read_some(&mut buffer, print)? {}
        Ok(())
    }

    /// As [`LogReader::read`], but no more than a share, for whoever reads several logs: a container may write as fast as we
    /// read. True when there may be more. The buffer is of [`CHUNK`] bytes.
    ///
    /// # Errors
    /// As [`LogReader::read`].
    pub fn read_some(
        &mut self,
        buffer: &mut [u8],
        print: &mut impl FnMut(LogPiece<'_>) -> Result<()>,
    ) -> Result<bool> {
        if self.place.is_none() && !self.begin(print)? {
            return Ok(false);
        }
        self.open_again()?;
        // Looked for first: a part that has a successor has got its last byte.
        let next = self.next_part();
        if self.read_part(buffer, print)? {
            return Ok(true);
        }
        match next {
            Some(next) => self.step(next, print).map(|()| true),
            None => Ok(false),
        }
    }

    /// Whether a file is held.
    pub fn is_open(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.file.is_some())
    }

    /// Lets go of the file that is held, for whoever may not have more open. The next reading goes on at the same byte; a
    /// container that is read for the record waits with what would have to go meanwhile, as before the first reading.
    pub fn close(&mut self) {
        self.place.iter_mut().for_each(|place| place.file = None);
    }

    fn open_again(&mut self) -> Result<()> {
        if let Some(Place { part, file: None, .. }) = self.place {
            let mut file = self.open(part)?;
            self.place.iter_mut().for_each(|place| place.file = file.take());
        }
        Ok(())
    }

    fn open(&self, part: LogPart) -> Result<Option<File>> {
        let path = self.directory.log_path(&self.container, part);
        match File::open(&path) {
            Ok(file) => {
                if self.runs == Runs::All {
                    file.lock_shared().with_context(|| format!("lock {}", path.display()))?;
                }
                Ok(Some(file))
            }
            // Removed since we saw it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("open {}", path.display())),
        }
    }

    /// The parts that are there and wanted.
    fn parts(&self) -> Vec<LogPart> {
        let mut parts = self.directory.log_parts(&self.container);
        if let Runs::Only(restart) = self.runs {
            parts.retain(|part| part.restart == restart);
        }
        parts
    }

    /// Finds where to start. False while nothing is there.
    fn begin(&mut self, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<bool> {
        loop {
            let mut parts = self.parts();
            if let (Runs::NewestAndLater, Some(newest)) = (self.runs, parts.last().copied()) {
                parts.retain(|part| part.restart == newest.restart);
            }
            let Some(first) = parts.first().copied() else { return Ok(false) };
            let (part, offset) = match self.options.tail {
                None => (first, 0),
                Some(count) => match self.start_of_last(&parts, count)? {
                    Some(start) => start,
                    None => continue,
                },
            };
            let Some(file) = self.open(part)? else { continue };
            if (part, offset) == (first, 0) {
                if let (Runs::All, 1..) = (self.runs, first.restart) {
                    let notice =
                        format!("{}: the logs of the runs before run {} are gone", self.whose, first.restart);
                    print(LogPiece::Notice(&notice))?;
                }
                self.missing_at_first = first.start;
            }
            self.place = Some(Place { part, file: Some(file), offset });
            return Ok(true);
        }
    }

    /// The part after the one that is being read.
    fn next_part(&self) -> Option<LogPart> {
        let current = self.place.as_ref()?.part;
        self.parts().into_iter().find(|part| *part > current)
    }

    /// Leaves a part that has been read to its end for the next that is there.
    fn step(&mut self, next: LogPart, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<()> {
        let Some(file) = self.open(next)? else { return Ok(()) };
        let Some(place) = self.place.as_ref() else { return Ok(()) };
        let length = match &place.file {
            Some(file) => file.metadata().context("read a log")?.len(),
            None => place.offset,
        };
        for lost in losses(place.part, length, next) {
            print(LogPiece::Notice(&format!("{}: {lost}", self.whose)))?;
        }
        if next.restart != place.part.restart {
            self.at_line_start = true;
        }
        self.place = Some(Place { part: next, file: Some(file), offset: 0 });
        Ok(())
    }

    /// Reads on to the end of what whole records there are in the present part, or a share of them; true where more is left.
    fn read_part(
        &mut self,
        buffer: &mut [u8],
        print: &mut impl FnMut(LogPiece<'_>) -> Result<()>,
    ) -> Result<bool> {
        let mut output = Vec::new();
        for _ in 0..SHARE {
            let Some(Place { file: Some(file), offset, .. }) = &mut self.place else { return Ok(false) };
            if self.options.limit_bytes.is_some_and(|limit| self.printed >= limit) {
                return Ok(false);
            }
            let records = next_records(file, offset, buffer)?;
            if records.is_empty() {
                return Ok(false);
            }
            output.clear();
            if let Some(missing) = self.format(records, &mut output) {
                let notice = format!("{}: the first {missing} bytes of its log are gone", self.whose);
                print(LogPiece::Notice(&notice))?;
            }
            if !output.is_empty() {
                print(LogPiece::Text(&output))?;
            }
        }
        Ok(true)
    }

    /// Returns how many bytes are missing before the first line that is wanted, once.
    fn format(&mut self, records: &[u8], output: &mut Vec<u8>) -> Option<u64> {
        let mut missing = None;
        for line in lines(records) {
            let Some(record) = parse_line(line) else { continue };
            if self.options.stream.is_some_and(|wanted| wanted != record.stream) {
                continue;
            }
            if !is_since(&record, self.options.since) {
                // What came before it was not wanted either.
                self.missing_at_first = 0;
                continue;
            }
            if self.missing_at_first > 0 {
                missing = Some(std::mem::take(&mut self.missing_at_first));
            }
            if self.at_line_start {
                output.extend_from_slice(self.prefix.as_bytes());
                if self.options.timestamps {
                    output.extend_from_slice(record.time.as_bytes());
                    output.push(b' ');
                }
            }
            output.extend_from_slice(record.text);
            if record.whole {
                output.push(b'\n');
            }
            self.at_line_start = record.whole;
        }
        if let Some(limit) = self.options.limit_bytes {
            output.truncate(limit.saturating_sub(self.printed));
        }
        self.printed += output.len();
        missing
    }

    /// Where the last `count` lines start: a part and a byte of it. Parts of one line count once. `None`: what was there has
    /// been removed meanwhile.
    fn start_of_last(&self, parts: &[LogPart], count: usize) -> Result<Option<(LogPart, u64)>> {
        let mut left = count;
        for (nth, part) in parts.iter().rev().enumerate() {
            let path = self.directory.log_path(&self.container, *part);
            let file = match File::open(&path) {
                Ok(file) => file,
                // Older parts go first.
                Err(error) if error.kind() == io::ErrorKind::NotFound && nth > 0 => {
                    return Ok(Some((parts[parts.len() - nth], 0)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error).with_context(|| format!("open {}", path.display())),
            };
            // A line without an end is the last of the log, if anything.
            let newest = nth == 0;
            let length = file.metadata().context("read a log")?.len();
            for from in [start_of_window(&file, length)?, 0] {
                let found = count_lines(&file, from, newest)?;
                if found > left {
                    return Ok(Some((*part, skip_lines(&file, from, found - left)?)));
                }
                if from == 0 {
                    left -= found;
                    break;
                }
            }
        }
        Ok(parts.first().map(|first| (*first, 0)))
    }
}

fn is_since(record: &LogLine<'_>, since: Option<DateTime<Utc>>) -> bool {
    since.is_none_or(|since| DateTime::parse_from_rfc3339(record.time).is_ok_and(|time| time >= since))
}

fn lines(records: &[u8]) -> impl Iterator<Item = &[u8]> {
    records.strip_suffix(b"\n").unwrap_or(records).split(|byte| *byte == b'\n')
}

/// The whole records from `offset` on that fit into the buffer; `offset` moves past them. A piece of a record at the end
/// is left to be read again: the writer may cut it off.
fn next_records<'a>(file: &File, offset: &mut u64, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let count = loop {
        match file.read_at(buffer, *offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read.context("read a log")?,
        }
    };
    let whole = match memchr::memrchr(b'\n', &buffer[..count]) {
        Some(newline) => newline + 1,
        // No record is as long: damage, which is passed over.
        None if count == buffer.len() => count,
        None => 0,
    };
    *offset += whole as u64;
    Ok(&buffer[..whole])
}

/// The start of the first record in the last window of a file, 0 where the window is all of it.
fn start_of_window(file: &File, length: u64) -> Result<u64> {
    let Some(from) = length.checked_sub(TAIL_WINDOW).filter(|from| *from > 0) else { return Ok(0) };
    let mut buffer = vec![0; CHUNK];
    let count = file.read_at(&mut buffer, from).context("read a log")?;
    Ok(memchr::memchr(b'\n', &buffer[..count]).map_or(0, |newline| from + newline as u64 + 1))
}

/// How many lines end in a file after `from`; with `newest` also one that has no end yet.
fn count_lines(file: &File, from: u64, newest: bool) -> Result<usize> {
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut count, mut open) = (from, 0, false);
    loop {
        let records = next_records(file, &mut offset, &mut buffer)?;
        if records.is_empty() {
            return Ok(count + usize::from(newest && open));
        }
        for line in lines(records) {
            open = parse_line(line).is_some_and(|record| !record.whole);
            count += usize::from(!open);
        }
    }
}

/// Where a file goes on after `count` lines from `from` on.
fn skip_lines(file: &File, from: u64, count: usize) -> Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut left) = (from, count);
    while left > 0 {
        let start = offset;
        let records = next_records(file, &mut offset, &mut buffer)?;
        if records.is_empty() {
            return Ok(offset);
        }
        let mut at = start;
        for line in lines(records) {
            if left == 0 {
                return Ok(at);
            }
            at += line.len() as u64 + 1;
            left -= usize::from(parse_line(line).is_none_or(|record| record.whole));
        }
    }
    Ok(offset)
}

/// What is missing between a part that was read to its end, `length` bytes long, and the next that is there.
fn losses(read: LogPart, length: u64, next: LogPart) -> Vec<String> {
    let mut lost = Vec::new();
    let missing = if next.restart == read.restart {
        next.start.saturating_sub(read.start + length)
    } else {
        match next.restart - read.restart {
            1 => {}
            2 => lost.push(format!("the log of run {} was removed before it was read", read.restart + 1)),
            _ => lost.push(format!(
                "the logs of runs {} to {} were removed before they were read",
                read.restart + 1,
                next.restart - 1
            )),
        }
        next.start
    };
    if missing > 0 {
        lost.push(format!("{missing} bytes of its log were removed before they were read"));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    struct Log {
        place: tempfile::TempDir,
    }

    impl Log {
        fn new() -> Self {
            Self { place: tempfile::tempdir().expect("a directory") }
        }

        fn directory(&self) -> PodDirectory {
            PodDirectory::new(self.place.path().to_owned())
        }

        /// Adds records to a part: `F` and `P` before the text.
        fn add(&self, part: LogPart, records: &[&str]) -> u64 {
            let path = self.directory().log_path("main", part);
            let mut file = File::options().create(true).append(true).open(path).expect("a part");
            for record in records {
                writeln!(file, "2026-01-01T00:00:00Z stdout {record}").expect("written");
            }
            file.metadata().expect("a length").len()
        }

        fn remove(&self, part: LogPart) {
            std::fs::remove_file(self.directory().log_path("main", part)).expect("removed");
        }

        fn reader(&self, runs: Runs, options: LogOptions) -> LogReader {
            LogReader::new(self.directory(), "pod", "main", runs, options, String::new())
        }
    }

    fn read(reader: &mut LogReader) -> String {
        let mut output = Vec::new();
        reader
            .read(&mut |piece| {
                if let LogPiece::Text(bytes) = piece {
                    output.extend_from_slice(bytes);
                }
                Ok(())
            })
            .expect("read");
        String::from_utf8(output).expect("text")
    }

    #[test]
    fn a_reader_goes_on_over_any_number_of_parts_and_runs_between_two_looks() {
        let log = Log::new();
        let mut reader = log.reader(Runs::NewestAndLater, LogOptions::default());
        assert_eq!(read(&mut reader), "", "nothing yet");
        let mut start = log.add(LogPart::first(0), &["F a", "P b"]);
        assert_eq!(read(&mut reader), "a\nb");
        start += log.add(LogPart::first(0), &["F c"]) - start;
        for number in 0..5 {
            start += log.add(LogPart { restart: 0, start }, &[&format!("F {number}")]);
        }
        log.add(LogPart::first(1), &["F again"]);
        assert_eq!(read(&mut reader), "c\n0\n1\n2\n3\n4\nagain\n");
        log.add(LogPart::first(1), &["F more"]);
        assert_eq!(read(&mut reader), "more\n");
        assert_eq!(read(&mut reader), "");
    }

    #[test]
    fn a_part_that_is_held_is_read_to_its_end_after_it_was_removed() {
        let log = Log::new();
        let length = log.add(LogPart::first(0), &["F a"]);
        let mut reader = log.reader(Runs::NewestAndLater, LogOptions::default());
        assert_eq!(read(&mut reader), "a\n");
        let length = length + log.add(LogPart::first(0), &["F b"]) - length;
        log.add(LogPart { restart: 0, start: length + 7 }, &["F c"]);
        log.remove(LogPart::first(0));
        assert_eq!(read(&mut reader), "b\nc\n");
    }

    #[test]
    fn a_piece_of_a_record_is_not_read_until_it_is_whole() {
        let log = Log::new();
        log.add(LogPart::first(0), &["F a"]);
        let path = log.directory().log_path("main", LogPart::first(0));
        let whole = std::fs::metadata(&path).expect("a length").len();
        let mut file = File::options().append(true).open(&path).expect("a part");
        file.write_all(b"2026-01-01T00:00:00Z stdo").expect("written");
        let mut reader = log.reader(Runs::Only(0), LogOptions::default());
        assert_eq!(read(&mut reader), "a\n");
        file.set_len(whole).expect("cut off");
        log.add(LogPart::first(0), &["F b"]);
        assert_eq!(read(&mut reader), "b\n");
    }

    #[test]
    fn what_is_missing_is_measured() {
        let part = |restart, start| LogPart { restart, start };
        let none: [&str; 0] = [];
        assert_eq!(losses(part(0, 10), 5, part(0, 15)), none);
        assert_eq!(losses(part(0, 10), 5, part(1, 0)), none);
        assert_eq!(
            losses(part(0, 10), 5, part(0, 22)),
            ["7 bytes of its log were removed before they were read"]
        );
        assert_eq!(
            losses(part(1, 0), 5, part(4, 3)),
            [
                "the logs of runs 2 to 3 were removed before they were read",
                "3 bytes of its log were removed before they were read"
            ]
        );
        assert_eq!(losses(part(0, 0), 5, part(2, 0)), ["the log of run 1 was removed before it was read"]);
    }

    #[test]
    fn the_last_lines_are_found_in_whatever_part_they_start() {
        let log = Log::new();
        let mut start = log.add(LogPart::first(0), &["F 1", "F 2", "P 3a"]);
        start += log.add(LogPart { restart: 0, start }, &["P 3b", "F 3c", "F 4"]);
        log.add(LogPart { restart: 0, start }, &["F 5", "P 6"]);
        log.add(LogPart::first(1), &["F other run"]);
        for (tail, expected) in [
            (0, ""),
            (1, "6"),
            (2, "5\n6"),
            (3, "4\n5\n6"),
            (4, "3a3b3c\n4\n5\n6"),
            (5, "2\n3a3b3c\n4\n5\n6"),
            (6, "1\n2\n3a3b3c\n4\n5\n6"),
            (100, "1\n2\n3a3b3c\n4\n5\n6"),
        ] {
            let options = LogOptions { tail: Some(tail), ..LogOptions::default() };
            assert_eq!(read(&mut log.reader(Runs::Only(0), options)), expected, "--tail={tail}");
        }
    }

    #[test]
    fn the_last_lines_of_a_large_part_are_those_of_a_small_one() {
        let log = Log::new();
        let text = "x".repeat(1000);
        let numbers: Vec<String> = (0..2000).map(|number| format!("F {number} {text}")).collect();
        let records: Vec<&str> = numbers.iter().map(String::as_str).collect();
        log.add(LogPart::first(0), &records);
        for tail in [0, 1, 100, 240, 250, 260, 1999, 2000, 2001] {
            let options = LogOptions { tail: Some(tail), ..LogOptions::default() };
            let output = read(&mut log.reader(Runs::Only(0), options));
            assert_eq!(output.lines().count(), tail.min(2000), "--tail={tail}");
            assert!(tail == 0 || output.ends_with(&format!("1999 {text}\n")));
        }
        let options = LogOptions { limit_bytes: Some(70_000), ..LogOptions::default() };
        assert_eq!(read(&mut log.reader(Runs::Only(0), options)).len(), 70_000);
    }
}
