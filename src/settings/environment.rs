//! Environment variables: ours, and those that other programs share with us.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::table::Setting;
use super::url::Address;
use super::{Origin, Settings, unknown};
use crate::error::{Error, Result};
use crate::status::Status;

/// What the variables of this program begin with.
const OURS: &str = "NOTIFY_PR_";

/// Names with our beginning that are no settings: where the bindings find the library, which INI
/// the command reads, and whatever tests need.
const NO_SETTINGS: &[&str] = &["NOTIFY_PR_LIBRARY", "NOTIFY_PR_CONFIG"];
const TESTS: &str = "NOTIFY_PR_TEST_";

/// A copy of a process's variables and its working directory.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    working_directory: PathBuf,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values hold secrets of all kinds of programs.
        f.debug_struct("Environment")
            .field("variables", &self.variables.len())
            .field("working_directory", &self.working_directory)
            .finish()
    }
}

impl Environment {
    /// The variables and the working directory of this process as they are now.
    pub fn of_process() -> Environment {
        Environment {
            variables: std::env::vars_os().collect(),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        }
    }

    /// An environment of these variables, with this working directory.
    pub fn from_pairs<N: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
        working_directory: impl Into<PathBuf>,
    ) -> Environment {
        Environment {
            variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            working_directory: working_directory.into(),
        }
    }

    /// The working directory.
    pub fn working_directory(&self) -> &Path {
        &self.working_directory
    }

    /// The value of a variable, whatever its bytes; `None` if it is not set or empty.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }

    /// The value of a variable without blanks at its ends; `None` if it is not set, empty, or not
    /// UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).and_then(OsStr::to_str).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The first of these variables that has a value, and the value.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &str)> {
        names.iter().find_map(|name| self.text(name).map(|value| (*name, value)))
    }
}

impl Settings {
    /// Takes the variables `NOTIFY_PR_*`, and remembers the rest for [`Settings::settle`].
    ///
    /// An empty variable is as if it were not set.
    ///
    /// # Errors
    /// `BadSetting` for an unknown name or an impossible value, `BadText` for a value that is not
    /// UTF-8. The value itself is in no message if it is secret.
    pub fn load_environment(&mut self, environment: &Environment) -> Result<()> {
        for (variable, value) in &environment.variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(name) = variable.strip_prefix(OURS) else { continue };
            if NO_SETTINGS.contains(&variable) || variable.starts_with(TESTS) || value.is_empty() {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if Setting::find(&name).is_none_or(|setting| setting.variable() != variable) {
                let (what, advice) = unknown("variable", variable, |setting| {
                    format!("did you mean {}?", setting.variable())
                });
                return Err(Error::new(Status::BadSetting, what).advise(advice));
            }
            let Some(value) = value.to_str() else {
                return Err(Error::new(Status::BadText, "the value is not UTF-8")
                    .at(variable)
                    .advise("set it to text in UTF-8"));
            };
            self.set(&name, value, Origin::Environment { variable: variable.to_owned() })?;
        }
        self.environment = Some(environment.clone());
        Ok(())
    }

    /// Takes the proxies that other programs use, unless a proxy was set for us.
    pub(super) fn take_proxies(&mut self, environment: &Environment) {
        if self.is_ours("http_proxy") || self.is_ours("https_proxy") {
            return;
        }
        // A CGI program sees the request's header "Proxy" as HTTP_PROXY: https://httpoxy.org.
        let http: &[&str] = match environment.raw("REQUEST_METHOD") {
            Some(_) => &["http_proxy"],
            None => &["http_proxy", "HTTP_PROXY"],
        };
        for (name, variables) in [
            ("http_proxy", http),
            ("https_proxy", &["https_proxy", "HTTPS_PROXY"]),
            ("no_proxy", &["no_proxy", "NO_PROXY"]),
        ] {
            if let Some((variable, value)) = environment.first(variables) {
                self.take_from_other(name, variable, value);
            }
        }
    }

    /// Takes `GITHUB_TOKEN` or `GH_TOKEN` for the servers that they are meant for.
    pub(super) fn take_token(&mut self, environment: &Environment) {
        if self.is_ours("token") || self.is_ours("token_file") {
            return;
        }
        let Some((variable, value)) = environment.first(&["GITHUB_TOKEN", "GH_TOKEN"]) else {
            return;
        };
        let host = |url: &str| {
            Address::parse(url).map(|address| (address.host.to_ascii_lowercase(), address.port))
        };
        let asked = self.text("api_url").and_then(host);
        let theirs = environment.text("GITHUB_API_URL").and_then(host);
        let github = Some(("api.github.com".to_owned(), None));
        if asked == theirs || asked == github {
            self.take_from_other("token", variable, value);
        } else {
            self.warn(format!(
                "{variable} is not used, because it is not meant for the server of api_url: set \
                 NOTIFY_PR_TOKEN or token_file"
            ));
        }
    }

    /// Takes `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org/specs/source-date-epoch>).
    pub(super) fn take_fixed_time(&mut self, environment: &Environment) {
        if let Some((variable, value)) = environment.first(&["SOURCE_DATE_EPOCH"]) {
            self.take_from_other("source_date_epoch", variable, value);
        }
    }

    /// Sets a value of another program; one that is impossible here is not our user's fault.
    pub(super) fn take_from_other(&mut self, name: &str, variable: &str, value: &str) {
        let origin = Origin::OtherProgram { variable: variable.to_owned() };
        if let Err(error) = self.set(name, value, origin) {
            self.warn(format!("{variable} is not used: {}", error.what()));
        }
    }

    /// The user's folder for what programs keep between runs.
    pub(super) fn default_outbox(&self) -> String {
        let environment = self.environment.as_ref();
        let absolute = |name: &str| {
            let path = environment.and_then(|environment| environment.raw(name))?;
            Some(PathBuf::from(path)).filter(|path| path.is_absolute())
        };
        // https://specifications.freedesktop.org/basedir-spec: relative paths do not count.
        let state = if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else {
            absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
        };
        let folder = state.map(|state| state.join("notify_pr").join("outbox"));
        match folder.as_deref().and_then(Path::to_str) {
            Some(folder) => folder.to_owned(),
            None => "notify_pr-outbox".to_owned(),
        }
    }
}
