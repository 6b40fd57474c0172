//! Asks the `git` program about a checkout. Where there is no git, or no checkout, or git does
//! not answer in time, nothing is known; that is no error.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::url::{RepositoryAddress, web_host};
use super::{Origin, Settings};

/// How long git may take for an answer from its own folder.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const ANSWER_LIMIT: u64 = 1 << 20;

/// Variables that would make git speak of another repository than that of the folder, write
/// files, or behave otherwise than documented (`git rev-parse --local-env-vars`, git(1)).
const CLEANED: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_WORK_TREE",
];

/// The commit that is checked out in the folder, if one of its remotes is this repository or a
/// fork of it.
///
/// A fork is told by its name: a repository of the same name on the same host, or on any host if
/// `host` is `None`. A renamed fork is not recognised, and then the commit must be given.
pub fn head_of(folder: &Path, host: Option<&str>, repo: &str) -> Option<String> {
    let remotes = ask(folder, &["remote", "-v"])?;
    let related = remotes.lines().any(|line| {
        line.split_whitespace().nth(1).and_then(RepositoryAddress::parse).is_some_and(|remote| {
            host.is_none_or(|host| remote.host.eq_ignore_ascii_case(host))
                && remote.repo.eq_ignore_ascii_case(repo)
        })
    });
    if !related {
        return None;
    }
    let head = ask(folder, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
    Some(head.trim().to_owned()).filter(|head| is_full(head))
}

/// The parents of a commit in the checkout that the folder lies in, first parent first.
///
/// `None` if the commit is not named by 40 or 64 hexadecimal digits, or the checkout does not
/// have it. This is how a merge that was made on this machine is traced back to a pull request.
pub fn parents(folder: &Path, commit: &str) -> Option<Vec<String>> {
    if !is_full(commit) {
        return None;
    }
    // The object itself also names parents that a shallow clone does not have.
    let object = ask(folder, &["cat-file", "commit", commit])?;
    let header = object.lines().take_while(|line| !line.is_empty());
    let parents = header.filter_map(|line| line.strip_prefix("parent "));
    Some(parents.filter(|parent| is_full(parent)).map(str::to_owned).collect())
}

impl Settings {
    /// Takes the commit from the checkout in the working directory if nothing else gives one.
    pub(super) fn take_checkout(&mut self) {
        if self.values.contains_key("commit") {
            return;
        }
        let host = self.text("api_url").and_then(web_host);
        let (Some(_), Some(repo)) = (self.text("owner"), self.text("repo")) else { return };
        let Some(folder) = self.working_directory() else { return };
        if let Some(commit) = head_of(folder, host.as_deref(), repo) {
            self.put("commit", commit, Origin::Git);
        }
    }
}

fn is_full(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What git says, or `None` if it says no.
fn ask(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    for variable in CLEANED {
        command.env_remove(variable);
    }
    let mut child = command
        // CI servers often run as another user than the owner of the checkout. Nothing that is
        // asked here runs a program that the checkout's own configuration could name.
        .args(["-c", "safe.directory=*", "-c", "core.fsmonitor=false"])
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // A partial clone would fetch an object that it does not have. No transport is allowed.
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let deadline = Instant::now() + TIME_LIMIT;
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut answer = Vec::new();
            stdout.take(ANSWER_LIMIT).read_to_end(&mut answer).ok().map(|_| answer)
        });
        let success = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status.success(),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break false;
                }
            }
        };
        let answer = reader.join().ok().flatten()?;
        success.then(|| String::from_utf8_lossy(&answer).into_owned())
    })
}
