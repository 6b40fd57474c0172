//! One connection: requests in, answers out.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};
use socket2::SockRef;

use super::{Bodies, Delivery, Request, Response, Shared};
use crate::fault::Trouble;

/// More than any client sends; it keeps a runaway test from filling the memory.
const MAX_HEAD: usize = 256 * 1024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(into),
            Stream::Tls(stream) => stream.read(into),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    fn close(&mut self) {
        if let Stream::Tls(stream) = self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// Closing with a linger time of zero sends RST in place of FIN. The twin in the table of open
    /// connections keeps the socket alive, so the caller drops that first.
    fn reset(self, shared: &Shared, number: u64) {
        let _ = SockRef::from(self.socket()).set_linger(Some(Duration::ZERO));
        crate::lock(&shared.open).remove(&number);
    }
}

/// How a connection goes on after an answer.
enum Next {
    KeepAlive,
    Close,
    Reset,
}

/// Serves a connection until it ends.
pub(super) fn serve(shared: &Arc<Shared>, socket: TcpStream, number: u64) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let stream = match &shared.options.tls {
        None => Stream::Plain(socket),
        Some(identity) => {
            let session =
                ServerConnection::new(identity.server_config()).map_err(io::Error::other)?;
            Stream::Tls(Box::new(StreamOwned::new(session, socket)))
        }
    };
    let mut connection = Connection { shared, stream, number, buffer: Vec::new() };
    loop {
        match connection.exchange()? {
            Next::KeepAlive => {}
            Next::Close => {
                connection.stream.close();
                return Ok(());
            }
            Next::Reset => {
                connection.stream.reset(shared, number);
                return Ok(());
            }
        }
    }
}

struct Connection<'a> {
    shared: &'a Shared,
    stream: Stream,
    number: u64,
    /// What was read and not yet used.
    buffer: Vec<u8>,
}

/// How the end of a body is known.
enum Framing {
    Length(u64),
    Chunked,
}

/// What has arrived of a body.
struct Arrived {
    mode: Bodies,
    kept: Vec<u8>,
    hasher: Sha256,
    length: u64,
    /// After this many bytes no more is read.
    limit: Option<usize>,
    /// The byte at this place is changed.
    corrupt: Option<usize>,
}

impl Arrived {
    /// Takes bytes in, and says whether the limit is reached.
    fn take(&mut self, bytes: &mut [u8]) -> bool {
        let before = usize::try_from(self.length).unwrap_or(usize::MAX);
        if let Some(byte) =
            self.corrupt.and_then(|at| at.checked_sub(before)).and_then(|at| bytes.get_mut(at))
        {
            *byte ^= 1;
        }
        self.length += bytes.len() as u64;
        if self.mode != Bodies::Count {
            self.hasher.update(&*bytes);
        }
        if self.mode == Bodies::Keep {
            self.kept.extend_from_slice(bytes);
        }
        self.limit.is_some_and(|limit| self.length >= limit as u64)
    }
}

impl Connection<'_> {
    /// One request and its answer.
    fn exchange(&mut self) -> io::Result<Next> {
        let Some((mut request, framing)) = self.read_head()? else { return Ok(Next::Close) };
        let control = request.path().starts_with("/_control/");
        let fault = if control { None } else { self.shared.faults.meet(&request) };

        let trouble = fault.as_ref().map(|(trouble, _)| trouble);
        if let Some(Trouble::Early(None, response)) = trouble {
            self.shared.record(&request);
            return self.refuse(&request, response);
        }
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            self.stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let arrived = self.read_body(&framing, trouble);
        let whole = matches!(arrived, Ok((_, true)));
        let (arrived, whole) = match arrived {
            Ok((arrived, _)) => (arrived, whole),
            Err(error) => {
                self.shared.record(&request);
                return Err(error);
            }
        };
        request.body_length = arrived.length;
        if arrived.mode != Bodies::Count {
            request.body_sha256 = crate::hex(&arrived.hasher.finalize());
        }
        request.body = Arc::new(arrived.kept);
        request.complete = whole;
        if control {
            let response = self.shared.control(&request);
            return self.deliver(&request, &response);
        }
        self.shared.record(&request);
        match trouble {
            Some(Trouble::ResetAfter(_)) => return Ok(Next::Reset),
            Some(Trouble::StopAfter(_)) => {
                self.shared.wait(None);
                return Ok(Next::Close);
            }
            Some(Trouble::Early(_, response)) => return self.refuse(&request, response),
            _ => {}
        }
        let response = self.respond(&request, fault);
        let keep_alive = !response.close
            && request
                .header("connection")
                .is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        let next = self.deliver(&request, &response)?;
        Ok(if keep_alive { next } else { Next::Close })
    }

    /// An answer for a client that is still sending.
    fn refuse(&mut self, request: &Request, response: &Response) -> io::Result<Next> {
        let response = Response { close: true, ..response.clone() };
        self.deliver(request, &response)?;
        Ok(Next::Close)
    }

    /// The real answer, and what a fault makes of it.
    fn respond(&self, request: &Request, fault: Option<(Trouble, bool)>) -> Response {
        let handler = &self.shared.handler;
        if let Some(refusal) = handler.inspect(request) {
            return refusal;
        }
        match fault {
            Some((Trouble::Replace(response), after_effect)) => {
                if after_effect {
                    handler.answer(request);
                }
                response
            }
            Some((Trouble::Deliver(delivery), _)) => {
                Response { delivery, ..handler.answer(request) }
            }
            Some((Trouble::Late(delay), _)) => {
                self.shared.wait(Some(delay));
                handler.answer(request)
            }
            Some((Trouble::Delay(delay), _)) => Response { delay, ..handler.answer(request) },
            Some((Trouble::Header(name, value), _)) => handler.answer(request).header(&name, value),
            _ => handler.answer(request),
        }
    }

    fn deliver(&mut self, request: &Request, response: &Response) -> io::Result<Next> {
        if !response.delay.is_zero() {
            self.shared.wait(Some(response.delay));
        }
        let (bytes, head) = response.encode(request.method == "HEAD");
        let upto = |body: usize| &bytes[..bytes.len().min(head + body)];
        match response.delivery {
            Delivery::Whole => {
                self.stream.send(&bytes)?;
                return Ok(Next::KeepAlive);
            }
            Delivery::Close => {}
            Delivery::Reset => return Ok(Next::Reset),
            Delivery::Stall => self.shared.wait(None),
            Delivery::StallInBody(body) => {
                self.stream.send(upto(body))?;
                self.shared.wait(None);
            }
            Delivery::Truncate(body) => self.stream.send(upto(body))?,
        }
        Ok(Next::Close)
    }

    /// Reads until the buffer has grown; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        let mut piece = [0; 64 * 1024];
        let read = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }

    fn read_head(&mut self) -> io::Result<Option<(Request, Framing)>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 128];
            let mut parsed = httparse::Request::new(&mut headers);
            let status = parsed.parse(&self.buffer);
            match status {
                Ok(httparse::Status::Complete(length)) => {
                    let request = Request {
                        connection: self.number,
                        method: parsed.method.unwrap_or_default().to_owned(),
                        target: parsed.path.unwrap_or_default().to_owned(),
                        headers: parsed
                            .headers
                            .iter()
                            .map(|header| {
                                let value = String::from_utf8_lossy(header.value).into_owned();
                                (header.name.to_owned(), value)
                            })
                            .collect(),
                        ..Request::default()
                    };
                    self.buffer.drain(..length);
                    let framing = framing(&request)?;
                    return Ok(Some((request, framing)));
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD => {
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
                Ok(httparse::Status::Partial) | Err(_) => {
                    let response = Response { close: true, ..Response::html(400) };
                    self.stream.send(&response.encode(false).0)?;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads the body, and says whether it is whole.
    fn read_body(
        &mut self,
        framing: &Framing,
        trouble: Option<&Trouble>,
    ) -> io::Result<(Arrived, bool)> {
        let (mut limit, mut corrupt) = (None, None);
        match trouble {
            Some(
                Trouble::Early(Some(bytes), _)
                | Trouble::ResetAfter(bytes)
                | Trouble::StopAfter(bytes),
            ) => limit = Some(*bytes),
            Some(Trouble::Corrupt(at)) => corrupt = Some(*at),
            _ => {}
        }
        let mut arrived = Arrived {
            mode: self.shared.options.bodies,
            kept: Vec::new(),
            hasher: Sha256::new(),
            length: 0,
            limit,
            corrupt,
        };
        let whole = match framing {
            Framing::Length(length) => self.read_exactly(*length, &mut arrived)?,
            Framing::Chunked => self.read_chunks(&mut arrived)?,
        };
        Ok((arrived, whole))
    }

    /// Takes this many bytes; false when the client or the limit ended it before.
    fn read_exactly(&mut self, length: u64, arrived: &mut Arrived) -> io::Result<bool> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() && !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let take = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let enough = arrived.take(&mut self.buffer[..take]);
            self.buffer.drain(..take);
            left -= take as u64;
            if enough {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read_chunks(&mut self, arrived: &mut Arrived) -> io::Result<bool> {
        loop {
            let line = self.read_line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            if size == 0 {
                while !self.read_line()?.is_empty() {}
                return Ok(true);
            }
            if !self.read_exactly(size, arrived)? {
                return Ok(false);
            }
            self.read_line()?;
        }
    }

    fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn framing(request: &Request) -> io::Result<Framing> {
    if request
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return Ok(Framing::Chunked);
    }
    match request.header("content-length") {
        None => Ok(Framing::Length(0)),
        Some(length) => length.trim().parse().map(Framing::Length).map_err(io::Error::other),
    }
}
