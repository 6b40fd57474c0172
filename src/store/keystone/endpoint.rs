//! The address of the identity service, and which of its languages is spoken there.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::display_url;
use crate::status::Status;

/// A version of the identity service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A token for two headers: TempAuth, Ceph.
    V1,
    /// Keystone with tenants.
    V2,
    /// Keystone with projects and domains.
    V3,
}

/// An address in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Scheme, host and port.
    origin: String,
    /// Empty, or `/…` without a slash at its end; with the version, if one is named.
    path: String,
    /// What the address says by itself.
    pub(super) version: Option<Version>,
}

impl Endpoint {
    /// Reads `store_endpoint`. An address that ends with a version is one of that version; the
    /// path below it, which some copy along, is dropped.
    pub(super) fn parse(url: &str) -> Result<Endpoint> {
        let url = url.trim().trim_end_matches('/');
        let start = url.find("://").map_or(0, |at| at + 3);
        let slash = url[start..].find('/').map_or(url.len(), |at| start + at);
        let (origin, path) = url.split_at(slash);
        let path = ["/auth/tokens", "/tokens"]
            .iter()
            .find_map(|end| path.strip_suffix(end))
            .unwrap_or(path)
            .trim_end_matches('/');
        if path.contains("/AUTH_") {
            return Err(Error::new(
                Status::BadSetting,
                "store_endpoint is the address of an account in Swift, not of the service that \
                 gives tokens",
            )
            .at(display_url(url))
            .advise("give the address of Keystone (https://…/v3), or https://…/auth/v1.0"));
        }
        let version = path.rsplit('/').next().and_then(version_of);
        Ok(Endpoint { origin: origin.to_owned(), path: path.to_owned(), version })
    }

    /// The address as it may be shown.
    pub(super) fn display(&self) -> String {
        display_url(&format!("{}{}", self.origin, self.path))
    }

    /// Where tokens are asked for; an address without a version is tried as v3.
    pub(super) fn tokens_url(&self) -> String {
        let Endpoint { origin, path, version } = self;
        match version {
            Some(Version::V1) => format!("{origin}{path}"),
            Some(Version::V2) => format!("{origin}{path}/tokens"),
            Some(Version::V3) => format!("{origin}{path}/auth/tokens"),
            None => format!("{origin}{path}/v3/auth/tokens"),
        }
    }

    /// Where a user learns which projects are open to him; v3 only.
    pub(super) fn projects_url(&self) -> String {
        self.tokens_url().replace("/auth/tokens", "/auth/projects")
    }

    /// Where the list of versions is.
    pub(super) fn versions_url(&self) -> String {
        format!("{}{}/", self.origin, self.path)
    }

    /// The newest known version in a list of versions. Its path is taken from the list; scheme,
    /// host and port stay, because behind a proxy many lists name an inner host, and a password
    /// is sent only where the user said.
    pub(super) fn newest(&self, list: &[u8]) -> Option<Endpoint> {
        let offered = offered(list);
        [Version::V3, Version::V2].into_iter().find_map(|wanted| {
            let found = offered.iter().find(|offer| version_of(&offer.id) == Some(wanted))?;
            let name = if wanted == Version::V3 { "v3" } else { "v2.0" };
            let path = found
                .links
                .iter()
                .find(|link| link.rel == "self")
                .and_then(|link| path_of(&link.href))
                .filter(|path| path.rsplit('/').next().and_then(version_of) == Some(wanted))
                .unwrap_or_else(|| format!("{}/{name}", self.path));
            Some(Endpoint { origin: self.origin.clone(), path, version: Some(wanted) })
        })
    }

    /// Whether what is sent there is encrypted on its way.
    pub(super) fn is_https(&self) -> bool {
        self.origin.to_ascii_lowercase().starts_with("https://")
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }
}

fn version_of(component: &str) -> Option<Version> {
    let (word, digits) = match component.strip_prefix(['v', 'V']) {
        Some(digits) => (true, digits),
        None => (false, component),
    };
    let major = digits.split('.').next().unwrap_or_default();
    let number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (word, number, major) {
        // Ceph also answers at /auth/1.0.
        (_, true, "1") if word || digits == "1.0" => Some(Version::V1),
        (true, true, "2") => Some(Version::V2),
        (true, true, "3") => Some(Version::V3),
        _ => None,
    }
}

/// The path of an absolute URL without a slash at its end.
fn path_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(path.trim_end_matches('/').to_owned())
}

#[derive(Deserialize)]
struct Offer {
    id: String,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    rel: String,
    #[serde(default)]
    href: String,
}

/// `{"versions": {"values": […]}}`, or a list without `values`, or the `version` of one alone.
fn offered(list: &[u8]) -> Vec<Offer> {
    let Ok(list) = serde_json::from_slice::<serde_json::Value>(list) else { return Vec::new() };
    let versions = &list["versions"];
    let values = match (versions.get("values"), versions.is_array(), list.get("version")) {
        (Some(values), _, _) => values.clone(),
        (None, true, _) => versions.clone(),
        (None, false, Some(one)) => serde_json::Value::Array(vec![one.clone()]),
        (None, false, None) => return Vec::new(),
    };
    serde_json::from_value(values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_which_version_is_spoken() {
        for (url, version, tokens) in [
            ("https://k.example.org/v3", Some(Version::V3), "https://k.example.org/v3/auth/tokens"),
            (
                "https://k.example.org/identity/v3/auth/tokens",
                Some(Version::V3),
                "https://k.example.org/identity/v3/auth/tokens",
            ),
            ("https://k.example.org:5000/", None, "https://k.example.org:5000/v3/auth/tokens"),
            (
                "https://k.example.org/identity",
                None,
                "https://k.example.org/identity/v3/auth/tokens",
            ),
            ("https://k.example.org/v2.0/", Some(Version::V2), "https://k.example.org/v2.0/tokens"),
            (
                "https://s.example.org/auth/v1.0",
                Some(Version::V1),
                "https://s.example.org/auth/v1.0",
            ),
            ("https://s.example.org/v1.0", Some(Version::V1), "https://s.example.org/v1.0"),
            ("https://c.example.org/auth/1.0", Some(Version::V1), "https://c.example.org/auth/1.0"),
            ("https://k.example.org/region1", None, "https://k.example.org/region1/v3/auth/tokens"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.version, version, "{url}");
            assert_eq!(endpoint.tokens_url(), tokens, "{url}");
        }
        let account = Endpoint::parse("https://s.example.org/v1/AUTH_lab").unwrap_err();
        assert!(account.to_string().contains("/v3"), "{account}");
    }

    #[test]
    fn a_list_of_versions_leads_to_the_newest_one_on_the_same_host() {
        let endpoint = Endpoint::parse("https://k.example.org/identity").unwrap();
        let list = br#"{"versions": {"values": [
            {"id": "v2.0", "links": [{"rel": "self", "href": "http://10.0.0.1:5000/identity/v2.0/"}]},
            {"id": "v3.14", "links": [{"rel": "self", "href": "http://10.0.0.1:5000/identity/v3/"}]}]}}"#;
        let newest = endpoint.newest(list).unwrap();
        assert_eq!(newest.tokens_url(), "https://k.example.org/identity/v3/auth/tokens");
        let old = br#"{"versions": [{"id": "v2.0"}]}"#;
        let newest = endpoint.newest(old).unwrap();
        assert_eq!(newest.tokens_url(), "https://k.example.org/identity/v2.0/tokens");
        assert!(endpoint.newest(b"<html>").is_none());
        assert!(endpoint.newest(br#"{"versions": []}"#).is_none());
    }
}
