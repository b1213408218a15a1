//! A kubeconfig and a command line -> a cluster and a user, or what is wrong with them, in kubectl's words. Pure.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::access::Wanted;
use super::kubeconfig::{Cluster, Data, Exec, Kubeconfig, User};
use super::proxy::Proxy;
use super::secret::Secret;

/// The versions of the API between us and a plugin.
pub(super) const PLUGIN_VERSIONS: [&str; 2] =
    ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// What has been chosen.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) context: String,
    pub(super) namespace: Option<String>,
    pub(super) cluster_name: String,
    pub(super) cluster: Cluster,
    pub(super) user_name: String,
    pub(super) user: User,
    pub(super) paths: Paths,
}

/// The files that have been chosen; empty where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

fn given(word: Option<&String>) -> Option<&String> {
    word.filter(|word| !word.is_empty())
}

fn replace(entry: &mut String, word: Option<&String>) {
    if let Some(word) = given(word) {
        entry.clone_from(word);
    }
}

fn replace_secret(entry: &mut Secret, word: Option<&Secret>) {
    if let Some(word) = word.filter(|word| !word.is_empty()) {
        entry.clone_from(word);
    }
}

/// The path that a command line names, from where the command runs; else that of an entry, from its file on.
fn path(word: Option<&String>, entry: &str, directory: &Path) -> PathBuf {
    match given(word) {
        Some(word) => word.into(),
        None if entry.is_empty() => PathBuf::new(),
        None => directory.join(entry),
    }
}

/// Chooses, and checks what has been chosen. `unreadable` tells why a file cannot be read, if it cannot.
///
/// # Errors
/// A name that is not there; entries that contradict themselves, or name what cannot be read.
pub(super) fn choose(
    kubeconfig: &Kubeconfig,
    wanted: &Wanted,
    unreadable: &dyn Fn(&Path) -> Option<String>,
) -> Result<Choice> {
    let name = given(wanted.context.as_ref()).unwrap_or(&kubeconfig.current_context);
    let names_cluster = given(wanted.cluster.as_ref()).or(given(wanted.server.as_ref())).is_some();
    let context = match kubeconfig.contexts.get(name) {
        Some(context) => context.clone(),
        None if name.is_empty() && !names_cluster => {
            bail!("current-context is not set: name a context with --context")
        }
        None if name.is_empty() => super::Context::default(),
        None => bail!("context {name:?} does not exist"),
    };
    let user_name = given(wanted.user.as_ref()).unwrap_or(&context.user);
    let user = match kubeconfig.users.get(user_name) {
        Some(user) => user.clone(),
        None if given(wanted.user.as_ref()).is_some() => bail!("auth info {user_name:?} does not exist"),
        // kubectl asks as nobody then, too.
        None => User::default(),
    };
    let cluster_name = given(wanted.cluster.as_ref()).unwrap_or(&context.cluster);
    let cluster = match kubeconfig.clusters.get(cluster_name) {
        Some(cluster) => cluster.clone(),
        // A server is all that is needed.
        None if given(wanted.cluster.as_ref()).is_none() && given(wanted.server.as_ref()).is_some() => {
            Cluster::default()
        }
        None => bail!("cluster {cluster_name:?} does not exist"),
    };
    let paths = Paths {
        authority: path(
            wanted.certificate_authority.as_ref(),
            &cluster.certificate_authority,
            &cluster.directory,
        ),
        certificate: path(wanted.client_certificate.as_ref(), &user.client_certificate, &user.directory),
        key: path(wanted.client_key.as_ref(), &user.client_key, &user.directory),
    };
    let (cluster, paths) = with_flags_for_cluster(cluster, paths, wanted);
    let user = with_flags_for_user(user, wanted);
    if cluster.server.is_empty() {
        bail!("no server found for cluster {cluster_name:?}");
    }
    let mut problems = problems_of_user(user_name, &user, &paths, unreadable);
    problems.extend(problems_of_cluster(cluster_name, &cluster, &paths, unreadable));
    match problems.as_slice() {
        [] => {}
        [problem] => bail!("{problem}"),
        problems => bail!(Misconfigured(problems.to_vec())),
    }
    // What kubectl finds only when it sets out.
    if cluster.insecure_skip_tls_verify && cluster.has_authority() {
        bail!("specifying a root certificates file with the insecure flag is not allowed");
    }
    if let Some(exec) =
        user.exec.as_ref().filter(|exec| !PLUGIN_VERSIONS.contains(&exec.api_version.as_str()))
    {
        bail!("exec plugin: invalid apiVersion {:?}", exec.api_version);
    }
    Ok(Choice {
        context: name.clone(),
        namespace: Some(context.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        cluster_name: cluster_name.clone(),
        cluster,
        user_name: user_name.clone(),
        user,
        paths,
    })
}

/// What a command line says of a cluster counts more than its entry.
fn with_flags_for_cluster(mut cluster: Cluster, mut paths: Paths, wanted: &Wanted) -> (Cluster, Paths) {
    // Whom to trust is one thing, however it is said.
    let authority = given(wanted.certificate_authority.as_ref());
    if authority.is_some() || wanted.insecure_skip_tls_verify {
        cluster.certificate_authority = authority.cloned().unwrap_or_default();
        cluster.certificate_authority_data = Data::default();
        cluster.insecure_skip_tls_verify = wanted.insecure_skip_tls_verify;
        paths.authority = PathBuf::from(&cluster.certificate_authority);
    }
    // The name of another server is not this one's.
    let (server, name) = (given(wanted.server.as_ref()), given(wanted.tls_server_name.as_ref()));
    if server.is_some() || name.is_some() {
        cluster.tls_server_name = name.cloned().unwrap_or_default();
    }
    replace(&mut cluster.server, server);
    (cluster, paths)
}

/// What a command line says of a user counts more than his entry, each word by itself: what else the entry has stays.
fn with_flags_for_user(mut user: User, wanted: &Wanted) -> User {
    replace(&mut user.impersonate, wanted.impersonate.as_ref());
    if !wanted.impersonate_groups.is_empty() {
        user.impersonate_groups.clone_from(&wanted.impersonate_groups);
    }
    replace(&mut user.impersonate_uid, wanted.impersonate_uid.as_ref());
    replace(&mut user.client_certificate, wanted.client_certificate.as_ref());
    replace(&mut user.client_key, wanted.client_key.as_ref());
    replace_secret(&mut user.token, wanted.token.as_ref());
    replace(&mut user.username, wanted.username.as_ref());
    replace_secret(&mut user.password, wanted.password.as_ref());
    user
}

/// Several problems of a kubeconfig. What is displayed is kubectl's whole sentence, so nothing stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misconfigured(Vec<String>);

impl fmt::Display for Misconfigured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Error in configuration: ")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n* {problem}"))
    }
}

impl std::error::Error for Misconfigured {}

/// What is said of a file that cannot be read.
pub(super) fn unreadable_file(what: &str, path: &Path, whose: &str, reason: &str) -> String {
    let path = path.display();
    format!("unable to read {what} {path} for {whose} due to open {path}: {reason}")
}

/// Why what has been chosen cannot be read.
fn problem_of_file(
    what: &str,
    path: &Path,
    whose: &str,
    unreadable: &dyn Fn(&Path) -> Option<String>,
) -> Option<String> {
    let named = Some(path).filter(|path| !path.as_os_str().is_empty())?;
    unreadable(named).map(|reason| unreadable_file(what, named, whose, &reason))
}

fn problems_of_cluster(
    name: &str,
    cluster: &Cluster,
    paths: &Paths,
    unreadable: &dyn Fn(&Path) -> Option<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(problem) = Proxy::parse(&cluster.proxy_url) {
        problems.push(format!("invalid 'proxy-url' {:?} for cluster {name:?}: {problem}", cluster.proxy_url));
    }
    if !cluster.certificate_authority.is_empty() && !cluster.certificate_authority_data.is_empty() {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    problems.extend(problem_of_file("certificate-authority", &paths.authority, name, unreadable));
    problems
}

fn problems_of_user(
    name: &str,
    user: &User,
    paths: &Paths,
    unreadable: &dyn Fn(&Path) -> Option<String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let has_password = !user.username.is_empty() || !user.password.is_empty();
    if !user.token.is_empty() && has_password {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let has_certificate = user.has_certificate();
    if !user.client_certificate.is_empty() && !user.client_certificate_data.is_empty() {
        problems.push(format!(
            "client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
        ));
    }
    if has_certificate && !user.client_key.is_empty() && !user.client_key_data.is_empty() {
        problems.push(format!(
            "client-key-data and client-key are both specified for {name}; client-key-data will override"
        ));
    }
    if has_certificate && user.client_key.is_empty() && user.client_key_data.is_empty() {
        problems.push(format!(
            "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        ));
    }
    if has_certificate {
        for (what, path) in [("client-cert", &paths.certificate), ("client-key", &paths.key)] {
            problems.extend(problem_of_file(what, path, name, unreadable));
        }
    }
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            problems.push(format!(
                "authProvider cannot be provided in combination with an exec plugin for {name}"
            ));
        }
        problems.extend(problems_of_plugin(name, exec));
    }
    let asks_for_more = !user.impersonate_groups.is_empty()
        || !user.impersonate_uid.is_empty()
        || !user.impersonate_extra.is_empty();
    if user.impersonate.is_empty() && asks_for_more {
        problems
            .push(format!("requesting uid, groups or user-extra for {name} without impersonating a user"));
    }
    problems
}

fn problems_of_plugin(name: &str, exec: &Exec) -> Vec<String> {
    let mut problems = Vec::new();
    let must_be =
        |what: &str| format!("{what} must be specified for {name} to use exec authentication plugin");
    if exec.command.is_empty() {
        problems.push(must_be("command"));
    }
    if exec.api_version.is_empty() {
        problems.push(must_be("apiVersion"));
    }
    if exec.env.iter().flatten().any(|variable| variable.name.is_empty()) {
        problems.push(must_be("env variable name"));
    }
    match exec.interactive_mode.as_str() {
        // Older versions have a default.
        "" if !exec.api_version.is_empty() && exec.api_version != PLUGIN_VERSIONS[0] => {}
        "" => problems.push(must_be("interactiveMode")),
        "Never" | "IfAvailable" | "Always" => {}
        other => problems.push(format!("invalid interactiveMode for {name}: {other:?}")),
    }
    problems
}

#[cfg(test)]
mod tests;
