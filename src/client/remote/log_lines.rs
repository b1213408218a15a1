//! The lines of a log, as a server sends them with their times: which of them have been here already, when it has to be
//! asked again.

use chrono::{DateTime, SecondsFormat, Utc};

/// Where we are in a line.
#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the time at its beginning.
    #[default]
    Time,
    /// In what is printed of it.
    Text,
    /// In what has been printed already, or is not wanted.
    Skipped,
}

/// Takes the times off, and the lines out that have been here before.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Each line with its time.
    keeps_times: bool,
    /// Stands before each line.
    prefix: String,
    /// Only lines from then on.
    since: Option<DateTime<Utc>>,
    /// How many bytes of text may still come.
    left: Option<usize>,
    /// The time of the last line that was printed, or begun, and how many lines of that very time were.
    last: Option<DateTime<Utc>>,
    count: usize,
    /// How many bytes of the last line have been printed, where it was not printed to its end.
    begun: Option<usize>,
    place: Place,
    /// The time of this line, as far as it has come.
    time: Vec<u8>,
    /// How many lines of the time `last` this connection has brought.
    seen: usize,
    /// How many bytes of this line are still to be left out.
    to_skip: usize,
    /// How many bytes of this line have come, and been printed at some time.
    done: usize,
}

/// The longest that a time is.
const LONGEST_TIME: usize = 40;

impl Lines {
    /// Before the first line.
    pub(super) fn new(
        keeps_times: bool,
        prefix: String,
        since: Option<DateTime<Utc>>,
        limit: Option<usize>,
    ) -> Self {
        Self { keeps_times, prefix, since, left: limit, ..Self::default() }
    }

    /// Another connection brings the log from [`Lines::since`] on.
    pub(super) fn reconnect(&mut self) {
        if self.place == Place::Text {
            self.begun = Some(self.done + self.to_skip);
        }
        self.place = Place::Time;
        self.time.clear();
        self.seen = 0;
    }

    /// From which time on the log is wanted: that of the last line, which may not be the last of its time.
    pub(super) fn since(&self) -> Option<String> {
        let time = self.last.or(self.since)?;
        Some(time.to_rfc3339_opts(SecondsFormat::Nanos, true))
    }

    /// Whether a line has come already.
    pub(super) fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    /// Whether as much has been printed as may be.
    pub(super) fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    /// What is to be printed of some bytes of the log.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut printed = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Time => self.take_time(bytes, &mut printed),
                Place::Skipped => match memchr::memchr(b'\n', bytes) {
                    Some(end) => {
                        self.place = Place::Time;
                        &bytes[end + 1..]
                    }
                    None => &[],
                },
                Place::Text => self.take_text(bytes, &mut printed),
            };
        }
        printed
    }

    fn take_time<'a>(&mut self, bytes: &'a [u8], printed: &mut Vec<u8>) -> &'a [u8] {
        let end = bytes.iter().position(|byte| matches!(byte, b' ' | b'\n'));
        let here = end.unwrap_or(bytes.len());
        self.time.extend_from_slice(&bytes[..here]);
        if end.is_none() && self.time.len() <= LONGEST_TIME {
            return &[];
        }
        let given = std::mem::take(&mut self.time);
        let time = std::str::from_utf8(&given).ok().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        match time {
            Some(time) => {
                self.begin(time.to_utc(), &given, printed);
                match end {
                    // An empty line, of which the space has been taken off.
                    Some(at) if bytes[at] == b'\n' => &bytes[at..],
                    _ => &bytes[(here + 1).min(bytes.len())..],
                }
            }
            // What the server itself says, or a line that went on.
            None => {
                self.place = Place::Text;
                (self.to_skip, self.done) = (0, 0);
                self.print(self.prefix.clone().as_bytes(), printed);
                self.print(&given, printed);
                &bytes[here..]
            }
        }
    }

    /// A line of this time begins.
    fn begin(&mut self, time: DateTime<Utc>, given: &[u8], printed: &mut Vec<u8>) {
        (self.to_skip, self.done) = (0, 0);
        self.place = Place::Skipped;
        if self.since.is_some_and(|since| time < since) {
            return;
        }
        let is_new = match self.last {
            Some(last) if time < last => return,
            Some(last) if time == last => {
                self.seen += 1;
                if self.seen < self.count || (self.seen == self.count && self.begun.is_none()) {
                    return;
                }
                self.seen > self.count
            }
            _ => {
                (self.last, self.count, self.seen) = (Some(time), 0, 1);
                true
            }
        };
        self.place = Place::Text;
        if is_new {
            self.count = self.seen;
            self.begun = None;
            self.print(self.prefix.clone().as_bytes(), printed);
            if self.keeps_times {
                self.print(given, printed);
                self.print(b" ", printed);
            }
        } else {
            self.to_skip = self.begun.take().unwrap_or(0);
        }
    }

    fn take_text<'a>(&mut self, bytes: &'a [u8], printed: &mut Vec<u8>) -> &'a [u8] {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let is_whole = end > 0 && bytes[end - 1] == b'\n';
        let skipped = self.to_skip.min(end);
        self.to_skip -= skipped;
        self.done += end;
        self.print(&bytes[skipped..end], printed);
        if is_whole {
            self.place = Place::Time;
            self.begun = None;
        }
        &bytes[end..]
    }

    fn print(&mut self, text: &[u8], printed: &mut Vec<u8>) {
        let most = self.left.unwrap_or(usize::MAX).min(text.len());
        printed.extend_from_slice(&text[..most]);
        self.left.iter_mut().for_each(|left| *left -= most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: &str = "2026-01-01T00:00:00.1Z one\n2026-01-01T00:00:00.1Z two\n2026-01-01T00:00:00.10Z \n\
                       2026-01-01T00:00:00.15Z three 2026\n2026-01-01T00:00:01Z\n2026-01-01T00:00:01.000000001Z four";
    const TEXT: &str = "one\ntwo\n\nthree 2026\n\nfour";

    #[test]
    fn times_come_off_or_stay() {
        let take = |keeps_times, prefix: &str, limit| {
            let mut lines = Lines::new(keeps_times, prefix.to_owned(), None, limit);
            String::from_utf8(lines.take(LOG.as_bytes())).expect("text")
        };
        assert_eq!(take(false, "", None), TEXT);
        assert_eq!(take(true, "", Some(30)), "2026-01-01T00:00:00.1Z one\n202");
        assert_eq!(take(false, "[p] ", None), "[p] one\n[p] two\n[p] \n[p] three 2026\n[p] \n[p] four");
    }

    #[test]
    fn only_lines_since_then() {
        let since = DateTime::parse_from_rfc3339("2026-01-01T00:00:00.15Z").expect("a time").to_utc();
        let mut lines = Lines::new(false, String::new(), Some(since), None);
        assert_eq!(lines.take(LOG.as_bytes()), b"three 2026\n\nfour");
        assert_eq!(lines.since().as_deref(), Some("2026-01-01T00:00:01.000000001Z"));
    }

    #[test]
    fn what_the_server_says_itself_is_passed_on() {
        let mut lines = Lines::new(false, String::new(), None, None);
        let said = "failed to open the log: no such file or directory, which is longer than any time is\n";
        assert_eq!(lines.take(said.as_bytes()), said.as_bytes());
    }

    proptest! {
        /// However the log is cut, and however often the connection: every byte once.
        #[test]
        fn no_line_is_lost_or_doubled(cuts in proptest::collection::vec((0..LOG.len(), any::<bool>()), 0..12)) {
            let mut lines = Lines::new(false, String::new(), None, None);
            let mut printed = Vec::new();
            let (mut at, mut whole) = (0, cuts);
            whole.push((LOG.len(), false));
            for (end, is_cut) in whole {
                let end = end.max(at);
                printed.extend(lines.take(&LOG.as_bytes()[at..end]));
                at = end;
                if is_cut {
                    lines.reconnect();
                    // The server goes by the second in which the last line was.
                    at = 0;
                }
            }
            printed.extend(lines.take(&LOG.as_bytes()[at..]));
            prop_assert_eq!(String::from_utf8(printed).expect("text"), TEXT);
        }
    }
}
