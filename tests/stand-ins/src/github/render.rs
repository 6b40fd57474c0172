//! The JSON bodies of the REST API. Their many addresses are not decoration: a list of a hundred
//! pull requests is as long as at GitHub.

use serde_json::{Map, Value, json};

use super::access::Call;
use super::state::{CommentState, Merge, PullState, RepositoryState, iso, user_id};

const USER_URLS: [(&str, &str); 11] = [
    ("url", ""),
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
    ("avatar_url", "/avatar"),
];

const REPOSITORY_URLS: [(&str, &str); 37] = [
    ("url", ""),
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// The opaque id that GraphQL and REST share.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_kwDO{id:012x}")
}

/// A user; null when the account is gone.
pub(crate) fn user(call: &Call<'_>, login: Option<&str>) -> Value {
    let Some(login) = login else { return Value::Null };
    let bot = login.ends_with("[bot]");
    let id = user_id(login);
    let mut user = json!({
        "login": login,
        "id": id,
        "node_id": node_id("U", id),
        "gravatar_id": "",
        "html_url": format!("{}/{login}", call.web),
        "type": if bot { "Bot" } else { "User" },
        "user_view_type": "public",
        "site_admin": false,
    });
    for (name, tail) in USER_URLS {
        user[name] = format!("{}/users/{login}{tail}", call.base).into();
    }
    user
}

/// The user that a token belongs to, as anybody sees it.
pub(crate) fn public_user(call: &Call<'_>, login: &str) -> Value {
    let mut user = user(call, Some(login));
    let more = json!({
        "name": login, "company": null, "blog": "", "location": null, "email": null,
        "hireable": null, "bio": null, "twitter_username": null, "public_repos": 0,
        "public_gists": 0, "followers": 0, "following": 0,
        "created_at": iso(1_400_000_000), "updated_at": iso(1_700_000_000),
    });
    extend(&mut user, more);
    user
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (value, more) {
        fields.extend::<Map<String, Value>>(more);
    }
}

/// The facts that a repository or a fork of it is drawn from.
struct Place<'a> {
    id: u64,
    full_name: &'a str,
    fork: bool,
    of: &'a RepositoryState,
}

fn place(call: &Call<'_>, place: &Place<'_>) -> Value {
    let Place { id, full_name, fork, of } = place;
    let (owner, name) = full_name.split_once('/').unwrap_or(("", full_name));
    let open = of.pulls.values().filter(|pull| pull.state() == "open").count();
    let open = if *fork { 0 } else { open };
    let web = format!("{}/{full_name}", call.web);
    let host = call.web.rsplit('/').next().unwrap_or_default();
    let mut repository = json!({
        "id": id, "node_id": node_id("R", *id), "name": name, "full_name": full_name,
        "private": of.private, "owner": user(call, Some(owner)),
        "html_url": web, "description": "A repository of the stand-in", "fork": fork,
        "clone_url": format!("{web}.git"), "git_url": format!("git://{host}/{full_name}.git"),
        "ssh_url": format!("git@{host}:{full_name}.git"), "svn_url": web, "mirror_url": null,
        "homepage": null, "language": "Java", "license": null, "size": 1024,
        "default_branch": of.default_branch, "archived": of.archived, "disabled": false,
        "visibility": if of.private { "private" } else { "public" },
        "forks": 1, "forks_count": 1, "watchers": 2, "watchers_count": 2,
        "stargazers_count": 2, "open_issues": open, "open_issues_count": open,
        "has_issues": !of.issues_disabled, "has_projects": true, "has_wiki": true,
        "has_pages": false, "has_downloads": true, "has_discussions": false,
        "allow_forking": true, "is_template": false, "web_commit_signoff_required": false,
        "topics": [], "created_at": iso(of.created), "updated_at": iso(of.created),
        "pushed_at": iso(of.created),
    });
    for (name, tail) in REPOSITORY_URLS {
        repository[name] = format!("{}/repos/{full_name}{tail}", call.base).into();
    }
    repository
}

/// `GET /repos/{owner}/{repo}`
pub(crate) fn full_repository(call: &Call<'_>, of: &RepositoryState) -> Value {
    let full_name = of.full_name();
    let mut repository = place(call, &Place { id: of.id, full_name: &full_name, fork: false, of });
    repository["network_count"] = 1.into();
    repository["subscribers_count"] = 1.into();
    if let Some(login) = call.login() {
        let push = of.pushes(login);
        repository["permissions"] = json!({
            "admin": of.owner.eq_ignore_ascii_case(login), "maintain": false, "push": push,
            "triage": push, "pull": true,
        });
    }
    repository
}

/// An item of a list of pull requests.
pub(crate) fn pull(call: &Call<'_>, of: &RepositoryState, pull: &PullState) -> Value {
    let full_name = of.full_name();
    let number = pull.number;
    let api = format!("{}/repos/{full_name}", call.base);
    let web = format!("{}/{full_name}/pull/{number}", call.web);
    let closed = pull.merge.as_ref().map(|merge| merge.at);
    let closed = closed.or(pull.closed.then_some(pull.updated)).map(iso);
    let base = place(call, &Place { id: of.id, full_name: &full_name, fork: false, of });
    let head_repository = match &pull.head_repository {
        Some((id, name)) => {
            place(call, &Place { id: *id, full_name: name, fork: *id != of.id, of })
        }
        None => Value::Null,
    };
    let head_user = match pull.author {
        None if pull.head_owner != of.owner => Value::Null,
        _ => user(call, Some(&pull.head_owner)),
    };
    let urls = [
        ("self", format!("{api}/pulls/{number}")),
        ("html", web.clone()),
        ("issue", format!("{api}/issues/{number}")),
        ("comments", format!("{api}/issues/{number}/comments")),
        ("review_comments", format!("{api}/pulls/{number}/comments")),
        ("review_comment", format!("{api}/pulls/comments{{/number}}")),
        ("commits", format!("{api}/pulls/{number}/commits")),
        ("statuses", format!("{api}/statuses/{}", pull.head_sha)),
    ];
    let links: Map<String, Value> =
        urls.iter().map(|(name, url)| ((*name).to_owned(), json!({ "href": url }))).collect();
    let mut item = json!({
        "id": pull.id, "node_id": node_id("PR", pull.id), "number": number,
        "html_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
        "state": pull.state(), "locked": pull.locked, "draft": pull.draft,
        "active_lock_reason": if pull.locked { json!("too heated") } else { Value::Null },
        "title": pull.title, "body": "What this pull request changes.",
        "user": user(call, pull.author.as_deref()),
        "labels": [], "milestone": null, "assignee": null, "assignees": [],
        "requested_reviewers": [], "requested_teams": [], "auto_merge": null,
        "created_at": iso(pull.created), "updated_at": iso(pull.updated), "closed_at": closed,
        "merged_at": pull.merge.as_ref().map(|merge: &Merge| iso(merge.at)),
        "author_association": "CONTRIBUTOR",
        "head": {
            "label": format!("{}:{}", pull.head_owner, pull.head_ref),
            "ref": pull.head_ref, "sha": pull.head_sha,
            "user": head_user, "repo": head_repository,
        },
        "base": {
            "label": format!("{}:{}", of.owner, pull.base_ref),
            "ref": pull.base_ref, "sha": pull.base_sha,
            "user": user(call, Some(&of.owner)), "repo": base,
        },
        "_links": links,
    });
    for (name, url) in urls {
        let name = if name == "self" { "url".to_owned() } else { format!("{name}_url") };
        item[name] = url.into();
    }
    // Version 2026-03-10 has neither.
    if call.newer {
        if let Value::Object(fields) = &mut item {
            fields.remove("assignee");
        }
    } else {
        item["merge_commit_sha"] = pull.merge_commit_sha().into();
    }
    item
}

/// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
pub(crate) fn full_pull(call: &Call<'_>, of: &RepositoryState, one: &PullState) -> Value {
    let mut item = pull(call, of, one);
    let mergeable = match (&one.merge, &one.test_merge) {
        (Some(_), _) | (None, None) => Value::Null,
        _ => true.into(),
    };
    let more = json!({
        "merged": one.merge.is_some(), "mergeable": mergeable, "rebaseable": mergeable,
        "mergeable_state": if one.test_merge.is_some() { "clean" } else { "unknown" },
        "merged_by": one.merge.as_ref().map(|_| user(call, Some(&of.owner))),
        "comments": one.comments.len(), "review_comments": 0, "maintainer_can_modify": false,
        "commits": one.commits.len(), "additions": 1, "deletions": 1, "changed_files": 1,
    });
    extend(&mut item, more);
    item
}

/// A comment.
pub(crate) fn comment(
    call: &Call<'_>,
    of: &RepositoryState,
    number: u64,
    comment: &CommentState,
) -> Value {
    let full_name = of.full_name();
    let api = format!("{}/repos/{full_name}/issues", call.base);
    let url = format!("{api}/comments/{}", comment.id);
    let mut reactions = json!({ "url": format!("{url}/reactions"), "total_count": 0 });
    for name in ["+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket"] {
        reactions[name] = 0.into();
    }
    let app = comment.app.as_ref().map(|slug| {
        json!({
            "id": user_id(slug), "slug": slug, "node_id": node_id("A", user_id(slug)),
            "owner": user(call, Some(&of.owner)), "name": slug, "description": null,
            "external_url": call.web, "html_url": format!("{}/apps/{slug}", call.web),
            "created_at": iso(1_600_000_000), "updated_at": iso(1_600_000_000),
            "permissions": { "issues": "write" }, "events": [],
        })
    });
    json!({
        "id": comment.id, "node_id": node_id("IC", comment.id), "url": url,
        "html_url":
            format!("{}/{full_name}/pull/{number}#issuecomment-{}", call.web, comment.id),
        "issue_url": format!("{api}/{number}"),
        "body": comment.body, "user": user(call, Some(&comment.login)),
        "created_at": iso(comment.created), "updated_at": iso(comment.updated),
        "author_association":
            if of.members.contains_key(&comment.login) { "MEMBER" } else { "NONE" },
        "performed_via_github_app": app, "reactions": reactions,
        "minimized": comment.minimized.then(|| json!({ "reason": "outdated" })),
    })
}

/// A commit.
pub(crate) fn commit(call: &Call<'_>, of: &RepositoryState, sha: &str) -> Value {
    let known = of.commits.get(sha).cloned().unwrap_or_default();
    let full_name = of.full_name();
    let api = format!("{}/repos/{full_name}", call.base);
    let web = format!("{}/{full_name}/commit", call.web);
    let who = json!({
        "name": known.login, "email": format!("{}@example.org", known.login),
        "date": iso(known.at),
    });
    let parents: Vec<Value> = known
        .parents
        .iter()
        .map(|sha| {
            json!({ "sha": sha, "url": format!("{api}/commits/{sha}"),
                    "html_url": format!("{web}/{sha}") })
        })
        .collect();
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{web}/{sha}"), "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": {
            "url": format!("{api}/git/commits/{sha}"), "message": known.message,
            "author": who, "committer": who, "comment_count": 0,
            "tree": { "sha": crate::sha(format!("tree {sha}")), "url": format!("{api}/git/trees") },
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null,
                "verified_at": null,
            },
        },
        "author": user(call, Some(&known.login)), "committer": user(call, Some(&known.login)),
        "parents": parents,
    })
}

/// A comparison of two commits, without what was counted. Between them stands what they have in
/// common.
pub(crate) fn comparison(call: &Call<'_>, of: &RepositoryState, ends: [&str; 3]) -> Value {
    let [base, common, head] = ends;
    let below = format!("{}/compare/{base}...{head}", of.full_name());
    let web = format!("{}/{below}", call.web);
    json!({
        "url": format!("{}/repos/{below}", call.base), "html_url": web, "permalink_url": web,
        "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
        "base_commit": commit(call, of, base), "merge_base_commit": commit(call, of, common),
    })
}

/// An item of a search.
pub(crate) fn search_item(call: &Call<'_>, of: &RepositoryState, one: &PullState) -> Value {
    let drawn = pull(call, of, one);
    let api = format!("{}/repos/{}", call.base, of.full_name());
    let issue = format!("{api}/issues/{}", one.number);
    let mut item = json!({
        "url": issue, "repository_url": api, "labels_url": format!("{issue}/labels{{/name}}"),
        "comments_url": format!("{issue}/comments"), "events_url": format!("{issue}/events"),
        "timeline_url": format!("{issue}/timeline"), "comments": one.comments.len(),
        "state_reason": null, "score": 1.0, "assignee": null,
        "pull_request": {
            "url": drawn["url"], "html_url": drawn["html_url"], "diff_url": drawn["diff_url"],
            "patch_url": drawn["patch_url"], "merged_at": drawn["merged_at"],
        },
    });
    for name in [
        "html_url",
        "id",
        "node_id",
        "number",
        "title",
        "user",
        "labels",
        "state",
        "locked",
        "draft",
        "assignees",
        "milestone",
        "created_at",
        "updated_at",
        "closed_at",
        "body",
        "author_association",
        "active_lock_reason",
    ] {
        item[name] = drawn[name].clone();
    }
    item
}
