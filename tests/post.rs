//! Posts exactly once, or renews our own comment and no other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod lab;

use std::time::Duration;

use lab::{Lab, REPOSITORY, github, requests};
use notify_pr::compose::marker::Marker;
use notify_pr::events::{Event, Step};
use notify_pr::find::Relation;
use notify_pr::github::GitHub;
use notify_pr::post::Action;
use notify_pr::status::Status;
use stand_ins::Fault;
use stand_ins::github::Permission;
use stand_ins::sha;

const POST: &str = "/issues/1/comments";

/// A GitHub with one pull request whose head is `sha(1)`.
fn one() -> (stand_ins::GitHub, stand_ins::Repository) {
    let (github, repository) = github();
    repository.fill(1);
    (github, repository)
}

fn bodies(github: &stand_ins::GitHub) -> Vec<String> {
    github.comments(REPOSITORY, 1).into_iter().map(|comment| comment.body).collect()
}

fn writes(github: &stand_ins::GitHub) -> Vec<String> {
    let mut all = requests(github);
    all.retain(|request| !request.starts_with("GET ") && !request.ends_with("/graphql"));
    all
}

#[test]
fn a_comment_is_made_and_its_address_told() {
    let (github, _) = one();
    let lab = Lab::new(&github, &sha(1), &[]);
    let posted = lab.report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    let comments = github.comments(REPOSITORY, 1);
    assert_eq!(comments.len(), 1);
    let url = posted.url.unwrap();
    assert!(url.ends_with(&format!("#issuecomment-{}", comments[0].id)), "{url}");
    let step = Event::StepDone(Step::Commented { pull_request: 1, url });
    assert!(lab.said().contains(&step));
}

#[test]
fn the_next_report_renews_the_comment() {
    let (github, _) = one();
    let first = Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    let second = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!((second.action, second.url), (Action::Updated, first.url));
    let bodies = bodies(&github);
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].starts_with("passed"), "{bodies:?}");
}

#[test]
fn the_same_submission_again_changes_nothing() {
    let (github, _) = one();
    for changes in [&[][..], &[("comment", "new")]] {
        let lab = Lab::new(&github, &sha(1), changes);
        lab.report("passed").unwrap();
        let before = writes(&github).len();
        let again = lab.report("passed").unwrap();
        assert_eq!(again.action, Action::Unchanged);
        assert!(again.url.is_some());
        assert_eq!(writes(&github).len(), before);
    }
}

#[test]
fn with_comment_new_each_report_is_a_comment() {
    let (github, _) = one();
    for _ in 0..2 {
        let lab = Lab::new(&github, &sha(1), &[("comment", "new")]);
        assert_eq!(lab.report("passed").unwrap().action, Action::Created);
    }
    assert_eq!(bodies(&github).len(), 2);
}

#[test]
fn each_context_has_a_comment_of_its_own() {
    let (github, _) = one();
    for context in ["kvm", "xen", "kvm", "xen"] {
        Lab::new(&github, &sha(1), &[("context", context)]).report(context).unwrap();
    }
    let bodies = bodies(&github);
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[0].starts_with("kvm") && bodies[1].starts_with("xen"), "{bodies:?}");
}

#[test]
fn our_comment_is_found_behind_more_than_a_hundred_others() {
    let (github, repository) = one();
    for number in 0..130 {
        repository.pull(1).comment("stranger", &format!("talk {number}"));
    }
    Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    for number in 0..130 {
        repository.pull(1).comment("stranger", &format!("more talk {number}"));
    }
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Updated);
    assert_eq!(bodies(&github).len(), 261);
}

#[test]
fn a_marker_that_another_user_wrote_or_quoted_is_not_ours() {
    let (github, repository) = one();
    let marker = Lab::new(&github, &sha(1), &[]).marker(&sha(1)).line();
    let theirs = repository.pull(1).comment("stranger", &format!("mine now\n\n{marker}"));
    let quoted = repository.pull(1).comment("lab-bot", &format!("> {marker}\n\nwhat is this?"));
    let inside = repository.pull(1).comment("lab-bot", &format!("{marker}\n\nand more text"));
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    let comments = github.comments(REPOSITORY, 1);
    assert_eq!(comments.len(), 4);
    for id in [theirs, quoted, inside] {
        let comment = comments.iter().find(|comment| comment.id == id).unwrap();
        assert_eq!(comment.updated, comment.created);
        assert!(comment.body.contains("notify_pr:1") && !comment.body.contains("passed"));
    }
}

#[test]
fn a_comment_that_was_minimised_stays_so_and_a_new_one_is_made() {
    let (github, repository) = one();
    Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    let old = github.comments(REPOSITORY, 1)[0].id;
    repository.pull(1).minimize(old);
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    assert!(bodies(&github)[0].starts_with("failed"));
}

#[test]
fn a_comment_of_another_version_is_renewed_where_its_context_can_be_read_and_named() {
    let (github, repository) = one();
    let line = Lab::new(&github, &sha(1), &[]).marker(&sha(1)).line();
    for (number, (line, action, told)) in [
        (line.replace("{\"context\"", "{\"parts\":[1],\"context\""), Action::Updated, 0),
        (line.replace("notify_pr:1", "notify_pr:2"), Action::Updated, 1),
        (line.replace("notify_pr:1", "notify_pr:2").replace("kvm", "xen"), Action::Created, 0),
        ("<!-- notify_pr:2 {\"lab\":1} -->".to_owned(), Action::Created, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let pull = repository.pull_from_fork("lab", "topic", &sha(format!("v{number}")));
        pull.comment("lab-bot", &format!("it passed\n\n{line}"));
        pull.comment("somebody", "it passed\n\n<!-- notify_pr:2 {} -->");
        let lab = Lab::new(&github, &pull.head(), &[]);
        assert_eq!(lab.report("passed").unwrap().action, action, "{line}");
        let warnings = lab.warnings();
        assert_eq!(warnings.len(), told, "{line}: {warnings:?}");
        assert!(warnings.iter().all(|text| text.contains("layout 2")), "{warnings:?}");
    }
}

#[test]
fn an_earlier_run_never_overwrites_a_later_one_on_the_same_head() {
    let (github, _) = one();
    let mut early = Lab::new(&github, &sha(1), &[]);
    early.submission.started -= Duration::from_secs(3600);
    Lab::new(&github, &sha(1), &[]).report("late").unwrap();
    let posted = early.report("early").unwrap();
    assert_eq!(posted.action, Action::Unchanged);
    assert!(posted.reason.unwrap().contains("later"));
    assert!(bodies(&github)[0].starts_with("late"));
}

#[test]
fn a_report_of_a_machine_whose_clock_was_ahead_does_not_stand_in_the_way_of_later_ones() {
    let (github, _) = one();
    let mut ahead = Lab::new(&github, &sha(1), &[]);
    ahead.submission.started += Duration::from_secs(400 * 24 * 3600);
    ahead.report("ahead").unwrap();
    // The seconds of GitHub's clock are whole ones.
    let mut later = Lab::new(&github, &sha(1), &[]);
    later.submission.started += Duration::from_secs(2);
    assert_eq!(later.report("later").unwrap().action, Action::Updated);
    assert!(bodies(&github)[0].starts_with("later"));
}

#[test]
fn a_report_for_an_older_commit_never_replaces_one_for_the_head() {
    let (github, repository) = one();
    repository.pull(1).push(&sha("newer"));
    let mut head = Lab::new(&github, &sha("newer"), &[]);
    head.submission.started -= Duration::from_secs(3600);
    head.report("head").unwrap();
    let posted = Lab::new(&github, &sha(1), &[]).report("older").unwrap();
    assert_eq!(posted.action, Action::Skipped);
    assert!(posted.reason.unwrap().contains(&sha("newer")));
    assert!(bodies(&github)[0].starts_with("head"));
}

#[test]
fn a_report_for_the_head_replaces_one_for_an_older_commit_whenever_that_started() {
    let (github, repository) = one();
    repository.pull(1).push(&sha("newer"));
    Lab::new(&github, &sha(1), &[]).report("older").unwrap();
    let mut head = Lab::new(&github, &sha("newer"), &[]);
    head.submission.started -= Duration::from_secs(3600);
    assert_eq!(head.report("head").unwrap().action, Action::Updated);
    assert!(bodies(&github)[0].starts_with("head"));
}

#[test]
fn a_merge_of_the_head_made_by_a_ci_server_counts_as_the_head() {
    let (github, repository) = one();
    repository.pull(1).push(&sha("newer"));
    repository.commit(&sha("merge"), &[&repository.base_sha(), &sha("newer")]);
    Lab::new(&github, &sha("merge"), &[]).report("merge").unwrap();
    let posted = Lab::new(&github, &sha(1), &[]).report("older").unwrap();
    assert_eq!(posted.action, Action::Skipped);
    let mut early = Lab::new(&github, &sha("newer"), &[]);
    early.submission.started -= Duration::from_secs(3600);
    assert_eq!(early.report("early").unwrap().action, Action::Unchanged);
    assert!(bodies(&github)[0].starts_with("merge"));
}

#[test]
fn of_two_reports_for_older_commits_the_later_one_stands() {
    let (github, repository) = one();
    repository.pull(1).push(&sha("newer")).push(&sha("newest"));
    let mut early = Lab::new(&github, &sha("newer"), &[]);
    early.submission.started -= Duration::from_secs(3600);
    Lab::new(&github, &sha(1), &[]).report("late").unwrap();
    assert_eq!(early.report("early").unwrap().action, Action::Unchanged);
    assert_eq!(
        Lab::new(&github, &sha("newer"), &[]).report("last").unwrap().action,
        Action::Updated
    );
    assert!(bodies(&github)[0].starts_with("last"));
}

#[test]
fn the_head_is_read_again_just_before() {
    let (github, repository) = one();
    let lab = Lab::new(&github, &sha(1), &[]);
    let client = GitHub::new(&lab.submission).unwrap();
    let found = notify_pr::find::find(&lab.submission, &client).unwrap();
    assert_eq!(found.matches[0].relation, Relation::Head);
    repository.pull(1).push(&sha("newer"));
    let (now, posted) = lab.report_on(&client, &found, "passed").unwrap();
    assert_eq!((now.relation, posted.action), (Relation::Outdated, Action::Created));
    assert!(bodies(&github)[0].contains("(Outdated)"), "compose sees how it is now");

    repository.pull(1).close();
    let (now, posted) = lab.report_on(&client, &found, "passed").unwrap();
    assert_eq!((now.relation, posted.action), (Relation::Closed, Action::Skipped));
    assert!(posted.reason.unwrap().contains("on_closed"));
}

#[test]
fn a_head_that_moved_meanwhile_meets_the_policy() {
    let (github, repository) = one();
    let lab = Lab::new(&github, &sha(1), &[("on_outdated", "fail")]);
    let client = GitHub::new(&lab.submission).unwrap();
    let found = notify_pr::find::find(&lab.submission, &client).unwrap();
    repository.pull(1).push(&sha("newer"));
    let error = lab.report_on(&client, &found, "passed").unwrap_err();
    assert_eq!(error.status(), Status::RefusedByPolicy);
    assert_eq!(bodies(&github).len(), 0);
}

#[test]
fn a_502_after_the_comment_was_made_leaves_one_comment() {
    let (github, _) = one();
    github.fault(Fault::on("POST", POST).html(502).after_effect());
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    assert_eq!(bodies(&github).len(), 1);
    assert_eq!(writes(&github).len(), 1);
}

#[test]
fn a_502_before_the_comment_was_made_leaves_one_comment() {
    let (github, _) = one();
    github.fault(Fault::on("POST", POST).html(502));
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    assert_eq!(bodies(&github).len(), 1);
    assert_eq!(writes(&github).len(), 2);
}

#[test]
fn a_reset_and_a_cut_answer_after_the_comment_was_made_leave_one_comment() {
    for fault in [
        Fault::on("POST", POST).reset().after_effect(),
        Fault::on("POST", POST).close().after_effect(),
        Fault::on("POST", POST).truncate(40),
        Fault::on("POST", POST).broken_json().after_effect(),
    ] {
        let (github, _) = one();
        github.fault(fault);
        let posted = Lab::new(&github, &sha(1), &[("comment", "new")]).report("passed").unwrap();
        assert_eq!(posted.action, Action::Created);
        assert_eq!(bodies(&github).len(), 1);
    }
}

#[test]
fn an_answer_that_never_comes_after_the_comment_was_made_leaves_one_comment() {
    let (github, _) = one();
    github.fault(Fault::on("POST", POST).stall().after_effect());
    let lab = Lab::new(&github, &sha(1), &[("timeout", "12s")]);
    assert_eq!(lab.report("passed").unwrap().action, Action::Created);
    assert_eq!(bodies(&github).len(), 1);
}

#[test]
fn a_comment_that_is_listed_late_is_not_made_twice() {
    let (github, _) = one();
    github.comment_lag(2);
    github.fault(Fault::on("POST", POST).html(500).after_effect());
    let posted = Lab::new(&github, &sha(1), &[("comment", "new")]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    assert_eq!(bodies(&github).len(), 1);
    assert_eq!(writes(&github).len(), 1);
}

#[test]
fn a_comment_that_cannot_be_made_is_not_tried_for_ever() {
    let (github, _) = one();
    github.fault(Fault::on("POST", POST).status(500).forever());
    let error = Lab::new(&github, &sha(1), &[("timeout", "60s")]).report("passed").unwrap_err();
    assert_eq!(error.status(), Status::GithubUnreachable);
    assert_eq!(writes(&github).len(), 3);
    assert_eq!(bodies(&github).len(), 0);
}

#[test]
fn when_it_stays_unknown_whether_a_comment_was_made_the_error_says_so() {
    let (github, _) = one();
    let lab = Lab::new(&github, &sha(1), &[("timeout", "3s")]);
    github.fault(Fault::on("POST", POST).html(502).after_effect());
    github.fault(Fault::on("GET", &format!("{POST}?since")).status(500).forever());
    let error = lab.report("passed").unwrap_err();
    assert!(error.to_string().contains("not known whether the comment was made"), "{error}");
    assert_eq!(writes(&github).len(), 1);
}

#[test]
fn a_renewal_that_fails_on_the_way_is_repeated() {
    let (github, _) = one();
    Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    github.fault(Fault::on("PATCH", "/issues/comments/").html(502));
    github.fault(Fault::on("PATCH", "/issues/comments/").reset().after_effect());
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Updated);
    assert!(bodies(&github)[0].starts_with("passed"));
}

#[test]
fn two_comments_made_at_the_same_instant_become_one() {
    for ours_is_later in [true, false] {
        let (github, repository) = one();
        let mut lab = Lab::new(&github, &sha(1), &[]);
        let mut other = lab.marker(&sha(1));
        other.submission = "f".repeat(32);
        if !ours_is_later {
            lab.submission.started -= Duration::from_secs(60);
        }
        // The other one appears after we have looked and before ours is made: its listing lags.
        github.comment_lag(1);
        let body = format!("other\n\n{}", other.line());
        let racing = Lab::new(&github, &sha(1), &[("comment", "new")]);
        let client = GitHub::new(&racing.submission).unwrap();
        client.create_comment(1, &body).unwrap();
        github.comment_lag(0);
        let posted = lab.report("ours").unwrap();
        let bodies = bodies(&github);
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let (text, action) =
            if ours_is_later { ("ours", Action::Updated) } else { ("other", Action::Unchanged) };
        assert!(bodies[0].starts_with(text), "{bodies:?}");
        assert_eq!(posted.action, action);
        assert_eq!(repository.pull(1).number(), 1);
    }
}

#[test]
fn a_renewal_that_finds_the_comment_gone_looks_again() {
    let (github, _) = one();
    Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    let id = github.comments(REPOSITORY, 1)[0].id;
    // As if another submission had deleted it, and a new one were there at the second look.
    github.fault(Fault::on("PATCH", "/issues/comments/").status(404));
    github.fault(Fault::on("GET", &format!("/issues/comments/{id}")).status(404));
    let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(posted.action, Action::Updated);
    assert!(bodies(&github)[0].starts_with("passed"));
}

#[test]
fn an_app_knows_its_own_comment_although_it_may_not_ask_who_it_is() {
    for graphql in [true, false] {
        let (github, _) = one();
        github.token(lab::TOKEN).installation("lab", &[("issues", "write")]);
        if !graphql {
            github.graphql_refuses(Some(404));
        }
        Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
        let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
        // Without GraphQL nobody tells an app who it is, and it touches nothing it is not sure of.
        let (action, count) = if graphql { (Action::Updated, 1) } else { (Action::Created, 2) };
        assert_eq!((posted.action, bodies(&github).len()), (action, count));
    }
}

#[test]
fn missing_rights_are_named_and_nothing_is_repeated() {
    let (github, _) = one();
    github.token(lab::TOKEN).scopes(&["read:user"]);
    for status in [404, 403] {
        github.forget_requests();
        github.missing_scope_answers(status);
        let error = Lab::new(&github, &sha(1), &[]).report("passed").unwrap_err();
        assert_eq!(error.status(), Status::GithubRefused);
        let text = error.to_string();
        assert!(text.contains("public_repo, repo") && text.contains("read:user"), "{text}");
        assert!(!text.contains(lab::TOKEN));
        assert_eq!(writes(&github).len(), 1);
    }
    github.token(lab::TOKEN).fine_grained(&[("issues", "read")]);
    let error = Lab::new(&github, &sha(1), &[]).report("passed").unwrap_err();
    assert!(error.to_string().contains("issues=write or pull_requests=write"), "{error}");
}

#[test]
fn locked_archived_and_disabled_say_what_they_are() {
    type Arrange = fn(&stand_ins::Repository);
    let cases: [(Arrange, &str); 3] = [
        (|repository| drop(repository.pull(1).lock()), "locked"),
        (|repository| drop(repository.archived(true)), "archived"),
        (|repository| drop(repository.issues(false)), "issues switched off"),
    ];
    for (arrange, words) in cases {
        let (github, repository) = one();
        arrange(&repository);
        let error = Lab::new(&github, &sha(1), &[]).report("passed").unwrap_err();
        assert_eq!(error.status(), Status::GithubRefused);
        assert!(error.to_string().contains(words), "{words} in {error}");
    }
}

#[test]
fn a_locked_pull_request_takes_comments_of_those_who_may_push() {
    let (github, repository) = one();
    repository.pull(1).lock();
    repository.member("lab-bot", Permission::Write);
    assert!(Lab::new(&github, &sha(1), &[]).report("passed").is_ok());
}

#[test]
fn a_comment_that_is_too_long_is_refused_with_the_setting_to_change() {
    let (github, _) = one();
    let lab = Lab::new(&github, &sha(1), &[]);
    let error = lab.report(&"x".repeat(65_536)).unwrap_err();
    assert_eq!(error.status(), Status::GithubRefused);
    assert!(error.to_string().contains("comment_max"), "{error}");
    let fits = 65_536 - lab.marker(&sha(1)).line().chars().count() - "( (Head)\n\n".len() + 1;
    assert!(lab.report(&"😀".repeat(fits)).is_ok(), "the limit counts characters");
}

#[test]
fn a_repository_renamed_before_the_post_gets_the_comment_once_with_body_and_token() {
    let (github, repository) = one();
    let lab = Lab::new(&github, &sha(1), &[("comment", "new")]);
    let client = GitHub::new(&lab.submission).unwrap();
    let found = notify_pr::find::find(&lab.submission, &client).unwrap();
    repository.rename("apache", "cloudstack-next");
    let (_, posted) = lab.report_on(&client, &found, "passed").unwrap();
    assert_eq!(posted.action, Action::Created);
    assert_eq!(github.comments("apache/cloudstack-next", 1).len(), 1);
    assert_eq!(lab.warnings().len(), 1, "{:?}", lab.warnings());
}

#[test]
fn a_post_that_is_redirected_keeps_method_body_and_token() {
    for status in [301, 302, 307, 308] {
        let (github, repository) = one();
        let to = format!("{}/repositories/{}{POST}", github.url(), repository.id());
        github.fault(Fault::on("POST", "/repos/apache/cloudstack/issues/").redirect(status, &to));
        let posted = Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
        assert_eq!(posted.action, Action::Created, "{status}");
        assert_eq!(bodies(&github).len(), 1);
    }
}

#[test]
fn writes_are_a_second_apart() {
    let (github, _) = one();
    Lab::new(&github, &sha(1), &[]).report("failed").unwrap();
    let lab = Lab::new(&github, &sha(1), &[]);
    let client = GitHub::new(&lab.submission).unwrap();
    let began = std::time::Instant::now();
    let id = github.comments(REPOSITORY, 1)[0].id;
    client.update_comment(id, "one").unwrap();
    client.update_comment(id, "two").unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn the_marker_in_the_comment_is_ours_and_last() {
    let (github, _) = one();
    let lab = Lab::new(&github, &sha(1), &[]);
    lab.report("passed").unwrap();
    assert_eq!(Marker::parse(&bodies(&github)[0]), Some(lab.marker(&sha(1))));
}
