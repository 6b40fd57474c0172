//! Reads the parts of a spool. The tested code could write there, so nothing is believed:
//!
//! - Of `part.json` only the part's name, verdict, counts and details, and the names of its files
//!   are taken: no setting, so nothing in a spool chooses a token, an address, a repository, a
//!   commit or a folder.
//! - A file is taken only if it is a regular file in the part's own folder that belongs to the
//!   folder's owner. Links are not followed, and hard links to files of others are refused.
//! - Names lead nowhere: `plan` drops `..` and leading slashes as it does everywhere.
//! - Records, summaries, texts and lists have limits; what is beyond them is left out. The sizes of
//!   files are limited by `max_file` and `max_total`.
//! - A summary is always made harmless, also where `trusted_summary` is set.
//!
//! What a part says of its own tests can be a lie; only a run that is kept apart from the tested
//! code could know better.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::BEGUN;
use super::SUMMARY;
use super::collect::same_owner;
use super::record::{MOST, Reason, Record};
use crate::compose::Part;
use crate::compose::markdown;
use crate::content::open_regular;
use crate::plan::LeftOut;
use crate::report::Attachment;
use crate::settings::Counts;

/// All records together, in bytes.
pub(super) const RECORDS: u64 = 64 << 20;
/// The most that is read of a summary, and of all together, in bytes.
const SUMMARY_BYTES: u64 = 256 << 10;
const SUMMARIES: u64 = 16 << 20;
/// The most files, details, and entries of other lists of one part.
const FILES: usize = 20_000;
const DETAILS: usize = 50;
const ENTRIES: usize = 1_000;
/// The longest name of a part, and the longest other text, in characters.
const NAME: usize = 100;
const TEXT: usize = 1_000;

/// A part as it is submitted.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The id that it has in the spool.
    pub(crate) id: String,
    /// The line that it gets; its name is no other part's.
    pub(crate) part: Part,
    /// Markdown of the part's, not harmless yet.
    pub(crate) summary: Option<String>,
    /// Why there is no summary, if one was wanted.
    pub(crate) summary_missing: Option<String>,
    pub(crate) details: Vec<(String, String)>,
    /// The files, each under the part's name.
    pub(crate) files: Vec<Attachment>,
    pub(crate) missing: Vec<LeftOut>,
    pub(crate) left_out: Vec<LeftOut>,
    started: String,
}

/// Reads the parts in these folders. The worst ones come first; parts of the same name are told
/// apart by a number, in the order in which they began. Names in `taken` are other parts' already.
pub(crate) fn gather(folders: &[&Path], mut taken: HashSet<String>) -> Vec<Gathered> {
    let mut budget = Budget { records: RECORDS, summaries: SUMMARIES };
    let mut parts: Vec<(Gathered, &Path)> =
        folders.iter().map(|folder| (read(folder, &mut budget), *folder)).collect();
    parts.sort_by(|(one, at), (other, there)| (&one.started, at).cmp(&(&other.started, there)));
    // A name that was given counts before one that is made up here.
    let names = parts.iter().map(|(part, _)| part.part.name.clone());
    let given: HashSet<String> = names.chain(taken.iter().cloned()).collect();
    for (part, _) in &mut parts {
        let name = part.part.name.clone();
        let mut number = 2;
        while !taken.insert(part.part.name.clone()) {
            loop {
                part.part.name = format!("{name}~{number}");
                number += 1;
                if !given.contains(&part.part.name) {
                    break;
                }
            }
        }
        part.put_name_before();
    }
    let mut parts: Vec<Gathered> = parts.into_iter().map(|(part, _)| part).collect();
    parts.sort_by(|one, other| place(&one.part).cmp(&place(&other.part)));
    parts
}

/// Error, failure, did not finish, unknown, success; then by name.
pub(crate) fn place(part: &Part) -> (u8, &str) {
    let rank = match (part.verdict, part.finished) {
        ("error", _) => 0,
        ("failure", _) => 1,
        (_, false) => 2,
        ("success", _) => 4,
        _ => 3,
    };
    (rank, &part.name)
}

/// The line of a part, as far as what it says is believed.
pub(super) fn line(name: &str, verdict: &str, finished: bool, counts: &str) -> Part {
    let known = ["success", "failure", "error"].into_iter().find(|known| verdict == *known);
    let verdict = match known {
        Some("success") if !finished => "unknown",
        known => known.unwrap_or("unknown"),
    };
    Part {
        name: component(name),
        verdict,
        finished,
        counts: Counts::parse(counts),
        reported_before: false,
    }
}

/// What may still be read.
struct Budget {
    records: u64,
    summaries: u64,
}

fn read(folder: &Path, budget: &mut Budget) -> Gathered {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let begun = name.ends_with(BEGUN);
    match Record::read(folder, MOST.min(budget.records)) {
        Ok((record, bytes)) => {
            budget.records -= bytes;
            let finished = record.finished && !begun;
            let mut part = believed(folder, Record { finished, ..record });
            part.summary = summary(folder, budget);
            part
        }
        // One that was killed while it wrote its first lines has no record yet.
        Err(error) => Gathered {
            id: id(folder),
            part: line(&format!("part-{}", name.get(..8).unwrap_or_default()), "", false, ""),
            summary: None,
            summary_missing: Some(format!("the record of this part cannot be read: {error}")),
            details: Vec::new(),
            files: Vec::new(),
            missing: Vec::new(),
            left_out: Vec::new(),
            started: String::new(),
        },
    }
}

/// The id of the part in this folder.
pub(super) fn id(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(BEGUN).unwrap_or(name).to_owned()
}

fn believed(folder: &Path, record: Record) -> Gathered {
    let reasons = |list: Vec<Reason>| {
        list.into_iter()
            .take(ENTRIES)
            .map(|entry| LeftOut {
                name: short(&entry.name, TEXT),
                reason: short(&entry.reason, TEXT),
            })
            .collect::<Vec<_>>()
    };
    let mut left_out = reasons(record.left_out);
    let more = record.files.len().saturating_sub(FILES);
    if more > 0 {
        let reason = format!("{more} files more than the {FILES} that a part may have");
        left_out.push(LeftOut { name: "./".to_owned(), reason });
    }
    let mut files = Vec::new();
    for entry in record.files.into_iter().take(FILES) {
        let path = folder.join(&entry.file);
        let name = short(&entry.name, TEXT);
        if is_plain(&entry.file)
            && fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file())
            && same_owner(&path, folder)
        {
            files.push(Attachment::File { name, path });
        } else {
            let reason = "is no regular file of the part's own".to_owned();
            left_out.push(LeftOut { name, reason });
        }
    }
    let detail = |(name, value): &(String, String)| (short(name, NAME), short(value, TEXT));
    Gathered {
        id: id(folder),
        part: line(&record.part, &record.verdict, record.finished, &record.counts),
        summary: None,
        summary_missing: record.summary_missing.map(|text| short(&text, TEXT)),
        details: record.details.iter().take(DETAILS).map(detail).collect(),
        files,
        missing: reasons(record.missing),
        left_out,
        started: short(&record.started, TEXT),
    }
}

fn summary(folder: &Path, budget: &mut Budget) -> Option<String> {
    let (file, _) = open_regular(&folder.join(SUMMARY)).ok()?;
    if !same_owner(&folder.join(SUMMARY), folder) {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(SUMMARY_BYTES.min(budget.summaries)).read_to_end(&mut bytes).ok()?;
    budget.summaries -= bytes.len() as u64;
    Some(markdown::lossy(&bytes)).filter(|text| !text.trim().is_empty())
}

impl Gathered {
    fn put_name_before(&mut self) {
        let before = format!("{}/", self.part.name);
        for file in &mut self.files {
            if let Attachment::File { name, .. } = file {
                name.insert_str(0, &before);
            }
        }
        for left_out in self.missing.iter_mut().chain(&mut self.left_out) {
            left_out.name.insert_str(0, &before);
        }
    }
}

/// Whether this is a name that we give to files: `f` and a number.
fn is_plain(file: &str) -> bool {
    file.strip_prefix('f').is_some_and(|number| {
        (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A name as one component of a path.
fn component(name: &str) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c };
    let name: String = short(name.trim(), NAME).chars().map(plain).collect();
    match name.trim() {
        "" | "." | ".." => "part".to_owned(),
        name => name.to_owned(),
    }
}

fn short(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
