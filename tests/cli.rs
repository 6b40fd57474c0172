//! The command, as a user runs it.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use stand_ins::{Bucket, Fault, FileServer, GitHub, Pull, Response, sha};
use tempfile::TempDir;

/// A GitHub, a published folder, and a folder for the job.
struct Lab {
    github: GitHub,
    pull: Pull,
    commit: String,
    job: TempDir,
    published: TempDir,
    server: FileServer,
}

impl Lab {
    fn new() -> Lab {
        let github = GitHub::start();
        github.token("lab-token").login("lab-bot").scopes(&["public_repo"]);
        let commit = sha("tested");
        let pull = github.repository("apache", "cloudstack").fill(3).pull_from_fork(
            "contributor",
            "fix-volumes",
            &commit,
        );
        let published = TempDir::new().expect("a folder");
        let server = FileServer::start(published.path());
        let lab =
            Lab { github, pull, commit, job: TempDir::new().expect("a folder"), published, server };
        lab.write("logs/results.txt", "test_a ... ok\n");
        lab.write("logs/runinfo.txt", "GET /client/api?apiKey=SOMEKEYVALUE&signature=SOMESIG%3D\n");
        lab.write("summary.md", "All 12 suites look OK.\n");
        lab.write("token", "lab-token\n");
        let ini = format!(
            "token_file = token\nowner = apache\nrepo = cloudstack\napi_url = {}\n\
             summary_file = summary.md\nfull_detail_dir = logs\nstore_api = directory\n\
             store_endpoint = {}\nstore_public_url = {}\noutbox_dir = outbox\ncontext = kvm\n\
             [details]\nHypervisor = KVM\n",
            lab.github.url(),
            lab.published.path().display(),
            lab.server.url(),
        );
        lab.write("run.ini", &ini);
        lab
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.job.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn command(&self) -> Command {
        let mut command = bare();
        command.current_dir(self.job.path()).env("HOME", self.job.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command().args(arguments).output().expect("the command runs");
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn submit(&self, more: &[&str]) -> Output {
        let mut arguments = vec!["--config", "run.ini", "--commit", &self.commit];
        arguments.extend(more);
        self.run(&arguments)
    }

    fn comments(&self) -> Vec<String> {
        let comments = self.github.comments("apache/cloudstack", self.pull.number());
        comments.into_iter().map(|comment| comment.body).collect()
    }
}

/// The command with nothing of this process's environment that could matter.
fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notify_pr"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.display().to_string()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_becomes_one_comment_with_links_that_open() {
    let lab = Lab::new();
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(0));
    let comments = lab.comments();
    assert_eq!(comments.len(), 1);
    let comment = &comments[0];
    for part in ["kvm", "All 12 suites look OK.", "Hypervisor", &lab.commit[..7], "results.txt"] {
        assert!(comment.contains(part), "{part} is missing in:\n{comment}");
    }
    // Standard output is the comment's address and nothing else.
    let address = out(&output);
    assert!(address.trim_end().contains("#issuecomment-"), "{address}");
    assert_eq!(address.lines().count(), 1);
    let links: Vec<&str> = comment
        .split(&['(', ')', '<', '>'][..])
        .filter(|part| part.starts_with(&lab.server.url()))
        .collect();
    assert!(links.len() >= 2, "{comment}");
    for link in links {
        let body = ureq::get(link).call().expect(link).body_mut().read_to_string().expect(link);
        assert!(!body.contains("SOMEKEYVALUE") && !body.contains("SOMESIG"), "{link}: {body}");
    }
}

#[test]
fn the_same_report_again_renews_the_comment() {
    let lab = Lab::new();
    assert_eq!(lab.submit(&[]).status.code(), Some(0));
    lab.write("summary.md", "Now one suite fails.\n");
    // A later start wins, and starts are counted in seconds.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(lab.submit(&["--verdict", "failure"]).status.code(), Some(0));
    let comments = lab.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].contains("Now one suite fails."), "{}", comments[0]);
}

#[test]
fn the_receipt_has_every_field_even_when_there_is_nothing_to_say() {
    let lab = Lab::new();
    let output = lab.submit(&["--json", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(err(&output), "");
    let receipt: Value = serde_json::from_str(&out(&output)).expect("JSON");
    for field in [
        "schema",
        "tool_version",
        "status",
        "status_text",
        "error",
        "error_stage",
        "dry_run",
        "repository",
        "commit",
        "context",
        "submission",
        "started",
        "pull_requests",
        "page_url",
        "expires",
        "files",
        "missing",
        "warnings",
        "requests",
        "comment_text",
        "outbox",
    ] {
        assert!(receipt.get(field).is_some(), "{field} is missing in {receipt:#}");
    }
    assert_eq!(receipt["status"], 0);
    assert_eq!(receipt["error"], Value::Null);
    assert_eq!(receipt["repository"], "apache/cloudstack");
    assert_eq!(receipt["commit"], lab.commit);
    let pull = &receipt["pull_requests"][0];
    assert_eq!(pull["number"], lab.pull.number());
    assert_eq!(pull["relation"], "head");
    assert_eq!(pull["comment_action"], "created");
    assert_eq!(receipt["files"].as_array().map(Vec::len), Some(2));
    for file in receipt["files"].as_array().expect("files") {
        assert_eq!(file["content_type"], "text/plain; charset=utf-8");
        assert!(file["url"].as_str().is_some_and(|url| url.starts_with(&lab.server.url())));
    }
    let host = lab.github.url().replace("http://", "");
    assert!(receipt["requests"][&host].as_u64().is_some_and(|count| count > 0), "{receipt:#}");
}

#[test]
fn a_dry_run_writes_nothing_anywhere_and_two_of_them_are_equal() {
    let lab = Lab::new();
    let before = files(lab.job.path());
    let dry = |form: &[&str]| {
        let mut arguments =
            vec!["--config", "run.ini", "--commit", lab.commit.as_str(), "--dry-run"];
        arguments.extend(["--submission-id", "00112233445566778899aabbccddeeff"]);
        arguments.extend(form);
        let output = lab
            .command()
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .args(&arguments)
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let text = dry(&[]);
    assert_eq!(text, dry(&[]));
    assert_eq!(dry(&["--json"]), dry(&["--json"]));
    assert!(text.contains("All 12 suites look OK."), "{text}");
    assert!(text.contains("/00112233445566778899aabbccddeeff/"), "{text}");
    for object in ["/results.txt\n", "/runinfo.txt\n", "/index.html\n", "/report.md\n"] {
        assert!(text.contains(object), "{object} is missing in:\n{text}");
    }
    assert!(text.contains("only a real run can tell"), "{text}");
    assert_eq!(files(lab.job.path()), before);
    assert_eq!(files(lab.published.path()), Vec::<String>::new());
    assert_eq!(lab.comments(), Vec::<String>::new());
    let requests = lab.github.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.method == "GET" || request.path().ends_with("/graphql"))
    );
}

#[test]
fn a_commit_of_no_pull_request_ends_with_33_and_keeps_the_report() {
    let lab = Lab::new();
    let output = lab.run(&["--config", "run.ini", "--commit", &sha("unknown")]);
    assert_eq!(output.status.code(), Some(33));
    assert!(err(&output).contains("apache/cloudstack"), "{}", err(&output));
    assert_eq!(out(&output), "");
    let kept = files(&lab.job.path().join("outbox"));
    for name in ["comment.md", "receipt.json", "cause.txt"] {
        let path = kept.iter().find(|path| path.ends_with(name)).expect(name);
        assert!(!fs::read_to_string(path).expect(name).is_empty(), "{name} is empty");
    }
    let folder = Path::new(&kept[0]).parent().expect("a folder").display().to_string();
    let folder = folder.rsplit('/').next().expect("a name").to_owned();
    assert!(err(&output).contains(&folder), "the folder is printed: {}", err(&output));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&lab.job.path().join("outbox")), 0o700);
        assert_eq!(mode(Path::new(&kept[0])), 0o600);
    }
}

#[test]
fn a_nightly_run_uploads_and_prints_its_page() {
    let lab = Lab::new();
    for (more, commit) in [
        (["--pull-request", "none"], lab.commit.clone()),
        (["--on-no-pull-request", "ignore"], sha("nightly")),
    ] {
        let output = lab.run(&["--config", "run.ini", "--commit", &commit, more[0], more[1]]);
        assert_eq!(output.status.code(), Some(0));
        let page = out(&output);
        assert!(page.trim_end().ends_with("index.html"), "{page}");
        let html = ureq::get(page.trim_end()).call().expect("the page opens");
        assert_eq!(html.status(), 200);
    }
    assert_eq!(lab.comments(), Vec::<String>::new());
    assert!(!lab.job.path().join("outbox").exists());
}

#[test]
fn a_report_that_github_refuses_is_kept() {
    let lab = Lab::new();
    lab.write("token", "a-wrong-token\n");
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(31));
    assert!(!err(&output).contains("a-wrong-token"));
    let kept = files(&lab.job.path().join("outbox"));
    let text = kept.iter().find(|path| path.ends_with("comment.md")).expect("the text is kept");
    assert!(fs::read_to_string(text).expect("text").contains("All 12 suites look OK."));
}

#[test]
fn a_report_that_cannot_be_kept_is_said_to_be_lost() {
    let lab = Lab::new();
    lab.write("token", "a-wrong-token\n");
    lab.write("no-folder", "");
    let output = lab.submit(&["--outbox-dir", "no-folder"]);
    assert_eq!(output.status.code(), Some(31));
    assert!(err(&output).contains("the report could not be kept"), "{}", err(&output));
}

#[test]
fn a_report_whose_token_cannot_be_read_is_kept_with_its_summary() {
    let lab = Lab::new();
    let output = lab.submit(&["--token-file", "nowhere"]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains("kept in"), "{}", err(&output));
    let kept = files(&lab.job.path().join("outbox"));
    let text = kept.iter().find(|path| path.ends_with("comment.md")).expect("the text is kept");
    assert!(fs::read_to_string(text).expect("text").contains("All 12 suites look OK."));
}

#[test]
fn a_receipt_is_printed_for_a_setting_that_is_wrong_too() {
    let lab = Lab::new();
    let output = lab.submit(&["--json", "--jobs", "0"]);
    assert_eq!(output.status.code(), Some(3));
    let receipt: Value = serde_json::from_str(&out(&output)).expect("a receipt");
    assert_eq!(receipt["status"], 3);
    assert!(receipt["error"].as_str().is_some_and(|error| error.contains("jobs")));
}

#[test]
fn a_dry_run_that_fails_before_there_is_a_comment_shows_none() {
    let lab = Lab::new();
    let output = lab.run(&["--config", "run.ini", "--commit", &sha("x"), "--dry-run"]);
    assert_eq!(output.status.code(), Some(33));
    assert_eq!(out(&output), "");
}

#[test]
fn on_failure_ignore_ends_with_0_and_one_warning() {
    let lab = Lab::new();
    let output =
        lab.run(&["--config", "run.ini", "--commit", &sha("x"), "-q", "--on-failure", "ignore"]);
    assert_eq!(output.status.code(), Some(0));
    let said = err(&output);
    assert_eq!(said.lines().filter(|line| line.contains("WARNING")).count(), 1, "{said}");
    assert!(!said.contains("ERROR"), "{said}");
}

#[test]
fn wrong_arguments_end_with_3_and_say_what_is_right() {
    let lab = Lab::new();
    for (arguments, said) in [
        (vec!["--comit", "abc"], "--commit"),
        (vec!["--config", "run.ini", "--commit", "xyz"], "commit"),
        (vec!["--config", "run.ini", "--store-expire-days", "soon"], "store_expire_days"),
        (vec!["--config", "run.ini", "--verdict", "green"], "success"),
        (vec!["--config", "run.ini", "--detail", "novalue"], "NAME=VALUE"),
        (vec!["nonsense"], "nonsense"),
    ] {
        let output = lab.run(&arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(err(&output).contains(said), "{arguments:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }
    let output = lab.run(&["--config", "none.ini"]);
    assert_eq!(output.status.code(), Some(10));
    assert!(err(&output).contains("none.ini"));
}

#[test]
fn help_names_every_setting_and_ends_with_0() {
    let output = bare().arg("--help").output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0));
    let help = out(&output);
    for setting in notify_pr::Settings::table() {
        assert!(help.contains(&setting.option()), "{} is missing", setting.option());
    }
    let version = bare().arg("--version").output().expect("the command runs");
    assert_eq!(out(&version).trim_end(), format!("notify_pr {}", notify_pr::VERSION));
}

#[test]
fn settings_are_shown_with_their_origin_and_without_secrets() {
    let lab = Lab::new();
    let output = lab.run(&["settings", "--config", "run.ini", "--commit", &lab.commit]);
    assert_eq!(output.status.code(), Some(0));
    let shown = out(&output);
    assert!(shown.contains("run.ini:2"), "{shown}");
    assert!(shown.contains("command line"), "{shown}");
    assert!(!shown.contains("lab-token"), "{shown}");
    let example = bare().args(["settings", "--example"]).output().expect("the command runs");
    let committed = include_str!("../examples/notify_pr.ini");
    assert_eq!(out(&example), committed);
}

#[test]
fn man_page_and_completions_are_printed() {
    let page = bare().arg("man").output().expect("the command runs");
    assert!(out(&page).contains(".TH notify_pr"));
    for shell in ["bash", "zsh", "fish"] {
        let script = bare().args(["completions", shell]).output().expect("the command runs");
        assert!(out(&script).contains("full-detail-dir"), "{shell}");
    }
}

#[test]
fn the_summary_comes_from_standard_input_when_asked_for() {
    let lab = Lab::new();
    let mut child = lab
        .command()
        .args(["--config", "run.ini", "--commit", &lab.commit, "--summary-file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut input = child.stdin.take().expect("standard input");
    input.write_all(b"\xEF\xBB\xBFFrom a pipe, caf\xE9.\r\n").expect("written");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(lab.comments()[0].contains("From a pipe, caf"), "{}", lab.comments()[0]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = bare()
        .args(["settings", "--example"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(err(&output), "");
}

#[test]
fn a_summary_that_does_not_fit_is_stored_whole_and_linked() {
    let lab = Lab::new();
    let ini = fs::read_to_string(lab.job.path().join("run.ini")).expect("the INI");
    lab.write("run.ini", &ini.replace("full_detail_dir = logs\n", ""));
    let lines: Vec<String> = (0..5000).map(|n| format!("- line {n} of a long summary")).collect();
    lab.write("summary.md", &lines.join("\n"));
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(0));
    let comment = &lab.comments()[0];
    assert!(comment.chars().count() <= 16_000, "{}", comment.chars().count());
    let link = comment
        .split(&['(', ')', '<', '>'][..])
        .find(|part| part.ends_with("/report.md"))
        .expect("the full text is linked");
    let text = ureq::get(link).call().expect(link).body_mut().read_to_string().expect(link);
    assert!(text.contains("line 4999 of a long summary"));
}

#[test]
fn missing_attachments_and_summary_are_named_and_stop_nothing() {
    let lab = Lab::new();
    fs::remove_file(lab.job.path().join("summary.md")).expect("removed");
    let output = lab.submit(&["--attach", "never-written.log", "--json"]);
    assert_eq!(output.status.code(), Some(22));
    let comments = lab.comments();
    assert!(comments[0].contains("never-written.log"), "{}", comments[0]);
    assert!(comments[0].contains("summary.md"), "{}", comments[0]);
    let receipt: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(receipt["missing"][0]["name"], "never-written.log");
}

#[test]
fn without_a_store_there_is_a_comment_and_attachments_are_missing() {
    let lab = Lab::new();
    let ini = fs::read_to_string(lab.job.path().join("run.ini")).expect("the INI");
    let without: String = ini
        .lines()
        .filter(|line| !line.starts_with("store_"))
        .map(|line| format!("{line}\n"))
        .collect();
    lab.write("run.ini", &without);
    let output = lab.submit(&[]);
    assert_eq!(output.status.code(), Some(22));
    assert_eq!(lab.comments().len(), 1);
    assert!(lab.comments()[0].contains("results.txt"), "{}", lab.comments()[0]);
}

#[test]
fn a_store_that_fails_does_not_keep_the_comment_back() {
    let lab = Lab::new();
    fs::remove_dir_all(lab.published.path()).expect("removed");
    let output = lab.submit(&[]);
    assert!(matches!(output.status.code(), Some(20..=22)), "{:?}", output.status);
    let comments = lab.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].contains("All 12 suites look OK."));
    assert!(!comments[0].contains(&lab.server.url()), "no dead link:\n{}", comments[0]);
}

#[test]
fn a_secret_that_a_store_says_back_is_masked_wherever_it_is_told() {
    const SECRET: &str = "the-secret-of-this-store";
    let lab = Lab::new();
    let bucket = Bucket::start("logs");
    let refusal =
        format!("<Error><Code>InvalidArgument</Code><Message>no good: {SECRET}</Message></Error>");
    let refused = Response::new(400).header("Content-Type", "application/xml").body(refusal);
    bucket.fault(Fault::on("PUT", "results.txt").respond(refused).forever());
    let endpoint = bucket.url();
    let output = lab.submit(&[
        "--store-api",
        "s3",
        "--store-endpoint",
        &endpoint,
        "--store-container",
        "logs",
        "--store-identity",
        "key",
        "--store-secret",
        SECRET,
        "--store-public-url",
        "",
        "--json",
    ]);
    let (said, receipt) = (err(&output), out(&output));
    assert!(said.contains("results.txt: ") && said.contains("InvalidArgument"), "{said}");
    assert!(receipt.contains("InvalidArgument"), "{receipt}");
    for text in [&said, &receipt, &lab.comments()[0]] {
        assert!(!text.contains(SECRET), "{text}");
    }
    for file in files(lab.job.path()) {
        let bytes = fs::read(&file).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{file}");
    }
}

#[test]
fn pickles_of_marvin_stay_where_they_are() {
    let lab = Lab::new();
    lab.write("logs/dc_entries.obj", "(dp0\nVpasswd\np1\nVhunter22\n");
    assert!(lab.submit(&[]).status.success());
    let comment = &lab.comments()[0];
    assert!(
        comment.contains("dc_entries.obj") && comment.contains("left out by rule"),
        "{comment}"
    );
    assert!(files(lab.published.path()).iter().all(|file| !file.ends_with(".obj")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_a_bar_while_files_go_up_and_nothing_of_it_stays() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no `script` here to make a terminal with");
        return;
    }
    let lab = Lab::new();
    for number in 0..300 {
        lab.write(&format!("logs/{number}.log"), &"a line of a log\n".repeat(2000));
    }
    let line =
        format!("{} --config run.ini --commit {}", env!("CARGO_BIN_EXE_notify_pr"), lab.commit);
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "typescript"]).current_dir(lab.job.path());
    script.env("TERM", "xterm").env("NO_COLOR", "1").stdin(Stdio::null());
    let output = script.output().expect("script runs");
    assert!(output.status.success(), "{}", err(&output));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("uploading [") && shown.contains("/302 files"), "{shown:?}");
    let end = shown.rfind("uploading [").expect("a bar");
    assert!(shown[end..].contains("\u{1b}[2K"), "the bar is cleared: {:?}", &shown[end..]);
}

#[cfg(unix)]
#[test]
fn a_signal_keeps_the_report_and_ends_with_40() {
    for signal in ["INT", "TERM"] {
        let lab = Lab::new();
        // The pull request's comments never arrive: the command waits for GitHub.
        lab.github.fault(Fault::on("GET", "/comments").stall().forever());
        lab.github.fault(Fault::on("POST", "/graphql").stall().forever());
        let child = lab
            .command()
            .args(["--config", "run.ini", "--commit", &lab.commit])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let waited = Instant::now();
        while lab.github.requests().is_empty() && waited.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let sent = Instant::now();
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.expect("kill").success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(40), "{}", err(&output));
        assert!(sent.elapsed() < Duration::from_secs(25), "{:?}", sent.elapsed());
        let kept = files(&lab.job.path().join("outbox"));
        assert!(kept.iter().any(|path| path.ends_with("comment.md")), "{kept:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_wait_for_standard_input() {
    let lab = Lab::new();
    let mut child = lab
        .command()
        .args(["--config", "run.ini", "--commit", &lab.commit, "--summary-file", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let held_open = child.stdin.take();
    std::thread::sleep(Duration::from_millis(500));
    let kill = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(40));
    drop(held_open);
}
