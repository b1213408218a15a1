//! Base64 as Go's decoder takes it, which passes over line ends and does not look at bits beyond the last byte.

/// Decodes base64; the error is the place that Go names.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
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
