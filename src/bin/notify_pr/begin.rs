//! `notify_pr begin`: says that a part begins, and prints the id with which it is ended.

use notify_pr::error::Result;
use notify_pr::{Error, Report, Status};

use crate::args::Args;
use crate::progress::say;
use crate::submit::{end, ignores_failure};

/// Begins a part, and returns the exit status.
pub(crate) fn run(args: &Args) -> Status {
    let mut report = Report::new();
    match crate::load(&mut report, args).and_then(|()| begin(&mut report)) {
        Ok(id) if args.json => crate::print(&format!("{}\n", serde_json::json!({ "begun": id }))),
        Ok(Some(id)) => crate::print(&format!("{id}\n")),
        Ok(None) => {
            say("notify_pr: nothing is written in a dry run, so there is no part to end");
            Status::Ok
        }
        Err(error) => end(&error, "", ignores_failure(&report, args)),
    }
}

fn begin(report: &mut Report) -> Result<Option<String>> {
    if report.settings().choice("submit") != "collect" {
        return Err(Error::new(Status::BadSetting, "only a report that is set aside can begin")
            .at("submit")
            .advise("set submit = collect here, and where the part is ended"));
    }
    report.begin()?;
    let begun = report.settings().text("begun").map(str::to_owned);
    Ok(begun.filter(|_| !report.settings().flag("dry_run")))
}
