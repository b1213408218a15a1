//! Text -> schedule, with the errors of upstream's parser.

use super::{Calendar, Schedule};
use crate::api::durations;
use crate::api::quoted::quoted;

/// A field's name and what its numbers may be.
struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// A field as read.
struct Field {
    numbers: u64,
    /// Some item is `*` or `?` without a step above 1: of the day fields this decides between *both* and *either*.
    star: bool,
    /// Some item is `*` or `?`, with whatever step.
    open: bool,
}

pub(super) fn schedule(text: &str) -> Result<Schedule, String> {
    if text.is_empty() {
        return Err("empty spec string".into());
    }
    if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        return Err(super::ZONE_IN_SCHEDULE.into());
    }
    if text.starts_with('@') {
        return descriptor(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = words.as_slice() else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", words.len(), words.join(" ")));
    };
    let minutes = field(minutes, &MINUTES)?;
    let hours = field(hours, &HOURS)?;
    let days = field(days, &DAYS)?;
    let months = field(months, &MONTHS)?;
    let weekdays = field(weekdays, &WEEKDAYS)?;
    Ok(Schedule::Calendar(Calendar {
        minutes: minutes.numbers,
        hours: hours.numbers,
        days: days.numbers,
        months: months.numbers,
        weekdays: weekdays.numbers,
        both_days: days.star || weekdays.star,
        open_hour: hours.open,
    }))
}

fn descriptor(text: &str) -> Result<Schedule, String> {
    if let Some(duration) = text.strip_prefix("@every ") {
        let duration = durations::parse(duration)
            .map_err(|error| format!("failed to parse duration {text}: {error}"))?;
        return Ok(Schedule::Every(chrono::Duration::seconds(duration.num_seconds().max(1))));
    }
    schedule(match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => return Err(format!("unrecognized descriptor: {text}")),
    })
}

fn field(text: &str, bounds: &Bounds) -> Result<Field, String> {
    let mut field = Field { numbers: 0, star: false, open: false };
    for item in text.split(',').filter(|item| !item.is_empty()) {
        range(item, bounds, &mut field)?;
    }
    Ok(field)
}

fn range(item: &str, bounds: &Bounds, field: &mut Field) -> Result<(), String> {
    let range_and_step: Vec<&str> = item.split('/').collect();
    let ends: Vec<&str> = range_and_step[0].split('-').collect();
    let open = matches!(ends[0], "*" | "?");
    let (start, mut end) = if open {
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(ends[0], bounds)?;
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => (start, number_or_name(end, bounds)?),
            _ => return Err(format!("too many hyphens: {item}")),
        }
    };
    let step = match range_and_step.as_slice() {
        [_] => 1,
        [_, step] => {
            let step = number(step)?;
            if ends.len() == 1 {
                end = bounds.max;
            }
            step
        }
        _ => return Err(format!("too many slashes: {item}")),
    };
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {item}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {item}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {item}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {item}"));
    }
    field.star |= open && step == 1;
    field.open |= open;
    field.numbers |= (start..=end).step_by(step as usize).fold(0, |set, number| set | 1 << number);
    Ok(())
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let lower = text.to_lowercase();
    match bounds.names.iter().position(|name| *name == lower) {
        Some(index) => Ok(index as u32 + bounds.min),
        None => number(text),
    }
}

/// A number as Go's strconv.Atoi reads it.
fn number(text: &str) -> Result<u32, String> {
    let failed =
        |why: &str| format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {why}", quoted(text));
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    let value: i64 = text.parse().map_err(|_| failed("value out of range"))?;
    if value < 0 {
        return Err(format!("negative number ({value}) not allowed: {text}"));
    }
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}
