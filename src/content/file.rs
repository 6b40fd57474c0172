//! Files as they are opened to be read: regular ones only.

#[cfg(unix)]
mod way;

use std::fs::{File, ReadDir};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Opens a file and takes its length. What is not a regular file is refused without ever waiting
/// for it: a pipe would hang and a device could act on being opened. A symbolic link in the last
/// place is not followed.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(not_regular());
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY,
    );
    regular(path, options.open(path))
}

/// The same for a file of the plan: links were resolved, and judged, when that was made. The file
/// and the folders above it may have been replaced since, by somebody who may write there but not
/// read what we may, so a link is followed nowhere on the way.
pub(crate) fn open_planned(path: &Path) -> io::Result<(File, u64)> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        regular(path, way::open(path, flags))
    }
    #[cfg(not(unix))]
    regular(path, File::open(path))
}

/// What is in a folder whose path had no links in it. One that took its place is not followed.
pub(crate) fn read_planned_folder(path: &Path) -> io::Result<ReadDir> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let folder = way::open(path, rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY)?;
        match std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd())) {
            // There is no /proc.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
    }
    std::fs::read_dir(path)
}

fn regular(path: &Path, opened: io::Result<File>) -> io::Result<(File, u64)> {
    let file = opened.map_err(|error| {
        // A link is refused with the system's words for a loop, which would puzzle its reader.
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => not_regular(),
            _ if is_loop(&error) => io::Error::new(
                io::ErrorKind::InvalidInput,
                "a link took the place of a folder in which it was",
            ),
            _ => error,
        }
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    Ok((file, metadata.len()))
}

#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
fn is_loop(_: &io::Error) -> bool {
    false
}

/// Which file of which disk it is, where the system tells.
pub(super) type Id = Option<(u64, u64)>;

/// A file that was rotated away has left its name to another one.
pub(super) fn id_of(file: &File) -> io::Result<Id> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata()?;
        Ok(Some((found.dev(), found.ino())))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(None)
    }
}

pub(super) fn replaced() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "another file took its place while it was read")
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

pub(super) fn became_shorter() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read")
}

pub(super) fn shorter(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { became_shorter() } else { error }
}

/// A file that was written to less than this ago may be written to again without showing it: its
/// times are only as fine as the ticks of a clock.
const SETTLED: Duration = Duration::from_secs(2);

/// Which file it is and when it was last written to: as long as both are the same, so are its bytes.
/// Only what is written through a memory map may show later; then its hash does not fit, and the
/// store refuses it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    id: (u64, u64),
    len: u64,
    modified: SystemTime,
    changed: SystemTime,
}

impl Stamp {
    /// The stamp of a file that was left alone for a while, where the times that the system tells
    /// are those of now: not on a disk of another machine.
    pub(super) fn of_settled(file: &File) -> io::Result<Option<Stamp>> {
        let now = SystemTime::now();
        let is_past = |time: SystemTime| now.duration_since(time).is_ok_and(|ago| ago >= SETTLED);
        let stamp = Stamp::of(file)?.filter(|_| is_on_own_disk(file));
        Ok(stamp.filter(|stamp| is_past(stamp.modified) && is_past(stamp.changed)))
    }

    /// Whether a file has this stamp.
    pub(super) fn is_still_of(&self, file: &File) -> bool {
        Stamp::of(file).is_ok_and(|stamp| stamp == Some(*self))
    }

    #[cfg(target_os = "linux")]
    fn of(file: &File) -> io::Result<Option<Stamp>> {
        use std::os::linux::fs::MetadataExt;
        let found = file.metadata()?;
        let since = Duration::new(
            u64::try_from(found.st_ctime()).unwrap_or(0),
            u32::try_from(found.st_ctime_nsec()).unwrap_or(0),
        );
        Ok(Some(Stamp {
            id: (found.st_dev(), found.st_ino()),
            len: found.len(),
            modified: found.modified()?,
            changed: SystemTime::UNIX_EPOCH + since,
        }))
    }

    #[cfg(not(target_os = "linux"))]
    fn of(_file: &File) -> io::Result<Option<Stamp>> {
        Ok(None)
    }
}

/// Whether a file lies in one of the usual file systems of this machine itself, by its number in
/// Linux's `magic.h`. Others may remember a file's times for a while, or have none.
#[cfg(target_os = "linux")]
fn is_on_own_disk(file: &File) -> bool {
    const EXT: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;
    const BTRFS: u64 = 0x9123_683e;
    const TMPFS: u64 = 0x0102_1994;
    const OVERLAYFS: u64 = 0x794c_7630;
    const F2FS: u64 = 0xf2f5_2010;
    let known = [EXT, XFS, BTRFS, TMPFS, OVERLAYFS, F2FS];
    rustix::fs::fstatfs(file).is_ok_and(|found| known.contains(&(found.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn is_on_own_disk(_file: &File) -> bool {
    false
}
