//! Staying with a Pod that has just been made: attached to it, to its end, and until it is deleted where that is wanted.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::{DateTime, Duration, Utc};

use super::Wanted;
use crate::api::Pod;
use crate::api::conditions::{is_pod_finished, is_pod_ready, pod_phase};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, name, namespace, uid};
use crate::api::status_error::StatusError;
use crate::apiserver::{DeleteOptions, Deleted, Read as _};
use crate::cmd::attach::{Manner, attach};
use crate::cmd::context::Context;
use crate::cmd::delete::wait_until_gone;
use crate::cmd::failure::{self, verbatim};
use crate::cmd::follow_logs::{Followed, Following, Silence, follow};
use crate::cmd::interrupt::LastWill;
use crate::cmd::log_source::Chosen;
use crate::cmd::output::{complain, say};
use crate::cmd::own_terminal;
use crate::kubelet::{LogOptions, Runs};
use crate::manager::steady_clock;
use crate::store::Table;

/// Attaches to the Pod, and ends as its container did, where it is not started again. Where the Pod is to be removed, signals have
/// been held back ([`LastWill::hold_back`]) since before it was made.
pub(super) fn attend(
    context: &Context,
    pod: &Pod,
    has_service: bool,
    wanted: &Wanted<'_>,
) -> Result<ExitCode> {
    let _companion = context.client.keep_controller()?;
    let will = if wanted.shared.rm {
        let (context, pod) = (context.clone(), pod.clone());
        Some(LastWill::make(move || {
            own_terminal::restore();
            let gone = remove(&context, &pod, has_service, true)?;
            // Nobody else ends it where our companion, which goes with us, is the only controller.
            if !context.client.config().background {
                wait_until_gone(&context, &gone, Duration::zero())?;
            }
            Ok(())
        })?)
    } else {
        None
    };
    let attended = attach_to_the_end(context, pod, wanted, will.as_ref());
    will.iter().for_each(LastWill::pass);
    if wanted.shared.rm {
        remove(context, pod, has_service, wanted.shared.quiet)?;
    }
    attended
}

fn attach_to_the_end(
    context: &Context,
    pod: &Pod,
    wanted: &Wanted<'_>,
    will: Option<&LastWill>,
) -> Result<ExitCode> {
    let patience = wanted.args.patience.of("run")?;
    let until = || steady_clock() + patience;
    let running = wait_for(context, pod, until(), |pod| is_pod_finished(pod) || is_pod_ready(pod))?;
    let manner = Manner {
        container: None,
        stdin: wanted.args.stdin,
        tty: wanted.args.tty,
        quiet: wanted.shared.quiet,
        from_the_start: true,
        is_guarded: will.is_some(),
    };
    if is_pod_finished(&running) {
        show_log(context, pod)?;
    } else if let Err(error) = attach(context, &running, manner) {
        let why = failure::text(&error);
        if why.is_empty() {
            return Err(error);
        }
        will.into_iter().for_each(LastWill::pass);
        complain(&format!(
            "warning: couldn't attach to pod/{}, falling back to streaming logs: {}",
            name(&pod.metadata),
            why.strip_prefix("error: ").unwrap_or(&why)
        ));
        show_log(context, pod)?;
    }
    if wanted.args.leave_stdin_open || wanted.restart == "Always" {
        return Ok(ExitCode::SUCCESS);
    }
    // One that is started again after a failure has ended only once it has succeeded.
    let succeeds = wanted.restart == "OnFailure";
    let ended = wait_for(context, pod, until(), |pod| match pod_phase(pod) {
        "Succeeded" => true,
        "Failed" => !succeeds,
        _ => false,
    })?;
    will.into_iter().for_each(LastWill::pass);
    end_of(&ended)
}

/// Waits until something holds for the Pod.
fn wait_for(context: &Context, pod: &Pod, until: DateTime<Utc>, holds: impl Fn(&Pod) -> bool) -> Result<Pod> {
    let (reader, mut follower) = context.client.watch(&[Table::PODS])?;
    let pod_key = key(&pod.metadata);
    let mut found = reader.find(Kind::Pod, &pod_key)?.map(|found| found.parse::<Pod>()).transpose()?;
    drop(reader);
    loop {
        match found.take() {
            Some(found) if uid(&found.metadata) == uid(&pod.metadata) => {
                if holds(&found) {
                    return Ok(found);
                }
            }
            _ => return Err(StatusError::not_found(Kind::Pod, name(&pod.metadata)).into()),
        }
        let mut has_changed = false;
        while !has_changed {
            if !follower.wait(&[], Some(until))? {
                bail!("timed out waiting for the condition");
            }
            let is_it = |namespace: &str, name: &str| Key::new(namespace, name) == pod_key;
            follower.changes(|change| {
                has_changed |= change.table == Table::PODS && is_it(change.namespace, change.name);
            })?;
        }
        found = context
            .client
            .read(&[Table::PODS])?
            .find(Kind::Pod, &pod_key)?
            .map(|pod| pod.parse())
            .transpose()?;
    }
}

/// Shows what the Pod writes, to its end.
fn show_log(context: &Context, pod: &Pod) -> Result<()> {
    let followed = Followed::Pods(vec![uid(&pod.metadata).to_owned()]);
    let options = LogOptions::default();
    let chosen = Chosen::Default;
    let following = Following {
        followed: &followed,
        chosen: &chosen,
        options: &options,
        prefix: false,
        runs: Runs::NewestAndLater,
        until: None,
    };
    follow(context, &following, &mut Silence).map(drop)
}

/// The exit code of the Pod's container.
fn end_of(pod: &Pod) -> Result<ExitCode> {
    let place = format!("{}/{}", namespace(&pod.metadata), name(&pod.metadata));
    match pod_phase(pod) {
        "Succeeded" => return Ok(ExitCode::SUCCESS),
        "Failed" => {}
        other => bail!("pod {place} left in phase {other}"),
    }
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let first = statuses.and_then(|statuses| statuses.first()?.state.as_ref()?.terminated.as_ref());
    let Some(end) = first.filter(|end| end.exit_code != 0) else {
        bail!("pod {place} failed with unknown exit code");
    };
    complain(&format!("pod {place} terminated ({})", end.reason.as_deref().unwrap_or_default()));
    end.message.iter().flat_map(|message| message.lines()).for_each(complain);
    match u8::try_from(end.exit_code) {
        Ok(code) => Ok(ExitCode::from(code)),
        Err(_) => Err(verbatim("")),
    }
}

/// Deletes what has been made; returns what is on its way out.
fn remove(context: &Context, pod: &Pod, has_service: bool, quiet: bool) -> Result<Vec<Deleted>> {
    let mut requests =
        context.client.begin(&[Table::PODS, Table::JOBS, Table::NODES, Table::Kind(Kind::Service)], false)?;
    let pod_key = key(&pod.metadata);
    let mut gone = Vec::new();
    let stored = requests.find(Kind::Pod, &pod_key)?.map(|found| found.parse::<Pod>()).transpose()?;
    // Somebody may have made another of that name.
    if stored.is_some_and(|stored| uid(&stored.metadata) == uid(&pod.metadata)) {
        gone.push(requests.delete(Kind::Pod, &pod_key, &DeleteOptions::default())?);
    }
    if has_service && requests.find(Kind::Service, &pod_key)?.is_some() {
        gone.push(requests.delete(Kind::Service, &pod_key, &DeleteOptions::default())?);
    }
    // The process has threads by now, and a pass here would fork: our companion acts on it where no controller runs.
    if context.client.config().background {
        requests.commit()?;
    } else {
        requests.commit_quietly()?;
    }
    if !quiet {
        let line =
            |one: &Deleted| format!("{} {:?} deleted", one.kind.resource().singular, name(&pod.metadata));
        gone.iter().try_for_each(|one| say(&line(one)))?;
    }
    Ok(gone)
}
