//! `exec`: a process beside those of a container, with its view, its environment, its identity and its limits.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::termios::tcsetwinsize;

use super::context::{Context, Global};
use super::failure::verbatim;
use super::output::{complain, unwritten};
use super::own_terminal::{self, RawTerminal, Signals};
use super::pod_target::{Patience, container_not_found, container_to_enter, pod_of, target_in, target_of};
use super::pump::{Outputs, To, from_stdin};
use crate::api::Pod;
use crate::kubelet::{NoVisit, Reply, Visit, VisitFor, VisitRequest, open_terminal};

/// Run a command in a container
///
/// It sees what the container sees, and has its environment, its identity and its limits. It ends with the container at the
/// latest. Ends with the command's own exit code.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// POD or TYPE/NAME
    #[arg(value_name = "POD|TYPE/NAME")]
    target: Vec<String>,
    /// The container; by default the one that the annotation kubectl.kubernetes.io/default-container names, or the first
    #[arg(short, long)]
    container: Option<String>,
    /// The file that names the pod or the object
    #[arg(short = 'f', long, value_name = "FILENAME", value_delimiter = ',')]
    filename: Vec<String>,
    /// Pass standard input to the command
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Standard input is a terminal, and the command gets one
    #[arg(short, long)]
    tty: bool,
    /// Print only what the command prints
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    patience: Patience,
    /// The command
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// What is said where a terminal is wanted and there is none.
pub(super) const NO_TERMINAL: &str =
    "Unable to use a TTY - input is not a terminal or the right kind of file";

/// Runs the command and ends as it ended.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.command.is_empty() && args.target.len() > 1 {
        return Err(verbatim(
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'jobctl exec -h' \
             for help and examples",
        ));
    }
    let patience = args.patience.of("exec")?;
    let word = args.target.first().filter(|word| !word.is_empty());
    if word.is_none() && args.filename.is_empty() {
        bail!("pod, type/name or --filename must be specified");
    }
    if args.command.is_empty() {
        bail!("you must specify at least one command for the container");
    }
    let target = match word {
        Some(_) if !args.filename.is_empty() => {
            bail!("resource/name arguments cannot be provided when a path is specified")
        }
        Some(word) => target_of(word)?,
        None => target_in(&args.filename, global)?,
    };
    let context = Context::open(global)?;
    let pod = pod_of(&context, &target, patience)?;
    let container = container_to_enter(&pod, args.container.as_deref(), args.quiet)?;
    let mut is_terminal = args.stdin && args.tty;
    if is_terminal && !io::stdin().is_terminal() {
        is_terminal = false;
        if !args.quiet {
            complain(NO_TERMINAL);
        }
    }
    let command = Command { container: &container, argv: &args.command };
    let code = if is_terminal {
        at_terminal(&context, &pod, &command)?
    } else {
        plainly(&context, &pod, &command, args.stdin)?
    };
    Ok(ended_with(code))
}

/// What is to be run, and where.
struct Command<'a> {
    container: &'a str,
    argv: &'a [String],
}

impl Command<'_> {
    fn request(&self, is_terminal: bool) -> VisitRequest {
        // As container runtimes do; the program runs on the machine that knows this terminal.
        let term =
            || std::env::var("TERM").ok().filter(|term| !term.is_empty()).unwrap_or_else(|| "xterm".into());
        let env = if is_terminal { vec![("TERM".to_owned(), term())] } else { Vec::new() };
        let wants = VisitFor::Exec { argv: self.argv.to_vec(), env, is_terminal };
        VisitRequest { container: self.container.to_owned(), wants }
    }
}

/// The exit code of a program as this process's own; kubectl says what is not zero.
pub(super) fn ended_with(code: i32) -> ExitCode {
    if code != 0 {
        complain(&format!("command terminated with exit code {code}"));
    }
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Visits a container.
///
/// # Errors
/// It does not run, or refuses, in the words of a cluster.
pub(super) fn visit(
    context: &Context,
    pod: &Pod,
    request: &VisitRequest,
    descriptors: &[&OwnedFd],
) -> Result<Visit> {
    let descriptors: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_fd()).collect();
    context.client.local()?.visit(pod, request, &descriptors)?.map_err(|refusal| match refusal {
        NoVisit::NoContainer => container_not_found(&request.container),
        NoVisit::Refused(why) => anyhow::anyhow!(
            "Internal error occurred: error executing command in container: failed to exec in container: {why}"
        ),
    })
}

fn plainly(context: &Context, pod: &Pod, command: &Command<'_>, stdin: bool) -> Result<i32> {
    let pipe = || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("make a pipe");
    let (input, our_input) = if stdin {
        let (theirs, ours) = pipe()?;
        (theirs, Some(ours))
    } else {
        (File::open("/dev/null").context("open /dev/null")?.into(), None)
    };
    let ((our_stdout, stdout), (our_stderr, stderr)) = (pipe()?, pipe()?);
    let visit = visit(context, pod, &command.request(false), &[&input, &stdout, &stderr])?;
    drop((input, stdout, stderr));
    if let Some(input) = our_input {
        from_stdin(input, || {})?;
    }
    let outputs = Outputs::copy(vec![(our_stdout, To::Stdout), (our_stderr, To::Stderr)])?;
    wait(visit, outputs, None)
}

fn at_terminal(context: &Context, pod: &Pod, command: &Command<'_>) -> Result<i32> {
    let (ours, theirs) = open_terminal().context("make a terminal")?;
    if let Some(size) = own_terminal::size() {
        let _ = tcsetwinsize(&theirs, size);
    }
    let signals = Signals::hold_back()?;
    let raw = RawTerminal::enter(&signals)?;
    let visit = visit(context, pod, &command.request(true), &[&theirs])?;
    drop(theirs);
    let copy = || ours.try_clone().context("copy a descriptor");
    from_stdin(copy()?, || {})?;
    let outputs = Outputs::copy(vec![(copy()?, To::Stdout)])?;
    wait(visit, outputs, Some(Terminals { signals: &signals, own: &raw, inner: &ours }))
}

/// Our terminal and that of the program.
#[derive(Clone, Copy)]
struct Terminals<'a> {
    signals: &'a Signals,
    own: &'a RawTerminal,
    inner: &'a OwnedFd,
}

/// Waits for the program's end, with its terminal as large as ours.
fn wait(mut visit: Visit, outputs: Outputs, terminals: Option<Terminals<'_>>) -> Result<i32> {
    let code = loop {
        let mut fds = vec![
            PollFd::new(visit.as_fd(), PollFlags::POLLIN),
            PollFd::new(outputs.as_fd(), PollFlags::POLLIN),
        ];
        if let Some(Terminals { signals, .. }) = terminals {
            fds.push(PollFd::new(signals.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            result => result.context("wait for the command")?,
        };
        let has_news: Vec<bool> = fds.iter().map(|fd| fd.any() == Some(true)).collect();
        if let Some(Terminals { signals, own, inner }) = terminals
            && signals.take(|| own.restore())
            && let Some(size) = own_terminal::size()
        {
            let _ = tcsetwinsize(inner, size);
        }
        if has_news[0] {
            match visit.hear()? {
                Some(Reply::Ended(code)) => break code,
                Some(_) => {}
                // The pod was lost, and all that ran in it with it.
                None => break 137,
            }
        }
        if has_news[1] {
            break 1;
        }
    };
    outputs.finish().map_err(unwritten)?;
    Ok(code)
}
