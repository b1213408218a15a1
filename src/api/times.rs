//! Points in time as Go reads them.

use chrono::{DateTime, Utc};

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// The parts of the layout: numbers with the values that they may have, and what stands between.
const PARTS: [Part; 11] = [
    Part::Number("2006", "year", 0, 9999),
    Part::Literal("-"),
    Part::Number("01", "month", 1, 12),
    Part::Literal("-"),
    Part::Number("02", "day", 0, 99),
    Part::Literal("T"),
    Part::Number("15", "hour", 0, 23),
    Part::Literal(":"),
    Part::Number("04", "minute", 0, 59),
    Part::Literal(":"),
    Part::Number("05", "second", 0, 59),
];

enum Part {
    Literal(&'static str),
    Number(&'static str, &'static str, u32, u32),
}

/// Reads a time of RFC 3339. The error is Go's sentence.
///
/// # Errors
/// Text that is none.
pub fn parse(text: &str) -> Result<DateTime<Utc>, String> {
    check(text)?;
    let time = DateTime::parse_from_rfc3339(text);
    // What is left to be wrong is a day that the month does not have.
    time.map(Into::into).map_err(|_| format!("parsing time {text:?}: day out of range"))
}

/// Finds the part of the layout that does not fit. The parser of RFC 3339 takes more than Go does.
fn check(text: &str) -> Result<(), String> {
    let cannot_parse =
        |rest, part| format!("parsing time {text:?} as {LAYOUT:?}: cannot parse {rest:?} as {part:?}");
    let out_of_range = |name| format!("parsing time {text:?}: {name} out of range");
    let mut rest = text;
    for part in PARTS {
        let (Part::Literal(layout) | Part::Number(layout, ..)) = part;
        let (found, after) = rest.split_at_checked(layout.len()).ok_or_else(|| cannot_parse(rest, layout))?;
        match part {
            Part::Literal(literal) if found != literal => return Err(cannot_parse(rest, literal)),
            Part::Literal(_) => {}
            Part::Number(layout, name, least, most) => match found.parse::<u32>() {
                Ok(number) if !found.starts_with('+') => {
                    if !(least..=most).contains(&number) {
                        return Err(out_of_range(name));
                    }
                }
                _ => return Err(cannot_parse(rest, layout)),
            },
        }
        rest = after;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    let zone = if rest.starts_with('Z') { 1 } else { "+07:00".len() };
    let is_zone = |zone: &str| DateTime::parse_from_rfc3339(&format!("2006-01-02T15:04:05{zone}")).is_ok();
    match rest.split_at_checked(zone) {
        Some((zone, "")) if is_zone(zone) => Ok(()),
        Some((zone, extra)) if is_zone(zone) => Err(format!("parsing time {text:?}: extra text: {extra:?}")),
        _ => Err(cannot_parse(rest, "Z07:00")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_others_refused_in_gos_words() {
        assert_eq!(parse("2026-01-02T03:04:05.5+01:00").map(|time| time.to_rfc3339()), {
            Ok("2026-01-02T02:04:05.500+00:00".to_owned())
        });
        for (text, rest, part) in [
            ("foo", "foo", "2006"),
            ("2026", "", "-"),
            ("2026-1-02", "1-02", "01"),
            ("2026-01-02 03:04:05Z", " 03:04:05Z", "T"),
            ("2026-01-02T03:04:05", "", "Z07:00"),
            ("äöü", "äöü", "2006"),
        ] {
            let expected = format!("parsing time {text:?} as {LAYOUT:?}: cannot parse {rest:?} as {part:?}");
            assert_eq!(parse(text), Err(expected), "{text}");
        }
        for (text, problem) in [
            ("2026-01-02T03:04:05Zulu", "extra text: \"ulu\""),
            ("2026-13-02T03:04:05Z", "month out of range"),
            ("2026-01-32T03:04:05Z", "day out of range"),
            ("2026-01-02T25:04:05Z", "hour out of range"),
        ] {
            assert_eq!(parse(text), Err(format!("parsing time {text:?}: {problem}")), "{text}");
        }
    }
}
