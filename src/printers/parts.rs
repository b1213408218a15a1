//! Work that is done in parts, side by side.

use std::panic::resume_unwind;
use std::thread::{Builder, ScopedJoinHandle, scope};

/// Does each part on a thread of its own, and returns what comes of them in their order. What this user may have no thread for is
/// done here.
pub fn side_by_side<P: Sync, R: Send>(parts: &[P], work: impl Fn(usize, &P) -> R + Sync) -> Vec<R> {
    let work = &work;
    scope(|scope| {
        let begin = |(nth, part)| {
            let thread = Builder::new().spawn_scoped(scope, move || work(nth, part));
            thread.map_err(|_| (nth, part))
        };
        let begun: Vec<_> = parts.iter().enumerate().map(begin).collect();
        let end = |begun| match begun {
            Ok(thread) => ScopedJoinHandle::join(thread).unwrap_or_else(|panic| resume_unwind(panic)),
            Err((nth, part)) => work(nth, part),
        };
        begun.into_iter().map(end).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_done_once_and_in_its_place() {
        let parts: Vec<usize> = (0..20).collect();
        let expected: Vec<(usize, usize)> = (0..20).map(|nth| (nth, nth * 2)).collect();
        assert_eq!(side_by_side(&parts, |nth, part| (nth, part * 2)), expected);
        assert!(side_by_side(&[0; 0], |_, part: &u8| *part).is_empty());
    }
}
