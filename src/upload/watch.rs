//! Finds the number of workers.
//!
//! It doubles while the uploads get faster by it, and goes back where they do not.

use std::time::{Duration, Instant};

/// How long the effect of a change is watched.
pub(super) const WATCH: Duration = Duration::from_millis(30);
/// How much faster twice the workers must be, in percent, for the new ones to stay.
const GAIN: u64 = 140;
/// When more workers did not help, or the store asked for fewer, this long nothing changes.
pub(super) const REST: Duration = Duration::from_secs(2);

/// Looks at what is done with so many workers.
pub(super) struct Watch {
    since: Instant,
    done: u64,
    /// The speed before the last doubling, with how many workers.
    before: Option<(u64, usize)>,
    /// The first look after a change sees connections being made more than anything else.
    has_looked: bool,
    rest_until: Option<Instant>,
}

impl Watch {
    pub(super) fn new() -> Watch {
        Watch { since: Instant::now(), done: 0, before: None, has_looked: false, rest_until: None }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.rest_until.is_some()
    }

    /// How many workers there should be from now on.
    pub(super) fn next(&mut self, allowed: usize, most: usize, done: u64) -> usize {
        let now = Instant::now();
        let time = now.duration_since(self.since);
        if time < WATCH / 2 || done == self.done {
            return allowed;
        }
        let speed = (done - self.done) * 1_000 / time.as_millis().max(1) as u64;
        (self.since, self.done) = (now, done);
        if let Some(until) = self.rest_until {
            if now < until {
                return allowed;
            }
            // A store or link that was slow may not be so any more.
            (self.rest_until, self.before) = (None, None);
        }
        let has_looked = std::mem::replace(&mut self.has_looked, true);
        match self.before {
            None if !has_looked => allowed,
            Some((before, _)) if speed * 100 < before * GAIN && !has_looked => allowed,
            Some((before, workers)) if speed * 100 < before * GAIN => {
                (self.before, self.rest_until) = (None, Some(now + REST));
                workers.min(allowed)
            }
            _ if allowed >= most => {
                self.rest_until = Some(now + REST);
                allowed
            }
            _ => {
                (self.before, self.has_looked) = (Some((speed, allowed)), false);
                (allowed * 2).min(most)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(watch: &mut Watch, done: &mut u64, allowed: usize, bytes: u64) -> usize {
        *done += bytes;
        watch.since = Instant::now() - WATCH;
        watch.next(allowed, 64, *done)
    }

    #[test]
    fn workers_come_while_they_help_and_go_when_they_do_not() {
        let (mut watch, mut done) = (Watch::new(), 0);
        assert_eq!(speed(&mut watch, &mut done, 8, 1 << 10), 8, "the first look tells little");
        assert_eq!(speed(&mut watch, &mut done, 8, 1 << 20), 16);
        assert_eq!(speed(&mut watch, &mut done, 16, 2 << 20), 32, "twice as fast");
        assert_eq!(speed(&mut watch, &mut done, 32, 2 << 20), 32, "it looks twice");
        assert_eq!(speed(&mut watch, &mut done, 32, 2 << 20), 16, "no faster");
        assert_eq!(speed(&mut watch, &mut done, 16, 2 << 20), 16, "it rests");
    }
}
