//! Small files that a user names, which may be pipes: a summary, a token, a template.
//!
//! A pipe may never give anything, and whoever waits for it must still hear that the caller wants
//! to stop. So files are opened and read without blocking.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// How long a reader rests before it asks a silent pipe again.
const REST: Duration = Duration::from_millis(50);
/// How long a pipe may be silent where nobody can cancel the wait.
const SILENCE: Duration = Duration::from_secs(30);

/// The first `limit` bytes of a file. `rest` is asked to wait whenever a pipe has nothing to give;
/// its error ends the reading.
///
/// # Errors
/// What the operating system says, or what `rest` says.
pub(crate) fn read(
    path: &Path,
    limit: u64,
    rest: &mut dyn FnMut(Duration) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let mut file = open(path)?.take(limit);
    let mut bytes = Vec::new();
    loop {
        match file.read_to_end(&mut bytes) {
            Ok(_) => return Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => rest(REST)?,
            Err(error) => return Err(error),
        }
    }
}

/// The same where nobody cancels: a pipe that is silent for half a minute is an error.
///
/// # Errors
/// What the operating system says, and `TimedOut`.
pub(crate) fn read_patiently(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut silent = Duration::ZERO;
    read(path, limit, &mut |rest| {
        silent += rest;
        if silent > SILENCE {
            let what = format!("nothing came for {} seconds", SILENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        std::thread::sleep(rest);
        Ok(())
    })
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_that_gives_nothing_can_be_left() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Somebody holds it open for writing and says nothing.
        let holder = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let mut rests = 0;
        let read = read(&pipe, 100, &mut |_| {
            rests += 1;
            if rests > 3 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
        });
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Interrupted);
        drop(holder);
    }

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_patiently(&path, 4).unwrap(), b"0123");
        assert!(read_patiently(folder.path(), 4).is_err());
    }
}

/// Reads from a place of a file, whatever its position is; several threads may do it at once.
pub(crate) fn look_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_at(file, buffer, at);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_read(file, buffer, at);
}
