//! `doctor`: what of the store, the controller, the pods and this machine is as it should be.

use std::process::ExitCode;

use anyhow::{Result, bail};
use tabled::Tabled;
use tabled::settings::Style;

use super::context::Global;
use super::findings::{self, Finding, Standing};
use super::output::say;
use crate::api::CronJob;
use crate::apiserver::{Reader, Source as _};
use crate::kubelet;
use crate::manager::{Config, check_controller, clock, holders};
use crate::store::{DirectoryCheck, Format, SetAside, Store, Table, holder_of};

/// Examine the data directory and this machine, without changing anything
///
/// Exit code 0 when nothing is wrong, 1 otherwise. With --set-aside the damaged lines of the store are moved into files
/// beside it, so that everything else can be used again; nothing is ever moved without being asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Move damaged lines into FILE.corrupt-TIME in the data directory, and go on with what is left
    #[arg(long)]
    set_aside: bool,
}

#[derive(Tabled)]
#[tabled(rename_all = "UPPERCASE")]
struct Row<'a> {
    check: &'a str,
    state: &'a str,
    detail: &'a str,
}

/// Says how everything stands, or sets damage aside.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let config = Config::load(global.data_dir.as_deref())?;
    let found = DirectoryCheck::of(&config.data_directory)?;
    let Some(found) = found.filter(|found| !is_empty(found)) else {
        say(&format!("there is no store in {} yet", config.data_directory.display()))?;
        return Ok(ExitCode::SUCCESS);
    };
    if args.set_aside { set_aside(&config) } else { examine(&config, &found) }
}

/// Nothing has been stored there, or it is no directory of ours at all.
fn is_empty(found: &DirectoryCheck) -> bool {
    let is_ours = found.root.is_directory && found.root.uid == nix::unistd::geteuid().as_raw();
    is_ours
        && found.format == Format::Missing
        && !found.entries.iter().any(|entry| entry.path.ends_with("current"))
}

fn examine(config: &Config, found: &DirectoryCheck) -> Result<ExitCode> {
    let me = nix::unistd::geteuid().as_raw();
    let mut rows = findings::directory(found, me);
    if findings::may_enter(found, me) {
        rows.extend(inside(config));
    }
    rows.extend(findings::kernel(&kubelet::facilities()));
    rows.extend(findings::limits(&kubelet::limits()));
    rows.push(findings::limiting(&kubelet::limited_by_groups()));
    let shown =
        rows.iter().map(|row| Row { check: row.check, state: row.standing.as_str(), detail: &row.detail });
    let table = tabled::Table::new(shown).with(Style::blank()).to_string();
    table.lines().try_for_each(|line| say(line.trim()))?;
    say("")?;
    say(&findings::verdict(&rows))?;
    let is_well = rows.iter().all(|row| row.standing < Standing::Wrong);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything within a data directory that may be looked into.
fn inside(config: &Config) -> Vec<Finding> {
    let store = Store::trusted(&config.data_directory);
    let wrong = |check, error: &anyhow::Error| Finding {
        check,
        standing: Standing::Wrong,
        detail: format!("{error:#}"),
    };
    let found = match check_controller(config, &store) {
        Ok(found) => found,
        Err(error) => {
            let log = store.controller_log(LOG_LINES);
            return [wrong("store", &error)]
                .into_iter()
                .chain(log.iter().map(|line| findings::controller_log(line)))
                .collect();
        }
    };
    let mut rows = findings::records(&found.examination);
    let stored = found.examination.files().map(|file| file.size() as u64).sum();
    rows.push(match store.space() {
        Ok(space) => findings::disk(&space, stored),
        Err(error) => wrong("disk", &error),
    });
    let used = store.disk_use();
    rows.extend(match found.examination.state().and_then(|state| holders(&state, &used)) {
        Ok(holders) => findings::disk_use(&used, &holders),
        Err(error) => vec![wrong("disk", &error)],
    });
    rows.push(findings::controller(&found, config.background));
    rows.extend(store.controller_log(LOG_LINES).iter().map(|line| findings::controller_log(line)));
    if found.examination.is_sound() {
        match cron_jobs(&store) {
            Ok(all) => rows.extend(findings::cron_jobs(&all, clock())),
            Err(error) => rows.push(wrong("cronjobs", &error)),
        }
    }
    rows.extend(findings::inbox(&found.inbox, found.controller.is_some()));
    rows.extend(findings::pods(&found.pods, &store.pods_path(), found.examination.is_sound()));
    rows.extend(findings::processes(&found.pods.strays));
    rows
}

fn cron_jobs(store: &Store) -> Result<Vec<CronJob>> {
    let reader = Reader::new(store.read(&[Table::CRON_JOBS])?.0, clock());
    reader.entries(Table::CRON_JOBS)?.map(|(_, entry)| entry.parse()).collect()
}

/// How many of the last lines of the controller's log are shown.
const LOG_LINES: usize = 3;

fn set_aside(config: &Config) -> Result<ExitCode> {
    // Refuses what is somebody else's, open to others, or of a newer program.
    let store = Store::open(&config.data_directory)?;
    if let Err(error) = store.current_snapshot() {
        bail!("there is no snapshot in force, so nothing that could be set aside: {error:#}");
    }
    // Asked before: it may have noticed, and ended, by the time we tell.
    let controller = holder_of(&store.controller_lock_path())?;
    match store.set_aside(clock())? {
        None => say("nothing is damaged: there is nothing to set aside")?,
        Some(done) => tell(&done, controller)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(done: &SetAside, controller: Option<i32>) -> Result<()> {
    done.lines.iter().flat_map(findings::set_aside).try_for_each(|line| say(&line))?;
    done.gaps.iter().try_for_each(|gap| say(&findings::lost_revisions(gap)))?;
    if done.reports > 0 {
        say(&format!(
            "{}: what the supervisors had reported last is taken in once more",
            findings::count(done.reports, "unfinished pod")
        ))?;
    }
    if let Some((directory, uids)) = &done.logs {
        say(&format!(
            "{} without a stored object: what runs of them is stopped by the next controller, their logs are kept in {}",
            findings::count(uids.len(), "pod"),
            directory.display()
        ))?;
    }
    say(&format!(
        "{} stand, at revision {}; jobctl can be used again",
        findings::count(done.objects, "object"),
        done.revision
    ))?;
    match controller {
        Some(pid) => {
            say(&format!("the controller (pid {pid}) ends, and another starts with what is there now"))
        }
        None => Ok(()),
    }
}
