//! What every verb needs: the place, the configuration, the namespace.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::colour::Color;
use super::interrupt;
use super::outcome::DryRun;
use super::output::{self, Held, complain};
use crate::client::{Client, Requests};
use crate::cluster::{Access, Wanted};
use crate::manager::CurrentContext;
use crate::store::Table;

/// Where objects are that name no namespace, in a request that names none.
pub(super) use crate::apiserver::DEFAULT_NAMESPACE;

/// Flags of every verb
#[derive(Clone, Debug, clap::Args)]
pub struct Global {
    /// The namespace scope of this request
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// A context of the kubeconfig: the request goes to that cluster. This machine is "jobctl"
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig to find the cluster by, in place of $KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The cluster that is meant, if it is not this machine.
    #[arg(skip)]
    pub(super) cluster: Option<Wanted>,
    /// What a command needs to say besides, as ` --server=https://a`.
    #[arg(skip)]
    pub(super) cluster_flags: String,
    /// How long its answers may take.
    #[arg(skip)]
    pub(super) request_timeout: Option<Duration>,
    /// That cluster, found once: a kubeconfig may be a pipe.
    #[arg(skip)]
    pub(super) found: Arc<OnceLock<Access>>,
    /// What `config use-context` and the like have chosen, read once.
    #[arg(skip)]
    pub(super) chosen: Arc<OnceLock<CurrentContext>>,
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
    /// What `config use-context` and the like have chosen.
    ///
    /// # Errors
    /// A file that does not read.
    pub(super) fn chosen(&self) -> Result<&CurrentContext> {
        if let Some(chosen) = self.chosen.get() {
            return Ok(chosen);
        }
        let chosen = CurrentContext::read()?;
        Ok(self.chosen.get_or_init(|| chosen))
    }

    /// The namespace of the command line.
    pub(super) fn given_namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|given| !given.is_empty())
    }

    /// The namespace of this request: that of the command line, that of the current context, or the default one.
    ///
    /// # Errors
    /// A context that does not read.
    pub(super) fn current_namespace(&self) -> Result<String> {
        let access = self.access()?;
        self.namespace_at(access.as_ref())
    }

    /// As [`Global::current_namespace`], at a cluster that has been found already.
    fn namespace_at(&self, cluster: Option<&Access>) -> Result<String> {
        let chosen = match (self.given_namespace(), cluster) {
            (Some(given), _) => Some(given.to_owned()),
            (None, Some(access)) => self.namespace_of(access)?,
            (None, None) => self.chosen()?.namespace().map(str::to_owned),
        };
        Ok(chosen.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()))
    }

    /// The namespace of a context: what was chosen for it, or what the kubeconfig says. A file that is named is taken as it is.
    fn namespace_of(&self, access: &Access) -> Result<Option<String>> {
        let chosen = match self.kubeconfig {
            None => self.chosen()?.namespace_of(access.context()),
            Some(_) => None,
        };
        Ok(chosen.or_else(|| access.namespace()).map(str::to_owned))
    }

    /// The cluster that is meant, if one is.
    fn access(&self) -> Result<Option<Access>> {
        let Some(wanted) = &self.cluster else { return Ok(None) };
        if let Some(found) = self.found.get() {
            return Ok(Some(found.clone()));
        }
        let mut access = Access::load(wanted);
        if self.context.is_none() && self.kubeconfig.is_none() {
            access =
                access.context("the current context (this machine is: jobctl config use-context jobctl)");
        }
        let access = access?;
        if let Some(warning) = access.warning() {
            complain(&warning);
        }
        Ok(Some(self.found.get_or_init(|| access).clone()))
    }
}

/// The place in which a verb works.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) namespace_given: bool,
    /// What a command needs to say that is to be about the same cluster, such as ` --context=prod`.
    pub(super) place: String,
    /// Whether warnings are to be said each time, because somebody goes by them.
    pub(super) warnings_as_errors: bool,
}

impl Context {
    /// Opens the place for what reads or changes objects. Where there is no store yet, none is made.
    pub(super) fn open(global: &Global) -> Result<Self> {
        Self::new(global, Client::here, interrupt::end_with_plugins)
    }

    /// Opens the place for what creates objects, and makes a store where there is none; a dry run makes nothing.
    pub(super) fn open_to_create(global: &Global, dry_run: DryRun) -> Result<Self> {
        match dry_run {
            DryRun::None => Self::new(global, Client::here_to_create, interrupt::end_with_plugins),
            DryRun::Client | DryRun::Server => Self::open(global),
        }
    }

    /// As [`Context::open_to_create`], for a verb that takes the signals that end this process itself.
    pub(super) fn open_to_run(global: &Global) -> Result<Self> {
        Self::new(global, Client::here_to_create, || Ok(()))
    }

    /// `before_plugins` is done where a plugin may be started from now on.
    fn new(
        global: &Global,
        here: impl Fn(Option<&Path>) -> Result<Client>,
        before_plugins: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        let access = global.access()?;
        let namespace = global.namespace_at(access.as_ref())?;
        let mut place = String::new();
        if let (Some(access), Some(wanted)) = (&access, &global.cluster) {
            if let Some(file) = &wanted.kubeconfig {
                place.push_str(&format!(" --kubeconfig={}", file.display()));
            }
            if !access.context().is_empty() {
                place.push_str(&format!(" --context={}", access.context()));
            }
            place.push_str(&global.cluster_flags);
        }
        let data_directory = global.data_dir.as_deref();
        let client = match access {
            Some(access) => {
                if access.has_plugin() {
                    before_plugins()?;
                }
                Client::there(access, &namespace, global.request_timeout, data_directory)?
            }
            None => here(data_directory)?,
        };
        client.start_trace(global.v, output::complain)?;
        Ok(Self {
            client,
            namespace,
            namespace_given: global.given_namespace().is_some(),
            place,
            warnings_as_errors: global.warnings_as_errors,
        })
    }

    /// The same place, where what names no namespace is about all of them.
    pub(super) fn across_namespaces(mut self, wanted: bool) -> Self {
        if wanted {
            self.client.across_namespaces();
        }
        self
    }

    /// Locks the store for a change, or begins to ask a cluster for one: which, is said. What is said from here on comes out
    /// when both are dropped: the lock is never held while somebody does not read. The request comes second, so it is the
    /// first to go.
    pub(super) fn begin(&self, tables: &[Table], dry_run: DryRun) -> Result<(Held, Requests<'_>)> {
        if let (Some(cluster), DryRun::None) = (self.client.cluster(), dry_run) {
            let using = match cluster.context() {
                "" => String::new(),
                context => format!("context {context:?}: "),
            };
            complain(&format!("Using {using}{}", cluster.server()));
        }
        let held = output::hold();
        Ok((held, self.client.begin(tables, dry_run != DryRun::None)?))
    }
}
