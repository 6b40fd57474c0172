//! What was done. Its JSON is what `--json` prints and what the bindings read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::compose::{self, Part};
use crate::error::Error;
use crate::events::{Event, Events};
use crate::find::Match;
use crate::plan::LeftOut;
use crate::post::{Action, Posted};
use crate::status::Status;
use crate::submission::Submission;

/// The version of the JSON's shape. A new field does not change it; a changed one does.
pub const SCHEMA: u32 = 1;

/// What became of a report. It never changes once it is handed out.
///
/// As JSON it is stable: every field is always there, and what does not exist is `null` or empty.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    /// The version of this shape.
    pub schema: u32,
    /// The version of notify_pr.
    pub tool_version: &'static str,
    /// The number of the status.
    pub status: i32,
    /// What the status means.
    pub status_text: &'static str,
    /// The whole error text, or `null`.
    pub error: Option<String>,
    /// The stage in which the error happened, or `null`.
    pub error_stage: Option<&'static str>,
    /// Whether nothing was written because only a look was asked for.
    pub dry_run: bool,
    /// `owner/name`.
    pub repository: Option<String>,
    /// The commit, in full where GitHub knows it.
    pub commit: Option<String>,
    /// Which lab or job speaks.
    pub context: String,
    /// The id of the submission.
    pub submission: String,
    /// When it began (RFC 3339, UTC).
    pub started: String,
    /// The pull requests, the ones that got the comment first.
    pub pull_requests: Vec<PullRequestEntry>,
    /// The address of the run's index page.
    pub page_url: Option<String>,
    /// Until when the links open (RFC 3339, UTC).
    pub expires: Option<String>,
    /// What is in the store.
    pub files: Vec<FileEntry>,
    /// The keys of our own pages and of the full text, beside the files.
    pub pages: Vec<String>,
    /// What was wanted and is not in the store: status 22 unless something worse happened.
    pub missing: Vec<Notice>,
    /// What was left out by rule, and other things to know: they do not change the status.
    pub warnings: Vec<Notice>,
    /// How many requests were sent to each host.
    pub requests: BTreeMap<String, u64>,
    /// The comment for the first pull request: as it was posted, or would have been.
    pub comment_text: Option<String>,
    /// The folder of the outbox in which the report was kept, where no comment could be made.
    pub outbox: Option<String>,
    /// The folder in which the report was set aside (`submit = collect`); nothing was sent then.
    pub spooled: Option<String>,
    /// The parts that were set aside before, those that failed first: what went along, and what
    /// earlier submissions of the same run reported.
    pub parts: Vec<PartEntry>,
}

/// A pull request in a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct PullRequestEntry {
    /// Its number.
    pub number: u64,
    /// The address of its page.
    pub url: String,
    /// How the commit relates to it.
    pub relation: &'static str,
    /// The address of the comment.
    pub comment_url: Option<String>,
    /// `created`, `updated`, `unchanged`, `skipped` or `none`.
    pub comment_action: &'static str,
    /// Why it was skipped or left as it was.
    pub reason: Option<String>,
}

/// A stored file in a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct FileEntry {
    /// The name as it is shown.
    pub name: String,
    /// The key in the store.
    pub key: String,
    /// Its address, or `null` where the public has none.
    pub url: Option<String>,
    /// The size in bytes; `null` where only the upload can tell.
    pub size: Option<u64>,
    /// The Content-Type it is served with; `null` where only the upload can tell.
    pub content_type: Option<String>,
}

/// A part of the run, as a receipt lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartEntry {
    /// The name, which no other part of the receipt has.
    pub name: String,
    /// `success`, `failure`, `error` or `unknown`.
    pub verdict: &'static str,
    /// Whether it came to its end.
    pub finished: bool,
    /// How many tests passed, if that is known.
    pub passed: Option<u64>,
    /// How many tests failed.
    pub failed: Option<u64>,
    /// How many tests broke.
    pub errors: Option<u64>,
    /// How many tests were skipped.
    pub skipped: Option<u64>,
    /// Whether an earlier submission of the same run brought it, and its files.
    pub reported_before: bool,
}

impl From<&Part> for PartEntry {
    fn from(part: &Part) -> PartEntry {
        let counts = part.counts;
        PartEntry {
            name: part.name.clone(),
            verdict: part.verdict,
            finished: part.finished,
            passed: counts.map(|counts| counts.passed),
            failed: counts.map(|counts| counts.failed),
            errors: counts.map(|counts| counts.errors),
            skipped: counts.map(|counts| counts.skipped),
            reported_before: part.reported_before,
        }
    }
}

/// Something to know, about a file or in general.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The name as it is shown; `null` where it is about no file.
    pub name: Option<String>,
    /// What is to be known.
    pub reason: String,
}

impl From<LeftOut> for Notice {
    fn from(left_out: LeftOut) -> Notice {
        Notice { name: Some(left_out.name), reason: left_out.reason }
    }
}

impl Receipt {
    /// A receipt of which nothing is known yet, not even a submission.
    pub(crate) fn blank() -> Receipt {
        Receipt {
            schema: SCHEMA,
            tool_version: env!("CARGO_PKG_VERSION"),
            status: Status::Ok.code(),
            status_text: Status::Ok.text(),
            error: None,
            error_stage: None,
            dry_run: false,
            repository: None,
            commit: None,
            context: String::new(),
            submission: String::new(),
            started: String::new(),
            pull_requests: Vec::new(),
            page_url: None,
            expires: None,
            files: Vec::new(),
            pages: Vec::new(),
            missing: Vec::new(),
            warnings: Vec::new(),
            requests: BTreeMap::new(),
            comment_text: None,
            outbox: None,
            spooled: None,
            parts: Vec::new(),
        }
    }

    /// A receipt for a submission that has done nothing yet.
    pub(crate) fn new(submission: &Submission) -> Receipt {
        let settings = &submission.settings;
        let repository = match (settings.text("owner"), settings.text("repo")) {
            (Some(owner), Some(repo)) => Some(format!("{owner}/{repo}")),
            _ => None,
        };
        Receipt {
            dry_run: submission.dry_run,
            status_text: match submission.dry_run {
                true => "nothing was written: this was a dry run",
                false => Status::Ok.text(),
            },
            repository,
            commit: settings.text("commit").map(str::to_owned),
            context: compose::context(submission),
            submission: submission.id.clone(),
            started: rfc3339(submission.started),
            ..Receipt::blank()
        }
    }

    /// How the submission ended.
    pub fn status(&self) -> Status {
        Status::ALL
            .into_iter()
            .find(|status| status.code() == self.status)
            .unwrap_or(Status::Internal)
    }

    /// The receipt as JSON, indented, without a newline at the end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|error| {
            // Only a map with keys that are no strings could fail, and there is none.
            format!("{{\"error\": \"the receipt is not JSON: {error}\"}}")
        })
    }

    /// The report was set aside as asked: that is status 0, as nothing else was to be done.
    pub(crate) fn set_spooled(&mut self, folder: &std::path::Path) {
        self.status_text = Status::Queued.text();
        self.spooled = Some(folder.display().to_string());
    }

    pub(crate) fn set_error(&mut self, error: &Error) {
        self.status = error.status().code();
        self.status_text = error.status().text();
        self.error = Some(error.to_string());
        self.error_stage = error.stage().map(crate::status::Stage::name);
    }

    pub(crate) fn add_pull_request(&mut self, of: &Match, posted: &Posted) {
        self.pull_requests.push(PullRequestEntry {
            number: of.pull_request.number,
            url: of.pull_request.url.clone(),
            relation: of.relation.name(),
            comment_url: posted.url.clone(),
            comment_action: action_name(posted.action),
            reason: posted.reason.clone(),
        });
    }
}

/// A time as receipts and markers write it.
pub fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.unix_timestamp().to_string())
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unchanged => "unchanged",
        Action::Skipped => "skipped",
        Action::None => "none",
    }
}

/// Reads from the stream of events what a receipt counts: requests by host, and warnings.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: BTreeMap<String, u64>,
    warnings: Vec<Notice>,
}

impl Tally {
    /// A tally that reads this stream from now on.
    pub(crate) fn of(events: &Events) -> Tally {
        let tally = Tally::default();
        let seen = Arc::clone(&tally.seen);
        events.add_reader(move |event: &Event| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Request { host } => *seen.requests.entry(host.clone()).or_default() += 1,
                Event::Warning(text) => {
                    seen.warnings.push(Notice { name: None, reason: text.clone() });
                }
                _ => {}
            }
        });
        tally
    }

    /// Writes what was counted into the receipt.
    pub(crate) fn write_into(&self, receipt: &mut Receipt) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        receipt.requests.clone_from(&seen.requests);
        for warning in &seen.warnings {
            if !receipt.warnings.contains(warning) {
                receipt.warnings.push(warning.clone());
            }
        }
    }
}
