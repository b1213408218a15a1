//! The URL of a server.

use anyhow::{Result, anyhow};
use hyper::Uri;

use super::unreachable::Unreachable;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// The whole of it, with its scheme.
    pub(super) url: String,
    pub(super) is_secure: bool,
    /// A name or an address, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as they stand in the URL: what `Host` says.
    pub(super) authority: String,
    /// What goes before each path; empty mostly, and never with a slash at its end.
    pub(super) prefix: String,
}

impl Server {
    /// Takes a URL apart. One without a scheme is one without TLS.
    ///
    /// # Errors
    /// Text that is no URL.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let url = if text.contains("://") {
            text.to_owned()
        } else if text.contains('/') {
            return Err(no_url(text));
        } else {
            format!("http://{text}")
        };
        let parsed: Option<Uri> = url.parse().ok();
        let url = url.trim_end_matches('/');
        let Some((uri, host)) =
            parsed.as_ref().and_then(|uri| Some((uri, uri.host().filter(|host| !host.is_empty())?)))
        else {
            return Err(no_url(text));
        };
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            other => {
                let scheme = other.unwrap_or_default();
                return Err(
                    Unreachable::for_good(format_args!("unsupported protocol scheme {scheme:?}")).into()
                );
            }
        };
        let authority = uri.authority().map_or(host, |authority| authority.as_str());
        // A name and a password before the host are not what proves who we are, and not to be shown with the URL.
        let login = authority.rsplit_once('@').map(|(login, _)| format!("{login}@")).unwrap_or_default();
        let authority = authority.strip_prefix(&login).unwrap_or(authority);
        let port = match authority.strip_prefix(host).unwrap_or_default().strip_prefix(':') {
            None | Some("") => {
                if is_secure {
                    443
                } else {
                    80
                }
            }
            Some(port) => match port.parse() {
                Ok(port) => port,
                Err(_) => return Err(no_url(text)),
            },
        };
        Ok(Self {
            url: url.replacen(&login, "", 1),
            is_secure,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            authority: authority.to_owned(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

fn no_url(text: &str) -> anyhow::Error {
    anyhow!("host must be a URL or a host:port pair: {text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, expected) in [
            ("https://a", "a 443 a [] tls"),
            ("https://a:6443/", "a 6443 a:6443 [] tls"),
            ("https://a/k8s/clusters/c-1/", "a 443 a [/k8s/clusters/c-1] tls"),
            ("http://[::1]:8080", "::1 8080 [::1]:8080 []"),
            ("127.0.0.1:8001", "127.0.0.1 8001 127.0.0.1:8001 []"),
            ("HTTP://A", "A 80 A []"),
            ("https://user:secret@a:1/x", "a 1 a:1 [/x] tls"),
        ] {
            let server = Server::parse(text).expect(text);
            let Server { host, port, authority, prefix, is_secure, .. } = server;
            let tls = if is_secure { " tls" } else { "" };
            assert_eq!(format!("{host} {port} {authority} [{prefix}]{tls}"), expected, "{text}");
        }
        let server = Server::parse("https://user:secret@a:1/x").expect("a server");
        assert_eq!(server.url, "https://a:1/x");
        for text in ["", "http://", "http://%zz", "ftp://a", "https://a:x", "a:6443/x"] {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
