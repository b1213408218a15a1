//! Answers, before they are HTTP.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WARNING};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::body::Body;

/// The type of JSON.
pub(super) const JSON: &str = "application/json";
/// The type of plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// What a request is answered with.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Body,
}

impl Answer {
    /// An answer of some type.
    pub(super) fn new(code: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Self {
        Self { code, content_type, headers: Vec::new(), body: body.into() }
    }

    /// A document as JSON.
    pub(super) fn json(code: StatusCode, document: &impl Serialize) -> Self {
        // Documents of strings and numbers always encode.
        let text = serde_json::to_vec(document).unwrap_or_default();
        Self::new(code, JSON, text)
    }

    /// Plain text.
    pub(super) fn text(code: StatusCode, text: impl Into<String>) -> Self {
        Self::new(code, TEXT, text.into()).with("x-content-type-options", "nosniff")
    }

    /// The same with a header.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }

    /// The same with warnings, as RFC 7234 writes them.
    #[must_use]
    pub(super) fn with_warnings<'a>(mut self, warnings: impl IntoIterator<Item = &'a String>) -> Self {
        for warning in warnings {
            let text = warning.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
            self.headers.push((WARNING, format!("299 - \"{text}\"")));
        }
        self
    }

    /// The answer in HTTP.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        for (name, value) in self.headers {
            // What objects bring along may hold what no header can.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                match name {
                    WARNING => drop(headers.append(name, value)),
                    name => drop(headers.insert(name, value)),
                }
            }
        }
        response
    }
}
