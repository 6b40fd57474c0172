//! HTTP as the rest of the library sees it: one request, one outcome.
//!
//! An exchange ends in one of three ways, and the difference decides what may be done next: the
//! server answered (whatever the status), the request was certainly not sent, or it may have
//! arrived. Redirects, retries and waiting are not done here: the GitHub client and the uploader
//! have different rules for them. Several small requests may also go one behind the other over a
//! [`Line`]. Only this file and its children touch ureq.

mod connect;
mod date;
mod failure;
mod feed;
mod line;
mod names;
mod network;
mod pool;
mod socket;
mod url;

use std::fmt;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use ureq::http;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector};

use crate::error::Result;

use failure::{classify, hopeless};
use feed::Exactly;
use pool::{Pool, Pooling};
use url::host_of;

pub use failure::{Failure, Tls};
pub use feed::{Feed, Piece};
pub use line::{Head, Line};
pub use network::Network;
pub use ureq::http::HeaderMap;
pub use url::display_url;

pub(crate) use socket::connecting;

/// What this program calls itself.
pub const USER_AGENT: &str = concat!("notify_pr/", env!("CARGO_PKG_VERSION"));
/// How long a connection may take to be made, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a single read or write may stall.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an exchange may take when the time for all is over.
const LAST_TIME: Duration = Duration::from_secs(3);
/// The most of an answer's body that is kept, unless a request says otherwise.
const ANSWER_LIMIT: u64 = 32 << 20;
/// What a body is sent in, and half of it where very many connections share the memory. With TLS
/// such a connection gets a quarter, which is a record: it is held twice there.
const BUFFER: usize = 64 << 10;
/// More connections than this are very many.
const MANY: usize = 32;
/// What an answer is read in; it grows where the head of one is longer.
const ANSWER_BUFFER: usize = 4 << 10;

/// Who is told of every request before it is sent; gets the host.
pub type OnRequest = Arc<dyn Fn(&str) + Send + Sync>;

/// A pool of connections with its own rules, made at the first request of each scheme.
///
/// Clones share the pool. After [`Agent::shut_down`] every request fails, those under way too;
/// what is [`renewed`](Agent::renewed) lasts until [`Agent::end`].
#[derive(Clone)]
pub struct Agent {
    inner: Arc<Inner>,
}

struct Inner {
    network: Network,
    connections: usize,
    on_request: OnRequest,
    http: OnceCell<ureq::Agent>,
    https: OnceCell<ureq::Agent>,
    pool: Arc<Pool>,
    lines: line::Lines,
    shut: AtomicBool,
    /// When the time for requests is over.
    ends: Mutex<Option<Instant>>,
    renewed: Mutex<Renewed>,
}

/// The agents that clean up.
#[derive(Default)]
struct Renewed {
    ended: bool,
    agents: Vec<Weak<Inner>>,
}

impl Inner {
    fn shut_down(&self) {
        self.shut.store(true, Ordering::SeqCst);
        self.pool.clear();
        for made in [&self.http, &self.https] {
            if let Some(agent) = made.get() {
                agent.clone().shutdown();
            }
        }
    }

    fn renewed(&self) -> MutexGuard<'_, Renewed> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("connections", &self.inner.connections)
            .finish_non_exhaustive()
    }
}

/// What a request carries.
pub enum Payload<'a> {
    /// No body at all.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// Exactly so many bytes of a feed; an earlier end is an error, not a hang.
    Feed(&'a mut (dyn Feed + 'a), u64),
}

/// One request. The URL is complete; headers are sent as given.
pub struct Request<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The absolute URL, already percent-encoded.
    pub url: &'a str,
    /// Names and values; `Host` and `Content-Length` are added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload<'a>,
    /// The most of the answer's body that is kept; `None` is a sensible default.
    pub answer_limit: Option<u64>,
    /// A limit for the whole exchange, where a budget of time asks for one.
    pub time: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A request without headers and body.
    pub fn new(method: &'a str, url: &'a str) -> Request<'a> {
        Request {
            method,
            url,
            headers: Vec::new(),
            payload: Payload::None,
            answer_limit: None,
            time: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request<'a> {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn payload(mut self, payload: Payload<'a>) -> Request<'a> {
        self.payload = payload;
        self
    }
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, read to its end or to the limit.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub cut: Option<String>,
}

impl Answer {
    /// A header as text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Exchange {
    /// The server answered, whatever the status.
    Answered(Answer),
    /// The request was certainly not sent.
    NotSent(Failure),
    /// The request, or a part of it, may have arrived, and no answer came.
    MaybeArrived(Failure),
}

impl Agent {
    /// An agent that keeps up to `connections` connections to a host alive.
    pub fn new(network: Network, connections: usize, on_request: OnRequest) -> Agent {
        Agent {
            inner: Arc::new(Inner {
                network,
                connections,
                on_request,
                http: OnceCell::new(),
                https: OnceCell::new(),
                pool: Arc::new(Pool::new(connections)),
                lines: line::Lines::default(),
                shut: AtomicBool::new(false),
                ends: Mutex::new(None),
                renewed: Mutex::default(),
            }),
        }
    }

    /// Ends every request that is under way on another thread, and every later one at once.
    pub fn shut_down(&self) {
        self.inner.shut_down();
    }

    /// The same for the agents that clean up after a shut-down, also those that will be made.
    pub fn end(&self) {
        let agents = {
            let mut renewed = self.inner.renewed();
            renewed.ended = true;
            std::mem::take(&mut renewed.agents)
        };
        agents.iter().filter_map(Weak::upgrade).for_each(|agent| agent.shut_down());
    }

    /// From now on no request may stall for long behind this time; `None` ends that. What keeps
    /// going may take longer.
    pub fn end_by(&self, ends: Option<Instant>) {
        *self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// The time for an exchange. A limit of its own makes it dearer, so it is set only near the end.
    fn time_left(&self, asked: Option<Duration>) -> Option<Duration> {
        let ends = *self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let left = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
        match left.filter(|left| *left < self.inner.network.stall) {
            // Cleaning up takes its time.
            Some(left) => Some(asked.unwrap_or(Duration::MAX).min(left.max(LAST_TIME))),
            None => asked,
        }
    }

    /// A fresh agent of the same kind, for cleaning up after a shut-down.
    #[must_use]
    pub fn renewed(&self) -> Agent {
        let inner = &self.inner;
        let on_request = Arc::clone(&inner.on_request);
        let agent = Agent::new(inner.network.clone(), inner.connections, on_request);
        let mut renewed = inner.renewed();
        if renewed.ended {
            agent.shut_down();
        }
        renewed.agents.retain(|agent| agent.strong_count() > 0);
        renewed.agents.push(Arc::downgrade(&agent.inner));
        drop(renewed);
        agent
    }

    fn ureq(&self, scheme: &str) -> Result<&ureq::Agent> {
        let cell = if scheme == "https" { &self.inner.https } else { &self.inner.http };
        let agent = cell.get_or_try_init(|| {
            let network = &self.inner.network;
            let mut config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(network.proxy(scheme)?)
                .user_agent(USER_AGENT)
                .accept_encoding("")
                .accept("")
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_per_read(Some(network.stall))
                .timeout_per_write(Some(network.stall))
                // They are kept in a pool of ours.
                .max_idle_connections(0)
                .max_idle_connections_per_host(0)
                .input_buffer_size(ANSWER_BUFFER)
                .output_buffer_size(match self.inner.connections {
                    0..=MANY => BUFFER,
                    _ if scheme == "https" => BUFFER / 4,
                    _ => BUFFER / 2,
                });
            if scheme == "https" {
                config = config.tls_config(network.tls()?);
            }
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(socket::Sockets)
                    .chain(socket::Encryption::default())
                    .chain(RustlsConnector::default());
            let pooling = Pooling { pool: Arc::clone(&self.inner.pool), connector };
            let names = names::Names::default();
            Ok(ureq::Agent::with_parts(config.build(), pooling, names))
        })?;
        // A shut-down may have come while the agent was being made.
        if self.inner.shut.load(Ordering::SeqCst) {
            agent.clone().shutdown();
        }
        Ok(agent)
    }

    /// Sends one request and reads the answer to its end.
    pub fn exchange(&self, request: Request<'_>) -> Exchange {
        let uri: http::Uri = match request.url.parse() {
            Ok(uri) => uri,
            Err(_) => return Exchange::NotSent(hopeless("this is not a URL")),
        };
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        socket::begins();
        let agent = match self.ureq(&scheme) {
            Ok(agent) => agent,
            Err(error) => return Exchange::NotSent(hopeless(error.to_string())),
        };
        (self.inner.on_request)(&host_of(&uri));
        let mut builder = http::Request::builder().method(request.method).uri(uri);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let limit = request.answer_limit.unwrap_or(ANSWER_LIMIT);
        let time = self.time_left(request.time);
        let sent = match request.payload {
            Payload::None => send(agent, builder, (), time),
            Payload::Bytes(bytes) => send(agent, builder, bytes, time),
            Payload::Feed(feed, length) => {
                // What is encrypted must pass through us.
                let whole = scheme != "http";
                let mut exact = Exactly { feed, left: length, short: false, whole };
                let builder = builder.header("content-length", length.to_string());
                let body = ureq::SendBody::from_reader(&mut exact);
                let sent = send(agent, builder, body, time);
                if let Some(source) = socket::unread() {
                    exact.feed.failed(source);
                    exact.short = true;
                }
                if exact.short { Err(Ended::Short) } else { sent }
            }
        };
        match sent {
            // Nobody can have done what was not asked to the end.
            Ok(response) if response.status().is_success() && socket::was_cut() => {
                Exchange::MaybeArrived(Failure {
                    what: "the connection was closed while the request was sent".to_owned(),
                    timed_out: false,
                    hopeless: false,
                    tls: None,
                })
            }
            Ok(response) => read_answer(response, limit),
            Err(Ended::Short) => Exchange::MaybeArrived(Failure {
                what: "the file became shorter while it was sent".to_owned(),
                timed_out: false,
                hopeless: false,
                tls: None,
            }),
            Err(Ended::Request(error)) => Exchange::NotSent(hopeless(error)),
            Err(Ended::Ureq(error)) => classify(error),
        }
    }
}

enum Ended {
    Short,
    Request(String),
    Ureq(ureq::Error),
}

fn send<B: ureq::AsSendBody>(
    agent: &ureq::Agent,
    builder: http::request::Builder,
    body: B,
    time: Option<Duration>,
) -> Result<http::Response<ureq::Body>, Ended> {
    let request = builder.body(body).map_err(|error| Ended::Request(error.to_string()))?;
    // A configuration of its own costs a request more than its signature.
    let answered = match time {
        None => agent.run(request),
        Some(_) => agent.run(agent.configure_request(request).timeout_global(time).build()),
    };
    answered.map_err(Ended::Ureq)
}

fn read_answer(response: http::Response<ureq::Body>, limit: u64) -> Exchange {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let read = body.as_reader().take(limit).read_to_end(&mut bytes);
    Exchange::Answered(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: bytes,
        cut: read.err().map(|error| error.to_string()),
    })
}
