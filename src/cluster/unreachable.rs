//! Why there is no connection, in kubectl's words.

use std::error::Error as _;
use std::{fmt, io};

use tokio_rustls::rustls::Error as TlsError;

use super::tls;
use crate::api::errno::errno_text;

/// What stands before a reason.
const UNABLE: &str = "Unable to connect to the server: ";

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

    /// No answer in the time that somebody gives it.
    pub fn timed_out() -> Self {
        Self::for_now("net/http: request canceled (Client.Timeout exceeded while awaiting headers)")
    }

    /// Something that may be otherwise in a moment: a name that is not found, a packet that is not answered.
    pub(super) fn for_now(reason: impl fmt::Display) -> Self {
        Self { sentence: format!("{UNABLE}{reason}"), may_pass: true }
    }

    /// Something that stays as it is: a certificate that is not trusted, a proxy that does not let us through.
    pub(super) fn for_good(reason: impl fmt::Display) -> Self {
        Self { may_pass: false, ..Self::for_now(reason) }
    }

    /// A connection that was there and has ended before what was to come over it.
    pub(super) fn lost(error: &hyper::Error) -> Self {
        let mut source = error.source();
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref::<TlsError>() {
                return tls::problem(error);
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
                    return tls::problem(error);
                }
                return Self::for_now(match error.kind() {
                    io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
                    _ => errno_text(error),
                });
            }
            source = error.source();
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            Self::for_now("EOF")
        } else if error.is_parse() {
            Self::for_good(format_args!("malformed HTTP response: {error}"))
        } else {
            Self::for_now(error)
        }
    }

    /// The same, with what was being done.
    pub(super) fn with(self, doing: &str) -> Self {
        let sentence = match self.sentence.strip_prefix(UNABLE) {
            Some(reason) => format!("{UNABLE}{doing}{reason}"),
            None => self.sentence,
        };
        Self { sentence, ..self }
    }

    /// The same, for what may be otherwise in a moment.
    pub(super) fn that_may_pass(self) -> Self {
        Self { may_pass: true, ..self }
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
