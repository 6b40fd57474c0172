//! The schema and its answers belong together.

use serde_json::json;

use super::*;
use crate::github::GitHub;
use crate::github::access::Call;
use crate::github::graphql::schema::{Schema, named};
use crate::server::Request;
use crate::{lock, sha};

/// Every object type must answer every field that the schema file gives it: what one of them
/// has and the other lacks would be a hole in the check or in the answers.
#[test]
fn every_field_of_the_schema_is_answered() {
    let github = GitHub::start();
    github.token("t");
    let repository = github.repository("apache", "cloudstack");
    let pull = repository.pull_from_fork("contributor", "fix", &sha("one"));
    pull.force_push(&sha("two"));
    pull.comment("stranger", "text");
    let state = lock(&github.world.state);
    let authorization = ("Authorization".to_owned(), "Bearer t".to_owned());
    let request = Request { headers: vec![authorization], ..Request::default() };
    let call = Call::new(&github.world, &request, &state).ok().unwrap();
    let schema = Schema::github();
    let document = graphql_parser::parse_query::<String>("{viewer{id}}").unwrap().into_static();
    let run = Execution::new(schema, &state, &call, &document, Map::new());

    let of = state.by_id(repository.id()).unwrap();
    let one = &of.pulls[&1];
    let sha = one.head_sha.clone();
    let empty = |kind| {
        let part = Connection { kind, nodes: vec![], total: 0, info: PageInfo::default() };
        Node::Connection(Box::new(part))
    };
    let nodes = vec![
        Node::Query,
        Node::RateLimit,
        Node::Actor("stranger".to_owned()),
        Node::Actor("lab-app[bot]".to_owned()),
        Node::Repository(of),
        Node::Pull(of, one),
        Node::Comment(of, one, &one.comments[0]),
        Node::Commit(of, sha.clone()),
        Node::PullCommit(of, sha),
        Node::ForcePush(of, &one.force_pushes[0]),
        Node::PageInfo(PageInfo::default()),
        empty("PullRequestConnection"),
        empty("IssueCommentConnection"),
        empty("PullRequestCommitConnection"),
        empty("CommitConnection"),
        empty("PullRequestTimelineItemsConnection"),
        empty("SearchResultItemConnection"),
    ];
    let arguments: Map<String, Value> = [("first".to_owned(), json!(1))].into_iter().collect();
    for object in schema.objects() {
        let node = nodes.iter().find(|node| node.kind() == object.name);
        let node = node.unwrap_or_else(|| panic!("no object of type {}", object.name));
        for field in &object.fields {
            let answer = node.resolve(&run, &field.name, &arguments);
            let name = format!("{}.{}", object.name, field.name);
            let answer = answer.unwrap_or_else(|| panic!("{name} is not answered"));
            let composite = schema.is_composite(named(&field.field_type));
            let object = !matches!(answer, Ok(Resolved::Scalar(_)));
            assert_eq!(composite, object, "{name} is of the wrong sort");
        }
    }
}
