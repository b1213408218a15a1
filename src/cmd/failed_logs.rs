//! `logs --failed`: how the logs of a Job's failed pods end, one after another.

use std::collections::BTreeMap;

use anyhow::Result;

use super::log_source::{Chosen, Failure, default_container};
use super::output::{complain, print, print_log};
use crate::api::conditions::pod_phase;
use crate::api::indexes::Indexes;
use crate::api::meta::name;
use crate::api::{Job, Pod};
use crate::client::Client;
use crate::controller::pods::completion_index;
use crate::kubelet::{LogOptions, Runs};

/// How many lines of each log are shown where `--tail` does not say.
pub(super) const LINES: i64 = 20;

/// Prints the end of the log of every container that failed, or of the chosen ones, each under a line that says whose it is.
pub(super) fn print_failed(
    client: &Client,
    job: &Job,
    pods: Vec<Pod>,
    chosen: &Chosen,
    options: &LogOptions,
) -> Result<()> {
    let pods = failed(job, pods);
    if pods.is_empty() {
        complain(&format!("job {} has no failed pods", name(&job.metadata)));
        return Ok(());
    }
    let names = pods.iter().map(|pod| containers(pod, chosen)).collect::<Result<Vec<_>>>()?;
    let mut gap = "";
    for (pod, names) in pods.iter().zip(&names) {
        for container in names {
            print(&format!("{gap}==> {} <==\n", header(pod, container.as_deref())))?;
            gap = "\n";
            let Some(container) = container else { continue };
            let Some(restart) = client.newest_run(pod, container) else { continue };
            let mut log = client.log(pod, container, Runs::Only(restart), options.clone(), String::new());
            log.read(&mut print_log)?;
        }
    }
    Ok(())
}

/// The pods that have failed, oldest first; of an Indexed Job the last one of each index that has not completed, by index.
fn failed(job: &Job, mut pods: Vec<Pod>) -> Vec<Pod> {
    pods.retain(|pod| pod_phase(pod) == "Failed");
    let spec = job.spec.as_ref();
    if spec.and_then(|spec| spec.completion_mode.as_deref()) != Some("Indexed") {
        return pods;
    }
    let completions = spec.and_then(|spec| spec.completions).unwrap_or(0);
    let completed = job.status.as_ref().and_then(|status| status.completed_indexes.as_deref());
    let completed = Indexes::of_status(completed, completions);
    let of_index = pods.into_iter().filter_map(|pod| Some((completion_index(&pod)?, pod)));
    let last: BTreeMap<i32, Pod> = of_index.filter(|(index, _)| !completed.contains(*index)).collect();
    last.into_values().collect()
}

/// The containers to show. `None`: the pod has none whose log could tell.
fn containers(pod: &Pod, chosen: &Chosen) -> Result<Vec<Option<String>>> {
    if !matches!(chosen, Chosen::Default) {
        return Ok(chosen.of(pod)?.into_iter().map(Some).collect());
    }
    let failures = Failure::all_of(pod);
    if failures.is_empty() {
        return Ok(vec![default_container(pod, true)]);
    }
    Ok(failures.iter().map(|failure| Some(failure.container().to_owned())).collect())
}

/// `pod/x-3-abcde, index 3: container main ended with exit code 7 (Error)`.
fn header(pod: &Pod, container: Option<&str>) -> String {
    let index = completion_index(pod).map_or_else(String::new, |index| format!(", index {index}"));
    let mut failures = Failure::all_of(pod).into_iter();
    let end = match failures.find(|failure| Some(failure.container()) == container) {
        Some(failure) => failure.end(),
        None => container.map_or_else(|| "no container".to_owned(), |name| format!("container {name}")),
    };
    // Why the pod was ended by others than its program: a deadline, an eviction.
    let status = pod.status.as_ref();
    let reason = status.and_then(|status| status.reason.as_deref()).unwrap_or_default();
    let message = status.and_then(|status| status.message.as_deref()).unwrap_or_default();
    let why = match (reason, message) {
        ("", "") => String::new(),
        ("", why) | (why, "") => format!("; {why}"),
        (reason, message) => format!("; {reason}: {message}"),
    };
    format!("pod/{}{index}: {end}{why}", name(&pod.metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, index: Option<i32>, status: &str) -> Pod {
        let index = index.map_or_else(String::new, |index| {
            format!(", \"annotations\": {{\"batch.kubernetes.io/job-completion-index\": \"{index}\"}}")
        });
        let text = format!(
            "{{\"metadata\": {{\"name\": \"{name}\"{index}}}, \"spec\": {{\"containers\": [{{\"name\": \"main\"}}]}}, \
             \"status\": {status}}}"
        );
        serde_json::from_str(&text).expect("a pod")
    }

    fn job(mode: &str, completed: &str) -> Job {
        let text = format!(
            "{{\"metadata\": {{\"name\": \"j\"}}, \"spec\": {{\"completionMode\": \"{mode}\", \"completions\": 9, \
             \"template\": {{}}}}, \"status\": {{\"completedIndexes\": \"{completed}\"}}}}"
        );
        serde_json::from_str(&text).expect("a Job")
    }

    #[test]
    fn of_each_index_that_has_not_completed_the_last_failure_counts() {
        let failed_pod = |name, index| pod(name, index, "{\"phase\": \"Failed\"}");
        let pods = vec![
            failed_pod("c", Some(7)),
            failed_pod("a", Some(2)),
            pod("d", Some(3), "{\"phase\": \"Running\"}"),
            failed_pod("b", Some(2)),
            failed_pod("e", Some(4)),
        ];
        let names = |job: &Job| {
            let pods = failed(job, pods.clone());
            pods.iter().map(|pod| name(&pod.metadata).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&job("Indexed", "0,4-6")), ["b", "c"]);
        assert_eq!(names(&job("NonIndexed", "")), ["c", "a", "b", "e"]);
    }

    #[test]
    fn a_header_says_whose_log_it_is_and_why_the_pod_failed() {
        let ended = "\"containerStatuses\": [{\"name\": \"main\", \"image\": \"\", \"imageID\": \"\", \"ready\": false, \
                     \"restartCount\": 0, \"state\": {\"terminated\": {\"exitCode\": 143, \"reason\": \"Error\"}}}]";
        let of = |index, status: &str| {
            let pod = pod("x", index, status);
            let names = containers(&pod, &Chosen::Default).expect("containers");
            names.iter().map(|name| header(&pod, name.as_deref())).collect::<Vec<_>>()
        };
        assert_eq!(
            of(Some(3), &format!("{{{ended}}}")),
            ["pod/x, index 3: container main ended with exit code 143 (Error)"]
        );
        assert_eq!(
            of(None, &format!("{{{ended}, \"reason\": \"DeadlineExceeded\", \"message\": \"too long\"}}")),
            ["pod/x: container main ended with exit code 143 (Error); DeadlineExceeded: too long"]
        );
        assert_eq!(of(None, "{\"reason\": \"Evicted\"}"), ["pod/x: container main; Evicted"]);
    }
}
