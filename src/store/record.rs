//! Tables, and how commits and snapshot records are spelled.
//!
//! Every line is JSON, and begins with a CRC-32C of all that follows in it, the newline included. A record says how many
//! bytes it has, so that nothing is ever found by searching its text:
//!
//! ```text
//! {"crc":"1f2e3d4c","bytes":91,"put":"jobs","revision":7,"namespace":"default","name":"x","object":{...}}
//! ```
//!
//! A deletion says `delete` and keeps the last object. A snapshot's files are records, sorted by key. In the journal the
//! records of a commit, the small tables first, stand between a head and an end, both of a fixed length:
//!
//! ```text
//! {"crc":"...","commit":   7,"writes":   1,"bytes": 812}
//! {"crc":"...","end":   7}
//! ```
//!
//! The head names the first revision and the bytes up to the end of the commit. So a commit whose bytes are not all there
//! is torn, and one that is there and does not read back is damaged.

use std::cmp::Ordering;
use std::fmt;

use crate::api::kinds::{Key, Kind, RESOURCES};

/// A table of the store: a kind of object, or a record of the engine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// The objects of a kind; Events in the compact form of `api::events::EventRecord`.
    Kind(Kind),
    /// What the Job controller remembers of a Job beyond its status (`controller::job::JobFacts`).
    JobFacts,
    /// What is left of deleted Jobs: how they ended.
    Tombstones,
    /// Pods removed while their Job lives on: kept so that the logs of every attempt can be shown.
    RemovedPods,
    /// The values of variables that `--pass-env` named, by the name that objects call them by.
    Environments,
}

/// The tables that are no kind's.
const OF_THE_ENGINE: [Table; 4] =
    [Table::JobFacts, Table::Tombstones, Table::RemovedPods, Table::Environments];

/// Every table, in the order in which commits and snapshots are written: the small ones first, so that a reader of
/// these can leave out the rest of a commit.
pub(super) const TABLES: [Table; RESOURCES.len() + OF_THE_ENGINE.len()] = {
    let mut tables = [Table::JobFacts; RESOURCES.len() + OF_THE_ENGINE.len()];
    let mut count = 0;
    while count < tables.len() {
        let table = if count < RESOURCES.len() {
            Table::Kind(RESOURCES[count].kind)
        } else {
            OF_THE_ENGINE[count - RESOURCES.len()]
        };
        let mut place = count;
        while place > 0 && tables[place - 1].rank() > table.rank() {
            tables[place] = tables[place - 1];
            place -= 1;
        }
        tables[place] = table;
        count += 1;
    }
    tables
};

/// Every table by its name in files: the ones with the most records first.
const NAMES: [(&str, Table); TABLES.len()] = {
    let mut names = [("", Table::JobFacts); TABLES.len()];
    let mut count = 0;
    while count < TABLES.len() {
        let table = TABLES[TABLES.len() - 1 - count];
        names[count] = (table.as_str(), table);
        count += 1;
    }
    names
};

impl Table {
    /// Jobs.
    pub const JOBS: Self = Self::Kind(Kind::Job);
    /// CronJobs.
    pub const CRON_JOBS: Self = Self::Kind(Kind::CronJob);
    /// Nodes: this machine, and what users have said of it.
    pub const NODES: Self = Self::Kind(Kind::Node);
    /// Namespaces.
    pub const NAMESPACES: Self = Self::Kind(Kind::Namespace);
    /// Pods.
    pub const PODS: Self = Self::Kind(Kind::Pod);
    /// Events.
    pub const EVENTS: Self = Self::Kind(Kind::Event);
    /// ConfigMaps.
    pub const CONFIG_MAPS: Self = Self::Kind(Kind::ConfigMap);
    /// Secrets.
    pub const SECRETS: Self = Self::Kind(Kind::Secret);
    /// Services.
    pub const SERVICES: Self = Self::Kind(Kind::Service);
    /// StatefulSets.
    pub const STATEFUL_SETS: Self = Self::Kind(Kind::StatefulSet);
    /// What StatefulSets have been.
    pub const CONTROLLER_REVISIONS: Self = Self::Kind(Kind::ControllerRevision);
    /// Endpoints: never stored.
    pub const ENDPOINTS: Self = Self::Kind(Kind::Endpoints);
    /// EndpointSlices: never stored.
    pub const ENDPOINT_SLICES: Self = Self::Kind(Kind::EndpointSlice);
    /// PriorityClasses.
    pub const PRIORITY_CLASSES: Self = Self::Kind(Kind::PriorityClass);
    /// PersistentVolumeClaims.
    pub const CLAIMS: Self = Self::Kind(Kind::PersistentVolumeClaim);

    /// The table's place in the order. It is part of the format: a new kind comes after those that are there.
    const fn rank(self) -> u8 {
        match self {
            Self::Kind(Kind::Job) => 0,
            Self::Kind(Kind::CronJob) => 1,
            Self::Kind(Kind::Node) => 2,
            Self::JobFacts => 3,
            Self::Tombstones => 4,
            Self::RemovedPods => 5,
            Self::Environments => 6,
            Self::Kind(Kind::Namespace) => 7,
            Self::Kind(Kind::StatefulSet) => 8,
            Self::Kind(Kind::Service) => 9,
            Self::Kind(Kind::PersistentVolumeClaim) => 10,
            Self::Kind(Kind::ServiceAccount) => 11,
            Self::Kind(Kind::Role) => 12,
            Self::Kind(Kind::RoleBinding) => 13,
            Self::Kind(Kind::ClusterRole) => 14,
            Self::Kind(Kind::ClusterRoleBinding) => 15,
            Self::Kind(Kind::NetworkPolicy) => 16,
            Self::Kind(Kind::LimitRange) => 17,
            Self::Kind(Kind::ResourceQuota) => 18,
            Self::Kind(Kind::PriorityClass) => 19,
            Self::Kind(Kind::ControllerRevision) => 22,
            // Made when they are asked for.
            Self::Kind(Kind::Endpoints) => 23,
            Self::Kind(Kind::EndpointSlice) => 24,
            // These may be large.
            Self::Kind(Kind::ConfigMap) => 20,
            Self::Kind(Kind::Secret) => 21,
            Self::Kind(Kind::Pod) => u8::MAX - 1,
            Self::Kind(Kind::Event) => u8::MAX,
        }
    }

    /// The table's name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.resource().plural,
            Self::JobFacts => "jobfacts",
            Self::RemovedPods => "removedpods",
            Self::Environments => "environments",
            Self::Tombstones => "tombstones",
        }
    }

    /// Whether it holds objects of an API kind that watchers see whole.
    pub(super) fn is_kind(self) -> bool {
        matches!(self, Self::Kind(kind) if kind != Kind::Event)
    }

    /// Every table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLES.into_iter()
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, table)| table)
    }
}

impl PartialOrd for Table {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Table {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl From<Kind> for Table {
    fn from(kind: Kind) -> Self {
        Self::Kind(kind)
    }
}

/// One write of a commit. Its revision is the resourceVersion of its object.
#[derive(Clone, Debug)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Which object.
    pub key: Key,
    /// The write's number in its commit, from 0: it is added to the revision of the commit.
    pub number: u64,
    /// What is written.
    pub content: WriteContent,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteContent {
    /// Creates or replaces the object, whose JSON text this is.
    Put(String),
    /// Deletes the object. For a kind of the API its last JSON text is kept for watchers; the store looks it up where it is
    /// not given.
    Delete(Option<String>),
}

impl Write {
    /// Creates or replaces an object.
    pub fn put(table: Table, key: Key, object: String) -> Self {
        Self { table, key, number: 0, content: WriteContent::Put(object) }
    }

    /// Deletes an object.
    pub fn delete(table: Table, key: Key) -> Self {
        Self { table, key, number: 0, content: WriteContent::Delete(None) }
    }

    /// The same write with its number.
    #[must_use]
    pub fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }
}

/// One write as read back, borrowed from its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Its revision.
    pub revision: u64,
    /// Where.
    pub table: Table,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The object's JSON text, or `None` when it was deleted.
    pub object: Option<&'a str>,
    /// Of a deleted object the last JSON text, where it was kept.
    pub last: Option<&'a str>,
}

/// Why a line does not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It goes on beyond the bytes at hand.
    Short,
    /// It is not what was written.
    Damaged(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Short => "the line has no end",
            Self::Damaged(detail) => detail,
        })
    }
}

/// `{"crc":"1f2e3d4c",`
const SEAL: usize = 18;
/// How long the head of a commit is.
pub(super) const HEAD: usize = SEAL + 74;
/// How long the end of a commit is.
pub(super) const END: usize = SEAL + 28;
/// More digits than this are no length of ours.
const MOST_DIGITS: usize = 12;

const MISMATCH: Fault = Fault::Damaged("the checksum does not match");
const MALFORMED: Fault = Fault::Damaged("not a record");

/// Ends a line that began at byte `from` with the room for its seal: adds the newline and fills in the checksum.
fn seal(text: &mut String, from: usize) {
    text.push('\n');
    let crc = format!("{:08x}", crc32c::crc32c(&text.as_bytes()[from + SEAL..]));
    text.replace_range(from + 8..from + 16, &crc);
}

const UNSEALED: &str = "{\"crc\":\"00000000\",";

/// Checks a whole line, newline included, and returns what follows its seal, without the newline.
fn unseal(line: &[u8]) -> Result<&[u8], Fault> {
    let (seal, rest) = line.split_at_checked(SEAL).ok_or(Fault::Short)?;
    let hex = seal.strip_prefix(b"{\"crc\":\"").and_then(|hex| hex.strip_suffix(b"\",")).ok_or(MALFORMED)?;
    // Only lower-case digits: every other byte in this place is damage, also one that spells the same number.
    if format!("{:08x}", crc32c::crc32c(rest)).as_bytes() != hex {
        return Err(MISMATCH);
    }
    rest.strip_suffix(b"\n").ok_or(MALFORMED)
}

/// A line of one JSON field beside its checksum: for what is not a record.
pub(super) fn sealed_line(name: &str, value: &str) -> String {
    let mut line = format!("{UNSEALED}\"{name}\":{value}}}");
    seal(&mut line, 0);
    line
}

/// The field of such a line; `None` where it does not read back.
pub(super) fn unsealed_line<'a>(name: &str, line: &'a [u8]) -> Option<&'a str> {
    let text = std::str::from_utf8(unseal(line).ok()?).ok()?;
    text.strip_prefix('"')?.strip_prefix(name)?.strip_prefix("\":")?.strip_suffix('}')
}

/// The head of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The revision of its first write.
    pub(super) first: u64,
    /// How many writes it has.
    pub(super) writes: u64,
    /// The bytes that follow the head, to the end of the commit.
    pub(super) bytes: u64,
}

impl Head {
    /// The revision of its last write.
    pub(super) fn last(&self) -> u64 {
        self.first + self.writes - 1
    }

    /// The bytes of the whole commit.
    pub(super) fn length(&self) -> u64 {
        HEAD as u64 + self.bytes
    }

    fn spell(&self) -> String {
        let Self { first, writes, bytes } = self;
        sealed_line("commit", &format!("{first:>20},\"writes\":{writes:>12},\"bytes\":{bytes:>12}"))
    }

    /// Reads the head at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(line) = bytes.get(..HEAD) else { return Err(fault_of_start(bytes)) };
        let text = unsealed_line("commit", line).ok_or_else(|| fault_of(line, "not the head of a commit"))?;
        let number = |text: &str| text.trim_start().parse::<u64>().ok();
        let read = (|| {
            let (first, rest) = text.split_at_checked(20)?;
            let (writes, rest) = rest.strip_prefix(",\"writes\":")?.split_at_checked(12)?;
            let bytes = rest.strip_prefix(",\"bytes\":")?;
            Some(Self { first: number(first)?, writes: number(writes)?, bytes: number(bytes)? })
        })();
        let is_sound = |head: &Self| head.writes > 0 && head.bytes >= END as u64;
        read.filter(is_sound).ok_or(Fault::Damaged("not the head of a commit"))
    }
}

/// What is wrong with bytes that are too few for a head: what stands there may be one that was torn, or none at all.
fn fault_of_start(bytes: &[u8]) -> Fault {
    let fixed = b"{\"crc\":\"........\",\"commit\":";
    let is_start = bytes
        .iter()
        .zip(fixed)
        .all(|(byte, fixed)| byte == fixed || (*fixed == b'.' && byte.is_ascii_hexdigit()));
    if is_start { Fault::Short } else { Fault::Damaged("not the head of a commit") }
}

fn fault_of(line: &[u8], detail: &'static str) -> Fault {
    match unseal(line) {
        Err(MISMATCH) => MISMATCH,
        _ => Fault::Damaged(detail),
    }
}

fn end_line(last: u64) -> String {
    sealed_line("end", &format!("{last:>20}"))
}

/// Checks the end of a commit.
pub(super) fn check_end(line: &[u8], last: u64) -> Result<(), Fault> {
    let found = unsealed_line("end", line).and_then(|text| text.trim_start().parse::<u64>().ok());
    if found == Some(last) { Ok(()) } else { Err(fault_of(line, "not the end of its commit")) }
}

/// Spells a commit whose first revision is given.
pub(super) fn commit_text(first: u64, writes: &[Write]) -> String {
    let mut ordered: Vec<&Write> = writes.iter().collect();
    ordered.sort_by_key(|write| (write.table, write.number));
    let size: usize = ordered.iter().map(|write| write.text().map_or(0, str::len) + 160).sum();
    let mut text = String::with_capacity(HEAD + size + END);
    text.push_str(&" ".repeat(HEAD));
    for write in ordered {
        let (operation, object) = match &write.content {
            WriteContent::Put(object) => ("put", Some(object.as_str())),
            WriteContent::Delete(last) => ("delete", last.as_deref()),
        };
        push_record(&mut text, operation, write.table, first + write.number, &write.key, object);
    }
    let count = writes.len() as u64;
    text.push_str(&end_line(first + count - 1));
    let head = Head { first, writes: count, bytes: (text.len() - HEAD) as u64 };
    text.replace_range(..HEAD, &head.spell());
    text
}

impl Write {
    fn text(&self) -> Option<&str> {
        match &self.content {
            WriteContent::Put(object) => Some(object),
            WriteContent::Delete(last) => last.as_deref(),
        }
    }
}

/// Spells the record of an object in a snapshot.
pub(super) fn push_snapshot_record(into: &mut String, table: Table, revision: u64, key: &Key, object: &str) {
    push_record(into, "put", table, revision, key, Some(object));
}

fn push_record(
    into: &mut String,
    operation: &str,
    table: Table,
    revision: u64,
    key: &Key,
    object: Option<&str>,
) {
    let from = into.len();
    let table = table.as_str();
    let Key { namespace, name } = key;
    let fields = format!(
        "\"{operation}\":\"{table}\",\"revision\":{revision},\"namespace\":\"{namespace}\",\"name\":\"{name}\""
    );
    let object_bytes = object.map_or(0, |object| ",\"object\":".len() + object.len());
    // Two more: the brace and the newline.
    let bytes = fields.len() + object_bytes + 2;
    into.push_str(UNSEALED);
    into.push_str("\"bytes\":");
    into.push_str(&bytes.to_string());
    into.push(',');
    into.push_str(&fields);
    if let Some(object) = object {
        into.push_str(",\"object\":");
        into.push_str(object);
    }
    into.push('}');
    seal(into, from);
}

/// How long the record at the start of `bytes` is, by its own word: not checked, for stepping over it.
pub(super) fn record_length(bytes: &[u8]) -> Result<usize, Fault> {
    const FIELD: &[u8] = b"\"bytes\":";
    let digits_at = SEAL + FIELD.len();
    let field = bytes.get(SEAL..digits_at).ok_or(Fault::Short)?;
    if field != FIELD {
        return Err(MALFORMED);
    }
    let digits = &bytes[digits_at..];
    let Some(comma) = digits.iter().take(MOST_DIGITS + 1).position(|byte| !byte.is_ascii_digit()) else {
        return Err(if digits.len() <= MOST_DIGITS { Fault::Short } else { MALFORMED });
    };
    if digits[comma] != b',' {
        return Err(MALFORMED);
    }
    let number = std::str::from_utf8(&digits[..comma]).ok().and_then(|text| text.parse::<usize>().ok());
    number.map(|number| digits_at + comma + 1 + number).ok_or(MALFORMED)
}

/// Reads and checks the record at the start of `bytes`; with it comes its length.
pub(super) fn read_record(bytes: &[u8]) -> Result<(Change<'_>, usize), Fault> {
    let length = record_length(bytes)?;
    let line = bytes.get(..length).ok_or(Fault::Short)?;
    Ok((fields_of(unseal(line)?)?, length))
}

/// What follows the seal of a record.
fn fields_of(rest: &[u8]) -> Result<Change<'_>, Fault> {
    // In front of the first field stands the number of the bytes.
    let comma = rest.iter().position(|byte| *byte == b',').ok_or(MALFORMED)?;
    let text = std::str::from_utf8(&rest[comma + 1..]).map_err(|_| Fault::Damaged("not UTF-8"))?;
    change_of(text).ok_or(MALFORMED)
}

/// The records among lines that have been checked; heads and ends of commits are left out.
pub(super) fn checked_records(text: &str) -> impl Iterator<Item = Change<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.as_bytes().get(at..).filter(|rest| rest.len() > SEAL + 1)?;
            match rest[SEAL + 1] {
                b'c' => at += HEAD,
                b'e' => at += END,
                _ => {
                    let length = record_length(rest).ok()?;
                    let line = rest.get(SEAL..length - 1)?;
                    at += length;
                    return fields_of(line).ok();
                }
            }
        }
    })
}

fn change_of(text: &str) -> Option<Change<'_>> {
    let (is_put, rest) = match text.strip_prefix("\"put\":\"") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("\"delete\":\"")?),
    };
    let (table, rest) = rest.split_once('"')?;
    let table = Table::from_name(table)?;
    let rest = rest.strip_prefix(",\"revision\":")?;
    let (revision, rest) = rest.split_once(',')?;
    let rest = rest.strip_prefix("\"namespace\":\"")?;
    let (namespace, rest) = rest.split_once('"')?;
    let rest = rest.strip_prefix(",\"name\":\"")?;
    let (name, rest) = rest.split_once('"')?;
    let rest = rest.strip_suffix('}')?;
    let object = if rest.is_empty() { None } else { Some(rest.strip_prefix(",\"object\":")?) };
    if is_put && object.is_none() {
        return None;
    }
    let (object, last) = if is_put { (object, None) } else { (None, object) };
    Some(Change { revision: revision.parse().ok()?, table, namespace, name, object, last })
}

/// The table of the record at the start of `bytes`, unchecked; `None` where it cannot be read.
pub(super) fn table_of_record(bytes: &[u8]) -> Option<Table> {
    let rest = &bytes[record_fields(bytes)?..];
    let rest = rest.strip_prefix(b"\"put\":\"").or_else(|| rest.strip_prefix(b"\"delete\":\""))?;
    let name = &rest[..rest.iter().take(32).position(|byte| *byte == b'"')?];
    Table::from_name(std::str::from_utf8(name).ok()?)
}

/// Where the fields of the record at the start of `bytes` begin, after the number of its bytes.
fn record_fields(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.get(SEAL..)?;
    let comma = rest.iter().take(32).position(|byte| *byte == b',')?;
    Some(SEAL + comma + 1)
}

/// An object that a damaged line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Whether it was put there, or deleted.
    pub(super) is_put: bool,
    pub(super) table: Table,
    pub(super) key: Key,
}

/// The object that can still be read off a damaged line: its fields stand before the object, in this order.
pub(super) fn named_in(line: &[u8]) -> Option<Named> {
    let fields = &line[record_fields(line)?..];
    let is_put = fields.starts_with(b"\"put\":\"");
    let table = table_of_record(line)?;
    let word = |bytes: &[u8], before: &[u8], end: u8| -> Option<(String, usize)> {
        let rest = bytes.strip_prefix(before)?;
        let length = memchr::memchr(end, rest)?;
        let text = std::str::from_utf8(&rest[..length]).ok()?;
        let is_ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        text.chars().all(is_ours).then(|| (text.to_owned(), before.len() + length + 1))
    };
    let skip = fields.iter().position(|byte| *byte == b',')?;
    let (_, used) = word(&fields[skip..], b",\"revision\":", b',')?;
    let rest = &fields[skip + used..];
    let (namespace, used) = word(rest, b"\"namespace\":\"", b'"')?;
    let (name, _) = word(&rest[used..], b",\"name\":\"", b'"')?;
    (!name.is_empty()).then(|| Named { is_put, table, key: Key::new(&namespace, &name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object whose text looks like everything that we write.
    const TRICKY: &str = r#"{"op":"put","crc":"00000000","end":7,"a":"{\"op\":\"put\"}\\n","put":{"table":"pods"},"delete":"jobs"}"#;

    fn writes() -> Vec<Write> {
        let deleted = WriteContent::Delete(Some("{\"last\":1}".into()));
        vec![
            Write::put(Table::PODS, Key::new("n", "b"), "{}".into()),
            Write::put(Table::JOBS, Key::new("default", "a"), TRICKY.into()).numbered(1),
            Write { table: Table::PODS, key: Key::new("default", "a-x"), number: 2, content: deleted },
            Write::delete(Table::JobFacts, Key::new("default", "f")).numbered(3),
        ]
    }

    /// What a commit holds, by the rules that readers follow.
    fn read(text: &[u8]) -> Result<Vec<String>, Fault> {
        let head = Head::read(text)?;
        let body = text.get(HEAD..head.length() as usize).ok_or(Fault::Short)?;
        let (mut rest, end) = body.split_at(body.len() - END);
        let mut found = vec![format!("{}-{}", head.first, head.last())];
        while !rest.is_empty() {
            let (change, length) = read_record(rest)?;
            let Change { revision, table, namespace, name, object, last } = change;
            found.push(format!("{revision} {} {namespace}/{name} {object:?} {last:?}", table.as_str()));
            rest = &rest[length..];
        }
        check_end(end, head.last())?;
        Ok(found)
    }

    #[test]
    fn a_commit_reads_back_whatever_its_objects_say() {
        let text = commit_text(7, &writes());
        assert_eq!(
            read(text.as_bytes()).expect("readable"),
            [
                "7-10".to_owned(),
                format!("8 jobs default/a {:?} None", Some(TRICKY)),
                "10 jobfacts default/f None None".to_owned(),
                "7 pods n/b Some(\"{}\") None".to_owned(),
                "9 pods default/a-x None Some(\"{\\\"last\\\":1}\")".to_owned(),
            ]
        );
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("plain JSON");
        }
        let first = text.lines().next().expect("a head");
        assert_eq!((first.len() + 1, text.lines().last().expect("an end").len() + 1), (HEAD, END));
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed_and_no_part_is_taken_for_the_whole() {
        let text = commit_text(7, &writes());
        for byte in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone().into_bytes();
                flipped[byte] ^= 1 << bit;
                assert!(read(&flipped).is_err(), "byte {byte} bit {bit}");
            }
        }
        for length in 0..text.len() {
            assert_eq!(read(&text.as_bytes()[..length]), Err(Fault::Short), "the first {length} bytes");
        }
    }

    #[test]
    fn objects_are_read_off_damaged_lines_as_far_as_their_names_stand() {
        let text = commit_text(7, &writes());
        let line = text.lines().nth(1).expect("a record");
        let named = |line: &str| {
            named_in(line.as_bytes()).map(|one| format!("{} {} {}", one.is_put, one.table.as_str(), one.key))
        };
        let jobs = Some("true jobs default/a".to_owned());
        assert_eq!(named(line), jobs);
        assert_eq!(named(&line[..line.len() - 30]), jobs, "a cut end");
        assert_eq!(named(&line.replacen("\"crc\"", "\"cra\"", 1)), jobs);
        assert_eq!(named(&line.replacen("default", "def\0ult", 1)), None, "no name of ours");
        assert_eq!(named(&line.replacen("\"namespace", "\"namespaze", 1)), None);
        let line = text.lines().nth(4).expect("a record");
        assert_eq!(named(line).as_deref(), Some("false pods default/a-x"));
        for nothing in ["", "\0\0", "{}", text.lines().next().expect("a head")] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }
}
