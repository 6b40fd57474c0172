//! What everybody can read of a private repository: nothing, whatever GitHub says and when.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod run;

use std::time::Duration;

use notify_pr::{Failure, Receipt, Stage, Status};
use run::{Run, go_on};
use stand_ins::{Bucket, BucketOptions, Fault, sha};

/// A run whose bucket everybody can read, and in no hurry, so that somebody can look on.
fn run(private: bool) -> Run {
    let delay = Duration::from_millis(100);
    let bucket = Bucket::start_with(BucketOptions { delay, ..BucketOptions::default() });
    Run::new(bucket, private)
}

/// Submits while GitHub is not to be reached until the upload begins.
fn submit_late(run: &Run, more: &[(&str, &str)]) -> Result<Receipt, Failure> {
    run.github.fault(Fault::on("GET", "").status(503).forever());
    run.github.fault(Fault::on("POST", "").status(503).forever());
    let mut settings = vec![("timeout", "2s")];
    settings.extend(more);
    run.report(&settings).submit(&mut |progress| {
        if progress.stage > Stage::Find {
            run.github.clear_faults();
        }
        go_on(progress)
    })
}

fn receipt(ended: &Result<Receipt, Failure>) -> &Receipt {
    match ended {
        Ok(receipt) => receipt,
        Err(failure) => &failure.receipt,
    }
}

#[test]
fn what_was_public_before_github_said_that_it_is_private_is_taken_back() {
    for (private, access, kept) in
        [(true, "auto", false), (true, "public", true), (false, "auto", true)]
    {
        let run = run(private);
        let ended = submit_late(&run, &[("store_access", access)]);
        let comment = run.comment();
        assert_eq!(ended.is_ok(), kept, "{private} {access}: {comment}");
        assert_eq!(run.bucket.keys().is_empty(), !kept, "{:?}", run.bucket.keys());
        assert_eq!(receipt(&ended).page_url.is_some(), kept);
        assert_eq!(comment.contains("/secret.log"), kept, "{comment}");
        assert!(comment.contains("secret.log"), "{comment}");
        if !kept {
            assert!(comment.contains("everybody can read what is stored here"), "{comment}");
            assert!(!comment.contains(&run.bucket.url()), "{comment}");
        }
    }
}

#[test]
fn files_of_a_private_repository_stay_private_without_a_pull_request_too() {
    let nightly = sha("nightly");
    for settings in [
        [("commit", nightly.as_str()), ("on_no_pull_request", "ignore")],
        [("commit", nightly.as_str()), ("pull_request", "none")],
    ] {
        for private in [true, false] {
            let run = run(private);
            let ended = run.report(&settings).submit(&mut go_on);
            let expected = if private { Status::StoreRefused } else { Status::Ok };
            assert_eq!(receipt(&ended).status(), expected, "{settings:?}");
            assert_eq!(run.bucket.keys().is_empty(), private, "{:?}", run.bucket.keys());
            let puts = run.bucket.requests().iter().filter(|each| each.method == "PUT").count();
            assert_eq!(puts == 1, private, "only the marker was there, for a moment: {puts}");
        }
    }
}

#[test]
fn whatever_github_says_at_last_what_is_private_is_taken_back() {
    let nightly = sha("nightly");
    let commit = ("commit", nightly.as_str());
    let foreign = ("token", "foreign-token");
    type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], Status);
    let rows: [Row<'_>; 5] = [
        ("no pull request", &[commit], Status::NoPullRequest),
        (
            "none, and it is ignored",
            &[commit, ("on_no_pull_request", "ignore")],
            Status::StoreRefused,
        ),
        ("none is wanted", &[commit, ("pull_request", "none")], Status::StoreRefused),
        ("404", &[foreign], Status::GithubRefused),
        ("404, and none is wanted", &[foreign, ("pull_request", "none")], Status::StoreRefused),
    ];
    let check = |(what, settings, expected): Row<'_>| {
        let run = run(true);
        run.github.token("foreign-token").login("stranger").scopes(&["repo"]);
        let ended = submit_late(&run, settings);
        let receipt = receipt(&ended);
        assert_eq!(receipt.status(), expected, "{what}: {:?}", receipt.error);
        let puts = run.bucket.requests().iter().filter(|each| each.method == "PUT").count();
        assert!(puts > 1, "{what}: the upload went on");
        assert!(run.bucket.keys().is_empty(), "{what}: {:?}", run.bucket.keys());
        let text = receipt.comment_text.as_deref().unwrap();
        assert!(text.contains("secret.log"), "{what}: {text}");
        assert!(!text.contains(&run.bucket.url()), "{what}: a dead link: {text}");
    };
    // Side by side, for each of them waits for GitHub.
    std::thread::scope(|scope| {
        for row in rows {
            scope.spawn(move || check(row));
        }
    });
}

#[test]
fn what_is_public_stays_where_github_says_nothing_and_a_warning_names_the_folder() {
    for settings in [&[][..], &[("pull_request", "none")]] {
        let run = run(true);
        run.github.fault(Fault::on("*", "").status(503).forever());
        let mut settings = settings.to_vec();
        settings.push(("timeout", "1s"));
        let ended = run.report(&settings).submit(&mut go_on);
        let receipt = receipt(&ended);
        let folder = receipt.files[0].key.trim_end_matches("secret.log");
        let told = receipt.warnings.iter().find(|each| each.reason.contains("GitHub never said"));
        assert!(told.unwrap().reason.contains(folder), "{:?}", receipt.warnings);
        assert!(!run.bucket.keys().is_empty());
    }
}

#[test]
fn that_no_pull_request_is_found_may_be_ignored_after_the_upload_too() {
    let run = run(false);
    let commit = sha("nightly");
    let settings = [("commit", commit.as_str()), ("on_no_pull_request", "ignore")];
    let receipt = submit_late(&run, &settings).unwrap();
    assert!(receipt.page_url.is_some() && receipt.outbox.is_none());
    let told = |words: &str| receipt.warnings.iter().any(|each| each.reason.contains(words));
    assert!(told("no pull request of apache/cloudstack"), "{:?}", receipt.warnings);
}
