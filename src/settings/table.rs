//! The one table: every setting once, in chapters. The help of the command, `notify_pr settings`,
//! the example INI and every check are drawn from it.

use once_cell::sync::Lazy;

use super::value::Kind;
use crate::status::Stage;

mod comment;
mod files;
mod github;
mod machine;
mod report;
mod store;

/// A group of settings, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    /// Which repository, commit and pull request, and with which token.
    GitHub,
    /// What the report says.
    Report,
    /// Which files go along.
    Files,
    /// Where the files go.
    Store,
    /// What the comment looks like.
    Comment,
    /// What to do when things are not as they should be.
    Policy,
    /// Proxies, certificates and time limits.
    Network,
    /// What happens on this machine.
    Local,
}

impl Chapter {
    /// The heading under which the settings stand.
    pub const fn title(self) -> &'static str {
        match self {
            Chapter::GitHub => "GitHub",
            Chapter::Report => "Report",
            Chapter::Files => "Files",
            Chapter::Store => "Store",
            Chapter::Comment => "Comment",
            Chapter::Policy => "Policy",
            Chapter::Network => "Network",
            Chapter::Local => "Local",
        }
    }
}

/// One setting: the same name in the INI, as an option, as a variable and in every language.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    name: &'static str,
    chapter: Chapter,
    kind: Kind,
    default: &'static str,
    needed_by: &'static [Stage],
    only_for: Option<(&'static str, &'static [&'static str])>,
    help: &'static str,
    more: &'static str,
    example: &'static str,
}

impl Setting {
    const fn new(
        name: &'static str,
        chapter: Chapter,
        kind: Kind,
        help: &'static str,
        more: &'static str,
    ) -> Setting {
        Setting {
            name,
            chapter,
            kind,
            default: "",
            needed_by: &[],
            only_for: None,
            help,
            more,
            example: "",
        }
    }

    const fn default_value(mut self, value: &'static str) -> Setting {
        self.default = value;
        self
    }

    const fn example_value(mut self, value: &'static str) -> Setting {
        self.example = value;
        self
    }

    const fn needed_by_stages(mut self, stages: &'static [Stage]) -> Setting {
        self.needed_by = stages;
        self
    }

    const fn needed_only_for(
        mut self,
        name: &'static str,
        values: &'static [&'static str],
    ) -> Setting {
        self.only_for = Some((name, values));
        self
    }

    /// The name as it stands in the INI.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name as an option of the command: `--full-detail-dir`.
    pub fn option(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The name as an environment variable: `NOTIFY_PR_FULL_DETAIL_DIR`.
    pub fn variable(&self) -> String {
        format!("NOTIFY_PR_{}", self.name.to_ascii_uppercase())
    }

    /// The group to which it belongs.
    pub fn chapter(&self) -> Chapter {
        self.chapter
    }

    /// What values it takes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value that holds when nobody sets one; empty if there is none.
    pub fn default(&self) -> &'static str {
        self.default
    }

    /// Whether its value is never shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Token | Kind::Secret)
    }

    /// The stages that cannot do without it.
    pub fn needed_by(&self) -> &'static [Stage] {
        self.needed_by
    }

    /// Another setting and its values for which alone this one is needed.
    pub fn only_for(&self) -> Option<(&'static str, &'static [&'static str])> {
        self.only_for
    }

    /// One line that says what it is.
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// Whole sentences that say the rest.
    pub fn more(&self) -> &'static str {
        self.more
    }

    /// A value for the example INI: the default, or an invented one.
    pub fn example(&self) -> &'static str {
        if self.example.is_empty() { self.default } else { self.example }
    }

    /// The setting of this name.
    pub fn find(name: &str) -> Option<&'static Setting> {
        all().iter().find(|setting| setting.name == name)
    }

    /// The setting whose name is most like this one, if any is like it at all.
    pub fn nearest(name: &str) -> Option<&'static Setting> {
        let typed = name.trim_matches('-').to_ascii_lowercase().replace(['-', ' ', '.'], "_");
        let wanted = typed.strip_prefix("notify_pr_").unwrap_or(&typed);
        let (setting, distance) = all()
            .iter()
            .map(|setting| (setting, distance(wanted, setting.name)))
            .min_by_key(|(_, distance)| *distance)?;
        (distance <= setting.name.len().div_ceil(3)).then_some(setting)
    }

    pub(super) fn may_be_empty(&self) -> bool {
        self.default.is_empty() || self.kind.is_list()
    }
}

static ALL: Lazy<Vec<Setting>> = Lazy::new(|| {
    [github::TABLE, report::TABLE, files::TABLE, store::TABLE, comment::TABLE, machine::TABLE]
        .concat()
});

/// The table, chapter by chapter.
pub(super) fn all() -> &'static [Setting] {
    &ALL
}

/// How many letters must be changed, added, removed or swapped with their neighbour to make one
/// word of the other (the optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j - 1] + change).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_complete_and_unique() {
        let mut names = std::collections::BTreeSet::new();
        let mut chapter = Chapter::GitHub;
        for setting in all() {
            let name = setting.name();
            assert!(names.insert(name), "{name} is defined twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert!(chapter <= setting.chapter(), "{name} stands outside its chapter");
            chapter = setting.chapter();
            let help = setting.help();
            assert!(!help.is_empty() && help.len() <= 80 && !help.ends_with('.'), "{name}: {help}");
            assert!(setting.more().is_empty() || setting.more().ends_with('.'), "{name}");
            assert!(!setting.example().is_empty(), "{name} has no example");
            let example = setting.kind().check(setting.example());
            assert!(example.is_some(), "{name}: the example is impossible");
            if !setting.default().is_empty() {
                let kept = setting.kind().check(setting.default());
                assert_eq!(kept.as_deref(), Some(setting.default()), "{name}: the default");
            }
            if let Some((other, values)) = setting.only_for() {
                let other = Setting::find(other).expect(name);
                assert!(values.iter().all(|value| other.kind().check(value).is_some()), "{name}");
            }
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_a_strange_one_has_none() {
        for (typed, meant) in [
            ("tokn", "token"),
            ("onwer", "owner"),
            ("full-detail-dir", "full_detail_dir"),
            ("Summary File", "summary_file"),
            ("store_secrets", "store_secret"),
            ("--jbos", "jobs"),
        ] {
            assert_eq!(Setting::nearest(typed).map(Setting::name), Some(meant), "{typed}");
        }
        assert!(Setting::nearest("xylophone_quartet").is_none());
        assert!(Setting::nearest("").is_none());
    }
}
