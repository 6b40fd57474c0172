//! A GitHub that keeps state: REST (version 2022-11-28 and 2026-03-10) and GraphQL.
//!
//! Repositories, pull requests, commits, comments and tokens are arranged by a test and changed by
//! requests. Every request is checked against GitHub's own description of the REST API, and every
//! GraphQL document against the types in tests/data/github-cut.graphql; what does not fit is
//! refused, kept as a violation, and fails the test when the stand-in is dropped.

mod access;
mod graphql;
mod handles;
mod page;
mod render;
mod rest;
mod routes;
pub mod scene;
mod state;
mod token;
mod web;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread;

pub use handles::{Pull, Repository};
pub use scene::Scene;
pub use state::{BodyLimit, Change, Permission};
pub use token::Token;

use self::state::{RepositoryState, ScopeRefusal, State, TokenState};
use crate::fault::Fault;
use crate::server::{Desk, Handler, Options, Request, Response, Server};
use crate::tls::Identity;
use crate::{lock, sha};

/// How a stand-in is started.
pub struct GitHubOptions {
    /// Answers below `/api/v3` and `/api/graphql` without rate limits, as GitHub Enterprise
    /// Server does.
    pub enterprise: bool,
    /// Speaks TLS with this identity.
    pub tls: Option<Arc<Identity>>,
    /// Checks requests against GitHub's descriptions. Without it they are only answered.
    pub checked: bool,
}

impl Default for GitHubOptions {
    fn default() -> Self {
        GitHubOptions { enterprise: false, tls: None, checked: true }
    }
}

/// A running GitHub. It ends when it is dropped, and panics then if a request violated GitHub's
/// descriptions and nobody called [`allow_violations`](GitHub::allow_violations).
pub struct GitHub {
    server: Server,
    world: Arc<World>,
    tolerant: Mutex<bool>,
}

/// What the handler of requests and the handles of a test share.
pub(crate) struct World {
    state: Mutex<State>,
    violations: Mutex<Vec<String>>,
    scheme: &'static str,
    enterprise: bool,
    checked: bool,
}

/// A comment as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The id that REST and `databaseId` use.
    pub id: u64,
    /// Markdown.
    pub body: String,
    /// Who wrote it.
    pub login: String,
    /// Seconds since 1970.
    pub created: u64,
    /// Seconds since 1970.
    pub updated: u64,
    /// Whether it is minimised.
    pub minimized: bool,
}

impl GitHub {
    /// Starts a github.com.
    pub fn start() -> Self {
        Self::start_with(GitHubOptions::default())
    }

    /// Starts one that differs from github.com.
    pub fn start_with(options: GitHubOptions) -> Self {
        let world = Arc::new(World {
            state: Mutex::default(),
            violations: Mutex::default(),
            scheme: if options.tls.is_some() { "https" } else { "http" },
            enterprise: options.enterprise,
            checked: options.checked,
        });
        let server = Server::start(
            Gate { world: world.clone() },
            Options { tls: options.tls, ..Options::default() },
        );
        GitHub { server, world, tolerant: Mutex::new(false) }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> String {
        self.server.url()
    }

    /// The address of the REST API: what `api_url` is set to. No slash at the end.
    pub fn url(&self) -> String {
        if self.world.enterprise { self.origin() + "/api/v3" } else { self.origin() }
    }

    /// The address of the GraphQL API.
    pub fn graphql_url(&self) -> String {
        self.origin() + if self.world.enterprise { "/api/graphql" } else { "/graphql" }
    }

    /// The repository of this name, which is made when there is none.
    pub fn repository(&self, owner: &str, name: &str) -> Repository {
        self.world.repository(owner, name)
    }

    /// The token of this value. A new one is a classic token of `lab-bot` with the scope
    /// `public_repo`.
    pub fn token(&self, value: &str) -> Token {
        self.world.token(value)
    }

    /// The comments of a pull request, oldest first; none when there is no such pull request.
    pub fn comments(&self, repository: &str, number: u64) -> Vec<Comment> {
        self.world.comments(repository, number)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.server.requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.server.forget_requests();
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }

    /// Switches all troubles off.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }

    /// Arranges everything that a [`Scene`] describes.
    ///
    /// # Errors
    /// What in it makes no sense, for instance a number that is taken.
    pub fn arrange(&self, scene: &Scene) -> Result<(), String> {
        scene.arrange(&self.world)
    }

    /// From which size on a comment is refused.
    pub fn body_limit(&self, limit: BodyLimit) {
        lock(&self.world.state).limit = limit;
    }

    /// Leaves each new comment out of the next listings.
    pub fn comment_lag(&self, listings: u32) {
        lock(&self.world.state).lag = listings;
    }

    /// Lets GraphQL answer with this status (404, 403, 502 …) in place of working; None repairs it.
    pub fn graphql_refuses(&self, status: Option<u16>) {
        lock(&self.world.state).graphql_refusal = status;
    }

    /// What a classic token without the needed scope is answered: 404 (as GitHub's documentation
    /// says, and the default) or 403. The headers with the scopes come with both.
    pub fn missing_scope_answers(&self, status: u16) {
        lock(&self.world.state).scope_refusal = ScopeRefusal(status);
    }

    /// Stops its clock at this time (seconds since 1970); None lets it run again.
    pub fn set_time(&self, now: Option<u64>) {
        lock(&self.world.state).now = now;
    }

    /// What requests did that GitHub's descriptions do not allow.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.world.violations).clone()
    }

    /// Lets the stand-in end quietly in spite of violations: for tests of the check itself.
    pub fn allow_violations(&self) {
        *lock(&self.tolerant) = true;
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("GitHub").field(&self.url()).finish()
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        let violations = self.violations();
        if !violations.is_empty() && !*lock(&self.tolerant) && !thread::panicking() {
            panic!("requests that GitHub's description does not allow:\n{}", violations.join("\n"));
        }
    }
}

impl World {
    /// The token of this value, which is made when there is none.
    pub(crate) fn token(self: &Arc<Self>, value: &str) -> Token {
        let mut state = lock(&self.state);
        state.tokens.entry(value.to_owned()).or_insert_with(|| TokenState::new("lab-bot"));
        Token { world: self.clone(), value: value.to_owned() }
    }

    /// The repository of this name, which is made when there is none.
    pub(crate) fn repository(self: &Arc<Self>, owner: &str, name: &str) -> Repository {
        let full_name = format!("{owner}/{name}");
        let mut state = lock(&self.state);
        let known = state.repository(&full_name).map(|repository| repository.id);
        let id = known.unwrap_or_else(|| {
            let (id, now) = (state.next_id(), state.now());
            let mut repository = RepositoryState {
                id,
                owner: owner.to_owned(),
                name: name.to_owned(),
                default_branch: "main".to_owned(),
                base_sha: sha(format!("main of {full_name}")),
                created: now,
                ..RepositoryState::default()
            };
            let base = repository.base_sha.clone();
            repository.know(&base, &[], owner, now);
            state.repositories.push(repository);
            id
        });
        Repository { world: self.clone(), id }
    }

    /// The comments of a pull request.
    pub(crate) fn comments(&self, repository: &str, number: u64) -> Vec<Comment> {
        let state = lock(&self.state);
        let Some(repository) = state.repository(repository).or_else(|| state.renamed(repository))
        else {
            return Vec::new();
        };
        let Some(pull) = repository.pulls.get(&number) else { return Vec::new() };
        pull.comments
            .iter()
            .map(|each| Comment {
                id: each.id,
                body: each.body.clone(),
                login: each.login.clone(),
                created: each.created,
                updated: each.updated,
                minimized: each.minimized,
            })
            .collect()
    }

    fn violated(&self, what: String) {
        lock(&self.violations).push(what);
    }
}

/// Where requests come in.
struct Gate {
    world: Arc<World>,
}

impl Handler for Gate {
    fn inspect(&self, request: &Request) -> Option<Response> {
        routes::inspect(&self.world, request)
    }

    fn answer(&self, request: &Request) -> Response {
        routes::answer(&self.world, request)
    }

    fn control(&self, request: &Request, desk: &Desk<'_>) -> Response {
        scene::control(&self.world, request, desk)
    }
}
