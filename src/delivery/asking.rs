//! What GitHub is asked before anything is stored: the pull request, and who sees the repository.

use time::Duration;

use super::Delivery;
use crate::error::{Error, Result};
use crate::find;
use crate::github::GitHub;
use crate::status::Status;

impl<'s> Delivery<'s> {
    /// Finds the pull request. What GitHub refuses ends the submission at once, before hours of
    /// uploads; where it cannot be reached, the upload goes on under the commit.
    pub(crate) fn find(&mut self) -> Result<()> {
        self.begun = true;
        // GitHub may be back when the files are stored: the comment is to have its time then.
        self.submission.github_time.reserve();
        if self.wants_no_pull_request() {
            self.submission.events.note("no pull request is looked for: pull_request = none");
            self.ask_who_sees_it();
            return Ok(());
        }
        match self.ask_github() {
            Err(error) if may_pass(&error) => {
                self.submission.events.warn(format!("{error}; the upload goes on"));
                self.github_failure = Some(error);
                Ok(())
            }
            asked => asked,
        }
    }

    /// Finds the pull request; that there is none is an error unless the settings ignore it.
    pub(super) fn ask_github(&mut self) -> Result<()> {
        let github = self.client()?;
        let found = find::find(self.submission, &github);
        self.keep_client(github);
        let found = match found {
            Err(error) if error.status() == Status::NoPullRequest && self.ignores_none() => {
                self.submission.events.warn(error.to_string());
                self.github_failure = None;
                return Ok(());
            }
            found => found?,
        };
        for of in &found.matches {
            let relation = of.relation.name();
            let url = &of.pull_request.url;
            self.submission.events.note(format!("found {url} ({relation})"));
        }
        for (of, reason) in &found.skipped {
            self.submission.events.note(format!("left alone: {}: {reason}", of.pull_request.url));
        }
        self.receipt.repository = Some(found.repository.clone());
        self.receipt.commit = Some(found.commit.clone());
        self.github_failure = None;
        self.found = Some(found);
        Ok(())
    }

    /// Asks GitHub for the repository alone, where the settings say which one it is and who we are.
    pub(super) fn ask_who_sees_it(&mut self) {
        let set = |name| self.submission.settings.text(name).is_some();
        if !["owner", "repo", "token"].into_iter().all(set) {
            return;
        }
        let Err(error) = self.ask_for_the_repository() else { return };
        let of = self.repository();
        self.submission.events.warn(match self.private {
            None => format!("GitHub could not say whether {of} is private: {error}"),
            Some(_) => format!("GitHub does not show {of}, so it counts as private: {error}"),
        });
    }

    fn ask_for_the_repository(&mut self) -> Result<()> {
        let github = self.client()?;
        let asked = github.repository().map(drop);
        self.keep_client(github);
        asked
    }

    /// One client for the whole way: it knows already what it was told.
    fn client(&mut self) -> Result<GitHub<'s>> {
        self.github.take().map_or_else(|| GitHub::new(self.submission), Ok)
    }

    /// Keeps the client, and what it learnt of the repository, whatever became of the question.
    fn keep_client(&mut self, github: GitHub<'s>) {
        self.private = github.is_private().or(self.private);
        if let Some(ahead) = github.clock_ahead() {
            self.go_by(ahead);
        }
        self.github = Some(github);
    }

    /// Of two reports the one that started later stands, so both have to go by the same clock.
    fn go_by(&mut self, ahead: Duration) {
        let known = self.started != self.submission.started;
        self.started = self.submission.started.saturating_add(ahead);
        if !known {
            let direction = if ahead.is_negative() { "ahead of" } else { "behind" };
            self.submission.events.warn(format!(
                "this machine's clock is {} s {direction} GitHub's: set it, for instance with NTP; \
                 the comment has GitHub's time",
                ahead.whole_seconds().unsigned_abs()
            ));
        }
    }

    fn wants_no_pull_request(&self) -> bool {
        self.submission.settings.text("pull_request") == Some("none")
    }

    fn ignores_none(&self) -> bool {
        self.submission.settings.choice("on_no_pull_request") == "ignore"
    }
}

/// Whether the error may be gone after the upload.
fn may_pass(error: &Error) -> bool {
    matches!(error.status(), Status::GithubUnreachable | Status::GithubBusy | Status::Timeout)
}
