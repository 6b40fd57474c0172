//! A lab, and a job with a spool in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use notify_pr::Report;
use serde_json::Value;
use stand_ins::{FileServer, GitHub, Pull, sha};
use tempfile::TempDir;

pub(super) const TOKEN: &str = "lab-token-of-the-submitter";

/// A GitHub, a published folder, and a folder for the job with a spool in it.
pub(super) struct Lab {
    pub(super) github: GitHub,
    pub(super) pull: Pull,
    pub(super) job: TempDir,
    pub(super) published: TempDir,
    pub(super) server: FileServer,
}

impl Lab {
    pub(super) fn new() -> Lab {
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

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.job.path().join(name)
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.path("spool")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notify_pr"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.current_dir(self.job.path()).env("HOME", self.job.path()).args(arguments);
        command
    }

    /// Sets a part aside, as the process of a suite does: without INI, token and network.
    pub(super) fn collect(&self, part: &str, more: &[&str]) -> Child {
        let mut command = self.command(&["--part", part]);
        command.env("NOTIFY_PR_SUBMIT", "collect").env("NOTIFY_PR_SPOOL_DIR", self.spool());
        command.args(more).spawn().expect("the command runs")
    }

    pub(super) fn collected(&self, part: &str, more: &[&str]) {
        let output = self.collect(part, more).wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }

    pub(super) fn submit(&self, more: &[&str]) -> Output {
        let mut command = self.command(&["--config", "run.ini", "--spool", "spool"]);
        let output = command.args(more).output().expect("the command runs");
        eprintln!("{}", err(&output));
        output
    }

    pub(super) fn submitted(&self, more: &[&str]) -> Value {
        let output = self.submit(&[&["--json", "--quiet"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The page that the comment links.
    pub(super) fn submitted_page(&self) -> String {
        let comment = self.comment();
        let page = comment.split("](<").find_map(|rest| {
            let (url, _) = rest.split_once(">)")?;
            url.ends_with("/index.html").then(|| url.to_owned())
        });
        page.unwrap_or_else(|| panic!("no page: {comment}"))
    }

    pub(super) fn comments(&self) -> Vec<String> {
        let comments = self.github.comments("apache/cloudstack", self.pull.number());
        comments.into_iter().map(|comment| comment.body).collect()
    }

    pub(super) fn comment(&self) -> String {
        let mut comments = self.comments();
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments.remove(0)
    }

    /// What is in the spool, but the lock and what it remembers.
    pub(super) fn left(&self) -> Vec<String> {
        let is_left = |name: &String| name != ".lock" && !name.starts_with(".reported-");
        names(&self.spool()).into_iter().filter(is_left).collect()
    }

    /// The files in which the spool remembers what was reported.
    pub(super) fn remembered(&self) -> Vec<PathBuf> {
        let is_one = |name: &String| name.starts_with(".reported-");
        let names = names(&self.spool()).into_iter().filter(is_one);
        names.map(|name| self.spool().join(name)).collect()
    }

    /// A part as hostile code writes it.
    pub(super) fn plant(&self, id: char, record: &Value) -> PathBuf {
        let folder = self.spool().join(id.to_string().repeat(32));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("part.json"), record.to_string()).expect("a record");
        folder
    }

    /// Everything that is published, as text.
    pub(super) fn everything_published(&self) -> String {
        let all = files(self.published.path());
        all.iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned())
            .collect()
    }
}

pub(super) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
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

pub(super) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(super) fn collecting(lab: &Lab) -> Report {
    let mut report = Report::new();
    report.set("submit", "collect").expect("a setting");
    report.set("spool_dir", lab.spool().to_str().expect("UTF-8")).expect("a setting");
    report
}
