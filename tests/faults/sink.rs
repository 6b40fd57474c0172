//! Stores that fail on demand and can be looked into, and the places where they fail.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use notify_pr::content::Source;
use notify_pr::http::STALL_TIMEOUT;
use notify_pr::plan::Plan;
use notify_pr::store::MARKER;
use notify_pr::upload::Uploaded;
use stand_ins::{Bucket, BucketOptions, Fault, Request, Swift};

pub(crate) use crate::scene::each;
use crate::scene::{FOLDER, Scene, bytes, plan, planned};

/// The size of the parts in these tests.
pub(crate) const PART: usize = 1 << 20;
/// How many parts the large file has.
pub(crate) const PARTS: usize = 4;

/// Where in an upload something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file that goes with one request.
    Put,
    /// Where a large file begins.
    Begin,
    /// The second part of a large file.
    Part,
    /// Where the parts become a file.
    Finish,
}

impl Place {
    pub(crate) const ALL: [Place; 4] = [Place::Put, Place::Begin, Place::Part, Place::Finish];
}

/// A store that fails on demand.
pub(crate) enum Sink {
    S3(Bucket),
    Swift(Swift),
}

/// Both kinds of stores.
pub(crate) const SINKS: [fn() -> Sink; 2] = [Sink::s3, Sink::swift];

impl Sink {
    pub(crate) fn s3() -> Sink {
        Sink::S3(Bucket::start_with(BucketOptions { least_part: PART, ..BucketOptions::default() }))
    }

    pub(crate) fn swift() -> Sink {
        Sink::Swift(Swift::start())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Sink::S3(_) => "s3",
            Sink::Swift(_) => "swift",
        }
    }

    /// Whether it unpacks archives.
    pub(crate) fn takes_bundles(&self) -> bool {
        matches!(self, Sink::Swift(swift) if swift.state().bulk.is_some())
    }

    /// The settings of an upload to it.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let ([api, container, identity, secret], endpoint) = match self {
            Sink::S3(bucket) => (["s3", "logs", "key", "the secret key"], bucket.url()),
            Sink::Swift(swift) => {
                (["swift", "notify-pr", "lab:bot", "right-secret"], swift.endpoint("v3"))
            }
        };
        vec![
            ("store_api", api.to_owned()),
            ("store_endpoint", endpoint),
            ("store_container", container.to_owned()),
            ("store_identity", identity.to_owned()),
            ("store_secret", secret.to_owned()),
        ]
    }

    /// An upload to it, with parts that suit a test.
    pub(crate) fn scene(&self, more: &[(&str, &str)], stall: Duration) -> Scene {
        self.plain_scene(more, stall).shaped(|shaped| {
            shaped.limits.part_bytes = (PART as u64, PART as u64);
            shaped.limits.parts_from = 2 * PART as u64;
        })
    }

    /// An upload to it.
    pub(crate) fn plain_scene(&self, more: &[(&str, &str)], stall: Duration) -> Scene {
        let settings = self.settings();
        let mut all: Vec<_> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        Scene::with_stall(&all, stall)
    }

    /// Something that goes wrong at a place.
    pub(crate) fn at(&self, place: Place) -> Fault {
        let (method, path) = self.requests_of(place);
        Fault::on(method, path)
    }

    fn requests_of(&self, place: Place) -> (&'static str, &'static str) {
        match (self, place) {
            (_, Place::Put) => ("PUT", "/small.bin"),
            (Sink::S3(_), Place::Begin) => ("POST", "large.bin?uploads"),
            (Sink::S3(_), Place::Part) => ("PUT", "large.bin?partNumber=2"),
            (Sink::S3(_), Place::Finish) => ("POST", "large.bin?uploadId="),
            (Sink::Swift(_), Place::Begin) => ("GET", "/info"),
            (Sink::Swift(_), Place::Part) => ("PUT", "/000002"),
            (Sink::Swift(_), Place::Finish) => ("PUT", "large.bin?multipart-manifest=put"),
        }
    }

    pub(crate) fn fault(&self, fault: Fault) {
        match self {
            Sink::S3(bucket) => bucket.fault(fault),
            Sink::Swift(swift) => swift.fault(fault),
        }
    }

    /// How many requests a place has seen.
    pub(crate) fn count(&self, place: Place) -> usize {
        let (method, path) = self.requests_of(place);
        let fits =
            |request: &&Arc<Request>| request.method == method && request.target.contains(path);
        self.requests().iter().filter(fits).count()
    }

    pub(crate) fn requests(&self) -> Vec<Arc<Request>> {
        match self {
            Sink::S3(bucket) => bucket.requests(),
            Sink::Swift(swift) => swift.requests(),
        }
    }

    /// What a reader of the file gets.
    pub(crate) fn object(&self, name: &str) -> Option<Vec<u8>> {
        let key = format!("{FOLDER}{name}");
        match self {
            Sink::S3(bucket) => bucket.object(&key).map(|object| object.bytes.to_vec()),
            Sink::Swift(swift) => {
                let state = swift.state();
                let object = state.objects.get(&format!("notify-pr/{key}"))?;
                // A list of what is not there gives nothing.
                let whole = object.segments.iter().all(|path| state.objects.contains_key(path));
                whole.then(|| object.bytes.clone())
            }
        }
    }

    /// The names of all files of the run.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let below = |key: &String| key.strip_prefix(FOLDER).map(str::to_owned);
        match self {
            Sink::S3(bucket) => bucket.keys().iter().filter_map(below).collect(),
            Sink::Swift(swift) => {
                let folder = format!("notify-pr/{FOLDER}");
                let state = swift.state();
                let names = state.objects.keys().filter_map(|path| path.strip_prefix(&folder));
                names.map(str::to_owned).collect()
            }
        }
    }

    /// What lies in the store and belongs to no file.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        match self {
            Sink::S3(bucket) => {
                let begun = bucket.unfinished_uploads();
                let stray = bucket.keys().into_iter().filter(|key| !key.starts_with(FOLDER));
                stray.chain((0..begun).map(|_| "an upload that was begun".to_owned())).collect()
            }
            Sink::Swift(swift) => {
                let state = swift.state();
                let used: BTreeSet<&String> =
                    state.objects.values().flat_map(|object| &object.segments).collect();
                let folder = format!("notify-pr/{FOLDER}");
                let stray = |path: &&String| !path.starts_with(&folder) && !used.contains(path);
                state.objects.keys().filter(stray).cloned().collect()
            }
        }
    }

    /// Nothing is lost, nothing is corrupt, what is missing is named, and nothing is left behind.
    pub(crate) fn assert_true(&self, what: &str, scene: &Scene, plan: &Plan, uploaded: &Uploaded) {
        let mut accounted = BTreeSet::new();
        for file in &uploaded.files {
            let planned = plan.objects.iter().find(|object| object.name == file.name).unwrap();
            let stored = self.object(&planned.key);
            let stored = stored.unwrap_or_else(|| panic!("{what}: {} is lost", file.name));
            if let Source::Memory(bytes) = &planned.source {
                assert!(stored == bytes[..], "{what}: {} is corrupt", file.name);
            }
            assert_eq!(file.size, stored.len() as u64, "{what}");
            accounted.insert(file.name.clone());
        }
        for name in self.names().into_iter().filter(|name| name != MARKER) {
            let planned = plan.objects.iter().find(|object| object.name == name);
            let planned = planned.unwrap_or_else(|| panic!("{what}: nobody wanted {name}"));
            // An answer that got lost leaves a file that is called missing and is whole.
            if let Source::Memory(bytes) = &planned.source {
                assert!(self.object(&name).unwrap() == bytes[..], "{what}: {name} is corrupt");
            }
        }
        for missing in &uploaded.missing {
            assert!(accounted.insert(missing.name.clone()), "{what}: {} twice", missing.name);
            let reason = &missing.reason;
            assert!(!reason.is_empty() && !reason.contains("127.0.0.1"), "{what}: {reason}");
        }
        assert_eq!(accounted.len(), plan.objects.len(), "{what}: {accounted:?}");
        assert_eq!(self.leftovers(), [""; 0], "{what}: left behind");
        let sent: u64 = uploaded.files.iter().map(|file| file.size).sum();
        assert_eq!(scene.sent() as u64, sent, "{what}: what was sent in vain is taken back");
        let shown = format!("{uploaded:?}{:?}", scene.events.lock().unwrap());
        for secret in ["the secret key", "right-secret", "token-"] {
            assert!(!shown.contains(secret), "{what}: {secret}");
        }
    }

    /// Everything is there.
    pub(crate) fn assert_whole(&self, what: &str, scene: &Scene, plan: &Plan, uploaded: &Uploaded) {
        assert!(uploaded.failure.is_none(), "{what}: {:?}", uploaded.failure);
        assert!(uploaded.missing.is_empty(), "{what}: {:?}", uploaded.missing);
        self.assert_true(what, scene, plan, uploaded);
    }
}

/// A large file, and some small ones beside it.
pub(crate) fn files() -> Plan {
    plan(vec![
        planned("large.bin", bytes(1, (PARTS - 1) * PART + 77_777)),
        planned("small.bin", bytes(2, 300_000)),
        planned("other.bin", bytes(3, 70_000)),
        planned("a+b é.bin", bytes(4, 1)),
        planned("empty.bin", Vec::new()),
    ])
}

/// What goes wrong, made of a fault that knows its place; with its name in a table.
pub(crate) type Trouble = (&'static str, fn(Fault) -> Fault);

/// A trouble, who makes the store that has it, and where it is.
pub(crate) type Case = (Trouble, fn() -> Sink, Place);

/// Every trouble of a table at every place of every store.
pub(crate) fn everywhere(troubles: &[Trouble]) -> Vec<Case> {
    troubles
        .iter()
        .flat_map(|trouble| SINKS.map(|make| (*trouble, make)))
        .flat_map(|(trouble, make)| Place::ALL.map(|place| (trouble, make, place)))
        .collect()
}

/// No stall is expected.
pub(crate) const NO_STALL: Duration = STALL_TIMEOUT;
