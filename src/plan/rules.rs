//! `include` and `exclude`.
//!
//! A pattern without `/` is compared with the name of a file and with those of the folders that
//! it is in, from the attached folder down: `.git` leaves out the folder, `*.hprof` the files. A
//! pattern with `/` is compared with the whole path, relative to the attached folder or to the
//! common parent, and with those of the folders above: there `*` stays between two slashes and
//! `**` goes over them. A pattern that ends with `/` means folders only; `core` means files only,
//! as it is the name of a crashed process's memory and of many a harmless folder.
//!
//! If `include` is set, only what it matches is taken of folders and of what patterns find; what
//! was named itself needs no inclusion. `exclude` leaves out anything, and wins.

use std::path::Path;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::status::Status;

/// What a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    File,
    Folder,
}

pub(super) struct Rules {
    include: Patterns,
    exclude: Patterns,
}

impl Rules {
    pub(super) fn new(settings: &Settings) -> Result<Rules> {
        Ok(Rules {
            include: Patterns::new(settings, "include")?,
            exclude: Patterns::new(settings, "exclude")?,
        })
    }

    /// Why a path is left out whose folders are not. `label` stands before it in its name.
    pub(super) fn excludes(&self, label: &Path, path: &Path, is: Is) -> Option<String> {
        let pattern = self.exclude.matching(label, path, is)?;
        Some(format!("left out by exclude ({pattern})"))
    }

    /// Why a path or one of its folders is left out.
    pub(super) fn excludes_above(&self, label: &Path, path: &Path, is: Is) -> Option<String> {
        let mut above = path.ancestors().skip(1);
        self.excludes(label, path, is)
            .or_else(|| above.find_map(|folder| self.excludes(label, folder, Is::Folder)))
    }

    /// Why a file that was found, and whose folders are not left out, is left out.
    pub(super) fn leave_out(&self, label: &Path, file: &Path) -> Option<String> {
        let included = |path, is| self.include.matching(label, path, is).is_some();
        if !self.include.is_empty()
            && !included(file, Is::File)
            && !file.ancestors().skip(1).any(|folder| included(folder, Is::Folder))
        {
            return Some("left out as include does not match".to_owned());
        }
        self.excludes(label, file, Is::File)
    }
}

/// The patterns of one setting, split by what they are compared with.
struct Patterns {
    of_names: Compiled,
    of_paths: Compiled,
}

impl Patterns {
    fn new(settings: &Settings, setting: &str) -> Result<Patterns> {
        let (paths, names) = settings
            .list(setting)
            .into_iter()
            .partition(|pattern| pattern.trim_end_matches('/').contains('/'));
        Ok(Patterns {
            of_names: Compiled::new(names, setting)?,
            of_paths: Compiled::new(paths, setting)?,
        })
    }

    fn is_empty(&self) -> bool {
        self.of_names.patterns.is_empty() && self.of_paths.patterns.is_empty()
    }

    /// The first pattern that matches, as it was written.
    fn matching(&self, label: &Path, path: &Path, is: Is) -> Option<&str> {
        let name = Path::new(path.file_name()?);
        if let Some(pattern) = self.of_names.matching(name, is) {
            return Some(pattern);
        }
        if self.of_paths.patterns.is_empty() {
            return None;
        }
        let below = self.of_paths.matching(path, is);
        below.or_else(|| self.of_paths.matching(&label.join(path), is))
    }
}

struct Compiled {
    set: GlobSet,
    /// As they were written, in the order of the set.
    patterns: Vec<String>,
}

impl Compiled {
    fn new(patterns: Vec<String>, setting: &str) -> Result<Compiled> {
        let bad = |pattern: &str, error: &globset::Error| {
            let what = format!("{setting}: {pattern} is no pattern: {}", error.kind());
            Error::new(Status::BadSetting, what)
                .advise("put a backslash before a character that means itself")
        };
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            let plain = pattern.trim_start_matches('/').trim_end_matches('/');
            let glob = GlobBuilder::new(plain).literal_separator(true).build();
            set.add(glob.map_err(|error| bad(pattern, &error))?);
        }
        let set = set.build().map_err(|error| bad(&patterns.join(", "), &error))?;
        Ok(Compiled { set, patterns })
    }

    fn matching(&self, path: &Path, is: Is) -> Option<&str> {
        let matching = self.set.matches_candidate(&Candidate::new(path));
        let patterns = matching.into_iter().filter_map(|index| self.patterns.get(index));
        patterns.map(String::as_str).find(|pattern| match is {
            Is::File => !pattern.ends_with('/'),
            Is::Folder => *pattern != "core",
        })
    }
}
