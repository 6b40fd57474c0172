//! `part.json`: what a part says of itself.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{BEGUN, RECORD, private_file};
use crate::content::open_regular;
use crate::plan::LeftOut;
use crate::report::Begun;
use crate::settings::Run;
use crate::submission::Clock;

/// The largest record, in bytes.
pub(super) const MOST: u64 = 8 << 20;

/// The version of the record's shape.
pub(super) const VERSION: u32 = 1;

/// What is in `part.json`. What is missing in it has its empty value, what is unknown is ignored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) notify_pr_part: u32,
    pub(super) part: String,
    pub(super) finished: bool,
    /// As in the setting; empty if nobody said anything.
    pub(super) verdict: String,
    pub(super) counts: String,
    pub(super) details: Vec<(String, String)>,
    pub(super) summary_missing: Option<String>,
    /// RFC 3339.
    pub(super) started: String,
    pub(super) ended: Option<String>,
    pub(super) pid: u32,
    /// What the process knew of its run; it is only compared.
    pub(super) run: Run,
    pub(super) files: Vec<Entry>,
    pub(super) missing: Vec<Reason>,
    pub(super) left_out: Vec<Reason>,
}

/// The record as far as every version has it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape {
    notify_pr_part: u32,
}

/// A file of the part.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    /// The name as it is shown, with `/` between folders.
    pub(super) name: String,
    /// The name in the part's folder: `f1`.
    pub(super) file: String,
}

/// Something that did not come along.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    pub(super) name: String,
    pub(super) reason: String,
}

impl From<&LeftOut> for Reason {
    fn from(left_out: &LeftOut) -> Reason {
        Reason { name: left_out.name.clone(), reason: left_out.reason.clone() }
    }
}

/// Why there is no record.
#[derive(Debug)]
pub(super) enum Unread {
    /// A later version wrote it in a shape of its own.
    Later(u32),
    /// It is not there, or is no record.
    Broken(io::Error),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Later(_) => f.write_str("a later version of notify_pr wrote it"),
            Unread::Broken(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        Unread::Broken(error)
    }
}

impl Record {
    /// Writes the record into a part's folder, in the place of an earlier one.
    pub(super) fn write(mut self, folder: &Path) -> io::Result<()> {
        self.notify_pr_part = VERSION;
        let json = serde_json::to_vec_pretty(&self)?;
        let unfinished = folder.join("part.new");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_file(&unfinished)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&unfinished, folder.join(RECORD))
    }

    /// Reads the record of at most `most` bytes, and says how many it has. A link is not followed,
    /// and nothing but a regular file is read.
    pub(super) fn read(folder: &Path, most: u64) -> Result<(Record, u64), Unread> {
        let (file, len) = open_regular(&folder.join(RECORD))?;
        let wrong = |what: &str| Unread::from(io::Error::new(io::ErrorKind::InvalidData, what));
        if len > most {
            return Err(wrong("it is too large"));
        }
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        let Shape { notify_pr_part: version } =
            serde_json::from_slice(&bytes).map_err(io::Error::from)?;
        match version {
            VERSION => {
                let record = serde_json::from_slice(&bytes).map_err(io::Error::from)?;
                Ok((record, bytes.len() as u64))
            }
            later if later > VERSION => Err(Unread::Later(later)),
            _ => Err(wrong("it does not say that notify_pr wrote it")),
        }
    }
}

/// A part that another process began, as far as the spool tells of it: a submission may have taken
/// it in the meantime.
pub(super) fn begun(id: &str, spool: Option<&Path>) -> Begun {
    let folder = spool.map(|spool| spool.join(format!("{id}{BEGUN}")));
    let record =
        folder.and_then(|folder| Record::read(&folder, MOST).ok()).map(|(record, _)| record);
    let at = record.as_ref().and_then(|it| OffsetDateTime::parse(&it.started, &Rfc3339).ok());
    Begun {
        id: id.to_owned(),
        at: at.unwrap_or_else(|| Clock::real().now()),
        name: record.map(|record| record.part).filter(|name| !name.contains(char::is_control)),
    }
}
