//! How commits and snapshot records are spelled, and how they are read without parsing the objects in them.
//!
//! A commit: `{"revision":7,"rest":812,"writes":[{"op":"put","table":"pods","namespace":"default","name":"x","object":{…}},
//! …]}`, its writes ordered by table, `rest` the bytes after `"writes":[` to the end of the line.
//! A snapshot record: `{"namespace":"default","name":"x","object":{…}}`.
//! `{"op":"` cannot occur inside the objects (within strings its quotes are escaped, and no Kubernetes field is
//! called `op`), so a reader finds the writes of its tables by a search for these bytes and parses nothing else.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::api::kinds::{Key, Kind};

/// A table of the store: a kind of object, or a record of the engine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Jobs.
    Jobs,
    /// CronJobs.
    CronJobs,
    /// Nodes: this machine, and what users have said of it.
    Nodes,
    /// What the Job controller remembers of a Job beyond its status (`controller::job::JobFacts`).
    JobFacts,
    /// What is left of deleted Jobs: how they ended.
    Tombstones,
    /// Pods removed while their Job lives on: kept so that the logs of every attempt can be shown.
    RemovedPods,
    /// Pods.
    Pods,
    /// Events, in the compact form of `api::events::EventRecord`.
    Events,
}

/// Every table, in the order in which commits and snapshots are written: the small ones first, so that a reader of
/// these can leave out the rest of a commit.
pub(super) const TABLES: [Table; 8] = [
    Table::Jobs,
    Table::CronJobs,
    Table::Nodes,
    Table::JobFacts,
    Table::Tombstones,
    Table::RemovedPods,
    Table::Pods,
    Table::Events,
];

impl Table {
    /// The table's name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Pods => "pods",
            Self::Events => "events",
            Self::CronJobs => "cronjobs",
            Self::Nodes => "nodes",
            Self::JobFacts => "jobfacts",
            Self::RemovedPods => "removedpods",
            Self::Tombstones => "tombstones",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        TABLES.into_iter().find(|table| table.as_str() == name)
    }
}

impl From<Kind> for Table {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Job => Self::Jobs,
            Kind::Node => Self::Nodes,
            Kind::Pod => Self::Pods,
            Kind::Event => Self::Events,
            Kind::CronJob => Self::CronJobs,
        }
    }
}

/// One write of a commit.
#[derive(Clone, Debug)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Which object.
    pub key: Key,
    /// The object's JSON text, or `None` to delete it.
    pub object: Option<String>,
}

impl Write {
    /// Creates or replaces an object.
    pub fn put(table: Table, key: Key, object: String) -> Self {
        Self { table, key, object: Some(object) }
    }

    /// Deletes an object.
    pub fn delete(table: Table, key: Key) -> Self {
        Self { table, key, object: None }
    }
}

/// One write as read back, borrowed from the commit's line.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The revision of its commit.
    pub revision: u64,
    /// Where.
    pub table: Table,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The object's JSON text, or `None` when it was deleted.
    pub object: Option<&'a str>,
}

/// Spells a commit as one line, newline included. Keys are of Kubernetes' restricted alphabets and need no escapes.
pub(super) fn commit_line(revision: u64, writes: &[Write]) -> String {
    let size: usize = writes.iter().map(|write| write.object.as_ref().map_or(0, String::len) + 120).sum();
    let mut ordered: Vec<&Write> = writes.iter().collect();
    ordered.sort_by_key(|write| write.table);
    let mut rest = String::with_capacity(size);
    for (index, write) in ordered.into_iter().enumerate() {
        if index > 0 {
            rest.push(',');
        }
        rest.push_str(if write.object.is_some() {
            "{\"op\":\"put\",\"table\":\""
        } else {
            "{\"op\":\"delete\",\"table\":\""
        });
        rest.push_str(write.table.as_str());
        rest.push_str("\",");
        push_key_and_object(&mut rest, &write.key, write.object.as_deref());
    }
    rest.push_str("]}\n");
    format!("{{\"revision\":{revision},\"rest\":{},\"writes\":[{rest}", rest.len())
}

/// Spells a snapshot record as one line, newline included.
pub(super) fn snapshot_line(namespace: &str, name: &str, object: &str, into: &mut String) {
    into.push('{');
    push_key_and_object(into, &Key::new(namespace, name), Some(object));
    into.push('\n');
}

fn push_key_and_object(line: &mut String, key: &Key, object: Option<&str>) {
    line.push_str("\"namespace\":\"");
    line.push_str(&key.namespace);
    line.push_str("\",\"name\":\"");
    line.push_str(&key.name);
    match object {
        Some(object) => {
            line.push_str("\",\"object\":");
            line.push_str(object);
            line.push('}');
        }
        None => line.push_str("\"}"),
    }
}

/// The revision of a commit's line.
pub(super) fn revision_of(line: &str) -> Option<u64> {
    let digits = line.strip_prefix("{\"revision\":")?;
    digits[..digits.find(',')?].parse().ok()
}

/// How a commit begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) revision: u64,
    /// Where the writes start.
    pub(super) start: usize,
    /// The bytes from there to the end of the line, newline included.
    pub(super) rest: usize,
}

/// The head of a commit of which the first bytes are given.
pub(super) fn head_of(bytes: &[u8]) -> Option<Head> {
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    let rest = bytes.strip_prefix(b"{\"revision\":")?;
    let comma = memchr::memchr(b',', rest)?;
    let revision = number(&rest[..comma])?;
    let rest = rest[comma..].strip_prefix(b",\"rest\":")?;
    let comma = memchr::memchr(b',', rest)?;
    let length = usize::try_from(number(&rest[..comma])?).ok()?;
    let writes = rest[comma..].strip_prefix(b",\"writes\":[")?;
    Some(Head { revision, start: bytes.len() - writes.len(), rest: length })
}

/// The table of a write of which the first bytes are given.
pub(super) fn table_of_write(bytes: &[u8]) -> Option<Table> {
    let write = bytes.strip_prefix(b"{\"op\":\"")?;
    let rest = write.strip_prefix(b"put").or_else(|| write.strip_prefix(b"delete"))?;
    let name = rest.strip_prefix(b"\",\"table\":\"")?;
    Table::from_name(std::str::from_utf8(&name[..memchr::memchr(b'"', name)?]).ok()?)
}

/// The writes of a commit's line to some tables; `Err` says what is wrong with the line.
pub(super) fn changes<'a>(
    line: &'a str,
    tables: &[Table],
    mut each: impl FnMut(Change<'a>),
) -> Result<u64, String> {
    let revision = revision_of(line).ok_or("not a commit")?;
    let start = WRITES.find(line.as_bytes()).ok_or("a commit without writes")? + WRITES.needle().len();
    let body = line[start..].strip_suffix("]}").ok_or("the end of the commit is missing")?;
    let mut starts = OPERATION.find_iter(body.as_bytes()).peekable();
    if !body.is_empty() && starts.peek() != Some(&0) {
        return Err("the commit does not start with a write".into());
    }
    while let Some(from) = starts.next() {
        // Between two writes stands one comma.
        let to = starts.peek().map_or(body.len(), |next| next - 1);
        let write = &body[from + OPERATION.needle().len()..to];
        if let Some(change) = change(write, revision, tables)? {
            each(change);
        }
    }
    Ok(revision)
}

static WRITES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"writes\":["));
static OPERATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"{\"op\":\""));

fn change<'a>(write: &'a str, revision: u64, tables: &[Table]) -> Result<Option<Change<'a>>, String> {
    let malformed = || "a malformed write".to_owned();
    let (is_put, rest) = match write.strip_prefix("put\",\"table\":\"") {
        Some(rest) => (true, rest),
        None => (false, write.strip_prefix("delete\",\"table\":\"").ok_or_else(malformed)?),
    };
    let (table, rest) = rest.split_once('"').ok_or_else(malformed)?;
    let table = Table::from_name(table).ok_or_else(|| format!("an unknown table {table:?}"))?;
    if !tables.contains(&table) {
        return Ok(None);
    }
    let rest = rest.strip_prefix(',').ok_or_else(malformed)?;
    let (namespace, name, object) = key_and_object(rest).ok_or_else(malformed)?;
    if is_put != object.is_some() {
        return Err(malformed());
    }
    Ok(Some(Change { revision, table, namespace, name, object }))
}

/// Namespace, name and object of a record from `"namespace":"…` to its closing brace.
pub(super) fn key_and_object(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let rest = text.strip_prefix("\"namespace\":\"")?;
    let (namespace, rest) = rest.split_once('"')?;
    let rest = rest.strip_prefix(",\"name\":\"")?;
    let (name, rest) = rest.split_once('"')?;
    let rest = rest.strip_suffix('}')?;
    if rest.is_empty() {
        return Some((namespace, name, None));
    }
    let object = rest.strip_prefix(",\"object\":")?;
    (object.starts_with('{') && object.ends_with('}')).then_some((namespace, name, Some(object)))
}

/// An object that a damaged line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Whether it was put there, or deleted.
    pub(super) is_put: bool,
    pub(super) table: Table,
    pub(super) key: Key,
}

/// The objects that can still be read off a damaged commit.
pub(super) fn named_in_commit(line: &[u8]) -> Vec<Named> {
    let named = |from: usize| {
        let write = &line[from..];
        let table = table_of_write(write)?;
        let is_put = write[OPERATION.needle().len()..].starts_with(b"put");
        let operation = if is_put { "put" } else { "delete" };
        let head = format!("{{\"op\":\"{operation}\",\"table\":\"{}\",", table.as_str());
        Some(Named { is_put, table, key: named_key(write.strip_prefix(head.as_bytes())?)? })
    };
    OPERATION.find_iter(line).filter_map(named).collect()
}

/// The object that can still be read off a damaged record of a table.
pub(super) fn named_in_record(table: Table, line: &[u8]) -> Option<Named> {
    Some(Named { is_put: true, table, key: named_key(line.strip_prefix(b"{")?)? })
}

/// The key at the start of bytes of which anything may be wrong.
fn named_key(bytes: &[u8]) -> Option<Key> {
    let value = |bytes: &[u8]| -> Option<(String, usize)> {
        let end = memchr::memchr(b'"', bytes)?;
        let text = std::str::from_utf8(&bytes[..end]).ok()?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        text.chars().all(is_name).then(|| (text.to_owned(), end))
    };
    let rest = bytes.strip_prefix(b"\"namespace\":\"")?;
    let (namespace, end) = value(rest)?;
    let rest = rest[end..].strip_prefix(b"\",\"name\":\"")?;
    let (name, _) = value(rest)?;
    (!name.is_empty()).then(|| Key::new(&namespace, &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, tables: &[Table]) -> Result<Vec<(String, Option<String>)>, String> {
        let mut found = Vec::new();
        changes(line, tables, |change| {
            found.push((
                format!("{} {}/{}", change.table.as_str(), change.namespace, change.name),
                change.object.map(str::to_owned),
            ));
        })?;
        Ok(found)
    }

    #[test]
    fn a_commit_reads_back_as_it_was_written_and_only_the_tables_asked_for() {
        let tricky =
            r#"{"metadata":{"annotations":{"a":"{\"op\":\"put\",\"table\":\"pods\"}]}"}}}"#.to_owned();
        let line = commit_line(
            7,
            &[
                Write::put(Table::Jobs, Key::new("default", "a"), tricky.clone()),
                Write::delete(Table::Pods, Key::new("default", "a-x")),
                Write::put(Table::Pods, Key::new("n", "b"), "{}".into()),
            ],
        );
        let line = line.strip_suffix('\n').expect("a newline");
        assert_eq!(revision_of(line), Some(7));
        assert_eq!(
            read(line, &[Table::Jobs, Table::Pods]).expect("readable"),
            [
                ("jobs default/a".to_owned(), Some(tricky)),
                ("pods default/a-x".to_owned(), None),
                ("pods n/b".to_owned(), Some("{}".to_owned())),
            ]
        );
        assert_eq!(read(line, &[Table::Jobs]).expect("readable").len(), 1);
        serde_json::from_str::<serde_json::Value>(line).expect("plain JSON");
    }

    #[test]
    fn objects_are_read_off_damaged_lines_as_far_as_their_names_stand() {
        let line = commit_line(
            7,
            &[
                Write::put(Table::Jobs, Key::new("default", "a"), "{\"a\":1}".into()),
                Write::delete(Table::Pods, Key::new("default", "a-x")),
                Write::put(Table::Pods, Key::new("n", "b"), "{}".into()),
            ],
        );
        let names = |line: &[u8]| -> Vec<String> {
            named_in_commit(line)
                .into_iter()
                .map(|one| format!("{} {} {}", one.is_put, one.table.as_str(), one.key))
                .collect()
        };
        let all = ["true jobs default/a", "false pods default/a-x", "true pods n/b"];
        let damaged = |from: &str, to: &str| line.replacen(from, to, 1).into_bytes();
        assert_eq!(names(&damaged("revision", "\0\0\0\0\0\0\0\0")), all);
        assert_eq!(names(&line.as_bytes()[..line.len() - 30]), all[..2]);
        assert_eq!(names(&damaged("a-x", "a\0x")), [all[0], all[2]], "no name of ours");
        assert_eq!(names(&damaged("\"delete", "\"delite")), [all[0], all[2]]);
        assert_eq!(names(&damaged("\"namespace", "\"namespaze")), all[1..], "not the next one's");
        assert_eq!(names(b"\0\0\xff"), Vec::<String>::new());
        let mut record = String::new();
        snapshot_line("default", "a", "{}", &mut record);
        let named = named_in_record(Table::Jobs, &record.as_bytes()[..record.len() - 9]).expect("a name");
        assert_eq!((named.is_put, named.table, named.key), (true, Table::Jobs, Key::new("default", "a")));
        assert_eq!(named_in_record(Table::Jobs, b"{\"namespace\":\"default\",\"na"), None);
        assert_eq!(named_in_record(Table::Jobs, b""), None);
    }

    #[test]
    fn a_damaged_line_is_noticed() {
        let whole = commit_line(7, &[Write::put(Table::Jobs, Key::new("default", "a"), "{\"a\":1}".into())]);
        let whole = whole.trim_end();
        for (what, line) in [
            ("a cut end", &whole[..whole.len() - 3]),
            ("a cut start", &whole[3..]),
            ("zeros", "\0\0\0\0"),
            ("another object", "{}"),
        ] {
            assert!(read(line, &TABLES).is_err(), "{what}");
        }
    }
}
