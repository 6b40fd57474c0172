//! The user's own layout: `template_file`.
//!
//! The file is a template in the language of Jinja (as far as the crate `minijinja` speaks it).
//! Its output is GitHub markdown; the marker is always put behind it. A template cannot read
//! files, include others, or run for ever.
//!
//! # Variables
//! Every text is masked. Texts that stand in a line (`title`, `context`, names, values, reasons,
//! `caution`) are escaped for markdown, addresses are percent-encoded. What is absent is an empty
//! text or an empty list; a variable that does not exist is an error.
//!
//! | variable | what it is |
//! |---|---|
//! | `title`, `context` | as set |
//! | `verdict` | `success`, `failure`, `error` or `unknown` |
//! | `verdict_icon`, `verdict_word` | such as ✅ and `Passed` |
//! | `commit`, `commit_short`, `commit_url` | the tested commit |
//! | `relation` | `head`, `test_merge`, `merge_of`, `outdated`, `closed`, `merged`, `given`, or empty without a pull request |
//! | `notice` | the relation as a sentence; empty for the head |
//! | `head` | the SHA of the pull request's head |
//! | `pull_request`, `pull_request_url` | its number and address |
//! | `repository` | `owner/name` |
//! | `details` | a list of `name`, `value` |
//! | `tests` | the counts of all tests, such as `12 passed, 1 failed`, or empty |
//! | `parts`, `part_count` | the parts that were set aside before: a list of `name`, `icon`, `result` (such as `Did not finish`), `tests`, `reported_before`; how many |
//! | `summary` | the summary, harmless markdown |
//! | `summary_missing` | why there is no summary |
//! | `files` | a list of `name`, `url`, `size` (such as `1.2 MB`), `bytes`, `content_type` |
//! | `file_count`, `total_size` | of all files, also of those that are not in the list |
//! | `missing`, `missing_count` | what was not uploaded: a list of `name`, `reason`; how many |
//! | `warnings`, `warning_count` | what was left out by rule: a list of `name`, `reason`; how many |
//! | `page_url`, `full_text_url` | the index page and the full text |
//! | `expires` | until when the links open, such as `30 November 2026` |
//! | `build_url`, `caution`, `version`, `started`, `submission` | |
//! | `cut` | whether something was left out to make the comment fit |
//!
//! The template is rendered again with smaller parts until its output fits.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, Template, UndefinedBehavior, Value};
use serde::Serialize;

use crate::compose::document::{Document, Summary, VERSION};
use crate::compose::fit::{joined, length};
use crate::compose::{Room, Shown, blocks, markdown, parts};
use crate::english::{date, moment, size};
use crate::error::{Error, Result};
use crate::input;
use crate::plan::LeftOut;
use crate::status::Status;

/// A rendering may take so many steps.
const FUEL: u64 = 5_000_000;
/// A template file is not larger.
const LARGEST: usize = 1 << 20;

/// The comment without its marker, or None where even the smallest parts make it too long.
pub(super) fn comment(
    path: &Path,
    document: &Document,
    summary: &Shown,
    room: Room,
) -> Result<Option<String>> {
    let source = read(path)?;
    let name = path.to_string_lossy();
    let environment = environment();
    let template = parsed(&environment, &name, &source)?;
    let mut fallback = None;
    // The parts are halved from what the whole comment may have down to nothing.
    let mut part = room.most;
    loop {
        let variables = Variables::new(document, summary, part);
        let text = template
            .render(Value::from(Serde(&variables)))
            .map_err(|error| unusable(&name, &error))?;
        let mut text = markdown::closed(text.trim());
        if let Some(url) = document.full_text_url.as_deref().filter(|_| variables.cut)
            && !text.contains(url)
        {
            text = joined([text.as_str(), &blocks::cut_note(document)]);
        }
        let now = length(&text);
        if now <= room.wanted {
            return Ok(Some(text));
        }
        if now <= room.most {
            fallback = Some(text);
        }
        if part == 0 {
            return Ok(fallback);
        }
        part = if part < 64 { 0 } else { part / 2 };
    }
}

/// Whether the file is a template.
pub(super) fn check(path: &Path) -> Result<()> {
    let source = read(path)?;
    parsed(&environment(), &path.to_string_lossy(), &source).map(|_| ())
}

fn read(path: &Path) -> Result<String> {
    let bad = |what: &str| {
        Error::new(Status::BadFile, what)
            .at(path.display().to_string())
            .advise("name a readable file in UTF-8 with template_file, or leave the setting out")
    };
    let bytes = input::read_patiently(path, LARGEST as u64 + 1)
        .map_err(|error| bad("the template cannot be read").because(error))?;
    if bytes.len() > LARGEST {
        return Err(bad("the template is larger than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("the template is not UTF-8"))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    // A line that holds nothing but a tag leaves no blank line behind.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_fuel(Some(FUEL));
    environment
}

fn parsed<'e>(
    environment: &'e Environment<'_>,
    name: &'e str,
    source: &'e str,
) -> Result<Template<'e, 'e>> {
    environment.template_from_named_str(name, source).map_err(|error| unusable(name, &error))
}

fn unusable(name: &str, error: &minijinja::Error) -> Error {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "the template takes too long".to_owned(),
        (kind, Some(detail)) => format!("the template cannot be used: {kind}: {detail}"),
        (kind, None) => format!("the template cannot be used: {kind}"),
    };
    let place = match error.line() {
        Some(line) => format!("{name}:{line}"),
        None => name.to_owned(),
    };
    Error::new(Status::BadFile, what)
        .at(place)
        .advise("correct the template, or leave template_file out for the usual layout")
}

/// What a template sees.
#[derive(Serialize)]
struct Variables<'a> {
    title: String,
    context: String,
    verdict: &'a str,
    verdict_icon: &'a str,
    verdict_word: &'a str,
    commit: &'a str,
    commit_short: &'a str,
    commit_url: &'a str,
    relation: &'a str,
    notice: String,
    head: &'a str,
    pull_request: String,
    pull_request_url: &'a str,
    repository: &'a str,
    details: Vec<Detail>,
    tests: String,
    parts: Vec<PartLine>,
    part_count: usize,
    summary: String,
    summary_missing: String,
    files: Vec<File<'a>>,
    file_count: usize,
    total_size: String,
    missing: Vec<Entry>,
    missing_count: usize,
    warnings: Vec<Entry>,
    warning_count: usize,
    page_url: &'a str,
    full_text_url: &'a str,
    expires: String,
    build_url: &'a str,
    caution: String,
    version: &'a str,
    started: String,
    submission: &'a str,
    cut: bool,
}

#[derive(Serialize)]
struct Detail {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct PartLine {
    name: String,
    icon: &'static str,
    result: &'static str,
    tests: String,
    reported_before: bool,
}

#[derive(Serialize)]
struct File<'a> {
    name: String,
    url: String,
    size: String,
    bytes: u64,
    content_type: &'a str,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    reason: String,
}

impl<'a> Variables<'a> {
    /// The variables, each list and the summary in about `part` characters.
    fn new(document: &'a Document, summary: &Shown, part: usize) -> Variables<'a> {
        let (text, mut cut) = match part {
            0 => (String::new(), !summary.text.is_empty()),
            part => markdown::cut(&summary.text, part),
        };
        cut |= summary.cut;
        let details = first(&document.details, part, &mut cut, |(name, value)| Detail {
            name: markdown::inline(name),
            value: markdown::inline(value),
        });
        let part_lines = first(&document.parts, part, &mut cut, |line| PartLine {
            name: markdown::inline(&line.name),
            icon: parts::outcome(line).0,
            result: parts::outcome(line).1,
            tests: line.counts.as_ref().map(parts::in_words).unwrap_or_default(),
            reported_before: line.reported_before,
        });
        let files = first(&document.files, part, &mut cut, |file| File {
            name: markdown::inline(&file.name),
            url: file.url.as_deref().map(address).unwrap_or_default(),
            size: size(file.size),
            bytes: file.size,
            content_type: &file.content_type,
        });
        let entry = |entry: &LeftOut| Entry {
            name: markdown::inline(&entry.name),
            reason: markdown::inline(&entry.reason),
        };
        let missing = first(&document.missing, part, &mut cut, entry);
        let warnings = first(&document.left_out, part, &mut cut, entry);
        let about = document.about.as_ref();
        let inline = |text: &Option<String>| text.as_deref().map(markdown::inline);
        Variables {
            title: markdown::inline(&document.title),
            context: inline(&document.context).unwrap_or_default(),
            verdict: document.verdict.name,
            verdict_icon: document.verdict.icon,
            verdict_word: document.verdict.word,
            commit: &document.commit,
            commit_short: document.commit_short(),
            commit_url: document.commit_url.as_deref().unwrap_or_default(),
            relation: about.map_or("", |about| about.relation.name()),
            notice: about
                .and_then(|about| {
                    about.notice(&markdown::code(crate::compose::document::short(&about.head)))
                })
                .unwrap_or_default(),
            head: about.map_or("", |about| &about.head),
            pull_request: about.map(|about| about.number.to_string()).unwrap_or_default(),
            pull_request_url: about.map_or("", |about| &about.url),
            repository: &document.repository,
            details,
            tests: document.tests.as_ref().map(parts::in_words).unwrap_or_default(),
            parts: part_lines,
            part_count: document.counts.parts,
            summary: text,
            summary_missing: match &document.summary {
                Summary::Absent(why) => markdown::inline(why),
                _ => String::new(),
            },
            files,
            file_count: document.counts.files,
            total_size: size(document.counts.bytes),
            missing,
            missing_count: document.counts.missing,
            warnings,
            warning_count: document.counts.left_out,
            page_url: document.page_url.as_deref().unwrap_or_default(),
            full_text_url: document.full_text_url.as_deref().unwrap_or_default(),
            expires: document.expires.map(date).unwrap_or_default(),
            build_url: document.build_url.as_deref().unwrap_or_default(),
            caution: inline(&document.caution).unwrap_or_default(),
            version: VERSION,
            started: moment(document.started),
            submission: &document.submission,
            cut,
        }
    }
}

/// As many entries as probably take `part` characters.
fn first<'d, T, E>(
    all: &'d [T],
    part: usize,
    cut: &mut bool,
    entry: impl Fn(&'d T) -> E,
) -> Vec<E> {
    const EACH: usize = 50;
    let count = all.len().min(part / EACH);
    *cut |= count < all.len();
    all[..count].iter().map(entry).collect()
}

/// An address that can stand between the parentheses of a markdown link.
fn address(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29")
}
