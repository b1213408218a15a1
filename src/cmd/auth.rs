//! `auth`: whoever runs this may do everything.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::output::{complain, print, say};
use crate::api::kinds::Kind;
use crate::printers;
use crate::printers::rows::Row;
use crate::printers::table::{TableOptions, TablePrinter};

/// Say what may be done: everything, by whoever has this data directory
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    CanI(CanIArgs),
    Whoami(WhoamiArgs),
}

/// Say as whom commands and pods run
#[derive(Debug, clap::Args)]
struct WhoamiArgs {
    /// Output format: json or yaml
    #[arg(short, long)]
    output: Option<String>,
}

/// Check whether an action is allowed
#[derive(Debug, clap::Args)]
struct CanIArgs {
    /// VERB TYPE, VERB TYPE/NAME or VERB /URL
    #[arg(value_name = "VERB TYPE[/NAME]")]
    arguments: Vec<String>,
    /// In any namespace: nothing is forbidden in one of them
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// List all that is allowed
    #[arg(long)]
    list: bool,
    /// With --list: leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// Only the exit code
    #[arg(short, long)]
    quiet: bool,
    /// A part of the object, such as log or status
    #[arg(long)]
    subresource: Option<String>,
}

/// The verbs that requests to a Kubernetes API have.
const VERBS: [&str; 14] = [
    "*",
    "approve",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "impersonate",
    "list",
    "patch",
    "update",
    "use",
    "watch",
];

/// Answers what is asked.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let args = match &args.what {
        What::CanI(args) => args,
        What::Whoami(args) => return whoami(args),
    };
    if args.list {
        if !args.arguments.is_empty() {
            bail!("list option must be specified with no arguments");
        }
        print(&rules(args.no_headers))?;
        return Ok(ExitCode::SUCCESS);
    }
    let [verb, resource] = args.arguments.as_slice() else {
        bail!(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'jobctl auth can-i -h' \
             for help and examples."
        );
    };
    doubts(verb, resource, args.all_namespaces)
        .iter()
        .for_each(|doubt| complain(&format!("Warning: {doubt}\n")));
    if !args.quiet {
        say("yes")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the user of this process, who is the one that everything here belongs to, and the user's groups.
fn whoami(args: &WhoamiArgs) -> Result<ExitCode> {
    let user = nix::unistd::geteuid();
    let name =
        nix::unistd::User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name);
    let mut groups = vec![nix::unistd::getegid()];
    for group in nix::unistd::getgroups()? {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let called = |group: nix::unistd::Gid| {
        let found = nix::unistd::Group::from_gid(group).ok().flatten();
        found.map_or_else(|| group.to_string(), |group| group.name)
    };
    let groups: Vec<String> = groups.into_iter().map(called).collect();
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
        "metadata": {"creationTimestamp": null},
        "status": {"userInfo": {"username": name, "uid": user.to_string(), "groups": groups}}
    });
    match args.output.as_deref() {
        Some("json") => print(&printers::json::to_string(&review))?,
        Some("yaml") => print(&printers::yaml::to_string(&review))?,
        None | Some("") => {
            let row = |cells: [String; 2]| Row::new("".into(), cells.map(Into::into).into(), None);
            let rows = [
                row(["Username".into(), name]),
                row(["UID".into(), user.to_string()]),
                row(["Groups".into(), format!("[{}]", groups.join(" "))]),
            ];
            print(&TablePrinter::new(["ATTRIBUTE", "VALUE"], TableOptions::default()).print(&rows))?;
        }
        Some(other) => bail!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats are: json,yaml"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// What makes it doubtful that the question is the one that was meant.
fn doubts(verb: &str, resource: &str, all_namespaces: bool) -> Vec<String> {
    let mut doubts = Vec::new();
    let is_url = resource.starts_with('/');
    if !VERBS.contains(&verb) {
        doubts.push(format!("verb '{verb}' is not a known verb"));
    }
    let word = resource.split('/').next().unwrap_or(resource);
    match Kind::from_argument(word) {
        _ if is_url || word == "*" => {}
        None => doubts.push(format!("the server doesn't have a resource type '{word}'")),
        Some(kind) if !kind.resource().namespaced && !all_namespaces => {
            doubts.push(format!("resource '{}' is not namespace scoped", kind.resource().plural));
        }
        Some(_) => {}
    }
    doubts
}

/// The rules of somebody to whom everything is allowed.
fn rules(no_headers: bool) -> String {
    let row = |cells: [&'static str; 4]| Row::new("".into(), cells.map(Into::into).into(), None);
    let rows = [row(["*.*", "[]", "[]", "[*]"]), row(["", "[*]", "[]", "[*]"])];
    let columns = &["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];
    TablePrinter::new(columns, TableOptions { no_headers, ..TableOptions::default() }).print(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_have_meant_is_doubted() {
        for (verb, resource, all_namespaces, expected) in [
            ("create", "jobs", false, vec![]),
            ("create", "jobs.batch/x", false, vec![]),
            ("get", "/healthz", false, vec![]),
            ("*", "*", false, vec![]),
            ("frob", "jobs", false, vec!["verb 'frob' is not a known verb"]),
            ("get", "foo", false, vec!["the server doesn't have a resource type 'foo'"]),
            ("get", "no", false, vec!["resource 'nodes' is not namespace scoped"]),
            ("get", "no", true, vec![]),
        ] {
            assert_eq!(doubts(verb, resource, all_namespaces), expected, "{verb} {resource}");
        }
    }
}
