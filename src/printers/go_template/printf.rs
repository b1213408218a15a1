//! Go's formatted printing, as far as templates need it.

use std::iter::Peekable;
use std::str::Chars;

use super::super::go_value;
use super::value::Value;
use crate::api::quoted::quoted;

/// `%v`
pub(super) fn plain(value: &Value<'_>) -> String {
    go_value::plain(&value.to_json())
}

/// Go's `Sprint`: a space stands between two values of which neither is text.
pub(super) fn print(values: &[Value<'_>]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
        if at > 0 && !is_text(value) && !is_text(&values[at - 1]) {
            text.push(' ');
        }
        text.push_str(&plain(value));
    }
    text
}

/// Go's `Sprintln`.
pub(super) fn println(values: &[Value<'_>]) -> String {
    values.iter().map(plain).collect::<Vec<_>>().join(" ") + "\n"
}

/// What stands between `%` and the verb.
#[derive(Default)]
struct Spec {
    minus: bool,
    zero: bool,
    plus: bool,
    space: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Go's `Sprintf`.
pub(super) fn printf(format: &str, values: &[Value<'_>]) -> String {
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    let mut used = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-0+ #".contains(*c)) {
            match flag {
                '-' => spec.minus = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.sharp = true,
            }
        }
        spec.width = number(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars).unwrap_or(0));
        }
        match chars.next() {
            None => text.push_str("%!(NOVERB)"),
            Some('%') => text.push('%'),
            Some(verb) => match values.get(used) {
                None => text.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => {
                    used += 1;
                    text.push_str(&formatted(verb, &spec, value));
                }
            },
        }
    }
    if used < values.len() {
        let extra: Vec<String> = values[used..].iter().map(typed).collect();
        text.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    text
}

/// The digits that come next.
fn number(chars: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or_default() as usize;
        // Wider than this nobody reads, and memory is finite.
        number = Some((number.unwrap_or(0) * 10 + digit).min(10_000));
    }
    number
}

/// `int=2`
fn typed(value: &Value<'_>) -> String {
    match value {
        Value::Missing => "<nil>".into(),
        other => format!("{}={}", other.type_name(), plain(other)),
    }
}

fn formatted(verb: char, spec: &Spec, value: &Value<'_>) -> String {
    let signed = |number: i64, digits: String| {
        let sign = match number {
            ..0 => "-",
            _ if spec.plus => "+",
            _ if spec.space => " ",
            _ => "",
        };
        padded_number(spec, sign, &digits)
    };
    let float = |number: f64, digits: String| {
        let sign = match number.is_sign_negative() {
            true => "-",
            false if spec.plus => "+",
            false if spec.space => " ",
            false => "",
        };
        padded_number(spec, sign, &digits)
    };
    match (verb, value) {
        ('v', _) if spec.sharp => padded(spec, go_value::syntax(&value.to_json())),
        ('v', Value::Int(number) | Value::Int64(number)) => {
            signed(*number, number.unsigned_abs().to_string())
        }
        ('v', _) => padded(spec, plain(value)),
        ('T', _) => padded(spec, value.type_name().to_owned()),
        ('t', Value::Bool(value)) => padded(spec, value.to_string()),
        ('s', Value::Text(text)) => padded(spec, cut(spec, text)),
        ('q', Value::Text(text)) => padded(spec, quoted(&cut(spec, text))),
        ('x', Value::Text(text)) => padded(spec, text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ('X', Value::Text(text)) => padded(spec, text.bytes().map(|byte| format!("{byte:02X}")).collect()),
        // Go prints each value of a list or map by the verb; of text it is what it is by itself.
        ('s', Value::List(_) | Value::Map(_)) if is_all_text(&value.to_json()) => padded(spec, plain(value)),
        (_, Value::Int(number) | Value::Int64(number)) => {
            let size = number.unsigned_abs();
            match verb {
                'd' => signed(*number, size.to_string()),
                'x' => signed(*number, format!("{size:x}")),
                'X' => signed(*number, format!("{size:X}")),
                'o' => signed(*number, format!("{size:o}")),
                'b' => signed(*number, format!("{size:b}")),
                'c' => {
                    let c = u32::try_from(*number).ok().and_then(char::from_u32);
                    padded(spec, c.unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
                }
                _ => format!("%!{verb}({})", typed(value)),
            }
        }
        (_, Value::Float(number)) => {
            let size = number.abs();
            let precision = spec.precision.unwrap_or(6);
            match verb {
                'f' | 'F' => float(*number, format!("{size:.precision$}")),
                'e' => float(*number, exponent(&format!("{size:.precision$e}"))),
                'g' if spec.precision.is_none() => float(*number, plain(&Value::Float(size))),
                _ => format!("%!{verb}({})", typed(value)),
            }
        }
        (_, Value::Missing) => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({})", typed(value)),
    }
}

fn is_all_text(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Array(items) => items.iter().all(is_all_text),
        serde_json::Value::Object(map) => map.values().all(is_all_text),
        other => other.is_string(),
    }
}

fn cut(spec: &Spec, text: &str) -> String {
    spec.precision.map_or_else(|| text.to_owned(), |count| text.chars().take(count).collect())
}

/// Go's exponents have two digits at least, and a sign.
fn exponent(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn padded(spec: &Spec, text: String) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if spec.minus {
        return text + &" ".repeat(missing);
    }
    " ".repeat(missing) + &text
}

fn padded_number(spec: &Spec, sign: &str, digits: &str) -> String {
    let length = sign.len() + digits.len();
    match spec.width {
        Some(width) if spec.zero && !spec.minus => {
            format!("{sign}{}{digits}", "0".repeat(width.saturating_sub(length)))
        }
        _ => padded(spec, format!("{sign}{digits}")),
    }
}
