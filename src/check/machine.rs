//! This machine: its clock, its proxies, its disks.

use std::path::{Path, PathBuf};

use super::github::Known;
use super::store::compare;
use super::{Findings, Level};
use crate::status::Status;
use crate::submission::Submission;

/// With less room than this a report could not even be kept.
const NEEDED: u64 = 16 << 20;
/// With less room than this large files may not fit while they are compressed.
const COMFORTABLE: u64 = 512 << 20;

/// What a report can do without.
const TEMPORARY: &str = "temporary files";
/// What comes of it.
const UNCOMPRESSED: &str = "large text may be stored uncompressed";

pub(super) fn look(submission: &Submission, known: &Known, findings: &mut Findings) {
    if let Some((theirs, ours)) = known.time {
        compare(findings, "GitHub", theirs, ours);
    }
    let settings = &submission.settings;
    let proxies: Vec<String> = ["http_proxy", "https_proxy", "no_proxy"]
        .into_iter()
        .filter(|name| settings.text(name).is_some())
        .map(|name| format!("{name} = {}", settings.shown(name)))
        .collect();
    match proxies.is_empty() {
        true => findings.ok("proxy", "none"),
        false => findings.ok("proxy", proxies.join(", ")),
    }
    let outbox = settings.path("outbox_dir");
    let spool = settings.path("spool_dir");
    // Only what is compressed is put there.
    let compresses = settings.text("store_compress") != Some("off");
    let temporary = compresses.then(std::env::temp_dir);
    let temporary = temporary.filter(|folder| temporary_folder(folder, findings));
    for (folder, what, advice) in [
        (spool, "the spool", "make room, or set spool_dir to a folder on another disk"),
        (outbox, "the outbox", "make room, or set outbox_dir to a folder on another disk"),
        (temporary, TEMPORARY, "make room, or set TMPDIR to a folder on another disk"),
    ] {
        if let Some(folder) = folder {
            disk(&folder, what, advice, findings);
        }
    }
}

/// Whether the folder for temporary files is there: the others are made where they are not.
fn temporary_folder(folder: &Path, findings: &mut Findings) -> bool {
    let is_there = folder.is_dir();
    if !is_there {
        findings.warn(
            "disk",
            format!("{}, for {TEMPORARY}, is no folder: {UNCOMPRESSED}", folder.display()),
            "make it, or set TMPDIR to a folder that is there",
        );
    }
    is_there
}

fn disk(folder: &Path, what: &str, advice: &str, findings: &mut Findings) {
    let Some(there) = existing(folder) else { return };
    let place = there.display();
    let Some((free, writable)) = room(&there) else { return };
    let (level, text) = judged(&format!("{place}, for {what},"), free, writable);
    match level {
        // An upload works without them.
        Level::Fail if what == TEMPORARY => {
            findings.warn("disk", format!("{text}: {UNCOMPRESSED}"), advice);
        }
        Level::Ok => findings.ok("disk", text),
        Level::Warn => findings.warn("disk", text, advice),
        Level::Fail => findings.fail("disk", Status::Disk, text, advice),
    }
}

fn judged(place: &str, free: u64, writable: bool) -> (Level, String) {
    let left = || format!("{place} has {} MB left", free >> 20);
    match free {
        _ if !writable => (Level::Fail, format!("{place} cannot be written")),
        ..NEEDED => (Level::Fail, left()),
        NEEDED..COMFORTABLE => (Level::Warn, left()),
        _ => (Level::Ok, left()),
    }
}

/// The folder, or the first one above it that exists.
fn existing(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// How many bytes are free for us in a folder, and whether we may write there.
#[cfg(unix)]
fn room(folder: &Path) -> Option<(u64, bool)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    Some((disk.f_bavail.saturating_mul(disk.f_frsize), writable))
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Option<(u64, bool)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_for_temporary_files_that_is_not_there_is_told() {
        let said = std::sync::Arc::default();
        let mut findings = Findings { all: Vec::new(), worst: Status::Ok, said };
        assert!(temporary_folder(&std::env::temp_dir(), &mut findings));
        assert_eq!(findings.worst, Status::Ok);
        for folder in [Path::new("/nowhere/at all"), Path::new(file!())] {
            assert!(!temporary_folder(folder, &mut findings));
        }
        assert_eq!((findings.worst, findings.all.len()), (Status::Ok, 2), "uploads work");
        for (finding, words) in findings.all.iter().zip(["/nowhere/at all", file!()]) {
            assert_eq!(finding.level, Level::Warn);
            assert!(finding.text.contains(words), "{finding:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_a_warning_where_a_report_can_do_without() {
        let said = std::sync::Arc::default();
        let mut findings = Findings { all: Vec::new(), worst: Status::Ok, said };
        // There is never room.
        disk(Path::new("/proc"), TEMPORARY, "", &mut findings);
        assert_eq!((findings.worst, findings.all[0].level), (Status::Ok, Level::Warn));
        disk(Path::new("/proc"), "the outbox", "", &mut findings);
        assert_eq!((findings.worst, findings.all[1].level), (Status::Disk, Level::Fail));
    }

    #[test]
    fn a_disk_that_is_nearly_full_or_cannot_be_written_is_told() {
        for (free, writable, level, words) in [
            (0, true, Level::Fail, "0 MB left"),
            (NEEDED - 1, true, Level::Fail, "15 MB left"),
            (NEEDED, true, Level::Warn, "16 MB left"),
            (COMFORTABLE, true, Level::Ok, "512 MB left"),
            (COMFORTABLE, false, Level::Fail, "cannot be written"),
        ] {
            let (found, text) = judged("/srv, for the spool,", free, writable);
            assert_eq!(found, level, "{free}");
            assert!(text.starts_with("/srv, for the spool,") && text.contains(words), "{text}");
        }
    }
}
