//! Prepares objects, a few at a time: reads, masks, compresses and hashes them.
//!
//! That keeps a processor busy and holds up to 200 KiB of buffers for each object. Some more at a time
//! than there are processors make up for a disk that has to be waited for; even more would only hold
//! memory.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Crew;
use crate::content::compress::Gzip;
use crate::content::{Body, Preparing};
use crate::plan::Planned;

/// For each processor.
const EACH: usize = 4;
/// However many processors there are.
const MOST: usize = 16;
/// How long anybody waits before looking at the deadline and the cancel again.
const TICK: Duration = Duration::from_millis(100);

impl Crew<'_> {
    /// Makes a body of an object's source when it is this worker's turn.
    pub(super) fn prepare(&self, object: &Planned, parts_from: u64) -> io::Result<Body> {
        let _turn = self.turns.take(1, &|| self.lasts());
        let goes_on = || self.lasts();
        let preparing = self.preparing(parts_from, &goes_on);
        let prepared = preparing.body(&object.source, &object.name);
        match prepared {
            Err(why)
                if preparing.gzip.is_some()
                    && why.kind() != io::ErrorKind::UnexpectedEof
                    && self.lasts() =>
            {
                // What is compressed waits on the disk where it is large. Plain it need not; a file
                // that cannot be read says so again.
                let plain = Preparing { gzip: None, ..preparing };
                let body = plain.body(&object.source, &object.name)?;
                self.found_no_room(&why);
                Ok(body)
            }
            prepared => prepared,
        }
    }

    /// Makes bodies of files at the same time, for anybody to send. What cannot be prepared, or is
    /// better prepared alone, is left to whoever sends it, who tells what is wrong with it.
    pub(super) fn prepare_several(&self, indices: Vec<usize>) {
        let turns = self.turns.take(indices.len(), &|| self.lasts());
        let goes_on = || self.lasts();
        let preparing = self.preparing(self.parts_from(), &goes_on);
        let mut objects: Vec<_> = indices.into_iter().map(|index| (index, None)).collect();
        // The way to the store may have become slower meanwhile.
        if preparing.gzip.is_none() {
            let of = |index: usize| &self.plan.objects[index];
            let files: Vec<_> =
                (0..objects.len()).filter(|&at| of(objects[at].0).source.is_file()).collect();
            let sources = files.iter().map(|&at| of(objects[at].0));
            let bodies = preparing.bodies(sources.map(|object| (&object.source, &*object.name)));
            for (at, body) in files.into_iter().zip(bodies) {
                objects[at].1 = body.ok();
            }
        }
        drop(turns);
        self.queue.prepared(objects);
    }

    fn preparing<'a>(&'a self, parts_from: u64, goes_on: &'a dyn Fn() -> bool) -> Preparing<'a> {
        Preparing {
            redactor: &self.submission.redactor,
            checksum: self.store.limits().checksum,
            hashed_below: parts_from,
            gzip: self.compressing(),
            goes_on,
        }
    }

    /// What compresses text, as long as that saves time.
    pub(super) fn compressing(&self) -> Option<&Gzip> {
        Some(&self.gzip).filter(|gzip| self.compresses && self.link.is_slower_than(gzip))
    }

    /// Whether the store compares a checksum that takes less when it is computed for several at the
    /// same time.
    pub(super) fn hashes_together(&self) -> bool {
        self.store.limits().checksum.pays_together()
    }

    /// Says once that text is stored as it is, and why.
    fn found_no_room(&self, why: &io::Error) {
        if !self.no_room.swap(true, Ordering::Relaxed) {
            self.submission.events.warn(format!(
                "what is compressed found no room in the temporary folder ({why}), so some text is \
                 stored uncompressed: make room there, or let TMPDIR name a folder that has it"
            ));
        }
    }
}

/// Whose turn it is: one for each object that is prepared.
pub(super) struct Turns {
    free: Mutex<usize>,
    back: Condvar,
}

/// Turns, which last until this is dropped.
pub(super) struct Turn<'a>(&'a Turns, usize);

impl Turns {
    pub(super) fn new() -> Turns {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Turns { free: Mutex::new((processors * EACH).min(MOST)), back: Condvar::new() }
    }

    /// Waits for so many turns, no more than there are for one processor, as long as `lasts` says so.
    pub(super) fn take(&self, count: usize, lasts: &dyn Fn() -> bool) -> Option<Turn<'_>> {
        let count = count.min(EACH);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < count {
            if !lasts() {
                return None;
            }
            free = self.back.wait_timeout(free, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= count;
        Some(Turn(self, count))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += self.1;
        // Who is woken alone might wait for more.
        self.0.back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn no_more_have_their_turn_at_a_time_than_may_and_everybody_gets_one() {
        let turns = Turns { free: Mutex::new(3), back: Condvar::new() };
        let (now, most, had) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let _turn = turns.take(1, &|| true).expect("a turn");
                        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, SeqCst);
                        had.fetch_add(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!((had.into_inner(), *turns.free.lock().unwrap()), (200, 3));
        assert!(most.into_inner() <= 3);
    }

    #[test]
    fn whoever_needs_several_turns_waits_until_so_many_are_free() {
        let turns = Turns { free: Mutex::new(5), back: Condvar::new() };
        let (one, three) = (turns.take(1, &|| true), turns.take(3, &|| true));
        assert!(turns.take(2, &|| false).is_none(), "one is free");
        drop(one);
        assert!(turns.take(2, &|| false).is_some());
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(turns.take(4, &|| true).is_some()));
            drop(three);
        });
        // No more are asked for than one processor has.
        assert!(turns.take(100, &|| false).is_some());
        assert_eq!(*turns.free.lock().unwrap(), 5);
    }

    #[test]
    fn nobody_waits_for_a_turn_when_all_is_over() {
        let turns = Turns { free: Mutex::new(1), back: Condvar::new() };
        let turn = turns.take(1, &|| false);
        assert!(turn.is_some() && turns.take(1, &|| false).is_none());
        drop(turn);
        assert!(turns.take(1, &|| false).is_some());
    }
}
