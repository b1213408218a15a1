//! Which proxy a server is reached through: what a kubeconfig says, or else the environment, read as Go's clients read it. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;

use super::secret::Secret;
use super::server::Server;

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) kind: Kind,
    /// A name or an address, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
}

/// Who we are to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP, over TLS or not.
    Http { is_secure: bool },
    /// SOCKS 5. It looks up the server's name.
    Socks,
}

/// Why a URL is that of no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoProxy {
    NotAUrl(String),
    Scheme(String),
}

impl fmt::Display for NoProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAUrl(text) => write!(formatter, "could not parse: {text}"),
            Self::Scheme(scheme) => {
                write!(formatter, "unsupported scheme {scheme:?}, must be http, https, or socks5")
            }
        }
    }
}

impl Proxy {
    /// The proxy that a cluster's entry names, if it does.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, NoProxy> {
        if text.is_empty() {
            return Ok(None);
        }
        let unreadable = || NoProxy::NotAUrl(text.to_owned());
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(if text.contains(':') { unreadable() } else { NoProxy::Scheme(String::new()) });
        };
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http { is_secure: false }, 80),
            "https" => (Kind::Http { is_secure: true }, 443),
            "socks5" => (Kind::Socks, 1080),
            other => return Err(NoProxy::Scheme(other.to_owned())),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, address) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((login, address)) => (Some(login), address),
        };
        let uri: Uri = format!("http://{address}").parse().map_err(|_| unreadable())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(unreadable)?;
        let port = match address.strip_prefix(host).unwrap_or_default().strip_prefix(':') {
            None | Some("") => port,
            Some(port) => port.parse().map_err(|_| unreadable())?,
        };
        let login = login.map(|login| {
            let (username, password) = login.split_once(':').unwrap_or((login, ""));
            Login { username: unescaped(username), password: Secret(unescaped(password)) }
        });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(Self { kind, host, port, login }))
    }

    /// The proxy that an environment has for a server. `variable` gives what a variable holds, whose names are tried in capitals
    /// first.
    ///
    /// # Errors
    /// A variable that holds no proxy.
    pub(super) fn of_environment(
        server: &Server,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, NoProxy> {
        let either = |name: &str| {
            [name.to_owned(), name.to_ascii_lowercase()]
                .into_iter()
                .find_map(|name| variable(&name).filter(|value| !value.is_empty()))
        };
        let proxy = either(if server.is_secure { "HTTPS_PROXY" } else { "HTTP_PROXY" });
        let Some(proxy) = proxy else { return Ok(None) };
        if is_exempt(&either("NO_PROXY").unwrap_or_default(), &server.host, server.port) {
            return Ok(None);
        }
        let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
        // What the variable may say beside what a kubeconfig may: the same, for names are always looked up there.
        Self::parse(&proxy.replacen("socks5h://", "socks5://", 1))
    }

    /// Host and port, as they are dialled.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// `%40` -> `@`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether `NO_PROXY` names a server, or it is this machine, which no proxy of the environment reaches.
fn is_exempt(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            let network = network.parse().ok().zip(bits.parse().ok());
            return network
                .zip(address)
                .is_some_and(|((network, bits), address)| is_in(network, bits, address));
        }
        let (name, of_port) = split_port(&entry);
        if of_port.is_some_and(|wanted| wanted != port) {
            return false;
        }
        match (name.trim_matches(['[', ']']).parse::<IpAddr>(), address) {
            (Ok(named), Some(address)) => named == address,
            (Ok(_), None) => false,
            (Err(_), _) => is_of_domain(name, &host),
        }
    })
}

/// A name and its port, where there is one; the colons of an IPv6 address are none of it.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<Ipv6Addr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
        _ => (entry, None),
    }
}

/// `a.b` is of the domain `a.b` and of `b`, not of `.a.b`.
fn is_of_domain(domain: &str, host: &str) -> bool {
    let domain = domain.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(domain);
    match domain.strip_prefix('.') {
        Some(_) => host.ends_with(domain),
        None => host == domain || host.strip_suffix(domain).is_some_and(|before| before.ends_with('.')),
    }
}

fn is_in(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= Ipv4Addr::BITS => {
            let mask = u32::MAX.checked_shl(Ipv4Addr::BITS - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= Ipv6Addr::BITS => {
            let mask = u128::MAX.checked_shl(Ipv6Addr::BITS - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_from_its_url() {
        for (text, expected) in [
            ("http://proxy", "Http { is_secure: false } proxy:80 -"),
            ("https://proxy:8443/", "Http { is_secure: true } proxy:8443 -"),
            ("socks5://[::1]", "Socks [::1]:1080 -"),
            ("HTTP://u:p%40%20x@proxy:3128", "Http { is_secure: false } proxy:3128 u p@ x"),
            ("http://u@proxy", "Http { is_secure: false } proxy:80 u "),
        ] {
            let proxy = Proxy::parse(text).expect(text).expect("a proxy");
            let login = proxy.login.as_ref();
            let login = login.map_or("-".into(), |login| format!("{} {}", login.username, login.password.0));
            assert_eq!(format!("{:?} {} {login}", proxy.kind, proxy.authority()), expected, "{text}");
        }
        assert_eq!(Proxy::parse(""), Ok(None));
        for (text, expected) in [
            ("127.0.0.1:3128", "could not parse: 127.0.0.1:3128"),
            ("proxy", "unsupported scheme \"\", must be http, https, or socks5"),
            ("ftp://x", "unsupported scheme \"ftp\", must be http, https, or socks5"),
            ("socks5h://x", "unsupported scheme \"socks5h\", must be http, https, or socks5"),
            ("http://%zz", "could not parse: http://%zz"),
            ("http://x:y", "could not parse: http://x:y"),
        ] {
            assert_eq!(Proxy::parse(text).expect_err(text).to_string(), expected);
        }
    }

    fn of(server: &str, variables: &[(&str, &str)]) -> Option<String> {
        let server = Server::parse(server).expect("a server");
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Proxy::of_environment(&server, variable).expect("a proxy").map(|proxy| proxy.authority())
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme() {
        let both = [("HTTP_PROXY", "plain:1"), ("https_proxy", "http://secure:2")];
        assert_eq!(of("https://a", &both).as_deref(), Some("secure:2"));
        assert_eq!(of("http://a", &both).as_deref(), Some("plain:1"));
        assert_eq!(of("https://a", &[("HTTP_PROXY", "plain:1")]), None);
        assert_eq!(of("https://a", &[("HTTPS_PROXY", ""), ("https_proxy", "b:1")]).as_deref(), Some("b:1"));
        assert_eq!(of("https://a", &[("HTTPS_PROXY", "socks5h://b:1")]).as_deref(), Some("b:1"));
        for local in ["https://localhost", "https://127.0.0.1:6443", "https://127.9.9.9", "https://[::1]:1"] {
            assert_eq!(of(local, &both), None, "{local}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (no_proxy, server, is_exempt) in [
            ("*", "a", true),
            ("a.b", "a.b", true),
            ("a.b", "x.a.b", true),
            ("a.b", "xa.b", false),
            (".a.b", "a.b", false),
            (".a.b", "x.a.b", true),
            ("*.a.b", "x.a.b", true),
            ("*.a.b", "a.b", false),
            ("A.B", "a.b", true),
            ("other, a.b", "a.b", true),
            ("a.b:443", "a.b", true),
            ("a.b:6443", "a.b", false),
            ("a.b:6443", "a.b:6443", true),
            ("10.0.0.0/8", "10.1.2.3:6443", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/8", "a.b", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:1", "10.1.2.3", false),
            ("10.1.2", "10.1.2.3", false),
            ("fd00::/8", "[fd12::1]", true),
            ("fd12::1", "[fd12::1]:6443", true),
            ("[fd12::1]:6443", "[fd12::1]:6443", true),
            ("", "a", false),
            (",", "a", false),
        ] {
            let found = of(&format!("https://{server}"), &[("HTTPS_PROXY", "p:1"), ("no_proxy", no_proxy)]);
            assert_eq!(found.is_none(), is_exempt, "{no_proxy:?} and {server}");
        }
    }
}
