//! The endpoints of the REST API.

mod comments;
mod commits;
mod pulls;
mod search;

pub(crate) use comments::listed;
pub(crate) use comments::{comment, comments, create_comment, delete_comment, edit_comment};
pub(crate) use commits::{commit, commit_pulls, compare, introduced_by, pull_commits};
pub(crate) use pulls::{changed_between_pages, pull, pulls};
pub(crate) use search::{found, search};

use serde_json::json;

use super::access::{Call, limit, refusal, reset};
use super::render;
use super::state::{State, TokenKind};
use crate::server::Response;

/// `GET /repos/{owner}/{repo}`
pub(crate) fn repository(state: &State, call: &Call<'_>, id: u64) -> Response {
    match state.by_id(id) {
        Some(repository) => Response::json(200, &render::full_repository(call, repository)),
        None => super::routes::not_found(),
    }
}

/// `GET /user`
pub(crate) fn user(call: &Call<'_>) -> Response {
    match call.token() {
        None => refusal(401, "Requires authentication"),
        Some(token) if matches!(token.kind, TokenKind::Installation { .. }) => {
            refusal(403, "Resource not accessible by integration")
        }
        Some(token) => Response::json(200, &render::public_user(call, &token.login)),
    }
}

/// `GET /rate_limit`
pub(crate) fn rate_limit(state: &State, call: &Call<'_>) -> Response {
    if call.enterprise {
        return refusal(404, "Rate limiting is not enabled.");
    }
    let reset = reset(state);
    let key = call.token.as_ref().map(|(value, _)| value.clone()).unwrap_or_default();
    let one = |resource: &'static str| {
        let limit = limit(call, resource);
        let used = state.used.get(&(key.clone(), resource)).copied().unwrap_or_default();
        json!({
            "limit": limit,
            "used": used,
            "remaining": limit - used.min(limit),
            "reset": reset,
        })
    };
    let mut body = json!({
        "resources": { "core": one("core"), "search": one("search"), "graphql": one("graphql") },
    });
    if !call.newer {
        body["rate"] = one("core");
    }
    Response::json(200, &body)
}
