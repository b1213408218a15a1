//! What a kubeconfig holds: text -> entries, and the entries of several files as one. Pure: no files, no environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::decode::from_value;
use super::secret::Secret;
use crate::api::decode::{base64, documents};

/// Clusters, users and contexts by their names: one file, or several merged.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    /// The name of the context that kubectl uses.
    pub current_context: String,
    /// Where clusters are.
    pub clusters: BTreeMap<String, Cluster>,
    /// Who somebody may be.
    pub users: BTreeMap<String, User>,
    /// Pairs of a cluster and a user.
    pub contexts: BTreeMap<String, Context>,
    /// How kubectl was to look once.
    pub(super) preferences: Map<String, Value>,
    /// What kubectl keeps under `extensions`, as it came.
    pub(super) extensions: Vec<Value>,
}

/// A cluster: its server, and how to know that it is that one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Cluster {
    /// The directory of the file that it stands in.
    #[serde(skip)]
    pub directory: PathBuf,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) certificate_authority: String,
    #[serde(skip_serializing_if = "Data::is_empty")]
    pub(super) certificate_authority_data: Data,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) disable_compression: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extensions: Vec<Value>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) insecure_skip_tls_verify: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) proxy_url: String,
    /// Its URL.
    pub server: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) tls_server_name: String,
}

/// Who somebody is, and how to prove it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct User {
    /// The directory of the file that it stands in.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The file itself, where it is one.
    #[serde(skip)]
    pub(super) file: PathBuf,
    #[serde(rename = "as", skip_serializing_if = "String::is_empty")]
    pub(super) impersonate: String,
    #[serde(rename = "as-groups", skip_serializing_if = "Vec::is_empty")]
    pub(super) impersonate_groups: Vec<String>,
    #[serde(rename = "as-uid", skip_serializing_if = "String::is_empty")]
    pub(super) impersonate_uid: String,
    #[serde(rename = "as-user-extra", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) impersonate_extra: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth_provider: Option<AuthProvider>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_certificate: String,
    #[serde(skip_serializing_if = "Data::is_empty")]
    pub(super) client_certificate_data: Data,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_key: String,
    #[serde(skip_serializing_if = "Data::is_empty")]
    pub(super) client_key_data: Data,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exec: Option<Exec>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extensions: Vec<Value>,
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub(super) password: Secret,
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub(super) token: Secret,
    #[serde(rename = "tokenFile", skip_serializing_if = "String::is_empty")]
    pub(super) token_file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) username: String,
}

/// What kubectl has built in (`oidc`), or had until release 1.26.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct AuthProvider {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) config: BTreeMap<String, Secret>,
    pub(super) name: String,
}

/// A program that says who somebody is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Exec {
    pub(super) api_version: String,
    pub(super) args: Option<Vec<String>>,
    pub(super) command: String,
    pub(super) env: Option<Vec<Variable>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) install_hint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) interactive_mode: String,
    pub(super) provide_cluster_info: bool,
}

/// A variable of the environment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Secret,
}

/// A cluster and a user, and the namespace of commands that name none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Context {
    /// The name of its cluster.
    pub cluster: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extensions: Vec<Value>,
    /// The namespace of commands that name none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name of its user.
    pub user: String,
}

impl Cluster {
    /// Whether the entry says who signs for the server.
    pub(super) fn has_authority(&self) -> bool {
        !self.certificate_authority.is_empty() || !self.certificate_authority_data.is_empty()
    }
}

impl User {
    /// Whether the entry has a certificate.
    pub(super) fn has_certificate(&self) -> bool {
        !self.client_certificate.is_empty() || !self.client_certificate_data.is_empty()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Bytes that stand in the file as base64: PEM mostly, of which some is secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Data(pub(super) Vec<u8>);

impl Data {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let decoded = base64::decode(text.as_bytes());
        decoded.map(Self).map_err(|at| D::Error::custom(format!("illegal base64 data at input byte {at}")))
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use ::base64::Engine as _;
        serializer.serialize_str(&::base64::prelude::BASE64_STANDARD.encode(&self.0))
    }
}

/// A file as it is written: lists of what has a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct File {
    clusters: Vec<NamedCluster>,
    contexts: Vec<NamedContext>,
    current_context: String,
    extensions: Vec<Value>,
    preferences: Map<String, Value>,
    users: Vec<NamedUser>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedContext {
    name: String,
    context: Context,
}

/// The entries of a list by their names.
fn by_name<T>(what: &str, entries: impl Iterator<Item = (String, T)>) -> Result<BTreeMap<String, T>> {
    let mut known = BTreeMap::new();
    for (name, entry) in entries {
        if known.contains_key(&name) {
            bail!("duplicate name {name:?} in list: {what}");
        }
        known.insert(name, entry);
    }
    Ok(known)
}

impl Kubeconfig {
    /// Reads a file's text. `directory` is where the file is: from there go the paths in it.
    ///
    /// # Errors
    /// Text that is no kubeconfig.
    pub(super) fn parse(text: &[u8], directory: &Path) -> Result<Self> {
        let document = documents(text).next().transpose().map_err(|error| {
            let text = error.to_string();
            anyhow!("{}", text.strip_prefix("error converting YAML to JSON: ").unwrap_or(&text))
        })?;
        let Some(document) = document else { return Ok(Self::default()) };
        let value = document.value;
        let word = |field| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let (kind, version) = (word("kind"), word("apiVersion"));
        if !matches!(kind, "" | "Config") || !matches!(version, "" | "v1") {
            bail!("no kind {kind:?} is registered for version {version:?}: a kubeconfig is a Config of v1");
        }
        let file: File = from_value(value).map_err(anyhow::Error::msg)?;
        let directory = directory.to_owned();
        let with_directory =
            |named: NamedCluster| (named.name, Cluster { directory: directory.clone(), ..named.cluster });
        let clusters = by_name("clusters", file.clusters.into_iter().map(with_directory))?;
        let with_directory =
            |named: NamedUser| (named.name, User { directory: directory.clone(), ..named.user });
        let users = by_name("users", file.users.into_iter().map(with_directory))?;
        let contexts = file.contexts.into_iter().map(|named| (named.name, named.context));
        Ok(Self {
            current_context: file.current_context,
            clusters,
            users,
            contexts: by_name("contexts", contexts)?,
            preferences: file.preferences,
            extensions: file.extensions,
        })
    }

    /// One cluster that wants nobody to prove who he is, and the context of it; all under one name.
    pub fn of_one(name: &str, server: &str, namespace: &str) -> Self {
        let name = name.to_owned();
        let cluster = Cluster { server: server.to_owned(), ..Cluster::default() };
        let context = Context {
            cluster: name.clone(),
            namespace: namespace.to_owned(),
            user: name.clone(),
            ..Context::default()
        };
        Self {
            current_context: name.clone(),
            clusters: BTreeMap::from([(name.clone(), cluster)]),
            users: BTreeMap::from([(name.clone(), User::default())]),
            contexts: BTreeMap::from([(name, context)]),
            ..Self::default()
        }
    }

    /// Adds what a file says that comes later: of what both say, the first holds, each entry as a whole.
    pub fn merge(&mut self, later: Self) {
        if self.current_context.is_empty() {
            self.current_context = later.current_context;
        }
        fn add<T>(known: &mut BTreeMap<String, T>, later: BTreeMap<String, T>) {
            for (name, entry) in later {
                known.entry(name).or_insert(entry);
            }
        }
        for (name, preference) in later.preferences {
            self.preferences.entry(name).or_insert(preference);
        }
        add(&mut self.clusters, later.clusters);
        add(&mut self.users, later.users);
        add(&mut self.contexts, later.contexts);
        for extension in later.extensions {
            if !self.extensions.iter().any(|known| known.get("name") == extension.get("name")) {
                self.extensions.push(extension);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directory: &str) -> Kubeconfig {
        Kubeconfig::parse(text.as_bytes(), Path::new(directory)).expect("a kubeconfig")
    }

    #[test]
    fn of_several_files_the_first_to_name_something_holds() {
        let mut merged = parse(
            "current-context: ''\n\
             contexts: [{name: c, context: {cluster: c, user: u}}]\n\
             clusters: [{name: c, cluster: {server: 'http://one', certificate-authority: rel/ca}}]\n\
             users: [{name: u, user: {token: t1}}]\n\
             extensions: [{name: x, extension: 1}]\n",
            "/one",
        );
        merged.merge(parse(
            "current-context: d\n\
             contexts: [{name: c, context: {cluster: c, user: u, namespace: two}}, {name: d, context: {cluster: d}}]\n\
             clusters: [{name: c, cluster: {server: 'http://two', insecure-skip-tls-verify: true}},\n\
             {name: d, cluster: {server: 'http://d'}}]\n\
             users: [{name: u, user: {username: a, password: b}}]\n\
             extensions: [{name: x, extension: 2}, {name: y, extension: 3}]\n",
            "/two",
        ));
        merged.merge(parse("current-context: e", "/three"));
        assert_eq!(merged.current_context, "d");
        let cluster = &merged.clusters["c"];
        assert_eq!((&*cluster.server, cluster.insecure_skip_tls_verify), ("http://one", false));
        assert_eq!(cluster.directory, Path::new("/one"));
        assert_eq!(merged.clusters["d"].directory, Path::new("/two"));
        assert_eq!(merged.contexts["c"].namespace, "");
        assert_eq!((&*merged.users["u"].token.0, &*merged.users["u"].username), ("t1", ""));
        let extensions: Vec<&Value> = merged.extensions.iter().map(|known| &known["extension"]).collect();
        assert_eq!(extensions, [1, 3]);
    }

    #[test]
    fn what_is_no_kubeconfig_is_refused() {
        for (text, expected) in [
            ("a: [", "yaml: line 1: did not find expected"),
            ("kind: Pod\napiVersion: v1", "no kind \"Pod\" is registered for version \"v1\""),
            ("kind: Config\napiVersion: v2", "no kind \"Config\" is registered for version \"v2\""),
            ("clusters: 3", "clusters: invalid type: integer `3`, expected a sequence"),
            ("users: [{name: u, user: {token: 12}}]", "users[0].user.token: no string"),
            (
                "users: [{name: u, user: {client-key-data: x}}]",
                "users[0].user.client-key-data: illegal base64 data at input byte 0",
            ),
            ("clusters: [{name: c}, {name: c}]", "duplicate name \"c\" in list: clusters"),
        ] {
            let error = Kubeconfig::parse(text.as_bytes(), Path::new("/")).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_empty_counts_as_absent() {
        for text in ["", "---\n", "clusters: null\nusers:\n", "clusters: []"] {
            let empty = parse(text, "/");
            assert!(empty.clusters.is_empty() && empty.users.is_empty(), "{text}");
        }
        let config =
            parse("clusters: [{name: c, cluster: {server: null, insecure-skip-tls-verify: null}}]", "/");
        assert_eq!(config.clusters["c"].server, "");
    }
}
