//! What `submit = collect` and the parts of a spool change on a report's way.

use super::Delivery;
use crate::compose::{self, markdown};
use crate::error::Result;
use crate::events::Event;
use crate::plan;
use crate::receipt::PartEntry;
use crate::report::Attachment;
use crate::spool::{self, Draft, Gathered, Reported, Taken};

/// The most values of a detail that are named where the parts differ.
const VALUES: usize = 5;

impl Delivery<'_> {
    /// Sets the report aside instead of submitting it: no network, no credentials.
    pub(crate) fn set_aside(&mut self) -> Result<()> {
        self.read_summary();
        self.plan = plan::plan(self.submission, &self.report.attachments)?;
        self.missing.clone_from(&self.plan.missing);
        let (files, bytes) = (self.plan.objects.len() as u64, self.plan.bytes());
        self.submission.events.emit(Event::Planned { files, bytes });
        let mut draft = Draft::new(self.report, self.submission, &self.plan);
        draft.summary = self.summary.as_deref();
        draft.summary_missing = self.summary_missing.as_deref();
        if self.submission.dry_run {
            let name = draft.name();
            self.submission.events.note(format!("{name} would be set aside: nothing is written"));
            return Ok(());
        }
        let folder = spool::set_aside(&draft)?;
        let (name, shown) = (draft.name(), folder.display());
        self.submission.events.note(format!("{name} is set aside for later in {shown}"));
        self.receipt.set_spooled(&folder);
        Ok(())
    }

    /// Takes the parts of the spool, if there is one. Returns what is to be uploaded.
    pub(super) fn take_parts(&mut self) -> Result<Vec<Attachment>> {
        let mut attachments = self.report.attachments.clone();
        let Some(spool) = &self.report.spool else { return Ok(attachments) };
        let run = self.submission.settings.run();
        let taken = self.taken.insert(match self.submission.dry_run {
            true => Taken::look(spool, &run)?,
            false => Taken::take(spool, &self.submission.id, &run)?,
        });
        for left in taken.left() {
            self.submission.events.warn(left);
        }
        let context = compose::context(self.submission);
        let reported = Reported::read(spool, self.submission, &run, context, taken.ids());
        let gathered = spool::gather(&taken.parts(), reported.names());
        self.reported = Some(reported);
        let count = gathered.len();
        let noun = if count == 1 { "part" } else { "parts" };
        self.submission.events.note(format!("{count} {noun} in {}", spool.display()));
        self.merge_details(&gathered);
        self.add_summaries(&gathered);
        for part in gathered {
            self.receipt.parts.push(PartEntry::from(&part.part));
            self.parts.push(part.part.clone());
            self.own_parts.push((part.id, part.part));
            attachments.extend(part.files);
            self.missing.extend(part.missing);
            self.parts_left_out.extend(part.left_out);
        }
        Ok(attachments)
    }

    /// Adds the lines of parts that were reported before, now that the commit is known.
    pub(super) fn add_reported(&mut self) {
        let (Some(reported), Some(commit)) = (&self.reported, &self.receipt.commit) else { return };
        let own = self.own_parts.iter().map(|(_, part)| part.clone());
        self.parts = own.chain(reported.parts(commit)).collect();
        self.parts.sort_by(|one, other| spool::place(one).cmp(&spool::place(other)));
        self.receipt.parts = self.parts.iter().map(PartEntry::from).collect();
        let link = |key: &str| {
            let (store, links) = (self.store.as_ref()?, self.links.as_ref()?);
            store.link(key, links.access?, links.until).ok()
        };
        self.earlier_pages =
            reported.pages(commit, &self.folder).into_iter().filter_map(link).collect();
    }

    /// A row for each detail of the parts that the settings do not have, with all its values.
    fn merge_details(&mut self, gathered: &[Gathered]) {
        let own = self.details.len();
        let mut values: Vec<Vec<&str>> = Vec::new();
        for (name, value) in gathered.iter().flat_map(|part| &part.details) {
            match self.details.iter().position(|(known, _)| known == name) {
                Some(at) if at < own => {}
                Some(at) if values[at - own].contains(&value.as_str()) => {}
                Some(at) => values[at - own].push(value),
                None => {
                    self.details.push((name.clone(), String::new()));
                    values.push(vec![value]);
                }
            }
        }
        for ((_, row), values) in self.details[own..].iter_mut().zip(values) {
            *row = values[..values.len().min(VALUES)].join(", ");
            if values.len() > VALUES {
                row.push_str(&format!(" and {} more", values.len() - VALUES));
            }
        }
    }

    /// Adds the summaries of the parts behind our own. Nobody trusts them, whatever is set.
    fn add_summaries(&mut self, gathered: &[Gathered]) {
        let trusted = self.submission.settings.flag("trusted_summary");
        let mut all = self.summary.take().map(|own| markdown::closed(&own));
        for Gathered { part, summary, summary_missing, .. } in gathered {
            let text = match (summary, summary_missing) {
                // What begins in one summary must not go on in the next.
                (Some(text), _) => markdown::closed(text.trim()),
                (None, Some(why)) => format!("*No summary: {}.*", markdown::inline(why)),
                (None, None) => continue,
            };
            let text = format!("#### {}\n\n{text}", markdown::inline(&part.name));
            let text = if trusted { markdown::harmless(&text) } else { text };
            let all = all.get_or_insert_default();
            if !all.is_empty() {
                all.push_str("\n\n");
            }
            all.push_str(&text);
        }
        self.summary = all;
    }

    /// Keeps a line of each part for a submission of parts that come late.
    fn remember_parts(&self) {
        let (Some(reported), Some(commit)) = (&self.reported, &self.receipt.commit) else { return };
        let page = self.receipt.pages.last().filter(|_| self.receipt.page_url.is_some());
        let page = page.map(String::as_str);
        if let Err(error) = reported.remember(self.submission, commit, &self.own_parts, page) {
            self.submission.events.warn(format!(
                "what was reported cannot be noted in the spool ({error}): a part that comes late \
                 will replace the comment instead of adding to it"
            ));
        }
    }

    /// Removes the parts from the spool if another try could not do better, else leaves them there.
    pub(super) fn end_parts(&mut self, delivered: bool) {
        let Some(taken) = self.taken.take() else { return };
        if delivered && !self.submission.dry_run {
            self.remember_parts();
        }
        if let Err(error) = taken.end(delivered) {
            self.submission.events.warn(error.to_string());
        }
    }
}
