//! Heads that have moved, and pull requests that are closed: what the list of open ones cannot
//! tell.

use super::{Match, Relation, Search, is_open, matching, merge};
use crate::error::{Error, Result};
use crate::github::{History, PullRequest};
use crate::status::Status;

/// How many pull requests of a search by REST are looked at.
const CANDIDATES: usize = 5;

/// Only GraphQL tells of such heads.
const UNKNOWN_BY_REST: &str = "heads that a forced push replaced cannot be found without GraphQL: give `pull_request` for one";

/// How close a commit is to what a pull request offers now.
struct Candidate {
    found: Match,
    /// How many commits follow.
    behind: usize,
}

/// Searches for pull requests that once had the commit itself.
pub(super) fn search(search: &mut Search<'_>) -> Result<Vec<Match>> {
    let known = search.look_up()?;
    if !known.on_github && known.parents.len() > 1 {
        // A merge that was made here and never pushed.
        return Ok(Vec::new());
    }
    let commit = search.commit.clone();
    match by_history(search, &commit)? {
        Some(candidates) => nearest(search, candidates),
        // Before its parents are asked for what it may be itself.
        None => associated(search),
    }
}

/// Searches for pull requests that have, or once had, a parent of a merge.
pub(super) fn of_parent(search: &mut Search<'_>, parent: &str) -> Result<Vec<Match>> {
    let mut candidates = by_history(search, parent)?.unwrap_or_default();
    // What a pull request was merged as is the base of others, and was not tested for it.
    candidates.retain(|each| {
        let pull = &each.found.pull_request;
        is_open(pull) || pull.head_sha == parent || pull.merge_sha.as_deref() != Some(parent)
    });
    for each in candidates.iter_mut().filter(|each| each.found.relation.is_current()) {
        each.found.relation = Relation::MergeOf;
    }
    nearest(search, candidates)
}

/// Asks GitHub which pull requests it associates with the commit.
pub(super) fn associated(search: &mut Search<'_>) -> Result<Vec<Match>> {
    if !search.look_up()?.on_github {
        return Ok(Vec::new());
    }
    let pulls = search.github.pulls_of_commit(&search.commit)?;
    let candidates: Vec<_> =
        pulls.into_iter().map(|pull| candidate(pull, Relation::Outdated, 0)).collect();
    if candidates.is_empty() {
        search.seen.push("GitHub associates no pull request with it".to_owned());
    }
    nearest(search, candidates)
}

/// Whether one pull request once had the commit, or the head that a merge was made of.
pub(super) fn had(search: &mut Search<'_>, pull: &PullRequest) -> Result<Option<Relation>> {
    let known = search.look_up()?;
    let history = match search.github.history(pull.number)? {
        Some(history) => history,
        None => History {
            pull_request: pull.clone(),
            commits: search.github.pull_commits(pull.number)?,
            replaced_heads: Vec::new(),
        },
    };
    let has = |sha: &String| judge(&history, sha).is_some();
    let (merged_into, merged) = match known.parents.as_slice() {
        [first, others @ ..] if !others.is_empty() => (Some(first), others),
        _ => (None, &[][..]),
    };
    let had = has(&search.commit)
        || merged.iter().any(has)
        || (merged_into.is_some_and(has) && merge::is_with_base(search, pull)?);
    Ok(had.then_some(Relation::Outdated))
}

/// The pull requests in whose history the commit is, verified; None where the search failed.
fn by_history(search: &mut Search<'_>, sha: &str) -> Result<Option<Vec<Candidate>>> {
    let histories = match search.github.search_histories(sha)? {
        Some(histories) => histories,
        None => return by_rest(search, sha),
    };
    let found: Vec<_> = histories.iter().filter_map(|history| judge(history, sha)).collect();
    search.seen.push(format!("a search for {sha} brought {} pull requests", histories.len()));
    if !found.is_empty() {
        return Ok(Some(found));
    }
    // The search does not know heads that a forced push replaced.
    if search.recent.is_none() {
        search.recent = Some(search.github.recent_histories()?.unwrap_or_default());
    }
    let recent = search.recent.as_deref().unwrap_or_default();
    let found: Vec<_> = recent.iter().filter_map(|history| judge(history, sha)).collect();
    if !found.is_empty() {
        return Ok(Some(found));
    }
    search.seen.push(format!(
        "the {} open pull requests that were updated last never had it",
        recent.len()
    ));
    Ok(Some(found))
}

fn by_rest(search: &mut Search<'_>, sha: &str) -> Result<Option<Vec<Candidate>>> {
    let numbers = match search.github.search(sha) {
        Ok(numbers) => numbers,
        Err(error) if error.is_final() => return Err(error.into_error()),
        // The search has limits of its own, and is not the last resort.
        Err(error) => {
            search.seen.push(format!("the search for {sha} failed: {error}"));
            return Ok(None);
        }
    };
    search.seen.push(format!("a search for {sha} brought {} pull requests", numbers.len()));
    let mut found = Vec::new();
    for number in numbers.into_iter().take(CANDIDATES) {
        let Some(pull_request) = search.github.pull(number)? else { continue };
        let commits = search.github.pull_commits(number)?;
        let history = History { pull_request, commits, replaced_heads: Vec::new() };
        found.extend(judge(&history, sha));
    }
    if found.is_empty() && !search.seen.iter().any(|seen| seen == UNKNOWN_BY_REST) {
        search.seen.push(UNKNOWN_BY_REST.to_owned());
    }
    Ok(Some(found))
}

/// Whether a pull request has or had the commit.
fn judge(history: &History, sha: &str) -> Option<Candidate> {
    let pull = history.pull_request.clone();
    if pull.head_sha == sha {
        // Not in the list of open pull requests, which changed while it was read.
        return Some(candidate(pull, Relation::Head, 0));
    }
    if pull.merge_sha.as_deref() == Some(sha) {
        return Some(candidate(pull, Relation::TestMerge, 0));
    }
    let same = |other: &String| other.eq_ignore_ascii_case(sha);
    let behind = match history.commits.iter().rev().position(same) {
        Some(behind) => behind,
        None if history.replaced_heads.iter().any(same) => 0,
        None => return None,
    };
    Some(candidate(pull, Relation::Outdated, behind))
}

fn candidate(pull: PullRequest, relation: Relation, behind: usize) -> Candidate {
    let relation = matching::in_state(relation, pull.state);
    Candidate { found: Match { pull_request: pull, relation }, behind }
}

/// All that have it as their head, else the one that is nearest to it.
fn nearest(search: &Search<'_>, mut candidates: Vec<Candidate>) -> Result<Vec<Match>> {
    // A release has what was merged into its branch, but it was tested for what brought it there.
    let brought: Vec<String> = candidates
        .iter()
        .map(|each| &each.found.pull_request)
        .filter(|pull| pull.merge_sha.as_ref() != Some(&search.commit))
        .map(|pull| pull.base_branch.clone())
        .collect();
    let is_own = |each: &Candidate| {
        let branch = &each.found.pull_request.head_branch;
        each.found.relation.is_current()
            || branch.as_ref().is_none_or(|branch| !brought.contains(branch))
    };
    if candidates.iter().any(is_own) {
        candidates.retain(is_own);
    }
    candidates.sort_by_key(|each| {
        let pull = &each.found.pull_request;
        (!each.found.relation.is_current(), !is_open(pull), each.behind, pull.number)
    });
    let current = candidates.iter().filter(|each| each.found.relation.is_current()).count();
    if current == 0
        && candidates.len() > 1
        && search.submission.settings.choice("on_multiple") == "fail"
    {
        let numbers: Vec<_> =
            candidates.iter().map(|each| format!("#{}", each.found.pull_request.number)).collect();
        return Err(Error::new(
            Status::Ambiguous,
            format!(
                "commit {} was in several pull requests: {}",
                search.commit,
                numbers.join(", ")
            ),
        )
        .advise("give the number as `pull_request`, or set `on_multiple = first`"));
    }
    candidates.truncate(current.max(1));
    Ok(candidates.into_iter().map(|each| each.found).collect())
}
