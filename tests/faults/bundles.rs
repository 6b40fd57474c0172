//! Bundles of small files: whatever goes wrong with one, where its files are looked for or where
//! their end is, each file arrives all the same, whole and once.

use std::time::Duration;

use notify_pr::plan::Plan;
use notify_pr::status::Status;
use notify_pr::store::MARKER;
use serde_json::{Value, json};
use stand_ins::{Fault, Request, Response, Swift, SwiftBulk};

use super::sink::{NO_STALL, Sink, Trouble, each, files};
use super::stalls::{STALL, cancelled};
use crate::scene::{FOLDER, bytes, planned};

/// The requests that bundles are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The archive itself.
    Archive,
    /// Where its members are looked for.
    Listing,
    /// Where the end of one is looked at.
    End,
}

impl Place {
    const ALL: [Place; 3] = [Place::Archive, Place::Listing, Place::End];

    fn request(self) -> (&'static str, &'static str) {
        match self {
            Place::Archive => ("PUT", "extract-archive"),
            Place::Listing => ("GET", "end_marker"),
            Place::End => ("HEAD", "/ci/"),
        }
    }

    fn fault(self) -> Fault {
        let (method, path) = self.request();
        Fault::on(method, path)
    }

    fn sees(self, request: &Request) -> bool {
        let (method, path) = self.request();
        request.method == method && request.target.contains(path)
    }

    fn count(self, sink: &Sink) -> usize {
        sink.requests().iter().filter(|request| self.sees(request)).count()
    }
}

/// A cluster that is far away, with a bulk middleware.
pub(super) fn far() -> Sink {
    let swift = Swift::start();
    swift.state().distance = Duration::from_millis(12);
    swift.state().bulk = Some(SwiftBulk::new());
    Sink::Swift(swift)
}

/// Many small files, and some that go alone.
fn run() -> Plan {
    let mut plan = files();
    let small = |n: usize| planned(&format!("small/{n:02} ü.bin"), bytes(n, n * 37));
    plan.objects.extend((0..60).map(small));
    plan
}

/// Uploads what a store in trouble gets in bundles; all of it must arrive. Returns how many
/// archives came.
fn survives(what: &str, sink: &Sink, stall: Duration) -> usize {
    let plan = run();
    let scene = sink.plain_scene(&[("jobs", "2")], stall);
    let uploaded = scene.upload(&plan);
    sink.assert_whole(what, &scene, &plan, &uploaded);
    assert_eq!(sink.names().len(), plan.objects.len() + 1, "{what}: {MARKER} and the files");
    Place::Archive.count(sink)
}

const TROUBLES: &[Trouble] = &[
    ("400", |fault| fault.html(400)),
    ("401", |fault| fault.html(401)),
    ("403", |fault| fault.html(403)),
    ("404", |fault| fault.html(404)),
    ("408", |fault| fault.html(408)),
    ("429", |fault| fault.retry_after(429, 1)),
    ("498", |fault| fault.html(498)),
    ("500", |fault| fault.html(500)),
    ("500 after the effect", |fault| fault.html(500).after_effect()),
    ("503", |fault| fault.html(503)),
    ("503 for an hour", |fault| fault.retry_after(503, 3600)),
    ("503 after the effect", |fault| fault.html(503).after_effect()),
    ("reset", |fault| fault.reset()),
    ("reset after the effect", |fault| fault.reset().after_effect()),
    ("reset at byte 1", |fault| fault.reset_after(1)),
    ("reset at byte 1,000", |fault| fault.reset_after(1_000)),
    ("close", |fault| fault.close()),
    ("half an answer", |fault| fault.truncate(20)),
    ("early 503", |fault| fault.early(Response::html(503))),
    ("503 at byte 500", |fault| fault.early_after(500, Response::html(503))),
    ("another byte", |fault| fault.corrupt(700)),
    ("no answer at all", |fault| fault.respond(Response::new(200))),
    ("something else", |fault| fault.respond(Response::html(200))),
];

fn everywhere() -> Vec<(Trouble, Place)> {
    TROUBLES.iter().flat_map(|trouble| Place::ALL.map(|place| (*trouble, place))).collect()
}

#[test]
fn a_bundle_that_fails_once_loses_nothing() {
    each(&everywhere(), |((name, trouble), place)| {
        let sink = far();
        sink.fault(trouble(place.fault()));
        let what = format!("{name} at {place:?}");
        let archives = survives(&what, &sink, NO_STALL);
        assert!(archives > 0, "{what}");
    });
}

#[test]
fn bundles_that_always_fail_lose_nothing_and_end_soon() {
    each(&everywhere(), |((name, trouble), place)| {
        let sink = far();
        sink.fault(trouble(place.fault().forever()));
        let what = format!("{name} at {place:?}");
        let archives = survives(&what, &sink, NO_STALL);
        let most = match (*name, place) {
            // A token may have ended, so it is renewed once.
            ("401", Place::Archive) => 2,
            // What is asked without a body is not met by what comes in the middle of one.
            (name, Place::Listing | Place::End) if name.contains("byte") => usize::MAX,
            // Nor has an answer to HEAD a body.
            ("half an answer" | "no answer at all" | "something else", Place::End) => usize::MAX,
            _ => 3,
        };
        assert!((1..=most).contains(&archives), "{what}: {archives} archives");
    });
}

#[test]
fn a_bundle_that_stalls_goes_file_by_file() {
    let silences: [Trouble; 4] = [
        ("no answer", |fault| fault.stall()),
        ("no answer after the effect", |fault| fault.stall().after_effect()),
        ("nothing read", |fault| fault.stop_after(0)),
        ("half an answer", |fault| fault.stall_in_body(2)),
    ];
    let cases: Vec<_> = silences
        .iter()
        .flat_map(|silence| Place::ALL.map(|place| (*silence, place)))
        .flat_map(|(silence, place)| [false, true].map(|lasts| (silence, place, lasts)))
        .collect();
    each(&cases, |((name, silence), place, lasts)| {
        let sink = far();
        let fault = silence(place.fault());
        sink.fault(if *lasts { fault.forever() } else { fault });
        survives(&format!("{name} at {place:?}, lasts: {lasts}"), &sink, STALL);
    });
}

/// A listing in which every small file stands as `row` has it.
fn listing(row: impl Fn(usize, &str, &[u8]) -> Option<Value>) -> Response {
    let plan = run();
    let rows = plan.objects.iter().enumerate().filter_map(|(n, object)| {
        let notify_pr::content::Source::Memory(bytes) = &object.source else { return None };
        row(n, &format!("{FOLDER}{}", object.key), bytes)
    });
    Response::json(200, &Value::Array(rows.collect()))
}

#[test]
fn a_listing_that_is_behind_or_differs_proves_nothing() {
    let row = |name: &str, bytes: &[u8], hash: &str, kind: &str| {
        Some(json!({ "name": name, "bytes": bytes.len(), "hash": hash, "content_type": kind }))
    };
    const KIND: &str = "application/octet-stream";
    const OTHER: &str = "0123456789abcdef0123456789abcdef";
    let cases = [
        ("it is empty", listing(|_, _, _| None)),
        ("another MD5", listing(|_, name, bytes| row(name, bytes, OTHER, KIND))),
        ("no MD5", listing(|_, name, bytes| row(name, bytes, "", KIND))),
        ("another size", listing(|_, name, bytes| row(name, &[bytes, b"x"].concat(), OTHER, KIND))),
        ("others", listing(|n, _, bytes| row(&format!("other/{n}"), bytes, OTHER, KIND))),
    ];
    each(&cases, |(what, answer)| {
        let sink = far();
        sink.fault(Place::Listing.fault().respond(answer.clone()).forever());
        assert_eq!(survives(what, &sink, NO_STALL), 3, "{what}: none is believed");
        // What nothing vouched for went alone.
        let alone = sink.requests();
        let alone = alone
            .iter()
            .filter(|request| request.method == "PUT" && request.target.contains("/small/"));
        assert_eq!(alone.count(), 60, "{what}");
    });
}

#[test]
fn a_cancel_at_any_place_of_a_bundle_leaves_whole_files_or_none() {
    each(&Place::ALL, |place| {
        let sink = far();
        sink.fault(place.fault().stall().after_effect().forever());
        let (plan, what) = (run(), format!("{place:?}"));
        let scene = sink.plain_scene(&[("jobs", "2")], NO_STALL);
        let uploaded = cancelled(&scene, &plan, || place.count(&sink) > 0);
        sink.assert_true(&what, &scene, &plan, &uploaded);
        assert_eq!(uploaded.failure.as_ref().unwrap().status(), Status::Cancelled, "{what}");
        assert!(!uploaded.missing.is_empty(), "{what}");
    });
}
