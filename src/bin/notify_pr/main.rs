//! The `notify_pr` command: the library's calls, in the order in which a report needs them.

mod args;
mod begin;
mod check;
mod progress;
mod show;
mod submit;

use std::io::{self, Write};
use std::panic::catch_unwind;
use std::process::ExitCode;

use args::{Args, Task};
use notify_pr::Status;
use notify_pr::settings::Origin;
use progress::say;

fn main() -> ExitCode {
    // The message of a panic is printed by the hook; what is left is to end with its status.
    let status = catch_unwind(run).unwrap_or(Status::Internal);
    ExitCode::from(u8::try_from(status.code()).unwrap_or(50))
}

fn run() -> Status {
    let args = match args::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match &args.task {
        Task::Submit => submit::submit(&args),
        Task::Begin => begin::run(&args),
        Task::Check => check::run(&args),
        Task::ShowSettings => show::settings(&args),
        Task::ExampleIni => print(&notify_pr::settings::example_ini()),
        Task::ManPage => show::man_page(),
        Task::Completions(shell) => show::completions(*shell),
    }
}

/// Help and version are answers; everything else that clap says is about a wrong argument.
fn usage(error: &clap::Error) -> Status {
    let text = error.render().to_string();
    if error.use_stderr() {
        say(text.trim_end());
        return Status::BadSetting;
    }
    print(&text)
}

/// Writes to standard output. A reader that has gone away is no error.
fn print(text: &str) -> Status {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Status::Ok,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Ok,
        Err(error) => {
            say(&format!("notify_pr: ERROR: standard output cannot be written: {error}"));
            Status::Disk
        }
    }
}

/// Loads settings as the command line says: INI, environment, options.
fn load(report: &mut notify_pr::Report, args: &Args) -> notify_pr::error::Result<()> {
    let config = args.config.clone().or_else(|| {
        std::env::var_os("NOTIFY_PR_CONFIG").filter(|path| !path.is_empty()).map(Into::into)
    });
    if let Some(config) = config {
        report.load_ini(&config)?;
    }
    report.load_environment()?;
    let settings = report.settings_mut();
    for (name, value) in &args.settings {
        settings.set(name, value, Origin::CommandLine)?;
    }
    for row in &args.details {
        let (name, value) = row.split_once('=').ok_or_else(|| {
            notify_pr::Error::new(Status::BadSetting, format!("--detail {row} has no value"))
                .advise("write it as --detail NAME=VALUE")
        })?;
        settings.set_detail(name, value, &Origin::CommandLine)?;
    }
    for path in &args.attachments {
        report.attach(path)?;
    }
    if let Some(spool) = &args.spool {
        report.load_spool(spool)?;
    }
    Ok(())
}
