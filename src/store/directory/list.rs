//! Lists a folder as a store: in the order of the keys, a page at a time.

use std::fs;
use std::path::Path;

use super::{Directory, TEMPORARY, TEMPORARY_END, absent};
use crate::store::{Listed, Listing, Stored};

/// How many objects a page of a listing holds.
const PAGE: usize = 1000;

impl Directory {
    /// A page of the objects whose keys begin with `prefix`, after the key `after`.
    pub(super) fn list_below(&self, prefix: &str, after: Option<&str>) -> Stored<Listing> {
        let mut listing = Listing::default();
        // Only the folder of the prefix can hold what begins with it.
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let base = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let parent = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.walk(&base, &parent, prefix, after, &mut listing)?;
        Ok(listing)
    }

    /// Adds the objects below a folder in the order of their keys; stops when the page is full.
    fn walk(
        &self,
        folder: &Path,
        parent: &str,
        prefix: &str,
        after: Option<&str>,
        listing: &mut Listing,
    ) -> Stored<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(source) if absent(&source) => return Ok(()),
            Err(source) => {
                return Err(self.failed("a folder of the store cannot be read", folder, source));
            }
        };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            // Names that are not UTF-8 and links are not ours.
            let (Ok(mut name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type())
            else {
                continue;
            };
            if kind.is_dir() {
                // Keys below the folder have a `/` here, and that decides the order.
                name.push('/');
                names.push((name, entry));
            } else if kind.is_file() && !is_temporary(&name) {
                names.push((name, entry));
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, entry) in names {
            let key = format!("{parent}{name}");
            if name.ends_with('/') {
                let wanted = key.starts_with(prefix) || prefix.starts_with(&key);
                let passed =
                    after.is_some_and(|after| after > key.as_str() && !after.starts_with(&key));
                if wanted && !passed {
                    self.walk(&entry.path(), &key, prefix, after, listing)?;
                }
            } else if key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after) {
                if listing.objects.len() == PAGE {
                    listing.more = true;
                } else if let Ok(metadata) = entry.metadata() {
                    listing.objects.push(Listed { key, size: metadata.len() });
                }
            }
            if listing.more {
                break;
            }
        }
        Ok(())
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY) && name.ends_with(TEMPORARY_END)
}
