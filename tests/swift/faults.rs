//! What a good cluster never does: tokens that end, servers that fail, answers that are wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use notify_pr::store::Fault as Outcome;
use stand_ins::{Fault, Identity, Options, Response, Server, Swift};

use super::client::{DAY, Made, body, meta, store, try_store};

/// The three versions that the stand-in speaks.
const VERSIONS: [&str; 3] = ["v3", "v2.0", "auth/v1.0"];

pub(super) fn login<'a>(endpoint: &'a str, more: &[(&'a str, &'a str)]) -> Made {
    let mut pairs = vec![
        ("store_endpoint", endpoint),
        ("store_identity", "lab:bot"),
        ("store_secret", "right-secret"),
    ];
    pairs.extend(more);
    store(&pairs)
}

pub(super) fn try_put(
    made: &Made,
    key: &str,
    bytes: &[u8],
) -> Result<(), notify_pr::store::StoreError> {
    made.store.put(key, &body(bytes), &meta(DAY), &|_| true)
}

#[test]
fn every_version_of_the_identity_service_is_spoken() {
    for version in VERSIONS {
        let stand_in = Swift::start();
        let endpoint = stand_in.endpoint(version);
        let made = login(&endpoint, &[]);
        made.put("run/a.log", b"text", DAY);
        assert_eq!(stand_in.object("run/a.log").unwrap(), b"text");
        assert_eq!((stand_in.given(), made.requests()), (1, 2), "{version}");
    }
}

#[test]
fn an_old_keystone_is_found_by_its_list_of_versions() {
    let stand_in = Swift::start();
    stand_in.state().versions = vec!["v2.0"];
    let endpoint = stand_in.endpoint("");
    let made = login(&endpoint, &[]);
    made.put("a.log", b"text", DAY);
    // The password went nowhere else, whatever host the list names, and it is found only once.
    assert_eq!(made.requests(), 4);
    stand_in.forget_tokens();
    made.put("b.log", b"text", DAY);
    assert_eq!(made.requests(), 7);
}

#[test]
fn a_token_that_is_forgotten_is_renewed_and_the_file_is_sent_again_whole() {
    for version in VERSIONS {
        let stand_in = Swift::start();
        let endpoint = stand_in.endpoint(version);
        let made = login(&endpoint, &[]);
        made.put("a.log", b"text", DAY);
        for size in [100_000_usize, 3_000_000] {
            stand_in.forget_tokens();
            let bytes: Vec<u8> = (0..size).map(|n| (n % 249) as u8).collect();
            let counted = AtomicU64::new(0);
            let count = |bytes| {
                counted.fetch_add(bytes, Ordering::Relaxed);
                true
            };
            made.store.put("b.bin", &body(&bytes), &meta(DAY), &count).unwrap();
            assert!(stand_in.object("b.bin").unwrap() == bytes, "{version}");
            assert_eq!(counted.load(Ordering::Relaxed), size as u64);
        }
        assert_eq!(stand_in.given(), 3, "{version}");
    }
}

#[test]
fn a_segment_that_is_sent_again_has_the_hash_of_one_segment() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    let upload = made.store.begin("big.bin", &meta(DAY)).unwrap();
    stand_in.forget_tokens();
    let whole = body(b"all of it");
    let part = made.store.put_part(&upload, 1, &whole, 0..9, &|_| true).unwrap();
    made.store.finish(&upload, &[part]).unwrap();
    assert_eq!(stand_in.object("big.bin").unwrap(), b"all of it");
}

#[test]
fn sixteen_threads_ask_for_one_token() {
    for version in VERSIONS {
        let stand_in = Swift::start();
        stand_in.state().login_takes = Duration::from_millis(300);
        let endpoint = stand_in.endpoint(version);
        let made = login(&endpoint, &[]);
        for given in [1, 2] {
            std::thread::scope(|scope| {
                for n in 0..16 {
                    let made = &made;
                    scope.spawn(move || made.put(&format!("{given}/{n}.log"), b"text", DAY));
                }
            });
            assert_eq!(stand_in.given(), given, "{version}");
            stand_in.forget_tokens();
        }
        assert_eq!(stand_in.state().objects.len(), 32);
    }
}

#[test]
fn a_wrong_secret_is_tried_once_however_many_threads_come() {
    let stand_in = Swift::start();
    stand_in.state().login_takes = Duration::from_millis(200);
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[("store_secret", "wrong-secret")]);
    std::thread::scope(|scope| {
        for n in 0..16 {
            let made = &made;
            scope.spawn(move || {
                let failure = try_put(made, &format!("{n}.log"), b"text").unwrap_err();
                assert_eq!(failure.fault, Outcome::Refused);
                let text = failure.to_string();
                assert!(text.contains("secret is wrong"), "{text}");
                assert!(!text.contains("wrong-secret"), "{text}");
            });
        }
    });
    assert!(made.store.prepare().is_err());
    // With the project, and once without it to tell a wrong project from a wrong secret.
    assert_eq!(stand_in.server.requests().len(), 2);
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    for version in VERSIONS {
        let stand_in = Swift::start();
        stand_in.state().life = Some(Duration::from_secs(2));
        let endpoint = stand_in.endpoint(version);
        let made = login(&endpoint, &[]);
        made.put("a.log", b"text", DAY);
        made.put("b.log", b"text", DAY);
        std::thread::sleep(Duration::from_secs(2));
        stand_in.forget_tokens();
        made.put("c.log", b"text", DAY);
        // Two logins and three objects: nothing was sent with a token that had ended.
        assert_eq!((stand_in.given(), made.requests()), (2, 5), "{version}");
    }
}

#[test]
fn a_token_that_no_store_accepts_is_renewed_once_per_file_and_no_more() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    stand_in.server.fault(Fault::on("PUT", "/v1/").html(401).forever());
    let failure = try_put(&made, "a.log", b"text").unwrap_err();
    assert_eq!(failure.fault, Outcome::Refused);
    assert!(failure.to_string().contains("does not accept the token"), "{failure}");
    assert_eq!(made.requests(), 4);
}

#[test]
fn each_status_says_whether_to_try_again() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    let after = Some(Duration::from_secs(7));
    for (status, outcome) in [
        (429, Outcome::Busy(after)),
        (498, Outcome::Busy(after)),
        (503, Outcome::Busy(after)),
        (507, Outcome::Busy(after)),
        (408, Outcome::Unreachable),
        (409, Outcome::Unreachable),
        (499, Outcome::Unreachable),
        (500, Outcome::Unreachable),
        (502, Outcome::Unreachable),
        (504, Outcome::Unreachable),
        (400, Outcome::Refused),
        (403, Outcome::Refused),
        (411, Outcome::Refused),
        (412, Outcome::Refused),
        (413, Outcome::Refused),
        (422, Outcome::Mismatch),
    ] {
        stand_in.server.fault(
            Fault::on("PUT", "/v1/").respond(Response::html(status).header("Retry-After", "7")),
        );
        let failure = try_put(&made, "a.log", b"text").unwrap_err();
        assert_eq!(failure.fault, outcome, "{status}: {failure}");
        let text = failure.to_string();
        assert!(!text.contains("token-") && !text.contains("right-secret"), "{text}");
    }
    for fault in [Fault::on("PUT", "/v1/").close(), Fault::on("PUT", "/v1/").reset()] {
        stand_in.server.fault(fault);
        assert_eq!(try_put(&made, "a.log", b"text").unwrap_err().fault, Outcome::Unreachable);
    }
    try_put(&made, "a.log", b"text").unwrap();
    assert_eq!(stand_in.given(), 1);
}

#[test]
fn an_identity_service_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    for (status, outcome) in [
        (503, Outcome::Busy(None)),
        (429, Outcome::Busy(None)),
        (500, Outcome::Unreachable),
        (502, Outcome::Unreachable),
    ] {
        stand_in.server.fault(Fault::on("POST", "/tokens").html(status));
        assert_eq!(made.store.prepare().unwrap_err().fault, outcome, "{status}");
    }
    made.store.prepare().unwrap();
}

#[test]
fn an_etag_that_is_not_what_was_sent_is_a_mismatch() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    let wrong = "0123456789abcdef0123456789abcdef";
    stand_in.server.fault(Fault::on("PUT", "/v1/").header("ETag", wrong));
    assert_eq!(try_put(&made, "a.log", b"text").unwrap_err().fault, Outcome::Mismatch);
    let upload = made.store.begin("big.bin", &meta(DAY)).unwrap();
    stand_in.server.fault(Fault::on("PUT", "/v1/").header("ETag", wrong));
    let whole = body(b"text");
    let failure = made.store.put_part(&upload, 1, &whole, 0..4, &|_| true).unwrap_err();
    assert_eq!(failure.fault, Outcome::Mismatch);
}

#[test]
fn a_redirect_is_never_followed_with_a_token_or_a_password() {
    let elsewhere = Server::start(|_: &stand_ins::Request| Response::new(200), Options::default());
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    for status in [301, 302, 307, 308] {
        let made = login(&endpoint, &[]);
        let to = format!("{}/v1/AUTH_lab?secret=x", elsewhere.url());
        stand_in.server.fault(Fault::on("PUT", "/v1/").redirect(status, &to));
        let failure = try_put(&made, "a.log", b"text").unwrap_err();
        assert_eq!(failure.fault, Outcome::Refused);
        assert!(failure.to_string().contains("redirects"), "{failure}");
        let fresh = login(&endpoint, &[]);
        stand_in.server.fault(Fault::on("POST", "/tokens").redirect(status, &to));
        assert_eq!(fresh.store.prepare().unwrap_err().fault, Outcome::Refused);
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn what_is_no_identity_service_is_called_so() {
    let page = |_: &stand_ins::Request| Response::html(200);
    let server = Server::start(page, Options::default());
    for version in ["", "v3", "v2.0", "auth/v1.0"] {
        let endpoint = format!("{}/{version}", server.url());
        let failure = login(&endpoint, &[]).store.prepare().unwrap_err();
        assert_eq!(failure.fault, Outcome::Refused, "{version}");
        assert!(failure.to_string().contains("give the address of Keystone"), "{failure}");
    }
}

#[test]
fn http_where_https_answers_is_said() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    for answer in [
        Response::new(400).body("Client sent an HTTP request to an HTTPS server.\n"),
        Response::new(400).body("<h1>400</h1>The plain HTTP request was sent to HTTPS port"),
        Response::new(301).header("Location", "https://k.example.org/v3/auth/tokens"),
    ] {
        stand_in.server.fault(Fault::on("POST", "/tokens").respond(answer));
        let failure = login(&endpoint, &[]).store.prepare().unwrap_err();
        assert_eq!(failure.fault, Outcome::Refused);
        assert!(failure.to_string().contains("https://"), "{failure}");
    }
    let tls = Options { tls: Some(Identity::new()), ..Options::default() };
    let tls = Server::start(|_: &stand_ins::Request| Response::new(200), tls);
    let plain = format!("http://127.0.0.1:{}/v3", tls.address().port());
    let failure = login(&plain, &[]).store.prepare().unwrap_err();
    assert!(failure.to_string().contains("127.0.0.1"), "{failure}");
    // And the other way round: nothing that could be read was sent.
    let https = format!("https://127.0.0.1:{}/v3", stand_in.server.address().port());
    let failure = login(&https, &[]).store.prepare().unwrap_err();
    assert_eq!(failure.fault, Outcome::Refused, "{failure}");
    assert!(failure.to_string().contains("http://"), "{failure}");
}

#[test]
fn a_secret_is_not_sent_over_a_network_in_the_clear() {
    for endpoint in ["http://k.example.org/v3", "http://10.0.0.1:8080/auth/v1.0"] {
        let pairs = [
            ("store_endpoint", endpoint),
            ("store_identity", "lab:bot"),
            ("store_secret", "right-secret"),
        ];
        let error = try_store(&pairs).err().unwrap().to_string();
        assert!(error.contains("allow_http") && !error.contains("right-secret"), "{error}");
    }
}

#[test]
fn of_several_regions_the_first_is_taken_with_a_warning() {
    for version in ["v3", "v2.0"] {
        let stand_in = Swift::start();
        stand_in.state().regions = vec!["east", "west"];
        let endpoint = stand_in.endpoint(version);
        let made = login(&endpoint, &[]);
        made.put("a.log", b"text", DAY);
        let warnings = made.warnings();
        assert!(warnings.contains("east") && warnings.contains("west"), "{warnings}");
        let chosen = login(&endpoint, &[("store_region", "west")]);
        chosen.put("a.log", b"text", DAY);
        assert_eq!(chosen.warnings(), "");
        let unknown = login(&endpoint, &[("store_region", "south")]);
        let failure = unknown.store.prepare().unwrap_err();
        assert!(failure.to_string().contains("east, west"), "{failure}");
    }
}

#[test]
fn a_file_that_is_larger_than_the_cluster_takes_is_stored_in_segments() {
    let stand_in = Swift::start();
    stand_in.state().max_file_size = Some(1 << 20);
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    let bytes: Vec<u8> = (0..3_500_000_u32).map(|n| (n * 13 % 241) as u8).collect();
    // The uploader has it go in parts then; whoever just puts it again gets it stored too.
    let refused = try_put(&made, "run/big.bin", &bytes).unwrap_err();
    assert_eq!(refused.fault, Outcome::Mismatch, "{refused}");
    made.put("run/big.bin", &bytes, DAY);
    assert!(stand_in.object("run/big.bin").unwrap() == bytes);
    let state = stand_in.state();
    let segments: Vec<_> =
        state.objects.iter().filter(|(path, _)| path.contains("segments")).collect();
    assert_eq!(segments.len(), 4);
    for (path, object) in &state.objects {
        let ends =
            object.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-delete-after"));
        assert!(ends, "{path}");
    }
    drop(state);
    assert_eq!(made.store.limits().put_bytes, 1 << 20);
}

#[test]
fn a_quota_is_no_reason_to_send_in_segments() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    stand_in.server.fault(Fault::on("PUT", "/v1/").html(413));
    let failure = try_put(&made, "a.log", b"text").unwrap_err();
    assert!(failure.to_string().contains("quota"), "{failure}");
    assert!(stand_in.state().objects.is_empty());
}

#[test]
fn a_large_file_that_fails_leaves_no_segments() {
    let stand_in = Swift::start();
    stand_in.state().max_file_size = Some(1 << 20);
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    stand_in.server.fault(Fault::on("PUT", "multipart-manifest").html(503));
    assert!(try_put(&made, "big.bin", &vec![7; 2_500_000]).is_err());
    let failure = try_put(&made, "big.bin", &vec![7; 2_500_000]).unwrap_err();
    assert_eq!(failure.fault, Outcome::Busy(None));
    assert!(stand_in.state().objects.is_empty());
}

#[test]
fn a_listing_of_more_than_a_page_is_read_to_its_end() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let made = login(&endpoint, &[]);
    for n in 0..1005 {
        made.put(&format!("p/{n:04} ü"), b"x", DAY);
    }
    let first = made.store.list("p/", None).unwrap();
    assert_eq!((first.objects.len(), first.more), (1000, true));
    let last = first.objects.last().unwrap().key.clone();
    let second = made.store.list("p/", Some(&last)).unwrap();
    assert_eq!((second.objects.len(), second.more), (5, false));
    stand_in.server.fault(Fault::on("GET", "format=json").truncate(10));
    assert_eq!(made.store.list("p/", None).unwrap_err().fault, Outcome::Unreachable);
}
