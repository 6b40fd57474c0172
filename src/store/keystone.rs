//! Tokens for Swift: Keystone's v3 and v2.0, and the v1 that Swift's own TempAuth and Ceph speak.
//!
//! Sources: the Identity API v3 and v2.0 reference, and Swift's "Auth System". A token is had at
//! the first request and renewed before it ends, or when the store no longer accepts it. However
//! many threads need a new one, one of them asks for it and the others wait for its answer.

mod catalogue;
mod endpoint;
mod identity;
mod login;
pub(super) mod refusal;
mod v1;
mod v2;
mod v3;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::login::Login;
use super::{Fault, StoreError, Stored};
use crate::error::{Error, Result};
use crate::http::Agent;
use crate::submission::Submission;

/// So long before its end a token is renewed. What lives less long is renewed in the last fifth of
/// its life: some servers give the same token again until it has ended.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// Where a renewal before the end fails, the next one comes after this part of what is left, but
/// not sooner than this: the token is good meanwhile.
const TRIED_AGAIN: (u32, Duration) = (4, Duration::from_secs(5));

/// A token, and where it opens the store.
pub(super) struct Session {
    /// What goes into `X-Auth-Token`.
    pub(super) token: String,
    /// The address of the account, without a slash at its end.
    pub(super) storage_url: String,
    number: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("storage_url", &self.storage_url)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What a login gives.
struct Granted {
    token: String,
    storage_url: String,
    /// How long the token is good for, where the server says so.
    life: Option<Duration>,
}

/// Whom a token stands for, as far as it may be told.
pub(super) struct Owner {
    /// In words, with the name.
    pub(super) who: String,
    /// How a list of who may do something in the store names the user.
    pub(super) listed: String,
    /// An application credential, whose rights cannot be changed.
    pub(super) is_credential: bool,
    /// A user of TempAuth or Ceph, where there are no roles.
    pub(super) is_v1: bool,
}

/// Gives all threads the same token for as long as it is good.
#[derive(Debug)]
pub(super) struct Tokens {
    login: Login,
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Arc<Session>>,
    /// When it is renewed, and when it ends, where that is known.
    due: Option<Instant>,
    ends: Option<Instant>,
    /// Whether somebody is asking now; `asked` counts how often somebody has.
    asking: bool,
    asked: u64,
    /// Why the last asking failed, if it did.
    failed: Option<Arc<StoreError>>,
}

impl Tokens {
    /// Contacts nobody.
    pub(super) fn new(submission: &Submission) -> Result<Tokens> {
        Ok(Tokens {
            login: Login::new(submission)?,
            state: Mutex::default(),
            answered: Condvar::new(),
        })
    }

    /// The session in force, or a new one.
    pub(super) fn session(&self, agent: &Agent) -> Stored<Arc<Session>> {
        self.get(agent, None)
    }

    /// A session in place of one that the store did not accept.
    pub(super) fn renewed(&self, agent: &Agent, old: &Session) -> Stored<Arc<Session>> {
        self.get(agent, Some(old.number))
    }

    /// Whose token it is.
    pub(super) fn owner(&self) -> Owner {
        let identity = &self.login.identity;
        let is_v1 = self.login.is_v1();
        Owner {
            who: identity.who(),
            listed: identity.in_lists(is_v1),
            is_credential: identity.credential_id.is_some(),
            is_v1,
        }
    }

    fn get(&self, agent: &Agent, not: Option<u64>) -> Stored<Arc<Session>> {
        let mut state = self.lock();
        loop {
            if let Some(session) = &state.session
                && Some(session.number) != not
                && (!state.is_due() || state.asking && !state.has_ended())
            {
                // Who renews it before its end lets nobody wait.
                return Ok(Arc::clone(session));
            }
            if !state.asking {
                break;
            }
            let waited_for = state.asked;
            state = self
                .answered
                .wait_while(state, |state| state.asking && state.asked == waited_for)
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(failure) = &state.failed {
                return Err(repeated(failure));
            }
        }
        // What was refused is refused again, and an account may be locked for asking too often.
        if let Some(failure) = state.failed.as_ref().filter(|old| old.fault == Fault::Refused) {
            return Err(repeated(failure));
        }
        state.asking = true;
        state.asked += 1;
        state.failed = None;
        let number = state.asked;
        drop(state);
        let asking = Asking(self);
        let granted = self.login.log_in(agent);
        let mut state = self.lock();
        let outcome = match granted {
            Ok(granted) => Ok(state.begin(granted, number)),
            Err(failure) => match state.still_good(not, &failure) {
                Some(session) => Ok(session),
                None => {
                    state.failed = Some(Arc::new(repeated(&failure)));
                    Err(failure)
                }
            },
        };
        drop(state);
        drop(asking);
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the others go on when the one who asks is done, in whatever way.
struct Asking<'a>(&'a Tokens);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().asking = false;
        self.0.answered.notify_all();
    }
}

impl State {
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() >= due)
    }

    fn has_ended(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    fn begin(&mut self, granted: Granted, number: u64) -> Arc<Session> {
        let now = Instant::now();
        self.ends = granted.life.and_then(|life| now.checked_add(life));
        self.due = granted.life.and_then(|life| {
            let before = RENEWED_BEFORE.min(life / 5);
            now.checked_add(life.saturating_sub(before))
        });
        let Granted { token, storage_url, .. } = granted;
        let session = Arc::new(Session { token, storage_url, number });
        self.session = Some(Arc::clone(&session));
        session
    }

    /// The session that was to be renewed before its end and could not, unless it is the one that
    /// the store did not accept. What was refused is not asked for again before the end.
    fn still_good(&mut self, not: Option<u64>, failure: &StoreError) -> Option<Arc<Session>> {
        let session = self.session.as_ref().filter(|session| Some(session.number) != not)?;
        let now = Instant::now();
        let left = self.ends?.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let pause = match failure.fault {
            Fault::Cancelled => return None,
            Fault::Refused | Fault::NotFound => left,
            _ => (left / TRIED_AGAIN.0).max(TRIED_AGAIN.1).min(left),
        };
        self.due = now.checked_add(pause);
        Some(Arc::clone(session))
    }
}

/// The same failure for another thread.
fn repeated(failure: &StoreError) -> StoreError {
    let old = &failure.error;
    let mut error = Error::new(old.status(), old.what());
    if let Some(place) = old.place() {
        error = error.at(place);
    }
    if let Some(advice) = old.advice() {
        error = error.advise(advice);
    }
    if let Some(source) = std::error::Error::source(old) {
        error = error.because(source.to_string());
    }
    StoreError { fault: failure.fault.clone(), error }
}
