//! Answers of Swift that say no, in words that a user understands.

use super::Swift;
use super::call::Call;
use super::right::Doing;
use crate::http::Answer;
use crate::store::keystone::refusal;
use crate::store::server;
use crate::store::{Fault, StoreError, Stored};

impl Swift {
    /// The answer itself if it is a success.
    pub(super) fn checked(&self, call: &Call<'_>, answer: Answer) -> Stored<Answer> {
        if answer.is_success() { Ok(answer) } else { Err(self.refusal(call.doing(), &answer)) }
    }

    /// Refuses the success of a PUT that is none: a page of something in between.
    pub(super) fn of_swift(&self, answer: Answer) -> Stored<Answer> {
        match answer.is_success() && answer.status != 201 && answer.header("etag").is_none() {
            true => Err(self.no_swift("an object was sent, and it is not said to be stored")),
            false => Ok(answer),
        }
    }

    /// What may be done about an answer to `doing`, and the words for the user.
    pub(super) fn refusal(&self, doing: Doing, answer: &Answer) -> StoreError {
        let status = answer.status;
        let plain = |fault, what: String| StoreError::new(fault, what);
        let busy = || {
            plain(
                Fault::Busy(server::retry_after(answer)),
                format!("the store is busy: HTTP status {status}"),
            )
        };
        let failure = match status {
            300..=399 => {
                return refusal::moved(&self.name, self.name.starts_with("https://"), answer);
            }
            400 if server::wants_tls(answer) => return server::wants_https(&self.name),
            401 => plain(Fault::Refused, "the store does not accept the token".to_owned())
                .advise("check that store_endpoint and store_region belong to the same cloud"),
            403 => self.not_allowed(doing, answer),
            404 => self.missing(answer),
            // Swift says the same of an object that is too large and of a quota.
            413 => plain(
                Fault::Refused,
                "the store takes no more: the file is too large, or the quota is used up"
                    .to_owned(),
            )
            .advise("have the operator raise the quota, or send less: exclude, max_file"),
            501 | 505 => {
                plain(Fault::Refused, format!("the store does not know this: HTTP status {status}"))
            }
            422 => plain(Fault::Mismatch, "what arrived is not what was sent".to_owned()),
            // 498 is Swift's own for too many requests, 507 a disk that is full.
            429 | 498 | 503 | 507 => busy(),
            408 | 409 | 499 | 500..=599 => {
                plain(Fault::Unreachable, format!("the store failed: HTTP status {status}"))
            }
            _ => plain(
                Fault::Refused,
                format!("the store refused: HTTP status {status}{}", said(answer)),
            ),
        };
        failure.at(self.name.clone())
    }

    /// Swift says the same of an object and of a container that are not there; Ceph does not.
    fn missing(&self, answer: &Answer) -> StoreError {
        if answer.text().contains("NoSuchBucket") {
            return self.no_container();
        }
        let what = format!("it is not in container {}", self.container);
        StoreError::new(Fault::NotFound, what)
    }

    /// The container is not there, and may not be made.
    pub(super) fn no_container(&self) -> StoreError {
        StoreError::new(Fault::NotFound, format!("the container {} does not exist", self.container))
            .at(self.name.clone())
            .advise("check store_container, make the container, or set store_create = true")
    }

    /// The container was made a moment ago, and not all of the cluster knows.
    pub(super) fn not_yet(&self) -> StoreError {
        StoreError::new(
            Fault::Busy(Some(std::time::Duration::from_secs(1))),
            format!("the container {} was made, but is not seen yet", self.container),
        )
        .at(self.name.clone())
    }

    /// Something answers there, but not Swift.
    pub(super) fn no_swift(&self, why: &str) -> StoreError {
        StoreError::new(Fault::Refused, format!("this does not answer like Swift: {why}"))
            .at(self.name.clone())
            .advise("check store_endpoint, and the object store in the cloud's catalogue")
    }
}

/// The MD5 in an answer, if it holds one.
pub(super) fn etag(answer: &Answer) -> Option<String> {
    let etag = answer.header("etag")?.trim_matches('"').to_ascii_lowercase();
    let md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    md5.then_some(etag)
}

/// The first words of a plain answer; Swift's pages say nothing that the status does not.
fn said(answer: &Answer) -> String {
    let text = answer.text();
    let plain = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    let line: String = text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    if plain && !line.is_empty() { format!(", {line}") } else { String::new() }
}
