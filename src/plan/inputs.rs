//! What is attached: files, folders, and what patterns match.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::unreadable;
use crate::content::read_planned_folder;

/// All that was asked for.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) present: Vec<Input>,
    pub(super) absent: Vec<Absent>,
}

/// Something that is there.
#[derive(Debug)]
pub(super) struct Input {
    /// The absolute folder that its files are named relative to, as it was written.
    pub(super) anchor: PathBuf,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    File(NamedFile),
    /// A folder with all that is in it; the path has no links in it.
    Folder {
        root: PathBuf,
    },
    /// What a pattern matches, relative to its anchor, whose path without links is `root`.
    Matches {
        root: PathBuf,
        found: BTreeSet<PathBuf>,
    },
}

/// A file that was named itself, not found in a folder.
#[derive(Debug)]
pub(super) struct NamedFile {
    pub(super) name: OsString,
    /// Without links in it.
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// Whether what was named is a link to the file.
    pub(super) linked: bool,
}

/// Something that was asked for and is not taken.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) written: PathBuf,
    pub(super) reason: String,
    /// It is there, but a rule forbids to read it.
    pub(super) by_rule: bool,
}

impl Inputs {
    /// Adds a path, or a pattern with `*`, `?`, `[…]`, `{…}` or `**` in it. What is called exactly
    /// like the pattern is taken before anything that it matches.
    pub(super) fn add_entry(&mut self, entry: &Path) {
        let is_pattern = entry.components().any(|component| has_wildcard(component));
        if is_pattern && fs::symlink_metadata(entry).is_err() {
            self.add_pattern(entry);
        } else {
            self.add_path(entry);
        }
    }

    /// Adds a file, or a folder with all that is in it. If it is a link it is followed: its owner
    /// named it.
    pub(super) fn add_path(&mut self, path: &Path) {
        match existing(path) {
            Ok(Ok(input)) => self.present.push(input),
            Ok(Err(reason)) => self.leave_out(path, reason, true),
            Err(error) => self.leave_out(path, unreadable(&error), false),
        }
    }

    fn leave_out(&mut self, written: &Path, reason: impl Into<String>, by_rule: bool) {
        self.absent.push(Absent { written: written.to_owned(), reason: reason.into(), by_rule });
    }

    fn add_pattern(&mut self, pattern: &Path) {
        let components: Vec<Component<'_>> = pattern.components().collect();
        let fixed = components.iter().take_while(|component| !has_wildcard(**component)).count();
        let (fixed, rest) = components.split_at(fixed);
        let parts =
            rest.iter().map(|component| Part::new(*component)).collect::<Result<Vec<_>, _>>();
        let parts = match parts {
            Ok(parts) => parts,
            Err(reason) => return self.leave_out(pattern, reason, false),
        };
        let mut anchor: PathBuf = fixed.iter().collect();
        if anchor.as_os_str().is_empty() {
            anchor.push(".");
        }
        let mut search = Search::default();
        if let Ok(root) = anchor.canonicalize() {
            search.look(&root, PathBuf::new(), &parts);
            for (folder, error) in search.unreadable {
                self.leave_out(&anchor.join(folder), unreadable(&error), false);
            }
            if !search.found.is_empty() {
                let what = What::Matches { root, found: search.found };
                self.present.push(Input { anchor: absolute(&anchor), what });
                return;
            }
        }
        self.leave_out(pattern, "matches no file", false);
    }
}

/// The inner error says why a rule forbids to read it.
fn existing(path: &Path) -> io::Result<Result<Input, String>> {
    let metadata = fs::metadata(path)?;
    let real = path.canonicalize()?;
    let written = absolute(path);
    if metadata.is_dir() {
        return Ok(Ok(Input { anchor: written, what: What::Folder { root: real } }));
    }
    if !metadata.is_file() {
        return Ok(Err(what_it_is(metadata.file_type())));
    }
    let (Some(name), Some(anchor)) = (written.file_name(), written.parent()) else {
        return Ok(Err("has no name".to_owned()));
    };
    let linked = fs::symlink_metadata(path)?.is_symlink();
    let file = NamedFile { name: name.to_owned(), path: real, size: metadata.len(), linked };
    Ok(Ok(Input { anchor: anchor.to_owned(), what: What::File(file) }))
}

/// Why something that is neither file nor folder is not read.
pub(super) fn what_it_is(file_type: FileType) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let known = [
            (file_type.is_fifo(), "a named pipe"),
            (file_type.is_socket(), "a socket"),
            (file_type.is_char_device() || file_type.is_block_device(), "a device"),
        ];
        if let Some((_, what)) = known.iter().find(|(is, _)| *is) {
            return format!("is {what}, which is never read");
        }
    }
    let _ = file_type;
    "is not a regular file".to_owned()
}

/// The absolute path as it was written. Only `..` needs the disk: what it means depends on links.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => {
                plain = plain.canonicalize().unwrap_or(plain);
                plain.pop();
            }
            _ => plain.push(component),
        }
    }
    plain
}

fn has_wildcard(component: Component<'_>) -> bool {
    let Component::Normal(name) = component else { return false };
    name.as_encoded_bytes().iter().any(|byte| b"*?[{".contains(byte))
}

/// One component of a pattern.
enum Part {
    /// `**`: any number of folders.
    Folders,
    Name(OsString),
    Pattern(GlobMatcher),
}

impl Part {
    fn new(component: Component<'_>) -> Result<Part, String> {
        let Component::Normal(name) = component else {
            return Err("is no pattern: .. cannot follow a wildcard".to_owned());
        };
        if name == "**" {
            return Ok(Part::Folders);
        }
        if !has_wildcard(component) {
            return Ok(Part::Name(name.to_owned()));
        }
        let text = name.to_str().ok_or("is no pattern: it is not UTF-8")?;
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map(|glob| Part::Pattern(glob.compile_matcher()))
            .map_err(|error| format!("is no pattern: {}", error.kind()))
    }

    fn matches(&self, name: &Path) -> bool {
        match self {
            Part::Folders => true,
            Part::Name(own) => own == name.as_os_str(),
            Part::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

/// Looks for what a pattern matches. It goes into folders, not through links to folders.
#[derive(Default)]
struct Search {
    found: BTreeSet<PathBuf>,
    unreadable: Vec<(PathBuf, io::Error)>,
}

impl Search {
    fn look(&mut self, root: &Path, folder: PathBuf, parts: &[Part]) {
        let Some((part, rest)) = parts.split_first() else { return };
        if let Part::Name(name) = part {
            let path = folder.join(name);
            if let Ok(metadata) = fs::symlink_metadata(root.join(&path)) {
                self.step(root, path, metadata.is_dir(), rest);
            }
            return;
        }
        let entries = match sorted(&root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable.push((folder, error)),
        };
        if let (Part::Folders, false) = (part, rest.is_empty()) {
            // No folder at all; in the loop below, one or more.
            self.look(root, folder.clone(), rest);
        }
        for (name, is_folder) in entries {
            let path = folder.join(&name);
            if let (Part::Folders, false) = (part, rest.is_empty()) {
                // A folder that is taken whole needs no second look.
                if is_folder && !self.found.contains(&path) {
                    self.look(root, path, parts);
                }
            } else if part.matches(Path::new(&name)) {
                self.step(root, path, is_folder, rest);
            }
        }
    }

    fn step(&mut self, root: &Path, path: PathBuf, is_folder: bool, rest: &[Part]) {
        if rest.is_empty() {
            self.found.insert(path);
        } else if is_folder {
            self.look(root, path, rest);
        }
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<(OsString, bool)>> {
    let mut entries = Vec::new();
    for entry in read_planned_folder(folder)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry.file_type()?.is_dir()));
    }
    entries.sort();
    Ok(entries)
}
