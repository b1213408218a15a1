//! Texts between quotes as Go's packages write them, which stand in most messages of kubectl and of a server.

use std::fmt::Write as _;

/// As `%q` and `strconv.Quote` have it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        // Writing to a String cannot fail.
        let _ = match character {
            '"' | '\\' => write!(quoted, "\\{character}"),
            '\u{7}' => quoted.write_str("\\a"),
            '\u{8}' => quoted.write_str("\\b"),
            '\u{c}' => quoted.write_str("\\f"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            '\u{b}' => quoted.write_str("\\v"),
            ' '..='~' => quoted.write_char(character),
            '\0'..='\u{7f}' => write!(quoted, "\\x{:02x}", u32::from(character)),
            _ if is_printable(character) => quoted.write_char(character),
            '\u{80}'..='\u{ffff}' => write!(quoted, "\\u{:04x}", u32::from(character)),
            _ => write!(quoted, "\\U{:08x}", u32::from(character)),
        };
    }
    quoted.push('"');
    quoted
}

/// Whether Rust's Debug leaves a character as it is, which is what Go takes as printable. Debug writes marks as they are only after
/// another character.
fn is_printable(character: char) -> bool {
    let mut text = [b'a'; 5];
    let length = 1 + character.encode_utf8(&mut text[1..]).len();
    std::str::from_utf8(&text[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(character))
}

/// As the package `time` has it: nothing but the bytes of what is not ASCII.
pub(crate) fn quoted_by_time(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        let _ = match byte {
            b'"' | b'\\' => write!(quoted, "\\{}", char::from(byte)),
            b' '..=0x7f => quoted.write_char(char::from(byte)),
            _ => write!(quoted, "\\x{byte:02x}"),
        };
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_go_quotes_them() {
        for (text, expected) in [
            ("a", r#""a""#),
            ("a\"b\\", r#""a\"b\\""#),
            ("\u{7}\n\u{1}\u{7f}", r#""\a\n\x01\x7f""#),
            ("é\u{200b}", r#""é\u200b""#),
            ("\u{301}e\u{301}", "\"\u{301}e\u{301}\""),
            ("\u{a0}\u{e000}\u{1f600}\u{e0001}", "\"\\u00a0\\ue000\u{1f600}\\U000e0001\""),
            ("it's", r#""it's""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn times_are_quoted_byte_by_byte() {
        for (text, expected) in [("2\"\\", r#""2\"\\""#), ("ä\n\u{7f}", "\"\\xc3\\xa4\\x0a\u{7f}\"")] {
            assert_eq!(quoted_by_time(text), expected);
        }
    }
}
