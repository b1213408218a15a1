use super::*;

const RECORDED: &str = include_str!("../../../tests/data/cron.txt");

/// The times of a row, each list after its own start; `None` for never.
fn times(text: &str, starts: &[i64]) -> Vec<Option<Vec<i64>>> {
    let mut lists: Vec<&str> = Vec::new();
    for list in text.split(';') {
        lists.push(if list == "=" { lists[lists.len() - 1] } else { list });
    }
    let read = |(list, start): (&str, &i64)| {
        if list == "-" {
            return None;
        }
        let (mut at, mut step) = (*start, 0);
        let add = |word: &str| {
            if !word.is_empty() {
                step = i64::from_str_radix(word, 36).expect("base 36");
            }
            at += step;
            at
        };
        Some(list.split(',').map(add).collect())
    };
    lists.into_iter().zip(starts).map(read).collect()
}

/// Calls `each` with schedule, zone, answer and starts of every row of a section.
fn rows(section: &str, mut each: impl FnMut(&str, Tz, &str, &[i64])) -> usize {
    let mut starts: Vec<i64> = Vec::new();
    let (mut inside, mut count) = (false, 0);
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [text, zone_name, answer] = columns.as_slice() else {
            let (name, numbers) = line.split_once(' ').expect("a section");
            inside = name == section;
            starts = numbers.split(' ').map(|number| number.parse().expect("a start")).collect();
            continue;
        };
        if inside {
            each(text, zone(zone_name).expect("a zone"), answer, &starts);
            count += 1;
        }
    }
    count
}

fn five(schedule: &Schedule, start: i64, zone: Tz) -> Option<Vec<i64>> {
    let mut at = DateTime::from_timestamp(start, 0).expect("a time");
    let mut found = Vec::new();
    for _ in 0..5 {
        at = schedule.next(at, zone)?;
        found.push(at.timestamp());
    }
    Some(found)
}

#[test]
fn every_recorded_schedule_fires_when_upstreams_does() {
    for section in ["@plain", "@std", "@weird", "@tz"] {
        let count = rows(section, |text, zone, answer, starts| {
            if let Some(error) = answer.strip_prefix('!') {
                let found = text.parse::<Schedule>().expect_err(text);
                assert_eq!(found.split(" (there is no").next(), Some(error), "{text}");
                return;
            }
            if text.contains("TZ=") {
                assert_eq!(text.parse::<Schedule>().expect_err(text), ZONE_IN_SCHEDULE);
                return;
            }
            let schedule: Schedule = text.parse().expect(text);
            for (expected, start) in times(answer, starts).into_iter().zip(starts) {
                let found = five(&schedule, *start, zone);
                assert_eq!(found, expected, "{text} in {zone} from {start}");
            }
        });
        assert!(count >= 500, "{section}: {count} rows");
    }
}

/// We differ from upstream's library only on days on which the clock changes: it doubles fixed times that come twice and
/// skips those that the clock skips; where the change is at midnight or by half an hour it also loses true times.
#[test]
fn around_clock_changes_every_difference_is_one_that_is_announced() {
    let (mut doubled, mut skipped) = (0, 0);
    let count = rows("@dst", |text, zone, answer, starts| {
        let schedule: Schedule = text.parse().expect(text);
        for (theirs, start) in times(answer, starts).into_iter().zip(starts) {
            let (Some(theirs), Some(ours)) = (theirs, five(&schedule, *start, zone)) else { continue };
            let end = theirs[theirs.len() - 1].min(ours[ours.len() - 1]);
            let wall = |time: i64| {
                DateTime::from_timestamp(time, 0).expect("a time").with_timezone(&zone).naive_local()
            };
            let changes_today = |time: i64| {
                (0..192).map(|quarter| time + 86_400 - quarter * 900).any(|earlier| {
                    wall(earlier) - wall(earlier - 900) != Duration::minutes(15)
                        && wall(earlier).date() == wall(time).date()
                })
            };
            let again = |time: &i64| [1800, 3600].iter().any(|change| wall(time - change) == wall(*time));
            let after_gap = |time: &i64| wall(*time) - wall(time - 60) > Duration::minutes(1);
            for time in theirs.iter().filter(|time| **time <= end && !ours.contains(time)) {
                assert!(changes_today(*time), "{text} in {zone}: {time}");
                doubled += usize::from(again(time));
            }
            for time in ours.iter().filter(|time| **time <= end && !theirs.contains(time)) {
                assert!(changes_today(*time), "{text} in {zone}: {time}");
                skipped += usize::from(after_gap(time));
            }
        }
    });
    assert!(
        count == 500 && doubled >= 10 && skipped >= 10,
        "{count} rows, {doubled} doubled, {skipped} skipped"
    );
}

fn walls(text: &str, zone_name: &str, after: &str, until: &str) -> Vec<String> {
    let schedule: Schedule = text.parse().expect(text);
    let zone = zone(zone_name).expect("a zone");
    let time = |text: &str| DateTime::parse_from_rfc3339(text).expect("a time").with_timezone(&Utc);
    let (mut at, until) = (time(after), time(until));
    let mut found = Vec::new();
    while let Some(next) = schedule.next(at, zone).filter(|next| *next <= until) {
        found.push(next.with_timezone(&zone).format("%d %H:%M %z").to_string());
        at = next;
    }
    found
}

#[test]
fn what_happens_when_clocks_change() {
    let spring = ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
    let autumn = ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
    for (rule, text, zone, (after, until), expected) in [
        ("a skipped time runs after the gap", "30 2 * * *", "Europe/Berlin", spring, vec!["29 03:00 +0200"]),
        ("several become one run", "*/20 2 * * *", "Europe/Berlin", spring, vec!["29 03:00 +0200"]),
        (
            "one that is due right after the gap anyway is not doubled",
            "0 2,3 * * *",
            "Europe/Berlin",
            spring,
            vec!["29 03:00 +0200"],
        ),
        ("a time that comes twice runs once", "30 2 * * *", "Europe/Berlin", autumn, vec!["25 02:30 +0200"]),
        (
            "an open hour follows the clock",
            "30 * 25 10 *",
            "Europe/Berlin",
            ("2026-10-24T23:40:00Z", "2026-10-25T02:40:00Z"),
            vec!["25 02:30 +0200", "25 02:30 +0100", "25 03:30 +0100"],
        ),
        (
            "half an hour on Lord Howe Island",
            "45 1 * * *",
            "Australia/Lord_Howe",
            ("2026-04-04T00:00:00Z", "2026-04-04T23:00:00Z"),
            vec!["05 01:45 +1100"],
        ),
        (
            "and the other way",
            "15 2 * * *",
            "Australia/Lord_Howe",
            ("2026-10-03T00:00:00Z", "2026-10-03T23:00:00Z"),
            vec!["04 02:30 +1100"],
        ),
        (
            "a day that Samoa left out",
            "0 12 30 12 *",
            "Pacific/Apia",
            ("2011-12-29T00:00:00Z", "2012-01-02T00:00:00Z"),
            vec!["31 00:00 +1400"],
        ),
    ] {
        assert_eq!(walls(text, zone, after, until), expected, "{rule}");
    }
}

#[test]
fn the_last_missed_time_is_found_however_long_ago() {
    let time = |text: &str| DateTime::parse_from_rfc3339(text).expect("a time").with_timezone(&Utc);
    let now = time("2026-11-21T10:07:30Z");
    for (text, after, expected) in [
        ("* * * * *", "2016-01-01T00:00:00Z", Some("2026-11-21T10:07:00Z")),
        ("0 0 29 2 *", "2016-01-01T00:00:00Z", Some("2024-02-29T00:00:00Z")),
        ("8 10 * * *", "2026-11-21T00:00:00Z", None),
        ("0 0 30 2 *", "2016-01-01T00:00:00Z", None),
        ("@every 1h", "2026-11-21T00:30:00Z", Some("2026-11-21T09:30:00Z")),
        ("@every 12h", "2026-11-21T00:30:00Z", None),
        ("7 10 * * *", "2026-11-21T10:07:00Z", None),
    ] {
        let schedule: Schedule = text.parse().expect(text);
        assert_eq!(schedule.last(time(after), now, Tz::UTC), expected.map(time), "{text}");
    }
}
