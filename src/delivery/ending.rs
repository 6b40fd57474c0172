//! How a report's way ends: the status, the receipt, and the outbox.

use super::Delivery;
use crate::compose;
use crate::error::{Error, Result};
use crate::outbox;
use crate::plan::LeftOut;
use crate::receipt::{FileEntry, Notice, Receipt, Tally, rfc3339};
use crate::status::{Stage, Status};

impl Delivery<'_> {
    /// Closes the books: the status, and the outbox where no comment could be made.
    pub(crate) fn end(mut self, ended: Result<()>, tally: &Tally) -> (Receipt, Option<Error>) {
        self.receipt.expires = self.expires().map(rfc3339);
        self.receipt.files = self.list_files();
        self.receipt.missing = self.missing.iter().cloned().map(Notice::from).collect();
        let left_out = self.plan.warnings.iter().cloned().map(Notice::from);
        self.receipt.warnings.extend(left_out);
        let Receipt { missing, warnings, .. } = &mut self.receipt;
        for notice in missing.iter_mut().chain(warnings) {
            // What a server said may stand in it.
            notice.reason = self.submission.redactor.text(&notice.reason).into_owned();
        }
        self.end_parts(ended.is_ok() && self.store_failure.is_none());
        if let Err(error) = ended {
            let mut error = self.mask(error);
            self.receipt.set_error(&error);
            if !self.submission.dry_run
                && !self.report.collects()
                && let Err(unkept) = self.keep(&error, tally)
            {
                // Nobody hears events any more: what is lost is said where the failure is.
                let advice =
                    error.advice().map_or_else(String::new, |advice| format!("{advice}; "));
                error = error.advise(format!("{advice}{unkept}"));
                self.receipt.set_error(&error);
            }
            return (self.receipt, Some(error));
        }
        if self.report.collects() {
            // What is missing is told when the part is submitted.
            return (self.receipt, None);
        }
        let failure = self.store_failure.take().or_else(|| self.partial());
        let failure = failure.map(|error| self.mask(error));
        if let Some(error) = &failure {
            self.receipt.set_error(error);
        }
        (self.receipt, failure)
    }

    /// The error for things that were wanted and are not in the store.
    fn partial(&self) -> Option<Error> {
        let first = self.missing.first()?;
        let more = match self.missing.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let LeftOut { name, reason } = first;
        let what = format!("not everything was uploaded: {name}: {reason}{more}");
        Some(Error::new(Status::StorePartial, what).in_stage(Stage::Upload))
    }

    /// An error may quote what a server said; our own secrets do not leave with it.
    fn mask(&self, error: Error) -> Error {
        error.map_text(|text| self.submission.redactor.text(text).into_owned())
    }

    fn keep(&mut self, cause: &Error, tally: &Tally) -> Result<()> {
        if self.summary.is_none() && self.summary_missing.is_none() {
            // What failed came before the plan.
            self.read_summary();
        }
        if self.summary.is_none() && self.plan.objects.is_empty() && !self.begun {
            // A usage error: there is no report that could be lost.
            return Ok(());
        }
        let text = match self.receipt.comment_text.take() {
            Some(text) => text,
            // The template may be what failed: the text is kept in the usual layout then.
            None => self.with_facts(compose::kept_text)?,
        };
        self.receipt.comment_text = Some(text.clone());
        tally.write_into(&mut self.receipt);
        let kept = outbox::keep(self.submission, &text, &self.receipt, cause)?;
        self.receipt.outbox = Some(kept.display().to_string());
        Ok(())
    }

    fn list_files(&self) -> Vec<FileEntry> {
        let dry = self.submission.dry_run;
        self.stored
            .iter()
            .zip(&self.files)
            .map(|(file, linked)| FileEntry {
                name: file.name.clone(),
                key: file.key.clone(),
                url: linked.url.clone(),
                size: (!dry).then_some(file.size),
                content_type: (!dry).then(|| file.content_type.clone().into_owned()),
            })
            .collect()
    }
}
