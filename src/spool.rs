//! `submit = collect`: reports that are set aside without network or credentials, and submitted
//! later, all together, as one report.
//!
//! One CI run is many processes, and they run code of the pull request's author. Each sets aside a
//! part in `spool_dir`; whoever holds the credentials takes all parts afterwards.
//!
//! | in the spool | what it is |
//! |---|---|
//! | `<id>.begun/` | a part that has begun: its name, and hard links to the files it has named so far |
//! | `<id>.begun/new/` | the whole part while it is being written |
//! | `<id>/` | a part that is complete; its name comes last, so it is there as a whole or not at all |
//! | `.taken-<submission>/` | parts that are being submitted; they come back if that fails |
//! | `.done-<submission>/` | parts that were submitted and are being removed |
//! | `.reported-<submission>.json` | what was submitted, in a line each, for parts that come late |
//! | `.lock` | held by the one submission that may take parts |
//!
//! A part is a flat folder: `part.json` says what the part is called, how it ended and what its
//! files are called; `summary.md` is its summary; the files are `f1`, `f2` and so on. Which run it is
//! of is noted too, and only compared. There are no settings in it, so no secret and nothing that
//! could lead a later submission elsewhere.
//!
//! Files are copied, because the next test run may write over them; where the file system can share
//! blocks, the copy does. Files over 16 MiB are hard links where they can be (same file system,
//! same owner): what is written to them afterwards still shows. If the settings hold secrets,
//! every file is copied and the secrets in it are masked.
//!
//! The tested code could write to the spool, so nothing in it is believed: `spool/gather.rs` says
//! what is taken and what is not.

mod collect;
mod gather;
mod record;
mod reported;
mod strangers;
mod take;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use collect::{Draft, set_aside};
pub(crate) use gather::{Gathered, gather, place};
pub(crate) use reported::Reported;
pub(crate) use take::Taken;

use crate::error::{Error, Result};
use crate::events::Events;
use crate::plan;
use crate::report::{Begun, Report};
use crate::settings::Origin;
use crate::status::Status;
use crate::submission::{Cancel, Clock, Submission, random_id};

const BEGUN: &str = ".begun";
const NEW: &str = "new";
const TAKEN: &str = ".taken-";
const DONE: &str = ".done-";
const LOCK: &str = ".lock";
const RECORD: &str = "part.json";
const SUMMARY: &str = "summary.md";

impl Report {
    /// Says that this part of the run begins, where `submit = collect`: if the process is killed
    /// before [`Report::submit`], the later submission shows the part as one that did not finish,
    /// with the files that are attached by now. It may be called again when more is attached. With
    /// `submit = now`, and in a dry run, it does nothing.
    ///
    /// The setting `begun` has the id of the part then. A report of another process ends the part if
    /// it has the same value; that is what `notify_pr begin` is for.
    ///
    /// # Errors
    /// `BadSetting` if `spool_dir` is not set, `Disk` if it cannot be written, `Misuse` if the part
    /// has ended.
    pub fn begin(&mut self) -> Result<()> {
        if !self.collects() || self.settings.flag("dry_run") {
            return Ok(());
        }
        let events = Arc::new(Events::new());
        let submission = Submission::new(self.settings.clone(), events, Cancel::new())?;
        let plan = plan::plan(&submission, &self.attachments)?;
        self.identify()?;
        let draft = Draft::new(self, &submission, &plan);
        collect::begin(&submission, &draft)?;
        self.settings.set("begun", draft.id(), Origin::Api)
    }

    /// Takes what was set aside in a folder along: [`Report::submit`] submits all of it as one
    /// report, even if `submit` is `collect`, and removes it when it was delivered. What is known to
    /// be of another commit or build stays there, with a warning. Parts that an earlier submission
    /// of the same run delivered keep their lines in the comment.
    ///
    /// # Errors
    /// `BadFile` if the folder cannot be read.
    pub fn load_spool(&mut self, folder: &Path) -> Result<()> {
        if let Err(source) = fs::read_dir(folder) {
            return Err(Error::new(Status::BadFile, "the spool cannot be read")
                .at(folder.display().to_string())
                .advise("name the folder that spool_dir named when the parts were set aside")
                .because(source));
        }
        self.spool = Some(folder.to_owned());
        Ok(())
    }

    /// Whether submitting means setting aside.
    pub(crate) fn collects(&self) -> bool {
        self.spool.is_none() && self.settings.choice("submit") == "collect"
    }

    /// Gives the part an id, unless it has one.
    pub(crate) fn identify(&mut self) -> Result<()> {
        if self.begun.is_none() {
            self.begun = Some(match self.settings.text("begun") {
                Some(id) => record::begun(id, self.settings.path("spool_dir").as_deref()),
                None => Begun { id: random_id()?, at: Clock::real().now(), name: None },
            });
        }
        Ok(())
    }
}

/// The folder of `spool_dir`, which is made if it is not there.
fn spool_dir(submission: &Submission) -> Result<PathBuf> {
    let dir = submission.settings.path("spool_dir").ok_or_else(|| {
        Error::new(Status::BadSetting, "spool_dir is not set, but submit is collect").advise(
            "name the folder that all parts of the run share, with spool_dir in the INI, \
             --spool-dir or NOTIFY_PR_SPOOL_DIR",
        )
    })?;
    private_folder(&dir, true).map_err(|source| unwritable(&dir, source))?;
    Ok(dir)
}

fn unwritable(dir: &Path, source: io::Error) -> Error {
    Error::new(Status::Disk, "the spool cannot be written")
        .at(dir.display().to_string())
        .advise("set spool_dir to a folder that can be written and has room")
        .because(source)
}

/// Makes a folder that is its owner's only. A folder that exists is as good only to `or_have`.
fn private_folder(path: &Path, or_have: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(or_have);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file that is its owner's only. If it exists, that is an error.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether a folder itself, not what a link leads to, is there.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether this is 32 hexadecimal digits, as ids are written.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
