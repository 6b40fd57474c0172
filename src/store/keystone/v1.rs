//! Version 1: user and key in two headers, token and address in two others.
//!
//! Source: Swift, "The Auth System", TempAuth. Ceph speaks it too.

use std::time::Duration;

use super::endpoint::Endpoint;
use super::login::Login;
use super::{Granted, refusal};
use crate::http::{Agent, Request};
use crate::store::Stored;

pub(super) fn log_in(login: &Login, agent: &Agent, endpoint: &Endpoint) -> Stored<Granted> {
    let identity = &login.identity;
    let account = identity.project.as_deref().unwrap_or_default();
    let url = endpoint.tokens_url();
    let request = Request::new("GET", &url)
        .header("x-auth-user", format!("{account}:{}", identity.user))
        .header("x-auth-key", identity.secret.clone());
    let answer = login.exchange(agent, endpoint, request)?;
    if matches!(answer.status, 401 | 403) {
        // What is said there is a web page.
        return Err(refusal::of(endpoint, &crate::http::Answer { status: 401, ..answer }, ""));
    }
    if !answer.is_success() {
        return Err(refusal::of(endpoint, &answer, ""));
    }
    let token = answer.header("x-auth-token").or_else(|| answer.header("x-storage-token"));
    let (Some(token), Some(storage_url)) = (token, answer.header("x-storage-url")) else {
        return Err(refusal::not_spoken(endpoint, "the answer has no X-Storage-Url"));
    };
    let life = answer.header("x-auth-token-expires").and_then(|seconds| seconds.parse().ok());
    Ok(Granted {
        token: token.to_owned(),
        storage_url: login.checked(endpoint, at_endpoint(endpoint, storage_url))?,
        life: life.map(Duration::from_secs),
    })
}

/// The storage address as it is reached from here: behind something that ends TLS the server
/// itself knows only of http, and answers with that and perhaps with its inner port.
fn at_endpoint(endpoint: &Endpoint, storage_url: &str) -> String {
    let host = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest).to_ascii_lowercase();
        let authority = rest.split('/').next().unwrap_or_default().to_owned();
        match authority.find(']') {
            Some(end) => authority[..=end].to_owned(),
            None => authority.split(':').next().unwrap_or_default().to_owned(),
        }
    };
    let plain = storage_url.to_ascii_lowercase().starts_with("http://");
    if endpoint.is_https() && plain && host(storage_url) == host(endpoint.origin()) {
        let rest = &storage_url["http://".len()..];
        let path = rest.find('/').map_or("", |slash| &rest[slash..]);
        return format!("{}{path}", endpoint.origin());
    }
    storage_url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_url_with_the_scheme_behind_the_proxy_is_mended() {
        let endpoint = Endpoint::parse("https://s.example.org/auth/v1.0").unwrap();
        for (said, used) in [
            ("http://s.example.org/v1/AUTH_a", "https://s.example.org/v1/AUTH_a"),
            ("http://s.example.org:8080/v1/AUTH_a", "https://s.example.org/v1/AUTH_a"),
            ("https://s.example.org:8443/v1/AUTH_a", "https://s.example.org:8443/v1/AUTH_a"),
            ("http://other.example.org/v1/AUTH_a", "http://other.example.org/v1/AUTH_a"),
        ] {
            assert_eq!(at_endpoint(&endpoint, said), used);
        }
    }
}
