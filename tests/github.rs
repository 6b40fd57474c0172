//! The client keeps to limits, budget and server, and says what GitHub refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod lab;

use std::time::{Duration, Instant};

use lab::{Lab, github, matches, requests};
use notify_pr::find::Relation;
use notify_pr::github::GitHub;
use notify_pr::settings::{Origin, Settings};
use notify_pr::status::Status;
use stand_ins::{Fault, GitHubOptions, Response, sha};

/// A GitHub without GraphQL, so that each request is one of REST.
fn rest() -> (stand_ins::GitHub, stand_ins::Repository) {
    let (github, repository) = github();
    github.graphql_refuses(Some(404));
    repository.fill(2);
    (github, repository)
}

fn now() -> u64 {
    u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap()
}

#[test]
fn every_request_carries_the_headers_that_github_asks_for() {
    let (github, _) = rest();
    Lab::new(&github, &sha(1), &[("token", "  lab-token\n")]).report("passed").unwrap();
    for request in github.requests() {
        let header = |name: &str| request.header(name).unwrap_or_default();
        assert_eq!(header("accept"), "application/vnd.github+json");
        assert_eq!(header("x-github-api-version"), "2022-11-28");
        assert_eq!(header("authorization"), "Bearer lab-token");
        assert!(header("user-agent").starts_with("notify_pr/"));
    }
}

#[test]
fn requests_share_a_connection() {
    let (github, repository) = github();
    repository.fill(250);
    Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    let mut connections: Vec<_> = github.requests().iter().map(|each| each.connection).collect();
    connections.dedup();
    assert_eq!(connections.len(), 1, "{connections:?}");
}

#[test]
fn an_enterprise_server_is_asked_below_its_prefix() {
    let options = GitHubOptions { enterprise: true, ..GitHubOptions::default() };
    let github = stand_ins::GitHub::start_with(options);
    github.token(lab::TOKEN);
    github.repository("apache", "cloudstack").fill(120);
    Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    let requests = requests(&github);
    assert_eq!(requests[0], "POST /api/graphql");
    assert!(requests.iter().skip(2).all(|each| each.contains(" /api/v3/")), "{requests:?}");
    github.graphql_refuses(Some(404));
    let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
    assert_eq!(matches(&found), [(1, Relation::Head)]);
}

#[test]
fn an_enterprise_server_without_its_prefix_gets_advice() {
    let options = GitHubOptions { enterprise: true, ..GitHubOptions::default() };
    let github = stand_ins::GitHub::start_with(options);
    github.token(lab::TOKEN);
    github.repository("apache", "cloudstack").fill(1);
    let error = Lab::new(&github, &sha(1), &[("api_url", &github.origin())]).find().unwrap_err();
    assert!(error.to_string().contains("/api/v3"), "{error}");
}

#[test]
fn an_address_without_tls_and_a_certificate_that_nobody_trusts_are_told_apart() {
    let plain = stand_ins::GitHub::start();
    let https = plain.url().replace("http://", "https://");
    let error = Lab::new(&plain, &sha(1), &[("api_url", &https)]).find().unwrap_err();
    assert!(error.to_string().contains("does not speak https"), "{error}");
    let tls = Some(stand_ins::Identity::new());
    let options = stand_ins::Options { tls, ..stand_ins::Options::default() };
    let answer = |_: &stand_ins::Request| stand_ins::Response::new(200);
    let server = stand_ins::Server::start(answer, options);
    let url = format!("https://localhost:{}", server.address().port());
    let error = Lab::new(&plain, &sha(1), &[("api_url", &url)]).find().unwrap_err();
    assert!(error.to_string().contains("in `ca_file`"), "{error}");
}

#[test]
fn retry_after_is_waited_for_with_403_and_429() {
    for status in [403, 429] {
        let (github, _) = rest();
        github.fault(Fault::on("GET", "/pulls").retry_after(status, 1));
        let began = Instant::now();
        assert!(Lab::new(&github, &sha(1), &[]).find().is_ok());
        assert!(began.elapsed() >= Duration::from_secs(1));
    }
}

#[test]
fn a_write_that_met_a_limit_is_sent_again_without_being_looked_for() {
    let (github, _) = rest();
    github.fault(Fault::on("POST", "/issues/1/comments").retry_after(403, 1));
    Lab::new(&github, &sha(1), &[]).report("passed").unwrap();
    assert_eq!(github.comments(lab::REPOSITORY, 1).len(), 1);
}

#[test]
fn a_reset_that_has_passed_is_a_short_wait() {
    let (github, _) = rest();
    github.fault(Fault::on("GET", "/pulls").rate_limited(403, now() - 3600));
    let lab = Lab::new(&github, &sha(1), &[("timeout", "10s")]);
    assert!(lab.find().is_ok());
}

#[test]
fn a_reset_within_the_budget_is_waited_for() {
    let (github, _) = rest();
    github.fault(Fault::on("GET", "/pulls").rate_limited(429, now() + 2));
    assert!(Lab::new(&github, &sha(1), &[]).find().is_ok());
}

#[test]
fn a_wait_longer_than_the_budget_is_not_begun_and_says_until_when() {
    let cases = [
        Fault::on("GET", "/pulls").retry_after(403, 86_400),
        Fault::on("GET", "/pulls").retry_after(429, u64::MAX),
        Fault::on("GET", "/pulls").rate_limited(403, now() + 3000),
        Fault::on("GET", "/pulls").secondary_limit(403),
        Fault::on("GET", "/pulls").secondary_limit(429),
    ];
    for fault in cases {
        let (github, _) = rest();
        github.fault(fault);
        let began = Instant::now();
        let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(error.status(), Status::GithubBusy, "{error}");
        assert!(error.to_string().contains("asks to wait until"), "{error}");
    }
}

#[test]
fn an_exhausted_hour_of_graphql_leaves_rest() {
    let (github, repository) = github();
    repository.fill(2);
    github.fault(Fault::on("POST", "/graphql").rate_limited(403, now() + 3000).forever());
    let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
    assert_eq!(matches(&found), [(1, Relation::Head)]);
}

#[test]
fn a_403_for_missing_rights_is_not_repeated() {
    let (github, _) = rest();
    let body = serde_json::json!({ "message": "Resource not accessible by integration" });
    let answer = Response::json(403, &body)
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", (now() + 2).to_string());
    github.fault(Fault::on("GET", "/repos/apache/cloudstack").respond(answer).forever());
    let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::GithubRefused);
    assert!(error.to_string().contains("Resource not accessible"), "{error}");
    assert_eq!(requests(&github).len(), 2, "GraphQL, then one of REST");
}

#[test]
fn a_dead_token_is_told_from_other_refusals_and_never_shown() {
    let (github, _) = rest();
    github.token(lab::TOKEN).expire();
    let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
    assert_eq!(error.status(), Status::GithubRefused);
    let text = format!("{error} {error:?}");
    assert!(text.contains("does not accept the token"), "{text}");
    assert!(text.contains("request id"), "{text}");
    assert!(!text.contains(lab::TOKEN), "{text}");
}

#[test]
fn a_server_that_repeats_the_token_in_its_message_does_not_get_it_into_the_error() {
    let (github, _) = rest();
    let token = "lab-token-of-some-length";
    github.token(token);
    let body = serde_json::json!({ "message": format!("no: Bearer {token}") });
    github.fault(Fault::on("GET", "/repos").respond(Response::json(403, &body)).forever());
    let error = Lab::new(&github, &sha(1), &[("token", token)]).find().unwrap_err();
    assert!(!format!("{error} {error:?}").contains(token), "{error}");
}

#[test]
fn reads_are_repeated_after_every_kind_of_trouble() {
    for fault in [
        Fault::on("GET", "/pulls").status(500),
        Fault::on("GET", "/pulls").html(503),
        Fault::on("GET", "/pulls").reset(),
        Fault::on("GET", "/pulls").close(),
        Fault::on("GET", "/pulls").truncate(100),
        Fault::on("GET", "/pulls").broken_json(),
        Fault::on("GET", "/pulls").html(200),
    ] {
        let (github, _) = rest();
        github.fault(fault.times(2));
        let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
        assert_eq!(matches(&found), [(1, Relation::Head)]);
    }
}

#[test]
fn a_list_that_takes_github_too_long_is_asked_for_in_smaller_pages() {
    for by_rest in [true, false] {
        let (github, repository) = github();
        repository.fill(130);
        if by_rest {
            github.graphql_refuses(Some(404));
            github.fault(Fault::on("GET", "/pulls?*per_page=100").html(502).forever());
        } else {
            github.fault(Fault::on("POST", "/graphql").html(504));
        }
        let found = Lab::new(&github, &sha(1), &[]).find().unwrap();
        assert_eq!(matches(&found), [(1, Relation::Head)]);
        assert_eq!(found.searched.contains("REST"), by_rest, "{}", found.searched);
    }
}

#[test]
fn a_page_that_fails_in_the_middle_is_read_in_halves_without_losing_the_place() {
    let (github, repository) = github();
    repository.fill(250);
    github.graphql_refuses(Some(404));
    github.fault(Fault::on("GET", "page=2").html(502));
    let lab = Lab::new(&github, &sha("nowhere"), &[]);
    let error = lab.find().unwrap_err();
    assert!(error.to_string().contains("250 open pull requests read by REST"), "{error}");
}

#[test]
fn what_stays_broken_is_given_up_within_the_budget() {
    for (fault, words) in [
        (Fault::on("GET", "/repos").html(502), "502 Bad Gateway"),
        (Fault::on("GET", "/repos").broken_json(), "cannot be read"),
        (Fault::on("GET", "/repos").reset(), "could not be reached"),
    ] {
        let (github, _) = rest();
        github.fault(fault.forever());
        let error = Lab::new(&github, &sha(1), &[("timeout", "2s")]).find().unwrap_err();
        assert_eq!(error.status(), Status::GithubUnreachable, "{error}");
        assert!(error.to_string().contains(words), "{words} in {error}");
        assert!(!error.to_string().contains('<'), "{error}");
    }
}

#[test]
fn a_server_that_never_answers_costs_the_budget_and_no_more() {
    let (github, _) = rest();
    github.fault(Fault::on("GET", "/repos").stall().forever());
    let began = Instant::now();
    let error = Lab::new(&github, &sha(1), &[("timeout", "2s")]).find().unwrap_err();
    assert_eq!(error.status(), Status::Timeout, "{error}");
    assert!(error.to_string().contains("`timeout`"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn where_nobody_listens_github_is_unreachable() {
    let (github, _) = rest();
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let changes = [("api_url", url.as_str()), ("timeout", "2s")];
    let error = Lab::new(&github, &sha(1), &changes).find().unwrap_err();
    assert_eq!(error.status(), Status::GithubUnreachable, "{error}");
    assert!(error.to_string().contains("check `api_url`"), "{error}");
}

#[test]
fn a_cancelled_submission_stops_waiting_at_once() {
    let (github, _) = rest();
    github.fault(Fault::on("GET", "/pulls").retry_after(429, 25));
    let lab = Lab::new(&github, &sha(1), &[("timeout", "60s")]);
    let cancel = lab.submission.cancel.clone();
    let began = Instant::now();
    let error = std::thread::scope(|scope| {
        let finding = scope.spawn(|| lab.find().unwrap_err());
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
        finding.join().unwrap()
    });
    assert_eq!(error.status(), Status::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_request_under_way_ends_when_the_agent_is_shut_down() {
    let (github, _) = rest();
    github.fault(Fault::on("GET", "/repos").stall().forever());
    let lab = Lab::new(&github, &sha(1), &[("timeout", "60s")]);
    let began = Instant::now();
    let error = std::thread::scope(|scope| {
        let finding = scope.spawn(|| lab.find().unwrap_err());
        std::thread::sleep(Duration::from_millis(300));
        lab.submission.cancel.cancel();
        lab.submission.agents.github.shut_down();
        finding.join().unwrap()
    });
    assert_eq!(error.status(), Status::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_redirect_to_another_server_is_not_followed_and_does_not_get_the_token() {
    let elsewhere = stand_ins::GitHub::start();
    elsewhere.allow_violations();
    for status in [301, 302, 307, 308] {
        let (github, _) = rest();
        let to = format!("{}/repos/apache/cloudstack", elsewhere.url());
        github.fault(Fault::on("GET", "/repos/apache/cloudstack").redirect(status, &to).forever());
        let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
        assert_eq!(error.status(), Status::GithubRefused);
        assert!(error.to_string().contains(&elsewhere.url()), "{error}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn redirects_that_lead_in_a_circle_end() {
    let (github, _) = rest();
    let to = format!("{}/repos/apache/cloudstack", github.url());
    github.fault(Fault::on("GET", "/repos/apache/cloudstack").redirect(301, &to).forever());
    let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert!(requests(&github).len() <= 8);
}

#[test]
fn a_next_page_on_another_server_is_not_read() {
    let elsewhere = stand_ins::GitHub::start();
    elsewhere.allow_violations();
    let (github, repository) = rest();
    repository.fill(120);
    let link = format!("<{}/repositories/1/pulls?page=2>; rel=\"next\"", elsewhere.url());
    github.fault(Fault::on("GET", "/pulls").header("Link", &link));
    let error = Lab::new(&github, &sha(1), &[]).find().unwrap_err();
    assert!(error.to_string().contains("next page is on another server"), "{error}");
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn uploads_do_not_use_up_the_time_for_github() {
    let (github, _) = rest();
    let lab = Lab::new(&github, &sha(1), &[("timeout", "2s")]);
    let client = GitHub::new(&lab.submission).unwrap();
    client.repository().unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(client.pull(1).unwrap().is_some());
}

fn refused(changes: &[(&str, &str)]) -> String {
    let mut settings = Settings::new();
    let usual = [("owner", "apache"), ("repo", "cloudstack"), ("token", "lab-token")];
    for (name, value) in usual.iter().chain(changes) {
        settings.set(name, value, Origin::Api).unwrap();
    }
    let lab = Lab::with(settings);
    let error = GitHub::new(&lab.submission).unwrap_err();
    assert_eq!(error.status(), Status::BadSetting, "{error}");
    error.to_string()
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let text = refused(&[("api_url", "http://ghes.example.org/api/v3")]);
    assert!(text.contains("allow_http"), "{text}");
    let text = refused(&[("api_url", "https://github.com")]);
    assert!(text.contains("api.github.com"), "{text}");
}
