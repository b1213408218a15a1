//! The ports of this machine that lead to a pod: who listens on them, and what happens to a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::net::TcpStream;
use tokio::signal::unix::Signal;

use super::ports::Forwarding;
use crate::api::errno::errno_text;
use crate::cmd::output::{complain, say};
use crate::kubelet::connect_to_port;

/// How long to wait where no more connections can be taken: all descriptors are in use.
const PAUSE: Duration = Duration::from_millis(100);

/// Where to listen.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Both kinds of the machine's own address, of which one is enough.
    is_localhost: bool,
    /// Others, all of which are wanted.
    others: Vec<IpAddr>,
}

impl Addresses {
    /// Reads what `--address` gives.
    ///
    /// # Errors
    /// What is no address, in kubectl's words.
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let mut addresses = Self { is_localhost: false, others: Vec::new() };
        for word in words {
            match word.parse() {
                _ if word == "localhost" => addresses.is_localhost = true,
                Ok(address) => addresses.others.push(address),
                Err(_) => bail!("{word} is not a valid IP"),
            }
        }
        Ok(addresses)
    }
}

/// A port of this machine on which we listen.
pub(super) struct Listener {
    listener: TcpListener,
    forwarding: Forwarding,
}

/// Listens wherever that is wanted, and says so. A port that leads to itself needs nobody to listen: the pod does, or will.
///
/// # Errors
/// None of the ports can be had.
pub(super) fn listen(addresses: &Addresses, forwardings: &[Forwarding]) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut is_any = false;
    for forwarding in forwardings {
        match listen_on(addresses, *forwarding) {
            Ok(found) => {
                is_any = true;
                listeners.extend(found);
            }
            Err(errors) => complain(&format!(
                "Unable to listen on port {}: Listeners failed to create with the following errors: [{}]",
                forwarding.local,
                errors.join(" ")
            )),
        }
    }
    if !is_any {
        let ports = forwardings.iter().map(|both| format!("{{{} {}}}", both.local, both.remote));
        bail!("unable to listen on any of the requested ports: [{}]", ports.collect::<Vec<_>>().join(" "));
    }
    Ok(listeners)
}

fn listen_on(addresses: &Addresses, mut forwarding: Forwarding) -> Result<Vec<Listener>, Vec<String>> {
    let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let is_direct = addresses.is_localhost && forwarding.local == forwarding.remote;
    if is_direct {
        tell(SocketAddr::new(own[0], forwarding.local), forwarding.remote);
    }
    let (mut listeners, mut own_errors, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let own_wanted =
        own.iter().filter(|_| addresses.is_localhost && !is_direct).map(|address| (address, true));
    for (address, is_own) in own_wanted.chain(addresses.others.iter().map(|address| (address, false))) {
        match bind(*address, forwarding) {
            Ok(listener) => {
                // Of both kinds of address the same port, where any will do.
                forwarding = listener.forwarding;
                listeners.push(listener);
            }
            Err(error) if is_own => own_errors.push(error),
            Err(error) => errors.push(error),
        }
    }
    if own_errors.len() == own.len() {
        errors.splice(..0, own_errors);
    }
    if errors.is_empty() { Ok(listeners) } else { Err(errors) }
}

fn bind(address: IpAddr, forwarding: Forwarding) -> Result<Listener, String> {
    let wanted = SocketAddr::new(address, forwarding.local);
    let bound = TcpListener::bind(wanted).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (from, listener) = bound.map_err(|error| {
        let kind = if address.is_ipv4() { "tcp4" } else { "tcp6" };
        format!("unable to create listener: Error listen {kind} {wanted}: bind: {}", errno_text(&error))
    })?;
    tell(from, forwarding.remote);
    Ok(Listener { listener, forwarding: Forwarding { local: from.port(), ..forwarding } })
}

fn tell(from: SocketAddr, to: u16) {
    // Who reads nothing of it has the port all the same.
    let _ = say(&format!("Forwarding from {from} -> {to}"));
}

/// Takes connections and passes on what comes, until Ctrl-C.
///
/// # Errors
/// Listeners that the runtime cannot take.
pub(super) async fn serve(listeners: Vec<Listener>, mut interrupt: Signal) -> io::Result<()> {
    for Listener { listener, forwarding } in listeners {
        listener.set_nonblocking(true)?;
        tokio::spawn(accept(tokio::net::TcpListener::from_std(listener)?, forwarding));
    }
    interrupt.recv().await;
    Ok(())
}

async fn accept(listener: tokio::net::TcpListener, forwarding: Forwarding) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(pass_on(stream, forwarding))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn pass_on(mut here: TcpStream, forwarding: Forwarding) {
    let Forwarding { local, remote } = forwarding;
    if say(&format!("Handling connection for {local}")).is_err() {
        return;
    }
    let _ = here.set_nodelay(true);
    match connect_to_port(remote).await {
        // How it ends is between the two of them.
        Ok(mut there) => drop(tokio::io::copy_bidirectional(&mut here, &mut there).await),
        Err(error) => complain(&format!(
            "error: an error occurred forwarding {local} -> {remote}: connect to port {remote}: {}",
            errno_text(&error)
        )),
    }
}
