//! Where a text stops being JSON, in the words of Go's decoder, which are kubectl's.

use crate::api::quoted::quoted;

/// What is wrong with the first value of a text, and after how many bytes that shows.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::api::decode) enum Problem {
    /// A character that cannot stand there; the bytes up to it and with it.
    Character(usize, String),
    /// The text ends within the value.
    End,
}

/// The first mistake in the first value of a text; none where that is sound.
pub(in crate::api::decode) fn problem(text: &str) -> Option<Problem> {
    let mut scan = Scan { bytes: text.as_bytes(), position: 0 };
    scan.value("looking for beginning of value").err()
}

struct Scan<'a> {
    bytes: &'a [u8],
    position: usize,
}

type Step<T = ()> = Result<T, Problem>;

/// What is being read, innermost last.
enum Open {
    Object,
    Array,
}

impl Scan<'_> {
    fn peek(&self) -> Step<u8> {
        self.bytes.get(self.position).copied().ok_or(Problem::End)
    }

    fn next(&mut self) -> Step<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Ok(byte)
    }

    /// The next byte that is no white space.
    fn next_solid(&mut self) -> Step<u8> {
        while matches!(self.peek()?, b' ' | b'\t' | b'\r' | b'\n') {
            self.position += 1;
        }
        self.next()
    }

    /// The byte that was read last cannot stand there.
    fn wrong<T>(&self, context: &str) -> Step<T> {
        let byte = self.bytes[self.position - 1];
        let shown = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            byte => {
                let text = quoted(char::from(byte).encode_utf8(&mut [0; 4]));
                format!("'{}'", &text[1..text.len() - 1])
            }
        };
        Err(Problem::Character(self.position, format!("invalid character {shown} {context}")))
    }

    /// A value, with whatever is in it: what is open is kept in a list, for nesting has no bound here.
    fn value(&mut self, context: &str) -> Step {
        let mut open = Vec::new();
        let mut context = context;
        loop {
            match self.next_solid()? {
                b'{' => {
                    if self.next_solid()? != b'}' {
                        self.position -= 1;
                        self.key()?;
                        open.push(Open::Object);
                        context = "looking for beginning of value";
                        continue;
                    }
                }
                b'[' => {
                    if self.next_solid()? != b']' {
                        self.position -= 1;
                        open.push(Open::Array);
                        context = "looking for beginning of value";
                        continue;
                    }
                }
                b'"' => self.string()?,
                byte @ (b'-' | b'0'..=b'9') => self.number(byte)?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => return self.wrong(context),
            }
            // After a value: on to the next in what is open, or out of it.
            loop {
                match open.last() {
                    None => return Ok(()),
                    Some(Open::Object) => match self.next_solid()? {
                        b',' => {
                            self.key()?;
                            break;
                        }
                        b'}' => drop(open.pop()),
                        _ => return self.wrong("after object key:value pair"),
                    },
                    Some(Open::Array) => match self.next_solid()? {
                        b',' => break,
                        b']' => drop(open.pop()),
                        _ => return self.wrong("after array element"),
                    },
                }
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Step {
        if self.next_solid()? != b'"' {
            return self.wrong("looking for beginning of object key string");
        }
        self.string()?;
        if self.next_solid()? != b':' {
            return self.wrong("after object key");
        }
        Ok(())
    }

    /// The rest of a text, after its quote.
    fn string(&mut self) -> Step {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    b'u' => {
                        for _ in 0..4 {
                            if !self.next()?.is_ascii_hexdigit() {
                                return self.wrong("in \\u hexadecimal character escape");
                            }
                        }
                    }
                    _ => return self.wrong("in string escape code"),
                },
                0..=0x1f => return self.wrong("in string literal"),
                _ => {}
            }
        }
    }

    /// The rest of a number, after its first character.
    fn number(&mut self, first: u8) -> Step {
        let first = if first == b'-' {
            let digit = self.next()?;
            if !digit.is_ascii_digit() {
                return self.wrong("in numeric literal");
            }
            digit
        } else {
            first
        };
        if first != b'0' {
            self.digits();
        }
        if self.peek().ok() == Some(b'.') {
            self.position += 1;
            if !self.next()?.is_ascii_digit() {
                return self.wrong("after decimal point in numeric literal");
            }
            self.digits();
        }
        if matches!(self.peek(), Ok(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.position += 1;
            }
            if !self.next()?.is_ascii_digit() {
                return self.wrong("in exponent of numeric literal");
            }
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
    }

    /// The rest of `true`, `false` or `null`.
    fn word(&mut self, word: &str) -> Step {
        for expected in word.bytes().skip(1) {
            if self.next()? != expected {
                let expected = char::from(expected);
                return self.wrong(&format!("in literal {word} (expecting '{expected}')"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        // As kubectl 1.32 prints them.
        for (text, offset, expected) in [
            (r#"{"kind":"A" "b":1}"#, 13, r#"invalid character '"' after object key:value pair"#),
            (r#"{"kind":"A",}"#, 13, "invalid character '}' looking for beginning of object key string"),
            (r#"{"kind":tru}"#, 12, "invalid character '}' in literal true (expecting 'e')"),
            (r#"{"kind":"A","b":[1 2]}"#, 20, "invalid character '2' after array element"),
            (r#"{"kind":"A","b":01}"#, 18, "invalid character '1' after object key:value pair"),
            (r#"{"kind":"A","b":1.x}"#, 19, "invalid character 'x' after decimal point in numeric literal"),
            (r#"{"kind":"A\x"}"#, 12, "invalid character 'x' in string escape code"),
            (r#"{"kind":"A\u12x4"}"#, 15, "invalid character 'x' in \\u hexadecimal character escape"),
            (r#"{"kind":'A'}"#, 9, r"invalid character '\'' looking for beginning of value"),
            (r#"{"kind":"A","b":-}"#, 18, "invalid character '}' in numeric literal"),
            ("{\"kind\":\"\t\"}", 10, r"invalid character '\t' in string literal"),
            (r#"{"kind" "A"}"#, 9, r#"invalid character '"' after object key"#),
            (r#"{"b":1e}"#, 8, "invalid character '}' in exponent of numeric literal"),
            ("---", 2, "invalid character '-' in numeric literal"),
        ] {
            assert_eq!(problem(text), Some(Problem::Character(offset, expected.to_owned())), "{text}");
        }
        for text in [r#"{"kind":"A"#, r#"{"kind":"A""#, "[", "[1,", "-", "tr", r#"{"a":"#, "1."] {
            assert_eq!(problem(text), Some(Problem::End), "{text}");
        }
        for text in [r#"{"a":[1,-0.5e+3,{}],"b":[],"c":"\u00e9\n"} x"#, "true", "0", " null "] {
            assert_eq!(problem(text), None, "{text}");
        }
        let deep = "[".repeat(1_000_000);
        assert_eq!(problem(&deep), Some(Problem::End));
    }
}
