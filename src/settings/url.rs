//! The few parts of an address that the settings are judged by. Requests are made in http.rs.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address in its parts, as written, without a check of characters that do not matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// `https`, in the case in which it was written.
    pub(super) scheme: &'a str,
    /// What stands before an `@`: a user, or user and password.
    pub(super) user_info: Option<&'a str>,
    /// The host; a literal IPv6 address keeps its brackets.
    pub(super) host: &'a str,
    /// The port, where one is written.
    pub(super) port: Option<u16>,
    /// From the first slash after the host on, without query and fragment.
    pub(super) path: &'a str,
}

impl<'a> Address<'a> {
    /// Splits `scheme://[user@]host[:port][/path]`; `None` if it is no such thing.
    pub(super) fn parse(text: &'a str) -> Option<Address<'a>> {
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || !scheme.chars().all(is_scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let path = rest.split(['?', '#']).next().unwrap_or("");
        let (user_info, host_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host_port)?;
        Some(Address { scheme, user_info, host, port, path })
    }

    /// Whether the scheme is this one, in any case.
    pub(super) fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Whether the host is this machine, so that nothing sent to it crosses a network.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let colon = match text.rfind(']') {
        Some(bracket) => text[bracket..].find(':').map(|at| bracket + at),
        None => text.find(':'),
    };
    let (host, port) = match colon {
        Some(at) => (&text[..at], Some(text[at + 1..].parse().ok().filter(|port| *port != 0)?)),
        None => (text, None),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    (bracketed || (!host.is_empty() && host.chars().all(plain))).then_some((host, port))
}

/// The address without user and password, for messages and `notify_pr settings`.
pub(super) fn without_user(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    match text[start..end].rfind('@') {
        Some(at) => format!("{}{}@{}", &text[..start], super::MASK, &text[start + at + 1..]),
        None => text.to_owned(),
    }
}

/// A repository on a server, as an address of a web page, of a git remote, or of a pull request
/// names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RepositoryAddress {
    /// The server; empty if only `owner/repo` was written.
    pub(super) host: String,
    /// The first component of the path.
    pub(super) owner: String,
    /// The second component, without `.git`.
    pub(super) repo: String,
}

impl RepositoryAddress {
    /// Reads `owner/repo`, `https://host/owner/repo(.git)`, `ssh://git@host/owner/repo.git`,
    /// `git@host:owner/repo.git` and addresses of pages below a repository.
    pub(super) fn parse(text: &str) -> Option<RepositoryAddress> {
        let text = text.trim();
        let (host, path) = if let Some(address) = Address::parse(text) {
            (address.host, address.path)
        } else if let Some((before, path)) = scp_form(text) {
            (before.rsplit('@').next().unwrap_or(before), path)
        } else if text.matches('/').count() == 1 {
            ("", text)
        } else {
            return None;
        };
        let mut parts = path.trim_matches('/').split('/');
        let (owner, repo) = (parts.next()?, parts.next()?);
        let repo = repo.strip_suffix(".git").unwrap_or(repo);
        let host = match host.to_ascii_lowercase().as_str() {
            // Names under which github.com takes git traffic past firewalls.
            "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
            other => other.to_owned(),
        };
        (is_login(owner) && is_repository(repo)).then(|| RepositoryAddress {
            host,
            owner: owner.to_owned(),
            repo: repo.to_owned(),
        })
    }
}

/// `host:path` as ssh takes it: the colon comes before any slash.
fn scp_form(text: &str) -> Option<(&str, &str)> {
    let (host, path) = text.split_once(':')?;
    (!host.is_empty() && !host.contains('/') && !text.contains("://")).then_some((host, path))
}

/// Whether this can be the name of a user or an organisation.
pub(super) fn is_login(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Whether this can be the name of a repository.
pub(super) fn is_repository(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text != "."
        && text != ".."
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The host of the pages that belongs to an API: `github.com` for `https://api.github.com`.
///
/// GitHub Enterprise Server answers on one host; a tenant of ghe.com has `api.` before its name.
/// `None` if the API is on this machine: what answers there may stand for any server.
pub(super) fn web_host(api_url: &str) -> Option<String> {
    let address = Address::parse(api_url).filter(|address| !address.is_loopback())?;
    let host = address.host.to_ascii_lowercase();
    let cloud = host == "api.github.com" || host.ends_with(".ghe.com");
    Some(match host.strip_prefix("api.") {
        Some(rest) if cloud => rest.to_owned(),
        _ => host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_its_parts() {
        let parsed = Address::parse("HTTPS://user:pa@ss@ci.example.org:8443/a/b?q=1#f").unwrap();
        assert!(parsed.has_scheme("https"));
        assert_eq!(parsed.user_info, Some("user:pa@ss"));
        assert_eq!((parsed.host, parsed.port, parsed.path), ("ci.example.org", Some(8443), "/a/b"));
        for bad in
            ["", "example.org", "://x", "https://", "https://a b", "https://h:0", "https://h:x"]
        {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:80/x", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1/", true),
            ("http://LocalHost", true),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().is_loopback(), expected, "{url}");
        }
    }

    #[test]
    fn every_form_of_a_remote_names_its_repository() {
        for text in [
            "https://github.com/apache/cloudstack",
            "https://github.com/apache/cloudstack.git",
            "https://user:pw@github.com/apache/cloudstack.git/",
            "ssh://git@github.com/apache/cloudstack.git",
            "ssh://git@ssh.github.com:443/apache/cloudstack.git",
            "git@github.com:apache/cloudstack.git",
            "github.com:apache/cloudstack",
            "git@github.com:/apache/cloudstack.git",
            "git://github.com/apache/cloudstack.git",
            "https://github.com/apache/cloudstack/pull/42",
            "https://www.github.com/apache/cloudstack",
        ] {
            let found = RepositoryAddress::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (found.host.as_str(), found.owner.as_str(), found.repo.as_str()),
                ("github.com", "apache", "cloudstack"),
                "{text}"
            );
        }
        let bare = RepositoryAddress::parse("apache/cloudstack").unwrap();
        assert_eq!((bare.host.as_str(), bare.repo.as_str()), ("", "cloudstack"));
        for bad in ["", "cloudstack", "/srv/git/cloudstack.git", "../other/repo", "file:///srv/x"] {
            assert_eq!(RepositoryAddress::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_web_host_of_every_kind_of_github_is_known() {
        for (api, host) in [
            ("https://API.github.com", "github.com"),
            ("https://ghe.example.org/api/v3", "ghe.example.org"),
            ("https://api.example.org/api/v3", "api.example.org"),
            ("https://api.octocorp.ghe.com", "octocorp.ghe.com"),
        ] {
            assert_eq!(web_host(api).as_deref(), Some(host));
        }
        assert_eq!(web_host("http://127.0.0.1:8080"), None);
    }

    #[test]
    fn user_and_password_of_an_address_are_masked() {
        assert_eq!(without_user("http://lab:pw@proxy:3128/x@y"), "http://••••@proxy:3128/x@y");
        assert_eq!(without_user("lab:pw@proxy:3128"), "••••@proxy:3128");
        assert_eq!(without_user("https://example.org/a@b"), "https://example.org/a@b");
    }
}
