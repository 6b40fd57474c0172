//! `submit = collect` and `notify_pr --spool`, as a CI run uses them.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use notify_pr::{Report, Status};
use serde_json::{Value, json};
use stand_ins::{Fault, FileServer, GitHub, Pull, sha};
use tempfile::TempDir;

const TOKEN: &str = "lab-token-of-the-submitter";

/// A GitHub, a published folder, and a folder for the job with a spool in it.
struct Lab {
    github: GitHub,
    pull: Pull,
    job: TempDir,
    published: TempDir,
    server: FileServer,
}

impl Lab {
    fn new() -> Lab {
        let github = GitHub::start();
        github.token(TOKEN).login("lab-bot").scopes(&["public_repo"]);
        let pull = github.repository("apache", "cloudstack").pull_from_fork(
            "contributor",
            "fix-volumes",
            &sha("tested"),
        );
        let published = TempDir::new().expect("a folder");
        let server = FileServer::start(published.path());
        let lab = Lab { github, pull, job: TempDir::new().expect("a folder"), published, server };
        let ini = format!(
            "token = {TOKEN}\nowner = apache\nrepo = cloudstack\napi_url = {}\ncommit = {}\n\
             store_api = directory\nstore_endpoint = {}\nstore_public_url = {}\n\
             outbox_dir = outbox\ncontext = kvm\n",
            lab.github.url(),
            sha("tested"),
            lab.published.path().display(),
            lab.server.url(),
        );
        lab.write("run.ini", &ini);
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.job.path().join(name)
    }

    fn spool(&self) -> PathBuf {
        self.path("spool")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notify_pr"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.current_dir(self.job.path()).env("HOME", self.job.path()).args(arguments);
        command
    }

    /// Sets a part aside, as the process of a suite does: without INI, token and network.
    fn collect(&self, part: &str, more: &[&str]) -> Child {
        let mut command = self.command(&["--part", part]);
        command.env("NOTIFY_PR_SUBMIT", "collect").env("NOTIFY_PR_SPOOL_DIR", self.spool());
        command.args(more).spawn().expect("the command runs")
    }

    fn collected(&self, part: &str, more: &[&str]) {
        let output = self.collect(part, more).wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }

    fn submit(&self, more: &[&str]) -> Output {
        let mut command = self.command(&["--config", "run.ini", "--spool", "spool"]);
        let output = command.args(more).output().expect("the command runs");
        eprintln!("{}", err(&output));
        output
    }

    fn submitted(&self, more: &[&str]) -> Value {
        let output = self.submit(&[&["--json", "--quiet"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn comments(&self) -> Vec<String> {
        let comments = self.github.comments("apache/cloudstack", self.pull.number());
        comments.into_iter().map(|comment| comment.body).collect()
    }

    fn comment(&self) -> String {
        let mut comments = self.comments();
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments.remove(0)
    }

    /// What is in the spool, but the lock.
    fn left(&self) -> Vec<String> {
        names(&self.spool()).into_iter().filter(|name| name != ".lock").collect()
    }

    /// A part as hostile code writes it.
    fn plant(&self, id: char, record: &Value) -> PathBuf {
        let folder = self.spool().join(id.to_string().repeat(32));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("part.json"), record.to_string()).expect("a record");
        folder
    }

    /// Everything that is published, as text.
    fn everything_published(&self) -> String {
        let all = files(self.published.path());
        all.iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned())
            .collect()
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for name in names(&folder) {
            let path = folder.join(name);
            let metadata = fs::symlink_metadata(&path).expect("an entry");
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() {
                found.push(path);
            }
        }
    }
    found
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn collecting(lab: &Lab) -> Report {
    let mut report = Report::new();
    report.set("submit", "collect").expect("a setting");
    report.set("spool_dir", lab.spool().to_str().expect("UTF-8")).expect("a setting");
    report
}

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
    fs::create_dir_all(lab.spool().join(format!(".new-{}", "a".repeat(32)))).expect("a folder");
    lab.submitted(&[]);
    assert!(lab.comment().contains("| part-aaaaaaaa | ⏹️ Did not finish |"), "{}", lab.comment());
}

#[test]
fn a_part_that_begins_and_ends_is_there_once() {
    let lab = Lab::new();
    let mut report = collecting(&lab);
    report.attach_bytes("a.txt", &b"bytes"[..]).expect("a name");
    report.begin().expect("it begins");
    assert!(lab.left()[0].ends_with(".begun"));
    let receipt = report.submit(&mut |_| ControlFlow::Continue(())).expect("it is set aside");
    assert_eq!(receipt.status(), Status::Ok);
    assert_eq!(receipt.status_text, Status::Queued.text());
    let folder = PathBuf::from(receipt.spooled.expect("a folder"));
    assert_eq!(lab.left(), [folder.file_name().expect("a name").to_str().expect("UTF-8")]);
    assert_eq!(names(&folder), ["f1", "part.json"]);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&lab.spool()), mode(&folder)), (0o700, 0o700));
    assert_eq!((mode(&folder.join("f1")), mode(&folder.join("part.json"))), (0o600, 0o600));
}

#[test]
fn what_is_written_over_later_is_kept_as_it_was() {
    let lab = Lab::new();
    for suite in ["one", "two"] {
        lab.write("nosetests.xml", suite);
        lab.collected(suite, &["--attach", "nosetests.xml"]);
    }
    lab.submitted(&[]);
    let published = files(lab.published.path());
    for suite in ["one", "two"] {
        let path = published
            .iter()
            .find(|path| path.ends_with(format!("{suite}/nosetests.xml")))
            .expect("it is published");
        assert_eq!(fs::read_to_string(path).expect("text"), suite);
    }
}

#[test]
fn no_secret_is_in_the_spool() {
    let lab = Lab::new();
    lab.write("logs/runinfo.txt", &format!("sent Authorization: {TOKEN}\n"));
    lab.write("summary.md", &format!("We used {TOKEN}.\n"));
    lab.write("secret", "s3cr3t-of-the-store\n");
    lab.collected(
        "leaky",
        &[
            "--config",
            "run.ini",
            "--store-secret-file",
            "secret",
            "--attach",
            "logs",
            "--summary-file",
            "summary.md",
            "--detail",
            &format!("Token={TOKEN}"),
        ],
    );
    let mut kept = 0;
    for path in files(&lab.spool()) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
        for secret in [TOKEN, "s3cr3t-of-the-store", &lab.github.url()] {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
        kept += usize::from(text.contains("sent Authorization"));
    }
    assert_eq!(kept, 1);
}

#[test]
fn credentials_that_cannot_be_read_do_not_matter_to_a_part() {
    let lab = Lab::new();
    lab.collected("plain", &["--token-file", "nowhere", "--store-secret-file", "nowhere"]);
    assert_eq!(lab.left().len(), 1);
}

#[test]
fn without_a_spool_dir_collecting_is_refused_and_says_what_to_do() {
    let lab = Lab::new();
    let output = lab.command(&["--submit", "collect"]).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("NOTIFY_PR_SPOOL_DIR"), "{}", err(&output));
    assert!(!lab.path("outbox").exists() && !lab.path(".local").exists());
    let output = lab
        .command(&["--submit", "collect", "--spool-dir", "run.ini/spool"])
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(11), "{}", err(&output));
}

#[test]
fn a_hostile_spool_is_harmless() {
    let lab = Lab::new();
    lab.write("private/id_key", "PRIVATE-KEY-OF-THE-SUBMITTER");
    let entry = |name: &str, file: &str| json!({ "name": name, "file": file });
    let folder = lab.plant(
        'a',
        &json!({
            "notify_pr_part": 1, "part": "../../../evil", "finished": true, "verdict": "success",
            "token": "stolen", "api_url": "http://127.0.0.1:1", "owner": "stranger", "repo": "x",
            "commit": sha("other"), "store_endpoint": "/tmp", "settings": { "context": "stolen" },
            "context": "stolen", "trusted_summary": true, "outbox_dir": "/tmp",
            "counts": "passed=99999999999999999999",
            "details": [["@everyone", "<img src=x>"]],
            "files": [
                entry("passwd", "f1"), entry("key", "../../private/id_key"),
                entry("absolute", lab.path("private/id_key").to_str().expect("UTF-8")),
                entry("pipe", "f2"), entry("../../../escaped.txt", "f3"), entry("folder", "f4"),
                entry("huge", "f5"), entry("gone", "f6"), entry("foreign", "f7"),
            ],
        }),
    );
    symlink(lab.path("private/id_key"), folder.join("f1")).expect("a link");
    assert!(Command::new("mkfifo").arg(folder.join("f2")).status().expect("mkfifo").success());
    fs::write(folder.join("f3"), "harmless words").expect("a file");
    symlink(lab.path("private"), folder.join("f4")).expect("a link");
    fs::File::create(folder.join("f5")).and_then(|file| file.set_len(1 << 40)).expect("a hole");
    fs::write(folder.join("summary.md"), "@everyone <!-- notify_pr:1 {} --> /merge\n```\n")
        .expect("it");
    // A hard link to what belongs to somebody else; only root can make one for this test.
    fs::write(folder.join("f7"), "SOMEBODY-ELSE'S").expect("a file");
    let foreign = std::os::unix::fs::chown(folder.join("f7"), Some(65534), None).is_ok();
    if !foreign {
        eprintln!("SKIPPED: only root can give a file away");
        fs::remove_file(folder.join("f7")).expect("removed");
    }
    // A part that is a link, one whose record is a link, one that is no JSON, one that is huge.
    symlink(lab.path("private"), lab.spool().join("b".repeat(32))).expect("a link");
    let linked = lab.spool().join("c".repeat(32));
    fs::create_dir_all(&linked).expect("a folder");
    symlink(lab.path("private/id_key"), linked.join("part.json")).expect("a link");
    lab.plant('d', &json!("nonsense"));
    let huge = lab.plant('e', &json!({}));
    fs::File::create(huge.join("part.json")).and_then(|f| f.set_len(1 << 40)).expect("a hole");
    symlink(lab.path("private"), lab.spool().join(".taken-x")).expect("a link");
    symlink(lab.path("private"), lab.spool().join(".done-x")).expect("a link");

    let ini = fs::read_to_string(lab.path("run.ini")).expect("the INI");
    lab.write("run.ini", &format!("{ini}trusted_summary = true\n"));
    let receipt = lab.submitted(&[]);
    assert_eq!(receipt["repository"], "apache/cloudstack");
    assert_eq!(receipt["commit"], sha("tested"));
    assert_eq!(receipt["context"], "kvm");
    let comment = lab.comment();
    assert!(
        !comment.contains("PRIVATE-KEY") && !lab.everything_published().contains("PRIVATE-KEY")
    );
    assert!(!comment.contains("stolen") && !comment.contains("stranger"), "{comment}");
    assert_eq!(comment.matches("<!-- notify_pr:").count(), 1, "{comment}");
    assert!(!comment.contains("@everyone"), "{comment}");
    assert!(!comment.contains("<img"), "{comment}");
    assert_eq!(
        fs::read_to_string(lab.path("private/id_key")).expect("it"),
        "PRIVATE-KEY-OF-THE-SUBMITTER"
    );
    let stored = receipt["files"].as_array().expect("files");
    assert_eq!(stored.len(), 1, "{stored:#?}");
    assert_eq!(stored[0]["name"], ".._.._.._evil/escaped.txt");
    assert!(stored[0]["key"].as_str().expect("a key").ends_with("/.._.._.._evil/escaped.txt"));
    let left_out = receipt["warnings"].to_string();
    for name in ["passwd", "key", "absolute", "pipe", "folder", "huge", "gone", "foreign"] {
        assert!(left_out.contains(&format!("evil/{name}\"")), "{name}: {left_out}");
    }
    for id in ["cccccccc", "dddddddd", "eeeeeeee"] {
        assert!(comment.contains(&format!("| part-{id} |")), "{comment}");
    }
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
