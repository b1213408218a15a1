//! One request and its answer, and what becomes of both when the way there is bad.

use std::iter::Take;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, WARNING};
use hyper::{Method, Request as HttpRequest, Response, StatusCode};

use super::api::Api;
use super::backoff::Waits;
use super::refusals::refusal;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::cluster::Unreachable;

/// What requests are sent on.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    /// Whether sending it twice does what sending it once does.
    pub(super) is_repeatable: bool,
    /// The version of the object in it, where its manifest names an older one than ours: `batch/v1beta1`.
    pub(super) older_version: Option<String>,
}

impl Request {
    /// A request that reads.
    pub(super) fn get(path: String) -> Self {
        let body = Bytes::new();
        Self { method: Method::GET, path, content_type: "", body, is_repeatable: true, older_version: None }
    }

    /// One that reads, by somebody who tries again himself.
    pub(super) fn get_once(path: String) -> Self {
        Self { is_repeatable: false, ..Self::get(path) }
    }

    /// A request with a body in JSON.
    pub(super) fn with_body(method: Method, path: String, body: &impl serde::Serialize) -> Result<Self> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        let content_type = "application/json";
        Ok(Self { method, path, content_type, body, is_repeatable: false, older_version: None })
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) warnings: Vec<String>,
    pub(super) body: Bytes,
}

impl Answer {
    /// The answer, unless it is a refusal.
    ///
    /// # Errors
    /// [`StatusError`], of a request about an object, or a kind.
    pub(super) fn accepted(self, kind: Option<Kind>, key: Option<&Key>) -> Result<Self, StatusError> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(refusal(self.status.as_u16(), &self.body, kind, key)),
        }
    }
}

/// The connection has ended before the answer had.
#[derive(Debug)]
pub(super) struct Broken {
    detail: String,
    /// Whether the server cannot have acted on the request.
    is_unsent: bool,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the connection to the server was lost: {}", self.detail)
    }
}

impl std::error::Error for Broken {}

impl Broken {
    pub(super) fn new(error: &hyper::Error) -> Self {
        let mut detail = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            detail = format!("{detail}: {cause}");
            source = cause.source();
        }
        Self { detail, is_unsent: error.is_canceled() }
    }
}

/// How much of one answer is taken: a page of a list has 500 objects at most, of which none has more than 1.5 MiB.
pub(super) const MOST_BYTES: usize = 1 << 30;
/// How often a request is sent again that the server has not taken.
const TRIES: u32 = 10;
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Api {
    /// Sends a request and waits for the whole answer. What the server has not taken is sent again, as is what may be.
    ///
    /// # Errors
    /// [`Unreachable`]; [`Broken`] of a request of which is not known what became of it.
    pub(super) async fn exchange(&self, request: &Request) -> Result<Answer> {
        self.in_time(self.exchange_patiently(request)).await
    }

    async fn exchange_patiently(&self, request: &Request) -> Result<Answer> {
        let mut again = Again::new();
        loop {
            let whole = async {
                let (response, sender) = self.open(request).await?;
                self.collected(response, sender).await
            };
            let answered = whole.await;
            match again.after(self, request, &answered) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => match answered {
                    Ok((answer, _)) if self.finds_version(request, &answer).await => {}
                    answered => return answered.map(|(answer, _)| answer),
                },
            }
        }
    }

    /// As [`Api::exchange`], of which the answer comes bit by bit: it is returned when it begins.
    ///
    /// # Errors
    /// As [`Api::exchange`]; the refusal as an answer.
    pub(super) async fn stream(&self, request: &Request) -> Result<Result<Response<Incoming>, Answer>> {
        self.in_time(self.stream_patiently(request)).await
    }

    async fn stream_patiently(&self, request: &Request) -> Result<Result<Response<Incoming>, Answer>> {
        let mut again = Again::new();
        loop {
            let answered = match self.open(request).await {
                // Its connection is its own from now on.
                Ok((response, _)) if response.status().is_success() => return Ok(Ok(response)),
                Ok((response, sender)) => self.collected(response, sender).await,
                Err(error) => Err(error),
            };
            match again.after(self, request, &answered) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => match answered {
                    Ok((answer, _)) if self.finds_version(request, &answer).await => {}
                    answered => return answered.map(|(answer, _)| Err(answer)),
                },
            }
        }
    }

    /// What somebody gives a certain time, with all that is tried again meanwhile.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        match self.timeout {
            None => asked.await,
            Some(timeout) => match tokio::time::timeout(timeout, asked).await {
                Ok(answered) => answered,
                Err(_) => Err(Unreachable::timed_out().into()),
            },
        }
    }

    /// Sends a request once, on a connection that is there or on a new one.
    async fn open(&self, request: &Request) -> Result<(Response<Incoming>, Sender)> {
        let (path, body) = self.versions.address(request);
        loop {
            let known = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
            let is_known = known.is_some();
            let mut sender = match known {
                Some(sender) if !sender.is_closed() => sender,
                _ => self.access.connect().await?,
            };
            let mut http = HttpRequest::builder()
                .method(&request.method)
                .uri(format!("{}{path}", self.access.prefix()))
                .body(Full::new(body.clone()))?;
            *http.headers_mut() = self.access.headers().await?;
            if !request.content_type.is_empty() {
                http.headers_mut().insert(CONTENT_TYPE, request.content_type.parse()?);
            }
            http.headers_mut().insert(hyper::header::ACCEPT, "application/json".parse()?);
            if sender.ready().await.is_err() && is_known {
                continue;
            }
            let began = Instant::now();
            match sender.send_request(http).await {
                Ok(response) => {
                    if let Some(say) = self.trace.get() {
                        say(&format!(
                            "{} {}{path} {} in {} milliseconds",
                            request.method,
                            self.access.server(),
                            response.status(),
                            began.elapsed().as_millis()
                        ));
                    }
                    return Ok((response, sender));
                }
                // The server may close what it has not heard of for a while, at the moment at which it hears again.
                Err(error) if is_known && (error.is_canceled() || request.is_repeatable) => {}
                Err(error) => {
                    let unreachable = self.access.lost(&error);
                    return Err(match unreachable.may_pass() {
                        true => Broken::new(&error).into(),
                        false => unreachable.into(),
                    });
                }
            }
        }
    }

    /// The whole answer, and how long the server asks to wait. The connection is kept for the next request.
    async fn collected(
        &self,
        response: Response<Incoming>,
        sender: Sender,
    ) -> Result<(Answer, Option<Duration>)> {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<hyper::Error>() {
            Some(error) => anyhow::Error::from(Broken::new(error)),
            None => anyhow!("the server has sent more than {} MiB at once", MOST_BYTES >> 20),
        });
        let body = body?.to_bytes();
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        let asked = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let warnings = warnings(&head.headers);
        Ok((Answer { status: head.status, warnings, body }, asked.map(Duration::from_secs)))
    }
}

/// What the server warns of: `299 - "text"`, as RFC 7234 has it.
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(WARNING).iter().filter_map(|value| {
        let quoted = std::str::from_utf8(value.as_bytes()).ok()?.split_once('"')?.1;
        let end = quoted.rfind('"')?;
        Some(quoted[..end].replace("\\\"", "\"").replace("\\\\", "\\"))
    });
    texts.collect()
}

/// Whether a request is sent again, and when.
struct Again {
    refused: u32,
    /// The waits that are left for what has met an error of the server, or a broken connection.
    waits: Take<Waits>,
    has_new_credential: bool,
}

impl Again {
    fn new() -> Self {
        Self { refused: 0, waits: Waits::few(), has_new_credential: false }
    }

    /// How long to wait before the request is sent again; nothing where that is what came of it.
    fn after(
        &mut self,
        api: &Api,
        request: &Request,
        answered: &Result<(Answer, Option<Duration>)>,
    ) -> Option<Duration> {
        match answered {
            Ok((answer, asked)) => self.after_answer(api, request, answer.status, *asked),
            Err(error) => self.after_error(request, error),
        }
    }

    fn after_answer(
        &mut self,
        api: &Api,
        request: &Request,
        status: StatusCode,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        match status {
            StatusCode::UNAUTHORIZED if !self.has_new_credential => {
                self.has_new_credential = true;
                api.access.forget_credential().then_some(Duration::ZERO)
            }
            // It was not taken.
            StatusCode::TOO_MANY_REQUESTS => self.take_back(asked),
            StatusCode::SERVICE_UNAVAILABLE if asked.is_some() => self.take_back(asked),
            status if status.is_server_error() && request.is_repeatable => self.waits.next(),
            _ => None,
        }
    }

    fn after_error(&mut self, request: &Request, error: &anyhow::Error) -> Option<Duration> {
        let broken = error.downcast_ref::<Broken>()?;
        if request.is_repeatable || broken.is_unsent { self.waits.next() } else { None }
    }

    fn take_back(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.refused += 1;
        (self.refused <= TRIES).then(|| asked.unwrap_or(Duration::from_secs(1)).min(LONGEST_WAIT))
    }
}

/// Whether what has failed may go well later: the way there, or the server for now.
pub(super) fn may_pass(error: &anyhow::Error) -> bool {
    if error.is::<Broken>() {
        return true;
    }
    if let Some(unreachable) = error.downcast_ref::<Unreachable>() {
        return unreachable.may_pass();
    }
    match error.downcast_ref::<StatusError>() {
        Some(StatusError::Other { reason, .. }) => {
            ["InternalError", "ServiceUnavailable", "Timeout", "ServerTimeout", "TooManyRequests", ""]
                .contains(reason)
        }
        _ => false,
    }
}
