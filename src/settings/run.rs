//! What a process knows of the run that it is part of, to tell one run from another.

use serde::{Deserialize, Serialize};

use super::ci::Ci;
use super::{Settings, url};

/// A run as one of its processes knows it; what is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    /// `owner/name`.
    pub(crate) repository: String,
    /// The commit in force, perhaps only its beginning.
    pub(crate) commit: String,
    /// Whether somebody named the commit to us, instead of the CI server or git.
    pub(crate) given: bool,
    /// The commit that the CI server checked out, of whatever repository.
    pub(crate) checked_out: String,
    /// The address of the build as the CI server says it.
    pub(crate) build: String,
    /// The address of the build as somebody named it to us.
    pub(crate) build_url: String,
}

impl Settings {
    /// What the settings, the environment and the git checkout say of the run. No secret is read,
    /// and what is wrong with the settings is told elsewhere.
    pub(crate) fn run(&self) -> Run {
        let mut known = self.clone();
        // Contradictions of owner and repo stop a submission; here they make the owner unknown.
        let _ = known.part_repository();
        let environment = known.environment.clone().unwrap_or_default();
        known.take_ci(&environment);
        known.take_checkout();
        let text = |name| known.text(name).unwrap_or_default().to_owned();
        let mut run =
            Run { commit: text("commit"), given: known.is_ours("commit"), ..Run::default() };
        if let (Some(owner), Some(repo)) = (known.text("owner"), known.text("repo")) {
            run.repository = format!("{owner}/{repo}");
        }
        if known.is_ours("build_url") {
            run.build_url = url::without_user(&text("build_url"));
        }
        if let Some((commit, build)) = Ci::of_run(&environment) {
            run.checked_out = commit;
            run.build = url::without_user(&build);
        }
        run
    }
}

impl Run {
    /// The same with secrets masked, should one be in an address.
    pub(crate) fn masked(self, mask: impl Fn(&str) -> String) -> Run {
        Run { build: mask(&self.build), build_url: mask(&self.build_url), ..self }
    }

    /// Whether a part of this run cannot be of the run that a report is made of.
    pub(crate) fn contradicts(&self, report: &Run) -> bool {
        self.differs_in_commit(report) || self.differs_in_build(report)
    }

    fn differs_in_commit(&self, report: &Run) -> bool {
        let known = !self.commit.is_empty() && !report.commit.is_empty();
        if !known || same_commit(&self.commit, &report.commit) {
            return false;
        }
        if self.given && report.given {
            return true;
        }
        // A CI server may have checked out the repository of its scripts, and one process may know
        // better than another what is tested.
        let meet = any_pair(self.commits(), report.commits(), same_commit);
        !meet && (self.given || self.is_of_the_repository_of(report))
    }

    /// Whether both builds are known and not the same.
    pub(crate) fn differs_in_build(&self, report: &Run) -> bool {
        // A report may be submitted by another build, which then names the build that it is of.
        let meet = any_pair(self.builds(), report.builds(), same_page);
        // One server may have an inner and a public address, which cannot be compared.
        let differ = |one: &str, two: &str| !one.is_empty() && !two.is_empty();
        !meet && (differ(&self.build, &report.build) || differ(&self.build_url, &report.build_url))
    }

    /// Whether it is of this commit, or of one that begins or goes on like this.
    pub(crate) fn is_of(&self, commit: &str) -> bool {
        same_commit(&self.commit, commit)
    }

    /// Also of forks of it.
    fn is_of_the_repository_of(&self, report: &Run) -> bool {
        let name = |run: &Run| run.repository.rsplit('/').next().map(str::to_lowercase);
        let unknown = self.repository.is_empty() || report.repository.is_empty();
        unknown || name(self) == name(report)
    }

    fn commits(&self) -> [&str; 2] {
        [&self.commit, &self.checked_out]
    }

    fn builds(&self) -> [&str; 2] {
        [&self.build, &self.build_url]
    }
}

fn any_pair(ones: [&str; 2], others: [&str; 2], are: fn(&str, &str) -> bool) -> bool {
    ones.iter().any(|one| others.iter().any(|other| are(one, other)))
}

/// Whether one may be short for the other.
fn same_commit(one: &str, other: &str) -> bool {
    let most = one.len().min(other.len());
    let beginnings = one.get(..most).zip(other.get(..most));
    most > 0 && beginnings.is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
}

fn same_page(one: &str, other: &str) -> bool {
    !one.is_empty() && one.trim_end_matches('/') == other.trim_end_matches('/')
}
