//! What GitHub refused, why, and what the user can do: from an answer to an error.

use serde_json::Value;

use crate::error::Error;
use crate::http::{Answer, display_url};
use crate::redact::Redactor;
use crate::status::Status;

/// How much of a message is shown.
const EXCERPT: usize = 300;

/// What the answer to a request meant.
pub(super) struct Refusal<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) answer: &'a Answer,
    pub(super) has_token: bool,
    /// A GitHub Enterprise Server whose `/api/v3` may have been left out.
    pub(super) may_lack_prefix: bool,
    pub(super) redactor: &'a Redactor,
}

impl Refusal<'_> {
    /// The error that the user reads.
    pub(super) fn error(&self) -> Error {
        let message = message(self.answer);
        let (status, what, advice) = self.judge(&message);
        let mut error = Error::new(status, what).at(display_url(self.url));
        if let Some(advice) = advice {
            error = error.advise(advice);
        }
        error.because(self.cause(&message))
    }

    /// Method, status, GitHub's words and the number under which its support finds the request.
    fn cause(&self, message: &str) -> String {
        let mut cause = format!("{} was answered {}", self.method, self.answer.status);
        if !message.is_empty() {
            cause.push_str(": ");
            cause.push_str(&self.redactor.text(message));
        }
        if let Some(id) = self.answer.header("x-github-request-id") {
            let id: String = id.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
            cause.push_str(", request id ");
            cause.push_str(&id);
        }
        cause
    }

    fn judge(&self, message: &str) -> (Status, String, Option<String>) {
        let lower = message.to_ascii_lowercase();
        let refused = |what: &str, advice: &str| {
            (Status::GithubRefused, what.to_owned(), Some(advice.to_owned()))
        };
        match self.answer.status {
            401 if self.has_token => refused(
                "GitHub does not accept the token",
                "check `token`: it may be mistyped, revoked or expired (tokens of GitHub Apps live one hour)",
            ),
            401 => refused("GitHub wants a token", "set `token`"),
            403 | 404 if lower.contains("locked") => refused(
                "the conversation of the pull request is locked",
                "ask for it to be unlocked, or give the token's account write access to the repository",
            ),
            403 if lower.contains("archived") => refused(
                "the repository is archived, nobody can comment there",
                "ask its owners to unarchive it",
            ),
            403 => {
                let what = match self.rights() {
                    Some(rights) => format!("the token may not do this: {rights}"),
                    None => "the token may not do this".to_owned(),
                };
                refused(
                    &what,
                    "use a token with these rights; to comment on a public repository the \
                    scope `public_repo`, or the permission `issues: write` or `pull_requests: write`, \
                    is enough",
                )
            }
            404 => {
                let mut what = if self.has_token {
                    "not found, or the token has no right to see it".to_owned()
                } else {
                    "not found, or it is private and wants a `token`".to_owned()
                };
                if let Some(rights) = self.rights() {
                    what = format!("{what}: {rights}");
                }
                let prefix = if self.may_lack_prefix {
                    "; for GitHub Enterprise Server `api_url` ends with /api/v3"
                } else {
                    ""
                };
                let advice = format!("check `owner`, `repo` and what the token may see{prefix}");
                (Status::GithubRefused, what, Some(advice))
            }
            410 if lower.contains("version") => refused(
                "GitHub does not offer this version of its interface any more",
                "use a newer notify_pr",
            ),
            410 => refused(
                "it was deleted, or the repository has its issues switched off, and comments with them",
                "ask its owners to switch issues on",
            ),
            422 if lower.contains("too long") => {
                refused("the comment is too long for GitHub", "set a smaller `comment_max`")
            }
            422 if lower.contains("locked") => refused(
                "the conversation of the pull request is locked",
                "ask for it to be unlocked",
            ),
            status @ 500.. => (
                Status::GithubUnreachable,
                format!("GitHub does not work at the moment ({status})"),
                Some("try again later, and see https://www.githubstatus.com".to_owned()),
            ),
            status => {
                (Status::GithubRefused, format!("GitHub refused the request ({status})"), None)
            }
        }
    }

    /// Which rights the request needs and which the token has, as far as the headers tell.
    fn rights(&self) -> Option<String> {
        let header =
            |name: &str| self.answer.header(name).map(|value| excerpt(value).trim().to_owned());
        if let Some(needed) = header("x-accepted-github-permissions").filter(|v| !v.is_empty()) {
            let needed: Vec<_> = needed.split(';').map(str::trim).collect();
            let needed = needed.join(" or ");
            return Some(format!("it needs the permission {needed}"));
        }
        let held = match header("x-oauth-scopes") {
            Some(held) if held.is_empty() => "it has no scope".to_owned(),
            Some(held) => format!("it has the scopes {held}"),
            None => return None,
        };
        match header("x-accepted-oauth-scopes").filter(|needed| !needed.is_empty()) {
            Some(needed) => Some(format!("it needs one of the scopes {needed}, and {held}")),
            None => Some(held),
        }
    }
}

/// What the body of an answer says: GitHub's messages, or a few words of a page that is not JSON.
pub(super) fn message(answer: &Answer) -> String {
    let Ok(json) = serde_json::from_slice::<Value>(&answer.body) else {
        return excerpt(&without_markup(&answer.text()));
    };
    let mut parts: Vec<String> = Vec::new();
    let mut add = |text: Option<&str>| {
        if let Some(text) = text
            && !text.is_empty()
            && !parts.iter().any(|part| part == text)
        {
            parts.push(text.to_owned());
        }
    };
    add(json["message"].as_str());
    for error in json["errors"].as_array().into_iter().flatten() {
        match error["message"].as_str().or(error.as_str()) {
            Some(text) => add(Some(text)),
            None => {
                let words: Vec<_> = ["resource", "field", "code"]
                    .iter()
                    .filter_map(|k| error[*k].as_str())
                    .collect();
                add(Some(&words.join(" ")));
            }
        }
    }
    excerpt(&parts.join("; "))
}

/// A page's text: without tags, styles and scripts, blanks folded.
fn without_markup(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        text.push(' ');
        rest = &rest[open..];
        let skipped = ["style", "script"].iter().find_map(|name| {
            let tag = rest.get(1..=name.len())?;
            tag.eq_ignore_ascii_case(name).then(|| format!("</{name}"))
        });
        if let Some(close) = skipped.and_then(|end| rest.to_ascii_lowercase().find(&end)) {
            rest = &rest[close..];
        }
        rest = rest.find('>').map_or("", |close| &rest[close + 1..]);
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first characters on one line, without control characters.
fn excerpt(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(EXCERPT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer { status, headers: map, body: body.as_bytes().to_vec(), cut: None }
    }

    fn error(answer: &Answer) -> Error {
        let refusal = Refusal {
            method: "POST",
            url: "https://api.github.com/repos/a/b/issues/1/comments?page=2",
            answer,
            has_token: true,
            may_lack_prefix: false,
            redactor: &Redactor::new([]),
        };
        refusal.error()
    }

    #[test]
    fn missing_rights_name_what_is_needed_and_held() {
        let classic = answer(
            403,
            &[
                ("x-accepted-oauth-scopes", "public_repo, repo"),
                ("x-oauth-scopes", "read:user"),
                ("x-github-request-id", "ABCD:1234"),
            ],
            r#"{"message":"Must have write access"}"#,
        );
        let text = error(&classic).to_string();
        for part in ["public_repo, repo", "read:user", "Must have write access", "ABCD:1234"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let app = answer(
            403,
            &[("x-accepted-github-permissions", "issues=write;pull_requests=write")],
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        let text = error(&app).to_string();
        assert!(text.contains("issues=write or pull_requests=write"), "{text}");
    }

    #[test]
    fn each_status_says_what_it_means() {
        let cases = [
            (401, r#"{"message":"Bad credentials"}"#, "does not accept the token"),
            (
                403,
                r#"{"message":"Unable to create comment because issue is locked."}"#,
                "is locked",
            ),
            (403, r#"{"message":"Repository was archived so is read-only."}"#, "archived"),
            (404, r#"{"message":"Not Found"}"#, "not found, or the token has no right"),
            (410, r#"{"message":"Issues are disabled for this repo"}"#, "switched off"),
            (
                422,
                r#"{"message":"Validation Failed","errors":[{"message":"Body is too long (maximum is 65536 characters)"}]}"#,
                "too long",
            ),
            (451, "", "refused the request (451)"),
        ];
        for (status, body, words) in cases {
            let error = error(&answer(status, &[], body));
            assert_eq!(error.status(), Status::GithubRefused, "{status}");
            assert!(error.to_string().contains(words), "{words} in {error}");
        }
        assert_eq!(error(&answer(502, &[], "")).status(), Status::GithubUnreachable);
    }

    #[test]
    fn a_page_is_shown_as_a_few_words_without_markup() {
        let page = "<!DOCTYPE html><html><head><style>h1 { color: red }</style></head>\
                    <body><h1>502  Bad\nGateway</h1></body></html>";
        assert_eq!(message(&answer(502, &[], page)), "502 Bad Gateway");
        let long = message(&answer(502, &[], &"ü".repeat(5000)));
        assert_eq!(long.chars().count(), EXCERPT + 1);
        assert_eq!(message(&answer(502, &[], "<b")), "");
    }

    #[test]
    fn the_values_of_a_query_are_not_shown() {
        assert!(!error(&answer(404, &[], "")).to_string().contains("page=2"));
    }
}
