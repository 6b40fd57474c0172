//! Pull requests, their comments and events.

use serde_json::{Map, Value, json};

use super::super::Mistake;
use super::super::connection::{Connection, Key, cut};
use super::super::execute::{Execution, Touched};
use super::{Field, Node, connection, indexed, one, scalar, text};
use crate::github::access::may_comment;
use crate::github::render::node_id;
use crate::github::state::{CommentState, PullState, RepositoryState, iso};

pub(super) fn pull_requests<'a>(
    of: &'a RepositoryState,
    field: &str,
    arguments: &Map<String, Value>,
) -> Result<Connection<'a>, Mistake> {
    let states: Option<Vec<&str>> = match arguments.get("states") {
        Some(Value::Array(states)) => Some(states.iter().filter_map(Value::as_str).collect()),
        Some(Value::String(state)) => Some(vec![state]),
        _ => None,
    };
    let order = arguments.get("orderBy").unwrap_or(&Value::Null);
    let key = |pull: &PullState| match order["field"].as_str() {
        Some("UPDATED_AT") => (pull.updated, pull.number),
        Some("COMMENTS") => (pull.comments.len() as u64, pull.number),
        _ => (pull.number, 0),
    };
    let named = |name: &str, is: &str| text(arguments, name).is_none_or(|wanted| wanted == is);
    let mut items: Vec<(Key, Node<'a>)> = of
        .pulls
        .values()
        .filter(|pull| states.as_ref().is_none_or(|states| states.contains(&state_of(pull))))
        .filter(|pull| named("headRefName", &pull.head_ref))
        .filter(|pull| named("baseRefName", &pull.base_ref))
        .map(|pull| (key(pull), Node::Pull(of, pull)))
        .collect();
    items.sort_by_key(|(key, _)| *key);
    let descending = order["direction"].as_str() == Some("DESC");
    if descending {
        items.reverse();
    }
    cut("PullRequestConnection", field, items, descending, arguments)
}

fn state_of(pull: &PullState) -> &'static str {
    match (&pull.merge, pull.closed) {
        (Some(_), _) => "MERGED",
        (None, true) => "CLOSED",
        (None, false) => "OPEN",
    }
}

pub(super) fn pull_request<'a>(
    run: &Execution<'a>,
    of: &'a RepositoryState,
    pull: &'a PullState,
    field: &str,
    arguments: &Map<String, Value>,
) -> Field<'a> {
    let commit = |sha: &Option<String>| sha.clone().map(|sha| Node::Commit(of, sha));
    match field {
        "id" => scalar(node_id("PR", pull.id)),
        "number" => scalar(pull.number),
        "url" => scalar(format!("{}/{}/pull/{}", run.call.web, of.full_name(), pull.number)),
        "title" => scalar(pull.title.clone()),
        "state" => scalar(state_of(pull)),
        "closed" => scalar(state_of(pull) != "OPEN"),
        "merged" => scalar(pull.merge.is_some()),
        "isDraft" => scalar(pull.draft),
        "locked" => scalar(pull.locked),
        "isCrossRepository" => scalar(pull.is_from_fork(of.id)),
        "headRefName" => scalar(pull.head_ref.clone()),
        "headRefOid" => scalar(pull.head_sha.clone()),
        "baseRefName" => scalar(pull.base_ref.clone()),
        "baseRefOid" => scalar(pull.base_sha.clone()),
        "createdAt" => scalar(iso(pull.created)),
        "updatedAt" => scalar(iso(pull.updated)),
        "author" => one(pull.author.clone().map(Node::Actor)),
        "repository" => one(Some(Node::Repository(of))),
        "headRepository" => one(pull.head_repository.as_ref().map(|(id, name)| {
            if *id == of.id { Node::Repository(of) } else { Node::Fork(*id, name) }
        })),
        "headRepositoryOwner" => {
            let known = pull.author.is_some() && pull.head_repository.is_some();
            one(known.then(|| Node::Actor(pull.head_owner.clone())))
        }
        "mergeCommit" => {
            one(pull.merge.as_ref().and_then(|merge| commit(&Some(merge.sha.clone()))))
        }
        "potentialMergeCommit" => {
            one(if pull.merge.is_some() { None } else { commit(&pull.test_merge) })
        }
        "commits" => {
            let nodes = pull.commits.iter().map(|sha| Node::PullCommit(of, sha.clone()));
            let kind = "PullRequestCommitConnection";
            connection(cut(kind, field, indexed(nodes), false, arguments))
        }
        "comments" => {
            run.touch(Touched::Comments(of.id, pull.number));
            let shown = pull.comments.iter().filter(|comment| comment.hidden == 0);
            let order = arguments.get("orderBy").unwrap_or(&Value::Null);
            let by_update = order["field"].as_str() == Some("UPDATED_AT");
            let mut nodes: Vec<(Key, Node<'a>)> = shown
                .map(|comment| {
                    let first = if by_update { comment.updated } else { comment.id };
                    ((first, comment.id), Node::Comment(of, pull, comment))
                })
                .collect();
            nodes.sort_by_key(|(key, _)| *key);
            let descending = order["direction"].as_str() == Some("DESC");
            if descending {
                nodes.reverse();
            }
            connection(cut("IssueCommentConnection", field, nodes, descending, arguments))
        }
        "timelineItems" => connection(timeline(of, pull, field, arguments)),
        _ => None,
    }
}

fn timeline<'a>(
    of: &'a RepositoryState,
    pull: &'a PullState,
    field: &str,
    arguments: &Map<String, Value>,
) -> Result<Connection<'a>, Mistake> {
    let types = arguments.get("itemTypes").filter(|types| !types.is_null());
    let wanted = |kind: &str| {
        types.is_none_or(|types| match types {
            Value::Array(types) => types.iter().any(|each| each == kind),
            one => one == kind,
        })
    };
    let mut items: Vec<(Key, Node<'a>)> = Vec::new();
    if wanted("HEAD_REF_FORCE_PUSHED_EVENT") {
        let events = pull.force_pushes.iter();
        items.extend(events.map(|event| ((event.at, event.id), Node::ForcePush(of, event))));
    }
    if wanted("ISSUE_COMMENT") {
        items.extend(
            pull.comments
                .iter()
                .map(|comment| ((comment.created, comment.id), Node::Comment(of, pull, comment))),
        );
    }
    items.sort_by_key(|(key, _)| *key);
    cut("PullRequestTimelineItemsConnection", field, items, false, arguments)
}

pub(super) fn issue_comment<'a>(
    run: &Execution<'a>,
    of: &'a RepositoryState,
    pull: &PullState,
    comment: &CommentState,
    field: &str,
) -> Field<'a> {
    let own = run.call.login() == Some(comment.login.as_str());
    let reason = match (may_comment(run.state, run.call, of), of.archived) {
        (_, true) => Some("ARCHIVED"),
        (Err(_), false) => Some("INSUFFICIENT_ACCESS"),
        (Ok(()), false) => {
            let pushes = run.call.login().is_some_and(|login| of.pushes(login));
            (!own && !pushes).then_some("INSUFFICIENT_ACCESS")
        }
    };
    let id = comment.id;
    match field {
        "id" => scalar(node_id("IC", id)),
        "databaseId" => scalar(id),
        "fullDatabaseId" => scalar(id.to_string()),
        "url" => {
            let page = format!("{}/{}/pull/{}", run.call.web, of.full_name(), pull.number);
            scalar(format!("{page}#issuecomment-{id}"))
        }
        "body" => scalar(comment.body.clone()),
        "author" => one(Some(Node::Actor(comment.login.clone()))),
        "createdAt" => scalar(iso(comment.created)),
        "updatedAt" => scalar(iso(comment.updated)),
        "isMinimized" => scalar(comment.minimized),
        "minimizedReason" => scalar(comment.minimized.then_some("outdated")),
        "viewerDidAuthor" => scalar(own),
        "viewerCanUpdate" | "viewerCanDelete" => scalar(reason.is_none()),
        "viewerCannotUpdateReasons" => scalar(json!(reason.into_iter().collect::<Vec<&str>>())),
        _ => None,
    }
}
