//! What every verb needs: the configuration, the store, the namespace.

use std::path::PathBuf;

use anyhow::Result;

use super::colour::Color;
use super::outcome::DryRun;
use super::output::{self, Held};
use crate::client::{Client, Requests};
use crate::manager::chosen_namespace;
use crate::store::Table;

/// Where objects are that name no namespace, in a request that names none.
pub(super) use crate::apiserver::DEFAULT_NAMESPACE;

/// Flags of every verb
#[derive(Clone, Debug, clap::Args)]
pub struct Global {
    /// The namespace scope of this request
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Where state is kept, in place of $JOBCTL_DATA_DIR and the user's data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A command that has warned of something ends with exit code 1
    #[arg(long, global = true)]
    pub warnings_as_errors: bool,
    /// Colours: auto (at a terminal, but for NO_COLOR, or with CLICOLOR_FORCE), always or never
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: Color,
    /// Tell on stderr what is decided while this runs, and why (4), and each transaction of the store (6)
    #[arg(short, long, global = true, value_name = "LEVEL", default_value_t = 0, hide_default_value = true)]
    pub v: i32,
}

impl Global {
    /// The namespace of the command line.
    pub(super) fn given_namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|given| !given.is_empty())
    }

    /// The namespace of this request: that of the command line, that of the current context, or the default one.
    ///
    /// # Errors
    /// A context that does not read.
    pub(super) fn current_namespace(&self) -> Result<String> {
        match self.given_namespace() {
            Some(given) => Ok(given.to_owned()),
            None => Ok(chosen_namespace()?.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())),
        }
    }
}

/// The place in which a verb works.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) namespace_given: bool,
    /// Whether warnings are to be said each time, because somebody goes by them.
    pub(super) warnings_as_errors: bool,
}

impl Context {
    /// Opens the store for what reads or changes objects. Where there is none yet, none is made.
    pub(super) fn open(global: &Global) -> Result<Self> {
        Self::new(global, Client::open(global.data_dir.as_deref())?)
    }

    /// Opens the store for what creates objects, and makes it where there is none; a dry run makes nothing.
    pub(super) fn open_to_create(global: &Global, dry_run: DryRun) -> Result<Self> {
        match dry_run {
            DryRun::None => Self::new(global, Client::open_to_create(global.data_dir.as_deref())?),
            DryRun::Client | DryRun::Server => Self::open(global),
        }
    }

    fn new(global: &Global, client: Client) -> Result<Self> {
        client.start_trace(global.v, output::complain)?;
        Ok(Self {
            client,
            namespace: global.current_namespace()?,
            namespace_given: global.given_namespace().is_some(),
            warnings_as_errors: global.warnings_as_errors,
        })
    }

    /// Locks the store for a change. What is said from here on comes out when both are dropped: the lock is never held while
    /// somebody does not read. The request comes second, so it is the first to go.
    pub(super) fn begin(&self, tables: &[Table]) -> Result<(Held, Requests<'_>)> {
        let held = output::hold();
        Ok((held, self.client.begin(tables)?))
    }
}
