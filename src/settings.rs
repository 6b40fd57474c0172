//! Every setting, defined once, and the values in force with where they came from.
//!
//! Values come from calls of the library, the command line, variables `NOTIFY_PR_*`, an INI file,
//! other programs' variables, the CI server, the git checkout, and the defaults: the strongest
//! first. In whatever order they are loaded, a weaker one never overwrites a stronger one. When
//! all are loaded, [`Settings::settle`] decides what depends on more than one of them.
//!
//! Empty values: an empty variable is as if it were not set, and an empty value in an INI is an
//! error, except for lists. On the command line and in the library an empty value switches off
//! what weaker places say, where the setting can do without a value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::status::Status;

mod aws;
mod ci;
mod counts;
mod details;
mod environment;
mod example;
pub mod git;
mod ini;
mod openstack;
mod origin;
mod require;
mod run;
mod settle;
mod table;
mod url;
mod value;

pub use counts::Counts;
pub use details::DETAIL;
pub use environment::Environment;
pub use example::example_ini;
pub use origin::Origin;
pub(crate) use run::Run;
pub use table::{Chapter, Setting};
pub use value::Kind;

/// What stands in place of a secret.
const MASK: &str = "••••";
/// The most of a wrong value that is shown in an error.
const SHOWN: usize = 60;

/// The settings of a submission.
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, Value>,
    details: details::Details,
    warnings: Vec<String>,
    environment: Option<Environment>,
}

#[derive(Clone)]
struct Value {
    text: String,
    origin: Origin,
    /// The secret was read from the file that another setting names.
    read_from_file: bool,
}

impl Settings {
    /// No values but the defaults.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// Every setting there is, chapter by chapter.
    pub fn table() -> &'static [Setting] {
        table::all()
    }

    /// Checks a value and sets it, unless a value of a stronger origin is set. Of two values of
    /// equal origin the later counts. `details.NAME` is the row NAME of the table of details.
    ///
    /// # Errors
    /// `BadSetting` if there is no setting of this name, or it does not take the value. A secret is
    /// never part of the error.
    pub fn set(&mut self, name: &str, value: &str, origin: Origin) -> Result<()> {
        if let Some(row) = name.strip_prefix(DETAIL) {
            return self.set_detail(row, value, &origin);
        }
        let Some(setting) = Setting::find(name) else {
            let (what, advice) = unknown("setting", name, |setting| match origin {
                Origin::CommandLine => format!("did you mean {}?", setting.option()),
                _ => format!("did you mean {}?", setting.name()),
            });
            return Err(Error::new(Status::BadSetting, what).advise(advice));
        };
        let text = match setting.kind().is_path() {
            true => value,
            false => value.trim(),
        };
        let text = self.checked(setting, text, &origin)?;
        if setting.is_secret() && origin == Origin::CommandLine && !text.is_empty() {
            let instead = match Setting::find(&format!("{name}_file")) {
                Some(file) => format!("{} or {}", file.option(), setting.variable()),
                None => setting.variable(),
            };
            self.warn(format!(
                "{} on the command line can be read by everybody on this machine: use {instead}",
                setting.option()
            ));
        }
        let counts = self.put(setting.name(), text, origin);
        if let Some(secret) = setting.name().strip_suffix("_file").filter(|_| counts) {
            // What was read from the former file counts no more.
            if self.values.get(secret).is_some_and(|value| value.read_from_file) {
                self.values.remove(secret);
            }
        }
        Ok(())
    }

    /// The value as it is kept, or an error that says what the setting takes.
    fn checked(&self, setting: &Setting, text: &str, origin: &Origin) -> Result<String> {
        let (name, kind) = (setting.name(), setting.kind());
        let bad = |what: String| {
            Error::new(Status::BadSetting, what)
                .at(place(setting, origin))
                .advise(format!("{name} takes {}", kind.takes()))
        };
        if text.is_empty() {
            let missing = matches!(origin, Origin::Ini { .. }) && !kind.is_list();
            return match setting.may_be_empty() && !missing {
                true => Ok(String::new()),
                false => Err(bad(format!("{name} has no value"))),
            };
        }
        kind.check(text).ok_or_else(|| {
            let shown: String = text.chars().take(SHOWN).collect();
            bad(match setting.is_secret() || (kind.is_address() && text.contains('@')) {
                true => format!("the value of {name} is impossible"),
                false => format!("{name} cannot be {shown:?}"),
            })
        })
    }

    /// The value in force, set or default; `None` if there is none or it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let setting = known(name)?;
        let text = match self.values.get(name) {
            Some(value) => value.text.as_str(),
            None => setting.default(),
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// Whether somebody set it, in whatever way; a default is not set.
    pub fn is_set(&self, name: &str) -> bool {
        let _ = known(name);
        self.values.get(name).is_some_and(|value| value.origin != Origin::Default)
    }

    /// Where the value in force came from; `None` if there is no value.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        match self.values.get(name) {
            Some(value) => Some(&value.origin),
            None => self.text(name).map(|_| &Origin::Default),
        }
    }

    /// The word of a setting that takes one of several; empty only if it has no default.
    pub fn choice(&self, name: &str) -> &str {
        self.text(name).unwrap_or("")
    }

    /// Whether a switch is on.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// A size in bytes.
    pub fn size(&self, name: &str) -> u64 {
        self.text(name).and_then(value::size).unwrap_or(0)
    }

    /// A whole number, also that of a pull request; `None` if there is none.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// A span of time.
    pub fn duration(&self, name: &str) -> Duration {
        self.text(name).and_then(value::duration).unwrap_or_default()
    }

    /// The items of a list: parted by commas, `\,` is a comma, blanks around items are dropped. In
    /// patterns a comma between braces parts nothing.
    pub fn list(&self, name: &str) -> Vec<String> {
        let patterns = known(name).is_some_and(|setting| setting.kind() == Kind::GlobList);
        self.text(name).map(|text| value::split_list(text, patterns)).unwrap_or_default()
    }

    /// The counts of the run's tests, if they were given.
    pub fn counts(&self) -> Option<Counts> {
        self.text("counts").and_then(Counts::parse)
    }

    /// How the run ended: as `verdict` says, else as follows from the counts; `None` if nobody
    /// said anything.
    pub fn verdict(&self) -> Option<&str> {
        match self.is_set("verdict") {
            true => self.text("verdict"),
            false => self.counts().map(|counts| counts.verdict()),
        }
    }

    /// A path; a relative one begins at the working directory.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// The values of all secrets in force, the passwords of proxies among them.
    pub fn secrets(&self) -> Vec<&str> {
        let secrets = Settings::table()
            .iter()
            .filter(|setting| setting.is_secret())
            .filter_map(|setting| self.text(setting.name()));
        let passwords = ["http_proxy", "https_proxy"].into_iter().filter_map(|name| {
            let full = self.text(name)?;
            let authority = full.split_once("://").map_or(full, |(_, rest)| rest);
            let (user, _) = authority.rsplit_once('@')?;
            Some(user.split_once(':')?.1).filter(|password| !password.is_empty())
        });
        secrets.chain(passwords).collect()
    }

    /// The value as it may be shown: a secret, and user and password of an address, are masked.
    pub fn shown(&self, name: &str) -> String {
        if let Some(row) = name.strip_prefix(DETAIL) {
            return self.detail(row).unwrap_or_default().to_owned();
        }
        let (Some(setting), Some(text)) = (known(name), self.text(name)) else {
            return String::new();
        };
        if setting.is_secret() {
            MASK.to_owned()
        } else if setting.kind().is_address() {
            url::without_user(text)
        } else {
            text.to_owned()
        }
    }

    /// Every value in force as it may be shown, and where it came from, in the order of the table.
    pub fn in_force(&self) -> Vec<(&'static str, String, Origin)> {
        Settings::table()
            .iter()
            .filter_map(|setting| {
                let origin = self.origin(setting.name())?.clone();
                Some((setting.name(), self.shown(setting.name()), origin))
            })
            .collect()
    }

    /// What the user should know about the settings and what stops nothing.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The working directory, if an environment was loaded; only then is a git checkout asked.
    pub fn working_directory(&self) -> Option<&Path> {
        self.environment.as_ref().map(Environment::working_directory)
    }

    fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Sets a value that is checked, unless a stronger one is set; whether it did.
    fn put(&mut self, name: &'static str, text: String, origin: Origin) -> bool {
        let counts = self.values.get(name).is_none_or(|value| value.origin.rank() <= origin.rank());
        if counts {
            self.replace(name, text, origin);
        }
        counts
    }

    /// Sets a value that is checked, whatever is set.
    fn replace(&mut self, name: &'static str, text: String, origin: Origin) {
        self.values.insert(name, Value { text, origin, read_from_file: false });
    }

    /// Whether it was set for this program, also to nothing.
    fn is_ours(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.origin.is_ours())
    }

    /// Where a setting was set, for an error.
    fn place(&self, name: &str) -> String {
        match (Setting::find(name), self.origin(name)) {
            (Some(setting), Some(origin)) => place(setting, origin),
            _ => name.to_owned(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in &self.values {
            map.entry(name, &(self.shown(name), &value.origin));
        }
        map.entry(&"details", &self.details()).finish()
    }
}

/// The setting of this name; asking for one that does not exist is a bug.
fn known(name: &str) -> Option<&'static Setting> {
    let setting = Setting::find(name);
    debug_assert!(setting.is_some(), "there is no setting {name}");
    setting
}

/// Where a value was given, as an error names it.
fn place(setting: &Setting, origin: &Origin) -> String {
    match origin {
        Origin::CommandLine => setting.option(),
        Origin::Api | Origin::Default => setting.name().to_owned(),
        other => other.to_string(),
    }
}

/// What to say of a name that does not exist, and what may be meant.
fn unknown(what: &str, name: &str, suggest: impl Fn(&Setting) -> String) -> (String, String) {
    let shown: String = name.chars().take(SHOWN).collect();
    let advice = match Setting::nearest(name) {
        Some(setting) => suggest(setting),
        None => "notify_pr settings lists all of them".to_owned(),
    };
    (format!("there is no {what} {shown}"), advice)
}
