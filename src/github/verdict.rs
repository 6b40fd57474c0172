//! What an exchange means: done, again, later, elsewhere, or failed.

use std::fmt;
use std::time::Duration;

use super::call::{Accept, Call, Repeat};
use super::{GitHub, limits, refusal};
use crate::error::Error;
use crate::http::{Answer, Failure, HeaderMap, Tls, display_url};
use crate::status::Status;

/// Why a call brought nothing.
#[derive(Debug)]
pub struct CallError {
    /// The status of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// The request may have had its effect all the same.
    pub(super) unsure: bool,
    pub(super) error: Error,
}

impl CallError {
    /// The status of GitHub's answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether the request may have had its effect all the same.
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// What the user reads.
    pub fn into_error(self) -> Error {
        self.error
    }

    /// Whether GitHub took too long, so that a shorter list may do.
    pub(super) fn asks_for_less(&self) -> bool {
        matches!(self.status, Some(502 | 504))
    }

    /// Whether there is no point in trying another way: cancelled, or no time left.
    pub fn is_final(&self) -> bool {
        matches!(self.error.status(), Status::Cancelled | Status::Timeout)
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> CallError {
        CallError { status: None, unsure: false, error }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// How one exchange is judged.
pub(super) enum Verdict {
    Done(HeaderMap),
    /// Send it again after a wait. `unsent` means that it certainly had no effect.
    Again {
        wait: Option<Duration>,
        unsent: bool,
        error: CallError,
    },
    /// GitHub asks to wait.
    Limited(Duration, CallError),
    Redirect(String),
    Failed(CallError),
}

impl GitHub<'_> {
    pub(super) fn judge(
        &self,
        call: &Call,
        url: &str,
        answer: &Answer,
        waits: u32,
        accept: Accept<'_>,
    ) -> Verdict {
        if answer.is_success() {
            return self.accepted(call, url, answer, accept);
        }
        if matches!(answer.status, 301 | 302 | 307 | 308) {
            return self.redirected(url, answer);
        }
        let message = refusal::message(answer);
        let now = self.submission.clock.now();
        if let Some(wait) = limits::wait(answer, &message, waits, now) {
            return Verdict::Limited(wait, self.busy(url, answer, &message, wait));
        }
        let refusal = refusal::Refusal {
            method: call.method,
            url,
            answer,
            has_token: self.token.is_some(),
            may_lack_prefix: self.address.may_lack_prefix(),
            redactor: &self.submission.redactor,
        };
        let error =
            CallError { status: Some(answer.status), unsure: false, error: refusal.error() };
        match answer.status {
            502 | 504 if call.repeat == Repeat::AskForLess => Verdict::Failed(error),
            500.. | 408 => match self.perhaps(call, error.error) {
                Verdict::Again { unsent, error, .. } => Verdict::Again {
                    wait: limits::retry_after(answer, now),
                    unsent,
                    error: CallError { status: Some(answer.status), ..error },
                },
                other => other,
            },
            _ => Verdict::Failed(error),
        }
    }

    fn accepted(&self, call: &Call, url: &str, answer: &Answer, accept: Accept<'_>) -> Verdict {
        let problem = match &answer.cut {
            Some(cut) => cut.clone(),
            None => match accept(&answer.body) {
                Ok(()) => return Verdict::Done(answer.headers.clone()),
                Err(error) => error.to_string(),
            },
        };
        let shown = match refusal::message(answer) {
            _ if answer.cut.is_some() => String::new(),
            shown if shown.is_empty() => String::new(),
            shown => format!(": {}", self.submission.redactor.text(&shown)),
        };
        let advice = if self.address.may_lack_prefix() {
            "is `api_url` the address of GitHub's interface? That of GitHub Enterprise Server ends with /api/v3"
        } else {
            "try again later, and look whether a proxy answers in GitHub's place"
        };
        let error = Error::new(Status::GithubUnreachable, "GitHub's answer cannot be read")
            .at(display_url(url))
            .because(format!("{problem}{shown}"))
            .advise(advice);
        self.perhaps(call, error)
    }

    fn redirected(&self, url: &str, answer: &Answer) -> Verdict {
        let to = answer.header("location").unwrap_or_default();
        match self.address.follow(url, to) {
            Some(to) => Verdict::Redirect(to),
            None => Verdict::Failed(CallError {
                status: Some(answer.status),
                unsure: false,
                error: self.elsewhere("GitHub redirects to another server", url, to),
            }),
        }
    }

    /// An address that an answer named and that must not get our token.
    pub(super) fn elsewhere(&self, what: &str, from: &str, to: &str) -> Error {
        let to = if to.is_empty() { "nowhere".to_owned() } else { display_url(to) };
        Error::new(Status::GithubRefused, format!("{what}, {to}, which does not get the token"))
            .at(display_url(from))
            .advise("check `api_url`: it must be the address by which GitHub calls itself")
    }

    /// The outcome of a request that may have arrived.
    pub(super) fn perhaps(&self, call: &Call, error: Error) -> Verdict {
        let unsure = call.repeat == Repeat::Never;
        Verdict::Again {
            wait: None,
            unsent: false,
            error: CallError { status: None, unsure, error },
        }
    }

    pub(super) fn unreachable(&self, url: &str, failure: &Failure) -> Error {
        let advice = match failure.tls {
            None | Some(Tls::Disagreed) => "check `api_url`, the network and the proxy settings",
            Some(Tls::NotSpoken) => {
                "what answers there does not speak https: check `api_url` and the proxy settings"
            }
            Some(Tls::Untrusted) => {
                "the certificate comes from nobody who is trusted here: name a file with the \
                 certificate of whoever signed it in `ca_file`"
            }
            Some(Tls::OfAuthority) => {
                "the server uses the certificate of an authority as its own: have it use one that \
                 the authority signed, or one of its own that was made with basicConstraints = \
                 CA:FALSE, and name that in `ca_file`"
            }
            Some(Tls::OtherHost) => {
                "write `api_url` with a host name that is in the server's certificate"
            }
            Some(Tls::OtherTime) => {
                "check the clock of this machine, or have the server's certificate renewed"
            }
        };
        Error::new(Status::GithubUnreachable, "GitHub could not be reached")
            .at(display_url(url))
            .because(self.submission.redactor.text(&failure.what).into_owned())
            .advise(advice)
    }

    fn busy(&self, url: &str, answer: &Answer, message: &str, wait: Duration) -> CallError {
        let now = self.submission.clock.now();
        let until = limits::server_time(answer)
            .unwrap_or(now)
            .checked_add(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX))
            .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
            .map_or("a day far away".to_owned(), |at| at);
        let error = Error::new(
            Status::GithubBusy,
            format!(
                "GitHub asks to wait until {until} ({} s), and `timeout` leaves {} s",
                wait.as_secs(),
                self.submission.github_time.left().as_secs()
            ),
        )
        .at(display_url(url))
        .because(self.submission.redactor.text(message).into_owned())
        .advise("submit again later, or set a longer `timeout`; accounts shared by several labs share the limit");
        CallError { status: Some(answer.status), unsure: false, error }
    }
}
