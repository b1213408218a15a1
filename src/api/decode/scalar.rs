//! What an untagged plain scalar is in YAML 1.1, as kubectl takes it; written from kubectl's answers
//! (tests/data/yaml-read.json). The printer asks the same question to know what must be quoted.

/// A scalar once resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    /// `null`, `~` and nothing at all.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites, each in three casings.
    Bool(bool),
    /// A whole number in base 2, 8, 10 or 16.
    Int(i64),
    /// A whole number that only an unsigned one holds.
    Uint(u64),
    /// Any other number, the infinities and NaN included.
    Float(f64),
    /// A date or a time of day with one. It stays a string in JSON.
    Timestamp,
    /// `<<`, which merges when it is a key and is a string elsewhere.
    Merge,
    /// Everything else.
    String,
}

impl Scalar {
    /// The short name of its tag, for messages.
    pub(super) fn tag(&self) -> &'static str {
        match self {
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) | Scalar::Uint(_) => "!!int",
            Scalar::Float(_) => "!!float",
            Scalar::Timestamp => "!!timestamp",
            Scalar::Merge => "!!merge",
            Scalar::String => "!!str",
        }
    }
}

/// Resolves a plain scalar.
pub(crate) fn resolve(text: &str) -> Scalar {
    if let Some(word) = word(text) {
        return word;
    }
    match text.as_bytes()[0] {
        b'.' => float(text).unwrap_or(Scalar::String),
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Scalar::String,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        "<<" => Scalar::Merge,
        _ => return None,
    })
}

fn number(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain)).unwrap_or(Scalar::String)
}

/// A sign, then `0x`, `0o`, `0b` or a bare `0` (octal) in either casing, else decimal.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' | b'+' => text.split_at(1),
        _ => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // from_str_radix would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (sign, i64::try_from(magnitude)) {
        ("-", Ok(magnitude)) => Some(Scalar::Int(-magnitude)),
        ("-", Err(_)) => (magnitude == i64::MIN.unsigned_abs()).then_some(Scalar::Int(i64::MIN)),
        (_, Ok(magnitude)) => Some(Scalar::Int(magnitude)),
        // A sign is refused where only an unsigned number would do.
        ("", Err(_)) => Some(Scalar::Uint(magnitude)),
        (_, Err(_)) => None,
    }
}

/// Digits, a point, an exponent; neither the names nor the hexadecimal forms that parsers also take.
fn float(text: &str) -> Option<Scalar> {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    if whole.is_empty() && fraction.is_empty()
        || !is_digits(whole)
        || !is_digits(fraction)
        || !exponent_is_number
    {
        return None;
    }
    // What a double cannot hold stays a string: 1e400.
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Scalar::Float)
}

/// `2024-1-2`, alone or with a time after `T`, `t` or a space; a zone only after the contents.
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let mut rest = rest;
    let Some(month) = take_number(&mut rest, 1..=12) else { return false };
    let Some(after) = rest.strip_prefix('-') else { return false };
    rest = after;
    let Some(day) = take_number(&mut rest, 1..=31) else { return false };
    let year: i32 = year.parse().unwrap_or_default();
    if chrono::NaiveDate::from_ymd_opt(year, month, day).is_none() {
        return false;
    }
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => is_time(&rest[1..], true),
        Some(b' ') => is_time(&rest[1..], false),
        Some(_) => false,
    }
}

fn is_time(mut rest: &str, zoned: bool) -> bool {
    let hour = take_number(&mut rest, 0..=23);
    let Some(after) = rest.strip_prefix(':').filter(|_| hour.is_some()) else { return false };
    rest = after;
    let minute = take_number(&mut rest, 0..=59);
    let Some(after) = rest.strip_prefix(':').filter(|_| minute.is_some()) else { return false };
    rest = after;
    if take_number(&mut rest, 0..=59).is_none() {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        if end == 0 {
            return false;
        }
        rest = &fraction[end..];
    }
    if !zoned {
        return rest.is_empty();
    }
    match rest.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// One or two digits within bounds.
fn take_number(rest: &mut &str, bounds: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok().filter(|number| bounds.contains(number))?;
    *rest = &rest[digits..];
    Some(number)
}
