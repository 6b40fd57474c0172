//! A plain client, which follows no redirect and takes every status as it is.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

/// An answer with everything read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The address of the next page.
    pub(crate) fn next(&self) -> Option<String> {
        let link = self.header("link").split(", ").find(|link| link.ends_with("rel=\"next\""))?;
        Some(link.split(['<', '>']).nth(1)?.to_owned())
    }
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(20)))
        .user_agent("stand-ins-test")
        .allow_non_standard_methods(true)
        .build()
        .into()
}

/// Sends anything.
pub(crate) fn send(
    agent: &Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, ureq::Error> {
    let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let agent_request = request.body(body.to_vec()).unwrap();
    let mut response = agent.run(agent_request)?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response
            .body_mut()
            .with_config()
            .limit(100 << 20)
            .lossy_utf8(true)
            .read_to_string()?,
    })
}

const API: [(&str, &str); 3] = [
    ("Accept", "application/vnd.github+json"),
    ("X-GitHub-Api-Version", "2022-11-28"),
    ("Authorization", "Bearer lab-token"),
];

/// A call of GitHub's API with `lab-token`.
pub(crate) fn call(method: &str, url: &str, body: Option<Value>) -> Answer {
    try_call(method, url, body).unwrap()
}

pub(crate) fn try_call(
    method: &str,
    url: &str,
    body: Option<Value>,
) -> Result<Answer, ureq::Error> {
    let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let mut headers = API.to_vec();
    if !bytes.is_empty() {
        headers.push(("Content-Type", "application/json"));
    }
    send(&agent(), method, url, &headers, &bytes)
}

pub(crate) fn get(url: &str) -> Answer {
    call("GET", url, None)
}

pub(crate) fn comment(url: &str, body: &str) -> Answer {
    call("POST", url, Some(json!({ "body": body })))
}

pub(crate) fn graphql(url: &str, query: &str, variables: Value) -> Value {
    let answer = call("POST", url, Some(json!({ "query": query, "variables": variables })));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}
