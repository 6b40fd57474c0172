//! The folders of a run, the keys of their pages, and the way from one to another.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::upload::File;

/// A run with more folders gets one page that lists all its files.
const MOST_FOLDERS: usize = 1_000;

/// What an address may hold as it is (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The folders of a run with what is directly in them. The run itself is the folder "".
pub(super) struct Tree<'a> {
    pub(super) folders: BTreeMap<String, Folder<'a>>,
    taken: HashSet<&'a str>,
}

#[derive(Default)]
pub(super) struct Folder<'a> {
    /// The last component of the path, as it is shown.
    pub(super) name: String,
    pub(super) files: Vec<&'a File>,
    pub(super) folders: BTreeSet<String>,
    /// Of everything below.
    pub(super) count: u64,
    pub(super) bytes: u64,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a [File]) -> Tree<'a> {
        let taken = taken(files);
        let folders = files.iter().flat_map(|file| parents(&file.key)).collect::<HashSet<_>>();
        let flat = folders.len() > MOST_FOLDERS;
        let mut tree = Tree { folders: BTreeMap::new(), taken };
        tree.folders.insert(String::new(), Folder::default());
        for file in files {
            tree.add(file, flat);
        }
        tree
    }

    fn add(&mut self, file: &'a File, flat: bool) {
        let paths = if flat { Vec::new() } else { parents(&file.key) };
        // Where the key had to differ from the name, its components are all there is to show.
        let names: Vec<&str> = file.name.split('/').collect();
        let same_depth = names.len() == paths.len() + 1;
        let mut above = String::new();
        for (depth, path) in paths.iter().enumerate() {
            if let Some(folder) = self.folders.get_mut(&above) {
                folder.folders.insert((*path).to_owned());
            }
            let folder = self.folders.entry((*path).to_owned()).or_default();
            if folder.name.is_empty() {
                let last = path.rsplit('/').next().unwrap_or(path);
                folder.name = if same_depth { names[depth] } else { last }.to_owned();
            }
            above = (*path).to_owned();
        }
        if let Some(folder) = self.folders.get_mut(&above) {
            folder.files.push(file);
        }
        for path in paths.into_iter().chain([""]) {
            if let Some(folder) = self.folders.get_mut(path) {
                folder.count += 1;
                folder.bytes = folder.bytes.saturating_add(file.size);
            }
        }
    }

    /// The paths of all folders, the deepest first; the run itself is last.
    pub(super) fn leaf_first(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.folders.keys().map(String::as_str).collect();
        paths.sort_by_key(|path| std::cmp::Reverse(depth(path)));
        paths
    }

    /// The key of a folder's page.
    pub(super) fn page(&self, path: &str) -> String {
        free_name(path, "index", "html", &self.taken)
    }

    /// The shown names of a folder and of those above it, from the outermost, with their paths.
    pub(super) fn way(&self, path: &'a str) -> Vec<(&'a str, String)> {
        let mut way = Vec::new();
        for path in parents(path).into_iter().chain((!path.is_empty()).then_some(path)) {
            let name = self.folders.get(path).map_or(String::new(), |folder| folder.name.clone());
            way.push((path, name));
        }
        way
    }
}

/// The paths of the folders that a key is in, from the outermost.
pub(super) fn parents(key: &str) -> Vec<&str> {
    key.match_indices('/').map(|(at, _)| &key[..at]).collect()
}

/// How many components a path has.
pub(super) fn depth(path: &str) -> usize {
    if path.is_empty() { 0 } else { path.matches('/').count() + 1 }
}

/// All keys that files and folders have.
pub(super) fn taken(files: &[File]) -> HashSet<&str> {
    files
        .iter()
        .flat_map(|file| parents(&file.key).into_iter().chain([file.key.as_str()]))
        .collect()
}

pub(super) fn free_name(
    folder: &str,
    stem: &str,
    extension: &str,
    taken: &HashSet<&str>,
) -> String {
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut key = format!("{folder}{stem}.{extension}");
    let mut number = 1;
    while taken.contains(key.as_str()) {
        number += 1;
        key = format!("{folder}{stem}-{number}.{extension}");
    }
    key
}

/// The address of `to` as seen from the page of the folder `from`, percent-encoded by component.
pub(super) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = to.split('/').collect();
    let common = from.iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let down = to[common..].iter().map(|part| utf8_percent_encode(part, RESERVED).to_string());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn relative_addresses_lead_up_and_down_and_are_encoded_by_component() {
        for (from, to, address) in [
            ("", "a b/c#d.txt", "a%20b/c%23d.txt"),
            ("a", "index.html", "../index.html"),
            ("a/b", "a/index.html", "../index.html"),
            ("a/b", "a/b/index.html", "index.html"),
            ("a", "a/b/x", "b/x"),
            ("a/b", "c/x", "../../c/x"),
            ("", "javascript:alert(1)", "javascript%3Aalert%281%29"),
        ] {
            assert_eq!(relative(from, to), address, "{from} → {to}");
        }
    }
}
