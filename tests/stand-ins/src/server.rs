//! A small HTTP/1.1 server for tests: a thread per connection, every request recorded, every kind
//! of bad delivery at hand.

mod connection;
mod message;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use message::{Delivery, Request, Response};
pub(crate) use message::{decode, http_date};

use crate::control;
use crate::fault::{Fault, Faults};
use crate::lock;
use crate::tls::Identity;

/// What a server does with requests.
pub trait Handler: Send + Sync + 'static {
    /// Looks at a whole request before any fault and may refuse it.
    fn inspect(&self, _request: &Request) -> Option<Response> {
        None
    }

    /// Carries the request out.
    fn answer(&self, request: &Request) -> Response;

    /// Answers a request below `/_control/`, which no fault meets and no record shows.
    fn control(&self, request: &Request, desk: &Desk<'_>) -> Response {
        control::answer(request, desk)
    }
}

/// What control over HTTP may do with a server.
pub struct Desk<'a> {
    shared: &'a Shared,
}

impl Desk<'_> {
    /// All requests so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        lock(&self.shared.log).clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        lock(&self.shared.log).clear();
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Switches all troubles off.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }
}

impl<F: Fn(&Request) -> Response + Send + Sync + 'static> Handler for F {
    fn answer(&self, request: &Request) -> Response {
        self(request)
    }
}

/// What becomes of the bodies of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bodies {
    /// They are kept, in the record of requests too.
    #[default]
    Keep,
    /// Only their length and SHA-256 are.
    Digest,
    /// Only their length is.
    Count,
}

/// How a server is started.
#[derive(Default)]
pub struct Options {
    /// What becomes of the bodies of requests.
    pub bodies: Bodies,
    /// With an identity the server speaks TLS only.
    pub tls: Option<Arc<Identity>>,
}

/// A running server. It ends, with all its threads and connections, when it is dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Box<dyn Handler>,
    options: Options,
    faults: Faults,
    log: Mutex<Vec<Arc<Request>>>,
    open: Mutex<HashMap<u64, TcpStream>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stopped: AtomicBool,
    bell: (Mutex<()>, Condvar),
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When the port cannot be had: there is nothing to test against then.
    pub fn start(handler: impl Handler, options: Options) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("the address of a bound socket");
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            options,
            faults: Faults::default(),
            log: Mutex::default(),
            open: Mutex::default(),
            threads: Mutex::default(),
            stopped: AtomicBool::new(false),
            bell: Default::default(),
        });
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || shared.accept(&listener)
        });
        Server { address, scheme, shared, accepting: Some(accepting) }
    }

    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS. No slash at the end.
    pub fn url(&self) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    /// The port and address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far, in the order in which their bodies were complete.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.desk().requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.desk().forget_requests();
    }

    fn desk(&self) -> Desk<'_> {
        Desk { shared: &self.shared }
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        lock(&self.shared.open).len()
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.desk().fault(fault);
    }

    /// Switches all troubles off.
    pub fn clear_faults(&self) {
        self.desk().clear_faults();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Server").field(&self.url()).finish()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        {
            // Under the lock, so that a thread that is about to wait does not miss the bell.
            let _held = lock(&self.shared.bell.0);
            self.shared.stopped.store(true, Ordering::SeqCst);
            self.shared.bell.1.notify_all();
        }
        // The acceptor sits in accept(2) until somebody comes.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for (number, stream) in (1..).zip(listener.incoming()) {
            if self.stopped.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let Ok(twin) = stream.try_clone() else { continue };
            lock(&self.open).insert(number, twin);
            let shared = self.clone();
            let thread = thread::spawn(move || {
                // An error is a client that went away, which is its right.
                let _: io::Result<()> = connection::serve(&shared, stream, number);
                lock(&shared.open).remove(&number);
            });
            let mut threads = lock(&self.threads);
            threads.retain(|thread| !thread.is_finished());
            threads.push(thread);
        }
    }

    /// Waits, or returns at once when the server ends. Without a limit it waits for the end.
    fn wait(&self, limit: Option<Duration>) {
        let until = limit.map(|limit| Instant::now() + limit);
        let mut held = lock(&self.bell.0);
        while !self.stopped.load(Ordering::SeqCst) {
            let left = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            if left.is_zero() {
                return;
            }
            held = match self.bell.1.wait_timeout(held, left) {
                Ok((held, _)) => held,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// The answer to a request below `/_control/`.
    fn control(&self, request: &Request) -> Response {
        self.handler.control(request, &Desk { shared: self })
    }

    fn record(&self, request: &Request) {
        lock(&self.log).push(Arc::new(request.clone()));
    }
}
