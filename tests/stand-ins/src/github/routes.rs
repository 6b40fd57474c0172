//! From a request to the function that answers it, and what all answers have in common.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::World;
use super::access::{self, Call, refusal};
use super::state::{State, TokenKind};
use super::{graphql, rest, web};
use crate::openapi;
use crate::server::{Request, Response, decode, http_date};
use crate::{hex, lock};

/// The path of a request below the API's prefix; None when it is outside.
fn api_path<'a>(world: &World, request: &'a Request) -> Option<&'a str> {
    if world.enterprise { request.path().strip_prefix("/api/v3") } else { Some(request.path()) }
}

fn is_graphql(world: &World, request: &Request) -> bool {
    request.path() == if world.enterprise { "/api/graphql" } else { "/graphql" }
}

/// Refuses what GitHub's description does not know.
pub(crate) fn inspect(world: &World, request: &Request) -> Option<Response> {
    if !world.checked || is_graphql(world, request) || web::is_meant(request) {
        return None;
    }
    let path = api_path(world, request)?;
    let faults = openapi::github().check(request, path);
    if faults.is_empty() {
        return None;
    }
    let text = format!("{} {}: {}", request.method, request.target, faults.join("; "));
    world.violated(text.clone());
    Some(refusal(400, &text))
}

/// Answers a request.
pub(crate) fn answer(world: &World, request: &Request) -> Response {
    if request.header("user-agent").is_none_or(|agent| agent.trim().is_empty()) {
        let text = "Request forbidden by administrative rules. Please make sure your request has \
                    a User-Agent header.\n";
        return Response::new(403).header("Content-Type", "text/html").body(text);
    }
    let mut state = lock(&world.state);
    if web::is_meant(request) {
        return web::page(&state, request);
    }
    let call = match Call::new(world, request, &state) {
        Ok(call) => call,
        Err(refused) => return finish(&state, request, refused),
    };
    if let Some(refused) = version(request) {
        return finish(&state, request, refused);
    }
    let graphql = is_graphql(world, request);
    let Some(path) = api_path(world, request).filter(|_| !graphql).or(graphql.then_some("")) else {
        return Response::html(404);
    };
    let resource = match path {
        _ if graphql => "graphql",
        "/rate_limit" => "rate_limit",
        path if path.starts_with("/search/") => "search",
        _ => "core",
    };
    if graphql && call.token.is_none() {
        return finish(&state, request, refusal(401, "Requires authentication"));
    }
    let (headers, refused) = access::count(&mut state, &call, resource);
    let mut response = match refused {
        Some(refused) => refused,
        None if graphql => graphql::answer(world, &mut state, &call),
        None => dispatch(&mut state, &call, path),
    };
    for (name, value) in headers {
        response.set(name, value);
    }
    response.set("x-github-media-type", "github.v3; format=json");
    let version = if call.newer { "2026-03-10" } else { "2022-11-28" };
    response.set("x-github-api-version-selected", version);
    if let Some(TokenKind::Classic { scopes }) = call.token().map(|token| &token.kind) {
        response.set("X-OAuth-Scopes", scopes.join(", "));
        if !response.headers.iter().any(|(name, _)| name == "X-Accepted-OAuth-Scopes") {
            response.set("X-Accepted-OAuth-Scopes", "");
        }
    }
    finish(&state, request, response)
}

fn version(request: &Request) -> Option<Response> {
    let version = request.header("x-github-api-version")?;
    if matches!(version, "2022-11-28" | "2026-03-10") {
        return None;
    }
    Some(refusal(400, &format!("\"{version}\" is not a supported version of the REST API.")))
}

/// What GitHub puts on every answer, and 304 where the client has the answer already.
fn finish(state: &State, request: &Request, mut response: Response) -> Response {
    response.set("Date", http_date(i64::try_from(state.now()).unwrap_or_default()));
    let digest = hex(&Sha256::digest(&response.body));
    let id = hex(&Sha256::digest(format!("{}{}{digest}", request.connection, request.target)));
    response.set("x-github-request-id", format!("{}:{}", &id[..4], &id[4..12]).to_uppercase());
    if request.method == "GET" && response.status == 200 {
        let etag = format!("W/\"{digest}\"");
        if request.header("if-none-match") == Some(etag.as_str()) {
            response.status = 304;
            response.body.clear();
        }
        response.set("ETag", etag);
    }
    response
}

fn dispatch(state: &mut State, call: &Call<'_>, path: &str) -> Response {
    let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.request.method.as_str(), segments.as_slice()) {
        ("GET", ["user"]) => rest::user(call),
        ("GET", ["rate_limit"]) => rest::rate_limit(state, call),
        ("GET", ["search", "issues"]) => rest::search(state, call),
        (_, ["repos", owner, name, rest @ ..]) => {
            let full_name = format!("{owner}/{name}");
            if let Some(repository) = state.repository(&full_name) {
                let id = repository.id;
                return in_repository(state, call, id, rest);
            }
            match state.renamed(&full_name) {
                Some(repository) if state.sees(repository, call.token()) => {
                    moved(call, repository.id, rest)
                }
                _ => not_found(),
            }
        }
        (_, ["repositories", id, rest @ ..]) => match id.parse() {
            Ok(id) if state.by_id(id).is_some() => in_repository(state, call, id, rest),
            _ => not_found(),
        },
        _ => not_found(),
    }
}

/// A renamed repository: 301 for reads, 307 for writes.
fn moved(call: &Call<'_>, id: u64, rest: &[&str]) -> Response {
    let read = matches!(call.request.method.as_str(), "GET" | "HEAD");
    let status = if read { 301 } else { 307 };
    let tail: String = rest.iter().map(|segment| format!("/{segment}")).collect();
    let query = call.request.target.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
    let location = format!("{}/repositories/{id}{tail}{query}", call.base);
    let message = if read { "Moved Permanently" } else { "Temporary Redirect" };
    let body = json!({
        "message": message,
        "url": location,
        "documentation_url":
            "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
    });
    Response::json(status, &body).header("Location", location)
}

pub(crate) fn not_found() -> Response {
    refusal(404, "Not Found")
}

fn in_repository(state: &mut State, call: &Call<'_>, id: u64, rest: &[&str]) -> Response {
    let seen = state.by_id(id).is_some_and(|repository| state.sees(repository, call.token()));
    if !seen {
        return not_found();
    }
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    match (call.request.method.as_str(), rest) {
        ("GET", []) => rest::repository(state, call, id),
        ("GET", ["pulls"]) => rest::pulls(state, call, id),
        ("GET", ["pulls", pull]) => rest::pull(state, call, id, number(pull)),
        ("GET", ["pulls", pull, "commits"]) => rest::pull_commits(state, call, id, number(pull)),
        ("GET", ["commits", reference @ .., "pulls"]) if !reference.is_empty() => {
            rest::commit_pulls(state, call, id, &reference.join("/"))
        }
        ("GET", ["commits", reference @ ..]) if !reference.is_empty() => {
            rest::commit(state, call, id, &reference.join("/"))
        }
        ("GET", ["compare", basehead]) => rest::compare(state, call, id, basehead),
        ("GET", ["issues", "comments", comment]) => rest::comment(state, call, id, number(comment)),
        ("PATCH", ["issues", "comments", comment]) => {
            rest::edit_comment(state, call, id, number(comment))
        }
        ("DELETE", ["issues", "comments", comment]) => {
            rest::delete_comment(state, call, id, number(comment))
        }
        ("GET", ["issues", pull, "comments"]) => rest::comments(state, call, id, number(pull)),
        ("POST", ["issues", pull, "comments"]) => {
            rest::create_comment(state, call, id, number(pull))
        }
        _ => not_found(),
    }
}
