//! The marker: the last line of each comment, by which we know our own.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const BEGIN: &str = "<!-- notify_pr:1 ";
const END: &str = " -->";

/// What a comment says of itself: `<!-- notify_pr:1 {"context":…} -->`.
///
/// Anybody can write such a line. It means something only at the end of a comment that our own
/// account wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// The lab or job that speaks; there is one comment for each.
    pub context: String,
    /// The CI run whose parts the comment tells of, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
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
        format!("{BEGIN}{json}{END}")
    }

    /// The marker on the last line of a comment; None where there is none, or another version's.
    pub fn parse(body: &str) -> Option<Marker> {
        let last = body.trim_end().lines().next_back()?;
        let json = last.strip_prefix(BEGIN)?.strip_suffix(END)?;
        serde_json::from_str(json).ok()
    }
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
            run: None,
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
        let with_run = Marker { run: Some("7".to_owned()), ..marker() };
        assert_eq!(Marker::parse(&with_run.line()), Some(with_run));
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
        assert_eq!(Marker::parse(&line.replace("notify_pr:1", "notify_pr:2")), None);
        assert_eq!(Marker::parse(&line.replace("\"submission\"", "\"other\"")), None);
        assert_eq!(Marker::parse(&line.replace("2026-03-01T", "yesterday ")), None);
        assert_eq!(Marker::parse(&line[..line.len() - 6]), None);
    }
}
