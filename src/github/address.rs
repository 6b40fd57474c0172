//! Where the REST and the GraphQL interface are, and what counts as the same server.

use crate::error::{Error, Result};
use crate::http::display_url;
use crate::status::Status;

/// The interface of github.com.
pub(super) const GITHUB_COM: &str = "https://api.github.com";

/// The addresses of one GitHub.
#[derive(Debug)]
pub(super) struct Address {
    rest: String,
    graphql: String,
    origin: Origin,
}

/// Scheme, host and port. Credentials go to one of these only.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Address {
    /// Understands `api_url`. See "Using the REST API" in the documentation of github.com, GitHub
    /// Enterprise Server (`/api/v3`) and GHE.com (`api.` before the host).
    pub(super) fn new(api_url: &str) -> Result<Address> {
        let url = api_url.trim().trim_end_matches('/');
        let bad = |what: &str| {
            Error::new(Status::BadSetting, format!("`api_url` {what}")).at(display_url(url))
        };
        let Some((origin, _)) = split(url) else {
            return Err(bad("is not an address")
                .advise("write for instance `api_url = https://github.example.org/api/v3`"));
        };
        if url.contains(['?', '#']) {
            return Err(bad("may not hold `?` or `#`").advise("give the address alone"));
        }
        if origin.host == "github.com" || origin.host == "www.github.com" {
            return Err(bad("is the address of the web pages")
                .advise("leave it out, or write `api_url = https://api.github.com`"));
        }
        if origin.host.ends_with(".ghe.com") && !origin.host.starts_with("api.") {
            return Err(bad("is the address of the web pages")
                .advise(format!("write `api_url = https://api.{}`", origin.host)));
        }
        let graphql = match url.strip_suffix("/api/v3") {
            Some(server) => format!("{server}/api/graphql"),
            None => format!("{}/graphql", url.strip_suffix("/graphql").unwrap_or(url)),
        };
        Ok(Address { rest: url.to_owned(), graphql, origin })
    }

    /// The address that paths such as `/repos/…` are appended to.
    pub(super) fn rest(&self) -> &str {
        &self.rest
    }

    /// The address of GraphQL.
    pub(super) fn graphql(&self) -> &str {
        &self.graphql
    }

    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_safe_for_secrets(&self) -> bool {
        let host = self.origin.host.as_str();
        self.origin.scheme == "https"
            || host == "localhost"
            || host == "[::1]"
            || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether this looks like a GitHub Enterprise Server whose `/api/v3` was left out.
    pub(super) fn may_lack_prefix(&self) -> bool {
        let host = self.origin.host.as_str();
        !(self.rest.ends_with("/api/v3") || host == "api.github.com" || host.ends_with(".ghe.com"))
    }

    /// The absolute form of an address that an answer to `from` named, if it is on this server.
    pub(super) fn follow(&self, from: &str, to: &str) -> Option<String> {
        let absolute = if to.starts_with('/') && !to.starts_with("//") {
            let (_, path) = split(from)?;
            format!("{}{to}", from.strip_suffix(path)?)
        } else {
            to.to_owned()
        };
        let (origin, _) = split(&absolute)?;
        (origin == self.origin).then_some(absolute)
    }
}

/// Splits an absolute http or https address into its origin and all that follows. Addresses with
/// user information are none.
fn split(url: &str) -> Option<(Origin, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.chars().any(|c| c == '@' || c == '\\' || c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, if port.is_empty() { default } else { port.parse().ok()? })
        }
        _ => (authority, default),
    };
    if host.is_empty() {
        return None;
    }
    Some((Origin { scheme, host: host.to_ascii_lowercase(), port }, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graphql(api_url: &str) -> String {
        Address::new(api_url).unwrap().graphql().to_owned()
    }

    #[test]
    fn graphql_is_where_each_kind_of_github_has_it() {
        assert_eq!(graphql("https://api.github.com"), "https://api.github.com/graphql");
        assert_eq!(
            graphql("https://ghes.example.org/api/v3/"),
            "https://ghes.example.org/api/graphql"
        );
        assert_eq!(graphql("https://api.lab.ghe.com"), "https://api.lab.ghe.com/graphql");
    }

    #[test]
    fn the_address_of_the_web_pages_is_refused_with_the_right_one() {
        let text = Address::new("https://github.com/").unwrap_err().to_string();
        assert!(text.contains("https://api.github.com"), "{text}");
        let text = Address::new("https://lab.ghe.com").unwrap_err().to_string();
        assert!(text.contains("https://api.lab.ghe.com"), "{text}");
        assert!(Address::new("github.example.org/api/v3").is_err());
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_followed() {
        let address = Address::new("https://ghes.example.org/api/v3").unwrap();
        let from = "https://ghes.example.org/api/v3/repos/a/b";
        let follows = |to: &str| address.follow(from, to);
        assert_eq!(
            follows("/api/v3/repositories/7").as_deref(),
            Some("https://ghes.example.org/api/v3/repositories/7")
        );
        assert!(follows("https://GHES.example.org:443/api/v3/x").is_some());
        for elsewhere in [
            "http://ghes.example.org/api/v3/x",
            "https://ghes.example.org:8443/x",
            "https://other.example.org/x",
            "//other.example.org/x",
            "https://ghes.example.org@other.example.org/x",
            "https://user@ghes.example.org/x",
            "https:\\\\ghes.example.org/x",
            "ftp://ghes.example.org/x",
        ] {
            assert_eq!(follows(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn secrets_are_safe_by_https_and_on_loopback() {
        let safe = |url: &str| Address::new(url).unwrap().is_safe_for_secrets();
        assert!(safe("https://ghes.example.org/api/v3"));
        assert!(safe("http://127.0.0.1:8080"));
        assert!(safe("http://[::1]:8080"));
        assert!(!safe("http://ghes.example.org/api/v3"));
        assert!(!safe("http://127.0.0.1.example.org"));
    }
}
