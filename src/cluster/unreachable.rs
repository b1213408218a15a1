//! Why there is no connection, in kubectl's words.

use std::fmt;

/// There is no connection to the server. What is displayed is kubectl's whole sentence, so nothing stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    sentence: String,
    may_pass: bool,
}

impl Unreachable {
    /// Nobody listens there.
    pub(super) fn refused(authority: &str) -> Self {
        let sentence = format!(
            "The connection to the server {authority} was refused - did you specify the right host or port?"
        );
        Self { sentence, may_pass: true }
    }

    /// Something that may be otherwise in a moment: a name that is not found, a packet that is not answered.
    pub(super) fn for_now(reason: impl fmt::Display) -> Self {
        Self { sentence: format!("Unable to connect to the server: {reason}"), may_pass: true }
    }

    /// Something that stays as it is: a certificate that is not trusted, a proxy that does not let us through.
    pub(super) fn for_good(reason: impl fmt::Display) -> Self {
        Self { may_pass: false, ..Self::for_now(reason) }
    }

    /// Whether trying again makes sense.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Unreachable {}
