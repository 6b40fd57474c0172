//! Whatever fails, and at whichever request of a run: the receipt and the comment say what is true.

use std::collections::BTreeSet;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use notify_pr::Status;
use notify_pr::receipt::Receipt;
use notify_pr::store::MARKER;
use percent_encoding::percent_decode_str;
use stand_ins::{Bucket, BucketOptions, Fault, Response, Swift, SwiftBulk};

use super::desk::{Desk, Shelf};

/// A kind of store, and the settings that lead through most of its requests.
struct Kind {
    name: &'static str,
    make: fn() -> Shelf,
    settings: &'static [(&'static str, &'static str)],
    /// How many requests more than without it a trouble may cost.
    more: usize,
}

/// Makes a bucket, adds a rule, and signs links.
const S3_MANAGED: Kind = Kind {
    name: "S3 that is made and given a rule",
    make: || {
        Shelf::S3(Bucket::start_with(BucketOptions {
            public: false,
            exists: false,
            lifecycle: true,
            ..BucketOptions::default()
        }))
    },
    settings: &[("store_create", "true"), ("store_lifecycle", "manage")],
    more: 3,
};

/// Public, and with an old run to be swept.
const S3_SWEPT: Kind = Kind {
    name: "S3 that is swept",
    make: || {
        let bucket = Bucket::start("logs");
        let run = "notify_pr/7d/2020-01-01/apache/cloudstack/pr-1/old/";
        let marker = r#"{"notify_pr":1,"submission":"old","expires":"2020-01-08T12:00:00Z"}"#;
        bucket.put(&format!("{run}{MARKER}"), marker.as_bytes());
        bucket.put(&format!("{run}old.log"), b"an old line\n");
        Shelf::S3(bucket)
    },
    settings: &[],
    more: 3,
};

/// Makes a public container, and takes only small objects, so that files become large ones.
const SWIFT_MADE: Kind = Kind {
    name: "Swift with large objects in a container that is made",
    make: || {
        let swift = Swift::start();
        swift.state().containers.clear();
        swift.state().public = true;
        swift.state().max_file_size = Some(40_000);
        Shelf::Swift(swift, "v3")
    },
    settings: &[("store_create", "true"), ("store_access", "public")],
    more: 3,
};

/// Far away, with a bulk middleware.
const SWIFT_FAR: Kind = Kind {
    name: "Swift with bundles",
    make: || {
        let swift = Swift::start();
        swift.state().public = true;
        swift.state().distance = Duration::from_millis(12);
        swift.state().bulk = Some(SwiftBulk::new());
        Shelf::Swift(swift, "auth/v1.0")
    },
    settings: &[],
    // What does not go together goes alone.
    more: 21,
};

const KINDS: [&Kind; 4] = [&S3_MANAGED, &S3_SWEPT, &SWIFT_MADE, &SWIFT_FAR];

type Trouble = (&'static str, fn(Fault) -> Fault);

/// What passes.
const PASSING: [Trouble; 6] = [
    ("429", |fault| fault.respond(Response::html(429).header("Retry-After", "0"))),
    ("500 after the effect", |fault| fault.html(500).after_effect()),
    ("early 503", |fault| fault.early(Response::html(503))),
    ("reset", |fault| fault.reset()),
    ("closed after the effect", |fault| fault.close().after_effect()),
    ("half an answer", |fault| fault.truncate(9)),
];

/// What a request may meet of which no second try is made, or in vain.
const LASTING: [Trouble; 4] = [
    ("403", |fault| fault.html(403)),
    ("early 403", |fault| fault.early(Response::html(403))),
    ("401", |fault| fault.html(401)),
    ("another page", |fault| fault.respond(Response::html(200))),
];

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> =
        (0..18).map(|n| (format!("small/{n:02}_ü.log"), vec![b'a' + n; 50])).collect();
    files.push(("large.log".to_owned(), b"the same line again and again\n".repeat(3_400)));
    let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 11) as u8;
    files.push(("image.bin".to_owned(), (0..90_000).map(noise).collect()));
    files
}

struct Outcome {
    status: Status,
    receipt: Receipt,
    comment: String,
    requests: usize,
}

impl Kind {
    /// So many small files are sent again at most when one that went together with them fails.
    fn together(&self) -> usize {
        if self.name.starts_with("S3") { 7 } else { 0 }
    }
}

fn run(kind: &Kind, time: &str, fault: Option<Fault>) -> (Shelf, Outcome) {
    let (shelf, desk) = ((kind.make)(), Desk::new());
    for (name, bytes) in files() {
        desk.write(&name, &bytes);
    }
    if let Some(fault) = fault {
        shelf.fault(fault);
    }
    let mut settings = vec![("jobs", "2"), ("upload_timeout", time)];
    settings.extend(kind.settings);
    let (status, receipt, comment) = desk.submit(&shelf, &settings);
    let requests = shelf.requests().len();
    (shelf, Outcome { status, receipt, comment, requests })
}

fn plain(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

/// Nothing is lost or corrupt, what is missing is named in both places, and no link is dead.
fn assert_true(what: &str, shelf: &Shelf, outcome: &Outcome) {
    let Outcome { status, receipt, comment, .. } = outcome;
    let json = receipt.to_json();
    let mut left: BTreeSet<String> = files().into_iter().map(|(name, _)| name).collect();
    for file in &receipt.files {
        let (_, bytes) = files().into_iter().find(|(name, _)| *name == file.name).unwrap();
        let stored =
            shelf.find(&file.key).unwrap_or_else(|| panic!("{what}: {} is lost", file.key));
        assert!(plain(stored) == bytes, "{what}: {} is corrupt", file.name);
        assert!(left.remove(&file.name), "{what}: {} twice", file.name);
    }
    let words = comment.replace('\\', "");
    for missing in &receipt.missing {
        let name = missing.name.clone().unwrap();
        assert!(left.remove(&name), "{what}: {name} twice: {json}");
        let told = words.contains(&missing.reason) || words.contains("more files");
        assert!(told, "{what}: {}: {comment}", missing.reason);
    }
    assert!(left.is_empty(), "{what}: nobody says a word of {left:?}");
    assert_eq!(comment.matches("<!-- notify_pr:1").count(), 1, "{what}: {comment}");
    let whole = receipt.missing.is_empty() && receipt.error.is_none();
    assert_eq!(*status == Status::Ok, whole, "{what}: {json}");
    let url = format!("{}/", shelf.public_url());
    for link in comment.split(&url).skip(1) {
        let key = link.split(['>', '?', ')', '#']).next().unwrap();
        let key = percent_decode_str(key).decode_utf8().unwrap();
        assert!(shelf.find(&key).is_some(), "{what}: the link to {key} is dead");
    }
    if let Shelf::S3(bucket) = shelf {
        assert_eq!(bucket.unfinished_uploads(), 0, "{what}");
    }
}

/// Every trouble at every request of a run of each kind, so many cases at a time.
fn everywhere(
    kinds: &[&Kind],
    troubles: &[Trouble],
    at_a_time: usize,
    check: impl Fn(&str, &Kind, &Outcome, Fault) + Sync,
) {
    for kind in kinds {
        let (shelf, good) = run(kind, "20s", None);
        assert_eq!(good.status, Status::Ok, "{}: {}", kind.name, good.receipt.to_json());
        assert_true(kind.name, &shelf, &good);
        let cases: Vec<(usize, &Trouble)> = (0..good.requests)
            .flat_map(|at| troubles.iter().map(move |trouble| (at, trouble)))
            .collect();
        let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(|| {
                    while let Some((at, (name, trouble))) = cases.get(next.fetch_add(1, Relaxed)) {
                        let what = format!("{}: {name} at request {at}", kind.name);
                        let fault = trouble(Fault::on("*", "").skip(*at));
                        let checked = AssertUnwindSafe(|| check(&what, kind, &good, fault));
                        if catch_unwind(checked).is_err() {
                            failed.fetch_add(1, Relaxed);
                        }
                    }
                });
            }
        });
        let failed = failed.load(Relaxed);
        assert_eq!(failed, 0, "{}: of {} cases so many failed", kind.name, cases.len());
    }
}

#[test]
fn what_passes_costs_a_run_nothing_at_whichever_request_it_comes() {
    everywhere(&KINDS, &PASSING, 8, |what, kind, good, fault| {
        let (shelf, outcome) = run(kind, "20s", Some(fault));
        assert_true(what, &shelf, &outcome);
        assert_eq!(outcome.status, Status::Ok, "{what}: {}", outcome.receipt.to_json());
        let links = |outcome: &Outcome| {
            let Receipt { files, page_url, .. } = &outcome.receipt;
            (files.iter().filter(|file| file.url.is_some()).count(), page_url.is_some())
        };
        assert_eq!(links(&outcome), links(good), "{what}: {}", outcome.comment);
        let most = good.requests + kind.more + kind.together();
        assert!(outcome.requests <= most, "{what}: {} requests", outcome.requests);
    });
}

#[test]
fn what_does_not_pass_is_told_as_it_is_at_whichever_request_it_comes() {
    everywhere(&KINDS, &LASTING, 8, |what, kind, good, fault| {
        let (shelf, outcome) = run(kind, "20s", Some(fault));
        assert_true(what, &shelf, &outcome);
        // What was sent of a large file is removed.
        let most = good.requests + kind.more + kind.together() + 6;
        assert!(outcome.requests <= most, "{what}: {} requests", outcome.requests);
    });
}

#[test]
fn a_store_that_ends_in_the_middle_of_a_run_is_told_as_it_was_left() {
    let ends: Trouble = ("closed", |fault| fault.close().forever());
    // They wait for the store most of the time.
    everywhere(&[&S3_SWEPT, &SWIFT_FAR], &[ends], 48, |what, kind, _, fault| {
        let (shelf, outcome) = run(kind, "2s", Some(fault));
        assert_true(what, &shelf, &outcome);
        assert_ne!(outcome.status, Status::Ok, "{what}");
    });
}
