//! `service`: the controller as a systemd user unit, so that CronJobs fire after a reboot too.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use super::context::{Context, Global};
use super::output::{print, say};
use crate::store::write_atomic;

const UNIT: &str = "jobctl.service";

/// Start the controller with the user's session, by systemd
///
/// Where there is no systemd, cron does it: `@reboot jobctl reconcile` (see docs/cronjobs.md).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write the unit and start it
    Install {
        /// Only print the unit
        #[arg(long)]
        print: bool,
    },
    /// Stop the unit and remove it
    Uninstall,
    /// Say whether the unit is there and runs
    Status,
}

/// Installs, removes or shows the unit.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let context = Context::open(global)?;
    let path = unit_path()?;
    match args.what {
        What::Install { print: true } => print(&unit(&context)?)?,
        What::Install { print: false } => {
            if let Some(directory) = path.parent() {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("create {}", directory.display()))?;
            }
            write_atomic(&path, unit(&context)?.as_bytes())?;
            say(&format!("{} written", path.display()))?;
            systemctl(&["daemon-reload"])?;
            systemctl(&["enable", "--now", UNIT])?;
            say(
                "the service runs now and with every session; for before the first login: loginctl enable-linger",
            )?;
        }
        What::Uninstall => {
            if !path.exists() {
                bail!("the service is not installed: there is no {}", path.display());
            }
            systemctl(&["disable", "--now", UNIT])?;
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
            say(&format!("{} removed", path.display()))?;
        }
        What::Status => {
            if !path.exists() {
                say("not installed")?;
                return Ok(ExitCode::FAILURE);
            }
            let active = Command::new("systemctl").args(["--user", "is-active", "--quiet", UNIT]).status();
            let runs = active.is_ok_and(|status| status.success());
            say(&format!("installed: {}; {}", path.display(), if runs { "running" } else { "not running" }))?;
            return Ok(if runs { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unit_path() -> Result<PathBuf> {
    let directories = directories::BaseDirs::new().context("find the home directory")?;
    Ok(directories.config_dir().join("systemd/user").join(UNIT))
}

fn unit(context: &Context) -> Result<String> {
    let program = std::env::current_exe().context("find this program")?;
    Ok(format!(
        "[Unit]\nDescription=jobctl: Jobs and CronJobs of this user\n\n[Service]\nExecStart={} --data-dir {} watch\n\
         Restart=on-failure\nKillMode=process\n\n[Install]\nWantedBy=default.target\n",
        quoted(&program),
        quoted(&context.client.config().data_directory)
    ))
}

/// A path as one word of a unit's command line, where systemd reads escapes, specifiers (`%`) and variables (`$`).
fn quoted(path: &Path) -> String {
    let mut word = String::from("\"");
    for letter in path.to_string_lossy().chars() {
        match letter {
            '"' | '\\' => word.extend(['\\', letter]),
            '%' | '$' => word.extend([letter, letter]),
            _ => word.push(letter),
        }
    }
    word.push('"');
    word
}

fn systemctl(arguments: &[&str]) -> Result<()> {
    let status = Command::new("systemctl")
        .arg("--user")
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .context("run systemctl; where there is no systemd, see docs/cronjobs.md")?;
    if !status.success() {
        bail!("systemctl --user {} failed", arguments.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_systemd_whatever_is_in_it() {
        for (path, word) in [
            ("/home/me/.local/share/jobctl", "\"/home/me/.local/share/jobctl\""),
            ("/a b/100%/$HOME", "\"/a b/100%%/$$HOME\""),
            ("/say \"x\"/back\\slash", "\"/say \\\"x\\\"/back\\\\slash\""),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
