//! A kubeconfig and a command line -> a cluster and a user, or what is wrong with them, in kubectl's words. Pure.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::access::Wanted;
use super::kubeconfig::{Cluster, Exec, Kubeconfig, User};
use super::proxy::Proxy;

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
}

fn given(word: Option<&String>) -> Option<&String> {
    word.filter(|word| !word.is_empty())
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
    let context = match kubeconfig.contexts.get(name) {
        Some(context) => context.clone(),
        None if name.is_empty() && given(wanted.cluster.as_ref()).is_none() => {
            bail!("current-context is not set: name a context with --context")
        }
        None if name.is_empty() => super::Context::default(),
        None => bail!("context {name:?} does not exist"),
    };
    let cluster_name = given(wanted.cluster.as_ref()).unwrap_or(&context.cluster);
    let cluster = kubeconfig.clusters.get(cluster_name);
    let cluster = cluster.with_context(|| format!("cluster {cluster_name:?} does not exist"))?;
    if cluster.server.is_empty() {
        bail!("no server found for cluster {cluster_name:?}");
    }
    let user_name = given(wanted.user.as_ref()).unwrap_or(&context.user);
    let mut user = match kubeconfig.users.get(user_name) {
        Some(user) => user.clone(),
        None if given(wanted.user.as_ref()).is_some() => bail!("auth info {user_name:?} does not exist"),
        // kubectl asks as nobody then, too.
        None => User::default(),
    };
    if let Some(name) = given(wanted.impersonate.as_ref()) {
        user.impersonate.clone_from(name);
    }
    if !wanted.impersonate_groups.is_empty() {
        user.impersonate_groups.clone_from(&wanted.impersonate_groups);
    }
    if let Some(uid) = given(wanted.impersonate_uid.as_ref()) {
        user.impersonate_uid.clone_from(uid);
    }
    let mut problems = problems_of_cluster(cluster_name, cluster, unreadable);
    problems.extend(problems_of_user(user_name, &user, unreadable));
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
        cluster: cluster.clone(),
        user_name: user_name.clone(),
        user,
    })
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

/// Why what an entry names cannot be read.
fn problem_of_file(
    what: &str,
    path: &str,
    directory: &Path,
    unreadable: &dyn Fn(&Path) -> Option<String>,
) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let path = directory.join(path);
    let reason = unreadable(&path)?;
    let path = path.display().to_string();
    Some(format!("unable to read {} due to open {path}: {reason}", what.replace("{}", &path)))
}

fn problems_of_cluster(
    name: &str,
    cluster: &Cluster,
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
    let what = format!("certificate-authority {{}} for {name}");
    let authority = &cluster.certificate_authority;
    problems.extend(problem_of_file(&what, authority, &cluster.directory, unreadable));
    problems
}

fn problems_of_user(name: &str, user: &User, unreadable: &dyn Fn(&Path) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let has_password = !user.username.is_empty() || !user.password.is_empty();
    if !user.token.is_empty() && has_password {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let has_certificate = !user.client_certificate.is_empty() || !user.client_certificate_data.is_empty();
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
        for (what, path) in [("client-cert", &user.client_certificate), ("client-key", &user.client_key)] {
            let what = format!("{what} {{}} for {name}");
            problems.extend(problem_of_file(&what, path, &user.directory, unreadable));
        }
    }
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            problems.push(format!(
                "authProvider cannot be provided in combination with an exec plugin for {name}"
            ));
        }
        problems.extend(problems_of_plugin(name, exec));
    } else if let Some(provider) = &user.auth_provider {
        problems.push(problem_of_provider(&provider.name));
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

fn problem_of_provider(provider: &str) -> String {
    let plugin = match provider {
        "gcp" => "gke-gcloud-auth-plugin",
        "azure" => "kubelogin (https://github.com/Azure/kubelogin)",
        "oidc" => "kubelogin (https://github.com/int128/kubelogin)",
        _ => return format!("no Auth Provider found for name {provider:?}"),
    };
    format!("auth-provider {provider:?} is not supported: use the credential plugin {plugin} under exec")
}

#[cfg(test)]
mod tests;
