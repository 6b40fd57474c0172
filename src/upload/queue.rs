//! What the workers take next, and how many of them work.
//!
//! A part of a large object comes before the next object, so that few of those are under way at a
//! time, and everybody helps with the last one. Workers come as long as they help: their number
//! doubles while the uploads get faster by it, which they do where the store is far away, and
//! stays small where the machine itself is the limit. A store that asks for patience gets fewer.
//! Small objects that were set apart come last, in bundles once one of these has worked.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::link::TELLING;
use super::parts::Large;
use super::watch::{REST, WATCH, Watch};

/// With how many workers an upload begins, and what it goes back to while it is the machine or
/// the link that is busy.
const FIRST: usize = 8;
/// What a request costs this machine at most, with two processors for the work. A store that takes
/// longer to answer is waited for: by as many workers as could be served meanwhile.
const COST: Duration = Duration::from_micros(100);
/// What a request counts as, in bytes, when it is asked whether the uploads got faster.
const REQUEST: u64 = 64 << 10;
/// How long anybody waits before looking at the deadline and the cancel again.
const TICK: Duration = Duration::from_millis(100);

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

/// Something to do for a worker.
pub(super) enum Task {
    /// Small objects of the plan that are sent one behind the other.
    Several(Vec<usize>),
    /// Objects of the plan that go together.
    Bundle(Vec<usize>),
    /// An object of the plan, by its index.
    Object(usize),
    /// A part of a large object, by its number from 0.
    Part(Arc<Large>, usize),
}

/// The queue that all workers share.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many workers may work.
    allowed: AtomicUsize,
    most: usize,
    done: AtomicU64,
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

struct State {
    /// With their sizes.
    objects: VecDeque<(usize, u64)>,
    /// Small objects that were set apart, by their keys, and their sizes.
    small: VecDeque<(usize, u64)>,
    /// The most of them that may go together.
    together: usize,
    bundling: Bundling,
    parts: VecDeque<(Arc<Large>, usize)>,
    /// Large objects that may still bring parts, and objects that may turn out to be large.
    open: usize,
    /// Tasks that were taken and are not done.
    busy: usize,
    /// Workers that have not ended.
    working: usize,
    busy_until: Option<Instant>,
}

impl State {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.small.is_empty() && self.parts.is_empty()
    }

    /// The next task where so many small objects may be sent together.
    fn next(&mut self, workers: usize, together: usize) -> Option<Task> {
        if let Some((large, number)) = self.parts.pop_front() {
            return Some(Task::Part(large, number));
        }
        if self.bundling == Bundling::Untried && !self.small.is_empty() {
            self.bundling = Bundling::Trying;
            return Some(Task::Bundle(self.bundle(TRIED)));
        }
        if let Some(task) = self.next_objects(workers, together) {
            return Some(task);
        }
        if self.bundling == Bundling::Open && self.small.len() > 1 {
            // They become smaller towards the end, so that all workers end together.
            let share = self.small.len() / (workers.max(1) * 2);
            return Some(Task::Bundle(self.bundle(share.clamp(TRIED, BUNDLE.0))));
        }
        self.small.pop_back().map(|(index, _)| Task::Object(index))
    }

    /// The next object, or several where they are small and there are enough for all workers.
    fn next_objects(&mut self, workers: usize, together: usize) -> Option<Task> {
        let most = together.min(self.objects.len().div_ceil(workers.max(1)));
        let mut bytes = 0_u64;
        let fits = |&&(_, size): &&(usize, u64)| {
            bytes = bytes.saturating_add(size);
            size <= SMALL && bytes <= BYTES_TOGETHER
        };
        match self.objects.iter().take(most).take_while(fits).count() {
            0 | 1 => self.objects.pop_front().map(|(index, _)| Task::Object(index)),
            count => Some(Task::Several(self.objects.drain(..count).map(|(at, _)| at).collect())),
        }
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

impl Queue {
    /// A queue of objects, with their sizes and in the order in which they are taken, for at most
    /// so many workers.
    pub(super) fn new(objects: Vec<(usize, u64)>, most: usize) -> Queue {
        Queue {
            state: Mutex::new(State {
                objects: objects.into(),
                small: VecDeque::new(),
                together: usize::MAX,
                bundling: Bundling::Closed,
                parts: VecDeque::new(),
                open: 0,
                busy: 0,
                working: 0,
                busy_until: None,
            }),
            changed: Condvar::new(),
            allowed: AtomicUsize::new(most.min(FIRST)),
            most,
            done: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first answer took so long. Where that is the way there more than anything else, finding
    /// the number of workers would take longer than the upload.
    pub(super) fn is_far(&self, answer: Duration) {
        let wanted = answer.as_micros() / COST.as_micros();
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).max(FIRST);
        self.allowed.store(wanted.min(self.most), Relaxed);
    }

    /// How many workers may work now.
    pub(super) fn allowed(&self) -> usize {
        self.allowed.load(Relaxed)
    }

    /// Those of these objects that nobody took yet go in bundles of at most so many; with their
    /// sizes.
    pub(super) fn set_apart(&self, small: &[(usize, u64)], together: usize) {
        let mut state = self.lock();
        state.together = together;
        let queued: HashSet<usize> = state.objects.iter().map(|&(index, _)| index).collect();
        state.small = small.iter().copied().filter(|(index, _)| queued.contains(index)).collect();
        let apart: HashSet<usize> = state.small.iter().map(|&(index, _)| index).collect();
        state.objects.retain(|(index, _)| !apart.contains(index));
        state.bundling = Bundling::Untried;
    }

    /// What became known of bundles.
    pub(super) fn bundling(&self, now: Bundling) {
        let mut state = self.lock();
        if state.bundling != Bundling::Closed {
            state.bundling = now;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Objects that are to be stored one by one after all.
    pub(super) fn bring_back(&self, objects: impl IntoIterator<Item = usize>) {
        self.lock().objects.extend(objects.into_iter().map(|index| (index, ALONE)));
        self.changed.notify_all();
    }

    /// What the worker of this number, counted from 0, does next; `None` when nothing is left for
    /// anybody or `lasts` says no more. Small objects come several at a time, as many as `together`
    /// says. Whoever takes objects or a bundle says [`Queue::close`] when all is known about each.
    pub(super) fn take(
        &self,
        worker: usize,
        together: usize,
        lasts: &dyn Fn() -> bool,
    ) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if !lasts() {
                return None;
            }
            let workers = self.allowed();
            if state.is_empty() && state.open == 0 {
                self.changed.notify_all();
                return None;
            }
            if worker < workers
                && let Some(task) = state.next(workers, together)
            {
                state.open += match &task {
                    Task::Several(indices) => indices.len(),
                    Task::Object(_) | Task::Bundle(_) => 1,
                    // It belongs to an object that is open already.
                    Task::Part(..) => 0,
                };
                state.busy += 1;
                return Some(task);
            }
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Brings the parts of a large object, which stays open.
    pub(super) fn bring(&self, large: &Arc<Large>, count: usize) {
        self.lock().parts.extend((0..count).map(|number| (Arc::clone(large), number)));
        self.changed.notify_all();
    }

    /// A task that was taken is done.
    pub(super) fn done(&self) {
        let mut state = self.lock();
        state.busy = state.busy.saturating_sub(1);
    }

    /// All is known about an object that was taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 && state.is_empty() {
            self.changed.notify_all();
        }
    }

    /// So many bytes were sent.
    pub(super) fn sent(&self, bytes: u64) {
        self.done.fetch_add(bytes, Relaxed);
    }

    /// A request succeeded.
    pub(super) fn answered(&self) {
        self.done.fetch_add(REQUEST, Relaxed);
    }

    /// The store asks for patience: half the workers go on, at least one.
    pub(super) fn slow_down(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        // Many workers hear it at the same time; it is said once.
        if state.busy_until.is_none_or(|until| now + REST / 2 >= until) {
            state.busy_until = Some(now + REST);
            self.allowed.store((self.allowed.load(Relaxed) / 2).max(1), Relaxed);
        }
    }

    /// Whether the store has just asked for patience.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().busy_until.is_some_and(|until| Instant::now() < until)
    }

    /// Starts workers, by their number, and more as long as they help. Returns when the last one
    /// has ended.
    pub(super) fn conduct(&self, start: &mut dyn FnMut(usize), lasts: &dyn Fn() -> bool) {
        let mut started = 0;
        let mut watch = Watch::new();
        loop {
            let mut state = self.lock();
            let tasks = state.objects.len() + state.small.len() + state.parts.len() + state.busy;
            let wanted = self.allowed.load(Relaxed).min(tasks);
            let from = started;
            started = started.max(wanted);
            state.working += started - from;
            drop(state);
            (from..started).for_each(&mut *start);
            let state = self.lock();
            if state.working == 0 {
                return;
            }
            let pause = if watch.is_at_rest() { TICK } else { WATCH };
            let waited = self.changed.wait_timeout_while(state, pause, |state| state.working > 0);
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.working == 0 {
                return;
            }
            drop(state);
            if lasts() && !self.is_busy() {
                let allowed = self.allowed.load(Relaxed);
                let next = watch.next(allowed, self.most, self.done.load(Relaxed));
                // A store that asked for fewer in between is heard.
                let _ = self.allowed.compare_exchange(allowed, next, Relaxed, Relaxed);
                self.changed.notify_all();
            }
        }
    }

    /// A worker has ended.
    pub(super) fn leave(&self) {
        self.lock().working -= 1;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_store_gets_more_workers_from_the_beginning_but_no_more_than_are_wanted() {
        for (millis, most, allowed) in
            [(0, 64, 8), (2, 64, 20), (20, 64, 64), (20, 16, 16), (60_000, 128, 128), (0, 2, 2)]
        {
            let queue = Queue::new(sized(100), most);
            queue.is_far(Duration::from_millis(millis));
            assert_eq!(queue.allowed.load(Relaxed), allowed, "{millis} ms, {most} workers");
        }
    }

    /// So many objects that are not small.
    fn sized(count: usize) -> Vec<(usize, u64)> {
        (0..count).map(|index| (index, TELLING)).collect()
    }

    /// The next task of a queue, as text.
    fn next(queue: &Queue) -> String {
        match queue.take(0, 8, &|| true) {
            None => "nothing".to_owned(),
            Some(Task::Several(indices)) => format!("several from {}", indices[0]),
            Some(Task::Object(index)) => format!("object {index}"),
            Some(Task::Bundle(indices)) => format!("{} from {}", indices.len(), indices[0]),
            Some(Task::Part(..)) => "part".to_owned(),
        }
    }

    #[test]
    fn small_objects_are_taken_together_by_number_and_bytes_and_never_so_few_that_workers_idle() {
        let sizes = [(0, TELLING), (1, SMALL), (2, SMALL), (3, 9)];
        let queue = Queue::new(sizes.into_iter().chain((4..60).map(|n| (n, 9))).collect(), 2);
        let first: Vec<_> = (0..8).map(|_| next(&queue)).collect();
        assert_eq!(first[..4], ["object 0", "several from 1", "several from 3", "several from 11"]);
        assert_eq!(next(&queue), "several from 51");
        // Two are for each worker, then one.
        let last = [next(&queue), next(&queue), next(&queue)];
        assert_eq!(last, ["several from 56", "object 58", "object 59"]);
        // What is brought back goes by itself.
        queue.bring_back(vec![1, 2]);
        assert_eq!([next(&queue), next(&queue)], ["object 1", "object 2"]);
    }

    #[test]
    fn small_objects_go_alone_while_a_bundle_is_tried_and_last_in_bundles_if_that_works() {
        let queue = Queue::new(sized(300), 2);
        assert_eq!(next(&queue), "object 0");
        // Nobody gets what is taken a second time.
        let small: Vec<_> = (0..1).chain(10..300).map(|index| (index, 100)).collect();
        queue.set_apart(&small, 1000);
        assert_eq!(next(&queue), "16 from 10");
        (1..10).for_each(|large| assert_eq!(next(&queue), format!("object {large}")));
        assert_eq!(next(&queue), "object 299");
        queue.bundling(Bundling::Open);
        queue.bring_back(vec![12]);
        assert_eq!(next(&queue), "object 12");
        assert_eq!(next(&queue), "68 from 26");
        queue.bundling(Bundling::Untried);
        assert_eq!(next(&queue), "16 from 94");
        queue.bundling(Bundling::Closed);
        queue.bundling(Bundling::Open);
        (110..299).rev().for_each(|small| assert_eq!(next(&queue), format!("object {small}")));
    }

    #[test]
    fn a_bundle_has_no_more_objects_than_the_store_takes_together() {
        let queue = Queue::new(sized(100), 1);
        queue.set_apart(&(0..100).map(|index| (index, 10)).collect::<Vec<_>>(), 5);
        assert_eq!(next(&queue), "5 from 0");
        queue.bundling(Bundling::Open);
        assert_eq!(next(&queue), "5 from 5");
    }

    #[test]
    fn a_bundle_has_no_more_bytes_than_it_may() {
        let queue = Queue::new(sized(100), 1);
        let small: Vec<_> = (0..100).map(|index| (index, 50_000)).collect();
        queue.set_apart(&small, 1000);
        assert_eq!(next(&queue), "16 from 0");
        queue.bundling(Bundling::Open);
        assert_eq!(next(&queue), "41 from 16");
    }

    #[test]
    fn a_store_that_asks_for_patience_gets_fewer_workers_once() {
        let queue = Queue::new(sized(100), 64);
        queue.slow_down();
        assert_eq!(queue.allowed.load(Relaxed), FIRST / 2);
        queue.slow_down();
        assert_eq!(queue.allowed.load(Relaxed), FIRST / 2);
    }
}
