//! Text that people read, without what would drive their terminal: names, messages and Events are written by programs and
//! may hold anything. JSON, YAML and JSONPath are for programs and stay as they are, as are the logs of containers.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control character but line ends and tabs shown as one can read it. ESC and CR are shown as kubectl
/// shows them, `^[` and `\r`; the others, which it lets pass, in the same way: `^G`, `^?`, `\u009b`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let Some(start) = text.bytes().position(may_drive) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 8);
    shown.push_str(&text[..start]);
    for c in text[start..].chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => shown.push_str("\\r"),
            '\u{7f}' => shown.push_str("^?"),
            '\0'..='\u{1f}' => {
                shown.push('^');
                // `^A` is 1: the contents begin one after `@`.
                shown.push(char::from(b'@' + u32::from(c) as u8));
            }
            '\u{80}'..='\u{9f}' => {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\u{:04x}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether a text may hold control characters, line ends and tabs among them: a quick look at its bytes.
pub(super) fn may_hold_controls(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' || may_drive(byte))
}

/// The second half of the control characters begins with 0xC2 in UTF-8, as some contents do.
fn may_drive(byte: u8) -> bool {
    (byte < b' ' && !matches!(byte, b'\n' | b'\t')) || matches!(byte, 0x7f | 0xc2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_is_left() {
        for (text, expected) in [
            ("plain, äöü, ¶\n\tnext", "plain, äöü, ¶\n\tnext"),
            ("\u{1b}[31mred", "^[[31mred"),
            ("a\rb", "a\\rb"),
            ("\u{7}\u{8}\0\u{c}\u{7f}", "^G^H^@^L^?"),
            ("\u{9b}2J\u{85}", "\\u009b2J\\u0085"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        let all: String = (0..0x2000).filter_map(char::from_u32).collect();
        let left: Vec<char> = escaped(&all).chars().filter(|c| c.is_control()).collect();
        assert_eq!(left, ['\t', '\n']);
        assert!(matches!(escaped("plain"), Cow::Borrowed(_)));
    }
}
