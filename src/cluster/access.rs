//! A cluster, and who we are there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use tokio_rustls::rustls::ClientConfig;

use super::USER_AGENT as OURS;
use super::choice::{Choice, choose, unreadable_file};
use super::connect::{Ended, Patience, Route, authorization};
use super::credential::Credentials;
use super::kubeconfig::{Data, Kubeconfig, User};
use super::plugin::Plugin;
use super::proxy::{Kind, Proxy};
use super::secret::Secret;
use super::server::Server;
use super::tls::Material;
use super::unreachable::Unreachable;
use crate::api::errno::errno_text;

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
    /// The server's URL, in place of the cluster's.
    pub server: Option<String>,
    /// By which name the server is known, in place of the cluster's.
    pub tls_server_name: Option<String>,
    /// The file with the authority that has signed for the server, in place of the cluster's.
    pub certificate_authority: Option<String>,
    /// Whether nobody asks who the server is.
    pub insecure_skip_tls_verify: bool,
    /// The file with a certificate, in place of the user's.
    pub client_certificate: Option<String>,
    /// The file with its key.
    pub client_key: Option<String>,
    /// A token, in place of the user's.
    pub token: Option<Secret>,
    /// A name, in place of the user's.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
}

/// A cluster, and who we are there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    choice: Choice,
    server: Server,
    /// What goes before each path.
    prefix: String,
    proxy: Option<Proxy>,
    credentials: Credentials,
    /// As whom we act, where that is somebody else.
    impersonation: HeaderMap,
    /// Whether a command line has a token.
    has_token: bool,
    /// TLS as it was set up last, and with what: one for as long as that stays the same, so that sessions are resumed.
    tls: Mutex<Option<(Material, Arc<ClientConfig>)>>,
    ended: Ended,
}

impl Access {
    /// Finds a cluster.
    ///
    /// # Errors
    /// A kubeconfig that does not read; a context, a cluster or a user that it does not have; certificates that do not read.
    pub fn load(wanted: &Wanted) -> Result<Self> {
        Self::new(&Kubeconfig::read(wanted.kubeconfig.as_deref())?, wanted, |name| std::env::var(name).ok())
    }

    fn new(
        kubeconfig: &Kubeconfig,
        wanted: &Wanted,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let unreadable = |path: &Path| File::open(path).err().map(|error| errno_text(&error));
        let choice = choose(kubeconfig, wanted, &unreadable)?;
        let Choice { cluster, user, .. } = &choice;
        let server = Server::parse(&cluster.server)?;
        let proxy = match Proxy::parse(&cluster.proxy_url).map_err(|problem| anyhow!("{problem}"))? {
            Some(proxy) => Some(proxy),
            None => Proxy::of_environment(&server, variable)
                .map_err(|problem| anyhow!("the proxy that the environment names: {problem}"))?,
        };
        // An HTTP proxy is told the whole URL of what goes through it in the clear.
        let is_asked_of_proxy =
            !server.is_secure && proxy.as_ref().is_some_and(|proxy| matches!(proxy.kind, Kind::Http { .. }));
        let prefix = if is_asked_of_proxy {
            format!("http://{}{}", server.authority, server.prefix)
        } else {
            server.prefix.clone()
        };
        let material = material(&choice, None)?;
        let plugin = user.exec.as_ref();
        let plugin = plugin.map(|exec| Plugin::new(exec, &user.directory, cluster, &material.authorities));
        // What proves who somebody is does not go over a wire that anybody can read, as kubectl has it.
        let credentials = if server.is_secure {
            Credentials::of(user, &choice.user_name, plugin)?
        } else {
            Credentials::None
        };
        let access = Self(Arc::new(Inner {
            impersonation: impersonation(user)?,
            has_token: wanted.token.as_ref().is_some_and(|token| !token.is_empty()),
            choice,
            server,
            prefix,
            proxy,
            credentials,
            tls: Mutex::default(),
            ended: Ended::default(),
        }));
        // A certificate that does not read is said at once, and not by the first request.
        access.tls(material)?;
        Ok(access)
    }

    /// Whether a program says who we are.
    pub fn has_plugin(&self) -> bool {
        matches!(self.0.credentials, Credentials::Plugin { .. })
    }

    /// What a command line says in vain.
    pub fn warning(&self) -> Option<String> {
        let Choice { user, user_name, .. } = &self.0.choice;
        let is_in_vain = self.0.has_token && !user.token_file.is_empty() && self.0.server.is_secure;
        is_in_vain.then(|| {
            format!("--token has no effect: as with kubectl, the tokenFile of user {user_name:?} counts more")
        })
    }

    /// The context's name; empty where a server is named and no context.
    pub fn context(&self) -> &str {
        &self.0.choice.context
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        &self.0.choice.cluster_name
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.0.server.url
    }

    /// The namespace that the context has.
    pub fn namespace(&self) -> Option<&str> {
        self.0.choice.namespace.as_deref()
    }

    /// What goes before each path: `/k8s/clusters/c-1` of `https://host/k8s/clusters/c-1`; with host and all where a proxy is to
    /// be told them.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// A new connection, ready for requests. Its task runs on the current runtime.
    ///
    /// # Errors
    /// [`Unreachable`], where it is the network, the server or a plugin; certificates that do not read any
    /// more.
    pub async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let Inner { choice, server, proxy, credentials, ended, .. } = &*self.0;
        let tls = self.tls(material(choice, credentials.identity().await?)?)?;
        let name = &choice.cluster.tls_server_name;
        let name = if name.is_empty() { &server.host } else { name };
        let patience = Patience::ORDINARY;
        Ok(Route { server, proxy: proxy.as_ref(), tls, name, ended, patience }.connect().await?)
    }

    /// Why a request has got no answer, after its connection stood. A server that does not like our certificate says so only
    /// then.
    pub fn lost(&self, error: &hyper::Error) -> Unreachable {
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match &*ended {
            Some(why) if error.is_canceled() || error.is_closed() => why.clone(),
            _ => Unreachable::lost(error),
        }
    }

    /// The headers that go with each request: where it goes to, who sends it, who we are and as whom we act.
    ///
    /// # Errors
    /// A credential that cannot be had; [`Unreachable`] where a plugin has failed.
    pub async fn headers(&self) -> Result<HeaderMap> {
        let Inner { server, proxy, credentials, impersonation, .. } = &*self.0;
        let mut headers = impersonation.clone();
        headers.insert(HOST, header(&server.authority, "the server's name")?);
        headers.insert(USER_AGENT, HeaderValue::from_static(OURS));
        if let Some(value) = credentials.authorization().await? {
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(Proxy { kind: Kind::Http { .. }, login: Some(login), .. }) = proxy
            && !server.is_secure
        {
            headers.insert(PROXY_AUTHORIZATION, authorization(login));
        }
        Ok(headers)
    }

    /// Forgets a credential that the server has refused, so that the next one is fetched anew: by the next
    /// [`headers`](Self::headers), and by the next connection where it is a certificate. False where there is nothing to fetch.
    pub fn forget_credential(&self) -> bool {
        self.0.credentials.forget()
    }

    /// How to speak TLS, where it is spoken with the server or with the proxy.
    fn tls(&self, material: Material) -> Result<Option<Arc<ClientConfig>>> {
        let Inner { server, proxy, tls, .. } = &*self.0;
        let with_proxy = proxy.as_ref().is_some_and(|proxy| proxy.kind == Kind::Http { is_secure: true });
        if !server.is_secure && !with_proxy {
            return Ok(None);
        }
        let mut known = tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, config)) = &*known
            && *of == material
        {
            return Ok(Some(Arc::clone(config)));
        }
        let config = Arc::new(material.config()?);
        *known = Some((material, Arc::clone(&config)));
        Ok(Some(config))
    }
}

/// What TLS is set up with. What a plugin gives counts more than what the user's entry names.
fn material(choice: &Choice, of_plugin: Option<(Data, Data)>) -> Result<Material> {
    let Choice { cluster, cluster_name, user, user_name, paths, .. } = choice;
    let authorities =
        either(&cluster.certificate_authority_data, &paths.authority, "certificate-authority", cluster_name)?;
    let certificate = either(&user.client_certificate_data, &paths.certificate, "client-cert", user_name)?;
    let identity = if certificate.is_empty() {
        None
    } else {
        Some((certificate, either(&user.client_key_data, &paths.key, "client-key", user_name)?))
    };
    Ok(Material {
        authorities,
        identity: of_plugin.or(identity),
        is_insecure: cluster.insecure_skip_tls_verify,
    })
}

/// What stands in the kubeconfig, or else in the file that it names.
fn either(data: &Data, path: &Path, what: &str, whose: &str) -> Result<Data> {
    if !data.is_empty() || path.as_os_str().is_empty() {
        return Ok(data.clone());
    }
    let read = std::fs::read(path).map(Data);
    read.map_err(|error| anyhow!("{}", unreadable_file(what, path, whose, &errno_text(&error))))
}

/// The headers by which somebody acts as somebody else.
fn impersonation(user: &User) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if user.impersonate.is_empty() {
        return Ok(headers);
    }
    headers.insert("impersonate-user", header(&user.impersonate, "as")?);
    if !user.impersonate_uid.is_empty() {
        headers.insert("impersonate-uid", header(&user.impersonate_uid, "as-uid")?);
    }
    for group in &user.impersonate_groups {
        headers.append("impersonate-group", header(group, "as-groups")?);
    }
    for (key, values) in &user.impersonate_extra {
        let name = format!("impersonate-extra-{}", escaped(key));
        let name = HeaderName::try_from(&name).map_err(|_| anyhow!("as-user-extra: {key:?} is no key"))?;
        for value in values {
            headers.append(&name, header(value, "as-user-extra")?);
        }
    }
    Ok(headers)
}

/// A key as part of a header's name: what none can have is written as `%2f`.
fn escaped(key: &str) -> String {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    key.bytes().fold(String::new(), |name, byte| {
        if is_fine(byte) {
            name + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            format!("{name}%{byte:02x}")
        }
    })
}

fn header(text: &str, what: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|_| anyhow!("{what}: {text:?} has characters that no header can have"))
}

#[cfg(test)]
mod tests;
