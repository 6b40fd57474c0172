//! What the workers take next, and how many of them work.
//!
//! Workers come as long as they help: their number doubles while the uploads get faster by it, which
//! they do where the store is far away, and stays small where the machine itself is the limit. A
//! store that asks for patience gets fewer.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::parts::Large;
use super::tasks::{Bundling, Most, Task, Tasks};
use super::watch::{REST, WATCH, Watch};
use crate::content::Body;

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
/// How many workers hash for others at a time, by the number of processors. What they hash is read
/// again to be sent, so it must not be too much.
const HASHING: (usize, usize) = (2, 4);

/// The queue that all workers share.
pub(super) struct Queue {
    state: Mutex<State>,
    /// For workers that wait for something to do.
    changed: Condvar,
    /// For whoever waits for the last of them.
    ended: Condvar,
    /// How many workers may work.
    allowed: AtomicUsize,
    most: usize,
    done: AtomicU64,
}

struct State {
    tasks: Tasks,
    /// Large objects that may still bring parts, and objects that may turn out to be large.
    open: usize,
    /// Tasks that were taken and are not done.
    busy: usize,
    /// Workers that have not ended.
    working: usize,
    busy_until: Option<Instant>,
}

impl Queue {
    /// A queue of objects, with their sizes and in the order in which they are taken, for at most
    /// so many workers.
    pub(super) fn new(objects: Vec<(usize, u64)>, most: usize) -> Queue {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let tasks = Tasks::new(objects, processors.clamp(HASHING.0, HASHING.1));
        Queue {
            state: Mutex::new(State { tasks, open: 0, busy: 0, working: 0, busy_until: None }),
            changed: Condvar::new(),
            ended: Condvar::new(),
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
        self.lock().tasks.set_apart(small, together);
    }

    /// What became known of bundles.
    pub(super) fn bundling(&self, now: Bundling) {
        self.lock().tasks.bundling(now);
        self.changed.notify_all();
    }

    /// Objects that are to be stored one by one after all.
    pub(super) fn bring_back(&self, objects: impl IntoIterator<Item = usize>) {
        self.lock().tasks.bring_back(objects);
        self.changed.notify_all();
    }

    /// What the worker of this number, counted from 0, does next; `None` when nothing is left for
    /// anybody or `lasts` says no more. Objects come several at a time, at most so many. Whoever
    /// takes objects or a bundle says [`Queue::close`] when all is known about each, unless somebody
    /// else goes on with what was prepared.
    pub(super) fn take(&self, worker: usize, most: Most, lasts: &dyn Fn() -> bool) -> Option<Task> {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            if !lasts() {
                return None;
            }
            let workers = self.allowed();
            if state.tasks.is_empty() && state.open == 0 {
                self.changed.notify_all();
                return None;
            }
            if worker < workers
                && let Some(task) = state.tasks.next(workers, most)
            {
                state.open += match &task {
                    Task::Several(indices) | Task::Prepare(indices) => indices.len(),
                    Task::Object(_) | Task::Bundle(_) => 1,
                    // It is, or belongs to, an object that is open already.
                    Task::Prepared(..) | Task::Hash(..) | Task::Part(..) => 0,
                };
                state.busy += 1;
                // Once such a task is taken there may be something to do for others who wait. Who
                // was woken wakes the next.
                if waited || matches!(task, Task::Prepare(_) | Task::Hash(..)) {
                    self.wake(&state, 1);
                }
                return Some(task);
            }
            waited = true;
            let woken = self.changed.wait_timeout(state, TICK);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Brings what came of objects that were to be prepared; they stay open.
    pub(super) fn prepared(&self, objects: Vec<(usize, Option<Body>)>) {
        let mut state = self.lock();
        let count = objects.len();
        let sent = |(index, body): (usize, Option<Body>)| Task::Prepared(index, body.map(Box::new));
        state.tasks.hashed(objects.into_iter().map(sent));
        self.wake(&state, count);
    }

    /// Brings the parts of a large object, which stays open. They may be hashed at the same time.
    pub(super) fn bring(&self, large: &Arc<Large>, count: usize, together: bool) {
        let mut state = self.lock();
        let tasks = state.tasks.parts(large, count, together);
        self.wake(&state, tasks);
    }

    /// Brings parts that were hashed.
    pub(super) fn hashed(&self, large: &Arc<Large>, parts: Range<usize>) {
        let mut state = self.lock();
        let count = parts.len();
        state.tasks.hashed(parts.map(|part| Task::Part(Arc::clone(large), part)));
        self.wake(&state, count);
    }

    /// Wakes workers for so many tasks: very many may be waiting.
    fn wake(&self, state: &State, tasks: usize) {
        // Who is not allowed to work would sleep on, and the task wait for the next look.
        if state.working > self.allowed() {
            return self.changed.notify_all();
        }
        (0..tasks).for_each(|_| self.changed.notify_one());
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
        if state.open == 0 && state.tasks.is_empty() {
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
            let wanted = self.allowed.load(Relaxed).min(state.tasks.len() + state.busy);
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
            let waited = self.ended.wait_timeout_while(state, pause, |state| state.working > 0);
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
        self.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(count: usize) -> Vec<(usize, u64)> {
        (0..count).map(|index| (index, 1 << 20)).collect()
    }

    #[test]
    fn a_far_store_gets_more_workers_from_the_beginning_but_no_more_than_are_wanted() {
        for (millis, most, allowed) in
            [(0, 64, 8), (2, 64, 20), (20, 64, 64), (20, 16, 16), (60_000, 128, 128), (0, 2, 2)]
        {
            let queue = Queue::new(objects(100), most);
            queue.is_far(Duration::from_millis(millis));
            assert_eq!(queue.allowed.load(Relaxed), allowed, "{millis} ms, {most} workers");
        }
    }

    #[test]
    fn a_store_that_asks_for_patience_gets_fewer_workers_once() {
        let queue = Queue::new(objects(100), 64);
        queue.slow_down();
        assert_eq!(queue.allowed.load(Relaxed), FIRST / 2);
        queue.slow_down();
        assert_eq!(queue.allowed.load(Relaxed), FIRST / 2);
    }
}
