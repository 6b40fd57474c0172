//! Heads that have moved, and pull requests that are closed: what the list of open ones cannot
//! tell.

use super::{Match, Relation, Search, is_open, matching};
use crate::error::{Error, Result};
use crate::github::{History, PullRequest};
use crate::status::Status;

/// How many pull requests of a search by REST are looked at.
const CANDIDATES: usize = 5;

/// How close a commit is to what a pull request offers now.
struct Candidate {
    found: Match,
    /// How many commits follow.
    behind: usize,
}

/// Searches for pull requests that once had the commit.
pub(super) fn search(search: &mut Search<'_>) -> Result<Vec<Match>> {
    let known = search.look_up()?;
    let mut wanted = vec![search.commit.clone()];
    if known.parents.len() > 1 {
        // A merge made by the CI server of a head that has moved since.
        wanted.push(known.parents[1].clone());
    }
    for sha in &wanted {
        let mut candidates = by_history(search, sha)?;
        for each in candidates.iter_mut().filter(|_| *sha != search.commit) {
            if each.found.relation == Relation::Head {
                each.found.relation = Relation::MergeOf;
            }
        }
        if !candidates.is_empty() {
            return nearest(search, candidates);
        }
    }
    if !known.on_github {
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
    let merged = (known.parents.len() > 1).then(|| known.parents[1].clone());
    let has = |sha: &String| judge(&history, sha).is_some();
    let had = has(&search.commit) || merged.as_ref().is_some_and(has);
    Ok(had.then_some(Relation::Outdated))
}

/// The pull requests in whose history the commit is, verified.
fn by_history(search: &mut Search<'_>, sha: &str) -> Result<Vec<Candidate>> {
    let histories = match search.github.search_histories(sha)? {
        Some(histories) => histories,
        None => return by_rest(search, sha),
    };
    let found: Vec<_> = histories.iter().filter_map(|history| judge(history, sha)).collect();
    search.seen.push(format!("a search for {sha} brought {} pull requests", histories.len()));
    if !found.is_empty() {
        return Ok(found);
    }
    // The search does not know heads that a forced push replaced.
    let recent = search.github.recent_histories()?.unwrap_or_default();
    search.seen.push(format!(
        "the {} open pull requests that were updated last never had it",
        recent.len()
    ));
    Ok(recent.iter().filter_map(|history| judge(history, sha)).collect())
}

fn by_rest(search: &mut Search<'_>, sha: &str) -> Result<Vec<Candidate>> {
    let numbers = match search.github.search(sha) {
        Ok(numbers) => numbers,
        Err(error) if error.is_final() => return Err(error.into_error()),
        // The search has limits of its own, and is not the last resort.
        Err(error) => {
            search.seen.push(format!("the search for {sha} failed: {error}"));
            return Ok(Vec::new());
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
    Ok(found)
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
