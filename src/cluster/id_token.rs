//! ID tokens, which kubectl's provider `oidc` keeps in a kubeconfig: when they end. Pure.

use ::base64::Engine as _;
use ::base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::kubeconfig::AuthProvider;
use super::secret::Secret;

/// How long before its end a token is not used any more: it has to arrive, and clocks differ.
const MARGIN: TimeDelta = TimeDelta::seconds(10);
/// What to use in its place.
const PLUGIN: &str = "the credential plugin kubelogin (https://github.com/int128/kubelogin) under exec";

/// A token, for as long as it holds. It is kubectl's to fetch another one, and to write it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdToken {
    token: Secret,
    has_refresh_token: bool,
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
        let token = given("id-token").cloned().unwrap_or_default();
        Ok(Self { token, has_refresh_token: given("refresh-token").is_some() })
    }

    /// The token, if it holds at `now`.
    ///
    /// # Errors
    /// It is none, or has expired, with the remedy.
    pub(super) fn at(&self, now: DateTime<Utc>) -> Result<&Secret, String> {
        let end = if self.token.is_empty() { None } else { end(&self.token.0)? };
        match (end, self.has_refresh_token) {
            (Some(end), _) if now + MARGIN < end => Ok(&self.token),
            (_, true) => Err(format!(
                "the id-token of the kubeconfig has expired: any request of kubectl with this user renews it; or use {PLUGIN}"
            )),
            (_, false) => {
                Err(format!("No valid id-token, and cannot refresh without refresh-token: use {PLUGIN}"))
            }
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

    fn verdict(claims: &str, refresh: &str, now: i64) -> Result<(), String> {
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        of(&token, refresh).at(DateTime::from_timestamp(now, 0).expect("a time")).map(|_| ())
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
            assert_eq!(verdict(claims, "", 989), Ok(()), "{claims}");
            let error = verdict(claims, "", 990).expect_err(claims);
            assert!(
                error.starts_with("No valid id-token, and cannot refresh without refresh-token: "),
                "{error}"
            );
            let error = verdict(claims, "r", 990).expect_err(claims);
            assert!(error.contains("kubectl") && error.contains("kubelogin"), "{error}");
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
            assert_eq!(of(token, "").at(now), Err(expected.to_owned()));
        }
        let missing = IdToken::of(&AuthProvider::default());
        assert_eq!(missing, Err("Must provide idp-issuer-url".to_owned()));
    }
}
