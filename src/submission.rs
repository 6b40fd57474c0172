//! What every step of a submission is handed: identity, time, cancellation, events, connections.
//!
//! There are no globals: two submissions in one process know nothing of each other.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::http::{Agent, Network};
use crate::redact::Redactor;
use crate::settings::Settings;
use crate::status::Status;

/// One call of submit: what all its steps share.
#[derive(Debug)]
pub struct Submission {
    /// The random 128-bit id, as 32 hexadecimal digits.
    pub id: String,
    /// When the submission began, in UTC and whole seconds.
    pub started: OffsetDateTime,
    /// What time it is.
    pub clock: Clock,
    /// The settings in force.
    pub settings: Settings,
    /// Nothing is written anywhere and no store is contacted.
    pub dry_run: bool,
    /// Whether the caller wants to stop.
    pub cancel: Cancel,
    /// The stream of what happens.
    pub events: Arc<Events>,
    /// The connections.
    pub agents: Agents,
    /// Masks secrets in everything that leaves.
    pub redactor: Redactor,
    /// What is left of the time for GitHub.
    pub github_time: Budget,
}

/// One agent for GitHub, one for the store.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Speaks with GitHub only.
    pub github: Agent,
    /// Speaks with the store, and opens links as the public would.
    pub store: Agent,
}

impl Agents {
    /// Ends all requests. What has to be cleaned up can still be, by agents that are renewed.
    pub(crate) fn shut_down(&self) {
        self.github.shut_down();
        self.store.shut_down();
    }

    /// Ends the requests of those too.
    pub(crate) fn end(&self) {
        self.github.end();
        self.store.end();
    }
}

impl Submission {
    /// Prepares a submission from settings that are settled.
    pub fn new(settings: Settings, events: Arc<Events>, cancel: Cancel) -> Result<Submission> {
        let dry_run = settings.flag("dry_run");
        // A submission that leaves something behind has a time and an id of its own.
        let (clock, id) = match dry_run {
            true => (Clock::of(&settings), settings.text("submission_id").map(str::to_owned)),
            false => (Clock::real(), None),
        };
        let id = id.map_or_else(random_id, Ok)?;
        let started = clock.now();
        let network = Network::from_settings(&settings);
        let counted = Arc::clone(&events);
        let on_request: crate::http::OnRequest =
            Arc::new(move |host: &str| counted.emit(Event::Request { host: host.to_owned() }));
        let jobs = settings.count("jobs").map_or(64, |jobs| jobs as usize);
        let agents = Agents {
            github: Agent::new(network.clone(), 2, Arc::clone(&on_request)),
            store: Agent::new(network, jobs, on_request),
        };
        let redactor = Redactor::new(settings.secrets());
        events.mask(&redactor);
        let github_time = Budget::new(settings.duration("timeout"));
        Ok(Submission {
            id,
            started,
            clock,
            settings,
            dry_run,
            cancel,
            events,
            agents,
            redactor,
            github_time,
        })
    }
}

/// 128 random bits as 32 hexadecimal digits.
pub fn random_id() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Status::Internal, "the operating system gave no random bytes")
            .because(error.to_string())
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Two clocks that are further apart than this are not both right, however slow the network is.
pub(crate) const CLOCKS_DIFFER: time::Duration = time::Duration::minutes(2);

/// The one place that time comes from, so that it can be fixed.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    fixed: Option<OffsetDateTime>,
}

impl Clock {
    /// The operating system's clock.
    pub fn real() -> Clock {
        Clock { fixed: None }
    }

    /// A clock that stands still at `source_date_epoch`, if that is set.
    fn of(settings: &Settings) -> Clock {
        let seconds = settings.count("source_date_epoch").and_then(|s| i64::try_from(s).ok());
        match seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()) {
            Some(at) => Clock::fixed(at),
            None => Clock::real(),
        }
    }

    /// A clock that stands still.
    pub fn fixed(at: OffsetDateTime) -> Clock {
        Clock { fixed: Some(at) }
    }

    /// How far a server's clock is ahead of this one, where that is more than the network can explain.
    pub(crate) fn behind(&self, theirs: Option<OffsetDateTime>) -> time::Duration {
        let ahead = theirs.map_or(time::Duration::ZERO, |theirs| theirs - self.now());
        if ahead.abs() > CLOCKS_DIFFER && !self.stands_still() { ahead } else { Default::default() }
    }

    pub(crate) fn stands_still(&self) -> bool {
        self.fixed.is_some()
    }

    /// Now, in UTC and whole seconds.
    pub fn now(&self) -> OffsetDateTime {
        let now = self.fixed.unwrap_or_else(OffsetDateTime::now_utc);
        now.replace_nanosecond(0).unwrap_or(now)
    }
}

/// Says to all threads of a submission that they should stop. Clones are the same cancellation.
#[derive(Clone, Default)]
pub struct Cancel {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Cancel {
    /// Nobody has cancelled yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks everybody to stop, and wakes those who sleep.
    pub fn cancel(&self) {
        *self.inner.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.inner.1.notify_all();
    }

    /// Whether somebody has asked to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error of status `Cancelled` if somebody has asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Sleeps, unless and until somebody asks to stop: then it is an error of status `Cancelled`.
    pub fn sleep(&self, time: Duration) -> Result<()> {
        let guard = self.inner.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopped, _) = self
            .inner
            .1
            .wait_timeout_while(guard, time, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        if *stopped { Err(cancelled()) } else { Ok(()) }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

fn cancelled() -> Error {
    Error::new(Status::Cancelled, "the submission was cancelled")
}

/// A budget of time that is used up only while somebody spends it.
#[derive(Debug)]
pub struct Budget {
    purse: Mutex<Purse>,
}

#[derive(Debug, Default)]
struct Purse {
    left: Duration,
    reserved: Duration,
}

impl Budget {
    /// A budget of that much time.
    pub fn new(time: Duration) -> Budget {
        Budget { purse: Mutex::new(Purse { left: time, ..Purse::default() }) }
    }

    /// What is left, without what is reserved.
    pub fn left(&self) -> Duration {
        self.purse().left
    }

    /// Sets half of what is left aside, so that it cannot be spent before it is released.
    pub fn reserve(&self) {
        let mut purse = self.purse();
        let half = purse.left / 2;
        purse.left -= half;
        purse.reserved += half;
    }

    /// Adds what was reserved to what is left.
    pub fn release(&self) {
        let mut purse = self.purse();
        let reserved = std::mem::take(&mut purse.reserved);
        purse.left += reserved;
    }

    /// Does something and takes the time it needed off the budget.
    pub fn spend<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        let mut purse = self.purse();
        purse.left = purse.left.saturating_sub(began.elapsed());
        result
    }

    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
