//! What went wrong, where, and what to do about it; never with a secret in it.

use std::fmt;

use crate::status::{Stage, Status};

/// Why something could not be done.
///
/// `Display` gives the one line that a user reads: place, what was wrong, what to do, and the
/// cause. Whoever makes an `Error` keeps secrets out of every part of it; URLs are given without
/// user information and without query values.
#[derive(Debug)]
pub struct Error {
    status: Status,
    stage: Option<Stage>,
    what: String,
    place: Option<String>,
    advice: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything that can fail for a reason that a user should read.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given status; `what` says what was wrong, without a full stop.
    pub fn new(status: Status, what: impl Into<String>) -> Error {
        Error { status, stage: None, what: what.into(), place: None, advice: None, source: None }
    }

    /// Adds where it happened: `file:line`, a path, or a URL without secrets.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Error {
        self.place = Some(place.into());
        self
    }

    /// Adds what the user can do, as a sentence without a full stop.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Error {
        self.advice = Some(advice.into());
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// Says in which stage it happened, unless that is known already.
    #[must_use]
    pub fn in_stage(mut self, stage: Stage) -> Error {
        self.stage.get_or_insert(stage);
        self
    }

    /// The same error with every text rewritten, such as by a redactor.
    #[must_use]
    pub fn map_text(self, rewrite: impl Fn(&str) -> String) -> Error {
        Error {
            status: self.status,
            stage: self.stage,
            what: rewrite(&self.what),
            place: self.place.as_deref().map(&rewrite),
            advice: self.advice.as_deref().map(&rewrite),
            source: self.source.map(|source| rewrite(&source.to_string()).into()),
        }
    }

    /// The status, which is also the exit status of the command.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The stage in which it happened, or `None` before the first one.
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// What was wrong, without place and advice.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where it happened.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What the user can do.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
