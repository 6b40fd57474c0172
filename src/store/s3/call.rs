//! One call of the API: built, signed, sent; sent again once where the answer says how to sign.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::S3;
use super::answer::{Refusal, is_error};
use super::public::Public;
use super::sign::{Query, Target, query_string};
use crate::content::Body;
use crate::http::{Agent, Answer, Exchange, Payload, Request};
use crate::store::server;
use crate::store::transfer::{Transfer, hex};
use crate::store::{Fault, Sent, StoreError, Stored};

/// From this size on a body is sent only when the server has agreed to it, so that an early
/// refusal is read instead of a broken connection.
const EXPECT_FROM: u64 = 1 << 20;

/// What is asked of the service.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    /// The object, or `None` for the bucket itself.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content<'a>,
    /// The SHA-256 of the body in base64. Some servers compare only this one with what arrives.
    pub(super) checksum: Option<String>,
    pub(super) answer_limit: Option<u64>,
    pub(super) time: Option<Duration>,
    /// Codes of errors that mean what was wanted is so already.
    pub(super) fine: &'a [&'a str],
}

/// What a call carries.
pub(super) enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    Body { body: &'a Body, range: Range<u64>, sha256: String, sent: &'a Sent<'a> },
}

impl<'a> Call<'a> {
    pub(super) fn new(method: &'a str, key: Option<&'a str>) -> Call<'a> {
        Call {
            method,
            key,
            query: Vec::new(),
            headers: Vec::new(),
            content: Content::None,
            checksum: None,
            answer_limit: None,
            time: None,
            fine: &[],
        }
    }

    /// What the user may not do, where this call is refused for want of a right.
    fn doing(&self) -> &'static str {
        match (self.method, self.key) {
            ("PUT" | "POST", Some(_)) => "write into",
            ("GET" | "HEAD", Some(_)) => "read from",
            ("DELETE", Some(_)) => "remove from",
            ("PUT", None) if self.query.is_empty() => "make",
            _ if self.asks("delete") => "remove from",
            _ if self.asks("lifecycle") && self.method == "PUT" => "change the rules of",
            _ if self.asks("lifecycle") => "read the rules of",
            _ if self.asks("list-type") => "list",
            _ => "look at",
        }
    }

    fn asks(&self, name: &str) -> bool {
        self.query.iter().any(|(known, _)| *known == name)
    }

    fn hash(&self) -> String {
        match &self.content {
            Content::None => hex(&Sha256::digest([])),
            Content::Bytes(bytes) => hex(&Sha256::digest(bytes)),
            Content::Body { sha256, .. } => sha256.clone(),
        }
    }
}

/// Where a call goes: the host and percent-encoded path, and the region that is signed for.
pub(super) struct Place {
    region: String,
    pub(super) host: String,
    pub(super) path: String,
}

impl S3 {
    /// Sends a call. An answer may bring news of the region, of another host of the same service,
    /// of the time there or of what the service does not know; then the call is signed anew and sent again, each at most once.
    pub(super) fn call(&self, agent: &Agent, call: &Call<'_>) -> Stored<Answer> {
        let mut place = self.place(call);
        let (mut moved, mut timed) = (false, false);
        loop {
            let checksum = call.checksum.as_deref().filter(|_| self.checksums.load(Relaxed));
            let acl = self.public.sends(call);
            let answer = self.send(agent, call, &place, checksum, acl)?;
            if answer.is_success() && !says_error(call, &answer) {
                return Ok(answer);
            }
            let refusal = Refusal::of(&answer);
            if call.fine.contains(&refusal.code.as_str()) {
                return Ok(answer);
            }
            if !moved && let Some(news) = self.news(agent, call, &place, &answer, &refusal) {
                (place, moved) = (news, true);
                continue;
            }
            if checksum.is_some() && refusal.knows_no_checksums() {
                self.checksums.store(false, Relaxed);
                continue;
            }
            if acl && self.public.yields(&refusal) {
                continue;
            }
            // An answer to HEAD has no words; there the clocks themselves tell.
            let skewed = refusal.code == "RequestTimeTooSkewed"
                || (call.method, answer.status) == ("HEAD", 403)
                    && self.signer.is_off(refusal.date);
            if let (false, true, Some(date)) = (timed, skewed, refusal.date) {
                self.signer.set_time(date);
                timed = true;
                continue;
            }
            return Err(refusal.into_error(call.doing(), self.endpoint.bucket(), &self.name));
        }
    }

    pub(super) fn place(&self, call: &Call<'_>) -> Place {
        let region = self.signer.region();
        Place { host: self.endpoint.host(&region), path: self.endpoint.path(call.key), region }
    }

    /// Where the call belongs, if the answer says that it belongs elsewhere within the service.
    fn news(
        &self,
        agent: &Agent,
        call: &Call<'_>,
        place: &Place,
        answer: &Answer,
        refusal: &Refusal,
    ) -> Option<Place> {
        let misplaced = matches!(answer.status, 301 | 302 | 307 | 308)
            || refusal.code == "AuthorizationHeaderMalformed"
            || (call.method == "HEAD" && matches!(answer.status, 400 | 403));
        if !misplaced {
            return None;
        }
        let temporary = matches!(answer.status, 302 | 307 | 308);
        let asked = match &refusal.region {
            None if call.method != "HEAD" && !temporary => self.region_by_head(agent, place),
            _ => None,
        };
        let region = refusal.region.as_deref().or(asked.as_deref());
        let region = region.filter(|region| *region != place.region);
        if let Some(region) = region {
            self.signer.set_region(region);
        }
        if let (true, Some(location)) = (temporary, answer.header("location")) {
            let (scheme, rest) = location.split_once("://")?;
            let (host, path) = rest.split_at(rest.find('/')?);
            let path = path.split(['?', '#']).next().unwrap_or(path);
            let same = host == place.host && path == place.path;
            if scheme == self.endpoint.scheme() && self.endpoint.covers(host) && !same {
                let region = region.unwrap_or(&place.region).to_owned();
                return Some(Place { region, host: host.to_owned(), path: path.to_owned() });
            }
        }
        region.map(|_| self.place(call))
    }

    /// HeadBucket: tells the region also to who was refused, and where an error does not name it.
    fn region_by_head(&self, agent: &Agent, place: &Place) -> Option<String> {
        let call = Call::new("HEAD", None);
        let here = Place { region: place.region.clone(), ..self.place(&call) };
        let answer = self.send(agent, &call, &here, None, false).ok()?;
        Refusal::of(&answer).region
    }

    fn send(
        &self,
        agent: &Agent,
        call: &Call<'_>,
        place: &Place,
        checksum: Option<&str>,
        acl: bool,
    ) -> Stored<Answer> {
        let mut headers = self.signed(call, place, checksum, acl)?;
        let url = self.url(place, &call.query);
        let mut request = Request::new(call.method, &url);
        request.answer_limit = call.answer_limit;
        request.time = call.time;
        let (exchange, ended) = match &call.content {
            Content::None => {
                if matches!(call.method, "PUT" | "POST") {
                    request.payload = Payload::Bytes(&[]);
                }
                request.headers = headers;
                (agent.exchange(request), None)
            }
            Content::Bytes(bytes) => {
                request.headers = headers;
                request.payload = Payload::Bytes(bytes);
                (agent.exchange(request), None)
            }
            Content::Body { body, range, sent, .. } => {
                let length = range.end.saturating_sub(range.start);
                if length >= EXPECT_FROM {
                    headers.push(("expect".to_owned(), "100-continue".to_owned()));
                }
                request.headers = headers;
                let mut transfer = Transfer::new(body, range.clone(), *sent)?;
                request.payload = match length {
                    0 => Payload::Bytes(&[]),
                    _ => Payload::Feed(&mut transfer, length),
                };
                let exchange = agent.exchange(request);
                (exchange, transfer.ended())
            }
        };
        match (exchange, ended) {
            (_, Some(failure)) => Err(failure),
            (Exchange::Answered(answer), None) => {
                self.known.answered();
                Ok(answer)
            }
            (Exchange::NotSent(failure) | Exchange::MaybeArrived(failure), None) => {
                Err(self.known.no_answer(agent, &self.name, &url, failure))
            }
        }
    }

    /// The headers of a call, with the signature.
    pub(super) fn signed(
        &self,
        call: &Call<'_>,
        place: &Place,
        checksum: Option<&str>,
        acl: bool,
    ) -> Stored<Vec<(String, String)>> {
        let mut headers = call.headers.clone();
        if !acl {
            Public::strip(&mut headers);
        }
        if let Some(checksum) = checksum {
            headers.push(("x-amz-checksum-sha256".to_owned(), checksum.to_owned()));
        }
        let target = Target {
            method: call.method,
            region: &place.region,
            host: &place.host,
            path: &place.path,
            query: &call.query,
        };
        self.signer.sign(&target, &mut headers, &call.hash()).map_err(|source| {
            let mut failure = StoreError::new(Fault::Refused, "a request cannot be signed");
            failure.error = failure.error.because(source.to_string());
            failure
        })?;
        Ok(headers)
    }

    pub(super) fn url(&self, place: &Place, query: &Query<'_>) -> String {
        let mut url = format!("{}://{}{}", self.endpoint.scheme(), place.host, place.path);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query_string(query));
        }
        url
    }

    /// The answer was not whole.
    pub(super) fn unreachable(&self, why: String) -> StoreError {
        server::unreachable(&self.name, why)
    }

    /// Something answers there, but not S3.
    pub(super) fn no_s3(&self, why: &str) -> StoreError {
        StoreError::new(Fault::Refused, format!("this does not answer like an S3 service: {why}"))
            .at(self.name.clone())
            .advise("check that store_endpoint is the address of the S3 service itself")
    }
}

/// Whether a success is none: an error in the body, which CompleteMultipartUpload may have, or a
/// web page where there is no S3 at all. An object that is a page has an ETag, and Swift calls some
/// of its XML a page.
fn says_error(call: &Call<'_>, answer: &Answer) -> bool {
    let html = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let xml = answer.body.starts_with(b"<?xml");
    let page = html && !xml && answer.header("etag").is_none() && !answer.body.is_empty();
    page || (call.method == "POST" && is_error(&answer.body))
}
