//! The comment and the full text, as ordered blocks with weights.
//!
//! Everything is made of one [`Facts`]: `compose/document.rs` masks it and turns it into plain
//! text, `compose/blocks.rs` lays it out as GitHub markdown, `compose/fit.rs` makes it small
//! enough, and `compose/template.rs` replaces the layout by the user's own. The pages of
//! [`crate::page`] show the same document as HTML.

mod blocks;
pub(crate) mod document;
mod fit;
pub mod markdown;
pub mod marker;
mod parts;
mod summary;
mod template;

use time::OffsetDateTime;

use crate::compose::document::{Document, Extent, Summary, beginning, without_session_tokens};
use crate::compose::fit::{Block, fit, joined, length};
use crate::compose::marker::Marker;
use crate::error::{Error, Result};
use crate::find::{Found, Match, Relation};
use crate::plan::LeftOut;
use crate::settings::Counts;
use crate::status::{Stage, Status};
use crate::submission::Submission;

/// The most characters (Unicode scalar values) that GitHub takes in a comment. As no character
/// has more than four bytes, this also keeps the body under GitHub's 262,144 bytes.
pub const GITHUB_MAX: usize = 65_536;

/// How long a comment is at most, unless `comment_max` says otherwise.
const COMMENT_MAX: u64 = 16_000;

/// No comment has room for more of a summary, so the rest is not even looked at.
pub(crate) const SUMMARY_BYTES: usize = 1 << 20;

/// All that a comment is made of. Texts are as the caller gave them: they are masked and made
/// harmless here.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The submission; `title`, `context`, `verdict`, `build_url`, `comment_max`,
    /// `trusted_summary` and `template_file` are read from its settings.
    pub submission: &'a Submission,
    /// None: no pull request was looked for, or GitHub could not be reached.
    pub found: Option<&'a Found>,
    /// `owner/name`, as found or as set.
    pub repository: &'a str,
    /// The commit, as found or as set.
    pub commit: &'a str,
    /// Free rows for the table, in order.
    pub details: &'a [(String, String)],
    /// The summary as given, or None where there is none.
    pub summary: Option<&'a str>,
    /// Why there is no summary, if one was wanted (`summary.txt could not be read: …`).
    pub summary_missing: Option<&'a str>,
    /// The parts that were set aside before and make this report together, as they are shown.
    pub parts: &'a [Part],
    /// The addresses of the pages with the files of parts that were reported before.
    pub earlier_pages: &'a [String],
    /// Stored files with their links, in the order of the plan.
    pub files: &'a [LinkedFile],
    /// Wanted and not stored.
    pub missing: &'a [LeftOut],
    /// Left out by rule.
    pub left_out: &'a [LeftOut],
    /// The address of the run's index page, once it is known.
    pub page_url: Option<&'a str>,
    /// The address of the full text, once it is known.
    pub full_text_url: Option<&'a str>,
    /// Until when the links open.
    pub expires: Option<OffsetDateTime>,
    /// What must be said of the links.
    pub caution: Option<&'a str>,
    /// When the submission began, by the best clock that is known.
    pub started: OffsetDateTime,
}

impl<'a> Facts<'a> {
    /// Facts with the details of the settings and nothing else but what is given here.
    pub fn new(submission: &'a Submission, repository: &'a str, commit: &'a str) -> Facts<'a> {
        Facts {
            submission,
            found: None,
            repository,
            commit,
            details: submission.settings.details(),
            summary: None,
            summary_missing: None,
            parts: &[],
            earlier_pages: &[],
            files: &[],
            missing: &[],
            left_out: &[],
            page_url: None,
            full_text_url: None,
            expires: None,
            caution: None,
            started: submission.started,
        }
    }
}

/// A part of the run that was set aside before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name, which no other part has.
    pub name: String,
    /// `success`, `failure`, `error` or `unknown`.
    pub verdict: &'static str,
    /// Whether it came to its end.
    pub finished: bool,
    /// The counts of its tests, if they are known.
    pub counts: Option<Counts>,
    /// Whether an earlier submission of the same run had it, and its files.
    pub reported_before: bool,
}

/// A stored file and where it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedFile {
    /// The true name, with `/` between folders.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type.
    pub content_type: String,
    /// None: it is stored, but there is no way in which the public could read it.
    pub url: Option<String>,
}

/// The comment for one pull request (None: for the outbox, or a run without one). It fits
/// GitHub's limits whatever the facts are, and its last line is the marker.
///
/// # Errors
/// `BadFile` where the file of `template_file` cannot be read or is no template, `BadSetting`
/// where the context is too long for the marker, `SecretFound` where the comment would hold one
/// of the submission's own secrets.
pub fn comment(facts: &Facts<'_>, of: Option<&Match>) -> Result<String> {
    written(facts, of).map_err(|error| error.in_stage(Stage::Compose))
}

fn written(facts: &Facts<'_>, of: Option<&Match>) -> Result<String> {
    let document = Document::new(facts, of, Extent::COMMENT);
    let marker = marker_line(facts, of, &document)?;
    // So much is done at once, whoever wants to stop: then this text is what is kept.
    let source = shown_summary(facts, &document, SUMMARY_BYTES, &|| Ok(()))?;
    let tail = length(&marker) + 2;
    let wanted = facts.submission.settings.count("comment_max").unwrap_or(COMMENT_MAX);
    let wanted = usize::try_from(wanted).unwrap_or(GITHUB_MAX).min(GITHUB_MAX);
    let room = Room { wanted: wanted.saturating_sub(tail), most: GITHUB_MAX - tail };

    let text = match facts.submission.settings.path("template_file") {
        Some(path) => {
            let text = template::comment(&path, &document, &source, room)?;
            if text.is_none() {
                facts.submission.events.warn(format!(
                    "the template {} makes a text of more than {GITHUB_MAX} characters even with \
                     the smallest parts; the usual layout is used instead",
                    path.display()
                ));
            }
            text
        }
        None => None,
    };
    let text = text.unwrap_or_else(|| laid_out(&document, &source, room));
    let body = format!("{}\n\n{marker}", without_marker(&text));
    if length(&body) > GITHUB_MAX {
        return Err(Error::new(Status::Internal, "the comment does not fit GitHub's limits"));
    }
    check_secrets(facts.submission, &body, "the comment")?;
    Ok(body)
}

/// Everything, for the store (`report.md`): nothing is cut.
///
/// # Errors
/// `Cancelled` if somebody wants to stop before it is written.
pub fn full_text(facts: &Facts<'_>, of: Option<&Match>) -> Result<String> {
    everything(facts, of, &|| facts.submission.cancel.check())
        .map_err(|error| error.in_stage(Stage::Compose))
}

/// The text that is kept where no comment could be made, whoever wants to stop: everything, but
/// a comment where somebody waits for the end and everything would take long.
pub(crate) fn kept_text(facts: &Facts<'_>, of: Option<&Match>) -> Result<String> {
    let long = facts.summary.is_some_and(|summary| summary.len() > SUMMARY_BYTES);
    if long && facts.submission.cancel.is_cancelled() {
        // A template may be what failed, and then the other text takes as long as it takes.
        if let Ok(text) = comment(facts, of) {
            return Ok(text);
        }
    }
    everything(facts, of, &|| Ok(()))
}

fn everything(facts: &Facts<'_>, of: Option<&Match>, go_on: GoOn<'_>) -> Result<String> {
    go_on()?;
    let document = Document::new(facts, of, Extent::ALL);
    let source = shown_summary(facts, &document, usize::MAX, go_on)?;
    go_on()?;
    let mut text = without_marker(&blocks::of_full_text(&document, &source.text));
    text.push('\n');
    go_on()?;
    Ok(text)
}

/// Checks what can be checked before a run is uploaded: that the file of `template_file` can be
/// read and is a template.
///
/// # Errors
/// `BadFile` with the file and the line.
pub fn check(submission: &Submission) -> Result<()> {
    match submission.settings.path("template_file") {
        Some(path) => template::check(&path).map_err(|error| error.in_stage(Stage::Compose)),
        None => Ok(()),
    }
}

/// The context as it stands in the marker: masked, otherwise as set; empty where none is set.
pub fn context(submission: &Submission) -> String {
    let context = submission.settings.text("context").unwrap_or_default();
    submission.redactor.text(context).into_owned()
}

/// An error if a text that is about to leave holds one of the submission's own secrets.
pub(crate) fn check_secrets(submission: &Submission, text: &str, what: &str) -> Result<()> {
    if submission.redactor.finds_own_secret(&without_session_tokens(text)) {
        return Err(Error::new(Status::SecretFound, format!("{what} would hold a secret"))
            .advise("look for the token or the store's secret in names, links and settings"));
    }
    Ok(())
}

/// How many characters there are for the text without its marker.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// What `comment_max` asks for.
    wanted: usize,
    /// What GitHub takes.
    most: usize,
}

/// Is asked every so often during long work, and ends it with its error.
type GoOn<'g> = &'g dyn Fn() -> Result<()>;

/// The summary as it may be shown.
pub(crate) struct Shown {
    /// Markdown that is harmless, or trusted.
    text: String,
    /// Whether it is only the beginning.
    cut: bool,
}

fn shown_summary(
    facts: &Facts<'_>,
    document: &Document,
    most: usize,
    go_on: GoOn<'_>,
) -> Result<Shown> {
    let Summary::Given(given) = &document.summary else {
        return Ok(Shown { text: String::new(), cut: false });
    };
    let beginning = beginning(given, most);
    let text = match facts.submission.settings.flag("trusted_summary") {
        true => beginning.replace("\r\n", "\n"),
        false => markdown::harmless_if(beginning, go_on)?,
    };
    Ok(Shown { text, cut: beginning.len() < given.len() })
}

fn laid_out(document: &Document, summary: &Shown, room: Room) -> String {
    let shown = summary::lowered(&summary.text);
    let mut blocks = blocks::of_comment(document, &shown);
    let note = blocks::cut_note(document);
    let with_note = room.wanted.saturating_sub(length(&note) + 2);
    let cut = match blocks::abridged(document) || summary.cut {
        true => true,
        false => fit(&mut blocks, room.wanted),
    };
    if cut {
        fit(&mut blocks, with_note);
        let before_footer = blocks.len() - 1;
        blocks.insert(before_footer, Block::fixed(note));
    }
    joined(blocks.iter().map(|block| block.text.as_str()))
}

fn marker_line(facts: &Facts<'_>, of: Option<&Match>, document: &Document) -> Result<String> {
    const LONGEST: usize = 2_000;
    // A merge of the head speaks for the head; GitHub may know no merge that the CI made itself.
    let commit = match of {
        Some(of) if matches!(of.relation, Relation::TestMerge | Relation::MergeOf) => {
            of.pull_request.head_sha.clone()
        }
        _ => document.commit.clone(),
    };
    let marker = Marker {
        context: context(facts.submission),
        submission: document.submission.clone(),
        commit,
        started: document.started,
    };
    let line = marker.line();
    match length(&line) > LONGEST {
        true => Err(Error::new(
            Status::BadSetting,
            "the context or the commit is too long for the mark at the end of the comment",
        )
        .at("context")
        .advise("use a short name for the lab or job")),
        false => Ok(line),
    }
}

/// Takes the meaning from anything in a text that looks like our marker.
fn without_marker(text: &str) -> String {
    text.replace("<!-- notify_pr:", "<!-- notify_pr&#58;")
}
