//! One file per verb: args and one function. Errors become text and exit code in one place.

mod api_resources;
mod apply;
mod apply_prune;
mod apply_server_side;
mod attach;
mod auth;
mod change;
mod cluster_info;
mod colour;
mod complete;
mod completion;
mod config;
mod context;
mod cordon;
mod cp;
mod create;
mod create_from;
mod delete;
mod describe;
mod diff;
mod doctor;
mod drain;
mod edit;
mod edit_first;
mod editor;
mod elsewhere;
mod events;
mod exec;
mod explain;
mod failed_logs;
mod failure;
mod fetch;
mod figures;
mod findings;
mod flags;
mod follow_logs;
mod format;
mod get;
mod github;
mod glob;
mod help;
mod image;
mod interrupt;
mod items_file;
mod junit;
mod label;
mod local;
mod log_source;
mod logs;
mod manifests;
mod meant;
mod metrics;
mod next;
mod obstacles;
mod options;
mod outcome;
mod output;
mod own_terminal;
mod patch;
mod place;
mod pod_target;
mod port_forward;
mod progress;
mod promote;
mod prune;
mod pump;
mod queue;
mod reconcile;
mod replace;
mod rerun;
mod resources;
mod rollout;
mod run;
mod run_command;
mod run_pod;
mod run_report;
mod scale;
mod selection;
mod serve;
mod service;
mod set;
mod short_runs;
mod submit;
mod suspend;
mod top;
mod tree;
mod usage;
mod version;
mod wait;
mod wait_condition;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::kubelet::{COMPANION, CONTROLLER, HOOK};

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

/// Makes the enum of all verbs, the table by which one is found without the others, and the call of each.
macro_rules! verbs {
    ($($name:literal $verb:ident($args:ty) => $run:expr,)+) => {
        #[derive(Debug, Subcommand)]
        enum Verb {
            $(#[command(name = $name)] $verb($args)),+
        }

        /// Every verb, and what gives a command its flags.
        const VERBS: &[(&str, fn(Command) -> Command)] =
            &[$(($name, <$args as clap::Args>::augment_args)),+];

        fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
            match cli.verb {
                $(Verb::$verb(args) => {
                    let run: fn(&Global, $args) -> anyhow::Result<ExitCode> = $run;
                    run(&cli.global, args)
                }),+
            }
        }
    };
}

verbs! {
    "apply" Apply(apply::Args) => |global, args| apply::run(global, &args),
    "diff" Diff(diff::Args) => |global, args| diff::run(global, &args),
    "create" Create(create::Args) => |global, args| create::run(global, args),
    "replace" Replace(replace::Args) => |global, args| replace::run(global, &args),
    "run" Run(Box<run::Args>) => |global, args| run::run(global, &args),
    "set" Set(set::Args) => |global, args| set::run(global, &args),
    "get" Get(get::Args) => |global, args| get::run(global, &args),
    "describe" Describe(describe::Args) => |global, args| describe::run(global, &args),
    "events" Events(events::Args) => |global, args| events::run(global, &args),
    "logs" Logs(logs::Args) => |global, args| logs::run(global, &args),
    "exec" Exec(exec::Args) => |global, args| exec::run(global, &args),
    "attach" Attach(attach::Args) => |global, args| attach::run(global, &args),
    "port-forward" PortForward(port_forward::Args) => |global, args| port_forward::run(global, &args),
    "cp" Copy(cp::Args) => |global, args| cp::run(global, &args),
    "top" Top(top::Args) => |global, args| top::run(global, &args),
    "wait" Wait(wait::Args) => |global, args| wait::run(global, &args),
    "delete" Delete(delete::Args) => |global, args| delete::run(global, &args),
    "patch" Patch(patch::Args) => |global, args| patch::run(global, &args),
    "edit" Edit(edit::Args) => |global, args| edit::run(global, &args),
    "label" Label(label::LabelArgs) => |global, args| label::label(global, &args),
    "annotate" Annotate(label::AnnotateArgs) => |global, args| label::annotate(global, &args),
    "scale" Scale(scale::Args) => |global, args| scale::run(global, &args),
    "rerun" Rerun(rerun::Args) => |global, args| rerun::run(global, &args),
    "suspend" Suspend(suspend::SuspendArgs) => |global, args| suspend::suspend(global, &args),
    "resume" Resume(suspend::ResumeArgs) => |global, args| suspend::resume(global, &args),
    "next" Next(next::Args) => |global, args| next::run(global, &args),
    "promote" Promote(promote::Args) => |global, args| promote::run(global, &args),
    "rollout" Rollout(rollout::Args) => |global, args| rollout::run(global, &args),
    "cordon" Cordon(cordon::CordonArgs) => |global, args| cordon::cordon(global, &args),
    "uncordon" Uncordon(cordon::UncordonArgs) => |global, args| cordon::uncordon(global, &args),
    "drain" Drain(drain::Args) => |global, args| drain::run(global, &args),
    "image" Image(image::Args) => |global, args| image::run(global, args),
    "prune" Prune(prune::Args) => |global, args| prune::run(global, &args),
    "reconcile" Reconcile(reconcile::Args) => |global, args| reconcile::run(global, &args),
    "watch" Watch(watch::Args) => |global, args| watch::run(global, &args),
    "metrics" Metrics(metrics::Args) => |global, args| metrics::run(global, &args),
    "serve" Serve(serve::Args) => |global, args| serve::run(global, &args),
    "service" Service(service::Args) => |global, args| service::run(global, &args),
    "doctor" Doctor(doctor::Args) => |global, args| doctor::run(global, &args),
    "api-resources" ApiResources(api_resources::ResourcesArgs) => |_, args| api_resources::resources(&args),
    "api-versions" ApiVersions(api_resources::VersionsArgs) => |_, args| api_resources::versions(&args),
    "explain" Explain(explain::Args) => |_, args| explain::run(&args),
    "auth" Auth(auth::Args) => |_, args| auth::run(&args),
    "cluster-info" ClusterInfo(cluster_info::Args) => |global, args| cluster_info::run(global, &args),
    "config" Config(config::Args) => |global, args| config::run(global, &args),
    "options" Options(options::Args) => |_, args| options::run(&args),
    "version" Version(version::Args) => |_, args| version::run(&args),
    "completion" Completion(completion::Args) => |_, args| completion::run(&args),
}

/// The tree of verbs and flags, for completions and documentation.
pub fn command() -> Command {
    help::dressed(flags::shown(Cli::command()))
}

/// The tree without the verbs that the command line cannot mean: making it is most of what a start costs.
fn tree_of_few(arguments: &[OsString]) -> Command {
    let tree = <Global as clap::Args>::augment_args(Command::new("jobctl"));
    let meant = VERBS.iter().filter(|(name, _)| arguments.iter().any(|argument| argument == name));
    let commands = meant.map(|(name, augment)| augment(Command::new(*name)));
    tree.disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(commands)
}

/// Parses the command line, runs the verb and maps its result to an exit code.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // In a container, whose mask counts for what is made there.
    if let [_, word, words @ ..] = arguments.as_slice()
        && word == tree::WORD
    {
        return tree::run_within(&words.iter().map(OsString::as_os_str).collect::<Vec<_>>());
    }
    crate::manager::take_umask();
    // What may follow makes room for what `ps` shows of our processes.
    if let [_, kind, directory] | [_, kind, directory, _] = arguments.as_slice()
        && let Some(kind @ (CONTROLLER | COMPANION)) = kind.to_str()
    {
        let ran = watch::run_unseen(kind, Path::new(directory));
        return if ran.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let [_, word, directory, kind, namespace, name, ..] = arguments.as_slice()
        && word == HOOK
    {
        return watch::run_hook(Path::new(directory), kind, namespace, name);
    }
    if let [_, word, words @ ..] = arguments.as_slice()
        && word == complete::WORD
    {
        return complete::run(words);
    }
    if let [_, word] = arguments.as_slice()
        && word == "--version"
    {
        return version::shortly().map_or_else(|error| failure::report(&error), |()| ExitCode::SUCCESS);
    }
    let read = |tree: Command| {
        let mut tree = flags::readable(tree, &arguments);
        let arguments = flags::verbs_first(&tree, arguments.clone());
        (tree.try_get_matches_from_mut(&arguments), arguments)
    };
    let (matches, arguments) = match read(tree_of_few(&arguments)) {
        (Ok(matches), arguments) => (matches, arguments),
        // Help and errors are about all that there is.
        (Err(_), _) => match read(Cli::command()) {
            (Ok(matches), arguments) => (matches, arguments),
            (Err(error), arguments) => return usage::report(&error, &arguments),
        },
    };
    let (path, strays) = flags::path_and_strays(&matches);
    if !strays.is_empty() {
        return usage::report_strays(&path, &strays);
    }
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, &arguments),
    };
    match place::chosen(&path, &cli.global, flags::meant(&matches)) {
        Ok(place::Chosen { cluster, flags, request_timeout }) => {
            cli.global.cluster = cluster;
            cli.global.cluster_flags = flags;
            cli.global.request_timeout = request_timeout;
        }
        Err(error) => return failure::report(&error),
    }
    colour::choose(cli.global.color);
    let warnings_are_errors = cli.global.warnings_as_errors;
    let global = cli.global.clone();
    let done = dispatch(cli);
    // One that nobody waits for any more is not to be left behind.
    crate::cluster::end_plugins_for_good();
    crate::manager::tell_trace();
    crate::manager::take_notices().iter().for_each(|notice| output::complain(notice));
    match done.and_then(|code| output::held_is_out().map(|()| code)) {
        Ok(code) if warnings_are_errors && code == ExitCode::SUCCESS => {
            failure::judge_warnings(output::warnings())
        }
        Ok(code) => code,
        Err(error) => {
            let code = failure::report(&error);
            meant::advise(&global, &path, &error);
            code
        }
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
