//! `serve`.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use super::context::{Context, Global};
use super::failure::verbatim;
use super::outcome::DryRun;
use super::output::print;
use super::place::shell_word;
use crate::serve;

/// Serve the Kubernetes API on this machine
///
/// kubectl and every other client of Kubernetes finds the Jobs of this machine behind https://127.0.0.1, with the kubeconfig that
/// this writes. Whoever can read that file can run commands as you; nobody else is let in. With a command it runs as long as that
/// does, with KUBECONFIG set for it, and ends with its exit code.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The port; 0 is one that is free
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Where to write the kubeconfig; by default a file of the data directory, and a temporary one for a command
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// A command to serve, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Serves until interrupted, or until the command ends.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let context = Context::open_to_create(global, DryRun::None)?;
    let here = context.client.local()?.clone();
    let creator = here.creator(&[])?;
    let temporary = args.command.first().map(|_| TemporaryKubeconfig::new()).transpose()?;
    let given = args.kubeconfig.clone().or_else(|| temporary.as_ref().map(|file| file.0.clone()));
    let is_ours = given.is_none();
    let kubeconfig = given.unwrap_or_else(|| here.store().kubeconfig_path());
    let options =
        serve::Options { port: args.port, kubeconfig: kubeconfig.clone(), namespace: context.namespace };
    let companion = here.keep_controller()?;
    let served = serve::serve(here, creator, &options, |address| {
        // Before there is one that could end.
        let mut has_ended = signal(SignalKind::child())?;
        let command = match args.command.split_first() {
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words).env("KUBECONFIG", &kubeconfig);
                let child = command.spawn().map_err(|error| {
                    verbatim(format!("error: start {}: {error}", program.to_string_lossy()))
                })?;
                Some(ServedCommand(child))
            }
            None => {
                let kubeconfig = shell_word(&kubeconfig.to_string_lossy());
                let lines = format!(
                    "Serving the Kubernetes API at https://{address}\nexport KUBECONFIG={kubeconfig}\n"
                );
                print(&lines)?;
                None
            }
        };
        let (mut interrupted, mut ended) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            let Some(mut child) = command else {
                return Ok(tokio::select! {
                    _ = interrupted.recv() => ExitCode::from(130),
                    _ = ended.recv() => ExitCode::from(143),
                });
            };
            loop {
                if let Some(status) = child.0.try_wait().context("wait for the command")? {
                    return Ok(exit_code(status));
                }
                tokio::select! {
                    _ = has_ended.recv() => {}
                    // The terminal has told the command too.
                    _ = interrupted.recv() => {}
                    _ = ended.recv() => child.terminate(),
                }
            }
        })
    });
    if is_ours {
        let _ = std::fs::remove_file(&kubeconfig);
    }
    drop(companion);
    served
}

/// How long a command that is to end may take for it.
const GRACE: Duration = Duration::from_secs(10);

/// The command that is served. Where the server ends first, because its store is gone, the command is ended with it.
struct ServedCommand(Child);

impl ServedCommand {
    fn terminate(&self) {
        let _ = nix::sys::signal::kill(Pid::from_raw(self.0.id() as i32), Signal::SIGTERM);
    }
}

impl Drop for ServedCommand {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        self.terminate();
        let begin = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) {
            if begin.elapsed() > GRACE {
                let _ = self.0.kill();
                let _ = self.0.wait();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a shell makes of the end of a command.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A kubeconfig that goes with its command.
struct TemporaryKubeconfig(PathBuf);

impl TemporaryKubeconfig {
    fn new() -> Result<Self> {
        let directory = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let name = format!("jobctl-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let directory = directory.join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("make {}", directory.display()))?;
        Ok(Self(directory.join("kubeconfig")))
    }
}

impl Drop for TemporaryKubeconfig {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        if let Some(directory) = self.0.parent() {
            let _ = std::fs::remove_dir(directory);
        }
    }
}
