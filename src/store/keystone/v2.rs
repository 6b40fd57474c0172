//! Version 2.0: tenants instead of projects, no domains. Keystone itself has given it up; old
//! clouds and other programs still speak it.
//!
//! Source: Identity API v2.0 reference.

use serde::Deserialize;
use serde_json::json;

use super::catalogue::Entry;
use super::endpoint::Endpoint;
use super::identity::is_id;
use super::login::Login;
use super::{Granted, refusal, v3};
use crate::http::Agent;
use crate::store::Stored;

#[derive(Deserialize)]
struct Whole {
    access: Access,
}

#[derive(Deserialize)]
struct Access {
    token: Token,
    #[serde(default, rename = "serviceCatalog")]
    catalogue: Vec<Service>,
}

#[derive(Deserialize)]
struct Token {
    id: String,
    issued_at: Option<String>,
    expires: Option<String>,
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
    #[serde(default)]
    region: Option<String>,
    #[serde(rename = "publicURL")]
    public: Option<String>,
    #[serde(rename = "internalURL")]
    internal: Option<String>,
    #[serde(rename = "adminURL")]
    admin: Option<String>,
}

pub(super) fn log_in(login: &Login, agent: &Agent, endpoint: &Endpoint) -> Stored<Granted> {
    let identity = &login.identity;
    let tenant = identity.project.as_deref().unwrap_or_default();
    let tenant_name = if is_id(tenant) { "tenantId" } else { "tenantName" };
    let request = json!({ "auth": {
        tenant_name: tenant,
        "passwordCredentials": { "username": identity.user, "password": identity.secret },
    } });
    let answer = login.post(agent, endpoint, &request)?;
    if !answer.is_success() {
        let failure = refusal::of(endpoint, &answer, &login.said(&v3::message(&answer)));
        return Err(match answer.status {
            401 => failure.advise("check store_identity (tenant:user) and store_secret"),
            _ => failure,
        });
    }
    let Ok(Whole { access }) = serde_json::from_slice(&answer.body) else {
        return Err(refusal::not_spoken(endpoint, "the answer holds no token of v2.0"));
    };
    if access.catalogue.is_empty() {
        return Err(v3::no_catalogue(endpoint, &format!("tenant {tenant}")));
    }
    Ok(Granted {
        storage_url: login.storage_url(endpoint, &entries(access.catalogue))?,
        life: login.life(access.token.issued_at.as_deref(), access.token.expires.as_deref()),
        token: access.token.id,
    })
}

fn entries(services: Vec<Service>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for service in services {
        for address in service.endpoints {
            let interfaces = [
                ("public", address.public),
                ("internal", address.internal),
                ("admin", address.admin),
            ];
            for (interface, url) in interfaces {
                entries.extend(url.map(|url| Entry {
                    service: service.kind.clone(),
                    region: address.region.clone().unwrap_or_default(),
                    interface: interface.to_owned(),
                    url,
                }));
            }
        }
    }
    entries
}
