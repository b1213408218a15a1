//! Numbers as Go writes them: what is printed must be what kubectl prints, digit for digit.

use std::fmt::{Display, LowerExp};

use super::quoted::quoted;

/// As Go's JSON encoder writes a float64: plain digits from 1e-6 up to 1e21, an exponent elsewhere.
/// Takes a finite number.
pub(crate) fn json(number: f64) -> String {
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    // One digit is enough for a negative exponent, and only for that.
    exponential(number).replace("e-0", "e-")
}

/// As Go's strconv writes a number of either precision in format `g`, which go-yaml uses: an exponent below
/// 1e-4 and from 1e6 on. Takes a finite number.
pub(crate) fn general<T: Display + LowerExp + Copy>(number: T) -> String {
    let (_, exponent) = parts(&format!("{number:e}"));
    if (-4..6).contains(&exponent) { number.to_string() } else { exponential(number) }
}

/// Reads a number of 16 bits, such as that of a port, as Go's `strconv.ParseUint` does.
///
/// # Errors
/// What is none, in Go's words.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = if is_number { "value out of range" } else { "invalid syntax" };
    let port = text.parse().ok().filter(|_| is_number);
    port.ok_or_else(|| format!("strconv.ParseUint: parsing {}: {problem}", quoted(text)))
}

fn exponential<T: LowerExp>(number: T) -> String {
    let (mantissa, exponent) = parts(&format!("{number:e}"));
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Mantissa and exponent of a number in `{:e}` form, which always has both.
fn parts(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or_default())
}
