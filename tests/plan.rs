//! Which files become which objects, on real directories.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use notify_pr::content::{Body, Checksum};
use notify_pr::events::Events;
use notify_pr::plan::{LeftOut, Plan, Source, folder, plan};
use notify_pr::report::Attachment;
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use notify_pr::submission::{Cancel, Submission};
use tempfile::TempDir;

/// Settings with everything taken unless a test says otherwise.
fn submission(settings: &[(&str, &str)]) -> Submission {
    let mut all = Settings::new();
    let open = [
        ("include", ""),
        ("exclude", ""),
        ("max_file", "1000000000"),
        ("max_total", "1000000000"),
        ("store_prefix", "ci"),
    ];
    for (name, value) in open.iter().chain(settings) {
        all.set(name, value, Origin::Api).unwrap();
    }
    Submission::new(all, Arc::new(Events::new()), Cancel::new()).unwrap()
}

fn planned(settings: &[(&str, &str)]) -> Plan {
    plan(&submission(settings), &[]).unwrap()
}

/// A folder `logs` with these files, each of which holds its own name.
fn tree(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("logs")).unwrap();
    for name in files {
        write(dir.path(), &format!("logs/{name}"), name.as_bytes());
    }
    dir
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn logs(dir: &TempDir) -> String {
    dir.path().join("logs").to_str().unwrap().to_owned()
}

fn plan_of(dir: &TempDir) -> Plan {
    planned(&[("full_detail_dir", &logs(dir))])
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.objects.iter().map(|object| object.name.as_str()).collect()
}

fn keys(plan: &Plan) -> Vec<&str> {
    plan.objects.iter().map(|object| object.key.as_str()).collect()
}

fn reason<'p>(list: &'p [LeftOut], name: &str) -> &'p str {
    let found = list.iter().find(|left_out| left_out.name == name);
    found.map_or_else(|| panic!("{name} is not in {list:?}"), |left_out| &left_out.reason)
}

#[track_caller]
fn nothing_is_amiss(plan: &Plan) {
    assert_eq!((&plan.missing, &plan.warnings), (&vec![], &vec![]));
}

#[test]
fn a_folder_becomes_objects_named_relative_to_it() {
    let dir = tree(&["results.txt", "test_a/b/runinfo.txt", "test_a/a.log"]);
    let plan = plan_of(&dir);
    assert_eq!(keys(&plan), ["results.txt", "test_a/a.log", "test_a/b/runinfo.txt"]);
    assert_eq!(names(&plan), keys(&plan));
    assert_eq!(plan.bytes(), (11 + 12 + 20) as u64);
    nothing_is_amiss(&plan);
}

#[test]
fn several_inputs_are_named_below_their_common_parent() {
    let dir = tree(&["a.log", "deep/b.log"]);
    write(dir.path(), "summary/c.log", b"c");
    let file = dir.path().join("summary/c.log");
    let plan =
        planned(&[("full_detail_dir", &logs(&dir)), ("full_detail_files", file.to_str().unwrap())]);
    assert_eq!(keys(&plan), ["logs/a.log", "logs/deep/b.log", "summary/c.log"]);
    nothing_is_amiss(&plan);
}

#[test]
fn a_file_that_is_given_twice_is_one_object() {
    let dir = tree(&["a.log", "deep/b.log"]);
    let logs = logs(&dir);
    let files = format!("{logs}/a.log,{logs}/deep/../a.log,{logs}/deep,{logs}/*");
    let submission = submission(&[("full_detail_dir", &logs), ("full_detail_files", &files)]);
    let again = Attachment::Path(dir.path().join("logs/deep"));
    let plan = plan(&submission, &[again]).unwrap();
    assert_eq!(keys(&plan), ["a.log", "deep/b.log"]);
    nothing_is_amiss(&plan);
}

#[test]
fn patterns_find_files_and_folders() {
    let dir = tree(&["a.log", "b.txt", "x/a.log", "x/y/a.log", "x/y/c.txt", "[1].log"]);
    let logs = logs(&dir);
    let of = |pattern: &str| {
        let plan = planned(&[("full_detail_files", &format!("{logs}/{pattern}"))]);
        nothing_is_amiss(&plan);
        keys(&plan).join(" ")
    };
    assert_eq!(of("*.log"), "[1].log a.log");
    assert_eq!(of("?.*"), "a.log b.txt");
    assert_eq!(of("[ab].*"), "a.log b.txt");
    assert_eq!(of("**/a.log"), "a.log x/a.log x/y/a.log");
    assert_eq!(of("**/y/*.txt"), "x/y/c.txt");
    assert_eq!(of("x/**"), "a.log y/a.log y/c.txt");
    assert_eq!(of("*"), "[1].log a.log b.txt x/a.log x/y/a.log x/y/c.txt");
    assert_eq!(of("**/*"), of("*"));
    // A name comes before what it would match as a pattern.
    assert_eq!(of("[1].log"), "[1].log");
}

#[test]
fn what_is_not_there_is_missing_and_stops_nothing() {
    let dir = tree(&["a.log"]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let files =
        [at("logs/a.log"), at("gone.log"), at("logs/*.xml"), at("nowhere/*.log"), at("logs/[")];
    let submission =
        submission(&[("full_detail_files", &files.join(",")), ("full_detail_dir", &at("empty"))]);
    let lost = Attachment::Path(dir.path().join("lost"));
    let plan = plan(&submission, &[lost]).unwrap();
    assert_eq!(keys(&plan), ["logs/a.log"]);
    assert_eq!(reason(&plan.missing, "gone.log"), "does not exist");
    assert_eq!(reason(&plan.missing, "lost"), "does not exist");
    assert_eq!(reason(&plan.missing, "logs/*.xml"), "matches no file");
    assert_eq!(reason(&plan.missing, "nowhere/*.log"), "matches no file");
    assert_eq!(reason(&plan.missing, "empty"), "the folder is empty");
    assert!(reason(&plan.missing, "logs/[").starts_with("is no pattern"));
    assert_eq!((plan.missing.len(), plan.warnings.len()), (6, 0));
}

#[test]
fn an_empty_file_is_stored_and_named_only_if_it_was_asked_for() {
    let dir = tree(&[]);
    write(dir.path(), "logs/failed_plus_exceptions.txt", b"");
    let plan = plan_of(&dir);
    assert_eq!(keys(&plan), ["failed_plus_exceptions.txt"]);
    nothing_is_amiss(&plan);

    let file = format!("{}/failed_plus_exceptions.txt", logs(&dir));
    let plan = planned(&[("full_detail_files", &file)]);
    assert_eq!(keys(&plan), ["failed_plus_exceptions.txt"]);
    assert_eq!(reason(&plan.warnings, "failed_plus_exceptions.txt"), "is empty");
}

#[test]
fn include_and_exclude_choose_and_say_so() {
    let dir = tree(&[
        "a.log",
        "vm.qcow2",
        ".git/config",
        ".git/objects/1",
        "x/.git/HEAD",
        "x/a.log",
        "x/core.1",
        "x/y/a.txt",
    ]);
    let of = |include: &str, exclude: &str| {
        let logs = logs(&dir);
        planned(&[("full_detail_dir", &logs), ("include", include), ("exclude", exclude)])
    };
    let plan = of("", "*.qcow2,core.*,.git");
    assert_eq!(keys(&plan), ["a.log", "x/a.log", "x/y/a.txt"]);
    // The folder is named, not what is in it.
    let left_out: Vec<&str> = plan.warnings.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(left_out, [".git/", "vm.qcow2", "x/.git/", "x/core.1"]);
    assert_eq!(reason(&plan.warnings, ".git/"), "left out by exclude (.git)");
    assert_eq!(plan.missing, []);

    assert_eq!(keys(&of("*.log", "")), ["a.log", "x/a.log"]);
    assert_eq!(keys(&of("*.log", "x/")), ["a.log"]);
    assert_eq!(keys(&of("y,a.log", "/a.log")), ["x/a.log", "x/y/a.txt"]);
    assert_eq!(keys(&of("x/*.log", "")), ["x/a.log"]);
    assert_eq!(keys(&of("x/**", "x/y,.git,core.*")), ["x/a.log"]);
    assert_eq!(keys(&of("", "*")), [""; 0]);
    // A slash at the end means folders only.
    assert_eq!(keys(&of("*.log", "a.log/,x/")), ["a.log"]);
    assert_eq!(keys(&of("x/", "y,.git/,core.*")), ["x/a.log"]);
}

#[test]
fn a_core_dump_is_left_out_and_a_folder_called_core_is_not() {
    let dir = tree(&["core/test.log", "x/core"]);
    let plan = planned(&[("full_detail_dir", &logs(&dir)), ("exclude", "core")]);
    assert_eq!(keys(&plan), ["core/test.log"]);
    assert_eq!(reason(&plan.warnings, "x/core"), "left out by exclude (core)");
}

#[test]
fn what_was_named_itself_needs_no_inclusion_but_can_be_excluded() {
    let dir = tree(&["a.log", "b.txt", "c.img", "d.txt"]);
    let logs = logs(&dir);
    let files = format!("{logs}/b.txt,{logs}/c.img,{logs}/d*");
    let settings = [("full_detail_files", &*files), ("include", "*.log"), ("exclude", "*.img")];
    let bytes = ["e.txt", "f.img"]
        .map(|name| Attachment::Bytes { name: name.to_owned(), data: Arc::from(&b"bytes"[..]) });
    let plan = plan(&submission(&settings), &bytes).unwrap();
    assert_eq!(keys(&plan), ["b.txt", "e.txt"]);
    let left_out: Vec<&str> = plan.warnings.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(left_out, ["c.img", "d.txt", "f.img"]);
}

#[test]
fn many_files_that_a_rule_leaves_out_are_named_by_their_folder() {
    let dir = tree(&["x/1.img", "x/2.img", "x/3.img", "x/4.img", "5.img"]);
    let plan = planned(&[("full_detail_dir", &logs(&dir)), ("exclude", "*.img")]);
    assert_eq!(reason(&plan.warnings, "x/"), "4 entries left out by exclude (*.img)");
    assert_eq!(reason(&plan.warnings, "5.img"), "left out by exclude (*.img)");
    assert_eq!(plan.warnings.len(), 2);
}

#[test]
fn a_pattern_that_is_none_is_a_bad_setting() {
    let mut settings = Settings::new();
    // Whoever looks at it first says so.
    let error = match settings.set("exclude", "a[", Origin::Api) {
        Err(error) => error,
        Ok(()) => {
            let events = Arc::new(Events::new());
            plan(&Submission::new(settings, events, Cancel::new()).unwrap(), &[]).unwrap_err()
        }
    };
    assert_eq!(error.status(), Status::BadSetting);
    assert!(error.to_string().contains("exclude"), "{error}");
}

#[test]
fn the_largest_files_are_left_out_first() {
    let dir = tree(&[]);
    for (name, size) in [("a", 300), ("b", 500), ("c", 2000), ("d", 500), ("e", 10)] {
        write(dir.path(), &format!("logs/{name}"), &vec![b'x'; size]);
    }
    let of = |max_file: &str, max_total: &str| {
        let logs = logs(&dir);
        planned(&[("full_detail_dir", &logs), ("max_file", max_file), ("max_total", max_total)])
    };
    let plan = of("1024", "5000");
    assert_eq!(keys(&plan), ["a", "b", "d", "e"]);
    assert_eq!(reason(&plan.warnings, "c"), "larger than max_file (2.0 kB; at most 1.0 kB)");
    // Of two of the same size the later one goes.
    let plan = of("1024", "900");
    assert_eq!(keys(&plan), ["a", "b", "e"]);
    assert!(
        reason(&plan.warnings, "d")
            .ends_with("the rest fits into max_total (500 bytes; 900 bytes together)")
    );
    assert_eq!(plan.warnings.len(), 2);
    assert_eq!(keys(&of("5000", "3310")).len(), 5);
    assert_eq!(keys(&of("5000", "310")), ["a", "e"]);
    assert_eq!(plan.missing, []);
}

#[test]
fn bytes_are_stored_under_harmless_names() {
    let data: Arc<[u8]> = Arc::from(&b"bytes"[..]);
    let bytes = |name: &str| Attachment::Bytes { name: name.to_owned(), data: Arc::clone(&data) };
    let hostile =
        ["../../etc/passwd", "/etc/shadow", "", "a//b", "index.html", "c\n<d>", "a//b", "a"];
    let plan = plan(&submission(&[]), &hostile.map(bytes)).unwrap();
    let names = names(&plan);
    for name in ["etc/passwd", "etc/shadow", "attachment", "a/b", "index.html", "c\u{fffd}<d>"] {
        assert!(names.contains(&name), "{name} {names:?}");
    }
    assert_eq!(names.len(), hostile.len());
    let mut keys = keys(&plan);
    for key in &keys {
        assert!(!key.starts_with('/') && !key.contains(char::is_control), "{key}");
        assert!(key.split('/').all(|part| !["", ".", "..", "index.html"].contains(&part)), "{key}");
    }
    keys.dedup();
    assert_eq!(keys.len(), hostile.len());
}

#[test]
fn names_that_need_care_stay_true() {
    let dir = tree(&["with space", "a#b", "50%", "who?", "gr\u{fc}n", "\u{1f600}/x"]);
    let plan = plan_of(&dir);
    assert_eq!(names(&plan), ["50%", "a#b", "gr\u{fc}n", "who?", "with space", "\u{1f600}/x"]);
    assert_eq!(keys(&plan), names(&plan));
}

#[test]
fn names_of_a_thousand_characters_fit_and_are_told_apart() {
    let folders = ["a", "b", "c", "d"].map(|letter| letter.repeat(249)).join("/");
    let dir = tree(&[&format!("{folders}/one.log"), &format!("{folders}/two.log"), "short.log"]);
    let plan = plan_of(&dir);
    assert_eq!(names(&plan)[0], format!("{folders}/one.log"));
    let at = folder(
        &submission(&[]),
        &format!("{}/{}", "o".repeat(39), "r".repeat(100)),
        &"c".repeat(40),
    );
    for key in keys(&plan) {
        assert!(at.len() + key.len() <= 1024, "{}", at.len() + key.len());
    }
    assert_ne!(keys(&plan)[0], keys(&plan)[1]);
    nothing_is_amiss(&plan);
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let files: Vec<String> = (0..200).map(|n| format!("{}/{n}\n.log", n % 7)).collect();
    let dir = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let (first, second) = (plan_of(&dir), plan_of(&dir));
    assert_eq!(first.objects, second.objects);
    let mut sorted = keys(&first);
    sorted.sort_by(|one, other| one.split('/').cmp(other.split('/')));
    assert_eq!(keys(&first), sorted);
    let mut unique = keys(&first);
    unique.dedup();
    assert_eq!(unique.len(), 200);
}

#[test]
fn what_is_planned_can_be_sent() {
    let dir = tree(&["x/a.log"]);
    let submission = submission(&[("full_detail_dir", &logs(&dir))]);
    let plan = plan(&submission, &[]).unwrap();
    let object = &plan.objects[0];
    let body = Body::prepare(&object.source, &object.name, &submission.redactor, Checksum::Sha256)
        .unwrap();
    assert_eq!((body.len(), body.media_type()), (7, "text/plain; charset=utf-8"));
}

#[test]
fn a_caller_who_cancels_is_obeyed() {
    let dir = tree(&["a.log"]);
    let submission = submission(&[("full_detail_dir", &logs(&dir))]);
    submission.cancel.cancel();
    assert_eq!(plan(&submission, &[]).unwrap_err().status(), Status::Cancelled);
}

#[test]
fn the_folder_of_a_submission_is_dated_and_unique() {
    let folder_of = |settings: &[(&str, &str)]| {
        let mut submission = submission(settings);
        submission.id = "0123".to_owned();
        submission.started = time::macros::datetime!(2026-01-02 00:30 +1);
        folder(&submission, "apache/cloudstack", "pr-7")
    };
    assert_eq!(folder_of(&[]), "ci/7d/2026-01-01/apache/cloudstack/pr-7/0123/");
    assert_eq!(
        folder_of(&[("store_prefix", "/ci/logs/"), ("store_expire_days", "30")]),
        "ci/logs/30d/2026-01-01/apache/cloudstack/pr-7/0123/"
    );
}

#[test]
fn a_long_prefix_shortens_keys_and_a_longer_one_is_refused() {
    let dir = tree(&[&["a", "b", "c"].map(|letter| letter.repeat(230)).join("/")]);
    let prefix = format!("{}/{}", "p".repeat(200), "q".repeat(99));
    let settings = [("full_detail_dir", logs(&dir)), ("store_prefix", prefix.clone())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let key_bytes = keys(&planned(&settings))[0].len();
    let at = folder(
        &submission(&settings),
        &format!("{}/{}", "o".repeat(39), "r".repeat(100)),
        &"c".repeat(40),
    );
    assert!(at.len() + key_bytes <= 1024, "{} {key_bytes}", at.len());

    let error = plan(&submission(&[("store_prefix", &format!("{prefix}p"))]), &[]).unwrap_err();
    assert_eq!(error.status(), Status::BadSetting);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn links_are_followed_only_inside_the_folder() {
        let dir = tree(&["real/a.log", "skipped/b.log"]);
        write(dir.path(), "logs-evil/secret", b"secret");
        let link = |target: &str, name: &str| {
            symlink(target, dir.path().join("logs").join(name)).unwrap();
        };
        link("real/a.log", "latest.log");
        link("../latest.log", "real/again.log");
        link(dir.path().join("logs/real/a.log").to_str().unwrap(), "absolute.log");
        // The same beginning of the path, and not inside.
        link("../logs-evil/secret", "out.log");
        link("../logs-evil", "out");
        link("/etc/passwd", "passwd");
        link("/dev/null", "null");
        link("gone", "dangling");
        link("skipped/b.log", "around.log");
        link("real", "aaa");
        let plan = planned(&[("full_detail_dir", &logs(&dir)), ("exclude", "skipped")]);
        assert_eq!(keys(&plan), ["absolute.log", "latest.log", "real/a.log", "real/again.log"],);
        for name in ["out.log", "out", "passwd", "null"] {
            assert_eq!(reason(&plan.warnings, name), "is a link that leads out of the folder");
        }
        assert!(reason(&plan.warnings, "dangling").contains("does not exist"));
        assert!(reason(&plan.warnings, "around.log").contains("exclude (skipped)"));
        assert!(reason(&plan.warnings, "aaa").contains("the folder real"));
        assert_eq!(plan.missing, []);
        for object in &plan.objects {
            Body::prepare(
                &object.source,
                &object.name,
                &submission(&[]).redactor,
                Checksum::Sha256,
            )
            .unwrap();
        }
    }

    #[test]
    fn loops_of_links_end() {
        let dir = tree(&["x/a.log"]);
        symlink("../x", dir.path().join("logs/x/loop")).unwrap();
        symlink("..", dir.path().join("logs/x/up")).unwrap();
        symlink("ping", dir.path().join("logs/pong")).unwrap();
        symlink("pong", dir.path().join("logs/ping")).unwrap();
        for settings in [
            [("full_detail_dir", logs(&dir))],
            [("full_detail_files", format!("{}/**", logs(&dir)))],
            [("full_detail_files", format!("{}/**/*", logs(&dir)))],
        ] {
            let plan = planned(&settings.each_ref().map(|(name, value)| (*name, value.as_str())));
            assert_eq!(keys(&plan), ["x/a.log"]);
            let left_out: Vec<&str> = plan.warnings.iter().map(|w| w.name.as_str()).collect();
            assert_eq!(left_out, ["ping", "pong", "x/loop", "x/up"]);
        }
        let plan = planned(&[("full_detail_files", &format!("{}/x/*", logs(&dir)))]);
        assert_eq!(keys(&plan), ["a.log"]);
        let left_out: Vec<&str> = plan.warnings.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(left_out, ["loop", "up"]);
    }

    #[test]
    fn a_link_that_is_given_itself_is_followed() {
        let dir = tree(&["a.log"]);
        symlink("logs", dir.path().join("current")).unwrap();
        let current = dir.path().join("current").to_str().unwrap().to_owned();
        assert_eq!(keys(&planned(&[("full_detail_dir", &current)])), ["a.log"]);
        symlink("a.log", dir.path().join("logs/latest.log")).unwrap();
        let file = format!("{}/latest.log", logs(&dir));
        let plan = planned(&[("full_detail_dir", &logs(&dir)), ("full_detail_files", &file)]);
        assert_eq!(keys(&plan), ["a.log", "latest.log"]);
    }

    #[test]
    fn a_pattern_that_matches_a_link_to_a_folder_takes_it_once() {
        let dir = tree(&["run_1/a.log", "other"]);
        symlink("run_1", dir.path().join("logs/latest")).unwrap();
        let of = |pattern: &str| {
            let pattern = format!("{}/{pattern}", logs(&dir));
            keys(&planned(&[("full_detail_files", &pattern)])).join(" ")
        };
        assert_eq!(of("lat*"), "latest/a.log");
        assert_eq!(of("*"), "other run_1/a.log");
    }

    #[test]
    fn pipes_sockets_and_devices_are_named_and_never_opened() {
        let dir = tree(&["a.log"]);
        let pipe = dir.path().join("logs/pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let _socket = UnixListener::bind(dir.path().join("logs/socket")).unwrap();
        let files = format!("{},/dev/null", pipe.display());
        let plan = planned(&[("full_detail_dir", &logs(&dir)), ("full_detail_files", &files)]);
        assert_eq!(keys(&plan), ["a.log"]);
        assert_eq!(reason(&plan.warnings, "pipe"), "is a named pipe, which is never read");
        assert_eq!(reason(&plan.warnings, "socket"), "is a socket, which is never read");
        assert_eq!(reason(&plan.warnings, "null"), "is a device, which is never read");
        assert_eq!((plan.missing.len(), plan.warnings.len()), (0, 3));
    }

    #[test]
    fn names_that_are_not_utf_8_become_keys_that_are() {
        let dir = tree(&[]);
        for name in [&b"a\xff.log"[..], b"a\xfe.log", b"new\nline", b"back\\slash", b"f\xff/x"] {
            let path = dir.path().join("logs").join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let plan = plan_of(&dir);
        assert_eq!(plan.objects.len(), 5);
        let mut unique = keys(&plan);
        unique.dedup();
        assert_eq!(unique.len(), 5);
        assert!(keys(&plan).iter().all(|key| !key.contains(['\n', '\\', '\u{fffd}'])));
        assert_eq!(names(&plan).iter().filter(|name| **name == "a\u{fffd}.log").count(), 2);
        for object in &plan.objects {
            assert!(matches!(&object.source, Source::File(path) if path.exists()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_missing() {
        let dir = tree(&["a.log", "closed.log", "locked/b.log"]);
        if dir.path().metadata().unwrap().uid() == 0 {
            eprintln!("SKIPPED: root may read everything");
            return;
        }
        let close = |name: &str, mode: u32| {
            let path = dir.path().join("logs").join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        close("closed.log", 0o000);
        close("locked", 0o000);
        let plan = plan_of(&dir);
        close("locked", 0o700);
        assert_eq!(keys(&plan), ["a.log"]);
        assert_eq!(reason(&plan.missing, "closed.log"), "cannot be read: permission denied");
        assert_eq!(reason(&plan.missing, "locked/"), "cannot be read: permission denied");
    }
}

#[test]
fn a_secret_in_a_name_is_masked_in_the_name_and_in_the_key() {
    let dir = tree(&["log-of-s3cr3t-token.txt", "log-of-s3cr3t-t0ken.txt"]);
    let plan = planned(&[("full_detail_dir", &logs(&dir)), ("token", "s3cr3t-token")]);
    assert_eq!(keys(&plan), ["log-of-************.txt", "log-of-s3cr3t-t0ken.txt"]);
    assert_eq!(names(&plan), keys(&plan));
}
