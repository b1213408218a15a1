//! One file per verb: args and one function. Errors become text and exit code in one place.

mod api_resources;
mod apply;
mod apply_prune;
mod change;
mod completion;
mod context;
mod cordon;
mod create;
mod create_from;
mod delete;
mod describe;
mod doctor;
mod drain;
mod events;
mod failure;
mod findings;
mod flags;
mod follow_logs;
mod get;
mod glob;
mod interrupt;
mod label;
mod local;
mod log_source;
mod logs;
mod manifests;
mod next;
mod obstacles;
mod outcome;
mod output;
mod patch;
mod prune;
mod reconcile;
mod replace;
mod rerun;
mod resources;
mod run;
mod run_report;
mod scale;
mod selection;
mod service;
mod submit;
mod suspend;
mod usage;
mod version;
mod wait;
mod wait_condition;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::kubelet::{COMPANION, CONTROLLER};

pub use context::Global;
pub use failure::EXIT_CODES;

/// kubectl for batch work, with no cluster
///
/// Runs ordinary Kubernetes Job manifests as plain processes of this machine.
#[derive(Debug, Parser)]
#[command(
    name = "jobctl",
    disable_version_flag = true,
    disable_help_subcommand = false,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Apply(apply::Args),
    Create(create::Args),
    Replace(replace::Args),
    Run(run::Args),
    Get(get::Args),
    Describe(describe::Args),
    Events(events::Args),
    Logs(logs::Args),
    Wait(wait::Args),
    Delete(delete::Args),
    Patch(patch::Args),
    Label(label::LabelArgs),
    Annotate(label::AnnotateArgs),
    Scale(scale::Args),
    Rerun(rerun::Args),
    Suspend(suspend::SuspendArgs),
    Resume(suspend::ResumeArgs),
    Next(next::Args),
    Cordon(cordon::CordonArgs),
    Uncordon(cordon::UncordonArgs),
    Drain(drain::Args),
    Prune(prune::Args),
    Reconcile(reconcile::Args),
    Watch(watch::Args),
    Service(service::Args),
    Doctor(doctor::Args),
    ApiResources(api_resources::ResourcesArgs),
    ApiVersions(api_resources::VersionsArgs),
    Version(version::Args),
    Completion(completion::Args),
}

/// The tree of verbs and flags, for completions and documentation.
pub fn command() -> clap::Command {
    flags::shown(Cli::command())
}

/// Parses the command line, runs the verb and maps its result to an exit code.
pub fn run() -> ExitCode {
    crate::manager::take_umask();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // What may follow makes room for what `ps` shows of our processes.
    if let [_, kind, directory] | [_, kind, directory, _] = arguments.as_slice()
        && let Some(kind @ (CONTROLLER | COMPANION)) = kind.to_str()
    {
        let ran = watch::run_unseen(kind, Path::new(directory));
        return if ran.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut tree = flags::readable(Cli::command(), &arguments);
    let arguments = flags::verbs_first(&tree, arguments);
    let matches = match tree.try_get_matches_from_mut(&arguments) {
        Ok(matches) => matches,
        Err(error) => return usage::report(&error, &arguments),
    };
    let (path, strays) = flags::path_and_strays(&matches);
    if !strays.is_empty() {
        return usage::report_strays(&path, &strays);
    }
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, &arguments),
    };
    let warnings_are_errors = cli.global.warnings_as_errors;
    let done = dispatch(cli);
    crate::manager::take_notices().iter().for_each(|notice| output::complain(notice));
    match done.and_then(|code| output::held_is_out().map(|()| code)) {
        Ok(code) if warnings_are_errors && code == ExitCode::SUCCESS => {
            failure::judge_warnings(output::warnings())
        }
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    match cli.verb {
        Verb::Apply(args) => apply::run(&global, &args),
        Verb::Create(args) => create::run(&global, args),
        Verb::Replace(args) => replace::run(&global, &args),
        Verb::Run(args) => run::run(&global, &args),
        Verb::Get(args) => get::run(&global, &args),
        Verb::Describe(args) => describe::run(&global, &args),
        Verb::Events(args) => events::run(&global, &args),
        Verb::Logs(args) => logs::run(&global, &args),
        Verb::Wait(args) => wait::run(&global, &args),
        Verb::Delete(args) => delete::run(&global, &args),
        Verb::Patch(args) => patch::run(&global, &args),
        Verb::Label(args) => label::label(&global, &args),
        Verb::Annotate(args) => label::annotate(&global, &args),
        Verb::Scale(args) => scale::run(&global, &args),
        Verb::Rerun(args) => rerun::run(&global, &args),
        Verb::Suspend(args) => suspend::suspend(&global, &args),
        Verb::Resume(args) => suspend::resume(&global, &args),
        Verb::Next(args) => next::run(&global, &args),
        Verb::Cordon(args) => cordon::cordon(&global, &args),
        Verb::Uncordon(args) => cordon::uncordon(&global, &args),
        Verb::Drain(args) => drain::run(&global, &args),
        Verb::Prune(args) => prune::run(&global, &args),
        Verb::Reconcile(args) => reconcile::run(&global, &args),
        Verb::Watch(args) => watch::run(&global, &args),
        Verb::Service(args) => service::run(&global, &args),
        Verb::Doctor(args) => doctor::run(&global, &args),
        Verb::ApiResources(args) => api_resources::resources(&args),
        Verb::ApiVersions(args) => api_resources::versions(&args),
        Verb::Version(args) => version::run(&args),
        Verb::Completion(args) => completion::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_sound() {
        super::command().debug_assert();
        let all: Vec<_> =
            super::command().get_subcommands().map(|verb| verb.get_name().to_owned().into()).collect();
        super::flags::readable(super::Cli::command(), &all).debug_assert();
    }
}
