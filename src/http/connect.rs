//! Opens connections in a way that another thread can put an end to.
//!
//! What ureq offers for that begins when a connection is open; a host that swallows every packet
//! would hold up a cancel for as long as the time-out of connecting.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, ShutdownHandle};

/// How long is waited without a look at whether to go on.
#[cfg(unix)]
const LOOK: Duration = Duration::from_millis(100);
/// How long is waited where nothing says for how long.
const LONGEST: Duration = Duration::from_secs(3600);

/// A socket that another thread may shut down, also while it is being connected.
pub(super) struct Shared {
    pub(super) stream: TcpStream,
    shut: AtomicBool,
}

impl ShutdownHandle for Shared {
    fn shutdown(&self) {
        self.shut.store(true, Ordering::SeqCst);
        // An error means that it is closed already, or not connected yet.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Tries one address after the other; each gets an equal share of the time that is left.
pub(super) fn open(details: &ConnectionDetails<'_>) -> Result<Arc<Shared>, Error> {
    let time = details.timeout.not_zero().map_or(LONGEST, |time| *time);
    let until = Instant::now() + time.min(LONGEST);
    let mut last = io::Error::from(io::ErrorKind::ConnectionRefused);
    let count = details.addrs.len();
    for (at, address) in details.addrs.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(details.timeout.reason));
        }
        match connect(details, *address, left / (count - at) as u32) {
            Ok(shared) => return Ok(shared),
            Err(Error::Io(error)) => last = error,
            Err(error) => return Err(error),
        }
    }
    match last.kind() {
        io::ErrorKind::TimedOut => Err(Error::Timeout(details.timeout.reason)),
        _ => Err(last.into()),
    }
}

fn share(details: &ConnectionDetails<'_>, stream: TcpStream) -> Result<Arc<Shared>, Error> {
    let shared = Arc::new(Shared { stream, shut: AtomicBool::new(false) });
    (details.register_shutdown)(Arc::downgrade(&shared) as Weak<dyn ShutdownHandle>)?;
    Ok(shared)
}

#[cfg(unix)]
fn connect(
    details: &ConnectionDetails<'_>,
    address: SocketAddr,
    time: Duration,
) -> Result<Arc<Shared>, Error> {
    use socket2::{Domain, Protocol, Socket, Type};
    let until = Instant::now() + time;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    let begun = socket.connect(&address.into());
    let shared = share(details, socket.into())?;
    match begun {
        Ok(()) => {}
        // A signal does not stop it: it goes on by itself.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            wait(&shared, until)?;
        }
        Err(error) => return Err(error.into()),
    }
    shared.stream.set_nonblocking(false)?;
    Ok(shared)
}

/// Waits until the socket is connected.
#[cfg(unix)]
fn wait(shared: &Shared, until: Instant) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let look = Timespec { tv_sec: 0, tv_nsec: left.min(LOOK).subsec_nanos().into() };
        let polled = poll(&mut [PollFd::new(&shared.stream, PollFlags::OUT)], Some(&look));
        if shared.shut.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        match polled {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    match shared.stream.take_error()? {
        Some(error) => Err(error),
        None => shared.stream.peer_addr().map(drop),
    }
}

#[cfg(not(unix))]
fn connect(
    details: &ConnectionDetails<'_>,
    address: SocketAddr,
    time: Duration,
) -> Result<Arc<Shared>, Error> {
    share(details, TcpStream::connect_timeout(&address, time)?)
}
