//! Finds the right pull request from nothing but a commit.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod lab;
#[path = "find/merges.rs"]
mod merges;

use lab::{Lab, github, matches, requests};
use notify_pr::find::Relation;
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use stand_ins::{Change, Fault, sha};

const REST: (&str, u16) = ("by REST", 404);

#[test]
fn the_head_of_a_fork_is_found_though_github_associates_no_pull_request_with_it() {
    let (github, repository) = github();
    repository.fill(3);
    let pull = repository.pull_from_fork("contributor", "fix-volumes", &sha("fix"));
    repository.fill(3);
    let lab = Lab::new(&github, &sha("fix"), &[]);
    let found = lab.find().unwrap();
    assert_eq!(matches(&found), [(pull.number(), Relation::Head)]);
    assert_eq!(found.repository, "apache/cloudstack");
    assert!(found.repository_url.ends_with("/apache/cloudstack"), "{}", found.repository_url);
    assert_eq!((found.private, found.commit), (Some(false), sha("fix")));
    assert_eq!(found.matches[0].pull_request.title, "Change fix-volumes");
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn the_oldest_of_250_open_pull_requests_costs_four_requests_by_graphql() {
    let (github, repository) = github();
    repository.fill(250);
    let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
    assert_eq!(matches(&found), [(1, Relation::Head)]);
    let requests = requests(&github);
    assert!(requests.len() <= 4, "{requests:?}");
    assert!(requests.iter().all(|request| request == "POST /graphql"), "{requests:?}");
}

#[test]
fn the_oldest_of_250_open_pull_requests_costs_five_requests_by_rest() {
    let (github, repository) = github();
    repository.fill(250);
    github.graphql_refuses(Some(REST.1));
    let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
    assert_eq!(matches(&found), [(1, Relation::Head)]);
    let requests = requests(&github);
    assert!(requests.len() <= 5, "{requests:?}");
    assert!(found.searched.contains(REST.0), "{}", found.searched);
}

#[test]
fn without_graphql_rest_is_used_whatever_graphql_says() {
    for status in [401, 403, 404, 500, 502] {
        let (github, repository) = github();
        repository.fill(2);
        if status == 401 {
            github.fault(Fault::on("POST", "/graphql").status(401).forever());
        } else {
            github.graphql_refuses(Some(status));
        }
        let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
        assert_eq!(matches(&found), [(1, Relation::Head)], "{status}");
        assert!(found.searched.contains("REST"), "{status}: {}", found.searched);
    }
}

#[test]
fn errors_inside_an_answer_of_graphql_lead_to_rest() {
    let (github, repository) = github();
    repository.fill(2);
    let body = r#"{"data":{"repository":null},"errors":[{"type":"FORBIDDEN","message":"no"}]}"#;
    let answer =
        stand_ins::Response::new(200).header("Content-Type", "application/json").body(body);
    github.fault(Fault::on("POST", "/graphql").respond(answer).forever());
    let found = Lab::new(&github, &sha(2), &[]).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Head)]);
    let asked = requests(&github).iter().filter(|request| request.contains("graphql")).count();
    assert_eq!(asked, 1, "GraphQL is not asked again");
}

#[test]
fn without_a_token_public_pull_requests_are_found_by_rest() {
    let (github, repository) = github();
    repository.fill(2);
    let found = Lab::new(&github, &sha(2), &[("token", "")]).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Head)]);
    assert!(github.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_fork_that_was_deleted_with_its_account_does_not_matter() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        let pull = repository.pull_from_fork("contributor", "fix", &sha("fix"));
        pull.delete_fork().delete_author().set_test_merge(None);
        repository.fill(2);
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let found = Lab::new(&github, &sha("fix"), &[]).find().unwrap();
        assert_eq!(matches(&found), [(pull.number(), Relation::Head)]);
        assert_eq!(found.matches[0].pull_request.merge_sha, None);
    }
}

#[test]
fn githubs_own_test_merge_is_found() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        repository.fill(3);
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let merge = repository.pull(2).test_merge().unwrap();
        let found = Lab::new(&github, &merge, &[]).find().unwrap();
        assert_eq!(matches(&found), [(2, Relation::TestMerge)]);
    }
}

#[test]
fn a_test_merge_that_github_has_replaced_is_traced_to_its_second_parent() {
    let (github, repository) = github();
    repository.fill(3);
    let merge = repository.pull(2).test_merge().unwrap();
    repository.pull(2).set_test_merge(Some(&sha("the base moved")));
    let found = Lab::new(&github, &merge, &[]).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::MergeOf)]);
}

#[test]
fn a_merge_with_the_head_as_its_first_parent_is_found() {
    let (github, repository) = github();
    repository.fill(3);
    repository.commit(&sha("merge"), &[&sha(3), &sha("base")]);
    let found = Lab::new(&github, &sha("merge"), &[]).find().unwrap();
    assert_eq!(matches(&found), [(3, Relation::MergeOf)]);
}

#[test]
fn a_commit_in_upper_case_is_the_same_commit() {
    let (github, repository) = github();
    repository.fill(2);
    let found = Lab::new(&github, &sha(2).to_uppercase(), &[]).find().unwrap();
    assert_eq!((matches(&found), found.commit), (vec![(2, Relation::Head)], sha(2)));
}

#[test]
fn a_short_commit_is_the_beginning_of_a_head_or_what_github_knows_by_it() {
    let (github, repository) = github();
    repository.fill(3);
    let found = Lab::new(&github, &sha(2)[..7], &[]).find().unwrap();
    assert_eq!((matches(&found), found.commit), (vec![(2, Relation::Head)], sha(2)));
    repository.commit(&sha("merge"), &[&sha("base"), &sha(3)]);
    let found = Lab::new(&github, &sha("merge")[..8], &[]).find().unwrap();
    assert_eq!((matches(&found), found.commit), (vec![(3, Relation::MergeOf)], sha("merge")));
}

#[test]
fn a_short_commit_that_fits_two_heads_is_ambiguous_and_both_are_named() {
    let (github, repository) = github();
    let heads = ["abcdef0", "abcdef0"].map(String::from);
    let heads = [heads[0].clone() + &sha(1)[7..], heads[1].clone() + &sha(2)[7..]];
    repository.pull_from_fork("contributor", "one", &heads[0]);
    repository.pull_from_fork("contributor", "two", &heads[1]);
    let error = Lab::new(&github, "ABCDEF0", &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::Ambiguous);
    for head in heads {
        assert!(error.to_string().contains(&head), "{error}");
    }
}

#[test]
fn two_pull_requests_with_the_same_head_are_both_found_unless_the_setting_says_otherwise() {
    let (github, repository) = github();
    repository.fill(1);
    repository.pull_from_fork("contributor", "to-main", &sha("same"));
    repository.pull_from_fork("contributor", "to-4.20", &sha("same"));
    let both = Lab::new(&github, &sha("same"), &[]).find().unwrap();
    assert_eq!(matches(&both), [(2, Relation::Head), (3, Relation::Head)]);

    let first = Lab::new(&github, &sha("same"), &[("on_multiple", "first")]).find().unwrap();
    assert_eq!(matches(&first), [(2, Relation::Head)]);
    assert_eq!(first.skipped[0].0.pull_request.number, 3);
    assert!(first.skipped[0].1.contains("on_multiple"), "{}", first.skipped[0].1);

    let error = Lab::new(&github, &sha("same"), &[("on_multiple", "fail")]).find().unwrap_err();
    assert_eq!(error.status(), Status::Ambiguous);
    assert!(error.to_string().contains("#2, #3"), "{error}");
}

#[test]
fn a_head_that_moved_on_is_outdated() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        repository.fill(3);
        repository.pull(2).push(&sha("newer"));
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let found = Lab::new(&github, &sha(2), &[]).find().unwrap();
        assert_eq!(matches(&found), [(2, Relation::Outdated)]);
        assert_eq!(found.matches[0].pull_request.head_sha, sha("newer"));
    }
}

#[test]
fn without_graphql_the_error_says_that_heads_that_were_force_pushed_away_cannot_be_found() {
    let (github, repository) = github();
    repository.fill(3);
    repository.pull(2).force_push(&sha("rewritten"));
    github.graphql_refuses(Some(404));
    let error = Lab::new(&github, &sha(2), &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::NoPullRequest);
    let text = error.to_string();
    assert_eq!(text.matches("forced push replaced cannot be found").count(), 1, "{text}");
}

#[test]
fn a_head_that_was_force_pushed_away_is_outdated() {
    let (github, repository) = github();
    repository.fill(3);
    repository.pull(2).force_push(&sha("rewritten"));
    let found = Lab::new(&github, &sha(2), &[]).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Outdated)]);
}

#[test]
fn a_merge_of_a_head_that_has_moved_on_is_outdated() {
    let (github, repository) = github();
    repository.fill(3);
    let merge = repository.pull(2).test_merge().unwrap();
    repository.pull(2).push(&sha("newer"));
    let found = Lab::new(&github, &merge, &[]).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Outdated)]);
}

#[test]
fn of_stacked_pull_requests_the_one_counts_in_which_fewer_commits_follow() {
    let (github, repository) = github();
    let lower = repository.pull_from_fork("contributor", "lower", &sha("shared"));
    let upper = repository.pull_from_fork("contributor", "upper", &sha("shared"));
    upper.push(&sha("u1")).push(&sha("u2"));
    lower.push(&sha("l1"));
    let found = Lab::new(&github, &sha("shared"), &[]).find().unwrap();
    assert_eq!(matches(&found), [(lower.number(), Relation::Outdated)]);
    let error = Lab::new(&github, &sha("shared"), &[("on_multiple", "fail")]).find().unwrap_err();
    assert_eq!(error.status(), Status::Ambiguous);
}

#[test]
fn on_outdated_comments_skips_or_fails() {
    let (github, repository) = github();
    repository.fill(2);
    repository.pull(2).push(&sha("newer"));
    let skipped = Lab::new(&github, &sha(2), &[("on_outdated", "skip")]).find().unwrap();
    assert_eq!(matches(&skipped), []);
    assert!(skipped.skipped[0].1.contains(&sha("newer")), "{}", skipped.skipped[0].1);
    let error = Lab::new(&github, &sha(2), &[("on_outdated", "fail")]).find().unwrap_err();
    assert_eq!(error.status(), Status::RefusedByPolicy);
    assert!(error.to_string().contains("on_outdated"), "{error}");
}

#[test]
fn closed_and_merged_pull_requests_are_found_and_left_out_unless_wanted() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        repository.fill(4);
        repository.pull(2).close();
        repository.pull(3).merge(&sha("merged"));
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let skipped = Lab::new(&github, &sha(2), &[]).find().unwrap();
        assert_eq!(matches(&skipped), []);
        assert_eq!(skipped.skipped[0].0.relation, Relation::Closed);
        let comment = [("on_closed", "comment")];
        let closed = Lab::new(&github, &sha(2), &comment).find().unwrap();
        assert_eq!(matches(&closed), [(2, Relation::Closed)]);
        let merged = Lab::new(&github, &sha(3), &comment).find().unwrap();
        assert_eq!(matches(&merged), [(3, Relation::Merged)]);
        let error = Lab::new(&github, &sha(3), &[("on_closed", "fail")]).find().unwrap_err();
        assert_eq!(error.status(), Status::RefusedByPolicy);
    }
}

#[test]
fn the_commit_of_a_branch_here_is_found_by_githubs_own_association_in_the_end() {
    let (github, repository) = github();
    let pull = repository.pull_from_branch("own", &sha("own"));
    pull.merge(&sha("merged"));
    github.graphql_refuses(Some(404));
    github.fault(Fault::on("GET", "/search/issues").status(503).forever());
    let found = Lab::new(&github, &sha("own"), &[("on_closed", "comment")]).find().unwrap();
    assert_eq!(matches(&found), [(pull.number(), Relation::Merged)]);
}

#[test]
fn a_list_that_changes_between_pages_loses_nothing() {
    for change in [Change::Opened, Change::Closed, Change::Updated] {
        for by_rest in [false, true] {
            let (github, repository) = github();
            repository.fill(250);
            repository.changes_between_pages(change);
            if by_rest {
                github.graphql_refuses(Some(404));
            }
            for number in [1, 50, 150, 151] {
                let found = Lab::new(&github, &sha(number), &[]).find().unwrap();
                assert_eq!(matches(&found), [(number, Relation::Head)], "{change:?} {by_rest}");
            }
        }
    }
}

#[test]
fn a_number_that_was_given_counts_even_when_the_commit_is_unknown() {
    let (github, repository) = github();
    repository.fill(2);
    let given = [("pull_request", "2")];
    let found = Lab::new(&github, &sha("nowhere"), &given).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Given)]);
    let found = Lab::new(&github, &sha(2), &given).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Head)]);
    repository.pull(2).push(&sha("newer"));
    let found = Lab::new(&github, &sha(2), &given).find().unwrap();
    assert_eq!(matches(&found), [(2, Relation::Outdated)]);
    repository.pull(2).close();
    let found = Lab::new(&github, &sha(2), &given).find().unwrap();
    assert_eq!(found.skipped[0].0.relation, Relation::Closed);
}

#[test]
fn a_number_that_was_given_and_fits_costs_one_request() {
    let (github, repository) = github();
    repository.fill(2);
    Lab::new(&github, &sha(2), &[("pull_request", "2")]).find().unwrap();
    assert_eq!(requests(&github), ["GET /repos/apache/cloudstack/pulls/2"]);
}

#[test]
fn a_number_that_does_not_exist_is_an_error_of_its_own() {
    let (github, repository) = github();
    repository.fill(2);
    let error = Lab::new(&github, &sha(2), &[("pull_request", "77")]).find().unwrap_err();
    assert_eq!(error.status(), Status::NoPullRequest);
    assert!(error.to_string().contains("no pull request 77"), "{error}");
}

fn with_hint(github: &stand_ins::GitHub, commit: &str, number: &str) -> Lab {
    let mut settings = Settings::new();
    let url = github.url();
    for (name, value) in [
        ("api_url", url.as_str()),
        ("owner", "apache"),
        ("repo", "cloudstack"),
        ("token", lab::TOKEN),
        ("commit", commit),
        ("timeout", "30s"),
    ] {
        settings.set(name, value, Origin::Api).unwrap();
    }
    let ci = Origin::Ci { system: "Jenkins".into(), variable: "CHANGE_ID".into() };
    settings.set("pull_request", number, ci).unwrap();
    Lab::with(settings)
}

#[test]
fn a_number_from_the_ci_server_counts_when_the_commit_fits() {
    let (github, repository) = github();
    repository.fill(3);
    let lab = with_hint(&github, &sha(2), "2");
    assert_eq!(matches(&lab.find().unwrap()), [(2, Relation::Head)]);
    let merge = sha("local merge");
    repository.commit(&merge, &[&repository.base_sha(), &sha(3)]);
    let lab = with_hint(&github, &merge, "3");
    assert_eq!(matches(&lab.find().unwrap()), [(3, Relation::MergeOf)]);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_number_from_the_ci_server_that_does_not_fit_is_a_warning_and_the_search_goes_on() {
    let (github, repository) = github();
    repository.fill(3);
    for number in ["3", "99"] {
        let lab = with_hint(&github, &sha(2), number);
        assert_eq!(matches(&lab.find().unwrap()), [(2, Relation::Head)]);
        assert!(lab.warnings()[0].contains(number), "{:?}", lab.warnings());
    }
}

#[test]
fn a_number_from_the_ci_server_counts_for_a_head_that_has_moved_on() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        repository.fill(3);
        repository.pull(2).push(&sha("newer"));
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let lab = with_hint(&github, &sha(2), "2");
        assert_eq!(matches(&lab.find().unwrap()), [(2, Relation::Outdated)]);
        assert_eq!(lab.warnings(), [""; 0]);
    }
}

#[test]
fn nothing_found_is_told_in_one_paragraph() {
    let (github, repository) = github();
    repository.fill(5);
    repository.commit(&sha("nightly"), &[&repository.base_sha()]);
    let error = Lab::new(&github, &sha("nightly"), &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::NoPullRequest);
    let text = error.to_string();
    let base = repository.base_sha();
    for part in [
        "apache/cloudstack",
        &sha("nightly"),
        "5 open pull requests read by GraphQL",
        "GitHub knows the commit",
        &base,
        "pull_request = none",
    ] {
        assert!(text.contains(part), "{part} in: {text}");
    }
    assert!(!text.contains('\n'));
    let error = Lab::new(&github, &sha("nowhere"), &[]).find().unwrap_err();
    assert!(error.to_string().contains("does not know the commit"), "{error}");
}

#[test]
fn a_local_merge_that_github_never_saw_is_traced_by_the_checkout() {
    use notify_pr::settings::Environment;

    let checkout = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=lab-bot", "-c", "user.email=lab-bot@example.org"])
            .args(arguments)
            .current_dir(checkout.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git, which these tests need");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["commit", "-q", "--allow-empty", "-m", "base"]);
    git(&["checkout", "-q", "-b", "fix"]);
    git(&["commit", "-q", "--allow-empty", "-m", "fix"]);
    let head = git(&["rev-parse", "HEAD"]);
    git(&["checkout", "-q", "main"]);
    git(&["merge", "-q", "--no-ff", "-m", "merge", "fix"]);
    let merge = git(&["rev-parse", "HEAD"]);

    let (github, repository) = github();
    repository.fill(2);
    let pull = repository.pull_from_fork("contributor", "fix", &head);
    let lab = || {
        let mut settings = Settings::new();
        let url = github.url();
        for (name, value) in [
            ("api_url", url.as_str()),
            ("owner", "apache"),
            ("repo", "cloudstack"),
            ("token", lab::TOKEN),
            ("commit", &merge),
            ("timeout", "30s"),
        ] {
            settings.set(name, value, Origin::Api).unwrap();
        }
        let none: [(&str, &str); 0] = [];
        settings.load_environment(&Environment::from_pairs(none, checkout.path())).unwrap();
        Lab::with(settings)
    };
    assert_eq!(matches(&lab().find().unwrap()), [(pull.number(), Relation::MergeOf)]);
    pull.force_push(&sha("rewritten"));
    assert_eq!(matches(&lab().find().unwrap()), [(pull.number(), Relation::Outdated)]);
}

#[test]
fn a_renamed_repository_works_and_is_reported_once() {
    for by_rest in [false, true] {
        let (github, repository) = github();
        repository.fill(120);
        repository.rename("apache", "cloudstack-next");
        if by_rest {
            github.graphql_refuses(Some(404));
        }
        let lab = Lab::new(&github, &sha(1), &[]);
        let found = lab.find().unwrap();
        assert_eq!(matches(&found), [(1, Relation::Head)]);
        assert_eq!(found.repository, "apache/cloudstack-next");
        assert_eq!(
            lab.warnings(),
            ["the repository apache/cloudstack was renamed to apache/cloudstack-next: \
              change `owner`/`repo`"]
        );
    }
}

#[test]
fn another_case_of_owner_and_repo_is_no_rename() {
    let (github, repository) = github();
    repository.fill(1);
    let lab = Lab::new(&github, &sha(1), &[("owner", "Apache"), ("repo", "CloudStack")]);
    assert_eq!(lab.find().unwrap().repository, "apache/cloudstack");
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_repository_that_is_not_there_names_both_reasons() {
    let (github, _) = github();
    let error = Lab::new(&github, &sha(1), &[("repo", "nowhere")]).find().unwrap_err();
    assert_eq!(error.status(), Status::GithubRefused);
    assert!(error.to_string().contains("not found, or the token has no right"), "{error}");
}

#[test]
fn a_private_repository_is_known_as_private() {
    let (github, repository) = github();
    repository.private(true).member("lab-bot", stand_ins::github::Permission::Read).fill(1);
    github.token(lab::TOKEN).scopes(&["repo"]);
    assert_eq!(Lab::new(&github, &sha(1), &[]).find().unwrap().private, Some(true));
}

#[test]
fn what_is_no_commit_is_refused_before_anything_is_asked() {
    let (github, _) = github();
    let mut settings = Settings::new();
    let url = github.url();
    for (name, value) in [("api_url", url.as_str()), ("owner", "a"), ("repo", "b")] {
        settings.set(name, value, Origin::Api).unwrap();
    }
    let error = Lab::with(settings).find().unwrap_err();
    assert_eq!(error.status(), Status::BadSetting);
    assert!(error.to_string().contains("`commit` is not set"), "{error}");
    assert_eq!(requests(&github).len(), 0);
}
