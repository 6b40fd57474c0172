//! How long something is tried: attempts, pauses with jitter, one deadline, a cancel.

use std::error::Error as _;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::status::Status;
use crate::store::{Fault, StoreError, Stored};
use crate::submission::Cancel;

/// The longest first pause, which doubles with every attempt up to `LONGEST`; the real one is
/// drawn from zero up, so that many workers do not come back together.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Why something was given up.
#[derive(Debug)]
pub(super) enum GivenUp {
    /// The store's last failure.
    Store(StoreError),
    /// Somebody asked to stop.
    Cancelled,
    /// The time ran out, perhaps while the store kept failing like this.
    TimeOut(Option<StoreError>),
}

impl GivenUp {
    /// The reason as it is shown to readers of the comment: without paths and addresses.
    pub(super) fn reason(&self) -> String {
        match self {
            GivenUp::Store(failure) => public(&failure.error),
            GivenUp::Cancelled => "the submission was cancelled".to_owned(),
            GivenUp::TimeOut(None) => "the time for uploads ran out".to_owned(),
            GivenUp::TimeOut(Some(failure)) => {
                format!("the time for uploads ran out: {}", public(&failure.error))
            }
        }
    }

    /// The same for who runs the program.
    pub(super) fn into_error(self) -> Error {
        match self {
            GivenUp::Store(failure) | GivenUp::TimeOut(Some(failure)) => failure.error,
            GivenUp::Cancelled => Error::new(Status::Cancelled, "the submission was cancelled"),
            GivenUp::TimeOut(None) => Error::new(Status::Timeout, "the time for uploads ran out")
                .advise("raise upload_timeout, or send less"),
        }
    }
}

fn public(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{} ({source})", error.what()),
        None => error.what().to_owned(),
    }
}

/// How long to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'a> {
    cancel: &'a Cancel,
    deadline: Instant,
    attempts: u32,
}

impl<'a> Patience<'a> {
    /// The time begins to run now.
    pub(super) fn new(cancel: &'a Cancel, time: Duration, attempts: u32) -> Patience<'a> {
        let now = Instant::now();
        // A time beyond the clock's reach is a century.
        let century = Duration::from_secs(3_153_600_000);
        let deadline = now.checked_add(time.min(century)).unwrap_or(now);
        Patience { cancel, deadline, attempts }
    }

    /// When the time is over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The same deadline with another number of attempts.
    pub(super) fn with_attempts(self, attempts: u32) -> Patience<'a> {
        Patience { attempts, ..self }
    }

    /// Whether to go on at all.
    pub(super) fn lasts(&self) -> bool {
        self.check().is_ok()
    }

    /// Why not to go on, if so.
    pub(super) fn check(&self) -> Result<(), GivenUp> {
        if self.cancel.is_cancelled() {
            return Err(GivenUp::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(GivenUp::TimeOut(None));
        }
        Ok(())
    }

    /// Does something until it succeeds, cannot succeed, or has been tried often enough.
    pub(super) fn retry<T>(&self, mut work: impl FnMut() -> Stored<T>) -> Result<T, GivenUp> {
        let mut made = 0;
        loop {
            self.check()?;
            let failure = match work() {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            made += 1;
            match self.check() {
                Err(GivenUp::TimeOut(None)) if failure.fault != Fault::Cancelled => {
                    return Err(GivenUp::TimeOut(Some(failure)));
                }
                checked => checked?,
            }
            let asked = match failure.fault {
                Fault::Busy(asked) => asked.unwrap_or_default(),
                Fault::Unreachable => Duration::ZERO,
                _ => return Err(GivenUp::Store(failure)),
            };
            if made >= self.attempts {
                return Err(GivenUp::Store(failure));
            }
            let pause = asked.max(jitter(made));
            if pause >= self.deadline.saturating_duration_since(Instant::now()) {
                return Err(GivenUp::TimeOut(Some(failure)));
            }
            self.cancel.sleep(pause).map_err(|_| GivenUp::Cancelled)?;
        }
    }
}

fn jitter(made: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << (made - 1).min(16)).min(LONGEST);
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(fault: Fault) -> impl FnMut() -> Stored<()> {
        move || Err(StoreError::new(fault.clone(), "it failed"))
    }

    #[test]
    fn what_cannot_succeed_is_tried_once() {
        let cancel = Cancel::new();
        let patience = Patience::new(&cancel, Duration::from_secs(60), 5);
        for fault in [Fault::Refused, Fault::NotFound, Fault::Mismatch, Fault::Local] {
            let mut count = 0;
            let mut work = fails(fault.clone());
            let result = patience.retry(|| {
                count += 1;
                work()
            });
            assert_eq!(count, 1, "{fault:?}");
            assert!(matches!(result, Err(GivenUp::Store(failure)) if failure.fault == fault));
        }
    }

    #[test]
    fn what_may_succeed_is_tried_again_but_not_for_ever() {
        let cancel = Cancel::new();
        let patience = Patience::new(&cancel, Duration::from_secs(60), 3);
        let mut count = 0;
        let mut work = fails(Fault::Unreachable);
        let result = patience.retry(|| {
            count += 1;
            work()
        });
        assert_eq!(count, 3);
        assert_eq!(result.unwrap_err().reason(), "it failed");
    }

    #[test]
    fn a_store_that_wants_to_wait_beyond_the_deadline_ends_the_try_at_once() {
        let cancel = Cancel::new();
        let patience = Patience::new(&cancel, Duration::from_secs(60), 3);
        let began = Instant::now();
        let result = patience.retry(fails(Fault::Busy(Some(Duration::from_secs(3600)))));
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(result.unwrap_err().reason(), "the time for uploads ran out: it failed");
    }

    #[test]
    fn a_cancel_ends_a_pause() {
        let cancel = Cancel::new();
        let patience = Patience::new(&cancel, Duration::from_secs(600), 3);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                cancel.cancel();
            });
            patience.retry(fails(Fault::Busy(Some(Duration::from_secs(300)))))
        });
        assert!(matches!(result, Err(GivenUp::Cancelled)));
    }
}
