//! Whether a certificate and a private key belong together, as Go's reader of key pairs finds it: by the public key that both
//! hold. A key that does not hold it (of Ed25519, or of a curve and written without it) is not computed from here: its kind
//! alone is looked at.

use anyhow::{Result, bail};

use crate::api::decode::base64;

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
/// How algorithms are called: RSA, elliptic curves, Ed25519.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// Tags of DER.
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const NAME: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const FIRST: u8 = 0xa0;
const SECOND: u8 = 0xa1;

/// Refuses what is no certificate with its key, both in PEM.
///
/// # Errors
/// In Go's words.
pub(super) fn check(certificate: &[u8], key: &[u8]) -> Result<()> {
    let certificate = certificate_block(certificate)?;
    let Some(public) = public_key(&certificate) else { bail!("x509: malformed certificate") };
    let (title, key) = key_block(key)?;
    let Some(private) = private_key(&title, &key) else { bail!("tls: failed to parse private key") };
    if public.algorithm != private.algorithm {
        bail!("tls: private key type does not match public key type");
    }
    if let (Some(of_certificate), Some(of_key)) = (public.value, private.value)
        && of_certificate != of_key
    {
        bail!("tls: private key does not match public key");
    }
    Ok(())
}

fn certificate_block(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut skipped = Vec::new();
    for (title, block) in blocks(bytes) {
        if title == CERTIFICATE {
            return Ok(block);
        }
        skipped.push(title);
    }
    match skipped.as_slice() {
        [] => bail!("tls: failed to find any PEM data in certificate input"),
        [one] if one.ends_with(PRIVATE_KEY) => bail!(
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have \
             been switched"
        ),
        all => bail!(
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following \
             types: [{}]",
            all.join(" ")
        ),
    }
}

fn key_block(bytes: &[u8]) -> Result<(String, Vec<u8>)> {
    let mut skipped = Vec::new();
    for (title, block) in blocks(bytes) {
        if title == PRIVATE_KEY || title.ends_with(" PRIVATE KEY") {
            return Ok((title, block));
        }
        skipped.push(title);
    }
    match skipped.as_slice() {
        [] => bail!("tls: failed to find any PEM data in key input"),
        [one] if one == CERTIFICATE => {
            bail!("tls: found a certificate rather than a key in the PEM for the private key")
        }
        all => bail!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the \
             following types: [{}]",
            all.join(" ")
        ),
    }
}

/// The PEM blocks of a text with their titles.
fn blocks(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines().map(str::trim_end) {
        let title = |prefix: &str| Some(line.strip_prefix(prefix)?.strip_suffix("-----")?.to_owned());
        if let Some(title) = title("-----BEGIN ") {
            open = Some((title, String::new()));
        } else if let Some(end) = title("-----END ") {
            let whole = open.take().filter(|(title, _)| *title == end);
            let whole = whole.and_then(|(title, body)| Some((title, base64::decode(body.as_bytes()).ok()?)));
            found.extend(whole);
        } else if let Some((_, body)) = &mut open
            && !line.contains(':')
        {
            body.push_str(line);
        }
    }
    found
}

/// Of which algorithm a key is, and what is the same in its public and its private half.
#[derive(Debug, PartialEq, Eq)]
struct Half<'a> {
    algorithm: &'a [u8],
    value: Option<&'a [u8]>,
}

/// The key of a certificate (RFC 5280, SubjectPublicKeyInfo).
fn public_key(certificate: &[u8]) -> Option<Half<'_>> {
    let mut fields = Der(Der(Der(certificate).of(SEQUENCE)?).of(SEQUENCE)?);
    // Version, serial number, signature, issuer, validity, subject.
    let _ = fields.of(FIRST);
    fields.of(INTEGER)?;
    for _ in 0..4 {
        fields.of(SEQUENCE)?;
    }
    let mut info = Der(fields.of(SEQUENCE)?);
    let algorithm = Der(info.of(SEQUENCE)?).of(NAME)?;
    let bits = info.of(BITS)?.get(1..)?;
    let value = if algorithm == RSA { Der(Der(bits).of(SEQUENCE)?).of(INTEGER)? } else { bits };
    Some(Half { algorithm, value: Some(value) })
}

/// A private key as PKCS #1, SEC 1 or PKCS #8 has it.
fn private_key<'a>(title: &str, key: &'a [u8]) -> Option<Half<'a>> {
    match title {
        "RSA PRIVATE KEY" => return rsa_key(key),
        "EC PRIVATE KEY" => return curve_key(key),
        _ => {}
    }
    let mut fields = Der(Der(key).of(SEQUENCE)?);
    fields.of(INTEGER)?;
    let algorithm = Der(fields.of(SEQUENCE)?).of(NAME)?;
    let inner = fields.of(OCTETS)?;
    match algorithm {
        RSA => rsa_key(inner),
        CURVE => curve_key(inner),
        ED25519 => Some(Half { algorithm, value: None }),
        _ => None,
    }
}

fn rsa_key(key: &[u8]) -> Option<Half<'_>> {
    let mut fields = Der(Der(key).of(SEQUENCE)?);
    fields.of(INTEGER)?;
    Some(Half { algorithm: RSA, value: Some(fields.of(INTEGER)?) })
}

fn curve_key(key: &[u8]) -> Option<Half<'_>> {
    let mut fields = Der(Der(key).of(SEQUENCE)?);
    fields.of(INTEGER)?;
    fields.of(OCTETS)?;
    let _ = fields.of(FIRST);
    let public = fields.of(SECOND).and_then(|public| Der(public).of(BITS)?.get(1..));
    Some(Half { algorithm: CURVE, value: public })
}

/// What is left to be read of values in DER.
#[derive(Clone, Copy, Debug)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, where it has that tag.
    fn of(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(2)?;
        let (length, rest) = match head[1] {
            short @ ..0x80 => (usize::from(short), rest),
            long => {
                let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                let length = bytes
                    .iter()
                    .try_fold(0_usize, |all, byte| Some(all.checked_mul(256)? + usize::from(*byte)));
                (length?, rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        (head[0] == tag).then(|| {
            self.0 = rest;
            value
        })
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82][..], &length, &content].concat()
    }

    fn pem(title: &str, der: Vec<u8>) -> String {
        let body = serde_json::to_value(ByteString(der)).expect("base64");
        let body = body.as_str().expect("a text").as_bytes().chunks(64);
        let body: Vec<_> = body.map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("a note\n-----BEGIN {title}-----\n{}\n-----END {title}-----\n", body.join("\n"))
    }

    fn certificate(algorithm: &[u8], public: &[u8]) -> String {
        let info = value(
            SEQUENCE,
            &[&value(SEQUENCE, &[&value(NAME, &[algorithm])]), &value(BITS, &[&[0], public])],
        );
        let other = value(SEQUENCE, &[]);
        let signed = [&value(FIRST, &[]), &value(INTEGER, &[&[1]]), &other, &other, &other, &other, &info];
        let signed: Vec<&[u8]> = signed.iter().map(|part| part.as_slice()).collect();
        pem(CERTIFICATE, value(SEQUENCE, &[&value(SEQUENCE, &signed), &other]))
    }

    fn rsa_public(modulus: &[u8]) -> Vec<u8> {
        value(SEQUENCE, &[&value(INTEGER, &[modulus]), &value(INTEGER, &[&[3]])])
    }

    fn rsa(modulus: &[u8]) -> Vec<u8> {
        value(SEQUENCE, &[&value(INTEGER, &[&[0]]), &value(INTEGER, &[modulus])])
    }

    fn curve(public: Option<&[u8]>) -> Vec<u8> {
        let public = public.map_or_else(Vec::new, |public| value(SECOND, &[&value(BITS, &[&[0], public])]));
        value(SEQUENCE, &[&value(INTEGER, &[&[1]]), &value(OCTETS, &[&[9]]), &public])
    }

    fn pkcs8(algorithm: &[u8], inner: &[u8]) -> String {
        let named = value(SEQUENCE, &[&value(NAME, &[algorithm])]);
        pem(PRIVATE_KEY, value(SEQUENCE, &[&value(INTEGER, &[&[0]]), &named, &value(OCTETS, &[inner])]))
    }

    #[test]
    fn a_key_belongs_to_a_certificate_with_the_same_public_key() {
        let modulus = [7; 200];
        let of_rsa = certificate(RSA, &rsa_public(&modulus));
        let of_curve = certificate(CURVE, b"point");
        let of_ed = certificate(ED25519, b"public");
        let bad = |title| pem(title, vec![0]);
        let other = "tls: private key does not match public key";
        let kind = "tls: private key type does not match public key type";
        for (certificate, key, expected) in [
            (&of_rsa, pem("RSA PRIVATE KEY", rsa(&modulus)), ""),
            (&of_rsa, pkcs8(RSA, &rsa(&modulus)), ""),
            (&of_rsa, pkcs8(RSA, &rsa(&[8; 200])), other),
            (&of_rsa, pem("EC PRIVATE KEY", curve(None)), kind),
            (&of_curve, pem("EC PRIVATE KEY", curve(Some(b"point"))), ""),
            (&of_curve, pkcs8(CURVE, &curve(Some(b"other"))), other),
            (&of_curve, pkcs8(CURVE, &curve(None)), ""),
            (&of_ed, pkcs8(ED25519, b"seed"), ""),
            (&of_ed, pkcs8(RSA, &rsa(&modulus)), kind),
            (&format!("{of_rsa}{of_curve}"), pkcs8(RSA, &rsa(&modulus)), ""),
            (&bad(CERTIFICATE), bad(PRIVATE_KEY), "x509: malformed certificate"),
            (&of_rsa, bad(PRIVATE_KEY), "tls: failed to parse private key"),
            (
                &of_rsa,
                of_rsa.clone(),
                "tls: found a certificate rather than a key in the PEM for the private key",
            ),
            (&of_rsa, "text".into(), "tls: failed to find any PEM data in key input"),
            (&"text".into(), "text".into(), "tls: failed to find any PEM data in certificate input"),
            (
                &bad(PRIVATE_KEY),
                of_rsa.clone(),
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may \
                 have been switched",
            ),
        ] {
            let found = check(certificate.as_bytes(), key.as_bytes());
            assert_eq!(found.map_or_else(|why| why.to_string(), |()| String::new()), expected);
        }
    }
}
