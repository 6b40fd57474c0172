//! `notify_pr check`: looks before a long run whether its report could be delivered.

use notify_pr::check::{Checkup, Finding, check};
use notify_pr::{Report, Status};

use crate::args::Args;
use crate::progress::say;

/// Prints a line for each finding, or all as JSON, and returns the status of the worst.
pub(crate) fn run(args: &Args) -> Status {
    let mut report = Report::new();
    if let Err(error) = crate::load(&mut report, args) {
        say(&format!("notify_pr: ERROR: {error}"));
        return error.status();
    }
    let checkup = check(&mut report);
    let text = if args.json { checkup.to_json() + "\n" } else { lines(&checkup) };
    match crate::print(&text) {
        Status::Ok => checkup.status(),
        failed => failed,
    }
}

fn lines(checkup: &Checkup) -> String {
    checkup.findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let Finding { check, level, text, advice, .. } = finding;
    let advice = advice.as_ref().map(|advice| format!(": {advice}")).unwrap_or_default();
    format!("{:<5}{check:<13} {text}{advice}\n", level.word())
}
