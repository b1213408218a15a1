//! Who we are to a server: a token, the token of a file, a name with a password, or what a plugin says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ::base64::Engine as _;
use ::base64::prelude::BASE64_STANDARD;
use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{DateTime, Utc};
use hyper::header::HeaderValue;
use tokio::sync::{Mutex, oneshot};

use super::id_token::IdToken;
use super::kubeconfig::{AuthProvider, Data, User};
use super::oidc::Renewal;
use super::plugin::{Answer, Plugin};
use super::secret::Secret;
use super::unreachable::Unreachable;
use crate::api::errno::errno_text;

/// For how long the token of a file is used before the file is read anew.
const TOKEN_AGE: Duration = Duration::from_secs(60);

/// Where credentials come from.
#[derive(Debug)]
pub(super) enum Credentials {
    /// A certificate, or nothing.
    None,
    Token(Secret),
    TokenFile {
        path: PathBuf,
        known: Mutex<Option<(Instant, Secret)>>,
    },
    Password {
        username: String,
        password: Secret,
    },
    /// Of kubectl's own provider: as it is now, and how to get another.
    IdToken {
        known: Mutex<IdToken>,
        renewal: Box<Renewal>,
    },
    /// One run of the plugin for whoever waits for it.
    Plugin {
        plugin: Arc<Plugin>,
        known: Mutex<Option<Answer>>,
    },
}

impl Credentials {
    /// A user's, by what counts most. A plugin is not run where something else proves who somebody is.
    ///
    /// # Errors
    /// A file that cannot be read, or a password besides it; a provider that is not supported.
    pub(super) fn of(user: &User, user_name: &str, plugin: Option<Plugin>) -> Result<Self> {
        let provided = user.auth_provider.as_ref();
        let provided = provided.map(|provider| of_provider(provider, user, user_name)).transpose()?;
        let has_password = !user.username.is_empty() || !user.password.is_empty();
        Ok(if !user.token_file.is_empty() {
            let path = user.directory.join(&user.token_file);
            // As client-go has it: the entry's token serves until the file does.
            let token = match read_token(&path) {
                Err(_) if !user.token.is_empty() => user.token.clone(),
                token => token?,
            };
            if has_password {
                bail!("username/password or bearer token may be set, but not both");
            }
            Self::TokenFile { path, known: Mutex::new(Some((Instant::now(), token))) }
        } else if !user.token.is_empty() {
            Self::Token(user.token.clone())
        } else if has_password {
            Self::Password { username: user.username.clone(), password: user.password.clone() }
        } else if let Some(provided) = provided {
            provided
        } else if let Some(plugin) = plugin.filter(|_| !user.has_certificate()) {
            Self::Plugin { plugin: Arc::new(plugin), known: Mutex::default() }
        } else {
            Self::None
        })
    }

    /// What `Authorization` says.
    ///
    /// # Errors
    /// A file that cannot be read; a plugin that fails.
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>> {
        match self {
            Self::None => Ok(None),
            Self::Token(token) => bearer(token).map(Some),
            Self::TokenFile { path, known } => {
                let mut known = known.lock().await;
                let is_fresh = known.as_ref().is_some_and(|(read, _)| read.elapsed() < TOKEN_AGE);
                if !is_fresh {
                    match (read_token(path), &*known) {
                        (Ok(token), _) => *known = Some((Instant::now(), token)),
                        // As before, until the server says that it does not hold any more.
                        (Err(_), Some(_)) => {}
                        (Err(error), None) => return Err(error),
                    }
                }
                known.as_ref().map(|(_, token)| bearer(token)).transpose()
            }
            Self::Password { username, password } => {
                let login = BASE64_STANDARD.encode(format!("{username}:{}", password.0));
                sensitive(&format!("Basic {login}")).map(Some)
            }
            Self::IdToken { known, renewal } => {
                let mut known = known.lock().await;
                id_token(&mut known, renewal).await.and_then(|()| bearer(known.token())).map(Some)
            }
            Self::Plugin { .. } => match self.answer().await? {
                Some(Answer { token: Some(token), .. }) => bearer(&token).map(Some),
                _ => Ok(None),
            },
        }
    }

    /// The certificate and the key of a plugin, where it gives some.
    ///
    /// # Errors
    /// It fails.
    pub(super) async fn identity(&self) -> Result<Option<(Data, Data)>> {
        Ok(self.answer().await?.and_then(|answer| answer.identity))
    }

    /// Forgets what has been refused. False where there is nothing else to be had.
    pub(super) fn forget(&self) -> bool {
        // Where somebody is just fetching another one, that is not to be forgotten.
        match self {
            Self::None | Self::Token(_) | Self::Password { .. } | Self::IdToken { .. } => false,
            Self::TokenFile { known, .. } => {
                if let Ok(mut known) = known.try_lock() {
                    *known = None;
                }
                true
            }
            Self::Plugin { known, .. } => {
                if let Ok(mut known) = known.try_lock() {
                    *known = None;
                }
                true
            }
        }
    }

    async fn answer(&self) -> Result<Option<Answer>> {
        let Self::Plugin { plugin, known } = self else { return Ok(None) };
        let mut known = known.lock().await;
        if let Some(answer) = &*known
            && answer.expires.is_none_or(|expires| now() < expires)
        {
            return Ok(Some(answer.clone()));
        }
        let plugin = Arc::clone(plugin);
        let (tell, told) = oneshot::channel();
        let run = move || drop(tell.send(plugin.run()));
        std::thread::Builder::new().name("plugin".into()).spawn(run).context("start a thread")?;
        let run = told.await.context("run a credential plugin")?;
        let answer =
            run.map_err(|problem| Unreachable::for_good(format_args!("getting credentials: {problem}")))?;
        *known = Some(answer.clone());
        Ok(Some(answer))
    }
}

/// Sees to it that a token holds.
async fn id_token(known: &mut IdToken, renewal: &Renewal) -> Result<()> {
    let for_good = |problem: String| anyhow::Error::from(Unreachable::for_good(problem));
    if known.holds(now()).map_err(for_good)? {
        return Ok(());
    }
    // Another process may have been here before.
    let is_renewed = |known: &mut IdToken| {
        renewal.kept().is_some_and(|kept| {
            known.becomes(kept.id, kept.refresh);
            known.holds(now()).unwrap_or(false)
        })
    };
    if is_renewed(known) {
        return Ok(());
    }
    match renewal.renew(known.refresh_token()).await {
        Ok(tokens) => known.becomes(tokens.id, tokens.refresh),
        // A refresh-token may serve once only: whoever has come first has written down what it has got.
        Err(_) if is_renewed(known) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What was built into kubectl once.
fn of_provider(provider: &AuthProvider, user: &User, user_name: &str) -> Result<Credentials> {
    let plugin = match provider.name.as_str() {
        "oidc" => {
            let known = Mutex::new(IdToken::of(provider).map_err(anyhow::Error::msg)?);
            let renewal = Box::new(Renewal::of(user, user_name).map_err(anyhow::Error::msg)?);
            return Ok(Credentials::IdToken { known, renewal });
        }
        "gcp" => "gke-gcloud-auth-plugin",
        "azure" => "kubelogin (https://github.com/Azure/kubelogin)",
        other => bail!("no Auth Provider found for name {other:?}"),
    };
    bail!("auth-provider {:?} is not supported: use the credential plugin {plugin} under exec", provider.name)
}

/// The time by which a credential expires: the server's, as far as clocks agree.
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn read_token(path: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow!("open {}: {}", path.display(), errno_text(&error)))?;
    let token = text.trim();
    if token.is_empty() {
        bail!("read empty token from file {:?}", path.display().to_string());
    }
    Ok(Secret(token.to_owned()))
}

fn bearer(token: &Secret) -> Result<HeaderValue> {
    sensitive(&format!("Bearer {}", token.0))
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .ok()
        .context("the credential has characters that no header can have: a line end, perhaps")?;
    value.set_sensitive(true);
    Ok(value)
}
