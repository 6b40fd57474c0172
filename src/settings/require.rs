//! What a stage cannot do without.

use super::Settings;
use super::table::Setting;
use super::value::Kind;
use crate::error::{Error, Result};
use crate::status::{Stage, Status};

impl Settings {
    /// Checks that everything is set that the stage needs.
    ///
    /// The commit is not needed where the number of the pull request is given, and nothing that
    /// concerns GitHub where `pull_request` is `none`; what a store needs depends on `store_api`.
    ///
    /// # Errors
    /// One error that names everything that is missing and the ways to give it.
    pub fn require(&self, stage: Stage) -> Result<()> {
        let missing: Vec<&Setting> = Settings::table()
            .iter()
            .filter(|setting| setting.needed_by().contains(&stage))
            .filter(|setting| self.text(setting.name()).is_none() && self.needs(setting, stage))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = missing.iter().map(|setting| self.name_missing(setting)).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let ways: Vec<String> = missing.iter().map(|setting| self.ways(setting)).collect();
        Err(Error::new(Status::BadSetting, format!("{} {verb} not set", names.join(", ")))
            .advise(ways.join("; "))
            .in_stage(stage))
    }

    /// Whether the setting is needed as the others stand.
    fn needs(&self, setting: &Setting, stage: Stage) -> bool {
        let pull_request = self.text("pull_request");
        if pull_request == Some("none") && matches!(stage, Stage::Find | Stage::Post) {
            return false;
        }
        if setting.name() == "commit" && self.count("pull_request").is_some() {
            return false;
        }
        setting.only_for().is_none_or(|(other, values)| {
            self.text(other).is_some_and(|value| values.contains(&value))
        })
    }

    /// The name, and where it was set to nothing.
    fn name_missing(&self, setting: &Setting) -> String {
        match self.values.get(setting.name()) {
            Some(value) => format!("{} (empty: {})", setting.name(), value.origin),
            None => setting.name().to_owned(),
        }
    }

    /// How a setting can be given; a secret never as an option of its own.
    fn ways(&self, setting: &Setting) -> String {
        let (name, variable) = (setting.name(), setting.variable());
        let file = Setting::find(&format!("{name}_file"));
        // A commit that looks real would only be copied.
        let value = match (setting.kind(), self.text("store_api")) {
            (Kind::Commit, _) => setting.kind().placeholder(),
            (Kind::Endpoint, Some("directory")) => "/srv/www/logs",
            (Kind::Endpoint, Some("swift")) => "https://keystone.example.org/v3",
            _ => setting.example(),
        };
        match (setting.is_secret(), file) {
            (true, Some(file)) => format!(
                "give {name} as {name} = … in the INI, as a file with {}, or in {variable}",
                file.option()
            ),
            (true, None) => format!("give {name} as {name} = … in the INI, or in {variable}"),
            (false, _) => format!(
                "give {name} as {name} = {} in the INI, {} or {variable}",
                value,
                setting.option()
            ),
        }
    }
}
