//! `attach`: what a container writes from now on and, where it reads, what is typed here.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use chrono::Duration;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::termios::{Winsize, tcsetwinsize};

use super::context::{Context, Global};
use super::exec::{NO_TERMINAL, visit};
use super::log_source::{default_container, has_container};
use super::output::{complain, print_log, say, warn};
use super::own_terminal::{self, RawTerminal, Signals};
use super::pod_target::{Patience, pod_of, target_of};
use super::pump::from_stdin;
use super::resources::{self, Target};
use crate::api::conditions::{is_pod_finished, pod_phase};
use crate::api::meta::{name, uid};
use crate::api::{Container, Pod};
use crate::kubelet::{LogOptions, LogPiece, LogReader, Reply, Runs, Stream, Visit, VisitFor, VisitRequest};

/// Attach to a container that runs: see what it writes, and write to it
///
/// A container reads what is typed here where its manifest has `stdin: true`. Who reads slowly holds nobody up: of the newest 50 MiB
/// nothing is missed. Killing this command leaves the pod as it is; where the manifest has `stdinOnce: true` its input ends.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// POD, TYPE/NAME or TYPE NAME
    #[arg(value_name = "POD|TYPE/NAME")]
    target: Vec<String>,
    /// The container; by default the one that the annotation kubectl.kubernetes.io/default-container names, or the first
    #[arg(short, long)]
    container: Option<String>,
    /// Pass standard input to the container
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Standard input is a terminal
    #[arg(short, long)]
    tty: bool,
    /// Print only what the container prints
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    patience: Patience,
}

/// How somebody attaches.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) container: Option<&'a str>,
    pub(super) stdin: bool,
    pub(super) tty: bool,
    pub(super) quiet: bool,
    /// Whether what the container has written before is shown too.
    pub(super) from_the_start: bool,
    /// Whether somebody else takes the signals that end this process.
    pub(super) is_guarded: bool,
}

/// Attaches until the container ends.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let target = match args.target.as_slice() {
        [] => bail!("at least 1 argument is required for attach"),
        [one] => target_of(one)?,
        [kind, name] => Target::Named(resources::kind(kind)?, name.clone()),
        several => bail!(
            "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
            several.len(),
            several.join(" ")
        ),
    };
    let patience: Duration = args.patience.of("attach")?;
    let context = Context::open(global)?;
    let pod = pod_of(&context, &target, patience)?;
    let container = args.container.as_deref();
    let (stdin, tty, quiet) = (args.stdin, args.tty, args.quiet);
    attach(
        &context,
        &pod,
        Manner { container, stdin, tty, quiet, from_the_start: false, is_guarded: false },
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Attaches to a pod that runs, until the container ends.
///
/// # Errors
/// A pod or a container to which nobody can, in kubectl's words.
pub(super) fn attach(context: &Context, pod: &Pod, manner: Manner<'_>) -> Result<()> {
    if is_pod_finished(pod) {
        bail!("cannot attach a container in a completed pod; current phase is {}", pod_phase(pod));
    }
    let container = container_of(pod, manner)?;
    if manner.tty && container.tty != Some(true) && !manner.quiet {
        complain(&format!("error: Unable to use a TTY - container {} did not allocate one", container.name));
    }
    // One that has a terminal is talked to through one, asked for or not.
    let mut is_raw = manner.stdin && container.tty == Some(true);
    if is_raw && !io::stdin().is_terminal() {
        is_raw = false;
        if !manner.quiet {
            complain(NO_TERMINAL);
        }
    }
    if !manner.quiet {
        complain("If you don't see a command prompt, try pressing enter.");
    }
    let signals = match (is_raw, manner.is_guarded) {
        (true, true) => Some(Signals::hold_back_size()?),
        (true, false) => Some(Signals::hold_back()?),
        (false, _) => None,
    };
    let raw = signals.as_ref().filter(|_| is_raw).map(RawTerminal::enter).transpose()?;
    let request =
        VisitRequest { container: container.name.clone(), wants: VisitFor::Attach { stdin: manner.stdin } };
    let visit = visit(context, pod, &request, &[])?;
    let attached = follow((context, pod, &container.name), visit, manner, (signals.as_ref(), raw.as_ref()));
    drop(raw);
    attached?;
    let restarts = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    if is_raw && !manner.quiet && restarts == "Always" {
        say(&format!(
            "Session ended, resume using 'jobctl attach {} -c {} -i -t' command when the pod is running",
            name(&pod.metadata),
            container.name
        ))?;
    }
    Ok(())
}

fn container_of<'a>(pod: &'a Pod, manner: Manner<'_>) -> Result<&'a Container> {
    let wanted = match manner.container.filter(|name| !name.is_empty()) {
        Some(wanted) if !has_container(pod, wanted) => {
            bail!(
                "cannot attach to the container: container {wanted} not found in pod {}",
                name(&pod.metadata)
            )
        }
        Some(wanted) => wanted.to_owned(),
        None => default_container(pod, manner.quiet).unwrap_or_default(),
    };
    let spec = pod.spec.as_ref().context("the pod has no spec")?;
    let mut all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    all.find(|one| one.name == wanted).with_context(|| format!("the pod has no container {wanted:?}"))
}

/// Shows what comes and passes on what is typed, until the container ends.
fn follow(
    (context, pod, container): (&Context, &Pod, &str),
    mut visit: Visit,
    manner: Manner<'_>,
    (signals, raw): (Option<&Signals>, Option<&RawTerminal>),
) -> Result<()> {
    let here = context.client.local()?;
    let directory = here.pod_directory(uid(&pod.metadata));
    let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).context("watch the log")?;
    changes
        .add_watch(directory.path(), AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE)
        .context("watch the log")?;
    let mut logs = [Stream::Stdout, Stream::Stderr].map(|stream| {
        let options = LogOptions {
            tail: (!manner.from_the_start).then_some(0),
            stream: Some(stream),
            ..LogOptions::default()
        };
        (stream, here.log(pod, container, Runs::Only(visit.restart), options, String::new()))
    });
    // Before anything is written to it: from where on its answers are shown.
    show(&mut logs)?;
    let input = std::mem::take(&mut visit.given).into_iter().next();
    if let (None, true) = (&input, manner.stdin) {
        warn(&format!(
            "container {container} reads nothing (any more): its manifest has stdin: true for that"
        ));
    }
    let terminal = input.as_ref().filter(|_| raw.is_some());
    let terminal: Option<OwnedFd> =
        terminal.map(OwnedFd::try_clone).transpose().context("copy a descriptor")?;
    if let (Some(terminal), Some(size)) = (&terminal, own_terminal::size()) {
        // Twice: what is drawn at a terminal that has its size already would not be drawn again.
        let other = Winsize { ws_row: size.ws_row + 1, ws_col: size.ws_col + 1, ..size };
        let _ = tcsetwinsize(terminal, other);
        let _ = tcsetwinsize(terminal, size);
    }
    if let Some(input) = input {
        let end = visit.input_end().context("copy a descriptor")?;
        from_stdin(input, || end.tell())?;
    }
    loop {
        let mut fds = vec![
            PollFd::new(visit.as_fd(), PollFlags::POLLIN),
            PollFd::new(changes.as_fd(), PollFlags::POLLIN),
        ];
        if let Some(signals) = signals {
            fds.push(PollFd::new(signals.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            result => result.context("wait for the container")?,
        };
        let has_news = fds[0].any() == Some(true);
        let last = || raw.iter().for_each(|raw| raw.restore());
        if signals.is_some_and(|signals| signals.take(last))
            && let Some(terminal) = &terminal
            && let Some(size) = own_terminal::size()
        {
            let _ = tcsetwinsize(terminal, size);
        }
        while changes.read_events().is_ok() {}
        let is_over = has_news && matches!(visit.hear()?, None | Some(Reply::Ended(_)));
        show(&mut logs)?;
        if is_over {
            return Ok(());
        }
    }
}

/// Prints what has come, to where it was written.
fn show(logs: &mut [(Stream, LogReader)]) -> Result<()> {
    for (stream, log) in logs {
        match stream {
            Stream::Stdout => log.read(&mut print_log)?,
            Stream::Stderr => log.read(&mut |piece| {
                // What is missing is said by the other reader.
                if let LogPiece::Text(bytes) = piece {
                    let _ = io::Write::write_all(&mut io::stderr(), bytes);
                }
                Ok(())
            })?,
        }
    }
    Ok(())
}
