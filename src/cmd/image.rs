//! `image`: what images run on this machine, where there is nothing to pull.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use tabled::Tabled;
use tabled::settings::Style;

use super::context::{Context, Global};
use super::output::{complain, say};
use crate::api::images::{Image, ImageName};
use crate::manager::Config;

/// Say what images run on this machine
///
/// An image is a label here: nothing is pulled, and commands run from this machine. A container without a command runs what
/// its image is said to run. Base images such as busybox, debian or python run their arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Set(SetArgs),
    /// List what images run, as far as it has been said
    #[command(visible_alias = "ls")]
    List,
    /// Forget what images run
    #[command(visible_alias = "rm")]
    Remove {
        /// Names, as they were given
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// Say what an image runs: its entrypoint
#[derive(Debug, clap::Args)]
struct SetArgs {
    /// The image, in whose name `*` stands for anything; without a tag for every tag
    name: String,
    /// A variable of its containers, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Where its containers start, unless they say it
    #[arg(long, value_name = "DIRECTORY")]
    workdir: Option<String>,
    /// The command, to which the arguments of a container are added
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Sets, lists or removes.
pub(super) fn run(global: &Global, args: Args) -> Result<ExitCode> {
    let context = Context::open(global)?;
    let config = context.client.config();
    match args.what {
        What::Set(args) => set(config, args)?,
        What::List => list(config)?,
        What::Remove { names } => remove(config, &names)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn set(config: &Config, args: SetArgs) -> Result<()> {
    if ImageName::parse(&args.name.replace('*', "x")).is_none() {
        bail!("{:?} is no image's name: invalid reference format", args.name);
    }
    let mut env = BTreeMap::new();
    for word in &args.env {
        match word.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => env.insert(name.to_owned(), value.to_owned()),
            None => bail!("invalid --env: {word:?}, expected NAME=VALUE"),
        };
    }
    let mut images = (*config.settings.images).clone();
    let SetArgs { name, workdir, command, .. } = args;
    let image = Image { image: name.clone(), command, env, working_dir: workdir, ..Image::default() };
    let is_new = images.set(image);
    config.save_images(&images)?;
    say(&format!("image {name:?} {}", if is_new { "set" } else { "changed" }))
}

/// A line of `image list`.
#[derive(Tabled)]
#[tabled(rename_all = "UPPERCASE")]
struct Row {
    image: String,
    command: String,
    workdir: String,
    env: String,
}

fn list(config: &Config) -> Result<()> {
    let images = &config.settings.images.images;
    if images.is_empty() {
        complain("No images; to say what one runs: jobctl image set IMAGE -- COMMAND");
        return Ok(());
    }
    let or_none = |text: String| if text.is_empty() { "<none>".to_owned() } else { text };
    let rows = images.iter().map(|image| Row {
        image: image.image.clone(),
        command: [image.command.as_slice(), &image.args].concat().join(" "),
        workdir: or_none(image.working_dir.clone().unwrap_or_default()),
        env: or_none(image.env.keys().cloned().collect::<Vec<_>>().join(",")),
    });
    let table = tabled::Table::new(rows).with(Style::blank()).to_string();
    table.lines().try_for_each(|line| say(line.trim()))
}
fn remove(config: &Config, names: &[String]) -> Result<()> {
    let mut images = (*config.settings.images).clone();
    for name in names {
        if !images.remove(name) {
            bail!("nothing is said of image {name:?}; see: jobctl image list");
        }
    }
    config.save_images(&images)?;
    names.iter().try_for_each(|name| say(&format!("image {name:?} removed")))
}
