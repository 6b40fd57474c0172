//! What GraphQL brings in one call where REST needs many, or twenty times the bytes.
//!
//! It is not to be had without a token, and some servers and tokens refuse it. Then `None` comes
//! back, it is not asked again, and the caller goes on by REST.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::{Call, Repeat};
use super::{CallError, GitHub, History, OpenPulls, PullRequest, Repository, State};
use crate::error::Result;

/// How many pull requests a page holds.
const PER_PAGE: u32 = 100;
/// Fewer are not asked for, however slow GitHub is.
const LEAST_PER_PAGE: u32 = 25;
/// How many of the most recently updated pull requests are looked at for replaced heads.
const RECENT: u32 = 50;

const OPEN_PULLS: &str = "query($owner:String!,$repo:String!,$first:Int!,$after:String){\
    repository(owner:$owner,name:$repo){nameWithOwner url isPrivate \
    pullRequests(states:OPEN,first:$first,after:$after,orderBy:{field:UPDATED_AT,direction:DESC}){\
    pageInfo{hasNextPage endCursor} \
    nodes{number url title state locked headRefOid headRefName isCrossRepository baseRefName \
    baseRefOid potentialMergeCommit{oid}}}} viewer{login}}";

const SEARCH: &str = "query($search:String!){search(type:ISSUE,query:$search,first:10){\
    nodes{... on PullRequest{number url title state locked headRefOid headRefName \
    isCrossRepository baseRefName baseRefOid mergeCommit{oid} \
    commits(last:100){nodes{commit{oid}}} \
    timelineItems(itemTypes:[HEAD_REF_FORCE_PUSHED_EVENT],last:50){nodes{\
    ... on HeadRefForcePushedEvent{beforeCommit{oid} afterCommit{oid}}}}}}}}";

const RECENT_HISTORIES: &str = "query($owner:String!,$repo:String!,$first:Int!){\
    repository(owner:$owner,name:$repo){\
    pullRequests(states:OPEN,first:$first,orderBy:{field:UPDATED_AT,direction:DESC}){\
    nodes{number url title state locked headRefOid headRefName \
    isCrossRepository baseRefName baseRefOid mergeCommit{oid} \
    commits(last:50){nodes{commit{oid}}} \
    timelineItems(itemTypes:[HEAD_REF_FORCE_PUSHED_EVENT],last:20){nodes{\
    ... on HeadRefForcePushedEvent{beforeCommit{oid} afterCommit{oid}}}}}}}}";

const HISTORY: &str = "query($owner:String!,$repo:String!,$number:Int!){\
    repository(owner:$owner,name:$repo){\
    pullRequest(number:$number){number url title state locked headRefOid headRefName \
    isCrossRepository baseRefName baseRefOid mergeCommit{oid} \
    commits(last:100){nodes{commit{oid}}} \
    timelineItems(itemTypes:[HEAD_REF_FORCE_PUSHED_EVENT],last:50){nodes{\
    ... on HeadRefForcePushedEvent{beforeCommit{oid} afterCommit{oid}}}}}}}";

const VIEWER: &str = "query{viewer{login}}";

#[derive(Deserialize)]
struct AnswerJson<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<ErrorJson>,
}

#[derive(Deserialize)]
struct ErrorJson {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
struct ViewerData {
    viewer: Login,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenPullsData {
    repository: Option<RepositoryNode>,
    viewer: Option<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryNode {
    name_with_owner: String,
    url: String,
    is_private: bool,
    pull_requests: PullRequests,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequests {
    page_info: PageInfo,
    nodes: Vec<Option<PullNode>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullNode {
    number: u64,
    url: String,
    #[serde(default)]
    title: String,
    state: String,
    #[serde(default)]
    locked: bool,
    head_ref_oid: String,
    head_ref_name: String,
    is_cross_repository: bool,
    base_ref_name: String,
    base_ref_oid: String,
    potential_merge_commit: Option<Oid>,
    merge_commit: Option<Oid>,
    commits: Option<Nodes<CommitNode>>,
    timeline_items: Option<Nodes<ForcePush>>,
}

#[derive(Deserialize)]
struct Oid {
    oid: String,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Option<Vec<Option<T>>>,
}

#[derive(Deserialize)]
struct CommitNode {
    commit: Oid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForcePush {
    before_commit: Option<Oid>,
    after_commit: Option<Oid>,
}

impl<T> Nodes<T> {
    fn list(nodes: Option<Nodes<T>>) -> impl Iterator<Item = T> {
        nodes.and_then(|nodes| nodes.nodes).into_iter().flatten().flatten()
    }
}

impl From<PullNode> for History {
    fn from(node: PullNode) -> History {
        let state = match node.state.as_str() {
            "OPEN" => State::Open,
            "MERGED" => State::Merged,
            _ => State::Closed,
        };
        let merge = node.merge_commit.or(node.potential_merge_commit);
        let pull_request = PullRequest {
            number: node.number,
            url: node.url,
            title: node.title,
            head_sha: node.head_ref_oid.to_ascii_lowercase(),
            merge_sha: merge.map(|commit| commit.oid.to_ascii_lowercase()),
            state,
            locked: node.locked,
            base_branch: node.base_ref_name,
            base_sha: node.base_ref_oid.to_ascii_lowercase(),
            head_branch: (!node.is_cross_repository).then_some(node.head_ref_name),
        };
        let pushes = Nodes::list(node.timeline_items);
        History {
            pull_request,
            commits: Nodes::list(node.commits).map(|node| node.commit.oid).collect(),
            replaced_heads: pushes
                .flat_map(|push| [push.before_commit, push.after_commit])
                .flatten()
                .map(|commit| commit.oid)
                .collect(),
        }
    }
}

impl GitHub<'_> {
    /// All open pull requests, each one once: by GraphQL, or by REST where GraphQL is not to be
    /// had. What the repository and the token's owner are called is learnt on the way.
    pub fn open_pulls(&self) -> Result<OpenPulls> {
        match self.open_pulls_by_graphql()? {
            Some(pulls) => Ok(OpenPulls { pulls, by: "GraphQL" }),
            None => Ok(OpenPulls { pulls: self.open_pulls_by_rest()?, by: "REST" }),
        }
    }

    fn open_pulls_by_graphql(&self) -> Result<Option<Vec<PullRequest>>> {
        let mut pulls: Vec<PullRequest> = Vec::new();
        let (mut first, mut after) = (PER_PAGE, None);
        loop {
            let mut variables = self.names();
            variables["first"] = json!(first);
            variables["after"] = json!(after);
            let repeat = if first > LEAST_PER_PAGE { Repeat::AskForLess } else { Repeat::Briefly };
            let data: OpenPullsData = match self.query(OPEN_PULLS, variables, repeat) {
                Ok(Some(data)) => data,
                Ok(None) => return Ok(None),
                Err(error) if error.asks_for_less() && first > LEAST_PER_PAGE => {
                    first /= 2;
                    continue;
                }
                Err(error) => return self.without_graphql(error),
            };
            let Some(repository) = data.repository else {
                return self.without_graphql_because("it does not show the repository");
            };
            if let Some(viewer) = data.viewer {
                self.memory().viewer = Some(Some(viewer.login));
            }
            self.learn(&Repository {
                full_name: repository.name_with_owner,
                url: repository.url,
                private: Some(repository.is_private),
            });
            for node in repository.pull_requests.nodes.into_iter().flatten() {
                if !pulls.iter().any(|pull| pull.number == node.number) {
                    pulls.push(History::from(node).pull_request);
                }
            }
            let page = repository.pull_requests.page_info;
            match page.end_cursor {
                // A cursor that stands still would never end.
                Some(cursor) if page.has_next_page && after.as_ref() != Some(&cursor) => {
                    after = Some(cursor);
                }
                _ => return Ok(Some(pulls)),
            }
        }
    }

    /// The pull requests that a search for the commit brings, with the commits that they had.
    pub fn search_histories(&self, sha: &str) -> Result<Option<Vec<History>>> {
        #[derive(Deserialize)]
        struct Data {
            search: Nodes<Value>,
        }
        let search = format!("repo:{} is:pr {sha}", self.full_name());
        let asked = self.query::<Data>(SEARCH, json!({ "search": search }), Repeat::Briefly);
        let data = match asked {
            Ok(data) => data,
            Err(error) => return self.without_graphql(error),
        };
        // An entry that is no pull request is an empty object.
        let read = |node: Value| serde_json::from_value::<PullNode>(node).ok().map(History::from);
        Ok(data.map(|data| Nodes::list(Some(data.search)).filter_map(read).collect()))
    }

    /// The most recently updated open pull requests with the commits that they had.
    pub fn recent_histories(&self) -> Result<Option<Vec<History>>> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Inner>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Inner {
            pull_requests: Nodes<PullNode>,
        }
        let mut variables = self.names();
        variables["first"] = json!(RECENT);
        let data = match self.query::<Data>(RECENT_HISTORIES, variables, Repeat::Briefly) {
            Ok(data) => data.and_then(|data| data.repository),
            Err(error) => return self.without_graphql(error),
        };
        Ok(data.map(|data| Nodes::list(Some(data.pull_requests)).map(History::from).collect()))
    }

    /// One pull request with the commits that it had.
    pub fn history(&self, number: u64) -> Result<Option<History>> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Inner>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Inner {
            pull_request: Option<PullNode>,
        }
        let mut variables = self.names();
        variables["number"] = json!(number);
        match self.query::<Data>(HISTORY, variables, Repeat::Briefly) {
            Ok(data) => Ok(data
                .and_then(|data| data.repository)
                .and_then(|repository| repository.pull_request)
                .map(History::from)),
            Err(error) => self.without_graphql(error),
        }
    }

    /// Whose token this is.
    pub(super) fn viewer_by_graphql(&self) -> Result<Option<String>> {
        match self.query::<ViewerData>(VIEWER, json!({}), Repeat::Briefly) {
            Ok(data) => Ok(data.map(|data| data.viewer.login)),
            Err(error) => self.without_graphql(error),
        }
    }

    fn names(&self) -> Value {
        let memory = self.memory();
        json!({ "owner": memory.owner, "repo": memory.repo })
    }

    /// Asks; None where GraphQL is not to be had.
    fn query<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
        repeat: Repeat,
    ) -> Result<Option<T>, CallError> {
        if self.token.is_none() || self.memory().no_graphql.is_some() {
            return Ok(None);
        }
        let call = Call {
            method: "POST",
            url: self.address.graphql().to_owned(),
            body: Some(json!({ "query": query, "variables": variables })),
            repeat,
        };
        let (answer, _) = self.call::<AnswerJson<T>>(&call)?;
        if answer.errors.is_empty() {
            return Ok(answer.data);
        }
        let messages: Vec<_> = answer.errors.into_iter().map(|error| error.message).collect();
        self.without_graphql_because(&messages.join("; ")).map_err(CallError::from)
    }

    /// A failure of GraphQL stops nothing, unless there is no time left or nobody wants to go on.
    fn without_graphql<T>(&self, error: CallError) -> Result<Option<T>> {
        if error.is_final() {
            return Err(error.into_error());
        }
        self.without_graphql_because(&error.to_string())
    }

    fn without_graphql_because<T>(&self, why: &str) -> Result<Option<T>> {
        let why = self.submission.redactor.text(why).into_owned();
        self.submission.events.note(format!("GraphQL is not to be had, going on by REST: {why}"));
        self.memory().no_graphql = Some(why);
        Ok(None)
    }
}
