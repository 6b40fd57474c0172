//! Looks before a long run whether its report could be delivered: settings, GitHub, the store,
//! this machine. Nothing is commented; the store gets one small object, which is removed again.

mod github;
mod machine;
mod store;

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::error::Error;
use crate::events::{Event, Events};
use crate::report::Report;
use crate::status::{Stage, Status};
use crate::submission::{Cancel, Submission};

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// A report would be delivered, though not as it could be.
    Warn,
    /// A report would not be delivered, or not whole.
    Fail,
}

impl Level {
    /// The word for it: `ok`, `warn` or `fail`.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: `settings`, `token`, `rights`, `repository`, `pull_request`,
    /// `store_write`, `store_read`, `store_access`, `store_delete`, `expiry`, `clock`, `proxy`,
    /// `disk`. These names do not change.
    pub check: &'static str,
    /// How good it is.
    pub level: Level,
    /// The number of the status that a submission would end with because of it; 0 unless the
    /// level is `fail`.
    pub status: i32,
    /// What was found, in one line.
    pub text: String,
    /// What to do, where there is something to do.
    pub advice: Option<String>,
}

/// Everything that was looked at, in the order in which it was done.
#[derive(Clone, Debug, Serialize)]
pub struct Checkup {
    /// The number of the status of the worst finding: the first of those that fail.
    pub status: i32,
    /// One for each thing that was looked at; warnings may come more than once.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    worst: Status,
}

impl Checkup {
    /// The status of the worst finding: of those that fail, the first.
    pub fn status(&self) -> Status {
        self.worst
    }

    /// The findings as JSON. Fields may be added and are never renamed.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Looks whether the report could be delivered with its settings; its files are not needed yet.
///
/// GitHub is read. In the store one small object is written below `store_prefix`, opened without
/// credentials, and removed; with `dry_run` the store is not contacted. Secrets are in no finding.
pub fn check(report: &mut Report) -> Checkup {
    let settled = report.settings.settle(&mut std::io::empty());
    let said = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::new(Events::new());
    let heard = Arc::clone(&said);
    events.add_reader(move |event: &Event| {
        if let Event::Warning(text) = event {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(text.clone());
        }
    });
    let mut findings = Findings { all: Vec::new(), worst: Status::Ok, said };
    match Submission::new(report.settings.clone(), events, Cancel::new()) {
        Err(error) => findings.failed("settings", &settled.err().unwrap_or(error)),
        Ok(submission) => {
            findings.settings(&submission, settled.err());
            if findings.worst == Status::Ok {
                let known = github::look(&submission, &mut findings);
                store::look(&submission, &known, &mut findings);
                machine::look(&submission, &known, &mut findings);
            }
            for finding in &mut findings.all {
                finding.text = submission.redactor.text(&finding.text).into_owned();
                let advice = finding.advice.take();
                finding.advice = advice.map(|text| submission.redactor.text(&text).into_owned());
            }
        }
    }
    Checkup { status: findings.worst.code(), findings: findings.all, worst: findings.worst }
}

/// What is collected on the way.
struct Findings {
    all: Vec<Finding>,
    worst: Status,
    /// The warnings that a submission would have given.
    said: Arc<Mutex<Vec<String>>>,
}

impl Findings {
    fn add(&mut self, check: &'static str, level: Level, text: impl Into<String>, advice: &str) {
        self.all.push(Finding {
            check,
            level,
            status: 0,
            text: one_line(&text.into()),
            advice: (!advice.is_empty()).then(|| one_line(advice)),
        });
    }

    fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Level::Ok, text, "");
    }

    fn warn(&mut self, check: &'static str, text: impl Into<String>, advice: &str) {
        self.add(check, Level::Warn, text, advice);
    }

    fn fail(&mut self, check: &'static str, status: Status, text: impl Into<String>, advice: &str) {
        self.add(check, Level::Fail, text, advice);
        if let Some(last) = self.all.last_mut() {
            last.status = status.code();
        }
        if self.worst == Status::Ok {
            self.worst = status;
        }
    }

    fn failed(&mut self, check: &'static str, error: &Error) {
        self.fail(check, error.status(), described(error), error.advice().unwrap_or_default());
    }

    /// The warnings that were given since the last time.
    fn warnings(&mut self, check: &'static str) {
        let said = std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner));
        for text in said {
            self.warn(check, text, "");
        }
    }

    fn settings(&mut self, submission: &Submission, unsettled: Option<Error>) {
        let settings = &submission.settings;
        for warning in settings.warnings() {
            self.warn("settings", warning.clone(), "");
        }
        let missing = || Stage::ALL.into_iter().try_for_each(|stage| settings.require(stage)).err();
        match unsettled.or_else(missing) {
            Some(error) => self.failed("settings", &error),
            None => self.ok("settings", "all that are needed are set"),
        }
    }
}

/// What was wrong, where and why, without the advice.
fn described(error: &Error) -> String {
    let mut text = error.what().to_owned();
    if let Some(place) = error.place() {
        text = format!("{place}: {text}");
    }
    if let Some(source) = std::error::Error::source(error) {
        text = format!("{text} ({source})");
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
