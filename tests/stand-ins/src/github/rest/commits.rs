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

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`
pub(crate) fn compare(state: &State, call: &Call<'_>, id: u64, basehead: &str) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let ends = basehead
        .split_once("...")
        .and_then(|(base, head)| Some((repository.resolve(base)?, repository.resolve(head)?)));
    let Some((base, head)) = ends else { return not_found() };
    let (before, after) = (repository.history(&base), repository.history(&head));
    let Some(common) = after.iter().find(|sha| before.contains(sha)) else {
        return refusal(404, &format!("No common ancestor between {basehead}."));
    };
    let mut ahead: Vec<&String> = after.iter().filter(|sha| !before.contains(sha)).collect();
    ahead.reverse();
    let behind = before.iter().filter(|sha| !after.contains(sha)).count();
    let page = Page::of(call.request);
    let total = ahead.len();
    let commits = page.cut(ahead).into_iter().map(|sha| render::commit(call, repository, sha));
    let mut body = render::comparison(call, repository, [&base, common, &head]);
    body["status"] = match (total, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    }
    .into();
    body["ahead_by"] = total.into();
    body["behind_by"] = behind.into();
    body["total_commits"] = total.into();
    body["commits"] = commits.collect::<Vec<Value>>().into();
    if page.number == 1 {
        body["files"] = Value::Array(Vec::new());
    }
    let mut response = Response::json(200, &body);
    if let Some(link) = page.link(call, &format!("/repositories/{id}/compare/{basehead}"), total) {
        response.set("Link", link);
    }
    response
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
