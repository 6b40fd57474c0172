//! Merges that a CI server made belong to what was merged in, not to the base that it met.

use notify_pr::find::Relation;
use notify_pr::status::Status;
use stand_ins::{Fault, Pull, Repository, sha};

use crate::lab::{Lab, github, matches, requests};
use crate::with_hint;

/// An open release: pull request 44, from the main branch, whose tip is its head.
fn with_release() -> (stand_ins::GitHub, Repository, Pull) {
    let (github, repository) = github();
    repository.push("release", &sha("release 1")).push("main", &sha("main 1"));
    let release = repository.open(Some(44), None, "main", &sha("main 1")).base("release");
    (github, repository, release)
}

/// What is found for a merge of these, the first parent first.
fn found(
    (github, repository): (&stand_ins::GitHub, &Repository),
    parents: &[&str],
) -> Result<Vec<(u64, Relation)>, notify_pr::error::Error> {
    let merge = sha(format!("merge of {parents:?}"));
    repository.commit(&merge, parents);
    Lab::new(github, &merge, &[("on_closed", "comment")]).find().map(|found| matches(&found))
}

fn search_fails(github: &stand_ins::GitHub) {
    github.graphql_refuses(Some(404));
    github.fault(Fault::on("GET", "/search/issues").status(422).forever());
}

#[test]
fn a_merge_of_a_head_that_moved_on_is_not_for_the_release_whose_head_is_the_base() {
    for by_rest in [false, true] {
        for forced in [false, true] {
            let (github, repository, _) = with_release();
            let pull = repository.open(Some(45), Some("contributor"), "fix", &sha("fix"));
            if by_rest {
                github.graphql_refuses(Some(404));
            }
            let at = (&github, &repository);
            assert_eq!(
                found(at, &[&sha("main 1"), &sha("fix")]).unwrap(),
                [(45, Relation::MergeOf)]
            );
            // By REST nothing tells of a head that was replaced.
            if forced && !by_rest {
                pull.force_push(&sha("rewritten"));
            } else {
                pull.push(&sha("newer"));
            }
            for parents in [[&*sha("main 1"), &*sha("fix")], [&*sha("fix"), &*sha("main 1")]] {
                let found = found(at, &parents).unwrap();
                assert_eq!(found, [(45, Relation::Outdated)], "{by_rest} {forced} {parents:?}");
            }
        }
    }
}

#[test]
fn an_old_merge_of_the_base_into_a_branch_is_not_for_the_release_whose_head_is_the_base() {
    for by_rest in [false, true] {
        let (github, repository, _) = with_release();
        let pull = repository.open(Some(60), Some("contributor"), "long", &sha("long 1"));
        pull.push(&sha("merged main")).push(&sha("long 2"));
        repository.commit(&sha("merged main"), &[&sha("long 1"), &sha("main 1")]);
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let lab = Lab::new(&github, &sha("merged main"), &[]);
        assert_eq!(matches(&lab.find().unwrap()), [(60, Relation::Outdated)], "{by_rest}");
        pull.close();
        let lab = Lab::new(&github, &sha("merged main"), &[("on_closed", "comment")]);
        assert_eq!(matches(&lab.find().unwrap()), [(60, Relation::Closed)], "{by_rest}");
    }
}

#[test]
fn the_head_of_a_merged_pull_request_is_not_for_the_release_that_has_it_now() {
    for by_rest in [false, true] {
        let (github, repository, release) = with_release();
        let pull = repository.open(Some(45), Some("contributor"), "fix", &sha("fix"));
        pull.merge(&sha("main 2"));
        release.push(&sha("fix")).push(&sha("main 2")).push(&sha("main 3"));
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let find = |commit: &str| {
            let lab = Lab::new(&github, commit, &[("on_closed", "comment")]);
            matches(&lab.find().unwrap())
        };
        assert_eq!(find(&sha("fix")), [(45, Relation::Merged)], "{by_rest}");
        let merge = found((&github, &repository), &[&sha("main 1"), &sha("fix")]);
        assert_eq!(merge.unwrap(), [(45, Relation::Merged)], "{by_rest}");
        // What it was merged as was the head of the release, and not its own.
        assert_eq!(find(&sha("main 2")), [(44, Relation::Outdated)], "{by_rest}");
    }
}

#[test]
fn where_the_search_fails_an_old_merge_of_the_base_is_for_nobody_rather_than_for_the_release() {
    let (github, repository, _) = with_release();
    let pull = repository.open(Some(60), Some("contributor"), "long", &sha("long 1"));
    pull.push(&sha("merged main")).push(&sha("long 2"));
    repository.commit(&sha("merged main"), &[&sha("long 1"), &sha("main 1")]);
    search_fails(&github);
    let error = Lab::new(&github, &sha("merged main"), &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::NoPullRequest);
    assert!(error.to_string().contains("belongs to #44, but may only be"), "{error}");
}

#[test]
fn a_merge_of_the_base_into_a_checkout_of_the_head_is_for_the_head() {
    let (github, repository, release) = with_release();
    repository.open(Some(45), Some("contributor"), "fix", &sha("fix"));
    let reversed = [&*sha("fix"), &*sha("main 1")];
    assert_eq!(found((&github, &repository), &reversed).unwrap(), [(45, Relation::MergeOf)]);
    // What was the tip of the base is an older commit of the release by now.
    repository.push("main", &sha("main 2"));
    release.push(&sha("main 2"));
    assert_eq!(found((&github, &repository), &reversed).unwrap(), [(45, Relation::MergeOf)]);
}

#[test]
fn a_release_from_the_main_branch_of_a_fork_gets_nothing_that_is_for_others() {
    let (github, repository) = github();
    repository.push("release", &sha("release 1")).push("main", &sha("main 1"));
    repository.open(Some(44), Some("manager"), "main", &sha("main 1")).base("release");
    // Nothing in the list of pull requests tells that this was the tip of the main branch.
    repository.push("main", &sha("main 2"));
    let pull = repository.open(Some(45), Some("contributor"), "fix", &sha("fix"));
    let (forward, reversed) = ([&*sha("main 1"), &*sha("fix")], [&*sha("fix"), &*sha("main 1")]);
    for (relation, push) in [(Relation::MergeOf, true), (Relation::Outdated, false)] {
        for parents in [forward, reversed] {
            let found = found((&github, &repository), &parents).unwrap();
            assert_eq!(found, [(45, relation.clone())], "{parents:?}");
        }
        if push {
            pull.push(&sha("newer"));
        }
    }
}

#[test]
fn a_test_of_the_release_itself_is_for_the_release() {
    let (github, repository, _) = with_release();
    repository.open(Some(45), Some("contributor"), "fix", &sha("fix"));
    repository.push("release", &sha("release 2"));
    for base in ["release 1", "release 2"] {
        for parents in [[&*sha(base), &*sha("main 1")], [&*sha("main 1"), &*sha(base)]] {
            let found = found((&github, &repository), &parents).unwrap();
            assert_eq!(found, [(44, Relation::MergeOf)], "{parents:?}");
        }
    }
}

#[test]
fn a_merge_of_the_base_and_what_has_no_pull_request_is_for_nobody() {
    let (github, repository, _) = with_release();
    let tip = sha("merge of 10");
    repository.open(Some(10), Some("contributor"), "done", &sha("done")).merge(&tip);
    repository.commit(&sha("nightly"), &[&sha("main 1")]);
    for base in [sha("main 1"), tip] {
        let error = found((&github, &repository), &[&base, &sha("nightly")]).unwrap_err();
        assert_eq!(error.status(), Status::NoPullRequest, "{error}");
    }
}

#[test]
fn what_is_of_the_default_branch_and_merged_into_a_commit_without_a_pull_request_is_for_nobody() {
    for fork in [None, Some("manager")] {
        for by_rest in [false, true] {
            let (github, repository) = github();
            repository.push("release", &sha("release 1")).push("main", &sha("main 1"));
            // The only pull request that is open.
            repository.open(Some(44), fork, "main", &sha("main 1")).base("release");
            repository.commit(&sha("experiment"), &[&sha("main 0")]);
            if by_rest {
                github.graphql_refuses(Some(404));
            }
            let (main, other) = (&*sha("main 1"), &*sha("experiment"));
            for parents in [[other, main], [main, other]] {
                let error = found((&github, &repository), &parents).unwrap_err();
                assert_eq!(error.status(), Status::NoPullRequest, "{error}");
                assert!(error.to_string().contains("belongs to #44, but may only be"), "{error}");
            }
        }
    }
}

#[test]
fn a_merge_of_a_head_into_what_github_does_not_know_is_for_that_head() {
    for fork in [None, Some("contributor")] {
        let (github, repository) = github();
        repository.open(Some(45), fork, "fix", &sha("fix"));
        let parents = [&*sha("of a mirror"), &*sha("fix")];
        assert_eq!(found((&github, &repository), &parents).unwrap(), [(45, Relation::MergeOf)]);
    }
}

#[test]
fn a_merge_of_two_heads_is_ambiguous_and_both_are_named() {
    let (github, repository) = github();
    repository.fill(3);
    let base = repository.base_sha();
    let (one, two) = (sha(1), sha(2));
    for parents in [&[&*one, &two][..], &[&two, &one], &[&base, &one, &two]] {
        let error = found((&github, &repository), parents).unwrap_err();
        assert_eq!(error.status(), Status::Ambiguous);
        let text = error.to_string();
        assert!(text.contains("#1") && text.contains("#2"), "{text}");
    }
    repository.commit(&sha("nowhere"), &[]);
    let found = found((&github, &repository), &[&base, &sha("nowhere"), &one]);
    assert_eq!(found.unwrap(), [(1, Relation::MergeOf)]);
}

#[test]
fn of_two_heads_the_one_counts_that_builds_upon_the_other() {
    let (github, repository) = github();
    // From forks: only the commits tell.
    repository.open(Some(60), Some("contributor"), "lower", &sha("lower"));
    repository.open(Some(61), Some("contributor"), "upper", &sha("lower")).push(&sha("upper"));
    // From branches: the one is to be merged into the other.
    repository.open(Some(70), None, "storage", &sha("storage"));
    repository.push("storage", &sha("storage"));
    repository.open(Some(71), None, "volumes", &sha("volumes")).base("storage");
    for (lower, upper, number) in [("lower", "upper", 61), ("storage", "volumes", 71)] {
        for parents in [[&*sha(lower), &*sha(upper)], [&*sha(upper), &*sha(lower)]] {
            let found = found((&github, &repository), &parents).unwrap();
            assert_eq!(found, [(number, Relation::MergeOf)], "{parents:?}");
        }
    }
}

#[test]
fn a_merge_with_the_tip_of_the_base_costs_no_request_for_its_parents() {
    let (github, repository) = github();
    repository.fill(3);
    let tip = repository.base_sha();
    assert_eq!(found((&github, &repository), &[&tip, &sha(2)]).unwrap(), [(2, Relation::MergeOf)]);
    let merge = sha(format!("merge of {:?}", [&tip, &sha(2)]));
    let commit = format!("GET /repos/apache/cloudstack/commits/{merge}");
    // The open ones; the commit; a search for it and for forced pushes, for it may be an old head.
    let (list, asked) = ("POST /graphql", requests(&github));
    assert_eq!(asked, [list, &commit, list, list]);
    // A base that nothing in the list tells of costs one more.
    repository.push("main", &sha("main 1")).push("main", &sha("main 2"));
    let merge = [&*sha("main 1"), &*sha(2)];
    assert_eq!(found((&github, &repository), &merge).unwrap(), [(2, Relation::MergeOf)]);
    let more = requests(&github).split_off(asked.len());
    assert_eq!(more.len(), 5, "{more:?}");
    assert!(more[4].contains("/compare/main..."), "{more:?}");
}

#[test]
fn a_number_from_the_ci_server_counts_for_a_merge_of_the_base_into_its_head() {
    let (github, repository, _) = with_release();
    let pull = repository.open(Some(45), None, "fix", &sha("fix"));
    repository.commit(&sha("merge"), &[&sha("fix"), &sha("main 1")]);
    for relation in [Relation::MergeOf, Relation::Outdated] {
        let lab = with_hint(&github, &sha("merge"), "45");
        assert_eq!(matches(&lab.find().unwrap()), [(45, relation)]);
        assert_eq!(lab.warnings(), [""; 0]);
        pull.push(&sha("newer"));
    }
    // Nor does a wrong number turn a base into what was tested.
    let merge = sha("merge of the base and the head");
    repository.commit(&merge, &[&sha("main 1"), &sha("newer")]);
    let lab = with_hint(&github, &merge, "44");
    assert_eq!(lab.find().unwrap().matches[0].pull_request.number, 45);
    assert!(lab.warnings()[0].contains("44"), "{:?}", lab.warnings());
}
