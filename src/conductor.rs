//! The threads of a submission: the caller's thread looks on, one conductor does the steps.
//!
//! The caller's thread runs the progress callback and looks for cancellation, at least every
//! 100 ms in every stage, whatever the conductor waits for. Cancelling shuts the connections
//! down, so that nobody waits for a network that stalls; what cleans up after it gets new ones, for
//! a short time. All threads end before [`conduct`] does.

use std::any::Any;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::events::Event;
use crate::status::{Stage, Status};
use crate::submission::Submission;

/// How often the caller's thread looks up.
const TICK: Duration = Duration::from_millis(100);
/// How long cleaning up may use the network after a cancel, which is over within a second.
const CLEAN_UP: Duration = Duration::from_millis(700);
/// The most news that wait for the callback. A callback that is slower than the uploads loses the
/// oldest ones, not the counts.
const NEWS: usize = 4096;

/// How far a submission is. The callback gets one at least every 200 ms.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The stage that is under way.
    pub stage: Stage,
    /// How many files are stored or given up.
    pub files_done: u64,
    /// How many files there are to store.
    pub files: u64,
    /// How many bytes were sent.
    pub bytes_done: u64,
    /// How many bytes there are to send.
    pub bytes: u64,
    /// What happened since the last call, in order.
    pub news: Vec<Event>,
}

/// The callback: `Break` cancels the submission.
pub type OnProgress<'c> = dyn FnMut(&Progress) -> ControlFlow<()> + 'c;

struct View {
    progress: Progress,
    news: VecDeque<Event>,
    finished: bool,
}

/// Runs `work` on the conductor's thread, while this thread calls `on_progress`.
///
/// # Errors
/// `Internal` if `work` panics, with the panic's message.
pub(crate) fn conduct<T: Send>(
    submission: &Submission,
    on_progress: &mut OnProgress<'_>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Error> {
    let view = Arc::new((Mutex::new(View::new()), Condvar::new()));
    let seen = Arc::clone(&view);
    submission.events.add_reader(move |event: &Event| {
        seen.0.lock().unwrap_or_else(PoisonError::into_inner).read(event);
    });
    // Who stops at the first call stops everything: nothing has begun yet.
    if on_progress(&View::new().progress).is_break() {
        submission.cancel.cancel();
    }
    std::thread::scope(|scope| {
        // If the callback panics, the conductor must not go on behind the caller's back.
        let _stop = StopOnUnwind(submission);
        let conductor = scope.spawn(|| {
            let done = catch_unwind(AssertUnwindSafe(work));
            view.0.lock().unwrap_or_else(PoisonError::into_inner).finished = true;
            view.1.notify_all();
            done
        });
        let mut cancelled = None;
        loop {
            let guard = view.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut guard, _) = view
                .1
                .wait_timeout_while(guard, TICK, |view| !view.finished)
                .unwrap_or_else(PoisonError::into_inner);
            let finished = guard.finished;
            let mut progress = guard.progress.clone();
            progress.news = guard.news.drain(..).collect();
            drop(guard);
            if on_progress(&progress).is_break() {
                submission.cancel.cancel();
            }
            if submission.cancel.is_cancelled() {
                let since = *cancelled.get_or_insert_with(|| {
                    submission.agents.shut_down();
                    Instant::now()
                });
                if since.elapsed() >= CLEAN_UP {
                    submission.agents.end();
                }
            }
            if finished {
                break;
            }
        }
        match conductor.join() {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(panic)) | Err(panic) => Err(internal(panic.as_ref())),
        }
    })
}

struct StopOnUnwind<'s>(&'s Submission);

impl Drop for StopOnUnwind<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel.cancel();
            self.0.agents.shut_down();
            self.0.agents.end();
        }
    }
}

impl View {
    fn new() -> View {
        View {
            progress: Progress {
                stage: Stage::Plan,
                files_done: 0,
                files: 0,
                bytes_done: 0,
                bytes: 0,
                news: Vec::new(),
            },
            news: VecDeque::new(),
            finished: false,
        }
    }

    fn read(&mut self, event: &Event) {
        let progress = &mut self.progress;
        match event {
            Event::StageBegins(stage) => progress.stage = *stage,
            Event::Planned { files, bytes } => {
                progress.files = *files;
                progress.bytes = *bytes;
            }
            Event::Sent(bytes) => progress.bytes_done += bytes,
            Event::Unsent(bytes) => {
                progress.bytes_done = progress.bytes_done.saturating_sub(*bytes);
            }
            Event::Stored { .. } | Event::Missing { .. } => progress.files_done += 1,
            _ => {}
        }
        // Counts tell the rest; a piece of news for every 64 KiB would tell nobody anything.
        if matches!(event, Event::Sent(_) | Event::Unsent(_) | Event::Request { .. }) {
            return;
        }
        if self.news.len() == NEWS {
            self.news.pop_front();
        }
        self.news.push_back(event.clone());
    }
}

/// The error for a panic: a bug, with what the panic said.
pub(crate) fn internal(panic: &(dyn Any + Send)) -> Error {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Error::new(Status::Internal, format!("this is a bug in notify_pr: {said}"))
        .advise("please report it with this message")
}
