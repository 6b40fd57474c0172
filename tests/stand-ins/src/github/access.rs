//! Who asks, what they may, and how GitHub says no.

use serde_json::{Value, json};

use super::World;
use super::state::{RepositoryState, State, TokenKind, TokenState};
use crate::server::{Request, Response};

/// One request with what every answer to it needs.
pub(crate) struct Call<'a> {
    pub request: &'a Request,
    /// Where the REST API begins, as the client wrote it.
    pub base: String,
    /// Where the web pages would begin.
    pub web: String,
    /// Whether this is version 2026-03-10, which took fields away.
    pub newer: bool,
    pub token: Option<(String, TokenState)>,
    pub enterprise: bool,
}

const DOCS: &str = "https://docs.github.com/rest";

/// An error in GitHub's form.
pub(crate) fn refusal(status: u16, message: &str) -> Response {
    let body = json!({
        "message": message,
        "documentation_url": DOCS,
        "status": status.to_string(),
    });
    Response::json(status, &body)
}

/// 422 with one error.
pub(crate) fn invalid(message: &str, error: &Value) -> Response {
    let body = json!({
        "message": message,
        "errors": [error],
        "documentation_url": DOCS,
        "status": "422",
    });
    Response::json(422, &body)
}

impl<'a> Call<'a> {
    /// Reads who asks, or says that the token is not known.
    pub(crate) fn new(
        world: &World,
        request: &'a Request,
        state: &State,
    ) -> Result<Self, Response> {
        let host = request.header("host").unwrap_or("127.0.0.1");
        let web = format!("{}://{host}", world.scheme);
        let prefix = if world.enterprise { "/api/v3" } else { "" };
        let token = match request.header("authorization") {
            None => None,
            Some(header) => {
                let (scheme, value) = header.split_once(' ').unwrap_or(("", header));
                let known = matches!(scheme.to_ascii_lowercase().as_str(), "bearer" | "token");
                let value = value.trim();
                let token = state.tokens.get(value).filter(|token| known && !token.revoked);
                match token {
                    Some(token) => Some((value.to_owned(), token.clone())),
                    None => return Err(refusal(401, "Bad credentials")),
                }
            }
        };
        Ok(Call {
            request,
            base: format!("{web}{prefix}"),
            web,
            newer: request.header("x-github-api-version") == Some("2026-03-10"),
            token,
            enterprise: world.enterprise,
        })
    }

    /// The token, if one was sent.
    pub(crate) fn token(&self) -> Option<&TokenState> {
        self.token.as_ref().map(|(_, token)| token)
    }

    /// Who asks; None for nobody.
    pub(crate) fn login(&self) -> Option<&str> {
        self.token().map(|token| token.login.as_str())
    }
}

/// Checks that this call may write comments in this repository.
pub(crate) fn may_comment(
    state: &State,
    call: &Call<'_>,
    repository: &RepositoryState,
) -> Result<(), Response> {
    let Some(token) = call.token() else {
        return Err(refusal(401, "Requires authentication"));
    };
    if repository.archived {
        return Err(refusal(403, "Repository was archived so is read-only."));
    }
    if repository.issues_disabled {
        return Err(refusal(410, "Issues are disabled for this repo"));
    }
    match &token.kind {
        TokenKind::Classic { scopes } => {
            let enough =
                |scope: &String| scope == "repo" || (scope == "public_repo" && !repository.private);
            if scopes.iter().any(enough) {
                return Ok(());
            }
            let message = match state.scope_refusal.0 {
                404 => "Not Found",
                _ => "Resource not accessible by personal access token",
            };
            let accepted = if repository.private { "repo" } else { "public_repo, repo" };
            let answer = refusal(state.scope_refusal.0, message);
            Err(answer.header("X-Accepted-OAuth-Scopes", accepted))
        }
        TokenKind::FineGrained { permissions } => {
            granted(permissions, "Resource not accessible by personal access token")
        }
        TokenKind::Installation { permissions, .. } => {
            granted(permissions, "Resource not accessible by integration")
        }
    }
}

fn granted(permissions: &[(String, String)], message: &str) -> Result<(), Response> {
    let enough = |(name, level): &(String, String)| {
        (name == "issues" || name == "pull_requests") && level == "write"
    };
    if permissions.iter().any(enough) {
        return Ok(());
    }
    let accepted = "issues=write; pull_requests=write";
    Err(refusal(403, message).header("X-Accepted-GitHub-Permissions", accepted))
}

/// Counts the request and refuses it when the hour is used up. Hands back the headers that tell.
pub(crate) fn count(
    state: &mut State,
    call: &Call<'_>,
    resource: &'static str,
) -> (Vec<(&'static str, String)>, Option<Response>) {
    if call.enterprise {
        return (Vec::new(), None);
    }
    let reset = reset(state);
    let hour = state.now() / 3600;
    if state.hour != hour {
        state.hour = hour;
        state.used.clear();
    }
    let key = call.token.as_ref().map(|(value, _)| value.clone()).unwrap_or_default();
    let limit = limit(call, resource);
    let used = state.used.entry((key, resource)).or_default();
    let over = *used >= limit;
    // What /rate_limit tells is free.
    if !over && resource != "rate_limit" {
        *used += 1;
    }
    let headers = vec![
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", (limit - (*used).min(limit)).to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-resource", resource.to_owned()),
    ];
    let refused = over.then(|| refusal(403, "API rate limit exceeded for this user."));
    (headers, refused)
}

/// When the hour ends.
pub(crate) fn reset(state: &State) -> u64 {
    (state.now() / 3600 + 1) * 3600
}

/// Requests an hour (a minute for the search, which counts alike here).
pub(crate) fn limit(call: &Call<'_>, resource: &str) -> u64 {
    match (call.token(), resource) {
        (Some(_), "search") => 30,
        (Some(token), _) => token.limit,
        (None, "search") => 10,
        (None, "graphql") => 0,
        (None, _) => 60,
    }
}
