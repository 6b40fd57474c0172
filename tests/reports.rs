//! Whole reports to stores in trouble and out of it: what the receipt and the comment say of what
//! is missing, and what a run costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod lab;
mod reports {
    pub(super) mod desk;
    mod every;
    #[cfg(target_os = "linux")]
    mod full;
}

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use notify_pr::Status;
use notify_pr::compose::marker::Marker;
use notify_pr::receipt::Receipt;
use reports::desk::{Desk, Shelf};
use stand_ins::{Fault, Request, Response};
use time::OffsetDateTime;

#[test]
fn what_is_missing_is_named_with_its_reason_in_the_receipt_and_in_the_comment() {
    type Make = fn() -> Shelf;
    type Trouble = fn(Fault) -> Fault;
    let makes: [Make; 2] = [|| Shelf::s3(true), || Shelf::swift("v3")];
    let troubles: [(&str, Trouble, [&str; 2]); 4] = [
        ("403", |fault| fault.html(403), ["HTTP status 403", "the user may not store objects"]),
        ("503", |fault| fault.html(503), ["the time for uploads ran out: the store is busy"; 2]),
        (
            "reset",
            |fault| fault.reset(),
            ["the time for uploads ran out: the server cannot be reached"; 2],
        ),
        (
            "early 403",
            |fault| fault.early(Response::html(403)),
            ["HTTP status 403", "the user may not store objects"],
        ),
    ];
    for (number, make) in makes.into_iter().enumerate() {
        for (name, trouble, words) in troubles {
            let (shelf, desk) = (make(), Desk::new());
            desk.write("logs/good.log", b"a line\n");
            desk.write("logs/bad_one.log", b"another line\n");
            shelf.fault(trouble(Fault::on("PUT", "bad_one.log")).forever());
            let (status, receipt, comment) = desk.submit(&shelf, &[]);
            assert_eq!(status, Status::StorePartial, "{name}: {}", receipt.to_json());
            let json: serde_json::Value = serde_json::from_str(&receipt.to_json()).unwrap();
            assert_eq!(json["missing"].as_array().unwrap().len(), 1, "{name}: {json}");
            let missing = &json["missing"][0];
            let reason = missing["reason"].as_str().unwrap();
            assert_eq!(missing["name"], "logs/bad_one.log", "{name}");
            assert!(reason.contains(words[number]), "{name}: {reason}");
            assert_eq!(json["files"].as_array().unwrap().len(), 1, "{name}");
            assert!(json["error"].as_str().unwrap().contains(reason), "{name}: {json}");
            // The comment names it in the same words, and links to nothing that is not there.
            let plain = comment.replace('\\', "");
            assert!(plain.contains("bad_one.log") && plain.contains(reason), "{name}: {comment}");
            assert!(!comment.contains("bad_one.log)"), "{name}: {comment}");
            assert!(comment.contains("good.log"), "{name}: {comment}");
        }
    }
}

#[test]
fn a_file_that_vanishes_before_it_is_sent_is_named_and_one_that_shrinks_is_sent_as_it_is() {
    for shelf in [Shelf::s3(true), Shelf::swift("v3")] {
        let desk = Desk::new();
        desk.write("first.log", &b"it is sent first\n".repeat(9_000));
        desk.write("gone.log", &b"a line\n".repeat(100));
        desk.write("shrinks.log", &b"a line\n".repeat(200));
        // By the first request to the store the plan is made.
        let (gone, shrinks) =
            (desk.files.path().join("gone.log"), desk.files.path().join("shrinks.log"));
        let watching = std::thread::scope(|scope| {
            shelf.fault(Fault::on("PUT", "first.log").delay(std::time::Duration::from_millis(10)));
            scope.spawn(|| {
                while shelf.requests().is_empty() {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                let _ = fs::remove_file(&gone);
                let _ = fs::write(&shrinks, "short\n");
            });
            // The marker is answered when the files have changed.
            shelf.fault(Fault::on("PUT", "run.json").late(std::time::Duration::from_millis(400)));
            desk.submit(&shelf, &[("store_compress", "off")])
        });
        let (status, receipt, comment) = watching;
        assert_eq!(status, Status::StorePartial, "{}", receipt.to_json());
        let names: Vec<_> =
            receipt.missing.iter().filter_map(|missing| missing.name.as_deref()).collect();
        assert_eq!(names, ["gone.log"], "{}", receipt.to_json());
        assert!(receipt.missing[0].reason.contains("cannot be read"), "{}", receipt.to_json());
        assert!(comment.contains("gone.log") && comment.contains("cannot be read"), "{comment}");
        let short = receipt.files.iter().find(|file| file.name == "shrinks.log").unwrap();
        assert_eq!(short.size, Some(6));
        let path = desk.files.path().to_str().unwrap();
        assert!(!receipt.to_json().contains(path) && !comment.contains(path));
    }
}

#[cfg(unix)]
#[test]
fn what_is_swapped_for_a_link_after_the_plan_is_made_is_not_followed() {
    use std::os::unix::fs::symlink;
    let (shelf, desk, outside) = (Shelf::s3(true), Desk::new(), tempfile::TempDir::new().unwrap());
    desk.write("a/first.log", b"it is sent first\n");
    desk.write("folder/private.log", b"a line\n");
    desk.write("private.log", b"a line\n");
    fs::write(outside.path().join("private.log"), "nobody may read this").unwrap();
    let (shelf, desk, outside) = (&shelf, &desk, outside.path());
    let (status, receipt, comment) = std::thread::scope(|scope| {
        scope.spawn(move || {
            while shelf.requests().is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let inside = |name: &str| desk.files.path().join(name);
            fs::rename(inside("folder"), inside("moved")).unwrap();
            symlink(outside, inside("folder")).unwrap();
            fs::remove_file(inside("private.log")).unwrap();
            symlink(outside.join("private.log"), inside("private.log")).unwrap();
        });
        // The marker is answered when the links are there.
        shelf.fault(Fault::on("PUT", "run.json").late(std::time::Duration::from_millis(400)));
        desk.submit(shelf, &[("store_compress", "off")])
    });
    assert_eq!(status, Status::StorePartial, "{}", receipt.to_json());
    let missing: Vec<_> = receipt
        .missing
        .iter()
        .map(|it| (it.name.as_deref().unwrap(), it.reason.as_str()))
        .collect();
    let [(folder, link), (file, no_file)] = missing[..] else { panic!("{missing:?}") };
    assert_eq!((folder, file), ("folder/private.log", "private.log"));
    assert!(link.contains("a link took the place of a folder"), "{link}");
    assert!(no_file.contains("not a regular file"), "{no_file}");
    assert!(comment.contains("first.log"), "{comment}");
}

#[test]
fn a_run_makes_a_request_for_each_object_and_six_besides_over_few_connections() {
    for (name, shelf) in [
        ("S3, public", Shelf::s3(true)),
        ("S3, signed links", Shelf::s3(false)),
        ("Swift with TempAuth", Shelf::swift("auth/v1.0")),
        ("Swift with Keystone", Shelf::swift("v3")),
    ] {
        let desk = Desk::new();
        for n in 0..60 {
            desk.write(&format!("{}/{n:02}.log", n % 3), format!("log {n}\n").repeat(n).as_bytes());
        }
        let (status, receipt, _) = desk.submit(&shelf, &[("upload_timeout", "60s")]);
        assert_eq!(status, Status::Ok, "{name}: {}", receipt.to_json());
        let requests = shelf.requests();
        let objects = receipt.files.len() + receipt.pages.len();
        assert_eq!(receipt.files.len(), 60);
        assert_frugal(name, &receipt, &requests, objects + 6);
    }
}

/// No more requests than these were made, over no more connections than workers and two.
fn assert_frugal(name: &str, receipt: &Receipt, requests: &[Arc<Request>], most: usize) {
    let stored = |request: &&Arc<Request>| {
        let keys = receipt.files.iter().map(|file| &file.key).chain(&receipt.pages);
        request.method == "PUT" && keys.clone().any(|key| request.path().ends_with(key.as_str()))
    };
    let besides: Vec<_> = requests
        .iter()
        .filter(|request| !stored(request))
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    assert!(requests.len() <= most, "{name}: {} for {most}: {besides:#?}", requests.len());
    let connections: BTreeSet<u64> = requests.iter().map(|request| request.connection).collect();
    assert!(connections.len() <= 4 + 2, "{name}: {} connections", connections.len());
}

#[test]
fn a_large_object_costs_a_request_for_each_part_and_one_besides_and_waits_to_be_let_in() {
    for (name, shelf, length, part) in [
        ("S3", Shelf::s3(true), 70 << 20, "partNumber="),
        ("Swift", Shelf::swift("v3"), 5 << 20, "-segments/"),
    ] {
        if let Shelf::Swift(swift, _) = &shelf {
            swift.state().max_file_size = Some(2 << 20);
        }
        let desk = Desk::new();
        for (large, first) in [("one.bin", b'1'), ("two.bin", b'2')] {
            desk.write(large, &[]);
            let path = desk.files.path().join(large);
            let file = fs::File::options().write(true).open(path).unwrap();
            // It is mostly a hole, and no text.
            file.set_len(length).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[0, first], length - 2).unwrap();
        }
        for n in 0..20 {
            desk.write(&format!("{n:02}.log"), format!("log {n}\n").repeat(n).as_bytes());
        }
        let (status, receipt, _) = desk.submit(&shelf, &[("upload_timeout", "120s")]);
        assert_eq!(status, Status::Ok, "{name}: {}", receipt.to_json());
        let requests = shelf.requests();
        let parts: Vec<_> =
            requests.iter().filter(|request| request.target.contains(part)).collect();
        assert!(parts.len() >= 2 * 3, "{name}: {} parts", parts.len());
        for request in &parts {
            assert_eq!(
                request.header("expect"),
                Some("100-continue"),
                "{name}: {}",
                request.target
            );
        }
        // The marker of the run is an object too.
        let objects = 1 + receipt.files.len() + receipt.pages.len();
        assert_eq!(receipt.files.len(), 22);
        assert_frugal(name, &receipt, &requests, objects + parts.len() + 2 + 6);
        for file in receipt.files.iter().filter(|file| file.name.ends_with(".bin")) {
            let first = if file.name == "one.bin" { b'1' } else { b'2' };
            let bytes = shelf.object(&file.key);
            assert_eq!(bytes.len() as u64, length, "{name}: {}", file.key);
            assert!(bytes.ends_with(&[0, first]), "{name}: {}", file.key);
            assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 1, "{name}");
        }
    }
}

#[test]
fn where_this_machine_s_clock_is_wrong_the_comment_has_github_s_time_and_the_receipt_says_so() {
    for (shift, words) in [(0, None), (-7_200, Some("ahead of")), (7_200, Some("behind"))] {
        let (shelf, desk) = (Shelf::s3(true), Desk::new());
        desk.write("a.log", b"a line\n");
        let now = OffsetDateTime::now_utc() + time::Duration::seconds(shift);
        desk.github.set_time(u64::try_from(now.unix_timestamp()).ok().filter(|_| shift != 0));
        let (status, receipt, comment) = desk.submit(&shelf, &[]);
        assert_eq!(status, Status::Ok, "{}", receipt.to_json());
        let marker = Marker::parse(&comment).unwrap();
        assert!((marker.started - now).abs() < time::Duration::minutes(1), "{marker:?}");
        let warnings: Vec<_> = receipt.warnings.iter().map(|warning| &warning.reason).collect();
        assert_eq!(warnings.len(), usize::from(words.is_some()), "{warnings:?}");
        let told =
            warnings.iter().all(|text| text.contains(words.unwrap()) && text.contains("NTP"));
        assert!(told, "{warnings:?}");
    }
}

#[test]
fn public_files_of_which_nobody_knew_whether_they_may_be_public_are_told_with_what_to_do() {
    for (access, told) in [("auto", true), ("public", false)] {
        let (shelf, desk) = (Shelf::s3(true), Desk::new());
        desk.write("a.log", b"a line\n");
        desk.github.fault(Fault::on("*", "").html(502).forever());
        let more = [("timeout", "2s"), ("store_access", access)];
        let (status, receipt, comment) = desk.submit(&shelf, &more);
        assert_eq!(status, Status::GithubUnreachable, "{}", receipt.to_json());
        assert_eq!((comment.as_str(), receipt.files.len()), ("", 1));
        let folder = receipt.files[0].key.strip_suffix("a.log").unwrap();
        let warned = receipt.warnings.iter().any(|warning| {
            let text = &warning.reason;
            text.contains("everybody can read") && text.contains("remove") && text.contains(folder)
        });
        assert_eq!(warned, told, "{access}: {}", receipt.to_json());
    }
}
