//! Tells the parts of a run from those that others left in the same spool.
//!
//! What a part says of its run is only compared. A lie gets a part taken that is not of the run, as
//! one is that says nothing, or leaves it where it is.

use std::path::Path;

use super::gather::RECORDS;
use super::record::{MOST, Record, Unread, VERSION};
use crate::settings::Run;

/// The most commits that are named.
const NAMED: usize = 5;
/// So much of a commit is shown.
const SHORT: usize = 12;

/// Parts that are of another run.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// Each commit, and how many parts are of it; of another build where that tells them apart.
    commits: Vec<(String, usize)>,
    /// How many parts a later version set aside, and the version of their shape.
    later: (usize, u32),
}

/// Takes the names out of the list whose parts are of another run than `run`.
pub(super) fn turn_away(spool: &Path, names: &mut Vec<String>, run: &Run) -> Strangers {
    let mut strangers = Strangers::default();
    let mut budget = RECORDS;
    names.retain(|name| {
        let (record, bytes) = match Record::read(&spool.join(name), MOST.min(budget)) {
            Ok(read) => read,
            Err(Unread::Later(version)) => {
                strangers.later = (strangers.later.0 + 1, version);
                return false;
            }
            // What cannot be read is taken: that it is there is worth a line.
            Err(Unread::Broken(_)) => return true,
        };
        budget -= bytes;
        let is_stranger = record.run.contradicts(run);
        if is_stranger {
            strangers.add(&record.run);
        }
        !is_stranger
    });
    strangers
}

impl Strangers {
    fn add(&mut self, run: &Run) {
        let commit = shown(&run.commit);
        match self.commits.iter_mut().find(|(known, _)| *known == commit) {
            Some((_, count)) => *count += 1,
            None => self.commits.push((commit, 1)),
        }
    }

    /// What is to be said of all that is left there.
    pub(super) fn warnings(&self, spool: &Path, run: &Run) -> Vec<Left> {
        let of_others = self.of_others(spool, run).map(|what| Left { what, advice: ADVICE });
        let later = self.of_later(spool).map(|what| Left { what, advice: LATER });
        of_others.into_iter().chain(later).collect()
    }

    fn of_later(&self, spool: &Path) -> Option<String> {
        let (count, version) = self.later;
        let (noun, verb) = if count == 1 { ("part", "is") } else { ("parts", "are") };
        (count > 0).then(|| {
            format!(
                "{count} {noun} in {} {verb} left there: a later version of notify_pr set it aside \
                 (layout {version}, this one has {VERSION})",
                spool.display()
            )
        })
    }

    /// None if there are none.
    fn of_others(&self, spool: &Path, run: &Run) -> Option<String> {
        let count: usize = self.commits.iter().map(|(_, count)| count).sum();
        if count == 0 {
            return None;
        }
        let list = |(commit, count): &(String, usize)| format!("{count} of {commit}");
        let mut named: Vec<String> = self.commits.iter().take(NAMED).map(list).collect();
        if self.commits.len() > NAMED {
            named.push(format!("others of {} more commits", self.commits.len() - NAMED));
        }
        let (noun, verb) = if count == 1 { ("part", "is") } else { ("parts", "are") };
        let mut own = shown(&run.commit);
        if !run.build.is_empty() {
            own.push_str(&format!(" and build {}", run.build));
        }
        Some(format!(
            "{count} {noun} in {} {verb} of another run and left there: {}; this report is of {own}",
            spool.display(),
            named.join(", "),
        ))
    }
}

/// Parts that are left where they are, and what to do about them.
pub(super) struct Left {
    pub(super) what: String,
    pub(super) advice: &'static str,
}

const LATER: &str = "submit the spool with that version, and use one version for a run";
const ADVICE: &str = "give each build a spool_dir of its own; submit what is left with \
                                 --commit and --build-url of its run, or remove it";

fn shown(commit: &str) -> String {
    let is_plain = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_plain && !commit.is_empty() {
        true => format!("commit {}", &commit[..commit.len().min(SHORT)]),
        false => "an unknown commit".to_owned(),
    }
}
