//! What a report says: masked and in plain text, before any layout. The comment, the full text,
//! the template and the pages are all made of it.

use time::OffsetDateTime;

use crate::compose::{Facts, LinkedFile, Part, SUMMARY_BYTES, parts};
use crate::find::{Match, Relation};
use crate::plan::LeftOut;
use crate::redact::Redactor;
use crate::settings;

/// The version that is named in comments and pages.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// No link of a person or a store is longer; a longer one is not shown, so that the parts of a
/// comment that never go always fit.
const LONGEST_LINK: usize = 4_000;

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) context: Option<String>,
    pub(crate) verdict: Verdict,
    pub(crate) repository: String,
    pub(crate) commit: String,
    pub(crate) commit_url: Option<String>,
    pub(crate) about: Option<About>,
    pub(crate) build_url: Option<String>,
    pub(crate) details: Vec<(String, String)>,
    /// The counts of all tests, if they are known.
    pub(crate) tests: Option<settings::Counts>,
    pub(crate) parts: Vec<Part>,
    pub(crate) earlier_pages: Vec<String>,
    pub(crate) summary: Summary,
    pub(crate) files: Vec<LinkedFile>,
    pub(crate) missing: Vec<LeftOut>,
    pub(crate) left_out: Vec<LeftOut>,
    /// How many there are of what is listed above.
    pub(crate) counts: Counts,
    pub(crate) page_url: Option<String>,
    pub(crate) full_text_url: Option<String>,
    pub(crate) expires: Option<OffsetDateTime>,
    pub(crate) caution: Option<String>,
    pub(crate) started: OffsetDateTime,
    pub(crate) submission: String,
}

/// The lengths of the lists as they came in, and the size of all files together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) details: usize,
    pub(crate) parts: usize,
    pub(crate) files: usize,
    pub(crate) missing: usize,
    pub(crate) left_out: usize,
    pub(crate) bytes: u64,
}

/// How much of the facts is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// How many entries of each list.
    entries: usize,
    /// How many bytes of each text in a line.
    bytes: usize,
    /// How many bytes of the summary.
    summary: usize,
}

impl Extent {
    /// More than a comment has room for. A text is cut far behind what is shown of it, so that a
    /// secret that lies across the cut is not shown in part.
    pub(crate) const COMMENT: Extent =
        Extent { entries: 2_000, bytes: 1 << 16, summary: SUMMARY_BYTES + (1 << 16) };
    /// Everything.
    pub(crate) const ALL: Extent =
        Extent { entries: usize::MAX, bytes: usize::MAX, summary: usize::MAX };

    fn of<'t, T>(&self, list: &'t [T]) -> std::slice::Iter<'t, T> {
        list[..list.len().min(self.entries)].iter()
    }
}

/// The summary as it is to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Summary {
    /// Markdown of the caller, masked, otherwise as given.
    Given(String),
    /// A sentence that says why there is none.
    Absent(String),
    /// None was wanted.
    Unwanted,
}

/// The pull request that a comment is for.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) relation: Relation,
    pub(crate) head: String,
    pub(crate) head_url: Option<String>,
}

/// How the run ended, as the caller says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The value of the setting.
    pub(crate) name: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) word: &'static str,
}

impl Verdict {
    pub(crate) fn of(setting: &str) -> Verdict {
        let (name, icon, word) = match setting {
            "success" => ("success", "✅", "Passed"),
            "failure" => ("failure", "❌", "Failed"),
            "error" => ("error", "⚠️", "Error"),
            _ => ("unknown", "📋", "Unknown"),
        };
        Verdict { name, icon, word }
    }
}

impl Document {
    pub(crate) fn new(facts: &Facts<'_>, of: Option<&Match>, extent: Extent) -> Document {
        let settings = &facts.submission.settings;
        let redactor = &facts.submission.redactor;
        let masked = |text: &str| redactor.text(text).into_owned();
        let one_line = |text: &str| line(&redactor.text(beginning(text, extent.bytes)));
        let left_out = |entries: &[LeftOut]| {
            let entry = |entry: &LeftOut| LeftOut {
                name: one_line(&entry.name),
                reason: one_line(&entry.reason),
            };
            extent.of(entries).map(entry).collect::<Vec<_>>()
        };
        let link = |url: Option<&str>| url.and_then(|url| shown_link(redactor, url));
        let repository_url = facts.found.map(|found| found.repository_url.trim_end_matches('/'));
        let commit_url = |sha: &str| {
            let url = repository_url.filter(|url| !url.is_empty() && is_sha(sha))?;
            shown_link(redactor, &format!("{url}/commit/{sha}"))
        };
        let about = of.map(|of| About {
            number: of.pull_request.number,
            url: of.pull_request.url.clone(),
            relation: of.relation.clone(),
            head: masked(&of.pull_request.head_sha),
            head_url: commit_url(&of.pull_request.head_sha),
        });
        // A merge made on the CI server, or a commit nobody could place, may be unknown to GitHub.
        let linkable = !about
            .as_ref()
            .is_some_and(|about| matches!(about.relation, Relation::MergeOf | Relation::Given));
        Document {
            title: settings
                .text("title")
                .map(one_line)
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| "Test results".to_owned()),
            context: settings.text("context").map(one_line).filter(|text| !text.is_empty()),
            verdict: Verdict::of(parts::verdict(settings, facts.parts)),
            repository: masked(facts.repository),
            commit: one_line(facts.commit),
            commit_url: commit_url(facts.commit).filter(|_| linkable),
            about,
            build_url: link(settings.text("build_url")),
            details: extent
                .of(facts.details)
                .map(|(name, value)| (one_line(name), one_line(value)))
                .collect(),
            tests: settings.counts().or_else(|| parts::total(facts.parts)),
            parts: extent
                .of(facts.parts)
                .map(|part| Part { name: one_line(&part.name), ..part.clone() })
                .collect(),
            earlier_pages: facts.earlier_pages.iter().filter_map(|url| link(Some(url))).collect(),
            summary: summary(facts, redactor, extent.summary),
            files: extent
                .of(facts.files)
                .map(|file| LinkedFile {
                    name: one_line(&file.name),
                    size: file.size,
                    content_type: masked(&file.content_type),
                    url: link(file.url.as_deref()),
                })
                .collect(),
            missing: left_out(facts.missing),
            left_out: left_out(facts.left_out),
            counts: Counts {
                details: facts.details.len(),
                parts: facts.parts.len(),
                files: facts.files.len(),
                missing: facts.missing.len(),
                left_out: facts.left_out.len(),
                bytes: facts.files.iter().fold(0, |sum, file| sum.saturating_add(file.size)),
            },
            page_url: link(facts.page_url),
            full_text_url: link(facts.full_text_url),
            expires: facts.expires,
            caution: facts.caution.map(one_line).filter(|text| !text.is_empty()),
            started: facts.started,
            submission: facts.submission.id.clone(),
        }
    }

    pub(crate) fn commit_short(&self) -> &str {
        short(&self.commit)
    }
}

impl About {
    /// What a reader must know before anything else; `head` is put where the head is named.
    /// `None` where the commit is the head.
    pub(crate) fn notice(&self, head: &str) -> Option<String> {
        Some(match self.relation {
            Relation::Head => return None,
            Relation::TestMerge => format!(
                "The tested commit is GitHub's test merge of the head {head} with the base branch."
            ),
            Relation::MergeOf => {
                format!("The tested commit is a merge of the head {head} with another commit.")
            }
            Relation::Outdated => {
                format!("This is about an older commit; the head is now {head}.")
            }
            Relation::Closed => "This pull request is closed.".to_owned(),
            Relation::Merged => "This pull request is merged already.".to_owned(),
            Relation::Given => format!(
                "The pull request was named by the caller; whether the tested commit belongs to \
                 it is not known. Its head is {head}."
            ),
        })
    }

    /// Whether the notice is a warning and not just news.
    pub(crate) fn warns(&self) -> bool {
        matches!(self.relation, Relation::Outdated | Relation::Given)
    }
}

/// The first seven characters of a SHA, as GitHub shows it.
pub(crate) fn short(sha: &str) -> &str {
    if is_sha(sha) { &sha[..7] } else { sha }
}

fn is_sha(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn summary(facts: &Facts<'_>, redactor: &Redactor, most: usize) -> Summary {
    match (facts.summary, facts.summary_missing) {
        (Some(text), _) if !text.trim().is_empty() => {
            Summary::Given(redactor.text(beginning(text, most)).into_owned())
        }
        (_, Some(why)) => Summary::Absent(line(&redactor.text(why))),
        (Some(_), None) => Summary::Absent("the summary is empty".to_owned()),
        (None, None) => Summary::Unwanted,
    }
}

/// At most so many bytes from the start of a text.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

/// One line: line breaks, control characters and runs of blanks become one blank.
fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address that may be shown: one that a browser opens, that fits, and that holds no secret.
pub(crate) fn shown_link(redactor: &Redactor, url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain =
        url.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>\"`\\".contains(c));
    let open = web && plain && url.len() <= LONGEST_LINK;
    (open && !redactor.finds_own_secret(&without_session_tokens(url))).then(|| url.to_owned())
}

/// A text without the session tokens in signed links. S3 defines that a link signed with
/// temporary credentials carries the token, which is worth nothing without the secret key; it is
/// the only secret value that may leave, and only there.
pub(crate) fn without_session_tokens(text: &str) -> String {
    const NAME: &str = "X-Amz-Security-Token=";
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(NAME) {
        let value = at + NAME.len();
        kept.push_str(&rest[..value]);
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "%-._~".contains(c));
        let end = rest[value..].find(ends).map_or(rest.len(), |length| value + length);
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}
