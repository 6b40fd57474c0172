//! The token, the repository, and the pull request as it is now.

use time::OffsetDateTime;

use super::{Findings, described};
use crate::error::Error;
use crate::find::{self, Found, Relation};
use crate::github::{GitHub, Repository, Rights};
use crate::status::Status;
use crate::submission::Submission;

/// What later steps want to know.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// `owner/name`, where it was found.
    pub(super) repository: Option<String>,
    pub(super) private: bool,
    /// What time GitHub has, and what time it was here then.
    pub(super) time: Option<(OffsetDateTime, OffsetDateTime)>,
}

pub(super) fn look(submission: &Submission, findings: &mut Findings) -> Known {
    let mut known = Known::default();
    if submission.settings.text("pull_request") == Some("none") {
        findings.ok("pull_request", "no pull request is wanted: pull_request = none");
        who_sees_it(submission, &mut known, findings);
        return known;
    }
    let github = match GitHub::new(submission) {
        Ok(github) => github,
        Err(error) => {
            findings.failed("token", &error);
            return known;
        }
    };
    match github.viewer() {
        Err(error) => {
            findings.failed("token", &error);
            return known;
        }
        Ok(Some(login)) => findings.ok("token", format!("valid, of {login}")),
        Ok(None) => findings.ok("token", "valid; GitHub does not say whose it is"),
    }
    known.time = github.server_time().map(|theirs| (theirs, submission.clock.now()));
    match github.rights() {
        Err(error) => {
            findings.failed("repository", &error);
            return known;
        }
        Ok(rights) => {
            repository(&rights, findings);
            may_comment(&rights, findings);
            known.repository = Some(rights.repository.full_name);
            known.private = rights.repository.private == Some(true);
        }
    }
    match find::find(submission, &github) {
        Ok(found) => pull_requests(&found, findings),
        Err(error)
            if error.status() == Status::NoPullRequest
                && submission.settings.choice("on_no_pull_request") == "ignore" =>
        {
            findings.warn("pull_request", error.what(), "");
        }
        Err(error) => findings.failed("pull_request", &error),
    }
    known
}

/// Without a pull request GitHub is asked only whether everybody may see the files, where the settings
/// say of which repository and who asks. That it does not tell stops no upload.
fn who_sees_it(submission: &Submission, known: &mut Known, findings: &mut Findings) {
    let set = |name| submission.settings.text(name).is_some();
    if !["owner", "repo", "token"].into_iter().all(set) {
        return;
    }
    let github = match GitHub::new(submission) {
        Ok(github) => github,
        Err(error) => return findings.warn("repository", described(&error), advice(&error)),
    };
    match github.repository() {
        Ok(repository) => {
            findings.warnings("repository");
            findings.ok("repository", seen(&repository));
            known.repository = Some(repository.full_name);
        }
        Err(error) => {
            let mut text = described(&error);
            if github.is_private() == Some(true) {
                text.push_str("; so it counts as private");
            }
            findings.warn("repository", text, advice(&error));
        }
    }
    known.private = github.is_private() == Some(true);
    known.time = github.server_time().map(|theirs| (theirs, submission.clock.now()));
}

fn advice(error: &Error) -> &str {
    error.advice().unwrap_or_default()
}

/// `apache/cloudstack is public`.
fn seen(repository: &Repository) -> String {
    let seen = match repository.private {
        Some(true) => "private",
        Some(false) => "public",
        None => "there",
    };
    format!("{} is {seen}", repository.full_name)
}

fn repository(rights: &Rights, findings: &mut Findings) {
    // A new name is told as a warning.
    findings.warnings("repository");
    let name = &rights.repository.full_name;
    if rights.archived {
        findings.fail(
            "repository",
            Status::GithubRefused,
            format!("{name} is archived, so nobody can comment"),
            "take it out of the archive, or report to another repository",
        );
    } else {
        findings.ok("repository", seen(&rights.repository));
    }
}

fn may_comment(rights: &Rights, findings: &mut Findings) {
    let needed = rights.needed();
    let held = rights.scopes.as_deref().unwrap_or_default().join(", ");
    match rights.may_comment() {
        Some(true) => {
            findings.ok("rights", format!("the token has {held}; {needed} is needed"));
        }
        Some(false) => findings.fail(
            "rights",
            Status::GithubRefused,
            format!(
                "the token has {}, and {needed} is needed to comment",
                if held.is_empty() { "no scope" } else { &held }
            ),
            &format!("make a token with the scope {needed}"),
        ),
        None => findings.warn(
            "rights",
            "GitHub does not tell in advance what a token of this kind may do",
            "see that it has the permission to write Issues or Pull requests in this repository",
        ),
    }
}

fn pull_requests(found: &Found, findings: &mut Findings) {
    for of in &found.matches {
        let number = of.pull_request.number;
        let relation = match of.relation {
            Relation::Head => "the commit is its head",
            Relation::TestMerge => "the commit is GitHub's test merge of it",
            Relation::MergeOf => "the commit is a merge of its head",
            Relation::Outdated => "the commit is no longer its head",
            Relation::Closed => "it is closed",
            Relation::Merged => "it is merged",
            Relation::Given => "it was given by number",
        };
        let text = format!("#{number}: {relation}");
        if of.pull_request.locked {
            findings.warn(
                "pull_request",
                format!("{text}; its conversation is locked"),
                "only members with the right to write can comment there",
            );
        } else {
            findings.ok("pull_request", text);
        }
    }
    for (of, reason) in &found.skipped {
        findings.warn(
            "pull_request",
            format!("#{} is left alone: {reason}", of.pull_request.number),
            "",
        );
    }
}
