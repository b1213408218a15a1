//! Connections that become something else than HTTP.

use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use hyper::StatusCode;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::answer::{Answer, TEXT};
use super::body::Body;
use super::dispatch::Asked;
use super::status::Problem;

/// A connection as it will be, and the answer after which it is that.
pub(super) struct Upgrade {
    /// What comes of it once the answer is sent.
    pub(super) connection: OnUpgrade,
    /// What is spoken then.
    pub(super) protocol: &'static str,
    /// The answer.
    pub(super) answer: Answer,
}

/// A WebSocket in the first of the protocols that the client offers, too. One that offers none speaks `unnamed`.
///
/// # Errors
/// No WebSocket is asked for, or none of these protocols.
pub(super) fn websocket(
    asked: &mut Asked,
    protocols: impl IntoIterator<Item = &'static str>,
    unnamed: Option<&'static str>,
) -> Result<Upgrade, Problem> {
    let offered = asked.header_named("sec-websocket-protocol").map(str::to_owned);
    let key = asked.header_named("sec-websocket-key").map(str::to_owned);
    let is_websocket =
        asked.header_named("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    let (true, Some(key), Some(connection)) = (is_websocket, key, asked.upgrade.take()) else {
        return Err(Problem::bad_request("Upgrade request required"));
    };
    let is_named = offered.is_some();
    let offered: Vec<&str> = offered.iter().flat_map(|offered| offered.split(',')).map(str::trim).collect();
    let found = protocols.into_iter().find(|name| offered.contains(name));
    let Some(protocol) = found.or(unnamed.filter(|_| !is_named)) else {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "no protocol of the client is spoken here",
        ));
    };
    let answer = switching("websocket").with("sec-websocket-accept", derive_accept_key(key.as_bytes()));
    let answer = if is_named { answer.with("sec-websocket-protocol", protocol) } else { answer };
    Ok(Upgrade { connection, protocol, answer })
}

/// A WebSocket with a client.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What a connection has become.
///
/// # Errors
/// The client has gone meanwhile.
pub(super) async fn socket_of(connection: OnUpgrade) -> Result<Socket> {
    let stream = TokioIo::new(connection.await?);
    Ok(WebSocketStream::from_raw_socket(stream, Role::Server, None).await)
}

/// What clients take for the end, and nothing else.
pub(super) const DONE: CloseFrame =
    CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };

/// How long a client is listened to that has been told the end.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// Listens to a client that has been told the end, until it says that it has heard. A connection that is closed over what nobody has
/// read is reset, and what was sent last may be lost.
pub(super) async fn farewell(incoming: &mut SplitStream<Socket>) {
    let rest = async { while let Some(Ok(_)) = incoming.next().await {} };
    let _ = timeout(FAREWELL, rest).await;
}

/// The answer after which something else is spoken.
pub(super) fn switching(to: &'static str) -> Answer {
    let answer = Answer::new(StatusCode::SWITCHING_PROTOCOLS, TEXT, Body::Whole(None));
    answer.with("connection", "Upgrade").with("upgrade", to)
}
