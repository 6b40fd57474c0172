//! Large objects go in parts: what failed is sent again by the part, not from the beginning.

use std::ops::Range;

use super::Crew;
use super::patience::GivenUp;
use crate::content::Body;
use crate::store::{Fault, Limits, Meta, Part, Upload};

/// What a part holds, where the store leaves the choice.
const PART: u64 = 64 << 20;

impl Crew<'_> {
    /// Stores a large object. What was begun and not finished is given up in the store, too.
    pub(super) fn put_in_parts(&self, key: &str, body: &Body, meta: &Meta) -> Result<(), GivenUp> {
        let upload = self.patience.retry(|| self.store.begin(key, meta))?;
        let stored = self.put_parts(&upload, body);
        if stored.is_err()
            && let Err(failure) = self.store.abort(&upload)
        {
            self.submission.events.warn(format!("parts of {key} may be left behind: {failure}"));
        }
        stored
    }

    fn put_parts(&self, upload: &Upload, body: &Body) -> Result<(), GivenUp> {
        let ranges = ranges(body.len(), &self.store.limits());
        let mut parts: Vec<Part> = Vec::with_capacity(ranges.len());
        for (number, range) in (1..).zip(ranges) {
            let length = range.end - range.start;
            parts.push(self.patience.retry(|| {
                self.counted(length, |sent| {
                    self.store.put_part(upload, number, body, range.clone(), sent)
                })
            })?);
        }
        self.finish(upload, &parts, body.len())
    }

    /// An answer that got lost may have been a success: then the upload is no longer known, and
    /// the object is there.
    fn finish(&self, upload: &Upload, parts: &[Part], length: u64) -> Result<(), GivenUp> {
        let mut unsure = false;
        self.patience.retry(|| match self.store.finish(upload, parts) {
            Err(failure) if failure.fault == Fault::NotFound && unsure => {
                let listing = self.store.list(&upload.key, None)?;
                let whole = |object: &crate::store::Listed| {
                    object.key == upload.key && object.size == length
                };
                if listing.objects.iter().any(whole) { Ok(()) } else { Err(failure) }
            }
            finished => {
                unsure |= matches!(&finished, Err(failure) if failure.fault == Fault::Unreachable);
                finished
            }
        })
    }
}

/// Parts of equal size but for the last one, as few as the store allows and `PART` asks for.
fn ranges(length: u64, limits: &Limits) -> Vec<Range<u64>> {
    let (least, most) = limits.part_bytes;
    let size = PART.max(length.div_ceil(u64::from(limits.parts.max(1)))).clamp(least, most).max(1);
    let count = length.div_ceil(size).max(1);
    (0..count).map(|part| part * size..((part + 1) * size).min(length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_an_object_without_gaps_within_the_limits() {
        let limits = Limits {
            key_bytes: 1024,
            component_bytes: 255,
            put_bytes: 5 << 30,
            part_bytes: (5 << 20, 5 << 30),
            parts: 10_000,
            parts_from: 128 << 20,
            wants_md5: false,
        };
        for length in [1, PART, PART + 1, 1 << 40, (1 << 40) + 7] {
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
