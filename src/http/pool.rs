//! The connections that are kept between requests.
//!
//! ureq has such a pool too; this one takes its place (ureq keeps none) for two reasons. The
//! connection that was used last is used next: what it needs is still in the processor's caches,
//! and the others get old and go. And what ureq does not do can be done over a kept connection as
//! well ([`super::line`]), with the same few connections for both.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// A connection that was idle for so long is not used again: servers and what is on the way
/// forget them.
const IDLE_LIFE: Duration = Duration::from_secs(15);

/// Idle connections, the one that was used last at the end.
#[derive(Debug)]
pub(super) struct Pool {
    most: usize,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    origin: Origin,
    transport: Box<dyn Transport>,
    since: Instant,
}

/// Scheme and authority of the server at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin(Arc<str>);

impl Origin {
    fn is_of(&self, uri: &Uri) -> bool {
        let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), authority_of(uri));
        let rest = self.0.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
        rest == Some(authority)
    }

    fn of(uri: &Uri) -> Origin {
        let scheme = uri.scheme_str().unwrap_or_default();
        Origin(format!("{scheme}://{}", authority_of(uri)).into())
    }
}

fn authority_of(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

impl Pool {
    /// A pool that keeps at most so many connections.
    pub(super) fn new(most: usize) -> Pool {
        Pool { most, idle: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection to the server of this URI that still seems to be open.
    pub(super) fn take(self: &Arc<Pool>, uri: &Uri) -> Option<Pooled> {
        loop {
            let mut idle = self.lock();
            let at = idle.iter().rposition(|idle| idle.origin.is_of(uri))?;
            let Idle { origin, mut transport, since } = idle.remove(at);
            drop(idle);
            if since.elapsed() < IDLE_LIFE && transport.is_open() {
                return Some(Pooled::new(transport, origin, self));
            }
        }
    }

    fn put(&self, transport: Box<dyn Transport>, origin: Origin) {
        let mut idle = self.lock();
        let old = idle.iter().take_while(|idle| idle.since.elapsed() >= IDLE_LIFE).count();
        let many = (idle.len() + 1).saturating_sub(self.most);
        let closed = old.max(many).min(idle.len());
        let closed: Vec<Idle> = idle.drain(..closed).collect();
        if idle.len() < self.most {
            idle.push(Idle { origin, transport, since: Instant::now() });
        }
        drop(idle);
        drop(closed);
    }

    /// Closes what is idle.
    pub(super) fn clear(&self) {
        let idle = std::mem::take(&mut *self.lock());
        drop(idle);
    }
}

/// Makes a connection only where none is idle.
pub(super) struct Pooling<C> {
    pub(super) pool: Arc<Pool>,
    pub(super) connector: C,
}

impl<C> fmt::Debug for Pooling<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooling").finish_non_exhaustive()
    }
}

impl<C: Connector> Connector for Pooling<C> {
    type Out = Pooled;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Pooled>, Error> {
        if let Some(kept) = self.pool.take(details.uri) {
            return Ok(Some(kept));
        }
        let made = self.connector.connect(details, chained)?;
        Ok(made.map(|made| Pooled::new(Box::new(made), Origin::of(details.uri), &self.pool)))
    }
}

/// A connection that goes back into its pool when it is dropped, if whoever used it last asked
/// whether it is open and it is: ureq asks when an exchange is over and the connection may be kept.
pub(super) struct Pooled {
    /// `None` only while it is dropped.
    transport: Option<Box<dyn Transport>>,
    none: LazyBuffers,
    origin: Origin,
    pool: Weak<Pool>,
    keep: bool,
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").finish_non_exhaustive()
    }
}

impl Pooled {
    fn new(transport: Box<dyn Transport>, origin: Origin, pool: &Arc<Pool>) -> Pooled {
        Pooled {
            transport: Some(transport),
            none: LazyBuffers::new(1, 1),
            origin,
            pool: Arc::downgrade(pool),
            keep: false,
        }
    }

    fn inner(&mut self) -> Result<&mut Box<dyn Transport>, Error> {
        self.transport.as_mut().ok_or(Error::ConnectionFailed)
    }
}

impl Transport for Pooled {
    fn buffers(&mut self) -> &mut dyn Buffers {
        match &mut self.transport {
            Some(transport) => transport.buffers(),
            None => &mut self.none,
        }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.keep = false;
        self.inner()?.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.keep = false;
        self.inner()?.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.keep = self.transport.as_mut().is_some_and(|transport| transport.is_open());
        self.keep
    }

    fn is_tls(&self) -> bool {
        self.transport.as_ref().is_some_and(|transport| transport.is_tls())
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if self.keep
            && let (Some(transport), Some(pool)) = (self.transport.take(), self.pool.upgrade())
        {
            pool.put(transport, self.origin.clone());
        }
    }
}
