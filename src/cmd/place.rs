//! Which place a command line means: this machine, or a cluster that it names.

use std::time::Duration;

use anyhow::{Result, bail};

use super::config;
use super::context::Global;
use super::flags::Meant;
use super::output::complain;
use crate::api::durations;
use crate::cluster::{Secret, Wanted};
use crate::manager::ChosenContext;

/// The verbs that speak to clusters.
const SPEAKING: [&str; 23] = [
    "annotate", "apply", "create", "delete", "describe", "diff", "edit", "events", "get", "label", "logs",
    "next", "patch", "promote", "replace", "rerun", "resume", "rollout", "run", "scale", "set", "suspend",
    "wait",
];

/// The verbs that are about no objects, or about this machine whatever is chosen.
const PLACELESS: [&str; 15] = [
    "api-resources",
    "api-versions",
    "completion",
    "config",
    "doctor",
    "explain",
    "help",
    "image",
    "metrics",
    "options",
    "reconcile",
    "serve",
    "service",
    "version",
    "watch",
];

/// Verbs with flags of their own that are called as those of clusters.
const OWN_FLAGS: [(&str, &str); 4] = [
    ("jobctl create rolebinding", "user"),
    ("jobctl create clusterrolebinding", "user"),
    ("jobctl set subject", "user"),
    ("jobctl serve", "kubeconfig"),
];

/// The cluster that a command line means; nothing where it means this machine.
///
/// # Errors
/// A cluster that the verb cannot speak to.
pub(super) fn chosen(path: &str, global: &Global, mut meant: Meant) -> Result<Chosen> {
    for (_, own) in OWN_FLAGS.iter().filter(|(verb, _)| *verb == path) {
        meant.idle.retain(|flag| flag.strip_prefix("--") != Some(own));
        meant.values.remove(own);
    }
    let request_timeout = meant.request_timeout.as_deref().map_or(Ok(None), request_timeout)?;
    Ok(Chosen { cluster: cluster(path, global, &meant)?, flags: flags(&meant), request_timeout })
}

/// What a command line says of where to.
pub(super) struct Chosen {
    /// The cluster; nothing is this machine.
    pub(super) cluster: Option<Wanted>,
    /// What it says of the cluster besides its context and its kubeconfig, to be said again: ` --server=https://a`.
    pub(super) flags: String,
    /// How long its answers may take.
    pub(super) request_timeout: Option<Duration>,
}

/// Reads `--request-timeout`: a duration, or seconds; 0 is as long as it takes.
fn request_timeout(text: &str) -> Result<Option<Duration>> {
    let length = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => durations::parse(text).ok().and_then(|length| length.to_std().ok()),
    };
    match length {
        Some(length) => Ok(Some(length).filter(|length| !length.is_zero())),
        None => bail!(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
             corresponding time unit (e.g. 1s | 2m | 3h)"
        ),
    }
}

fn cluster(path: &str, global: &Global, meant: &Meant) -> Result<Option<Wanted>> {
    let verb = path.split_whitespace().nth(1).unwrap_or_default();
    if verb == "config" {
        // It says itself which context and which file it means.
        return match meant.idle.iter().find(|flag| !["--kubeconfig", "--context"].contains(&flag.as_str())) {
            Some(flag) => bail!("{flag} cannot be used here: a kubeconfig is kubectl's to change"),
            None => Ok(None),
        };
    }
    let given = global.context.clone().filter(|context| !context.is_empty());
    let kubeconfig = global.kubeconfig.clone().filter(|file| !file.as_os_str().is_empty());
    // The current context is that of commands that name none.
    let chosen = match (&given, &kubeconfig) {
        (None, None) if !PLACELESS.contains(&verb) => global.chosen()?.context(),
        _ => None,
    };
    let (context, kubeconfig, is_chosen) = match chosen {
        Some(ChosenContext { name, kubeconfig }) => (Some(name), kubeconfig, true),
        None => (given, kubeconfig, false),
    };
    let context = context.as_deref();
    // A file that is named holds the context that is meant, whatever that is called.
    let is_here = match (context, &kubeconfig) {
        (None, None) => true,
        (Some(context), None) => context == config::NAME,
        (_, Some(_)) => false,
    };
    if is_here || (PLACELESS.contains(&verb) && context.is_none()) {
        say_idle(meant);
        return Ok(None);
    }
    let name = context.unwrap_or("the kubeconfig's");
    let mut flags =
        kubeconfig.iter().map(|file| format!(" --kubeconfig={}", file.display())).collect::<String>();
    flags.extend(context.map(|context| format!(" --context={context}")));
    flags.push_str(&self::flags(meant));
    if PLACELESS.contains(&verb) {
        bail!("{verb} is about this machine: it cannot be used with --context={name}");
    }
    if !SPEAKING.contains(&verb) {
        let here = if is_chosen {
            format!("; of this machine, jobctl --context={} {verb}", config::NAME)
        } else {
            String::new()
        };
        bail!("{verb} is for this machine: of a cluster, kubectl{flags} {verb}{here}");
    }
    let value = |name: &str| meant.values.get(name).cloned();
    Ok(Some(Wanted {
        kubeconfig,
        context: context.map(str::to_owned),
        cluster: value("cluster"),
        user: value("user"),
        impersonate: value("as"),
        impersonate_groups: meant.groups.clone(),
        impersonate_uid: value("as-uid"),
        server: value("server"),
        tls_server_name: value("tls-server-name"),
        certificate_authority: value("certificate-authority"),
        insecure_skip_tls_verify: meant.insecure_skip_tls_verify,
        client_certificate: value("client-certificate"),
        client_key: value("client-key"),
        token: value("token").map(Secret::from),
        username: value("username"),
        password: value("password").map(Secret::from),
    }))
}

/// What a command line says of a cluster besides its context and its kubeconfig, to be said again by another command. What is
/// secret is left for somebody to fill in.
fn flags(meant: &Meant) -> String {
    let mut flags = String::new();
    for (name, value) in meant.values.iter().filter(|(name, _)| **name != "kubeconfig") {
        let value = if ["token", "password"].contains(name) { "REDACTED" } else { value };
        flags.push_str(&format!(" --{name}={}", shell_word(value)));
    }
    for group in &meant.groups {
        flags.push_str(&format!(" --as-group={}", shell_word(group)));
    }
    if meant.insecure_skip_tls_verify {
        flags.push_str(" --insecure-skip-tls-verify");
    }
    flags
}

/// A word as a shell reads it.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+,@:".contains(&byte));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Says which flags have no effect on this machine.
fn say_idle(meant: &Meant) {
    if meant.idle.is_empty() {
        return;
    }
    let (flags, have) = (meant.idle.join(", "), if meant.idle.len() == 1 { "has" } else { "have" });
    complain(&format!(
        "{flags} {have} no effect: no cluster is named (--context), all objects are on this machine"
    ));
}
