//! The next time of a calendar schedule in a zone.

use chrono::{
    DateTime, Datelike, Days, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

use super::Calendar;

/// Nothing further away is looked for.
const YEARS: i32 = 5;
/// No clock has ever been set by more than this.
const LARGEST_CHANGE: Duration = Duration::hours(26);

/// The first time after `after`.
pub(super) fn next(calendar: &Calendar, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    if calendar.open_hour {
        follow_the_clock(calendar, after, zone)
    } else {
        fixed_time(calendar, after, zone)
    }
}

impl Calendar {
    fn has_day(&self, date: NaiveDate) -> bool {
        if self.months >> date.month() & 1 == 0 {
            return false;
        }
        let day = self.days >> date.day() & 1 == 1;
        let weekday = self.weekdays >> date.weekday().num_days_from_sunday() & 1 == 1;
        if self.both_days { day && weekday } else { day || weekday }
    }

    fn has_minute(&self, time: NaiveDateTime) -> bool {
        self.hours >> time.hour() & 1 == 1 && self.minutes >> time.minute() & 1 == 1
    }
}

/// Every moment at which the clock on the wall matches, however often it shows that time.
fn follow_the_clock(calendar: &Calendar, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let minute = Duration::minutes(1);
    let last_year = after.with_timezone(&zone).year() + YEARS;
    let mut at = DateTime::from_timestamp(after.timestamp().div_euclid(60) * 60, 0)? + minute;
    loop {
        let wall = at.with_timezone(&zone).naive_local();
        if wall.year() > last_year {
            return None;
        }
        let (date, end_of_hour) = (wall.date(), Duration::minutes(60 - i64::from(wall.minute())));
        at = if !calendar.has_day(date) {
            (at + minute).max(first_moment(date.checked_add_days(Days::new(1))?.into(), zone)?)
        } else if calendar.hours >> wall.hour() & 1 == 0 {
            at + end_of_hour.min(until_clock_change(at, zone))
        } else if calendar.has_minute(wall) {
            return Some(at);
        } else {
            at + minute
        };
    }
}

/// To the end of the hour on the wall one may jump only while the clock is not set meanwhile.
fn until_clock_change(at: DateTime<Utc>, zone: Tz) -> Duration {
    let offset = |time: DateTime<Utc>| time.with_timezone(&zone).naive_local() - time.naive_utc();
    if offset(at) == offset(at + Duration::hours(1)) { Duration::hours(1) } else { Duration::minutes(1) }
}

/// Every time of the calendar once: the first time it comes, or, where the clock skips it, right after the gap.
fn fixed_time(calendar: &Calendar, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let wall = after.with_timezone(&zone).naive_local();
    let long_past = wall - LARGEST_CHANGE;
    let mut date = long_past.date();
    while date.year() <= wall.year() + YEARS {
        if calendar.has_day(date) {
            for hour in numbers(calendar.hours) {
                for minute in numbers(calendar.minutes) {
                    let time = date.and_hms_opt(hour, minute, 0)?;
                    if time < long_past {
                        continue;
                    }
                    if let Some(moment) = first_moment(time, zone).filter(|moment| *moment > after) {
                        return Some(moment);
                    }
                }
            }
        }
        date = date.checked_add_days(Days::new(1))?;
    }
    None
}

fn numbers(set: u64) -> impl Iterator<Item = u32> {
    (0..60).filter(move |number| set >> number & 1 == 1)
}

/// The first moment at which the clock on the wall shows this time, or a later one where it skips this.
fn first_moment(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let mut shown = wall;
    // Gaps begin and end at whole minutes; the longest was a whole day.
    for _ in 0..=LARGEST_CHANGE.num_minutes() {
        match zone.from_local_datetime(&shown) {
            MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => {
                return Some(moment.with_timezone(&Utc));
            }
            MappedLocalTime::None => shown += Duration::minutes(1),
        }
    }
    None
}
