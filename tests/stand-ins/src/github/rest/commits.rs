//! Commits, and which pull requests they belong to.

use serde_json::Value;

use crate::github::access::{Call, refusal};
use crate::github::page::Page;
use crate::github::render;
use crate::github::routes::not_found;
use crate::github::state::{PullState, RepositoryState, State};
use crate::server::Response;

fn unknown(reference: &str) -> Response {
    refusal(422, &format!("No commit found for SHA: {reference}"))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}`
pub(crate) fn commit(state: &State, call: &Call<'_>, id: u64, reference: &str) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let Some(sha) = repository.resolve(reference) else { return unknown(reference) };
    let accept = call.request.header("accept").unwrap_or_default();
    if accept.contains("application/vnd.github.sha") {
        let media = "application/vnd.github.sha; charset=utf-8";
        return Response::new(200).header("Content-Type", media).body(sha);
    }
    Response::json(200, &render::commit(call, repository, &sha))
}

/// `GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls`
pub(crate) fn commit_pulls(state: &State, call: &Call<'_>, id: u64, reference: &str) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let Some(sha) = repository.resolve(reference) else { return unknown(reference) };
    let found = introduced_by(repository, &sha);
    let page = Page::of(call.request);
    let total = found.len();
    let items: Vec<Value> =
        page.cut(found).into_iter().map(|pull| render::pull(call, repository, pull)).collect();
    let path = format!("/repositories/{id}/commits/{sha}/pulls");
    let mut response = Response::json(200, &items.into());
    if let Some(link) = page.link(call, &path, total) {
        response.set("Link", link);
    }
    response
}

/// The merged pull request that brought this commit, and the open ones from branches of this
/// repository that contain it. The open ones from forks are not found: so it is at GitHub.
pub(crate) fn introduced_by<'a>(repository: &'a RepositoryState, sha: &str) -> Vec<&'a PullState> {
    repository
        .pulls
        .values()
        .filter(|pull| {
            let contains = pull.commits.iter().any(|each| each == sha);
            match &pull.merge {
                Some(merge) => contains || merge.sha == sha,
                None => contains && !pull.is_from_fork(repository.id),
            }
        })
        .collect()
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}/commits`: the first 250 and no more.
pub(crate) fn pull_commits(state: &State, call: &Call<'_>, id: u64, number: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let Some(pull) = repository.pulls.get(&number) else { return not_found() };
    let served: Vec<&String> = pull.commits.iter().take(250).collect();
    let page = Page::of(call.request);
    let total = served.len();
    let items: Vec<Value> =
        page.cut(served).into_iter().map(|sha| render::commit(call, repository, sha)).collect();
    let path = format!("/repositories/{id}/pulls/{number}/commits");
    let mut response = Response::json(200, &items.into());
    if let Some(link) = page.link(call, &path, total) {
        response.set("Link", link);
    }
    response
}
