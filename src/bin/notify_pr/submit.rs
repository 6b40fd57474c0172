//! `notify_pr --config run.ini --commit SHA`: submits a report.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use notify_pr::{Error, Failure, Receipt, Report, Status};

use crate::args::Args;
use crate::progress::{Teller, say};

/// Submits, prints what came of it, and returns the exit status.
pub(crate) fn submit(args: &Args) -> Status {
    let interrupted = match watch_signals() {
        Ok(flag) => flag,
        Err(error) => {
            say(&format!("notify_pr: ERROR: signals cannot be watched: {error}"));
            return Status::Internal;
        }
    };
    let mut report = Report::new();
    let ready = crate::load(&mut report, args).and_then(|()| feed(&mut report, args, &interrupted));
    let ignore = ignores_failure(&report, args);
    if let Err(error) = ready {
        return failed(Failure::unsent(error), args, ignore);
    }
    let mut teller = Teller::new(args.quiet, std::env::var_os("NO_COLOR").is_some());
    let submitted = report.submit(&mut |progress| {
        teller.tell(progress);
        match interrupted.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    teller.finish();
    match submitted {
        Ok(receipt) => print(&receipt, args),
        Err(failure) => failed(failure, args, ignore),
    }
}

/// Whether a failure is a warning. What the command line says counts also where an INI could not be
/// read.
pub(crate) fn ignores_failure(report: &Report, args: &Args) -> bool {
    let on_failure = args.settings.iter().rfind(|(name, _)| *name == "on_failure");
    let on_failure = on_failure.map(|(_, value)| value.as_str());
    on_failure.unwrap_or(report.settings().choice("on_failure")) == "ignore"
}

/// Prints what was done all the same, and says why it is not all.
fn failed(failure: Failure, args: &Args, ignore: bool) -> Status {
    let Failure { error, receipt } = failure;
    let printed = print(&receipt, args);
    let kept = receipt.outbox.map(|folder| format!("; the report is kept in {folder}"));
    let ended = end(&error, &kept.unwrap_or_default(), ignore);
    if printed == Status::Ok { ended } else { printed }
}

/// The first SIGINT or SIGTERM asks to stop and keeps the report; the second one ends at once.
fn watch_signals() -> std::io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let status = Status::Cancelled.code();
        signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&interrupted))?;
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

/// Gives the report what it asks of standard input: one setting may be `-`.
fn feed(report: &mut Report, args: &Args, interrupted: &AtomicBool) -> Result<(), Error> {
    let asks = |report: &Report, name| report.settings().text(name) == Some("-");
    let collects = args.spool.is_none() && report.settings().choice("submit") == "collect";
    // What is set aside needs no secret, so none is read.
    let secret = !collects && (asks(report, "token_file") || asks(report, "store_secret_file"));
    if !secret && !asks(report, "summary_file") {
        // The submission settles the rest, and keeps the report where that fails.
        return Ok(());
    }
    let input = read_standard_input(interrupted)?;
    if !collects {
        report.settings_mut().settle(&mut input.as_slice())?;
    }
    if !secret {
        report.set_summary(notify_pr::compose::markdown::lossy(&input));
    }
    Ok(())
}

/// Reads standard input to its end, unless a signal comes first: a CI that leaves it open must not
/// keep the command from ending.
fn read_standard_input(interrupted: &AtomicBool) -> Result<Vec<u8>, Error> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes);
        // The receiver is gone only when the command is ending.
        let _ = sender.send(read);
    });
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(read) => {
                return read.map_err(|source| {
                    Error::new(Status::BadFile, "standard input cannot be read").because(source)
                });
            }
            Err(_) if interrupted.load(Ordering::SeqCst) => {
                return Err(Error::new(Status::Cancelled, "cancelled before anything was sent"));
            }
            Err(_) => {}
        }
    }
}

fn print(receipt: &Receipt, args: &Args) -> Status {
    if args.json {
        return crate::print(&format!("{}\n", receipt.to_json()));
    }
    if receipt.dry_run && receipt.comment_text.is_some() {
        return crate::print(&rehearsal(receipt));
    }
    let mut lines: Vec<&str> = receipt
        .pull_requests
        .iter()
        .filter_map(|pull_request| pull_request.comment_url.as_deref())
        .collect();
    if lines.is_empty() {
        lines.extend(receipt.page_url.as_deref());
    }
    crate::print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

/// What a dry run shows: the comment, then every object, then what only a real run can tell.
fn rehearsal(receipt: &Receipt) -> String {
    let mut text = receipt.comment_text.clone().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("\n--- pull requests\n");
    for pull_request in &receipt.pull_requests {
        text.push_str(&format!("{} ({})\n", pull_request.url, pull_request.relation));
    }
    text.push_str("\n--- objects\n");
    for key in receipt.files.iter().map(|file| &file.key).chain(&receipt.pages) {
        text.push_str(key);
        text.push('\n');
    }
    text.push_str(
        "\n--- only a real run can tell\nwhether the links open for everyone, and the size and \
         type of a file that changes until then\n",
    );
    text
}

/// Says what went wrong. With `on_failure = ignore` it is one line of warning, and all is well.
pub(crate) fn end(error: &Error, kept: &str, ignore: bool) -> Status {
    if ignore {
        say(&format!("notify_pr: WARNING: {error}{kept}"));
        return Status::Ok;
    }
    say(&format!("notify_pr: ERROR: {error}{kept}"));
    error.status()
}
