//! Which way the public reads: decided once, proven by an anonymous GET.
//!
//! A store may accept a request to make an object public and then refuse to show it, and a folder
//! may not be where the web server looks. So the object is opened as a reader would open it,
//! without credentials, and what comes back is compared with what is in the store.

use std::net::IpAddr;
use std::time::Duration as Time;

use time::{Duration, OffsetDateTime};

use crate::http::{Answer, Exchange, Payload, Request, display_url};
use crate::store::{Access, Store};
use crate::submission::Submission;

/// How much of the object is opened and compared.
const PROBE: u64 = 1024;
/// How long one request of the proof may take.
const PROBE_TIME: Time = Time::from_secs(20);
/// How many redirects a reader's browser would follow without noticing.
const REDIRECTS: usize = 5;
/// The longest life of a signed link.
const SIGNED: Duration = Duration::days(7);

/// How links are made in this submission, and what is known of them.
#[derive(Clone, Debug)]
pub struct Links {
    /// None: there is no way in which the public could read.
    pub access: Option<Access>,
    /// Until when the links open.
    pub until: OffsetDateTime,
    /// What the comment must say of the links, if anything (e.g. "The links were not verified from outside").
    pub caution: Option<String>,
}

/// Decides by an anonymous GET of an object that is stored already.
///
/// The first way that works wins. A store with only one way keeps it even when the proof fails,
/// because the CI machine may not reach the public address; the caution says so.
pub fn decide(submission: &Submission, store: &dyn Store, key: &str) -> Links {
    let days = submission.settings.count("store_expire_days").unwrap_or(7).min(36_500);
    let days = Duration::days(i64::try_from(days).unwrap_or(7));
    let until = |access: Access| match access {
        Access::Public => submission.started.saturating_add(days),
        Access::Signed => submission.started.saturating_add(days.min(SIGNED)),
    };
    let ways = store.ways();
    let expected = store.get(key, PROBE).ok();
    let mut failures = Vec::new();
    for &access in &ways {
        if submission.cancel.is_cancelled() {
            break;
        }
        let opened = store
            .link(key, access, until(access))
            .map_err(|error| error.to_string())
            .and_then(|link| open(submission, &link, expected.as_deref()).map(|()| link));
        match opened {
            Ok(link) => {
                let caution = caution(submission, access, &link);
                return Links { access: Some(access), until: until(access), caution };
            }
            Err(why) => failures.push(format!("{}: {why}", words(access))),
        }
    }
    let why = failures.join("; ");
    if let [only] = ways[..] {
        submission.events.warn(format!(
            "the links could not be opened from this machine ({why}); see that store_public_url is \
             the address under which {} is published",
            store.name()
        ));
        return Links {
            access: Some(only),
            until: until(only),
            caution: Some(NOT_VERIFIED.to_owned()),
        };
    }
    submission.events.warn(format!(
        "nobody without credentials can read what is stored at {} ({why}); let anyone get the \
         objects (a bucket policy with s3:GetObject for the prefix), or set store_public_url to an \
         address that serves them",
        store.name()
    ));
    Links { access: None, until: until(Access::Public), caution: None }
}

const NOT_VERIFIED: &str = "The links were not verified from outside";

fn words(access: Access) -> &'static str {
    match access {
        Access::Public => "as a public object",
        Access::Signed => "by a signed link",
    }
}

/// What must be said of links that open from here.
fn caution(submission: &Submission, access: Access, link: &str) -> Option<String> {
    let mut cautions = Vec::new();
    if host_of(link).is_none_or(is_inside) {
        cautions.push(NOT_VERIFIED);
    }
    if access == Access::Signed && submission.settings.text("store_session_token").is_some() {
        cautions.push("the links end with the temporary credentials that signed them");
    }
    (!cautions.is_empty()).then(|| cautions.join("; "))
}

/// Opens a link as a browser without an account would.
fn open(submission: &Submission, link: &str, expected: Option<&[u8]>) -> Result<(), String> {
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

/// The host of a URL, without port and brackets.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    match authority.strip_prefix('[') {
        Some(ip) => ip.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// Whether a host can only be reached from inside a machine or a network: loopback and private
/// addresses, single labels, and the names that RFC 6762 and RFC 8375 keep for local networks.
fn is_inside(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || (a == 100 && (64..128).contains(&b))
        }
        Ok(IpAddr::V6(ip)) => {
            let first = ip.segments()[0];
            ip.is_loopback()
                || ip.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || ip.to_ipv4_mapped().is_some_and(|ip| is_inside(&ip.to_string()))
        }
        Err(_) => {
            !host.contains('.')
                || [".local", ".localhost", ".internal", ".home.arpa", ".lan", ".intranet"]
                    .iter()
                    .any(|end| host.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_only_some_can_reach_are_never_called_public() {
        for inside in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "logs",
            "localhost",
            "nas.local",
            "logs.internal",
            "LOGS.LAN.",
        ] {
            assert!(is_inside(inside), "{inside}");
        }
        for outside in ["logs.example.org", "8.8.8.8", "172.32.0.1", "2001:4860::8", "100.128.0.1"]
        {
            assert!(!is_inside(outside), "{outside}");
        }
    }

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

    #[test]
    fn the_host_of_a_link_is_found() {
        assert_eq!(host_of("http://[::1]:80/a"), Some("::1"));
        assert_eq!(host_of("http://a.example:80/a"), Some("a.example"));
        assert_eq!(host_of("https://a.example?x"), Some("a.example"));
    }
}
