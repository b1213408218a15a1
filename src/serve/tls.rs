//! The certificate of a server, made when it starts and known to nobody but the readers of its kubeconfig.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The names under which the server is reached.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A certificate with its key, in use.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    /// The certificate of the authority that has signed it, and that has signed nothing else and never will.
    pub(super) pem: String,
}

impl Identity {
    /// Makes an authority, a key and a certificate for it. The keys are nowhere but in memory, and the authority's is
    /// forgotten at once.
    ///
    /// # Errors
    /// No randomness.
    pub(super) fn generate() -> Result<Self> {
        let (certificate, key, pem) = make().context("make a certificate")?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
            .context("set up TLS")?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem })
    }
}

fn make() -> Result<(CertificateDer<'static>, KeyPair, String), rcgen::Error> {
    let named = |name: &str| {
        let mut names = DistinguishedName::new();
        names.push(DnType::CommonName, name);
        names
    };
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name = named("jobctl-ca");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name = named("jobctl");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer)?;
    Ok((certificate.der().clone(), key, pem))
}
