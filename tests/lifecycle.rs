//! What removes the files: a rule of the bucket, or the next run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod services;

use std::sync::Arc;

use notify_pr::content::{Body, Checksum};
use notify_pr::events::Events;
use notify_pr::links::Links;
use notify_pr::settings::{Origin, Settings};
use notify_pr::store::{self, Access, Expiry, MARKER, Marker, Meta, Removal, Store};
use notify_pr::submission::{Cancel, Submission};
use services::Service;
use stand_ins::{Bucket, BucketOptions, Fault};
use time::macros::datetime;

const NOW: time::OffsetDateTime = datetime!(2026-10-24 23:59 UTC);

fn open(settings: &[(&str, &str)]) -> Box<dyn Store> {
    let mut all = Settings::new();
    for (name, value) in settings {
        all.set(name, value, Origin::Api).unwrap();
    }
    let submission = Submission::new(all, Arc::new(Events::new()), Cancel::new()).unwrap();
    store::choose(&submission).unwrap().unwrap()
}

fn stand_in(bucket: &Bucket, more: &[(&str, &str)]) -> Box<dyn Store> {
    let url = bucket.url();
    let mut settings = vec![
        ("store_api", "s3"),
        ("store_endpoint", url.as_str()),
        ("store_container", "logs"),
        ("store_prefix", "ci"),
        ("store_identity", "example-id"),
        ("store_secret", "example-secret"),
    ];
    settings.extend(more);
    open(&settings)
}

fn real(service: &Service, more: &[(&str, &str)]) -> Box<dyn Store> {
    let mut settings = vec![
        ("store_api", "s3"),
        ("store_endpoint", service.endpoint.as_str()),
        ("store_container", "ci-logs"),
        ("store_prefix", "ci"),
        ("store_create", "true"),
        ("store_identity", service.access_key.as_str()),
        ("store_secret", service.secret_key.as_str()),
    ];
    settings.extend(more);
    let store = open(&settings);
    store.prepare().unwrap();
    store
}

fn with_rules() -> Bucket {
    Bucket::start_with(BucketOptions { lifecycle: true, ..BucketOptions::default() })
}

fn rule(id: &str, prefix: &str, days: u32) -> String {
    format!(
        "<Rule>\n<ID>{id}</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status>\
         <Expiration><Days>{days}</Days></Expiration></Rule>"
    )
}

fn rules(rules: &[String]) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}\
         </LifecycleConfiguration>",
        rules.concat()
    )
}

fn methods(bucket: &Bucket) -> Vec<String> {
    let requests = bucket.requests();
    requests.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

fn put(store: &dyn Store, key: &str, bytes: &[u8]) {
    let meta =
        Meta { content_type: "text/plain".to_owned(), content_encoding: None, expires: None };
    store.put(key, &Body::memory(bytes, Checksum::Sha256), &meta, &|_| true).unwrap();
}

fn keys(store: &dyn Store) -> Vec<String> {
    let page = store.list("", None).unwrap();
    page.objects.into_iter().map(|object| object.key).collect()
}

/// Makes a run of that day, with a marker that ends when it should.
fn run_of(
    store: &dyn Store,
    days: u32,
    date: &str,
    submission: &str,
    expires: &str,
) -> [String; 2] {
    let folder = format!("ci/{days}d/{date}/apache/cloudstack/pr-1/{submission}");
    let marker = format!(
        "{{\"notify_pr\":1,\"submission\":\"{submission}\",\"expires\":\"{expires}T12:00:00Z\"}}"
    );
    assert!(serde_json::from_str::<Marker>(&marker).is_ok());
    let keys = [format!("{folder}/{MARKER}"), format!("{folder}/logs/a&b <ü>.log")];
    put(store, &keys[0], marker.as_bytes());
    put(store, &keys[1], b"log");
    keys
}

#[test]
fn a_rule_that_covers_the_folder_is_relied_on_and_nothing_is_swept() {
    let bucket = with_rules();
    let text = rules(&[rule("others", "other/", 1), rule("logs", "ci/", 7)]);
    bucket.set_lifecycle(&text);
    for mode in ["check", "manage"] {
        let store = stand_in(&bucket, &[("store_lifecycle", mode)]);
        let expected = Expiry { removal: Removal::Rule("logs".to_owned()), early: None };
        assert_eq!(store.expiry().unwrap(), expected, "{mode}");
        assert_eq!(store.sweep(NOW, &|| true).unwrap(), 0);
        assert_eq!(bucket.lifecycle(), Some(text.clone()));
    }
    assert_eq!(methods(&bucket), ["GET /logs?lifecycle=", "GET /logs?lifecycle="]);
}

#[test]
fn a_rule_is_added_only_when_that_is_wanted_and_others_stay_to_the_byte() {
    let bucket = with_rules();
    let before = rules(&[rule("theirs", "ci/30d/", 30), rule("too-late", "", 400)]);
    bucket.set_lifecycle(&before);
    let checked = stand_in(&bucket, &[]).expiry().unwrap();
    assert!(matches!(checked.removal, Removal::NextRun(why) if why.contains("manage")));
    assert_eq!(bucket.lifecycle().as_ref(), Some(&before));

    let managed = stand_in(&bucket, &[("store_lifecycle", "manage")]);
    let ours = Removal::Rule("notify_pr-ci-7d".to_owned());
    assert_eq!(managed.expiry().unwrap().removal, ours);
    let after = bucket.lifecycle().unwrap();
    let (head, tail) = before.split_at(before.find("</LifecycleConfiguration>").unwrap());
    assert!(after.starts_with(head) && after.ends_with(tail), "{after}");
    assert!(after.contains("<DaysAfterInitiation>1</DaysAfterInitiation>"));

    // Another job, which keeps its files for longer, adds its own.
    let longer = [("store_lifecycle", "manage"), ("store_expire_days", "14")];
    let ours = Removal::Rule("notify_pr-ci-14d".to_owned());
    assert_eq!(stand_in(&bucket, &longer).expiry().unwrap().removal, ours);
    let both = bucket.lifecycle().unwrap();
    assert!(both.contains("notify_pr-ci-7d") && both.starts_with(head));
    // Once it is there nothing is sent again.
    bucket.forget_requests();
    stand_in(&bucket, &longer).expiry().unwrap();
    assert_eq!(methods(&bucket), ["GET /logs?lifecycle="]);
}

#[test]
fn a_bucket_without_rules_gets_its_first() {
    let bucket = with_rules();
    let store = stand_in(&bucket, &[("store_lifecycle", "manage")]);
    assert!(matches!(store.expiry().unwrap().removal, Removal::Rule(_)));
}

#[test]
fn a_server_that_knows_less_gets_a_plainer_rule() {
    let bucket = with_rules();
    bucket.fault(Fault::on("PUT", "lifecycle").s3(400, "MalformedXML"));
    let store = stand_in(&bucket, &[("store_lifecycle", "manage")]);
    assert!(matches!(store.expiry().unwrap().removal, Removal::Rule(_)));
    assert!(!bucket.lifecycle().unwrap().contains("AbortIncomplete"));
}

#[test]
fn a_rule_that_cannot_be_read_or_added_is_said_and_the_next_run_removes() {
    for (method, status, code, words) in [
        ("GET", 403, "AccessDenied", "cannot be read"),
        ("GET", 501, "NotImplemented", "cannot be read"),
        ("PUT", 403, "AccessDenied", "s3:PutLifecycleConfiguration"),
        ("PUT", 400, "MalformedXML", "s3:PutLifecycleConfiguration"),
    ] {
        let bucket = with_rules();
        bucket.fault(Fault::on(method, "lifecycle").s3(status, code).forever());
        let store = stand_in(&bucket, &[("store_lifecycle", "manage")]);
        let expiry = store.expiry().unwrap();
        match expiry.removal {
            Removal::NextRun(why) => assert!(why.contains(words), "{method} {code}: {why}"),
            other => panic!("{method} {code}: {other:?}"),
        }
        assert_eq!(bucket.lifecycle(), None);
    }
    // A server that forgets what it was given is found out.
    let bucket = with_rules();
    bucket.fault(Fault::on("PUT", "lifecycle").status(200).forever());
    let store = stand_in(&bucket, &[("store_lifecycle", "manage")]);
    assert!(matches!(store.expiry().unwrap().removal, Removal::NextRun(_)));
}

#[test]
fn a_rule_that_comes_earlier_makes_the_date_earlier() {
    let bucket = with_rules();
    bucket.set_lifecycle(&rules(&[rule("soon", "", 2)]));
    let expiry = stand_in(&bucket, &[]).expiry().unwrap();
    let early = expiry.early.unwrap();
    let days = (early - time::OffsetDateTime::now_utc()).whole_hours();
    assert!((47..=48).contains(&days), "{early}");
    let until = early + time::Duration::days(5);
    let mut links = Links { access: Some(Access::Public), until, caution: None };
    links.shorten(&expiry);
    assert_eq!(links.until, early);
}

/// Old runs of ours go; those of other days, prefixes and programs stay.
fn sweeps(store: &dyn Store) {
    run_of(store, 7, "2026-10-01", "old", "2026-10-08");
    run_of(store, 7, "2026-10-02", "old-too", "2026-10-09");
    let kept = [
        run_of(store, 7, "2026-10-20", "fresh", "2026-10-27"),
        run_of(store, 7, "2026-10-17", "last-day", "2026-10-24"),
        run_of(store, 30, "2026-09-01", "other-days", "2026-10-01"),
        run_of(store, 7, "2026-10-02", "prolonged", "2027-01-01"),
        run_of(store, 7, "not-a-day", "strange", "2026-10-08"),
    ];
    let foreign = "ci/7d/2026-10-01/apache/cloudstack/pr-1/foreign/x";
    put(store, foreign, b"no marker");
    let renamed = "ci/7d/2026-10-01/apache/cloudstack/pr-1/renamed";
    let marker = br#"{"notify_pr":1,"submission":"other","expires":"2026-10-08T12:00:00Z"}"#;
    put(store, &format!("{renamed}/{MARKER}"), marker);
    put(store, "other/7d/2026-10-01/apache/cloudstack/pr-1/old/x", b"another prefix");
    assert_eq!(store.sweep(NOW, &|| true).unwrap(), 4);
    let left = keys(store);
    assert_eq!(left.len(), 2 * kept.len() + 3, "{left:?}");
    for key in kept.concat() {
        assert!(left.contains(&key), "{key}");
    }
    assert_eq!(store.sweep(NOW, &|| true).unwrap(), 0);
}

/// What another version of this program marked stays and is named; what it adds is ignored.
fn leaves_what_another_version_marked(store: &dyn Store) {
    let known = run_of(store, 7, "2026-10-01", "known", "2026-10-08");
    let strange = run_of(store, 7, "2026-10-02", "strange", "2026-10-09");
    let marker = |layout: u32, name: &str| {
        format!(
            "{{\"notify_pr\":{layout},\"submission\":\"{name}\",\"expires\":\
             \"2026-10-09T12:00:00Z\",\"kept_by\":[1]}}"
        )
    };
    put(store, &known[0], marker(1, "known").as_bytes());
    put(store, &strange[0], marker(2, "strange").as_bytes());
    let said = store.sweep(NOW, &|| true).unwrap_err().to_string();
    assert!(said.contains("1 run past the day stays") && said.contains("layout 2"), "{said}");
    assert_eq!(keys(store), strange);
}

#[test]
fn a_run_that_another_version_marked_stays_past_its_day_and_is_named() {
    leaves_what_another_version_marked(&*stand_in(&Bucket::start("logs"), &[]));
    let folder = tempfile::TempDir::new().unwrap();
    let settings = [
        ("store_api", "directory"),
        ("store_endpoint", folder.path().to_str().unwrap()),
        ("store_public_url", "http://logs.example.org"),
        ("store_prefix", "ci"),
    ];
    leaves_what_another_version_marked(&*open(&settings));
}

#[test]
fn without_a_rule_old_runs_of_ours_are_swept_and_nothing_else() {
    sweeps(&*stand_in(&Bucket::start("logs"), &[]));
    // One after the other where DeleteObjects is not known.
    let bucket = Bucket::start("logs");
    bucket.fault(Fault::on("POST", "delete").s3(501, "NotImplemented").forever());
    sweeps(&*stand_in(&bucket, &[]));
}

#[test]
fn a_sweep_is_bounded_and_goes_on_with_the_next_run() {
    let bucket = Bucket::start("logs");
    let store = stand_in(&bucket, &[]);
    let [_, log] = run_of(&*store, 7, "2026-10-01", "old", "2026-10-08");
    let folder = log.split("/logs/").next().unwrap().to_owned();
    for number in 0..2500 {
        bucket.put(&format!("{folder}/many/{number:04}"), b"x");
    }
    bucket.forget_requests();
    let mut swept = Vec::new();
    loop {
        let count = store.sweep(NOW, &|| true).unwrap();
        if count == 0 {
            break;
        }
        assert!(count <= 1001, "{count}");
        swept.push(count);
    }
    assert_eq!(swept.iter().sum::<u64>(), 2502);
    assert!(swept.len() >= 3, "{swept:?}");
    assert!(bucket.keys().is_empty());
    let requests = methods(&bucket).len();
    assert!(requests < 40, "{requests}");
}

#[test]
fn a_machine_whose_clock_is_ahead_removes_nothing_before_its_day() {
    let day = |days: i64| {
        let at = time::OffsetDateTime::now_utc() + time::Duration::days(days);
        at.date().to_string()
    };
    for (ahead, swept) in [(0, 2), (40, 0)] {
        let bucket = Bucket::start("logs");
        let store = stand_in(&bucket, &[]);
        run_of(&*store, 7, &day(-20), "old", &day(-13));
        // The store's clock is that of the others.
        bucket.set_clock_ahead(-ahead * 86_400);
        let store = stand_in(&bucket, &[]);
        assert_eq!(store.sweep(time::OffsetDateTime::now_utc(), &|| true).unwrap(), swept);
        assert_eq!(bucket.keys().len(), 2 - swept as usize);
    }
}

#[test]
fn objects_that_may_not_be_removed_are_an_error_that_says_so() {
    let bucket = Bucket::start("logs");
    let store = stand_in(&bucket, &[]);
    run_of(&*store, 7, "2026-10-01", "old", "2026-10-08");
    let body = "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    let answer = stand_ins::Response::new(200).header("content-type", "application/xml").body(body);
    bucket.fault(Fault::on("POST", "delete").respond(answer));
    let refused = store.sweep(NOW, &|| true).unwrap_err().to_string();
    assert!(refused.contains("AccessDenied") && refused.contains("s3:DeleteObject"), "{refused}");
}

#[test]
fn seaweedfs_gets_a_rule_and_keeps_it() {
    let Some(service) = services::seaweedfs() else { return };
    let store = real(&service, &[]);
    assert!(matches!(store.expiry().unwrap().removal, Removal::NextRun(_)));
    sweeps(&*store);
    let managed = real(&service, &[("store_lifecycle", "manage")]);
    let rule = managed.expiry().unwrap().removal;
    assert_eq!(rule, Removal::Rule("notify_pr-ci-7d".to_owned()));
    let longer = [("store_lifecycle", "manage"), ("store_expire_days", "14")];
    let rule = real(&service, &longer).expiry().unwrap().removal;
    assert_eq!(rule, Removal::Rule("notify_pr-ci-14d".to_owned()));
    // Both are there now, and enough for who only looks.
    let rule = real(&service, &[]).expiry().unwrap().removal;
    assert_eq!(rule, Removal::Rule("notify_pr-ci-7d".to_owned()));
}

#[test]
fn swift_takes_no_rules_over_s3_and_is_swept() {
    let Some(service) = services::swift() else { return };
    let store = real(&service, &[("store_lifecycle", "manage")]);
    match store.expiry().unwrap().removal {
        Removal::NextRun(why) => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    }
    sweeps(&*store);
}
