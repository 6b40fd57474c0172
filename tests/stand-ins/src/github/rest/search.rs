//! The search for pull requests.

use serde_json::{Value, json};

use crate::github::access::{Call, invalid};
use crate::github::page::Page;
use crate::github::render;
use crate::github::state::{PullState, RepositoryState, State};
use crate::server::Response;

/// `GET /search/issues`
pub(crate) fn search(state: &State, call: &Call<'_>) -> Response {
    let query = call.request.parameter("q").unwrap_or_default();
    let Some(found) = found(state, call, &query) else {
        let error = json!({
            "message": "The listed users and repositories cannot be searched either because the \
                        resources do not exist or you do not have permission to view them.",
            "resource": "Search",
            "field": "q",
            "code": "invalid",
        });
        return invalid("Validation Failed", &error);
    };
    let page = Page::of(call.request);
    let total = found.len();
    let items: Vec<Value> = page
        .cut(found)
        .into_iter()
        .map(|(repository, pull)| render::search_item(call, repository, pull))
        .collect();
    let body = json!({
        "total_count": total,
        "incomplete_results": false,
        "items": items,
        "search_type": "lexical",
    });
    let mut response = Response::json(200, &body);
    if let Some(link) = page.link(call, "/search/issues", total) {
        response.set("Link", link);
    }
    response
}

/// The pull requests that a query finds; None when it names a repository that is not there.
///
/// Words of hex digits are commits: they find the pull requests that contain such a commit now,
/// or were merged as it. Other words must be in the title.
pub(crate) fn found<'a>(
    state: &'a State,
    call: &Call<'_>,
    query: &str,
) -> Option<Vec<(&'a RepositoryState, &'a PullState)>> {
    let mut repositories: Vec<&RepositoryState> =
        state.repositories.iter().filter(|each| state.sees(each, call.token())).collect();
    let mut words = Vec::new();
    let mut wanted = Vec::new();
    for word in query.split_whitespace() {
        match word.split_once(':') {
            Some(("repo", name)) => {
                repositories.retain(|each| each.full_name().eq_ignore_ascii_case(name));
                if repositories.is_empty() {
                    return None;
                }
            }
            Some(("is" | "type" | "state", value)) => wanted.push(value.to_ascii_lowercase()),
            _ => words.push(word.trim_matches('"').to_ascii_lowercase()),
        }
    }
    let fits = |pull: &PullState| {
        wanted.iter().all(|value| match value.as_str() {
            "issue" => false,
            "open" | "closed" => pull.state() == value,
            "merged" => pull.merge.is_some(),
            _ => true,
        }) && words.iter().all(|word| contains(pull, word))
    };
    let mut found = Vec::new();
    for repository in repositories {
        found.extend(
            repository.pulls.values().filter(|pull| fits(pull)).map(|pull| (repository, pull)),
        );
    }
    Some(found)
}

fn contains(pull: &PullState, word: &str) -> bool {
    let is_commit = (7..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let merged = pull.merge.as_ref().map(|merge| &merge.sha);
    let commit = pull.commits.iter().chain(merged).any(|sha| sha.starts_with(word));
    (is_commit && commit) || pull.title.to_ascii_lowercase().contains(word)
}
