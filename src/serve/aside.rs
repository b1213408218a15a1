//! Work that takes a while: done on other threads, so that others are answered meanwhile.
//!
//! The runtime's own threads for that are not used: where this user may have no more threads, they leave work lying, or end the
//! process.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::{Context as _, Result};
use tokio::sync::{Semaphore, oneshot};

use super::status::Problem;
use crate::api::kinds::Kind;
use crate::store::{State, Table};

/// How many objects are gone through at once where others may be waiting: about a millisecond's work, with selectors.
const FEW: usize = 200;

/// Whether going through the objects of a kind takes a while.
pub(super) fn are_many(state: &State, kind: Kind) -> bool {
    kind.made_of().into_iter().map(|kind| state.count(Table::from(kind))).sum::<usize>() > FEW
}

/// What comes of work on another thread.
type Told<T> = oneshot::Receiver<T>;

/// What is said of work whose thread has gone: it has panicked.
fn lost() -> Problem {
    Problem::internal("the work panicked")
}

/// A thread that does one piece of work after the other.
#[derive(Clone, Debug)]
pub(super) struct Worker(mpsc::Sender<Box<dyn FnOnce() + Send>>);

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// This user may have no more.
    pub(super) fn start(name: &str) -> Result<Self> {
        let (give, work) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
        let all = move || work.into_iter().for_each(|work| work());
        thread::Builder::new().name(name.into()).spawn(all).context("start a thread")?;
        Ok(Self(give))
    }

    /// Has work done.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (tell, told) = oneshot::channel();
        // Whoever asked may have gone meanwhile.
        let work = Box::new(move || drop(tell.send(work())));
        self.0.send(work).map_err(|_| lost())?;
        told.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// Threads for what only reads: as many at a time as there are processors.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))))
    }
}

impl Readers {
    /// Carries out work on a thread of its own; on this one where there is no other to be had.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        // They are never closed.
        let _place = self.0.acquire().await;
        let work = Arc::new(Mutex::new(Some(work)));
        let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
        let theirs = Arc::clone(&work);
        match on_a_thread(move || take(&theirs).map(|work| work())) {
            Ok(told) => told.await.ok().flatten().unwrap_or_else(|| Err(lost())),
            Err(_) => take(&work).map_or_else(|| Err(lost()), |work| work()),
        }
    }
}

/// Begins work on a thread of its own.
///
/// # Errors
/// This user may have no more.
pub(super) fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Told<T>> {
    let (tell, told) = oneshot::channel();
    let work = move || drop(tell.send(work()));
    thread::Builder::new().name("aside".into()).spawn(work).context("start a thread")?;
    Ok(told)
}
