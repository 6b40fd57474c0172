//! Connections: lists with cursors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Mistake;
use super::resolve::Node;

/// What a list item is ordered by. Cursors hold it, so that a list that changes between two pages
/// goes on behind the last item seen, as at GitHub.
pub(crate) type Key = (u64, u64);

/// A part of a list.
#[derive(Clone)]
pub(crate) struct Connection<'a> {
    /// The type in the schema.
    pub kind: &'static str,
    pub nodes: Vec<Node<'a>>,
    pub total: usize,
    pub info: PageInfo,
}

/// Where a part of a list lies.
#[derive(Clone, Default)]
pub(crate) struct PageInfo {
    pub start: Option<String>,
    pub end: Option<String>,
    pub next: bool,
    pub previous: bool,
}

/// Cuts the part that `first`, `last`, `after` and `before` ask for.
pub(crate) fn cut<'a>(
    kind: &'static str,
    field: &str,
    mut items: Vec<(Key, Node<'a>)>,
    descending: bool,
    arguments: &Map<String, Value>,
) -> Result<Connection<'a>, Mistake> {
    let number = |name: &str| arguments.get(name).and_then(Value::as_i64);
    let (count, backwards) = match (number("first"), number("last")) {
        (Some(first), None) => (first, false),
        (None, Some(last)) => (last, true),
        (Some(_), Some(_)) => {
            return Err(boundaries(format!(
                "Passing both `first` and `last` to paginate the `{field}` connection is not supported."
            )));
        }
        (None, None) => {
            return Err(boundaries(format!(
                "You must provide a `first` or `last` value to properly paginate the `{field}` \
             connection."
            )));
        }
    };
    if !(0..=100).contains(&count) {
        let mut mistake = Mistake::in_document(format!(
            "Requesting {count} records on the `{field}` connection exceeds the limit of 100 \
             records."
        ));
        mistake.kind = Some("EXCESSIVE_PAGINATION");
        return Err(mistake);
    }
    let total = items.len();
    let cursor = |name: &str| match arguments.get(name).and_then(Value::as_str) {
        None => Ok(None),
        Some(text) => decode(text).map(Some).ok_or_else(|| {
            let message = format!("`{text}` does not appear to be a valid cursor.");
            Mistake { kind: Some("INVALID_CURSOR_ARGUMENTS"), ..Mistake::in_document(message) }
        }),
    };
    let behind = |one: Key, other: Key| if descending { one < other } else { one > other };
    if let Some(after) = cursor("after")? {
        items.retain(|(key, _)| behind(*key, after));
    }
    if let Some(before) = cursor("before")? {
        items.retain(|(key, _)| behind(before, *key));
    }
    let count = usize::try_from(count).unwrap_or_default();
    let more = items.len() > count;
    if backwards {
        items.drain(..items.len().saturating_sub(count));
    } else {
        items.truncate(count);
    }
    let info = PageInfo {
        start: items.first().map(|(key, _)| encode(*key)),
        end: items.last().map(|(key, _)| encode(*key)),
        next: (more && !backwards) || arguments.get("before").is_some_and(Value::is_string),
        previous: (more && backwards) || arguments.get("after").is_some_and(Value::is_string),
    };
    let nodes = items.into_iter().map(|(_, node)| node).collect();
    Ok(Connection { kind, nodes, total, info })
}

fn boundaries(message: String) -> Mistake {
    Mistake { kind: Some("MISSING_PAGINATION_BOUNDARIES"), ..Mistake::in_document(message) }
}

fn encode((one, two): Key) -> String {
    STANDARD.encode(format!("cursor:v2:{one}:{two}"))
}

fn decode(cursor: &str) -> Option<Key> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (one, two) = text.strip_prefix("cursor:v2:")?.split_once(':')?;
    Some((one.parse().ok()?, two.parse().ok()?))
}
