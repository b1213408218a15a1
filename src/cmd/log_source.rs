//! Where logs lie, and how records become output.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};

use super::output::complain;
use crate::api::Pod;
use crate::api::meta::{ANNOTATION_DEFAULT_CONTAINER, annotation, controller_of, name, uid};
use crate::kubelet::parse_line;
use crate::store::{PodDirectory, State, Store, Table, log_files};

/// What of a log is wanted, and how it is to look.
#[derive(Clone, Debug, Default)]
pub(super) struct LogOptions {
    /// Only the last lines.
    pub(super) tail: Option<usize>,
    /// Only lines from then on.
    pub(super) since: Option<DateTime<Utc>>,
    /// Each line with its time.
    pub(super) timestamps: bool,
    /// At most so many bytes of each log.
    pub(super) limit_bytes: Option<usize>,
}

/// Which containers of each pod.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Default,
    Named(String),
    All,
}

impl Chosen {
    /// The names of the chosen containers of a pod. Which one is taken by default is said on stderr.
    ///
    /// # Errors
    /// A name that the pod does not have.
    pub(super) fn of(&self, pod: &Pod) -> Result<Vec<String>> {
        match self {
            Self::Named(wanted) => {
                if !containers(pod).iter().any(|one| one.name == *wanted) {
                    bail!("container {wanted} is not valid for pod {}", name(&pod.metadata));
                }
                Ok(vec![wanted.clone()])
            }
            Self::Default => Ok(default_container(pod).into_iter().collect()),
            Self::All => {
                // Init containers run first.
                let (init, main): (Vec<_>, Vec<_>) = containers(pod).into_iter().partition(|one| one.init);
                Ok(init.into_iter().chain(main).map(|one| one.name).collect())
            }
        }
    }
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ContainerName {
    name: String,
    init: bool,
}

/// The containers of a pod: those of the spec first, then the init containers, as kubectl lists them.
fn containers(pod: &Pod) -> Vec<ContainerName> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let main = spec.containers.iter().map(|one| ContainerName { name: one.name.clone(), init: false });
    let init =
        spec.init_containers.iter().flatten().map(|one| ContainerName { name: one.name.clone(), init: true });
    main.chain(init).collect()
}

/// The container whose log is shown when none is named; of several the first, which is said.
fn default_container(pod: &Pod) -> Option<String> {
    let all = containers(pod);
    if let Some(wanted) = annotation(&pod.metadata, ANNOTATION_DEFAULT_CONTAINER)
        && all.iter().any(|one| one.name == wanted)
    {
        return Some(wanted.to_owned());
    }
    let first = all.first()?.name.clone();
    if all.len() > 1 {
        let list: Vec<String> = all
            .iter()
            .map(|one| if one.init { format!("{} (init)", one.name) } else { one.name.clone() })
            .collect();
        complain(&format!("Defaulted container {first:?} out of: {}", list.join(", ")));
    }
    Some(first)
}

/// Reads one run's log and, when following, goes on where it stopped, across rotations.
#[derive(Debug)]
pub(super) struct LogReader {
    path: PathBuf,
    options: LogOptions,
    prefix: String,
    file: Option<File>,
    unread: Vec<u8>,
    at_line_start: bool,
    printed: usize,
    started: bool,
}

impl LogReader {
    pub(super) fn new(path: PathBuf, options: LogOptions, prefix: String) -> Self {
        Self {
            path,
            options,
            prefix,
            file: None,
            unread: Vec::new(),
            at_line_start: true,
            printed: 0,
            started: false,
        }
    }

    /// What has come since the last call, ready to be printed.
    ///
    /// # Errors
    /// An unreadable file.
    pub(super) fn read(&mut self) -> Result<Vec<u8>> {
        let mut records = std::mem::take(&mut self.unread);
        if !self.started {
            let mut files = log_files(&self.path);
            if files.is_empty() {
                return Ok(Vec::new());
            }
            self.started = true;
            files.pop();
            for file in files {
                let mut bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
                records.append(&mut bytes);
            }
            self.open()?;
            self.read_file(&mut records)?;
            let whole = whole_lines(&records);
            self.unread = records.split_off(whole);
            return Ok(self.format(&records, true));
        }
        self.read_file(&mut records)?;
        if self.is_rotated() {
            self.open()?;
            self.read_file(&mut records)?;
        }
        let whole = whole_lines(&records);
        self.unread = records.split_off(whole);
        Ok(self.format(&records, false))
    }

    fn open(&mut self) -> Result<()> {
        self.file = Some(File::open(&self.path).with_context(|| format!("open {}", self.path.display()))?);
        Ok(())
    }

    fn read_file(&mut self, into: &mut Vec<u8>) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.read_to_end(into).with_context(|| format!("read {}", self.path.display()))?;
        }
        Ok(())
    }

    fn is_rotated(&self) -> bool {
        let ours = self.file.as_ref().and_then(|file| file.metadata().ok()).map(|found| found.ino());
        let there = std::fs::metadata(&self.path).ok().map(|found| found.ino());
        there.is_some() && ours != there
    }

    fn format(&mut self, records: &[u8], first: bool) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = records.split(|byte| *byte == b'\n').collect();
        lines.pop();
        if let Some(since) = self.options.since {
            lines.retain(|line| {
                parse_line(line)
                    .and_then(|record| DateTime::parse_from_rfc3339(record.time).ok())
                    .is_some_and(|time| time >= since)
            });
        }
        if let (Some(tail), true) = (self.options.tail, first) {
            let from = start_of_last(&lines, tail);
            lines.drain(..from);
        }
        let mut output = Vec::with_capacity(records.len());
        for line in lines {
            let Some(record) = parse_line(line) else { continue };
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
        output
    }
}

fn whole_lines(records: &[u8]) -> usize {
    memchr::memrchr(b'\n', records).map_or(0, |newline| newline + 1)
}

/// Where the last `count` lines start; parts of one line count once.
fn start_of_last(records: &[&[u8]], count: usize) -> usize {
    let ends_line = |record: &&[u8]| parse_line(record).is_none_or(|record| record.whole);
    let mut left = count;
    let mut from = records.len();
    while from > 0 {
        // A record ends a line, or is the last of the log without a newline.
        if (ends_line(&records[from - 1]) || from == records.len()) && left == 0 {
            break;
        }
        if ends_line(&records[from - 1]) || from == records.len() {
            left -= 1;
        }
        from -= 1;
    }
    from
}

/// The pods of a Job, oldest first, with those that were removed while the Job lived.
pub(super) fn pods_of_job(state: &State, job_uid: &str) -> Result<Vec<Pod>> {
    let mut pods = Vec::new();
    for table in [Table::RemovedPods, Table::Pods] {
        for (_, object) in state.objects(table) {
            if !object.text.contains(job_uid) {
                continue;
            }
            let pod: Pod = object.parse()?;
            if controller_of(&pod.metadata).is_some_and(|owner| owner.uid == job_uid) {
                pods.push(pod);
            }
        }
    }
    pods.sort_by_key(|pod| {
        (pod.metadata.creation_timestamp.as_ref().map(|time| time.0), name(&pod.metadata).to_owned())
    });
    Ok(pods)
}

/// A container that ended badly.
pub(super) struct Failure {
    pod: String,
    pod_uid: String,
    container: String,
    pub(super) exit_code: i32,
    reason: String,
    message: Option<String>,
    finished: Option<DateTime<Utc>>,
    restart_count: i32,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pod, container, exit_code, reason, .. } = self;
        write!(formatter, "pod/{pod}: container {container} ended with exit code {exit_code} ({reason})")?;
        match &self.message {
            Some(message) => write!(formatter, ": {message}"),
            None => Ok(()),
        }
    }
}

/// The last container of a Job that ended badly.
pub(super) fn last_failure(state: &State, job_uid: &str) -> Result<Option<Failure>> {
    let mut failures = Vec::new();
    for pod in pods_of_job(state, job_uid)? {
        let status = pod.status.clone().unwrap_or_default();
        let all =
            status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
        for container in all {
            let end = [&container.state, &container.last_state]
                .into_iter()
                .find_map(|state| state.as_ref()?.terminated.as_ref())
                .filter(|end| end.exit_code != 0);
            if let Some(end) = end {
                failures.push(Failure {
                    pod: name(&pod.metadata).to_owned(),
                    pod_uid: uid(&pod.metadata).to_owned(),
                    container: container.name.clone(),
                    exit_code: end.exit_code,
                    reason: end.reason.clone().unwrap_or_default(),
                    message: end.message.clone(),
                    finished: end.finished_at.as_ref().map(|time| time.0),
                    restart_count: container.restart_count,
                });
            }
        }
    }
    failures.sort_by_key(|failure| failure.finished);
    Ok(failures.pop())
}

/// A few lines that tell why a Job has failed: pod, container, exit code, the end of its log.
pub(super) fn failure_evidence(store: &Store, job_uid: &str, last_lines: usize) -> Result<Option<String>> {
    let (state, _) = store.read(&[Table::Pods, Table::RemovedPods])?;
    let Some(failure) = last_failure(&state, job_uid)? else { return Ok(None) };
    let mut text = failure.to_string();
    let directory = PodDirectory::new(store.pod_path(&failure.pod_uid));
    let options = LogOptions { tail: Some(last_lines), ..LogOptions::default() };
    let path = directory.log_path(&failure.container, failure.restart_count);
    let log = LogReader::new(path, options, "    ".into()).read()?;
    if !log.is_empty() {
        text.push_str("; its log ends with:\n");
        text.push_str(String::from_utf8_lossy(&log).trim_end());
    }
    Ok(Some(text))
}
