//! Pages of lists, and the Link header that leads through them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::access::Call;
use crate::server::Request;

/// Which part of a list was asked for.
pub(crate) struct Page {
    pub number: usize,
    pub size: usize,
}

impl Page {
    /// Reads `page` and `per_page`; what is no number counts as not given, as at GitHub.
    pub(crate) fn of(request: &Request) -> Self {
        let read = |name: &str| request.parameter(name).and_then(|value| value.parse().ok());
        let size: usize = read("per_page").unwrap_or(30);
        let number: usize = read("page").unwrap_or(1);
        Page { number: number.max(1), size: if size == 0 { 30 } else { size.min(100) } }
    }

    /// The part of the list.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>) -> Vec<T> {
        let start = (self.number - 1).saturating_mul(self.size).min(items.len());
        items.drain(..start);
        items.truncate(self.size);
        items
    }

    /// The Link header of a list with so many items; None when everything fits one page.
    pub(crate) fn link(&self, call: &Call<'_>, path: &str, total: usize) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        let mut links = Vec::new();
        let mut add = |number: usize, rel: &str| {
            links.push(format!("<{}>; rel=\"{rel}\"", self.url(call, path, number)));
        };
        if self.number > 1 {
            add((self.number - 1).min(last), "prev");
        }
        if self.number < last {
            add(self.number + 1, "next");
            add(last, "last");
        }
        if self.number > 1 {
            add(1, "first");
        }
        (!links.is_empty()).then(|| links.join(", "))
    }

    fn url(&self, call: &Call<'_>, path: &str, number: usize) -> String {
        let mut query: Vec<(String, String)> = call.request.query();
        query.retain(|(name, _)| name != "page");
        query.push(("page".to_owned(), number.to_string()));
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| {
                let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
                format!("{name}={value}")
            })
            .collect();
        format!("{}{path}?{}", call.base, query.join("&"))
    }
}
