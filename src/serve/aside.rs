//! Work that takes a while: done on a thread of its own, so that others are answered meanwhile.

use super::status::Problem;
use crate::api::kinds::Kind;
use crate::store::{State, Table};

/// How many objects are gone through at once where others may be waiting: about a millisecond's work, with selectors.
const FEW: usize = 200;

/// Whether going through the objects of a kind takes a while.
pub(super) fn are_many(state: &State, kind: Kind) -> bool {
    kind.made_of().into_iter().map(|kind| state.count(Table::from(kind))).sum::<usize>() > FEW
}

/// Carries out work on a thread of its own.
///
/// # Errors
/// Those of the work.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::internal(error.to_string())))
}
