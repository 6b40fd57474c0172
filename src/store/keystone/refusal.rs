//! Answers of an identity service that give no token, in words that a user understands.

use super::endpoint::Endpoint;
use crate::http::{Answer, display_url};
use crate::store::server::{retry_after, wants_https, wants_tls};
use crate::store::{Fault, StoreError};

/// What the service means by a status that is the same in all versions. `said` is its own words.
pub(super) fn of(endpoint: &Endpoint, answer: &Answer, said: &str) -> StoreError {
    let status = answer.status;
    if is_of_s3(answer) {
        return nothing_there(endpoint, answer);
    }
    let said = if said.is_empty() { format!("HTTP status {status}") } else { said.to_owned() };
    let failure = match status {
        300..=399 => return moved(&endpoint.display(), endpoint.is_https(), answer),
        400 if wants_tls(answer) => return wants_https(&endpoint.display()),
        401 => StoreError::new(Fault::Refused, "the user or the secret is not accepted")
            .advise("check store_identity and store_secret"),
        403 => StoreError::new(Fault::Refused, format!("no token is given to this user: {said}"))
            .advise("ask the cloud's operator whether the user is enabled"),
        404 | 405 | 410 | 501 | 505 | 200..=299 => return nothing_there(endpoint, answer),
        429 | 498 | 503 => StoreError::new(
            Fault::Busy(retry_after(answer)),
            format!("the identity service is busy: {said}"),
        ),
        408 | 500..=599 => {
            StoreError::new(Fault::Unreachable, format!("the identity service failed: {said}"))
        }
        _ => StoreError::new(Fault::Refused, format!("the identity service refused: {said}"))
            .advise("check store_endpoint, store_identity and the domains"),
    };
    failure.at(endpoint.display())
}

/// Something answers, but not what gives tokens.
pub(super) fn nothing_there(endpoint: &Endpoint, answer: &Answer) -> StoreError {
    if is_of_s3(answer) {
        return not_spoken(endpoint, "it answers like an S3 service, which store_api = s3 is for");
    }
    not_spoken(endpoint, &format!("HTTP status {}", answer.status))
}

/// The same, with the reason.
pub(super) fn not_spoken(endpoint: &Endpoint, why: &str) -> StoreError {
    StoreError::new(
        Fault::Refused,
        format!("this does not answer like a service that gives tokens for Swift: {why}"),
    )
    .at(endpoint.display())
    .advise("give the address of Keystone (https://…/v3), or of TempAuth (https://…/auth/v1.0)")
}

/// Whether the words are those of an S3 service (Amazon S3 API reference, "Error responses").
fn is_of_s3(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim_start();
    (text.starts_with("<?xml") || text.starts_with("<Error"))
        && ["<Error>", "<Code>", "</Code>"].iter().all(|tag| text.contains(tag))
}

/// A redirect, which is never followed with a password or a token.
pub(in crate::store) fn moved(place: &str, is_https: bool, answer: &Answer) -> StoreError {
    let to = answer.header("location").map(display_url).unwrap_or_default();
    if !is_https && to.starts_with("https://") {
        return wants_https(place);
    }
    let to = if to.is_empty() { "elsewhere".to_owned() } else { format!("to {to}") };
    StoreError::new(Fault::Refused, format!("the server redirects {to}"))
        .at(place)
        .advise("check store_endpoint: credentials are not sent after a redirect")
}
