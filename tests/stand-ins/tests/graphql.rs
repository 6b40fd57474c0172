//! GraphQL is checked and answered as GitHub's.

mod client;

use client::{call, graphql};
use serde_json::{Value, json};
use stand_ins::{Change, GitHub, Repository, sha};

const LIST: &str =
    "query($o:String!,$r:String!,$c:String){repository(owner:$o,name:$r){nameWithOwner
 pullRequests(states:OPEN,first:100,after:$c,orderBy:{field:UPDATED_AT,direction:DESC}){
  totalCount pageInfo{hasNextPage endCursor}
  nodes{number url isDraft locked isCrossRepository headRefName headRefOid baseRefName
        headRepository{nameWithOwner} potentialMergeCommit{oid}}}}
 viewer{login} rateLimit{cost remaining resetAt}}";

fn start() -> (GitHub, Repository) {
    let github = GitHub::start();
    github.token("lab-token").login("lab-bot");
    let repository = github.repository("apache", "cloudstack");
    (github, repository)
}

fn list(github: &GitHub, cursor: Option<&str>) -> Value {
    let variables = json!({ "o": "apache", "r": "cloudstack", "c": cursor });
    graphql(&github.graphql_url(), LIST, variables)
}

#[test]
fn a_hundred_open_pull_requests_come_in_one_page_and_cursors_lead_on() {
    let (github, repository) = start();
    repository.fill(250);
    repository.pull(7).close();
    let mut cursor = None;
    let mut numbers = Vec::new();
    for page in 0..3 {
        let data = list(&github, cursor.as_deref());
        assert_eq!(data["data"]["viewer"]["login"], "lab-bot", "{data}");
        let pulls = &data["data"]["repository"]["pullRequests"];
        assert_eq!(pulls["totalCount"], 249);
        assert_eq!(pulls["pageInfo"]["hasNextPage"], page < 2);
        let nodes = pulls["nodes"].as_array().unwrap();
        numbers.extend(nodes.iter().filter_map(|node| node["number"].as_u64()));
        assert_eq!(nodes[0]["headRefOid"], sha(nodes[0]["number"].as_u64().unwrap()));
        assert_eq!(nodes[0]["headRepository"]["nameWithOwner"], "contributor/cloudstack");
        cursor = pulls["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 249);
}

#[test]
fn cursors_go_on_behind_the_last_item_although_the_list_changed() {
    let (github, repository) = start();
    github.set_time(Some(1_790_000_000));
    repository.fill(150).changes_between_pages(Change::Opened);
    let first = list(&github, None);
    let cursor = &first["data"]["repository"]["pullRequests"]["pageInfo"]["endCursor"];
    let second = list(&github, cursor.as_str());
    let nodes = &second["data"]["repository"]["pullRequests"]["nodes"];
    assert_eq!(nodes[0]["number"], 50, "nothing comes twice");
}

#[test]
fn what_the_schema_does_not_know_is_refused_and_kept_as_a_violation() {
    let cases = [
        ("{viewer{login nickname}}", "doesn't exist on type 'User'"),
        ("{repository(owner:\"a\"){id}}", "missing required arguments: name"),
        ("{repository(owner:\"a\",name:\"b\",id:1){id}}", "doesn't accept argument 'id'"),
        ("{viewer}", "must have selections"),
        ("{viewer{login{length}}}", "can't be made on scalars"),
        ("query($x:Int){viewer{login}}", "declared but not used"),
        ("{repository(owner:$o,name:\"b\"){id}}", "used but not declared"),
        ("query($o:String){repository(owner:$o,name:\"b\"){id}}", "Type mismatch"),
        ("{viewer{... on Commit{oid}}}", "can't be spread inside User"),
        ("{viewer{...who}}", "is not defined"),
        ("{viewer{login}", "Parse error"),
        ("{search(type:\"ISSUE\",query:\"x\",first:1){issueCount}}", "is no SearchType"),
        ("{search(type:ISSUE,query:\"x\",first:1){totalCount}}", "doesn't exist"),
    ];
    for (query, expected) in cases {
        let (github, _repository) = start();
        github.allow_violations();
        let answer = graphql(&github.graphql_url(), query, json!({}));
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{query}: {answer}");
        assert!(answer.get("data").is_none());
        assert_eq!(github.violations().len(), 1, "{query}");
    }
}

#[test]
fn connections_need_a_number_up_to_a_hundred() {
    for (arguments, kind) in
        [("", "MISSING_PAGINATION_BOUNDARIES"), ("(first:101)", "EXCESSIVE_PAGINATION")]
    {
        let (github, _repository) = start();
        github.allow_violations();
        let query = format!(
            "{{repository(owner:\"apache\",name:\"cloudstack\"){{pullRequests{arguments}{{totalCount}}}}}}"
        );
        let answer = graphql(&github.graphql_url(), &query, json!({}));
        assert_eq!(answer["errors"][0]["type"], kind, "{answer}");
    }
}

#[test]
fn a_moved_head_shows_in_the_timeline_and_own_comments_are_known() {
    let (github, repository) = start();
    let pull = repository.pull_from_fork("contributor", "fix", &sha("first"));
    pull.force_push(&sha("second"));
    pull.push(&sha("third"));
    pull.comment("lab-bot", "ours");
    let theirs = pull.comment("stranger", "theirs");
    pull.minimize(theirs);
    let query =
        "query($n:Int!){repository(owner:\"apache\",name:\"cloudstack\"){pullRequest(number:$n){
        headRefOid state merged
        timelineItems(itemTypes:[HEAD_REF_FORCE_PUSHED_EVENT],last:50){nodes{
            ... on HeadRefForcePushedEvent{beforeCommit{oid} afterCommit{oid}}}}
        commits(last:100){totalCount nodes{commit{oid}}}
        comments(first:100){pageInfo{hasNextPage endCursor} nodes{databaseId url viewerDidAuthor
            viewerCanUpdate viewerCannotUpdateReasons isMinimized body author{login}}}}}}";
    let answer = graphql(&github.graphql_url(), query, json!({ "n": 1 }));
    let pull = &answer["data"]["repository"]["pullRequest"];
    assert_eq!(pull["headRefOid"], sha("third"), "{answer}");
    assert_eq!(pull["timelineItems"]["nodes"][0]["beforeCommit"]["oid"], sha("first"));
    assert_eq!(pull["timelineItems"]["nodes"][0]["afterCommit"]["oid"], sha("second"));
    assert_eq!(pull["commits"]["nodes"][0]["commit"]["oid"], sha("second"));
    let comments = pull["comments"]["nodes"].as_array().unwrap();
    assert_eq!(comments[0]["viewerDidAuthor"], true);
    assert_eq!(comments[0]["viewerCannotUpdateReasons"], json!([]));
    assert_eq!(comments[1]["viewerCannotUpdateReasons"], json!(["INSUFFICIENT_ACCESS"]));
    assert_eq!(
        (&comments[1]["isMinimized"], &comments[1]["author"]["login"]),
        (&json!(true), &json!("stranger"))
    );
}

#[test]
fn commits_have_parents_and_the_pull_requests_that_rest_finds_too() {
    let (github, repository) = start();
    let pull = repository.fill(1).pull(1);
    let merge = pull.test_merge().unwrap();
    let query = "query($oid:GitObjectID!){repository(owner:\"apache\",name:\"cloudstack\"){
        object(oid:$oid){__typename ... on Commit{oid parents(first:2){nodes{oid}}
            associatedPullRequests(first:5){nodes{number}}}}}}";
    let url = github.graphql_url();
    let answer = graphql(&url, query, json!({ "oid": merge }));
    let object = &answer["data"]["repository"]["object"];
    assert_eq!(object["parents"]["nodes"][1]["oid"], pull.head(), "{answer}");
    let head = graphql(&url, query, json!({ "oid": pull.head() }));
    let found = &head["data"]["repository"]["object"]["associatedPullRequests"]["nodes"];
    assert_eq!(found, &json!([]), "from a fork, and not merged");
    let nowhere = graphql(&url, query, json!({ "oid": sha("nowhere") }));
    assert_eq!(nowhere["data"]["repository"]["object"], json!(null));
}

#[test]
fn search_fragments_aliases_and_directives_work() {
    let (github, repository) = start();
    repository.fill(3);
    let query =
        "query($q:String!,$no:Boolean!){found:search(type:ISSUE,query:$q,first:20){issueCount
        nodes{...pull}} viewer @include(if:$no){login}}
        fragment pull on PullRequest{number state headRefOid}";
    let q = format!("repo:apache/cloudstack is:pr {}", sha(2));
    let answer = graphql(&github.graphql_url(), query, json!({ "q": q, "no": false }));
    assert_eq!(answer["data"]["found"]["nodes"][0]["number"], 2, "{answer}");
    assert!(answer["data"].get("viewer").is_none());
}

#[test]
fn what_is_not_there_is_null_with_an_error_and_no_violation() {
    let (github, _repository) = start();
    let query = "{repository(owner:\"apache\",name:\"nothing\"){id}}";
    let answer = graphql(&github.graphql_url(), query, json!({}));
    assert_eq!(answer["data"]["repository"], json!(null));
    assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(answer["errors"][0]["path"], json!(["repository"]));
}

#[test]
fn it_needs_a_token_and_can_be_switched_off() {
    let (github, _repository) = start();
    let body = json!({ "query": "{viewer{login}}" }).to_string();
    let anonymous =
        client::send(&client::agent(), "POST", &github.graphql_url(), &[], body.as_bytes());
    assert_eq!(anonymous.unwrap().status, 401);
    for status in [404, 403, 502] {
        github.graphql_refuses(Some(status));
        let query = json!({ "query": "{viewer{login}}" });
        assert_eq!(call("POST", &github.graphql_url(), Some(query)).status, status);
    }
}
