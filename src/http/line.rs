//! Several requests over one connection, the next one sent before the answer to the last is there.
//!
//! Source: RFC 9112, 9.3.2 (pipelining). Only requests that may be repeated go this way, and only
//! over a connection that was kept, so one over which this server has answered before. How it ends
//! is told simply: an answer came to a request, or none did. What got none, for whatever reason, is
//! sent again by itself as if it had never been sent, so whoever sends this way loses nothing but
//! time. Servers have to take such requests, yet not all do: two are sent first and the answers
//! awaited before there are more, and a server that disappoints again and again gets no more.

use std::fmt;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
pub(super) struct Lines(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Known,
    strikes: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Known {
    #[default]
    Untried,
    /// The first line is there now.
    Trying,
    Works,
    /// One request at a time.
    Closed,
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// An answer came to each request.
    Whole,
    /// The server refused something, or nothing was asked: that tells nothing of lines.
    Open,
    /// Answers stayed out, or were of no use.
    Broken,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests may go together.
    fn together(&self) -> usize {
        match self.lock().known {
            Known::Untried => TRIED,
            Known::Works => TOGETHER,
            Known::Trying | Known::Closed => 1,
        }
    }

    /// Whether there may be a line now, and whether it is the first one.
    fn begin(&self) -> Option<bool> {
        let mut state = self.lock();
        match state.known {
            Known::Untried => {
                state.known = Known::Trying;
                Some(true)
            }
            Known::Works => Some(false),
            Known::Trying | Known::Closed => None,
        }
    }

    fn end(&self, trial: bool, end: End) {
        let mut state = self.lock();
        match end {
            End::Whole => *state = State { known: Known::Works, strikes: 0 },
            End::Open if trial => state.known = Known::Untried,
            End::Open => {}
            End::Broken => {
                state.strikes += 1;
                if trial || state.strikes >= STRIKES {
                    state.known = Known::Closed;
                }
            }
        }
    }

    fn close(&self) {
        self.lock().known = Known::Closed;
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
    /// Whether the peer stopped taking requests in the middle of one, whichever that was.
    cut: bool,
    /// Whether the last answer was a refusal.
    refused: bool,
    /// Whether answers were of no use.
    vain: bool,
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
        if !matches!(self.inner.network.proxy(uri.scheme_str()?), Ok(None)) {
            self.inner.lines.close();
        }
        if self.inner.shut.load(SeqCst) {
            return None;
        }
        let trial = self.inner.lines.begin()?;
        let Some(connection) = self.inner.pool.take(&uri) else {
            self.inner.lines.end(trial, End::Open);
            return None;
        };
        Some(Line {
            agent: self.clone(),
            connection,
            host: host_of(&uri),
            trial,
            sent: 0,
            answered: 0,
            ended: false,
            cut: false,
            refused: false,
            vain: false,
        })
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
        socket::begins();
        self.ended = self.write(&[head, body]).is_err();
        self.cut |= socket::was_cut();
        !self.ended
    }

    /// The answers that come are of no use; such lines are not worth their while.
    pub fn is_vain(&mut self) {
        self.vain = true;
    }

    fn write(&mut self, parts: &[&[u8]]) -> Result<(), ureq::Error> {
        let time = timeout(self.time());
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

    /// The time for sending a request or for an answer.
    fn time(&self) -> Duration {
        let stall = self.agent.inner.network.stall;
        let most = if self.trial { stall.min(TRIAL) } else { stall };
        self.agent.time_left(Some(most)).unwrap_or(most)
    }

    /// Reads the next answer; `None` where it did not come. A refusal is the last answer that is
    /// read: who refuses a request may not have read it to its end, and what comes behind that
    /// may be the answer to anything.
    pub fn answer<T>(&mut self, look: impl FnOnce(&Head<'_>) -> T) -> Option<T> {
        if self.ended || self.answered == self.sent {
            return None;
        }
        let seen = self.read(look).filter(|_| !self.cut);
        match seen {
            Some(_) => self.answered += 1,
            None => self.ended = true,
        }
        seen
    }

    /// What was seen of an answer.
    fn read<T>(&mut self, look: impl FnOnce(&Head<'_>) -> T) -> Option<T> {
        let until = Instant::now() + self.time();
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let input = self.connection.buffers().input();
            let enough = input.len();
            match response.parse(input) {
                Ok(httparse::Status::Complete(length)) => {
                    let status = response.code?;
                    if status == 101 {
                        return None;
                    }
                    if status < 200 {
                        self.connection.buffers().input_consume(length);
                        continue;
                    }
                    let head = Head { status, headers: response.headers };
                    let body = length_of(&head, response.version == Some(1));
                    let seen = look(&head);
                    self.refused = status >= 400;
                    self.connection.buffers().input_consume(length);
                    match body {
                        Some(body) if !self.refused => self.skip(body, until)?,
                        _ => self.ended = true,
                    }
                    return Some(seen);
                }
                Ok(httparse::Status::Partial) if enough < ANSWER => self.wait(until)?,
                _ => return None,
            }
        }
    }

    fn skip(&mut self, mut length: usize, until: Instant) -> Option<()> {
        loop {
            let there = self.connection.buffers().input().len().min(length);
            self.connection.buffers().input_consume(there);
            length -= there;
            if length == 0 {
                return Some(());
            }
            self.wait(until)?;
        }
    }

    /// Waits for more of an answer.
    fn wait(&mut self, until: Instant) -> Option<()> {
        if Instant::now() >= until {
            return None;
        }
        socket::begins();
        // Always the same time, which need not be set anew; it may be over twice at most.
        let came = self.connection.await_input(timeout(self.time()));
        self.cut |= socket::was_cut();
        matches!(came, Ok(true)).then_some(())
    }
}

fn timeout(time: Duration) -> NextTimeout {
    NextTimeout { after: time.into(), ..NextTimeout::default() }
}

/// The length of an answer's body, if another answer may come behind it.
fn length_of(head: &Head<'_>, is_1_1: bool) -> Option<usize> {
    let all = |name: &'static str| {
        head.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
    };
    let closes = all("connection").any(|header| {
        let mut options = header.value.split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    if !is_1_1 || closes || all("transfer-encoding").count() > 0 {
        return None;
    }
    if matches!(head.status, 204 | 304) {
        return Some(0);
    }
    let length = head.header("content-length").filter(|_| all("content-length").count() == 1)?;
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    length.parse().ok().filter(|length| digits && *length <= ANSWER)
}

impl Drop for Line {
    fn drop(&mut self) {
        let whole = self.answered == self.sent;
        let is_left = !self.connection.buffers().input().is_empty();
        if whole && !self.ended && !is_left {
            // Asked whether it is open, a connection goes back to where it was taken from.
            self.connection.is_open();
        }
        let end = match self.refused || self.sent < if self.trial { TRIED } else { 1 } {
            true => End::Open,
            false if whole && !self.vain && !is_left => End::Whole,
            false => End::Broken,
        };
        self.agent.inner.lines.end(self.trial, end);
    }
}

#[cfg(test)]
mod tests;
