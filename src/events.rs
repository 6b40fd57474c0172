//! The one stream of what happens during a submission.
//!
//! Progress, the receipt, the counts of requests and, later, the journal are readers of this
//! stream. A reader is called on the thread that does the work, before that thread goes on: when
//! [`Events::emit`] returns from [`Event::StepDone`], every reader has taken note of the step,
//! and only then does the next effect happen.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use once_cell::sync::OnceCell;

use crate::redact::Redactor;
use crate::status::Stage;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A stage begins.
    StageBegins(Stage),
    /// The plan is made: so many files, so many bytes will be sent.
    Planned {
        /// How many objects the plan holds, without the pages.
        files: u64,
        /// Their size together in bytes.
        bytes: u64,
    },
    /// So many bytes more were sent to the store. A retry sends bytes again: see `Unsent`.
    Sent(u64),
    /// So many bytes that were counted as sent will be sent again.
    Unsent(u64),
    /// An object is in the store.
    Stored {
        /// The name as it is shown.
        name: String,
        /// The size in bytes.
        size: u64,
    },
    /// Something that was wanted will not be in the store.
    Missing {
        /// The name as it is shown.
        name: String,
        /// Why, as it is shown in the comment.
        reason: String,
    },
    /// A request was sent to a host.
    Request {
        /// The host, with a port that is not the scheme's own.
        host: String,
    },
    /// Something that the user should know and that stops nothing.
    Warning(String),
    /// What is being done now, in words.
    Note(String),
    /// An effect outside this process is complete.
    StepDone(Step),
}

/// An effect outside this process. These are the points at which a crash leaves something behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An object was put into the store under this key.
    Stored(String),
    /// The pages are in the store.
    Published,
    /// The comment on this pull request is made, renewed, or left as it was.
    Commented {
        /// The number of the pull request.
        pull_request: u64,
        /// The address of the comment.
        url: String,
    },
}

/// One who wants to know what happens. It is called from several threads, one at a time.
pub trait Reader: Send {
    /// Takes note of an event. It must not block for long and must not emit events.
    fn read(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Reader for F {
    fn read(&mut self, event: &Event) {
        self(event);
    }
}

/// The stream itself. All threads of a submission write to the same one.
#[derive(Default)]
pub struct Events {
    readers: Mutex<Vec<Box<dyn Reader>>>,
    redactor: OnceCell<Redactor>,
}

impl Events {
    /// A stream without readers.
    pub fn new() -> Events {
        Events::default()
    }

    /// Adds a reader, which sees all events from now on.
    pub fn add_reader(&self, reader: impl Reader + 'static) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(reader));
    }

    /// Masks secrets in what is said from now on: a text may quote a server or the system, and what
    /// they quote. The first call counts.
    pub(crate) fn mask(&self, redactor: &Redactor) {
        self.redactor.get_or_init(|| redactor.clone());
    }

    fn masked(&self, mut event: Event) -> Event {
        if let Some(redactor) = self.redactor.get()
            && let Event::Warning(text) | Event::Note(text) | Event::Missing { reason: text, .. } =
                &mut event
            && let Cow::Owned(masked) = redactor.text(text)
        {
            *text = masked;
        }
        event
    }

    /// Hands the event to every reader and returns when all have seen it.
    pub fn emit(&self, event: Event) {
        let event = self.masked(event);
        for reader in self.readers.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            reader.read(&event);
        }
    }

    /// Emits a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.emit(Event::Warning(text.into()));
    }

    /// Emits a note.
    pub fn note(&self, text: impl Into<String>) {
        self.emit(Event::Note(text.into()));
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
