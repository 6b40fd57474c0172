//! Which way the public reads: decided once, proven by an anonymous GET.
//!
//! A store may accept a request to make an object public and then refuse to show it, and a folder
//! may not be where the web server looks. So the object is opened as a reader would open it,
//! without credentials, and what comes back is compared with what is in the store. It is done with
//! the first object that is stored, before any log: a container that everybody can read is no place
//! for the files of a private repository.

mod host;
mod open;

use time::{Duration, OffsetDateTime};

use self::open::{Closed, PROBE, Unsure, lists, open};
use crate::error::{Error, Result};
use crate::status::Status;
use crate::store::{Access, Expiry, Store};
use crate::submission::Submission;

/// The longest life of a signed link.
const SIGNED: Duration = Duration::days(7);

/// How links are made in this submission, and what is known of them.
#[derive(Clone, Debug)]
pub struct Links {
    /// None: there is no way in which the public could read.
    pub access: Option<Access>,
    /// Until when the links open.
    pub until: OffsetDateTime,
    /// What the comment must say of the links, if anything (e.g. "The links were not verified from outside").
    pub caution: Option<String>,
}

impl Links {
    /// Takes into account that the store removes objects earlier than it was asked to.
    pub fn shorten(&mut self, expiry: &Expiry) {
        if let Some(early) = expiry.early {
            self.until = self.until.min(early);
        }
    }
}

/// Decides by an anonymous GET of an object that is stored already.
///
/// The first way that works wins. Where `store_public_url` is the only way it is kept even when the
/// proof fails, because the CI machine may not reach that address; the caution says so. With `private`,
/// which says that the repository is, nothing is public unless `store_access` says so.
///
/// # Errors
/// `StoreRefused` where everybody can read what is stored, or that cannot be found out, and the
/// repository is private.
pub fn decide(
    submission: &Submission,
    store: &dyn Store,
    key: &str,
    private: bool,
) -> Result<Links> {
    let expected = store.get(key, PROBE).ok();
    decide_with(submission, store, key, expected.as_deref(), private)
}

/// The same where it is known what is stored there, so that it need not be asked for.
///
/// # Errors
/// Those of [`decide`].
pub fn decide_with(
    submission: &Submission,
    store: &dyn Store,
    key: &str,
    expected: Option<&[u8]>,
    private: bool,
) -> Result<Links> {
    let wanted = submission.settings.choice("store_access");
    let probe = Probe { submission, store, key, expected };
    let mut ways = store.ways();
    if private && wanted != "public" {
        let elsewhere = submission.settings.text("store_public_url").is_some();
        match probe.opens(Access::Public, probe.until(Access::Public)) {
            Ok(link) => return Err(exposed(store, &link)),
            // An address that this machine does not reach may be reached by who is meant to.
            Err(Closed { unsure: Some(Unsure::NoAnswer | Unsure::Silence), .. }) if elsewhere => {}
            Err(Closed { unsure: Some(_), why }) => return Err(unknown(store, &why)),
            Err(_) => {}
        }
        if ways.len() > 1 {
            ways.retain(|way| *way == Access::Signed);
        }
    }
    Ok(probe.first_that_opens(&ways, private, wanted))
}

/// Decides again where it is learnt only after the upload that the repository is private.
///
/// # Errors
/// As [`decide`] has it.
pub fn reconsider(
    submission: &Submission,
    store: &dyn Store,
    key: &str,
    decided: &Links,
) -> Result<()> {
    let meant = submission.settings.choice("store_access") == "public";
    let elsewhere = submission.settings.text("store_public_url").is_some();
    // What was seen open is open, whatever the network does in this moment.
    if decided.access == Some(Access::Public) && !meant && !elsewhere {
        return Err(exposed(store, &store.link(key, Access::Public, decided.until)?));
    }
    decide(submission, store, key, true).map(drop)
}

/// The refusal to put the files of a private repository where everybody can read them.
fn exposed(store: &dyn Store, link: &str) -> Error {
    Error::new(
        Status::StoreRefused,
        "everybody can read what is stored here, and the repository is private",
    )
    .at(format!("{}, opened as {}", store.name(), crate::http::display_url(link)))
    .advise(
        "use a container that only its owner can read, or set store_access = public if everybody \
         may read these files",
    )
}

/// The refusal to put them where nobody knows who can read them.
fn unknown(store: &dyn Store, why: &str) -> Error {
    Error::new(
        Status::StoreRefused,
        "it could not be found out whether everybody can read what is stored here, and the \
         repository is private",
    )
    .at(store.name())
    .because(why.to_owned())
    .advise("try again later, or set store_access = public if everybody may read these files")
}

const NOT_VERIFIED: &str = "The links were not verified from outside";
const NOT_PUBLIC: &str = "The logs are not public";

/// An object that is opened in one way after the other.
struct Probe<'a> {
    submission: &'a Submission,
    store: &'a dyn Store,
    key: &'a str,
    expected: Option<&'a [u8]>,
}

impl Probe<'_> {
    /// The end of links, as far as it depends on how they are made.
    fn until(&self, access: Access) -> OffsetDateTime {
        let days = self.submission.settings.count("store_expire_days").unwrap_or(7).min(36_500);
        let days = Duration::days(i64::try_from(days).unwrap_or(7));
        let started = self.submission.started;
        match access {
            Access::Public => started.saturating_add(days),
            Access::Signed => {
                let until = started.saturating_add(days.min(SIGNED));
                let ends = self.store.temporary().and_then(|temporary| temporary.ends);
                ends.map_or(until, |ends| ends.min(until))
            }
        }
    }

    /// The link, if it opens; else why not.
    fn opens(&self, access: Access, until: OffsetDateTime) -> Result<String, Closed> {
        let link = self
            .store
            .link(self.key, access, until)
            .map_err(|error| Closed { why: error.to_string(), unsure: None })?;
        open(self.submission, &link, self.expected).map(|()| link)
    }

    fn first_that_opens(&self, ways: &[Access], private: bool, wanted: &str) -> Links {
        let (submission, store) = (self.submission, self.store);
        let mut failures = Vec::new();
        let mut temporary = false;
        for &access in ways {
            if submission.cancel.is_cancelled() {
                break;
            }
            if access == Access::Signed && !private && store.temporary().is_some() {
                temporary = true;
                continue;
            }
            match self.opens(access, self.until(access)) {
                Ok(link) => {
                    if access == Access::Signed && wanted == "public" {
                        let why = failures.join("; ");
                        submission.events.warn(format!(
                            "store_access = public, but what is stored at {} is not public \
                             ({why}), so the links are signed: {}",
                            store.name(),
                            store.how_to_publish()
                        ));
                    }
                    self.warn_of_listing();
                    let caution = self.caution(access, &link);
                    return Links { access: Some(access), until: self.until(access), caution };
                }
                Err(Closed { why, .. }) => failures.push(format!("{}: {why}", words(access))),
            }
        }
        let why = failures.join("; ");
        // What the store itself serves was reached a moment ago; another address may not be
        // reachable from here, and yet for everybody else.
        let elsewhere = submission.settings.text("store_public_url").is_some();
        if let ([only @ Access::Public], true) = (ways, elsewhere) {
            let only = *only;
            submission.events.warn(format!(
                "the links could not be opened from this machine ({why}); see that \
                 store_public_url is the address under which {} is published",
                store.name()
            ));
            return Links {
                access: Some(only),
                until: self.until(only),
                caution: Some(NOT_VERIFIED.to_owned()),
            };
        }
        self.warn_of_listing();
        self.nothing_opens(&why, temporary)
    }

    fn nothing_opens(&self, why: &str, temporary: bool) -> Links {
        let (name, advice) = (self.store.name(), self.store.how_to_publish());
        let (warning, caution) = if temporary {
            (
                format!(
                    "the store's credentials are temporary, and a link that is signed with them \
                     carries a part of them, so none is given in a public comment: use an access \
                     key that stays, or make what is stored at {name} public: {advice}"
                ),
                format!("{NOT_PUBLIC}: the store gave this lab temporary credentials only"),
            )
        } else {
            let why = if why.is_empty() { "there is no way to" } else { why };
            (
                format!(
                    "nobody without credentials can read what is stored at {name} ({why}): {advice}"
                ),
                NOT_PUBLIC.to_owned(),
            )
        };
        self.submission.events.warn(warning);
        Links { access: None, until: self.until(Access::Public), caution: Some(caution) }
    }

    /// Whoever may list a container finds every other run's files too.
    fn warn_of_listing(&self) {
        let (folder, name) = self.key.rsplit_once('/').unwrap_or(("", self.key));
        let Some(link) = self.store.listing_link(folder) else { return };
        if lists(self.submission, &link, name) {
            self.submission.events.warn(format!(
                "everybody can list the container, not only open what a link names: {}; take the \
                 right to list away from the public",
                self.store.name()
            ));
        }
    }

    /// What must be said of links that open from here.
    fn caution(&self, access: Access, link: &str) -> Option<String> {
        let mut cautions = Vec::new();
        if host::is_inside(self.submission, link) {
            cautions.push(NOT_VERIFIED);
        }
        let ends = self.store.temporary().map(|temporary| temporary.ends);
        if access == Access::Signed && ends == Some(None) {
            cautions.push("The links end with the temporary credentials that signed them");
        }
        (!cautions.is_empty()).then(|| cautions.join(". "))
    }
}

fn words(access: Access) -> &'static str {
    match access {
        Access::Public => "as a public object",
        Access::Signed => "by a signed link",
    }
}
