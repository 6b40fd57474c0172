//! The sockets below ureq, with fewer system calls than its own ones.
//!
//! A request's head and a small body leave in one write: what is to be sent waits until somebody
//! wants to read the answer, or until half the buffer is full. Whether a kept connection is still
//! open is asked with one call instead of three. Proxies are ureq's own.
//!
//! A server may answer before a request is sent to its end, and close: then writing fails, and why
//! is in the answer. So a failed write is no failure yet: the rest of the request goes nowhere, and
//! the answer is read, if there is one.
//!
//! Where the system can send from a file (Linux), what lies in one as it is to be sent takes that
//! way and is never copied into this process.

mod tls;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use super::connect::{Shared, open};
use super::feed::Piece;
use crate::input::look_at;

pub(super) use tls::Encryption;

/// The most that the head of an answer is waited for in one piece.
const LARGEST_INPUT: usize = 256 << 10;

thread_local! {
    /// When this thread's exchange began.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// How long it took until there was a connection for it, if one had to be made.
    static CONNECTING: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// Whether the peer of this thread's exchange has stopped taking the request.
    static CUT: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread's exchange goes over a socket of ours, with or without TLS around it.
    static OURS: Cell<bool> = const { Cell::new(false) };
    /// What goes out in the place of the bytes that are handed over next.
    static NEXT: RefCell<Option<Piece>> = const { RefCell::new(None) };
    /// Why a piece could not be read.
    static UNREAD: RefCell<Option<io::Error>> = const { RefCell::new(None) };
}

/// An exchange begins on this thread.
pub(super) fn begins() {
    BEGAN.set(Some(Instant::now()));
    CONNECTING.set(Duration::ZERO);
    CUT.set(false);
    OURS.set(false);
    NEXT.take();
    UNREAD.take();
}

/// A connection was made for the exchange on this thread.
fn is_connected() {
    CONNECTING.set(BEGAN.get().map_or(Duration::ZERO, |began| began.elapsed()));
}

/// How much of the exchange that began last on this thread was making the connection, with all that
/// is done once before the first one. An answer over a kept connection comes that much sooner.
pub(crate) fn connecting() -> Duration {
    CONNECTING.get()
}

/// Whether the exchange on this thread, if it is not encrypted, can send pieces of files.
pub(super) fn sends_files() -> bool {
    cfg!(target_os = "linux") && OURS.get()
}

/// Sends a piece of a file in the place of the bytes that are handed over next on this thread.
pub(super) fn send_next(piece: Piece) {
    NEXT.set(Some(piece));
}

/// Why a piece of the exchange on this thread could not be read, if one could not.
pub(super) fn unread() -> Option<io::Error> {
    UNREAD.take()
}

/// Whether the peer stopped taking the request of the exchange that began last on this thread.
pub(super) fn was_cut() -> bool {
    CUT.get()
}

/// Opens sockets.
#[derive(Debug)]
pub(super) struct Sockets;

impl<In: Transport> Connector<In> for Sockets {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let socket = open(details)?;
        socket.stream.set_nodelay(true)?;
        is_connected();
        let config = details.config;
        let room = Room {
            input: Vec::new(),
            input_size: config.input_buffer_size(),
            taken: 0,
            filled: 0,
            progress: false,
            output: Vec::new(),
            output_size: config.output_buffer_size(),
            waiting: 0,
        };
        Ok(Some(Either::B(Socket {
            socket,
            room,
            read_timeout: None,
            write_timeout: None,
            has_just_read: false,
            cut: None,
        })))
    }
}

/// A connection.
pub(super) struct Socket {
    socket: Arc<Shared>,
    room: Room,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    has_just_read: bool,
    /// Why nothing can be written any more.
    cut: Option<io::Error>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Socket {
    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        if self.room.waiting == 0 {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.room.waiting);
        self.write(timeout, |socket, room| (&socket.stream).write_all(&room.output[..waiting]))
    }

    /// Sends a piece of a file behind what waits.
    fn send(&mut self, piece: &Piece, timeout: NextTimeout) -> Result<(), Error> {
        self.flush(timeout)?;
        self.write(timeout, |socket, room| send_piece(socket, piece, &mut room.output))
    }

    fn write(
        &mut self,
        timeout: NextTimeout,
        write: impl FnOnce(&Shared, &mut Room) -> io::Result<()>,
    ) -> Result<(), Error> {
        if self.cut.is_some() {
            return Ok(());
        }
        let timeout = timeout.for_write();
        let time = time_of(&timeout)?;
        if time != self.write_timeout {
            self.socket.stream.set_write_timeout(time)?;
            self.write_timeout = time;
        }
        match write(&self.socket, &mut self.room) {
            Err(error) if is_closed(&error) => {
                CUT.set(true);
                self.cut = Some(error);
                Ok(())
            }
            written => written.map_err(|error| failed(error, &timeout)),
        }
    }

    fn receive(
        &mut self,
        timeout: NextTimeout,
        mut read: impl FnMut(&TcpStream, &mut Room) -> io::Result<usize>,
    ) -> Result<usize, Error> {
        let timeout = timeout.for_read();
        let time = time_of(&timeout)?;
        if time != self.read_timeout {
            self.socket.stream.set_read_timeout(time)?;
            self.read_timeout = time;
        }
        let until = time.map(|time| Instant::now() + time);
        loop {
            match read(&self.socket.stream, &mut self.room) {
                Ok(0) if self.cut.is_some() => {
                    let error = self.cut.take().map_or(Error::ConnectionFailed, Error::Io);
                    return Err(error);
                }
                Ok(count) => {
                    self.has_just_read = count > 0;
                    return Ok(count);
                }
                // Every signal ends a read that has a time-out; what is left of that is near
                // enough to all of it.
                Err(error)
                    if error.kind() == io::ErrorKind::Interrupted
                        && until.is_none_or(|until| Instant::now() < until) => {}
                Err(error) => return Err(failed(error, &timeout)),
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn send_piece(socket: &Shared, piece: &Piece, buffer: &mut [u8]) -> io::Result<()> {
    use rustix::io::Errno;
    let mut at = piece.at;
    if !holds_back_sigpipe() {
        return copy_piece(socket, piece, at, buffer);
    }
    let until = piece.at + piece.len as u64;
    while at < until {
        let left = (until - at) as usize;
        match rustix::fs::sendfile(&socket.stream, &piece.file, Some(&mut at), left) {
            Ok(1..) | Err(Errno::INTR) => {}
            // The peer or the clock; everything else is about the file.
            Err(
                error @ (Errno::AGAIN
                | Errno::PIPE
                | Errno::CONNRESET
                | Errno::CONNABORTED
                | Errno::NOTCONN
                | Errno::TIMEDOUT),
            ) => {
                return Err(error.into());
            }
            Ok(0) | Err(_) => return copy_piece(socket, piece, at, buffer),
        }
    }
    Ok(())
}

/// Sees to it that a peer that is gone raises no signal on this thread.
///
/// A write can be told to raise none, sending from a file cannot, and a program in C that does not
/// ignore SIGPIPE would be ended by it. It is raised on the thread that sends, which is one of an
/// upload's own, and goes when that ends.
#[cfg(target_os = "linux")]
fn holds_back_sigpipe() -> bool {
    use nix::sys::signal::{SigSet, Signal};
    thread_local! {
        static HELD_BACK: Cell<bool> = const { Cell::new(false) };
    }
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGPIPE);
    if !HELD_BACK.get() {
        HELD_BACK.set(signals.thread_block().is_ok());
    }
    HELD_BACK.get()
}

#[cfg(not(target_os = "linux"))]
fn send_piece(socket: &Shared, piece: &Piece, buffer: &mut [u8]) -> io::Result<()> {
    copy_piece(socket, piece, piece.at, buffer)
}

/// Sends the rest of a piece by reading it, which tells what is wrong with a file, and does for one
/// that the system cannot send from.
fn copy_piece(socket: &Shared, piece: &Piece, mut at: u64, buffer: &mut [u8]) -> io::Result<()> {
    let until = piece.at + piece.len as u64;
    while at < until {
        let most = buffer.len().min((until - at) as usize);
        match look_at(&piece.file, &mut buffer[..most], at) {
            Ok(0) => return Err(not_read(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                (&socket.stream).write_all(&buffer[..count])?;
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(not_read(error)),
        }
    }
    Ok(())
}

fn not_read(error: io::Error) -> io::Error {
    UNREAD.set(Some(error));
    io::Error::other("a file could not be read while it was sent")
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.room
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        OURS.set(true);
        if let Some(piece) = NEXT.take() {
            return self.send(&piece, timeout);
        }
        if self.room.collects(amount) { Ok(()) } else { self.flush(timeout) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.flush(timeout)?;
        let count = self.receive(timeout, |mut stream, room| {
            let count = stream.read(room.input_append_buf())?;
            room.input_appended(count);
            Ok(count)
        })?;
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // It is asked twice: when an answer was read to its end, where that read is news enough,
        // and before the next request.
        let is_idle =
            self.cut.is_none() && self.room.waiting == 0 && self.room.taken == self.room.filled;
        is_idle && (std::mem::take(&mut self.has_just_read) || is_quiet(&self.socket.stream))
    }
}

/// Whether there is nothing to read: neither the end of the connection nor bytes that nobody
/// asked for.
#[cfg(unix)]
fn is_quiet(stream: &TcpStream) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let peeked = socket2::SockRef::from(stream).recv_with_flags(&mut byte, flags);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(not(unix))]
fn is_quiet(stream: &TcpStream) -> bool {
    let mut byte = [0];
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let peeked = stream.peek(&mut byte);
    let quiet = matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    quiet && stream.set_nonblocking(false).is_ok()
}

/// Whether the peer has closed the connection.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

fn time_of(timeout: &NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.not_zero() {
        Some(_) if timeout.after.is_zero() => Err(Error::Timeout(timeout.reason)),
        time => Ok(time.map(|time| *time)),
    }
}

fn failed(error: io::Error, timeout: &NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

/// What was read ahead, and what waits to be sent.
struct Room {
    input: Vec<u8>,
    input_size: usize,
    taken: usize,
    filled: usize,
    progress: bool,
    output: Vec<u8>,
    output_size: usize,
    /// So many bytes of the output are to be sent.
    waiting: usize,
}

impl Room {
    /// So many bytes more are to be sent; whether they can wait for others to go with them.
    fn collects(&mut self, amount: usize) -> bool {
        self.waiting += amount;
        self.waiting < self.output_size / 2
    }

    fn make(&mut self) {
        if self.output.is_empty() {
            self.output = vec![0; self.output_size];
            self.input = vec![0; self.input_size];
        }
        if self.taken == self.filled {
            (self.taken, self.filled) = (0, 0);
        } else if self.filled == self.input.len() {
            if self.taken > 0 {
                self.input.copy_within(self.taken..self.filled, 0);
                (self.taken, self.filled) = (0, self.filled - self.taken);
            } else if self.input.len() < LARGEST_INPUT {
                self.input.resize(self.input.len() * 2, 0);
            }
        }
    }
}

impl Buffers for Room {
    fn output(&mut self) -> &mut [u8] {
        self.make();
        &mut self.output[self.waiting..]
    }

    fn input(&self) -> &[u8] {
        &self.input[self.taken..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make();
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.taken += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make();
        (&mut self.input[self.filled..], &mut self.output[self.waiting..])
    }

    fn can_use_input(&self) -> bool {
        self.taken < self.filled && self.progress
    }
}
