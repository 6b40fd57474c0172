//! Lists that come in pages.

use serde::de::DeserializeOwned;

use super::call::{Call, Repeat};
use super::rest::get;
use super::{CallError, GitHub};
use crate::http::HeaderMap;

/// The most that GitHub puts on a page.
const PER_PAGE: u64 = 100;
/// Fewer are not asked for, however slow GitHub is.
const LEAST_PER_PAGE: u64 = 10;

impl GitHub<'_> {
    /// Reads a list to its end: the pages are where `Link` says. A page that takes GitHub too long
    /// is asked for again in halves.
    pub(super) fn pages<T: DeserializeOwned>(
        &self,
        first: String,
        each: &mut dyn FnMut(T),
    ) -> Result<(), CallError> {
        let joint = if first.contains('?') { '&' } else { '?' };
        let mut url = format!("{first}{joint}per_page={PER_PAGE}");
        let mut repeat = Repeat::AskForLess;
        loop {
            match self.call::<T>(&Call { repeat, ..get(url.clone()) }) {
                Ok((page, headers)) => {
                    each(page);
                    match next_page(&headers) {
                        None => return Ok(()),
                        Some(next) => match self.address.follow(&url, next) {
                            Some(next) => url = next,
                            None => {
                                let what = "the next page is on another server";
                                return Err(self.elsewhere(what, &url, next).into());
                            }
                        },
                    }
                }
                Err(error) if error.asks_for_less() => match halved(&url) {
                    Some(smaller) => url = smaller,
                    None if repeat == Repeat::AskForLess => repeat = Repeat::Harmless,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }
}

/// The address of `rel="next"` in a `Link` header (RFC 8288).
fn next_page(headers: &HeaderMap) -> Option<&str> {
    let link = headers.get("link")?.to_str().ok()?;
    link.split('<').skip(1).find_map(|entry| {
        let (url, parameters) = entry.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            parameter.trim().strip_prefix("rel=").is_some_and(|rel| {
                rel.trim_matches('"').split_whitespace().any(|rel| rel == "next")
            })
        });
        is_next.then_some(url)
    })
}

/// The same place of a list with half the entries on a page, or None when that is too few.
fn halved(url: &str) -> Option<String> {
    let (path, query) = url.split_once('?')?;
    let mut others = Vec::new();
    let (mut size, mut page) = (30, 1);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("per_page", value)) => size = value.parse().ok()?,
            Some(("page", value)) => page = value.parse::<u64>().ok()?,
            _ => others.push(pair.to_owned()),
        }
    }
    let half: u64 = size / 2;
    if half < LEAST_PER_PAGE {
        return None;
    }
    // An odd size makes a few entries come again, but none is passed over.
    let page = page.saturating_sub(1).saturating_mul(size) / half + 1;
    others.push(format!("per_page={half}"));
    others.push(format!("page={page}"));
    Some(format!("{path}?{}", others.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_other_links() {
        let mut headers = HeaderMap::new();
        let link = "<https://a/1?page=1,2>; rel=\"prev\", <https://a/1?page=3>; rel=\"next\", \
                    <https://a/1?page=9>; rel=\"last\"";
        headers.insert("link", link.parse().unwrap());
        assert_eq!(next_page(&headers), Some("https://a/1?page=3"));
        headers.insert("link", "<https://a/1>; rel=\"first\"".parse().unwrap());
        assert_eq!(next_page(&headers), None);
        assert_eq!(next_page(&HeaderMap::new()), None);
    }

    #[test]
    fn halving_a_page_keeps_the_place() {
        assert_eq!(
            halved("https://a/p?state=open&per_page=100&page=3").as_deref(),
            Some("https://a/p?state=open&per_page=50&page=5")
        );
        assert_eq!(
            halved("https://a/p?per_page=25&page=4").as_deref(),
            Some("https://a/p?per_page=12&page=7")
        );
        assert_eq!(halved("https://a/p?per_page=12&page=1"), None);
    }
}
