//! Several requests over one connection, the next one sent before the answer to the last is there.
//!
//! Source: RFC 9112, 9.3.2 (pipelining). Only requests that may be repeated go this way, and only
//! over a connection that was kept, so one over which this server has answered before. How it ends
//! is told simply: an answer came to a request, or none did. What got none, for whatever reason, is
//! sent again by itself as if it had never been sent, so whoever sends this way loses nothing but
//! time. Servers have to take such requests, yet not all do: two are sent first and the answers
//! awaited before there are more, and a server that disappoints again and again gets no more.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::{NextTimeout, Transport};

use super::pool::Pooled;
use super::{Agent, host_of, socket};

/// The most requests that are sent before an answer is read.
const TOGETHER: usize = 8;
/// So many are sent first, to see whether a server takes them.
const TRIED: usize = 2;
/// How long the answers to those are waited for.
const TRIAL: Duration = Duration::from_secs(10);
/// So many times in a row answers may stay out.
const STRIKES: u32 = 3;
/// The most that the head or the body of an answer may have.
const ANSWER: usize = 64 << 10;
/// The most headers that an answer may have.
const HEADERS: usize = 64;

/// What is known of the servers of an agent.
#[derive(Debug, Default)]
pub(super) struct Lines {
    known: AtomicU8,
    strikes: AtomicU32,
}

const UNTRIED: u8 = 0;
const TRYING: u8 = 1;
const WORKS: u8 = 2;
const CLOSED: u8 = 3;

impl Lines {
    /// How many requests may go together.
    fn together(&self) -> usize {
        match self.known.load(SeqCst) {
            UNTRIED => TRIED,
            WORKS => TOGETHER,
            _ => 1,
        }
    }

    /// Whether there may be a line now, and whether it is the first one.
    fn begin(&self) -> Option<bool> {
        match self.known.compare_exchange(UNTRIED, TRYING, SeqCst, SeqCst) {
            Ok(_) => Some(true),
            Err(WORKS) => Some(false),
            Err(_) => None,
        }
    }

    /// So many answers came to so many requests.
    fn end(&self, trial: bool, sent: usize, answered: usize) {
        let whole = answered == sent;
        if trial {
            let known = match whole {
                true if sent < TRIED => UNTRIED,
                true => WORKS,
                false => CLOSED,
            };
            self.known.store(known, SeqCst);
        } else if whole {
            self.strikes.store(0, SeqCst);
        } else if self.strikes.fetch_add(1, SeqCst) + 1 >= STRIKES {
            self.known.store(CLOSED, SeqCst);
        }
    }
}

/// A kept connection over which requests are sent one behind the other.
pub struct Line {
    agent: Agent,
    connection: Pooled,
    host: String,
    trial: bool,
    sent: usize,
    answered: usize,
    /// Whether nothing more can be sent or read.
    ended: bool,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

/// The head of an answer.
pub struct Head<'a> {
    /// The HTTP status.
    pub status: u16,
    headers: &'a [httparse::Header<'a>],
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<'a> Head<'a> {
    /// A header as text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    }
}

impl Agent {
    /// How many requests may be sent one behind the other, as far as is known of the server.
    pub fn together(&self) -> usize {
        self.inner.lines.together()
    }

    /// A kept connection to the server of this URL for several requests; `None` where there is no
    /// such connection, a proxy is in between, or the server has shown that it had better get
    /// one request at a time.
    pub fn line(&self, url: &str) -> Option<Line> {
        let uri: Uri = url.parse().ok()?;
        let proxy = self.inner.network.proxy(uri.scheme_str()?);
        if !matches!(proxy, Ok(None)) || self.inner.shut.load(SeqCst) {
            return None;
        }
        let trial = self.inner.lines.begin()?;
        let Some(connection) = self.inner.pool.take(&uri) else {
            if trial {
                self.inner.lines.end(trial, 0, 0);
            }
            return None;
        };
        socket::begins();
        let (agent, host) = (self.clone(), host_of(&uri));
        Some(Line { agent, connection, host, trial, sent: 0, answered: 0, ended: false })
    }
}

impl Line {
    /// Sends a request: everything up to its body, and the body. Returns whether an answer can be
    /// asked for.
    pub fn send(&mut self, head: &[u8], body: &[u8]) -> bool {
        let most = if self.trial { TRIED } else { TOGETHER };
        if self.ended || self.sent == most {
            return false;
        }
        (self.agent.inner.on_request)(&self.host);
        self.sent += 1;
        self.ended = self.write(&[head, body]).is_err();
        !self.ended
    }

    fn write(&mut self, parts: &[&[u8]]) -> Result<(), ureq::Error> {
        let time = self.time();
        let mut filled = 0;
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                let room = &mut self.connection.buffers().output()[filled..];
                let count = room.len().min(rest.len());
                room[..count].copy_from_slice(&rest[..count]);
                (filled, rest) = (filled + count, &rest[count..]);
                if count == room.len() {
                    self.connection.transmit_output(filled, time)?;
                    filled = 0;
                }
            }
        }
        self.connection.transmit_output(filled, time)
    }

    fn time(&self) -> NextTimeout {
        let stall = self.agent.inner.network.stall;
        let most = if self.trial { stall.min(TRIAL) } else { stall };
        let after = self.agent.time_left(Some(most)).unwrap_or(most);
        NextTimeout { after: after.into(), ..NextTimeout::default() }
    }

    /// Reads the next answer; `None` where it did not come.
    pub fn answer<T>(&mut self, look: impl FnOnce(&Head<'_>) -> T) -> Option<T> {
        // What was cut off in the middle may have been any of the requests.
        if self.ended || self.answered == self.sent {
            return None;
        }
        match self.read(look) {
            Some((seen, ends)) if !socket::was_cut() => {
                self.answered += 1;
                self.ended = ends;
                Some(seen)
            }
            _ => {
                self.ended = true;
                None
            }
        }
    }

    /// What was seen of an answer, and whether it is the last one.
    fn read<T>(&mut self, look: impl FnOnce(&Head<'_>) -> T) -> Option<(T, bool)> {
        let time = self.time();
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let input = self.connection.buffers().input();
            let enough = input.len();
            match response.parse(input) {
                Ok(httparse::Status::Complete(length)) => {
                    let status = response.code?;
                    if (100..200).contains(&status) {
                        self.connection.buffers().input_consume(length);
                        continue;
                    }
                    let head = Head { status, headers: response.headers };
                    let body = Length::of(&head, response.version == Some(1));
                    let seen = look(&head);
                    self.connection.buffers().input_consume(length);
                    return match body {
                        Length::Known(body) => self.skip(body).map(|()| (seen, false)),
                        Length::Unknown => Some((seen, true)),
                    };
                }
                Ok(httparse::Status::Partial) if enough < ANSWER => {
                    if !matches!(self.connection.await_input(time), Ok(true)) {
                        return None;
                    }
                }
                _ => return None,
            }
        }
    }

    fn skip(&mut self, mut length: usize) -> Option<()> {
        let time = self.time();
        while length > 0 {
            let there = self.connection.buffers().input().len().min(length);
            self.connection.buffers().input_consume(there);
            length -= there;
            if length > 0 && !matches!(self.connection.await_input(time), Ok(true)) {
                return None;
            }
        }
        Some(())
    }
}

/// The length of an answer's body, which must be known for the connection to go on.
enum Length {
    Known(usize),
    Unknown,
}

impl Length {
    fn of(head: &Head<'_>, is_1_1: bool) -> Length {
        let closes = head.header("connection").is_some_and(|value| {
            value.split(',').any(|option| option.trim().eq_ignore_ascii_case("close"))
        });
        if !is_1_1 || closes || head.header("transfer-encoding").is_some() {
            return Length::Unknown;
        }
        if matches!(head.status, 204 | 304) {
            return Length::Known(0);
        }
        match head.header("content-length").map(str::parse) {
            Some(Ok(length)) if length <= ANSWER => Length::Known(length),
            _ => Length::Unknown,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Asked whether it is open, a connection goes back to where it was taken from.
        if !self.ended && self.answered == self.sent && self.connection.buffers().input().is_empty()
        {
            self.connection.is_open();
        }
        self.agent.inner.lines.end(self.trial, self.sent, self.answered);
    }
}

#[cfg(test)]
mod tests;
