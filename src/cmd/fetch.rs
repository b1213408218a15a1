//! `-f URL`: manifests over HTTP and HTTPS.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::failure::verbatim;
use super::manifests::read_bounded;

/// How long a manifest may take, all in all.
const AT_MOST: Duration = Duration::from_secs(60);
/// How often a server is asked that fails itself.
const ATTEMPTS: u32 = 3;
/// How long it is given between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a name is one of the network's.
pub(super) fn is_url(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

/// What is at a URL. Redirects are followed, ten of them at most.
///
/// # Errors
/// kubectl's sentences about a server that is not there, or that has something else to say.
pub(super) fn fetch(url: &str) -> Result<Vec<u8>> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(AT_MOST))
        .http_status_as_error(false)
        .user_agent(concat!("jobctl/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let mut attempt = 1;
    loop {
        let mut response = agent.get(url).call().map_err(|error| unreachable(url, &error))?;
        let status = response.status();
        if status.is_success() {
            return read_bounded(response.body_mut().as_reader(), url).with_context(|| format!("read {url}"));
        }
        if !status.is_server_error() || attempt == ATTEMPTS {
            let reason = status.canonical_reason().unwrap_or_default();
            bail!(
                "unable to read URL {url:?}, server reported {} {reason}, status code={}",
                status.as_u16(),
                status.as_u16()
            );
        }
        attempt += 1;
        std::thread::sleep(PAUSE);
    }
}

fn unreachable(url: &str, error: &ureq::Error) -> anyhow::Error {
    if let ureq::Error::Io(error) = error
        && error.kind() == std::io::ErrorKind::ConnectionRefused
    {
        let host = url.split('/').nth(2).unwrap_or_default();
        return verbatim(format!(
            "The connection to the server {host} was refused - did you specify the right host or port?"
        ));
    }
    anyhow::anyhow!("Get {url:?}: {error}")
}
