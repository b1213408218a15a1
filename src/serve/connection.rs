//! Connections: who is let in, and how long anybody may take.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::body::Body;
use super::{Server, dispatch};

/// How many connections there are at most; others wait for one to end.
const MOST_CONNECTIONS: usize = 2000;
/// How long somebody may take to show a token, from the first byte on.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long whoever is let in may wait with the next request: longer than Go's clients keep an idle connection.
const IDLE: Duration = Duration::from_secs(180);
/// The most bytes of a request's headers.
const MOST_HEADERS: usize = 64 << 10;
/// How long to wait where no connection can be accepted: no descriptor is left, mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections for ever.
pub(super) async fn accept(server: Arc<Server>, listener: TcpListener, acceptor: TlsAcceptor) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (server, acceptor) = (Arc::clone(&server), acceptor.clone());
        tokio::spawn(async move {
            let _place = place;
            // Clients come and go as they like.
            let _ = talk(server, stream, acceptor).await;
        });
    }
}

async fn talk(server: Arc<Server>, stream: TcpStream, acceptor: TlsAcceptor) -> anyhow::Result<()> {
    // An answer is one write; the kernel is not to wait for another.
    stream.set_nodelay(true)?;
    let begin = Instant::now();
    let stream = timeout(PATIENCE, acceptor.accept(stream)).await??;
    let is_let_in = Arc::new(AtomicBool::new(false));
    let knows = Arc::clone(&is_let_in);
    let answer = service_fn(move |request: Request<Incoming>| {
        let (server, is_let_in) = (Arc::clone(&server), Arc::clone(&is_let_in));
        async move { Ok::<Response<Body>, Infallible>(dispatch::answer(&server, request, &is_let_in).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = sleep_until(begin + PATIENCE) => {}
    }
    if knows.load(Ordering::Relaxed) { Ok(connection.await?) } else { Ok(()) }
}
