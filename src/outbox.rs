//! What waits for another try: the reports for which no comment could be made.
//!
//! A report is a folder of its own: `comment.md` is the text as it was composed, `receipt.json`
//! the receipt, `cause.txt` the reason. The outbox and everything in it is readable by its owner
//! only, because a private repository's results may be in it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::receipt::Receipt;
use crate::status::Status;
use crate::submission::Submission;

/// Keeps a report and returns its folder.
///
/// The folder gets its name only when everything is in it, so a half-written report is never
/// taken for a whole one.
pub fn keep(
    submission: &Submission,
    text: &str,
    receipt: &Receipt,
    cause: &Error,
) -> Result<PathBuf> {
    let outbox = submission.settings.path("outbox_dir").ok_or_else(|| {
        Error::new(Status::Disk, "there is no folder to keep the report in")
            .advise("set outbox_dir to a folder that can be written")
    })?;
    let stamp = receipt.started.replace([':', '-'], "");
    let folder = outbox.join(format!("{stamp}-{}", submission.id));
    let write = || -> io::Result<()> {
        private_folder(&outbox)?;
        let unfinished = outbox.join(format!(".{}", submission.id));
        private_folder(&unfinished)?;
        private_file(&unfinished.join("comment.md"), text)?;
        private_file(&unfinished.join("cause.txt"), &format!("{cause}\n"))?;
        let mut kept = receipt.clone();
        kept.outbox = Some(folder.display().to_string());
        private_file(&unfinished.join("receipt.json"), &format!("{}\n", kept.to_json()))?;
        fs::rename(&unfinished, &folder)
    };
    write().map_err(|source| {
        Error::new(Status::Disk, "the report could not be kept")
            .at(outbox.display().to_string())
            .advise("set outbox_dir to a folder that can be written")
            .because(source)
    })?;
    Ok(folder)
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn private_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
