//! What the stand-in knows: repositories, pull requests, commits, comments and tokens.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Everything that requests can read or change.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub repositories: Vec<RepositoryState>,
    pub tokens: BTreeMap<String, TokenState>,
    /// Requests used, by token (empty: anonymous) and resource.
    pub used: BTreeMap<(String, &'static str), u64>,
    /// The hour in which they were used, since 1970.
    pub hour: u64,
    /// The clock stands here when set.
    pub now: Option<u64>,
    pub limit: BodyLimit,
    /// In how many listings a new comment is missing.
    pub lag: u32,
    /// What GraphQL answers in place of working.
    pub graphql_refusal: Option<u16>,
    /// What a classic token without the scope gets.
    pub scope_refusal: ScopeRefusal,
    last_id: u64,
}

/// How a classic token without the needed scope is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeRefusal(pub u16);

impl Default for ScopeRefusal {
    fn default() -> Self {
        ScopeRefusal(404)
    }
}

/// From which size on a comment is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyLimit {
    /// More than 65,536 Unicode scalars or more than 262,144 bytes, whichever comes first. A
    /// comment that passes here passes under both readings of GitHub's error message.
    #[default]
    Strict,
    /// More than 262,144 bytes, as was measured on github.com.
    Bytes,
}

/// One repository.
#[derive(Debug, Default)]
pub(crate) struct RepositoryState {
    pub id: u64,
    pub owner: String,
    pub name: String,
    /// Earlier `owner/name`s, which redirect.
    pub former: Vec<String>,
    pub private: bool,
    pub archived: bool,
    pub issues_disabled: bool,
    /// Logins with more rights than the public.
    pub members: BTreeMap<String, Permission>,
    pub default_branch: String,
    pub base_sha: String,
    /// The tips of the other branches.
    pub branches: BTreeMap<String, String>,
    pub pulls: BTreeMap<u64, PullState>,
    pub commits: BTreeMap<String, CommitState>,
    /// What happens after each page of a listing of pull requests.
    pub change: Option<Change>,
    pub last_number: u64,
    pub created: u64,
}

/// What a login may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Reads, which matters in private repositories.
    Read,
    /// Pushes, and comments on locked pull requests.
    Write,
    /// Everything.
    Admin,
}

/// What happens to a repository between two pages of a listing of its pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A pull request is opened: the last of a page comes again on the next.
    Opened,
    /// The newest open pull request is closed: one is never listed.
    Closed,
    /// The oldest pull request is updated: it moves to the first place when sorted by update.
    Updated,
}

/// One commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommitState {
    pub parents: Vec<String>,
    pub message: String,
    pub login: String,
    pub at: u64,
}

/// One pull request.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullState {
    pub number: u64,
    pub id: u64,
    pub title: String,
    /// None when the account is gone.
    pub author: Option<String>,
    pub closed: bool,
    pub merge: Option<Merge>,
    pub locked: bool,
    pub draft: bool,
    pub head_sha: String,
    pub head_ref: String,
    /// Who owns the head, also when the fork is gone.
    pub head_owner: String,
    /// Id and full name of the head's repository; None when the fork was deleted.
    pub head_repository: Option<(u64, String)>,
    pub base_ref: String,
    pub base_sha: String,
    pub test_merge: Option<String>,
    /// Oldest first.
    pub commits: Vec<String>,
    pub force_pushes: Vec<ForcePush>,
    pub comments: Vec<CommentState>,
    pub created: u64,
    pub updated: u64,
}

/// How a pull request was merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merge {
    pub sha: String,
    pub at: u64,
}

/// A head that was replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForcePush {
    pub id: u64,
    pub before: String,
    pub after: String,
    pub at: u64,
}

/// One comment.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommentState {
    pub id: u64,
    pub body: String,
    pub login: String,
    pub created: u64,
    pub updated: u64,
    pub app: Option<String>,
    pub minimized: bool,
    /// In how many more listings it is missing.
    pub hidden: u32,
}

/// What a token is and may.
#[derive(Debug, Clone)]
pub(crate) struct TokenState {
    pub login: String,
    pub kind: TokenKind,
    pub revoked: bool,
    /// Requests an hour.
    pub limit: u64,
}

/// The sorts of tokens, which differ in how they are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Classic { scopes: Vec<String> },
    FineGrained { permissions: Vec<(String, String)> },
    Installation { app: String, permissions: Vec<(String, String)> },
}

impl TokenState {
    /// A classic token of this login with the scope for public repositories.
    pub(crate) fn new(login: &str) -> Self {
        let kind = TokenKind::Classic { scopes: vec!["public_repo".to_owned()] };
        TokenState { login: login.to_owned(), kind, revoked: false, limit: 5000 }
    }

    /// The app behind an installation token.
    pub(crate) fn app(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Installation { app, .. } => Some(app),
            _ => None,
        }
    }
}

impl State {
    /// A number that was not used before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        // Ids of github.com need more than 31 bits since 2024.
        2_400_000_000 + self.last_id
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.now.unwrap_or_else(|| {
            u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default()
        })
    }

    /// The repository of this name, whatever its case.
    pub(crate) fn repository(&self, full_name: &str) -> Option<&RepositoryState> {
        self.repositories.iter().find(|each| each.full_name().eq_ignore_ascii_case(full_name))
    }

    /// The repository with this id.
    pub(crate) fn by_id(&self, id: u64) -> Option<&RepositoryState> {
        self.repositories.iter().find(|each| each.id == id)
    }

    /// The repository with this id to change.
    pub(crate) fn by_id_mut(&mut self, id: u64) -> Option<&mut RepositoryState> {
        self.repositories.iter_mut().find(|each| each.id == id)
    }

    /// The repository that once had this name.
    pub(crate) fn renamed(&self, former: &str) -> Option<&RepositoryState> {
        let was = |each: &&RepositoryState| {
            each.former.iter().any(|name| name.eq_ignore_ascii_case(former))
        };
        self.repositories.iter().find(was)
    }

    /// Whether this user (None: anonymous) sees the repository.
    pub(crate) fn sees(&self, repository: &RepositoryState, token: Option<&TokenState>) -> bool {
        if !repository.private {
            return true;
        }
        let Some(token) = token else { return false };
        let member = repository.members.contains_key(&token.login)
            || repository.owner.eq_ignore_ascii_case(&token.login);
        let scope = match &token.kind {
            TokenKind::Classic { scopes } => scopes.iter().any(|scope| scope == "repo"),
            TokenKind::FineGrained { .. } | TokenKind::Installation { .. } => true,
        };
        member && scope
    }
}

impl RepositoryState {
    /// `owner/name`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Whether this login may push.
    pub(crate) fn pushes(&self, login: &str) -> bool {
        self.owner.eq_ignore_ascii_case(login)
            || self.members.get(login).is_some_and(|right| *right >= Permission::Write)
    }

    /// Makes a commit known, and its parents too.
    pub(crate) fn know(&mut self, sha: &str, parents: &[String], login: &str, at: u64) {
        for parent in parents {
            self.commits.entry(parent.clone()).or_insert_with(|| CommitState {
                message: "An earlier commit".to_owned(),
                login: login.to_owned(),
                at,
                ..CommitState::default()
            });
        }
        self.commits.insert(
            sha.to_owned(),
            CommitState {
                parents: parents.to_vec(),
                message: format!("Commit {}", sha.get(..7).unwrap_or(sha)),
                login: login.to_owned(),
                at,
            },
        );
    }

    /// The full name of the only commit that starts so, or that a branch of this name has.
    pub(crate) fn resolve(&self, reference: &str) -> Option<String> {
        let lower = reference.to_ascii_lowercase();
        let hex = (4..=40).contains(&lower.len()) && lower.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            let mut found =
                self.commits.range(lower.clone()..).take_while(|(sha, _)| sha.starts_with(&lower));
            let first = found.next().map(|(sha, _)| sha.clone());
            return if found.next().is_some() { None } else { first };
        }
        let branch = reference.strip_prefix("heads/").unwrap_or(reference);
        self.tip(branch)
    }

    /// The commit at the tip of a branch.
    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        let default = (branch == self.default_branch).then_some(&self.base_sha);
        default.or_else(|| self.branches.get(branch)).cloned()
    }

    /// A commit and everything that it was made from, the commit first.
    pub(crate) fn history(&self, sha: &str) -> Vec<String> {
        let mut history = vec![sha.to_owned()];
        let mut next = 0;
        while let Some(known) = history.get(next).map(|sha| self.commits.get(sha)) {
            for parent in known.into_iter().flat_map(|commit| &commit.parents) {
                if !history.contains(parent) {
                    history.push(parent.clone());
                }
            }
            next += 1;
        }
        history
    }

    /// The comment with this id and the number of its pull request.
    pub(crate) fn comment(&self, id: u64) -> Option<(u64, &CommentState)> {
        self.pulls.values().find_map(|pull| {
            pull.comments.iter().find(|each| each.id == id).map(|comment| (pull.number, comment))
        })
    }
}

impl PullState {
    /// `open` or `closed`, as REST says.
    pub(crate) fn state(&self) -> &'static str {
        if self.closed || self.merge.is_some() { "closed" } else { "open" }
    }

    /// The merge commit, or the test merge before.
    pub(crate) fn merge_commit_sha(&self) -> Option<&str> {
        self.merge.as_ref().map(|merge| merge.sha.as_str()).or(self.test_merge.as_deref())
    }

    /// Whether the head is in another repository than the base.
    pub(crate) fn is_from_fork(&self, base: u64) -> bool {
        self.head_repository.as_ref().is_none_or(|(id, _)| *id != base)
    }
}

/// The id that a login has in every run.
pub(crate) fn user_id(login: &str) -> u64 {
    let digest = Sha256::digest(login.as_bytes());
    u64::from(u32::from_be_bytes([0, digest[0], digest[1], digest[2]])) + 1_000_000
}

/// `2026-01-31T12:00:00Z`.
pub(crate) fn iso(seconds: u64) -> String {
    let at = i64::try_from(seconds).unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

/// The seconds of a time in RFC 3339.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp()).ok()
}
