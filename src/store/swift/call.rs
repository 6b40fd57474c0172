//! One call of the API: with the token, and once more with a new one where that was refused.

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Swift;
use super::right::Doing;
use crate::content::Body;
use crate::http::{Agent, Answer, Exchange, Feed, Payload, Request};
use crate::store::keystone::Session;
use crate::store::server;
use crate::store::transfer::Transfer;
use crate::store::{Sent, StoreError, Stored, encode_key};

/// From this size on a body is sent only when the server has agreed to it, so that an early
/// refusal is read instead of a broken connection.
const EXPECT_FROM: u64 = 1 << 20;

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Account,
    Container,
    Object(&'a str),
}

/// What is asked of the store.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) target: Target<'a>,
    /// Names and values as they are, without any encoding.
    pub(super) query: Vec<(&'a str, &'a str)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content<'a>,
    pub(super) answer_limit: Option<u64>,
    pub(super) time: Option<Duration>,
}

/// What a call carries.
pub(super) enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    Body {
        body: &'a Body,
        range: Range<u64>,
        sent: &'a Sent<'a>,
    },
    /// The same, and every byte that is sent goes through the second function too.
    Watched {
        body: &'a Body,
        range: Range<u64>,
        sent: &'a Sent<'a>,
        watch: &'a dyn Watch,
    },
}

/// Sees the bytes of a body on their way.
pub(super) trait Watch {
    /// The body is sent from its beginning.
    fn begin(&self);
    /// These bytes come next.
    fn see(&self, bytes: &[u8]);
}

impl<'a> Call<'a> {
    pub(super) fn new(method: &'a str, target: Target<'a>) -> Call<'a> {
        Call {
            method,
            target,
            query: Vec::new(),
            headers: Vec::new(),
            content: Content::None,
            answer_limit: None,
            time: None,
        }
    }

    /// What the user may not do, where this call is refused for want of a right.
    pub(super) fn doing(&self) -> Doing {
        match (self.method, self.target) {
            ("PUT", Target::Object(_)) => Doing::Store,
            ("DELETE", Target::Object(_)) => Doing::Remove,
            (_, Target::Object(_)) => Doing::Read,
            ("PUT", Target::Container) => Doing::Make,
            ("POST", Target::Container) => Doing::Change,
            ("GET", Target::Container) => Doing::List,
            (_, Target::Container | Target::Account) => Doing::Look,
        }
    }
}

impl Swift {
    /// Sends a call and makes an error of an answer that is no success.
    pub(super) fn call(&self, agent: &Agent, call: &Call<'_>) -> Stored<Answer> {
        let answer = self.exchange(agent, call)?;
        self.checked(call, answer)
    }

    /// Sends a call and returns the answer, whatever it says. A token may end at any moment, and
    /// some clouds forget one before its time: then the call is sent again with a new one, once.
    pub(super) fn exchange(&self, agent: &Agent, call: &Call<'_>) -> Stored<Answer> {
        let counted = Cell::new(0);
        let session = self.tokens.session(agent)?;
        let answer = self.send(agent, call, &session, &counted)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let session = self.tokens.renewed(agent, &session)?;
        self.send(agent, call, &session, &counted)
    }

    /// The address of what a call is about.
    pub(super) fn url(&self, storage_url: &str, target: Target<'_>) -> String {
        let container = encode_key(&self.container);
        match target {
            Target::Account => storage_url.to_owned(),
            Target::Container => format!("{storage_url}/{container}"),
            Target::Object(key) => format!("{storage_url}/{container}/{}", encode_key(key)),
        }
    }

    fn send(
        &self,
        agent: &Agent,
        call: &Call<'_>,
        session: &Session,
        counted: &Cell<u64>,
    ) -> Stored<Answer> {
        let mut url = self.url(&session.storage_url, call.target);
        for (index, (name, value)) in call.query.iter().enumerate() {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            url.push_str(&format!("{}{name}={value}", if index == 0 { '?' } else { '&' }));
        }
        let mut request = Request::new(call.method, &url);
        request.headers.clone_from(&call.headers);
        request = request.header("x-auth-token", session.token.clone());
        request.answer_limit = call.answer_limit;
        request.time = call.time;
        let (body, range, sent, watch) = match &call.content {
            Content::None => {
                if matches!(call.method, "PUT" | "POST") {
                    request.payload = Payload::Bytes(&[]);
                }
                return self.answered(agent, &url, agent.exchange(request));
            }
            Content::Bytes(bytes) => {
                request.payload = Payload::Bytes(bytes);
                return self.answered(agent, &url, agent.exchange(request));
            }
            Content::Body { body, range, sent } => (body, range, sent, None),
            Content::Watched { body, range, sent, watch } => (body, range, sent, Some(*watch)),
        };
        let length = range.end.saturating_sub(range.start);
        if length >= EXPECT_FROM {
            request = request.header("expect", "100-continue");
        }
        if let Some(watch) = watch {
            watch.begin();
        }
        if length == 0 {
            request.payload = Payload::Bytes(&[]);
            return self.answered(agent, &url, agent.exchange(request));
        }
        // Bytes that are sent a second time within this call are not counted twice.
        let position = Cell::new(0);
        let once = |bytes: u64| {
            position.set(position.get() + bytes);
            let fresh = position.get().saturating_sub(counted.get());
            counted.set(counted.get() + fresh);
            sent(fresh)
        };
        let mut transfer = Transfer::new(body, range.clone(), &once)?;
        let (exchange, ended) = match watch {
            None => {
                request.payload = Payload::Feed(&mut transfer, length);
                (agent.exchange(request), transfer.ended())
            }
            Some(watch) => {
                let mut watched = Watched { inner: &mut transfer, watch };
                request.payload = Payload::Feed(&mut watched, length);
                (agent.exchange(request), transfer.ended())
            }
        };
        match ended {
            Some(failure) => Err(failure),
            None => self.answered(agent, &url, exchange),
        }
    }

    fn answered(&self, agent: &Agent, url: &str, exchange: Exchange) -> Stored<Answer> {
        match exchange {
            Exchange::Answered(answer) => {
                self.known.answered();
                self.ahead.get_or_init(|| self.clock.behind(answer.date()));
                Ok(answer)
            }
            Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
                Err(self.known.no_answer(agent, &self.name, url, failure))
            }
        }
    }

    pub(super) fn unreachable(&self, why: String) -> StoreError {
        server::unreachable(&self.name, why)
    }
}

struct Watched<'a, 'b> {
    inner: &'a mut Transfer<'b>,
    watch: &'a dyn Watch,
}

impl std::io::Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.watch.see(&buffer[..read]);
        Ok(read)
    }
}

/// What is looked at must be read.
impl Feed for Watched<'_, '_> {
    fn failed(&mut self, source: std::io::Error) {
        self.inner.failed(source);
    }
}
