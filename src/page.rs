//! The pages of a run: one `index.html` for the run, and one for every folder in it.
//!
//! A page is plain HTML with its style inside and no script. Everything in it is escaped by the
//! template engine; the summary is shown as text, not as rendered markdown.

mod tree;

use std::io;

use minijinja::value::Serde;
use minijinja::{Environment, Template, UndefinedBehavior, Value};
use serde::Serialize;

use crate::compose::Facts;
use crate::compose::document::{Document, Extent, Summary, VERSION, shown_link};
use crate::english::{counted, date, moment, size};
use crate::error::{Error, Result};
use crate::page::tree::{Folder, Tree, depth, free_name, parents, relative, taken};
use crate::plan::LeftOut;
use crate::status::{Stage, Status};
use crate::submission::{Cancel, Submission};
use crate::upload::File;

/// A page that is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its key, relative to the submission's folder.
    pub key: String,
    /// The page itself, UTF-8.
    pub html: String,
}

/// The media type of a page.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// Gives the absolute address of a key that is relative to the submission's folder, or None where
/// pages shall use relative links.
pub type Link<'l> = &'l dyn Fn(&str) -> Result<Option<String>>;

/// Makes the pages, the deepest folders first and the run's own page last, so that no page is
/// stored before those that it leads to.
///
/// The keys of `files` are relative to the submission's folder, and so is `full_text`, the key of
/// the full text if that is stored.
///
/// # Errors
/// Those of `link`, `SecretFound` where a page would hold one of the submission's secrets, and
/// `Cancelled` if somebody wants to stop meanwhile.
pub fn pages(
    facts: &Facts<'_>,
    files: &[File],
    full_text: Option<&str>,
    link: Link<'_>,
) -> Result<Vec<Page>> {
    let document = Document::new(facts, None, Extent::ALL);
    let tree = Tree::new(files);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let writer = Writer { facts, document, tree: &tree, full_text, link };
    environment.add_template("index.html", include_str!("page/index.html")).map_err(broken)?;
    let template = environment.get_template("index.html").map_err(broken)?;
    let mut pages = Vec::with_capacity(tree.folders.len());
    for path in tree.leaf_first() {
        let html = facts
            .submission
            .cancel
            .check()
            .and_then(|()| writer.variables(path))
            .and_then(|variables| html(facts.submission, &template, &variables))
            .map_err(|error| error.in_stage(Stage::Publish))?;
        pages.push(Page { key: tree.page(path), html });
    }
    Ok(pages)
}

/// One page, unless somebody wants to stop meanwhile.
fn html(
    submission: &Submission,
    template: &Template<'_, '_>,
    variables: &Variables<'_>,
) -> Result<String> {
    let mut page = Unfinished { cancel: &submission.cancel, bytes: Vec::new(), asked: 0 };
    let written = template.render_captured_to(Value::from(Serde(variables)), &mut page);
    submission.cancel.check()?;
    written.map_err(broken)?;
    let html = String::from_utf8(page.bytes).map_err(|error| broken(error.utf8_error()))?;
    crate::compose::check_secrets(submission, &html, "a page")?;
    Ok(html)
}

fn broken(why: impl std::fmt::Display) -> Error {
    Error::new(Status::Internal, "a page could not be written").because(why.to_string())
}

/// A page that is being written, and that cannot be written any more after a cancel.
struct Unfinished<'c> {
    cancel: &'c Cancel,
    bytes: Vec<u8>,
    /// How long it was when anybody was asked for the last time.
    asked: usize,
}

impl io::Write for Unfinished<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const PART: usize = 64 * 1024;
        if self.bytes.len() >= self.asked + PART {
            self.asked = self.bytes.len();
            if self.cancel.is_cancelled() {
                return Err(io::Error::other("cancelled"));
            }
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The keys of the pages in the order in which they are stored; the last one is the run's own.
pub fn keys(files: &[File]) -> Vec<String> {
    let tree = Tree::new(files);
    tree.leaf_first().into_iter().map(|path| tree.page(path)).collect()
}

/// `<stem>.<extension>` in the submission's folder, or a name like it that no file has.
pub(crate) fn free_key(files: &[File], stem: &str, extension: &str) -> String {
    let taken = taken(files);
    free_name("", stem, extension, &taken)
}

/// Writes the pages of one run.
struct Writer<'a> {
    facts: &'a Facts<'a>,
    document: Document,
    tree: &'a Tree<'a>,
    full_text: Option<&'a str>,
    link: Link<'a>,
}

#[derive(Serialize)]
struct Variables<'v> {
    title: &'v str,
    context: &'v str,
    verdict: &'v str,
    verdict_word: &'v str,
    icon: &'v str,
    started: String,
    expires: String,
    caution: &'v str,
    version: &'v str,
    repository: &'v str,
    commit: &'v str,
    commit_url: &'v str,
    build_url: &'v str,
    pulls: Vec<Pull>,
    details: Vec<Named>,
    summary: &'v str,
    summary_missing: &'v str,
    full_text_href: String,
    /// The name of the folder; empty for the run itself.
    folder: String,
    crumbs: Vec<Crumb>,
    here: String,
    folders: Vec<Row>,
    files: Vec<Row>,
    count: String,
    size: String,
    lists: Vec<List>,
}

#[derive(Serialize)]
struct Pull {
    number: u64,
    url: String,
    notice: String,
}

#[derive(Serialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Crumb {
    name: String,
    href: String,
}

/// A file or a folder in the table.
#[derive(Serialize)]
struct Row {
    name: String,
    href: String,
    size: String,
    content_type: String,
    count: String,
}

#[derive(Serialize)]
struct List {
    title: &'static str,
    count: String,
    entries: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    name: String,
    reason: String,
}

impl Writer<'_> {
    fn variables(&self, path: &str) -> Result<Variables<'_>> {
        let document = &self.document;
        let folder = self.tree.folders.get_key_value(path);
        let Some((path, folder)) = folder else {
            return Err(Error::new(Status::Internal, "a folder has no page"));
        };
        let root = path.is_empty();
        let mut way = self.tree.way(path);
        let here = way.pop().map(|(_, name)| self.masked(&name)).unwrap_or_default();
        let mut crumbs = Vec::new();
        if !root {
            let above = [("", document.title.clone())].into_iter().chain(way);
            for (above, name) in above {
                let href = self.href(path, &self.tree.page(above))?;
                crumbs.push(Crumb { name: self.masked(&name), href });
            }
        }
        let mut names: Vec<&str> = crumbs.iter().skip(1).map(|crumb| crumb.name.as_str()).collect();
        names.push(&here);
        let shown = names.join("/");
        Ok(Variables {
            title: &document.title,
            context: document.context.as_deref().unwrap_or_default(),
            verdict: document.verdict.name,
            verdict_word: document.verdict.word,
            icon: document.verdict.icon,
            started: moment(document.started),
            expires: document.expires.map(date).unwrap_or_default(),
            caution: document.caution.as_deref().unwrap_or_default(),
            version: VERSION,
            repository: &document.repository,
            commit: &document.commit,
            commit_url: document.commit_url.as_deref().unwrap_or_default(),
            build_url: document.build_url.as_deref().unwrap_or_default(),
            pulls: if root { self.pulls() } else { Vec::new() },
            details: match root {
                true => self.details(),
                false => Vec::new(),
            },
            summary: match &document.summary {
                Summary::Given(text) if root => text,
                _ => "",
            },
            summary_missing: match &document.summary {
                Summary::Absent(why) if root => why,
                _ => "",
            },
            full_text_href: match self.full_text {
                Some(key) if root => self.href(path, key)?,
                _ => String::new(),
            },
            folder: shown,
            crumbs,
            here,
            folders: self.folders(path, folder)?,
            files: self.files(path, folder)?,
            count: counted(folder.count, "file"),
            size: size(folder.bytes),
            lists: match root {
                true => vec![
                    list("Not uploaded", &document.missing),
                    list("Left out by rule", &document.left_out),
                ],
                false => Vec::new(),
            },
        })
    }

    fn pulls(&self) -> Vec<Pull> {
        let matches = self.facts.found.map_or(&[][..], |found| &found.matches);
        let bare = Facts {
            details: &[],
            summary: None,
            files: &[],
            missing: &[],
            left_out: &[],
            ..self.facts.clone()
        };
        let about =
            matches.iter().filter_map(|of| Document::new(&bare, Some(of), Extent::COMMENT).about);
        about
            .filter_map(|about| {
                let url = shown_link(&self.facts.submission.redactor, &about.url)?;
                let head = crate::compose::document::short(&about.head).to_owned();
                let notice = about.notice(&head).unwrap_or_default();
                Some(Pull { number: about.number, url, notice })
            })
            .collect()
    }

    fn details(&self) -> Vec<Named> {
        let rows = self.document.details.iter();
        rows.map(|(name, value)| Named { name: name.clone(), value: value.clone() }).collect()
    }

    fn folders(&self, path: &str, folder: &Folder<'_>) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(folder.folders.len());
        for below in &folder.folders {
            let Some(found) = self.tree.folders.get(below) else { continue };
            rows.push(Row {
                name: self.masked(&found.name),
                href: self.href(path, &self.tree.page(below))?,
                size: size(found.bytes),
                content_type: String::new(),
                count: counted(found.count, "file"),
            });
        }
        Ok(rows)
    }

    fn files(&self, path: &str, folder: &Folder<'_>) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(folder.files.len());
        for file in &folder.files {
            // The whole name is shown where the key has other folders than the name, and on the
            // one page of a run with too many folders.
            let same_depth = parents(&file.name).len() == depth(path);
            let name = match file.name.rsplit_once('/') {
                Some((_, last)) if same_depth => last,
                _ => &file.name,
            };
            rows.push(Row {
                name: self.masked(name),
                href: self.href(path, &file.key)?,
                size: size(file.size),
                content_type: file.content_type.split(';').next().unwrap_or("").to_owned(),
                count: String::new(),
            });
        }
        Ok(rows)
    }

    /// The address of a key, for a page of the folder `from`.
    fn href(&self, from: &str, key: &str) -> Result<String> {
        Ok((self.link)(key)?.unwrap_or_else(|| relative(from, key)))
    }

    fn masked(&self, text: &str) -> String {
        self.facts.submission.redactor.text(text).into_owned()
    }
}

fn list(title: &'static str, entries: &[LeftOut]) -> List {
    let reason =
        |entry: &LeftOut| Reason { name: entry.name.clone(), reason: entry.reason.clone() };
    List {
        title,
        count: counted(entries.len() as u64, "file"),
        entries: entries.iter().map(reason).collect(),
    }
}
