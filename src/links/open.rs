//! Opens links as a reader would, without credentials.

use std::time::Duration;

use crate::http::{Answer, Exchange, Payload, Request, display_url};
use crate::submission::Submission;

/// How much of the object is opened and compared.
pub(super) const PROBE: u64 = 1024;
/// How long one request of the proof may take.
const PROBE_TIME: Duration = Duration::from_secs(20);
/// How many redirects a reader's browser would follow without noticing.
const REDIRECTS: usize = 5;
/// The most of a listing that is read: what is looked for is near its beginning.
const LISTING: u64 = 64 << 10;

/// Whether everybody sees an object of this name at the address of a listing.
pub(super) fn lists(submission: &Submission, link: &str, name: &str) -> bool {
    let mut request = Request::new("GET", link);
    request.answer_limit = Some(LISTING);
    request.time = Some(PROBE_TIME);
    match submission.agents.store.exchange(request) {
        Exchange::Answered(answer) => answer.status == 200 && answer.text().contains(name),
        Exchange::NotSent(_) | Exchange::MaybeArrived(_) => false,
    }
}

/// Opens a link as a browser without an account would.
pub(super) fn open(
    submission: &Submission,
    link: &str,
    expected: Option<&[u8]>,
) -> Result<(), String> {
    let mut url = link.to_owned();
    for _ in 0..=REDIRECTS {
        let mut request = Request::new("GET", &url)
            .header("range", format!("bytes=0-{}", PROBE - 1))
            .payload(Payload::None);
        request.answer_limit = Some(PROBE);
        request.time = Some(PROBE_TIME);
        let answer = match submission.agents.store.exchange(request) {
            Exchange::Answered(answer) => answer,
            Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
                return Err(format!("no answer, {}", failure.what));
            }
        };
        match (answer.status, answer.header("location")) {
            (200 | 206, _) => return compare(&answer, link, expected),
            // An empty object has no first bytes.
            (416, _) if expected.is_some_and(<[u8]>::is_empty) => return Ok(()),
            (301 | 302 | 303 | 307 | 308, Some(location)) => url = resolve(&url, location),
            (status, _) => return Err(format!("HTTP status {status} from {}", display_url(&url))),
        }
    }
    Err("too many redirects".to_owned())
}

/// A page that asks for a password also has status 200. Where the object itself could not be
/// read, because the store's key may only write, a page is told by its type.
fn compare(answer: &Answer, url: &str, expected: Option<&[u8]>) -> Result<(), String> {
    let page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let same = match expected {
        Some(expected) => {
            let length = expected.len().min(PROBE as usize);
            answer.body.get(..length) == expected.get(..length)
        }
        None => !page || url.split('?').next().is_some_and(|path| path.ends_with(".html")),
    };
    if same { Ok(()) } else { Err("something else than the object is shown there".to_owned()) }
}

/// A redirect's target: RFC 3986 section 5.2 as far as `Location` needs it.
fn resolve(base: &str, location: &str) -> String {
    let Some((scheme, rest)) = base.split_once("://") else { return location.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if location.starts_with("http://") || location.starts_with("https://") {
        return location.to_owned();
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    if location.starts_with('/') {
        return format!("{scheme}://{authority}{location}");
    }
    let path = rest[authority.len()..].split(['?', '#']).next().unwrap_or_default();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let base = "https://a.example:8443/x/y?q=1";
        for (location, expected) in [
            ("https://b.example/z", "https://b.example/z"),
            ("//b.example/z", "https://b.example/z"),
            ("/z?r", "https://a.example:8443/z?r"),
            ("z", "https://a.example:8443/x/z"),
        ] {
            assert_eq!(resolve(base, location), expected);
        }
    }
}
