//! Parts that other runs left in the same spool.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use stand_ins::sha;

use super::lab::{Lab, err};

const TESTED_BY: &str = "https://jenkins.example.org/job/smoke/43/";

/// What Jenkins says of a build that tests a commit.
fn jenkins(commit: &str, build: &str) -> Vec<(&'static str, String)> {
    vec![
        ("JENKINS_URL", "https://jenkins.example.org/".to_owned()),
        ("BUILD_ID", "43".to_owned()),
        ("BUILD_URL", build.to_owned()),
        ("GIT_COMMIT", commit.to_owned()),
        ("GIT_URL", "https://github.com/apache/cloudstack.git".to_owned()),
    ]
}

fn set_aside(lab: &Lab, part: &str, verdict: &str, variables: &[(&str, String)]) {
    let mut command = lab.command(&["--part", part, "--verdict", verdict]);
    command.env("NOTIFY_PR_SUBMIT", "collect").env("NOTIFY_PR_SPOOL_DIR", lab.spool());
    let output = command.envs(variables.iter().cloned()).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

fn submit(lab: &Lab, more: &[&str], variables: &[(&str, String)]) -> Output {
    let mut command = lab.command(&["--config", "run.ini", "--spool", "spool", "--json"]);
    command.args(more).envs(variables.iter().cloned()).output().expect("the command runs")
}

fn submitted(lab: &Lab, more: &[&str], variables: &[(&str, String)]) -> Value {
    let output = submit(lab, more, variables);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn warnings(receipt: &Value) -> String {
    receipt["warnings"].to_string()
}

#[test]
fn a_part_of_another_commit_changes_no_verdict_and_stays() {
    let lab = Lab::new();
    lab.collected("old", &["--verdict", "failure", "--commit", &sha("of another pull request")]);
    lab.collected("new", &["--verdict", "success", "--commit", &sha("tested")[..10]]);
    lab.collected("unsaid", &["--verdict", "success"]);
    let receipt = submitted(&lab, &[], &[]);
    let comment = lab.comment();
    assert!(comment.contains("| Verdict | Passed |"), "{comment}");
    assert!(comment.contains("| new |") && comment.contains("| unsaid |"), "{comment}");
    assert!(!comment.contains("| old |"), "{comment}");
    assert_eq!(lab.left().len(), 1, "what is of another run stays");
    let said = warnings(&receipt);
    let other = format!("1 of commit {}", &sha("of another pull request")[..12]);
    for text in ["1 part in spool is of another run", &other, "--commit", "spool_dir"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    // Nothing else is left, and that is said instead of an empty comment.
    let output = submit(&lab, &[], &[]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains(&other), "{}", err(&output));
    assert_eq!(lab.left().len(), 1);
}

#[test]
fn a_rehearsal_leaves_out_what_the_submission_will() {
    let lab = Lab::new();
    lab.collected("old", &["--commit", &sha("other")]);
    lab.collected("new", &["--commit", &sha("tested")]);
    let receipt = submitted(&lab, &["--dry-run"], &[]);
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(1), "{receipt}");
    assert!(warnings(&receipt).contains("of another run"), "{receipt}");
}

#[test]
fn a_part_that_a_later_version_set_aside_stays_and_is_named() {
    let lab = Lab::new();
    let later = json!({ "notify_pr_part": 3, "part": ["strange"], "verdict": "failure" });
    lab.plant('a', &later);
    let more = json!({
        "notify_pr_part": 1, "part": "more", "finished": true, "verdict": "success", "owner": 1,
        "files": [], "run": { "commit": "", "attempt": 2 }, "retries": [{ "at": 1 }],
    });
    lab.plant('b', &more);
    let receipt = submitted(&lab, &[], &[]);
    let comment = lab.comment();
    assert!(comment.contains("| more | ✅ Passed |"), "{comment}");
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(1), "{receipt}");
    let said = warnings(&receipt);
    assert!(said.contains("1 part in spool is left there") && said.contains("layout 3"), "{said}");
    assert_eq!(lab.left(), ["a".repeat(32)]);
    let output = submit(&lab, &[], &[]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains("layout 3"), "{}", err(&output));
    let kept = fs::read(lab.spool().join("a".repeat(32)).join("part.json")).expect("it stays");
    assert_eq!(kept, later.to_string().as_bytes());
}

#[test]
fn what_an_earlier_build_of_jenkins_left_behind_stays_there() {
    let lab = Lab::new();
    let tested = sha("tested");
    let before = jenkins(&tested, "https://jenkins.example.org/job/smoke/42/");
    let now = jenkins(&tested, TESTED_BY);
    set_aside(&lab, "old", "failure", &before);
    set_aside(&lab, "new", "success", &now);
    let receipt = submitted(&lab, &[], &now);
    let comment = lab.comment();
    assert!(comment.contains("| new |") && !comment.contains("| old |"), "{comment}");
    assert!(warnings(&receipt).contains(TESTED_BY), "{receipt}");
    // Another build can name the one that it submits for.
    let receipt = submitted(&lab, &["--build-url", &before[2].1], &now);
    assert_eq!(receipt["parts"][0]["name"], "old", "{receipt}");
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn the_commit_of_the_jobs_own_repository_parts_nothing() {
    let lab = Lab::new();
    let mut variables = jenkins(&sha("of the scripts"), TESTED_BY);
    variables[4].1 = "https://github.com/lab/scripts.git".to_owned();
    set_aside(&lab, "one", "success", &variables);
    set_aside(&lab, "two", "success", &variables);
    // The INI says which commit of which repository is tested.
    let receipt = submitted(&lab, &[], &variables);
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(2), "{receipt}");
    // And so it is where the submission knows nothing of Jenkins.
    set_aside(&lab, "three", "success", &variables);
    let receipt = submitted(&lab, &[], &[]);
    assert!(receipt["parts"].to_string().contains("three"), "{receipt}");
    assert_eq!(lab.left(), Vec::<String>::new());
}

#[test]
fn a_workflow_that_runs_after_another_submits_the_parts_of_that() {
    let lab = Lab::new();
    let event = |name: &str, json: Value| {
        lab.write(name, &json.to_string());
        lab.path(name).display().to_string()
    };
    let actions = |kind: &str, run: &str, event: String| {
        [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "apache/cloudstack"),
            ("GITHUB_EVENT_NAME", kind),
            ("GITHUB_RUN_ID", run),
            ("GITHUB_EVENT_PATH", &event),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let tests = event(
        "pull.json",
        serde_json::json!({ "pull_request": { "number": 1, "head": { "sha": sha("tested") } } }),
    );
    let after = event(
        "after.json",
        serde_json::json!({ "workflow_run": { "id": 111, "head_sha": sha("tested") } }),
    );
    set_aside(&lab, "older", "failure", &actions("pull_request", "110", tests.clone()));
    set_aside(&lab, "one", "success", &actions("pull_request", "111", tests));
    let receipt = submitted(&lab, &[], &actions("workflow_run", "222", after));
    assert_eq!(receipt["parts"].as_array().map(Vec::len), Some(1), "{receipt}");
    assert_eq!(receipt["parts"][0]["name"], "one");
}

#[test]
fn what_a_part_says_of_its_run_is_only_compared() {
    let lab = Lab::new();
    let part = |run: Value| serde_json::json!({ "notify_pr_part": 1, "part": "x", "finished": true, "run": run });
    lab.plant('a', &part(serde_json::json!({ "commit": "\u{1b}[31m<b>\n", "given": true })));
    lab.plant('b', &part(serde_json::json!({ "repository": "stranger/x", "build": "\u{7}" })));
    let receipt = submitted(&lab, &[], &[]);
    assert_eq!(receipt["repository"], "apache/cloudstack");
    assert_eq!(receipt["commit"], sha("tested"));
    assert!(warnings(&receipt).contains("1 of an unknown commit"), "{receipt}");
}
