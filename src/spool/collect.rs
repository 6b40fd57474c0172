//! Sets a part aside.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::record::{Entry, Reason, Record};
use super::{BEGUN, NEW, SUMMARY, is_folder, private_file, private_folder, spool_dir, unwritable};
use crate::content::{Source, media_type, open_planned};
use crate::error::{Error, Result};
use crate::plan::{Plan, Planned};
use crate::receipt::rfc3339;
use crate::redact::Kind;
use crate::report::{Attachment, Report};
use crate::settings::Run;
use crate::status::Status;
use crate::submission::Submission;

/// Larger files are linked where that is possible.
const COPIED_UP_TO: u64 = 16 << 20;

/// How much is copied before anybody looks for a cancel.
const CHUNK: u64 = 16 << 20;

/// What is to be set aside.
pub(crate) struct Draft<'d> {
    submission: &'d Submission,
    plan: &'d Plan,
    id: String,
    name: String,
    started: OffsetDateTime,
    run: Run,
    /// The summary, if there is one.
    pub(crate) summary: Option<&'d str>,
    /// Why there is none, if one was wanted.
    pub(crate) summary_missing: Option<&'d str>,
}

impl<'d> Draft<'d> {
    /// A draft without a summary.
    pub(crate) fn new(report: &Report, submission: &'d Submission, plan: &'d Plan) -> Draft<'d> {
        let begun = report.begun.as_ref();
        Draft {
            submission,
            plan,
            id: begun.map_or_else(|| submission.id.clone(), |begun| begun.id.clone()),
            name: submission.redactor.text(&name(report)).into_owned(),
            started: begun.map_or(submission.started, |begun| begun.at),
            run: submission.settings.run(),
            summary: None,
            summary_missing: None,
        }
    }

    /// The id of the part.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What the part is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn record(&self) -> Record {
        let settings = &self.submission.settings;
        let masked = |text: &str| self.submission.redactor.text(text).into_owned();
        let detail = |(name, value): &(String, String)| (masked(name), masked(value));
        Record {
            part: self.name.clone(),
            verdict: settings.verdict().unwrap_or_default().to_owned(),
            counts: settings.counts().map(|counts| counts.to_string()).unwrap_or_default(),
            details: settings.details().iter().map(detail).collect(),
            summary_missing: self.summary_missing.map(masked),
            started: rfc3339(self.started),
            pid: std::process::id(),
            run: self.run.clone().masked(masked),
            missing: self.plan.missing.iter().map(Reason::from).collect(),
            left_out: self.plan.warnings.iter().map(Reason::from).collect(),
            ..Record::default()
        }
    }
}

/// `part`, or the name that it began with, or that of what is attached first, or `part`.
fn name(report: &Report) -> String {
    let last = |path: &Path, is_file: bool| {
        let name = if is_file { path.file_stem() } else { path.file_name() };
        name.map(|name| name.to_string_lossy().into_owned())
    };
    if let Some(name) = report.settings.text("part") {
        return name.to_owned();
    }
    if let Some(name) = report.begun.as_ref().and_then(|begun| begun.name.clone()) {
        return name;
    }
    let first = report.attachments.iter().find_map(|attachment| match attachment {
        Attachment::Path(path) => last(path, path.is_file()),
        Attachment::Bytes { name, .. } | Attachment::File { name, .. } => {
            last(Path::new(name), true)
        }
    });
    first
        .or_else(|| last(&report.settings.path("full_detail_dir")?, false))
        .unwrap_or_else(|| "part".to_owned())
}

/// Writes down that the part has begun, with what it has named so far.
pub(super) fn begin(submission: &Submission, draft: &Draft<'_>) -> Result<()> {
    let spool = spool_dir(submission)?;
    let folder = spool.join(format!("{}{BEGUN}", draft.id));
    still_open(&spool.join(&draft.id))?;
    let broken = |source| unwritable(&spool, source);
    if !is_folder(&folder) {
        private_folder(&folder, false).map_err(broken)?;
        // Whoever is killed while its files are linked is seen all the same.
        draft.record().write(&folder).map_err(broken)?;
    }
    let mut record = draft.record();
    // What an earlier call has linked may have been replaced since, by files of the same names: all
    // is linked anew, and the earlier record holds until the new one is there.
    let earlier = numbers(&folder).map_err(broken)?;
    let from = earlier.iter().max().map_or(1, |last| last + 1);
    put_files(draft, &folder, &mut record, Way::LinkFirst, from)?;
    record.write(&folder).map_err(broken)?;
    for number in earlier {
        let _ = fs::remove_file(folder.join(format!("f{number}")));
    }
    Ok(())
}

/// The numbers of the files in a part's folder.
fn numbers(folder: &Path) -> io::Result<Vec<usize>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<usize> =
            name.to_str().and_then(|name| name.strip_prefix('f')?.parse().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

/// Sets the part aside and returns its folder. Afterwards it is there as a whole, or not at all.
pub(crate) fn set_aside(draft: &Draft<'_>) -> Result<PathBuf> {
    let spool = spool_dir(draft.submission)?;
    let begun = spool.join(format!("{}{BEGUN}", draft.id));
    let folder = spool.join(&draft.id);
    still_open(&folder)?;
    match put_aside(draft, &begun, &folder) {
        // A submission has just taken what was there as a part that did not finish. The next
        // submission gets the whole.
        Err(error) if error.status() == Status::Disk && !is_folder(&begun) => {
            put_aside(draft, &begun, &folder)?;
        }
        ended => ended?,
    }
    // A complete part counts for more than its beginning, should that be left behind.
    let _ = fs::remove_dir_all(&begun);
    Ok(folder)
}

/// A part that is complete stays as it is.
fn still_open(folder: &Path) -> Result<()> {
    if !is_folder(folder) {
        return Ok(());
    }
    Err(Error::new(Status::Misuse, "this part has ended already")
        .at(folder.display().to_string())
        .advise("leave out begun, or begin another part: each is ended once"))
}

/// Writes the part inside of its beginning, so that whatever takes that along leaves nothing half
/// written behind, and gives it its own name.
fn put_aside(draft: &Draft<'_>, begun: &Path, folder: &Path) -> Result<()> {
    let broken = |source| unwritable(folder.parent().unwrap_or(folder), source);
    if !is_folder(begun) {
        private_folder(begun, false).map_err(broken)?;
        draft.record().write(begun).map_err(broken)?;
    }
    let new = begun.join(NEW);
    private_folder(&new, false).map_err(broken)?;
    let written = write(draft, &new).and_then(|()| fs::rename(&new, folder).map_err(broken));
    if written.is_err() {
        // The part stays there as one that began.
        let _ = fs::remove_dir_all(&new);
    }
    written
}

fn write(draft: &Draft<'_>, folder: &Path) -> Result<()> {
    let mut record = draft.record();
    let broken = |source| unwritable(folder, source);
    if let Some(summary) = draft.summary {
        let masked = draft.submission.redactor.text(summary);
        let mut file = private_file(&folder.join(SUMMARY)).map_err(broken)?;
        file.write_all(masked.as_bytes()).map_err(broken)?;
    }
    put_files(draft, folder, &mut record, Way::CopyFirst, 1)?;
    record.finished = true;
    record.ended = Some(rfc3339(draft.submission.clock.now()));
    record.write(folder).map_err(broken)
}

/// How a file comes into a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What is written to the file later shows, which is wanted of a part that is under way.
    LinkFirst,
    /// What is written to the file later does not show, unless it is large.
    CopyFirst,
}

/// Puts the files of the plan into the folder, numbered from `from` on. One that cannot be read is missing, and that stops
/// nothing; a folder that cannot be written does.
fn put_files(
    draft: &Draft<'_>,
    folder: &Path,
    record: &mut Record,
    way: Way,
    from: usize,
) -> Result<()> {
    for (index, object) in draft.plan.objects.iter().enumerate() {
        draft.submission.cancel.check()?;
        let file = format!("f{}", from + index);
        match put(draft, object, &folder.join(&file), way)? {
            Ok(()) => record.files.push(Entry { name: object.name.clone(), file }),
            Err(reason) => {
                let reason = format!("could not be set aside: {reason}");
                record.missing.push(Reason { name: object.name.clone(), reason });
            }
        }
    }
    Ok(())
}

/// The inner error is one of the source.
fn put(
    draft: &Draft<'_>,
    object: &Planned,
    target: &Path,
    way: Way,
) -> Result<std::result::Result<(), io::Error>> {
    let submission = draft.submission;
    let folder = target.parent().unwrap_or(target);
    let broken = |source| unwritable(folder, source);
    let path = match &object.source {
        Source::Memory(bytes) => {
            let mut masked = bytes.to_vec();
            submission.redactor.bytes(&mut masked, media_type::kind(bytes));
            let written = private_file(target).and_then(|mut file| file.write_all(&masked));
            return written.map(Ok).map_err(broken);
        }
        Source::File(path) => path,
    };
    let has_secrets = !submission.settings.secrets().is_empty();
    let link = way == Way::LinkFirst || object.size > COPIED_UP_TO;
    let (source, len) = match open_planned(path) {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error)),
    };
    if link && !has_secrets && same_owner(path, folder) && fs::hard_link(path, target).is_ok() {
        if is_link_of(target, &source) {
            return Ok(Ok(()));
        }
        // Something else has taken its place.
        fs::remove_file(target).map_err(broken)?;
    }
    let mut copy = private_file(target).map_err(broken)?;
    if !has_secrets {
        return copy_plain(draft, &source, len, &mut copy);
    }
    let mut sample = Vec::new();
    let mut rest = source.take(len);
    let most = media_type::SAMPLE_BYTES as u64;
    if let Err(error) = rest.by_ref().take(most).read_to_end(&mut sample) {
        return Ok(Err(error));
    }
    let kind: Kind = media_type::kind(&sample);
    let mut masked = submission.redactor.reader(io::Cursor::new(sample).chain(rest), kind);
    copy_masked(draft, &mut masked, &mut copy)
}

/// The system copies from file to file, and shares the blocks where it can.
fn copy_plain(
    draft: &Draft<'_>,
    source: &File,
    len: u64,
    copy: &mut File,
) -> Result<std::result::Result<(), io::Error>> {
    let mut left = len;
    while left > 0 {
        draft.submission.cancel.check()?;
        match io::copy(&mut source.take(left.min(CHUNK)), copy) {
            // It became shorter: what is there is set aside.
            Ok(0) => break,
            Ok(count) => left -= count,
            Err(error) => return ended(error),
        }
    }
    Ok(Ok(()))
}

fn copy_masked(
    draft: &Draft<'_>,
    source: &mut impl Read,
    copy: &mut File,
) -> Result<std::result::Result<(), io::Error>> {
    loop {
        draft.submission.cancel.check()?;
        match io::copy(&mut source.by_ref().take(CHUNK), copy) {
            Ok(0) => return Ok(Ok(())),
            Ok(_) => {}
            Err(error) => return ended(error),
        }
    }
}

/// A full disk stops everything; what else goes wrong with a copy is taken for a trouble of its
/// source.
fn ended(error: io::Error) -> Result<std::result::Result<(), io::Error>> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Err(unwritable(Path::new("spool_dir"), error))
        }
        _ => Ok(Err(error)),
    }
}

/// Whether a path names the file that was opened.
#[cfg(unix)]
fn is_link_of(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let named = fs::symlink_metadata(path).map(id);
    named.is_ok_and(|named| file.metadata().is_ok_and(|opened| id(opened) == named))
}

#[cfg(not(unix))]
fn is_link_of(_: &Path, _: &File) -> bool {
    true
}

/// Whether a file is owned by whoever owns the folder: what is not would be refused later.
#[cfg(unix)]
pub(super) fn same_owner(file: &Path, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| fs::symlink_metadata(path).map(|metadata| metadata.uid()).ok();
    owner(file).is_some_and(|uid| owner(folder) == Some(uid))
}

#[cfg(not(unix))]
pub(super) fn same_owner(_: &Path, _: &Path) -> bool {
    true
}
