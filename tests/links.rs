//! Which way the public reads: decided, proven, explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod run;

use std::sync::{Arc, Mutex};

use notify_pr::content::{Body, Checksum};
use notify_pr::events::{Event, Events};
use notify_pr::links::{self, Links};
use notify_pr::settings::{Origin, Settings};
use notify_pr::store::{self, Access, MARKER, Meta, Store};
use notify_pr::submission::{Cancel, Submission};
use notify_pr::{Error, Status};
use run::{Run, go_on};
use stand_ins::{Bucket, BucketOptions, Fault, FileServer};
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;

const KEY: &str = "notify_pr/7d/2026-11-23/apache/cloudstack/pr-1/0123/a b.log";

/// A store and what was said of it.
struct Scene {
    submission: Submission,
    store: Box<dyn Store>,
    warnings: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new(settings: &[(&str, &str)]) -> Scene {
        let mut all = Settings::new();
        for (name, value) in settings {
            all.set(name, value, Origin::Api).unwrap();
        }
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let events = Events::new();
        let heard = Arc::clone(&warnings);
        events.add_reader(move |event: &Event| {
            if let Event::Warning(text) = event {
                heard.lock().unwrap().push(text.clone());
            }
        });
        let submission = Submission::new(all, Arc::new(events), Cancel::new()).unwrap();
        let store = store::choose(&submission).unwrap().unwrap();
        Scene { submission, store, warnings }
    }

    fn s3(bucket: &Bucket, more: &[(&str, &str)]) -> Scene {
        let url = bucket.url();
        let mut settings = vec![
            ("store_api", "s3"),
            ("store_endpoint", url.as_str()),
            ("store_container", "logs"),
            ("store_identity", "example-id"),
            ("store_secret", "example-secret"),
        ];
        settings.extend(more);
        Scene::new(&settings)
    }

    fn put(&self, key: &str) {
        let meta =
            Meta { content_type: "text/plain".to_owned(), content_encoding: None, expires: None };
        self.store
            .put(key, &Body::memory(&b"the log"[..], Checksum::Sha256), &meta, &|_| true)
            .unwrap();
    }

    fn decide(&self, private: bool) -> Result<Links, Error> {
        links::decide(&self.submission, &*self.store, KEY, private)
    }

    fn warned(&self, words: &str) -> bool {
        self.warnings.lock().unwrap().iter().any(|text| text.contains(words))
    }
}

fn bucket(public: bool, acls: bool) -> Bucket {
    Bucket::start_with(BucketOptions { public, acls, ..BucketOptions::default() })
}

#[test]
fn objects_get_an_acl_only_when_they_shall_be_public() {
    for (access, expected, way) in [
        ("auto", None, Access::Signed),
        ("signed", None, Access::Signed),
        ("public", Some("public-read"), Access::Public),
    ] {
        let bucket = bucket(false, true);
        let scene = Scene::s3(&bucket, &[("store_access", access)]);
        scene.put(KEY);
        assert_eq!(bucket.object(KEY).unwrap().header("x-amz-acl"), expected, "{access}");
        assert_eq!(scene.decide(false).unwrap().access, Some(way), "{access}");
        assert!(scene.warnings.lock().unwrap().is_empty(), "{access}");
    }
}

#[test]
fn large_objects_get_the_acl_when_they_are_begun() {
    let bucket = bucket(false, true);
    let scene = Scene::s3(&bucket, &[("store_access", "public")]);
    let meta =
        Meta { content_type: "text/plain".to_owned(), content_encoding: None, expires: None };
    scene.store.begin(KEY, &meta).unwrap();
    let begun = &bucket.requests()[0];
    assert_eq!(begun.header("x-amz-acl"), Some("public-read"));
}

#[test]
fn a_bucket_that_takes_no_acls_gets_objects_without_and_the_operator_gets_the_policy() {
    let bucket = bucket(false, false);
    let scene = Scene::s3(&bucket, &[("store_access", "public"), ("store_prefix", "ci/logs")]);
    scene.put(KEY);
    scene.put("another.log");
    let puts = bucket.requests();
    let acls: Vec<bool> = puts.iter().map(|put| put.header("x-amz-acl").is_some()).collect();
    assert_eq!(acls, [true, false, false], "it is tried once");
    let decided = scene.decide(false).unwrap();
    assert_eq!(decided.access, Some(Access::Signed), "links that open are better than none");
    for words in [
        "takes no ACLs",
        "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::logs/ci/logs/*\"",
        "put-bucket-policy --bucket logs",
    ] {
        assert!(scene.warned(words), "{words}: {:?}", scene.warnings);
    }
}

#[test]
fn an_acl_that_is_taken_and_does_nothing_is_found_out() {
    let bucket = bucket(false, true);
    bucket.fault(Fault::on("GET", "a%20b.log").s3(403, "AccessDenied").skip(1));
    let scene = Scene::s3(&bucket, &[("store_access", "public")]);
    scene.put(KEY);
    assert_eq!(scene.decide(false).unwrap().access, Some(Access::Signed));
    assert!(scene.warned("is not public"));
}

#[test]
fn signed_means_signed_even_where_everything_is_public() {
    let bucket = bucket(true, false);
    let scene = Scene::s3(&bucket, &[("store_access", "signed")]);
    scene.put(KEY);
    assert_eq!(scene.decide(false).unwrap().access, Some(Access::Signed));
}

#[test]
fn a_folder_has_no_signed_links() {
    let mut settings = Settings::new();
    for (name, value) in [
        ("store_api", "directory"),
        ("store_endpoint", "/srv/logs"),
        ("store_public_url", "https://logs.example.org"),
        ("store_access", "signed"),
    ] {
        settings.set(name, value, Origin::Api).unwrap();
    }
    let submission = Submission::new(settings, Arc::new(Events::new()), Cancel::new()).unwrap();
    let refused = store::choose(&submission).map(drop).unwrap_err();
    assert_eq!(refused.status(), Status::BadSetting);
    assert!(refused.to_string().contains("store_access"), "{refused}");
}

#[test]
fn files_of_a_private_repository_go_nowhere_that_everybody_can_read() {
    for (public, access, expected) in [
        (true, "auto", None),
        (true, "signed", None),
        (true, "public", Some(Access::Public)),
        (false, "auto", Some(Access::Signed)),
        (false, "signed", Some(Access::Signed)),
    ] {
        let bucket = bucket(public, false);
        let scene = Scene::s3(&bucket, &[("store_access", access)]);
        scene.put(KEY);
        match (scene.decide(true), expected) {
            (Ok(links), expected) => assert_eq!(links.access, expected, "{public} {access}"),
            (Err(error), None) => {
                assert_eq!(error.status(), Status::StoreRefused);
                assert!(error.to_string().contains("store_access = public"), "{error}");
            }
            (Err(error), Some(_)) => panic!("{public} {access}: {error}"),
        }
    }
    // The same for a folder that a web server shows.
    let folder = TempDir::new().unwrap();
    let server = FileServer::start(folder.path());
    let (path, url) = (folder.path().to_str().unwrap(), server.url());
    let settings =
        [("store_api", "directory"), ("store_endpoint", path), ("store_public_url", url.as_str())];
    let scene = Scene::new(&settings);
    scene.put(KEY);
    assert!(scene.decide(true).is_err());
    server.fault(Fault::on("GET", "").status(401).forever());
    let decided = scene.decide(true).unwrap();
    assert_eq!(decided.access, Some(Access::Public), "a web server that asks who is there");
}

#[test]
fn signed_links_last_as_long_as_they_should_whatever_this_machine_s_clock_says() {
    for days in [-8, 0, 8] {
        let bucket = bucket(false, false);
        bucket.set_clock_ahead(days * 86_400);
        let scene = Scene::s3(&bucket, &[]);
        scene.put(KEY);
        let decided = scene.decide(false).unwrap();
        assert_eq!(decided.access, Some(Access::Signed), "{days}");
        let link = scene.store.link(KEY, Access::Signed, decided.until).unwrap();
        let (_, seconds) = link.split_once("X-Amz-Expires=").unwrap();
        let seconds: i64 = seconds.split('&').next().unwrap().parse().unwrap();
        assert!((604_700..=604_800).contains(&seconds), "{days}: {seconds}");
    }
}

#[test]
fn temporary_credentials_sign_no_link_in_a_public_comment() {
    let bucket = bucket(false, false);
    let ends =
        time::OffsetDateTime::now_utc().replace_nanosecond(0).unwrap() + time::Duration::hours(12);
    let end = ends.format(&Rfc3339).unwrap();
    let token = ("store_session_token", "example-session-token");
    let scene = Scene::s3(&bucket, &[token, ("store_session_end", &end)]);
    scene.put(KEY);
    let decided = scene.decide(false).unwrap();
    assert_eq!(decided.access, None);
    assert!(decided.caution.unwrap().contains("temporary credentials"));
    assert!(scene.warned("temporary") && scene.warned("s3:GetObject"));
    // In a private repository only members see the comment.
    let decided = scene.decide(true).unwrap();
    assert_eq!((decided.access, decided.until), (Some(Access::Signed), ends));
    let link = scene.store.link(KEY, Access::Signed, ends).unwrap();
    assert!(link.contains("X-Amz-Security-Token=example-session-token"), "{link}");
    let scene = Scene::s3(&bucket, &[token]);
    let decided = scene.decide(true).unwrap();
    assert!(decided.caution.unwrap().contains("end with the temporary credentials"));
    // What is public needs no signature.
    let public = self::bucket(true, false);
    let scene = Scene::s3(&public, &[token]);
    scene.put(KEY);
    assert_eq!(scene.decide(false).unwrap().access, Some(Access::Public));
}

#[test]
fn an_end_of_credentials_that_is_no_time_is_refused_at_once() {
    let mut settings = Settings::new();
    for (name, value) in [
        ("store_api", "s3"),
        ("store_endpoint", "https://s3.example.org/logs"),
        ("store_identity", "example-id"),
        ("store_secret", "example-secret"),
        ("store_session_end", "tomorrow"),
    ] {
        settings.set(name, value, Origin::Api).unwrap();
    }
    let submission = Submission::new(settings, Arc::new(Events::new()), Cancel::new()).unwrap();
    let refused = store::choose(&submission).map(drop).unwrap_err();
    assert!(refused.to_string().contains("2026-11-30T12:00:00Z"), "{refused}");
}

#[test]
fn a_bucket_that_everybody_can_list_is_warned_of() {
    for (public, listable) in [(true, true), (true, false), (false, true), (false, false)] {
        let options = BucketOptions { public, listable, ..BucketOptions::default() };
        let bucket = Bucket::start_with(options);
        let scene = Scene::s3(&bucket, &[]);
        // The marker is what is looked for in practice, and it has a plain name.
        let key = format!("{}{MARKER}", KEY.trim_end_matches("a b.log"));
        scene.put(&key);
        let decided = links::decide(&scene.submission, &*scene.store, &key, false).unwrap();
        let way = if public { Access::Public } else { Access::Signed };
        assert_eq!(decided.access, Some(way));
        assert_eq!(scene.warned("can list the container"), listable, "{public}");
    }
}

#[test]
fn no_log_of_a_private_repository_is_uploaded_to_a_public_bucket() {
    let run = Run::new(bucket(true, false), true);
    let failure = run.report(&[]).submit(&mut go_on).unwrap_err();
    assert_eq!(failure.error.status(), Status::StoreRefused, "{failure}");
    assert!(run.bucket.keys().is_empty(), "{:?}", run.bucket.keys());
    let puts = run.bucket.requests().iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, 1, "only the marker was there, for a moment");
    let comment = run.comment();
    assert!(comment.contains("secret.log"), "{comment}");
    assert!(comment.contains("everybody can read what is stored here"), "{comment}");
}

#[test]
fn whether_everybody_can_read_the_files_of_a_private_repository_is_never_guessed() {
    type Trouble = fn(Fault) -> Fault;
    let troubles: [(&str, Trouble); 5] = [
        ("503", |fault| fault.s3(503, "SlowDown")),
        ("429", |fault| fault.status(429)),
        ("reset", |fault| fault.reset()),
        ("close", |fault| fault.close()),
        ("half an answer", |fault| fault.truncate(5)),
    ];
    for (name, trouble) in troubles {
        for (lasts, words) in [
            (false, "everybody can read what is stored here"),
            (true, "it could not be found out whether everybody can read"),
        ] {
            let run = Run::new(bucket(true, false), true);
            let fault = trouble(Fault::on("GET", "run.json"));
            run.bucket.fault(if lasts { fault.forever() } else { fault });
            let failure = run.report(&[]).submit(&mut go_on).unwrap_err();
            assert_eq!(failure.error.status(), Status::StoreRefused, "{name}: {failure}");
            assert!(failure.to_string().contains(words), "{name}: {failure}");
            assert!(run.bucket.keys().is_empty(), "{name}: {:?}", run.bucket.keys());
            let puts = run.bucket.requests().iter().filter(|each| each.method == "PUT").count();
            assert_eq!(puts, 1, "{name}: only the marker was there, for a moment");
            assert!(run.comment().contains(words), "{name}: {}", run.comment());
        }
    }
}

#[test]
fn the_comment_says_that_nobody_can_read_and_the_receipt_what_to_change() {
    let run = Run::new(bucket(false, false), false);
    run.bucket.fault(Fault::on("GET", "X-Amz-Signature").s3(403, "AccessDenied").forever());
    let receipt = run.report(&[]).submit(&mut go_on).unwrap();
    assert!(run.comment().contains("The logs are not public"), "{}", run.comment());
    assert!(!run.comment().contains(&run.bucket.url()), "no dead link: {}", run.comment());
    let told = |words: &str| receipt.warnings.iter().any(|each| each.reason.contains(words));
    assert!(told("put-bucket-policy") && told("s3:GetObject"), "{:?}", receipt.warnings);
}

#[test]
fn the_comment_names_the_day_on_which_the_files_really_go() {
    let day = |at: time::OffsetDateTime| {
        let format =
            time::macros::format_description!("[day padding:none] [month repr:long] [year]");
        at.format(format).unwrap()
    };
    let now = time::OffsetDateTime::now_utc();
    let ends = (now + time::Duration::hours(20)).format(&Rfc3339).unwrap();
    let rule = "<LifecycleConfiguration><Rule><ID>soon</ID><Filter/><Status>Enabled</Status>\
                <Expiration><Days>2</Days></Expiration></Rule></LifecycleConfiguration>";
    type Row<'r> = (bool, Option<&'r str>, &'r [(&'r str, &'r str)], time::Duration);
    let rows: [Row<'_>; 4] = [
        (true, None, &[("store_expire_days", "30")], time::Duration::days(30)),
        // Signed links end earlier than the files, and those of credentials that end with them.
        (false, None, &[("store_expire_days", "30")], time::Duration::days(7)),
        (
            false,
            None,
            &[("store_session_token", "example-session"), ("store_session_end", &ends)],
            time::Duration::hours(20),
        ),
        // What somebody else's rule removes earlier is not promised for longer.
        (true, Some(rule), &[("store_expire_days", "30")], time::Duration::days(2)),
    ];
    for (public, rule, settings, expected) in rows {
        let options = BucketOptions { public, lifecycle: true, ..BucketOptions::default() };
        let run = Run::new(Bucket::start_with(options), !public);
        if let Some(rule) = rule {
            run.bucket.set_lifecycle(rule);
        }
        let receipt = run.report(settings).submit(&mut go_on).unwrap();
        let comment = run.comment();
        let text = format!("until {}", day(now + expected));
        assert!(comment.contains("The links were not verified from outside"), "{comment}");
        let hour = expected < time::Duration::days(2);
        assert_eq!(comment.contains(&format!("{text}, ")), hour, "{settings:?}: {comment}");
        assert!(comment.contains(&text), "{settings:?}: {text}: {comment}");
        let until = time::OffsetDateTime::parse(&receipt.expires.unwrap(), &Rfc3339).unwrap();
        assert!((until - now - expected).abs() < time::Duration::minutes(5), "{until}");
    }
}
