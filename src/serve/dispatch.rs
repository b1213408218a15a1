//! From a request to its answer: who may ask, what is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, IF_NONE_MATCH,
    UPGRADE, USER_AGENT,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::answer::Answer;
use super::body::Body;
use super::path::{ObjectPath, Route, Served, route};
use super::query::Query;
use super::status::Problem;
use super::{
    Server, change, custom_resources, delete, discovery, event, evict, log, media, openapi, port_forward,
    read, review, scale, socket, stream, usage,
};
use crate::api::kinds::Kind;
use crate::api::quoted::quoted;
use crate::api::version;
use crate::client::metrics_of;
use crate::store::Table;

/// The most bytes of a request's body, as upstream.
const MOST_BODY: usize = 3 << 20;
/// The most bytes of one that is too large that are read before that is said.
const MOST_HEARD: usize = 4 * MOST_BODY;

/// What a request comes to.
pub(super) type Outcome = Result<Answer, Problem>;

/// A request, read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) query: Query,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// For requests that go on as something else.
    pub(super) upgrade: Option<OnUpgrade>,
}

impl Asked {
    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header, by its name in small letters.
    pub(super) fn header_named(&self, name: &'static str) -> Option<&str> {
        self.header(HeaderName::from_static(name))
    }

    /// The types that the client takes.
    pub(super) fn accept(&self) -> Option<&str> {
        self.header(ACCEPT)
    }

    /// Whether the client takes a type.
    pub(super) fn accepts(&self, wanted: &str) -> bool {
        let accept = self.accept().map(str::trim).filter(|accept| !accept.is_empty()).unwrap_or("*/*");
        accept.split(',').filter_map(|one| one.split(';').next()).any(|one| {
            [wanted, "*/*"].contains(&one.trim())
                || one
                    .trim()
                    .strip_suffix('*')
                    .is_some_and(|group| group != "*/" && wanted.starts_with(group))
        })
    }

    /// Whether the client can unpack gzip.
    pub(super) fn takes_gzip(&self) -> bool {
        let all = self.header(ACCEPT_ENCODING).unwrap_or_default();
        all.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    }

    /// Which answer the client has already.
    pub(super) fn if_none_match(&self) -> Option<&str> {
        self.header(IF_NONE_MATCH)
    }

    /// What the client calls itself.
    pub(super) fn user_agent(&self) -> &str {
        self.header(USER_AGENT).unwrap_or_default()
    }

    /// The type of the body, without its parameters.
    pub(super) fn content_type(&self) -> Option<&str> {
        let of = self.header(CONTENT_TYPE)?;
        Some(of.split(';').next().unwrap_or_default().trim())
    }
}

/// Answers a request. `is_let_in` is set once one has shown the token.
pub(super) async fn answer(
    server: &Arc<Server>,
    request: Request<Incoming>,
    is_let_in: &AtomicBool,
) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut answer = match admit(server, &request, is_let_in) {
        Err(problem) => problem.into_answer(),
        Ok(()) => ask(server, request).await.unwrap_or_else(Problem::into_answer),
    };
    if is_head {
        answer.body = Body::Whole(None);
    }
    answer.into_response()
}

/// Whether a request may be looked at: it means this server by name, and shows the token.
fn admit(server: &Server, request: &Request<Incoming>, is_let_in: &AtomicBool) -> Result<(), Problem> {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if request.headers().get_all(HOST).iter().count() > 1 {
        return Err(Problem::bad_request("too many Host headers"));
    }
    // A page of another name that has been led to this address is not let in by its name alone.
    let host =
        request.uri().authority().map(|authority| authority.as_str()).or(header(HOST)).unwrap_or_default();
    let port = server.port;
    if ![format!("127.0.0.1:{port}"), format!("localhost:{port}")].iter().any(|ours| ours == host) {
        return Err(Problem::forbidden(format!("this server is not {}", quoted(host))));
    }
    let token = header(AUTHORIZATION).and_then(bearer_token);
    if token.is_some_and(|token| is_token(server, token)) {
        is_let_in.store(true, Ordering::Relaxed);
        return Ok(());
    }
    let is_liveness = request.uri().path() == "/livez" && token.is_none();
    if is_liveness { Ok(()) } else { Err(Problem::unauthorized()) }
}

/// The token that a header shows. The name of the scheme is read in any case (RFC 9110, 11.1).
fn bearer_token(shown: &str) -> Option<&str> {
    let (scheme, token) = shown.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// Whether that is the server's token, in a time that does not tell how much of it is right.
pub(super) fn is_token(server: &Server, given: &str) -> bool {
    let (given, ours) = (given.as_bytes(), server.token.as_bytes());
    given.len() == ours.len()
        && given.iter().zip(ours).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

async fn ask(server: &Arc<Server>, mut request: Request<Incoming>) -> Outcome {
    let upgrade = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let route = route(parts.uri.path());
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let body = match parts.method {
        Method::GET | Method::HEAD => Vec::new(),
        _ => collect(body).await?,
    };
    let asked = Asked { method: parts.method, query, headers: parts.headers, body, upgrade };
    match route {
        Route::Objects(at) => objects(server, asked, at).await,
        Route::NoPath => Ok(Answer::text(StatusCode::NOT_FOUND, "404 page not found\n")),
        Route::NoResource => Err(Problem::no_resource()),
        Route::BadName(name) => Err(Problem::bad_request(format!(
            "Name parameter invalid: {}: may not be '{name}'",
            quoted(&name)
        ))),
        Route::OpenApi2 | Route::OpenApi3 | Route::OpenApiDocument(_) if is_read(&asked) => {
            openapi::answer(server, asked, route).await
        }
        Route::Metrics if is_read(&asked) => metrics(server).await,
        other => about_the_server(server, &asked, &other),
    }
}

/// Reads a body to its end. One that is too large is heard out for a while: a connection that is closed over what nobody has read is
/// reset, and nobody would hear why.
async fn collect(mut body: Incoming) -> Result<Vec<u8>, Problem> {
    let (mut whole, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await.filter(|_| size <= MOST_HEARD) {
        let frame = frame.map_err(|error| Problem::bad_request(format!("read the body: {error}")))?;
        let Some(piece) = frame.data_ref() else { continue };
        size += piece.len();
        if size <= MOST_BODY {
            whole.extend_from_slice(piece);
        }
    }
    if size <= MOST_BODY {
        return Ok(whole);
    }
    let message = format!("Request entity too large: limit is {MOST_BODY}");
    let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message);
    Err(problem.with(json!({})))
}

fn is_read(asked: &Asked) -> bool {
    matches!(asked.method, Method::GET | Method::HEAD)
}

/// What is no object: discovery, health, the version.
fn about_the_server(server: &Server, asked: &Asked, route: &Route) -> Outcome {
    let form = || media::discovery(asked.accept()).map_err(|why| Problem::not_acceptable(why, false));
    let json = |document| Ok(Answer::json(StatusCode::OK, &document));
    match route {
        Route::Health => Ok(health(asked)),
        Route::CoreVersions => {
            let address = format!("127.0.0.1:{}", server.port);
            Ok(discovery::core_versions(form()?, asked.if_none_match(), &address))
        }
        Route::Groups => Ok(discovery::groups(form()?, asked.if_none_match())),
        _ if !is_read(asked) => Err(Problem::method_not_allowed()),
        Route::Paths => json(discovery::paths()),
        Route::Version => json(version::server_version()),
        Route::Group(name) => json(discovery::group(name)),
        Route::Resources(group, version) => json(discovery::resources(group, version)),
        _ => Err(Problem::no_resource()),
    }
}

/// The type of a page for Prometheus.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

async fn metrics(server: &Arc<Server>) -> Outcome {
    let readers = server.readers.clone();
    let server = Arc::clone(server);
    let page = move || {
        let (state, _) = server.snapshot()?;
        let page = metrics_of(&server.client.show(state, Table::NODES)?)?;
        Ok(Answer::new(StatusCode::OK, PROMETHEUS, page))
    };
    readers.aside(page).await
}

fn health(asked: &Asked) -> Answer {
    let text = if asked.query.get("verbose").is_some() {
        "[+]ping ok\n[+]store ok\nlivez check passed\n"
    } else {
        "ok"
    };
    Answer::text(StatusCode::OK, text)
}

async fn objects(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let kind = at.served.kind();
    match at.served {
        Served::Kind(_) => {}
        Served::NewEvents if at.subresource.is_none() => {}
        Served::AccessReview | Served::RulesReview | Served::SubjectReview | Served::TokenReview => {
            return match (&asked.method, &at.name) {
                (&Method::POST, None) => review::review(server, &asked, at.served),
                _ => Err(Problem::method_not_allowed()),
            };
        }
        Served::CustomResources => return custom_resources::none(server, &asked, &at),
        Served::NodeMetrics | Served::PodMetrics if at.subresource.is_none() => {
            return match asked.method {
                Method::GET => usage::measure(server, asked, at, kind).await,
                _ => Err(Problem::method_not_allowed()),
            };
        }
        _ => return Err(Problem::no_resource()),
    }
    if at.subresource.is_some() || at.name.is_some() {
        return object(server, asked, at).await;
    }
    let can_create = at.namespace.is_some() || !kind.resource().namespaced;
    match asked.method {
        Method::GET if at.is_watch || asked.query.is_set("watch") => stream::watch(server, &asked, &at),
        Method::GET => read::list(server, asked, at).await,
        Method::POST if kind == Kind::Event && at.namespace.is_some() => {
            event::create(server, asked, at).await
        }
        Method::POST if can_create && kind != Kind::Event => change::create(server, asked, at).await,
        Method::DELETE if at.namespace.is_some() => delete::delete_collection(server, asked, at).await,
        _ => Err(Problem::method_not_allowed()),
    }
}

async fn object(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let kind = at.served.kind();
    if let Some(subresource) = &at.subresource
        && !discovery::subresources(kind).iter().any(|known| known.name == *subresource)
    {
        return Err(Problem::no_resource());
    }
    match (asked.method.clone(), at.subresource.as_deref()) {
        (_, Some("scale")) => scale::scale(server, asked, at).await,
        (Method::POST, Some("eviction")) => evict::evict(server, asked, at).await,
        (Method::GET | Method::POST, Some("exec" | "attach")) => socket::open(server, asked, &at),
        (Method::GET | Method::POST, Some("portforward")) => port_forward::open(server, asked, &at),
        (Method::GET, Some("log")) => log::log(server, &asked, &at),
        (Method::GET, None) if at.is_watch => stream::watch(server, &asked, &at),
        (Method::GET, None | Some("status" | "ephemeralcontainers")) => read::get(server, &asked, &at),
        (Method::PUT | Method::PATCH, None) if kind == Kind::Event => event::change(server, asked, at).await,
        (Method::PUT, None | Some("status")) => change::replace(server, asked, at).await,
        (Method::PATCH, None | Some("status")) => change::patch(server, asked, at).await,
        (Method::DELETE, None) => delete::delete(server, asked, at).await,
        _ => Err(Problem::method_not_allowed()),
    }
}
