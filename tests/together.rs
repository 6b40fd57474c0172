//! Files that are read twice are prepared four at a time, and sent by whoever is free: nothing is
//! lost by it, and what changes in between is sent as it is then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod scene;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify_pr::content::Source;
use notify_pr::plan::{Plan, Planned};
use notify_pr::status::Status;
use notify_pr::store::MARKER;
use notify_pr::upload::Uploaded;
use scene::{FOLDER, Scene, bytes, plan};
use stand_ins::{Bucket, Fault};
use tempfile::TempDir;

/// Files of these lengths.
fn files(folder: &Path, lengths: impl IntoIterator<Item = usize>) -> Plan {
    let file = |(n, length): (usize, usize)| {
        let name = format!("{n:02}.log");
        let path = folder.join(&name);
        fs::write(&path, bytes(n, length)).unwrap();
        let size = length as u64;
        Planned { key: name.clone(), name, size, source: Source::File(path) }
    };
    plan(lengths.into_iter().enumerate().map(file).collect())
}

/// Plain: text that is compressed is prepared alone.
fn scene(bucket: &Bucket, jobs: &str) -> Scene {
    Scene::s3(bucket, &[("jobs", jobs), ("store_compress", "off")])
}

/// Every file is in the store as it is on the disk now, but for those that are named.
fn assert_stored(bucket: &Bucket, plan: &Plan, uploaded: &Uploaded, missing: &[&str]) {
    let named: Vec<_> = uploaded.missing.iter().map(|missing| &*missing.name).collect();
    assert_eq!(named, missing);
    let stored: Vec<_> = uploaded.files.iter().map(|file| &*file.name).collect();
    let names = plan.objects.iter().map(|object| &*object.name);
    assert_eq!(stored, names.filter(|name| !missing.contains(name)).collect::<Vec<_>>());
    for (object, name) in plan.objects.iter().map(|object| (object, &*object.name)) {
        let (Source::File(path), false) = (&object.source, missing.contains(&name)) else {
            continue;
        };
        let stored = bucket.object(&format!("{FOLDER}{name}")).unwrap();
        assert!(stored.bytes[..] == fs::read(path).unwrap()[..], "{name} is corrupt");
    }
}

#[test]
fn files_of_all_sizes_arrive_with_one_request_each_and_those_that_are_gone_are_named() {
    for (jobs, large) in [("1", None), ("8", Some(70 << 20)), ("64", None)] {
        let folder = TempDir::new().unwrap();
        let lengths = (0..60).map(|n| [n * 300, 90_000 + n * 400, 100_000 * n][n % 3]);
        let plan = files(folder.path(), lengths.chain(large));
        let gone = ["01.log", "44.log", "59.log"];
        gone.iter().for_each(|name| fs::remove_file(folder.path().join(name)).unwrap());
        let bucket = Bucket::start("logs");
        let scene = scene(&bucket, jobs);
        let uploaded = scene.upload(&plan);
        assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
        assert_stored(&bucket, &plan, &uploaded, &gone);
        assert!(uploaded.missing.iter().all(|gone| gone.reason.contains("cannot be read")));
        let is_of_an_object = |target: &str| {
            !target.contains("uploads") && !target.contains("uploadId") && !target.contains(MARKER)
        };
        let puts = bucket
            .requests()
            .into_iter()
            .filter(|request| request.method == "PUT" && is_of_an_object(&request.target));
        assert_eq!(puts.count(), 60 - gone.len());
        let parts = bucket
            .requests()
            .iter()
            .filter(|request| request.target.contains("partNumber"))
            .count();
        assert_eq!(parts, if large.is_some() { 5 } else { 0 }, "parts of 16 MiB");
        let size = |name: &str| fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
        let there: u64 = plan.objects.iter().map(|object| size(&object.name)).sum();
        assert_eq!(scene.sent() as u64, there);
    }
}

fn files_are_prepared_together() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("sha");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn a_file_that_changes_after_it_was_prepared_is_sent_as_it_is_then() {
    let folder = TempDir::new().unwrap();
    let plan = files(folder.path(), [400_000, 399_000, 398_000, 397_000]);
    let bucket = Bucket::start("logs");
    let path = folder.path().to_owned();
    let once = Mutex::new(true);
    // One worker has prepared all of them when it sends the first.
    let scene = scene(&bucket, "1").shaped(|store| {
        store.around_put = Box::new(move |key, put| {
            if key.ends_with("00.log") && std::mem::take(&mut *once.lock().unwrap()) {
                fs::write(path.join("01.log"), bytes(7, 399_000)).unwrap();
                fs::write(path.join("02.log"), bytes(8, 200_000)).unwrap();
                fs::write(path.join("03.new"), bytes(9, 397_000)).unwrap();
                fs::rename(path.join("03.new"), path.join("03.log")).unwrap();
            }
            put()
        });
    });
    let uploaded = scene.upload(&plan);
    assert_stored(&bucket, &plan, &uploaded, &[]);
    let puts = bucket.requests().iter().filter(|request| request.method == "PUT").count();
    match files_are_prepared_together() {
        true => assert!(puts > 5, "nothing had changed when it was sent: {puts} requests"),
        false => eprintln!("skipped: this processor hashes each file by itself, when it is sent"),
    }
    let there = 400_000 + 399_000 + 200_000 + 397_000;
    assert_eq!(scene.sent(), there);
}

#[test]
fn what_was_prepared_when_it_is_cancelled_is_named_and_not_sent() {
    let folder = TempDir::new().unwrap();
    let plan = files(folder.path(), (0..12).map(|n| 300_000 + n));
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").stall().forever());
    let scene = Arc::new(scene(&bucket, "2"));
    let began = Instant::now();
    let uploaded = std::thread::scope(|scope| {
        scope.spawn(|| {
            let asked = || bucket.requests().iter().any(|request| request.target.contains(".log"));
            while !asked() && began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(5));
            }
            scene.submission.cancel.cancel();
            scene.submission.agents.store.shut_down();
        });
        scene.upload(&plan)
    });
    assert_eq!(uploaded.failure.unwrap().status(), Status::Cancelled);
    assert_eq!((uploaded.files.len(), uploaded.missing.len()), (0, 12));
    let reasons = uploaded.missing.iter().map(|missing| &*missing.reason);
    assert!(reasons.clone().all(|reason| reason == "the submission was cancelled"));
    assert_eq!(scene.sent(), 0, "what was sent in vain is taken back");
    let requests = bucket.requests();
    let of_files = requests.iter().filter(|request| request.target.contains(".log")).count();
    assert!(of_files <= 2, "{of_files} requests of two workers");
}
