//! Version 3: a password for a project, or an application credential.
//!
//! Source: Identity API v3 reference, "Password authentication with scoped authorization" and
//! "Authenticating with an Application Credential".

use serde::Deserialize;
use serde_json::{Value, json};

use super::catalogue::Entry;
use super::endpoint::Endpoint;
use super::identity::Identity;
use super::identity::in_domain;
use super::login::Login;
use super::{Granted, refusal};
use crate::http::{Agent, Answer, Request};
use crate::store::server::wants_tls;
use crate::store::{Fault, StoreError, Stored};

#[derive(Deserialize)]
struct Whole {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    issued_at: Option<String>,
    expires_at: Option<String>,
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    interface: String,
    region_id: Option<String>,
    region: Option<String>,
    #[serde(default)]
    url: String,
}

/// The body of a request for a token. An application credential has its project in itself, and
/// must not name one.
pub(super) fn request(identity: &Identity, scoped: bool) -> Value {
    if let Some(id) = &identity.credential_id {
        return json!({ "auth": { "identity": {
            "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": identity.secret },
        } } });
    }
    let mut user = in_domain(&identity.user, &identity.user_domain);
    user["password"] = identity.secret.clone().into();
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if let Some(project) = identity.project.as_ref().filter(|_| scoped) {
        auth["scope"] = json!({ "project": in_domain(project, &identity.project_domain) });
    }
    json!({ "auth": auth })
}

/// Takes token and catalogue out of an answer, or finds out why there are none.
pub(super) fn granted(
    login: &Login,
    agent: &Agent,
    endpoint: &Endpoint,
    answer: &Answer,
) -> Stored<Granted> {
    if is_foreign(answer) {
        return Err(refusal::nothing_there(endpoint, answer));
    }
    if answer.status == 401 {
        return Err(not_accepted(login, agent, endpoint, answer));
    }
    if !answer.is_success() {
        return Err(refusal::of(endpoint, answer, &login.said(&message(answer))));
    }
    let (Some(id), Ok(Whole { token })) =
        (answer.header("x-subject-token"), serde_json::from_slice(&answer.body))
    else {
        return Err(refusal::not_spoken(endpoint, "the answer holds no token of v3"));
    };
    if token.catalog.is_empty() {
        let projects = projects(login, agent, endpoint, id);
        return Err(no_catalogue(endpoint, &login.identity.user).advise(format!(
            "name a project: store_identity = project:user{}",
            open_to(&projects)
        )));
    }
    let entries: Vec<Entry> = token
        .catalog
        .into_iter()
        .flat_map(|service| {
            let kind = service.kind;
            service.endpoints.into_iter().map(move |address| Entry {
                service: kind.clone(),
                region: address.region_id.or(address.region).unwrap_or_default(),
                interface: address.interface,
                url: address.url,
            })
        })
        .collect();
    Ok(Granted {
        token: id.to_owned(),
        storage_url: login.storage_url(endpoint, &entries)?,
        life: login.life(token.issued_at.as_deref(), token.expires_at.as_deref()),
    })
}

/// Whether a refusal is none of Keystone's, which says why in JSON.
pub(super) fn is_foreign(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403)
        && !wants_tls(answer)
        && serde_json::from_slice::<Value>(&answer.body).is_err()
}

/// A token that opens nothing, because it is for no project.
pub(super) fn no_catalogue(endpoint: &Endpoint, whose: &str) -> StoreError {
    StoreError::new(
        Fault::Refused,
        format!("the token of {whose} belongs to no project and has no catalogue of services"),
    )
    .at(endpoint.display())
    .advise("name a project: store_identity = project:user")
}

/// Keystone says the same of a wrong password and of a project that is not there. A token without
/// a project tells the two apart; this costs a request or two, and only when nothing works.
fn not_accepted(login: &Login, agent: &Agent, endpoint: &Endpoint, answer: &Answer) -> StoreError {
    let identity = &login.identity;
    let refused = |what: String, advice: String| {
        StoreError::new(Fault::Refused, what).at(endpoint.display()).advise(advice)
    };
    if answer.header("openstack-auth-receipt").is_some() {
        return refused(
            format!("user {} needs a second factor", identity.user),
            "use an application credential: store_credential_id and its secret".to_owned(),
        );
    }
    if identity.credential_id.is_some() {
        return refused(
            "the application credential is not accepted: its id or secret is wrong, or it has \
             expired"
                .to_owned(),
            "check store_credential_id and store_secret, or make a new one".to_owned(),
        );
    }
    let wrong = || {
        refused(
            format!(
                "the secret is wrong, or there is no user {} in domain {}",
                identity.user, identity.user_domain
            ),
            "check store_identity, store_secret and store_user_domain".to_owned(),
        )
    };
    let Some(project) = &identity.project else { return wrong() };
    let unscoped = match login.post(agent, endpoint, &request(identity, false)) {
        Ok(answer) if answer.is_success() => answer,
        _ => return wrong(),
    };
    let token = unscoped.header("x-subject-token").unwrap_or_default();
    let projects = projects(login, agent, endpoint, token);
    refused(
        format!(
            "user {} has no project {project} in domain {}",
            identity.user, identity.project_domain
        ),
        format!(
            "check the project in store_identity, and store_project_domain{}",
            open_to(&projects)
        ),
    )
}

/// The names of the projects that are open to whoever holds the token; empty if that is not told.
fn projects(login: &Login, agent: &Agent, endpoint: &Endpoint, token: &str) -> Vec<String> {
    let url = endpoint.projects_url();
    let request = Request::new("GET", &url).header("x-auth-token", token);
    let Ok(answer) = login.exchange(agent, endpoint, request) else { return Vec::new() };
    let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let names = list["projects"].as_array().into_iter().flatten();
    names.filter_map(|project| project["name"].as_str()).take(10).map(|n| login.said(n)).collect()
}

fn open_to(projects: &[String]) -> String {
    match projects {
        [] => String::new(),
        projects => format!(" (open to this user: {})", projects.join(", ")),
    }
}

/// Keystone's own words in an answer that refuses.
pub(super) fn message(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["error"]["message"].as_str().unwrap_or_default().to_owned()
}
