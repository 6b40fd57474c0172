//! An upload to a store, and what happened during it.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notify_pr::content::{Body, Source};
use notify_pr::error::Error;
use notify_pr::events::{Event, Events, Step};
use notify_pr::http::{Agent, Network, STALL_TIMEOUT};
use notify_pr::plan::{Plan, Planned};
use notify_pr::settings::{Origin, Settings};
use notify_pr::store::{
    self, Access, Limits, Listing, Meta, Part, Sent, Store, Stored, Upload as Begun,
};
use notify_pr::submission::{Cancel, Submission};
use notify_pr::upload::{Uploaded, upload};
use stand_ins::Bucket;
use time::OffsetDateTime;

pub const FOLDER: &str = "ci/7d/2026-11-23/apache/cloudstack/pr-1/id/";

/// A submission to a store, and what happened during it.
pub struct Scene {
    pub submission: Submission,
    pub store: Box<dyn Store>,
    pub events: Arc<Mutex<Vec<Event>>>,
}

impl Scene {
    pub fn new(settings: &[(&str, &str)]) -> Scene {
        Scene::with_stall(settings, STALL_TIMEOUT)
    }

    pub fn with_stall(settings: &[(&str, &str)], stall: Duration) -> Scene {
        let mut all = Settings::new();
        for (name, value) in settings {
            all.set(name, value, Origin::Api).unwrap();
        }
        let events = Arc::new(Events::new());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let reader = Arc::clone(&seen);
        events.add_reader(move |event: &Event| reader.lock().unwrap().push(event.clone()));
        let mut submission = Submission::new(all, events, Cancel::new()).unwrap();
        if stall != STALL_TIMEOUT {
            let network = Network::from_settings(&submission.settings).with_stall_timeout(stall);
            submission.agents.store = Agent::new(network, 16, Arc::new(|_: &str| ()));
        }
        let store = store::choose(&submission).unwrap().unwrap();
        Scene { submission, store, events: seen }
    }

    pub fn s3(bucket: &Bucket, more: &[(&str, &str)]) -> Scene {
        let url = bucket.url();
        Scene::new(&Scene::settings(&url, more))
    }

    pub fn settings<'s>(url: &'s str, more: &[(&'s str, &'s str)]) -> Vec<(&'s str, &'s str)> {
        let mut settings = vec![
            ("store_api", "s3"),
            ("store_endpoint", url),
            ("store_container", "logs"),
            ("store_identity", "key"),
            ("store_secret", "the secret key"),
        ];
        settings.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        settings.extend(more);
        settings
    }

    /// The same with a store that differs.
    pub fn shaped(mut self, change: impl FnOnce(&mut Shaped)) -> Scene {
        let mut shaped = Shaped {
            limits: self.store.limits(),
            around_put: Box::new(|_, put| put()),
            store: self.store,
        };
        change(&mut shaped);
        self.store = Box::new(shaped);
        self
    }

    pub fn upload(&self, plan: &Plan) -> Uploaded {
        upload(&self.submission, &*self.store, plan, FOLDER)
    }

    /// Bytes that were sent and not taken back.
    pub fn sent(&self) -> i64 {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .map(|event| match event {
                Event::Sent(bytes) => *bytes as i64,
                Event::Unsent(bytes) => -(*bytes as i64),
                _ => 0,
            })
            .sum()
    }

    pub fn steps(&self) -> BTreeSet<String> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event {
                Event::StepDone(Step::Stored(key)) => Some(key.clone()),
                _ => None,
            })
            .collect()
    }
}

pub fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| ((at * 31 + at / 251 + seed) % 251) as u8).collect()
}

pub fn planned(name: &str, bytes: Vec<u8>) -> Planned {
    Planned {
        name: name.to_owned(),
        key: name.to_owned(),
        size: bytes.len() as u64,
        source: Source::Memory(bytes.into()),
    }
}

pub fn plan(objects: Vec<Planned>) -> Plan {
    Plan { objects, ..Plan::default() }
}

/// What is done about a `put`: it gets the key, and the `put` itself.
pub type Around = dyn Fn(&str, &mut dyn FnMut() -> Stored<()>) -> Stored<()> + Send + Sync;

/// A store with other limits, that does something else, or something more, where an object is put.
pub struct Shaped {
    pub limits: Limits,
    pub around_put: Box<Around>,
    store: Box<dyn Store>,
}

impl Store for Shaped {
    fn name(&self) -> &str {
        self.store.name()
    }
    fn limits(&self) -> Limits {
        self.limits
    }
    fn keeps_encoding(&self) -> bool {
        self.store.keeps_encoding()
    }
    fn prepare(&self) -> Stored<()> {
        self.store.prepare()
    }
    fn put(&self, key: &str, body: &Body, meta: &Meta, sent: &Sent<'_>) -> Stored<()> {
        (self.around_put)(key, &mut || self.store.put(key, body, meta, sent))
    }
    fn begin(&self, key: &str, meta: &Meta) -> Stored<Begun> {
        self.store.begin(key, meta)
    }
    fn put_part(
        &self,
        upload: &Begun,
        number: u32,
        body: &Body,
        range: Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part> {
        self.store.put_part(upload, number, body, range, sent)
    }
    fn finish(&self, upload: &Begun, parts: &[Part]) -> Stored<()> {
        self.store.finish(upload, parts)
    }
    fn abort(&self, upload: &Begun) -> Stored<()> {
        self.store.abort(upload)
    }
    fn abort_lost(&self, key: &str, kept: Option<&Begun>) -> Stored<()> {
        self.store.abort_lost(key, kept)
    }
    fn get(&self, key: &str, limit: u64) -> Stored<Vec<u8>> {
        self.store.get(key, limit)
    }
    fn list(&self, prefix: &str, after: Option<&str>) -> Stored<Listing> {
        self.store.list(prefix, after)
    }
    fn delete(&self, key: &str) -> Stored<()> {
        self.store.delete(key)
    }
    fn ways(&self) -> Vec<Access> {
        self.store.ways()
    }
    fn link(&self, key: &str, access: Access, until: OffsetDateTime) -> Result<String, Error> {
        self.store.link(key, access, until)
    }
    fn sweep(&self, now: OffsetDateTime, goes_on: &dyn Fn() -> bool) -> Stored<u64> {
        self.store.sweep(now, goes_on)
    }
}

/// Checks many cases at a time, as most of them wait most of the time, and says which ones failed.
pub fn each<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
                    if catch_unwind(AssertUnwindSafe(|| check(case))).is_err() {
                        failed.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(failed.load(Relaxed), 0, "of {} cases so many failed", cases.len());
}
