//! The upload against a store that fails: nothing is lost, nothing is corrupt, what is missing is
//! named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod scene;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify_pr::content::Source;
use notify_pr::events::Event;
use notify_pr::http::STALL_TIMEOUT;
use notify_pr::links;
use notify_pr::plan::{Plan, Planned};
use notify_pr::status::Status;
use notify_pr::store::{self, Access, MARKER, Marker, StoreError};
use notify_pr::upload::{Uploaded, put_page};
use scene::{Around, FOLDER, Scene, bytes, plan, planned};
use stand_ins::{Bucket, BucketOptions, Fault, FileServer, Response};
use tempfile::TempDir;

/// Forty objects of up to 2 MiB, in the order of their names.
fn forty() -> Plan {
    plan(
        (0..40)
            .map(|n| planned(&format!("{n:02} a+b.log"), bytes(n, n * n * 1300 + n % 2)))
            .collect(),
    )
}

fn assert_whole(bucket: &Bucket, plan: &Plan, uploaded: &Uploaded) {
    assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    let names: Vec<_> = uploaded.files.iter().map(|file| file.name.as_str()).collect();
    let expected: Vec<_> = plan.objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, expected, "in the order of the plan");
    for (object, file) in plan.objects.iter().zip(&uploaded.files) {
        let Source::Memory(bytes) = &object.source else { continue };
        let stored = bucket.object(&file.key).unwrap_or_else(|| panic!("{} is lost", file.key));
        assert!(stored.bytes[..] == bytes[..], "{} is corrupt", file.key);
        assert_eq!(stored.header("content-type"), Some(&*file.content_type));
        assert_eq!(file.size, bytes.len() as u64);
    }
}

#[test]
fn everything_arrives_with_one_request_each_and_the_marker_first() {
    let bucket = Bucket::start("logs");
    let scene = Scene::s3(&bucket, &[("jobs", "8")]);
    let plan = forty();
    let uploaded = scene.upload(&plan);
    assert_whole(&bucket, &plan, &uploaded);
    let requests = bucket.requests();
    let puts = requests.iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, 41);
    assert_eq!(requests.len(), 43, "the rules of expiry and the oldest runs are looked at, too");
    assert!(requests[0].decoded_path().ends_with(MARKER));
    let marker = bucket.object(&format!("{FOLDER}{MARKER}")).unwrap();
    let marker: Marker = serde_json::from_slice(&marker.bytes).unwrap();
    assert_eq!(marker.submission, scene.submission.id);
    assert_eq!(marker.expires, scene.submission.started + time::Duration::days(7));
    let connections: BTreeSet<u64> = requests.iter().map(|request| request.connection).collect();
    assert!(connections.len() <= 9, "connections are kept: {}", connections.len());
    assert_eq!(scene.sent() as u64, plan.bytes());
    assert_eq!(scene.steps().len(), 41, "every effect is a step");
}

#[test]
fn every_passing_fault_is_survived() {
    let early = Response::new(503).header("Retry-After", "0");
    for (name, fault) in [
        ("500", Fault::on("PUT", ".log").s3(500, "InternalError").times(6)),
        ("503", Fault::on("PUT", ".log").s3(503, "SlowDown").times(6)),
        ("429", Fault::on("PUT", ".log").retry_after(429, 1).times(3)),
        ("html", Fault::on("PUT", ".log").html(502).times(3)),
        ("after", Fault::on("PUT", ".log").html(504).after_effect().times(3)),
        ("reset", Fault::on("PUT", ".log").reset().times(3)),
        ("reset at byte n", Fault::on("PUT", ".log").reset_after(70_000).times(4)),
        ("close", Fault::on("PUT", ".log").close().times(3)),
        ("early", Fault::on("PUT", ".log").early(early).times(3)),
        ("stall", Fault::on("PUT", ".log").stall().times(2)),
        ("digest", Fault::on("PUT", ".log").s3(400, "BadDigest").times(2)),
        ("timeout", Fault::on("PUT", ".log").s3(400, "RequestTimeout").times(3)),
        ("marker", Fault::on("PUT", "run.json").s3(503, "SlowDown").times(2)),
    ] {
        let bucket = Bucket::start("logs");
        bucket.fault(fault);
        // A stall is waited for no longer than a test can.
        let stall = if name == "stall" { Duration::from_secs(3) } else { STALL_TIMEOUT };
        let scene = Scene::with_stall(&Scene::settings(&bucket.url(), &[]), stall);
        let plan = forty();
        let uploaded = scene.upload(&plan);
        assert_whole(&bucket, &plan, &uploaded);
        assert_eq!(
            scene.sent() as u64,
            plan.bytes(),
            "{name}: what was sent in vain is taken back"
        );
    }
}

#[test]
fn one_bad_object_is_named_and_the_rest_arrives() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "/07").s3(403, "AccessDenied").forever());
    let scene = Scene::s3(&bucket, &[]);
    let uploaded = scene.upload(&forty());
    assert!(uploaded.failure.is_none());
    assert_eq!(uploaded.files.len(), 39);
    assert_eq!(uploaded.missing.len(), 1);
    assert_eq!(uploaded.missing[0].name, "07 a+b.log");
    let reason = &uploaded.missing[0].reason;
    assert!(
        reason.contains("may not write into the bucket") && !reason.contains("http"),
        "{reason}"
    );
    assert!(
        scene.events.lock().unwrap().iter().any(|event| matches!(event, Event::Missing { .. }))
    );
}

#[test]
fn a_store_that_refuses_is_found_out_with_one_request() {
    for (code, words) in [
        ("InvalidAccessKeyId", "store_identity"),
        ("SignatureDoesNotMatch", "store_secret"),
        ("AccessDenied", "s3:PutObject"),
    ] {
        let bucket = Bucket::start("logs");
        bucket.fault(Fault::on("PUT", "").s3(403, code).forever());
        let scene = Scene::s3(&bucket, &[]);
        let plan = forty();
        let uploaded = scene.upload(&plan);
        let failure = uploaded.failure.unwrap();
        assert_eq!(failure.status(), Status::StoreRefused);
        assert!(failure.to_string().contains(words), "{failure}");
        assert!(!failure.to_string().contains("the secret key"), "{failure}");
        assert_eq!(uploaded.missing.len(), plan.objects.len());
        assert_eq!(bucket.requests().len(), 1);
    }
}

#[test]
fn a_store_that_is_not_there_is_unreachable() {
    let bucket = Bucket::start("logs");
    let scene = Scene::s3(&bucket, &[("upload_timeout", "5s")]);
    drop(bucket);
    let uploaded = scene.upload(&forty());
    assert_eq!(uploaded.failure.unwrap().status(), Status::StoreUnreachable);
    assert_eq!(uploaded.missing.len(), 40);
}

#[test]
fn rights_that_end_half_way_are_not_asked_for_ten_thousand_times() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").skip(10).s3(400, "ExpiredToken").forever());
    let scene = Scene::s3(&bucket, &[("jobs", "4")]);
    let plan = plan((0..500).map(|n| planned(&format!("{n:03}.log"), bytes(n, 100))).collect());
    let uploaded = scene.upload(&plan);
    let failure = uploaded.failure.unwrap();
    assert!(failure.to_string().contains("temporary credentials"), "{failure}");
    assert_eq!(uploaded.files.len(), 10);
    assert_eq!(uploaded.missing.len(), 490);
    // Four workers had sent eight each, one behind the other, when they heard of it.
    assert!(bucket.requests().len() < 90, "{}", bucket.requests().len());
}

#[test]
fn the_time_for_uploads_is_a_limit_and_the_rest_is_named() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").skip(1).retry_after(503, 3600).forever());
    let scene = Scene::s3(&bucket, &[("jobs", "1"), ("upload_timeout", "20s")]);
    let began = Instant::now();
    let plan = plan((0..5).map(|n| planned(&format!("{n:03}.log"), bytes(n, 100))).collect());
    let uploaded = scene.upload(&plan);
    assert!(began.elapsed() < Duration::from_secs(100));
    assert_eq!((uploaded.files.len(), uploaded.missing.len()), (1, 4));
    assert!(uploaded.missing[0].reason.starts_with("the time for uploads ran out"));
}

#[test]
fn a_cancel_ends_uploads_at_any_moment() {
    let stall = || Fault::on("PUT", ".log").stall().forever();
    let wait = || Fault::on("PUT", ".log").retry_after(503, 600).forever();
    for fault in [stall(), wait()] {
        let bucket = Bucket::start("logs");
        bucket.fault(fault);
        let scene = Scene::s3(&bucket, &[]);
        let began = Instant::now();
        let uploaded = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                scene.submission.cancel.cancel();
                scene.submission.agents.store.shut_down();
            });
            scene.upload(&forty())
        });
        assert!(began.elapsed() < Duration::from_millis(300) + Duration::from_secs(5));
        assert_eq!(uploaded.failure.unwrap().status(), Status::Cancelled);
        assert_eq!(uploaded.missing.len(), 40);
        assert_eq!(uploaded.missing[0].reason, "the submission was cancelled");
    }
}

#[test]
fn files_that_vanish_or_change_are_sent_as_they_are_or_named() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, length: usize| -> Planned {
        let path: PathBuf = folder.path().join(name);
        fs::write(&path, bytes(1, length)).unwrap();
        Planned {
            name: name.to_owned(),
            key: name.to_owned(),
            size: length as u64,
            source: Source::File(path),
        }
    };
    let plan = plan(vec![
        file("gone.log", 10),
        file("shorter.log", 600_000),
        file("longer.log", 600_000),
        file("same.log", 600_000),
    ]);
    fs::remove_file(folder.path().join("gone.log")).unwrap();
    fs::write(folder.path().join("shorter.log"), bytes(2, 300_000)).unwrap();
    fs::write(folder.path().join("longer.log"), bytes(3, 900_000)).unwrap();
    let bucket = Bucket::start("logs");
    let uploaded = Scene::s3(&bucket, &[]).upload(&plan);
    let sizes: Vec<_> = uploaded.files.iter().map(|file| (&file.name[..], file.size)).collect();
    assert_eq!(sizes, [("shorter.log", 300_000), ("longer.log", 900_000), ("same.log", 600_000)]);
    for (name, bytes) in [
        ("shorter.log", bytes(2, 300_000)),
        ("longer.log", bytes(3, 900_000)),
        ("same.log", bytes(1, 600_000)),
    ] {
        assert!(bucket.object(&format!("{FOLDER}{name}")).unwrap().bytes[..] == bytes[..]);
    }
    assert_eq!(uploaded.missing.len(), 1);
    assert!(uploaded.missing[0].reason.contains("cannot be read"), "{:?}", uploaded.missing);
    let path = folder.path().to_str().unwrap();
    assert!(!uploaded.missing[0].reason.contains(path), "paths of this machine are not shown");
}

/// A file of 130 MiB that takes no room on the disk, and is sent in parts.
fn large(folder: &TempDir) -> (Plan, u64) {
    let length = 130 << 20;
    let path = folder.path().join("large.bin");
    let file = fs::File::create(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"\x7fELF\0\0begin", 0).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", length - 3).unwrap();
    let object = Planned {
        name: "large.bin".to_owned(),
        key: "large.bin".to_owned(),
        size: length,
        source: Source::File(path),
    };
    (plan(vec![object]), length)
}

#[test]
fn large_files_go_in_parts_and_a_lost_part_is_sent_again() {
    let folder = TempDir::new().unwrap();
    let (plan, length) = large(&folder);
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "partNumber=2").reset_after(1 << 20));
    // The object is made, but the answer gets lost.
    bucket.fault(Fault::on("POST", "uploadId=").reset().after_effect());
    let scene = Scene::s3(&bucket, &[]);
    let uploaded = scene.upload(&plan);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    let stored = bucket.object(&format!("{FOLDER}large.bin")).unwrap();
    assert_eq!(stored.length, length);
    assert!(stored.bytes.starts_with(b"\x7fELF\0\0begin") && stored.bytes.ends_with(b"end"));
    assert_eq!(bucket.unfinished_uploads(), 0);
    assert_eq!(scene.sent() as u64, length);
}

#[test]
fn parts_of_what_is_given_up_are_removed() {
    let folder = TempDir::new().unwrap();
    let (plan, _) = large(&folder);
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "partNumber=2").s3(403, "AccessDenied").forever());
    let uploaded = Scene::s3(&bucket, &[]).upload(&plan);
    assert_eq!(uploaded.missing.len(), 1);
    assert_eq!(bucket.unfinished_uploads(), 0);
    // The end may fail although its status says success.
    let error = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>";
    let failed = Response::new(200).header("Content-Type", "application/xml").body(error);
    bucket.clear_faults();
    bucket.fault(Fault::on("POST", "uploadId=").respond(failed).forever());
    let uploaded = Scene::s3(&bucket, &[]).upload(&plan);
    assert_eq!(uploaded.missing.len(), 1, "an error in the body of a success is an error");
    assert_eq!(bucket.unfinished_uploads(), 0);
}

#[test]
fn all_workers_send_parts_of_a_large_file_and_faults_in_between_do_no_harm() {
    let folder = TempDir::new().unwrap();
    let (mut plan, length) = large(&folder);
    plan.objects.extend(forty().objects);
    let Source::File(path) = plan.objects[0].source.clone() else { panic!("a file") };
    // Every part is another one, so that none can stand in another's place.
    let file = fs::File::options().write(true).open(&path).unwrap();
    for at in (1..length >> 20).map(|at| at << 20) {
        let bytes = at.to_le_bytes();
        std::os::unix::fs::FileExt::write_all_at(&file, &bytes, at).unwrap();
    }
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "partNumber=3").s3(503, "SlowDown").times(2));
    bucket.fault(Fault::on("PUT", "partNumber=4").s3(500, "InternalError"));
    bucket.fault(Fault::on("PUT", "partNumber=5").retry_after(429, 0));
    bucket.fault(Fault::on("PUT", "partNumber=6").reset_after(3 << 20));
    bucket.fault(Fault::on("PUT", "partNumber=7").s3(408, "RequestTimeout"));
    bucket.fault(Fault::on("POST", "uploads").s3(503, "SlowDown"));
    let scene = Scene::s3(&bucket, &[]);
    let uploaded = scene.upload(&plan);
    assert_whole(&bucket, &plan, &uploaded);
    let stored = bucket.object(&format!("{FOLDER}large.bin")).unwrap();
    assert!(stored.bytes[..] == fs::read(&path).unwrap()[..], "the large file is corrupt");
    assert_eq!(bucket.unfinished_uploads(), 0);
    assert_eq!(scene.sent() as u64, plan.bytes());
    let requests = bucket.requests();
    let parts: Vec<_> =
        requests.iter().filter(|request| request.target.contains("partNumber")).collect();
    assert_eq!(parts.len(), 9 + 6, "nine parts of 16 MiB, and six that failed");
    let connections: BTreeSet<u64> = parts.iter().map(|request| request.connection).collect();
    assert!(connections.len() > 1, "several at a time: {}", connections.len());
}

#[test]
fn a_large_file_that_shrinks_while_it_is_sent_is_prepared_again() {
    let folder = TempDir::new().unwrap();
    let (plan, _) = large(&folder);
    let Source::File(path) = plan.objects[0].source.clone() else { panic!("a file") };
    let bucket = Bucket::start("logs");
    let scene = Scene::s3(&bucket, &[("jobs", "2")]);
    let (sent, shrunk) = (Mutex::new(0), path.clone());
    scene.submission.events.add_reader(move |event: &Event| {
        if let Event::Sent(bytes) = event {
            let mut sent = sent.lock().unwrap();
            *sent += bytes;
            if *sent > 1 << 20 {
                let file = fs::File::options().write(true).open(&shrunk).unwrap();
                if file.metadata().unwrap().len() > 70 << 20 {
                    file.set_len(70 << 20).unwrap();
                }
            }
        }
    });
    let uploaded = scene.upload(&plan);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    assert_eq!(uploaded.files[0].size, 70 << 20);
    let stored = bucket.object(&format!("{FOLDER}large.bin")).unwrap();
    assert!(stored.bytes[..] == fs::read(&path).unwrap()[..]);
    assert_eq!(bucket.unfinished_uploads(), 0);
}

#[test]
fn the_region_and_the_clock_of_the_store_are_learnt() {
    let options =
        BucketOptions { region: Some("eu-west-7".to_owned()), ..BucketOptions::default() };
    let bucket = Bucket::start_with(options);
    bucket.set_clock_ahead(7200);
    let scene = Scene::s3(&bucket, &[]);
    let plan = forty();
    let uploaded = scene.upload(&plan);
    assert_whole(&bucket, &plan, &uploaded);
    let puts = bucket.requests().iter().filter(|request| request.method == "PUT").count();
    assert!(puts <= 44, "learnt once: {puts}");
}

#[test]
fn a_bucket_is_made_where_the_clocks_differ_although_the_answer_that_says_so_has_no_words() {
    for ahead in [-7200, 7200] {
        let options = BucketOptions { exists: false, ..BucketOptions::default() };
        let bucket = Bucket::start_with(options);
        bucket.set_clock_ahead(ahead);
        let plan = forty();
        let uploaded = Scene::s3(&bucket, &[("store_create", "true")]).upload(&plan);
        assert_whole(&bucket, &plan, &uploaded);
        let requests = bucket.requests();
        let begun: Vec<&str> = requests.iter().take(3).map(|each| each.method.as_str()).collect();
        assert_eq!(begun, ["HEAD", "HEAD", "PUT"], "the clock is learnt by the first answer");
    }
}

#[test]
fn a_region_that_no_error_names_is_asked_for_once() {
    for (status, code) in [(400, "AuthorizationHeaderMalformed"), (301, "PermanentRedirect")] {
        let region = Some("eu-west-7".to_owned());
        let bucket = Bucket::start_with(BucketOptions { region, ..BucketOptions::default() });
        bucket.fault(Fault::on("PUT", "run.json").s3(status, code));
        // As AWS answers who signs for another region: refused, and told the region in a header.
        let told = Response::new(400).header("x-amz-bucket-region", "eu-west-7");
        bucket.fault(Fault::on("HEAD", "/logs").respond(told).forever());
        let plan = forty();
        let uploaded = Scene::s3(&bucket, &[("jobs", "4")]).upload(&plan);
        assert_whole(&bucket, &plan, &uploaded);
        let asked = bucket.requests().iter().filter(|request| request.method == "HEAD").count();
        assert_eq!(asked, 1, "{code}");
    }
}

#[test]
fn a_redirect_to_a_foreign_host_gets_no_credentials() {
    let bucket = Bucket::start("logs");
    let foreign = Bucket::start("logs");
    let elsewhere = foreign.url().replace("127.0.0.1", "localhost");
    bucket.fault(Fault::on("PUT", "").redirect(307, &format!("{elsewhere}/logs/x")).forever());
    let scene = Scene::s3(&bucket, &[]);
    let uploaded = scene.upload(&forty());
    assert_eq!(uploaded.failure.unwrap().status(), Status::StoreRefused);
    assert!(foreign.requests().is_empty());
}

#[test]
fn a_service_without_checksums_is_served_without() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "run.json").s3(501, "NotImplemented"));
    let plan = forty();
    let uploaded = Scene::s3(&bucket, &[]).upload(&plan);
    assert_whole(&bucket, &plan, &uploaded);
    let with =
        |request: &&Arc<stand_ins::Request>| request.header("x-amz-checksum-sha256").is_some();
    assert_eq!(bucket.requests().iter().filter(with).count(), 1);
}

#[test]
fn pages_are_stored_as_patiently_as_files() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "index").s3(503, "SlowDown").times(2));
    bucket.fault(Fault::on("PUT", "index").s3(400, "BadDigest"));
    let scene = Scene::s3(&bucket, &[]);
    let kind = "text/html; charset=utf-8";
    put_page(&scene.submission, &*scene.store, "run/index.html", b"<p>", kind).unwrap();
    let page = bucket.object("run/index.html").unwrap();
    assert_eq!((page.text().as_str(), page.header("content-type")), ("<p>", Some(kind)));
    bucket.fault(Fault::on("PUT", "full").s3(403, "AccessDenied").forever());
    let refused =
        put_page(&scene.submission, &*scene.store, "run/full.txt", b"x", kind).unwrap_err();
    assert_eq!(refused.status(), Status::StoreRefused);
}

#[test]
fn public_links_are_preferred_signed_ones_are_next_and_none_is_said() {
    let settings = |url: String| [("store_public_url", url)];
    for (public, expected) in [(true, Access::Public), (false, Access::Signed)] {
        let bucket = Bucket::start_with(BucketOptions { public, ..BucketOptions::default() });
        bucket.put("a b.log", b"the log");
        let scene = Scene::s3(&bucket, &[]);
        assert_eq!(
            links::decide(&scene.submission, &*scene.store, "a b.log", false).unwrap().access,
            Some(expected)
        );
    }
    // A public address that shows something else is not believed.
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a b.log"), "please sign in").unwrap();
    let elsewhere = FileServer::start(folder.path());
    let bucket = Bucket::start_with(BucketOptions { public: false, ..BucketOptions::default() });
    bucket.put("a b.log", b"the log");
    let [(name, url)] = settings(elsewhere.url());
    let scene = Scene::s3(&bucket, &[(name, &url), ("store_expire_days", "30")]);
    let decided = links::decide(&scene.submission, &*scene.store, "a b.log", false).unwrap();
    assert_eq!(decided.access, Some(Access::Signed));
    assert_eq!(decided.until, scene.submission.started + time::Duration::days(7));
    // With no way at all that is said, with what the operator must do.
    bucket.fault(Fault::on("GET", "X-Amz-Signature").s3(403, "AccessDenied").forever());
    let decided = links::decide(&scene.submission, &*scene.store, "a b.log", false).unwrap();
    assert_eq!(decided.access, None);
    let events = scene.events.lock().unwrap();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Warning(text) if text.contains("s3:GetObject")))
    );
}

#[test]
fn a_redirect_is_followed_as_a_browser_would() {
    let bucket = Bucket::start("logs");
    bucket.put("a.log", b"the log");
    let mirror = FileServer::start("/nonexistent");
    mirror.fault(Fault::on("GET", "/x/a.log").redirect(302, "/y/a.log").forever());
    mirror.fault(
        Fault::on("GET", "/y/a.log")
            .redirect(301, &format!("{}/a.log", bucket.public_url()))
            .forever(),
    );
    let url = format!("{}/x", mirror.url());
    let scene = Scene::s3(&bucket, &[("store_public_url", &url)]);
    let decided = links::decide(&scene.submission, &*scene.store, "a.log", false).unwrap();
    assert_eq!(decided.access, Some(Access::Public));
    for request in mirror.requests() {
        assert!(request.header("authorization").is_none());
    }
}

#[test]
fn a_dry_run_contacts_nobody() {
    let bucket = Bucket::start("logs");
    let scene = Scene::s3(&bucket, &[("dry_run", "true")]);
    let uploaded = scene.upload(&forty());
    assert!(uploaded.files.is_empty() && bucket.requests().is_empty());
}

#[test]
fn a_bug_in_a_worker_is_an_internal_error_and_no_crash() {
    let bucket = Bucket::start("logs");
    let scene = Scene::s3(&bucket, &[("jobs", "4")]).shaped(|store| {
        store.around_put = Box::new(|key, put| {
            assert!(!key.contains("05"), "a bug that a test asked for");
            put()
        });
    });
    let uploaded = scene.upload(&forty());
    assert_eq!(uploaded.failure.unwrap().status(), Status::Internal);
    assert_eq!(uploaded.files.len() + uploaded.missing.len(), 40, "everything is accounted for");
    assert!(uploaded.missing.iter().any(|missing| missing.name.contains("05")));
}

#[test]
fn a_store_that_asks_for_patience_gets_half_the_requests_at_a_time() {
    /// How many are under way, the most before anybody was asked to wait, and the most after it.
    #[derive(Default)]
    struct Seen {
        calls: usize,
        now: usize,
        before: usize,
        after: usize,
        busy: Option<Instant>,
    }
    let bucket = Bucket::start("logs");
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    let counting: Box<Around> = Box::new(move |_, put| {
        let is_busy = {
            let mut seen = shared.lock().unwrap();
            seen.calls += 1;
            seen.now += 1;
            let now = seen.now;
            match seen.busy {
                None => seen.before = seen.before.max(now),
                // Whoever had begun may end; a rest later there may be more again.
                Some(busy) if (150..1_000).contains(&busy.elapsed().as_millis()) => {
                    seen.after = seen.after.max(now);
                }
                Some(_) => {}
            }
            if seen.calls == 150 {
                seen.busy = Some(Instant::now());
            }
            seen.calls == 150
        };
        std::thread::sleep(Duration::from_millis(20));
        let done = match is_busy {
            true => Err(StoreError::new(store::Fault::Busy(None), "come back later")),
            false => put(),
        };
        shared.lock().unwrap().now -= 1;
        done
    });
    let scene = Scene::s3(&bucket, &[("jobs", "16")]).shaped(|store| store.around_put = counting);
    let plan = plan((0..900).map(|n| planned(&format!("{n:03}.log"), bytes(n, 10))).collect());
    let uploaded = scene.upload(&plan);
    assert_whole(&bucket, &plan, &uploaded);
    let seen = seen.lock().unwrap();
    assert!(seen.before > 9, "{} at a time", seen.before);
    // Half of sixteen, and the one that was told to come back.
    assert!((1..=9).contains(&seen.after), "{} at a time afterwards", seen.after);
}
