//! The REST API behaves as GitHub's does.

mod client;

use client::{call, comment, get};
use serde_json::json;
use stand_ins::github::{BodyLimit, Permission};
use stand_ins::{Change, GitHub, GitHubOptions, Repository, sha};

fn start() -> (GitHub, Repository) {
    let github = GitHub::start();
    github.token("lab-token").login("lab-bot").scopes(&["public_repo"]);
    let repository = github.repository("apache", "cloudstack");
    (github, repository)
}

#[test]
fn pages_follow_the_link_header_through_the_other_form_of_the_path() {
    let (github, repository) = start();
    repository.fill(250);
    let mut url = format!("{}/repos/apache/cloudstack/pulls?per_page=100", github.url());
    let mut numbers = Vec::new();
    loop {
        let answer = get(&url);
        assert_eq!(answer.status, 200, "{}", answer.text);
        numbers.extend(answer.json().as_array().unwrap().iter().map(|p| p["number"].as_u64()));
        match answer.next() {
            Some(next) => url = next,
            None => break,
        }
        assert!(url.contains(&format!("/repositories/{}/pulls?", repository.id())), "{url}");
    }
    assert_eq!(numbers.len(), 250);
    assert_eq!(numbers[0], Some(250), "the newest comes first");
    assert_eq!(github.requests().len(), 3);
}

#[test]
fn a_list_has_thirty_items_unless_asked_and_never_more_than_a_hundred() {
    let (github, repository) = start();
    repository.fill(31);
    let answer = get(&format!("{}/repos/apache/cloudstack/pulls", github.url()));
    assert_eq!(answer.json().as_array().unwrap().len(), 30);
    assert!(answer.text.len() > 30 * 8_000, "items are as long as at GitHub");
}

#[test]
fn the_head_of_a_fork_belongs_to_no_pull_request_until_it_is_merged() {
    let (github, repository) = start();
    let head = sha("fix");
    let pull = repository.pull_from_fork("contributor", "fix-volumes", &head);
    let url = format!("{}/repos/apache/cloudstack/commits/{head}/pulls", github.url());
    assert_eq!(get(&url).json(), json!([]));
    pull.merge(&sha("merge"));
    assert_eq!(get(&url).json()[0]["number"], 1);

    let own = sha("own branch");
    repository.pull_from_branch("own", &own);
    let url = format!("{}/repos/apache/cloudstack/commits/{own}/pulls", github.url());
    assert_eq!(get(&url).json()[0]["number"], 2);
}

#[test]
fn a_commit_is_found_by_its_beginning_and_otherwise_refused() {
    let (github, repository) = start();
    let merge = sha("merge");
    repository.commit(&merge, &[&sha("base"), &sha("head")]);
    let commits = format!("{}/repos/apache/cloudstack/commits", github.url());
    let answer = get(&format!("{commits}/{}", &merge[..8]));
    assert_eq!(answer.json()["sha"], merge);
    assert_eq!(answer.json()["parents"][1]["sha"], sha("head"));
    let unknown = get(&format!("{commits}/{}", sha("nowhere")));
    assert_eq!(unknown.status, 422);
    assert_eq!(unknown.json()["message"], format!("No commit found for SHA: {}", sha("nowhere")));
}

#[test]
fn two_commits_are_compared_by_what_each_was_made_from() {
    let (github, repository) = start();
    let fork_point = repository.base_sha();
    repository.pull_from_fork("contributor", "fix", &sha("fix"));
    repository.push("main", &sha("main 1")).push("release", &sha("release 1"));
    repository.commit(&sha("elsewhere"), &[]);
    let compare = |base: &str, head: &str| {
        get(&format!("{}/repos/apache/cloudstack/compare/{base}...{head}", github.url()))
    };
    for (base, head, status, ahead, behind) in [
        ("main", &*fork_point, "behind", 0, 1),
        ("main", &*sha("main 1"), "identical", 0, 0),
        ("main", &*sha("fix"), "diverged", 1, 1),
        ("release", &*sha("main 1"), "behind", 0, 1),
        (&*fork_point, "release", "ahead", 2, 0),
    ] {
        let answer = compare(base, head).json();
        assert_eq!(answer["status"], status, "{base}...{head}");
        assert_eq!((&answer["ahead_by"], &answer["behind_by"]), (&json!(ahead), &json!(behind)));
    }
    assert_eq!(compare("main", &sha("nowhere")).status, 404);
    assert_eq!(compare("nowhere", &sha("fix")).status, 404);
    assert_eq!(compare("main", &sha("elsewhere")).status, 404, "nothing in common");
}

#[test]
fn a_renamed_repository_answers_reads_with_301_and_writes_with_307() {
    let (github, repository) = start();
    repository.fill(1);
    repository.rename("apache", "cloud");
    let old = format!("{}/repos/apache/cloudstack", github.url());
    let new = format!("{}/repositories/{}", github.url(), repository.id());
    let read = get(&format!("{old}/pulls?state=open"));
    assert_eq!((read.status, read.header("location")), (301, &*format!("{new}/pulls?state=open")));
    assert_eq!(read.json()["message"], "Moved Permanently");
    let write = comment(&format!("{old}/issues/1/comments"), "a report");
    assert_eq!(write.status, 307);
    let followed = comment(write.header("location"), "a report");
    assert_eq!(followed.status, 201);
    assert_eq!(github.comments("apache/cloud", 1)[0].body, "a report");
}

#[test]
fn comments_are_made_listed_changed_and_deleted_by_their_author_only() {
    let (github, repository) = start();
    let pull = repository.fill(1).pull(1);
    let strange = pull.comment("stranger", "mine");
    let list = format!("{}/repos/apache/cloudstack/issues/1/comments", github.url());
    let made = comment(&list, "ours");
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["user"]["login"], "lab-bot");
    assert!(made["html_url"].as_str().unwrap().contains("/pull/1#issuecomment-"));

    let url = made["url"].as_str().unwrap();
    let changed = call("PATCH", url, Some(json!({ "body": "changed" })));
    assert_eq!((changed.status, &changed.json()["body"]), (200, &json!("changed")));
    let other = format!("{}/repos/apache/cloudstack/issues/comments/{strange}", github.url());
    assert_eq!(call("PATCH", &other, Some(json!({ "body": "changed" }))).status, 403);
    assert_eq!(get(&list).json().as_array().unwrap().len(), 2);
    assert_eq!(call("DELETE", url, None).status, 204);
    assert_eq!(get(&list).json()[0]["body"], "mine");
    assert_eq!(get(url).status, 404);
}

#[test]
fn since_leaves_older_comments_out() {
    let (github, repository) = start();
    let pull = repository.fill(1).pull(1);
    github.set_time(Some(1_790_000_000));
    pull.comment("stranger", "older");
    github.set_time(Some(1_790_000_100));
    pull.comment("stranger", "newer");
    let url = format!(
        "{}/repos/apache/cloudstack/issues/1/comments?since=2026-09-21T14:14:30Z",
        github.url()
    );
    let answer = get(&url);
    assert_eq!(answer.json().as_array().unwrap().len(), 1, "{}", answer.text);
    assert_eq!(answer.json()[0]["body"], "newer");
}

#[test]
fn refusals_say_what_github_says() {
    let (github, repository) = start();
    repository.fill(2);
    let list = format!("{}/repos/apache/cloudstack/issues/1/comments", github.url());
    let refused = |status: u16, message: &str| {
        let answer = comment(&list, "a report");
        assert_eq!((answer.status, answer.json()["message"].as_str()), (status, Some(message)));
        answer
    };
    repository.pull(1).lock();
    refused(403, "Unable to create comment because issue is locked.");
    repository.member("lab-bot", Permission::Write);
    assert_eq!(comment(&list, "members may").status, 201);
    repository.archived(true);
    refused(403, "Repository was archived so is read-only.");
    repository.archived(false).issues(false);
    refused(410, "Issues are disabled for this repo");
    repository.issues(true);

    let token = github.token("lab-token");
    token.scopes(&["read:user"]);
    let scope = refused(404, "Not Found");
    assert_eq!(scope.header("x-oauth-scopes"), "read:user");
    assert_eq!(scope.header("x-accepted-oauth-scopes"), "public_repo, repo");
    token.fine_grained(&[("metadata", "read")]);
    let fine = refused(403, "Resource not accessible by personal access token");
    let accepted = fine.header("x-accepted-github-permissions");
    assert_eq!(accepted, "issues=write; pull_requests=write");
    token.installation("lab-app", &[("issues", "read")]);
    refused(403, "Resource not accessible by integration");
    assert_eq!(get(&format!("{}/user", github.url())).status, 403);
    token.installation("lab-app", &[("issues", "write")]);
    repository.member("lab-app[bot]", Permission::Write);
    let made = comment(&list, "from the app");
    assert_eq!(made.json()["user"]["type"], "Bot");
    assert_eq!(made.json()["performed_via_github_app"]["slug"], "lab-app");
    token.expire();
    refused(401, "Bad credentials");
}

#[test]
fn a_private_repository_does_not_exist_for_strangers() {
    let (github, repository) = start();
    repository.private(true);
    let url = format!("{}/repos/apache/cloudstack", github.url());
    assert_eq!(get(&url).status, 404);
    repository.member("lab-bot", Permission::Read);
    github.token("lab-token").scopes(&["repo"]);
    assert_eq!(get(&url).status, 200);
}

#[test]
fn a_body_that_is_too_long_is_refused_in_scalars_or_bytes() {
    let (github, repository) = start();
    repository.fill(1);
    let list = format!("{}/repos/apache/cloudstack/issues/1/comments", github.url());
    assert_eq!(comment(&list, &"\u{1F600}".repeat(65_536)).status, 201);
    let refused = comment(&list, &"a".repeat(65_537));
    assert_eq!(refused.status, 422);
    let error = &refused.json()["errors"][0];
    assert_eq!(error["message"], "Body is too long (maximum is 65536 characters)");
    assert_eq!((&error["code"], &error["field"]), (&json!("unprocessable"), &json!("data")));
    github.body_limit(BodyLimit::Bytes);
    assert_eq!(comment(&list, &"a".repeat(262_144)).status, 201);
    assert_eq!(comment(&list, &"a".repeat(262_145)).status, 422);
}

#[test]
fn lists_change_between_pages_when_told_to() {
    let (github, repository) = start();
    repository.fill(4).changes_between_pages(Change::Opened);
    let first = get(&format!("{}/repos/apache/cloudstack/pulls?per_page=2", github.url()));
    let second = get(&first.next().unwrap());
    assert_eq!(first.json()[1]["number"], 3);
    assert_eq!(second.json()[0]["number"], 3, "it comes again");
}

#[test]
fn a_new_comment_lags_behind_in_listings() {
    let (github, repository) = start();
    repository.fill(1);
    github.comment_lag(2);
    let list = format!("{}/repos/apache/cloudstack/issues/1/comments", github.url());
    comment(&list, "late");
    let seen: Vec<usize> = (0..3).map(|_| get(&list).json().as_array().unwrap().len()).collect();
    assert_eq!(seen, [0, 0, 1]);
}

#[test]
fn deleted_forks_and_accounts_are_null() {
    let (github, repository) = start();
    repository.pull_from_fork("contributor", "fix", &sha("fix")).delete_fork().delete_author();
    let pull = get(&format!("{}/repos/apache/cloudstack/pulls/1", github.url())).json();
    assert_eq!((&pull["head"]["repo"], &pull["head"]["user"]), (&json!(null), &json!(null)));
    assert_eq!(pull["head"]["label"], "contributor:fix");
}

#[test]
fn the_test_merge_moves_and_vanishes_and_the_newer_version_has_none() {
    let (github, repository) = start();
    let pull = repository.fill(1).pull(1);
    let url = format!("{}/repos/apache/cloudstack/pulls/1", github.url());
    assert_eq!(get(&url).json()["merge_commit_sha"].as_str(), pull.test_merge().as_deref());
    pull.set_test_merge(Some(&sha("moved")));
    assert_eq!(get(&url).json()["merge_commit_sha"], sha("moved"));
    pull.set_test_merge(None);
    assert_eq!(get(&url).json()["merge_commit_sha"], json!(null));
    assert_eq!(get(&url).json()["mergeable"], json!(null));
    let headers =
        [("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2026-03-10")];
    let newer = client::send(&client::agent(), "GET", &url, &headers, b"").unwrap().json();
    assert!(newer.get("merge_commit_sha").is_none());
}

#[test]
fn no_more_than_250_commits_of_a_pull_request_are_listed() {
    let (github, repository) = start();
    let pull = repository.fill(1).pull(1);
    for number in 0..260 {
        pull.push(&sha(format!("commit {number}")));
    }
    let mut url = format!("{}/repos/apache/cloudstack/pulls/1/commits?per_page=100", github.url());
    let mut count = 0;
    loop {
        let answer = get(&url);
        count += answer.json().as_array().unwrap().len();
        match answer.next() {
            Some(next) => url = next,
            None => break,
        }
    }
    assert_eq!(count, 250);
}

#[test]
fn the_search_finds_commits_that_are_in_a_pull_request_now() {
    let (github, repository) = start();
    let pull = repository.fill(3).pull(2);
    pull.push(&sha("second"));
    let search = |commit: &str| {
        let query = format!("repo:apache/cloudstack+type:pr+{commit}");
        get(&format!("{}/search/issues?q={query}", github.url())).json()
    };
    assert_eq!(search(&sha(2))["items"][0]["number"], 2);
    pull.force_push(&sha("third"));
    assert_eq!(search(&sha("second"))["total_count"], 0, "force-pushed away");
}

#[test]
fn rate_limits_are_told_and_kept() {
    let (github, repository) = start();
    repository.fill(1);
    github.token("lab-token").limit(2);
    github.set_time(Some(1_790_000_000));
    let url = format!("{}/repos/apache/cloudstack", github.url());
    assert_eq!(get(&url).header("x-ratelimit-remaining"), "1");
    assert_eq!(get(&url).status, 200);
    let refused = get(&url);
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (403, "0"));
    assert_eq!(get(&format!("{}/rate_limit", github.url())).json()["rate"]["remaining"], 0);
    let reset: u64 = refused.header("x-ratelimit-reset").parse().unwrap();
    github.set_time(Some(reset));
    assert_eq!(get(&url).status, 200);
}

#[test]
fn an_answer_that_is_known_costs_304() {
    let (github, _repository) = start();
    let url = format!("{}/repos/apache/cloudstack", github.url());
    let etag = get(&url).header("etag").to_owned();
    let headers = [
        ("Accept", "application/vnd.github+json"),
        ("X-GitHub-Api-Version", "2022-11-28"),
        ("Authorization", "Bearer lab-token"),
        ("If-None-Match", etag.as_str()),
    ];
    let again = client::send(&client::agent(), "GET", &url, &headers, b"").unwrap();
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[test]
fn an_enterprise_server_answers_below_its_prefix_without_limits() {
    let github = GitHub::start_with(GitHubOptions { enterprise: true, ..Default::default() });
    github.token("lab-token");
    github.repository("apache", "cloudstack").fill(31);
    assert!(github.url().ends_with("/api/v3"));
    let answer = get(&format!("{}/repos/apache/cloudstack/pulls", github.url()));
    assert_eq!(answer.header("x-ratelimit-limit"), "");
    assert!(answer.next().unwrap().starts_with(&github.url()));
    assert_eq!(get(&format!("{}/repos/apache/cloudstack", github.origin())).status, 404);
    assert!(github.graphql_url().ends_with("/api/graphql"));
}

#[test]
fn a_person_can_open_the_address_of_a_comment() {
    let (github, repository) = start();
    repository.fill(1);
    let list = format!("{}/repos/apache/cloudstack/issues/1/comments", github.url());
    let made = comment(&list, "<b>a report</b>").json();
    let address = made["html_url"].as_str().unwrap();
    let headers = [("Accept", "text/html,*/*")];
    let page = client::send(&client::agent(), "GET", address, &headers, b"").unwrap();
    assert!(page.text.contains("<pre>&lt;b&gt;a report&lt;/b&gt;</pre>"), "{}", page.text);
    assert!(page.text.contains(address.split('#').nth(1).unwrap()));
}
