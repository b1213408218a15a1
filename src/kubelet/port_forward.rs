//! Connections to the ports of pods, which are this machine's own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::TcpStream;

/// Connects to a port as a kubelet does: by the older kind of address, then by the newer one.
///
/// # Errors
/// Nobody listens there.
pub async fn connect_to_port(port: u16) -> io::Result<TcpStream> {
    let stream = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(stream) => stream,
        Err(error) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.map_err(|_| error)?,
    };
    // Where nobody listens, the port may be chosen for this very connection, which then speaks to itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}
