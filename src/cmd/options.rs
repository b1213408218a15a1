//! `options`: the flags of every verb.

use std::process::ExitCode;

use anyhow::Result;
use clap::Arg;

use super::flags;
use super::output::print;

/// List the flags that every verb takes
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the flags, in kubectl's layout.
pub(super) fn run(_: &Args) -> Result<ExitCode> {
    let tree = super::command();
    let mut flags: Vec<&Arg> = tree.get_arguments().filter(|flag| flag.is_global_set()).collect();
    flags.sort_by_key(|flag| flag.get_long());
    let mut text = "The following options can be passed to any command:\n\n".to_owned();
    for flag in flags {
        let short = flag.get_short().map_or_else(String::new, |short| format!("-{short}, "));
        let long = flag.get_long().unwrap_or_default();
        let value = if flag.get_action().takes_values() { "''" } else { "false" };
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("    {short}--{long}={value}:\n\t{help}\n\n"));
    }
    let names: Vec<String> = flags::names_of_cluster_flags().map(|name| format!("--{name}")).collect();
    text.push_str(
        "Flags of kubectl that say how to reach a cluster, as whom, and what to tell of that. They count more than the\n\
         kubeconfig where a cluster is named (--context, --kubeconfig), and have no effect where none is:\n\n",
    );
    text.push_str(&format!("    {}\n", names.join(" ")));
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
