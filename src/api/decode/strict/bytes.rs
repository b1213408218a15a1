//! Bytes in objects: base64 as Go's decoder takes it, which passes over line ends and does not look at bits beyond the last
//! byte. It is kept in its one form.

use k8s_openapi::ByteString;
use serde_json::Value;

/// The fields of each kind that hold bytes.
const FIELDS: [(&str, &str); 2] = [("ConfigMap", "binaryData"), ("Secret", "data")];

/// Rewrites the bytes of an object into their one form; nothing where they are in it.
///
/// # Errors
/// The path of a text that is not base64, and what Go says of it.
pub(super) fn canonical(value: &Value) -> Result<Option<Value>, (String, String)> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == kind) else { return Ok(None) };
    let Some(entries) = value.get(*field).and_then(Value::as_object) else { return Ok(None) };
    let mut rewritten: Option<Value> = None;
    for (key, text) in entries {
        let Some(text) = text.as_str() else { continue };
        let bytes = decode(text.as_bytes()).map_err(|place| {
            (format!("{field}.{key}"), format!("illegal base64 data at input byte {place}"))
        })?;
        let one_form = serde_json::to_value(ByteString(bytes)).unwrap_or_default();
        if one_form != *text {
            rewritten.get_or_insert_with(|| value.clone())[*field][key] = one_form;
        }
    }
    Ok(rewritten)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes base64; the error is the place that Go names.
fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut at = 0;
    let skip = |mut at: usize| {
        while text.get(at).is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    loop {
        let mut quantum = [0_u8; 4];
        let mut filled = 0;
        let mut is_last = false;
        while filled < 4 {
            at = skip(at);
            let Some(byte) = text.get(at) else {
                return if filled == 0 { Ok(bytes) } else { Err(at - filled) };
            };
            at += 1;
            if let Some(bits) = sextet(*byte) {
                quantum[filled] = bits;
                filled += 1;
                continue;
            }
            if *byte != b'=' || filled < 2 {
                return Err(at - 1);
            }
            if filled == 2 {
                at = skip(at);
                match text.get(at) {
                    None => return Err(text.len()),
                    Some(b'=') => at += 1,
                    Some(_) => return Err(at - 1),
                }
            }
            at = skip(at);
            if at < text.len() {
                return Err(at);
            }
            is_last = true;
            break;
        }
        let [a, b, c, d] = quantum;
        let whole = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        bytes.extend_from_slice(&whole[..filled - 1]);
        if is_last {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_go_reads_it() {
        for (text, expected) in [
            ("", Ok("")),
            ("MQ==", Ok("1")),
            ("YWJj", Ok("abc")),
            ("YWJj\nZGVm\n", Ok("abcdef")),
            ("MQ=\n=\n", Ok("1")),
            // The bits beyond the last byte do not count.
            ("MR==", Ok("1")),
            ("YQ", Err(0)),
            ("YWJjYQ", Err(4)),
            ("***", Err(0)),
            ("not base64!", Err(3)),
            ("MQ=", Err(3)),
            ("MQ=x", Err(2)),
            ("MQ==x", Err(4)),
            ("=", Err(0)),
        ] {
            assert_eq!(
                decode(text.as_bytes()),
                expected.map(|text: &str| text.as_bytes().to_vec()),
                "{text:?}"
            );
        }
    }
}
