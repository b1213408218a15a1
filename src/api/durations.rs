//! Durations as Go writes them: `300ms`, `1h15m30.5s`.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

use super::quoted::quoted_by_time as quoted;

/// The moment so many seconds after another, before it where they are negative. The API allows any number of seconds:
/// what lies beyond the times that RFC 3339 can write is the last of these.
pub fn after(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    let end = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let first = end(1, 1, 1).and_time(NaiveTime::MIN).and_utc();
    let last = end(9999, 12, 31).and_time(NaiveTime::MIN).and_utc();
    let exact = Duration::try_seconds(seconds).and_then(|length| at.checked_add_signed(length));
    exact.unwrap_or(if seconds < 0 { first } else { last }).clamp(first, last)
}

/// Parses a Go duration. The error is Go's sentence, for instance `time: missing unit in duration "5"`.
///
/// # Errors
/// Text that Go's parser refuses, or a length that does not fit.
pub fn parse(text: &str) -> Result<Duration, String> {
    parse_with(text, |_| None)
}

/// The same with days and weeks, which Go has not: `7d`, `1w2d`. A day has 24 hours.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_days(text: &str) -> Result<Duration, String> {
    parse_with(text, |unit| match unit {
        "d" => Some(24. * 3600e9),
        "w" => Some(7. * 24. * 3600e9),
        _ => None,
    })
}

fn parse_with(text: &str, more: impl Fn(&str) -> Option<f64>) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(Duration::zero());
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanoseconds: f64 = 0.0;
    while !rest.is_empty() {
        let is_digit = |c: char| c.is_ascii_digit();
        let behind = rest.trim_start_matches(is_digit);
        let tail = behind.strip_prefix('.').map_or(behind, |fraction| fraction.trim_start_matches(is_digit));
        let number = &rest[..rest.len() - tail.len()];
        if !number.contains(is_digit) {
            return Err(invalid());
        }
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale = match unit {
            "" => return Err(format!("time: missing unit in duration {}", quoted(text))),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            unknown => more(unknown).ok_or_else(|| {
                format!("time: unknown unit {} in duration {}", quoted(unknown), quoted(text))
            })?,
        };
        nanoseconds += number * scale;
        rest = tail;
    }
    if nanoseconds > i64::MAX as f64 {
        return Err(invalid());
    }
    let duration = Duration::nanoseconds(nanoseconds as i64);
    Ok(if negative { -duration } else { duration })
}

/// Writes a duration as Go does: `1m20s`, `1.5s`, `250ms`, `0s`.
pub fn to_string(duration: Duration) -> String {
    let milliseconds = duration.num_milliseconds();
    if milliseconds < 0 {
        return format!("-{}", to_string(-duration));
    }
    if milliseconds > 0 && milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    let (hours, minutes) = (milliseconds / 3_600_000, milliseconds / 60_000 % 60);
    let seconds = (milliseconds % 60_000) as f64 / 1000.0;
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_seconds_leads_out_of_the_calendar() {
        let now = DateTime::UNIX_EPOCH;
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (90, "1970-01-01T00:01:30+00:00"),
            (-90, "1969-12-31T23:58:30+00:00"),
            (9_000_000_000_000, "9999-12-31T00:00:00+00:00"),
            (i64::MAX, "9999-12-31T00:00:00+00:00"),
            (i64::MIN, "0001-01-01T00:00:00+00:00"),
        ] {
            assert_eq!(after(now, seconds).to_rfc3339(), expected, "{seconds}");
        }
    }

    #[test]
    fn go_durations_are_read_and_others_refused_in_gos_words() {
        for (text, milliseconds) in
            [("0", 0), ("5s", 5000), ("1h15m30.5s", 4_530_500), ("-1s", -1000), ("300ms", 300), ("+.5s", 500)]
        {
            assert_eq!(parse(text).map(|d| d.num_milliseconds()), Ok(milliseconds), "{text}");
        }
        for (text, message) in [
            ("", "time: invalid duration \"\""),
            ("5", "time: missing unit in duration \"5\""),
            ("-1", "time: missing unit in duration \"-1\""),
            ("5x", "time: unknown unit \"x\" in duration \"5x\""),
            ("s", "time: invalid duration \"s\""),
            ("1.2.3s", "time: missing unit in duration \"1.2.3s\""),
            (".s", "time: invalid duration \".s\""),
            ("5ä", r#"time: unknown unit "\xc3\xa4" in duration "5\xc3\xa4""#),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn days_and_weeks_are_for_whoever_asks() {
        assert_eq!(parse_with_days("7d"), Ok(Duration::days(7)));
        assert_eq!(parse_with_days("1w2d3h"), Ok(Duration::days(9) + Duration::hours(3)));
        assert_eq!(parse_with_days("90s"), Ok(Duration::seconds(90)));
        assert_eq!(parse_with_days("1y"), Err("time: unknown unit \"y\" in duration \"1y\"".into()));
        assert!(parse_with_days("999999999w").is_err());
        assert_eq!(parse("7d"), Err("time: unknown unit \"d\" in duration \"7d\"".into()));
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (milliseconds, text) in [
            (0, "0s"),
            (250, "250ms"),
            (10_000, "10s"),
            (80_000, "1m20s"),
            (300_000, "5m0s"),
            (1500, "1.5s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(to_string(Duration::milliseconds(milliseconds)), text);
        }
    }
}
