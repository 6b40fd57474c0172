//! Requests and answers are held to GitHub's own description.

mod client;

use client::{call, comment, get};
use serde_json::json;
use stand_ins::{GitHub, GitHubOptions, openapi, sha};

fn violations_of(method: &str, path: &str, body: Option<serde_json::Value>) -> String {
    let github = GitHub::start();
    github.token("lab-token");
    github.repository("apache", "cloudstack").fill(1);
    github.allow_violations();
    let answer = call(method, &format!("{}{path}", github.url()), body);
    let violations = github.violations();
    if violations.is_empty() {
        return String::new();
    }
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("message"), "{}", answer.text);
    violations.join("\n")
}

#[test]
fn a_request_that_fits_is_no_violation() {
    for path in [
        "/repos/apache/cloudstack",
        "/repos/apache/cloudstack/pulls?state=open&sort=updated&direction=desc&per_page=100&page=2",
        "/repos/apache/cloudstack/pulls/1",
        "/repos/apache/cloudstack/pulls/1/commits?per_page=100",
        "/repos/apache/cloudstack/commits/abcdef1",
        "/repos/apache/cloudstack/commits/heads/main",
        "/repos/apache/cloudstack/commits/abcdef1/pulls",
        "/repos/apache/cloudstack/issues/1/comments?since=2026-01-01T00:00:00Z",
        "/repos/apache/cloudstack/issues/comments/5",
        "/repositories/7/pulls?page=2",
        "/user",
        "/rate_limit",
        "/search/issues?q=repo:apache/cloudstack+type:pr+abcdef1",
    ] {
        assert_eq!(violations_of("GET", path, None), "");
    }
    let body = Some(json!({ "body": "a report" }));
    assert_eq!(violations_of("POST", "/repos/apache/cloudstack/issues/1/comments", body), "");
}

#[test]
fn every_part_of_a_request_is_checked() {
    let pulls = "/repos/apache/cloudstack/pulls";
    let comments = "/repos/apache/cloudstack/issues/1/comments";
    let cases = [
        ("GET", "/repos/apache/cloudstack/pull".to_owned(), None, "no such path"),
        ("GET", format!("{pulls}/"), None, "no such path"),
        ("DELETE", pulls.to_owned(), None, "no DELETE here"),
        ("GET", format!("{pulls}?state=merged"), None, "none of its values"),
        ("GET", format!("{pulls}?per_page=101"), None, "more than 100"),
        ("GET", format!("{pulls}?per_page=ten"), None, "no whole number"),
        ("GET", format!("{pulls}?page=0"), None, "page=0"),
        ("GET", format!("{pulls}?page=1&page=2"), None, "comes twice"),
        ("GET", format!("{pulls}?limit=5"), None, "limit is not known"),
        ("GET", format!("{pulls}/one"), None, "no whole number"),
        ("GET", format!("{comments}?since=yesterday"), None, "no date-time"),
        ("GET", "/search/issues".to_owned(), None, "q is missing"),
        ("GET", "/repositories/apache/pulls".to_owned(), None, "no id of a repository"),
        ("POST", comments.to_owned(), None, "a body is needed"),
        ("POST", comments.to_owned(), Some(json!({ "text": "x" })), "body.body is missing"),
        ("POST", comments.to_owned(), Some(json!({ "body": 1 })), "body.body is no string"),
        ("POST", comments.to_owned(), Some(json!({ "body": "x", "to": 1 })), "to is not known"),
        ("POST", comments.to_owned(), Some(json!(["x"])), "body is no object"),
        ("GET", pulls.to_owned(), Some(json!({})), "where none belongs"),
    ];
    for (method, path, body, expected) in cases {
        let found = violations_of(method, &path, body);
        assert!(found.contains(expected), "{method} {path}: {found:?}");
    }
}

#[test]
fn headers_that_github_wants_are_wanted() {
    let github = GitHub::start();
    github.allow_violations();
    let url = format!("{}/rate_limit", github.url());
    let answer = client::send(&client::agent(), "GET", &url, &[("Accept", "*/*")], b"").unwrap();
    assert_eq!(answer.status, 400);
    let found = github.violations().join("\n");
    assert!(
        found.contains("Accept is \"*/*\"") && found.contains("X-GitHub-Api-Version"),
        "{found}"
    );
}

#[test]
#[should_panic(expected = "limit is not known")]
fn a_violation_fails_the_test_when_the_stand_in_ends() {
    let github = GitHub::start();
    github.token("lab-token");
    get(&format!("{}/rate_limit?limit=1", github.url()));
}

#[test]
fn an_unknown_version_and_a_missing_user_agent_are_answered_as_by_github() {
    let github = GitHub::start_with(GitHubOptions { checked: false, ..Default::default() });
    let url = format!("{}/rate_limit", github.url());
    let version = [("X-GitHub-Api-Version", "2021-01-01")];
    assert_eq!(client::send(&client::agent(), "GET", &url, &version, b"").unwrap().status, 400);
    let nobody = [("User-Agent", "")];
    assert_eq!(client::send(&client::agent(), "GET", &url, &nobody, b"").unwrap().status, 403);
}

#[test]
fn our_own_answers_fit_the_description() {
    let github = GitHub::start();
    github.token("lab-token");
    let repository = github.repository("apache", "cloudstack");
    let pull = repository.pull_from_fork("contributor", "fix", &sha("fix"));
    repository.pull_from_branch("done", &sha("done")).merge(&sha("merged"));
    let list = "/repos/apache/cloudstack/issues/1/comments";
    let made = comment(&format!("{}{list}", github.url()), "a report");
    let description = openapi::github();
    assert_eq!(description.check_answer("POST", list, 201, &made.json()), [""; 0]);
    let id = made.json()["id"].as_u64().unwrap();
    pull.minimize(id);
    for path in [
        "/user".to_owned(),
        "/rate_limit".to_owned(),
        "/repos/apache/cloudstack".to_owned(),
        "/repos/apache/cloudstack/pulls?state=all".to_owned(),
        "/repos/apache/cloudstack/pulls/1".to_owned(),
        "/repos/apache/cloudstack/pulls/2".to_owned(),
        "/repos/apache/cloudstack/pulls/1/commits".to_owned(),
        format!("/repos/apache/cloudstack/commits/{}", sha("fix")),
        format!("/repos/apache/cloudstack/commits/{}/pulls", sha("done")),
        format!("/repos/apache/cloudstack/compare/main...{}?page=2&per_page=1", sha("fix")),
        list.to_owned(),
        format!("/repos/apache/cloudstack/issues/comments/{id}"),
        "/search/issues?q=repo:apache/cloudstack+type:pr".to_owned(),
    ] {
        let answer = get(&format!("{}{path}", github.url()));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let bare = path.split('?').next().unwrap();
        let faults = description.check_answer("GET", bare, 200, &answer.json());
        assert_eq!(faults, [""; 0], "{path}");
    }
}
