//! Comments on pull requests.

use serde_json::{Value, json};

use crate::github::access::{Call, invalid, may_comment, refusal};
use crate::github::page::Page;
use crate::github::render;
use crate::github::routes::not_found;
use crate::github::state::{BodyLimit, CommentState, RepositoryState, State, TokenKind, seconds};
use crate::server::Response;

/// `GET /repos/{owner}/{repo}/issues/{issue_number}/comments`
pub(crate) fn comments(state: &mut State, call: &Call<'_>, id: u64, number: u64) -> Response {
    let since = call.request.parameter("since").and_then(|since| seconds(&since));
    let Some(repository) = state.by_id_mut(id) else { return not_found() };
    let Some(shown) = listed(repository, number) else { return not_found() };
    let shown: Vec<CommentState> = shown
        .into_iter()
        .filter(|comment| since.is_none_or(|since| comment.updated >= since))
        .collect();
    let page = Page::of(call.request);
    let total = shown.len();
    let items: Vec<Value> = page
        .cut(shown)
        .iter()
        .map(|comment| render::comment(call, repository, number, comment))
        .collect();
    let mut response = Response::json(200, &items.into());
    let path = format!("/repositories/{id}/issues/{number}/comments");
    if let Some(link) = page.link(call, &path, total) {
        response.set("Link", link);
    }
    response
}

/// The comments that a listing shows now. New ones may lag behind.
pub(crate) fn listed(repository: &mut RepositoryState, number: u64) -> Option<Vec<CommentState>> {
    let pull = repository.pulls.get_mut(&number)?;
    let shown = pull.comments.iter().filter(|comment| comment.hidden == 0).cloned().collect();
    for comment in &mut pull.comments {
        comment.hidden = comment.hidden.saturating_sub(1);
    }
    Some(shown)
}

/// `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`
pub(crate) fn create_comment(state: &mut State, call: &Call<'_>, id: u64, number: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    if let Err(refused) = may_comment(state, call, repository) {
        return refused;
    }
    let Some(pull) = repository.pulls.get(&number) else { return not_found() };
    let login = call.login().unwrap_or_default();
    if pull.locked && !repository.pushes(login) {
        return refusal(403, "Unable to create comment because issue is locked.");
    }
    let body = match body_of(state, call) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let app = call.token().and_then(|token| token.app()).map(str::to_owned);
    let comment = created(state, id, number, login, body, app);
    let Some(repository) = state.by_id(id) else { return not_found() };
    let body = render::comment(call, repository, number, &comment);
    let location = body["url"].as_str().unwrap_or_default().to_owned();
    Response::json(201, &body).header("Location", location)
}

/// Adds a comment.
fn created(
    state: &mut State,
    id: u64,
    number: u64,
    login: &str,
    body: String,
    app: Option<String>,
) -> CommentState {
    let comment = CommentState {
        id: state.next_id(),
        body,
        login: login.to_owned(),
        created: state.now(),
        updated: state.now(),
        app,
        minimized: false,
        hidden: state.lag,
    };
    let pull = state.by_id_mut(id).and_then(|repository| repository.pulls.get_mut(&number));
    if let Some(pull) = pull {
        pull.comments.push(comment.clone());
        pull.updated = comment.created;
    }
    comment
}

/// The body of a new or changed comment, or GitHub's reason against it.
fn body_of(state: &State, call: &Call<'_>) -> Result<String, Response> {
    let Ok(sent) = serde_json::from_slice::<Value>(&call.request.body) else {
        return Err(refusal(400, "Problems parsing JSON"));
    };
    let error = |code: &str, message: &str| {
        let mut error = json!({ "resource": "IssueComment", "code": code, "field": "body" });
        if !message.is_empty() {
            error["field"] = "data".into();
            error["message"] = message.into();
        }
        Err(invalid("Validation Failed", &error))
    };
    let Some(body) = sent["body"].as_str().filter(|body| !body.trim().is_empty()) else {
        return error("missing_field", "");
    };
    let scalars = match state.limit {
        BodyLimit::Strict => 65_536,
        BodyLimit::Bytes => usize::MAX,
    };
    if body.len() > 262_144 || body.chars().count() > scalars {
        return error("unprocessable", "Body is too long (maximum is 65536 characters)");
    }
    Ok(body.to_owned())
}

/// `GET /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(crate) fn comment(state: &State, call: &Call<'_>, id: u64, comment: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    match repository.comment(comment) {
        Some((number, comment)) => {
            Response::json(200, &render::comment(call, repository, number, comment))
        }
        None => not_found(),
    }
}

/// Checks that this call may change this comment, and hands back its pull request's number.
fn may_change(
    state: &State,
    call: &Call<'_>,
    repository: &RepositoryState,
    id: u64,
) -> Result<u64, Response> {
    may_comment(state, call, repository)?;
    let (number, comment) = repository.comment(id).ok_or_else(not_found)?;
    let login = call.login().unwrap_or_default();
    if comment.login != login && !repository.pushes(login) {
        let message = match call.token().map(|token| &token.kind) {
            Some(TokenKind::Installation { .. }) => "Resource not accessible by integration",
            Some(TokenKind::FineGrained { .. }) => {
                "Resource not accessible by personal access token"
            }
            _ => "Must have admin rights to Repository.",
        };
        return Err(refusal(403, message));
    }
    Ok(number)
}

/// `PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(crate) fn edit_comment(state: &mut State, call: &Call<'_>, id: u64, comment: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let number = match may_change(state, call, repository, comment) {
        Ok(number) => number,
        Err(refused) => return refused,
    };
    let body = match body_of(state, call) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let now = state.now();
    let Some(repository) = state.by_id_mut(id) else { return not_found() };
    let Some(pull) = repository.pulls.get_mut(&number) else { return not_found() };
    if let Some(found) = pull.comments.iter_mut().find(|each| each.id == comment) {
        found.body = body;
        found.updated = now;
    }
    self::comment(state, call, id, comment)
}

/// `DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`
pub(crate) fn delete_comment(
    state: &mut State,
    call: &Call<'_>,
    id: u64,
    comment: u64,
) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let number = match may_change(state, call, repository, comment) {
        Ok(number) => number,
        Err(refused) => return refused,
    };
    let Some(repository) = state.by_id_mut(id) else { return not_found() };
    if let Some(pull) = repository.pulls.get_mut(&number) {
        pull.comments.retain(|each| each.id != comment);
    }
    Response::new(204)
}
