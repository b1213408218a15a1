//! A Job's whole life, by kube-rs.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use kube::api::{
    AttachParams, DeleteParams, EvictParams, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent,
    WatchParams,
};
use kube::discovery::Discovery;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{WatchStreamExt as _, reflector, watcher};
use kube::{Api, Client, Error, ResourceExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn job(name: &str, script: &str, home: &str) -> Result<Job> {
    let container = json!({
        "name": "main", "image": "busybox", "command": ["sh", "-c", script],
        "env": [{ "name": "HOME", "value": home }],
    });
    Ok(serde_json::from_value(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": name, "labels": { "of": "kube" } },
        "spec": { "backoffLimit": 0, "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
    }))?)
}

/// The code and the reason of a refusal.
fn refusal<T>(done: kube::Result<T>) -> Result<String> {
    match done {
        Err(Error::Api(status)) => Ok(format!("{} {}", status.code, status.reason)),
        Err(other) => Err(other.into()),
        Ok(_) => Ok("not refused".into()),
    }
}

async fn exec(pods: &Api<Pod>, pod: &str, command: &[&str], input: Option<&[u8]>) -> Result<String> {
    let options = AttachParams::default().stdin(input.is_some()).stdout(true).stderr(true);
    let mut process = pods.exec(pod, command.iter().copied(), &options).await?;
    if let (Some(input), Some(mut stdin)) = (input, process.stdin()) {
        stdin.write_all(input).await?;
        stdin.shutdown().await?;
    }
    let (mut out, mut err) = (String::new(), String::new());
    let mut stdout = process.stdout().context("standard output")?;
    let mut stderr = process.stderr().context("standard error")?;
    let status = process.take_status().context("a status")?;
    tokio::try_join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err))?;
    let status = status.await.context("how it ended")?;
    Ok(format!("{out:?} {err:?} {}", status.status.unwrap_or_default()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let home = std::env::args().nth(1).context("a directory")?;
    let client = Client::try_default().await?;
    println!("version {}", client.apiserver_version().await?.major);
    for (how, found) in [
        ("plain", Discovery::new(client.clone()).run().await?),
        ("aggregated", Discovery::new(client.clone()).run_aggregated().await?),
    ] {
        let batch = found.get("batch").context("the group")?;
        println!("discovery {how} {:?}", batch.recommended_kind("Job").map(|(of, _)| of.plural));
    }
    let jobs: Api<Job> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client.clone());

    // A cache that begins with a list in the form of a watch.
    let (store, writer) = reflector::store();
    let changes = watcher(jobs.clone(), watcher::Config::default().streaming_lists());
    let reflected = reflector(writer, changes).default_backoff().applied_objects().try_for_each(|_| async { Ok(()) });
    let watching = tokio::spawn(reflected);
    store.wait_until_ready().await?;

    let options = PostParams::default();
    let wanted = job("a", "echo one; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo two", &home)?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    println!("dry {}", jobs.create(&dry, &wanted).await?.name_any());
    let created = jobs.create(&options, &wanted).await?;
    println!("created {} {:?}", created.name_any(), created.spec.as_ref().and_then(|spec| spec.completions));
    println!("again {}", refusal(jobs.create(&options, &wanted).await)?);
    let mut wrong = job("b", "true", &home)?;
    wrong.spec.as_mut().context("a spec")?.template.spec = None;
    println!("wrong {}", refusal(jobs.create(&options, &wrong).await)?);

    let of_job = ListParams::default().labels("job-name=a");
    let first = pods.list(&of_job).await?.items.into_iter().next().context("a pod")?.name_any();
    await_condition(pods.clone(), &first, conditions::is_pod_running()).await?;
    let running = pods.list(&of_job.clone().fields("status.phase=Running")).await?;
    println!("list {}", running.items.len());
    println!("metadata {}", pods.get_metadata(&first).await?.name_any() == first);
    println!("exec {}", exec(&pods, &first, &["sh", "-c", "echo out; echo err >&2; exit 3"], None).await?);
    println!("stdin {}", exec(&pods, &first, &["cat"], Some(b"input")).await?);
    let follow = LogParams { follow: true, ..LogParams::default() };
    let mut lines = pods.log_stream(&first, &follow).await?.lines();
    println!("log {:?}", lines.try_next().await?);
    // Not by `exec`: it would end with the container, and by a signal.
    std::fs::write(format!("{home}/go"), "")?;
    println!("log {:?}", lines.try_collect::<Vec<_>>().await?);
    await_condition(jobs.clone(), "a", conditions::is_job_completed()).await?;
    let ended = jobs.get_status("a").await?;
    println!("complete {:?}", ended.status.as_ref().and_then(|status| status.succeeded));
    let tail = LogParams { tail_lines: Some(1), ..LogParams::default() };
    println!("tail {:?}", pods.logs(&first, &tail).await?);
    let is_cached = |job: &Job| job.status.as_ref().is_some_and(|status| status.succeeded == Some(1));
    tokio::time::timeout(Duration::from_secs(20), async {
        while !store.get(&ObjectRef::new("a").within("default")).is_some_and(|job| is_cached(&job)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;

    let patch = PatchParams::default();
    for (patch, body) in [
        (&patch, Patch::Merge(json!({ "metadata": { "labels": { "y": "1" } } }))),
        (&patch, Patch::Strategic(json!({ "metadata": { "labels": { "y": "2" } } }))),
    ] {
        println!("patched {}", jobs.patch("a", patch, &body).await?.labels()["y"]);
    }
    let mut fresh = jobs.get("a").await?;
    fresh.labels_mut().insert("z".into(), "3".into());
    println!("replaced {}", jobs.replace("a", &options, &fresh).await?.labels()["z"]);
    println!("conflict {}", refusal(jobs.replace("a", &options, &fresh).await)?);
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let settings = |value: &str| -> Patch<Value> {
        Patch::Apply(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { "k": value } }))
    };
    let applied = maps.patch("c", &PatchParams::apply("kube"), &settings("v")).await?;
    println!("applied {:?}", applied.data.unwrap_or_default());
    println!("conflict {}", refusal(maps.patch("c", &PatchParams::apply("other"), &settings("w")).await)?);
    let forced = maps.patch("c", &PatchParams::apply("other").force(), &settings("w")).await?;
    println!("forced {:?}", forced.data.unwrap_or_default());

    let events: Api<Event> = Api::default_namespaced(client.clone());
    let about = events.list(&ListParams::default().fields("involvedObject.name=a")).await?;
    println!("completed {}", about.items.iter().any(|event| event.reason.as_deref() == Some("Completed")));
    let _ = jobs.create(&options, &job("e", "sleep 100", &home)?).await?;
    let other = pods.list(&ListParams::default().labels("job-name=e")).await?.items.remove(0).name_any();
    pods.evict(&other, &EvictParams::default()).await?;
    await_condition(jobs.clone(), "e", |job: Option<&Job>| {
        job.and_then(|job| job.status.as_ref()?.failed).is_some()
    })
    .await?;
    let mut limited = ListParams::default().limit(1);
    let page = jobs.list(&limited).await?;
    limited = limited.continue_token(page.metadata.continue_.as_deref().context("a next page")?);
    println!("pages {:?}", [&page.items, &jobs.list(&limited).await?.items].map(|items| items[0].name_any()));

    let begin = jobs.list(&ListParams::default()).await?.metadata.resource_version.context("a version")?;
    let uid = jobs.get("a").await?.uid().context("a uid")?;
    let _ = jobs.delete("a", &DeleteParams::foreground()).await?;
    await_condition(jobs.clone(), "a", conditions::is_deleted(&uid)).await?;
    println!("gone {}", refusal(jobs.get("a").await)?);
    let mut told = jobs.watch(&WatchParams::default().fields("metadata.name=a"), &begin).await?.boxed();
    while let Some(event) = told.try_next().await? {
        if let WatchEvent::Deleted(job) = event {
            println!("deleted {}", job.name_any());
            break;
        }
    }
    let _ = jobs.delete_collection(&DeleteParams::background(), &ListParams::default().labels("of=kube")).await?;
    tokio::time::timeout(Duration::from_secs(20), async {
        while !store.state().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    ensure!(!watching.is_finished(), "the cache is not kept");
    println!("left {}", jobs.list(&ListParams::default()).await?.items.len());
    Ok(())
}
