//! Submitting what was set aside.

use std::fs;
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use stand_ins::{Fault, sha};

use super::lab::{Lab, err, files, wait_until};

#[test]
fn a_dry_run_leaves_the_spool_as_it_is() {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.collected("one", &["--attach", "a.txt"]);
    let before = files(&lab.spool());
    let output = lab.submit(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("| one |") && shown.contains("/one/a.txt\n"), "{shown}");
    assert_eq!(files(&lab.spool()), before);
    assert_eq!(lab.comments(), Vec::<String>::new());
    // And setting aside can be rehearsed too.
    lab.collected("two", &["--dry-run"]);
    assert_eq!(files(&lab.spool()), before);
}

#[test]
fn a_submission_that_fails_leaves_the_parts_for_the_next() {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.collected("one", &["--attach", "a.txt"]);
    let before = files(&lab.spool());
    assert_eq!(lab.submit(&["--commit", &sha("unknown")]).status.code(), Some(33));
    assert_eq!(lab.left().len(), 1);
    assert!(before.iter().all(|path| path.exists()), "{:?}", files(&lab.spool()));
    lab.submitted(&[]);
    assert!(lab.comment().contains("| one |"));
}

#[test]
fn while_the_store_is_down_the_comment_is_made_and_the_files_are_kept() {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.collected("one", &["--attach", "a.txt"]);
    lab.write("no-folder", "a file");
    let output = lab.submit(&["--store-endpoint", "no-folder"]);
    assert!(matches!(output.status.code(), Some(20..=22)), "{output:?}");
    assert!(lab.comment().contains("| one |"));
    assert_eq!(lab.left().len(), 1, "the files are not lost");
}

#[test]
fn a_file_that_was_missing_is_told_and_does_not_keep_the_part() {
    let lab = Lab::new();
    lab.collected("one", &["--attach", "nowhere.log"]);
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(22));
    assert!(lab.comment().contains("one/nowhere.log"), "{}", lab.comment());
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn a_submission_that_dies_loses_and_doubles_nothing() {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    lab.collected("one", &["--attach", "a.txt", "--counts", "passed=1"]);
    lab.github.fault(Fault::on("POST", "/comments").delay(Duration::from_secs(60)));
    let mut child = lab
        .command(&["--config", "run.ini", "--spool", "spool"])
        .spawn()
        .expect("the command runs");
    let posting = || {
        lab.github.requests().iter().any(|r| r.method == "POST" && r.path().ends_with("/comments"))
    };
    wait_until("it posts", posting);
    assert!(lab.left()[0].starts_with(".taken-"), "{:?}", lab.left());
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    lab.github.clear_faults();
    lab.collected("two", &["--counts", "passed=2"]);
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("| Tests | 3 passed |"), "{comment}");
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn a_part_that_is_submitted_while_it_is_written_is_whole_in_the_next_submission() {
    let lab = Lab::new();
    // The INI has a secret, which is looked for in the long file: that takes a while.
    lab.write("logs/results.txt", "all of it");
    let long = fs::File::create(lab.path("logs/long.log")).expect("a file");
    long.set_len(16 << 20).expect("a hole");
    let attach = ["--config", "run.ini", "--attach", "logs", "--counts", "passed=4"];
    let child = lab.collect("slow", &attach);
    let writes = || {
        lab.spool().exists()
            && lab.left().iter().any(|name| {
                // It may have come to its end in between.
                !name.ends_with(".begun") || lab.spool().join(name).join("new/f1").exists()
            })
    };
    wait_until("it writes its part", writes);
    lab.submitted(&[]);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    if !lab.left().is_empty() {
        assert!(lab.comment().contains("| slow | ⏹️ Did not finish |"), "{}", lab.comment());
        lab.submitted(&[]);
    }
    assert!(lab.comment().contains("| slow | ✅ Passed | 4 |"), "{}", lab.comment());
    assert!(lab.everything_published().contains("all of it"));
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn what_was_delivered_is_never_taken_again() {
    let lab = Lab::new();
    let folder = lab.plant('a', &json!({ "notify_pr_part": 1, "part": "old", "finished": true }));
    let done = lab.spool().join(".done-before");
    fs::create_dir_all(&done).expect("a folder");
    fs::rename(folder, done.join("a".repeat(32))).expect("moved");
    lab.collected("new", &[]);
    lab.submitted(&[]);
    assert!(!lab.comment().contains("| old |"));
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn of_two_submissions_at_once_one_takes_the_parts() {
    let lab = Lab::new();
    lab.collected("one", &["--counts", "passed=1"]);
    lab.github.fault(Fault::on("POST", "/comments").delay(Duration::from_millis(500)));
    let start = || {
        lab.command(&["--config", "run.ini", "--spool", "spool"]).spawn().expect("the command runs")
    };
    let ended: Vec<Output> = [start(), start()]
        .map(|child| child.wait_with_output().expect("it ends"))
        .into_iter()
        .collect();
    let mut codes: Vec<Option<i32>> = ended.iter().map(|output| output.status.code()).collect();
    codes.sort();
    assert_eq!(codes[0], Some(0), "{ended:?}");
    // The other one came while the first was at work, or when all was done.
    assert!(matches!(codes[1], Some(4 | 10)), "{ended:?}");
    assert!(lab.comment().contains("| one |"));
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains("there is no part to submit"));
    assert!(lab.comment().contains("| one |"), "an empty spool changes no comment");
}

#[test]
fn a_spool_that_is_not_there_is_said() {
    let lab = Lab::new();
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains("the spool cannot be read"), "{}", err(&output));
}
