//! A lab that reports to a GitHub stand-in.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::{Arc, Mutex};

use notify_pr::compose::marker::Marker;
use notify_pr::error::Error;
use notify_pr::events::{Event, Events};
use notify_pr::find::{Found, Match, Relation, find};
use notify_pr::github::GitHub;
use notify_pr::post::{Posted, post};
use notify_pr::settings::{Origin, Settings};
use notify_pr::submission::{Cancel, Submission};

pub const REPOSITORY: &str = "apache/cloudstack";
pub const TOKEN: &str = "lab-token";

/// A submission and what was said during it.
pub struct Lab {
    pub submission: Submission,
    said: Arc<Mutex<Vec<Event>>>,
}

/// A github.com with the repository and the lab's account.
pub fn github() -> (stand_ins::GitHub, stand_ins::Repository) {
    let github = stand_ins::GitHub::start();
    github.token(TOKEN).login("lab-bot").scopes(&["public_repo"]);
    let repository = github.repository("apache", "cloudstack");
    (github, repository)
}

impl Lab {
    /// A submission for a commit; `changes` come after the usual settings.
    pub fn new(github: &stand_ins::GitHub, commit: &str, changes: &[(&str, &str)]) -> Lab {
        let mut settings = Settings::new();
        let url = github.url();
        let usual = [
            ("api_url", url.as_str()),
            ("owner", "apache"),
            ("repo", "cloudstack"),
            ("token", TOKEN),
            ("context", "kvm"),
            ("timeout", "30s"),
            ("commit", commit),
        ];
        for (name, value) in usual.iter().chain(changes) {
            settings.set(name, value, Origin::Api).expect("a valid setting");
        }
        Lab::with(settings)
    }

    pub fn with(settings: Settings) -> Lab {
        let said = Arc::new(Mutex::new(Vec::new()));
        let events = Events::new();
        let heard = Arc::clone(&said);
        events.add_reader(move |event: &Event| heard.lock().unwrap().push(event.clone()));
        let submission = Submission::new(settings, Arc::new(events), Cancel::new()).unwrap();
        Lab { submission, said }
    }

    pub fn find(&self) -> Result<Found, Error> {
        find(&self.submission, &GitHub::new(&self.submission)?)
    }

    pub fn warnings(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter()
            .filter_map(|event| match event {
                Event::Warning(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn said(&self) -> Vec<Event> {
        self.said.lock().unwrap().clone()
    }

    /// Finds, and posts this text to the first pull request found.
    pub fn report(&self, text: &str) -> Result<Posted, Error> {
        let github = GitHub::new(&self.submission)?;
        let found = find(&self.submission, &github)?;
        self.report_on(&github, &found, text).map(|(_, posted)| posted)
    }

    /// Posts this text to the first pull request found.
    pub fn report_on(
        &self,
        github: &GitHub<'_>,
        found: &Found,
        text: &str,
    ) -> Result<(Match, Posted), Error> {
        let compose = |of: &Match| {
            Ok(format!("{text} ({:?})\n\n{}", of.relation, self.marker(&found.commit).line()))
        };
        post(&self.submission, github, found, &found.matches[0], &compose)
    }

    pub fn marker(&self, commit: &str) -> Marker {
        Marker {
            context: self.submission.settings.text("context").unwrap().to_owned(),
            submission: self.submission.id.clone(),
            commit: commit.to_owned(),
            started: self.submission.started,
        }
    }
}

/// Numbers and relations of what was found.
pub fn matches(found: &Found) -> Vec<(u64, Relation)> {
    found.matches.iter().map(|each| (each.pull_request.number, each.relation.clone())).collect()
}

/// Methods and paths of the requests so far.
pub fn requests(github: &stand_ins::GitHub) -> Vec<String> {
    github.requests().iter().map(|each| format!("{} {}", each.method, each.path())).collect()
}
