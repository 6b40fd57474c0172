//! The comment, and what is stored anew where a pull request is not any more what it was.

use std::cell::RefCell;

use super::Delivery;
use crate::compose;
use crate::error::Result;
use crate::find::{Found, Match};
use crate::post::{self, Action, Posted};

impl Delivery<'_> {
    /// Leaves the comment. Where GitHub could not be reached before the upload, it is asked again.
    pub(crate) fn post(&mut self) -> Result<()> {
        self.submission.github_time.release();
        if self.github_failure.is_some() {
            self.asked_again = true;
            let asked = self.ask_github();
            self.keep_private();
            asked?;
            if self.found.is_some() {
                // The pages do not name the pull request yet.
                self.publish()?;
            }
        }
        let Some(found) = self.found.take() else { return Ok(()) };
        let (now, ended) = self.post_to(&found);
        let moved = found.matches.iter().zip(&now).any(|(before, now)| has_moved(before, now));
        self.found = Some(Found { matches: now, ..found });
        if moved {
            // What the comment leads to says the same as the comment.
            self.store_pages();
        }
        ended
    }

    /// Returns the pull requests as they are now.
    fn post_to(&mut self, found: &Found) -> (Vec<Match>, Result<()>) {
        let mut ended = Ok(());
        let mut all = Vec::new();
        let github = self.github.take();
        for of in &found.matches {
            let Some(github) = github.as_ref().filter(|_| !self.submission.dry_run) else {
                self.receipt.add_pull_request(of, &not_posted(None));
                all.push(of.clone());
                continue;
            };
            let composed = RefCell::new(None);
            let posted = post::post(self.submission, github, found, of, &|of: &Match| {
                let text = compose::comment(&self.facts(Some(found)), Some(of))?;
                composed.replace(Some((of.clone(), text.clone())));
                Ok(text)
            });
            let (mut now, text) = composed.into_inner().unzip();
            match posted {
                Ok((of, posted)) => {
                    self.posted(&of, &posted);
                    now = Some(of);
                }
                Err(error) => {
                    let of = now.as_ref().unwrap_or(of);
                    self.receipt.add_pull_request(of, &not_posted(None));
                    ended = ended.and(Err(error));
                }
            }
            if all.is_empty() && text.is_some() {
                self.receipt.comment_text = text;
            }
            all.push(now.unwrap_or_else(|| of.clone()));
        }
        self.github = github;
        for (of, reason) in &found.skipped {
            self.receipt.add_pull_request(of, &not_posted(Some(reason)));
        }
        (all, ended)
    }

    fn posted(&mut self, of: &Match, posted: &Posted) {
        self.receipt.add_pull_request(of, posted);
        if let Some(reason) = &posted.reason {
            let number = of.pull_request.number;
            self.submission.events.note(format!("pull request #{number}: {reason}"));
        }
    }
}

/// Whether what is said of a pull request has changed.
fn has_moved(before: &Match, now: &Match) -> bool {
    before.relation != now.relation || before.pull_request.head_sha != now.pull_request.head_sha
}

/// What is said of a pull request that got no comment: a reason where a policy wanted it so.
fn not_posted(reason: Option<&str>) -> Posted {
    let action = if reason.is_some() { Action::Skipped } else { Action::None };
    Posted { url: None, action, reason: reason.map(str::to_owned) }
}
