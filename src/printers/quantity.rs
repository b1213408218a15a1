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

#[cfg(test)]
mod tests {
    use super::nanos;

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
