//! Resource quantities (`500m`, `1Gi`): reading them as upstream's ParseQuantity does, comparing them, writing them.

/// What is said of a text that has not the form of a quantity.
pub(crate) const FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// What is said of one whose suffix there is not.
const SUFFIX: &str = "unable to parse quantity's suffix";

const BILLION: i128 = 1_000_000_000;
/// Decimals that count: upstream keeps billionths.
const DECIMALS: usize = 9;

/// A quantity in billionths, which is as fine as Kubernetes keeps them: what is finer is rounded away from zero. One that
/// is larger than can be counted so is the largest that can. As upstream, a number without digits is zero.
///
/// # Errors
/// Upstream's sentence.
pub(crate) fn parse(text: &str) -> Result<i128, &'static str> {
    if text.is_empty() {
        return Err(FORMAT);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits(unsigned);
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
    if !is_suffix(suffix) {
        return Err(FORMAT);
    }
    let (factor, divisor) = scale(suffix).ok_or(SUFFIX)?;
    let value = magnitude(whole, fraction, factor, divisor);
    Ok(if negative { -value } else { value })
}

/// A quantity in billionths; `None` for text that is no quantity.
pub(crate) fn nanos(text: &str) -> Option<i128> {
    parse(text).ok()
}

/// A quantity as a whole number, as bytes are counted: what is finer is rounded away from zero, what is larger is the
/// largest there is (`Value` upstream). `None` for text that is no quantity.
pub(crate) fn whole(text: &str) -> Option<i64> {
    Some(in_units(nanos(text)?, BILLION))
}

/// A quantity in thousandths, as CPUs are counted, rounded as by [`whole`] (`MilliValue` upstream).
pub(crate) fn thousandths(text: &str) -> Option<i64> {
    Some(in_units(nanos(text)?, BILLION / 1000))
}

/// So many billionths in units of so many, rounded away from zero.
fn in_units(nanos: i128, unit: i128) -> i64 {
    let away = i128::from(nanos % unit != 0) * nanos.signum();
    let count = nanos / unit + away;
    i64::try_from(count).unwrap_or(if count < 0 { i64::MIN } else { i64::MAX })
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether a text has the form of a suffix, known or not: contents, a sign, digits.
fn is_suffix(text: &str) -> bool {
    let rest = text.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    digits(rest.strip_prefix(['-', '+']).unwrap_or(rest)).1.is_empty()
}

fn magnitude(whole: &str, fraction: &str, factor: i128, divisor: i128) -> i128 {
    let (counted, finer) = fraction.split_at(fraction.len().min(DECIMALS));
    let number = format!("{whole}{counted:0<DECIMALS$}").parse::<i128>().unwrap_or(i128::MAX);
    // All of these are positive, so too large is the only way to be wrong.
    let finer = i128::from(finer.bytes().any(|digit| digit != b'0'));
    let scaled = number.saturating_add(finer).saturating_mul(factor);
    if scaled == i128::MAX { scaled } else { scaled / divisor + i128::from(scaled % divisor != 0) }
}

/// What a suffix multiplies by, and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    const K: i128 = 1000;
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, K * K * K),
        "u" => (1, K * K),
        "m" => (1, K),
        "k" => (K, 1),
        "M" => (K.pow(2), 1),
        "G" => (K.pow(3), 1),
        "T" => (K.pow(4), 1),
        "P" => (K.pow(5), 1),
        "E" => (K.pow(6), 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
            let power = 10_i128.checked_pow(power).unwrap_or(i128::MAX);
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

/// A quantity as upstream writes it: the largest suffix that leaves a whole number, in the family of suffixes
/// it was given in. Text that is no quantity stays as it is.
pub(crate) fn canonical(text: &str) -> String {
    match nanos(text) {
        Some(nanos) if nanos.abs() < i128::MAX => written_like(nanos, text),
        _ => text.to_owned(),
    }
}

/// As [`canonical`], with thousandths as the finest: what is asked for of a resource is rounded up to these.
pub(crate) fn canonical_amount(text: &str) -> String {
    const THOUSANDTH: i128 = BILLION / 1000;
    match nanos(text) {
        Some(nanos) if nanos.abs() < i128::MAX - THOUSANDTH => {
            let whole = nanos.div_euclid(THOUSANDTH) + i128::from(nanos.rem_euclid(THOUSANDTH) != 0);
            written_like(whole * THOUSANDTH, text)
        }
        _ => text.to_owned(),
    }
}

/// So many billionths, with a suffix of the family that a text has.
pub(crate) fn written_like(nanos: i128, text: &str) -> String {
    if nanos == 0 {
        return "0".to_owned();
    }
    if text.ends_with('i') && nanos.abs() >= 1024 * BILLION {
        // Binary suffixes know no fractions; upwards is the side that does not promise too little.
        let mut value = nanos.div_euclid(BILLION) + i128::from(nanos.rem_euclid(BILLION) != 0);
        let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter().peekable();
        let mut suffix = suffixes.next().unwrap_or_default();
        while value % 1024 == 0 && suffixes.peek().is_some() {
            value /= 1024;
            suffix = suffixes.next().unwrap_or_default();
        }
        return format!("{value}{suffix}");
    }
    let mut value = nanos;
    let mut exponent = -9;
    while value % 1000 == 0 && exponent < 18 {
        value /= 1000;
        exponent += 3;
    }
    let scientific = text.find(['e', 'E']).is_some_and(|at| at + 1 < text.len());
    let suffix = match exponent {
        0 => "",
        _ if scientific => return format!("{value}e{exponent}"),
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        _ => "E",
    };
    format!("{value}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_with_the_largest_suffix_that_fits() {
        for (text, expected) in [
            ("1.5", "1500m"),
            ("1000m", "1"),
            ("2000", "2k"),
            ("2e3", "2e3"),
            ("20e2", "2e3"),
            ("1e1", "10"),
            ("0.5Gi", "512Mi"),
            ("1024Mi", "1Gi"),
            ("100Ki", "100Ki"),
            ("0.5Ki", "512"),
            ("0", "0"),
            ("0m", "0"),
            ("1E", "1E"),
            ("x", "x"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
        for (text, expected) in [("100u", "1m"), ("0.5", "500m"), ("1500u", "2m"), ("1Ki", "1Ki"), ("x", "x")]
        {
            assert_eq!(canonical_amount(text), expected, "{text}");
        }
    }

    #[test]
    fn quantities_are_read_with_their_suffixes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("500m", Some(500_000_000)),
            ("1.5", Some(1_500_000_000)),
            ("-2", Some(-2_000_000_000)),
            ("1Ki", Some(1_024_000_000_000)),
            ("1e3", Some(1_000_000_000_000)),
            ("1E-3", Some(1_000_000)),
            (".5", Some(500_000_000)),
            ("5.", Some(5_000_000_000)),
            ("0.0000000001", Some(1)),
            ("-0.0000000011", Some(-2)),
            ("1e-400", Some(1)),
            ("1e400", Some(i128::MAX)),
            ("0e400", Some(0)),
            ("m", Some(0)),
            ("-", Some(0)),
        ] {
            assert_eq!(nanos(text), expected, "{text:?}");
        }
    }

    #[test]
    fn counts_are_rounded_away_from_zero() {
        for (text, milli, units) in [
            ("0", 0, 0),
            ("500m", 500, 1),
            ("0.0001", 1, 1),
            ("-0.0001", -1, -1),
            ("1.5", 1500, 2),
            ("-1500m", -1500, -2),
            ("64Mi", 67_108_864_000, 67_108_864),
            ("100n", 1, 1),
            ("1e30", i64::MAX, i64::MAX),
            ("-1e30", i64::MIN, i64::MIN),
            ("9E", i64::MAX, 9_000_000_000_000_000_000),
        ] {
            assert_eq!((thousandths(text), whole(text)), (Some(milli), Some(units)), "{text}");
        }
        assert_eq!((thousandths("x"), whole("")), (None, None));
    }

    #[test]
    fn what_is_no_quantity_is_told_in_upstreams_words() {
        for text in
            ["", "1x", "1.2.3", "1 Gi", " 1", "1gi", "0x1", "1e5Ki", "é", "1é", "2026-11-20T10:00:00Z"]
        {
            assert_eq!(parse(text), Err(FORMAT), "{text:?}");
        }
        for text in ["1e", "1ki", "1nn", "1Kii", "1i", "5e"] {
            assert_eq!(parse(text), Err(SUFFIX), "{text:?}");
        }
    }
}
