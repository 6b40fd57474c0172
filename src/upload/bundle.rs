//! Very many small files to a store that is far away go in bundles, where it takes them.
//!
//! A file of some KiB costs such a store little and the way there much, however many workers go it.
//! So the small ones are set apart, one small bundle is tried while the others still go one by
//! one, and if that works workers take bundles. What is in a bundle is stored plain: what is sent
//! is compressed all the same, better than each file alone. Whatever a bundle did not bring about
//! goes one by one after all, and a store that disappoints gets no more bundles.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::tasks::Bundling;
use super::{Crew, File, expires};
use crate::content::{Body, Checksum, Preparing, archive};
use crate::events::Event;
use crate::plan::Planned;
use crate::store::{Bundle, Fault, MARKER, Member, StoreError};

/// The largest object that goes in a bundle, in bytes.
const SMALL: u64 = 64 << 10;
/// From so many small objects for each worker on bundles pay: there must be enough of them for all
/// workers, and the first one is waited for.
const MANY: usize = 8;
/// A store that answers sooner is near: there a request costs more than the way to it.
const FAR: Duration = Duration::from_millis(10);
/// So many bundles may fail before no more are made.
const STRIKES: u32 = 3;

/// Whether so many small objects had better go in bundles, with so many workers, to a store that
/// answers after so long.
fn pays(small: usize, workers: usize, answer: Duration) -> bool {
    small >= MANY.saturating_mul(workers) && answer >= FAR
}

/// What was packed, and what was not.
#[derive(Default)]
struct Packed {
    members: Vec<Member>,
    /// Of each member, into the plan.
    indices: Vec<usize>,
    /// To be stored one by one.
    others: Vec<usize>,
}

impl Crew<'_> {
    /// Sets the small objects apart, if bundles pay. The first answer took so long.
    pub(super) fn set_apart(&self, first_answer: Duration) {
        let is_small = |object: &Planned| object.size <= SMALL && object.key != MARKER;
        let objects = &self.plan.objects;
        let mut small: Vec<usize> = (0..objects.len()).filter(|&n| is_small(&objects[n])).collect();
        let pay = |answer| pays(small.len(), self.queue.allowed(), answer);
        // The store is asked only if it matters.
        let bundles = pay(first_answer).then(|| self.store.takes_bundles()).flatten();
        let Some(bundles) = bundles.filter(|bundles| pay(bundles.answer)) else { return };
        // A bundle is looked for between its first and its last key.
        small.sort_by(|&one, &other| objects[one].key.cmp(&objects[other].key));
        let sized = small.into_iter().map(|index| (index, objects[index].size));
        self.queue.set_apart(&sized.collect::<Vec<_>>(), bundles.most);
    }

    /// Stores objects of the plan with one request; what fails goes back to the queue.
    pub(super) fn put_bundle(&self, indices: &[usize]) {
        let mut packed = Packed::default();
        let archive = self.pack(indices, &mut packed);
        if !self.lasts() {
            return;
        }
        let Packed { members, indices: inside, others } = packed;
        if members.is_empty() {
            self.queue.bundling(Bundling::Untried);
            return self.queue.bring_back(others);
        }
        let folder = self.folder.to_owned();
        let stored = match archive {
            Ok(archive) => {
                let expires = Some(expires(self.submission));
                let bundle = Bundle { folder, archive, members, expires };
                let put =
                    self.counted(bundle.archive.len(), |sent| self.store.put_bundle(&bundle, sent));
                put.map(|stored| self.unpacked(&bundle, &inside, &stored))
            }
            Err(source) => {
                let mut failure = StoreError::new(Fault::Local, "no archive can be made");
                failure.error = failure.error.because(source);
                Err(failure)
            }
        };
        let count = inside.len();
        let again = match stored {
            Ok(again) => {
                match again.len() * 2 <= count {
                    true => self.queue.bundling(Bundling::Open),
                    false => self.strike("the store does not show what came together", false),
                }
                again
            }
            Err(failure) => {
                let may_help = matches!(failure.fault, Fault::Busy(_) | Fault::Unreachable);
                self.strike(failure.error.what(), !may_help);
                inside
            }
        };
        self.queue.bring_back(again);
        self.queue.bring_back(others);
    }

    fn pack(&self, indices: &[usize], packed: &mut Packed) -> std::io::Result<Body> {
        let preparing = Preparing {
            redactor: &self.submission.redactor,
            checksum: Checksum::Md5,
            hashed_below: u64::MAX,
            gzip: None,
            goes_on: &|| self.lasts(),
        };
        let mut left = indices.iter();
        let mut next = || {
            for &index in left.by_ref() {
                let object = &self.plan.objects[index];
                let body = preparing.body(&object.source, &object.name);
                // Whatever is wrong with it is found again, and said, where it goes alone.
                match body.map(|body| (body.md5(), body)) {
                    Ok((Some(md5), body)) if body.len() <= SMALL => {
                        packed.indices.push(index);
                        packed.members.push(Member {
                            key: format!("{}{}", self.folder, object.key),
                            size: body.len(),
                            md5,
                            content_type: body.media_type(),
                        });
                        return Some((object.key.clone(), body));
                    }
                    _ => packed.others.push(index),
                }
            }
            None
        };
        archive::pack(&self.gzip, &mut next, &|| self.lasts())
    }

    /// Takes note of what is stored, and returns the rest.
    fn unpacked(&self, bundle: &Bundle, indices: &[usize], stored: &[bool]) -> Vec<usize> {
        let (mut again, mut bytes) = (Vec::new(), 0);
        for ((member, &index), &stored) in bundle.members.iter().zip(indices).zip(stored) {
            if !stored {
                again.push(index);
                continue;
            }
            bytes += member.size;
            self.stored(
                index,
                File {
                    name: self.plan.objects[index].name.clone(),
                    key: member.key.clone(),
                    size: member.size,
                    content_type: member.content_type.into(),
                },
            );
            self.queue.answered();
        }
        // Progress counts bytes as they were planned.
        let sent = bundle.archive.len();
        match bytes >= sent {
            true => self.submission.events.emit(Event::Sent(bytes - sent)),
            false => self.submission.events.emit(Event::Unsent(sent - bytes)),
        }
        again
    }

    /// A bundle failed.
    fn strike(&self, why: &str, for_good: bool) {
        let strikes = self.strikes.fetch_add(1, Ordering::Relaxed) + 1;
        if for_good || strikes >= STRIKES {
            self.queue.bundling(Bundling::Closed);
            self.submission.events.note(format!("small files go one by one: {why}"));
        } else {
            self.queue.bundling(Bundling::Untried);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_for_many_small_files_and_a_store_that_is_far_away() {
        let millis = Duration::from_millis;
        assert!(pays(10_000, 64, millis(100)));
        assert!(pays(320, 40, millis(20)));
        assert!(pays(64, 8, millis(100)), "few workers");
        assert!(!pays(10_000, 8, millis(2)), "near");
        assert!(!pays(300, 64, millis(100)), "few files");
    }
}
