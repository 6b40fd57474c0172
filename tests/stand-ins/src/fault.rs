//! Troubles that a test switches on for some requests.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use crate::lock;
use crate::server::{Delivery, Request, Response};

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Another answer than the real one.
    Replace(Response),
    /// The real answer, delivered badly.
    Deliver(Delivery),
    /// The real answer, late.
    Delay(Duration),
    /// The request is carried out late.
    Late(Duration),
    /// The real answer with another header.
    Header(String, String),
    /// An answer before the body has been read, or when this many bytes of it have been; then the
    /// connection is closed.
    Early(Option<usize>, Response),
    /// A reset after this many bytes of body.
    ResetAfter(usize),
    /// Nothing is read after this many bytes of body, and nothing answered.
    StopAfter(usize),
    /// The byte at this place of the body arrives as another one.
    Corrupt(usize),
}

/// One trouble: which requests it meets, how often, and what happens to them.
///
/// It is made by [`Fault::on`], told what happens by one of the methods that name a trouble, and
/// given to a stand-in: `github.fault(Fault::on("POST", "/comments").html(502).after_effect())`.
/// It meets one request unless [`times`](Fault::times) or [`forever`](Fault::forever) say
/// otherwise. Of several that fit, the one given first is used.
#[derive(Debug, Clone)]
pub struct Fault {
    method: String,
    path: String,
    skip: usize,
    times: Option<usize>,
    after_effect: bool,
    trouble: Trouble,
}

impl Fault {
    /// Meets requests of this method (`*` for any) whose target contains `path`, in which `*`
    /// stands for any run of characters. Unless told otherwise it answers 500.
    pub fn on(method: &str, path: &str) -> Self {
        Fault {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            skip: 0,
            times: Some(1),
            after_effect: false,
            trouble: Trouble::Replace(Response::html(500)),
        }
    }

    /// How many requests it meets.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// It meets every request until the stand-in's `clear_faults`.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// How many fitting requests pass unharmed first.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// The request is carried out, then the trouble comes: the comment exists although the answer
    /// says 502.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    fn with(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }

    /// Any answer in place of the real one.
    #[must_use]
    pub fn respond(self, response: Response) -> Self {
        self.with(Trouble::Replace(response))
    }

    /// This status with a short JSON message.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.respond(Response::json(status, &json!({ "message": "Server Error" })))
    }

    /// This status with an HTML page, as proxies answer.
    #[must_use]
    pub fn html(self, status: u16) -> Self {
        self.respond(Response::html(status))
    }

    /// This status with an XML error of S3, for instance 503 and `SlowDown`.
    #[must_use]
    pub fn s3(self, status: u16, code: &str) -> Self {
        self.respond(crate::store::error(status, code, "A fault that was asked for."))
    }

    /// A redirect with this status to this address.
    #[must_use]
    pub fn redirect(self, status: u16, location: &str) -> Self {
        let body = json!({ "message": "Moved Permanently", "url": location });
        self.respond(Response::json(status, &body).header("Location", location))
    }

    /// 403 or 429 with `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after(self, status: u16, seconds: u64) -> Self {
        let body = json!({ "message": SECONDARY, "documentation_url": LIMITS });
        self.respond(Response::json(status, &body).header("Retry-After", seconds.to_string()))
    }

    /// 403 or 429 with `x-ratelimit-remaining: 0` and a reset at this time (seconds since 1970).
    #[must_use]
    pub fn rate_limited(self, status: u16, reset: u64) -> Self {
        let body = json!({
            "message": "API rate limit exceeded for user ID 1. If you reach out to GitHub Support \
                        for help, please include the request ID.",
            "documentation_url": LIMITS,
        });
        let response = Response::json(status, &body)
            .header("x-ratelimit-limit", "5000")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-used", "5000")
            .header("x-ratelimit-reset", reset.to_string());
        self.respond(response)
    }

    /// The secondary limit without any header that says how long it lasts.
    #[must_use]
    pub fn secondary_limit(self, status: u16) -> Self {
        let body = json!({ "message": SECONDARY, "documentation_url": LIMITS });
        self.respond(Response::json(status, &body))
    }

    /// The connection is reset without an answer.
    #[must_use]
    pub fn reset(self) -> Self {
        self.respond(Response { delivery: Delivery::Reset, ..Response::new(0) })
    }

    /// The connection is closed without an answer.
    #[must_use]
    pub fn close(self) -> Self {
        self.respond(Response { delivery: Delivery::Close, ..Response::new(0) })
    }

    /// No answer ever comes, and the connection stays open.
    #[must_use]
    pub fn stall(self) -> Self {
        self.respond(Response { delivery: Delivery::Stall, ..Response::new(0) })
    }

    /// The real answer stops for ever after this many bytes of its body.
    #[must_use]
    pub fn stall_in_body(self, bytes: usize) -> Self {
        self.with(Trouble::Deliver(Delivery::StallInBody(bytes)))
    }

    /// The real answer ends after this many bytes of its body, although more were announced.
    #[must_use]
    pub fn truncate(self, bytes: usize) -> Self {
        self.with(Trouble::Deliver(Delivery::Truncate(bytes)))
    }

    /// Half a JSON document with a `Content-Length` that fits it, so that only a parser notices.
    #[must_use]
    pub fn broken_json(self) -> Self {
        let response = Response::new(200)
            .header("Content-Type", "application/json; charset=utf-8")
            .body("[{\"number\": 42, \"state\": \"op");
        self.respond(response)
    }

    /// The real answer comes this much later.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.with(Trouble::Delay(delay))
    }

    /// The request is carried out so much later, whoever still waits for it, as in a store that is
    /// slow behind its gateway.
    #[must_use]
    pub fn late(self, delay: Duration) -> Self {
        self.with(Trouble::Late(delay))
    }

    /// The real answer with this header in place of its own, for instance a `Link` to another
    /// host or a wrong `ETag`.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(Trouble::Header(name.to_owned(), value.to_owned()))
    }

    /// An answer before the body of the request has been read; then the connection is closed.
    #[must_use]
    pub fn early(self, response: Response) -> Self {
        self.with(Trouble::Early(None, response))
    }

    /// An answer when this many bytes of the request's body have been read; then the connection
    /// is closed, whatever the client still sends.
    #[must_use]
    pub fn early_after(self, bytes: usize, response: Response) -> Self {
        self.with(Trouble::Early(Some(bytes), response))
    }

    /// A reset when this many bytes of the request's body have been read.
    #[must_use]
    pub fn reset_after(self, bytes: usize) -> Self {
        self.with(Trouble::ResetAfter(bytes))
    }

    /// When this many bytes of the request's body have been read, nothing more is read and nothing
    /// answered, and the connection stays open until the server ends.
    #[must_use]
    pub fn stop_after(self, bytes: usize) -> Self {
        self.with(Trouble::StopAfter(bytes))
    }

    /// The byte at this place of the request's body arrives as another one, as through broken
    /// memory on the way.
    #[must_use]
    pub fn corrupt(self, at: usize) -> Self {
        self.with(Trouble::Corrupt(at))
    }

    fn fits(&self, request: &Request) -> bool {
        (self.method == "*" || self.method == request.method)
            && contains(&request.target, &self.path)
    }
}

const LIMITS: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes \
                         before you try again.";

/// Whether the text contains the pattern, in which `*` is any run of characters.
fn contains(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    for piece in pattern.split('*') {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// The faults of one server.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds one.
    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.list).push(fault);
    }

    /// Removes all.
    pub(crate) fn clear(&self) {
        lock(&self.list).clear();
    }

    /// What happens to this request, and whether it is carried out first.
    pub(crate) fn meet(&self, request: &Request) -> Option<(Trouble, bool)> {
        let mut list = lock(&self.list);
        let mut met = None;
        for fault in list.iter_mut().filter(|fault| fault.fits(request)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
            }
            met = Some((fault.trouble.clone(), fault.after_effect));
            break;
        }
        list.retain(|fault| fault.times != Some(0));
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_substring_with_stars() {
        assert!(contains("/repos/a/b/issues/1/comments", "/issues/*/comments"));
        assert!(contains("/repos/a/b/pulls?page=2", "page=2"));
        assert!(!contains("/repos/a/b/pulls", "/comments"));
    }

    #[test]
    fn a_fault_skips_meets_and_ends() {
        let faults = Faults::default();
        faults.add(Fault::on("GET", "/x").skip(1).times(2));
        let request = Request { method: "GET".into(), target: "/x".into(), ..Request::default() };
        let met: Vec<bool> = (0..5).map(|_| faults.meet(&request).is_some()).collect();
        assert_eq!(met, [false, true, true, false, false]);
    }
}
