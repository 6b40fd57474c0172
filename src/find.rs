//! Which pull request a commit belongs to.
//!
//! A number that was given comes first. Without one all open pull requests are read, for GitHub's
//! own answer to "which pull requests have this commit" leaves out those that come from forks.
//! Only what no open pull request has as its head is asked for one by one: heads that have moved,
//! pull requests that are closed, and last, when no pull request has or had the commit itself,
//! merges that a CI server made.

mod matching;
mod merge;
mod older;
mod policy;

use crate::error::{Error, Result};
use crate::github::{GitHub, History, PullRequest, Repository, State};
use crate::settings::Origin;
use crate::status::Status;
use crate::submission::Submission;

pub use self::matching::matches;
pub use self::policy::decide;

/// How a commit relates to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is the head.
    Head,
    /// It is GitHub's own test merge of the head.
    TestMerge,
    /// It is a merge that has the head as a parent.
    MergeOf,
    /// It was the head or is an older commit of the pull request.
    Outdated,
    /// The pull request is closed.
    Closed,
    /// The pull request is merged.
    Merged,
    /// The caller named the pull request, and the commit is not known to belong to it.
    Given,
}

impl Relation {
    /// Whether what was tested is what the pull request offers now.
    pub fn is_current(&self) -> bool {
        matches!(self, Relation::Head | Relation::TestMerge | Relation::MergeOf)
    }

    /// The word for it in receipts and templates.
    pub fn name(&self) -> &'static str {
        match self {
            Relation::Head => "head",
            Relation::TestMerge => "test_merge",
            Relation::MergeOf => "merge_of",
            Relation::Outdated => "outdated",
            Relation::Closed => "closed",
            Relation::Merged => "merged",
            Relation::Given => "given",
        }
    }
}

/// A pull request and how the commit relates to it.
#[derive(Clone, Debug)]
pub struct Match {
    /// The pull request as it was when it was read.
    pub pull_request: PullRequest,
    /// How the commit relates to it.
    pub relation: Relation,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// `owner/name` as GitHub spells it now.
    pub repository: String,
    /// The web address of the repository, such as `https://github.com/apache/cloudstack`.
    pub repository_url: String,
    /// Whether only members see the repository; None where GitHub did not say.
    pub private: Option<bool>,
    /// The full SHA where it is known, else as given.
    pub commit: String,
    /// The pull requests that get the comment, after the policies.
    pub matches: Vec<Match>,
    /// Pull requests that a policy left out (`on_closed = skip`, …), with the reason.
    pub skipped: Vec<(Match, String)>,
    /// What was searched and seen, for people.
    pub searched: String,
}

/// Finds the pull requests of the commit in the settings.
///
/// `pull_request` decides when a person set it; a number that the CI server gave is verified, and
/// when it does not fit the search goes on with a warning. Several pull requests with the same
/// head all count. Of several that once had the commit only one does: the one that brought it into
/// the branch that another one comes from, then an open one before a closed one, then the one in
/// which fewer commits follow, then the lowest number.
///
/// # Errors
/// `NoPullRequest` tells what was searched and seen; `Ambiguous` names the candidates;
/// `RefusedByPolicy` names the setting; the rest is GitHub's.
pub fn find(submission: &Submission, github: &GitHub<'_>) -> Result<Found> {
    let settings = &submission.settings;
    let Some(commit) = settings.text("commit") else {
        return Err(Error::new(Status::BadSetting, "`commit` is not set")
            .advise("say which commit was tested, for instance with --commit"));
    };
    let mut search = Search {
        submission,
        github,
        commit: normalise(commit)?,
        looked_up: None,
        recent: None,
        seen: Vec::new(),
    };
    let matches = search.run()?;
    let repository = github.repository()?;
    if matches.is_empty() {
        return Err(search.nothing(&repository));
    }
    let (matches, skipped) = policy::apply(settings, &search.commit, matches)?;
    Ok(Found {
        repository: repository.full_name,
        repository_url: repository.url,
        private: repository.private,
        commit: search.commit,
        matches,
        skipped,
        searched: search.seen.join("; "),
    })
}

/// The commit in lower case, if it is the name of one.
fn normalise(commit: &str) -> Result<String> {
    let commit = commit.trim().to_ascii_lowercase();
    let hex = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && matches!(commit.len(), 7..=40 | 64) {
        return Ok(commit);
    }
    let shown: String = commit.chars().take(80).collect();
    Err(Error::new(Status::BadSetting, format!("`commit` is not the name of a commit: {shown}"))
        .advise("give 7 to 40 hexadecimal digits (or 64), such as `git rev-parse HEAD` prints"))
}

fn is_full(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64)
}

/// One search and what it has seen so far.
struct Search<'a> {
    submission: &'a Submission,
    github: &'a GitHub<'a>,
    /// As given in lower case, or the full SHA once it is known.
    commit: String,
    looked_up: Option<LookedUp>,
    /// The pull requests that were updated last, read when a forced push is looked for.
    recent: Option<Vec<History>>,
    /// What was searched and seen, for people.
    seen: Vec<String>,
}

/// What is known of the commit itself.
#[derive(Clone, Debug)]
struct LookedUp {
    on_github: bool,
    parents: Vec<String>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<Vec<Match>> {
        if let Some(number) = self.number()? {
            let origin = self.submission.settings.origin("pull_request");
            if !matches!(origin, Some(Origin::Ci { .. } | Origin::Git)) {
                return self.given(number).map(|found| vec![found]);
            }
            if let Some(found) = self.hinted(number)? {
                return Ok(vec![found]);
            }
        }
        let open = self.github.open_pulls()?;
        self.seen.push(format!("{} open pull requests read by {}", open.pulls.len(), open.by));
        let found = self.among(&open.pulls)?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.look_up()?;
        let found = self.among(&open.pulls)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let found = older::search(self)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let found = merge::search(self, &open.pulls)?;
        if !found.is_empty() {
            return Ok(found);
        }
        older::associated(self)
    }

    fn number(&self) -> Result<Option<u64>> {
        let Some(text) = self.submission.settings.text("pull_request") else { return Ok(None) };
        match text.trim().trim_start_matches('#').parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(Error::new(
                Status::BadSetting,
                format!("`pull_request` is not the number of a pull request: {text}"),
            )
            .advise("give a number such as 1525, or leave it out")),
        }
    }

    /// A number that a person gave: it counts even when the commit is not known to belong to it.
    fn given(&mut self, number: u64) -> Result<Match> {
        let Some(pull_request) = self.github.pull(number)? else {
            let name = self.github.full_name();
            return Err(Error::new(
                Status::NoPullRequest,
                format!("{name} has no pull request {number}"),
            )
            .advise("check `pull_request`, or leave it out to search for the commit"));
        };
        let relation = self.relate(&pull_request)?.unwrap_or(Relation::Given);
        let relation = matching::in_state(relation, pull_request.state);
        self.seen.push(format!("pull request {number} was given"));
        Ok(Match { pull_request, relation })
    }

    /// A number that the CI server gave: it counts only when the commit belongs to it.
    fn hinted(&mut self, number: u64) -> Result<Option<Match>> {
        let found = match self.github.pull(number)? {
            Some(pull_request) => self.relate(&pull_request)?.map(|relation| Match {
                relation: matching::in_state(relation, pull_request.state),
                pull_request,
            }),
            None => None,
        };
        match &found {
            Some(_) => self.seen.push(format!("pull request {number} was named by the CI server")),
            None => {
                let commit = &self.commit;
                self.submission.events.warn(format!(
                    "the CI server names pull request {number}, but commit {commit} does not belong to it: \
                     searching all pull requests"
                ));
                self.seen.push(format!(
                    "pull request {number}, named by the CI server, does not have the commit"
                ));
            }
        }
        Ok(found)
    }

    /// How the commit relates to one pull request; None when it does not.
    fn relate(&mut self, pull: &PullRequest) -> Result<Option<Relation>> {
        if let Some(found) = self.among(std::slice::from_ref(pull))?.pop() {
            return Ok(Some(found.relation));
        }
        self.look_up()?;
        if let Some(found) = self.among(std::slice::from_ref(pull))?.pop() {
            return Ok(Some(found.relation));
        }
        if merge::is_of(self, pull)? {
            return Ok(Some(Relation::MergeOf));
        }
        older::had(self, pull)
    }

    /// The pull requests among these that have the commit as their head or test merge.
    fn among(&mut self, pulls: &[PullRequest]) -> Result<Vec<Match>> {
        match matches(pulls, &self.commit) {
            Ok((found, full)) => {
                if let Some(full) = full {
                    self.commit = full;
                }
                Ok(found)
            }
            Err(candidates) => Err(Error::new(
                Status::Ambiguous,
                format!("`commit` is too short: {} fits {}", self.commit, candidates.join(", ")),
            )
            .advise("give more digits of the commit")),
        }
    }

    /// Asks GitHub for the commit, and where GitHub does not know it the checkout.
    fn look_up(&mut self) -> Result<LookedUp> {
        if let Some(known) = &self.looked_up {
            return Ok(known.clone());
        }
        let known = match self.github.commit(&self.commit)? {
            Some(commit) => {
                self.commit = commit.sha;
                LookedUp { on_github: true, parents: commit.parents }
            }
            None => LookedUp {
                on_github: false,
                parents: local_parents(self.submission, &self.commit).unwrap_or_default(),
            },
        };
        let parents = match known.parents.as_slice() {
            [] => "no parents known".to_owned(),
            parents => format!("parents {}", parents.join(" and ")),
        };
        let whose = match (known.on_github, known.parents.is_empty()) {
            (true, _) => "GitHub knows the commit",
            (false, true) => "GitHub does not know the commit, nor does a checkout here",
            (false, false) => "GitHub does not know the commit, the checkout here does",
        };
        self.seen.push(format!("{whose} ({parents})"));
        self.looked_up = Some(known.clone());
        Ok(known)
    }

    fn nothing(&self, repository: &Repository) -> Error {
        let unknown = self.looked_up.as_ref().is_some_and(|known| !known.on_github);
        let advice = if unknown {
            "check `owner`, `repo` and `commit`: the commit must have been pushed; or give `pull_request`"
        } else {
            "if this run has no pull request (a nightly run), set `pull_request = none` or \
             `on_no_pull_request = ignore`; else give its number as `pull_request`"
        };
        Error::new(
            Status::NoPullRequest,
            format!(
                "no pull request of {} belongs to commit {}: {}",
                repository.full_name,
                self.commit,
                self.seen.join("; ")
            ),
        )
        .advise(advice)
    }
}

/// The parents of a merge that was made here and that GitHub never saw.
pub(crate) fn local_parents(submission: &Submission, commit: &str) -> Option<Vec<String>> {
    let folder = submission.settings.working_directory()?;
    crate::settings::git::parents(folder, commit)
}

/// Whether a state is that of a pull request that can still change.
fn is_open(pull: &PullRequest) -> bool {
    pull.state == State::Open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_hexadecimal_in_any_case_and_long_enough() {
        let full = "0123456789ABCDEF0123456789abcdef01234567";
        assert_eq!(normalise(full).unwrap(), full.to_ascii_lowercase());
        assert_eq!(normalise(" abcdef0 ").unwrap(), "abcdef0");
        assert!(normalise(&"a".repeat(64)).is_ok());
        for bad in ["", "abcdef", "main", "abcdefg", &"a".repeat(41), &"a".repeat(65), "--help0"] {
            let error = normalise(bad).unwrap_err();
            assert_eq!(error.status(), Status::BadSetting, "{bad}");
        }
    }
}
