//! `run`: submit, follow, wait, and end as the program ended.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;
use tabled::Tabled;
use tabled::settings::Style;

use super::context::{Context, Global};
use super::delete::delete_one;
use super::flags;
use super::follow_logs::{Followed, follow};
use super::log_source::{Chosen, LogOptions, last_failure};
use super::manifests::{self, Document, FileArgs};
use super::object::Object;
use super::output::complain;
use super::submit::{self, Validate};
use super::wait::{Until, until};
use crate::api::Job;
use crate::api::conditions::{is_job_finished, job_condition};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, name, uid};
use crate::manager::{Companion, Request, clock};
use crate::printers::duration::human_duration;
use crate::registry::apply::with_last_applied;
use crate::registry::deletion::Propagation;
use crate::store::Table;

/// Submit a Job, follow its logs, wait for its end, and exit with the program's own exit code
///
/// A Job of that name that has finished is replaced, so the same command can be repeated. Exit codes: 0 when the Job
/// is complete; the exit code of the last container that failed when it has failed (128 + N for signal N, 128 when
/// the program could not be started); 124 when a deadline or --timeout was exceeded; 1 for errors of jobctl itself.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    validate: Validate,
    /// How long to wait; the Job goes on when the time is over. Negative is without end
    #[arg(long, default_value = "-1s", value_parser = flags::duration)]
    timeout: Duration,
    /// Put the pod and the container before each line; the default where more than one pod may run
    #[arg(long)]
    prefix: Option<bool>,
    /// Delete the Jobs at the end
    #[arg(long)]
    rm: bool,
    /// No summary
    #[arg(short, long)]
    quiet: bool,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

/// What is said to whoever takes this for kubectl's `run`.
pub(super) const TAKES: &str = "jobctl run takes Jobs from manifests: jobctl run -f FILE\n\
     A Job from the command line: jobctl create job NAME --image=IMAGE -- COMMAND";

/// The exit code for a deadline that was exceeded, as of timeout(1).
const DEADLINE_EXCEEDED: u8 = 124;

#[derive(Tabled)]
#[tabled(rename_all = "UPPERCASE")]
struct SummaryRow {
    job: String,
    status: String,
    succeeded: i32,
    failed: i32,
    duration: String,
    #[tabled(rename = "EXIT CODE")]
    exit_code: u8,
}

/// Runs Jobs one after another: the first that fails decides.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.files.filenames.is_empty() {
        bail!("must specify one of -f and -k");
    }
    let documents = manifests::read(&args.files)?.into_iter().collect::<Result<Vec<_>>>()?;
    if documents.is_empty() {
        bail!("no objects passed to run");
    }
    if let Some(other) = documents.iter().find(|document| document.kind != Kind::Job) {
        bail!("{:?}: run takes Jobs, not a {}", other.source, other.kind);
    }
    let context = Context::open(global)?;
    let until = until(args.timeout);
    let jobs = submit_all(&context, documents, args)?;
    let _companion = Companion::start(&context.config, &context.store)?;
    let mut rows = Vec::new();
    let mut code = 0;
    for job in &jobs {
        let row = follow_to_the_end(&context, job, args, until)?;
        if code == 0 {
            code = row.exit_code;
        }
        rows.push(row);
    }
    if !args.quiet {
        let table = tabled::Table::new(&rows).with(Style::blank()).to_string();
        table.lines().for_each(|line| complain(line.trim()));
    }
    if args.rm {
        let mut request = Request::begin(&context.store, &[Table::Jobs, Table::Pods])?;
        for job in &jobs {
            let _ = delete_one(&mut request, Kind::Job, &key(&job.metadata), Propagation::Background, None);
        }
        request.commit(&context.config, &context.store)?;
    }
    Ok(ExitCode::from(code))
}

/// Creates all Jobs in one commit, or none.
fn submit_all(context: &Context, documents: Vec<Document>, args: &Args) -> Result<Vec<Job>> {
    let mut request = Request::begin(&context.store, &[Table::Jobs, Table::Pods])?;
    let mut jobs = Vec::new();
    for mut document in documents {
        submit::set_namespace(&mut document, context)?;
        // As apply leaves it: what has been run can be applied.
        document.value = with_last_applied(&document.value);
        let mut object = submit::decode(&document, args.validate, "creating")?;
        let job_key = key(object.meta());
        if let Some(stored) = request.state.get(Table::Jobs, &job_key) {
            let old: Job = stored.parse()?;
            if !is_job_finished(&old) {
                bail!(
                    "{:?}: job.batch/{} is running; follow it with: jobctl logs -f job/{}",
                    document.source,
                    job_key.name,
                    job_key.name
                );
            }
            delete_one(&mut request, Kind::Job, &job_key, Propagation::Background, None)?;
        }
        submit::add_creator(object.meta_mut(), &args.pass_env)?;
        submit::admit(&mut object, &document.value, &mut request)?;
        submit::create(&object, context, &mut request)?;
        if let Object::Job(job) = object {
            jobs.push(*job);
        }
    }
    request.commit(&context.config, &context.store)?;
    Ok(jobs)
}

fn follow_to_the_end(context: &Context, job: &Job, args: &Args, until: Until) -> Result<SummaryRow> {
    let job_key = key(&job.metadata);
    let job_uid = uid(&job.metadata);
    let spec = job.spec.clone().unwrap_or_default();
    let several = spec.parallelism.unwrap_or(1) > 1
        || spec.template.spec.as_ref().is_some_and(|pod| pod.containers.len() > 1);
    let followed = Followed::Job { key: job_key.clone(), uid: job_uid.to_owned() };
    let until = match until {
        Until::Now => Some(clock()),
        Until::Time(time) => Some(time),
    };
    let prefix = args.prefix.unwrap_or(several);
    let ended = follow(context, &followed, &Chosen::All, &LogOptions::default(), prefix, until)?;
    summary(context, &job_key, job_uid, ended)
}

fn summary(context: &Context, job_key: &Key, job_uid: &str, ended: bool) -> Result<SummaryRow> {
    let (state, _) = context.store.read(&[Table::Jobs, Table::Pods, Table::RemovedPods])?;
    let job = state.get(Table::Jobs, job_key).map(|object| object.parse::<Job>()).transpose()?;
    let Some(job) = job.filter(|job| uid(&job.metadata) == job_uid) else {
        bail!("job.batch/{} was deleted before it ended", job_key.name);
    };
    let status = job.status.clone().unwrap_or_default();
    let failed = job_condition(&job, "Failed");
    let (text, exit_code) = match (ended, failed) {
        (false, _) => ("Running".to_owned(), DEADLINE_EXCEEDED),
        (true, None) => ("Complete".to_owned(), 0),
        (true, Some(condition)) => {
            let reason = condition.reason.clone().unwrap_or_default();
            let message = condition.message.clone().unwrap_or_default();
            complain(&format!("job.batch/{} failed: {reason}: {message}", job_key.name));
            let failure = last_failure(&state, job_uid)?;
            if let Some(failure) = &failure {
                complain(&failure.to_string());
            }
            let code = if reason == "DeadlineExceeded" {
                DEADLINE_EXCEEDED
            } else {
                failure.and_then(|failure| u8::try_from(failure.exit_code).ok()).unwrap_or(1)
            };
            (format!("Failed ({reason})"), code)
        }
    };
    let started = status.start_time.map(|time| time.0);
    let finished = crate::api::conditions::job_finished_at(&job).unwrap_or_else(clock);
    Ok(SummaryRow {
        job: name(&job.metadata).to_owned(),
        status: text,
        succeeded: status.succeeded.unwrap_or(0),
        failed: status.failed.unwrap_or(0),
        duration: started.map_or_else(String::new, |started| human_duration(finished - started)),
        exit_code,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_codes_are_those_of_the_documented_table() {
        let documented = super::super::EXIT_CODES;
        assert!(documented.iter().any(|(code, _)| *code == super::DEADLINE_EXCEEDED));
    }
}
