//! Goes through what is attached and judges each entry by what it is, before anything is opened.
//!
//! A symbolic link is followed only to a file inside the attached folder, compared component by
//! component after all links are resolved; that file is stored under both names. A link to a
//! folder inside is named and not followed: the folder is stored under its own name. So no loop
//! of links has an end to look for. Pipes, sockets and devices are never opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs::{NamedFile, what_it_is};
use super::rules::{Is, Rules};
use super::{LeftOut, names, unreadable};
use crate::content::{Source, open_planned, read_planned_folder};
use crate::error::Result;
use crate::submission::Cancel;

/// If a rule leaves out more than this in one folder, the folder is named and not each file.
const NAMED_EACH: usize = 3;

/// A file to store.
#[derive(Debug)]
pub(super) struct Found {
    /// The true name: relative, `/` between its components, any bytes otherwise.
    pub(super) name: Vec<u8>,
    pub(super) source: Source,
    pub(super) size: u64,
    /// Whether a link led to it: then it may have another name, too.
    pub(super) linked: bool,
}

pub(super) struct Walk<'a> {
    rules: &'a Rules,
    cancel: &'a Cancel,
    found: Vec<Found>,
    missing: Vec<LeftOut>,
    warnings: Vec<LeftOut>,
    /// The names that a rule left out, by folder and reason.
    left_out: BTreeMap<(Vec<u8>, String), BTreeSet<Vec<u8>>>,
}

/// An attached folder.
#[derive(Clone, Copy)]
struct Tree<'t> {
    /// Without links in it.
    root: &'t Path,
    /// What stands before the names of its files.
    label: &'t Path,
    /// What it is called where the names of its files do not tell it.
    called: &'t [u8],
}

impl Tree<'_> {
    fn name(&self, path: &Path) -> Vec<u8> {
        names::of(&self.label.join(path))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(rules: &'a Rules, cancel: &'a Cancel) -> Walk<'a> {
        Walk {
            rules,
            cancel,
            found: Vec::new(),
            missing: Vec::new(),
            warnings: Vec::new(),
            left_out: BTreeMap::new(),
        }
    }

    /// What was found, what is missing, and what was left out.
    pub(super) fn finish(mut self) -> (Vec<Found>, Vec<LeftOut>, Vec<LeftOut>) {
        for ((folder, reason), names) in std::mem::take(&mut self.left_out) {
            if names.len() <= NAMED_EACH {
                for name in names {
                    self.warn(&name, reason.as_str());
                }
            } else {
                let folder = if folder.is_empty() { b".".to_vec() } else { folder };
                let name = format!("{}/", names::shown(&folder));
                let reason = format!("{} entries {reason}", names.len());
                self.warnings.push(LeftOut { name, reason });
            }
        }
        (self.found, self.missing, self.warnings)
    }

    /// A file that was named itself.
    pub(super) fn named(&mut self, label: &Path, file: &NamedFile) {
        let path = Path::new(&file.name);
        let name = names::of(&label.join(path));
        if let Some(reason) = self.rules.excludes(label, path, Is::File) {
            return self.leave_out(name, reason);
        }
        if let Err(error) = fs::metadata(&file.path).and_then(|m| readable(&file.path, &m)) {
            return self.miss(&name, unreadable(&error));
        }
        if file.size == 0 {
            self.warn(&name, "is empty");
        }
        let source = Source::File(file.path.clone());
        self.found.push(Found { name, source, size: file.size, linked: file.linked });
    }

    /// A file under a name that need not be its own.
    pub(super) fn renamed(&mut self, name: &str, path: &Path) {
        let name = names::of_bytes(name);
        let below = as_path(&name);
        match self.rules.excludes_above(Path::new(""), &below, Is::File) {
            Some(reason) => self.leave_out(name, reason),
            None => match resolved(path) {
                Ok(path) => self.file(name, path, false),
                Err(error) => self.miss(&name, unreadable(&error)),
            },
        }
    }

    /// Bytes that a caller named.
    pub(super) fn bytes(&mut self, name: &str, data: &Arc<[u8]>) {
        let name = names::of_bytes(name);
        if let Some(reason) = self.rules.excludes_above(Path::new(""), &as_path(&name), Is::File) {
            return self.leave_out(name, reason);
        }
        if data.is_empty() {
            self.warn(&name, "is empty");
        }
        let size = data.len() as u64;
        self.found.push(Found {
            name,
            source: Source::Memory(Arc::clone(data)),
            size,
            linked: false,
        });
    }

    /// A folder with all that is in it. `called` is its name where its files' names do not tell it.
    pub(super) fn folder(&mut self, root: &Path, label: &Path, called: &[u8]) -> Result<()> {
        let before = self.count();
        self.descend(Tree { root, label, called }, PathBuf::new())?;
        if self.count() == before {
            self.miss(called, "the folder is empty");
        }
        Ok(())
    }

    /// What a pattern matches. Links come last: what they lead to may be there by itself.
    pub(super) fn matches(
        &mut self,
        root: &Path,
        label: &Path,
        found: &BTreeSet<PathBuf>,
    ) -> Result<()> {
        let tree = Tree { root, label, called: b"." };
        let mut links = Vec::new();
        for path in found {
            let name = tree.name(path);
            let above = path.parent().unwrap_or(Path::new(""));
            if let Some(reason) = self.rules.excludes_above(label, above, Is::Folder) {
                self.leave_out(name, reason);
                continue;
            }
            match fs::symlink_metadata(root.join(path)) {
                Ok(metadata) if metadata.is_symlink() => links.push(path),
                Ok(metadata) => {
                    if let Some(folder) = self.entry(tree, path, metadata.file_type()) {
                        self.descend(tree, folder)?;
                    }
                }
                Err(error) => self.miss(&name, unreadable(&error)),
            }
        }
        for path in links {
            match self.folder_behind(tree, path) {
                // Its files may not match by themselves. Those that do keep the name they have.
                Some(folder) => {
                    let label = &label.join(path);
                    self.descend(Tree { root: &folder, label, called: b"." }, PathBuf::new())?;
                }
                None => self.link(tree, path),
            }
        }
        Ok(())
    }

    /// The folder that a link leads to, if it is inside, is wanted, and is not around the link.
    fn folder_behind(&self, tree: Tree<'_>, path: &Path) -> Option<PathBuf> {
        let link = tree.root.join(path);
        let target = link.canonicalize().ok()?;
        let inside = target.strip_prefix(tree.root).ok()?;
        let is_wanted = self.rules.excludes(tree.label, path, Is::Folder).is_none()
            && self.rules.excludes_above(tree.label, inside, Is::Folder).is_none();
        (is_wanted && target.is_dir() && !link.starts_with(&target)).then_some(target)
    }

    fn count(&self) -> usize {
        self.found.len() + self.missing.len() + self.warnings.len() + self.left_out.len()
    }

    fn descend(&mut self, tree: Tree<'_>, from: PathBuf) -> Result<()> {
        let mut waiting = vec![from];
        while let Some(folder) = waiting.pop() {
            self.cancel.check()?;
            let entries = match read_planned_folder(&tree.root.join(&folder)) {
                Ok(entries) => entries,
                Err(error) => {
                    self.miss_folder(tree, &folder, &error);
                    continue;
                }
            };
            for entry in entries {
                match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                    Ok((name, file_type)) => {
                        waiting.extend(self.entry(tree, &folder.join(name), file_type));
                    }
                    Err(error) => self.miss_folder(tree, &folder, &error),
                }
            }
        }
        Ok(())
    }

    /// Judges one entry. Returns it if it is a folder to go into.
    fn entry(&mut self, tree: Tree<'_>, path: &Path, file_type: FileType) -> Option<PathBuf> {
        let name = tree.name(path);
        if file_type.is_dir() {
            if let Some(reason) = self.rules.excludes(tree.label, path, Is::Folder) {
                self.leave_out([&name, &b"/"[..]].concat(), reason);
                return None;
            }
            return Some(path.to_owned());
        }
        if let Some(reason) = self.rules.leave_out(tree.label, path) {
            self.leave_out(name, reason);
        } else if file_type.is_symlink() {
            self.link(tree, path);
        } else if !file_type.is_file() {
            self.warn(&name, what_it_is(file_type));
        } else {
            self.file(name, tree.root.join(path), false);
        }
        None
    }

    fn file(&mut self, name: Vec<u8>, path: PathBuf, linked: bool) {
        let checked = fs::symlink_metadata(&path).and_then(|metadata| {
            readable(&path, &metadata)?;
            Ok(metadata)
        });
        match checked {
            Ok(metadata) => {
                let size = metadata.len();
                self.found.push(Found { name, source: Source::File(path), size, linked });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.miss(&name, "vanished while the folder was read");
            }
            Err(error) => self.miss(&name, unreadable(&error)),
        }
    }

    fn link(&mut self, tree: Tree<'_>, path: &Path) {
        let name = tree.name(path);
        if let Some(reason) = self.rules.leave_out(tree.label, path) {
            return self.leave_out(name, reason);
        }
        let target = match tree.root.join(path).canonicalize() {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return self.miss(&name, unreadable(&error));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.warn(&name, "is a link to something that does not exist");
            }
            Err(_) => return self.warn(&name, "is a link that leads nowhere"),
        };
        let Ok(inside) = target.strip_prefix(tree.root) else {
            return self.warn(&name, "is a link that leads out of the folder");
        };
        let metadata = match fs::symlink_metadata(&target) {
            Ok(metadata) => metadata,
            Err(error) => return self.miss(&name, unreadable(&error)),
        };
        let is = if metadata.is_dir() { Is::Folder } else { Is::File };
        if let Some(reason) = self.rules.excludes_above(tree.label, inside, is) {
            self.warn(&name, format!("is a link to what is {reason}"));
        } else if metadata.is_file() {
            self.file(name, target, true);
        } else if metadata.is_dir() && inside.as_os_str().is_empty() {
            self.warn(&name, "is a link to the attached folder itself");
        } else if metadata.is_dir() {
            let target = names::shown(&tree.name(inside));
            self.warn(&name, format!("is a link to the folder {target}, which has its own name"));
        } else {
            self.warn(&name, what_it_is(metadata.file_type()));
        }
    }

    fn leave_out(&mut self, name: Vec<u8>, reason: String) {
        let end = name.strip_suffix(b"/").unwrap_or(&name).iter().rposition(|byte| *byte == b'/');
        let folder = name[..end.unwrap_or(0)].to_vec();
        self.left_out.entry((folder, reason)).or_default().insert(name);
    }

    fn miss(&mut self, name: &[u8], reason: impl Into<String>) {
        self.missing.push(LeftOut { name: names::shown(name), reason: reason.into() });
    }

    fn miss_folder(&mut self, tree: Tree<'_>, folder: &Path, error: &io::Error) {
        let name = match tree.name(folder) {
            empty if empty.is_empty() => tree.called.to_vec(),
            name => name,
        };
        self.miss(&[&name, &b"/"[..]].concat(), unreadable(error));
    }

    fn warn(&mut self, name: &[u8], reason: impl Into<String>) {
        self.warnings.push(LeftOut { name: names::shown(name), reason: reason.into() });
    }
}

/// The path without links in it, but for the last place, where none is followed.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if folder.as_os_str().is_empty() => {
            Ok(Path::new(".").canonicalize()?.join(name))
        }
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Whether a regular file can be opened. Nothing is opened that everybody may read: that would
/// cost more than it tells, and the upload says so if it fails all the same.
fn readable(path: &Path, metadata: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(metadata) & 0o444 == 0o444 && metadata.is_file() {
        return Ok(());
    }
    #[cfg(not(unix))]
    if metadata.is_file() {
        return Ok(());
    }
    open_planned(path).map(drop)
}

#[cfg(unix)]
fn as_path(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name))
}

#[cfg(not(unix))]
fn as_path(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}
