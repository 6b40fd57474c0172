//! The calls of the REST interface, each named after what it brings.
//!
//! Source: "REST API endpoints" in GitHub's documentation, version 2022-11-28.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::{
    CommentJson, CommitJson, ComparisonJson, PullJson, RepositoryJson, SearchJson, UserJson,
};
use super::call::{Call, Repeat};
use super::{CallError, Comment, Commit, GitHub, PullRequest, Repository};
use crate::error::Result;

/// What needs no escape in a path segment or a query value (RFC 3986, unreserved characters).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl GitHub<'_> {
    /// What the repository is called and who may see it; asked once.
    pub fn repository(&self) -> Result<Repository> {
        if let Some(repository) = self.memory().repository.clone() {
            return Ok(repository);
        }
        self.read_repository()
    }

    fn read_repository(&self) -> Result<Repository> {
        let (json, _) = self.call::<RepositoryJson>(&get(self.url(""))).map_err(|error| {
            self.memory().hidden |= error.status() == Some(404);
            error.into_error()
        })?;
        self.memory().default_branch.clone_from(&json.default_branch);
        let repository = json.into();
        self.learn(&repository);
        Ok(repository)
    }

    /// The branch that pull requests are merged into where nothing else is said; None where GitHub
    /// does not tell.
    pub fn default_branch(&self) -> Result<Option<String>> {
        if self.memory().default_branch.is_none() {
            self.read_repository()?;
        }
        Ok(self.memory().default_branch.clone())
    }

    /// After a redirect: finds out how the repository is called now, and warns. That it cannot be
    /// found out stops nothing.
    fn settle_name(&self) {
        if self.memory().redirected {
            let _ = self.read_repository();
        }
    }

    /// A pull request as it is now, or None when there is none of this number.
    pub fn pull(&self, number: u64) -> Result<Option<PullRequest>> {
        match self.call::<PullJson>(&get(self.url(&format!("/pulls/{number}")))) {
            Ok((json, _)) => {
                let repository = json.base.as_ref().and_then(|base| base.repo.clone());
                let pull = PullRequest::from(json);
                if let Some(repository) = repository {
                    self.learn(&repository.into());
                }
                self.settle_name();
                Ok(Some(pull))
            }
            Err(error) if error.status() == Some(404) => {
                // Either the number is wrong or the repository is: the latter has its own error.
                self.repository()?;
                Ok(None)
            }
            Err(error) => Err(error.into_error()),
        }
    }

    /// All open pull requests by REST, each one once, the most recently updated first.
    pub(super) fn open_pulls_by_rest(&self) -> Result<Vec<PullRequest>> {
        self.repository()?;
        let mut pulls: Vec<PullRequest> = Vec::new();
        let first = self.url("/pulls?state=open&sort=updated&direction=desc");
        self.pages(first, &mut |page: Vec<PullJson>| {
            for json in page {
                // The list moves while it is read: the same one may come again.
                if !pulls.iter().any(|pull| pull.number == json.number) {
                    pulls.push(json.into());
                }
            }
        })
        .map_err(CallError::into_error)?;
        Ok(pulls)
    }

    /// A commit by its full or short name, or None when GitHub does not know it, or knows several.
    pub fn commit(&self, name: &str) -> Result<Option<Commit>> {
        let name = utf8_percent_encode(name, ESCAPED);
        match self.call::<CommitJson>(&get(self.url(&format!("/commits/{name}")))) {
            Ok((json, _)) => Ok(Some(Commit {
                sha: json.sha.to_ascii_lowercase(),
                parents: json.parents.into_iter().map(|p| p.sha.to_ascii_lowercase()).collect(),
            })),
            Err(error) if matches!(error.status(), Some(404 | 409 | 422)) => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    /// Whether a commit is part of a branch, or of what another commit was made from. It is not
    /// where GitHub does not know one of the two.
    pub fn contains(&self, whole: &str, sha: &str) -> Result<bool, CallError> {
        let whole = utf8_percent_encode(whole, ESCAPED);
        // The first page would bring the files that differ too.
        let url = self.url(&format!("/compare/{whole}...{sha}?per_page=1&page=2"));
        let call = Call { repeat: Repeat::Briefly, ..get(url) };
        match self.call::<ComparisonJson>(&call) {
            Ok((compared, _)) => Ok(matches!(compared.status.as_str(), "behind" | "identical")),
            Err(error) if matches!(error.status(), Some(404 | 409 | 422)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The pull requests that GitHub itself associates with a commit. It does not know those from
    /// forks that are not merged yet.
    pub fn pulls_of_commit(&self, sha: &str) -> Result<Vec<PullRequest>> {
        let mut pulls: Vec<PullRequest> = Vec::new();
        let first = self.url(&format!("/commits/{sha}/pulls"));
        let read = self.pages(first, &mut |page: Vec<PullJson>| {
            pulls.extend(page.into_iter().map(PullRequest::from));
        });
        match read {
            Ok(()) => Ok(pulls),
            Err(error) if matches!(error.status(), Some(404 | 409 | 422)) => Ok(Vec::new()),
            Err(error) => Err(error.into_error()),
        }
    }

    /// The commits of a pull request, the head last. GitHub lists 250 at most.
    pub fn pull_commits(&self, number: u64) -> Result<Vec<String>> {
        let mut commits = Vec::new();
        let first = self.url(&format!("/pulls/{number}/commits"));
        self.pages(first, &mut |page: Vec<CommitJson>| {
            commits.extend(page.into_iter().map(|commit| commit.sha.to_ascii_lowercase()));
        })
        .map_err(CallError::into_error)?;
        Ok(commits)
    }

    /// The numbers of the pull requests that a search for the commit brings, the best one first.
    pub fn search(&self, sha: &str) -> Result<Vec<u64>, CallError> {
        let query = format!("repo:{} is:pr {sha}", self.full_name());
        let url = format!(
            "{}/search/issues?q={}&per_page=20",
            self.address.rest(),
            utf8_percent_encode(&query, ESCAPED)
        );
        let call = Call { repeat: Repeat::Briefly, ..get(url) };
        let (found, _) = self.call::<SearchJson>(&call)?;
        Ok(found.items.into_iter().map(|item| item.number).collect())
    }

    /// Hands over all comments of a pull request, the oldest first, a page at a time; with `since`
    /// only those written or changed since then.
    pub fn comments(
        &self,
        number: u64,
        since: Option<OffsetDateTime>,
        each: &mut dyn FnMut(Comment),
    ) -> Result<()> {
        let mut first = self.url(&format!("/issues/{number}/comments"));
        if let Some(since) = since.and_then(|at| at.format(&Rfc3339).ok()) {
            first = format!("{first}?since={}", utf8_percent_encode(&since, ESCAPED));
        }
        let mut seen = std::collections::HashSet::new();
        self.pages(first, &mut |page: Vec<CommentJson>| {
            for json in page {
                if seen.insert(json.id) {
                    each(json.into());
                }
            }
        })
        .map_err(CallError::into_error)
    }

    /// One comment, or None when it does not exist.
    pub fn comment(&self, id: u64) -> Result<Option<Comment>> {
        match self.call::<CommentJson>(&get(self.url(&format!("/issues/comments/{id}")))) {
            Ok((json, _)) => Ok(Some(json.into())),
            Err(error) if matches!(error.status(), Some(404 | 410)) => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    /// Writes a comment, once. When the error is [unsure](CallError::is_unsure) the comment may
    /// exist: it has to be looked for before this is called again.
    pub fn create_comment(&self, number: u64, body: &str) -> Result<Comment, CallError> {
        let call = Call {
            method: "POST",
            url: self.url(&format!("/issues/{number}/comments")),
            body: Some(json!({ "body": body })),
            repeat: Repeat::Never,
        };
        let (json, _) = self.call::<CommentJson>(&call)?;
        self.settle_name();
        Ok(json.into())
    }

    /// Replaces the text of a comment. It is repeated when it fails: twice the same is the same.
    pub fn update_comment(&self, id: u64, body: &str) -> Result<Comment, CallError> {
        let call = Call {
            method: "PATCH",
            url: self.url(&format!("/issues/comments/{id}")),
            body: Some(json!({ "body": body })),
            repeat: Repeat::Harmless,
        };
        let (json, _) = self.call::<CommentJson>(&call)?;
        self.settle_name();
        Ok(json.into())
    }

    /// Deletes a comment; that it is gone already is fine.
    pub fn delete_comment(&self, id: u64) -> Result<()> {
        let call = Call {
            method: "DELETE",
            url: self.url(&format!("/issues/comments/{id}")),
            body: None,
            repeat: Repeat::Harmless,
        };
        match self.call_for_nothing(&call) {
            Err(error) if !matches!(error.status(), Some(404 | 410)) => Err(error.into_error()),
            _ => Ok(()),
        }
    }

    /// Whose token this is, or None when GitHub does not tell; asked once.
    ///
    /// Tokens of GitHub Apps may not ask `GET /user`; GraphQL tells them.
    pub fn viewer(&self) -> Result<Option<String>> {
        if let Some(viewer) = self.memory().viewer.clone() {
            return Ok(viewer);
        }
        if self.token.is_none() {
            return Ok(None);
        }
        let url = format!("{}/user", self.address.rest());
        let login = match self.call::<UserJson>(&get(url)) {
            Ok((user, _)) => Some(user.login),
            Err(error) if matches!(error.status(), Some(403 | 404)) => self.viewer_by_graphql()?,
            Err(error) => return Err(error.into_error()),
        };
        self.memory().viewer = Some(login.clone());
        Ok(login)
    }

    /// The address of something below the repository.
    pub(super) fn url(&self, below: &str) -> String {
        let memory = self.memory();
        format!(
            "{}/repos/{}/{}{below}",
            self.address.rest(),
            utf8_percent_encode(&memory.owner, ESCAPED),
            utf8_percent_encode(&memory.repo, ESCAPED)
        )
    }
}

pub(super) fn get(url: String) -> Call {
    Call { method: "GET", url, body: None, repeat: Repeat::Harmless }
}
