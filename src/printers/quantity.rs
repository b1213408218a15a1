//! Reading resource quantities (`500m`, `1Gi`), as far as text needs it: comparing and dividing them.

/// A quantity in billionths, which is as fine as Kubernetes keeps them; `None` for text that is no quantity.
pub(crate) fn nanos(text: &str) -> Option<i128> {
    let number_end = text
        .char_indices()
        .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || (i == 0 && (c == '-' || c == '+'))))
        .map_or(text.len(), |(i, _)| i);
    let (number, suffix) = text.split_at(number_end);
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (factor, divisor) = scale(suffix)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(divisor)?;
    let scaled = digits.checked_mul(factor)?.checked_mul(1_000_000_000)?;
    // What is finer than a billionth is rounded up, as upstream does.
    let value = scaled.checked_add(divisor - 1)? / divisor;
    Some(if negative { -value } else { value })
}

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
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

/// A quantity as upstream writes it: the largest suffix that leaves a whole number, in the family of suffixes
/// it was given in. Text that is no quantity stays as it is.
pub(crate) fn canonical(text: &str) -> String {
    nanos(text).map_or_else(|| text.to_owned(), |nanos| written_like(nanos, text))
}

/// So many billionths, with a suffix of the family that a text has.
pub(crate) fn written_like(nanos: i128, text: &str) -> String {
    const BILLION: i128 = 1_000_000_000;
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
    use super::{canonical, nanos};

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
            ("", None),
            ("m", None),
            ("1.2.3", None),
            ("1x", None),
            ("2026-11-20T10:00:00Z", None),
        ] {
            assert_eq!(nanos(text), expected, "{text:?}");
        }
    }
}
