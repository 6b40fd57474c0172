//! Carries out the plan: workers, retries, integrity, the deadline.
//!
//! A marker goes into the folder before anything else. It goes alone, so wrong credentials, a
//! missing bucket or a dead host show at once and with one request. Then the workers take the
//! objects, the largest first, so that the small ones fill the gaps at the end.

mod bundle;
mod count;
mod link;
mod object;
mod outcome;
mod parts;
mod patience;
mod prepare;
mod queue;
mod several;
mod tasks;
mod watch;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::link::Link;
use self::parts::Large;
use self::patience::{GivenUp, Patience};
use self::prepare::Turns;
use self::queue::Queue;
use self::tasks::Task;
use crate::content::Body;
use crate::content::compress::Gzip;
use crate::error::{Error, Result};
use crate::events::{Event, Step};
use crate::http::connecting;
use crate::plan::{LeftOut, Plan};
use crate::status::{Stage, Status};
use crate::store::{Fault, MARKER, Marker, Meta, Store, StoreError, Stored};
use crate::submission::Submission;

/// The stack of a worker: nothing in it is deep, and there may be many.
const STACK: usize = 256 << 10;
/// How often an object is prepared anew because it changed while it was sent.
const PREPARED: u32 = 3;
/// How often a request is made before it is given up; with the pauses in between this outlasts
/// the restart of a gateway.
const ATTEMPTS: u32 = 10;
/// The same for what must show early whether the store works at all, and for pages.
const FIRST_ATTEMPTS: u32 = 6;
/// The time for one page, which is not shared with the files.
const PAGE_TIME: Duration = Duration::from_secs(120);
/// The store is given up when so much went wrong without a success in between: a refusal counts
/// one, an object that was tried to the end counts `EXHAUSTED`.
const HOPELESS: u32 = 24;
const EXHAUSTED: u32 = 8;

/// What is in the store after the upload.
#[derive(Debug, Default)]
pub struct Uploaded {
    /// In the order of the plan.
    pub files: Vec<File>,
    /// Planned and not stored, with the reason; the plan's own missing ones are not repeated here.
    pub missing: Vec<LeftOut>,
    /// Why the store as a whole failed, if it did.
    pub failure: Option<Error>,
}

/// An object of the plan that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The true name as it is shown.
    pub name: String,
    /// The whole key in the store.
    pub key: String,
    /// The size in bytes, as it was sent.
    pub size: u64,
    /// The `Content-Type` that it is served with.
    pub content_type: Cow<'static, str>,
}

/// Stores every object of the plan under `folder` (which ends with `/`).
///
/// What cannot be stored is named with its reason in the result; only a store that does not work
/// at all, or a cancel, is a `failure`. The time of `upload_timeout` runs from now on. No thread
/// is left behind.
pub fn upload(submission: &Submission, store: &dyn Store, plan: &Plan, folder: &str) -> Uploaded {
    upload_if(submission, store, plan, folder, &mut |_, _| Ok(()))
}

/// The same, but `admitted` is asked with the key of the marker and what it says when that is in the
/// store: its error is the reason why nothing else is uploaded.
pub fn upload_if(
    submission: &Submission,
    store: &dyn Store,
    plan: &Plan,
    folder: &str,
    admitted: &mut dyn FnMut(&str, &[u8]) -> Result<()>,
) -> Uploaded {
    if submission.dry_run {
        return Uploaded::default();
    }
    let time = submission.settings.duration("upload_timeout");
    let patience = Patience::new(&submission.cancel, time, ATTEMPTS);
    let crew = Crew {
        submission,
        store,
        plan,
        folder,
        queue: Queue::new(largest_first(plan), jobs(submission)),
        link: Link::default(),
        gzip: Gzip::new(),
        turns: Turns::new(),
        compresses: wants_gzip(submission, store),
        no_room: AtomicBool::new(false),
        strikes: AtomicU32::new(0),
        large: Mutex::new(Vec::new()),
        in_a_row: AtomicU32::new(0),
        outcomes: Mutex::new(plan.objects.iter().map(|_| None).collect()),
        failure: Mutex::new(None),
        patience,
    };
    submission.agents.store.end_by(Some(patience.deadline()));
    match crew.begin() {
        Ok((first_answer, marker)) => match admitted(&format!("{folder}{MARKER}"), &marker) {
            Ok(()) => crew.run(first_answer),
            Err(refused) => {
                let reason = refused.what().to_owned();
                crew.fail(refused, reason);
            }
        },
        Err(given_up) => crew.stop(given_up),
    }
    submission.agents.store.end_by(None);
    crew.result()
}

/// Stores bytes that are complete as they are: a page, the full text. Tries as patiently as for a
/// file, within a short time of its own.
///
/// # Errors
/// The store's last refusal, or `Cancelled`.
pub fn put_page(
    submission: &Submission,
    store: &dyn Store,
    key: &str,
    bytes: &[u8],
    media_type: &str,
) -> Result<()> {
    let patience = Patience::new(&submission.cancel, PAGE_TIME, FIRST_ATTEMPTS);
    put_bytes(submission, store, &patience, key, bytes, media_type)
        .map(drop)
        .map_err(|given_up| given_up.into_error().in_stage(Stage::Publish))
}

/// How many uploads run at once, at most.
fn jobs(submission: &Submission) -> usize {
    usize::try_from(submission.settings.count("jobs").unwrap_or(1)).unwrap_or(1).max(1)
}

fn wants_gzip(submission: &Submission, store: &dyn Store) -> bool {
    store.keeps_encoding() && submission.settings.text("store_compress") != Some("off")
}

/// Returns how long the store took for it, without making the connection and what was tried in vain
/// before.
fn put_bytes(
    submission: &Submission,
    store: &dyn Store,
    patience: &Patience<'_>,
    key: &str,
    bytes: &[u8],
    media_type: &str,
) -> Result<Duration, GivenUp> {
    let body = Body::memory(bytes, store.limits().checksum);
    let meta = meta(submission, media_type, None);
    let mut mangled = 0;
    let took = patience.retry(|| {
        let began = Instant::now();
        let stored = store.put(key, &body, &meta, &|_| patience.lasts());
        match stored.map(|()| began.elapsed().saturating_sub(connecting())) {
            // The bytes cannot have changed here, so they were mangled on the way.
            Err(failure) if failure.fault == Fault::Mismatch && mangled < PREPARED => {
                mangled += 1;
                Err(StoreError { fault: Fault::Unreachable, ..failure })
            }
            stored => stored,
        }
    })?;
    submission.events.emit(Event::StepDone(Step::Stored(key.to_owned())));
    Ok(took)
}

fn meta(submission: &Submission, media_type: &str, encoding: Option<&str>) -> Meta {
    Meta {
        content_type: media_type.to_owned(),
        content_encoding: encoding.map(str::to_owned),
        expires: Some(expires(submission)),
    }
}

/// When what this submission stores may go.
fn expires(submission: &Submission) -> time::OffsetDateTime {
    let days = submission.settings.count("store_expire_days").unwrap_or(7);
    let days = time::Duration::days(i64::try_from(days.min(36_500)).unwrap_or(36_500));
    submission.started.saturating_add(days)
}

/// The objects with their sizes.
fn largest_first(plan: &Plan) -> Vec<(usize, u64)> {
    let mut order: Vec<_> = plan.objects.iter().map(|object| object.size).enumerate().collect();
    order.sort_by_key(|&(_, size)| Reverse(size));
    order
}

/// The workers, and what they share.
struct Crew<'a> {
    submission: &'a Submission,
    store: &'a dyn Store,
    plan: &'a Plan,
    folder: &'a str,
    queue: Queue,
    /// How fast the way to the store is.
    link: Link,
    gzip: Gzip,
    /// Who prepares an object.
    turns: Turns,
    /// Whether objects may be stored compressed.
    compresses: bool,
    /// Whether it was said that what is compressed finds no room.
    no_room: AtomicBool,
    /// How many bundles failed.
    strikes: AtomicU32,
    /// Objects that are sent in parts right now.
    large: Mutex<Vec<Arc<Large>>>,
    /// How much went wrong since the last success.
    in_a_row: AtomicU32,
    /// By index into the plan.
    outcomes: Mutex<Vec<Option<Result<File, String>>>>,
    /// Why everybody stops, with the reason that readers see.
    failure: Mutex<Option<(Error, String)>>,
    patience: Patience<'a>,
}

impl Crew<'_> {
    /// Finds out whether the store works at all, and marks the folder as ours. Returns how long the
    /// first answer took, and the marker.
    fn begin(&self) -> Result<(Duration, Vec<u8>), GivenUp> {
        let first = self.patience.with_attempts(FIRST_ATTEMPTS);
        first.retry(|| self.store.prepare())?;
        let marker = Marker {
            notify_pr: 1,
            submission: self.submission.id.clone(),
            expires: expires(self.submission),
        };
        let bytes = serde_json::to_vec(&marker).unwrap_or_default();
        let key = format!("{}{MARKER}", self.folder);
        let took =
            put_bytes(self.submission, self.store, &first, &key, &bytes, "application/json")?;
        self.queue.is_far(took);
        Ok((took, bytes))
    }

    fn run(&self, first_answer: Duration) {
        let swept = std::thread::scope(|scope| {
            // What is past its day goes meanwhile: a far store answers both at the same time.
            let sweep = std::thread::Builder::new().stack_size(STACK);
            let sweep = sweep.spawn_scoped(scope, || {
                let now = self.submission.clock.now();
                let sweep = || self.store.sweep(now, &|| self.lasts());
                catch_unwind(AssertUnwindSafe(sweep))
            });
            let mut start = |number| {
                let worker = std::thread::Builder::new().stack_size(STACK);
                let started = worker.spawn_scoped(scope, move || {
                    let work = || {
                        // Whether it pays may have to be asked; the others begin meanwhile.
                        if number == 0 {
                            self.set_apart(first_answer);
                        }
                        self.work(number);
                    };
                    if catch_unwind(AssertUnwindSafe(work)).is_err() {
                        let bug =
                            Error::new(Status::Internal, "an upload ended in a bug of notify_pr");
                        self.fail(bug, "a bug in notify_pr ended the upload".to_owned());
                    }
                    self.queue.leave();
                });
                if let Err(source) = started {
                    self.queue.leave();
                    // With fewer threads it takes longer; with none at all it cannot be done.
                    if number == 0 {
                        let error = Error::new(Status::Internal, "no thread can be started");
                        self.fail(error.because(source), "no thread could be started".to_owned());
                    }
                }
            };
            self.queue.conduct(&mut start, &|| self.lasts());
            sweep.ok().and_then(|sweep| sweep.join().ok())
        });
        self.abandon_large();
        // Where the upload failed, the sweep's failure tells nothing new.
        if let Some(swept) = swept
            && self.lasts()
        {
            self.swept(swept);
        }
    }

    fn lasts(&self) -> bool {
        self.patience.lasts() && self.lock_failure().is_none()
    }

    fn work(&self, number: usize) {
        let next = || self.queue.take(number, self.most(), &|| self.lasts());
        while let Some(task) = next() {
            match task {
                Task::Several(indices) => self.put_several(indices),
                Task::Object(index) => self.begin_object(index, None, 0),
                Task::Prepare(indices) => self.prepare_several(indices),
                Task::Prepared(index, body) => self.begin_object(index, body, 0),
                Task::Bundle(indices) => {
                    self.put_bundle(&indices);
                    self.queue.close();
                }
                Task::Hash(large, parts) => self.hash(&large, parts),
                Task::Part(large, at) => {
                    if let Some(ended) = self.put_part(&large, at) {
                        self.end_large(&large, ended);
                    }
                }
            }
            self.queue.done();
        }
    }
}
