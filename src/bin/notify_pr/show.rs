//! What the command shows without submitting anything.

use notify_pr::{Report, Status};

use crate::args::{self, Args};
use crate::progress::say;

/// `notify_pr settings`: every value in force and where it came from, secrets masked.
pub(crate) fn settings(args: &Args) -> Status {
    let mut report = Report::new();
    let loaded = crate::load(&mut report, args).and_then(|()| {
        // Secrets from standard input are not asked for just to mask them.
        report.settings_mut().settle(&mut std::io::empty())
    });
    let mut text = String::new();
    for (name, value, origin) in report.settings().in_force() {
        text.push_str(&format!("{name:<20} = {value}    ({origin})\n"));
    }
    for (name, value) in report.settings().details() {
        text.push_str(&format!("[details] {name} = {value}\n"));
    }
    let printed = crate::print(&text);
    for warning in report.settings().warnings() {
        say(&format!("notify_pr: warning: {warning}"));
    }
    match loaded {
        Ok(()) => printed,
        Err(error) => {
            say(&format!("notify_pr: ERROR: {error}"));
            error.status()
        }
    }
}

/// `notify_pr man`.
pub(crate) fn man_page() -> Status {
    let mut page = Vec::new();
    match clap_mangen::Man::new(args::command()).render(&mut page) {
        Ok(()) => crate::print(&String::from_utf8_lossy(&page)),
        Err(_) => Status::Internal,
    }
}

/// `notify_pr completions SHELL`.
pub(crate) fn completions(shell: clap_complete::Shell) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "notify_pr", &mut script);
    crate::print(&String::from_utf8_lossy(&script))
}
