//! What servers have in common that a store talks to: none answers, or not as the address says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Fault, StoreError};
use crate::http::{Agent, Answer, Exchange, Failure, Request, Tls};

/// How long it may take to find out whether a server speaks TLS.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// A server that has not answered yet may not speak what its address says.
#[derive(Debug, Default)]
pub(super) struct Known(AtomicBool);

impl Known {
    /// It has answered.
    pub(super) fn answered(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Why no answer came from `url`, in words that a user understands. Some servers that expect
    /// TLS say so in the clear, others just close; which they are is found out once.
    pub(super) fn no_answer(
        &self,
        agent: &Agent,
        place: &str,
        url: &str,
        failure: Failure,
    ) -> StoreError {
        if let Some(tls) = failure.tls {
            return encryption(place, url, tls, failure.what);
        }
        if failure.hopeless {
            let unreachable = unreachable(place, failure.what);
            return StoreError { fault: Fault::Refused, ..unreachable };
        }
        if let Some(rest) = url.strip_prefix("http://")
            && !failure.timed_out
            && !self.0.swap(true, Ordering::Relaxed)
            && speaks_tls(agent, rest)
        {
            return wants_https(place);
        }
        unreachable(place, failure.what)
    }
}

fn speaks_tls(agent: &Agent, rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let url = format!("https://{authority}/");
    let mut request = Request::new("GET", &url);
    request.answer_limit = Some(0);
    request.time = Some(PROBE_TIME);
    match agent.exchange(request) {
        Exchange::Answered(_) => true,
        Exchange::NotSent(failure) | Exchange::MaybeArrived(failure) => {
            let proof = [Tls::Untrusted, Tls::OfAuthority, Tls::OtherHost, Tls::OtherTime];
            failure.tls.is_some_and(|tls| proof.contains(&tls))
        }
    }
}

/// The server is there, but nothing was sent to it.
fn encryption(place: &str, url: &str, tls: Tls, why: String) -> StoreError {
    let (what, advice) = match tls {
        Tls::NotSpoken => (
            "the server does not speak https at this address",
            "check store_endpoint: a server without TLS is addressed with http://, and outside \
             this machine that needs allow_http = true",
        ),
        Tls::Untrusted => (
            "the server's certificate comes from nobody who is trusted here",
            "name a file with the certificate of whoever signed it in ca_file",
        ),
        Tls::OfAuthority => (
            "the server uses the certificate of an authority as its own",
            "have it use one that the authority signed, or one of its own that was made with \
             basicConstraints = CA:FALSE, and name that in ca_file",
        ),
        Tls::OtherHost => (
            "the server's certificate is for another host",
            "write store_endpoint with a host name that is in the certificate",
        ),
        Tls::OtherTime => (
            "the server's certificate is not good at this time",
            "check the clock of this machine, or have the operator renew the certificate",
        ),
        Tls::Disagreed => (
            "no encrypted connection could be agreed upon with the server",
            "check store_endpoint; TLS 1.2 or 1.3 is needed",
        ),
    };
    let mut failure = StoreError::new(Fault::Unreachable, what).at(place).advise(advice);
    failure.fault = Fault::Refused;
    // The address may be that of another server than the one that is named.
    failure.error = failure.error.because(match place.contains(host(url)) {
        true => why,
        false => format!("{}: {why}", host(url)),
    });
    failure
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether a server that expects TLS complains of a request without it.
pub(super) fn wants_tls(answer: &Answer) -> bool {
    let text = answer.text().to_ascii_lowercase();
    // Go; nginx; Apache.
    [
        "http request to an https server",
        "http request was sent to https port",
        "plain http to an ssl",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// After how long the server wants to be asked again.
pub(super) fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The server speaks TLS, and was spoken to without.
pub(super) fn wants_https(place: &str) -> StoreError {
    StoreError::new(Fault::Refused, "the server wants https at this address")
        .at(place)
        .advise("begin store_endpoint with https://")
}

/// No whole answer came; trying again may help.
pub(super) fn unreachable(place: &str, why: String) -> StoreError {
    let mut failure = StoreError::new(Fault::Unreachable, "the server cannot be reached")
        .at(place)
        .advise("check store_endpoint, the network and the proxy");
    failure.error = failure.error.because(why);
    failure
}
