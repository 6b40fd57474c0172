//! Takes parts out of the spool for one submission, and brings them back if it fails.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::gather::id;
use super::strangers::turn_away;
use super::{BEGUN, DONE, LOCK, TAKEN, is_folder, is_id, private_folder, unwritable};
use crate::error::{Error, Result};
use crate::settings::Run;
use crate::status::Status;

/// The most parts that are taken at once; the others wait for the next submission.
const MOST: usize = 5_000;

/// Parts that belong to one submission until it ends.
#[derive(Debug)]
pub(crate) struct Taken {
    spool: PathBuf,
    /// Where the parts are now; none if they were only looked at.
    folder: Option<PathBuf>,
    /// The folders of the parts, in the order of their ids.
    parts: Vec<PathBuf>,
    /// What is to be said of the parts that were left where they are.
    left: Vec<String>,
    /// Ends with this value.
    _lock: Option<Lock>,
}

impl Taken {
    /// Takes all parts that are there and not of another run. No other submission can take parts
    /// until this one ends; parts that are set aside meanwhile stay for a later one. What a
    /// submission that died has taken is taken again.
    ///
    /// # Errors
    /// `Misuse` if another submission is at work there, `BadFile` if there is no part, `Disk` if
    /// the folder cannot be written.
    pub(crate) fn take(spool: &Path, submission: &str, run: &Run) -> Result<Taken> {
        let broken = |source| unwritable(spool, source);
        let lock = Lock::take(&spool.join(LOCK)).map_err(broken)?.ok_or_else(|| {
            Error::new(Status::Misuse, "another submission of these parts is under way")
                .at(spool.display().to_string())
                .advise("submit a spool once, when all parts of the run have ended")
        })?;
        recover(spool).map_err(broken)?;
        let (names, left) = names_of(spool, run, broken)?;
        // Nobody but us can rename anything in it, unlike in the spool itself.
        let folder = spool.join(format!("{TAKEN}{submission}"));
        private_folder(&folder, false).map_err(broken)?;
        let mut taken = Taken {
            spool: spool.to_owned(),
            folder: Some(folder.clone()),
            parts: Vec::new(),
            left,
            _lock: Some(lock),
        };
        for name in names {
            let target = folder.join(&name);
            match fs::rename(spool.join(&name), &target) {
                Ok(()) if is_folder(&target) => taken.parts.push(target),
                // It was finished under its other name a moment ago, or swapped for something.
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let _ = taken.give_back();
                    return Err(unwritable(spool, error));
                }
            }
        }
        Ok(taken)
    }

    /// Looks at the parts that are there, and leaves everything as it is.
    ///
    /// # Errors
    /// `BadFile` if there is no part.
    pub(crate) fn look(spool: &Path, run: &Run) -> Result<Taken> {
        let broken = |source| nothing(spool).because(source);
        let (names, left) = names_of(spool, run, broken)?;
        let parts = names.iter().map(|name| spool.join(name)).collect();
        Ok(Taken { spool: spool.to_owned(), folder: None, parts, left, _lock: None })
    }

    /// What is to be said of the parts that were left where they are.
    pub(crate) fn left(&self) -> &[String] {
        &self.left
    }

    /// The folders of the parts. One that began is left out where it also came to its end.
    pub(crate) fn parts(&self) -> Vec<&Path> {
        let ended = |path: &Path| {
            let name = path.file_name()?.to_str()?.strip_suffix(BEGUN)?;
            Some(self.parts.contains(&path.with_file_name(name)))
        };
        self.parts
            .iter()
            .map(PathBuf::as_path)
            .filter(|path| !ended(path).unwrap_or(false))
            .collect()
    }

    /// The ids of the parts.
    pub(crate) fn ids(&self) -> HashSet<String> {
        self.parts.iter().map(|folder| id(folder)).collect()
    }

    /// Removes the parts if they were delivered, else brings them back.
    pub(crate) fn end(self, delivered: bool) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if !delivered {
            return self.give_back();
        }
        // With this name they are never taken again, even if we die while they are removed.
        let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let done = self.spool.join(format!("{DONE}{}", id.trim_start_matches(TAKEN)));
        fs::rename(folder, &done).and_then(|()| fs::remove_dir_all(&done)).map_err(|source| {
            Error::new(Status::Disk, "the parts were submitted, but cannot be removed")
                .at(done.display().to_string())
                .advise("remove the folder")
                .because(source)
        })
    }

    fn give_back(&self) -> Result<()> {
        match &self.folder {
            Some(folder) => {
                bring_back(folder, &self.spool).map_err(|source| unwritable(&self.spool, source))
            }
            None => Ok(()),
        }
    }
}

fn nothing(spool: &Path) -> Error {
    Error::new(Status::BadFile, "there is no part to submit")
        .at(spool.display().to_string())
        .advise("set parts aside first, with submit = collect and this folder as spool_dir")
}

/// The names of the parts of a run, and what is to be said of others.
fn names_of(
    spool: &Path,
    run: &Run,
    broken: impl Fn(io::Error) -> Error,
) -> Result<(Vec<String>, Vec<String>)> {
    let mut names = names(spool).map_err(broken)?;
    let strangers = turn_away(spool, &mut names, run);
    let waiting = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    match (strangers.warnings(spool, run), names.is_empty()) {
        (left, true) => Err(left.into_iter().next().map_or_else(
            || nothing(spool),
            |left| {
                let what = format!("there is no part to submit: {}", left.what);
                Error::new(Status::BadFile, what).advise(left.advice)
            },
        )),
        (left, false) => {
            let left = left.into_iter().map(|left| format!("{}: {}", left.what, left.advice));
            let (noun, verb) = if waiting == 1 { ("part", "waits") } else { ("parts", "wait") };
            let place = spool.display();
            let waits = (waiting > 0).then(|| {
                format!("{waiting} more {noun} {verb} in {place}: submit it again to add them")
            });
            Ok((names, left.chain(waits).collect()))
        }
    }
}

/// The names of the parts in a spool, ordered; the folders of parts that are complete come first.
fn names(spool: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_part = is_id(name.strip_suffix(BEGUN).unwrap_or(&name));
        if is_part && entry.file_type()?.is_dir() {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name.ends_with(BEGUN), name.clone()));
    Ok(names)
}

/// Brings back what a submission left that died, and removes what was done with. Only the holder
/// of the lock may do so.
fn recover(spool: &Path) -> io::Result<()> {
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if !is_folder(&path) {
            continue;
        }
        // A folder that somebody else put there, with rights that forbid it, stops nothing.
        if name.starts_with(TAKEN) {
            let _ = bring_back(&path, spool);
        } else if name.starts_with(DONE) {
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

fn bring_back(taken: &Path, spool: &Path) -> io::Result<()> {
    for entry in fs::read_dir(taken)? {
        let entry = entry?;
        let target = spool.join(entry.file_name());
        // A part of this name cannot be there unless somebody made it by hand.
        if fs::symlink_metadata(&target).is_err() {
            fs::rename(entry.path(), &target)?;
        }
    }
    // What could not be brought back stays where it is.
    match fs::remove_dir(taken) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(()),
    }
}

/// A lock that the operating system takes away when the process dies.
#[derive(Debug)]
struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or `None` if somebody else holds it.
    #[cfg(unix)]
    fn take(path: &Path) -> io::Result<Option<Lock>> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn take(path: &Path) -> io::Result<Option<Lock>> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
        match options.open(path) {
            Ok(file) => Ok(Some(Lock { _file: file })),
            // ERROR_SHARING_VIOLATION
            Err(error) if error.raw_os_error() == Some(32) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
