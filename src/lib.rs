//! Reports the results of independent CI runs on GitHub pull requests.
//!
//! A [`Report`] is settings, a summary and attachments. [`Report::submit`] takes it down a short
//! list of steps: plan, find, upload, compose, publish, post. What was done comes back as a
//! [`Receipt`].

#![warn(missing_docs)]

mod english;
pub mod error;
pub mod events;
pub mod http;
mod input;
pub mod settings;
pub mod status;

pub mod capi;
pub mod check;
pub mod compose;
mod conductor;
pub mod content;
mod delivery;
#[cfg(feature = "fault-points")]
mod fault_points;
pub mod find;
pub mod github;
pub mod links;
pub mod outbox;
pub mod page;
pub mod plan;
pub mod post;
pub mod publish;
pub mod receipt;
pub mod redact;
pub mod report;
mod spool;
pub mod store;
pub mod submission;
pub mod upload;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

pub use conductor::{OnProgress, Progress};
use delivery::Delivery;
pub use error::Error;
use events::Events;
pub use receipt::Receipt;
pub use report::Report;
pub use settings::Settings;
pub use status::{Stage, Status};
use submission::{Cancel, Submission};

/// The version of the library that is running.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A submission that did not do all it was asked to; the receipt says what was done all the same.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong first and worst.
    pub error: Error,
    /// What was done.
    pub receipt: Box<Receipt>,
}

impl Failure {
    /// A failure before there was a submission: the receipt holds nothing but the error.
    pub fn unsent(error: Error) -> Failure {
        let mut receipt = Receipt::blank();
        receipt.set_error(&error);
        Failure { error, receipt: Box::new(receipt) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.error)
    }
}

impl Report {
    /// Submits the report: the whole way from the files to the comment.
    ///
    /// `on_progress` is called on this thread at least every 200 ms, and cancels the submission by
    /// returning `Break`. All threads that the submission needs end before this returns.
    ///
    /// With `submit = collect` it is set aside in `spool_dir` instead, without network and
    /// credentials; that done, the status is `Ok` and the receipt names the folder.
    ///
    /// # Errors
    /// A [`Failure`] with the receipt of what was done. Where no comment could be made, the report
    /// is kept in the outbox, and the receipt names the folder.
    pub fn submit(&mut self, on_progress: &mut OnProgress<'_>) -> Result<Receipt, Failure> {
        if std::mem::replace(&mut self.submitted, true) {
            // A second submission would be a second comment under the same id.
            let error = Error::new(Status::Misuse, "the report was submitted already")
                .advise("make a new report for another submission");
            return Err(Failure::unsent(error));
        }
        let collects = self.collects();
        let settled = match collects {
            // What is set aside needs no secret, so none is read.
            true => self.identify(),
            false => self.settings.settle(&mut std::io::stdin()),
        };
        let events = Arc::new(Events::new());
        let submission = Submission::new(self.settings.clone(), events, Cancel::new())
            .map_err(Failure::unsent)?;
        #[cfg(feature = "fault-points")]
        fault_points::watch(&submission);
        let tally = receipt::Tally::of(&submission.events);
        let mut delivery = Delivery::new(&submission, self);
        let ended = conductor::conduct(&submission, on_progress, || {
            for warning in submission.settings.warnings() {
                submission.events.warn(warning.clone());
            }
            settled.and_then(|()| match collects {
                true => delivery.step(Stage::Plan, Delivery::set_aside),
                false => deliver(&mut delivery),
            })
        });
        // Where a step panicked, what was done until then is on the receipt all the same.
        let (mut receipt, error) = delivery.end(ended.unwrap_or_else(Err), &tally);
        tally.write_into(&mut receipt);
        match error {
            None => Ok(receipt),
            Some(error) => Err(Failure { error, receipt: Box::new(receipt) }),
        }
    }
}

/// The way of a report. However it ends, by a bug too, what nobody should read is taken back.
fn deliver(delivery: &mut Delivery<'_>) -> error::Result<()> {
    let ended = catch_unwind(AssertUnwindSafe(|| go_all_steps(delivery)));
    delivery.settle_privacy();
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

fn go_all_steps(delivery: &mut Delivery<'_>) -> error::Result<()> {
    delivery.step(Stage::Plan, Delivery::plan)?;
    delivery.step(Stage::Find, Delivery::find)?;
    delivery.step(Stage::Upload, Delivery::upload)?;
    delivery.step(Stage::Compose, Delivery::compose)?;
    delivery.step(Stage::Publish, Delivery::publish)?;
    delivery.step(Stage::Post, Delivery::post)
}
