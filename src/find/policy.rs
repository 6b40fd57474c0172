//! What the settings say about pull requests that are several, closed, or ahead of the commit.

use super::{Match, Relation};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::status::Status;

/// Whether the pull request gets a comment: `None` is yes, `Some` is the reason why not.
///
/// # Errors
/// `RefusedByPolicy` where `on_outdated` or `on_closed` is `fail`.
pub fn decide(settings: &Settings, commit: &str, of: &Match) -> Result<Option<String>> {
    let number = of.pull_request.number;
    let (setting, default, why) = match of.relation {
        Relation::Outdated => (
            "on_outdated",
            "comment",
            format!(
                "commit {commit} is no longer the head of pull request {number}, which is {} now",
                of.pull_request.head_sha
            ),
        ),
        Relation::Closed => ("on_closed", "skip", format!("pull request {number} is closed")),
        Relation::Merged => ("on_closed", "skip", format!("pull request {number} is merged")),
        _ => return Ok(None),
    };
    let choice = match settings.choice(setting) {
        "" => default,
        choice => choice,
    };
    match choice {
        "comment" => Ok(None),
        "fail" => {
            Err(Error::new(Status::RefusedByPolicy, format!("{why}, and `{setting} = fail`"))
                .at(of.pull_request.url.clone())
                .advise(format!("set `{setting} = comment` to have the comment all the same")))
        }
        _ => Ok(Some(format!("{why} (`{setting} = skip`)"))),
    }
}

/// A match that gets no comment, and why.
type Skipped = (Match, String);

/// The matches that get a comment, and those that do not, with the reason.
pub(super) fn apply(
    settings: &Settings,
    commit: &str,
    matches: Vec<Match>,
) -> Result<(Vec<Match>, Vec<Skipped>)> {
    let several = matches.len() > 1;
    if several && settings.choice("on_multiple") == "fail" {
        let numbers: Vec<_> =
            matches.iter().map(|each| format!("#{}", each.pull_request.number)).collect();
        return Err(Error::new(
            Status::Ambiguous,
            format!("commit {commit} belongs to several pull requests: {}", numbers.join(", ")),
        )
        .advise("give the number as `pull_request`, or set `on_multiple = all` or `first`"));
    }
    let (mut kept, mut skipped) = (Vec::new(), Vec::new());
    for each in matches {
        let reason = match decide(settings, commit, &each)? {
            // The lowest number: unlike the time of the last update it stays the same.
            None if settings.choice("on_multiple") == "first" && !kept.is_empty() => {
                Some("another pull request has the same commit (`on_multiple = first`)".to_owned())
            }
            reason => reason,
        };
        match reason {
            None => kept.push(each),
            Some(reason) => skipped.push((each, reason)),
        }
    }
    Ok((kept, skipped))
}
