//! The JSON of the REST interface, as far as it is read.
//!
//! Whatever GitHub may leave out or set to null is optional here: forks and accounts are deleted,
//! and later versions of the interface leave fields out.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Comment, PullRequest, Repository, State};

#[derive(Deserialize)]
pub(super) struct PullJson {
    pub(super) number: u64,
    pub(super) html_url: String,
    pub(super) title: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) locked: bool,
    pub(super) merged_at: Option<String>,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) head: RefJson,
    pub(super) base: Option<RefJson>,
}

#[derive(Deserialize)]
pub(super) struct RefJson {
    #[serde(rename = "ref", default)]
    pub(super) branch: String,
    pub(super) sha: String,
    pub(super) repo: Option<RepositoryJson>,
}

#[derive(Clone, Deserialize)]
pub(super) struct RepositoryJson {
    pub(super) full_name: String,
    pub(super) html_url: String,
    pub(super) private: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) default_branch: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CommitJson {
    pub(super) sha: String,
    #[serde(default)]
    pub(super) parents: Vec<ParentJson>,
}

#[derive(Deserialize)]
pub(super) struct ParentJson {
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct ComparisonJson {
    pub(super) status: String,
}

#[derive(Deserialize)]
pub(super) struct CommentJson {
    pub(super) id: u64,
    pub(super) html_url: String,
    pub(super) body: Option<String>,
    pub(super) user: Option<UserJson>,
    pub(super) updated_at: Option<String>,
    pub(super) minimized: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct UserJson {
    pub(super) login: String,
}

#[derive(Deserialize)]
pub(super) struct SearchJson {
    pub(super) items: Vec<FoundJson>,
}

#[derive(Deserialize)]
pub(super) struct FoundJson {
    pub(super) number: u64,
}

impl From<PullJson> for PullRequest {
    fn from(json: PullJson) -> PullRequest {
        let state = match (json.merged_at, json.state.as_str()) {
            (Some(_), _) => State::Merged,
            (None, "open") => State::Open,
            (None, _) => State::Closed,
        };
        let (base_branch, base_sha, base_name) = match json.base {
            Some(base) => (base.branch, base.sha, base.repo.map(|repo| repo.full_name)),
            None => Default::default(),
        };
        let head_name = json.head.repo.map(|repo| repo.full_name);
        let is_from_here = head_name.is_some() && head_name == base_name;
        PullRequest {
            number: json.number,
            url: json.html_url,
            title: json.title.unwrap_or_default(),
            head_sha: json.head.sha.to_ascii_lowercase(),
            merge_sha: json.merge_commit_sha.map(|sha| sha.to_ascii_lowercase()),
            state,
            locked: json.locked,
            base_branch,
            base_sha: base_sha.to_ascii_lowercase(),
            head_branch: is_from_here.then_some(json.head.branch),
        }
    }
}

impl From<RepositoryJson> for Repository {
    fn from(json: RepositoryJson) -> Repository {
        Repository { full_name: json.full_name, url: json.html_url, private: json.private }
    }
}

impl From<CommentJson> for Comment {
    fn from(json: CommentJson) -> Comment {
        let minimized = match json.minimized {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(_) => true,
        };
        Comment {
            id: json.id,
            url: json.html_url,
            body: json.body.unwrap_or_default(),
            author: json.user.map(|user| user.login),
            updated: json.updated_at.and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok()),
            minimized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_whose_fork_author_and_merge_are_gone_is_read() {
        let json = r#"{"number":1,"html_url":"https://github.com/a/b/pull/1","title":"t","state":"open",
            "locked":false,"merged_at":null,"user":null,"merge_commit_sha":null,
            "head":{"sha":"ABC","ref":"x","label":"x","user":null,"repo":null},"base":{"sha":"def"}}"#;
        let pull: PullRequest = serde_json::from_str::<PullJson>(json).unwrap().into();
        assert_eq!((pull.head_sha.as_str(), pull.merge_sha), ("abc", None));
        assert_eq!((pull.base_sha.as_str(), pull.head_branch), ("def", None));
        // Version 2026-03-10 leaves merge_commit_sha out.
        let json = json.replace(r#""merge_commit_sha":null,"#, "");
        assert!(serde_json::from_str::<PullJson>(&json).is_ok());
    }
}
