//! What everybody can read of a private repository, when that it is private was learnt late.
//!
//! Where GitHub cannot be reached before the upload, nobody knows whether the repository is private,
//! and hours of logs are not lost for that. When it is known, what should not be there is taken
//! back before anything is said of it, and whatever else became of the submission.

use std::collections::BTreeSet;

use super::Delivery;
use crate::compose;
use crate::error::Error;
use crate::links::{self, Links};
use crate::plan::LeftOut;
use crate::store::{Access, MARKER, Store};

impl Delivery<'_> {
    /// Says that what was stored may be more public than it should be.
    pub(super) fn warn_of_unknown(&self, links: &Links) {
        if self.unknowing && self.is_unasked_public(links) {
            self.submission.events.warn(
                "everybody can read what was uploaded, and GitHub could not say whether the \
                 repository is private; it is asked again before the end",
            );
        }
    }

    fn is_unasked_public(&self, links: &Links) -> bool {
        links.access == Some(Access::Public)
            && self.submission.settings.choice("store_access") != "public"
    }

    /// The last look, however the submission ends: where nobody knew at the upload whether the
    /// repository is private, GitHub is asked again, unless that was done already.
    pub(crate) fn settle_privacy(&mut self) {
        self.submission.github_time.release();
        if self.unknowing && !self.asked_again && !self.submission.cancel.is_cancelled() {
            self.ask_who_sees_it();
        }
        self.keep_private();
        if self.unknowing {
            self.warn_of_what_stays();
        }
    }

    /// Says what to do about files that everybody can read, where nobody could say in the end
    /// whether that is right.
    fn warn_of_what_stays(&self) {
        let Some(links) = self.links.as_ref().filter(|links| self.is_unasked_public(links)) else {
            return;
        };
        if self.stored.is_empty() {
            return;
        }
        let name = self.store.as_ref().map_or("the store", |store| store.name());
        self.submission.events.warn(format!(
            "everybody can read what was uploaded, until {}, and GitHub never said whether the \
             repository is private: if it is, remove what is below {} in {name}",
            links.until.date(),
            self.folder
        ));
    }

    /// Takes everything back, if the repository is private and everybody can read it.
    pub(super) fn keep_private(&mut self) {
        if self.private.is_none() || !std::mem::take(&mut self.unknowing) {
            return;
        }
        let Some(store) = self.store.take() else { return };
        if let (Some(true), Some(links)) = (self.private, &self.links) {
            let marker = self.key(MARKER);
            let decided = links::reconsider(self.submission, store.as_ref(), &marker, links);
            if let Err(exposed) = decided {
                self.take_back(store.as_ref(), &marker, exposed);
            }
        }
        self.store = Some(store);
    }

    fn take_back(&mut self, store: &dyn Store, marker: &str, exposed: Error) {
        // A page or a file may be there although nobody was told that it arrived.
        let planned = self.plan.objects.iter().map(|object| self.key(&object.key));
        let stored = self.stored.iter().map(|file| file.key.clone());
        let mut keys: BTreeSet<String> = self.page_keys().into_iter().chain(stored).collect();
        keys.extend(planned);
        keys.insert(marker.to_owned());
        let left: Vec<String> = keys
            .iter()
            .filter_map(|key| store.delete(key).err().map(|error| format!("{key}: {error}")))
            .collect();
        if let Some(first) = left.first() {
            self.submission.events.warn(format!(
                "{} objects of a private repository stay where everybody can read them; remove \
                 them: {first}",
                left.len()
            ));
        }
        let reason = exposed.what().to_owned();
        let gone = self.stored.drain(..);
        self.missing.extend(gone.map(|file| LeftOut { name: file.name, reason: reason.clone() }));
        self.files.clear();
        self.receipt.pages.clear();
        (self.receipt.page_url, self.full_text_url, self.links) = (None, None, None);
        self.store_failure.get_or_insert(exposed);
        // What was composed until now has links that lead nowhere.
        self.receipt.comment_text = self.with_facts(compose::comment).ok();
    }
}
