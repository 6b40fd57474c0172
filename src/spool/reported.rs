//! What the spool remembers of parts that were submitted, so that parts that come late are added to
//! the comment and do not replace it.
//!
//! A delivered submission leaves one file behind, `.reported-<submission>.json`: of each part its
//! id, name, verdict and counts, and the keys of the pages that have the files. It speaks for one
//! repository, commit, context and build. The next submission of these takes its place, with the
//! parts of both.
//!
//! The tested code could write such a file too. It is believed as little as a part is: lines can be
//! made up, and a page is linked only if it is one of the same repository and pull request.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::gather::line;
use super::{is_id, private_file};
use crate::compose::Part;
use crate::content::open_regular;
use crate::receipt::rfc3339;
use crate::settings::Run;
use crate::submission::Submission;

const REPORTED: &str = ".reported-";
/// The version of the file's shape.
const VERSION: u32 = 1;
/// The largest file, and the most that is read of all together, in bytes.
const LARGEST: u64 = 8 << 20;
const TOGETHER: u64 = 32 << 20;
/// The most files that are looked at, and the most that stay.
const LOOKED_AT: usize = 100;
const KEPT: usize = 16;
/// The most parts and pages that are remembered of a run.
const PARTS: usize = 20_000;
const PAGES: usize = 3;
/// The longest key of a page, in bytes.
const KEY: usize = 1024;
/// How far the clocks of two machines may be apart.
const CLOCKS: Duration = Duration::hours(1);

/// What is in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    notify_pr_reported: u32,
    run: Run,
    context: String,
    /// RFC 3339.
    at: String,
    parts: Vec<Line>,
    /// The newest first.
    pages: Vec<String>,
}

/// The file as far as every version has it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape {
    notify_pr_reported: u32,
    at: String,
}

/// A part of which the comment has a line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    /// The id that the part had in the spool.
    id: String,
    name: String,
    verdict: String,
    finished: bool,
    counts: String,
}

/// What was reported before of the run of a submission.
#[derive(Debug)]
pub(crate) struct Reported {
    spool: PathBuf,
    run: Run,
    context: String,
    /// Of the same repository, context and build, perhaps of several commits; the newest first.
    memories: Vec<(PathBuf, Memory)>,
    /// Files that have had their time.
    spent: Vec<PathBuf>,
}

impl Reported {
    /// Reads what the spool remembers, but for the parts with these ids, which come again. What
    /// cannot be read is as if it were not there.
    pub(crate) fn read(
        spool: &Path,
        submission: &Submission,
        run: &Run,
        context: String,
        again: HashSet<String>,
    ) -> Reported {
        let now = submission.clock.now();
        let days = submission.settings.count("store_expire_days").unwrap_or(7).min(36_500);
        let days = Duration::days(i64::try_from(days).unwrap_or(7));
        let oldest = now.checked_sub(days).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let newest = now.saturating_add(CLOCKS);
        let (mut budget, mut spent, mut lasting) = (TOGETHER, Vec::new(), Vec::new());
        let mut later = (0, 0);
        for path in files(spool) {
            match Memory::read(&path, &mut budget).filter(|(at, _)| (oldest..newest).contains(at)) {
                Some((_, memory)) if memory.notify_pr_reported > VERSION => {
                    later = (later.0 + 1, memory.notify_pr_reported);
                }
                Some((at, memory)) if memory.notify_pr_reported == VERSION => {
                    lasting.push((at, path, memory));
                }
                _ => spent.push(path),
            }
        }
        if let (1.., version) = later {
            submission.events.warn(format!(
                "a later version of notify_pr submitted parts from {} (layout {version} of what it \
                 noted, this one has {VERSION}), so the comment may lose their lines: submit the \
                 spool with that version",
                spool.display()
            ));
        }
        lasting.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        let (mut memories, mut seen) = (Vec::new(), again);
        for (index, (_, path, mut memory)) in lasting.into_iter().enumerate() {
            let is_ours = memory.context == context
                && memory.run.repository.eq_ignore_ascii_case(&run.repository);
            if is_ours && !memory.run.differs_in_build(run) {
                memory.parts.retain(|line| is_id(&line.id) && seen.insert(line.id.clone()));
                memories.push((path, memory));
            } else if index >= KEPT || (is_ours && memory.run.is_of(&run.commit)) {
                spent.push(path);
            }
        }
        Reported { spool: spool.to_owned(), run: run.clone(), context, memories, spent }
    }

    /// The names of all parts, whatever their commit.
    pub(crate) fn names(&self) -> HashSet<String> {
        let parts = self.memories.iter().flat_map(|(_, memory)| &memory.parts);
        parts.map(|line| line.part().name).collect()
    }

    /// The parts of a commit, in no particular order.
    pub(crate) fn parts(&self, commit: &str) -> Vec<Part> {
        self.of(commit).flat_map(|memory| &memory.parts).take(PARTS).map(Line::part).collect()
    }

    /// The keys of the pages of a commit that lie beside a folder, the newest first.
    pub(crate) fn pages(&self, commit: &str, folder: &str) -> Vec<&str> {
        let keys = self.of(commit).flat_map(|memory| &memory.pages).map(String::as_str);
        keys.filter(|key| is_page_beside(key, folder)).take(PAGES).collect()
    }

    fn of(&self, commit: &str) -> impl Iterator<Item = &Memory> {
        let memories = self.memories.iter().map(|(_, memory)| memory);
        memories.filter(move |memory| memory.run.is_of(commit))
    }

    /// Remembers the parts of a submission that was delivered, with their ids, besides what was
    /// known of the commit before.
    pub(crate) fn remember(
        &self,
        submission: &Submission,
        commit: &str,
        parts: &[(String, Part)],
        page: Option<&str>,
    ) -> io::Result<()> {
        let earlier = self.of(commit).flat_map(|memory| &memory.parts).cloned();
        let own = parts.iter().map(|(id, part)| Line::new(id, part));
        let pages = self.of(commit).flat_map(|memory| &memory.pages).map(String::as_str);
        let memory = Memory {
            notify_pr_reported: VERSION,
            run: Run { commit: commit.to_owned(), ..self.run.clone() },
            context: self.context.clone(),
            at: rfc3339(submission.clock.now()),
            parts: own.chain(earlier).take(PARTS).collect(),
            pages: page.into_iter().chain(pages).take(PAGES).map(str::to_owned).collect(),
        };
        memory.write(&self.spool, &submission.id)?;
        let replaced = self.memories.iter().filter(|(_, memory)| memory.run.is_of(commit));
        for path in replaced.map(|(path, _)| path).chain(&self.spent) {
            // One that stays repeats what the new one says.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}

impl Memory {
    fn read(path: &Path, budget: &mut u64) -> Option<(OffsetDateTime, Memory)> {
        let (file, len) = open_regular(path).ok()?;
        if len > LARGEST.min(*budget) {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes).ok()?;
        *budget -= bytes.len() as u64;
        let mut memory = Memory::of(&bytes)?;
        memory.pages.retain(|key| key.len() <= KEY);
        let at = OffsetDateTime::parse(&memory.at, &Rfc3339).ok()?;
        Some((at, memory))
    }

    /// Of what a later version wrote, no more than that and when.
    fn of(bytes: &[u8]) -> Option<Memory> {
        let Shape { notify_pr_reported, at } = serde_json::from_slice(bytes).ok()?;
        match notify_pr_reported > VERSION {
            true => Some(Memory { notify_pr_reported, at, ..Memory::default() }),
            false => serde_json::from_slice(bytes).ok(),
        }
    }

    fn write(mut self, spool: &Path, submission: &str) -> io::Result<()> {
        let mut json = serde_json::to_vec(&self)?;
        while json.len() as u64 > LARGEST && !self.parts.is_empty() {
            // The worst came first.
            self.parts.truncate(self.parts.len() / 2);
            json = serde_json::to_vec(&self)?;
        }
        let unfinished = spool.join(format!("{REPORTED}{submission}.new"));
        let mut file = private_file(&unfinished)?;
        let written = file.write_all(&json).and_then(|()| file.sync_all());
        let named = written.and_then(|()| {
            fs::rename(&unfinished, spool.join(format!("{REPORTED}{submission}.json")))
        });
        if named.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        named
    }
}

impl Line {
    fn new(id: &str, part: &Part) -> Line {
        Line {
            id: id.to_owned(),
            name: part.name.clone(),
            verdict: part.verdict.to_owned(),
            finished: part.finished,
            counts: part.counts.map(|counts| counts.to_string()).unwrap_or_default(),
        }
    }

    fn part(&self) -> Part {
        let part = line(&self.name, &self.verdict, self.finished, &self.counts);
        Part { reported_before: true, ..part }
    }
}

/// The files that remember something, and those that nobody finished.
fn files(spool: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(spool) else { return Vec::new() };
    let is_ours = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(REPORTED))
    };
    entries.flatten().map(|entry| entry.path()).filter(is_ours).take(LOOKED_AT).collect()
}

/// Whether a key is that of the index page of a run whose folder differs from this one in nothing
/// but the day and the id of the submission.
fn is_page_beside(key: &str, folder: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~' | '.');
    let Some((other, name)) = key.rsplit_once('/') else { return false };
    let is_index =
        name.starts_with("index") && name.ends_with(".html") && name.chars().all(is_name);
    let is_date =
        |text: &str| text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    let other: Vec<&str> = other.split('/').rev().collect();
    let own: Vec<&str> = folder.trim_end_matches('/').split('/').rev().collect();
    // The id, the pull request or commit, the repository and its owner, the day, and the rest.
    is_index
        && other.len() == own.len()
        && own.len() > 4
        && is_id(other[0])
        && is_date(other[4])
        && other[1..4] == own[1..4]
        && other[5..] == own[5..]
}
