//! The command line, drawn from the table of settings.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use notify_pr::settings::{Kind, Setting};
use notify_pr::{Settings, VERSION};

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Submit a report.
    Submit,
    /// Say that a part begins.
    Begin,
    /// Look whether a report could be delivered.
    Check,
    /// Show every setting in force, and where its value came from.
    ShowSettings,
    /// Print an INI with every setting.
    ExampleIni,
    /// Print the man page.
    ManPage,
    /// Print completions for a shell.
    Completions(clap_complete::Shell),
}

/// The command line as it was given; nothing is interpreted yet.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) task: Task,
    pub(crate) config: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    /// The folder whose parts are submitted.
    pub(crate) spool: Option<PathBuf>,
    pub(crate) attachments: Vec<PathBuf>,
    pub(crate) details: Vec<String>,
    /// Name and value of each setting that was given, in the order of the table.
    pub(crate) settings: Vec<(&'static str, String)>,
}

/// The whole command, from which help, man page and completions are made too.
pub(crate) fn command() -> Command {
    let submit = with_settings(
        Command::new("notify_pr")
            .version(VERSION)
            .about("Reports the results of a CI run on the GitHub pull request that was tested")
            .long_about(
                "Takes what a CI run left behind, puts the files where everyone can read them for \
                 about a week, finds the pull request that the tested commit belongs to, and \
                 leaves one comment there.",
            )
            .after_help(AFTER)
            .override_usage("notify_pr [--config FILE] [OPTIONS]\n       notify_pr <COMMAND>")
            .disable_help_subcommand(true)
            .subcommand_required(false)
            .args_conflicts_with_subcommands(true),
    )
    .arg(
        Arg::new("spool")
            .long("spool")
            .value_name("DIR")
            .value_parser(clap::value_parser!(PathBuf))
            .value_hint(ValueHint::DirPath)
            .help_heading("The command")
            .help("Submit all that was set aside in this folder (submit = collect) as one report"),
    );
    submit
        .subcommand(with_settings(
            Command::new("begin")
                .about("Says that a part begins, so that one that is killed is told of")
                .long_about(
                    "Says that a part begins, where submit is collect, and prints its id. If the \
                     job is killed before it sets its report aside, the later submission of all \
                     parts shows this one as one that did not finish, with the files that were \
                     attached here. Give the id to the call that sets the report aside:\n\n  \
                     begun=$(notify_pr begin --submit collect --spool-dir DIR --part NAME)\n  \
                     run_tests\n  \
                     notify_pr --submit collect --spool-dir DIR --begun \"$begun\" --attach logs",
                ),
        ))
        .subcommand(with_settings(
            Command::new("settings")
                .about("Shows every setting in force and where its value came from")
                .arg(
                    Arg::new("example")
                        .long("example")
                        .action(ArgAction::SetTrue)
                        .help("Print an INI file with every setting instead"),
                ),
        ))
        .subcommand(with_settings(
            Command::new("check")
                .about("Looks before a long run whether its report could be delivered")
                .long_about(
                    "Looks before a long run whether its report could be delivered: the token and \
                     its rights, the repository and the pull request, writing, reading, opening \
                     and removing a small object in the store, what removes old files, clocks, \
                     proxies and disks. Nothing is commented. The exit status is that of the \
                     first finding that fails.",
                ),
        ))
        .subcommand(Command::new("man").about("Prints the man page"))
        .subcommand(
            Command::new("completions").about("Prints completions for a shell").arg(
                Arg::new("shell")
                    .required(true)
                    .value_parser(clap::value_parser!(clap_complete::Shell)),
            ),
        )
}

const AFTER: &str = "\
Every option that names a setting may stand in the INI file (with _ for -) and in the environment \
(NOTIFY_PR_ and the name in capitals) too. Secrets belong there, or in a file: what stands on the \
command line can be seen by everybody on the machine.

Exit status: 0 delivered; 3 a setting or argument is wrong; 10-12 a local file; 20-22 the store; \
30-35 GitHub; 33 no pull request belongs to the commit; 40 cancelled; 42 out of time; 50 a bug. \
The README lists them all.";

fn with_settings(command: Command) -> Command {
    let own = "The command";
    let mut command = command
        .arg(
            Arg::new("config")
                .long("config")
                .short('c')
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help_heading(own)
                .help("Read settings from this INI file (or NOTIFY_PR_CONFIG)"),
        )
        .arg(
            Arg::new("attach")
                .long("attach")
                .value_name("PATH")
                .value_parser(clap::value_parser!(PathBuf))
                .value_hint(ValueHint::AnyPath)
                .action(ArgAction::Append)
                .help_heading(own)
                .help("Upload this file or directory too; may be given again"),
        )
        .arg(
            Arg::new("detail")
                .long("detail")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help_heading(own)
                .help("Add a row to the table of details; may be given again"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help_heading(own)
                .help("Print the receipt, or the findings, as JSON on standard output"),
        )
        .arg(
            Arg::new("quiet")
                .long("quiet")
                .short('q')
                .action(ArgAction::SetTrue)
                .help_heading(own)
                .help("Say nothing on standard error but warnings and errors"),
        );
    for setting in Settings::table() {
        command = command.arg(option(setting));
    }
    command
}

fn option(setting: &'static Setting) -> Arg {
    let name = setting.name();
    let mut help = setting.help().to_owned();
    if !setting.default().is_empty() {
        help.push_str(&format!(" [default: {}]", shorten(setting.default())));
    }
    let mut arg = Arg::new(name)
        .long(setting.option().trim_start_matches('-').to_owned())
        .value_name(setting.kind().placeholder())
        .help_heading(setting.chapter().title())
        .allow_hyphen_values(true)
        .overrides_with(name)
        .help(help.clone());
    if !setting.more().is_empty() {
        arg = arg.long_help(format!("{help}.\n{}", setting.more()));
    }
    match setting.kind() {
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        // Shown in the help and completed by shells; the settings check the value all the same.
        Kind::Choice(values) => arg.value_parser(PossibleValuesParser::new(values)),
        _ => arg,
    }
}

fn shorten(default: &str) -> String {
    match default.char_indices().nth(40) {
        Some((end, _)) => format!("{} …", default[..end].trim_end_matches([',', ' '])),
        None => default.to_owned(),
    }
}

/// Reads the command line, or says what is wrong with it as clap does.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let (task, matches) = match matches.subcommand() {
        None => (Task::Submit, &matches),
        Some(("begin", sub)) => (Task::Begin, sub),
        Some(("check", sub)) => (Task::Check, sub),
        Some(("settings", sub)) if sub.get_flag("example") => (Task::ExampleIni, sub),
        Some(("settings", sub)) => (Task::ShowSettings, sub),
        Some(("man", _)) => return Ok(Args::of(Task::ManPage)),
        Some((_, sub)) => {
            let shell = sub.get_one("shell").copied().unwrap_or(clap_complete::Shell::Bash);
            return Ok(Args::of(Task::Completions(shell)));
        }
    };
    Ok(Args::from_matches(task, matches))
}

impl Args {
    fn of(task: Task) -> Args {
        Args {
            task,
            config: None,
            json: false,
            quiet: false,
            spool: None,
            attachments: Vec::new(),
            details: Vec::new(),
            settings: Vec::new(),
        }
    }

    fn from_matches(task: Task, matches: &ArgMatches) -> Args {
        let all = |name| matches.get_many::<PathBuf>(name).into_iter().flatten().cloned().collect();
        Args {
            config: matches.get_one("config").cloned(),
            json: matches.get_flag("json"),
            quiet: matches.get_flag("quiet"),
            spool: matches.try_get_one("spool").ok().flatten().cloned(),
            attachments: all("attach"),
            details: matches.get_many("detail").into_iter().flatten().cloned().collect(),
            settings: Settings::table()
                .iter()
                .filter_map(|setting| {
                    let value = matches.get_one::<String>(setting.name())?;
                    Some((setting.name(), value.clone()))
                })
                .collect(),
            ..Args::of(task)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_setting_is_an_option_with_its_dashed_name() {
        let command = command();
        for setting in Settings::table() {
            let option = setting.name().replace('_', "-");
            assert!(command.get_arguments().any(|arg| arg.get_long() == Some(&option)), "{option}");
        }
    }
}
