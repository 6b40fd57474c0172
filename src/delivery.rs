//! What the steps of a report's way hand to one another, and how it ends.

mod asking;
mod ending;
mod parts;
mod posting;
mod privacy;
mod summary;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::compose::{self, Facts, LinkedFile, Part};
use crate::error::{Error, Result};
use crate::events::Event;
use crate::find::{Found, Match};
use crate::github::GitHub;
use crate::links::{self, Links};
use crate::plan::{self, LeftOut, Plan};
use crate::publish;
use crate::receipt::Receipt;
use crate::report::Report;
use crate::spool::{Reported, Taken};
use crate::status::Stage;
use crate::store::{self, Access, Removal, Store};
use crate::submission::Submission;
use crate::upload;

/// What a dry run says where only the store could tell.
const UNKNOWN_LINKS: &str =
    "A dry run cannot know the links: they are made when the files are stored";

/// A report on its way.
pub(crate) struct Delivery<'s> {
    submission: &'s Submission,
    report: &'s Report,
    receipt: Receipt,
    summary: Option<String>,
    summary_missing: Option<String>,
    plan: Plan,
    found: Option<Found>,
    /// Why GitHub could not be asked, where the upload goes on all the same.
    github_failure: Option<Error>,
    /// Whether only members see the repository, as far as GitHub told.
    private: Option<bool>,
    /// The upload began before GitHub told whether the repository is private.
    unknowing: bool,
    /// GitHub was asked once more after the upload.
    asked_again: bool,
    store: Option<Arc<dyn Store>>,
    store_failure: Option<Error>,
    folder: String,
    links: Option<Links>,
    /// What is in the store, and the same with links.
    stored: Vec<upload::File>,
    files: Vec<LinkedFile>,
    missing: Vec<LeftOut>,
    full_text_url: Option<String>,
    /// When the submission began, by GitHub's clock where this machine's is wrong.
    started: OffsetDateTime,
    /// Whether anybody was asked anything.
    begun: bool,
    /// One client for the whole way: it knows already what it was told.
    github: Option<GitHub<'s>>,
    /// What the rows of the table say besides the rest.
    details: Vec<(String, String)>,
    /// All parts of the run, and what those of this submission left out by rule.
    parts: Vec<Part>,
    /// Those of this submission with their ids, and what was reported before of the same run.
    own_parts: Vec<(String, Part)>,
    reported: Option<Reported>,
    earlier_pages: Vec<String>,
    parts_left_out: Vec<LeftOut>,
    taken: Option<Taken>,
}

impl<'s> Delivery<'s> {
    pub(crate) fn new(submission: &'s Submission, report: &'s Report) -> Delivery<'s> {
        Delivery {
            submission,
            report,
            receipt: Receipt::new(submission),
            summary: None,
            summary_missing: None,
            plan: Plan::default(),
            found: None,
            github_failure: None,
            private: None,
            unknowing: false,
            asked_again: false,
            store: None,
            store_failure: None,
            folder: String::new(),
            links: None,
            stored: Vec::new(),
            files: Vec::new(),
            missing: Vec::new(),
            full_text_url: None,
            started: submission.started,
            begun: false,
            github: None,
            details: submission.settings.details().to_vec(),
            parts: Vec::new(),
            own_parts: Vec::new(),
            reported: None,
            earlier_pages: Vec::new(),
            parts_left_out: Vec::new(),
            taken: None,
        }
    }

    /// Takes one step, unless the caller wants to stop; an error says in which stage it happened.
    pub(crate) fn step(
        &mut self,
        stage: Stage,
        step: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.submission.cancel.check().map_err(|error| error.in_stage(stage))?;
        self.submission.events.emit(Event::StageBegins(stage));
        step(self).map_err(|error| error.in_stage(stage))
    }

    /// Reads the summary, walks the files, and looks whether the settings make sense.
    pub(crate) fn plan(&mut self) -> Result<()> {
        self.read_summary();
        let attachments = self.take_parts()?;
        self.plan = plan::plan(self.submission, &attachments)?;
        self.plan.missing.append(&mut self.missing);
        self.plan.warnings.append(&mut self.parts_left_out);
        self.missing.clone_from(&self.plan.missing);
        self.submission.events.emit(Event::Planned {
            files: self.plan.objects.len() as u64,
            bytes: self.plan.bytes(),
        });
        compose::check(self.submission)?;
        for stage in Stage::ALL {
            self.submission.settings.require(stage)?;
        }
        self.store = store::choose(self.submission)?.map(Arc::from);
        Ok(())
    }

    /// Stores the files. A failure here stops nothing: the comment names what is missing.
    pub(crate) fn upload(&mut self) -> Result<()> {
        let subject = match self.first_match() {
            Some(of) => format!("pr-{}", of.pull_request.number),
            None => self.commit().to_owned(),
        };
        self.folder = plan::folder(self.submission, self.repository(), &subject);
        match self.store.clone() {
            None => self.leave_all_out("no store is configured (store_api)"),
            Some(store) if self.submission.dry_run => {
                // Nothing is left to write into.
                self.store = None;
                self.foresee(store.as_ref());
            }
            Some(store) => self.send(store.as_ref()),
        }
        Ok(())
    }

    fn send(&mut self, store: &dyn Store) {
        let private = self.private == Some(true);
        self.unknowing = self.private.is_none() && self.github.is_some();
        let mut refused = None;
        let (submission, folder, decision) = (self.submission, &self.folder, &mut self.links);
        let uploaded =
            upload::upload_if(submission, store, &self.plan, folder, &mut |marker: &str, bytes| {
                match links::decide_with(submission, store, marker, Some(bytes), private) {
                    // Whatever happens next: from now on there may be something to take back.
                    Ok(decided) => *decision = Some(decided),
                    Err(error) => {
                        // It says where a run was; nothing of a private repository stays here.
                        refused = store.delete(marker).err();
                        return Err(error);
                    }
                }
                Ok(())
            });
        if let Some(left) = refused {
            submission.events.warn(format!("the marker of the run stays in the store: {left}"));
        }
        let mut links = self.links.clone();
        if let Some(links) = &mut links {
            self.settle_expiry(store, links);
            self.warn_of_unknown(links);
        }
        self.missing.extend(uploaded.missing);
        self.store_failure = uploaded.failure;
        for file in &uploaded.files {
            let link = links
                .as_ref()
                .and_then(|links| store.link(&file.key, links.access?, links.until).ok());
            self.files.push(linked(file, link));
        }
        self.stored = uploaded.files;
        self.links = links;
    }

    /// The date in the comment is the one that is true.
    fn settle_expiry(&self, store: &dyn Store, links: &mut Links) {
        let events = &self.submission.events;
        match store.expiry() {
            Ok(expiry) => {
                if expiry.early.is_some_and(|early| early < links.until) {
                    events.warn(
                        "a rule of the store removes the files before store_expire_days are over",
                    );
                }
                if let Removal::NextRun(why) = &expiry.removal
                    && !why.is_empty()
                {
                    events.note(format!("old runs are removed by this program: {why}"));
                }
                links.shorten(&expiry);
            }
            Err(failure) => events
                .warn(format!("what removes the files in time could not be found out: {failure}")),
        }
    }

    /// What the upload would do, as far as it can be known without asking the store.
    fn foresee(&mut self, store: &dyn Store) {
        let days = self.submission.settings.count("store_expire_days").unwrap_or(7);
        let days = Duration::days(i64::try_from(days.min(36_500)).unwrap_or(7));
        let until = self.submission.started.saturating_add(days);
        // Of a folder the links are known; any other store would have to be asked.
        let is_folder = self.submission.settings.text("store_api") == Some("directory");
        let access = is_folder.then_some(Access::Public);
        let caution = access.is_none().then(|| UNKNOWN_LINKS.to_owned());
        let link = |key: &str| store.link(key, access?, until).ok();
        for object in &self.plan.objects {
            let file = upload::File {
                name: object.name.clone(),
                key: self.key(&object.key),
                size: object.size,
                content_type: "".into(),
            };
            self.files.push(linked(&file, link(&file.key)));
            self.stored.push(file);
        }
        self.receipt.pages = self.page_keys();
        self.full_text_url = self.receipt.pages.first().and_then(|key| link(key));
        self.receipt.page_url = self.receipt.pages.last().and_then(|key| link(key));
        self.links = Some(Links { access, until, caution });
    }

    /// The keys of our own pages beside the files.
    fn page_keys(&self) -> Vec<String> {
        let relative = |file: &upload::File| upload::File {
            key: file.key.strip_prefix(&self.folder).unwrap_or(&file.key).to_owned(),
            ..file.clone()
        };
        let files: Vec<upload::File> = self.stored.iter().map(relative).collect();
        publish::keys(&files).iter().map(|key| self.key(key)).collect()
    }

    fn key(&self, relative: &str) -> String {
        format!("{}{relative}", self.folder)
    }

    fn leave_all_out(&mut self, reason: &str) {
        let reason = reason.to_owned();
        let left_out = |name: String| LeftOut { name, reason: reason.clone() };
        self.missing.extend(self.plan.objects.iter().map(|object| left_out(object.name.clone())));
    }

    /// Writes the comment as far as it is known, so that a template that fails does so now.
    pub(crate) fn compose(&mut self) -> Result<()> {
        self.add_reported();
        self.receipt.comment_text = Some(self.with_facts(compose::comment)?);
        Ok(())
    }

    /// Stores the pages and the full text. A failure here stops nothing.
    pub(crate) fn publish(&mut self) -> Result<()> {
        self.store_pages();
        self.compose()
    }

    /// Stores them, or stores them anew: then what was there before stays where that fails.
    fn store_pages(&mut self) {
        let Some(links) = self.links.clone() else { return };
        let Some(store) = self.store.clone() else { return };
        let facts = self.facts(self.found.as_ref());
        let (folder, files) = (&self.folder, &self.stored);
        let published =
            publish::publish(self.submission, store.as_ref(), &links, folder, &facts, files);
        self.receipt.page_url = published.page_url.or(self.receipt.page_url.take());
        self.full_text_url = published.full_text_url.or(self.full_text_url.take());
        match published.failure {
            None => self.receipt.pages = self.page_keys(),
            Some(error) => {
                self.submission.events.warn(error.to_string());
                self.store_failure.get_or_insert(error);
            }
        }
    }

    fn first_match(&self) -> Option<&Match> {
        self.found.as_ref().and_then(|found| found.matches.first())
    }

    fn repository(&self) -> &str {
        self.receipt.repository.as_deref().unwrap_or("unknown/unknown")
    }

    fn commit(&self) -> &str {
        self.receipt.commit.as_deref().unwrap_or("unknown")
    }

    fn expires(&self) -> Option<OffsetDateTime> {
        self.links.as_ref().map(|links| links.until)
    }

    fn with_facts<T>(&self, make: impl FnOnce(&Facts<'_>, Option<&Match>) -> T) -> T {
        make(&self.facts(self.found.as_ref()), self.first_match())
    }

    fn facts<'f>(&'f self, found: Option<&'f Found>) -> Facts<'f> {
        Facts {
            found,
            details: &self.details,
            parts: &self.parts,
            earlier_pages: &self.earlier_pages,
            summary: self.summary.as_deref(),
            summary_missing: self.summary_missing.as_deref(),
            files: &self.files,
            missing: &self.missing,
            left_out: &self.plan.warnings,
            page_url: self.receipt.page_url.as_deref(),
            full_text_url: self.full_text_url.as_deref(),
            expires: self.expires(),
            caution: self.links.as_ref().and_then(|links| links.caution.as_deref()),
            started: self.started,
            ..Facts::new(self.submission, self.repository(), self.commit())
        }
    }
}

fn linked(file: &upload::File, url: Option<String>) -> LinkedFile {
    LinkedFile {
        name: file.name.clone(),
        size: file.size,
        content_type: file.content_type.clone().into_owned(),
        url,
    }
}
