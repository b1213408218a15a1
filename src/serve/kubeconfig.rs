//! The file by which clients find the server and prove that they are its user's.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use serde_json::json;

/// What the entries of the file are called.
const NAME: &str = "jobctl";

/// Where a server is and how to be let in.
#[derive(Debug)]
pub struct Kubeconfig {
    /// The file.
    pub path: PathBuf,
    /// Where the server listens.
    pub address: SocketAddr,
    /// Its certificate, as PEM.
    pub certificate: String,
    /// The token that it wants.
    pub token: String,
    /// The namespace of requests that name none.
    pub namespace: String,
}

impl Kubeconfig {
    /// Writes the file, for the user alone. One that is there is replaced.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<()> {
        let document = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": NAME,
            "contexts": [{
                "name": NAME,
                "context": { "cluster": NAME, "user": NAME, "namespace": self.namespace },
            }],
            "clusters": [{
                "name": NAME,
                "cluster": {
                    "server": format!("https://{}", self.address),
                    "certificate-authority-data": ByteString(self.certificate.clone().into_bytes()),
                },
            }],
            "users": [{ "name": NAME, "user": { "token": self.token } }],
        });
        let text = serde_yaml::to_string(&document)?;
        let write = || {
            let new = self.path.with_extension(format!("new-{}", std::process::id()));
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(text.as_bytes())?;
            drop(file);
            #[expect(
                clippy::disallowed_methods,
                reason = "not the store's: whoever reads it sees one or the other"
            )]
            std::fs::rename(&new, &self.path)
        };
        write().with_context(|| format!("write {}", self.path.display()))
    }
}

/// 256 random bits, as text.
///
/// # Errors
/// The system has none.
pub(super) fn new_token() -> Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
