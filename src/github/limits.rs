//! How long GitHub wants us to wait.
//!
//! The rules are those of "Rate limits for the REST API", in their order: `Retry-After`, then
//! `x-ratelimit-reset` when nothing remains, else a minute that doubles each time.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::http::Answer;

/// What is waited when a time that was named has passed already.
const SHORT: Duration = Duration::from_secs(1);
/// What is waited when no time is named.
const MINUTE: Duration = Duration::from_secs(60);

/// How long to wait before the request is sent again, if a limit is why it was refused.
///
/// `message` is what the body says, `seen` how often this request met a limit before, and `now`
/// our own clock, which counts only where GitHub does not tell the time.
pub(super) fn wait(
    answer: &Answer,
    message: &str,
    seen: u32,
    now: OffsetDateTime,
) -> Option<Duration> {
    let now = server_time(answer).unwrap_or(now);
    let says_so = says_so(message);
    match answer.status {
        429 => {}
        403 if says_so || answer.header("retry-after").is_some() => {}
        _ => return None,
    }
    if let Some(after) = retry_after(answer, now) {
        return Some(after);
    }
    if answer.header("x-ratelimit-remaining").map(str::trim) == Some("0") {
        let reset = answer.header("x-ratelimit-reset").and_then(|text| text.trim().parse().ok());
        if let Some(reset) = reset.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()) {
            // The reset is named in whole seconds; one more makes sure that it is over.
            return Some(until(reset, now) + SHORT);
        }
    }
    Some(MINUTE * 2u32.saturating_pow(seen.min(10)))
}

/// How long `Retry-After` asks to wait: seconds or a date.
pub(super) fn retry_after(answer: &Answer, now: OffsetDateTime) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(until(at, now))
}

/// What GitHub's clock says.
pub(super) fn server_time(answer: &Answer) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(answer.header("date")?.trim(), &Rfc2822).ok()
}

fn until(at: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(at - now).unwrap_or(SHORT).max(SHORT)
}

/// Whether a message speaks of a limit and not of missing rights.
fn says_so(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["rate limit", "ratelimit", "abuse detection", "too many requests"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);
    const LIMIT: &str = "You have exceeded a secondary rate limit.";

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer { status, headers: map, body: Vec::new(), cut: None }
    }

    #[test]
    fn retry_after_comes_first() {
        let both = answer(
            403,
            &[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")],
        );
        assert_eq!(wait(&both, LIMIT, 0, NOW), Some(Duration::from_secs(7)));
    }

    #[test]
    fn retry_after_may_be_a_date_and_the_servers_clock_counts() {
        let dated = answer(
            429,
            &[
                ("retry-after", "Sun, 01 Mar 2026 13:00:30 GMT"),
                ("date", "Sun, 01 Mar 2026 13:00:00 GMT"),
            ],
        );
        assert_eq!(wait(&dated, "", 0, NOW), Some(Duration::from_secs(30)));
    }

    #[test]
    fn the_reset_counts_when_nothing_remains() {
        let reset = (NOW.unix_timestamp() + 90).to_string();
        let empty = answer(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)]);
        assert_eq!(wait(&empty, "API rate limit exceeded", 0, NOW), Some(Duration::from_secs(91)));
    }

    #[test]
    fn a_reset_in_the_past_is_a_short_wait() {
        let past = answer(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000")]);
        let wait = wait(&past, "API rate limit exceeded", 0, NOW).unwrap();
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
    }

    #[test]
    fn without_a_time_it_is_a_minute_that_doubles() {
        let bare = answer(403, &[]);
        assert_eq!(wait(&bare, LIMIT, 0, NOW), Some(Duration::from_secs(60)));
        assert_eq!(wait(&bare, LIMIT, 2, NOW), Some(Duration::from_secs(240)));
    }

    #[test]
    fn missing_rights_are_no_limit_even_when_nothing_remains() {
        let refused = answer(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")]);
        assert_eq!(wait(&refused, "Resource not accessible by integration", 0, NOW), None);
        assert_eq!(wait(&answer(401, &[("retry-after", "7")]), "", 0, NOW), None);
    }
}
