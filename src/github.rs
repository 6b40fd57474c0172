//! The GitHub client: calls, pages, limits, redirects, errors.
//!
//! One request goes out at a time, and every request goes through one function (github/call.rs).
//! It keeps to the budget of time, waits when GitHub asks for it, follows redirects to the same
//! server only, and repeats what may be repeated.

mod address;
mod answers;
mod call;
mod graphql;
mod limits;
mod pages;
mod refusal;
mod rest;
mod rights;
mod verdict;

use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::status::Status;
use crate::submission::{CLOCKS_DIFFER, Submission};

use self::address::Address;
use self::call::Pacing;
pub use self::rights::Rights;
pub use self::verdict::CallError;

/// A connection to one repository on GitHub, for one submission.
pub struct GitHub<'s> {
    submission: &'s Submission,
    address: Address,
    token: Option<String>,
    pacing: Mutex<Pacing>,
    memory: Mutex<Memory>,
}

/// What the answers so far have told.
#[derive(Debug, Default)]
struct Memory {
    /// The names as GitHub spells them now.
    owner: String,
    repo: String,
    repository: Option<Repository>,
    default_branch: Option<String>,
    /// GitHub said that it does not show the repository.
    hidden: bool,
    /// Who we are; the inner None where GitHub does not tell.
    viewer: Option<Option<String>>,
    /// Why GraphQL is not asked any more.
    no_graphql: Option<String>,
    /// A call was redirected, and the new name is not known yet.
    redirected: bool,
    warned_of_rename: bool,
    server_time: Option<OffsetDateTime>,
    /// How far GitHub's clock is ahead of ours. On its way an answer gets older, never younger, so
    /// the largest counts.
    ahead: Option<time::Duration>,
}

/// A pull request as GitHub knows it at the moment of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The address of its page.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The commit at its head.
    pub head_sha: String,
    /// GitHub's test merge while it is open, the commit it was merged as afterwards; None while
    /// GitHub computes it, on a conflict, and where the API does not tell.
    pub merge_sha: Option<String>,
    /// Whether it is open, closed or merged.
    pub state: State,
    /// Whether its conversation is locked.
    pub locked: bool,
    /// The branch that it is to be merged into.
    pub base_branch: String,
    /// The tip of that branch when GitHub last compared the two.
    pub base_sha: String,
    /// The branch of this repository that it comes from; None when it comes from a fork.
    pub head_branch: Option<String>,
}

/// The state of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is open.
    Open,
    /// It was closed without being merged.
    Closed,
    /// It was merged.
    Merged,
}

/// What a repository is called and who may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name` as GitHub spells it now.
    pub full_name: String,
    /// The address of its page.
    pub url: String,
    /// Whether only members see it; None where the answer did not say.
    pub private: Option<bool>,
}

/// A commit that GitHub knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The full name, 40 or 64 hexadecimal digits.
    pub sha: String,
    /// The commits it was made from, the first one first.
    pub parents: Vec<String>,
}

/// A comment on a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number, unique over all repositories.
    pub id: u64,
    /// The address at which a browser shows it.
    pub url: String,
    /// Its Markdown.
    pub body: String,
    /// Who wrote it; None when the account is gone.
    pub author: Option<String>,
    /// When its text was written or changed last, by GitHub's clock.
    pub updated: Option<OffsetDateTime>,
    /// Whether it is hidden, for instance as outdated.
    pub minimized: bool,
}

/// A pull request with the commits that it had.
#[derive(Clone, Debug)]
pub struct History {
    /// The pull request.
    pub pull_request: PullRequest,
    /// Its commits, the head last; not more than GitHub lists.
    pub commits: Vec<String>,
    /// Heads that a forced push replaced, as far as they are known.
    pub replaced_heads: Vec<String>,
}

/// All open pull requests, and how they were listed.
#[derive(Clone, Debug)]
pub struct OpenPulls {
    /// Each one once, the most recently updated first.
    pub pulls: Vec<PullRequest>,
    /// `GraphQL` or `REST`.
    pub by: &'static str,
}

impl<'s> GitHub<'s> {
    /// A client for the repository `owner`/`repo` below `api_url`, with `token`. Nothing is sent
    /// yet.
    pub fn new(submission: &'s Submission) -> Result<GitHub<'s>> {
        let settings = &submission.settings;
        let address = Address::new(settings.text("api_url").unwrap_or(address::GITHUB_COM))?;
        let name = |setting: &str, example: &str| {
            settings.text(setting).map(str::to_owned).ok_or_else(|| {
                Error::new(Status::BadSetting, format!("`{setting}` is not set")).advise(format!(
                    "say to which repository the commit belongs, for instance `{setting} = {example}`"
                ))
            })
        };
        let memory = Memory {
            owner: name("owner", "apache")?,
            repo: name("repo", "cloudstack")?,
            ..Memory::default()
        };
        let token = settings.text("token").map(str::trim).filter(|token| !token.is_empty());
        if let Some(token) = token {
            if token.chars().any(|c| !c.is_ascii_graphic()) {
                return Err(Error::new(
                    Status::BadSetting,
                    "`token` holds a blank, a line break or another character that no token has",
                )
                .advise("give the token alone, as GitHub showed it"));
            }
            if !address.is_safe_for_secrets() && !settings.flag("allow_http") {
                return Err(Error::new(
                    Status::BadSetting,
                    "the token would be sent over http, readable for everybody on the way",
                )
                .at(address.rest().to_owned())
                .advise("use https in `api_url`, or set `allow_http = true`"));
            }
        }
        Ok(GitHub {
            submission,
            address,
            token: token.map(str::to_owned),
            pacing: Mutex::default(),
            memory: Mutex::new(memory),
        })
    }

    /// `owner/name`, as GitHub spells it now if an answer told, else as set.
    pub fn full_name(&self) -> String {
        let memory = self.memory();
        format!("{}/{}", memory.owner, memory.repo)
    }

    /// Whether only members see the repository, as far as the answers told until now: nothing is
    /// asked. One that GitHub does not show counts as private, for it shows public ones to everybody.
    pub fn is_private(&self) -> Option<bool> {
        let memory = self.memory();
        match &memory.repository {
            Some(repository) => repository.private,
            None => memory.hidden.then_some(true),
        }
    }

    /// What time it is by GitHub's clock, as its last answer said.
    pub fn server_time(&self) -> Option<OffsetDateTime> {
        self.memory().server_time
    }

    /// How far GitHub's clock is ahead of this machine's, where that is more than the network can
    /// explain; negative where it is behind. Nobody sets a clock that stands still.
    pub fn clock_ahead(&self) -> Option<time::Duration> {
        let ahead = self.memory().ahead?;
        (ahead.abs() > CLOCKS_DIFFER && !self.submission.clock.stands_still()).then_some(ahead)
    }

    /// Sleeps for so long, at the cost of the budget, unless the submission is cancelled.
    pub fn pause(&self, time: std::time::Duration) -> Result<()> {
        self.wait(time)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the repository is called now, and warns once when that is not what the
    /// settings say.
    fn learn(&self, repository: &Repository) {
        let mut memory = self.memory();
        memory.redirected = false;
        memory.repository = Some(repository.clone());
        let Some((owner, repo)) = repository.full_name.split_once('/') else { return };
        let same =
            memory.owner.eq_ignore_ascii_case(owner) && memory.repo.eq_ignore_ascii_case(repo);
        let was = format!("{}/{}", memory.owner, memory.repo);
        owner.clone_into(&mut memory.owner);
        repo.clone_into(&mut memory.repo);
        if !same && !std::mem::replace(&mut memory.warned_of_rename, true) {
            drop(memory);
            self.submission.events.warn(format!(
                "the repository {was} was renamed to {}: change `owner`/`repo`",
                repository.full_name
            ));
        }
    }
}

impl std::fmt::Debug for GitHub<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub")
            .field("api", &self.address.rest())
            .field("repository", &self.full_name())
            .finish_non_exhaustive()
    }
}
