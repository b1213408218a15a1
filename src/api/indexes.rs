//! Sets of completion indexes, written as `status.completedIndexes` is: `1,3-5,7` (kubernetes-behaviour 2.6).

use std::fmt;

use crate::api::quoted::quoted;

/// A set of completion indexes, kept as rising intervals, so that a hundred thousand of them cost what their gaps do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// First and last of each interval; no two touch.
    intervals: Vec<(i32, i32)>,
}

impl Indexes {
    /// Reads a list that must rise and stay below `completions`.
    ///
    /// # Errors
    /// The first thing wrong with it, in the words of the API server.
    pub fn parse(list: &str, completions: i32) -> Result<Self, String> {
        let number = |text: &str| {
            let number = text.parse::<i32>().ok().filter(|_| !text.starts_with('+'));
            number.ok_or_else(|| format!("cannot convert string to integer for index: {}", quoted(text)))
        };
        let mut indexes = Self::default();
        if list.is_empty() {
            return Ok(indexes);
        }
        let mut previous = None;
        for fragment in list.split(',') {
            let limits: Vec<&str> = fragment.split('-').collect();
            let (first, last, is_range) = match limits[..] {
                [one] => (number(one)?, number(one)?, false),
                [first, last] => (number(first)?, number(last)?, true),
                _ => {
                    return Err(format!(
                        "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
                        quoted(fragment)
                    ));
                }
            };
            if let Some(previous) = previous.filter(|previous| *previous >= first) {
                return Err(format!("non-increasing order, previous: {previous}, current: {first}"));
            }
            if first > last || is_range && first == last {
                return Err(format!("non-increasing order, previous: {first}, current: {last}"));
            }
            for index in [first, last] {
                if index >= completions {
                    return Err(format!("too large index: {:?}", index.to_string()));
                }
            }
            indexes.push(first, last);
            previous = Some(last);
        }
        Ok(indexes)
    }

    /// What a status says, without what lies at or beyond `completions` (a Job may have shrunk since).
    pub fn of_status(list: Option<&str>, completions: i32) -> Self {
        let Some(list) = list.filter(|list| !list.is_empty()) else { return Self::default() };
        let mut indexes = Self::parse(list, i32::MAX).unwrap_or_default();
        indexes.intervals.retain(|(first, _)| *first < completions);
        if let Some((_, last)) = indexes.intervals.last_mut() {
            *last = (*last).min(completions - 1);
        }
        indexes
    }

    fn push(&mut self, first: i32, last: i32) {
        match self.intervals.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => self.intervals.push((first, last)),
        }
    }

    /// How many indexes there are.
    pub fn len(&self) -> i32 {
        self.intervals.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Whether the index is among them.
    pub fn contains(&self, index: i32) -> bool {
        let at = self.intervals.partition_point(|(_, last)| *last < index);
        self.intervals.get(at).is_some_and(|(first, _)| *first <= index)
    }

    /// Adds an index; says whether it is new.
    pub fn insert(&mut self, index: i32) -> bool {
        let at = self.intervals.partition_point(|(_, last)| *last < index);
        if self.intervals.get(at).is_some_and(|(first, _)| *first <= index) {
            return false;
        }
        let joins_left = at > 0 && self.intervals[at - 1].1 + 1 == index;
        let joins_right = self.intervals.get(at).is_some_and(|(first, _)| index + 1 == *first);
        match (joins_left, joins_right) {
            (true, true) => {
                self.intervals[at - 1].1 = self.intervals[at].1;
                self.intervals.remove(at);
            }
            (true, false) => self.intervals[at - 1].1 = index,
            (false, true) => self.intervals[at].0 = index,
            (false, false) => self.intervals.insert(at, (index, index)),
        }
        true
    }

    /// How many indexes are in both sets.
    pub fn count_common(&self, other: &Self) -> i32 {
        let (mut mine, mut theirs) = (self.intervals.iter().peekable(), other.intervals.iter().peekable());
        let mut common = 0;
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            common += (a.1.min(b.1) - a.0.max(b.0) + 1).max(0);
            if a.1 < b.1 {
                mine.next();
            } else {
                theirs.next();
            }
        }
        common
    }

    /// The indexes from 0 up to `completions` that are not among them, rising.
    pub fn missing(&self, completions: i32) -> impl Iterator<Item = i32> + '_ {
        let starts = std::iter::once(0).chain(self.intervals.iter().map(|(_, last)| last + 1));
        let ends = self.intervals.iter().map(|(first, _)| *first).chain(std::iter::once(completions));
        starts.zip(ends).flat_map(move |(start, end)| start..end.min(completions))
    }
}

/// Runs of three and more as `a-b`, runs of two as `a,b`.
impl fmt::Display for Indexes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.intervals.iter().enumerate() {
            if number > 0 {
                out.write_str(",")?;
            }
            match last - first {
                0 => write!(out, "{first}")?,
                1 => write!(out, "{first},{last}")?,
                _ => write!(out, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_written_as_upstream_compresses_them() {
        for (indexes, text) in [
            (&[][..], ""),
            (&[4], "4"),
            (&[0, 1], "0,1"),
            (&[0, 1, 2], "0-2"),
            (&[1, 3, 4, 5, 7], "1,3-5,7"),
            (&[7, 5, 4, 3, 1], "1,3-5,7"),
        ] {
            let mut set = Indexes::default();
            indexes.iter().for_each(|index| assert!(set.insert(*index)));
            assert_eq!(set.to_string(), text);
        }
    }

    #[test]
    fn a_job_that_shrinks_forgets_what_lies_beyond() {
        for (list, completions, left) in [("0-9", 3, "0-2"), ("0,1,5-9", 3, "0,1"), ("4", 4, ""), ("", 4, "")]
        {
            assert_eq!(Indexes::of_status(Some(list), completions).to_string(), left, "{list}");
        }
    }

    proptest! {
        #[test]
        fn intervals_behave_as_a_set_does(
            some in prop::collection::vec(0..40_i32, 0..40), others in prop::collection::vec(0..40_i32, 0..40),
        ) {
            let fill = |numbers: &[i32]| {
                let (mut set, mut truth) = (Indexes::default(), BTreeSet::new());
                for number in numbers {
                    assert_eq!(set.insert(*number), truth.insert(*number));
                }
                (set, truth)
            };
            let ((set, truth), (other, other_truth)) = (fill(&some), fill(&others));
            prop_assert_eq!(set.len() as usize, truth.len());
            prop_assert!((0..41).all(|index| set.contains(index) == truth.contains(&index)));
            prop_assert!(set.missing(41).eq((0..41).filter(|index| !truth.contains(index))));
            prop_assert_eq!(set.count_common(&other) as usize, truth.intersection(&other_truth).count());
            if !truth.is_empty() {
                prop_assert_eq!(Indexes::parse(&set.to_string(), 41), Ok(set));
            }
        }
    }
}
