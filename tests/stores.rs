//! One contract for every store: what is put is there, whole, under its name, and can be opened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

mod services;

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use notify_pr::content::compress::Gzip;
use notify_pr::content::{Body, Checksum, Source, archive};
use notify_pr::events::{Event, Events};
use notify_pr::http::{Answer, Exchange, Request};
use notify_pr::links;
use notify_pr::redact::Redactor;
use notify_pr::settings::{Origin, Settings};
use notify_pr::store::{self, Access, Fault, MARKER, Marker, Meta, Put, Store};
use notify_pr::submission::{Cancel, Submission};
use services::Service;
use stand_ins::FileServer;
use tempfile::TempDir;

/// Names that break a naive URL, a naive signature, or a naive listing.
const HOSTILE: [&str; 12] = [
    "plain.txt",
    "a b+c.log",
    "100%.txt",
    "%20.txt",
    "what?.txt",
    "#1.txt",
    "ü/日本/é.txt",
    "a&b=c;d,e.txt",
    "~'()*!@$:.txt",
    "[x]{y}|^`\"<z>.txt",
    "..double..dots...txt",
    "deep/er/and/deeper/still.txt",
];

fn submission(settings: &[(&str, &str)]) -> Submission {
    let mut all = Settings::new();
    for (name, value) in settings {
        all.set(name, value, Origin::Api).unwrap();
    }
    Submission::new(all, Arc::new(Events::new()), Cancel::new()).unwrap()
}

fn open(submission: &Submission) -> Box<dyn Store> {
    store::choose(submission).unwrap().expect("a store")
}

fn meta(content_type: &str) -> Meta {
    Meta { content_type: content_type.to_owned(), content_encoding: None, expires: None }
}

fn body(bytes: &[u8]) -> Body {
    Body::memory(bytes, Checksum::Sha256)
}

fn put(store: &dyn Store, key: &str, bytes: &[u8]) {
    let total = Cell::new(0);
    let sent = |count| {
        total.set(total.get() + count);
        true
    };
    store.put(key, &body(bytes), &meta("text/plain; charset=utf-8"), &sent).unwrap();
    assert_eq!(total.get(), bytes.len() as u64, "{key}: what was sent was counted");
}

/// Bytes that no compression and no confusion of blocks survives.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    let (mut keys, mut last): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.list(prefix, last.as_deref()).unwrap();
        last = page.objects.last().map(|object| object.key.clone());
        assert!(!page.more || !page.objects.is_empty(), "a page that promises more is not empty");
        keys.extend(page.objects.into_iter().map(|object| object.key));
        if !page.more {
            // Each store has its own order; what is promised is that nothing is left out.
            keys.sort();
            return keys;
        }
    }
}

/// Opens a link without credentials.
fn anonymous(submission: &Submission, url: &str) -> Answer {
    match submission.agents.store.exchange(Request::new("GET", url)) {
        Exchange::Answered(answer) => answer,
        other => panic!("{url}: {other:?}"),
    }
}

/// What every store promises. `many` is how many objects its longest listing has here.
fn contract(submission: &Submission, store: &dyn Store, many: usize) {
    store.prepare().unwrap();
    objects_come_back_whole(store);
    hostile_names_are_kept(submission, store);
    listings_are_ordered_and_page(store, many);
    large_objects_are_made_of_parts(store);
    what_changes_while_it_is_sent_is_not_stored(store);
    a_transfer_stops_when_asked_to(store);
    keys_cannot_leave_their_place(store);
    bundles_are_refused_where_none_are_taken(store);
    what_goes_over_a_line_is_stored(store);
}

fn objects_come_back_whole(store: &dyn Store) {
    let big = noise(20 << 20);
    for (key, bytes) in [("c/empty", &[][..]), ("c/one", b"1"), ("c/big", &big)] {
        put(store, key, bytes);
        assert!(store.get(key, u64::MAX >> 1).unwrap() == bytes, "{key}");
    }
    assert!(store.get("c/big", 10).unwrap() == big[..10]);
    put(store, "c/one", b"another one");
    assert_eq!(store.get("c/one", 100).unwrap(), b"another one", "the later one replaces");
    store.delete("c/one").unwrap();
    store.delete("c/one").unwrap();
    assert_eq!(store.get("c/one", 100).unwrap_err().fault, Fault::NotFound);
    assert_eq!(keys(store, "c/"), ["c/big", "c/empty"]);
    let listed = store.list("c/", None).unwrap();
    assert_eq!(listed.objects[0].size, 20 << 20);
}

fn hostile_names_are_kept(submission: &Submission, store: &dyn Store) {
    for name in HOSTILE {
        put(store, &format!("h/{name}"), name.as_bytes());
    }
    let mut expected: Vec<String> = HOSTILE.iter().map(|name| format!("h/{name}")).collect();
    expected.sort();
    assert_eq!(keys(store, "h/"), expected);
    let until = submission.clock.now() + time::Duration::days(7);
    for name in HOSTILE {
        let key = format!("h/{name}");
        assert_eq!(store.get(&key, 100).unwrap(), name.as_bytes());
        assert_eq!(keys(store, &key), [key.as_str()], "a prefix is taken as it is");
        if store.ways().contains(&Access::Signed) {
            let link = store.link(&key, Access::Signed, until).unwrap();
            let answer = anonymous(submission, &link);
            assert_eq!((answer.status, answer.text()), (200, name.to_owned()), "{link}");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
            let tampered = link.replace("X-Amz-Expires=", "X-Amz-Expires=9");
            assert!(!anonymous(submission, &tampered).is_success());
        }
        store.delete(&key).unwrap();
    }
    assert!(keys(store, "h/").is_empty());
}

fn listings_are_ordered_and_page(store: &dyn Store, many: usize) {
    for key in ["o/a/b", "o/a.b", "o/a-b", "o/a", "o/ab", "o2/x"] {
        if key == "o/a" {
            // A folder cannot also be a file; a run's plan never asks for both.
            continue;
        }
        put(store, key, b"x");
    }
    assert_eq!(keys(store, "o/"), ["o/a-b", "o/a.b", "o/a/b", "o/ab"]);
    assert_eq!(keys(store, "o/a"), ["o/a-b", "o/a.b", "o/a/b", "o/ab"]);
    let after = |after: Option<&str>| {
        let page = store.list("o/", after).unwrap();
        page.objects.into_iter().map(|object| object.key).collect::<Vec<_>>()
    };
    let all = after(None);
    for (number, key) in all.iter().enumerate() {
        assert_eq!(after(Some(key)), all[number + 1..], "{key}");
    }
    assert_eq!(after(Some("o/b")), Vec::<String>::new());
    assert!(keys(store, "no/such/").is_empty());
    std::thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                for number in (worker..many).step_by(8) {
                    put(store, &format!("m/{:02}/{number:05}", number % 7), b"x");
                }
            });
        }
    });
    let mut expected: Vec<String> =
        (0..many).map(|number| format!("m/{:02}/{number:05}", number % 7)).collect();
    expected.sort();
    assert_eq!(keys(store, "m/"), expected);
}

fn large_objects_are_made_of_parts(store: &dyn Store) {
    let bytes = noise((10 << 20) + 77);
    let whole = body(&bytes);
    let part = 5 << 20;
    let ranges = [0..part, part..2 * part, 2 * part..whole.len()];
    let upload = store.begin("p/a b/large", &meta("text/plain; charset=utf-8")).unwrap();
    let mut parts = Vec::new();
    // In any order, and one of them twice.
    for number in [2u32, 1, 3, 2] {
        let range = ranges[number as usize - 1].clone();
        let made = store.put_part(&upload, number, &whole, range.clone(), &|_| true).unwrap();
        assert_eq!((made.number, made.size), (number, range.end - range.start));
        parts.retain(|part: &store::Part| part.number != number);
        parts.push(made);
    }
    assert!(keys(store, "p/").is_empty(), "nothing is seen before it is whole");
    parts.sort_by_key(|part| part.number);
    store.finish(&upload, &parts).unwrap();
    assert!(store.get("p/a b/large", u64::MAX >> 1).unwrap() == bytes);
    assert_eq!(keys(store, "p/"), ["p/a b/large"]);
    let given_up = store.begin("p/given up", &meta("text/plain")).unwrap();
    store.put_part(&given_up, 1, &whole, 0..part, &|_| true).unwrap();
    store.abort(&given_up).unwrap();
    assert!(store.finish(&given_up, &parts[..1]).is_err());
    assert_eq!(keys(store, "p/"), ["p/a b/large"]);
    store.delete("p/a b/large").unwrap();
}

fn what_changes_while_it_is_sent_is_not_stored(store: &dyn Store) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.log");
    let redactor = Redactor::new([]);
    let first = noise(3 << 20);
    for (changed, what) in [(noise((3 << 20) + 1)[1..].to_vec(), "other"), (noise(5000), "short")] {
        fs::write(&path, &first).unwrap();
        let body =
            Body::prepare(&Source::File(path.clone()), "run.log", &redactor, Checksum::Sha256)
                .unwrap();
        fs::write(&path, changed).unwrap();
        let refused = store.put("x/run.log", &body, &meta("text/plain"), &|_| true).unwrap_err();
        assert_eq!(refused.fault, Fault::Mismatch, "{what}: {refused}");
        assert!(keys(store, "x/").is_empty(), "{what}");
    }
    // One that grows is sent as it was.
    fs::write(&path, &first).unwrap();
    let body =
        Body::prepare(&Source::File(path.clone()), "run.log", &redactor, Checksum::Sha256).unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    store.put("x/run.log", &body, &meta("text/plain"), &|_| true).unwrap();
    assert!(store.get("x/run.log", u64::MAX >> 1).unwrap() == first);
    store.delete("x/run.log").unwrap();
}

fn a_transfer_stops_when_asked_to(store: &dyn Store) {
    let large = body(&noise(8 << 20));
    let total = Cell::new(0);
    let stopped = store.put("s/large", &large, &meta("text/plain"), &|count| {
        total.set(total.get() + count);
        total.get() < 1 << 20
    });
    assert_eq!(stopped.unwrap_err().fault, Fault::Cancelled);
    assert!(keys(store, "s/").is_empty());
}

fn keys_cannot_leave_their_place(store: &dyn Store) {
    for key in ["", "/", "/etc/x", "a//b", "../x", "a/../../x", "a/.", "a/", "nul\0"] {
        let refused = store.put(key, &body(b"x"), &meta("text/plain"), &|_| true).unwrap_err();
        assert_eq!(refused.fault, Fault::Refused, "{key:?}");
    }
    let long = format!("a/{}", "n".repeat(300));
    assert!(store.put(&long, &body(b"x"), &meta("text/plain"), &|_| true).is_err());
}

fn bundles_are_refused_where_none_are_taken(store: &dyn Store) {
    let (name, bytes) = ("of a bundle.txt", b"one of many");
    let one = Body::memory(&bytes[..], Checksum::Md5);
    let member = store::Member {
        key: format!("b/{name}"),
        size: one.len(),
        md5: one.md5().unwrap(),
        content_type: one.media_type(),
    };
    let mut left = Some((name.to_owned(), one));
    let archive = archive::pack(&Gzip::new(), &mut || left.take(), &|| true).unwrap();
    let folder = "b/".to_owned();
    let bundle = store::Bundle { folder, archive, members: vec![member], expires: None };
    let put = store.put_bundle(&bundle, &|_| true);
    // No other store than Swift's own takes any, and the others say so and store nothing.
    assert_eq!(store.takes_bundles(), None);
    let refused = put.unwrap_err();
    assert_eq!(refused.fault, Fault::Refused);
    let text = refused.to_string();
    assert!(text.contains("takes no bundles") && text.contains(store.name()), "{text}");
    assert!(keys(store, "b/").is_empty());
}

fn what_goes_over_a_line_is_stored(store: &dyn Store) {
    // Over a line go requests to a server that has answered before.
    put(store, "l/first", b"first");
    for round in 0..10 {
        let together = store.together();
        let Some(mut line) = store.line() else {
            assert_eq!((together, round), (1, 0), "{} takes no lines", store.name());
            return;
        };
        let all: Vec<_> = (0..together)
            .map(|n| (format!("l/{round} {n} ü+&%25.log"), noise(n * 4000 + round)))
            .collect();
        let sent = all.iter().map(|(key, bytes)| line.put(key, &body(bytes), &meta("text/plain")));
        assert!(sent.collect::<Vec<_>>().iter().all(|sent| *sent), "{round}");
        assert!(!line.put("l/../x", &body(b"x"), &meta("text/plain")), "a bad key goes nowhere");
        for (key, bytes) in &all {
            assert_eq!(line.answer(), Put::Stored, "{key}");
            assert!(store.get(key, 1 << 20).unwrap() == *bytes, "{key}");
        }
        assert_eq!(line.answer(), Put::Unknown, "there is no more");
    }
    assert_eq!(store.together(), 8, "{} takes lines", store.name());
}

// --- directory -----------------------------------------------------------------------------------

fn directory(folder: &Path, url: &str, more: &[(&str, &str)]) -> Submission {
    let folder = folder.to_str().unwrap();
    let mut settings =
        vec![("store_api", "directory"), ("store_endpoint", folder), ("store_public_url", url)];
    settings.extend(more);
    submission(&settings)
}

#[test]
fn directory_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    let submission = directory(folder.path(), "http://logs.example.org/ci/", &[]);
    contract(&submission, &*open(&submission), 2100);
}

#[test]
fn directory_lists_in_the_order_of_the_keys() {
    let folder = TempDir::new().unwrap();
    let submission = directory(folder.path(), "http://logs.example.org", &[]);
    let store = open(&submission);
    for key in ["a/b", "a.b", "a-b", "ab", "a0/x", "B"] {
        put(&*store, key, b"x");
    }
    let listed = store.list("", None).unwrap().objects;
    let listed: Vec<_> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(listed, ["B", "a-b", "a.b", "a/b", "a0/x", "ab"]);
    let after = store.list("", Some("a/")).unwrap().objects;
    assert_eq!(after[0].key, "a/b");
}

#[test]
fn directory_leaves_nothing_behind_but_objects() {
    let folder = TempDir::new().unwrap();
    let submission = directory(folder.path(), "http://logs.example.org", &[]);
    let store = open(&submission);
    large_objects_are_made_of_parts(&*store);
    what_changes_while_it_is_sent_is_not_stored(&*store);
    a_transfer_stops_when_asked_to(&*store);
    let left: Vec<_> = walk(folder.path());
    assert!(left.iter().all(|path| path.is_dir()), "{left:?}");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
    }
    found
}

#[test]
fn directory_links_open_whatever_a_file_is_called() {
    let folder = TempDir::new().unwrap();
    let server = FileServer::start(folder.path());
    let submission = directory(folder.path(), &format!("{}/", server.url()), &[]);
    let store = open(&submission);
    for name in HOSTILE {
        let key = format!("l/{name}");
        put(&*store, &key, name.as_bytes());
        let link = store.link(&key, Access::Public, submission.started).unwrap();
        let answer = anonymous(&submission, &link);
        assert_eq!((answer.status, answer.text()), (200, name.to_owned()), "{link}");
        assert!(!link[8..].contains("//"), "{link}");
    }
    let decided = links::decide(&submission, &*store, "l/plain.txt", false).unwrap();
    assert_eq!(decided.access, Some(Access::Public));
    assert_eq!(
        decided.caution.as_deref(),
        Some("The links were not verified from outside"),
        "it is loopback"
    );
    assert_eq!(decided.until, submission.started + time::Duration::days(7));
}

#[test]
fn directory_links_that_do_not_open_from_here_are_kept_with_a_caution() {
    let folder = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    fs::create_dir(elsewhere.path().join("l")).unwrap();
    fs::write(elsewhere.path().join("l/b"), "please sign in").unwrap();
    let server = FileServer::start(elsewhere.path());
    let submission = directory(folder.path(), &server.url(), &[]);
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&warnings);
    submission.events.add_reader(move |event: &Event| {
        if let Event::Warning(text) = event {
            seen.lock().unwrap().push(text.clone());
        }
    });
    let store = open(&submission);
    for key in ["l/a", "l/b"] {
        put(&*store, key, b"the log");
        let decided = links::decide(&submission, &*store, key, false).unwrap();
        assert_eq!(decided.access, Some(Access::Public));
        assert_eq!(decided.caution.as_deref(), Some("The links were not verified from outside"));
    }
    let warnings = warnings.lock().unwrap();
    assert!(
        warnings[0].contains("404") && warnings[0].contains("store_public_url"),
        "{warnings:?}"
    );
    assert!(warnings[1].contains("something else"), "{warnings:?}");
}

#[test]
fn directory_must_exist_or_be_wanted() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("a/b");
    let submission = directory(&folder, "http://logs.example.org", &[]);
    let refused = open(&submission).prepare().unwrap_err();
    assert_eq!(refused.fault, Fault::NotFound);
    assert!(refused.to_string().contains("store_create"), "{refused}");
    assert!(!folder.exists());
    let submission = directory(&folder, "http://logs.example.org", &[("store_create", "true")]);
    open(&submission).prepare().unwrap();
    assert!(folder.is_dir());
    fs::write(parent.path().join("file"), "").unwrap();
    let submission = directory(&parent.path().join("file"), "http://logs.example.org", &[]);
    assert!(open(&submission).prepare().unwrap_err().to_string().contains("not a folder"));
}

#[cfg(unix)]
#[test]
fn directory_follows_no_link_and_writes_for_the_web_server_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
    let submission = directory(folder.path(), "http://logs.example.org", &[]);
    let store = open(&submission);
    let refused = store.put("out/x", &body(b"x"), &meta("text/plain"), &|_| true).unwrap_err();
    assert_eq!(refused.fault, Fault::Refused);
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
    assert!(store.get("out/secret", 10).is_err() && store.delete("out/secret").is_err());
    assert!(store.list("", None).unwrap().objects.is_empty());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    put(&*store, "in/x", b"x");
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
    assert_eq!(mode("in/x") & 0o777 & !0o644, 0);
    assert_eq!(mode("in") & 0o700, 0o700);
    assert_eq!(mode("in/x") & 0o600, 0o600);
}

/// Makes a run of that day, of the given `<days>d`, with a marker that ends when it should.
fn run_of(store: &dyn Store, days: u32, date: &str, submission: &str, expires: &str) -> String {
    let folder = format!("ci/{days}d/{date}/apache/cloudstack/pr-1/{submission}/");
    let marker = format!(
        "{{\"notify_pr\":1,\"submission\":\"{submission}\",\"expires\":\"{expires}T12:00:00Z\"}}"
    );
    assert!(serde_json::from_str::<Marker>(&marker).is_ok());
    put(store, &format!("{folder}{MARKER}"), marker.as_bytes());
    put(store, &format!("{folder}logs/run.log"), b"log");
    folder
}

#[test]
fn directory_removes_its_own_runs_past_their_day_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let settings = [("store_prefix", "ci"), ("store_expire_days", "7")];
    let submission = directory(folder.path(), "http://logs.example.org", &settings);
    let store = open(&submission);
    run_of(&*store, 7, "2026-10-01", "old", "2026-10-08");
    let kept = [
        run_of(&*store, 7, "2026-10-20", "fresh", "2026-10-27"),
        run_of(&*store, 7, "2026-10-17", "last-day", "2026-10-24"),
        run_of(&*store, 30, "2026-09-01", "other-days", "2026-10-01"),
        run_of(&*store, 7, "2026-10-02", "prolonged", "2027-01-01"),
        run_of(&*store, 7, "not-a-day", "strange", "2026-10-08"),
    ];
    put(&*store, "ci/7d/2026-10-01/apache/cloudstack/pr-1/foreign/x", b"no marker");
    let other = run_of(&*store, 7, "2026-10-03", "copied", "2026-10-08");
    let moved = folder.path().join("ci/7d/2026-10-03/apache/cloudstack/pr-1/renamed");
    fs::rename(folder.path().join(&other), &moved).unwrap();
    put(&*store, "other/7d/2026-10-01/apache/cloudstack/pr-1/old/x", b"another prefix");
    let now = time::macros::datetime!(2026-10-24 23:59 UTC);
    assert_eq!(store.sweep(now, &|| true).unwrap(), 2);
    assert!(keys(&*store, "ci/7d/2026-10-01/apache/cloudstack/pr-1/old/").is_empty());
    for run in kept {
        assert_eq!(keys(&*store, &run).len(), 2, "{run}");
    }
    assert!(moved.join("logs/run.log").exists(), "its marker names another folder");
    assert_eq!(keys(&*store, "ci/7d/2026-10-01/").len(), 1, "what has no marker stays");
    assert_eq!(keys(&*store, "other/").len(), 1);
    assert_eq!(store.sweep(now, &|| true).unwrap(), 0);
}

#[test]
fn a_directory_stops_removing_when_it_is_told_to_and_the_next_run_goes_on() {
    let folder = TempDir::new().unwrap();
    let settings = [("store_prefix", "ci"), ("store_expire_days", "7")];
    let submission = directory(folder.path(), "http://logs.example.org", &settings);
    let store = open(&submission);
    let run = run_of(&*store, 7, "2026-10-01", "old", "2026-10-08");
    let now = time::macros::datetime!(2026-10-24 23:59 UTC);
    let mut ended = 0;
    for steps in 0.. {
        let made = std::cell::Cell::new(0);
        let goes_on = || made.replace(made.get() + 1) < steps;
        match store.sweep(now, &goes_on) {
            Err(_) => assert!(folder.path().join(&run).join(MARKER).exists(), "{steps}"),
            Ok(_) => break,
        }
        ended += 1;
    }
    assert!(ended > 2);
    assert!(!folder.path().join(&run).exists());
}

#[test]
fn directory_leaves_old_runs_to_the_next_sweep_once_very_much_was_removed() {
    let folder = TempDir::new().unwrap();
    let settings = [("store_prefix", "ci"), ("store_expire_days", "7")];
    let submission = directory(folder.path(), "http://logs.example.org", &settings);
    let store = open(&submission);
    let large = run_of(&*store, 7, "2026-10-01", "large", "2026-10-08");
    let small = run_of(&*store, 7, "2026-10-02", "small", "2026-10-09");
    for n in 0..20_000 {
        fs::write(folder.path().join(&large).join(n.to_string()), "").unwrap();
    }
    let now = time::macros::datetime!(2026-10-24 23:59 UTC);
    assert_eq!(store.sweep(now, &|| true).unwrap(), 20_002);
    assert_eq!(keys(&*store, &small).len(), 2, "it waits for the next run");
    assert_eq!(store.sweep(now, &|| true).unwrap(), 2);
    assert!(keys(&*store, "ci/").is_empty());
}

// --- S3 ------------------------------------------------------------------------------------------

fn s3(service: &Service, bucket: &str, more: &[(&str, &str)]) -> Submission {
    let mut settings = vec![
        ("store_api", "s3"),
        ("store_endpoint", service.endpoint.as_str()),
        ("store_container", bucket),
        ("store_identity", service.access_key.as_str()),
        ("store_secret", service.secret_key.as_str()),
    ];
    settings.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    settings.extend(more);
    submission(&settings)
}

fn s3_contract(service: &Service, many: usize) {
    let submission = s3(service, "ci-logs", &[("store_create", "true")]);
    contract(&submission, &*open(&submission), many);
    // The bucket is there now; asking for it again changes nothing.
    open(&submission).prepare().unwrap();
    bad_settings_get_a_clear_answer(service);
    the_bucket_may_stand_in_the_endpoint(service);
    links_are_decided_by_what_opens(&submission, &*open(&submission));
}

fn refused(submission: &Submission) -> (Fault, String) {
    let store = open(submission);
    let failure = store.put("a b/ü.txt", &body(b"x"), &meta("text/plain"), &|_| true).unwrap_err();
    let text = failure.to_string();
    for secret in ["weedsecret", "testing", "wrong secret"] {
        assert!(!text.contains(secret), "{text}");
    }
    (failure.fault, text)
}

fn bad_settings_get_a_clear_answer(service: &Service) {
    let (fault, text) = refused(&s3(service, "ci-logs", &[("store_secret", "wrong secret")]));
    assert_eq!(fault, Fault::Refused);
    assert!(text.contains("store_secret"), "{text}");
    let (fault, text) = refused(&s3(service, "ci-logs", &[("store_identity", "nobody")]));
    assert_eq!(fault, Fault::Refused);
    assert!(text.contains("store_identity") || text.contains("store_secret"), "{text}");
    let (fault, text) = refused(&s3(service, "no-such-bucket", &[]));
    assert_eq!(fault, Fault::NotFound);
    assert!(text.contains("no-such-bucket does not exist"), "{text}");
    // The large body must not hide the answer that comes before it is read.
    let store = open(&s3(service, "ci-logs", &[("store_secret", "wrong secret")]));
    let large = body(&noise(20 << 20));
    let failure = store.put("large", &large, &meta("text/plain"), &|_| true).unwrap_err();
    assert_eq!(failure.fault, Fault::Refused, "{failure}");
}

fn the_bucket_may_stand_in_the_endpoint(service: &Service) {
    let endpoint = format!("{}/ci-logs/", service.endpoint);
    let submission = s3(service, "", &[("store_endpoint", &endpoint)]);
    let store = open(&submission);
    put(&*store, "in the endpoint", b"x");
    assert_eq!(keys(&*store, "in the"), ["in the endpoint"]);
}

fn links_are_decided_by_what_opens(submission: &Submission, store: &dyn Store) {
    put(store, "l/a b.txt", b"the log");
    let decided = links::decide(submission, store, "l/a b.txt", false).unwrap();
    assert_eq!(decided.access, Some(Access::Signed), "the bucket is not public");
    assert_eq!(
        decided.caution.as_deref(),
        Some("The links were not verified from outside"),
        "it is loopback"
    );
    let link = store.link("l/a b.txt", Access::Signed, decided.until).unwrap();
    assert_eq!(anonymous(submission, &link).text(), "the log");
}

#[test]
fn s3_keeps_the_contract_on_seaweedfs() {
    let Some(service) = services::seaweedfs() else { return };
    s3_contract(&service, 1100);
    let reader = [("store_identity", "weedreader"), ("store_secret", "weedreadersecret")];
    let (fault, text) = refused(&s3(&service, "ci-logs", &reader));
    assert_eq!(fault, Fault::Refused);
    assert!(text.contains("s3:PutObject"), "no right to write: {text}");
}

#[test]
fn s3_keeps_the_contract_on_swift() {
    let Some(service) = services::swift() else { return };
    s3_contract(&service, 40);
}

#[test]
fn nothing_is_chosen_without_store_api_and_what_is_missing_is_named() {
    assert!(store::choose(&submission(&[])).unwrap().is_none());
    for (settings, words) in [
        (&[("store_api", "directory")][..], "store_endpoint is missing"),
        (
            &[("store_api", "directory"), ("store_endpoint", "/srv/www")],
            "store_public_url is missing",
        ),
        (
            &[
                ("store_api", "directory"),
                ("store_endpoint", "/srv/www"),
                ("store_public_url", "https://a.example/?q"),
            ],
            "store_public_url is not the address",
        ),
        (
            &[("store_api", "s3"), ("store_endpoint", "https://a.example")],
            "store_identity is missing",
        ),
    ] {
        let text = store::choose(&submission(settings)).map(drop).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    }
}
