//! The standard streams of a container: our ends, and its own.

use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::super::actions::InputRun;
use super::super::spawn::Streams;
use super::super::start::StartFailure;
use super::super::terminal::open_terminal;

/// Both ends, before the container is started.
#[derive(Debug)]
pub(super) struct Opened {
    /// What the container writes, by stream: at a terminal all of it comes as its standard output.
    pub(super) output: [Option<OwnedFd>; 2],
    /// What it reads; to be kept as long as it is to wait for more.
    pub(super) input: Option<OwnedFd>,
    ends: Ends,
}

#[derive(Debug)]
enum Ends {
    Pipes { stdin: Option<OwnedFd>, stdout: OwnedFd, stderr: OwnedFd },
    Terminal(OwnedFd),
}

impl Opened {
    /// Opens what a container asks for: pipes or a terminal. Without `stdin` it reads nothing.
    pub(super) fn new(input: Option<InputRun>) -> Result<Self, StartFailure> {
        let InputRun { stdin, tty, .. } = input.unwrap_or_default();
        let opened = if tty { Self::terminal(stdin) } else { Self::pipes(stdin) }?;
        for output in opened.output.iter().flatten() {
            let _ = fcntl(output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        }
        Ok(opened)
    }

    fn pipes(stdin: bool) -> Result<Self, StartFailure> {
        let pipe = || {
            nix::unistd::pipe2(OFlag::O_CLOEXEC)
                .map_err(|error| StartFailure::start_error(&format!("create pipe: {error}")))
        };
        let ((stdout, stdout_end), (stderr, stderr_end)) = (pipe()?, pipe()?);
        let (stdin_end, input) = if stdin { Some(pipe()?) } else { None }.unzip();
        let ends = Ends::Pipes { stdin: stdin_end, stdout: stdout_end, stderr: stderr_end };
        Ok(Self { output: [Some(stdout), Some(stderr)], input, ends })
    }

    fn terminal(stdin: bool) -> Result<Self, StartFailure> {
        let failed = |error: std::io::Error| StartFailure::start_error(&format!("create terminal: {error}"));
        let (ours, theirs) = open_terminal().map_err(failed)?;
        let input = if stdin { Some(ours.try_clone().map_err(failed)?) } else { None };
        Ok(Self { output: [Some(ours), None], input, ends: Ends::Terminal(theirs) })
    }

    /// What the container is started with.
    pub(super) fn streams(&self) -> Streams<'_> {
        match &self.ends {
            Ends::Pipes { stdin, stdout, stderr } => {
                Streams { stdin: stdin.as_ref(), stdout, stderr, is_terminal: false }
            }
            Ends::Terminal(end) => Streams::terminal(end),
        }
    }
}
