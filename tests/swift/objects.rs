//! Objects on a real cluster: stored, read, listed, expired, removed.

use super::client::{Auth, DAY, body, meta, store};
use super::cluster::cluster;
use notify_pr::content::{Body, Checksum};
use notify_pr::store::Fault;

/// Names that have broken one tool or another.
pub(super) const HOSTILE: [&str; 12] = [
    "a b+ü%&?#.txt",
    "100%25.log",
    "quote\"'`<b>.log",
    "semi;colon:at@.log",
    "back\\slash.log",
    "tab\tand\nline.log",
    "日本語/ログ.txt",
    "emoji-🎈.log",
    "..hidden/...log",
    "~tilde/-dash.log",
    "{brace}[bracket]^|.log",
    "UPPER/lower.LOG",
];

#[test]
fn what_is_stored_is_read_back_listed_and_removed() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "objects", &[("store_create", "true")]));
        let (store, client) = (&made.store, auth.client(cluster));
        assert!(store.list("", None).unwrap().objects.is_empty());
        made.put("run/a.log", b"first", DAY);
        made.put("run/a.log", b"second", DAY);
        made.put("run/empty.log", b"", DAY);
        let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        made.put("run/large.bin", &large, DAY);
        made.put("other/b.log", b"other", DAY);
        assert_eq!(store.get("run/a.log", 100).unwrap(), b"second");
        assert_eq!(store.get("run/a.log", 3).unwrap(), b"sec");
        assert_eq!(store.get("run/empty.log", 100).unwrap(), b"");
        assert!(store.get("run/large.bin", 1 << 30).unwrap() == large);
        let listing = store.list("run/", None).unwrap();
        let keys: Vec<_> = listing.objects.iter().map(|o| (o.key.as_str(), o.size)).collect();
        assert_eq!(keys, [("run/a.log", 6), ("run/empty.log", 0), ("run/large.bin", 3_000_000)]);
        assert!(!listing.more);
        let after = store.list("run/", Some("run/a.log")).unwrap();
        assert_eq!(after.objects.len(), 2);
        store.delete("run/a.log").unwrap();
        store.delete("run/a.log").unwrap();
        assert_eq!(store.get("run/a.log", 1).unwrap_err().fault, Fault::NotFound);
        assert_eq!(client.names("objects").len(), 3, "{auth:?}");
    }
}

#[test]
fn what_is_said_of_an_object_is_kept_and_it_knows_its_end() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "described", &[("store_create", "true")]));
        let mut described = meta(DAY);
        described.content_encoding = Some("gzip".to_owned());
        made.store.put("a.log", &body(b"not really"), &described, &|_| true).unwrap();
        let seen = auth.client(cluster).ask("HEAD", "described/a.log", &[]);
        assert_eq!(seen.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(seen.header("content-encoding"), "gzip");
        let ends: i64 = seen.header("x-delete-at").parse().unwrap();
        let expected = described.expires.unwrap().unix_timestamp();
        assert!((ends - expected).abs() <= 10, "{ends} {expected}");
    }
}

#[test]
fn files_of_any_name_come_back_under_that_name() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let more = [("store_create", "true"), ("store_access", "public")];
        let made = store(&auth.settings(cluster, "hostile", &more));
        for name in HOSTILE {
            made.put(&format!("x/{name}"), name.as_bytes(), DAY);
        }
        let mut expected: Vec<String> = HOSTILE.iter().map(|name| format!("x/{name}")).collect();
        expected.sort();
        let listed = made.store.list("x/", None).unwrap();
        let listed: Vec<String> = listed.objects.into_iter().map(|object| object.key).collect();
        assert_eq!(listed, expected);
        for name in HOSTILE {
            let key = format!("x/{name}");
            assert_eq!(made.store.get(&key, 1000).unwrap(), name.as_bytes(), "{key}");
            let until = made.submission.started + time::Duration::DAY;
            let link = made.store.link(&key, notify_pr::store::Access::Public, until).unwrap();
            let seen = super::client::anonymous(&link);
            assert_eq!((seen.status, seen.bytes.as_slice()), (200, name.as_bytes()), "{link}");
            made.store.delete(&key).unwrap();
        }
        for key in ["", "/a", "a//b", "a/../b", "./a", "a/", "nul\0"] {
            let refused = made.store.put(key, &body(b"x"), &meta(DAY), &|_| true).unwrap_err();
            assert_eq!(refused.fault, Fault::Refused, "{key:?}");
        }
    }
}

#[test]
fn what_is_past_its_time_is_gone() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "expiry", &[("store_create", "true")]));
        made.put("keep.log", b"stays", DAY);
        made.put("go.log", b"goes", 2);
        let large = made.store.begin("go.bin", &meta(3)).unwrap();
        let whole = body(b"onetwo");
        let parts: Vec<_> = [(1, 0..3), (2, 3..6)]
            .into_iter()
            .map(|(number, range)| {
                made.store.put_part(&large, number, &whole, range, &|_| true).unwrap()
            })
            .collect();
        made.store.finish(&large, &parts).unwrap();
        assert_eq!(auth.client(cluster).names("expiry").len(), 5);
        std::thread::sleep(std::time::Duration::from_secs(5));
        assert_eq!(made.store.get("go.log", 10).unwrap_err().fault, Fault::NotFound);
        assert_eq!(made.store.get("go.bin", 10).unwrap_err().fault, Fault::NotFound);
        assert_eq!(made.store.get("keep.log", 10).unwrap(), b"stays");
        // The listing forgets them when the cluster's own daemons have come by.
        let mut names = Vec::new();
        for _ in 0..5 {
            cluster.expire_once();
            names = auth.client(cluster).names("expiry");
            if names == ["keep.log"] {
                break;
            }
        }
        assert_eq!(names, ["keep.log"], "{auth:?}");
    }
}

#[test]
fn a_run_costs_one_request_per_object_and_one_for_the_token() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let settings = auth.settings(cluster, "counted", &[("store_create", "true")]);
        store(&settings).put("made.log", b"x", DAY);
        let made = store(&settings);
        made.store.prepare().unwrap();
        for n in 0..20 {
            made.put(&format!("c/{n}.log"), b"some text", DAY);
        }
        let until = made.submission.started + time::Duration::DAY;
        made.store.link("c/1.log", notify_pr::store::Access::Public, until).unwrap();
        assert_eq!(made.requests(), 21, "{auth:?}");
    }
}

#[test]
fn a_body_that_is_not_what_was_announced_is_refused_and_may_be_prepared_again() {
    let Some(cluster) = cluster() else { return };
    let made = store(&Auth::V1.settings(cluster, "changed", &[("store_create", "true")]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.log");
    std::fs::write(&path, vec![b'a'; 400_000]).unwrap();
    let source = notify_pr::content::Source::File(path.clone());
    let redactor = &made.submission.redactor;
    let prepared = Body::prepare(&source, "console.log", redactor, Checksum::Md5).unwrap();
    std::fs::write(&path, vec![b'b'; 400_000]).unwrap();
    let failure = made.store.put("c.log", &prepared, &meta(DAY), &|_| true).unwrap_err();
    assert_eq!(failure.fault, Fault::Mismatch, "{failure}");
    let found = made.store.list("", None).unwrap();
    assert!(found.objects.is_empty(), "{found:?}");
    let again = Body::prepare(&source, "console.log", redactor, Checksum::Md5).unwrap();
    made.store.put("c.log", &again, &meta(DAY), &|_| true).unwrap();
}

#[test]
fn a_transfer_stops_when_it_is_asked_to() {
    let Some(cluster) = cluster() else { return };
    let made = store(&Auth::V1.settings(cluster, "stopped", &[("store_create", "true")]));
    made.put("a.log", b"x", DAY);
    let large = body(&vec![0; 4_000_000]);
    let failure = made.store.put("b.bin", &large, &meta(DAY), &|_| false).unwrap_err();
    assert_eq!(failure.fault, Fault::Cancelled);
    assert_eq!(made.store.get("b.bin", 1).unwrap_err().fault, Fault::NotFound);
}
