//! The decision, without a request: which of these pull requests has this commit.

use super::{Match, Relation, is_full};
use crate::github::{PullRequest, State};

/// The pull requests that have the commit as their head, else as their test merge.
///
/// A short commit counts as the beginning of a name. With the matches comes the full name, if this
/// tells it. The error holds the full names when a short one fits several.
pub fn matches(
    pulls: &[PullRequest],
    commit: &str,
) -> Result<(Vec<Match>, Option<String>), Vec<String>> {
    let heads = pulls.iter().map(|pull| (pull, Some(&pull.head_sha)));
    let merges = pulls.iter().map(|pull| (pull, pull.merge_sha.as_ref()));
    for (relation, named) in
        [(Relation::Head, by_name(heads, commit)), (Relation::TestMerge, by_name(merges, commit))]
    {
        let mut names: Vec<&String> = named.iter().map(|(_, name)| *name).collect();
        names.sort();
        names.dedup();
        match names.as_slice() {
            [] => {}
            [name] => {
                let found = named.iter().map(|(pull, _)| *pull);
                return Ok((list(found, &relation), Some(String::clone(name))));
            }
            _ => return Err(names.into_iter().cloned().collect()),
        }
    }
    Ok((Vec::new(), None))
}

/// The pull requests that have a parent of a merge as their head.
pub(super) fn heads(pulls: &[PullRequest], parent: &str) -> Vec<Match> {
    list(pulls.iter().filter(|pull| pull.head_sha == parent), &Relation::MergeOf)
}

/// Those whose name is the commit, or begins with a short one.
fn by_name<'a>(
    named: impl Iterator<Item = (&'a PullRequest, Option<&'a String>)>,
    commit: &str,
) -> Vec<(&'a PullRequest, &'a String)> {
    let fits = |name: &str| if is_full(commit) { name == commit } else { name.starts_with(commit) };
    named.filter_map(|(pull, name)| Some((pull, name?))).filter(|(_, name)| fits(name)).collect()
}

fn list<'a>(pulls: impl Iterator<Item = &'a PullRequest>, relation: &Relation) -> Vec<Match> {
    let mut found: Vec<Match> = pulls
        .map(|pull| Match {
            pull_request: pull.clone(),
            relation: in_state(relation.clone(), pull.state),
        })
        .collect();
    found.sort_by_key(|found| found.pull_request.number);
    found
}

/// The relation, unless the state of the pull request says more.
pub(super) fn in_state(relation: Relation, state: State) -> Relation {
    match state {
        State::Open => relation,
        State::Closed => Relation::Closed,
        State::Merged => Relation::Merged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(digit: &str) -> String {
        digit.repeat(40 / digit.len())
    }

    fn pull(number: u64, head: &str, merge: Option<&str>) -> PullRequest {
        PullRequest {
            number,
            url: String::new(),
            title: String::new(),
            head_sha: sha(head),
            merge_sha: merge.map(sha),
            state: State::Open,
            locked: false,
            base_branch: "main".to_owned(),
            base_sha: sha("0"),
            head_branch: None,
        }
    }

    fn found(pulls: &[PullRequest], commit: &str) -> Vec<(u64, Relation)> {
        let (found, _) = matches(pulls, commit).unwrap();
        found.into_iter().map(|found| (found.pull_request.number, found.relation)).collect()
    }

    #[test]
    fn a_head_counts_before_a_test_merge() {
        let pulls = [pull(1, "a", Some("e")), pull(2, "b", Some("a")), pull(3, "c", Some("d"))];
        assert_eq!(found(&pulls, &sha("a")), [(1, Relation::Head)]);
        assert_eq!(found(&pulls, &sha("d")), [(3, Relation::TestMerge)]);
        assert_eq!(found(&pulls, &sha("f")), []);
    }

    #[test]
    fn all_pull_requests_with_the_same_head_are_found_in_order() {
        let pulls = [pull(9, "a", None), pull(4, "b", None), pull(2, "a", None)];
        assert_eq!(found(&pulls, &sha("a")), [(2, Relation::Head), (9, Relation::Head)]);
    }

    #[test]
    fn a_short_commit_tells_the_full_one_or_all_that_it_fits() {
        let pulls = [pull(1, "ab", None), pull(2, "ab", None), pull(3, "abababac", None)];
        let (two, full) = matches(&pulls, "ababababa").unwrap();
        assert_eq!((two.len(), full), (2, Some(sha("ab"))));
        assert_eq!(matches(&pulls, "abababa").unwrap_err(), [sha("ab"), sha("abababac")]);
    }

    #[test]
    fn a_closed_pull_request_is_closed_whatever_the_commit_is() {
        let closed = PullRequest { state: State::Closed, ..pull(1, "a", None) };
        assert_eq!(found(&[closed], &sha("a")), [(1, Relation::Closed)]);
    }
}
