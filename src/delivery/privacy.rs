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
        // What was sent may be there, although nobody was told that it arrived.
        if self.plan.objects.is_empty() && self.receipt.pages.is_empty() {
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
        let Some(store) = self.store.clone() else { return };
        if let (Some(true), Some(links)) = (self.private, &self.links) {
            let marker = self.key(MARKER);
            let decided = links::reconsider(self.submission, store.as_ref(), &marker, links);
            if let Err(exposed) = decided {
                self.take_back(store.as_ref(), &marker, exposed);
            }
        }
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

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use stand_ins::github::Permission;
    use stand_ins::{Bucket, BucketOptions, Fault, GitHub};

    use super::*;
    use crate::conductor::conduct;
    use crate::events::{Event, Events};
    use crate::report::Report;
    use crate::status::{Stage, Status};
    use crate::submission::{Cancel, Submission};

    /// Something that ends a report at an event.
    type End = fn(&Event, &Cancel);

    /// What is in a public bucket in the end, and the warnings, when nobody knew at the upload that
    /// the repository is private. `back` says whether GitHub is back then.
    fn ended_by(end: End, back: bool) -> (Status, Vec<String>, Vec<String>, String) {
        const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";
        let github = Arc::new(GitHub::start());
        github.token("lab-token").login("lab-bot").scopes(&["repo"]);
        let repository = github.repository("apache", "cloudstack");
        repository.private(true).member("lab-bot", Permission::Write);
        repository.pull_from_branch("topic", HEAD);
        github.fault(Fault::on("*", "").status(503).forever());
        let bucket = Bucket::start_with(BucketOptions { public: true, ..BucketOptions::default() });
        let (api, store) = (github.url(), bucket.url());
        let mut report = Report::new();
        for (name, value) in [
            ("api_url", api.as_str()),
            ("token", "lab-token"),
            ("repo", "apache/cloudstack"),
            ("commit", HEAD),
            ("timeout", "1s"),
            ("store_api", "s3"),
            ("store_endpoint", store.as_str()),
            ("store_container", "logs"),
            ("store_identity", "example-id"),
            ("store_secret", "example-secret"),
        ] {
            report.set(name, value).unwrap();
        }
        report.settings.settle(&mut std::io::empty()).unwrap();
        report.attach_bytes("secret.log", &b"private things"[..]).unwrap();
        let (events, cancel) = (Arc::new(Events::new()), Cancel::new());
        let (ends, there) = (cancel.clone(), Arc::clone(&github));
        events.add_reader(move |event: &Event| {
            if matches!(event, Event::StageBegins(Stage::Upload)) && back {
                there.clear_faults();
            }
            end(event, &ends);
        });
        let submission = Submission::new(report.settings.clone(), events, cancel).unwrap();
        let mut delivery = Delivery::new(&submission, &report);
        let tally = crate::receipt::Tally::of(&submission.events);
        let go_on = &mut |_: &crate::Progress| ControlFlow::Continue(());
        let ended = conduct(&submission, go_on, || crate::deliver(&mut delivery));
        let status = ended.as_ref().map_or_else(Error::status, |ended| match ended {
            Ok(()) => Status::Ok,
            Err(error) => error.status(),
        });
        let folder = delivery.folder.clone();
        let mut receipt = delivery.receipt;
        tally.write_into(&mut receipt);
        let warnings = receipt.warnings.into_iter().map(|warning| warning.reason).collect();
        (status, bucket.keys(), warnings, folder)
    }

    /// A bug after the upload, and one in the middle of what is done with it.
    const BUGS: [End; 2] = [
        |event, _| assert!(!matches!(event, Event::StageBegins(Stage::Compose)), "a bug"),
        |event, _| {
            assert!(
                !matches!(event, Event::Warning(text) if text.contains("asked again")),
                "a bug"
            );
        },
    ];

    #[test]
    fn what_nobody_should_read_is_taken_back_after_a_bug_too() {
        for bug in BUGS {
            let (status, keys, warnings, _) = ended_by(bug, true);
            assert_eq!((status, keys), (Status::Internal, vec![]), "{warnings:?}");
        }
    }

    #[test]
    fn what_stays_after_a_cancel_or_a_bug_is_named_with_its_folder() {
        let cancelled: End = |event, cancel| {
            if matches!(event, Event::StageBegins(Stage::Compose)) {
                cancel.cancel();
            }
        };
        for (end, expected) in BUGS
            .into_iter()
            .map(|bug| (bug, Status::Internal))
            .chain([(cancelled, Status::Cancelled)])
        {
            let (status, keys, warnings, folder) = ended_by(end, false);
            assert_eq!(status, expected);
            assert!(keys.iter().any(|key| key.ends_with("secret.log")), "{keys:?}");
            let told = warnings.iter().any(|it| it.contains("remove") && it.contains(&folder));
            assert!(told, "{warnings:?}");
        }
    }
}
