//! Opens links as a reader would, without credentials.

use std::time::Duration;

use crate::http::{Answer, Exchange, Payload, Request, display_url};
use crate::submission::Submission;

/// How much of the object is opened and compared.
pub(super) const PROBE: u64 = 1024;
/// How long one request of the proof may take.
const PROBE_TIME: Duration = Duration::from_secs(20);
/// How often that is tried where it may help, and the pause in between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// How many redirects a reader's browser would follow without noticing.
const REDIRECTS: usize = 5;
/// The most of a listing that is read: what is looked for is near its beginning.
const LISTING: u64 = 64 << 10;

/// Whether everybody sees an object of this name at the address of a listing.
pub(super) fn lists(submission: &Submission, link: &str, name: &str) -> bool {
    let listed = again(submission, || {
        let mut request = Request::new("GET", link);
        request.answer_limit = Some(LISTING);
        let answer = ask(submission, request)?;
        let closed = Closed::new(format!("HTTP status {}", answer.status));
        match answer.status {
            200 if answer.text().contains(name) => Ok(true),
            200 if answer.cut.is_some() => Err(closed.unsure(Unsure::Trouble)),
            408 | 429 | 498 | 500..=599 => Err(closed.unsure(Unsure::Trouble)),
            _ => Ok(false),
        }
    });
    listed.unwrap_or(false)
}

/// Why a link did not open.
pub(super) struct Closed {
    /// In words, without full stop.
    pub(super) why: String,
    /// Whether it may open all the same, as far as is known.
    pub(super) unsure: Option<Unsure>,
}

/// Why it is not known whether a link opens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsure {
    /// The server was in trouble or in a hurry, or its answer was not whole.
    Trouble,
    /// Nobody answered.
    NoAnswer,
    /// The same, and it was waited for.
    Silence,
}

impl Closed {
    fn new(why: impl Into<String>) -> Closed {
        Closed { why: why.into(), unsure: None }
    }

    fn unsure(self, unsure: Unsure) -> Closed {
        Closed { unsure: Some(unsure), ..self }
    }
}

/// Opens a link as a browser without an account would. A whole run's links hang on the answer, so
/// what may pass is tried again, unless it takes long.
pub(super) fn open(
    submission: &Submission,
    link: &str,
    expected: Option<&[u8]>,
) -> Result<(), Closed> {
    again(submission, || open_once(submission, link, expected))
}

/// Does what may fail for a moment a few times.
fn again<T>(
    submission: &Submission,
    mut work: impl FnMut() -> Result<T, Closed>,
) -> Result<T, Closed> {
    for _ in 1..TRIES {
        match work() {
            Err(Closed { unsure: Some(Unsure::Trouble | Unsure::NoAnswer), .. })
                if submission.cancel.sleep(PAUSE).is_ok() => {}
            done => return done,
        }
    }
    work()
}

fn open_once(submission: &Submission, link: &str, expected: Option<&[u8]>) -> Result<(), Closed> {
    let mut url = link.to_owned();
    for _ in 0..=REDIRECTS {
        let mut request = Request::new("GET", &url)
            .header("range", format!("bytes=0-{}", PROBE - 1))
            .payload(Payload::None);
        request.answer_limit = Some(PROBE);
        let answer = ask(submission, request)?;
        match (answer.status, answer.header("location")) {
            (200 | 206, _) => return compare(&answer, link, expected),
            // An empty object has no first bytes.
            (416, _) if expected.is_some_and(<[u8]>::is_empty) => return Ok(()),
            (301 | 302 | 303 | 307 | 308, Some(location)) => url = resolve(&url, location),
            (status, _) => {
                let closed =
                    Closed::new(format!("HTTP status {status} from {}", display_url(&url)));
                return Err(match status {
                    // Some servers say so of what they do without credentials.
                    501 | 505 => closed,
                    408 | 429 | 498 | 500..=599 => closed.unsure(Unsure::Trouble),
                    _ => closed,
                });
            }
        }
    }
    Err(Closed::new("too many redirects"))
}

fn ask(submission: &Submission, mut request: Request<'_>) -> Result<Answer, Closed> {
    request.time = Some(PROBE_TIME);
    match submission.agents.store.exchange(request) {
        Exchange::Answered(answer) => Ok(answer),
        Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
            let waited = failure.timed_out;
            let unsure = if waited { Unsure::Silence } else { Unsure::NoAnswer };
            Err(Closed::new(format!("no answer, {}", failure.what)).unsure(unsure))
        }
    }
}

/// A page that asks for a password also has status 200. Where the object itself could not be
/// read, because the store's key may only write, a page is told by its type.
fn compare(answer: &Answer, url: &str, expected: Option<&[u8]>) -> Result<(), Closed> {
    let page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let same = match expected {
        Some(expected) => {
            let length = expected.len().min(PROBE as usize);
            answer.body.get(..length) == expected.get(..length)
        }
        None => !page || url.split('?').next().is_some_and(|path| path.ends_with(".html")),
    };
    match &answer.cut {
        _ if same => Ok(()),
        Some(why) => Err(Closed::new(format!("half an answer, {why}")).unsure(Unsure::Trouble)),
        None => Err(Closed::new("something else than the object is shown there")),
    }
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
