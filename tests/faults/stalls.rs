//! Stores that fall silent, and users who do not want to wait: a stall ends within its setting and
//! is tried again, and a cancel ends everything at any moment.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use notify_pr::events::Event;
use notify_pr::plan::Plan;
use notify_pr::status::Status;
use notify_pr::upload::Uploaded;

use super::sink::{NO_STALL, Place, SINKS, Sink, Trouble, each, everywhere, files};
use crate::scene::{Scene, bytes, plan, planned};

/// How long these tests wait for a store that says nothing.
pub(super) const STALL: Duration = Duration::from_secs(1);

/// Ways to fall silent; each lasts until the end of the store.
const SILENCES: &[Trouble] = &[
    ("no answer", |fault| fault.stall()),
    ("no answer after the effect", |fault| fault.stall().after_effect()),
    ("nothing read", |fault| fault.stop_after(0)),
    ("nothing read after byte 100,000", |fault| fault.stop_after(100_000)),
    ("half an answer", |fault| fault.stall_in_body(20)),
];

/// The plainest of them.
const SILENT: &[Trouble] = &[("no answer", |fault| fault.stall())];

#[test]
fn a_stall_ends_and_what_stalled_is_sent_again() {
    each(&everywhere(SILENCES), |((name, silence), make, place)| {
        let sink = make();
        let what = format!("{name} at {place:?} of {}", sink.name());
        sink.fault(silence(sink.at(*place)));
        let plan = files();
        let scene = sink.scene(&[], STALL);
        let uploaded = scene.upload(&plan);
        sink.assert_whole(&what, &scene, &plan, &uploaded);
        assert!((1..=2).contains(&sink.count(*place)), "{what}: {}", sink.count(*place));
    });
}

#[test]
fn a_store_that_stops_reading_a_file_larger_than_all_buffers_does_not_hold_the_upload() {
    for make in SINKS {
        let sink = make();
        sink.fault(sink.at(Place::Put).stop_after(0));
        // What fits into the buffers on the way is soon sent; the rest is not.
        let plan = plan(vec![planned("small.bin", bytes(5, 32 << 20))]);
        let scene = sink.plain_scene(&[], STALL);
        let uploaded = scene.upload(&plan);
        sink.assert_whole(sink.name(), &scene, &plan, &uploaded);
        assert_eq!(sink.count(Place::Put), 2);
    }
}

#[test]
fn a_store_that_is_silent_for_good_takes_no_more_than_the_time_for_uploads() {
    each(&everywhere(SILENT), |((_, silence), make, place)| {
        let sink = make();
        let what = format!("{place:?} of {}", sink.name());
        sink.fault(silence(sink.at(*place)).forever());
        let plan = files();
        let scene = sink.scene(&[("upload_timeout", "4s")], STALL);
        let uploaded = scene.upload(&plan);
        sink.assert_true(&what, &scene, &plan, &uploaded);
        assert_eq!(uploaded.missing.len(), 1, "{what}: {:?}", uploaded.missing);
        let reason = &uploaded.missing[0].reason;
        assert!(reason.starts_with("the time for uploads ran out"), "{what}: {reason}");
        assert!(sink.count(*place) > 1, "{what}");
    });
}

#[test]
fn a_stall_does_not_outlast_the_time_for_uploads() {
    each(&everywhere(SILENT), |((_, silence), make, place)| {
        let sink = make();
        let what = format!("{place:?} of {}", sink.name());
        sink.fault(silence(sink.at(*place)).forever());
        let plan = files();
        let scene = sink.scene(&[("upload_timeout", "2s")], NO_STALL);
        let began = Instant::now();
        let uploaded = scene.upload(&plan);
        assert!(began.elapsed() < NO_STALL / 3, "{what}: it waited for {:?}", began.elapsed());
        sink.assert_true(&what, &scene, &plan, &uploaded);
        assert_eq!(uploaded.missing.len(), 1, "{what}: {:?}", uploaded.missing);
    });
}

/// Uploads until `moment` is true, and cancels then as the library does.
pub(super) fn cancelled(scene: &Scene, plan: &Plan, moment: impl Fn() -> bool + Sync) -> Uploaded {
    std::thread::scope(|scope| {
        let uploading = scope.spawn(|| scene.upload(plan));
        while !moment() && !uploading.is_finished() {
            std::thread::sleep(Duration::from_millis(2));
        }
        scene.submission.cancel.cancel();
        scene.submission.agents.store.shut_down();
        uploading.join().unwrap()
    })
}

#[test]
fn a_cancel_while_a_store_is_silent_ends_the_upload_and_leaves_no_parts() {
    each(&everywhere(SILENT), |((_, silence), make, place)| {
        let sink = make();
        let what = format!("{place:?} of {}", sink.name());
        sink.fault(silence(sink.at(*place)).forever());
        let plan = files();
        // Nothing but the cancel ends this wait.
        let scene = sink.scene(&[], NO_STALL);
        let uploaded = cancelled(&scene, &plan, || sink.count(*place) > 0);
        sink.assert_true(&what, &scene, &plan, &uploaded);
        assert_eq!(uploaded.failure.as_ref().unwrap().status(), Status::Cancelled, "{what}");
        let reasons: Vec<_> = uploaded.missing.iter().map(|missing| &missing.reason).collect();
        assert!(!reasons.is_empty(), "{what}");
        assert!(reasons.iter().all(|reason| reason.contains("was cancelled")), "{reasons:?}");
    });
}

#[test]
fn a_cancel_at_any_moment_leaves_nothing_half_done() {
    let cases: Vec<(fn() -> Sink, u64)> =
        SINKS.into_iter().flat_map(|make| (0..24).map(move |n| (make, n * 160_000))).collect();
    each(&cases, |(make, moment)| {
        let sink = make();
        let what = format!("{} after {moment} bytes", sink.name());
        let plan = files();
        let scene = sink.scene(&[("jobs", "3")], NO_STALL);
        let sent = std::sync::Arc::new(AtomicU64::new(0));
        let counted = std::sync::Arc::clone(&sent);
        scene.submission.events.add_reader(move |event: &Event| {
            if let Event::Sent(bytes) = event {
                counted.fetch_add(*bytes, Relaxed);
            }
        });
        let uploaded = cancelled(&scene, &plan, || sent.load(Relaxed) > *moment);
        sink.assert_true(&what, &scene, &plan, &uploaded);
        if !uploaded.missing.is_empty() {
            assert_eq!(uploaded.failure.as_ref().unwrap().status(), Status::Cancelled, "{what}");
        }
    });
}

#[test]
fn a_part_that_arrives_while_its_file_is_given_up_does_not_stay() {
    for make in SINKS {
        let sink = make();
        sink.fault(sink.at(Place::Part).late(Duration::from_millis(100)));
        let plan = files();
        let scene = sink.scene(&[], NO_STALL);
        let uploaded = cancelled(&scene, &plan, || sink.count(Place::Part) > 0);
        // By then it has arrived.
        std::thread::sleep(Duration::from_millis(300));
        sink.assert_true(sink.name(), &scene, &plan, &uploaded);
        assert!(uploaded.missing.iter().any(|missing| missing.name == "large.bin"));
    }
}
