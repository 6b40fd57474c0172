//! Bad settings of a store: each is told in words of its own, by `check` and by an upload, before
//! anything is stored, and nothing is tried again that cannot succeed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

use std::sync::{Arc, Mutex};

use notify_pr::check::{Level, check};
use notify_pr::events::{Event, Events};
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::settings::{Origin, Settings};
use notify_pr::store;
use notify_pr::submission::{Cancel, Submission};
use notify_pr::upload::upload;
use notify_pr::{Report, Status};
use stand_ins::{Bucket, BucketOptions, FileServer, Identity, Options, Response, Server, Swift};
use tempfile::TempDir;

const SECRET: &str = "the-secret-of-this-lab";

/// Settings, what is expected of them, and how many requests may be sent at most.
struct Case<'c> {
    settings: Vec<(&'c str, &'c str)>,
    status: Status,
    words: &'c str,
    requests: usize,
}

fn s3<'c>(endpoint: &'c str, status: Status, words: &'c str, requests: usize) -> Case<'c> {
    let settings = vec![
        ("store_api", "s3"),
        ("store_endpoint", endpoint),
        ("store_container", "logs"),
        ("store_identity", "key"),
        ("store_secret", SECRET),
    ];
    Case { settings, status, words, requests }
}

fn swift<'c>(endpoint: &'c str, status: Status, words: &'c str, requests: usize) -> Case<'c> {
    let settings = vec![
        ("store_api", "swift"),
        ("store_endpoint", endpoint),
        ("store_identity", "lab:bot"),
        ("store_secret", SECRET),
    ];
    Case { settings, status, words, requests }
}

impl Case<'_> {
    fn holds(&self) {
        self.checked();
        self.uploaded();
    }

    fn checked(&self) {
        let mut report = Report::new();
        let usual = [
            ("pull_request", "none"),
            ("repo", "apache/cloudstack"),
            ("commit", "0123456789abcdef0123456789abcdef01234567"),
        ];
        for (name, value) in usual.iter().chain(&self.settings) {
            report.set(name, value).unwrap();
        }
        let checkup = check(&mut report);
        let json = checkup.to_json();
        let found = checkup.findings.iter().find(|each| each.level == Level::Fail);
        let found = found.unwrap_or_else(|| panic!("{:?}: {json}", self.settings));
        assert_eq!((found.check, checkup.status()), ("store_write", self.status), "{json}");
        let text = format!("{}: {}", found.text, found.advice.clone().unwrap_or_default());
        assert!(text.contains(self.words), "{:?}: {text}", self.settings);
        assert!(!json.contains(SECRET), "{json}");
    }

    fn uploaded(&self) {
        let mut settings = Settings::new();
        for (name, value) in &self.settings {
            settings.set(name, value, Origin::Api).unwrap();
        }
        let events = Arc::new(Events::new());
        let sent = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&sent);
        events.add_reader(move |event: &Event| {
            if matches!(event, Event::Request { .. }) {
                *counted.lock().unwrap() += 1;
            }
        });
        let submission = Submission::new(settings, events, Cancel::new()).unwrap();
        let store = store::choose(&submission).unwrap().unwrap();
        let object = |name: &str| Planned {
            name: name.to_owned(),
            key: name.to_owned(),
            size: 3,
            source: Source::Memory(b"log"[..].into()),
        };
        let plan = Plan { objects: vec![object("a.log"), object("b.log")], ..Plan::default() };
        let uploaded = upload(&submission, &*store, &plan, "ci/7d/id/");
        let failure = uploaded.failure.unwrap();
        assert!(failure.to_string().contains(self.words), "{:?}: {failure}", self.settings);
        assert!(!failure.to_string().contains(SECRET), "{failure}");
        assert_eq!((uploaded.files.len(), uploaded.missing.len()), (0, 2));
        let sent = *sent.lock().unwrap();
        assert!(sent <= self.requests, "{:?}: {sent} requests", self.settings);
    }
}

#[test]
fn http_where_https_answers_and_the_other_way_round_are_told() {
    let tls = Some(Identity::new());
    let bucket = Bucket::start_with(BucketOptions { tls: tls.clone(), ..BucketOptions::default() });
    let cloud = Swift::start_with(Options { tls, ..Options::default() });
    let (bucket, cloud) = (bucket.url(), cloud.endpoint("v3"));
    // The stand-ins just close; then it is looked, once, whether TLS would be answered.
    let plain = |url: &str| url.replace("https://", "http://").replace("localhost", "127.0.0.1");
    s3(&plain(&bucket), Status::StoreRefused, "begin store_endpoint with https://", 2).holds();
    swift(&plain(&cloud), Status::StoreRefused, "begin store_endpoint with https://", 2).holds();

    let (bucket, cloud) = (Bucket::start("logs"), Swift::start());
    let over_tls = |url: String| url.replace("http://", "https://");
    let (bucket, cloud) = (over_tls(bucket.url()), over_tls(cloud.endpoint("v3")));
    s3(&bucket, Status::StoreUnreachable, "does not speak https", 1).holds();
    swift(&cloud, Status::StoreUnreachable, "does not speak https", 1).holds();
}

#[test]
fn a_server_that_closes_every_connection_is_not_taken_for_one_with_tls() {
    let closes = Bucket::start("logs");
    closes.fault(stand_ins::Fault::on("PUT", "").close().forever());
    let url = closes.url();
    let mut case = s3(&url, Status::StoreUnreachable, "cannot be reached", 20);
    case.settings.push(("upload_timeout", "2s"));
    case.holds();
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_and_ca_file_helps() {
    let identity = Identity::new();
    let folder = TempDir::new().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, identity.ca_pem()).unwrap();
    let options = BucketOptions { tls: Some(Arc::clone(&identity)), ..BucketOptions::default() };
    let bucket = Bucket::start_with(options);
    let cloud = Swift::start_with(Options { tls: Some(identity), ..Options::default() });
    let (bucket_url, cloud_url) = (bucket.url(), cloud.endpoint("v3"));
    s3(&bucket_url, Status::StoreUnreachable, "in ca_file", 1).holds();
    swift(&cloud_url, Status::StoreUnreachable, "in ca_file", 1).holds();
    let mut report = Report::new();
    let trusted = [("ca_file", ca.to_str().unwrap()), ("pull_request", "none"), ("repo", "a/b")];
    let case = s3(&bucket_url, Status::Ok, "", 0);
    for (name, value) in case.settings.iter().chain(&trusted) {
        report.set(name, value).unwrap();
    }
    report.set("commit", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let checkup = check(&mut report);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
}

#[test]
fn what_is_no_store_is_called_so() {
    let folder = TempDir::new().unwrap();
    let website = FileServer::start(folder.path());
    let (url, v3) = (website.url(), format!("{}/v3", website.url()));
    s3(&url, Status::StoreRefused, "does not answer like an S3 service", 1).holds();
    swift(&url, Status::StoreRefused, "give the address of Keystone", 2).holds();
    swift(&v3, Status::StoreRefused, "give the address of Keystone", 1).holds();
    // Other programs answer otherwise; a login page among them.
    for (status, kind) in [(200, "text/html"), (403, "text/html"), (501, "text/html")] {
        let page = move |_: &stand_ins::Request| {
            Response::new(status).header("Content-Type", kind).body("<html>Welcome</html>")
        };
        let server = Server::start(page, Options::default());
        let (url, v3) = (server.url(), format!("{}/v3", server.url()));
        // Whether it is only the checksum that is not known is tried, after a 501.
        s3(&url, Status::StoreRefused, "does not answer like an S3 service", 2).holds();
        swift(&v3, Status::StoreRefused, "give the address of Keystone", 1).holds();
    }
}

#[test]
fn an_s3_service_that_is_asked_for_a_token_of_swift_is_called_by_its_name() {
    let refuses = |_: &stand_ins::Request| {
        let words = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>";
        Response::new(403).header("Content-Type", "application/xml").body(words)
    };
    let server = Server::start(refuses, Options::default());
    for version in ["auth/v1.0", "v2.0", "v3"] {
        let url = format!("{}/{version}", server.url());
        swift(&url, Status::StoreRefused, "answers like an S3 service", 1).holds();
        swift(&url, Status::StoreRefused, "store_api = s3", 1).holds();
    }
}

#[test]
fn a_closed_port_is_tried_again_and_told() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (url, v3) = (format!("http://{closed}"), format!("http://{closed}/v3"));
    for mut case in [
        s3(&url, Status::StoreUnreachable, "check store_endpoint", 20),
        swift(&v3, Status::StoreUnreachable, "check store_endpoint", 20),
    ] {
        case.settings.push(("upload_timeout", "2s"));
        case.holds();
    }
}

#[test]
fn a_wrong_secret_and_a_bucket_that_is_not_there_cost_a_request_or_two() {
    let cloud = Swift::start();
    let v3 = cloud.endpoint("v3");
    swift(&v3, Status::StoreRefused, "secret is wrong", 2).holds();
    let gone = Bucket::start_with(BucketOptions { exists: false, ..BucketOptions::default() });
    let url = gone.url();
    s3(&url, Status::StoreRefused, "does not exist", 1).holds();
    let mut bad_name = s3(&url, Status::StoreRefused, "cannot be the name of a bucket", 1);
    gone.fault(stand_ins::Fault::on("PUT", "").s3(400, "InvalidBucketName").forever());
    bad_name.settings.retain(|(name, _)| *name != "store_container");
    bad_name.settings.push(("store_container", "x"));
    bad_name.holds();
}

#[test]
fn a_bucket_that_may_not_be_looked_at_is_used_and_what_is_wrong_is_told_by_the_first_object() {
    let create = ("store_create", "true");
    let bucket = Bucket::start("logs");
    bucket.fault(stand_ins::Fault::on("HEAD", "/logs").respond(Response::new(403)).forever());
    let url = bucket.url();
    let mut report = Report::new();
    let mut good = s3(&url, Status::Ok, "", 0);
    good.settings.extend([create, ("pull_request", "none"), ("repo", "a/b")]);
    for (name, value) in &good.settings {
        report.set(name, value).unwrap();
    }
    report.set("commit", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let checkup = check(&mut report);
    assert_eq!(checkup.status(), Status::Ok, "{}", checkup.to_json());
    for (status, code, words) in [
        (403, "SignatureDoesNotMatch", "check store_secret"),
        (403, "AccessDenied", "s3:PutObject"),
        (404, "NoSuchBucket", "does not exist"),
    ] {
        bucket.clear_faults();
        bucket.fault(stand_ins::Fault::on("HEAD", "/logs").respond(Response::new(403)).forever());
        bucket.fault(stand_ins::Fault::on("PUT", "").s3(status, code).forever());
        let mut bad = s3(&url, Status::StoreRefused, words, 2);
        bad.settings.push(create);
        bad.holds();
    }
}
