//! URLs as they are told and shown.

use ureq::http;

/// Host and port of a URI, without the port that is the scheme's own.
pub(super) fn host_of(uri: &http::Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(443), Some("https")) | (Some(80), Some("http")) => host.to_owned(),
        (Some(port), _) => format!("{host}:{port}"),
    }
}

/// A URL as it may be shown: without user information, and with the values of its query masked.
pub fn display_url(url: &str) -> String {
    let (before, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (url, None),
    };
    let mut shown = match before.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = match rest.find('/') {
                Some(slash) => rest.split_at(slash),
                None => (rest, ""),
            };
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => before.to_owned(),
    };
    if let Some(query) = query {
        let names: Vec<_> = query
            .split('&')
            .map(|pair| {
                pair.split_once('=').map_or(pair.to_owned(), |(name, _)| format!("{name}=…"))
            })
            .collect();
        shown.push('?');
        shown.push_str(&names.join("&"));
    }
    shown
}
