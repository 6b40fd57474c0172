//! Removes this program's own runs past their day.
//!
//! Only `<prefix>/<days>d/<yyyy-mm-dd>/` of our own prefix and days is looked at, and in there
//! only folders that hold a marker which names them. Everything else is left alone.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use super::{Own, absent, remove_empty};
use crate::store::MARKER;
use crate::store::marker::Strange;

/// The most objects that one submission removes for those before it.
const MOST: u64 = 20_000;
/// `<owner>/<repo>/<pr-N or sha>/<submission>` below the folder of a day.
const DEPTH: usize = 4;
/// The longest marker that is read.
const MARKER_LIMIT: u64 = 4096;

/// Returns how many objects went, and what stayed past its day.
pub(super) fn sweep(
    root: &Path,
    own: &Own,
    now: OffsetDateTime,
    goes_on: &dyn Fn() -> bool,
) -> io::Result<(u64, Strange)> {
    let mut base = root.to_path_buf();
    for component in own.prefix.split('/').filter(|component| !component.is_empty()) {
        base.push(component);
        if component == ".." || !is_folder(&base) {
            return Ok((0, Strange::default()));
        }
    }
    base.push(format!("{}d", own.days));
    let mut sweep = Sweep { root, now, goes_on, removed: 0, strange: Strange::default() };
    for day in folders(&base)? {
        let date =
            day.file_name().into_string().ok().and_then(|name| {
                Date::parse(&name, format_description!("[year]-[month]-[day]")).ok()
            });
        let days = Duration::days(i64::try_from(own.days).unwrap_or(i64::MAX / 1_000_000));
        let past =
            date.and_then(|date| date.checked_add(days)).is_some_and(|last| last < now.date());
        if past {
            sweep.runs(&day.path(), DEPTH)?;
        }
    }
    Ok((sweep.removed, sweep.strange))
}

struct Sweep<'a> {
    root: &'a Path,
    now: OffsetDateTime,
    goes_on: &'a dyn Fn() -> bool,
    removed: u64,
    strange: Strange,
}

impl Sweep<'_> {
    /// Looks for the folders of submissions, which lie `depth` levels below.
    fn runs(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        for entry in folders(folder)? {
            self.check()?;
            if self.removed >= MOST {
                return Ok(());
            }
            let path = entry.path();
            if depth > 1 {
                self.runs(&path, depth - 1)?;
            } else if self.may_go(&path, &entry) {
                self.remove(&path)?;
                // The marker went last, so a sweep that was cut short goes on next time.
                if let Some(parent) = path.parent() {
                    remove_empty(parent, self.root);
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if (self.goes_on)() { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }

    /// Whether the folder's marker names this folder and its time is up.
    fn may_go(&mut self, path: &Path, entry: &DirEntry) -> bool {
        let marker = path.join(MARKER);
        let small = fs::symlink_metadata(&marker)
            .is_ok_and(|found| found.is_file() && found.len() <= MARKER_LIMIT);
        let read = if small { fs::read(&marker).ok() } else { None };
        let (name, now) = (entry.file_name(), self.now);
        read.zip(name.to_str()).is_some_and(|(bytes, name)| self.strange.may_go(&bytes, name, now))
    }

    /// Removes a folder with all that is in it, its marker last. Links are removed, not followed.
    fn remove(&mut self, folder: &Path) -> io::Result<()> {
        let mut marker = None;
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                self.remove(&path)?;
            } else if entry.file_name() == MARKER {
                marker = Some(path);
            } else {
                self.remove_file(&path)?;
            }
        }
        if let Some(marker) = marker {
            self.remove_file(&marker)?;
        }
        match fs::remove_dir(folder) {
            Err(source) if !absent(&source) => Err(source),
            _ => Ok(()),
        }
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.check()?;
        match fs::remove_file(path) {
            Ok(()) => self.removed += 1,
            // Another submission sweeps at the same time.
            Err(source) if absent(&source) => {}
            Err(source) => return Err(source),
        }
        Ok(())
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// The real folders in a folder, in the order of their names; none if it is not there.
fn folders(folder: &Path) -> io::Result<Vec<DirEntry>> {
    if !is_folder(folder) {
        return Ok(Vec::new());
    }
    let mut found: Vec<DirEntry> = match fs::read_dir(folder) {
        Ok(entries) => entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .collect(),
        Err(source) if absent(&source) => Vec::new(),
        Err(source) => return Err(source),
    };
    found.sort_by_key(DirEntry::file_name);
    Ok(found)
}
