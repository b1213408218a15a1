//! Ages and times as kubectl words them.

use chrono::{DateTime, Duration, TimeZone, Utc};

/// What kubectl prints where a time should be and none is set.
pub const UNKNOWN: &str = "<unknown>";

/// A length of time in kubectl's two-unit form (`65s`, `2m5s`, `3h`, `2d4h`); parts are cut, never rounded.
pub fn human_duration(length: Duration) -> String {
    // Clocks differ by a little between machines: one second in the future is still "now".
    let seconds = length.num_seconds();
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two_units(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two_units(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if days < 8 {
        two_units(days, "d", hours % 24, "h")
    } else if days < 2 * 365 {
        format!("{days}d")
    } else if days < 8 * 365 {
        two_units(days / 365, "y", days % 365, "d")
    } else {
        format!("{}y", days / 365)
    }
}

/// A length of less than a second, where kubectl has `0s`: `120ms`.
pub fn below_a_second(length: Duration) -> String {
    format!("{}ms", length.num_milliseconds())
}

fn two_units(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

/// How long ago a moment was, `<unknown>` if it is not set.
pub fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    since.map_or_else(|| UNKNOWN.to_owned(), |since| human_duration(now - since))
}

/// A time as `describe` shows it: `Fri, 20 Nov 2026 21:37:42 +0000`, in the zone given.
pub fn rfc1123z<Tz: TimeZone>(time: DateTime<Utc>, zone: &Tz) -> String
where
    Tz::Offset: std::fmt::Display,
{
    time.with_timezone(zone).format("%a, %d %b %Y %H:%M:%S %z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cut_to_two_units() {
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (65, "65s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_100, "3h5m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (183_600, "2d3h"),
            (691_199, "7d23h"),
            (691_200, "8d"),
            (63_071_999, "729d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ] {
            assert_eq!(human_duration(Duration::seconds(seconds)), expected, "{seconds}s");
        }
        assert_eq!(human_duration(Duration::milliseconds(-1500)), "0s");
        assert_eq!(human_duration(Duration::milliseconds(1999)), "1s");
        assert_eq!(below_a_second(Duration::microseconds(120_900)), "120ms");
    }

    #[test]
    fn times_are_shown_in_the_zone_given() {
        let time = DateTime::parse_from_rfc3339("2026-11-20T21:37:42Z").unwrap().to_utc();
        assert_eq!(rfc1123z(time, &Utc), "Fri, 20 Nov 2026 21:37:42 +0000");
        let zone = chrono::FixedOffset::east_opt(5400).unwrap();
        assert_eq!(rfc1123z(time, &zone), "Fri, 20 Nov 2026 23:07:42 +0130");
        assert_eq!(age(None, time), "<unknown>");
    }
}
