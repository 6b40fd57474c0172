//! What is to be done, and what of it comes next.
//!
//! What is ready to be sent goes first, then parts that have to be hashed before: no large object is
//! begun while there are any, so that few of them are under way at a time, and everybody helps with
//! the last one. Few workers at a time hash for all others, which rather wait for them than hash
//! alone. Small objects that were set apart come last, in bundles once one of these has worked.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::link::TELLING;
use super::parts::Large;
use crate::content::{Body, FEWEST, KEPT_IN_MEMORY, LANES};

/// How many objects are in the first bundle: enough to see how a store does it.
const TRIED: usize = 16;
/// The most objects and bytes in a bundle.
const BUNDLE: (usize, u64) = (500, 2 << 20);

/// The largest object that goes over a line with others, and how much these have together: what
/// is larger tells how fast the way to the store is.
const SMALL: u64 = TELLING - 1;
const BYTES_TOGETHER: u64 = 64 << 10;
/// The size of what goes by itself however small it is.
const ALONE: u64 = u64::MAX;

/// The most bytes of objects that one worker prepares at the same time: they are read again to be
/// sent, and the system had better still know them. What has as many alone goes in parts, or might.
const BYTES_PREPARED: u64 = 64 << 20;

/// Something to do for a worker.
pub(super) enum Task {
    /// Small objects of the plan that are sent one behind the other.
    Several(Vec<usize>),
    /// Objects of the plan that go together.
    Bundle(Vec<usize>),
    /// An object of the plan, by its index.
    Object(usize),
    /// Objects of the plan that are prepared at the same time, for anybody to send.
    Prepare(Vec<usize>),
    /// One of those, with what came of it if something did.
    Prepared(usize, Option<Box<Body>>),
    /// Parts of a large object that are hashed at the same time, by their numbers from 0, for
    /// anybody to send.
    Hash(Arc<Large>, Range<usize>),
    /// A part of a large object, by its number from 0.
    Part(Arc<Large>, usize),
}

/// How many objects may be taken together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Small ones, which are sent one behind the other.
    pub(super) sent: usize,
    /// Others, which are prepared at the same time.
    pub(super) prepared: usize,
}

/// What is known of bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bundling {
    /// The next one is a try.
    Untried,
    /// One is under way; small objects go one by one meanwhile.
    Trying,
    /// They work.
    Open,
    /// No more of them.
    Closed,
}

/// All that nobody has taken.
pub(super) struct Tasks {
    /// With their sizes.
    objects: VecDeque<(usize, u64)>,
    /// Small objects that were set apart, by their keys, and their sizes.
    small: VecDeque<(usize, u64)>,
    /// The most of them that may go together.
    together: usize,
    bundling: Bundling,
    /// Objects and parts that only have to be sent.
    ready: VecDeque<Task>,
    /// Parts that have to be hashed before, as many as are hashed at the same time.
    unhashed: VecDeque<(Arc<Large>, Range<usize>)>,
    /// How many workers hash parts or objects for others, and how many may.
    hashing: usize,
    most_hashing: usize,
}

impl Tasks {
    /// Objects with their sizes, in the order in which they are taken. So many workers may hash for
    /// others at a time.
    pub(super) fn new(objects: Vec<(usize, u64)>, most_hashing: usize) -> Tasks {
        Tasks {
            objects: objects.into(),
            small: VecDeque::new(),
            together: usize::MAX,
            bundling: Bundling::Closed,
            ready: VecDeque::new(),
            unhashed: VecDeque::new(),
            hashing: 0,
            most_hashing,
        }
    }

    /// How many objects and parts there are to send.
    pub(super) fn len(&self) -> usize {
        let unhashed: usize = self.unhashed.iter().map(|(_, parts)| parts.len()).sum();
        self.objects.len() + self.small.len() + self.ready.len() + unhashed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self.small.is_empty()
            && self.ready.is_empty()
            && self.unhashed.is_empty()
    }

    /// Those of these objects that nobody took yet go in bundles of at most so many; with their
    /// sizes.
    pub(super) fn set_apart(&mut self, small: &[(usize, u64)], together: usize) {
        self.together = together;
        let queued: HashSet<usize> = self.objects.iter().map(|&(index, _)| index).collect();
        self.small = small.iter().copied().filter(|(index, _)| queued.contains(index)).collect();
        let apart: HashSet<usize> = self.small.iter().map(|&(index, _)| index).collect();
        self.objects.retain(|(index, _)| !apart.contains(index));
        self.bundling = Bundling::Untried;
    }

    /// What became known of bundles.
    pub(super) fn bundling(&mut self, now: Bundling) {
        if self.bundling != Bundling::Closed {
            self.bundling = now;
        }
    }

    /// Objects that are to be stored one by one after all.
    pub(super) fn bring_back(&mut self, objects: impl IntoIterator<Item = usize>) {
        self.objects.extend(objects.into_iter().map(|index| (index, ALONE)));
    }

    /// The parts of a large object, which are hashed together or by whoever sends them. Returns how
    /// many tasks they are.
    pub(super) fn parts(&mut self, large: &Arc<Large>, count: usize, together: bool) -> usize {
        let before = self.ready.len() + self.unhashed.len();
        for from in (0..count).step_by(LANES) {
            let parts = from..(from + LANES).min(count);
            if together && parts.len() >= FEWEST {
                self.unhashed.push_back((Arc::clone(large), parts));
            } else {
                self.ready.extend(parts.map(|part| Task::Part(Arc::clone(large), part)));
            }
        }
        self.ready.len() + self.unhashed.len() - before
    }

    /// What came of a [`Task::Hash`] or a [`Task::Prepare`]: it only has to be sent now.
    pub(super) fn hashed(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.hashing = self.hashing.saturating_sub(1);
        self.ready.extend(tasks);
    }

    /// The next task where so many objects may be taken together.
    pub(super) fn next(&mut self, workers: usize, most: Most) -> Option<Task> {
        if let Some(task) = self.ready.pop_front() {
            return Some(task);
        }
        if self.hashing < self.most_hashing
            && let Some((large, parts)) = self.unhashed.pop_front()
        {
            self.hashing += 1;
            return Some(Task::Hash(large, parts));
        }
        if self.bundling == Bundling::Untried && !self.small.is_empty() {
            self.bundling = Bundling::Trying;
            return Some(Task::Bundle(self.bundle(TRIED)));
        }
        let is_large = |&(_, size): &(usize, u64)| (BYTES_PREPARED..ALONE).contains(&size);
        if (self.unhashed.is_empty() || !self.objects.front().is_some_and(is_large))
            && let Some(task) = self.next_objects(workers, most)
        {
            return Some(task);
        }
        if self.bundling == Bundling::Open && self.small.len() > 1 {
            // They become smaller towards the end, so that all workers end together.
            let share = self.small.len() / (workers.max(1) * 2);
            return Some(Task::Bundle(self.bundle(share.clamp(TRIED, BUNDLE.0))));
        }
        self.small.pop_back().map(|(index, _)| Task::Object(index))
    }

    /// The next object, or several where they are small or large enough and there are enough for all
    /// workers.
    fn next_objects(&mut self, workers: usize, most: Most) -> Option<Task> {
        let share = self.objects.len().div_ceil(workers.max(1));
        let small = self.leading(most.sent.min(share), BYTES_TOGETHER, |size| size <= SMALL);
        if small > 1 {
            return Some(Task::Several(self.take(small)));
        }
        let is_read_twice = |size| size > KEPT_IN_MEMORY;
        let large = self.leading(most.prepared.min(share), BYTES_PREPARED, is_read_twice);
        if large >= FEWEST {
            let may = self.hashing < self.most_hashing;
            self.hashing += usize::from(may);
            return may.then(|| Task::Prepare(self.take(large)));
        }
        self.objects.pop_front().map(|(index, _)| Task::Object(index))
    }

    /// How many of the next objects are of such sizes and have no more than so many bytes.
    fn leading(&self, most: usize, bytes: u64, such: impl Fn(u64) -> bool) -> usize {
        let mut left = bytes;
        let fits = |&&(_, size): &&(usize, u64)| match left.checked_sub(size) {
            Some(rest) if such(size) => {
                left = rest;
                true
            }
            _ => false,
        };
        self.objects.iter().take(most).take_while(fits).count()
    }

    fn take(&mut self, count: usize) -> Vec<usize> {
        self.objects.drain(..count).map(|(index, _)| index).collect()
    }

    /// The next small objects, at most so many.
    fn bundle(&mut self, most: usize) -> Vec<usize> {
        let most = most.min(self.together);
        let mut bytes = 0;
        let fits = |&&(_, size): &&(usize, u64)| {
            bytes += size;
            bytes <= BUNDLE.1
        };
        let count = self.small.iter().take(most).take_while(fits).count().max(1);
        self.small.drain(..count.min(self.small.len())).map(|(index, _)| index).collect()
    }
}

#[cfg(test)]
mod tests;
