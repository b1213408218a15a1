//! A cluster, and who we are there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, USER_AGENT};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::kubeconfig::{Cluster, Data, Kubeconfig, User};
use super::server::Server;
use super::tls::Material;
use super::{connect, files};

/// What a command line says of where to.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The file that a kubeconfig is read from, in place of `$KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context, in place of the current one.
    pub context: Option<String>,
    /// The cluster, in place of the context's.
    pub cluster: Option<String>,
    /// The user, in place of the context's.
    pub user: Option<String>,
    /// As whom to act.
    pub impersonate: Option<String>,
    /// In which groups to be.
    pub impersonate_groups: Vec<String>,
    /// With which uid.
    pub impersonate_uid: Option<String>,
}

/// A cluster, and who we are there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: String,
    cluster_name: String,
    namespace: Option<String>,
    server: Server,
    cluster: Cluster,
    user_name: String,
    user: User,
    /// TLS as it was set up last, and with what: one for as long as that stays the same, so that sessions are resumed.
    tls: Mutex<Option<(Material, Arc<ClientConfig>)>>,
}

impl Access {
    /// Finds a cluster.
    ///
    /// # Errors
    /// A kubeconfig that does not read; a context, a cluster or a user that it does not have; certificates that do not read.
    pub fn load(wanted: &Wanted) -> Result<Self> {
        Self::new(&files::read(wanted.kubeconfig.as_deref())?, wanted)
    }

    fn new(kubeconfig: &Kubeconfig, wanted: &Wanted) -> Result<Self> {
        let given = |word: &Option<String>| word.clone().filter(|word| !word.is_empty());
        let context_name = given(&wanted.context).unwrap_or_else(|| kubeconfig.current_context.clone());
        let context = match kubeconfig.contexts.get(&context_name) {
            Some(context) => context.clone(),
            None if given(&wanted.context).is_some() || !context_name.is_empty() => {
                bail!("context {context_name:?} does not exist")
            }
            None => super::Context::default(),
        };
        let cluster_name = given(&wanted.cluster).unwrap_or(context.cluster);
        let cluster = kubeconfig.clusters.get(&cluster_name).filter(|cluster| !cluster.server.is_empty());
        let cluster =
            cluster.cloned().with_context(|| format!("no server found for cluster {cluster_name:?}"))?;
        let user_name = given(&wanted.user).unwrap_or(context.user);
        let mut user = match kubeconfig.users.get(&user_name) {
            Some(user) => user.clone(),
            None if given(&wanted.user).is_some() => bail!("auth info {user_name:?} does not exist"),
            None => User::default(),
        };
        if let Some(name) = given(&wanted.impersonate) {
            user.impersonate = name;
        }
        if !wanted.impersonate_groups.is_empty() {
            user.impersonate_groups.clone_from(&wanted.impersonate_groups);
        }
        if let Some(uid) = given(&wanted.impersonate_uid) {
            user.impersonate_uid = uid;
        }
        let is_tls_set_up = cluster.insecure_skip_tls_verify
            || !cluster.certificate_authority.is_empty()
            || !cluster.certificate_authority_data.is_empty();
        let access = Self(Arc::new(Inner {
            context: context_name,
            cluster_name,
            namespace: Some(context.namespace).filter(|namespace| !namespace.is_empty()),
            server: Server::parse(&cluster.server, is_tls_set_up)?,
            cluster,
            user_name,
            user,
            tls: Mutex::default(),
        }));
        // A certificate that does not read is said at once, and not by the first request.
        access.tls()?;
        Ok(access)
    }

    /// The context's name.
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        &self.0.cluster_name
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.0.server.url
    }

    /// The namespace that the context has.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// What goes before each path: `/k8s/clusters/c-1` of `https://host/k8s/clusters/c-1`.
    pub fn prefix(&self) -> &str {
        &self.0.server.prefix
    }

    /// A new connection, ready for requests. Its task runs on the current runtime.
    ///
    /// # Errors
    /// [`Unreachable`](super::Unreachable), where it is the network or the server; certificates that do not read any more.
    pub async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        connect::connect(&self.0.server, self.tls()?).await
    }

    /// The headers that go with each request: where it goes to, who sends it, and who we are.
    ///
    /// # Errors
    /// A credential that cannot be had.
    pub async fn headers(&self) -> Result<HeaderMap> {
        let Inner { server, user, .. } = &*self.0;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, header(&server.authority, "server")?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("jobctl/", env!("CARGO_PKG_VERSION"))));
        if !user.token.is_empty() {
            let mut value = header(&format!("Bearer {}", user.token.0), "token")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if !user.impersonate.is_empty() {
            headers.insert(HeaderName::from_static("impersonate-user"), header(&user.impersonate, "as")?);
        }
        Ok(headers)
    }

    /// Forgets a credential that the server has refused, so that the next one is fetched anew. False where there is nothing to
    /// fetch.
    pub fn forget_credential(&self) -> bool {
        false
    }

    /// How to speak TLS with the server, where it does.
    fn tls(&self) -> Result<Option<(Arc<ClientConfig>, ServerName<'static>)>> {
        let Inner { server, cluster, .. } = &*self.0;
        let material = self.material()?;
        let mut known = self.0.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if !server.is_secure {
            return Ok(None);
        }
        let config = match &*known {
            Some((of, config)) if *of == material => Arc::clone(config),
            _ => {
                let config = Arc::new(material.config()?);
                *known = Some((material, Arc::clone(&config)));
                config
            }
        };
        let name = if cluster.tls_server_name.is_empty() { &server.host } else { &cluster.tls_server_name };
        let name =
            ServerName::try_from(name.clone()).map_err(|_| anyhow!("{name:?} is no name of a server"))?;
        Ok(Some((config, name)))
    }

    fn material(&self) -> Result<Material> {
        let Inner { cluster, cluster_name, user, user_name, .. } = &*self.0;
        let authorities = either(
            &cluster.certificate_authority_data,
            &cluster.certificate_authority,
            &cluster.directory,
            |what| format!("unable to read certificate-authority {what} for {cluster_name}"),
        )?;
        let of_user = |data, path, what: &'static str| {
            either(data, path, &user.directory, |file| {
                format!("unable to read {what} {file} for {user_name}")
            })
        };
        let certificate = of_user(&user.client_certificate_data, &user.client_certificate, "client-cert")?;
        let key = of_user(&user.client_key_data, &user.client_key, "client-key")?;
        let identity = match (certificate.is_empty(), key.is_empty()) {
            (true, _) => None,
            (false, false) => Some((certificate, key)),
            (false, true) => bail!(
                "client-key-data or client-key must be specified for {user_name} to use the clientCert \
                 authentication method."
            ),
        };
        Ok(Material { authorities, identity, is_insecure: cluster.insecure_skip_tls_verify })
    }
}

fn header(text: &str, what: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| anyhow!("{what} has characters that no header can have"))
}

/// What stands in the kubeconfig, or else in the file that it names.
fn either(data: &Data, path: &str, directory: &Path, problem: impl Fn(String) -> String) -> Result<Data> {
    if !data.is_empty() || path.is_empty() {
        return Ok(data.clone());
    }
    let path = directory.join(path);
    std::fs::read(&path).map(Data).with_context(|| problem(path.display().to_string()))
}

#[cfg(test)]
mod tests;
