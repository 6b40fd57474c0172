//! One login: the request in the language of the server, the answer, the store's address.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::catalogue::{self, Entry};
use super::endpoint::{Endpoint, Version};
use super::identity::Identity;
use super::{Granted, refusal, v1, v2, v3};
use crate::error::{Error, Result};
use crate::events::Events;
use crate::http::{Agent, Answer, Exchange, Payload, Request, display_url};
use crate::redact::Redactor;
use crate::status::Status;
use crate::store::server::{self, Known};
use crate::store::{Fault, StoreError, Stored};
use crate::submission::{Clock, Submission};

/// The most of an answer that is read: catalogues of large clouds have some 100 KiB.
const ANSWER_LIMIT: u64 = 4 << 20;

/// All that is known for asking for a token.
pub(super) struct Login {
    /// With the version, once that is known.
    endpoint: Mutex<Endpoint>,
    pub(super) identity: Identity,
    region: Option<String>,
    interface: String,
    allow_http: bool,
    clock: Clock,
    events: Arc<Events>,
    redactor: Redactor,
    known: Known,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Login {
    /// Reads `store_endpoint`, `store_region`, `store_interface`, `allow_http` and what
    /// [`Identity`] reads.
    pub(super) fn new(submission: &Submission) -> Result<Login> {
        let settings = &submission.settings;
        let url = settings.text("store_endpoint").unwrap_or_default();
        let endpoint = Endpoint::parse(url)?;
        let allow_http = settings.flag("allow_http");
        if !endpoint.is_https() && !is_loopback(endpoint.origin()) && !allow_http {
            return Err(Error::new(
                Status::BadSetting,
                "store_endpoint is http, and anyone on the way could read the password",
            )
            .at(endpoint.display())
            .advise("use https, or set allow_http = true"));
        }
        let identity = Identity::from_settings(settings, &endpoint)?;
        Ok(Login {
            endpoint: Mutex::new(endpoint),
            identity,
            region: settings.text("store_region").map(str::to_owned),
            interface: settings.text("store_interface").unwrap_or("public").to_owned(),
            allow_http,
            clock: submission.clock,
            events: Arc::clone(&submission.events),
            redactor: submission.redactor.clone(),
            known: Known::default(),
        })
    }

    /// Whether it is the service of a time before there were projects and roles.
    pub(super) fn is_v1(&self) -> bool {
        let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner);
        endpoint.version == Some(Version::V1)
    }

    /// Asks for a token.
    pub(super) fn log_in(&self, agent: &Agent) -> Stored<Granted> {
        let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if endpoint.version.is_some() {
            return self.ask(agent, &endpoint);
        }
        // Without a version in the address it is v3 nearly always; where it is not, the service
        // tells what it speaks.
        let answer = self.post(agent, &endpoint, &v3::request(&self.identity, true))?;
        if !matches!(answer.status, 300 | 404 | 405 | 410) && !v3::is_foreign(&answer) {
            return v3::granted(self, agent, &endpoint, &answer);
        }
        let list =
            self.exchange(agent, &endpoint, Request::new("GET", &endpoint.versions_url()))?;
        let Some(found) = endpoint.newest(&list.body) else {
            return Err(refusal::nothing_there(&endpoint, &answer));
        };
        let granted = self.ask(agent, &found)?;
        *self.endpoint.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(granted)
    }

    fn ask(&self, agent: &Agent, endpoint: &Endpoint) -> Stored<Granted> {
        match endpoint.version {
            Some(Version::V1) => v1::log_in(self, agent, endpoint),
            Some(Version::V2) => v2::log_in(self, agent, endpoint),
            _ => {
                let answer = self.post(agent, endpoint, &v3::request(&self.identity, true))?;
                v3::granted(self, agent, endpoint, &answer)
            }
        }
    }

    /// Sends a request for a token.
    pub(super) fn post(&self, agent: &Agent, endpoint: &Endpoint, json: &Value) -> Stored<Answer> {
        let (url, body) = (endpoint.tokens_url(), json.to_string());
        let request = Request::new("POST", &url)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .payload(Payload::Bytes(body.as_bytes()));
        self.exchange(agent, endpoint, request)
    }

    /// Sends any request to the identity service.
    pub(super) fn exchange(
        &self,
        agent: &Agent,
        endpoint: &Endpoint,
        mut request: Request<'_>,
    ) -> Stored<Answer> {
        request.answer_limit = Some(ANSWER_LIMIT);
        match agent.exchange(request) {
            Exchange::Answered(answer) => {
                self.known.answered();
                match &answer.cut {
                    Some(why) => Err(server::unreachable(&endpoint.display(), why.clone())),
                    None => Ok(answer),
                }
            }
            Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
                let place = endpoint.display();
                Err(self.known.no_answer(agent, &place, endpoint.origin(), failure))
            }
        }
    }

    /// The address of the store, and a warning where the region was not said and matters.
    pub(super) fn storage_url(&self, endpoint: &Endpoint, entries: &[Entry]) -> Stored<String> {
        let chosen = catalogue::choose(entries, self.region.as_deref(), &self.interface)
            .map_err(|failure| failure.at(endpoint.display()))?;
        if !chosen.others.is_empty() {
            self.events.warn(format!(
                "the store has several regions, and {} is used; there are also: {}. Set \
                 store_region to choose one",
                chosen.region,
                chosen.others.join(", ")
            ));
        }
        self.checked(endpoint, chosen.url)
    }

    /// Refuses to send the token to an address that is none, or where others could read it.
    pub(super) fn checked(&self, endpoint: &Endpoint, url: String) -> Stored<String> {
        let url = url.trim_end_matches('/').to_owned();
        let lower = url.to_ascii_lowercase();
        if lower.starts_with("https://") {
            return Ok(url);
        }
        if !lower.starts_with("http://") {
            return Err(refusal::not_spoken(endpoint, "the store's address in it is none"));
        }
        if endpoint.is_https() && !self.allow_http && !is_loopback(&url) {
            return Err(StoreError::new(
                Fault::Refused,
                "the identity service names an address of the store that is http, and anyone on \
                 the way could read the token",
            )
            .at(display_url(&url))
            .advise("have the operator mend the catalogue, or set allow_http = true"));
        }
        Ok(url)
    }

    /// How long something is good for that was issued and ends at these times of the server.
    pub(super) fn life(&self, issued: Option<&str>, ends: Option<&str>) -> Option<Duration> {
        let ends = OffsetDateTime::parse(ends?, &Rfc3339).ok()?;
        // Between two times of one clock, a clock of ours that is wrong does not matter.
        let issued = issued
            .and_then(|issued| OffsetDateTime::parse(issued, &Rfc3339).ok())
            .unwrap_or_else(|| self.clock.now());
        Some(Duration::try_from(ends - issued).unwrap_or_default())
    }

    /// What the server itself said, fit for one line and without secrets.
    pub(super) fn said(&self, text: &str) -> String {
        let line: String = text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
        let line = self.redactor.text(line.trim_end_matches('.'));
        match self.identity.secret.as_str() {
            "" => line.into_owned(),
            secret => line.replace(secret, "…"),
        }
    }
}

/// Whether the host of a URL is this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
