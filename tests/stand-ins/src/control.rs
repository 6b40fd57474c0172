//! Control over HTTP, for tests in other languages: every server answers below `/_control/`,
//! outside its faults and its record of requests.
//!
//! | Method and path | What it does |
//! |---|---|
//! | `GET /_control/requests` | the requests so far, as JSON |
//! | `DELETE /_control/requests` | forgets them |
//! | `POST /_control/faults` | switches a trouble on (a [`FaultOrder`]) |
//! | `DELETE /_control/faults` | switches all troubles off |
//!
//! The GitHub stand-in has more: see [`github::scene`](crate::github::scene).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::server::{Desk, Request, Response};

/// A trouble as JSON: `{"method": "POST", "path": "/comments", "trouble": {"html": 502},
/// "after_effect": true}`. It meets one request unless `times` or `forever` say otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    /// As in [`Fault::on`]; without it, any.
    #[serde(default = "any")]
    pub method: String,
    /// As in [`Fault::on`].
    pub path: String,
    /// What happens.
    pub trouble: TroubleOrder,
    /// How many requests it meets.
    #[serde(default = "one")]
    pub times: usize,
    /// Whether it meets all.
    #[serde(default)]
    pub forever: bool,
    /// How many fitting requests pass first.
    #[serde(default)]
    pub skip: usize,
    /// Whether the request is carried out first.
    #[serde(default)]
    pub after_effect: bool,
}

/// What happens, named like the methods of [`Fault`]: `"reset"`, `{"html": 502}`,
/// `{"retry_after": [429, 7]}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is described at the method of Fault with its name")]
pub enum TroubleOrder {
    Status(u16),
    Html(u16),
    S3(u16, String),
    Redirect(u16, String),
    RetryAfter(u16, u64),
    RateLimited(u16, u64),
    SecondaryLimit(u16),
    Reset,
    Close,
    Stall,
    StallInBody(usize),
    Truncate(usize),
    BrokenJson,
    DelayMs(u64),
    Header(String, String),
    Early(u16),
    EarlyAfter(usize, u16),
    ResetAfter(usize),
    StopAfter(usize),
    Corrupt(usize),
}

fn any() -> String {
    "*".to_owned()
}

fn one() -> usize {
    1
}

impl FaultOrder {
    /// The trouble itself.
    pub fn into_fault(self) -> Fault {
        let fault = Fault::on(&self.method, &self.path).times(self.times).skip(self.skip);
        let fault = if self.forever { fault.forever() } else { fault };
        let fault = if self.after_effect { fault.after_effect() } else { fault };
        match self.trouble {
            TroubleOrder::Status(status) => fault.status(status),
            TroubleOrder::Html(status) => fault.html(status),
            TroubleOrder::S3(status, code) => fault.s3(status, &code),
            TroubleOrder::Redirect(status, location) => fault.redirect(status, &location),
            TroubleOrder::RetryAfter(status, seconds) => fault.retry_after(status, seconds),
            TroubleOrder::RateLimited(status, reset) => fault.rate_limited(status, reset),
            TroubleOrder::SecondaryLimit(status) => fault.secondary_limit(status),
            TroubleOrder::Reset => fault.reset(),
            TroubleOrder::Close => fault.close(),
            TroubleOrder::Stall => fault.stall(),
            TroubleOrder::StallInBody(bytes) => fault.stall_in_body(bytes),
            TroubleOrder::Truncate(bytes) => fault.truncate(bytes),
            TroubleOrder::BrokenJson => fault.broken_json(),
            TroubleOrder::DelayMs(delay) => fault.delay(Duration::from_millis(delay)),
            TroubleOrder::Header(name, value) => fault.header(&name, &value),
            TroubleOrder::Early(status) => fault.early(Response::html(status)),
            TroubleOrder::EarlyAfter(bytes, status) => {
                fault.early_after(bytes, Response::html(status))
            }
            TroubleOrder::ResetAfter(bytes) => fault.reset_after(bytes),
            TroubleOrder::StopAfter(bytes) => fault.stop_after(bytes),
            TroubleOrder::Corrupt(at) => fault.corrupt(at),
        }
    }
}

/// Done, with nothing to tell.
pub(crate) fn done() -> Response {
    Response::json(200, &json!({}))
}

/// The order was not understood.
pub(crate) fn refused(reason: impl ToString) -> Response {
    Response::json(400, &json!({ "message": reason.to_string() }))
}

/// Answers what all servers have in common.
pub(crate) fn answer(request: &Request, desk: &Desk<'_>) -> Response {
    match (request.method.as_str(), request.path()) {
        ("GET", "/_control/requests") => {
            let requests: Vec<Value> = desk.requests().iter().map(|each| record(each)).collect();
            Response::json(200, &requests.into())
        }
        ("DELETE", "/_control/requests") => {
            desk.forget_requests();
            done()
        }
        ("POST", "/_control/faults") => match serde_json::from_slice::<FaultOrder>(&request.body) {
            Ok(order) => {
                desk.fault(order.into_fault());
                done()
            }
            Err(error) => refused(error),
        },
        ("DELETE", "/_control/faults") => {
            desk.clear_faults();
            done()
        }
        _ => Response::json(404, &json!({ "message": "there is no such control" })),
    }
}

fn record(request: &Request) -> Value {
    json!({
        "connection": request.connection,
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.text(),
        "body_length": request.body_length,
        "body_sha256": request.body_sha256,
        "complete": request.complete,
    })
}
