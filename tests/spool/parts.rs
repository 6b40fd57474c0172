//! What the comment says of the parts.

use std::fs;

use serde_json::json;

use super::lab::{Lab, collecting, err};

#[test]
fn three_processes_at_once_become_one_comment_with_their_totals() {
    let lab = Lab::new();
    for (suite, text) in [("smoke", "ok"), ("volumes", "FAIL"), ("setup", "ERROR")] {
        lab.write(&format!("{suite}/results.txt"), text);
    }
    lab.write("volumes/deep/trace.txt", "Traceback\n");
    lab.write("volumes.md", "test_resize failed\n```\nnever closed\n");
    lab.write("own.md", "The whole run.\n");
    let children = [
        lab.collect(
            "smoke",
            &["--attach", "smoke", "--counts", "passed=7,skipped=1", "--detail", "Hypervisor=KVM"],
        ),
        lab.collect(
            "volumes",
            &[
                "--attach",
                "volumes",
                "--counts",
                "passed=2,failed=1,errors=1,skipped=1",
                "--summary-file",
                "volumes.md",
                "--detail",
                "Hypervisor=VMware",
            ],
        ),
        lab.collect("setup", &["--attach", "setup", "--counts", "errors=1", "--verdict", "error"]),
    ];
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert_eq!(output.stdout, b"");
    }
    assert!(lab.github.requests().is_empty(), "a part is set aside without network");
    let receipt = lab.submitted(&["--summary-file", "own.md"]);
    let comment = lab.comment();
    for part in [
        "| Verdict | Error |",
        "| Tests | 9 passed, 1 failed, 2 errors, 2 skipped |",
        "3: 1 error, 1 failed, 1 passed",
        "| volumes | ❌ Failed | 2 | 1 | 1 | 1 |",
        "VMware, KVM",
        "The whole run.",
        "#### volumes",
    ] {
        assert!(comment.contains(part), "{part} is missing in:\n{comment}");
    }
    let at = |text: &str| comment.find(text).unwrap_or_else(|| panic!("{text}\n{comment}"));
    assert!(at("| setup |") < at("| volumes |") && at("| volumes |") < at("| smoke |"));
    assert!(at("The whole run.") < at("#### volumes"));
    let stored: Vec<&str> = receipt["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        stored,
        ["setup/results.txt", "smoke/results.txt", "volumes/deep/trace.txt", "volumes/results.txt"]
    );
    assert_eq!(receipt["parts"][1]["name"], "volumes");
    assert_eq!(receipt["parts"][1]["failed"], 1);
    assert_eq!(lab.left(), Vec::<String>::new(), "what was delivered is removed");
}

#[test]
fn the_counts_of_a_report_that_is_submitted_at_once_are_a_row() {
    let lab = Lab::new();
    let output = lab
        .command(&["--config", "run.ini", "--counts", "passed=3,failed=1"])
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let comment = lab.comment();
    assert!(comment.contains("| Tests | 3 passed, 1 failed |"), "{comment}");
    assert!(comment.contains("| Verdict | Failed |"), "the verdict follows: {comment}");
}

#[test]
fn many_parts_show_those_that_failed_and_fold_the_rest() {
    let lab = Lab::new();
    for id in "0123456789abcd".chars() {
        let part = json!({
            "notify_pr_part": 1, "part": format!("first {id}"), "finished": true,
            "verdict": "success",
        });
        lab.plant(id, &part);
    }
    lab.plant(
        'f',
        &json!({ "notify_pr_part": 1, "part": "bad", "finished": true, "verdict": "failure" }),
    );
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("15: 1 failed, 14 passed"), "{comment}");
    let fold = comment.find("<summary>14 parts passed</summary>").expect("a fold");
    assert!(comment.find("| bad |").expect("the failed part") < fold, "{comment}");
    assert!(comment.find("| first 3 |").expect("a part that passed") > fold, "{comment}");
}

#[test]
fn a_part_that_was_killed_is_shown_with_the_files_it_had_named() {
    let lab = Lab::new();
    lab.collected("green", &["--counts", "passed=5"]);
    lab.write("logs/results.txt", "test_a ... ");
    let mut report = collecting(&lab);
    report.set("part", "killed").expect("a setting");
    report.begin().expect("it begins");
    report.attach(&lab.path("logs")).expect("a path");
    report.begin().expect("it begins again");
    // What it writes until it dies is seen too.
    let mut log =
        fs::OpenOptions::new().append(true).open(lab.path("logs/results.txt")).expect("it");
    std::io::Write::write_all(&mut log, b"the last words").expect("written");
    drop(report);
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("| killed | ⏹️ Did not finish |"), "{comment}");
    assert!(comment.contains("| Verdict | Unknown |"), "{comment}");
    assert!(lab.everything_published().contains("test_a ... the last words"));
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn a_process_that_is_killed_while_it_sets_its_part_aside_is_seen() {
    let lab = Lab::new();
    let folder = lab.spool().join(format!("{}.begun", "a".repeat(32)));
    fs::create_dir_all(&folder).expect("a folder");
    fs::create_dir_all(folder.join("new")).expect("a folder");
    lab.submitted(&[]);
    assert!(lab.comment().contains("| part-aaaaaaaa | ⏹️ Did not finish |"), "{}", lab.comment());
}

#[test]
fn parts_of_the_same_name_are_told_apart() {
    let lab = Lab::new();
    lab.write("a.txt", "a");
    for _ in 0..2 {
        lab.collected("test/volumes", &["--attach", "a.txt", "--verdict", "success"]);
    }
    lab.collected("test_volumes~2", &["--attach", "a.txt", "--verdict", "success"]);
    let receipt = lab.submitted(&[]);
    let names: Vec<&str> = receipt["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["test_volumes/a.txt", "test_volumes~2/a.txt", "test_volumes~3/a.txt"]);
}
