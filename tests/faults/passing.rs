//! Faults that pass: whatever it is and wherever it comes, everything arrives, and nothing is sent
//! again but what failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use notify_pr::events::Event;
use stand_ins::{Fault, Request, Response};

use super::sink::{NO_STALL, PARTS, Place, SINKS, Sink, each, files};

/// What goes wrong.
type Trouble = fn(Fault) -> Fault;

fn refused(status: u16) -> Response {
    Response::html(status).header("Retry-After", "0")
}

/// What a store does when it is in trouble itself.
const PASSING: &[(&str, Trouble)] = &[
    ("408", |fault| fault.respond(refused(408))),
    ("429", |fault| fault.retry_after(429, 1)),
    ("498", |fault| fault.respond(refused(498))),
    ("500", |fault| fault.html(500)),
    ("500 after the effect", |fault| fault.html(500).after_effect()),
    ("502", |fault| fault.html(502)),
    ("503", |fault| fault.respond(refused(503))),
    ("503 after the effect", |fault| fault.html(503).after_effect()),
    ("504 after the effect", |fault| fault.html(504).after_effect()),
    ("three times 503", |fault| fault.html(503).times(3)),
    ("reset", |fault| fault.reset()),
    ("reset after the effect", |fault| fault.reset().after_effect()),
    ("reset at byte 1", |fault| fault.reset_after(1)),
    ("reset at byte 65,536", |fault| fault.reset_after(65_536)),
    ("reset at byte 200,000", |fault| fault.reset_after(200_000)),
    ("close", |fault| fault.close()),
    ("close after the effect", |fault| fault.close().after_effect()),
    ("early 503", |fault| fault.early(refused(503))),
    ("503 at byte 100,000", |fault| fault.early_after(100_000, refused(503))),
    ("500 at byte 1", |fault| fault.early_after(1, Response::html(500))),
    ("another ETag", |fault| fault.header("ETag", "\"0123456789abcdef0123456789abcdef\"")),
];

fn survives(make: fn() -> Sink, place: Place, name: &str, trouble: Trouble) {
    let sink = make();
    let what = format!("{name} at {place:?} of {}", sink.name());
    sink.fault(trouble(sink.at(place)));
    let plan = files();
    let scene = sink.scene(&[], NO_STALL);
    let uploaded = scene.upload(&plan);
    sink.assert_whole(&what, &scene, &plan, &uploaded);
    // Nothing is sent a second time but what failed.
    let failed = if name.contains("three times") { 3 } else { 1 };
    let again = sink.count(place);
    assert!((1..=1 + failed).contains(&again), "{what}: {again} times");
    let parts = sink.requests().iter().filter(|request| is_part(request)).count();
    let whole_again = name.contains("ETag") && place == Place::Part;
    let most = if whole_again { 2 * PARTS } else { PARTS + failed };
    assert!(parts <= most, "{what}: {parts} parts");
}

/// What was sent in vain is removed under the same addresses.
fn is_part(request: &Request) -> bool {
    let target = &request.target;
    request.method == "PUT" && (target.contains("partNumber=") || target.contains("-segments/0"))
}

fn survive_everywhere(make: fn() -> Sink) {
    let cases: Vec<_> = PASSING
        .iter()
        .flat_map(|(name, trouble)| Place::ALL.map(|place| (place, *name, *trouble)))
        .collect();
    each(&cases, |(place, name, trouble)| survives(make, *place, name, *trouble));
}

#[test]
fn s3_that_fails_for_a_while_loses_nothing() {
    survive_everywhere(Sink::s3);
}

#[test]
fn swift_that_fails_for_a_while_loses_nothing() {
    survive_everywhere(Sink::swift);
}

#[test]
fn a_byte_that_changes_on_the_way_is_sent_again() {
    let cases: Vec<_> = SINKS
        .into_iter()
        .flat_map(|make| [Place::Put, Place::Part].map(|place| (make, place)))
        .flat_map(|(make, place)| [0, 131_072, 299_999].map(|at| (make, place, at)))
        .collect();
    each(&cases, |(make, place, at)| {
        let sink = make();
        let what = format!("byte {at} of {place:?} of {}", sink.name());
        sink.fault(sink.at(*place).corrupt(*at));
        let plan = files();
        let scene = sink.scene(&[], NO_STALL);
        let uploaded = scene.upload(&plan);
        sink.assert_whole(&what, &scene, &plan, &uploaded);
        assert_eq!(sink.count(*place), 2, "{what}");
    });
}

#[test]
fn a_clock_that_jumps_in_the_middle_costs_s3_one_answer_and_a_session_token_goes_along() {
    for hours in [-3, 3] {
        let sink = Arc::new(Sink::s3());
        let scene = sink.scene(
            &[("jobs", "1"), ("store_session_token", "example-session"), ("store_create", "false")],
            NO_STALL,
        );
        let (jumping, sent) = (Arc::clone(&sink), AtomicU64::new(0));
        scene.submission.events.add_reader(move |event: &Event| {
            if let (Event::Sent(bytes), Sink::S3(bucket)) = (event, &*jumping)
                && sent.fetch_add(*bytes, Relaxed) > 1 << 20
            {
                bucket.set_clock_ahead(hours * 3600);
            }
        });
        let plan = files();
        let uploaded = scene.upload(&plan);
        let what = format!("{hours} hours");
        sink.assert_whole(&what, &scene, &plan, &uploaded);
        let requests = sink.requests();
        let parts = requests.iter().filter(|request| is_part(request)).count();
        assert_eq!(parts, PARTS + 1, "{what}: learnt once");
        assert_eq!(sink.count(Place::Put), 1, "{what}");
        for request in requests {
            assert_eq!(request.header("x-amz-security-token"), Some("example-session"));
            let signed = request.header("authorization").unwrap_or_default();
            assert!(signed.contains("x-amz-security-token"), "{signed}");
        }
    }
}
