//! ID tokens, which kubectl's provider `oidc` keeps in a kubeconfig: when they end. Pure.

use ::base64::Engine as _;
use ::base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::kubeconfig::AuthProvider;
use super::secret::Secret;

/// How long before its end a token is not used any more: it has to arrive, and clocks differ.
const MARGIN: TimeDelta = TimeDelta::seconds(10);
/// What to use where it cannot be renewed.
const PLUGIN: &str = "the credential plugin kubelogin (https://github.com/int128/kubelogin) under exec";

/// A token, for as long as it holds, and what another one is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdToken {
    token: Secret,
    refresh: Secret,
}

impl IdToken {
    /// What an entry has.
    ///
    /// # Errors
    /// What kubectl cannot do without.
    pub(super) fn of(provider: &AuthProvider) -> Result<Self, String> {
        let given = |key: &str| provider.config.get(key).filter(|value| !value.is_empty());
        for key in ["idp-issuer-url", "client-id"] {
            given(key).ok_or_else(|| format!("Must provide {key}"))?;
        }
        let token = |key: &str| given(key).cloned().unwrap_or_default();
        Ok(Self { token: token("id-token"), refresh: token("refresh-token") })
    }

    /// Whether the token holds at `now`; where not, there is something to ask for another with.
    ///
    /// # Errors
    /// It is none, or has expired for good, with the remedy.
    pub(super) fn holds(&self, now: DateTime<Utc>) -> Result<bool, String> {
        let end = if self.token.is_empty() { None } else { end(&self.token.0)? };
        if end.is_some_and(|end| now + MARGIN < end) {
            return Ok(true);
        }
        if self.refresh.is_empty() {
            return Err(format!("No valid id-token, and cannot refresh without refresh-token: use {PLUGIN}"));
        }
        Ok(false)
    }

    /// The token.
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// What another one is asked with.
    pub(super) fn refresh_token(&self) -> &Secret {
        &self.refresh
    }

    /// Others have come.
    pub(super) fn becomes(&mut self, token: Secret, refresh: Option<Secret>) {
        self.token = token;
        if let Some(refresh) = refresh {
            self.refresh = refresh;
        }
    }
}

/// When a token ends; nothing where it does not say so.
fn end(token: &str) -> Result<Option<DateTime<Utc>>, String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return Err("ID Token is not a valid JWT".into()) };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|error| format!("ID Token: {error}"))?;
    let claims: Value =
        serde_json::from_slice(&claims).map_err(|error| format!("parsing claims: {error}"))?;
    let seconds = match &claims["exp"] {
        Value::String(text) => text.parse().ok(),
        // A part of a second does not count.
        number => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
    };
    Ok(seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(claims: &str, refresh: &str, now: i64) -> Result<bool, String> {
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        of(&token, refresh).holds(DateTime::from_timestamp(now, 0).expect("a time"))
    }

    fn of(token: &str, refresh: &str) -> IdToken {
        let config = [
            ("idp-issuer-url", "https://a"),
            ("client-id", "b"),
            ("id-token", token),
            ("refresh-token", refresh),
        ];
        let config = config.map(|(key, value)| (key.to_owned(), Secret(value.to_owned()))).into();
        IdToken::of(&AuthProvider { config, name: "oidc".into() }).expect("a token")
    }

    #[test]
    fn a_token_holds_until_shortly_before_its_end() {
        for claims in [r#"{"exp": 1000}"#, r#"{"exp": 1000.9}"#, r#"{"exp": "1000"}"#] {
            assert_eq!(verdict(claims, "", 989), Ok(true), "{claims}");
            let error = verdict(claims, "", 990).expect_err(claims);
            assert!(
                error.starts_with("No valid id-token, and cannot refresh without refresh-token: "),
                "{error}"
            );
            assert_eq!(verdict(claims, "r", 990), Ok(false), "{claims}");
        }
        assert!(verdict("{}", "", 0).is_err());
    }

    #[test]
    fn what_is_no_token_is_told() {
        let now = DateTime::UNIX_EPOCH;
        for (token, expected) in [
            ("a.b", "ID Token is not a valid JWT"),
            ("a.!.c", "ID Token: Invalid symbol 33, offset 0."),
            ("a.eno.c", "parsing claims: expected value at line 1 column 1"),
        ] {
            assert_eq!(of(token, "").holds(now), Err(expected.to_owned()));
        }
        let missing = IdToken::of(&AuthProvider::default());
        assert_eq!(missing, Err("Must provide idp-issuer-url".to_owned()));
    }
}
