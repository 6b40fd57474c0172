//! Repositories, pull requests and tokens from JSON, and the GitHub stand-in's control over HTTP.
//!
//! | Method and path | What it does |
//! |---|---|
//! | `POST /_control/state` | arranges a [`Scene`], on top of what is there |
//! | `GET /_control/comments?repository=owner/name&pull=42` | the comments, oldest first |
//! | `GET /_control/violations` | what requests did that GitHub's descriptions do not allow |
//!
//! Requests and faults are those that [every server](crate::control) has.
//!
//! A scene in full:
//!
//! ```json
//! {
//!   "tokens": [
//!     {"token": "lab-token", "login": "lab-bot", "scopes": ["public_repo"]},
//!     {"token": "app-token", "installation": "lab-app", "permissions": {"issues": "write"}}
//!   ],
//!   "repositories": [{
//!     "owner": "apache", "name": "cloudstack", "fill": 20, "members": {"maintainer": "write"},
//!     "commits": [{"sha": "…", "parents": ["…"]}],
//!     "pulls": [{
//!       "number": 42, "fork": "contributor", "branch": "fix-volumes", "head": "…",
//!       "title": "Fix volumes", "push": ["…"], "force_push": ["…"],
//!       "comments": [{"login": "stranger", "body": "When?"}]
//!     }]
//!   }]
//! }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::World;
use super::handles::{Pull, Repository};
use super::state::{BodyLimit, Permission, ScopeRefusal};
use super::token::Token;
use crate::control::{self, done, refused};
use crate::lock;
use crate::server::{Desk, Request, Response};

/// A state as JSON. Fields that are not known are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scene {
    tokens: Vec<TokenScene>,
    repositories: Vec<RepositoryScene>,
    comment_lag: Option<u32>,
    graphql_refuses: Option<u16>,
    missing_scope_answers: Option<u16>,
    /// Stops the clock.
    time: Option<u64>,
    body_limit: Option<BodyLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenScene {
    token: String,
    login: Option<String>,
    scopes: Option<Vec<String>>,
    fine_grained: Option<BTreeMap<String, String>>,
    installation: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    expired: bool,
    limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryScene {
    owner: String,
    name: String,
    private: Option<bool>,
    archived: Option<bool>,
    issues: Option<bool>,
    #[serde(default)]
    members: BTreeMap<String, Permission>,
    #[serde(default)]
    commits: Vec<CommitScene>,
    #[serde(default)]
    pulls: Vec<PullScene>,
    /// How many more pull requests there are, after the named ones.
    #[serde(default)]
    fill: u64,
    /// The `owner/name` it gets in the end.
    renamed: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitScene {
    sha: String,
    #[serde(default)]
    parents: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PullScene {
    /// Without it, the next.
    number: Option<u64>,
    /// Whose fork it comes from; without it, it comes from a branch.
    fork: Option<String>,
    branch: String,
    head: String,
    title: Option<String>,
    base: Option<String>,
    /// Commits pushed on top of the head, in order.
    #[serde(default)]
    push: Vec<String>,
    /// Heads that replaced all commits, in order, after the pushes.
    #[serde(default)]
    force_push: Vec<String>,
    test_merge: Option<String>,
    #[serde(default)]
    no_test_merge: bool,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    closed: bool,
    /// The merge commit, when it is merged.
    merged: Option<String>,
    #[serde(default)]
    fork_deleted: bool,
    #[serde(default)]
    author_deleted: bool,
    #[serde(default)]
    comments: Vec<CommentScene>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentScene {
    login: String,
    body: String,
    #[serde(default)]
    minimized: bool,
}

impl Scene {
    pub(super) fn arrange(&self, world: &Arc<World>) -> Result<(), String> {
        {
            let mut state = lock(&world.state);
            if let Some(time) = self.time {
                state.now = Some(time);
            }
            if let Some(limit) = self.body_limit {
                state.limit = limit;
            }
            if let Some(listings) = self.comment_lag {
                state.lag = listings;
            }
            if let Some(status) = self.graphql_refuses {
                state.graphql_refusal = Some(status);
            }
            if let Some(status) = self.missing_scope_answers {
                state.scope_refusal = ScopeRefusal(status);
            }
        }
        for token in &self.tokens {
            token.arrange(&world.token(&token.token));
        }
        for repository in &self.repositories {
            repository.arrange(&world.repository(&repository.owner, &repository.name))?;
        }
        Ok(())
    }
}

impl TokenScene {
    fn arrange(&self, token: &Token) {
        fn borrowed(map: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
            map.iter().map(|(name, level)| (name.as_str(), level.as_str())).collect()
        }
        if let Some(login) = &self.login {
            token.login(login);
        }
        if let Some(scopes) = &self.scopes {
            token.scopes(&scopes.iter().map(String::as_str).collect::<Vec<&str>>());
        }
        if let Some(permissions) = &self.fine_grained {
            token.fine_grained(&borrowed(permissions));
        }
        if let Some(app) = &self.installation {
            token.installation(app, &borrowed(&self.permissions));
        }
        if let Some(limit) = self.limit {
            token.limit(limit);
        }
        if self.expired {
            token.expire();
        }
    }
}

impl RepositoryScene {
    fn arrange(&self, repository: &Repository) -> Result<(), String> {
        if let Some(private) = self.private {
            repository.private(private);
        }
        if let Some(archived) = self.archived {
            repository.archived(archived);
        }
        if let Some(issues) = self.issues {
            repository.issues(issues);
        }
        for (login, permission) in &self.members {
            repository.member(login, *permission);
        }
        for commit in &self.commits {
            let parents: Vec<&str> = commit.parents.iter().map(String::as_str).collect();
            repository.commit(&commit.sha, &parents);
        }
        for pull in &self.pulls {
            pull.arrange(repository)?;
        }
        repository.fill(self.fill);
        if let Some(name) = &self.renamed {
            let (owner, name) = name.split_once('/').ok_or("renamed is no owner/name")?;
            repository.rename(owner, name);
        }
        Ok(())
    }
}

impl PullScene {
    fn arrange(&self, repository: &Repository) -> Result<(), String> {
        let opened = self.number.is_some_and(|number| repository.has(number));
        let pull: Pull = match self.number {
            Some(number) if opened => return Err(format!("there is a pull request {number}")),
            number => repository.open(number, self.fork.as_deref(), &self.branch, &self.head),
        };
        if let Some(title) = &self.title {
            pull.title(title);
        }
        if let Some(base) = &self.base {
            pull.base(base);
        }
        for head in &self.push {
            pull.push(head);
        }
        for head in &self.force_push {
            pull.force_push(head);
        }
        if self.no_test_merge || self.test_merge.is_some() {
            pull.set_test_merge(self.test_merge.as_deref());
        }
        for comment in &self.comments {
            let id = pull.comment(&comment.login, &comment.body);
            if comment.minimized {
                pull.minimize(id);
            }
        }
        if let Some(merge) = &self.merged {
            pull.merge(merge);
        }
        type Switch = fn(&Pull) -> Pull;
        let switches: [(bool, Switch); 5] = [
            (self.draft, Pull::draft),
            (self.locked, Pull::lock),
            (self.closed, Pull::close),
            (self.fork_deleted, Pull::delete_fork),
            (self.author_deleted, Pull::delete_author),
        ];
        for (_, switch) in switches.iter().filter(|(wanted, _)| *wanted) {
            switch(&pull);
        }
        Ok(())
    }
}

/// Answers what only this stand-in has, and the rest as all do.
pub(super) fn control(world: &Arc<World>, request: &Request, desk: &Desk<'_>) -> Response {
    match (request.method.as_str(), request.path()) {
        ("POST", "/_control/state") => match serde_json::from_slice::<Scene>(&request.body) {
            Ok(scene) => scene.arrange(world).map_or_else(refused, |()| done()),
            Err(error) => refused(error),
        },
        ("GET", "/_control/comments") => {
            let repository = request.parameter("repository").unwrap_or_default();
            let number = request.parameter("pull").and_then(|number| number.parse().ok());
            let Some(number) = number else { return refused("pull is no number") };
            let comments: Vec<Value> = world
                .comments(&repository, number)
                .iter()
                .map(|each| {
                    json!({
                        "id": each.id, "body": each.body, "login": each.login,
                        "created": each.created, "updated": each.updated,
                        "minimized": each.minimized,
                    })
                })
                .collect();
            Response::json(200, &comments.into())
        }
        ("GET", "/_control/violations") => {
            let violations = lock(&world.violations).clone();
            Response::json(200, &violations.into())
        }
        _ => control::answer(request, desk),
    }
}
