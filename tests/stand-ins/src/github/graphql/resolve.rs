//! What the fields of each type are.

mod pulls;

use serde_json::{Map, Value};

use self::pulls::{issue_comment, pull_request, pull_requests};
use super::Mistake;
use super::connection::{Connection, Key, PageInfo, cut};
use super::execute::{Execution, Touched};
use crate::github::access::{limit, reset};
use crate::github::render::node_id;
use crate::github::rest;
use crate::github::state::{CommentState, ForcePush, PullState, RepositoryState, iso, user_id};

/// An object of the schema.
#[derive(Clone)]
pub(crate) enum Node<'a> {
    Query,
    RateLimit,
    Actor(String),
    /// Who asks. Unlike the author of a comment an app has its "[bot]" here, and is a User.
    Viewer(String),
    Repository(&'a RepositoryState),
    /// The repository of a head, of which only the name is known.
    Fork(u64, &'a str),
    Pull(&'a RepositoryState, &'a PullState),
    Comment(&'a RepositoryState, &'a PullState, &'a CommentState),
    Commit(&'a RepositoryState, String),
    PullCommit(&'a RepositoryState, String),
    ForcePush(&'a RepositoryState, &'a ForcePush),
    Connection(Box<Connection<'a>>),
    PageInfo(PageInfo),
}

/// The value of a field.
pub(crate) enum Resolved<'a> {
    Scalar(Value),
    One(Option<Node<'a>>),
    Many(Vec<Node<'a>>),
}

type Field<'a> = Option<Result<Resolved<'a>, Mistake>>;

fn scalar<'a>(value: impl Into<Value>) -> Field<'a> {
    Some(Ok(Resolved::Scalar(value.into())))
}

fn one(node: Option<Node<'_>>) -> Field<'_> {
    Some(Ok(Resolved::One(node)))
}

fn connection(part: Result<Connection<'_>, Mistake>) -> Field<'_> {
    Some(part.map(|part| Resolved::One(Some(Node::Connection(Box::new(part))))))
}

fn not_found<'a>(message: String) -> Field<'a> {
    let mistake = Mistake { message, kind: Some("NOT_FOUND"), path: Vec::new(), violates: false };
    Some(Err(mistake))
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

fn indexed<'a>(items: impl IntoIterator<Item = Node<'a>>) -> Vec<(Key, Node<'a>)> {
    (1..).zip(items).map(|(index, node)| ((index, 0), node)).collect()
}

impl<'a> Node<'a> {
    /// The object type in the schema.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Node::Query => "Query",
            Node::RateLimit => "RateLimit",
            Node::Actor(login) if login.ends_with("[bot]") => "Bot",
            Node::Actor(_) | Node::Viewer(_) => "User",
            Node::Repository(_) | Node::Fork(..) => "Repository",
            Node::Pull(..) => "PullRequest",
            Node::Comment(..) => "IssueComment",
            Node::Commit(..) => "Commit",
            Node::PullCommit(..) => "PullRequestCommit",
            Node::ForcePush(..) => "HeadRefForcePushedEvent",
            Node::Connection(connection) => connection.kind,
            Node::PageInfo(_) => "PageInfo",
        }
    }

    /// The value of a field; None when the stand-in has none for it.
    pub(crate) fn resolve(
        &self,
        run: &Execution<'a>,
        field: &str,
        arguments: &Map<String, Value>,
    ) -> Field<'a> {
        match self {
            Node::Query => query(run, field, arguments),
            Node::RateLimit => rate_limit(run, field),
            Node::Viewer(login) if field == "login" => scalar(login.as_str()),
            Node::Actor(login) | Node::Viewer(login) => actor(run, login, field),
            Node::Repository(of) => repository(run, of, field, arguments),
            Node::Fork(id, name) => fork(run, *id, name, field),
            Node::Pull(of, pull) => pull_request(run, of, pull, field, arguments),
            Node::Comment(of, pull, comment) => issue_comment(run, of, pull, comment, field),
            Node::Commit(of, sha) => commit(of, sha, field, arguments),
            Node::PullCommit(of, sha) => match field {
                "id" => scalar(format!("PURC_{sha}")),
                "commit" => one(Some(Node::Commit(of, sha.clone()))),
                _ => None,
            },
            Node::ForcePush(of, event) => force_push(of, event, field),
            Node::Connection(connection) => match field {
                "nodes" => Some(Ok(Resolved::Many(connection.nodes.clone()))),
                "totalCount" | "issueCount" => scalar(connection.total),
                "pageInfo" => one(Some(Node::PageInfo(connection.info.clone()))),
                _ => None,
            },
            Node::PageInfo(info) => match field {
                "startCursor" => scalar(info.start.clone()),
                "endCursor" => scalar(info.end.clone()),
                "hasNextPage" => scalar(info.next),
                "hasPreviousPage" => scalar(info.previous),
                _ => None,
            },
        }
    }
}

fn query<'a>(run: &Execution<'a>, field: &str, arguments: &Map<String, Value>) -> Field<'a> {
    match field {
        "viewer" => one(run.call.login().map(|login| Node::Viewer(login.to_owned()))),
        "rateLimit" => one((!run.call.enterprise).then_some(Node::RateLimit)),
        "repository" => {
            let name = format!(
                "{}/{}",
                text(arguments, "owner").unwrap_or_default(),
                text(arguments, "name").unwrap_or_default()
            );
            let follow = arguments.get("followRenames").and_then(Value::as_bool).unwrap_or(true);
            let renamed = || if follow { run.state.renamed(&name) } else { None };
            let found = run.state.repository(&name).or_else(renamed);
            match found.filter(|found| run.state.sees(found, run.call.token())) {
                Some(found) => one(Some(Node::Repository(found))),
                None => {
                    not_found(format!("Could not resolve to a Repository with the name '{name}'."))
                }
            }
        }
        "node" => {
            let id = text(arguments, "id").unwrap_or_default();
            let seen = |of: &&RepositoryState| run.state.sees(of, run.call.token());
            let mut pulls = run
                .state
                .repositories
                .iter()
                .filter(seen)
                .flat_map(|of| of.pulls.values().map(move |pull| Node::Pull(of, pull)));
            let found = pulls.find(|node| match node {
                Node::Pull(_, pull) => node_id("PR", pull.id) == id,
                _ => false,
            });
            match found {
                Some(found) => one(Some(found)),
                None => {
                    not_found(format!("Could not resolve to a node with the global id of '{id}'"))
                }
            }
        }
        "search" => {
            let query = text(arguments, "query").unwrap_or_default();
            let issues = text(arguments, "type").is_some_and(|kind| kind.starts_with("ISSUE"));
            let found = rest::found(run.state, run.call, query).filter(|_| issues);
            let nodes = found.unwrap_or_default().into_iter();
            let nodes = indexed(nodes.map(|(of, pull)| Node::Pull(of, pull)));
            connection(cut("SearchResultItemConnection", field, nodes, false, arguments))
        }
        _ => None,
    }
}

fn rate_limit<'a>(run: &Execution<'a>, field: &str) -> Field<'a> {
    let limit = limit(run.call, "graphql");
    let key = run.call.token.as_ref().map(|(value, _)| value.clone()).unwrap_or_default();
    let used = run.state.used.get(&(key, "graphql")).copied().unwrap_or_default();
    match field {
        "cost" | "nodeCount" => scalar(1),
        "limit" => scalar(limit),
        "used" => scalar(used),
        "remaining" => scalar(limit.saturating_sub(used)),
        "resetAt" => scalar(iso(reset(run.state))),
        _ => None,
    }
}

fn actor<'a>(run: &Execution<'a>, login: &str, field: &str) -> Field<'a> {
    match field {
        // GraphQL has the login of an app without REST's "[bot]".
        "login" => scalar(login.strip_suffix("[bot]").unwrap_or(login)),
        "url" => scalar(format!("{}/{login}", run.call.web)),
        "id" => scalar(node_id("U", user_id(login))),
        "databaseId" => scalar(user_id(login)),
        _ => None,
    }
}

fn fork<'a>(run: &Execution<'a>, id: u64, full_name: &str, field: &str) -> Field<'a> {
    let (owner, name) = full_name.split_once('/').unwrap_or_default();
    match field {
        "id" => scalar(node_id("R", id)),
        "databaseId" => scalar(id),
        "name" => scalar(name),
        "nameWithOwner" => scalar(full_name),
        "owner" => one(Some(Node::Actor(owner.to_owned()))),
        "isFork" => scalar(true),
        "isPrivate" | "isArchived" | "isDisabled" => scalar(false),
        "url" => scalar(format!("{}/{full_name}", run.call.web)),
        _ => None,
    }
}

fn repository<'a>(
    run: &Execution<'a>,
    of: &'a RepositoryState,
    field: &str,
    arguments: &Map<String, Value>,
) -> Field<'a> {
    match field {
        "id" => scalar(node_id("R", of.id)),
        "databaseId" => scalar(of.id),
        "name" => scalar(of.name.clone()),
        "nameWithOwner" => scalar(of.full_name()),
        "owner" => one(Some(Node::Actor(of.owner.clone()))),
        "url" => scalar(format!("{}/{}", run.call.web, of.full_name())),
        "isArchived" => scalar(of.archived),
        "isPrivate" => scalar(of.private),
        "isDisabled" | "isFork" => scalar(false),
        "object" => {
            let wanted = text(arguments, "oid").or_else(|| text(arguments, "expression"));
            let sha = wanted.and_then(|wanted| of.resolve(wanted));
            one(sha.map(|sha| Node::Commit(of, sha)))
        }
        "pullRequest" => {
            let number = arguments.get("number").and_then(Value::as_u64).unwrap_or_default();
            match of.pulls.get(&number) {
                Some(pull) => one(Some(Node::Pull(of, pull))),
                None => not_found(format!(
                    "Could not resolve to a PullRequest with the number of {number}."
                )),
            }
        }
        "pullRequests" => {
            run.touch(Touched::Pulls(of.id));
            connection(pull_requests(of, field, arguments))
        }
        _ => None,
    }
}

fn commit<'a>(
    of: &'a RepositoryState,
    sha: &str,
    field: &str,
    arguments: &Map<String, Value>,
) -> Field<'a> {
    let known = of.commits.get(sha);
    match field {
        "id" => scalar(format!("C_{sha}")),
        "oid" => scalar(sha),
        "abbreviatedOid" => scalar(sha.get(..7).unwrap_or(sha)),
        "message" => scalar(known.map(|commit| commit.message.clone()).unwrap_or_default()),
        "committedDate" => scalar(iso(known.map(|commit| commit.at).unwrap_or_default())),
        "parents" => {
            let parents = known.map(|commit| commit.parents.clone()).unwrap_or_default();
            let nodes = parents.into_iter().map(|sha| Node::Commit(of, sha));
            connection(cut("CommitConnection", field, indexed(nodes), false, arguments))
        }
        "associatedPullRequests" => {
            let found = rest::introduced_by(of, sha).into_iter();
            let nodes = indexed(found.map(|pull| Node::Pull(of, pull)));
            connection(cut("PullRequestConnection", field, nodes, false, arguments))
        }
        _ => None,
    }
}

fn force_push<'a>(of: &'a RepositoryState, event: &ForcePush, field: &str) -> Field<'a> {
    // Commits that the repository lost are null, as after a garbage collection.
    let commit = |sha: &String| of.commits.contains_key(sha).then(|| Node::Commit(of, sha.clone()));
    match field {
        "id" => scalar(node_id("HRFPE", event.id)),
        "beforeCommit" => one(commit(&event.before)),
        "afterCommit" => one(commit(&event.after)),
        "createdAt" => scalar(iso(event.at)),
        "actor" => one(Some(Node::Actor("contributor".to_owned()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
