//! Credential plugins: programs that a kubeconfig names, which say who we are. What they are told and what they answer is pure;
//! [`run`] starts them.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::choice::PLUGIN_VERSIONS;
use super::decode::from_value;
use super::kubeconfig::{Cluster, Data, Exec};
use super::plugin_process;
use super::secret::Secret;
use crate::api::errno::errno_text;

/// Under which name a cluster's entry holds what its plugin is to be told.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// What a plugin has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) token: Option<Secret>,
    /// A certificate and its key, as PEM.
    pub(super) identity: Option<(Data, Data)>,
    /// From when on it does not hold any more.
    pub(super) expires: Option<DateTime<Utc>>,
}

/// A plugin as a user's entry names it.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    pub(super) exec: Exec,
    /// Where the file is that names it.
    pub(super) directory: PathBuf,
    /// What it is told of the cluster, where it is to be told.
    pub(super) cluster: Option<Value>,
}

impl Plugin {
    /// `authorities` is what the cluster's entry comes to, with its files read.
    pub(super) fn new(exec: &Exec, directory: &Path, cluster: &Cluster, authorities: &Data) -> Self {
        let cluster = exec.provide_cluster_info.then(|| told_of(cluster, authorities));
        Self { exec: exec.clone(), directory: directory.to_owned(), cluster }
    }

    /// The program: by its name in `$PATH`, or by its path from the kubeconfig's directory on.
    fn program(&self) -> PathBuf {
        let command = Path::new(&self.exec.command);
        if self.exec.command.contains('/') {
            // As Go cleans it: errors show it.
            self.directory.join(command).components().collect()
        } else {
            command.to_owned()
        }
    }

    /// What it finds in `KUBERNETES_EXEC_INFO`.
    fn request(&self, is_interactive: bool) -> Value {
        let mut spec = json!({"interactive": is_interactive});
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        json!({"kind": "ExecCredential", "apiVersion": self.exec.api_version, "spec": spec})
    }

    /// Runs it to its end. What it says on stderr is shown as ours; it may ask somebody at a terminal.
    ///
    /// # Errors
    /// It cannot be started, has failed, or answers something else than a credential. The text follows `getting credentials: `.
    pub(super) fn run(&self) -> Result<Answer, String> {
        let program = self.program();
        let is_terminal = io::stdin().is_terminal();
        let is_interactive = match self.exec.interactive_mode.as_str() {
            "Never" => false,
            "Always" if !is_terminal => {
                return Err(
                    "exec plugin cannot support interactive mode: standard input is not a terminal".into()
                );
            }
            _ => is_terminal,
        };
        let mut command = Command::new(&program);
        command.args(self.exec.args.iter().flatten());
        for variable in self.exec.env.iter().flatten() {
            command.env(&variable.name, &variable.value.0);
        }
        command.env("KUBERNETES_EXEC_INFO", self.request(is_interactive).to_string());
        command.stdin(if is_interactive { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let output = plugin_process::run(command, is_interactive);
        let output = output.map_err(|error| self.cannot_start(&program, &error))?;
        if !output.status.success() {
            let code = output.status.code().unwrap_or(-1);
            return Err(format!("exec: executable {} failed with exit code {code}", program.display()));
        }
        answer(&output.stdout, &self.exec.api_version)
    }

    fn cannot_start(&self, program: &Path, error: &io::Error) -> String {
        if error.kind() != io::ErrorKind::NotFound || self.exec.command.contains('/') {
            return format!("exec: fork/exec {}: {}", program.display(), errno_text(error));
        }
        let mut text = format!(
            "exec: executable {} not found\n\nThe kubeconfig names it as the program that proves who you are (a \
             credential plugin), and it is not installed.",
            program.display()
        );
        if !self.exec.install_hint.is_empty() {
            text.push_str("\n\n");
            text.push_str(&self.exec.install_hint);
        }
        text
    }
}

/// What a plugin is told of a cluster.
fn told_of(cluster: &Cluster, authorities: &Data) -> Value {
    let mut told = json!({"server": cluster.server});
    if !cluster.tls_server_name.is_empty() {
        told["tls-server-name"] = json!(cluster.tls_server_name);
    }
    if cluster.insecure_skip_tls_verify {
        told["insecure-skip-tls-verify"] = json!(true);
    }
    if !authorities.is_empty() {
        told["certificate-authority-data"] = json!(authorities);
    }
    if !cluster.proxy_url.is_empty() {
        told["proxy-url"] = json!(cluster.proxy_url);
    }
    if cluster.disable_compression {
        told["disable-compression"] = json!(true);
    }
    let mut extensions = cluster.extensions.iter();
    if let Some(extension) = extensions.find(|extension| extension["name"] == EXTENSION) {
        told["config"] = extension["extension"].clone();
    }
    told
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Credential {
    status: Option<Status>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    token: Secret,
    client_certificate_data: String,
    client_key_data: Secret,
    expiration_timestamp: String,
}

/// What was printed by a plugin that was to speak `version`.
fn answer(printed: &[u8], version: &str) -> Result<Answer, String> {
    if printed.trim_ascii().is_empty() {
        return Err("decoding stdout: nothing was printed".into());
    }
    let value: Value =
        serde_json::from_slice(printed).map_err(|error| format!("decoding stdout: {error}"))?;
    let word = |field| value.get(field).and_then(Value::as_str).unwrap_or_default();
    if word("apiVersion") != version {
        return Err(format!(
            "exec plugin is configured to use API version {version}, plugin returned version {}",
            word("apiVersion")
        ));
    }
    if word("kind") != "ExecCredential" {
        return Err(format!(
            "decoding stdout: no kind {:?} is registered for version {version:?}",
            word("kind")
        ));
    }
    debug_assert!(PLUGIN_VERSIONS.contains(&version), "checked before");
    let credential: Credential =
        from_value(value).map_err(|problem| format!("decoding stdout: {problem}"))?;
    let status = credential.status.ok_or("exec plugin didn't return a status field")?;
    let (certificate, key) = (status.client_certificate_data, status.client_key_data);
    if certificate.is_empty() != key.is_empty() {
        return Err("exec plugin returned only certificate or key, not both".into());
    }
    if status.token.is_empty() && key.is_empty() {
        return Err("exec plugin didn't return a token or cert/key pair".into());
    }
    let expires = match status.expiration_timestamp.as_str() {
        "" => None,
        text => {
            let time = DateTime::parse_from_rfc3339(text);
            Some(time.map_err(|error| format!("decoding stdout: parsing time {text:?}: {error}"))?.to_utc())
        }
    };
    Ok(Answer {
        token: Some(status.token).filter(|token| !token.is_empty()),
        identity: (!key.is_empty()).then(|| (Data(certificate.into_bytes()), Data(key.0.into_bytes()))),
        expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = PLUGIN_VERSIONS[0];

    fn credential(status: &str) -> String {
        format!("{{\"apiVersion\": \"{VERSION}\", \"kind\": \"ExecCredential\", \"status\": {status}}}")
    }

    #[test]
    fn a_plugin_answers_with_a_token_or_a_certificate() {
        let found = answer(credential(r#"{"token": "t"}"#).as_bytes(), VERSION).expect("a token");
        assert_eq!(found, Answer { token: Some(Secret("t".into())), ..Answer::default() });
        let text = credential(
            r#"{"clientCertificateData": "c", "clientKeyData": "k", "expirationTimestamp": "2026-01-02T03:04:05Z"}"#,
        );
        let found = answer(text.as_bytes(), VERSION).expect("a certificate");
        assert_eq!(found.identity, Some((Data(b"c".to_vec()), Data(b"k".to_vec()))));
        assert_eq!(found.expires.expect("a time").to_rfc3339(), "2026-01-02T03:04:05+00:00");
        assert_eq!(found.token, None);
    }

    #[test]
    fn what_is_no_credential_is_refused() {
        let wrong_version = credential("{}").replace("/v1", "/v1beta1");
        for (printed, expected) in [
            ("\n", "decoding stdout: nothing was printed"),
            ("x", "decoding stdout: expected value at line 1 column 1"),
            (
                "{}",
                "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned version ",
            ),
            (
                &*wrong_version,
                "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned \
                 version client.authentication.k8s.io/v1beta1",
            ),
            (&*credential("null"), "exec plugin didn't return a status field"),
            (&*credential("{}"), "exec plugin didn't return a token or cert/key pair"),
            (
                &*credential(r#"{"clientKeyData": "k"}"#),
                "exec plugin returned only certificate or key, not both",
            ),
            (
                &*credential(r#"{"token": "t", "expirationTimestamp": "soon"}"#),
                "decoding stdout: parsing time \"soon\": premature end of input",
            ),
            (&*credential(r#"{"token": 3}"#), "decoding stdout: status.token: no string"),
        ] {
            assert_eq!(answer(printed.as_bytes(), VERSION), Err(expected.to_owned()), "{printed}");
        }
    }

    #[test]
    fn a_plugin_is_told_of_the_cluster_when_it_wants_to() {
        let cluster = Cluster {
            server: "https://a".into(),
            tls_server_name: "b".into(),
            extensions: vec![json!({"name": EXTENSION, "extension": {"audience": "x"}})],
            ..Cluster::default()
        };
        let exec = Exec { api_version: VERSION.into(), provide_cluster_info: true, ..Exec::default() };
        let plugin = Plugin::new(&exec, Path::new("/"), &cluster, &Data(b"pem".to_vec()));
        assert_eq!(
            plugin.request(true),
            json!({"kind": "ExecCredential", "apiVersion": VERSION, "spec": {"interactive": true, "cluster": {
                "server": "https://a", "tls-server-name": "b", "certificate-authority-data": "cGVt",
                "config": {"audience": "x"}
            }}})
        );
        let exec = Exec { provide_cluster_info: false, ..exec };
        let plugin = Plugin::new(&exec, Path::new("/"), &cluster, &Data::default());
        assert_eq!(plugin.request(false)["spec"], json!({"interactive": false}));
    }

    #[test]
    fn a_program_is_found_from_the_kubeconfig_on() {
        for (command, expected) in [
            ("aws", "aws"),
            ("./plugin", "/home/u/.kube/plugin"),
            ("../bin/plugin", "/home/u/.kube/../bin/plugin"),
            ("/bin/plugin", "/bin/plugin"),
        ] {
            let exec = Exec { command: command.into(), ..Exec::default() };
            let plugin =
                Plugin::new(&exec, Path::new("/home/u/.kube"), &Cluster::default(), &Data::default());
            assert_eq!(plugin.program(), Path::new(expected), "{command}");
        }
    }
}
