//! The receipt, the pages and the events say what was done, also where the world changed meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod run;

use std::fs;
use std::path::Path;
use std::time::Duration;

use notify_pr::events::{Event, Step};
use notify_pr::{Failure, Receipt, Stage};
use run::{HEAD, Run, go_on};
use serde_json::Value;
use stand_ins::{Bucket, BucketOptions, Fault, sha};

/// A run whose store takes its time, so that something can happen meanwhile.
fn run() -> Run {
    let delay = Duration::from_millis(100);
    let bucket = Bucket::start_with(BucketOptions { delay, ..BucketOptions::default() });
    Run::new(bucket, false)
}

/// Submits, and does something once when the upload has begun.
fn submit(
    run: &Run,
    settings: &[(&str, &str)],
    meanwhile: impl FnOnce(),
) -> Result<Receipt, Failure> {
    let mut meanwhile = Some(meanwhile);
    run.report(settings).submit(&mut |progress| {
        if progress.stage > Stage::Find
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
        }
        go_on(progress)
    })
}

/// What is in the bucket under the only key that ends so.
fn stored(run: &Run, end: &str) -> String {
    let keys = run.bucket.keys();
    let key = keys.iter().find(|key| key.ends_with(end)).expect(end);
    run.bucket.object(key).unwrap().text()
}

#[test]
fn receipt_and_pages_say_what_the_comment_says_of_a_head_that_moved_during_the_upload() {
    let run = run();
    let pull = run.github.repository("apache", "cloudstack").pull(run.number);
    let receipt = submit(&run, &[], || drop(pull.push(&sha("newer")))).unwrap();
    let comment = run.comment();
    assert!(comment.contains("older commit"), "{comment}");
    assert_eq!(receipt.comment_text.unwrap().trim_end(), comment.trim_end());
    assert_eq!(receipt.pull_requests[0].relation, "outdated");
    for end in ["/report.md", "/index.html"] {
        let text = stored(&run, end);
        assert!(text.contains("older commit"), "{end}: {text}");
    }
    // Nothing is stored twice where nothing moved.
    run.bucket.forget_requests();
    submit(&run, &[("context", "another")], || ()).unwrap();
    let puts = run.bucket.requests();
    let pages = puts.iter().filter(|put| put.method == "PUT" && put.path().ends_with("report.md"));
    assert_eq!(pages.count(), 1);
}

#[test]
fn a_pull_request_that_is_found_after_the_upload_only_is_named_on_the_pages_too() {
    let run = run();
    run.github.fault(Fault::on("*", "").status(503).forever());
    let receipt = submit(&run, &[("timeout", "2s")], || run.github.clear_faults()).unwrap();
    let names = [
        ("/report.md", format!("/commit/{HEAD}")),
        ("/index.html", format!("cloudstack#{}</a>", run.number)),
    ];
    assert_eq!(receipt.comment_text.unwrap().trim_end(), run.comment().trim_end());
    for (end, name) in names {
        let text = stored(&run, end);
        assert!(text.contains(&name), "{end}: {text}");
    }
}

#[test]
fn github_has_time_left_after_the_upload_where_it_answered_nothing_before() {
    let run = run();
    run.github.fault(Fault::on("*", "").stall().forever());
    let receipt = submit(&run, &[("timeout", "4s")], || run.github.clear_faults()).unwrap();
    assert_eq!(receipt.pull_requests[0].comment_action, "created");
}

#[test]
fn the_receipt_in_the_outbox_is_the_one_that_is_handed_out() {
    let run = run();
    let missing = run.logs.path().join("missing.txt");
    let settings = [("commit", &*sha("unknown")), ("summary_file", missing.to_str().unwrap())];
    run.github.fault(Fault::on("*", "").status(503).forever());
    let mut all = settings.to_vec();
    all.push(("timeout", "2s"));
    let failure = submit(&run, &all, || run.github.clear_faults()).unwrap_err();
    let receipt: Value = serde_json::from_str(&failure.receipt.to_json()).unwrap();
    let folder = failure.receipt.outbox.as_deref().expect("it is kept");
    let read = |name: &str| fs::read_to_string(Path::new(folder).join(name)).unwrap();
    let kept: Value = serde_json::from_str(&read("receipt.json")).unwrap();
    assert_eq!(kept, receipt);
    assert_eq!(kept["comment_text"].as_str().unwrap(), read("comment.md"));
    assert!(!kept["warnings"].as_array().unwrap().is_empty());
    assert!(!kept["requests"].as_object().unwrap().is_empty());
}

#[test]
fn a_step_is_reported_as_done_once_and_only_when_it_is() {
    for fails in [false, true] {
        let run = run();
        if fails {
            run.bucket.fault(Fault::on("PUT", "index.html").s3(403, "AccessDenied").forever());
        }
        let (mut published, mut commented) = (0, 0);
        let _ = run.report(&[]).submit(&mut |progress| {
            for event in &progress.news {
                match event {
                    Event::StepDone(Step::Published) => published += 1,
                    Event::StepDone(Step::Commented { .. }) => commented += 1,
                    _ => {}
                }
            }
            go_on(progress)
        });
        assert_eq!((published, commented), (usize::from(!fails), 1), "{fails}");
        assert!(!run.comment().is_empty());
    }
}
