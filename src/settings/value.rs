//! The kinds of values: what each accepts, how it is written, and what a program gets of it.

use std::time::Duration;

use super::counts::Counts;
use super::url::{Address, is_login, is_repository};

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line of text.
    Text,
    /// A user or organisation of the forge.
    Owner,
    /// A repository, alone or after its owner.
    Repository,
    /// A commit: 7 to 40 or 64 hexadecimal digits, kept in lower case.
    Commit,
    /// The number of a pull request, `none`, or `auto` (kept as an empty value).
    PullRequest,
    /// A secret without blanks, such as a token.
    Token,
    /// A secret of any characters on one line.
    Secret,
    /// The path of a file, or `-` for standard input.
    FileOrInput,
    /// The path of a file or folder.
    Path,
    /// Paths or patterns of paths, parted by commas.
    PathList,
    /// Patterns of names, parted by commas.
    GlobList,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no, kept as `true` or `false`.
    Switch,
    /// A number of bytes.
    Size,
    /// A span of time.
    Duration,
    /// A whole number from the first to the second.
    Count(u64, u64),
    /// The first part of object names: components parted by slashes.
    Prefix,
    /// An address that begins with `https://` or `http://`.
    Url,
    /// An address, or `ci` for the one that the CI server gives.
    UrlOrCi,
    /// A folder or an address, whichever the store takes.
    Endpoint,
    /// A proxy: an address, or `host:port`.
    Proxy,
    /// Hosts parted by commas.
    Hosts,
    /// The id of a submission or a part: 32 hexadecimal digits.
    SubmissionId,
    /// How many tests passed, failed, broke and were skipped.
    Counts,
}

/// The longest span of time that a setting takes.
const LONGEST: u64 = 7 * 24 * 3600;

impl Kind {
    /// The value in the form in which it is kept, or `None` if it is impossible.
    ///
    /// An empty value never comes here: whether that is allowed depends on the setting.
    pub fn check(self, text: &str) -> Option<String> {
        if text.contains(|c: char| c == '\0' || (c.is_control() && !self.is_path())) {
            return None;
        }
        let as_is = || Some(text.to_owned());
        match self {
            Kind::Text | Kind::Secret | Kind::Hosts => as_is(),
            Kind::FileOrInput | Kind::Path | Kind::PathList => as_is(),
            Kind::Token => (!text.contains(char::is_whitespace)).then(|| text.to_owned()),
            Kind::Owner => is_login(text).then(|| text.to_owned()),
            Kind::Repository => match text.split_once('/') {
                Some((owner, repo)) => {
                    (is_login(owner) && is_repository(repo)).then(|| text.to_owned())
                }
                None => is_repository(text).then(|| text.to_owned()),
            },
            Kind::Commit => commit(text),
            Kind::PullRequest => pull_request(text),
            Kind::GlobList => split_list(text, true)
                .iter()
                .all(|item| globset::Glob::new(item).is_ok())
                .then(|| text.to_owned()),
            Kind::Choice(words) => words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(text))
                .map(|word| (*word).to_owned()),
            Kind::Switch => switch(text).map(|on| on.to_string()),
            Kind::Size => size(text).and(as_is()),
            Kind::Duration => duration(text).and(as_is()),
            Kind::Count(least, most) => {
                whole_number(text).filter(|n| (least..=most).contains(n)).map(|n| n.to_string())
            }
            Kind::Prefix => {
                let text = text.trim_matches('/');
                let good = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
                good.then(|| text.to_owned())
            }
            Kind::Url => is_web_address(text).then(|| text.to_owned()),
            Kind::UrlOrCi if text.eq_ignore_ascii_case("ci") => Some("ci".to_owned()),
            Kind::UrlOrCi => is_web_address(text).then(|| text.to_owned()),
            Kind::Endpoint => {
                (!text.contains("://") || is_web_address(text)).then(|| text.to_owned())
            }
            Kind::SubmissionId => {
                let good = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                good.then(|| text.to_ascii_lowercase())
            }
            Kind::Counts => Counts::parse(text).map(|counts| counts.to_string()),
            Kind::Proxy => is_proxy(text).then(|| text.to_owned()),
        }
    }

    /// What the kind takes, as it follows the word "takes".
    pub fn takes(self) -> String {
        match self {
            Kind::Text => "one line of text".to_owned(),
            Kind::Owner => "the name of a user or an organisation".to_owned(),
            Kind::Repository => "the name of a repository, or owner/name".to_owned(),
            Kind::Commit => "7 to 40 or 64 hexadecimal digits".to_owned(),
            Kind::PullRequest => "the number of a pull request, none, or auto".to_owned(),
            Kind::Token => "a secret without blanks and control characters".to_owned(),
            Kind::Secret => "a secret of one line".to_owned(),
            Kind::FileOrInput => "the path of a file, or - for standard input".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::PathList => "paths parted by commas".to_owned(),
            Kind::GlobList => "patterns such as *.iso, parted by commas".to_owned(),
            Kind::Choice(words) => one_of(words),
            Kind::Switch => "true or false".to_owned(),
            Kind::Size => "a number of bytes, such as 500M or 2G".to_owned(),
            Kind::Duration => "a time of at most 7 days, such as 90 s, 10 min or 2 h".to_owned(),
            Kind::Count(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Prefix => "names parted by slashes, none of them . or ..".to_owned(),
            Kind::Url => {
                "an address with http:// or https:// and without user and password".to_owned()
            }
            Kind::UrlOrCi => "an address with http:// or https://, or ci".to_owned(),
            Kind::Endpoint => "a folder, or an address with http:// or https://".to_owned(),
            Kind::Proxy => {
                "the address of a proxy, such as http://proxy.example.org:3128".to_owned()
            }
            Kind::Hosts => "hosts parted by commas".to_owned(),
            Kind::SubmissionId => "32 hexadecimal digits".to_owned(),
            Kind::Counts => "counts such as passed=12, failed=1, errors=0, skipped=3".to_owned(),
        }
    }

    /// A word that stands for the value in the command's help.
    pub fn placeholder(self) -> &'static str {
        match self {
            Kind::Text => "TEXT",
            Kind::Owner | Kind::Repository => "NAME",
            Kind::Commit => "SHA",
            Kind::PullRequest | Kind::Count(..) => "N",
            Kind::Token | Kind::Secret => "SECRET",
            Kind::FileOrInput => "FILE",
            Kind::Path => "PATH",
            Kind::PathList => "PATHS",
            Kind::GlobList => "PATTERNS",
            Kind::Choice(_) => "WORD",
            Kind::Switch => "BOOL",
            Kind::Size => "SIZE",
            Kind::Duration => "TIME",
            Kind::Prefix => "PREFIX",
            Kind::Url | Kind::UrlOrCi | Kind::Proxy => "URL",
            Kind::Endpoint => "WHERE",
            Kind::Hosts => "HOSTS",
            Kind::SubmissionId => "ID",
            Kind::Counts => "COUNTS",
        }
    }

    /// Whether values are kept to the letter, blanks at the ends included.
    pub(super) fn is_path(self) -> bool {
        matches!(self, Kind::FileOrInput | Kind::Path | Kind::PathList)
    }

    /// Whether an empty value means something: an empty list.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Kind::PathList | Kind::GlobList | Kind::Hosts)
    }

    /// Whether a value may hold a user and a password before an `@`.
    pub(super) fn is_address(self) -> bool {
        matches!(self, Kind::Url | Kind::UrlOrCi | Kind::Endpoint | Kind::Proxy)
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Whether this names a commit: 7 to 40 digits of SHA-1, or the 64 of SHA-256.
pub(super) fn commit(text: &str) -> Option<String> {
    let good = matches!(text.len(), 7..=40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}

fn pull_request(text: &str) -> Option<String> {
    match text.to_ascii_lowercase().as_str() {
        "none" => Some("none".to_owned()),
        "auto" => Some(String::new()),
        other => whole_number(other.strip_prefix('#').unwrap_or(other))
            .filter(|number| (1..=u64::from(u32::MAX)).contains(number))
            .map(|number| number.to_string()),
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A number and the word after it, blanks between them allowed.
fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim().to_ascii_lowercase()))
}

/// Bytes; K, M, G and T are powers of 1,024.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let power = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    number.checked_mul(1 << (10 * power))
}

/// A span of time; a number alone means seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let seconds = match unit.as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 24 * 3600,
        _ => return None,
    };
    number
        .checked_mul(seconds)
        .filter(|total| (1..=LONGEST).contains(total))
        .map(Duration::from_secs)
}

fn is_web_address(text: &str) -> bool {
    Address::parse(text).is_some_and(|address| {
        (address.has_scheme("https") || address.has_scheme("http")) && address.user_info.is_none()
    })
}

fn is_proxy(text: &str) -> bool {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    Address::parse(&full).is_some_and(|address| {
        (address.has_scheme("https") || address.has_scheme("http"))
            && matches!(address.path, "" | "/")
    })
}

/// The items of a list: `\,` is a comma, blanks around items are dropped, empty items are none.
/// In patterns a comma between braces belongs to the pattern.
pub(super) fn split_list(text: &str, patterns: bool) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0_usize;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if patterns => depth += 1,
            '}' if patterns => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, items.last_mut()) {
            ('\\', Some(item)) if chars.next_if_eq(&',').is_some() => item.push(','),
            (',', _) if depth == 0 => items.push(String::new()),
            (c, Some(item)) => item.push(c),
            (_, None) => {}
        }
    }
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_good_values_and_refuses_bad_ones() {
        let hex64 = "a".repeat(64);
        let verdict = Kind::Choice(&["success", "failure"]);
        let good: &[(Kind, &str, &str)] = &[
            (Kind::Text, "Ünïcode; # = ok", "Ünïcode; # = ok"),
            (Kind::Owner, "apache", "apache"),
            (Kind::Owner, "lab-bot_corp", "lab-bot_corp"),
            (Kind::Repository, "cloudstack", "cloudstack"),
            (Kind::Repository, "apache/cloud.stack", "apache/cloud.stack"),
            (Kind::Commit, "C8443496D3FA", "c8443496d3fa"),
            (Kind::Commit, &hex64, &hex64),
            (Kind::PullRequest, "42", "42"),
            (Kind::PullRequest, "#42", "42"),
            (Kind::PullRequest, "None", "none"),
            (Kind::PullRequest, "auto", ""),
            (Kind::Token, "example-token", "example-token"),
            (Kind::Secret, "p%ss;w#rd = x", "p%ss;w#rd = x"),
            (Kind::FileOrInput, "-", "-"),
            (Kind::Path, " C:\\temp\\new", " C:\\temp\\new"),
            (Kind::PathList, "a\\,b, c*", "a\\,b, c*"),
            (Kind::GlobList, "*.{iso,img}, core.[0-9]*", "*.{iso,img}, core.[0-9]*"),
            (verdict, "Success", "success"),
            (Kind::Switch, "yes", "true"),
            (Kind::Switch, "OFF", "false"),
            (Kind::Size, "1G", "1G"),
            (Kind::Size, "500 MiB", "500 MiB"),
            (Kind::Duration, "10 min", "10 min"),
            (Kind::Count(1, 256), "016", "16"),
            (Kind::Prefix, "/ci/logs/", "ci/logs"),
            (Kind::Url, "https://api.github.com", "https://api.github.com"),
            (Kind::UrlOrCi, "CI", "ci"),
            (Kind::UrlOrCi, "https://ci.example.org/1/", "https://ci.example.org/1/"),
            (Kind::Endpoint, "/srv/www/logs", "/srv/www/logs"),
            (Kind::Endpoint, "https://s3.example.org/logs", "https://s3.example.org/logs"),
            (Kind::Proxy, "proxy.example.org:3128", "proxy.example.org:3128"),
            (Kind::Proxy, "http://lab:pw@proxy:3128/", "http://lab:pw@proxy:3128/"),
            (Kind::Hosts, "localhost, .example.org", "localhost, .example.org"),
            (
                Kind::SubmissionId,
                "00112233445566778899AABBCCDDEEFF",
                "00112233445566778899aabbccddeeff",
            ),
        ];
        for (kind, text, kept) in good {
            assert_eq!(kind.check(text).as_deref(), Some(*kept), "{kind:?} takes {text:?}");
        }
        let long = "b".repeat(41);
        let bad: &[(Kind, &str)] = &[
            (Kind::Text, "two\nlines"),
            (Kind::Owner, "apache/cloudstack"),
            (Kind::Owner, "a b"),
            (Kind::Repository, ".."),
            (Kind::Repository, "a/b/c"),
            (Kind::Repository, "https://github.com/a/b"),
            (Kind::Commit, "c84434"),
            (Kind::Commit, &long),
            (Kind::Commit, "HEAD~1234"),
            (Kind::PullRequest, "0"),
            (Kind::PullRequest, "-1"),
            (Kind::PullRequest, "fix"),
            (Kind::Token, "two words"),
            (Kind::Token, "with\u{7}bell"),
            (Kind::Secret, "two\nlines"),
            (Kind::Path, "nul\0"),
            (Kind::GlobList, "core.[0-9"),
            (Kind::GlobList, "*.{iso"),
            (verdict, "ok"),
            (Kind::Switch, "maybe"),
            (Kind::Size, "G"),
            (Kind::Size, "1.5G"),
            (Kind::Size, "-1"),
            (Kind::Size, "99999999999T"),
            (Kind::Duration, "0"),
            (Kind::Duration, "8 days"),
            (Kind::Duration, "10 fortnights"),
            (Kind::Count(1, 256), "0"),
            (Kind::Count(1, 256), "257"),
            (Kind::Count(1, 256), "+5"),
            (Kind::Prefix, "a/../b"),
            (Kind::Prefix, "a//b"),
            (Kind::Url, "api.github.com"),
            (Kind::Url, "ftp://example.org"),
            (Kind::Url, "https://lab:pw@example.org"),
            (Kind::UrlOrCi, "jenkins"),
            (Kind::Endpoint, "ftp://example.org"),
            (Kind::Proxy, "socks5://proxy:1080"),
            (Kind::Proxy, "http://proxy/path"),
            (Kind::Hosts, "a\tb"),
            (Kind::SubmissionId, "0011"),
        ];
        for (kind, text) in bad {
            assert_eq!(kind.check(text), None, "{kind:?} refuses {text:?}");
        }
    }

    #[test]
    fn units_are_what_they_say() {
        assert_eq!(size("16"), Some(16));
        assert_eq!(size("1k"), Some(1024));
        assert_eq!(size("2 GB"), Some(2 << 30));
        assert_eq!(duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(duration("10 min"), Some(Duration::from_secs(600)));
        assert_eq!(duration("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(duration("7 days"), Some(Duration::from_secs(604_800)));
    }

    #[test]
    fn lists_are_split_at_commas_that_are_meant() {
        assert_eq!(split_list(" a , b\\,c,, d e ,", false), ["a", "b,c", "d e"]);
        assert_eq!(split_list("C:\\temp\\new,x", false), ["C:\\temp\\new", "x"]);
        assert_eq!(split_list("*.{iso,img}, core", true), ["*.{iso,img}", "core"]);
        assert_eq!(split_list("a{b,c}", false), ["a{b", "c}"]);
        assert!(split_list(" , ", false).is_empty());
    }
}
