//! A folder that a web server publishes: the model of a store.
//!
//! An object is a file whose path below the folder is the key. It is written under a temporary
//! name beside its place and renamed when it is whole, so a reader never sees half of it. Below
//! the folder symbolic links are never followed: nothing is written or removed outside.

mod list;
mod sweep;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::transfer::{Transfer, changed, hex};
use super::{
    Access, Fault, Limits, Listing, Meta, Part, Sent, Store, StoreError, Stored, Upload, check_key,
    encode_key,
};
use crate::content::{Body, Checksum};
use crate::error::Error;
use crate::status::Status;

/// What is copied at once.
const BUFFER: usize = 64 << 10;
/// Temporary files begin with this and end with `TEMPORARY_END`; listings leave them out.
const TEMPORARY: &str = ".notify_pr-";
const TEMPORARY_END: &str = ".part";

/// Which runs are this program's own, and may be removed past their day.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// The value of `store_prefix`.
    pub(super) prefix: String,
    /// The value of `store_expire_days`.
    pub(super) days: u64,
}

/// The store of `store_api = directory`.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    name: String,
    public_url: String,
    create: bool,
    own: Own,
}

impl Directory {
    pub(super) fn new(
        root: impl Into<PathBuf>,
        public_url: &str,
        create: bool,
        own: Own,
    ) -> Directory {
        let root = root.into();
        Directory {
            name: root.display().to_string(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            root,
            create,
            own,
        }
    }

    /// The path of an object, if no symbolic link lies on the way to it.
    fn path(&self, key: &str) -> Stored<PathBuf> {
        check_key(key, &self.limits())?;
        let mut path = self.root.clone();
        for component in key.split('/') {
            path.push(component);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.file_type().is_symlink() => return Err(link_in_the_way(&path)),
                Ok(_) => {}
                Err(source) if absent(&source) => break,
                Err(source) => {
                    return Err(self.failed("an object cannot be looked for", &path, source));
                }
            }
        }
        Ok(self.root.join(key))
    }

    /// Makes the folders that a key needs, and gives the path of the object.
    fn path_to_write(&self, key: &str) -> Stored<PathBuf> {
        let path = self.path(key)?;
        if let Some(parent) = path.parent() {
            if !self.root.is_dir() {
                return Err(self.no_folder());
            }
            folder_builder().create(parent).map_err(|source| {
                self.failed("a folder of the store cannot be made", parent, source)
            })?;
        }
        Ok(path)
    }

    /// Opens a new file beside the place of an object. The folder may be swept away by another
    /// submission between making it and opening the file, so it is made again a few times.
    fn open_temporary(&self, key: &str, id: &str) -> Stored<(PathBuf, File)> {
        let mut last = None;
        for _ in 0..4 {
            let path = self.path_to_write(key)?;
            let temporary = path.with_file_name(format!("{TEMPORARY}{id}{TEMPORARY_END}"));
            match new_file().open(&temporary) {
                Ok(file) => return Ok((temporary, file)),
                Err(source) if absent(&source) => last = Some((temporary, source)),
                Err(source) => {
                    return Err(self.failed(
                        "a file cannot be made in the store",
                        &temporary,
                        source,
                    ));
                }
            }
        }
        let (path, source) =
            last.unwrap_or_else(|| (self.root.clone(), io::ErrorKind::NotFound.into()));
        Err(self.failed("a file cannot be made in the store", &path, source))
    }

    /// Copies a range of a body into a file and returns the hash of what was copied.
    fn copy(
        &self,
        body: &Body,
        range: Range<u64>,
        file: &mut File,
        path: &Path,
        sent: &Sent<'_>,
    ) -> Stored<[u8; 32]> {
        let mut reader = Transfer::new(body, range, sent)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(source) => return Err(reader.failure(source)),
            };
            hash.update(&buffer[..read]);
            file.write_all(&buffer[..read]).map_err(|source| {
                self.failed("a file of the store cannot be written", path, source)
            })?;
        }
        Ok(hash.finalize().into())
    }

    fn rename(&self, from: &Path, key: &str) -> Stored<()> {
        let path = self.path(key)?;
        if path.is_dir() {
            return Err(StoreError::new(
                Fault::Refused,
                "there is a folder where the object should be",
            )
            .at(path.display().to_string()));
        }
        fs::rename(from, &path).map_err(|source| {
            self.failed("a file of the store cannot be put in its place", &path, source)
        })
    }

    fn part_path(&self, upload: &Upload, number: u32) -> Stored<PathBuf> {
        let path = self.path(&upload.key)?;
        Ok(path.with_file_name(part_name(&upload.id, number)))
    }

    fn no_folder(&self) -> StoreError {
        StoreError::new(Fault::NotFound, "the folder of the store does not exist")
            .at(self.name.clone())
            .advise("make it, mount it, or let it be made with store_create = true")
    }

    /// The words for a failure of the file system.
    fn failed(&self, what: &str, path: &Path, source: io::Error) -> StoreError {
        use io::ErrorKind;
        let place = path.display().to_string();
        let (fault, status, advice) = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (Fault::Local, Status::Disk, "make room on the disk of the store")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
                Fault::Refused,
                Status::StoreRefused,
                "give the user who runs notify_pr the right to write into the folder of the store",
            ),
            ErrorKind::NotFound => {
                (Fault::NotFound, Status::StoreRefused, "see that the folder of the store is there")
            }
            _ => (
                Fault::Local,
                Status::Disk,
                "see what the file system says of the folder of the store",
            ),
        };
        let what = if status == Status::Disk
            && fault == Fault::Local
            && matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        {
            "the disk of the store is full"
        } else {
            what
        };
        let error = Error::new(status, what).at(place).advise(advice).because(source);
        StoreError { fault, error }
    }
}

impl Store for Directory {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> Limits {
        Limits {
            key_bytes: 1024,
            component_bytes: 255,
            put_bytes: u64::MAX,
            part_bytes: (1, u64::MAX),
            parts: 10_000,
            parts_from: u64::MAX,
            checksum: Checksum::Sha256,
        }
    }

    fn keeps_encoding(&self) -> bool {
        false
    }

    fn prepare(&self) -> Stored<()> {
        match fs::metadata(&self.root) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(StoreError::new(Fault::Refused, "store_endpoint is a file, not a folder")
                .at(self.name.clone())
                .advise("give the folder that the web server publishes")),
            Err(source) if absent(&source) && self.create => {
                folder_builder().create(&self.root).map_err(|source| {
                    self.failed("the folder of the store cannot be made", &self.root, source)
                })
            }
            Err(source) if absent(&source) => Err(self.no_folder()),
            Err(source) => {
                Err(self.failed("the folder of the store cannot be opened", &self.root, source))
            }
        }
    }

    fn put(&self, key: &str, body: &Body, _meta: &Meta, sent: &Sent<'_>) -> Stored<()> {
        let (temporary, mut file) = self.open_temporary(key, &random_name())?;
        let stored = self.copy(body, 0..body.len(), &mut file, &temporary, sent).and_then(|hash| {
            drop(file);
            if body.sha256().is_some_and(|prepared| prepared != hash) {
                return Err(changed("the file changed while it was sent"));
            }
            self.rename(&temporary, key)
        });
        if stored.is_err() {
            // What is left behind is only a temporary file, and the failure itself says more.
            let _ = fs::remove_file(&temporary);
        }
        stored
    }

    fn begin(&self, key: &str, meta: &Meta) -> Stored<Upload> {
        self.path_to_write(key)?;
        Ok(Upload { key: key.to_owned(), id: random_name(), meta: meta.clone() })
    }

    fn put_part(
        &self,
        upload: &Upload,
        number: u32,
        body: &Body,
        range: Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part> {
        let path = self.part_path(upload, number)?;
        let size = range.end.saturating_sub(range.start);
        // A part may be sent again.
        let _ = fs::remove_file(&path);
        let mut file = new_file()
            .open(&path)
            .map_err(|source| self.failed("a file cannot be made in the store", &path, source))?;
        let copied = self.copy(body, range, &mut file, &path, sent);
        if copied.is_err() {
            let _ = fs::remove_file(&path);
        }
        Ok(Part { number, etag: hex(&copied?), size })
    }

    fn finish(&self, upload: &Upload, parts: &[Part]) -> Stored<()> {
        let (temporary, mut whole) = self.open_temporary(&upload.key, &upload.id)?;
        let joined = parts.iter().try_for_each(|part| {
            let path = self.part_path(upload, part.number)?;
            let copied =
                File::open(&path).and_then(|mut file| io::copy(&mut file, &mut whole)).map_err(
                    |source| self.failed("the parts of a file cannot be joined", &path, source),
                )?;
            if copied != part.size {
                return Err(changed("a part of the file has another size than when it was stored"));
            }
            Ok(())
        });
        drop(whole);
        let finished = joined.and_then(|()| self.rename(&temporary, &upload.key));
        if finished.is_err() {
            let _ = fs::remove_file(&temporary);
            return finished;
        }
        self.abort(upload)
    }

    fn abort(&self, upload: &Upload) -> Stored<()> {
        let path = self.path(&upload.key)?;
        let Some(folder) = path.parent() else { return Ok(()) };
        let begins = format!("{TEMPORARY}{}-", upload.id);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&begins) {
                let _ = fs::remove_file(entry.path());
            }
        }
        remove_empty(folder, &self.root);
        Ok(())
    }

    fn get(&self, key: &str, limit: u64) -> Stored<Vec<u8>> {
        let path = self.path(key)?;
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
            Ok(_) => Ok(bytes),
            Err(source) if absent(&source) || path.is_dir() => {
                Err(StoreError::new(Fault::NotFound, "there is no such object in the store")
                    .at(key))
            }
            Err(source) => Err(self.failed("an object cannot be read", &path, source)),
        }
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Stored<Listing> {
        self.list_below(prefix, after)
    }

    fn delete(&self, key: &str) -> Stored<()> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(source) if absent(&source) || path.is_dir() => return Ok(()),
            Err(source) => return Err(self.failed("an object cannot be removed", &path, source)),
        }
        if let Some(folder) = path.parent() {
            remove_empty(folder, &self.root);
        }
        Ok(())
    }

    fn ways(&self) -> Vec<Access> {
        vec![Access::Public]
    }

    fn link(&self, key: &str, access: Access, _until: OffsetDateTime) -> Result<String, Error> {
        match access {
            Access::Public => Ok(format!("{}/{}", self.public_url, encode_key(key))),
            Access::Signed => Err(Error::new(Status::Internal, "a folder has no signed links")),
        }
    }

    fn how_to_publish(&self) -> String {
        format!(
            "let the web server of {} publish the folder {} to everybody, or correct \
             store_public_url",
            self.public_url, self.name
        )
    }

    fn sweep(&self, now: OffsetDateTime, goes_on: &dyn Fn() -> bool) -> Stored<u64> {
        let swept = sweep::sweep(&self.root, &self.own, now, goes_on).map_err(|source| {
            self.failed("runs past their day cannot be removed", &self.root, source)
        });
        let (removed, strange) = swept?;
        strange.name(&self.name).map(|()| removed)
    }
}

/// Removes a folder and its parents below the root as long as they are empty.
fn remove_empty(folder: &Path, root: &Path) {
    let mut folder = folder;
    while folder != root && folder.starts_with(root) && fs::remove_dir(folder).is_ok() {
        let Some(parent) = folder.parent() else { return };
        folder = parent;
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn link_in_the_way(path: &Path) -> StoreError {
    StoreError::new(Fault::Refused, "a symbolic link is in the way, and the store follows none")
        .at(path.display().to_string())
        .advise("remove the link, or give the folder that it leads to as store_endpoint")
}

fn random_name() -> String {
    format!("{:016x}", fastrand::u64(..))
}

fn part_name(id: &str, number: u32) -> String {
    format!("{TEMPORARY}{id}-{number}{TEMPORARY_END}")
}

fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options
}

fn folder_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder
}

#[cfg(test)]
mod tests;
