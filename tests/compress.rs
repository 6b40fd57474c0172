//! gzip at rest: what is stored compressed is what was meant, and nothing else is compressed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify_pr::events::{Event, Events};
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use notify_pr::store;
use notify_pr::submission::{Cancel, Submission};
use notify_pr::upload::{Uploaded, upload};
use stand_ins::{Bucket, BucketOptions, Fault};
use tempfile::TempDir;

const FOLDER: &str = "ci/7d/id/";
const SECRET: &str = "the-secret-of-this-lab";

fn submission(settings: &[(&str, &str)]) -> Submission {
    let mut all = Settings::new();
    for (name, value) in settings {
        all.set(name, value, Origin::Api).unwrap();
    }
    Submission::new(all, Arc::new(Events::new()), Cancel::new()).unwrap()
}

fn to_s3(bucket: &Bucket, more: &[(&str, &str)]) -> Submission {
    let url = bucket.url();
    let mut settings = vec![
        ("store_api", "s3"),
        ("store_endpoint", url.as_str()),
        ("store_container", "logs"),
        ("store_identity", "key"),
        ("store_secret", SECRET),
    ];
    settings.extend(more);
    submission(&settings)
}

fn run(submission: &Submission, plan: &Plan) -> Uploaded {
    let store = store::choose(submission).unwrap().unwrap();
    upload(submission, &*store, plan, FOLDER)
}

/// Lines that shrink, but not to nothing.
fn log(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut text = Vec::with_capacity(length + 100);
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.extend_from_slice(format!("DEBUG [agent] (job-{state:016x}) started\n").as_bytes());
    }
    text.truncate(length);
    text
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let step = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*state >> 56) as u8
    };
    (0..length).map(|_| step(&mut state)).collect()
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> Planned {
    let path: PathBuf = folder.join(name);
    fs::write(&path, bytes).unwrap();
    Planned {
        name: name.to_owned(),
        key: name.to_owned(),
        size: bytes.len() as u64,
        source: Source::File(path),
    }
}

fn plan(objects: Vec<Planned>) -> Plan {
    Plan { objects, ..Plan::default() }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// What a browser would show, and whether it came compressed.
fn shown(bucket: &Bucket, name: &str) -> (Vec<u8>, bool) {
    let stored = bucket.object(&format!("{FOLDER}{name}")).unwrap_or_else(|| panic!("{name}"));
    match stored.header("content-encoding") {
        Some("gzip") => (unpacked(&stored.bytes), true),
        None => (stored.bytes.to_vec(), false),
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn text_is_compressed_and_nothing_else_is() {
    let folder = TempDir::new().unwrap();
    let packed = {
        let mut encoder = flate2::read::GzEncoder::new(
            &b"a log that is compressed"[..],
            flate2::Compression::best(),
        );
        let mut bytes = Vec::new();
        encoder.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let files = [
        ("small.log", log(9_000), true),
        ("large.log", log(3 << 20), true),
        ("tiny.log", log(900), false),
        ("empty.log", Vec::new(), false),
        ("old.log.gz", packed, false),
        ("noise.bin", noise(300_000), false),
        ("hex.txt", noise(60_000).iter().map(|byte| 33 + byte % 94).collect(), false),
    ];
    // A link that is known to be fast would carry text as it is.
    let slow = Duration::from_millis(50);
    let bucket = Bucket::start_with(BucketOptions { delay: slow, ..BucketOptions::default() });
    let submission = to_s3(&bucket, &[]);
    let sent = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&sent);
    submission.events.add_reader(move |event: &Event| match event {
        Event::Sent(bytes) => *counted.lock().unwrap() += *bytes as i64,
        Event::Unsent(bytes) => *counted.lock().unwrap() -= *bytes as i64,
        _ => {}
    });
    let plan =
        plan(files.iter().map(|(name, bytes, _)| file(folder.path(), name, bytes)).collect());
    let uploaded = run(&submission, &plan);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    for ((name, bytes, compressed), file) in files.iter().zip(&uploaded.files) {
        let (stored, was) = shown(&bucket, name);
        assert!(stored == *bytes, "{name} is corrupt");
        assert_eq!(was, *compressed, "{name}");
        assert_eq!(file.size, bytes.len() as u64, "{name}: the size that readers see");
    }
    assert_eq!(*sent.lock().unwrap() as u64, plan.bytes(), "progress ends at its end");
}

#[test]
fn secrets_are_masked_before_anything_is_compressed() {
    let folder = TempDir::new().unwrap();
    for length in [20_000, 700_000] {
        let mut text = log(length);
        let middle = length / 2;
        text[middle..middle + SECRET.len()].copy_from_slice(SECRET.as_bytes());
        let bucket = Bucket::start("logs");
        let uploaded = run(&to_s3(&bucket, &[]), &plan(vec![file(folder.path(), "a.log", &text)]));
        assert_eq!(uploaded.files.len(), 1);
        let (stored, compressed) = shown(&bucket, "a.log");
        text[middle..middle + SECRET.len()].fill(b'*');
        assert!(compressed && stored == text, "{length}");
    }
}

#[test]
fn it_can_be_switched_off_and_a_folder_never_has_it() {
    let folder = TempDir::new().unwrap();
    let text = log(100_000);
    let bucket = Bucket::start("logs");
    let plan = plan(vec![file(folder.path(), "a.log", &text)]);
    run(&to_s3(&bucket, &[("store_compress", "off")]), &plan);
    assert!(shown(&bucket, "a.log") == (text.clone(), false));
    let published = TempDir::new().unwrap();
    let submission = submission(&[
        ("store_api", "directory"),
        ("store_endpoint", published.path().to_str().unwrap()),
        ("store_public_url", "https://logs.example.org"),
        ("store_compress", "auto"),
    ]);
    let uploaded = run(&submission, &plan);
    assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
    assert!(fs::read(published.path().join(FOLDER).join("a.log")).unwrap() == text);
}

#[test]
fn what_is_compressed_survives_every_passing_fault() {
    let folder = TempDir::new().unwrap();
    let texts: Vec<Vec<u8>> = (0..12).map(|n| log(n * 200_000 + 5_000)).collect();
    let plan = plan(
        texts
            .iter()
            .enumerate()
            .map(|(n, text)| file(folder.path(), &format!("{n}.log"), text))
            .collect(),
    );
    for fault in [
        Fault::on("PUT", ".log").s3(503, "SlowDown").times(4),
        Fault::on("PUT", ".log").reset_after(20_000).times(4),
        Fault::on("PUT", ".log").s3(400, "BadDigest").times(2),
        Fault::on("PUT", ".log").html(502).after_effect().times(2),
    ] {
        let bucket = Bucket::start("logs");
        bucket.fault(fault);
        let uploaded = run(&to_s3(&bucket, &[]), &plan);
        assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
        for (n, text) in texts.iter().enumerate() {
            assert!(shown(&bucket, &format!("{n}.log")).0 == *text, "{n}");
        }
    }
}

#[test]
fn a_cancel_ends_the_reading_of_a_large_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("endless.log");
    fs::write(&path, log(1 << 20)).unwrap();
    // A text at first, and then so long that nobody could wait for its end.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let object = Planned {
        name: "endless.log".to_owned(),
        key: "endless.log".to_owned(),
        size: 1 << 40,
        source: Source::File(path),
    };
    let plan = plan(vec![object]);
    for compress in ["auto", "off"] {
        let bucket = Bucket::start("logs");
        let submission = to_s3(&bucket, &[("store_compress", compress)]);
        let began = Instant::now();
        let uploaded = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                submission.cancel.cancel();
                submission.agents.store.shut_down();
            });
            run(&submission, &plan)
        });
        assert!(began.elapsed() < Duration::from_secs(20), "{compress}");
        assert_eq!(uploaded.failure.unwrap().status(), Status::Cancelled);
        assert_eq!(bucket.unfinished_uploads(), 0);
    }
}
