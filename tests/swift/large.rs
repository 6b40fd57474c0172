//! Large objects on a real cluster.

use notify_pr::store::{Access, Part, Upload};

use super::client::{Auth, DAY, Made, anonymous, body, meta, store};
use super::cluster::cluster;

const PUBLIC: [(&str, &str); 2] = [("store_create", "true"), ("store_access", "public")];

/// Stores three parts, the last first.
fn parts(made: &Made, upload: &Upload, bytes: &[u8]) -> Vec<Part> {
    let whole = body(bytes);
    let length = bytes.len() as u64;
    let ranges = [0..length / 3, length / 3..length / 2, length / 2..length];
    let mut parts: Vec<Part> = (1..)
        .zip(ranges)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .map(|(number, range)| {
            made.store.put_part(upload, number, &whole, range, &|_| true).unwrap()
        })
        .collect();
    parts.reverse();
    parts
}

#[test]
fn an_object_made_of_parts_is_read_whole_by_anyone_and_removed_whole() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "parts", &PUBLIC));
        let client = auth.client(cluster);
        let bytes: Vec<u8> = (0..4_000_000_u32).map(|n| (n * 31 % 253) as u8).collect();
        let mut described = meta(DAY);
        described.content_type = "application/x-test".to_owned();
        let upload = made.store.begin("run/ä b.bin", &described).unwrap();
        let stored = parts(&made, &upload, &bytes);
        made.store.finish(&upload, &stored).unwrap();
        let until = made.submission.started + time::Duration::DAY;
        let link = made.store.link("run/ä b.bin", Access::Public, until).unwrap();
        let seen = anonymous(&link);
        assert_eq!((seen.status, seen.header("content-type")), (200, "application/x-test"));
        assert!(seen.bytes == bytes);
        // A listing of the run names the object and nothing besides.
        let listed = made.store.list("run/", None).unwrap();
        assert_eq!(listed.objects.len(), 1);
        let names = client.names("parts");
        assert_eq!(names.len(), 4);
        for name in names {
            let seen = client.ask("HEAD", &format!("parts/{}", name.replace(' ', "%20")), &[]);
            let ends: i64 = seen.header("x-delete-at").parse().unwrap();
            let expected = described.expires.unwrap().unix_timestamp();
            assert!((ends - expected).abs() <= 10, "{name}: {ends} {expected}");
        }
        made.store.delete("run/ä b.bin").unwrap();
        assert_eq!(client.names("parts"), Vec::<String>::new(), "{auth:?}");
    }
}

#[test]
fn what_was_begun_and_given_up_leaves_nothing() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "given-up", &PUBLIC));
        let upload = made.store.begin("big.bin", &meta(DAY)).unwrap();
        parts(&made, &upload, b"some bytes of a file");
        assert_eq!(auth.client(cluster).names("given-up").len(), 3);
        // As after a cancel: the connections are closed, and cleaning up has its own.
        made.submission.agents.store.shut_down();
        made.store.abort(&upload).unwrap();
        assert_eq!(auth.client(cluster).names("given-up"), Vec::<String>::new());
    }
}

#[test]
fn a_part_that_is_on_its_way_when_it_is_given_up_does_not_stay() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "overtaken", &PUBLIC));
        let upload = made.store.begin("big.bin", &meta(DAY)).unwrap();
        // More than what the buffers on the way hold.
        let bytes = body(&vec![7; 24 << 20]);
        let (begins, begun) = std::sync::mpsc::sync_channel(0);
        let (goes_on, go_on) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(Some((begins, go_on)));
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                made.store.put_part(&upload, 1, &bytes, 0..bytes.len(), &|_| {
                    if let Some((begins, go_on)) = told.lock().unwrap().take() {
                        begins.send(()).unwrap();
                        go_on.recv().unwrap();
                    }
                    true
                })
            });
            begun.recv().unwrap();
            made.store.abort(&upload).unwrap();
            goes_on.send(()).unwrap();
            let _ = sending.join().unwrap();
        });
        let seen = auth.client(cluster).ask("GET", "overtaken", &[]);
        assert_eq!(seen.text(), "", "{auth:?}");
        let path = format!("overtaken/.notify_pr-segments/{}/000001", upload.id);
        assert_eq!(auth.client(cluster).ask("HEAD", &path, &[]).status, 404, "{auth:?}");
    }
}

#[test]
fn a_manifest_that_does_not_fit_its_parts_is_refused() {
    let Some(cluster) = cluster() else { return };
    let made = store(&Auth::V1.settings(cluster, "misfit", &PUBLIC));
    let upload = made.store.begin("big.bin", &meta(DAY)).unwrap();
    let mut stored = parts(&made, &upload, b"some bytes of a file");
    stored[1].etag = "0".repeat(32);
    let failure = made.store.finish(&upload, &stored).unwrap_err();
    assert_eq!(failure.fault, notify_pr::store::Fault::Mismatch, "{failure}");
}

#[test]
fn a_large_object_opens_through_a_temporary_url() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "large-private", &[("store_create", "true")]));
        let upload = made.store.begin("a/b/c/d/e/f/big.bin", &meta(DAY)).unwrap();
        let stored = parts(&made, &upload, b"some bytes of a file");
        made.store.finish(&upload, &stored).unwrap();
        let until = made.submission.started + time::Duration::DAY;
        let link = made.store.link("a/b/c/d/e/f/big.bin", Access::Signed, until).unwrap();
        assert_eq!(anonymous(&link).text(), "some bytes of a file", "{auth:?}");
    }
}
