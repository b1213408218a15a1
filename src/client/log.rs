//! The log of a container, wherever it runs.

use anyhow::Result;

use super::remote;
use crate::api::Pod;
use crate::kubelet::{LogPiece, LogReader};

/// Reads a container's log and, asked again, goes on where it stopped.
#[derive(Debug)]
pub struct Log(Place);

#[derive(Debug)]
enum Place {
    Here(Box<LogReader>),
    There(Box<remote::Log>),
}

impl Log {
    pub(super) fn here(log: LogReader) -> Self {
        Self(Place::Here(Box::new(log)))
    }

    pub(super) fn there(log: remote::Log) -> Self {
        Self(Place::There(Box::new(log)))
    }

    /// Hands what there is to `print`, in pieces.
    ///
    /// # Errors
    /// An unreadable file; a refusal, or no answer, of a cluster; what `print` says.
    pub fn read(&mut self, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<()> {
        match &mut self.0 {
            Place::Here(here) => here.read(print),
            Place::There(there) => there.read(print),
        }
    }

    /// Hands what has come since the last call to `print`, and no more than a share: for whoever follows several logs. True
    /// when there may be more at once. The buffer is of [`crate::kubelet::CHUNK`] bytes.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn read_some(
        &mut self,
        buffer: &mut [u8],
        print: &mut impl FnMut(LogPiece<'_>) -> Result<()>,
    ) -> Result<bool> {
        match &mut self.0 {
            Place::Here(here) => here.read_some(buffer, print),
            Place::There(there) => there.read_some(print).map(|()| false),
        }
    }

    /// The pod as it is now, for a log that is followed.
    pub fn pod_is(&self, pod: &Pod, has_ended: bool) {
        if let Place::There(there) = &self.0 {
            there.pod_is(pod, has_ended);
        }
    }

    /// The pod has been deleted, or is nobody's any more: its log comes to its end.
    pub fn pod_is_gone(&self) {
        if let Place::There(there) = &self.0 {
            there.pod_is_gone();
        }
    }

    /// Whether nothing is left on its way, once the pod has ended.
    pub fn has_arrived(&self) -> bool {
        match &self.0 {
            Place::Here(_) => true,
            Place::There(there) => there.is_finished(),
        }
    }

    /// Whether a file is held.
    pub fn is_open(&self) -> bool {
        match &self.0 {
            Place::Here(here) => here.is_open(),
            Place::There(_) => false,
        }
    }

    /// Lets go of a file that is held; see [`LogReader::close`].
    pub fn close(&mut self) {
        if let Place::Here(here) = &mut self.0 {
            here.close();
        }
    }
}
