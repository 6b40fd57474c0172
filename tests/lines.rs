//! Small objects that are sent one behind the other: nothing of what can go wrong there loses or
//! spoils one, and none is sent again that has an answer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use notify_pr::content::Source;
use notify_pr::http::STALL_TIMEOUT;
use notify_pr::plan::Plan;
use notify_pr::upload::Uploaded;
use scene::{Scene, bytes, each, plan, planned};
use stand_ins::{Bucket, BucketOptions, Fault, Response};

const COUNT: usize = 120;

/// Small objects, some of them empty.
fn small() -> Plan {
    plan((0..COUNT).map(|n| planned(&format!("{n:03} ä.log"), bytes(n, n * 37 % 5000))).collect())
}

fn scene(bucket: &Bucket, stall: Duration, more: &[(&str, &str)]) -> Scene {
    let url = bucket.url();
    let mut settings = Scene::settings(&url, more);
    settings.push(("jobs", "2"));
    Scene::with_stall(&settings, stall)
}

fn assert_whole(what: &str, bucket: &Bucket, scene: &Scene, plan: &Plan, uploaded: &Uploaded) {
    assert!(uploaded.failure.is_none(), "{what}: {:?}", uploaded.failure);
    assert!(uploaded.missing.is_empty(), "{what}: {:?}", uploaded.missing);
    assert_eq!(uploaded.files.len(), COUNT, "{what}");
    for (object, file) in plan.objects.iter().zip(&uploaded.files) {
        let Source::Memory(bytes) = &object.source else { panic!("it is in memory") };
        let stored =
            bucket.object(&file.key).unwrap_or_else(|| panic!("{what}: {} lost", file.key));
        assert!(stored.bytes[..] == bytes[..], "{what}: {} is corrupt", file.key);
        assert_eq!(stored.header("content-type"), Some(&*file.content_type), "{what}");
    }
    assert_eq!(scene.sent() as u64, plan.bytes(), "{what}: what was sent in vain is taken back");
}

/// How often each object was sent.
fn puts(bucket: &Bucket) -> BTreeMap<String, usize> {
    let mut puts = BTreeMap::new();
    for request in bucket.requests() {
        if request.method == "PUT" && request.decoded_path().ends_with(".log") {
            *puts.entry(request.decoded_path()).or_default() += 1;
        }
    }
    puts
}

#[test]
fn small_objects_go_one_behind_the_other_with_one_request_each() {
    let bucket = Bucket::start("logs");
    let (scene, plan) = (scene(&bucket, STALL_TIMEOUT, &[]), small());
    let uploaded = scene.upload(&plan);
    assert_whole("all", &bucket, &scene, &plan, &uploaded);
    assert_eq!(scene.store.together(), 8, "the store was seen to take them so");
    assert!(puts(&bucket).values().all(|count| *count == 1));
    let connections: BTreeSet<u64> =
        bucket.requests().iter().map(|request| request.connection).collect();
    assert!(connections.len() <= 4, "{} connections", connections.len());
    assert_eq!(scene.steps().len(), COUNT + 1, "every effect is a step");
}

#[test]
fn small_objects_are_stored_compressed_and_signed_for_as_all_others() {
    let bucket = Bucket::start_with(BucketOptions { acls: true, ..BucketOptions::default() });
    let text = |n: usize| format!("line {n}\n").repeat(400).into_bytes();
    let plan = plan((0..COUNT).map(|n| planned(&format!("{n:03}.log"), text(n))).collect());
    let scene = scene(&bucket, STALL_TIMEOUT, &[("store_access", "public")]);
    let uploaded = scene.upload(&plan);
    assert!(uploaded.missing.is_empty());
    assert_eq!(scene.store.together(), 8);
    for file in &uploaded.files {
        let stored = bucket.object(&file.key).unwrap();
        assert_eq!(stored.header("content-encoding"), Some("gzip"), "{}", file.key);
        assert_eq!(stored.header("x-amz-acl"), Some("public-read"), "{}", file.key);
        assert_eq!(
            file.size,
            400 * (file.name[..3].parse::<usize>().unwrap().to_string().len() as u64 + 6)
        );
    }
    assert_eq!(scene.sent() as u64, plan.bytes(), "bytes are counted as they were planned");
}

/// What happens to a request in the middle.
type Trouble = fn(Fault) -> Fault;

const TROUBLES: &[(&str, Trouble)] = &[
    ("400 BadDigest", |fault| fault.s3(400, "BadDigest")),
    ("400 RequestTimeout", |fault| fault.s3(400, "RequestTimeout")),
    ("401", |fault| fault.html(401)),
    ("403", |fault| fault.s3(403, "AccessDenied")),
    ("404", |fault| fault.html(404)),
    ("408", |fault| fault.respond(Response::html(408).header("Retry-After", "0"))),
    ("429", |fault| fault.respond(Response::html(429).header("Retry-After", "0"))),
    ("498", |fault| fault.html(498)),
    ("500", |fault| fault.html(500)),
    ("500 after the effect", |fault| fault.html(500).after_effect()),
    ("503", |fault| fault.s3(503, "SlowDown")),
    ("503 four times", |fault| fault.s3(503, "SlowDown").times(4)),
    ("200 and a web page", |fault| fault.html(200)),
    ("301", |fault| fault.html(301)),
    ("reset", |fault| fault.reset()),
    ("reset after the effect", |fault| fault.reset().after_effect()),
    ("reset at byte 1", |fault| fault.reset_after(1)),
    ("reset six times", |fault| fault.reset().times(6)),
    ("close", |fault| fault.close()),
    ("close after the effect", |fault| fault.close().after_effect()),
    ("early 403", |fault| fault.early(Response::html(403))),
    ("500 at byte 1", |fault| fault.early_after(1, Response::html(500))),
    ("a corrupt byte", |fault| fault.corrupt(3)),
    ("an answer that breaks off", |fault| fault.truncate(40)),
    ("late", |fault| fault.late(Duration::from_millis(200))),
    ("stall", |fault| fault.stall()),
    ("stall in the body", |fault| fault.stall_in_body(1)),
];

#[test]
fn whatever_happens_in_the_middle_nothing_is_lost_and_nothing_is_corrupt() {
    // The first ones go one by one, then two are tried, then more go together.
    let cases: Vec<_> = TROUBLES
        .iter()
        .flat_map(|(name, trouble)| [0, 3, 30, COUNT - 1].map(|skip| (*name, *trouble, skip)))
        .collect();
    each(&cases, |(name, trouble, skip)| survives(name, *trouble, *skip));
}

fn survives(name: &str, trouble: Trouble, skip: usize) {
    let bucket = Bucket::start("logs");
    bucket.fault(trouble(Fault::on("PUT", ".log").skip(skip)));
    let stall = if name.contains("stall") { Duration::from_secs(1) } else { STALL_TIMEOUT };
    let (scene, plan) = (scene(&bucket, stall, &[]), small());
    let uploaded = scene.upload(&plan);
    let what = format!("{name} at {skip}");
    // An object that went by itself is refused for good.
    let refusals = ["401", "403", "404", "early 403", "301", "200 and a web page"];
    let refused = refusals.contains(&name);
    if !(refused && uploaded.missing.len() == 1) {
        assert_whole(&what, &bucket, &scene, &plan, &uploaded);
    }
    // What went together with it may have been cut off, but nothing else.
    let again = puts(&bucket).values().sum::<usize>() - COUNT;
    assert!(again <= 60, "{what}: {again} sent again");
}

#[test]
fn an_object_that_is_refused_for_good_is_named_and_the_rest_arrives() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", "/077").s3(403, "AccessDenied").forever());
    let scene = scene(&bucket, STALL_TIMEOUT, &[]);
    let uploaded = scene.upload(&small());
    assert!(uploaded.failure.is_none());
    assert_eq!(uploaded.files.len(), COUNT - 1);
    assert_eq!(uploaded.missing[0].name, "077 ä.log");
    let puts = puts(&bucket);
    let refused = puts.iter().find(|(path, _)| path.contains("/077")).unwrap().1;
    assert!(*refused <= 2, "it goes once with others and once by itself, not {refused} times");
}

#[test]
fn a_server_that_ends_every_connection_gets_one_request_at_a_time() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").header("Connection", "close").forever());
    let (scene, plan) = (scene(&bucket, STALL_TIMEOUT, &[]), small());
    let uploaded = scene.upload(&plan);
    assert_whole("close", &bucket, &scene, &plan, &uploaded);
    assert!(puts(&bucket).values().sum::<usize>() <= COUNT + 2);
}

#[test]
fn a_store_whose_answers_name_nothing_gets_one_request_at_a_time() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").respond(Response::new(200)).after_effect().forever());
    let scene = scene(&bucket, STALL_TIMEOUT, &[]);
    let uploaded = scene.upload(&small());
    assert_eq!(uploaded.files.len(), COUNT);
    assert!(puts(&bucket).values().sum::<usize>() <= COUNT + 2);
}

#[test]
fn a_store_that_asks_for_more_time_than_there_is_is_not_asked_twice() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").skip(30).retry_after(503, 3600).forever());
    let scene = scene(&bucket, STALL_TIMEOUT, &[("upload_timeout", "6s")]);
    let uploaded = scene.upload(&small());
    assert_eq!(uploaded.files.len() + uploaded.missing.len(), COUNT);
    let sent = puts(&bucket).values().sum::<usize>();
    assert!(
        sent <= COUNT + 2 * 8,
        "but for what two workers had sent when they heard of it: {sent}"
    );
}

#[test]
fn a_store_that_asks_for_patience_once_gets_one_request_at_a_time_for_a_while() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").skip(30).s3(503, "SlowDown"));
    // Soon after the eight that may have been sent together: the while is short.
    let failing = [40, 43, 46];
    failing.iter().for_each(|&at| bucket.fault(Fault::on("PUT", ".log").skip(at).html(500)));
    let (scene, plan) = (Scene::s3(&bucket, &[("jobs", "1")]), small());
    let uploaded = scene.upload(&plan);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    // What goes alone cuts off nothing else, so each of these costs one request more.
    let again = puts(&bucket).values().sum::<usize>() - COUNT;
    assert!(again <= 8 + failing.len(), "{again} sent again");
}

#[test]
fn a_cancel_ends_what_is_on_its_way() {
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("PUT", ".log").skip(30).stall().forever());
    let scene = scene(&bucket, STALL_TIMEOUT, &[]);
    let (cancel, agent) = (scene.submission.cancel.clone(), scene.submission.agents.store.clone());
    let began = std::time::Instant::now();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        cancel.cancel();
        agent.shut_down();
    });
    let uploaded = scene.upload(&small());
    canceller.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(uploaded.failure.is_some());
    assert_eq!(uploaded.files.len() + uploaded.missing.len(), COUNT);
}
