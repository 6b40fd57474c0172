//! Posts exactly once, or renews ours.
//!
//! GitHub has no key by which it would notice that the same comment comes twice, and an answer of
//! 5xx may follow a comment that was made. So each comment ends with a marker that holds the id of
//! its submission, and where it is not sure that a comment was made it is looked for.
//!
//! A comment is ours when our account wrote it, its last line is our marker, and the marker has our
//! context. What others wrote or quoted is never changed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;

use crate::compose::marker::{LAYOUT, Marker};
use crate::error::{Error, Result};
use crate::events::{Event, Step};
use crate::find::{self, Found, Match, Relation};
use crate::github::{Comment, GitHub, PullRequest, State};
use crate::status::{Stage, Status};
use crate::submission::Submission;

/// How often a comment is sent of which it was not sure whether it had arrived.
const TRIES: u32 = 3;
/// How long is waited before each look for such a comment: a new comment may be listed late.
const LOOKS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_secs(4)];
/// How often a comment is looked up anew because somebody deleted it while we renewed it.
const ROUNDS: u32 = 3;
/// How far back a comment of ours is looked for: clocks may differ.
const BEFORE: time::Duration = time::Duration::seconds(60);

/// What became of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The address of the comment; None when skipped before there was one.
    pub url: Option<String>,
    /// What was done.
    pub action: Action,
    /// Why it was skipped or left unchanged.
    pub reason: Option<String>,
}

/// What was done with the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// There is a new one.
    Created,
    /// An earlier one of ours has the new text.
    Updated,
    /// An earlier one of ours stays as it is.
    Unchanged,
    /// A policy forbade it, or a comment for the head stands there and ours is for an older commit.
    Skipped,
    /// None was made.
    None,
}

/// Posts the comment that `compose` makes for the match as it is now: the head is read again first, so the relation
/// may have become Outdated, Closed or Merged in the meantime.
///
/// With `comment = update` our comment of this context is renewed. A report for a commit that is no
/// longer the head never replaces one for the head, and one for the head always replaces one that
/// is not; otherwise the submission that started later wins. With `comment = new` there is a new
/// comment each time.
///
/// # Errors
/// `RefusedByPolicy`, and what GitHub refuses. When it stays unknown whether a comment was made the
/// error says so.
pub fn post(
    submission: &Submission,
    github: &GitHub<'_>,
    found: &Found,
    of: &Match,
    compose: &dyn Fn(&Match) -> Result<String>,
) -> Result<(Match, Posted)> {
    let now = as_it_is_now(github, found, of)?;
    if let Some(reason) = find::decide(&submission.settings, &found.commit, &now)? {
        let skipped = Posted { url: None, action: Action::Skipped, reason: Some(reason) };
        return Ok((now, skipped));
    }
    let body = compose(&now)?;
    let Some(marker) = Marker::parse(&body) else {
        return Err(Error::new(Status::Internal, "the comment does not end with its marker")
            .in_stage(Stage::Post));
    };
    let told = RefCell::default();
    let post = Post { submission, github, now: &now, body: &body, marker: &marker, told };
    let posted =
        if submission.settings.choice("comment") == "new" { post.add()? } else { post.update()? };
    if let Some(url) = &posted.url {
        let step = Step::Commented { pull_request: now.pull_request.number, url: url.clone() };
        submission.events.emit(Event::StepDone(step));
    }
    Ok((now, posted))
}

/// Reads the pull request again, and says how the commit relates to it now.
fn as_it_is_now(github: &GitHub<'_>, found: &Found, of: &Match) -> Result<Match> {
    let before = &of.pull_request;
    let Some(pull_request) = github.pull(before.number)? else {
        return Err(Error::new(
            Status::GithubRefused,
            format!("pull request {} is not there any more", before.number),
        )
        .at(before.url.clone()));
    };
    let relation = relation_now(found, of, &pull_request);
    Ok(Match { pull_request, relation })
}

fn relation_now(found: &Found, of: &Match, pull: &PullRequest) -> Relation {
    match pull.state {
        State::Merged => return Relation::Merged,
        State::Closed => return Relation::Closed,
        State::Open => {}
    }
    if pull.head_sha == found.commit {
        return Relation::Head;
    }
    let moved = pull.head_sha != of.pull_request.head_sha;
    match of.relation {
        Relation::Head => Relation::Outdated,
        Relation::TestMerge | Relation::MergeOf if moved => Relation::Outdated,
        // It was opened again.
        Relation::Closed | Relation::Merged => Relation::Outdated,
        _ => of.relation.clone(),
    }
}

/// One comment on its way.
struct Post<'a> {
    submission: &'a Submission,
    github: &'a GitHub<'a>,
    now: &'a Match,
    body: &'a str,
    marker: &'a Marker,
    /// The comments of other versions that a warning has named.
    told: RefCell<BTreeSet<u64>>,
}

/// A comment of ours and what it says of itself.
struct Ours {
    comment: Comment,
    marker: Marker,
}

impl Ours {
    /// When the submission that wrote it began: no later than it wrote, whatever its clock said.
    fn started(&self) -> OffsetDateTime {
        let started = self.marker.started;
        self.comment.updated.map_or(started, |updated| updated.min(started))
    }
}

impl Post<'_> {
    fn number(&self) -> u64 {
        self.now.pull_request.number
    }

    /// `comment = new`.
    fn add(&self) -> Result<Posted> {
        // The same submission may come twice: when it is sent again from the outbox.
        let mine = |ours: &Ours| ours.marker.submission == self.marker.submission;
        if let Some(ours) = self.ours(Some(self.since()))?.into_iter().find(mine)
            && let Some(renewed) = self.renew(ours.comment)?
        {
            return Ok(renewed);
        }
        Ok(done(self.create()?, Action::Created))
    }

    /// `comment = update`.
    fn update(&self) -> Result<Posted> {
        for _ in 0..ROUNDS {
            let since = self.since();
            // The newest: with `comment = new` there may have been several.
            match self.ours(None)?.pop() {
                None => {
                    let created = self.create()?;
                    return self.unite(created, since);
                }
                Some(ours) => {
                    if let Some(kept) = self.keep(&ours)? {
                        return Ok(kept);
                    }
                    if let Some(renewed) = self.renew(ours.comment)? {
                        return Ok(renewed);
                    }
                }
            }
        }
        Err(Error::new(
            Status::GithubRefused,
            "our comment is deleted each time that we want to renew it",
        )
        .at(self.now.pull_request.url.clone()))
    }

    /// Whether an earlier comment stays as it is, and why.
    fn keep(&self, ours: &Ours) -> Result<Option<Posted>> {
        let is_later = ours.started() > self.marker.started;
        let is_current = self.now.relation.is_current();
        if ours.marker.submission == self.marker.submission || (is_current && !is_later) {
            return Ok(None);
        }
        let (action, reason) = match (is_current, self.is_for_head(&ours.marker)?) {
            (false, true) => (
                Action::Skipped,
                format!("the comment there is for {}, which is not outdated", ours.marker.commit),
            ),
            (true, true) | (false, false) if is_later => {
                (Action::Unchanged, "the comment there is of a run that started later".to_owned())
            }
            _ => return Ok(None),
        };
        let url = Some(ours.comment.url.clone());
        Ok(Some(Posted { url, action, reason: Some(reason) }))
    }

    /// Whether a comment speaks of what the pull request offers now: of its head, of GitHub's test
    /// merge, or of a merge that a CI server made of the head.
    fn is_for_head(&self, marker: &Marker) -> Result<bool> {
        let pull = &self.now.pull_request;
        if marker.commit == self.marker.commit {
            return Ok(self.now.relation.is_current());
        }
        if marker.commit == pull.head_sha || pull.merge_sha.as_ref() == Some(&marker.commit) {
            return Ok(true);
        }
        let parents = match self.github.commit(&marker.commit)? {
            Some(commit) => Some(commit.parents),
            None => find::local_parents(self.submission, &marker.commit),
        };
        Ok(parents.is_some_and(|parents| parents.len() > 1 && parents.contains(&pull.head_sha)))
    }

    /// Gives an earlier comment the new text; None when it has been deleted meanwhile.
    fn renew(&self, comment: Comment) -> Result<Option<Posted>> {
        if comment.body == self.body {
            let reason = Some("the comment there says the same".to_owned());
            return Ok(Some(Posted { url: Some(comment.url), action: Action::Unchanged, reason }));
        }
        match self.github.update_comment(comment.id, self.body) {
            Ok(comment) => Ok(Some(done(comment, Action::Updated))),
            Err(error) if matches!(error.status(), Some(404 | 410)) => {
                // GitHub also says 404 where rights are missing: then the comment is still there.
                match self.github.comment(comment.id)? {
                    Some(_) => Err(error.into_error()),
                    None => Ok(None),
                }
            }
            Err(error) => Err(error.into_error()),
        }
    }

    /// Makes a comment, once.
    fn create(&self) -> Result<Comment> {
        let since = self.since();
        let mut tries = 1;
        loop {
            let error = match self.github.create_comment(self.number(), self.body) {
                Ok(comment) => return Ok(comment),
                Err(error) if !error.is_unsure() => return Err(error.into_error()),
                Err(error) => error,
            };
            self.submission
                .events
                .note("GitHub did not say whether the comment was made: looking for it");
            match self.look(since) {
                Ok(Some(comment)) => return Ok(comment),
                Ok(None) if tries < TRIES && !error.is_final() => tries += 1,
                Ok(None) => return Err(error.into_error()),
                Err(looking) => {
                    let status = looking.status();
                    return Err(Error::new(status, "it is not known whether the comment was made")
                        .at(self.now.pull_request.url.clone())
                        .because(format!("{error}; and when it was looked for: {looking}"))
                        .advise("look at the pull request before you submit again"));
                }
            }
        }
    }

    /// Looks for the comment of this submission, several times.
    fn look(&self, since: OffsetDateTime) -> Result<Option<Comment>> {
        for wait in LOOKS {
            self.github.pause(wait)?;
            let mut ours = self.ours(Some(since))?.into_iter();
            if let Some(ours) = ours.find(|each| each.marker.submission == self.marker.submission) {
                return Ok(Some(ours.comment));
            }
        }
        Ok(None)
    }

    /// When another submission made a comment at the same instant, one of the two goes. Whoever
    /// sees an older one than his own moves into that, so that both do not go.
    fn unite(&self, created: Comment, since: OffsetDateTime) -> Result<Posted> {
        let older = self.ours(Some(since))?.into_iter().find(|ours| ours.comment.id < created.id);
        let Some(older) = older else { return Ok(done(created, Action::Created)) };
        let posted = match self.keep(&older)? {
            Some(kept) => kept,
            None => match self.renew(older.comment)? {
                Some(renewed) => renewed,
                None => return Ok(done(created, Action::Created)),
            },
        };
        // Somebody may have renewed ours in the meantime, and then it is not ours to delete.
        let still = self.github.comment(created.id)?.and_then(|now| Marker::parse(&now.body));
        if still.is_some_and(|marker| marker.submission == self.marker.submission) {
            self.github.delete_comment(created.id)?;
        }
        Ok(posted)
    }

    /// The comments of our account in our context that are not hidden, the oldest first.
    fn ours(&self, since: Option<OffsetDateTime>) -> Result<Vec<Ours>> {
        let viewer = self.github.viewer()?;
        let mut ours = Vec::new();
        self.github.comments(self.number(), since, &mut |comment| {
            let Some(layout) = Marker::layout(&comment.body) else { return };
            let marker = Marker::parse(&comment.body);
            let is_other = |marker: &Marker| marker.context != self.marker.context;
            if comment.minimized || marker.as_ref().is_some_and(is_other) {
                return;
            }
            let author = comment.author.as_deref();
            let is_own = match (&viewer, author) {
                (Some(viewer), Some(author)) => viewer.eq_ignore_ascii_case(author),
                // Nobody else knows the id of a submission before its comment is there.
                _ => marker.as_ref().is_some_and(|it| it.submission == self.marker.submission),
            };
            if is_own {
                self.tell_of(layout, &comment, marker.is_some());
                ours.extend(marker.map(|marker| Ours { comment, marker }));
            }
        })?;
        ours.sort_by_key(|each| each.comment.id);
        Ok(ours)
    }

    /// Names a comment of ours whose marker has another layout.
    fn tell_of(&self, layout: u32, comment: &Comment, understood: bool) {
        if layout == LAYOUT || !self.told.borrow_mut().insert(comment.id) {
            return;
        }
        let then = match understood {
            true => "it is taken for one of this version",
            false => "its context cannot be read, so it is left alone",
        };
        self.submission.events.warn(format!(
            "another version of notify_pr wrote {} (layout {layout} in its last line, this one \
             has {LAYOUT}): {then}; use one version of notify_pr for a repository",
            comment.url
        ));
    }

    /// Since when a comment of this submission can be there, by GitHub's clock.
    fn since(&self) -> OffsetDateTime {
        let started = self.submission.started;
        let server = self.github.server_time().unwrap_or(started);
        started.min(server).checked_sub(BEFORE).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

fn done(comment: Comment, action: Action) -> Posted {
    Posted { url: Some(comment.url), action, reason: None }
}
