//! Another id-token, asked of its issuer with the refresh-token, as kubectl does, and written into the kubeconfig.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::base64::Engine as _;
use ::base64::prelude::BASE64_STANDARD;
use form_urlencoded::Serializer;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use serde_json::Value;

use super::USER_AGENT as OURS;
use super::connect::{Ended, Patience, Route};
use super::kubeconfig::{Data, User};
use super::kubeconfig_edit::with_value;
use super::proxy::Proxy;
use super::secret::Secret;
use super::server::Server;
use super::tls::Material;
use super::unreachable::Unreachable;
use crate::api::decode::base64;
use crate::api::errno::errno_text;

/// Where an issuer tells of itself.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// How much of an answer is read.
const MOST: usize = 1 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is shown of an answer that is none.
const SHOWN: usize = 80;
/// For how long kubectl may be writing the same file.
const TRIES: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(25);

/// What another token is asked with, and where it is kept.
#[derive(Debug)]
pub(super) struct Renewal {
    issuer: String,
    client_id: String,
    client_secret: Secret,
    /// The authorities that have signed for the issuer, as the entry has them.
    authority: Data,
    authority_file: String,
    file: PathBuf,
    user: String,
}

/// Tokens that have come from an issuer.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) id: Secret,
    pub(super) refresh: Option<Secret>,
}

/// An answer over HTTP.
struct Answer {
    status: StatusCode,
    is_form: bool,
    body: Bytes,
}

impl Answer {
    /// A field of an answer about tokens, in JSON or as a form.
    fn field(&self, name: &str) -> Option<String> {
        let text = if self.is_form {
            let mut fields = form_urlencoded::parse(&self.body);
            fields.find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
        } else {
            let object: Value = serde_json::from_slice(&self.body).ok()?;
            object[name].as_str().map(str::to_owned)
        };
        text.filter(|text| !text.is_empty())
    }
}

fn failure(problem: impl std::fmt::Display) -> Unreachable {
    Unreachable::for_good(problem)
}

impl Renewal {
    /// What a user's entry has for it.
    ///
    /// # Errors
    /// An authority that does not read.
    pub(super) fn of(user: &User, user_name: &str) -> Result<Self, String> {
        let config = user.auth_provider.as_ref().map(|provider| &provider.config);
        let given = |key: &str| config.and_then(|config| config.get(key)).cloned().unwrap_or_default();
        let authority =
            base64::decode(given("idp-certificate-authority-data").0.as_bytes()).map_err(|at| {
                format!("idp-certificate-authority-data: illegal base64 data at input byte {at}")
            })?;
        Ok(Self {
            issuer: given("idp-issuer-url").0,
            client_id: given("client-id").0,
            client_secret: given("client-secret"),
            authority: Data(authority),
            authority_file: given("idp-certificate-authority").0,
            file: user.file.clone(),
            user: user_name.to_owned(),
        })
    }

    /// Asks for another token, and writes down what has come.
    ///
    /// # Errors
    /// The issuer does not answer, or refuses; a file that cannot be written.
    pub(super) async fn renew(&self, refresh: &Secret) -> Result<Tokens, Unreachable> {
        let endpoint = self.token_endpoint().await?;
        let tokens = self.ask_for_tokens(&endpoint, refresh).await?;
        let other = tokens.refresh.as_ref().filter(|other| *other != refresh);
        let kept = self.keep(&tokens.id, other);
        kept.map_err(|problem| failure(format_args!("could not persist new tokens: {problem}")))?;
        Ok(tokens)
    }

    /// The tokens that stand in the file now: somebody else may have renewed them.
    pub(super) fn kept(&self) -> Option<Tokens> {
        let text = fs::read(&self.file).ok()?;
        let kubeconfig = super::Kubeconfig::parse(&text, Path::new("/")).ok()?;
        let config = kubeconfig.users.get(&self.user)?.auth_provider.as_ref()?.config.clone();
        let id = config.get("id-token").cloned().unwrap_or_default();
        Some(Tokens { id, refresh: config.get("refresh-token").cloned() })
    }

    async fn token_endpoint(&self) -> Result<String, Unreachable> {
        let url = format!("{}{DISCOVERY}", self.issuer.strip_suffix('/').unwrap_or(&self.issuer));
        let answer = self.ask(Method::GET, &url, None, String::new()).await?;
        if answer.status != StatusCode::OK {
            let text = String::from_utf8_lossy(&answer.body);
            let mut shown: String = text.chars().take(SHOWN).collect();
            if shown.len() < text.len() {
                shown.push_str("...");
            }
            return Err(failure(format_args!(
                "oidc: failed to query metadata endpoint {}: {shown:?}",
                words(answer.status)
            )));
        }
        let known: Value = serde_json::from_slice(&answer.body).map_err(|error| {
            failure(format_args!("oidc: failed to decode provider discovery object: {error}"))
        })?;
        let endpoint = known["token_endpoint"].as_str().filter(|endpoint| !endpoint.is_empty());
        endpoint
            .map(str::to_owned)
            .ok_or_else(|| failure("oidc: discovery object doesn't contain a token_endpoint"))
    }

    /// Says who asks in the header first, and in the body where that does not do: issuers want one or the other.
    async fn ask_for_tokens(&self, endpoint: &str, refresh: &Secret) -> Result<Tokens, Unreachable> {
        let form = |pairs: &[(&str, &str)]| Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = [("grant_type", "refresh_token"), ("refresh_token", &refresh.0)];
        let escaped = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let login = format!("{}:{}", escaped(&self.client_id), escaped(&self.client_secret.0));
        let login = format!("Basic {}", BASE64_STANDARD.encode(login));
        let answer = self.ask(Method::POST, endpoint, Some(&login), form(&request)).await?;
        if let Ok(tokens) = tokens(&answer) {
            return tokens_of_answer(tokens);
        }
        let mut pairs = vec![("client_id", self.client_id.as_str())];
        if !self.client_secret.is_empty() {
            pairs.push(("client_secret", &self.client_secret.0));
        }
        pairs.extend(request);
        let answer = self.ask(Method::POST, endpoint, None, form(&pairs)).await?;
        let tokens =
            tokens(&answer).map_err(|problem| failure(format_args!("failed to refresh token: {problem}")))?;
        tokens_of_answer(tokens)
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        login: Option<&str>,
        body: String,
    ) -> Result<Answer, Unreachable> {
        let doing = match method {
            Method::GET => format!("Get {url:?}: "),
            _ => format!("failed to refresh token: Post {url:?}: "),
        };
        let asked = tokio::time::timeout(PATIENCE, self.ask_patiently(method, url, login, body)).await;
        let answered = asked.unwrap_or_else(|_| Err(Unreachable::timed_out()));
        answered.map_err(|error| error.with(&doing))
    }

    async fn ask_patiently(
        &self,
        method: Method,
        url: &str,
        login: Option<&str>,
        body: String,
    ) -> Result<Answer, Unreachable> {
        let server = Server::parse(url).map_err(failure)?;
        let uri: Uri = url.parse().map_err(failure)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let proxy = Proxy::of_environment(&server, |name| std::env::var(name).ok()).map_err(failure)?;
        let tls = match server.is_secure {
            true => {
                let authorities = self.authorities().map_err(failure)?;
                let material = Material { authorities, ..Material::default() };
                Some(Arc::new(material.config().map_err(failure)?))
            }
            false => None,
        };
        let route = Route {
            server: &server,
            proxy: proxy.as_ref(),
            tls,
            name: &server.host,
            ended: &Ended::default(),
            patience: Patience::ORDINARY,
        };
        let mut sender = route.connect().await?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        // A proxy is told the whole URL of what goes through it in the clear.
        let target = if proxy.is_some() && !server.is_secure { url } else { path };
        *request.uri_mut() = target.parse().map_err(failure)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&server.authority).map_err(failure)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(OURS));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        if let Some(login) = login {
            let mut value = HeaderValue::from_str(login).map_err(failure)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        *request.method_mut() = method;
        let answer = sender.send_request(request).await.map_err(|error| Unreachable::lost(&error))?;
        let (head, body) = answer.into_parts();
        let media = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = ["application/x-www-form-urlencoded", "text/plain"]
            .contains(&media.split(';').next().unwrap_or_default().trim());
        let body = Limited::new(body, MOST).collect().await.map_err(failure)?.to_bytes();
        Ok(Answer { status: head.status, is_form, body })
    }

    fn authorities(&self) -> Result<Data, String> {
        if !self.authority.is_empty() || self.authority_file.is_empty() {
            return Ok(self.authority.clone());
        }
        let read = fs::read(&self.authority_file).map(Data);
        read.map_err(|error| format!("open {}: {}", self.authority_file, errno_text(&error)))
    }

    /// Writes the tokens into the kubeconfig, all else of which stays as it is.
    fn keep(&self, id: &Secret, refresh: Option<&Secret>) -> Result<(), String> {
        let told = |doing: &str, path: &Path, error: &io::Error| {
            format!("{doing} {}: {}", path.display(), errno_text(error))
        };
        let file = fs::canonicalize(&self.file).map_err(|error| told("open", &self.file, &error))?;
        let _lock = Lock::take(&file)?;
        let bytes = fs::read(&file).map_err(|error| told("read", &file, &error))?;
        let no_place = || format!("{}: no place for the id-token of user {:?}", file.display(), self.user);
        let text = String::from_utf8(bytes).map_err(|_| no_place())?;
        let mut new = with_value(&text, &self.user, "id-token", &id.0).ok_or_else(no_place)?;
        if let Some(refresh) = refresh {
            new = with_value(&new, &self.user, "refresh-token", &refresh.0).ok_or_else(no_place)?;
        }
        replace(&file, new.as_bytes()).map_err(|error| told("write", &file, &error))
    }
}

/// The lock that kubectl holds while it writes a kubeconfig: a file beside it.
struct Lock(PathBuf);

impl Lock {
    fn take(file: &Path) -> Result<Self, String> {
        let mut path = file.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut tries = 0;
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(BETWEEN);
                }
                Err(error) => return Err(format!("open {}: {}", path.display(), errno_text(&error))),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Replaces a file whole or not at all. Its owner and its mode stay.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let metadata = fs::metadata(file)?;
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        new.write_all(bytes)?;
        // Where it is not for us to give files away it becomes ours.
        let _ = std::os::unix::fs::fchown(&new, Some(metadata.uid()), Some(metadata.gid()));
        new.set_permissions(fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
        new.sync_all()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the room of the store, which replaces files, is not known here"
        )]
        fs::rename(&temporary, file)?;
        File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// `401 Unauthorized`
fn words(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or_default()).trim_end().to_owned()
}

/// What an answer has of tokens: the id-token, and the refresh-token where there is another.
fn tokens(answer: &Answer) -> Result<(Option<String>, Option<String>), String> {
    if let Some(code) = answer.field("error") {
        let details = ["error_description", "error_uri"].into_iter().filter_map(|name| answer.field(name));
        return Err(details.fold(format!("oauth2: {code:?}"), |text, detail| format!("{text} {detail:?}")));
    }
    if !answer.status.is_success() {
        return Err(format!(
            "oauth2: cannot fetch token: {}\nResponse: {}",
            words(answer.status),
            String::from_utf8_lossy(&answer.body)
        ));
    }
    if answer.field("access_token").is_none() {
        return Err("oauth2: server response missing access_token".to_owned());
    }
    Ok((answer.field("id_token"), answer.field("refresh_token")))
}

fn tokens_of_answer((id, refresh): (Option<String>, Option<String>)) -> Result<Tokens, Unreachable> {
    match id {
        Some(id) => Ok(Tokens { id: Secret(id), refresh: refresh.map(Secret) }),
        None => Err(failure(
            "the issuer has sent no id_token: the scope \"openid\" was not asked for at login, or it sends none for a \
             refresh-token",
        )),
    }
}
