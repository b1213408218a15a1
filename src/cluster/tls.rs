//! Trust: by which authorities a server is known, and with which certificate we show who we are.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::kubeconfig::Data;

/// What TLS is set up with. Files are read anew for each connection, so that renewed certificates count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Material {
    /// The authorities, as PEM; those of this machine where there are none.
    pub(super) authorities: Data,
    /// A certificate with those that have signed it, and its key, as PEM.
    pub(super) identity: Option<(Data, Data)>,
    /// Nobody asks who the server is.
    pub(super) is_insecure: bool,
}

impl Material {
    /// # Errors
    /// PEM that does not read; a key of a kind that cannot be used.
    pub(super) fn config(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("set up TLS")?;
        let builder = if self.is_insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(&certificate.0);
                if chain.is_empty() {
                    bail!("tls: failed to find any PEM data in certificate input");
                }
                let key = PrivateKeyDer::from_pem_slice(&key.0)
                    .map_err(|_| anyhow!("tls: failed to find any PEM data in key input"))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| anyhow!("tls: {error}"))?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        if self.authorities.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        }
        let (added, _) = roots.add_parsable_certificates(certificates(&self.authorities.0));
        if added == 0 {
            bail!("unable to load root certificates: unable to parse bytes as PEM block");
        }
        Ok(roots)
    }
}

/// The certificates in PEM, without those that do not read.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// Takes every certificate, as `insecure-skip-tls-verify` says; that whoever shows it has its key is still proved.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
