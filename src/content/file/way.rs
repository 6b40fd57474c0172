//! Paths that are gone along without following a symbolic link anywhere.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// Opens a path in which every component is a folder, or at last a file, itself.
pub(super) fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;
        match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            // Before Linux 5.6, or in a container whose rules are older.
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return Ok(File::from(opened?)),
        }
    }
    step_by_step(path, flags)
}

fn step_by_step(path: &Path, flags: OFlags) -> io::Result<File> {
    let way = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | SEARCH;
    let mut components = path.components().peekable();
    let start = match components.next_if_eq(&Component::RootDir) {
        Some(_) => "/",
        None => ".",
    };
    let mut at = openat(CWD, start, way, Mode::empty())?;
    while let Some(component) = components.next() {
        let flags = if components.peek().is_none() { flags } else { way };
        at = openat(&at, component.as_os_str(), flags, Mode::empty())?;
    }
    Ok(File::from(at))
}

/// A folder on the way need not be readable.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_followed_nowhere_on_the_way_with_any_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "words").unwrap();
        symlink("a", root.join("folder-link")).unwrap();
        symlink("file", root.join("a/b/file-link")).unwrap();
        for open in [open, step_by_step] {
            let opened = |path: &str| open(&root.join(path), OFlags::RDONLY | OFlags::NOFOLLOW);
            let mut text = String::new();
            opened("a/b/file").unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "words");
            assert!(opened("a/b/file-link").is_err());
            assert!(opened("folder-link/b/file").is_err());
            assert!(opened("a/none").is_err());
        }
        let entries = |path: &str| super::super::read_planned_folder(&root.join(path));
        assert_eq!(entries("a").unwrap().count(), 1);
        #[cfg(target_os = "linux")]
        assert!(entries("folder-link").is_err() && entries("folder-link/b").is_err());
        assert!(open(Path::new("Cargo.toml"), OFlags::RDONLY).is_ok(), "relative paths too");
        assert!(step_by_step(Path::new("src/../Cargo.toml"), OFlags::RDONLY).is_ok());
    }
}
