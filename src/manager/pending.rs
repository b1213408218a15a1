//! The writes of one commit, collected: of an object changed several times only the last state is written.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::key;
use crate::api::{CronJob, Job, Node, ObjectMeta, Pod};
use crate::controller::JobFacts;
use crate::store::{Table, Write};

/// An object on its way into the store.
#[derive(Debug)]
enum Content {
    Job(Box<Job>),
    CronJob(Box<CronJob>),
    Pod(Box<Pod>),
    Node(Box<Node>),
    Text(String),
    Deleted,
}

/// The revisions of the writes of one commit.
#[derive(Debug)]
pub struct Revisions {
    known: BTreeMap<(Table, Key), u64>,
    next: u64,
}

impl Revisions {
    /// The revision of an object's write; for one that the commit does not write the revision after it.
    pub fn of(&self, table: Table, key: &Key) -> u64 {
        self.known.get(&(table, key.clone())).copied().unwrap_or(self.next)
    }
}

/// The writes of one commit.
#[derive(Debug, Default)]
pub struct Pending {
    writes: BTreeMap<(Table, Key), (u64, Content)>,
}

impl Pending {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// An object that is written again keeps its number.
    fn write(&mut self, table: Table, key: Key, content: Content) {
        let next = self.writes.len() as u64;
        self.writes.entry((table, key)).or_insert((next, Content::Deleted)).1 = content;
    }

    /// The revisions that the writes will have in the commit that begins with that one.
    pub fn revisions(&self, first: u64) -> Revisions {
        let number = |((table, key), (number, _)): (&(Table, Key), &(u64, Content))| {
            ((*table, key.clone()), first + number)
        };
        Revisions { next: first + self.writes.len() as u64, known: self.writes.iter().map(number).collect() }
    }

    /// Writes a Job.
    pub fn put_job(&mut self, job: Job) {
        self.write(Table::Jobs, key(&job.metadata), Content::Job(Box::new(job)));
    }

    /// Writes a CronJob.
    pub fn put_cron_job(&mut self, cron_job: CronJob) {
        self.write(Table::CronJobs, key(&cron_job.metadata), Content::CronJob(Box::new(cron_job)));
    }

    /// Writes a pod.
    pub fn put_pod(&mut self, pod: Pod) {
        self.write(Table::Pods, key(&pod.metadata), Content::Pod(Box::new(pod)));
    }

    /// Writes a node.
    pub fn put_node(&mut self, node: Node) {
        let key = Key::new("", node.metadata.name.as_deref().unwrap_or_default());
        self.write(Table::Nodes, key, Content::Node(Box::new(node)));
    }

    /// Writes what the Job controller remembers.
    ///
    /// # Errors
    /// Never in practice: facts always encode.
    pub fn put_facts(&mut self, key: Key, facts: &JobFacts) -> Result<()> {
        self.put_text(Table::JobFacts, key, encode(facts)?);
        Ok(())
    }

    /// Writes an Event.
    ///
    /// # Errors
    /// Never in practice: Events always encode.
    pub fn put_event(&mut self, event: &EventRecord) -> Result<()> {
        let key = Key::new(&event.about.namespace, &event.name());
        self.put_text(Table::Events, key, encode(event)?);
        Ok(())
    }

    /// Writes an object that is JSON text already.
    pub fn put_text(&mut self, table: Table, key: Key, text: String) {
        self.write(table, key, Content::Text(text));
    }

    /// Deletes an object. One that this commit would have created is gone without a trace.
    pub fn delete(&mut self, table: Table, key: Key) {
        self.write(table, key, Content::Deleted);
    }

    /// Leaves an object as it is, whatever was to become of it.
    pub fn forget(&mut self, table: Table, key: &Key) {
        if let Some((gone, _)) = self.writes.remove(&(table, key.clone())) {
            // Numbers are without gaps.
            let later = self.writes.values_mut().filter(|(number, _)| *number > gone);
            later.for_each(|(number, _)| *number -= 1);
        }
    }

    /// What this commit makes of an object, as JSON text: `None` where it leaves it alone, `Some(None)` where it deletes it.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn text_of(&self, table: Table, key: &Key) -> Result<Option<Option<String>>> {
        let Some((_, content)) = self.writes.get(&(table, key.clone())) else { return Ok(None) };
        Ok(Some(match content {
            Content::Job(job) => Some(encode(job)?),
            Content::CronJob(cron_job) => Some(encode(cron_job)?),
            Content::Pod(pod) => Some(encode(pod)?),
            Content::Node(node) => Some(encode(node)?),
            Content::Text(text) => Some(text.clone()),
            Content::Deleted => None,
        }))
    }

    /// The writes of the commit that begins with that revision. API objects carry the revision of their write as their
    /// resourceVersion.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn into_writes(self, first: u64) -> Result<Vec<Write>> {
        self.writes
            .into_iter()
            .map(|((table, key), (number, content))| {
                let version =
                    |meta: &mut ObjectMeta| meta.resource_version = Some((first + number).to_string());
                let write = match content {
                    Content::Job(mut job) => {
                        version(&mut job.metadata);
                        Write::put(table, key, encode(&job)?)
                    }
                    Content::CronJob(mut cron_job) => {
                        version(&mut cron_job.metadata);
                        Write::put(table, key, encode(&cron_job)?)
                    }
                    Content::Pod(mut pod) => {
                        version(&mut pod.metadata);
                        Write::put(table, key, encode(&pod)?)
                    }
                    Content::Node(mut node) => {
                        version(&mut node.metadata);
                        Write::put(table, key, encode(&node)?)
                    }
                    Content::Text(text) => Write::put(table, key, text),
                    Content::Deleted => Write::delete(table, key),
                };
                Ok(write.numbered(number))
            })
            .collect()
    }
}

fn encode(object: &impl Serialize) -> Result<String> {
    serde_json::to_string(object).context("encode an object")
}
