//! The marker: the last line of each comment, by which we know our own.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const BEGIN: &str = "<!-- notify_pr:";
const END: &str = " -->";

/// The layout of the line that this version writes.
pub const LAYOUT: u32 = 1;

/// What a comment says of itself: `<!-- notify_pr:1 {"context":…} -->`.
///
/// Anybody can write such a line. It means something only at the end of a comment that our own
/// account wrote. Another version may have written more into it, which is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The lab or job that speaks; there is one comment for each.
    pub context: String,
    /// The submission that wrote it last.
    pub submission: String,
    /// The commit that it tells of.
    pub commit: String,
    /// When that submission began, in UTC.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub started: OffsetDateTime,
}

impl Marker {
    /// The line, without a line break. Nothing in it can end the HTML comment early: hyphens that
    /// follow one another and angle brackets are written as JSON escapes.
    pub fn line(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        let json = json.replace("--", "\\u002d\\u002d");
        let json = json.replace('>', "\\u003e").replace('<', "\\u003c");
        format!("{BEGIN}{LAYOUT} {json}{END}")
    }

    /// The marker on the last line of a comment, of any layout that has the same fields; None where
    /// there is none.
    pub fn parse(body: &str) -> Option<Marker> {
        let (_, json) = last_line(body)?;
        serde_json::from_str(json).ok()
    }

    /// The layout of the marker on the last line of a comment, whether or not [`Marker::parse`]
    /// understands it.
    pub fn layout(body: &str) -> Option<u32> {
        last_line(body).map(|(layout, _)| layout)
    }
}

/// The layout and the JSON of a marker.
fn last_line(body: &str) -> Option<(u32, &str)> {
    let last = body.trim_end().lines().next_back()?;
    let (layout, json) = last.strip_prefix(BEGIN)?.strip_suffix(END)?.split_once(' ')?;
    Some((layout.parse().ok()?, json))
}

fn write_time<S: serde::Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let utc = at.to_offset(time::UtcOffset::UTC);
    let text = utc.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

fn read_time<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<OffsetDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn marker() -> Marker {
        Marker {
            context: "lab \"ä\" --> <b> ---".to_owned(),
            submission: "00112233445566778899aabbccddeeff".to_owned(),
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            started: datetime!(2026-03-01 12:00:00 UTC),
        }
    }

    #[test]
    fn a_marker_is_one_line_that_ends_only_at_its_end_and_comes_back_whole() {
        let line = marker().line();
        assert!(!line.contains('\n'));
        let inside = line.strip_prefix("<!--").unwrap().strip_suffix("-->").unwrap();
        assert!(!inside.contains("--") && !inside.contains('>') && !inside.contains('<'), "{line}");
        assert!(line.contains("2026-03-01T12:00:00Z"), "{line}");
        assert_eq!(Marker::parse(&format!("text\n\n{line}")), Some(marker()));
    }

    #[test]
    fn what_another_version_wrote_besides_is_ignored_and_its_layout_is_told() {
        let line = marker().line();
        let more = line.replace("{\"context\"", "{\"run\":{\"id\":7},\"context\"");
        assert_ne!(more, line);
        assert_eq!(Marker::parse(&more), Some(marker()));
        let later = more.replace("notify_pr:1 ", "notify_pr:12 ");
        assert_eq!((Marker::parse(&later), Marker::layout(&later)), (Some(marker()), Some(12)));
        let strange = "<!-- notify_pr:3 [] -->";
        assert_eq!((Marker::parse(strange), Marker::layout(strange)), (None, Some(3)));
        assert_eq!(Marker::layout(&line), Some(LAYOUT));
    }

    #[test]
    fn the_marker_counts_only_on_the_last_line() {
        let line = marker().line();
        assert_eq!(Marker::parse(&format!("{line}\ntext")), None);
        assert_eq!(Marker::parse(&format!("> {line}")), None);
        assert_eq!(Marker::parse(&format!("```\n{line}\n```")), None);
        assert_eq!(Marker::parse(&format!("text\r\n{line}\r\n")), Some(marker()));
        assert_eq!(Marker::parse(""), None);
    }

    #[test]
    fn what_is_not_quite_a_marker_is_none() {
        let line = marker().line();
        assert_eq!(Marker::parse(&line.replace("notify_pr:1", "notify_pr:one")), None);
        assert_eq!(Marker::parse(&line.replace("\"submission\"", "\"other\"")), None);
        assert_eq!(Marker::parse(&line.replace("2026-03-01T", "yesterday ")), None);
        assert_eq!(Marker::parse(&line[..line.len() - 6]), None);
    }
}
