//! A kubeconfig and a command line -> a cluster and a user, or what is wrong with them, in kubectl's words. Pure.

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

/// Chooses, and checks what has been chosen.
///
/// # Errors
/// A name that is not there; entries that contradict themselves.
pub(super) fn choose(kubeconfig: &Kubeconfig, wanted: &Wanted) -> Result<Choice> {
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
    let cluster = kubeconfig.clusters.get(cluster_name).filter(|cluster| !cluster.server.is_empty());
    let cluster = cluster.with_context(|| format!("no server found for cluster {cluster_name:?}"))?;
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
    let mut problems = problems_of_cluster(cluster_name, cluster);
    problems.extend(problems_of_user(user_name, &user));
    match problems.as_slice() {
        [] => {}
        [problem] => bail!("{problem}"),
        problems => bail!("invalid configuration: [{}]", problems.join(", ")),
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

fn problems_of_cluster(name: &str, cluster: &Cluster) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(problem) = Proxy::parse(&cluster.proxy_url) {
        problems.push(format!("invalid 'proxy-url' {:?} for cluster {name:?}: {problem}", cluster.proxy_url));
    }
    let (is_named, is_given) =
        (!cluster.certificate_authority.is_empty(), !cluster.certificate_authority_data.is_empty());
    if is_named && is_given {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    if cluster.insecure_skip_tls_verify && (is_named || is_given) {
        problems.push("specifying a root certificates file with the insecure flag is not allowed".into());
    }
    problems
}

fn problems_of_user(name: &str, user: &User) -> Vec<String> {
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
        // The older API has a default.
        "" if exec.api_version == PLUGIN_VERSIONS[1] => {}
        "" => problems.push(must_be("interactiveMode")),
        "Never" | "IfAvailable" | "Always" => {}
        other => problems.push(format!("invalid interactiveMode for {name}: {other:?}")),
    }
    if !exec.api_version.is_empty() && !PLUGIN_VERSIONS.contains(&exec.api_version.as_str()) {
        problems.push(format!("exec plugin: invalid apiVersion {:?}", exec.api_version));
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
