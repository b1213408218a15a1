//! What Go says of a text that is no time in RFC 3339.

use crate::api::validation::quoted;

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// The parts of the layout, with how many digits each has.
const PARTS: [(&str, usize); 6] = [("2006", 4), ("01", 2), ("02", 2), ("15", 2), ("04", 2), ("05", 2)];
const BETWEEN: [&str; 5] = ["-", "-", "T", ":", ":"];

/// The sentence about a text: how far it could be read, and what should have come there.
pub(super) fn problem(text: &str) -> String {
    let failed = |rest: &str, part: &str| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quoted(text),
            quoted(LAYOUT),
            quoted(rest),
            quoted(part)
        )
    };
    let mut rest = text;
    let mut numbers = [0_u32; PARTS.len()];
    for (index, (part, digits)) in PARTS.iter().enumerate() {
        let number = rest.get(..*digits).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(number) = number.and_then(|number| number.parse().ok()) else { return failed(rest, part) };
        numbers[index] = number;
        let between = BETWEEN.get(index).copied().unwrap_or_default();
        let after = &rest[*digits..];
        match after.strip_prefix(between) {
            Some(next) => rest = next,
            None => return failed(after, between),
        }
    }
    for (number, most, what) in [
        (numbers[1].wrapping_sub(1), 11, "month"),
        (numbers[2].wrapping_sub(1), 30, "day"),
        (numbers[3], 23, "hour"),
        (numbers[4], 59, "minute"),
        (numbers[5], 59, "second"),
    ] {
        if number > most {
            return format!("parsing time {}: {what} out of range", quoted(text));
        }
    }
    // A fraction may follow the seconds.
    if let Some(fraction) = rest.strip_prefix(['.', ','])
        && fraction.starts_with(|digit: char| digit.is_ascii_digit())
    {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    let zone_end = if rest.starts_with('Z') { 1 } else { 6 };
    match rest.get(zone_end..) {
        Some(extra) if !extra.is_empty() && (zone_end == 1 || rest.starts_with(['+', '-'])) => {
            format!("parsing time {}: extra text: {}", quoted(text), quoted(extra))
        }
        Some("") if numbers[2] > 28 => format!("parsing time {}: day out of range", quoted(text)),
        _ => failed(rest, "Z07:00"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_time_is_told_as_go_tells_it() {
        for (text, expected) in [
            (
                "yesterday",
                r#"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#,
            ),
            (
                "2026-1-2",
                r#"parsing time "2026-1-2" as "2006-01-02T15:04:05Z07:00": cannot parse "1-2" as "01""#,
            ),
            (
                "2026-01-02 10:00:00Z",
                r#"parsing time "2026-01-02 10:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 10:00:00Z" as "T""#,
            ),
            (
                "2026-01-02T10:00:00",
                r#"parsing time "2026-01-02T10:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00""#,
            ),
            ("2026-13-02T10:00:00Z", r#"parsing time "2026-13-02T10:00:00Z": month out of range"#),
            ("2026-02-30T10:00:00Z", r#"parsing time "2026-02-30T10:00:00Z": day out of range"#),
            ("2026-01-02T10:00:00Zx", r#"parsing time "2026-01-02T10:00:00Zx": extra text: "x""#),
        ] {
            assert_eq!(problem(text), expected);
        }
    }
}
