//! `notify_pr begin`: a part of a shell, from its beginning to its end.

use std::fs;
use std::process::Output;

use super::lab::{Lab, err};

/// `notify_pr begin` as a suite calls it.
fn begin(lab: &Lab, more: &[&str]) -> Output {
    let mut command = lab.command(&["begin", "--attach", "logs"]);
    command.env("NOTIFY_PR_SUBMIT", "collect").env("NOTIFY_PR_SPOOL_DIR", lab.spool());
    command.args(more).output().expect("the command runs")
}

/// The id that it prints.
fn begun(lab: &Lab, more: &[&str]) -> String {
    lab.write("logs/results.txt", "test_a ... ");
    let output = begin(lab, more);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(err(&output), "");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    said.strip_suffix('\n').expect("a line").to_owned()
}

#[test]
fn a_suite_of_a_shell_that_is_killed_has_its_line_and_the_files_it_named() {
    let lab = Lab::new();
    begun(&lab, &["--part", "smoke"]);
    let log = fs::OpenOptions::new().append(true).open(lab.path("logs/results.txt"));
    std::io::Write::write_all(&mut log.expect("it"), b"the last words").expect("written");
    assert!(lab.github.requests().is_empty(), "a part begins without network");
    lab.submitted(&[]);
    let comment = lab.comment();
    assert!(comment.contains("| smoke | ⏹️ Did not finish |"), "{comment}");
    assert!(lab.everything_published().contains("test_a ... the last words"));
}

#[test]
fn the_id_ends_the_part_under_the_name_with_which_it_began() {
    let lab = Lab::new();
    let id = begun(&lab, &["--part", "smoke"]);
    begun(&lab, &["--part", "another"]);
    let ended = lab.command(&["--begun", &id, "--counts", "passed=4", "--attach", "logs"]);
    let output = { ended }
        .env("NOTIFY_PR_SUBMIT", "collect")
        .env("NOTIFY_PR_SPOOL_DIR", lab.spool())
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(lab.left().contains(&id), "{:?}", lab.left());
    let receipt = lab.submitted(&[]);
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(2), "{receipt}");
    let comment = lab.comment();
    assert!(comment.contains("| smoke | ✅ Passed | 4 |"), "{comment}");
    assert!(comment.contains("| another | ⏹️ Did not finish |"), "{comment}");
}

#[test]
fn a_part_lasts_from_its_beginning() {
    let lab = Lab::new();
    let id = begun(&lab, &[]);
    let record = lab.spool().join(format!("{id}.begun/part.json"));
    let text = fs::read_to_string(&record).expect("a record");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["started"] = "2026-01-02T03:04:05Z".into();
    fs::write(&record, json.to_string()).expect("a record");
    lab.collected("ended", &["--begun", &id]);
    let record = fs::read_to_string(lab.spool().join(id).join("part.json")).expect("a record");
    assert!(record.contains("2026-01-02T03:04:05Z"), "{record}");
    assert!(record.contains("\"ended\""), "{record}");
}

#[test]
fn a_part_is_ended_once() {
    let lab = Lab::new();
    let id = begun(&lab, &["--part", "smoke"]);
    lab.collected("first", &["--begun", &id]);
    for output in [
        lab.collect("second", &["--begun", &id]).wait_with_output().expect("it ends"),
        begin(&lab, &["--begun", &id]),
    ] {
        assert_eq!(output.status.code(), Some(4), "{}", err(&output));
        assert!(err(&output).contains("this part has ended already"), "{}", err(&output));
    }
    assert_eq!(lab.left(), [id]);
    lab.submitted(&[]);
    assert!(lab.comment().contains("| first |"), "{}", lab.comment());
}

#[test]
fn a_part_that_was_submitted_too_early_ends_for_the_next_submission() {
    let lab = Lab::new();
    let id = begun(&lab, &["--part", "smoke"]);
    lab.submitted(&[]);
    assert!(lab.comment().contains("| smoke | ⏹️ Did not finish |"), "{}", lab.comment());
    lab.collected("smoke", &["--begun", &id, "--counts", "passed=4"]);
    let receipt = lab.submitted(&[]);
    assert!(lab.comment().contains("| smoke | ✅ Passed | 4 |"), "{}", lab.comment());
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(1), "it is one part: {receipt}");
}

#[test]
fn only_what_is_set_aside_begins() {
    let lab = Lab::new();
    let output = begin(&lab, &["--submit", "now"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("set submit = collect"), "{}", err(&output));
    let output = begin(&lab, &["--spool-dir", "run.ini/x"]);
    assert_eq!(output.status.code(), Some(11), "{}", err(&output));
    let output = begin(&lab, &["--spool-dir", "run.ini/x", "--on-failure", "ignore"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("WARNING"), "{}", err(&output));
    // The job then ends a part of its own.
    lab.collected("smoke", &["--begun", ""]);
}

#[test]
fn a_dry_run_begins_nothing_and_programs_read_json() {
    let lab = Lab::new();
    let output = begin(&lab, &["--dry-run"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", err(&output));
    assert!(!lab.spool().exists());
    let said: serde_json::Value = serde_json::from_str(&begun(&lab, &["--json"])).expect("JSON");
    let id = said["begun"].as_str().expect("an id");
    assert_eq!(lab.left(), [format!("{id}.begun")]);
}
