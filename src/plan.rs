//! Which files go where: what is attached, what is left out, and the names of the objects.
//!
//! An object's name is the path relative to the common parent of all that is attached; `parent`
//! says what that is in each case, `names` how a name becomes a key. The plan depends on nothing
//! but the settings, the attachments and what is on the disk: two plans of the same are equal.

mod inputs;
mod names;
mod parent;
mod rules;
mod walk;

use std::collections::HashSet;
use std::io;
use std::path::Path;

use time::UtcOffset;

use self::inputs::{Absent, Inputs, What};
use self::rules::Rules;
use self::walk::{Found, Walk};
pub use crate::content::Source;
use crate::english::size as in_words;
use crate::error::{Error, Result};
use crate::redact::Kind;
use crate::report::Attachment;
use crate::settings::Settings;
use crate::status::{Stage, Status};
use crate::submission::Submission;

/// The longest key that a store takes, in bytes: Swift and S3 agree.
const KEY_BYTES: usize = 1024;

/// What a folder's components take besides `store_prefix`, in bytes: the days, the date, an owner
/// of up to 39 and a repository of up to 100 characters, a commit, an id, and their slashes; and
/// what the name of a page may be longer than the file's beside it.
const FOLDER_BYTES: usize = 272;

/// The longest key of a file relative to its folder, in bytes; less under a long `store_prefix`.
const NAME_BYTES: usize = 704;

/// The longest `store_prefix`, in bytes.
const PREFIX_BYTES: usize = 300;

/// What is to be stored.
#[derive(Debug, Default)]
pub struct Plan {
    /// Ordered by their keys, component by component.
    pub objects: Vec<Planned>,
    /// Wanted and not there: makes status 22.
    pub missing: Vec<LeftOut>,
    /// Left out by rule, or worth a word: status 0.
    pub warnings: Vec<LeftOut>,
}

impl Plan {
    /// The size of all objects together in bytes, as it was when they were planned.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }
}

/// One object of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The true name, relative, as it is shown: `/` between folders, U+FFFD for what is not UTF-8
    /// and for control characters.
    pub name: String,
    /// The name in the store, relative to the submission's folder: UTF-8, safe, and no other
    /// object's. It is the true name wherever that is possible.
    pub key: String,
    /// The size in bytes when it was planned.
    pub size: u64,
    /// Where the bytes come from.
    pub source: Source,
}

/// Something that is not stored, or that a reader should know about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The name as it is shown; it ends with `/` if it stands for what is in a folder.
    pub name: String,
    /// Why, in words that fit behind the name.
    pub reason: String,
}

/// Makes the plan from `full_detail_files`, `full_detail_dir` and the attachments.
///
/// A file or folder that is not there or cannot be read stops nothing: it is in `missing`.
///
/// # Errors
/// A pattern of `include` or `exclude` that is none, a `store_prefix` that is too long, and a
/// caller who cancels.
pub fn plan(submission: &Submission, attachments: &[Attachment]) -> Result<Plan> {
    make(submission, attachments).map_err(|error| error.in_stage(Stage::Plan))
}

fn make(submission: &Submission, attachments: &[Attachment]) -> Result<Plan> {
    let settings = &submission.settings;
    let room = key_room(settings)?;
    let rules = Rules::new(settings)?;
    let mut inputs = Inputs::default();
    for entry in settings.list("full_detail_files") {
        inputs.add_entry(Path::new(&entry));
    }
    if let Some(folder) = settings.path("full_detail_dir") {
        inputs.add_entry(&folder);
    }
    for attachment in attachments {
        match attachment {
            Attachment::Path(path) => inputs.add_path(path),
            Attachment::Bytes { .. } | Attachment::File { .. } => {}
        }
    }

    let parent = parent::common(&inputs.present);
    let mut walk = Walk::new(&rules, &submission.cancel);
    let labels = parent::labels(&inputs.present, parent.as_deref());
    for (input, label) in inputs.present.iter().zip(&labels) {
        match &input.what {
            What::File(file) => walk.named(label, file),
            What::Folder { root } => {
                let called = parent::name_of_absent(&input.anchor, parent.as_deref());
                walk.folder(root, label, &called)?;
            }
            What::Matches { root, found } => walk.matches(root, label, found)?,
        }
    }
    for attachment in attachments {
        match attachment {
            Attachment::Path(_) => {}
            Attachment::Bytes { name, data } => walk.bytes(name, data),
            Attachment::File { name, path } => walk.renamed(name, path),
        }
    }
    let (found, mut missing, mut warnings) = walk.finish();
    for Absent { written, reason, by_rule } in inputs.absent {
        let name = names::shown(&parent::name_of_absent(&written, parent.as_deref()));
        let list = if by_rule { &mut warnings } else { &mut missing };
        list.push(LeftOut { name, reason });
    }

    let mut found = once_each(found);
    for one in &mut found {
        submission.redactor.bytes(&mut one.name, Kind::Text);
    }
    found.sort_by(|one, other| names::compare(&one.name, &other.name));
    within_limits(&mut found, settings, &mut warnings);
    for list in [&mut missing, &mut warnings] {
        for left_out in list.iter_mut() {
            left_out.name = submission.redactor.text(&left_out.name).into_owned();
        }
        list.sort();
        list.dedup();
    }
    Ok(Plan { objects: planned(found, room), missing, warnings })
}

/// Drops what an earlier input has given already. A file that a link leads to keeps both names.
fn once_each(found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    let is_new = found.iter().map(|found| match &found.source {
        Source::File(path) => seen.insert((path, found.linked.then_some(&found.name))),
        Source::Memory(_) => true,
    });
    let new: Vec<bool> = is_new.collect();
    found.into_iter().zip(new).filter_map(|(found, new)| new.then_some(found)).collect()
}

/// Leaves out what is larger than `max_file`, then the largest until the rest fits into
/// `max_total`; of two of the same size the one whose name comes later.
fn within_limits(found: &mut Vec<Found>, settings: &Settings, warnings: &mut Vec<LeftOut>) {
    let (max_file, max_total) = (settings.size("max_file"), settings.size("max_total"));
    let mut total: u64 = found.iter().map(|found| found.size).filter(|&s| s <= max_file).sum();
    let mut by_size: Vec<usize> = (0..found.len()).collect();
    by_size.sort_by_key(|&index| (found[index].size, index));
    let mut kept = vec![true; found.len()];
    for &index in by_size.iter().rev() {
        let Found { name, size, .. } = &found[index];
        let reason = if *size > max_file {
            format!("larger than max_file ({}; at most {})", in_words(*size), in_words(max_file))
        } else if total > max_total {
            total -= size;
            let limit = in_words(max_total);
            format!(
                "left out so that the rest fits into max_total ({}; {limit} together)",
                in_words(*size)
            )
        } else {
            break;
        };
        kept[index] = false;
        warnings.push(LeftOut { name: names::shown(name), reason });
    }
    let mut kept = kept.into_iter();
    found.retain(|_| kept.next().unwrap_or(true));
}

fn planned(found: Vec<Found>, room: usize) -> Vec<Planned> {
    let true_names: Vec<&[u8]> = found.iter().map(|found| found.name.as_slice()).collect();
    let keys = names::keys(&true_names, room);
    let named = |(found, key): (Found, String)| Planned {
        name: names::into_shown(found.name),
        key,
        size: found.size,
        source: found.source,
    };
    let mut objects: Vec<Planned> = found.into_iter().zip(keys).map(named).collect();
    objects.sort_by(|one, other| names::compare(one.key.as_bytes(), other.key.as_bytes()));
    objects
}

/// The folder of a submission's objects, which ends with `/`:
/// `<prefix>/<days>d/<yyyy-mm-dd>/<owner>/<repo>/<subject>/<submission>/`, where the subject is
/// `pr-<number>` or the commit. The date is the day on which the submission began, in UTC.
pub fn folder(submission: &Submission, repository: &str, subject: &str) -> String {
    let days = submission.settings.count("store_expire_days").unwrap_or(7);
    let date = submission.started.to_offset(UtcOffset::UTC).date();
    let (year, month, day) = date.to_calendar_date();
    let prefix = prefix(&submission.settings);
    let id = &submission.id;
    let month = u8::from(month);
    format!("{prefix}{days}d/{year:04}-{month:02}-{day:02}/{repository}/{subject}/{id}/")
}

/// `store_prefix` without needless slashes, ending with one unless it is empty.
pub(crate) fn prefix(settings: &Settings) -> String {
    let components = settings.text("store_prefix").unwrap_or_default().split('/');
    let kept = components.filter(|component| !matches!(*component, "" | "." | ".."));
    kept.flat_map(|component| [component, "/"]).collect()
}

/// How long the key of a file may be, relative to its folder, in bytes.
fn key_room(settings: &Settings) -> Result<usize> {
    let prefix = prefix(settings);
    if prefix.trim_end_matches('/').len() > PREFIX_BYTES {
        let what = format!("store_prefix is longer than {PREFIX_BYTES} bytes");
        return Err(Error::new(Status::BadSetting, what).advise("set a shorter one"));
    }
    Ok(NAME_BYTES.min(KEY_BYTES - FOLDER_BYTES - prefix.len()))
}

/// Why something cannot be read, without a path in it.
fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
