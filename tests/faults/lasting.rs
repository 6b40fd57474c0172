//! Faults that do not pass: the file is named with the reason, everything else arrives, what
//! cannot succeed is asked once, and what might is asked within the time for uploads.

use stand_ins::{Fault, Response};

use super::sink::{NO_STALL, Place, SINKS, Sink, Trouble, each, everywhere, files};

/// What no second try can change.
const REFUSALS: &[Trouble] = &[
    ("400", |fault| fault.html(400)),
    ("401", |fault| fault.html(401)),
    ("403", |fault| fault.html(403)),
    ("early 403", |fault| fault.early(Response::html(403))),
    ("403 at byte 1", |fault| fault.early_after(1, Response::html(403))),
    ("403 at byte 100,000", |fault| fault.early_after(100_000, Response::html(403))),
    ("411", |fault| fault.html(411)),
    ("412", |fault| fault.html(412)),
    ("501", |fault| fault.html(501)),
    ("505", |fault| fault.html(505)),
];

/// What a second try might change, though here it does not.
const TROUBLES: &[Trouble] = &[
    ("408", |fault| fault.html(408)),
    ("429", |fault| fault.html(429)),
    ("498", |fault| fault.html(498)),
    ("500", |fault| fault.html(500)),
    ("502 after the effect", |fault| fault.html(502).after_effect()),
    ("503", |fault| fault.html(503)),
    ("503 for an hour", |fault| fault.retry_after(503, 3600)),
    ("504", |fault| fault.html(504)),
    ("reset", |fault| fault.reset()),
    ("reset at byte 65,536", |fault| fault.reset_after(65_536)),
    ("close", |fault| fault.close()),
    ("early 503", |fault| fault.early(Response::html(503))),
    ("500 at byte 100,000", |fault| fault.early_after(100_000, Response::html(500))),
];

/// Uploads against a fault that stays; how often its place was asked, and the reason in words.
fn lost(sink: &Sink, place: Place, what: &str, fault: Fault, time: &str) -> (usize, String) {
    sink.fault(fault.forever());
    let plan = files();
    let scene = sink.scene(&[("upload_timeout", time)], NO_STALL);
    let uploaded = scene.upload(&plan);
    sink.assert_true(what, &scene, &plan, &uploaded);
    let names: Vec<_> = uploaded.missing.iter().map(|missing| missing.name.as_str()).collect();
    let file = if place == Place::Put { "small.bin" } else { "large.bin" };
    assert_eq!(names, [file], "{what}: {:?}", uploaded.missing);
    (sink.count(place), uploaded.missing[0].reason.clone())
}

#[test]
fn what_a_store_refuses_is_named_and_asked_once() {
    each(&everywhere(REFUSALS), |((name, trouble), make, place)| {
        let sink = make();
        let is_swift = matches!(sink, Sink::Swift(_));
        if is_swift && *place == Place::Begin {
            // A cluster that tells nothing of itself is taken for a usual one.
            return;
        }
        let what = format!("{name} at {place:?} of {}", sink.name());
        let (asked, reason) = lost(&sink, *place, &what, trouble(sink.at(*place)), "60s");
        assert!(!reason.contains("ran out"), "{what}: {reason}");
        let most = match (is_swift, *name, place) {
            // A token may have ended, so it is renewed once.
            (true, "401", _) => 2,
            // A service that does not know checksums is asked once more without.
            (false, "501", Place::Put) => 2,
            _ => 1,
        };
        assert_eq!(asked, most, "{what}: {reason}");
    });
}

#[test]
fn what_fails_to_the_end_is_tried_within_the_time_for_uploads() {
    each(&everywhere(TROUBLES), |((name, trouble), make, place)| {
        let sink = make();
        let what = format!("{name} at {place:?} of {}", sink.name());
        let (asked, reason) = lost(&sink, *place, &what, trouble(sink.at(*place)), "4s");
        assert!(reason.starts_with("the time for uploads ran out"), "{what}: {reason}");
        let waits = name.contains("for an hour");
        assert!(if waits { asked == 1 } else { asked > 1 }, "{what}: {asked} times");
    });
}

#[test]
fn bytes_that_always_arrive_changed_are_given_up_and_do_not_stay() {
    let cases: Vec<_> = SINKS
        .into_iter()
        .flat_map(|make| [Place::Put, Place::Part].map(|place| (make, place)))
        .flat_map(|(make, place)| ["arrives changed", "has another ETag"].map(|n| (make, place, n)))
        .collect();
    each(&cases, |(make, place, name)| {
        let sink = make();
        if matches!(sink, Sink::S3(_)) && *place == Place::Put && name.contains("ETag") {
            // What S3 calls an object is not always its MD5, and nothing depends on it.
            return;
        }
        let what = format!("{place:?} of {} {name}", sink.name());
        let fault = match *name {
            "arrives changed" => sink.at(*place).corrupt(1000),
            _ => sink.at(*place).header("ETag", "\"0123456789abcdef0123456789abcdef\""),
        };
        let (asked, reason) = lost(&sink, *place, &what, fault, "60s");
        assert_eq!(asked, 3, "{what}");
        assert!(
            ["not what was sent", "other bytes than were sent"]
                .iter()
                .any(|words| reason.contains(words)),
            "{what}: {reason}"
        );
        let file = if *place == Place::Put { "small.bin" } else { "large.bin" };
        assert!(!sink.names().contains(file), "{what}: bytes that nobody vouches for stay");
    });
}
