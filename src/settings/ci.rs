//! What CI servers tell by their variables: one table, and the few lines that read it.

use std::fs::File;
use std::io::Read;

use serde_json::Value;

use super::environment::Environment;
use super::url::{Address, RepositoryAddress, web_host};
use super::{Origin, Settings, value};

/// A CI server, or one of its ways of building.
///
/// The fields are lists of templates in the order of preference. `{NAME}` is the value of a
/// variable, `{event:/a/b}` the value at that place (RFC 6901) of the JSON file that
/// `GITHUB_EVENT_PATH` names. A template counts if all its parts have a value; empty and `false`
/// are none.
struct System {
    name: &'static str,
    detected_by: &'static [(&'static str, Is)],
    commit: &'static [&'static str],
    pull_request: &'static [&'static str],
    repository: &'static [&'static str],
    build_url: &'static [&'static str],
    /// The page of the build that tested the commit.
    tested_by: &'static [&'static str],
    api_url: &'static [&'static str],
    server: &'static [&'static str],
    job: &'static [&'static str],
    branch: &'static [&'static str],
}

/// What a variable must be for a server to be detected.
enum Is {
    Set,
    Unset,
    OneOf(&'static [&'static str]),
}

/// Jenkins without anything that concerns pull requests; also what the other ways begin with.
const JENKINS: System = System {
    name: "Jenkins",
    detected_by: &[("JENKINS_URL", Is::Set), ("BUILD_ID", Is::Set)],
    commit: &["{GIT_COMMIT}"],
    pull_request: &[],
    repository: &["{GIT_URL}", "{GIT_URL_1}"],
    build_url: &["{BUILD_URL}"],
    tested_by: &["{BUILD_URL}"],
    api_url: &[],
    server: &["{JENKINS_URL}", "{BUILD_URL}"],
    job: &["{JOB_NAME}"],
    branch: &["{BRANCH_NAME}"],
};

/// GitHub Actions, for events that happen to a branch.
const ACTIONS: System = System {
    name: "GitHub Actions",
    detected_by: &[("GITHUB_ACTIONS", Is::Set), ("GITEA_ACTIONS", Is::Unset)],
    commit: &["{GITHUB_SHA}"],
    pull_request: &[],
    repository: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}", "{GITHUB_REPOSITORY}"],
    build_url: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"],
    tested_by: &["{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"],
    api_url: &["{GITHUB_API_URL}"],
    server: &["{GITHUB_SERVER_URL}"],
    job: &["{GITHUB_WORKFLOW}/{GITHUB_JOB}", "{GITHUB_JOB}", "{GITHUB_WORKFLOW}"],
    branch: &[],
};

/// The table. The first system that is detected counts.
static SYSTEMS: &[System] = &[
    System {
        // https://github.com/jenkinsci/ghprb-plugin. GIT_COMMIT and sha1 may be the test merge.
        name: "Jenkins (ghprb)",
        detected_by: &[("ghprbPullId", Is::Set)],
        commit: &["{ghprbActualCommit}"],
        pull_request: &["{ghprbPullId}"],
        repository: &["{ghprbPullLink}", "{ghprbGhRepository}"],
        ..JENKINS
    },
    System {
        // https://plugins.jenkins.io/github-branch-source. GIT_COMMIT may be a merge that was made
        // on the agent; its parents tell.
        name: "Jenkins (multibranch)",
        detected_by: &[("JENKINS_URL", Is::Set), ("CHANGE_ID", Is::Set)],
        pull_request: &["{CHANGE_ID}"],
        repository: &["{CHANGE_URL}", "{GIT_URL}"],
        ..JENKINS
    },
    JENKINS,
    System {
        // https://docs.github.com/actions/reference/events-that-trigger-workflows. GITHUB_SHA is
        // the test merge or the base branch.
        detected_by: &[
            ("GITHUB_ACTIONS", Is::Set),
            ("GITEA_ACTIONS", Is::Unset),
            (
                "GITHUB_EVENT_NAME",
                Is::OneOf(&[
                    "pull_request",
                    "pull_request_target",
                    "pull_request_review",
                    "pull_request_review_comment",
                ]),
            ),
        ],
        commit: &["{event:/pull_request/head/sha}"],
        pull_request: &["{event:/pull_request/number}", "{event:/number}", "{GITHUB_REF}"],
        ..ACTIONS
    },
    System {
        // Runs after another workflow; GITHUB_SHA is the default branch.
        detected_by: &[
            ("GITHUB_ACTIONS", Is::Set),
            ("GITEA_ACTIONS", Is::Unset),
            ("GITHUB_EVENT_NAME", Is::OneOf(&["workflow_run"])),
        ],
        commit: &["{event:/workflow_run/head_sha}"],
        pull_request: &["{event:/workflow_run/pull_requests/0/number}"],
        tested_by: &[
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{event:/workflow_run/id}",
        ],
        ..ACTIONS
    },
    ACTIONS,
];

/// The CI server of an environment, and what it says.
pub(super) struct Ci<'a> {
    system: &'static System,
    environment: &'a Environment,
    event: Option<Value>,
}

/// A value and the variable that it came from.
struct Found {
    text: String,
    variable: String,
}

impl<'a> Ci<'a> {
    fn detect(environment: &'a Environment) -> Option<Ci<'a>> {
        let holds = |(name, is): &(&str, Is)| match (variable(environment, name), is) {
            (found, Is::Set) => found.is_some(),
            (found, Is::Unset) => found.is_none(),
            (found, Is::OneOf(words)) => found.is_some_and(|word| words.contains(&word)),
        };
        let system = SYSTEMS.iter().find(|system| system.detected_by.iter().all(holds))?;
        Some(Ci { system, environment, event: None })
    }

    /// The commit that is checked out and the page of the build that tests it; empty is unknown.
    pub(super) fn of_run(environment: &'a Environment) -> Option<(String, String)> {
        let mut ci = Ci::detect(environment)?;
        // What is wrong with the event is told where the settings are settled.
        ci.read_event();
        let text = |found: Option<(String, String)>| found.unwrap_or_default().0;
        let page = |url: &str| value::Kind::UrlOrCi.check(url);
        Some((
            text(ci.first(ci.system.commit, value::commit)),
            text(ci.first(ci.system.tested_by, page)),
        ))
    }

    /// Reads the event file if a template of the system speaks of it; says what is wrong with it.
    fn read_event(&mut self) -> Option<String> {
        let templates = [self.system.commit, self.system.pull_request].concat();
        if !templates.iter().any(|template| template.contains("{event:")) {
            return None;
        }
        let system = self.system.name;
        let Some(path) = self.environment.raw("GITHUB_EVENT_PATH") else {
            return Some(format!("{system} gives no GITHUB_EVENT_PATH, so its event is unknown"));
        };
        let place = self.environment.working_directory().join(path);
        let mut bytes = Vec::new();
        let read = File::open(&place).and_then(|file| file.take(64 << 20).read_to_end(&mut bytes));
        let problem = match (read, serde_json::from_slice(&bytes)) {
            (Err(error), _) => error.to_string(),
            (Ok(_), Err(error)) => error.to_string(),
            (Ok(_), Ok(event)) => {
                self.event = Some(event);
                return None;
            }
        };
        Some(format!("the event of {system} cannot be read from {}: {problem}", place.display()))
    }

    /// The first of the templates that has a value which `read` accepts.
    fn first<T>(
        &self,
        templates: &[&str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<(T, String)> {
        templates.iter().find_map(|template| {
            let found = self.fill(template)?;
            Some((read(&found.text)?, found.variable))
        })
    }

    fn fill(&self, template: &str) -> Option<Found> {
        let mut text = String::new();
        let mut variables = Vec::new();
        for piece in template.split_inclusive('}') {
            let Some((before, name)) = piece.strip_suffix('}').and_then(|p| p.split_once('{'))
            else {
                text.push_str(piece);
                continue;
            };
            text.push_str(before);
            if let Some(pointer) = name.strip_prefix("event:") {
                text.push_str(&match self.event.as_ref()?.pointer(pointer)? {
                    Value::String(string) => string.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                });
                variables.push("GITHUB_EVENT_PATH");
            } else {
                text.push_str(variable(self.environment, name)?);
                variables.push(name);
            }
        }
        // The last one is the particular one: the repository rather than the server's address.
        Some(Found { text, variable: (*variables.last()?).to_owned() })
    }

    fn origin(&self, variable: String) -> Origin {
        Origin::Ci { system: self.system.name.to_owned(), variable }
    }

    /// The host of the server and the name of the job, without a last part that names the branch:
    /// a job of many branches is one context.
    fn context(&self) -> Option<(String, String)> {
        let (job, name) = self.first(self.system.job, |job| Some(job.to_owned()))?;
        let branch = self.first(self.system.branch, |branch| Some(branch.replace('/', "%2F")));
        let job = match (job.rsplit_once('/'), branch) {
            (Some((job, last)), Some((branch, _))) if last.eq_ignore_ascii_case(&branch) => job,
            _ => job.as_str(),
        };
        let host = |url: &str| Address::parse(url).map(|address| address.host.to_owned());
        Some(match self.first(self.system.server, host) {
            Some((host, _)) => (format!("{host}/{job}"), name),
            None => (job.to_owned(), name),
        })
    }
}

/// The value of a CI server's variable; `false` means none, as in `CHANGE_ID=false`.
fn variable<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.text(name).filter(|value| !value.eq_ignore_ascii_case("false"))
}

/// The number in `42`, `refs/pull/42/merge` or `https://github.com/owner/repo/pull/42`.
fn pull_number(text: &str) -> Option<String> {
    let digits = match text.split_once("/pull/") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(""),
        None => text,
    };
    let number: u32 = digits.parse().ok().filter(|number| *number > 0)?;
    Some(number.to_string())
}

impl Settings {
    /// Takes what the CI server says for everything that nobody said better.
    ///
    /// The commit and the pull request are hints, and only if the CI server built the repository
    /// that the report is for: the commit may also be built from a fork or a mirror of the same
    /// name, the number must be of the very repository.
    pub(super) fn take_ci(&mut self, environment: &Environment) {
        let Some(mut ci) = Ci::detect(environment) else {
            return self.take_build_url(None);
        };
        if let Some(warning) = ci.read_event() {
            self.warn(warning);
        }
        let system = ci.system;
        if let Some((api_url, variable)) = ci.first(system.api_url, |url| Some(url.to_owned())) {
            self.take_hint("api_url", api_url, ci.origin(variable));
        }
        if let Some((context, variable)) = ci.context() {
            self.take_hint("context", context, ci.origin(variable));
        }
        self.take_build_url(Some(&ci));

        let built = ci.first(system.repository, RepositoryAddress::parse);
        let host = self.text("api_url").and_then(web_host);
        let on_github = |built: &RepositoryAddress| {
            built.host.is_empty() || host.as_ref().is_none_or(|host| *host == built.host)
        };
        if let Some((built, variable)) = &built {
            let same = |name, value: &str| {
                self.text(name).is_none_or(|ours| ours.eq_ignore_ascii_case(value))
            };
            if on_github(built) && same("owner", &built.owner) && same("repo", &built.repo) {
                self.take_hint("owner", built.owner.clone(), ci.origin(variable.clone()));
                self.take_hint("repo", built.repo.clone(), ci.origin(variable.clone()));
            }
        }
        let built = built.map(|(built, _)| built);
        let is = |name, value: &str| {
            self.text(name).is_some_and(|ours| ours.eq_ignore_ascii_case(value))
        };
        let related = built.as_ref().is_none_or(|built| is("repo", &built.repo));
        let same = built
            .as_ref()
            .is_none_or(|built| related && is("owner", &built.owner) && on_github(built));
        if !related {
            if let (Some(built), Some(repo)) = (&built, self.text("repo")) {
                self.warn(format!(
                    "{} built {}/{}, not {repo}: its commit and pull request are not used",
                    system.name, built.owner, built.repo
                ));
            }
            return;
        }
        if let Some((commit, variable)) = ci.first(system.commit, value::commit) {
            self.take_hint("commit", commit, ci.origin(variable));
        }
        let number = ci.first(system.pull_request, pull_number).filter(|_| same);
        // auto is an empty value and leaves room for the hint.
        if let (Some((number, variable)), None) = (number, self.text("pull_request")) {
            self.replace("pull_request", number, ci.origin(variable));
        }
    }

    /// Puts the CI server's own address in place of `build_url = ci`.
    fn take_build_url(&mut self, ci: Option<&Ci<'_>>) {
        if self.text("build_url") != Some("ci") {
            return;
        }
        let build_url = value::Kind::UrlOrCi;
        let found = ci.and_then(|ci| {
            let (url, variable) = ci.first(ci.system.build_url, |url| build_url.check(url))?;
            Some((url, ci.origin(variable)))
        });
        match found {
            Some((url, origin)) => self.replace("build_url", url, origin),
            None => {
                self.warn("build_url is ci, but no CI server gives the address of its build");
                self.replace("build_url", String::new(), Origin::Default);
            }
        }
    }

    fn take_hint(&mut self, name: &str, text: String, origin: Origin) {
        let place = origin.to_string();
        if let Err(error) = self.set(name, &text, origin) {
            self.warn(format!("{place} is not used: {}", error.what()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_numbered_in_every_form() {
        for text in
            ["42", "refs/pull/42/merge", "https://github.com/apache/cloudstack/pull/42/files"]
        {
            assert_eq!(pull_number(text).as_deref(), Some("42"), "{text}");
        }
        for text in ["0", "-1", "refs/heads/main", "MR-42", "/pull/", "4294967296"] {
            assert_eq!(pull_number(text), None, "{text}");
        }
    }

    #[test]
    fn every_template_of_the_table_is_well_formed() {
        for system in SYSTEMS {
            let lists = [
                system.commit,
                system.pull_request,
                system.repository,
                system.build_url,
                system.tested_by,
                system.api_url,
                system.server,
                system.job,
                system.branch,
            ];
            for template in lists.concat() {
                let (open, close) = (template.matches('{').count(), template.matches('}').count());
                assert!(open > 0 && open == close, "{}: {template}", system.name);
            }
            assert!(!system.detected_by.is_empty() && !system.repository.is_empty());
        }
    }
}
