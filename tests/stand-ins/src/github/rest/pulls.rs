//! Pull requests.

use std::cmp::Reverse;

use crate::github::access::Call;
use crate::github::page::Page;
use crate::github::render;
use crate::github::routes::not_found;
use crate::github::state::{Change, PullState, RepositoryState, State};
use crate::server::Response;
use crate::sha;

/// `GET /repos/{owner}/{repo}/pulls`
pub(crate) fn pulls(state: &mut State, call: &Call<'_>, id: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    let parameter = |name: &str| call.request.parameter(name);
    let wanted = parameter("state").unwrap_or_else(|| "open".to_owned());
    let head = parameter("head").filter(|head| head.contains(':'));
    let base = parameter("base");
    let mut list: Vec<&PullState> = repository
        .pulls
        .values()
        .filter(|pull| wanted == "all" || pull.state() == wanted)
        .filter(|pull| {
            let label = format!("{}:{}", pull.head_owner, pull.head_ref);
            head.as_ref().is_none_or(|head| head.eq_ignore_ascii_case(&label))
        })
        .filter(|pull| base.as_ref().is_none_or(|base| *base == pull.base_ref))
        .collect();

    let sort = parameter("sort").unwrap_or_else(|| "created".to_owned());
    match sort.as_str() {
        "updated" => list.sort_by_key(|pull| (pull.updated, pull.number)),
        "popularity" => list.sort_by_key(|pull| (pull.comments.len(), pull.number)),
        _ => list.sort_by_key(|pull| pull.number),
    }
    // Without a direction GitHub lists the newest first, but only when sorting by creation.
    let default = if sort == "created" { "desc" } else { "asc" };
    if parameter("direction").as_deref().unwrap_or(default) == "desc" {
        list.reverse();
    }

    let page = Page::of(call.request);
    let total = list.len();
    let items: Vec<_> =
        page.cut(list).into_iter().map(|pull| render::pull(call, repository, pull)).collect();
    let mut response = Response::json(200, &items.into());
    if let Some(link) = page.link(call, &format!("/repositories/{id}/pulls"), total) {
        response.set("Link", link);
    }
    changed_between_pages(state, id);
    response
}

/// Lets happen what the test wants to happen after a page.
pub(crate) fn changed_between_pages(state: &mut State, id: u64) {
    let (new, fork, now) = (state.next_id(), state.next_id(), state.now());
    let Some(repository) = state.by_id_mut(id) else { return };
    let Some(change) = repository.change else { return };
    match change {
        Change::Opened => {
            let number = repository.last_number + 1;
            let head = sha(format!("opened meanwhile {number}"));
            let ids = (number, new, fork);
            let owner = Some("contributor");
            let pull =
                crate::github::handles::opened(repository, ids, owner, "meanwhile", &head, now);
            repository.pulls.insert(number, pull);
            repository.last_number = number;
        }
        Change::Closed => {
            if let Some(pull) = open(repository).max_by_key(|pull| (pull.updated, pull.number)) {
                pull.closed = true;
            }
        }
        Change::Updated => {
            let newest = repository.pulls.values().map(|pull| pull.updated).max().unwrap_or(now);
            if let Some(pull) =
                open(repository).max_by_key(|pull| Reverse((pull.updated, pull.number)))
            {
                pull.updated = newest + 1;
            }
        }
    }
}

fn open(repository: &mut RepositoryState) -> impl Iterator<Item = &mut PullState> {
    repository.pulls.values_mut().filter(|pull| pull.state() == "open")
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
pub(crate) fn pull(state: &State, call: &Call<'_>, id: u64, number: u64) -> Response {
    let Some(repository) = state.by_id(id) else { return not_found() };
    match repository.pulls.get(&number) {
        Some(pull) => Response::json(200, &render::full_pull(call, repository, pull)),
        None => not_found(),
    }
}
