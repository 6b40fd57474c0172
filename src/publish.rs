//! Puts the pages and the full text into the store, leaf first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::compose::{Facts, check_secrets, full_text};
use crate::error::Result;
use crate::events::{Event, Step};
use crate::find::Match;
use crate::links::Links;
use crate::page::{self, Page, free_key, pages};
use crate::status::Stage;
use crate::store::{Access, Store};
use crate::submission::Submission;
use crate::upload::{File, put_page};

/// The full text is markdown, but shown as text: a browser would download `text/markdown`.
const FULL_TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// How many pages are stored at the same time, unless `jobs` says otherwise.
const WORKERS: u64 = 16;

/// What the comment can link to.
#[derive(Debug, Default)]
pub struct Published {
    /// The address of the run's index page.
    pub page_url: Option<String>,
    /// The address of the full text.
    pub full_text_url: Option<String>,
    /// Why something is not there. It does not stop the comment.
    pub failure: Option<crate::error::Error>,
}

/// Stores the full text and then the pages, those of the innermost folders first: nothing is
/// stored before what it leads to, so that a failure leaves no dead link. `folder` ends with `/`;
/// the keys of `files` begin with it. What could not be stored is absent from the result, which
/// then says why.
pub fn publish(
    submission: &Submission,
    store: &dyn Store,
    links: &Links,
    folder: &str,
    facts: &Facts<'_>,
    files: &[File],
) -> Published {
    let publisher = Publisher { submission, store, links, folder };
    let files: Vec<File> = files.iter().map(|file| publisher.relative(file)).collect();
    let mut published = Published::default();

    // With several pull requests the full text is about the first; the pages name them all.
    let of = facts.found.and_then(|found| found.matches.first());
    let mut full_text_key = None;
    match publisher.full_text(facts, of, &files) {
        Ok((key, url)) => {
            full_text_key = Some(key);
            published.full_text_url = url;
        }
        Err(error) => published.failure = Some(error.in_stage(Stage::Publish)),
    }
    let linked = Facts { full_text_url: published.full_text_url.as_deref(), ..facts.clone() };
    match publisher.pages(&linked, &files, full_text_key.as_deref()) {
        Ok(url) => published.page_url = url,
        Err(error) => {
            published.failure.get_or_insert(error.in_stage(Stage::Publish));
        }
    }
    if published.failure.is_none() {
        submission.events.emit(Event::StepDone(Step::Published));
    }
    published
}

/// The keys of what [`publish`] stores, relative to the submission's folder, in its order. The
/// keys of `files` are relative too.
pub fn keys(files: &[File]) -> Vec<String> {
    let mut keys = vec![free_key(files, "report", "md")];
    keys.extend(page::keys(files));
    keys
}

struct Publisher<'a> {
    submission: &'a Submission,
    store: &'a dyn Store,
    links: &'a Links,
    folder: &'a str,
}

impl Publisher<'_> {
    fn full_text(
        &self,
        facts: &Facts<'_>,
        of: Option<&Match>,
        files: &[File],
    ) -> Result<(String, Option<String>)> {
        let key = free_key(files, "report", "md");
        // The full text names the page, which will be stored in a moment.
        let index = page::keys(files).pop().unwrap_or_default();
        let page_url = self.url(&index)?;
        let text = full_text(&Facts { page_url: page_url.as_deref(), ..facts.clone() }, of)?;
        check_secrets(self.submission, &text, "the full text")?;
        self.put(&key, text.as_bytes(), FULL_TEXT_TYPE)?;
        let url = self.url(&key)?;
        Ok((key, url))
    }

    /// Returns the address of the run's own page.
    fn pages(
        &self,
        facts: &Facts<'_>,
        files: &[File],
        full_text: Option<&str>,
    ) -> Result<Option<String>> {
        let link = |key: &str| match self.links.access {
            // Pages stay readable when the run is copied to another place.
            Some(Access::Public) | None => Ok(None),
            Some(Access::Signed) => self.url(key),
        };
        let pages = pages(facts, files, full_text, &link)?;
        // The pages of one depth do not lead to one another in a way that anybody sees before
        // the page above them is there, so they are stored at the same time.
        let depth = |page: &Page| page.key.matches('/').count();
        for level in pages.chunk_by(|one, next| depth(one) == depth(next)) {
            self.put_all(level)?;
        }
        pages.last().map_or(Ok(None), |root| self.url(&root.key))
    }

    /// Stores pages in no particular order, with as many workers as the upload has, and stops at
    /// the first failure.
    fn put_all(&self, pages: &[Page]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let work = || {
            while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                let put = self
                    .submission
                    .cancel
                    .check()
                    .and_then(|()| self.put(&page.key, page.html.as_bytes(), page::MEDIA_TYPE));
                if let Err(error) = put {
                    next.store(pages.len(), Ordering::Relaxed);
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        let workers = self.submission.settings.count("jobs").unwrap_or(WORKERS);
        let workers = pages.len().min(usize::try_from(workers).unwrap_or(1)).max(1);
        std::thread::scope(|scope| {
            (1..workers).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn put(&self, key: &str, bytes: &[u8], media_type: &str) -> Result<()> {
        let key = format!("{}{key}", self.folder);
        put_page(self.submission, self.store, &key, bytes, media_type)
    }

    /// Where the public reads a key, if it can.
    fn url(&self, key: &str) -> Result<Option<String>> {
        let key = format!("{}{key}", self.folder);
        let link = |access| self.store.link(&key, access, self.links.until);
        self.links.access.map(link).transpose()
    }

    fn relative(&self, file: &File) -> File {
        let key = file.key.strip_prefix(self.folder).unwrap_or(&file.key);
        File { key: key.to_owned(), ..file.clone() }
    }
}
