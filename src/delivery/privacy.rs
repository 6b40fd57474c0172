//! What everybody can read of a private repository, when that it is private was learnt late.
//!
//! Where GitHub cannot be reached before the upload, nobody knows whether the repository is private,
//! and hours of logs are not lost for that. When it is known, what should not be there is taken
//! back before anything is said of it.

use super::Delivery;
use crate::error::Error;
use crate::links::{self, Links};
use crate::plan::LeftOut;
use crate::store::{Access, MARKER, Store};

impl Delivery<'_> {
    /// Says that what was stored may be more public than it should be.
    pub(super) fn warn_of_unknown(&self, links: &Links) {
        let meant = self.submission.settings.choice("store_access") == "public";
        if links.access == Some(Access::Public) && !meant {
            self.submission.events.warn(
                "everybody can read what was uploaded, and GitHub could not say whether the \
                 repository is private; it is asked again before the comment",
            );
        }
    }

    /// Says what to do about files that everybody can read, where nobody could say in the end
    /// whether that is right.
    pub(super) fn warn_of_what_stays(&self) {
        let meant = self.submission.settings.choice("store_access") == "public";
        let Some(links) = self.links.as_ref().filter(|_| !meant) else { return };
        if links.access != Some(Access::Public) || self.stored.is_empty() {
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
        let private = self.found.as_ref().is_some_and(|found| found.private == Some(true));
        let Some(store) = self.store.take() else { return };
        if private && self.links.is_some() {
            let marker = self.key(MARKER);
            if let Err(exposed) = links::decide(self.submission, store.as_ref(), &marker, true) {
                self.take_back(store.as_ref(), &marker, exposed);
            }
        }
        self.store = Some(store);
    }

    fn take_back(&mut self, store: &dyn Store, marker: &str, exposed: Error) {
        let pages = std::mem::take(&mut self.receipt.pages);
        let keys = self.stored.iter().map(|file| file.key.as_str());
        let keys = keys.chain(pages.iter().map(String::as_str)).chain([marker]);
        let left: Vec<String> = keys
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
        (self.receipt.page_url, self.full_text_url, self.links) = (None, None, None);
        self.store_failure.get_or_insert(exposed);
    }
}
