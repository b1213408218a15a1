//! Hearing of what becomes of objects, wherever they are.

use std::os::fd::BorrowedFd;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::remote;
use crate::manager;
use crate::store::Change;

/// Follows what becomes of objects.
#[derive(Debug)]
pub struct Follower(Place);

#[derive(Debug)]
enum Place {
    Here(Box<manager::Follower>),
    There(remote::Follower),
}

impl Follower {
    pub(super) fn here(follower: manager::Follower) -> Self {
        Self(Place::Here(Box::new(follower)))
    }

    pub(super) fn there(follower: remote::Follower) -> Self {
        Self(Place::There(follower))
    }

    /// Whether what a container writes wakes whoever waits, too.
    pub fn hears_of_logs(&self) -> bool {
        matches!(self.0, Place::There(_))
    }

    /// Hands over what has changed since the last call, without waiting. Where that is not known any more it hands over what
    /// there is now, and the deletion of what is there no longer.
    ///
    /// # Errors
    /// A store that cannot be read; what has ended a watch of a cluster for good.
    pub fn changes(&mut self, each: impl FnMut(Change<'_>)) -> Result<()> {
        match &mut self.0 {
            Place::Here(here) => here.changes(each),
            Place::There(there) => there.changes(each),
        }
    }

    /// What keeps us from hearing of changes for now, told once each time.
    pub fn take_trouble(&mut self) -> Option<String> {
        match &mut self.0 {
            Place::Here(_) => None,
            Place::There(there) => there.take_trouble(),
        }
    }

    /// Sleeps until something changes, a descriptor of `others` is readable, or the time has come (then false), by the
    /// steady clock.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn wait(&mut self, others: &[BorrowedFd<'_>], until: Option<DateTime<Utc>>) -> Result<bool> {
        match &mut self.0 {
            Place::Here(here) => here.wait(others, until),
            Place::There(there) => there.wait(others, until),
        }
    }
}
