//! Whole uploads to real servers: many small files, large ones in parts, text that is compressed on
//! the way. Everything is read back and compared, as its owner and as a reader without credentials.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod far;
mod scene;
mod services;

use std::io::Read;
use std::time::Duration;

use far::Far;
use notify_pr::events::Event;
use notify_pr::http::{Exchange, Request};
use notify_pr::links;
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::store::{Access, MARKER, Store};
use notify_pr::submission::Submission;
use scene::{FOLDER, Scene, plan, planned};
use services::Service;
use stand_ins::Swift;

/// Bytes that no compression and no confusion of parts survives.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn lines(seed: usize, length: usize) -> Vec<u8> {
    let line = |n: usize| format!("2026-11-23 12:00:{:02} job-{seed} step {n} is done\n", n % 60);
    (0..).flat_map(|n| line(n).into_bytes()).take(length).collect()
}

/// Small and large logs and other files, and one file of `large` bytes.
fn run(small: usize, large: usize) -> Plan {
    let mut objects: Vec<Planned> =
        (0..small).map(|n| planned(&format!("logs/{n:03} a+b ü.log"), lines(n, n * 400))).collect();
    objects.push(planned("console.txt", lines(7, 3 << 20)));
    objects.push(planned("core dump.bin", noise(3, 2 << 20)));
    let mut packed = Vec::new();
    let text = lines(9, 50_000);
    flate2::read::GzEncoder::new(&text[..], flate2::Compression::fast())
        .read_to_end(&mut packed)
        .unwrap();
    objects.push(planned("old.log.gz", packed));
    objects.push(planned("image.bin", noise(5, large)));
    plan(objects)
}

fn over_s3(service: &Service) -> Vec<(&str, &str)> {
    vec![
        ("store_api", "s3"),
        ("store_endpoint", &service.endpoint),
        ("store_identity", &service.access_key),
        ("store_secret", &service.secret_key),
        ("store_container", "whole-runs"),
    ]
}

fn over_swift<'a>(service: &'a Service, endpoint: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("store_api", "swift"),
        ("store_endpoint", endpoint),
        ("store_identity", &service.access_key),
        ("store_secret", &service.secret_key),
        ("store_container", "whole-runs"),
    ]
}

/// Uploads, reads everything back, and returns the warnings.
fn arrives_whole(settings: &[(&str, &str)], plan: &Plan) -> Vec<String> {
    arrives_whole_with(settings, plan).0
}

/// The same, with how many requests the upload took.
fn arrives_whole_with(settings: &[(&str, &str)], plan: &Plan) -> (Vec<String>, usize) {
    let mut all = settings.to_vec();
    all.push(("store_create", "true"));
    let scene = Scene::new(&all);
    let uploaded = scene.upload(plan);
    let Scene { submission, store, events } = scene;
    let asked = |event: &&Event| matches!(event, Event::Request { .. });
    let requests = events.lock().unwrap().iter().filter(asked).count();
    assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    let links = links::decide(&submission, &*store, &format!("{FOLDER}{MARKER}"), false).unwrap();
    let access = links.access.expect("a way to read");
    let mut compressed = 0;
    for (object, file) in plan.objects.iter().zip(&uploaded.files) {
        let Source::Memory(bytes) = &object.source else { panic!("it is in memory") };
        let link = store.link(&file.key, access, links.until).unwrap();
        let (read, was) = as_a_reader(&submission, &link);
        assert!(read[..] == bytes[..], "{} is corrupt for a reader", file.key);
        assert!(!was || file.content_type.starts_with("text/"), "{}", file.key);
        assert_eq!(file.size, bytes.len() as u64);
        compressed += usize::from(was);
        if !was {
            let read = store.get(&file.key, u64::MAX >> 1).unwrap();
            assert!(read[..] == bytes[..], "{} is corrupt", file.key);
        }
    }
    assert!(compressed > 0, "a log is compressed on the way");
    let listed = keys(&*store);
    assert_eq!(listed.len(), plan.objects.len() + 1, "the files and the marker: {listed:?}");
    if settings.contains(&("store_access", "public")) {
        // These servers take the ACL, say that all is well, and show nobody anything.
        assert_eq!(access, Access::Signed);
    }
    let events = events.lock().unwrap();
    let warning = |event: &Event| match event {
        Event::Warning(text) => Some(text.clone()),
        _ => None,
    };
    (events.iter().filter_map(warning).collect(), requests)
}

/// What a browser shows, and whether it came compressed.
fn as_a_reader(submission: &Submission, link: &str) -> (Vec<u8>, bool) {
    let mut request = Request::new("GET", link);
    request.answer_limit = Some(1 << 30);
    let Exchange::Answered(answer) = submission.agents.store.exchange(request) else {
        panic!("{link} does not open");
    };
    assert_eq!(answer.status, 200, "{link}");
    match answer.header("content-encoding") {
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap();
            (plain, true)
        }
        other => {
            assert_eq!(other, None);
            (answer.body, false)
        }
    }
}

fn keys(store: &dyn Store) -> Vec<String> {
    let page = store.list(FOLDER, None).unwrap();
    assert!(!page.more);
    page.objects.into_iter().map(|object| object.key).collect()
}

#[test]
fn a_run_arrives_whole_on_seaweedfs() {
    let Some(service) = services::seaweedfs() else { return };
    let settings = over_s3(&service);
    assert_eq!(arrives_whole(&settings, &run(60, 70 << 20)), Vec::<String>::new());
    let public = [("store_access", "public"), ("store_container", "other-runs")];
    let settings: Vec<_> = settings[..4].iter().chain(&public).copied().collect();
    let warnings = arrives_whole(&settings, &run(3, 1 << 20)).join("; ");
    assert!(warnings.contains("put-bucket-policy --bucket other-runs"), "{warnings}");
}

#[test]
fn a_run_arrives_whole_on_swift_over_s3() {
    let Some(service) = services::swift() else { return };
    let settings = over_s3(&service);
    assert_eq!(arrives_whole(&settings, &run(20, 70 << 20)), Vec::<String>::new());
    let public = [("store_access", "public"), ("store_container", "other-runs")];
    let settings: Vec<_> = settings[..4].iter().chain(&public).copied().collect();
    let warnings = arrives_whole(&settings, &run(3, 1 << 20)).join("; ");
    assert!(warnings.contains("is not public"), "{warnings}");
}

#[test]
fn a_run_arrives_whole_on_a_swift_whose_tokens_end_and_whose_objects_are_small() {
    let small = [("SWIFT_MAX_FILE", "4000000"), ("SWIFT_TOKEN_LIFE", "2")];
    let Some(service) = services::swift_with(&small) else { return };
    let endpoint = format!("{}/auth/v1.0", service.endpoint);
    let settings = over_swift(&service, &endpoint);
    assert_eq!(arrives_whole(&settings, &run(150, 30 << 20)), Vec::<String>::new());
}

/// So many MiB, each of them another one.
fn mebibytes(count: usize) -> Vec<u8> {
    let block = noise(1, 1 << 20);
    let mut bytes = block.repeat(count);
    for (n, block) in bytes.chunks_mut(1 << 20).enumerate() {
        block[..8].copy_from_slice(&n.to_le_bytes());
    }
    bytes
}

#[test]
fn a_large_file_goes_to_swift_in_parts_and_arrives_whole() {
    let Some(service) = services::swift() else { return };
    let endpoint = format!("{}/auth/v1.0", service.endpoint);
    let settings = over_swift(&service, &endpoint);
    let plan =
        plan(vec![planned("image.bin", mebibytes(260)), planned("console.txt", lines(7, 3 << 20))]);
    let (warnings, requests) = arrives_whole_with(&settings, &plan);
    assert_eq!(warnings, Vec::<String>::new());
    assert!(requests >= 260 / 16, "{requests} requests");
}

#[test]
fn a_large_file_goes_whole_to_a_swift_that_makes_no_large_objects() {
    let swift = Swift::start();
    swift.state().no_large = true;
    swift.state().max_file_size = Some(300 << 20);
    let endpoint = swift.endpoint("v3");
    let scene = Scene::new(&[
        ("store_api", "swift"),
        ("store_endpoint", &endpoint),
        ("store_identity", "lab:bot"),
        ("store_secret", "right-secret"),
        ("jobs", "2"),
    ]);
    let sizes = [257, 301];
    let plan = plan(sizes.map(|n| planned(&format!("{n}.bin"), mebibytes(n))).into());
    let uploaded = scene.upload(&plan);
    let missing: Vec<_> = uploaded.missing.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(missing, ["301.bin"], "{:?}", uploaded.missing);
    assert!(uploaded.missing[0].reason.contains("no file larger than 314572800 bytes"));
    for object in &plan.objects[..1] {
        let Source::Memory(bytes) = &object.source else { panic!("it is in memory") };
        let stored = swift.object(&format!("{FOLDER}{}", object.name)).unwrap();
        assert!(stored[..] == bytes[..], "{} is corrupt", object.name);
    }
    let puts: Vec<_> = swift.requests().into_iter().filter(|each| each.method == "PUT").collect();
    assert_eq!(puts.len(), 2, "the marker and the file");
    assert!(puts.iter().skip(1).all(|put| put.header("etag").is_some()), "with its MD5");
}

#[test]
fn a_run_of_many_small_files_arrives_whole_in_bundles_on_a_swift_that_is_far_away() {
    let Some(service) = services::swift() else { return };
    let far = Far::from(&service.endpoint, Duration::from_millis(8));
    let endpoint = format!("{}/auth/v1.0", far.url());
    let mut settings = over_swift(&service, &endpoint);
    settings.push(("jobs", "3"));
    let plan = run(220, 1 << 20);
    let (warnings, requests) = arrives_whole_with(&settings, &plan);
    assert_eq!(warnings, Vec::<String>::new());
    assert!(requests < plan.objects.len() / 2, "{requests} requests: they went in bundles");
}
