//! The order of keys: contents by code, digits by value, everything else before contents.

use serde_json::{Map, Value};

/// The entries of a map in the order in which kubectl prints them.
pub(super) fn natural(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<(&String, &Value)> = Vec::with_capacity(map.len());
    // Not sort_by, which may panic: a01 < a10 < a1b < a01.
    for entry in map {
        let at = entries.partition_point(|other| !is_less(entry.0, other.0));
        entries.insert(at, entry);
    }
    entries
}

fn is_less(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len() < b.len() };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => a[at] < b[at],
        (true, false) => false,
        (false, true) => true,
        (false, false) => {
            // Zeros count only behind another digit of the same number.
            let within_number = (a[at] == '0' || b[at] == '0')
                && a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
            let (a_number, a_length) = number(&a[at..], within_number);
            let (b_number, b_length) = number(&b[at..], within_number);
            (a_number, a_length, a[at]) < (b_number, b_length, b[at])
        }
    }
}

/// The value and length of the digits at the front.
fn number(text: &[char], within_number: bool) -> (i64, usize) {
    let digits = text.iter().map_while(|c| c.to_digit(10)).map(i64::from);
    let value = |digits: &mut dyn Iterator<Item = i64>| {
        digits.fold(i64::from(within_number), |value, digit| value.wrapping_mul(10).wrapping_add(digit))
    };
    (value(&mut digits.clone()), digits.count())
}
