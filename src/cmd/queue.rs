//! The pods that wait for room on the node: what each waits for, its position, and what would help.

use anyhow::Result;

use super::obstacles::{room_cure, shortage};
use crate::api::Pod;
use crate::api::meta::{controller_of, uid};
use crate::apiserver::{Reader, Source as _};
use crate::controller::room::{can_ever_fit, place_in_queue};
use crate::store::Table;

/// Pods that have been told that they wait for room, in the order in which they are admitted.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Those that come when others have ended.
    line: Vec<Pod>,
    /// Those that ask for more than there is.
    hopeless: Vec<Pod>,
}

impl Queue {
    /// The queue as stored; of the other pods none is parsed.
    pub(super) fn read(reader: &Reader) -> Result<Self> {
        let mut pods = Vec::new();
        for (_, entry) in reader.entries(Table::PODS)? {
            if entry.text().contains("\"Unschedulable\"") {
                pods.push(entry.parse::<Pod>()?);
            }
        }
        Ok(Self::of(pods))
    }

    fn of(pods: Vec<Pod>) -> Self {
        let waiting = pods.into_iter().filter(|pod| shortage(pod).is_some());
        let (mut line, hopeless): (Vec<Pod>, Vec<Pod>) = waiting.partition(can_ever_fit);
        line.sort_by_cached_key(place_in_queue);
        Self { line, hopeless }
    }

    /// What a pod waits for, and what would help, for its description.
    pub(super) fn of_pod(&self, pod: &Pod, node: &str) -> Option<[String; 2]> {
        let position = self.line.iter().position(|other| uid(&other.metadata) == uid(&pod.metadata));
        let is_hopeless = self.hopeless.iter().any(|other| uid(&other.metadata) == uid(&pod.metadata));
        let where_ = match position {
            Some(position) => format!("position {} of {} in the queue", position + 1, self.line.len()),
            None if is_hopeless => "not in the queue".to_owned(),
            None => return None,
        };
        Some([format!("room: {} ({where_})", shortage(pod)?), room_cure(pod, node)?])
    }

    /// Whether nobody waits for room.
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty() && self.hopeless.is_empty()
    }

    /// The same of the pods of a Job: of the first that comes.
    pub(super) fn of_job(&self, job_uid: &str, node: &str) -> Option<[String; 2]> {
        let (first, words) = self.first_of(job_uid)?;
        Some([words, room_cure(first, node)?])
    }

    /// One cell about the pods of a Job.
    pub(super) fn cell(&self, job_uid: &str) -> Option<String> {
        Some(self.first_of(job_uid)?.1)
    }

    fn first_of(&self, job_uid: &str) -> Option<(&Pod, String)> {
        let is_its = |pod: &&Pod| controller_of(&pod.metadata).is_some_and(|owner| owner.uid == job_uid);
        let count = self.line.iter().chain(&self.hopeless).filter(is_its).count();
        let pods = if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") };
        if let Some((position, first)) = self.line.iter().enumerate().find(|(_, pod)| is_its(pod)) {
            let (shortage, length) = (shortage(first)?, self.line.len());
            return Some((first, format!("{pods}: {shortage} (next: {} of {length})", position + 1)));
        }
        let first = self.hopeless.iter().find(is_its)?;
        Some((first, format!("{pods}: {} (more than there is)", shortage(first)?)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, job: &str, second: u32, reason: &str, victims: &str) -> Pod {
        let message =
            format!("0/1 nodes are available: {reason}. preemption: 0/1 nodes are available: 1 {victims}.");
        serde_json::from_value(json!({
            "metadata": {"name": name, "uid": name, "creationTimestamp": format!("2026-11-20T10:00:{second:02}Z"),
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": job, "controller": true}]},
            "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": message}]},
        }))
        .expect("a pod")
    }

    #[test]
    fn each_has_a_position_among_those_that_can_come() {
        let none = "No preemption victims found for incoming pod";
        let no_use = "Preemption is not helpful for scheduling";
        let pods = vec![
            pod("c", "x", 3, "1 Insufficient cpu, 1 Insufficient memory", none),
            pod("b", "y", 2, "1 Too many pods", none),
            pod("a", "x", 4, "1 Insufficient cpu", none),
            pod("h", "z", 1, "1 Insufficient example.com/gpu", no_use),
            pod("s", "z", 1, "1 node(s) were unschedulable", no_use),
        ];
        let queue = Queue::of(pods.clone());
        let said = |pod: &Pod| queue.of_pod(pod, "node1").map(|said| said.join("; "));
        assert_eq!(
            said(&pods[0]).as_deref(),
            Some(
                "room: Insufficient cpu, Insufficient memory (position 2 of 3 in the queue); it starts when pods that \
                 have this room have ended; who has it: jobctl describe node node1"
            )
        );
        assert!(
            said(&pods[1]).is_some_and(|said| said.contains("position 1 of 3") && said.contains("maxPods"))
        );
        assert!(
            said(&pods[3]).is_some_and(|said| said.contains("not in the queue") && said.contains("extended"))
        );
        assert_eq!(said(&pods[4]), None, "it waits for something else");
        assert_eq!(
            queue.cell("x").as_deref(),
            Some("2 pods: Insufficient cpu, Insufficient memory (next: 2 of 3)")
        );
        assert_eq!(
            queue.cell("z").as_deref(),
            Some("1 pod: Insufficient example.com/gpu (more than there is)")
        );
        assert_eq!(queue.cell("none"), None);
    }
}
