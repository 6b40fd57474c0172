//! The one function through which every request goes.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::verdict::Verdict;
use super::{CallError, GitHub, limits};
use crate::error::{Error, Result};
use crate::http::{Exchange, HeaderMap, Payload, Request, display_url};
use crate::status::Status;

/// The version that this client was written for. Later ones leave out `merge_commit_sha`.
const API_VERSION: &str = "2022-11-28";
/// How often a request is sent before its failure counts.
const ATTEMPTS: u32 = 8;
/// The same, where there is another way to learn the same thing.
const FEW_ATTEMPTS: u32 = 2;
/// How often GitHub may ask to wait for the same request.
const WAITS: u32 = 6;
/// How many redirects one request follows.
const REDIRECTS: u32 = 5;
/// What a request may take; GitHub itself ends those of more than ten seconds.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// What lies between two requests that change something. See "Best practices for using the REST
/// API" in GitHub's documentation.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// The first wait before a repetition; each further one is twice as long.
const BACKOFF: Duration = Duration::from_millis(400);

/// A request as the methods of [`GitHub`] make it.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) body: Option<Value>,
    pub(super) repeat: Repeat,
}

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Always: arriving twice does no harm.
    Harmless,
    /// The same, but 502 and 504 are handed back at once: the caller asks for less then.
    AskForLess,
    /// The same, but not often: there is another way.
    Briefly,
    /// Only when it certainly had no effect.
    Never,
}

/// Keeps two writes apart, and makes requests wait for one another.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    last_write: Option<Instant>,
}

impl Pacing {
    /// How long a write still has to wait.
    fn wait(&self) -> Duration {
        self.last_write.map_or(Duration::ZERO, |at| BETWEEN_WRITES.saturating_sub(at.elapsed()))
    }
}

pub(super) type Accept<'a> = &'a mut dyn FnMut(&[u8]) -> serde_json::Result<()>;

impl GitHub<'_> {
    /// Sends a request and reads the JSON of its answer.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<(T, HeaderMap), CallError> {
        let mut read = None;
        let headers = self.send(call, &mut |body| {
            read = Some(serde_json::from_slice(body)?);
            Ok(())
        })?;
        match read {
            Some(value) => Ok((value, headers)),
            None => Err(Error::new(Status::Internal, "an answer was accepted unread").into()),
        }
    }

    /// Sends a request whose answer has no body.
    pub(super) fn call_for_nothing(&self, call: &Call) -> Result<(), CallError> {
        self.send(call, &mut |_| Ok(())).map(|_| ())
    }

    fn send(&self, call: &Call, accept: Accept<'_>) -> Result<HeaderMap, CallError> {
        let mut pacing = self.pacing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_write = call.method != "GET" && call.url != self.address.graphql();
        let body = call.body.as_ref().map(Value::to_string);
        let mut url = call.url.clone();
        let (mut attempts, mut waits, mut redirects) = (0, 0, 0);
        let mut last: Option<CallError> = None;
        loop {
            if is_write {
                self.wait(pacing.wait())?;
            }
            self.submission.cancel.check()?;
            if self.submission.github_time.left().is_zero() {
                return Err(self.out_of_time(last));
            }
            let verdict = self.exchange(call, &url, body.as_deref(), waits, accept);
            if is_write {
                pacing.last_write = Some(Instant::now());
            }
            attempts += 1;
            let (wait, error) = match verdict {
                Verdict::Done(headers) => return Ok(headers),
                Verdict::Failed(error) => return Err(error),
                Verdict::Redirect(to) if redirects < REDIRECTS => {
                    redirects += 1;
                    self.memory().redirected = true;
                    url = to;
                    continue;
                }
                Verdict::Redirect(to) => {
                    return Err(Error::new(Status::GithubRefused, "too many redirects")
                        .at(display_url(&to))
                        .into());
                }
                Verdict::Limited(wait, error) => {
                    waits += 1;
                    if waits > WAITS || wait > self.submission.github_time.left() {
                        return Err(error);
                    }
                    self.submission.events.note(format!(
                        "GitHub asks to wait for {} s: too many requests",
                        wait.as_secs()
                    ));
                    (wait, error)
                }
                Verdict::Again { wait, unsent, error } => {
                    let most = if call.repeat == Repeat::Briefly { FEW_ATTEMPTS } else { ATTEMPTS };
                    if attempts >= most || (call.repeat == Repeat::Never && !unsent) {
                        return Err(error);
                    }
                    let wait = wait.unwrap_or_else(|| backoff(attempts));
                    let left = self.submission.github_time.left();
                    if wait > left && !left.is_zero() {
                        return Err(error);
                    }
                    (wait, error)
                }
            };
            self.wait(wait)?;
            last = Some(error);
        }
    }

    /// Sleeps, at the cost of the budget, unless the submission is cancelled.
    pub(super) fn wait(&self, time: Duration) -> Result<()> {
        if time.is_zero() {
            return Ok(());
        }
        let time = time.min(self.submission.github_time.left());
        self.submission.github_time.spend(|| self.submission.cancel.sleep(time))
    }

    fn exchange(
        &self,
        call: &Call,
        url: &str,
        body: Option<&str>,
        waits: u32,
        accept: Accept<'_>,
    ) -> Verdict {
        let left = self.submission.github_time.left();
        // A write that may not be repeated leaves time to look whether it arrived.
        let time = if call.repeat == Repeat::Never { left / 2 } else { left };
        let mut request = Request::new(call.method, url)
            .header("Accept", "application/vnd.github+json")
            .header("X-GitHub-Api-Version", API_VERSION);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json; charset=utf-8")
                .payload(Payload::Bytes(body.as_bytes()));
        }
        request.time = Some(time.min(REQUEST_TIME));
        let agent = &self.submission.agents.github;
        let exchange = self.submission.github_time.spend(|| agent.exchange(request));
        match exchange {
            Exchange::Answered(answer) => {
                if let Some(time) = limits::server_time(&answer) {
                    let mut memory = self.memory();
                    memory.server_time = Some(time);
                    memory.ahead = memory.ahead.max(Some(time - self.submission.clock.now()));
                }
                self.judge(call, url, &answer, waits, accept)
            }
            _ if self.submission.cancel.is_cancelled() => {
                let cancelled = Error::new(
                    Status::Cancelled,
                    "the submission was cancelled while GitHub was asked",
                );
                Verdict::Failed(CallError {
                    status: None,
                    unsure: call.repeat == Repeat::Never,
                    error: cancelled,
                })
            }
            Exchange::NotSent(failure) => {
                let error = self.unreachable(url, &failure).into();
                if failure.hopeless {
                    Verdict::Failed(error)
                } else {
                    Verdict::Again { wait: None, unsent: true, error }
                }
            }
            Exchange::MaybeArrived(failure) => self.perhaps(call, self.unreachable(url, &failure)),
        }
    }

    fn out_of_time(&self, last: Option<CallError>) -> CallError {
        let unsure = last.as_ref().is_some_and(|last| last.unsure);
        let mut error = Error::new(Status::Timeout, "the time for GitHub is used up")
            .at(self.address.rest().to_owned())
            .advise("set a longer `timeout`");
        if let Some(last) = last {
            error = error.because(last.error.to_string());
        }
        CallError { status: None, unsure, error }
    }
}

/// Between half of the step and the whole of it, so that many clients do not come back together.
pub(super) fn backoff(attempt: u32) -> Duration {
    let whole = BACKOFF * 2u32.saturating_pow(attempt.saturating_sub(1).min(8));
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_second_of_two_writes_waits() {
        let mut pacing = Pacing::default();
        assert_eq!(pacing.wait(), Duration::ZERO);
        pacing.last_write = Some(Instant::now());
        assert!(pacing.wait() > Duration::from_millis(500));
    }

    #[test]
    fn each_wait_is_longer_than_the_one_before_and_none_is_without_bounds() {
        for attempt in 1..8 {
            assert!(backoff(attempt + 2) > backoff(attempt));
        }
        assert!(backoff(u32::MAX) <= BACKOFF * 256);
    }
}
