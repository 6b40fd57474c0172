//! Many small files to a store that is far away: they go in bundles, and whatever a bundle does
//! not bring about goes one by one.

use std::time::Duration;

use notify_pr::content::compress::Gzip;
use notify_pr::content::{Body, Checksum, Source, archive};
use notify_pr::events::{Event, Step};
use notify_pr::plan::{Plan, Planned};
use notify_pr::status::Status;
use notify_pr::store::{Bundle, Member};
use notify_pr::upload::{Uploaded, upload};
use stand_ins::{Fault, Response, Swift, SwiftBulk};

use super::client::{Auth, DAY, Made, meta, store};
use super::cluster::cluster;
use super::objects::HOSTILE;

const FOLDER: &str = "ci/7d/2026-11-23/apache/cloudstack/pr-1/id/";

fn planned(name: &str, bytes: impl Into<Vec<u8>>) -> Planned {
    let bytes = bytes.into();
    Planned {
        name: name.to_owned(),
        key: name.to_owned(),
        size: bytes.len() as u64,
        source: Source::Memory(bytes.into()),
    }
}

/// Files as a run leaves them: mostly small logs.
fn run() -> Plan {
    let small = |n: usize| {
        let lines = format!("line of test {n}\n").repeat(n % 40 * 8);
        planned(&format!("test {:02}/ü{n:03}.log", n / 10), lines)
    };
    let mut objects: Vec<Planned> = (0..120).map(small).collect();
    objects.push(planned("a.png", *b"\x89PNG\r\n\x1a\n and so on"));
    objects.push(planned("big.log", "a line that comes again\n".repeat(9_000)));
    Plan { objects, ..Plan::default() }
}

/// A cluster that is far away, with a bulk middleware.
fn far(bulk: SwiftBulk) -> Swift {
    let stand_in = Swift::start();
    stand_in.state().distance = Duration::from_millis(15);
    stand_in.state().bulk = Some(bulk);
    stand_in
}

/// One worker, so that what it does first is known.
fn login(stand_in: &Swift) -> Made {
    login_with(stand_in, "1")
}

fn login_with(stand_in: &Swift, jobs: &str) -> Made {
    let endpoint = stand_in.endpoint("v3");
    store(&[
        ("store_endpoint", &endpoint),
        ("store_identity", "lab:bot"),
        ("store_secret", "right-secret"),
        ("jobs", jobs),
    ])
}

fn send(made: &Made, plan: &Plan) -> Uploaded {
    upload(&made.submission, &*made.store, plan, FOLDER)
}

/// Everything is in the store as it was planned, and knows its end.
fn assert_whole(stand_in: &Swift, made: &Made, plan: &Plan, uploaded: &Uploaded) {
    assert!(uploaded.failure.is_none(), "{:?}", uploaded.failure);
    assert!(uploaded.missing.is_empty(), "{:?}", uploaded.missing);
    let names: Vec<&str> = uploaded.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, plan.objects.iter().map(|o| o.name.as_str()).collect::<Vec<_>>());
    let state = stand_in.state();
    for (file, object) in uploaded.files.iter().zip(&plan.objects) {
        let Source::Memory(expected) = &object.source else { panic!("bytes") };
        let stored = &state.objects[&format!("notify-pr/{}", file.key)];
        let header = |name: &str| stored.header(name).unwrap_or_default();
        let bytes = match header("content-encoding") {
            "gzip" => {
                let mut plain = Vec::new();
                let mut reader = flate2::read::GzDecoder::new(&stored.bytes[..]);
                std::io::Read::read_to_end(&mut reader, &mut plain).unwrap();
                plain
            }
            _ => stored.bytes.clone(),
        };
        assert!(bytes == **expected, "{}", file.name);
        assert_eq!(header("content-type"), file.content_type, "{}", file.name);
        assert!(!header("x-delete-after").is_empty(), "{} stays for ever", file.name);
    }
    drop(state);
    let sent: i64 = made
        .told(|event| match event {
            Event::Sent(bytes) => Some(*bytes as i64),
            Event::Unsent(bytes) => Some(-(*bytes as i64)),
            _ => None,
        })
        .iter()
        .sum();
    assert_eq!(sent, plan.bytes() as i64);
    let stored = made.told(|event| match event {
        Event::StepDone(Step::Stored(key)) => Some(key.clone()),
        _ => None,
    });
    assert_eq!(stored.len(), plan.objects.len() + 1, "each once, and the marker");
    let said = made.told(|event| match event {
        Event::Note(text) | Event::Warning(text) => Some(text.clone()),
        _ => None,
    });
    assert!(!said.concat().contains("token-") && !said.concat().contains("secret"), "{said:?}");
}

/// Sends a run to a stand-in, in which all of it must be in the end.
fn send_whole(stand_in: &Swift, made: &Made) -> Plan {
    let plan = run();
    let uploaded = send(made, &plan);
    assert_whole(stand_in, made, &plan, &uploaded);
    plan
}

/// How many archives came, and how many objects went alone.
fn requests(stand_in: &Swift) -> (usize, usize) {
    let puts: Vec<_> = stand_in.requests();
    let puts = puts.iter().filter(|request| request.method == "PUT");
    let (archives, alone): (Vec<_>, Vec<_>) =
        puts.partition(|request| request.target.contains("extract-archive"));
    (archives.len(), alone.len())
}

#[test]
fn many_small_files_go_to_a_far_store_in_bundles() {
    let stand_in = far(SwiftBulk::new());
    let plan = send_whole(&stand_in, &login(&stand_in));
    let (archives, alone) = requests(&stand_in);
    let unpacked = stand_in.state().bulk.clone().unwrap().archives;
    assert_eq!(unpacked.len(), archives);
    // Alone go the marker, the large one, and what is left over.
    assert_eq!((unpacked[0], alone), (16, 2), "{unpacked:?}");
    assert_eq!(unpacked.iter().sum::<usize>() + alone, plan.objects.len() + 1);
    // While one is tried, other workers do not wait.
    let stand_in = far(SwiftBulk::new());
    send_whole(&stand_in, &login_with(&stand_in, "4"));
    assert!(requests(&stand_in).0 > 0);
}

#[test]
fn a_store_that_is_too_old_or_has_no_bulk_upload_gets_one_file_after_the_other() {
    for bulk in [None, Some(SwiftBulk { version: "2.23.0", ..SwiftBulk::new() })] {
        let stand_in = Swift::start();
        stand_in.state().distance = Duration::from_millis(15);
        stand_in.state().bulk = bulk;
        let plan = send_whole(&stand_in, &login(&stand_in));
        assert_eq!(requests(&stand_in), (0, plan.objects.len() + 1));
    }
}

#[test]
fn a_few_files_are_no_reason_to_ask_for_bundles() {
    let stand_in = far(SwiftBulk::new());
    let (made, mut plan) = (login_with(&stand_in, "4"), run());
    plan.objects.truncate(20);
    let uploaded = send(&made, &plan);
    assert_whole(&stand_in, &made, &plan, &uploaded);
    assert_eq!(made.requests(), 2 + plan.objects.len(), "a token and a marker");
}

#[test]
fn a_store_that_forgets_when_files_end_gets_each_again_and_no_more_bundles() {
    let stand_in = far(SwiftBulk { forgets_ends: true, ..SwiftBulk::new() });
    let plan = send_whole(&stand_in, &login(&stand_in));
    assert_eq!(requests(&stand_in), (1, plan.objects.len() + 1));
}

#[test]
fn what_comes_out_of_a_bundle_wrong_or_not_at_all_is_sent_alone() {
    for bulk in [
        SwiftBulk { refuses: Some("3.log"), ..SwiftBulk::new() },
        SwiftBulk { spoils: Some("3.log"), ..SwiftBulk::new() },
        SwiftBulk { loses: Some("3.log"), ..SwiftBulk::new() },
    ] {
        let stand_in = far(bulk);
        send_whole(&stand_in, &login(&stand_in));
        let (archives, alone) = requests(&stand_in);
        assert!(archives > 2 && alone == 14, "{archives} and {alone}: the others go in bundles");
    }
}

#[test]
fn a_store_that_never_gets_a_bundle_right_is_not_asked_for_ever() {
    for bulk in [
        SwiftBulk { refuses: Some(""), ..SwiftBulk::new() },
        SwiftBulk { loses: Some(""), ..SwiftBulk::new() },
        SwiftBulk { forgets_types: true, ..SwiftBulk::new() },
    ] {
        let stand_in = far(bulk);
        let plan = send_whole(&stand_in, &login(&stand_in));
        assert_eq!(requests(&stand_in), (3, plan.objects.len() + 1));
    }
}

#[test]
fn a_store_that_bears_few_failures_gets_no_more_files_in_a_bundle() {
    for (most_failures, bundled) in [(5, true), (0, false)] {
        let bulk = SwiftBulk { most_failures, refuses: Some("3.log"), ..SwiftBulk::new() };
        let stand_in = far(bulk);
        send_whole(&stand_in, &login(&stand_in));
        let archives = stand_in.state().bulk.clone().unwrap().archives;
        assert_eq!(!archives.is_empty(), bundled);
        assert!(archives.iter().all(|members| *members <= most_failures), "{archives:?}");
    }
}

#[test]
fn bundles_that_are_refused_or_fail_lose_nothing() {
    let on = || Fault::on("PUT", "extract-archive");
    for (fault, most) in [
        (on().html(413).forever(), 1),
        (on().early(Response::html(413)).forever(), 3),
        (on().html(403).forever(), 1),
        (on().html(500).forever(), 3),
        (on().html(503).forever(), 3),
        (on().reset().forever(), 3),
        (on().after_effect().close().forever(), 3),
        (on().truncate(9).forever(), 3),
        (on().respond(Response::new(200).body("unpacked")).forever(), 1),
        (Fault::on("GET", "end_marker").html(403).forever(), 1),
        (Fault::on("HEAD", "/ci/").html(404).forever(), 1),
        (on().html(500), usize::MAX),
    ] {
        let stand_in = far(SwiftBulk::new());
        stand_in.fault(fault.clone());
        send_whole(&stand_in, &login_with(&stand_in, "4"));
        let (archives, _) = requests(&stand_in);
        assert!((1..=most).contains(&archives), "{archives} after {fault:?}");
    }
}

#[test]
fn a_token_that_is_forgotten_costs_a_bundle_nothing() {
    let stand_in = far(SwiftBulk::new());
    stand_in.fault(Fault::on("PUT", "extract-archive").skip(1).html(401));
    send_whole(&stand_in, &login(&stand_in));
    let state = stand_in.state();
    assert!(state.bulk.as_ref().unwrap().archives.len() > 1);
}

#[test]
fn a_cancel_ends_a_bundle_that_is_under_way() {
    let stand_in = far(SwiftBulk::new());
    let (made, plan) = (login(&stand_in), run());
    stand_in.fault(Fault::on("PUT", "extract-archive").skip(1).stall());
    let uploaded = std::thread::scope(|scope| {
        let sending = scope.spawn(|| send(&made, &plan));
        while requests(&stand_in).0 < 2 && !sending.is_finished() {
            std::thread::sleep(Duration::from_millis(10));
        }
        made.submission.cancel.cancel();
        // As whoever submits does when the user wants to stop.
        made.submission.agents.store.shut_down();
        sending.join().unwrap()
    });
    assert_eq!(uploaded.failure.unwrap().status(), Status::Cancelled);
    assert_eq!(uploaded.files.len() + uploaded.missing.len(), plan.objects.len());
    assert_eq!(uploaded.missing[0].reason, "the submission was cancelled");
}

#[test]
fn a_file_of_a_bundle_that_cannot_be_read_is_the_only_one_that_is_missing() {
    let stand_in = far(SwiftBulk::new());
    let (made, mut plan) = (login(&stand_in), run());
    let folder = tempfile::tempdir().unwrap();
    let grown = folder.path().join("grown.log");
    std::fs::write(&grown, "a line\n".repeat(20_000)).unwrap();
    for (index, path) in [(0, folder.path().join("gone.log")), (1, grown)] {
        plan.objects[index].source = Source::File(path);
    }
    let uploaded = send(&made, &plan);
    let missing: Vec<&str> = uploaded.missing.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(missing, [plan.objects[0].name.as_str()]);
    assert_eq!(uploaded.files.len(), plan.objects.len() - 1);
    assert!(stand_in.object(&uploaded.files[0].key).is_some(), "what has grown goes alone");
}

#[test]
fn secrets_are_masked_in_bundles_too() {
    let stand_in = far(SwiftBulk::new());
    let (made, mut plan) = (login(&stand_in), run());
    for object in &mut plan.objects {
        *object = planned(&object.name, "the password is right-secret, he said\n");
    }
    let uploaded = send(&made, &plan);
    assert_eq!(uploaded.files.len(), plan.objects.len());
    let state = stand_in.state();
    assert!(state.bulk.as_ref().unwrap().archives.len() > 1);
    for object in state.objects.values() {
        assert!(!String::from_utf8_lossy(&object.bytes).contains("right-secret"));
    }
}

#[test]
fn a_real_cluster_unpacks_a_bundle_into_objects_that_know_what_they_are_and_when_they_end() {
    let Some(cluster) = cluster() else { return };
    for auth in Auth::BOTH {
        let made = store(&auth.settings(cluster, "bundles", &[("store_create", "true")]));
        let client = auth.client(cluster);
        made.put("run/.marker", b"x", DAY);
        assert!(made.store.takes_bundles().is_some());
        let mut files: Vec<(String, Vec<u8>)> = HOSTILE
            .iter()
            .map(|name| (format!("{name}.txt"), name.repeat(700).into_bytes()))
            .collect();
        files
            .push((format!("{}.log", ["ü"; 60].concat() + &"/long".repeat(150)), b"long".to_vec()));
        files.push(("empty.log".to_owned(), Vec::new()));
        files.push(("a.png".to_owned(), b"\x89PNG\r\n\x1a\n and so on".to_vec()));
        files.push(("block.bin".to_owned(), vec![0; 512]));
        let members: Vec<Member> = files.iter().map(|(name, bytes)| member(name, bytes)).collect();
        let mut left = files.iter();
        let mut next = || left.next().map(|(name, bytes)| (name.clone(), text(bytes)));
        let archive = archive::pack(&Gzip::new(), &mut next, &|| true).unwrap();
        let expires = meta(DAY).expires;
        let mut bundle = Bundle { folder: "run/".to_owned(), archive, members, expires };
        let stored = made.store.put_bundle(&bundle, &|_| true).unwrap();
        assert_eq!(stored, vec![true; files.len()], "{auth:?}");
        for (member, (_, bytes)) in bundle.members.iter().zip(&files) {
            let path = format!("bundles/{}", notify_pr::store::encode_key(&member.key));
            let seen = client.ask("GET", &path, &[]);
            assert!(seen.status == 200 && seen.bytes == *bytes, "{}", member.key);
            assert_eq!(seen.header("content-type"), member.content_type, "{}", member.key);
            let ends: i64 = seen.header("x-delete-at").parse().unwrap();
            assert!((ends - expires.unwrap().unix_timestamp()).abs() <= 10, "{}", member.key);
        }
        // One whose hash is another is not taken for stored.
        bundle.members[1].md5 = [0; 16];
        let stored = made.store.put_bundle(&bundle, &|_| true).unwrap();
        assert_eq!(stored.iter().filter(|stored| !**stored).count(), 1);
        assert!(!stored[1]);
        bundle.members[1].key = "run/../other".to_owned();
        assert!(made.store.put_bundle(&bundle, &|_| true).is_err());
    }
}

fn text(bytes: &[u8]) -> Body {
    Body::memory(bytes.to_vec(), Checksum::Md5)
}

fn member(name: &str, bytes: &[u8]) -> Member {
    let body = text(bytes);
    Member {
        key: format!("run/{name}"),
        size: body.len(),
        md5: body.md5().unwrap(),
        content_type: body.media_type(),
    }
}
