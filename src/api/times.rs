//! Points in time as Go reads them.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::quoted::quoted_by_time as quoted;

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";

/// The parts of the layout. The numbers between are those that a part may have; which days a month has is looked at in the end.
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

/// Reads a time of RFC 3339 as Go's `time.Parse` does, which also takes an hour of one digit and a comma before the fraction. The error
/// is Go's sentence.
///
/// # Errors
/// Text that is none.
pub fn parse(text: &str) -> Result<DateTime<Utc>, String> {
    let cannot_parse = |rest: &str, part: &str| {
        let (text, layout, rest, part) = (quoted(text), quoted(LAYOUT), quoted(rest), quoted(part));
        format!("parsing time {text} as {layout}: cannot parse {rest} as {part}")
    };
    let wrong = |what: &str| format!("parsing time {}: {what}", quoted(text));
    let mut rest = text;
    let mut numbers = Vec::with_capacity(6);
    for part in PARTS {
        match part {
            Part::Literal(literal) => {
                rest = rest.strip_prefix(literal).ok_or_else(|| cannot_parse(rest, literal))?;
            }
            Part::Number(layout, name, least, most) => {
                let (number, after) =
                    leading_number(rest, layout).ok_or_else(|| cannot_parse(rest, layout))?;
                if !(least..=most).contains(&number) {
                    return Err(wrong(&format!("{name} out of range")));
                }
                numbers.push(number);
                rest = after;
            }
        }
    }
    let (nanoseconds, rest) = fraction(rest);
    let (offset, rest) = match rest.strip_prefix('Z') {
        Some(rest) => (0, rest),
        None => {
            let zone = rest.get(..6).and_then(zone).ok_or_else(|| cannot_parse(rest, "Z07:00"))?;
            let offset = zone.map_err(|part| wrong(&format!("time zone offset {part} out of range")))?;
            (offset, &rest[6..])
        }
    };
    if !rest.is_empty() {
        return Err(wrong(&format!("extra text: {}", quoted(rest))));
    }
    let [year, month, day, hour, minute, second] = numbers[..] else {
        return Err(wrong("year out of range"));
    };
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let time = date.and_then(|date| date.and_hms_nano_opt(hour, minute, second, nanoseconds));
    Ok(time.ok_or_else(|| wrong("day out of range"))?.and_utc() - Duration::seconds(offset))
}

/// The number that a text begins with, of as many digits as the layout; an hour may have one.
fn leading_number<'a>(text: &'a str, layout: &str) -> Option<(u32, &'a str)> {
    let digits = text.bytes().take(layout.len()).take_while(u8::is_ascii_digit).count();
    let is_complete = digits == layout.len() || (layout == "15" && digits == 1);
    is_complete.then(|| text[..digits].parse().ok().map(|number| (number, &text[digits..])))?
}

/// The nanoseconds of a fraction, if there is one, and what follows it.
fn fraction(text: &str) -> (u32, &str) {
    let Some(digits) =
        text.strip_prefix(['.', ',']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return (0, text);
    };
    let rest = digits.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = &digits[..digits.len() - rest.len()];
    let nanoseconds = format!("{digits:0<9.9}").parse();
    // Nine digits are always such a number.
    (nanoseconds.unwrap_or_default(), rest)
}

/// The seconds of an offset such as `+07:00`; the part of it that is out of range. `None` where it is no offset. Go takes 24 hours and 60
/// minutes, too.
fn zone(text: &str) -> Option<Result<i64, &'static str>> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => 0,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number =
        |text| leading_number(text, "07").filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
    Some(match (number(hours)?, number(minutes)) {
        (_, Some(61..)) => Err("minute"),
        (25.., _) => Err("hour"),
        (hours, Some(minutes)) if sign != 0 => Ok(sign * i64::from(hours * 3600 + minutes * 60)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
            ("2026-01-02T03:04:05.5+01:00", "2026-01-02T02:04:05.500+00:00"),
            ("2026-01-02T3:04:05,123456789012-24:60", "2026-01-03T04:04:05.123456789+00:00"),
            ("0000-02-29T23:59:59Z", "0000-02-29T23:59:59+00:00"),
        ] {
            assert_eq!(parse(text).map(|time| time.to_rfc3339()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_in_gos_words() {
        for (text, rest, part) in [
            ("foo", "foo", "2006"),
            ("+2026", "+2026", "2006"),
            ("2026", "", "-"),
            ("2026-1-02", "1-02", "01"),
            ("2026-01-02 03:04:05Z", " 03:04:05Z", "T"),
            ("2026-01-02t03:04:05z", "t03:04:05z", "T"),
            ("2026-01-40T10:00:00", "", "Z07:00"),
            ("2026-01-02T03:04:05.Z", ".Z", "Z07:00"),
            ("2026-01-02T03:04:05+0100", "+0100", "Z07:00"),
            ("2026-01-02T03:04:05*01:00", "*01:00", "Z07:00"),
        ] {
            let expected = format!("parsing time {text:?} as {LAYOUT:?}: cannot parse {rest:?} as {part:?}");
            assert_eq!(parse(text), Err(expected), "{text}");
        }
        for (text, problem) in [
            ("2026-01-02T03:04:05Zulu", "extra text: \"ulu\""),
            ("2026-13-xx", "month out of range"),
            ("2026-01-32T03:04:05Z", "day out of range"),
            ("2026-02-30T03:04:05Z", "day out of range"),
            ("2026-01-02T25:04:05Z", "hour out of range"),
            ("2026-01-02T23:59:60Z", "second out of range"),
            ("2026-01-02T03:04:05+25:00", "time zone offset hour out of range"),
            ("2026-01-02T03:04:05+25:xx", "time zone offset hour out of range"),
            ("2026-01-02T03:04:05+25:61", "time zone offset minute out of range"),
        ] {
            assert_eq!(parse(text), Err(format!("parsing time {text:?}: {problem}")), "{text}");
        }
        assert_eq!(parse("ä").map_err(|text| text.contains(r#""\xc3\xa4""#)), Err(true));
    }
}
