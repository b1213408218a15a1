//! `run`: submit, follow, wait, and end as the program ended.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;
use serde_json::{Value, json};
use tabled::settings::Style;

use super::context::{Context, Global};
use super::create;
use super::failure::while_doing;
use super::flags;
use super::follow_logs::{Followed, FollowedJob, Following, follow};
use super::format::OutputArgs;
use super::github;
use super::interrupt::{Interrupts, OnInterrupt, delete_jobs};
use super::junit::{self, Cases};
use super::log_source::{Chosen, may_have_several_logs};
use super::manifests::{self, Document, FileArgs};
use super::outcome::DryRun;
use super::output::{complain, warn_all};
use super::run_command::{CommandArgs, CommandJob};
use super::run_pod::{self, PodArgs, Shared};
use super::run_report::{Clerk, Summary, SummaryRow};
use super::submit;
use super::wait::{Until, until};
use crate::api::Job;
use crate::api::conditions::is_job_finished;
use crate::api::kinds::Kind;
use crate::api::meta::{ANNOTATION_AFTER, ANNOTATION_LAST_APPLIED, annotation, key, name, uid};
use crate::apiserver::{DeleteOptions, FieldValidation as Validate, Read as _};
use crate::client::Requests;
use crate::controller::pods::owner_of;
use crate::kubelet::{LogOptions, Runs};
use crate::manager::steady_clock;
use crate::registry::apply::with_last_applied;
use crate::registry::object::Object;
use crate::store::{ReaderOfRecord, Table};

/// Submit a Job, follow its logs, wait for its end, and exit with the program's own exit code
///
/// The Job is that of a manifest (-f), or one made of a command: jobctl run [NAME] -- COMMAND. With --array-from FILE the
/// command runs once for each line of a list. With --image IMAGE it is a Pod, as kubectl makes it: jobctl run -it NAME --image=IMAGE.
///
/// A Job of that name that has finished is replaced, so the same command can be repeated; one that runs by the same
/// manifest is followed. Exit codes: 0 when the Job is complete; the exit code of the last container that failed when it
/// has failed (128 + N for signal N, 128 when the program could not be started), of several Jobs that of the first in the
/// manifests that failed; 124 when a deadline or --timeout was exceeded; 130 and 143 when SIGINT or SIGTERM ended it; 1 for
/// errors of jobctl itself.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    command: CommandArgs,
    #[command(flatten)]
    pod: PodArgs,
    /// Jobs that must have ended before these start, as job/NAME (complete), job/NAME:failed or job/NAME:finished
    #[arg(long, value_delimiter = ',', value_name = "JOB")]
    after: Vec<String>,
    /// Must be "none", "server", or "client": only say what would be created
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    #[command(flatten)]
    output: OutputArgs,
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
    /// Whether SIGINT (Ctrl-C) and SIGTERM leave the Jobs running, or delete them. The default is to leave them at a terminal
    /// without --rm, and those that ran already; a second signal ends jobctl at once
    #[arg(long)]
    detach_on_interrupt: Option<bool>,
    /// A file for a report as test runners write it (JUnit), with a case for each completion index or pod
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// No summary, and no line that shows at a terminal how far the Jobs are
    #[arg(short, long)]
    quiet: bool,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

impl Args {
    /// The flags that a Pod has too.
    ///
    /// # Errors
    /// One that is for Jobs alone.
    fn of_pod(&self) -> Result<Shared<'_>> {
        let for_jobs = [
            ("--after", !self.after.is_empty()),
            ("--junit", self.junit.is_some()),
            ("--prefix", self.prefix.is_some()),
            ("--detach-on-interrupt", self.detach_on_interrupt.is_some()),
            ("-f, --filename", !self.files.filenames.is_empty()),
        ];
        if let Some((flag, _)) = for_jobs.into_iter().find(|(_, given)| *given) {
            bail!("{flag} is for Jobs, and --image makes a Pod");
        }
        self.command.refuse_for_pods()?;
        Ok(Shared {
            words: &self.command.words,
            command: &self.command.command,
            env: &self.command.env,
            labels: &self.command.labels,
            restart: self.command.restart.as_deref(),
            dry_run: self.dry_run,
            output: &self.output,
            quiet: self.quiet,
            rm: self.rm,
            pass_env: &self.pass_env,
        })
    }
}

/// What is said to whoever takes this for something else.
pub(super) const TAKES: &str = "A Job of a manifest: jobctl run -f FILE\n\
     A Job of a command: jobctl run [NAME] -- COMMAND\n\
     A Pod of an image, as kubectl makes it: jobctl run NAME --image=IMAGE";

/// Runs Jobs side by side; of those that fail the first of the manifests decides.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.pod.is_given() {
        return run_pod::run(global, &args.pod, &args.of_pod()?);
    }
    args.pod.refuse()?;
    let mut jobs = jobs(args)?;
    jobs.iter_mut().for_each(|CommandJob { job, .. }| set_after(&mut job.value, &args.after));
    if args.dry_run != DryRun::None {
        return show(global, args, jobs);
    }
    if args.output.given().is_some() {
        bail!("--output is for --dry-run: otherwise the output is what the pods print");
    }
    let context = Context::open_to_run(global)?;
    let until = until(args.timeout);
    let reader = context.client.reader_of_record()?;
    let interrupts = Interrupts::hold_back()?;
    // A cluster may let us wait, and a plugin, too. Here who stores Jobs must be one thread.
    let is_elsewhere = context.client.cluster().is_some();
    if is_elsewhere {
        interrupts.listen(Some(format!(
            "the cluster does not answer; whether a Job has been created: jobctl get{} jobs",
            context.place
        )))?;
    }
    let sources: Vec<String> = jobs.iter().map(|one| one.job.source.clone()).collect();
    let submitted = submit_all(&context, jobs, args, reader.as_ref());
    if submitted.is_err() {
        interrupts.over();
    }
    let submitted = submitted?;
    let _companion = context.client.keep_controller()?;
    let fates = submitted.iter().map(|submitted| (submitted.job.clone(), submitted.on_interrupt(args)));
    interrupts.decide(&context, fates.collect(), args.rm);
    if !is_elsewhere {
        interrupts.listen(None)?;
    }
    let jobs: Vec<Job> = submitted.into_iter().map(|submitted| submitted.job).collect();
    let mut cases = Cases::new(Clerk::new(&context, !args.quiet), args.junit.is_some());
    let followed = follow_to_the_end(&context, &jobs, args, until, &mut cases);
    interrupts.over();
    followed?;
    let clerk = cases.clerk();
    let summaries: Vec<Summary> = jobs.iter().map(|job| clerk.summary(&key(&job.metadata))).collect();
    let reported = args.junit.as_ref().map_or(Ok(()), |path| {
        junit::write(path, &context.client, &jobs.iter().zip(&summaries).collect::<Vec<_>>(), &cases)
    });
    drop(reader);
    clear_away(&context, &jobs, clerk.pods())?;
    // What is told now must not be taken back by a power cut.
    context.client.sync()?;
    for ((job, summary), source) in jobs.iter().zip(&summaries).zip(&sources) {
        summary.failures.iter().for_each(|line| complain(line));
        if summary.row.exit_code != 0 {
            let file = Some(source.as_str()).filter(|source| Path::new(source).is_file());
            let title = format!("job.batch/{}", name(&job.metadata));
            github::annotate(&title, &summary.failures.join("\n"), file);
        }
    }
    let code = summaries.iter().map(|summary| summary.row.exit_code).find(|code| *code != 0).unwrap_or(0);
    let rows: Vec<SummaryRow> = summaries.into_iter().map(|summary| summary.row).collect();
    if !args.quiet {
        let table = tabled::Table::new(&rows).with(Style::blank()).to_string();
        table.lines().for_each(|line| complain(line.trim()));
    }
    if args.rm {
        delete_jobs(&context, &jobs.iter().collect::<Vec<_>>(), true)?;
    }
    reported?;
    Ok(ExitCode::from(code))
}

/// Has a Job wait for others.
pub(super) fn set_after(manifest: &mut Value, jobs: &[String]) {
    let is_map = |value: &Value| value.is_object() || value.is_null();
    let metadata = &manifest["metadata"];
    // What is no metadata is refused in any case.
    if !jobs.is_empty() && is_map(metadata) && is_map(&metadata["annotations"]) {
        manifest["metadata"]["annotations"][ANNOTATION_AFTER] = json!(jobs.join(","));
    }
}

/// The Jobs of the manifests, or the one of the command.
fn jobs(args: &Args) -> Result<Vec<CommandJob>> {
    if args.files.filenames.is_empty() {
        if !args.command.is_given() {
            bail!("must specify -f, or a command: jobctl run [NAME] -- COMMAND");
        }
        return Ok(vec![args.command.job(&mut fastrand::Rng::new())?]);
    }
    if args.command.is_given() {
        bail!("-f, --filename and a command cannot be specified together");
    }
    let documents = manifests::read(&args.files)?.into_iter().collect::<Result<Vec<_>>>()?;
    if documents.is_empty() {
        bail!("no objects passed to run");
    }
    if let Some(other) = documents.iter().find(|document| document.kind != Kind::Job) {
        bail!("{:?}: run takes Jobs, not a {}", other.source, other.kind);
    }
    Ok(documents.into_iter().map(|job| CommandJob { job, config_maps: Vec::new() }).collect())
}

/// `--dry-run`: what would be created.
fn show(global: &Global, args: &Args, jobs: Vec<CommandJob>) -> Result<ExitCode> {
    let options = create::Options {
        dry_run: args.dry_run,
        validate: args.validate,
        output: args.output.clone(),
        pass_env: args.pass_env.clone(),
        ..create::Options::default()
    };
    let documents =
        jobs.into_iter().flat_map(|CommandJob { job, config_maps }| config_maps.into_iter().chain([job]));
    let context = Context::open_to_create(global, args.dry_run)?;
    create::submit_all(&context, documents.map(Ok).collect(), &options)
}

/// A Job that is to be followed.
struct Submitted {
    job: Job,
    /// Whether it ran before we came.
    attached: bool,
}

impl Submitted {
    fn on_interrupt(&self, args: &Args) -> OnInterrupt {
        let is_attended = std::io::stdin().is_terminal();
        let detach = args.detach_on_interrupt.unwrap_or(!args.rm && (is_attended || self.attached));
        if detach { OnInterrupt::Detach } else { OnInterrupt::Delete }
    }
}

/// Creates all Jobs in one commit, or none; in a cluster one after the other, and what is there when one is refused is told.
fn submit_all(
    context: &Context,
    jobs_to_run: Vec<CommandJob>,
    args: &Args,
    reader: Option<&ReaderOfRecord>,
) -> Result<Vec<Submitted>> {
    let mut jobs = Vec::new();
    let submitted = submit_each(context, jobs_to_run, args, reader, &mut jobs);
    if submitted.is_err() && context.client.cluster().is_some() {
        for Submitted { job, .. } in jobs.iter().filter(|submitted| !submitted.attached) {
            complain(&format!(
                "job.batch/{name} has been created and goes on; to delete it: jobctl delete{place} job {name}",
                name = name(&job.metadata),
                place = context.place
            ));
        }
    }
    submitted.map(|()| jobs)
}

fn submit_each(
    context: &Context,
    jobs_to_run: Vec<CommandJob>,
    args: &Args,
    reader: Option<&ReaderOfRecord>,
    jobs: &mut Vec<Submitted>,
) -> Result<()> {
    let creator = context.client.creator(&args.pass_env)?;
    let (_held, mut requests) =
        context.begin(&[Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS], DryRun::None)?;
    requests.validate_as(args.validate);
    for CommandJob { job: mut document, config_maps } in jobs_to_run {
        submit::set_namespace(&mut document, context)?;
        // As apply leaves it: what has been run can be applied.
        document.value = with_last_applied(&document.value);
        let object = submit::decode(&document, args.validate, "creating", &requests)?;
        let job_key = object.key();
        if let Object::Job(job) = &object
            && job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true))
        {
            bail!(
                "{:?}: job.batch/{name} is suspended (spec.suspend), so it would not end; to store it as it is: jobctl \
                 apply; then to start it: jobctl resume{place} job/{name}",
                document.source,
                name = job_key.name,
                place = context.place
            );
        }
        requests.require_new(Kind::Job, &job_key).map_err(|error| {
            while_doing(error.into(), &format!("error when creating {:?}", document.source))
        })?;
        if let Some(stored) = requests.find(Kind::Job, &job_key)? {
            let old: Job = stored.parse()?;
            drop(stored);
            let applied = annotation(&old.metadata, ANNOTATION_LAST_APPLIED);
            let is_same = applied == annotation(object.meta(), ANNOTATION_LAST_APPLIED);
            if !is_job_finished(&old) && is_same && old.metadata.deletion_timestamp.is_none() {
                complain(&format!("job.batch/{} is running already; following it", job_key.name));
                announce(reader, &old)?;
                requests.take(Kind::Job, job_key);
                jobs.push(Submitted { job: old, attached: true });
                continue;
            }
            if !is_job_finished(&old) {
                bail!(
                    "{:?}: job.batch/{} is running, by another manifest; follow it with: jobctl logs{} -f job/{}",
                    document.source,
                    job_key.name,
                    context.place,
                    job_key.name
                );
            }
        }
        let (answer, _) = requests.recreate(object, &document.value, &creator, &DeleteOptions::default())?;
        warn_all(&answer.warnings);
        if let Object::Job(job) = answer.object {
            // Before the Job is stored: none of its pods runs unread.
            announce(reader, &job)?;
            for config_map in config_maps {
                let object = owned_by(&job, config_map, context, &requests)?;
                requests.create(object, &Value::Null, &creator)?;
            }
            jobs.push(Submitted { job: *job, attached: false });
        }
    }
    warn_all(&requests.missing()?);
    requests.commit()?;
    let created = jobs.iter().filter(|submitted| !submitted.attached);
    submit::say_elsewhere(context, created.map(|submitted| &submitted.job.metadata));
    Ok(())
}

/// Says that all that a Job writes will be read.
fn announce(reader: Option<&ReaderOfRecord>, job: &Job) -> Result<()> {
    reader.map_or(Ok(()), |reader| reader.announce(uid(&job.metadata)))
}

/// A ConfigMap that goes with its Job.
fn owned_by(job: &Job, mut document: Document, context: &Context, requests: &Requests<'_>) -> Result<Object> {
    submit::set_namespace(&mut document, context)?;
    document.value["metadata"]["ownerReferences"] =
        json!([owner_of(&Kind::Job.api_version(), Kind::Job.as_str(), &job.metadata)]);
    submit::decode(&document, Validate::Strict, "creating", requests)
}

/// Prints the logs of all Jobs as they come, until all have ended or the time is over.
fn follow_to_the_end(
    context: &Context,
    jobs: &[Job],
    args: &Args,
    until: Until,
    listener: &mut Cases,
) -> Result<()> {
    let followed =
        jobs.iter().map(|job| FollowedJob { key: key(&job.metadata), uid: uid(&job.metadata).into() });
    let followed = Followed::Jobs(followed.collect());
    let until = match until {
        Until::Now => Some(steady_clock()),
        Until::Time(time) => Some(time),
    };
    let prefix = args.prefix.unwrap_or(jobs.len() > 1 || jobs.iter().any(may_have_several_logs));
    let (chosen, options) = (&Chosen::All, &LogOptions::default());
    let following = Following { followed: &followed, chosen, options, prefix, runs: Runs::All, until };
    follow(context, &following, listener).map(|_| ())
}

/// Removes what the controller has left of the pods of Jobs that are gone, because we were still to read it.
fn clear_away(context: &Context, jobs: &[Job], pods: &BTreeSet<String>) -> Result<()> {
    if context.client.cluster().is_some() {
        return Ok(());
    }
    let reader = context.client.read(&[Table::JOBS, Table::PODS, Table::RemovedPods])?;
    let mut all_there = true;
    for job in jobs {
        let stored =
            reader.find(Kind::Job, &key(&job.metadata))?.map(|found| found.parse::<Job>()).transpose()?;
        all_there &= stored.is_some_and(|stored| uid(&stored.metadata) == uid(&job.metadata));
    }
    if all_there {
        return Ok(());
    }
    let mut stored = BTreeSet::new();
    for job in jobs {
        let pods = reader.pods_of_job(uid(&job.metadata))?;
        stored.extend(pods.iter().map(|pod| uid(&pod.metadata).to_owned()));
    }
    for pod in pods.difference(&stored) {
        context.client.forget_pod(pod);
    }
    Ok(())
}
