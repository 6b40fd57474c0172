//! Large objects go in parts, which all workers send at the same time. They are hashed four at a time
//! for all workers where that pays, else each by the worker that sends it. What failed is sent again
//! by the part, not from the beginning.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::patience::GivenUp;
use super::{Crew, STACK};
use crate::content::Body;
use crate::events::Event;
use crate::store::{Fault, Limits, Meta, Part, StoreError, Upload};

/// What a part holds at least and at most, where the store leaves the choice.
const PART: Range<u64> = 16 << 20..64 << 20;
/// Into how many parts a large object goes between these.
const PARTS: u64 = 96;

/// A large object that is under way.
pub(super) struct Large {
    /// Its index into the plan.
    pub(super) index: usize,
    pub(super) body: Body,
    /// How often it was prepared before.
    pub(super) prepared: u32,
    upload: Upload,
    ranges: Vec<Range<u64>>,
    parts: Mutex<Vec<Part>>,
    left: AtomicUsize,
    failed: AtomicBool,
    failure: Mutex<Option<GivenUp>>,
}

impl Large {
    pub(super) fn new(
        index: usize,
        body: Body,
        prepared: u32,
        upload: Upload,
        ranges: Vec<Range<u64>>,
    ) -> Large {
        let count = ranges.len();
        Large {
            index,
            body,
            prepared,
            upload,
            ranges,
            parts: Mutex::new(Vec::with_capacity(count)),
            left: AtomicUsize::new(count),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Its key in the store.
    pub(super) fn key(&self) -> &str {
        &self.upload.key
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> MutexGuard<'_, Option<GivenUp>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, given_up: GivenUp) {
        self.failed.store(true, Ordering::Relaxed);
        self.failure().get_or_insert(given_up);
    }
}

impl Crew<'_> {
    /// Begins a large object and hands its parts to all workers.
    pub(super) fn begin_large(
        &self,
        index: usize,
        key: &str,
        body: Body,
        meta: &Meta,
        prepared: u32,
    ) -> Result<(), GivenUp> {
        let mut unsure = false;
        let begun = self.patience.retry(|| {
            let begun = self.heard(self.store.begin(key, meta));
            unsure |= begun.as_ref().is_err_and(may_be_done);
            begun
        });
        if unsure {
            // It holds no bytes, so nothing is lost where this fails.
            let _ = self.store.abort_lost(key, begun.as_ref().ok());
        }
        let upload = begun?;
        let ranges = ranges(body.len(), &self.store.limits());
        let count = ranges.len();
        let large = Arc::new(Large::new(index, body, prepared, upload, ranges));
        self.lock_large().push(Arc::clone(&large));
        self.queue.bring(&large, count, self.hashes_together());
        Ok(())
    }

    /// Hashes parts at the same time, for anybody to send. What cannot be read is tried again by
    /// whoever sends it, who tells why.
    pub(super) fn hash(&self, large: &Arc<Large>, parts: Range<usize>) {
        let goes_on = || self.lasts() && !large.failed.load(Ordering::Relaxed);
        large.body.hash(&large.ranges[parts.clone()], &goes_on);
        self.queue.hashed(large, parts);
    }

    /// Sends one part. Whoever sends the last one ends the object, and gets how that went.
    pub(super) fn put_part(&self, large: &Arc<Large>, at: usize) -> Option<Result<(), GivenUp>> {
        if !large.failed.load(Ordering::Relaxed) {
            let range = large.ranges[at].clone();
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let sent = self.patience.retry(|| {
                self.timed(range.end - range.start, |sent| {
                    let goes_on = |bytes| sent(bytes) && !large.failed.load(Ordering::Relaxed);
                    self.store.put_part(&large.upload, number, &large.body, range.clone(), &goes_on)
                })
            });
            match sent {
                Ok(part) => large.parts().push(part),
                Err(given_up) => large.fail(given_up),
            }
        }
        if large.left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return None;
        }
        self.lock_large().retain(|other| !Arc::ptr_eq(other, large));
        let failure = large.failure().take();
        let ended = match failure {
            Some(given_up) => Err(given_up),
            None => {
                let mut parts = large.parts();
                parts.sort_by_key(|part| part.number);
                self.finish(&large.upload, &parts, large.body.len())
            }
        };
        if ended.is_err() {
            self.abort(large);
        }
        Some(ended)
    }

    /// Gives up in the store what nobody will end any more.
    pub(super) fn abandon_large(&self) {
        let left: Vec<_> = self.lock_large().drain(..).collect();
        // After a cancel there is little time, so all are asked for at once.
        std::thread::scope(|scope| {
            for large in &left {
                let abort = std::thread::Builder::new().stack_size(STACK);
                if abort.spawn_scoped(scope, || self.abort(large)).is_err() {
                    self.abort(large);
                }
            }
        });
    }

    fn abort(&self, large: &Large) {
        let parts = std::mem::take(&mut *large.parts());
        let sent: u64 = parts.iter().map(|part| part.size).sum();
        if sent > 0 {
            self.submission.events.emit(Event::Unsent(sent));
        }
        if let Err(failure) = self.store.abort(&large.upload) {
            let key = large.key();
            self.submission.events.warn(format!("parts of {key} may be left behind: {failure}"));
        }
    }

    fn lock_large(&self) -> MutexGuard<'_, Vec<Arc<Large>>> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that got lost may have been a success: then the upload is no longer known, and
    /// the object is there.
    fn finish(&self, upload: &Upload, parts: &[Part], length: u64) -> Result<(), GivenUp> {
        let mut unsure = false;
        self.patience.retry(|| match self.heard(self.store.finish(upload, parts)) {
            Err(failure) if failure.fault == Fault::NotFound && unsure => {
                let listing = self.store.list(&upload.key, None)?;
                let whole = |object: &crate::store::Listed| {
                    object.key == upload.key && object.size == length
                };
                if listing.objects.iter().any(whole) { Ok(()) } else { Err(failure) }
            }
            finished => {
                unsure |= finished.as_ref().is_err_and(may_be_done);
                finished
            }
        })
    }
}

/// Whether the store may have done all the same what it seems not to have done: a gateway may say
/// that it is busy although the store behind it did the work.
fn may_be_done(failure: &StoreError) -> bool {
    matches!(failure.fault, Fault::Unreachable | Fault::Busy(_))
}

/// Parts of equal size but for the last one, so many that all workers help, within what the store allows.
fn ranges(length: u64, limits: &Limits) -> Vec<Range<u64>> {
    let (least, most) = limits.part_bytes;
    let wanted = length.div_ceil(PARTS).next_power_of_two().clamp(PART.start, PART.end);
    let size = wanted.max(length.div_ceil(u64::from(limits.parts.max(1))));
    let size = size.clamp(least, most).max(1);
    let count = length.div_ceil(size).max(1);
    (0..count).map(|part| part * size..((part + 1) * size).min(length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Checksum;

    #[test]
    fn parts_cover_an_object_without_gaps_within_the_limits() {
        let limits = Limits {
            key_bytes: 1024,
            component_bytes: 255,
            put_bytes: 5 << 30,
            part_bytes: (5 << 20, 5 << 30),
            parts: 10_000,
            parts_from: 128 << 20,
            checksum: Checksum::Sha256,
        };
        for length in [1, PART.start, PART.start + 1, 4 << 30, 1 << 40, (1 << 40) + 7] {
            let ranges = ranges(length, &limits);
            assert!(ranges.len() <= 10_000, "{length}");
            assert_eq!(ranges.first().unwrap().start, 0);
            assert_eq!(ranges.last().unwrap().end, length);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            let full = &ranges[..ranges.len() - 1];
            assert!(full.iter().all(|range| range.end - range.start >= limits.part_bytes.0));
        }
    }
}
