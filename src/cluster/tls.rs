//! Trust: by which authorities a server is known, and with which certificate we show who we are.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{DateTime, SecondsFormat};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::kubeconfig::Data;
use super::unreachable::Unreachable;

/// What is said of an authority's certificate that a server shows as its own.
const IS_AUTHORITY: &str = "CaUsedAsEndEntity";

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
        let known = self.known(&provider)?;
        let verifier = Arc::new(Verifier { provider, known });
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(&certificate.0);
                if chain.is_empty() {
                    bail!("tls: failed to find any PEM data in certificate input");
                }
                let key = PrivateKeyDer::from_pem_slice(&key.0)
                    .map_err(|_| anyhow!("tls: failed to find any PEM data in key input"))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                    Error::InconsistentKeys(_) => anyhow!("tls: private key does not match public key"),
                    Error::General(_) => anyhow!(
                        "tls: a key of this kind cannot be used: RSA from 2048 bits, ECDSA with P-256 or P-384, or \
                         Ed25519 is wanted"
                    ),
                    error => anyhow!("tls: {error}"),
                })?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// By what the server is known.
    fn known(&self, provider: &Arc<CryptoProvider>) -> Result<Known> {
        if self.is_insecure {
            return Ok(Known::Anyone);
        }
        let authorities = if self.authorities.is_empty() {
            rustls_native_certs::load_native_certs().certs
        } else {
            certificates(&self.authorities.0)
        };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(authorities.iter().cloned());
        if added == 0 && self.authorities.is_empty() {
            return Ok(Known::Nobody);
        }
        if added == 0 {
            bail!("unable to load root certificates: unable to parse bytes as PEM block");
        }
        let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .context("unable to load root certificates")?;
        Ok(Known::By { by_authority, authorities })
    }
}

/// The certificates in PEM, without those that do not read.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// By what a server is known.
#[derive(Debug)]
enum Known {
    /// By nothing, as `insecure-skip-tls-verify` says.
    Anyone,
    /// This machine trusts nobody, and the kubeconfig names nobody.
    Nobody,
    /// By one of the authorities, which may be its own: servers that have made their certificate themselves show that of the
    /// authority (`openssl req -x509` marks it as one).
    By { by_authority: Arc<WebPkiServerVerifier>, authorities: Vec<CertificateDer<'static>> },
}

/// Judges the certificate of a server. That whoever shows it has its key is proved in any case.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    known: Known,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (by_authority, authorities) = match &self.known {
            Known::Anyone => return Ok(ServerCertVerified::assertion()),
            Known::Nobody => return Err(CertificateError::UnknownIssuer.into()),
            Known::By { by_authority, authorities } => (by_authority, authorities),
        };
        match by_authority.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // By now its time has been checked, and nothing else.
            Err(Error::InvalidCertificate(CertificateError::Other(OtherError(reason))))
                if reason.to_string() == IS_AUTHORITY && authorities.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong, in Go's words where people look for these.
pub(super) fn problem(error: &Error) -> Unreachable {
    let certificate = |reason: &dyn fmt::Display| {
        Unreachable::for_good(format_args!("tls: failed to verify certificate: x509: {reason}"))
    };
    let expired =
        |reason: &str| certificate(&format_args!("certificate has expired or is not yet valid: {reason}"));
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            certificate(&"certificate signed by unknown authority")
        }
        // Its own authority, then, and none of those that are known.
        Error::InvalidCertificate(CertificateError::Other(OtherError(reason)))
            if reason.to_string() == IS_AUTHORITY =>
        {
            certificate(&"certificate signed by unknown authority")
        }
        Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => {
            expired(&format!("current time {} is after {}", written(*time), written(*not_after)))
        }
        Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before }) => {
            expired(&format!("current time {} is before {}", written(*time), written(*not_before)))
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let is_address = matches!(expected, ServerName::IpAddress(_));
            let kind = if is_address { "IpAddress(" } else { "DnsName(" };
            let names = presented.iter().filter(|name| name.starts_with(kind)).map(|name| bare_name(name));
            let names: Vec<&str> = names.collect();
            let expected = expected.to_str();
            match (names.is_empty(), is_address) {
                (true, true) => certificate(&format_args!(
                    "cannot validate certificate for {expected} because it doesn't contain any IP SANs"
                )),
                (true, false) => certificate(&format_args!(
                    "certificate is not valid for any names, but wanted to match {expected}"
                )),
                (false, _) => certificate(&format_args!(
                    "certificate is valid for {}, not {expected}",
                    names.join(", ")
                )),
            }
        }
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::InvalidMessage(_) => {
            Unreachable::for_good("tls: first record does not look like a TLS handshake")
        }
        Error::AlertReceived(alert) => {
            let name = format!("{alert:?}");
            let words = name
                .chars()
                .flat_map(|c| c.is_ascii_uppercase().then_some(' ').into_iter().chain(c.to_lowercase()));
            Unreachable::for_good(format_args!("remote error: tls:{}", words.collect::<String>()))
        }
        _ => Unreachable::for_now(format_args!("tls: {error}")),
    }
}

fn written(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// `DnsName("a")` -> `a`.
fn bare_name(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P384_SHA384, SanType,
        SignatureAlgorithm, date_time_ymd,
    };

    use super::*;

    /// A certificate of `key`, with another key.
    fn problem_of(key: &KeyPair, other: &[u8]) -> String {
        let certificate = CertificateParams::default().self_signed(key).expect("a certificate").pem();
        let identity = Some((Data(certificate.into_bytes()), Data(other.to_vec())));
        let material = Material { identity, is_insecure: true, ..Material::default() };
        material.config().err().map(|error| error.to_string()).unwrap_or_default()
    }

    /// What is said of a server at `a` that shows the certificate of its own authority, which is trusted.
    fn verdict(change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::new(vec!["a".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let own = params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate");
        let material = Material { authorities: Data(own.pem().into_bytes()), ..Material::default() };
        let provider = Arc::new(ring::default_provider());
        let known = material.known(&provider).expect("an authority");
        let name = ServerName::try_from("a").expect("a name");
        let verdict =
            Verifier { provider, known }.verify_server_cert(own.der(), &[], &name, &[], UnixTime::now());
        verdict.err().map(|error| problem(&error).to_string()).unwrap_or_default()
    }

    #[test]
    fn an_authority_that_is_the_server_is_trusted_for_its_names_and_its_time() {
        assert_eq!(verdict(|_| ()), "");
        let elsewhere = verdict(|params| {
            params.subject_alt_names = vec![SanType::DnsName("b".try_into().expect("a name"))];
        });
        assert!(elsewhere.ends_with("x509: certificate is valid for b, not a"), "{elsewhere}");
        let expired = verdict(|params| params.not_after = date_time_ymd(2020, 1, 2));
        let sentence = "x509: certificate has expired or is not yet valid: current time ";
        assert!(
            expired.contains(sentence) && expired.ends_with(" is after 2020-01-02T00:00:00Z"),
            "{expired}"
        );
        let early = verdict(|params| {
            params.not_before = date_time_ymd(2999, 1, 2);
            params.not_after = date_time_ymd(3000, 1, 2);
        });
        assert!(early.contains(sentence) && early.ends_with(" is before 2999-01-02T00:00:00Z"), "{early}");
    }

    #[test]
    fn keys_that_cannot_be_used_are_told() {
        let key = |kind: &'static SignatureAlgorithm| KeyPair::generate_for(kind).expect("a key");
        let own = KeyPair::generate().expect("a key");
        assert_eq!(problem_of(&own, own.serialize_pem().as_bytes()), "");
        let other = key(&PKCS_ECDSA_P384_SHA384);
        assert_eq!(problem_of(&other, other.serialize_pem().as_bytes()), "");
        assert_eq!(
            problem_of(&own, other.serialize_pem().as_bytes()),
            "tls: private key does not match public key"
        );
        assert_eq!(problem_of(&own, b"none"), "tls: failed to find any PEM data in key input");
        let odd = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(problem_of(&own, odd).starts_with("tls: a key of this kind cannot be used"), "{odd:?}");
    }
}
