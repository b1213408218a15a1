//! Log files in the CRI's format: `TIME stdout F TEXT`, one line each; `P` marks a part of a longer line.
//!
//! A log is a sequence of files, none of which is ever renamed: a file that is full is left, and another begun that says
//! in its name how much came before it. So readers can hold a file and find the next, and know how much they have missed
//! when the oldest went before they came. A container's log is bounded, over all its runs.
//!
//! Where somebody reads it for the record (`store/readers`), nothing goes that is not read yet: [`LogWriter::has_room`]
//! says no then, the supervisor leaves the container's output in its pipe, and the container waits in its writes as in
//! any pipeline with a slow reader.

mod reader;

pub use reader::{CHUNK, LogOptions, LogPiece, LogReader, Runs};

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::store::{LogPart, PodDirectory, is_read_for_record, oldest_part_being_read};

/// How much is kept of a container's log.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Another file is begun beyond this size.
    file: u64,
    /// How many files one run keeps.
    files: usize,
    /// How many runs are kept beside the first.
    runs: usize,
    /// How many bytes are kept of all runs beside the first.
    bytes: u64,
}

const LIMITS: Limits = Limits { file: 10 << 20, files: 5, runs: 20, bytes: 50 << 20 };
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

/// Which parts go when `next` is begun: the oldest of its run; then, of what is there beside the first run, the oldest of
/// too many runs and of too many bytes. `parts` are those that are there, with their sizes, in order.
fn surplus(parts: &[(LogPart, u64)], next: LogPart, limits: Limits) -> Vec<LogPart> {
    let mut doomed = BTreeSet::new();
    let of_run = || parts.iter().filter(|(part, _)| part.restart == next.restart && *part != next);
    let too_many = (of_run().count() + 1).saturating_sub(limits.files);
    doomed.extend(of_run().take(too_many).map(|(part, _)| *part));
    let later = || parts.iter().filter(|(part, _)| part.restart > 0 && *part != next);
    let runs: BTreeSet<i32> = later().map(|(part, _)| part.restart).chain([next.restart]).collect();
    let too_many = runs.len().saturating_sub(limits.runs);
    let old_runs: BTreeSet<i32> = runs.into_iter().take(too_many).collect();
    doomed.extend(later().map(|(part, _)| *part).filter(|part| old_runs.contains(&part.restart)));
    let left: Vec<_> = later().filter(|(part, _)| !doomed.contains(part)).collect();
    let mut bytes: u64 = left.iter().map(|(_, size)| size).sum();
    for (part, size) in left {
        if bytes + limits.file <= limits.bytes {
            break;
        }
        doomed.insert(*part);
        bytes -= size;
    }
    doomed.into_iter().collect()
}

/// A container's log: where it is, and whose record it may be.
#[derive(Clone, Debug)]
pub(super) struct LogPlace {
    /// The pod's directory.
    pub(super) directory: PodDirectory,
    /// The container.
    pub(super) container: String,
    /// The data directory.
    pub(super) root: PathBuf,
    /// The uid of the pod's Job; empty where there is none.
    pub(super) job_uid: String,
}

impl LogPlace {
    /// Removes what is too much when `next` is begun. False where a reader of record has not read all of that.
    fn make_room(&self, next: LogPart, limits: Limits) -> bool {
        let parts: Vec<(LogPart, u64)> = (self.directory.log_parts(&self.container).into_iter())
            .map(|part| (part, fs::metadata(self.path(part)).map_or(0, |found| found.len())))
            .collect();
        let mut doomed = surplus(&parts, next, limits);
        let wanted = doomed.len();
        if wanted > 0 && is_read_for_record(&self.root, &self.job_uid) {
            let parts: Vec<LogPart> = parts.into_iter().map(|(part, _)| part).collect();
            // What comes before the part it holds has been read; one that holds none has yet to begin.
            let held = oldest_part_being_read(&self.directory, &self.container, &parts);
            doomed.retain(|part| held.is_some_and(|held| *part < held));
        }
        for part in &doomed {
            let _ = fs::remove_file(self.path(*part));
        }
        doomed.len() == wanted
    }

    fn path(&self, part: LogPart) -> PathBuf {
        self.directory.log_path(&self.container, part)
    }

    fn open(&self, part: LogPart) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.path(part))
    }
}

/// Writes the log of one run of a container.
#[derive(Debug)]
pub(super) struct LogWriter {
    place: LogPlace,
    limits: Limits,
    part: LogPart,
    file: File,
    size: u64,
    unfinished: [Vec<u8>; 2],
    /// Bytes of output that could not be written.
    lost: u64,
    /// Whether the file ends in a piece of a record that could not be cut off.
    torn: bool,
    /// Whether a reader of record has not read what would have to go.
    waits: bool,
    /// Whether lines are written out before their ends.
    is_prompt: bool,
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Begins the log of a run, in the pod's directory, which the claim has made.
    pub(super) fn create(place: LogPlace, restart: i32) -> io::Result<Self> {
        Self::with_limits(place, restart, LIMITS)
    }

    fn with_limits(place: LogPlace, restart: i32, limits: Limits) -> io::Result<Self> {
        let part = LogPart::first(restart);
        let file = place.open(part)?;
        // The first run has nothing before it that could be too much.
        let waits = restart > 0 && !place.make_room(part, limits);
        Ok(Self {
            place,
            limits,
            part,
            file,
            size: 0,
            unfinished: [Vec::new(), Vec::new()],
            lost: 0,
            torn: false,
            waits,
            is_prompt: false,
            buffer: Vec::new(),
        })
    }

    /// Whether more output may be taken. If not, somebody reads this log for the record and is too far behind; there is
    /// nothing that would tell when that changes.
    pub(super) fn has_room(&mut self) -> bool {
        if self.waits || self.size > self.limits.file {
            let next = if self.size > self.limits.file { self.next_part() } else { self.part };
            self.waits = !self.place.make_room(next, self.limits);
        }
        !self.waits
    }

    fn next_part(&self) -> LogPart {
        LogPart { start: self.part.start + self.size, ..self.part }
    }

    /// Writes out from now on what has no newline at the end yet: somebody talks with the container, which may be asking.
    pub(super) fn be_prompt(&mut self, now: DateTime<Utc>) {
        self.is_prompt = true;
        self.finish(now);
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
        if self.is_prompt && !held.is_empty() {
            self.push_record(&stamp, stream, b"P", &held);
            held.clear();
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
        if self.size > self.limits.file && self.has_room() {
            self.begin_next();
        }
        let bytes = std::mem::take(&mut self.buffer);
        if self.lost > 0 {
            let time = &bytes[..bytes.iter().position(|byte| *byte == b' ').unwrap_or(0)];
            let notice = format!(
                "{} stderr F jobctl: {} bytes of output were lost because they could not be written\n",
                String::from_utf8_lossy(time),
                self.lost
            );
            if self.write(notice.as_bytes()) == notice.len() {
                self.lost = 0;
            }
        }
        let written = self.write(&bytes);
        self.lost += bytes[written..]
            .split(|byte| *byte == b'\n')
            .filter_map(parse_line)
            .map(|record| record.text.len() as u64 + u64::from(record.whole))
            .sum::<u64>();
        self.buffer = bytes;
        self.buffer.clear();
    }

    /// Writes as many whole records as there is room for; returns their length. The piece of one that a full disk leaves
    /// behind is cut off, so that the next does not become a part of it.
    fn write(&mut self, records: &[u8]) -> usize {
        if self.torn {
            match self.file.write(b"\n") {
                Ok(1) => (self.size, self.torn) = (self.size + 1, false),
                _ => return 0,
            }
        }
        let mut written = 0;
        while written < records.len() {
            match self.file.write(&records[written..]) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let whole = match written {
            all if all == records.len() => all,
            some => memchr::memrchr(b'\n', &records[..some]).map_or(0, |newline| newline + 1),
        };
        self.size += whole as u64;
        if whole < written && self.file.set_len(self.size).is_err() {
            self.size += (written - whole) as u64;
            self.torn = true;
        }
        whole
    }

    /// Goes on in another file. Where none can be made, the one in use grows.
    fn begin_next(&mut self) {
        let next = self.next_part();
        if let Ok(file) = self.place.open(next) {
            (self.file, self.part, self.size, self.torn) = (file, next, 0, false);
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
        let place = place(directory.path());
        let mut log = LogWriter::create(place.clone(), 0).expect("created");
        let now = DateTime::UNIX_EPOCH;
        log.take(Stream::Stdout, b"one\ntw", now);
        log.take(Stream::Stderr, b"err\n", now);
        log.take(Stream::Stdout, b"o\n\nno end", now);
        let long = vec![b'x'; LONGEST_PART * 2 + 5];
        log.take(Stream::Stderr, &long, now);
        log.finish(now);
        let text = fs::read(place.path(LogPart::first(0))).expect("written");
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
    fn a_prompt_log_has_what_there_is_of_a_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path());
        let mut log = LogWriter::create(place.clone(), 0).expect("created");
        let now = DateTime::UNIX_EPOCH;
        let text = || {
            let mut read = Vec::new();
            let whole = LogOptions::default();
            LogReader::new(place.directory.clone(), "pod", "main", Runs::Only(0), whole, String::new())
                .read(&mut |piece| {
                    if let LogPiece::Text(bytes) = piece {
                        read.extend_from_slice(bytes);
                    }
                    Ok(())
                })
                .expect("read");
            String::from_utf8(read).expect("text")
        };
        log.take(Stream::Stdout, b"one\n$ ", now);
        assert_eq!(text(), "one\n");
        log.be_prompt(now);
        assert_eq!(text(), "one\n$ ");
        log.take(Stream::Stdout, b"l", now);
        log.take(Stream::Stdout, b"s\n", now);
        log.take(Stream::Stdout, b"\n", now);
        assert_eq!(text(), "one\n$ ls\n\n");
    }

    const SMALL: Limits = Limits { file: 1000, files: 3, runs: 4, bytes: 5000 };

    fn place(root: &std::path::Path) -> LogPlace {
        // The claim of a pod makes its directory.
        fs::create_dir_all(root.join("pods/uid")).expect("a directory");
        LogPlace {
            directory: PodDirectory::new(root.join("pods/uid")),
            container: "main".into(),
            root: root.to_owned(),
            job_uid: "job".into(),
        }
    }

    /// The parts there are, with their text.
    fn contents(place: &LogPlace) -> Vec<(LogPart, String)> {
        let read = |part| fs::read_to_string(place.path(part)).expect("a part");
        place.directory.log_parts("main").into_iter().map(|part| (part, read(part))).collect()
    }

    #[test]
    fn a_large_log_goes_on_in_other_files_of_which_the_newest_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path());
        let mut log = LogWriter::with_limits(place.clone(), 0, SMALL).expect("created");
        let mut written = 0;
        for number in 0..100 {
            log.take(Stream::Stdout, format!("{number:050}\n").as_bytes(), DateTime::UNIX_EPOCH);
            written += 1;
            let parts = contents(&place);
            assert!(parts.len() <= 3, "{parts:?}");
            // Each says where it begins: the end of the one before.
            for pair in parts.windows(2) {
                assert_eq!(pair[1].0.start, pair[0].0.start + pair[0].1.len() as u64);
            }
            let last = parts.last().expect("one");
            assert!(last.1.ends_with(&format!("{number:050}\n")), "the newest is there");
        }
        let parts = contents(&place);
        assert_eq!((parts.len(), written), (3, 100));
        assert!(parts[0].0.start > 0 && parts.iter().all(|(_, text)| text.len() < 1200), "{parts:?}");
    }

    #[test]
    fn of_many_runs_the_first_and_the_last_stay() {
        let part = |restart, start| LogPart { restart, start };
        let many: Vec<_> = (0..9).map(|restart| (part(restart, 0), 10)).collect();
        let expected: Vec<_> = (1..6).map(|restart| part(restart, 0)).collect();
        assert_eq!(surplus(&many, part(9, 0), SMALL), expected, "four runs, the new one among them");
        let large = [(part(0, 0), 9000), (part(1, 0), 2000), (part(2, 0), 1000), (part(3, 0), 2500)];
        assert_eq!(surplus(&large, part(3, 2500), SMALL), [part(1, 0)], "and the new part fits");
        let one_run = [(part(0, 0), 1100), (part(0, 1100), 1100), (part(0, 2200), 1100)];
        assert_eq!(surplus(&one_run, part(0, 3300), SMALL), [part(0, 0)]);
        assert_eq!(surplus(&one_run[1..], part(0, 3300), SMALL), []);
        assert_eq!(surplus(&[(part(0, 0), 1), (part(1, 0), 0)], part(1, 0), SMALL), []);
    }

    #[test]
    fn nothing_goes_that_a_reader_of_record_has_not_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path());
        let store = crate::store::Store::trusted(directory.path());
        let reader = crate::store::ReaderOfRecord::new(&store).expect("a reader");
        reader.announce("job").expect("announced");
        let mut log = LogWriter::with_limits(place.clone(), 0, SMALL).expect("created");
        let line = [b'x'; 100];
        let fill = |log: &mut LogWriter| {
            let mut lines = 0;
            while log.has_room() && lines < 1000 {
                log.take(Stream::Stdout, &[&line[..], b"\n"].concat(), DateTime::UNIX_EPOCH);
                lines += 1;
            }
            lines
        };
        let first = fill(&mut log);
        assert!((15..50).contains(&first), "it stops when three files are full: {first}");
        assert_eq!(fill(&mut log), 0, "the reader has not begun");
        let parts = place.directory.log_parts("main");
        let open = |part| File::open(place.path(part)).expect("a part");
        let (one, two) = (open(parts[0]), open(parts[1]));
        one.lock_shared().expect("locked");
        assert_eq!(fill(&mut log), 0, "it is still at the first part");
        two.lock_shared().expect("locked");
        assert_eq!(fill(&mut log), 0, "the second is held too, but the first not let go");
        drop(one);
        assert!((5..20).contains(&fill(&mut log)), "room for one part");
        assert_eq!(place.directory.log_parts("main").first(), Some(&parts[1]));
        drop(reader);
        assert_eq!(fill(&mut log), 1000, "nobody reads for the record any more");
    }

    struct Mounted(PathBuf);

    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
        }
    }

    #[test]
    fn a_full_disk_leaves_whole_records_and_the_loss_is_told_when_there_is_room() {
        let directory = tempfile::tempdir().expect("a directory");
        let options = Some("size=64k");
        let flags = nix::mount::MsFlags::empty();
        if nix::mount::mount(Some("none"), directory.path(), Some("tmpfs"), flags, options).is_err() {
            println!("skipped: not allowed to mount a small file system");
            return;
        }
        let _mounted = Mounted(directory.path().to_owned());
        let place = place(directory.path());
        let filler = directory.path().join("filler");
        File::create(&filler).and_then(|mut file| file.write_all(&[0; 16 << 10])).expect("a filler");
        let mut log = LogWriter::create(place.clone(), 0).expect("created");
        let line = [&[b'x'; 299][..], b"\n"].concat();
        let mut taken = 0;
        while log.lost == 0 {
            log.take(Stream::Stdout, &line.repeat(10), DateTime::UNIX_EPOCH);
            taken += 10;
        }
        let records = || -> Vec<String> {
            let text = fs::read_to_string(place.path(LogPart::first(0))).expect("written");
            assert!(text.ends_with('\n'), "no piece of a record at the end");
            text.lines().map(|line| line[31..].to_owned()).collect()
        };
        let kept = records();
        assert!(kept.iter().all(|record| record.len() == 308));
        let lost = (taken - kept.len()) * 300;
        fs::remove_file(&filler).expect("room");
        log.take(Stream::Stdout, b"on\n", DateTime::UNIX_EPOCH);
        let now = records();
        let notice =
            format!("stderr F jobctl: {lost} bytes of output were lost because they could not be written");
        assert_eq!(now[kept.len()..], [notice, "stdout F on".to_owned()]);
    }

    #[test]
    fn a_piece_of_a_record_that_cannot_be_cut_off_gets_its_line_to_itself() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path());
        let mut log = LogWriter::create(place.clone(), 0).expect("created");
        log.take(Stream::Stdout, b"one\n", DateTime::UNIX_EPOCH);
        let path = place.path(LogPart::first(0));
        // As a short write leaves it: half a record at the end.
        let half = b"1970-01-01T00:00:00.000000000Z stdout F tw";
        OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(half)).expect("torn");
        log.size += half.len() as u64;
        (log.torn, log.lost) = (true, 4);
        log.take(Stream::Stdout, b"three\n", DateTime::UNIX_EPOCH);
        let text = fs::read_to_string(&path).expect("written");
        let lines: Vec<&str> = text.lines().map(|line| &line[31..]).collect();
        let lost = "stderr F jobctl: 4 bytes of output were lost because they could not be written";
        assert_eq!(lines, ["stdout F one", "stdout F tw", lost, "stdout F three"]);
    }
}
