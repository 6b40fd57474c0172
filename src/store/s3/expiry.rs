//! What removes the objects past their time: a rule of the bucket, or this program's next run.

use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::S3;
use super::call::{Call, Content};
use super::lifecycle::{self, Ours, Rules};
use crate::error::{Error, Result};
use crate::plan;
use crate::settings::Settings;
use crate::status::Status;
use crate::store::choose::expire_days;
use crate::store::{Expiry, Fault, Removal, StoreError, Stored};

/// Which objects are this program's own.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// What every key begins with: empty, or ending with a slash.
    pub(super) prefix: String,
    /// How many days the objects are kept.
    pub(super) days: u64,
    /// `manage`: a rule may be added.
    manage: bool,
}

impl Own {
    pub(super) fn from_settings(settings: &Settings) -> Own {
        Own {
            prefix: plan::prefix(settings),
            days: expire_days(settings),
            manage: settings.choice("store_lifecycle") == "manage",
        }
    }

    /// The folder of all runs that are kept so many days. Runs that are kept longer or shorter
    /// are in another one.
    pub(super) fn folder(&self) -> String {
        format!("{}{}d/", self.prefix, self.days)
    }
}

/// The time in `store_session_end`.
pub(super) fn session_end(settings: &Settings) -> Result<Option<OffsetDateTime>> {
    let Some(text) = settings.text("store_session_end") else { return Ok(None) };
    OffsetDateTime::parse(text, &Rfc3339).map(Some).map_err(|source| {
        Error::new(Status::BadSetting, format!("store_session_end = {text} is not a time"))
            .because(source)
            .advise("write it as 2026-11-30T12:00:00Z")
    })
}

impl S3 {
    /// Asked once. Where the rules cannot be read, none is relied upon.
    pub(super) fn what_removes(&self) -> Stored<Expiry> {
        let mut known = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expiry) = &*known {
            return Ok(expiry.clone());
        }
        let expiry = self.ask_what_removes()?;
        *known = Some(expiry.clone());
        Ok(expiry)
    }

    fn ask_what_removes(&self) -> Stored<Expiry> {
        let text = match self.rules() {
            Ok(text) => text,
            Err(failure) if may_pass(&failure) => return Err(failure),
            Err(failure) => {
                let why = format!("the bucket's rules cannot be read: {}", failure.error.what());
                return Ok(Expiry::by(Removal::NextRun(why)));
            }
        };
        let rules = Rules::read(&text);
        let folder = self.own.folder();
        if let Some(expiry) = self.relied_on(&rules) {
            return Ok(expiry);
        }
        let early = self.early(&rules);
        let next_run = |why: String| Expiry { removal: Removal::NextRun(why), early };
        if !self.own.manage {
            return Ok(next_run(format!(
                "the bucket has no rule that removes what is in {folder} after {} days; add one, \
                 or set store_lifecycle = manage",
                self.own.days
            )));
        }
        match self.add_rule(&text, &rules) {
            Ok(rules) => Ok(self.relied_on(&rules).unwrap_or_else(|| {
                next_run("the bucket took a rule and does not have it".to_owned())
            })),
            Err(failure) if may_pass(&failure) => Err(failure),
            Err(failure) => Ok(next_run(format!(
                "a rule could not be added to the bucket (s3:PutLifecycleConfiguration): {}",
                failure.error.what()
            ))),
        }
    }

    /// What the rules do, if one of them removes what is stored now in time.
    fn relied_on(&self, rules: &Rules) -> Option<Expiry> {
        let name = rules.covering(&self.own.folder(), self.own.days)?;
        Some(Expiry { removal: Removal::Rule(name), early: self.early(rules) })
    }

    /// When a rule removes what is stored now, if that is before our days are over. A rule of as
    /// many days as ours ends later than they do, at the next midnight.
    fn early(&self, rules: &Rules) -> Option<OffsetDateTime> {
        let now = self.signer.now();
        let days = i64::try_from(self.own.days).unwrap_or(36_500);
        let asked = now.saturating_add(time::Duration::days(days));
        rules.early(&self.own.folder(), now).filter(|early| *early < asked)
    }

    /// GetBucketLifecycleConfiguration: the XML as the bucket has it, empty where it has none.
    fn rules(&self) -> Stored<String> {
        let mut call = Call::new("GET", None);
        call.query = vec![("lifecycle", String::new())];
        call.fine = &["NoSuchLifecycleConfiguration"];
        let answer = self.call(&self.agent, &call)?;
        if let Some(why) = answer.cut {
            return Err(self.unreachable(why));
        }
        if !answer.is_success() {
            return Ok(String::new());
        }
        String::from_utf8(answer.body)
            .map_err(|_| self.no_s3("the rules of the bucket are no text"))
    }

    /// Puts our rule beside those that are there, and reads back what the bucket then has. Some
    /// servers know less of what a rule may say than others.
    fn add_rule(&self, text: &str, rules: &Rules) -> Stored<Rules> {
        let ours = Ours::new(&self.own.folder(), self.own.days);
        let mut last = None;
        for cleans_up in [true, false] {
            let Some(merged) = lifecycle::merged(text, rules, &ours, cleans_up) else {
                return Err(self.no_s3("the rules of the bucket cannot be read"));
            };
            let mut call = Call::new("PUT", None);
            call.query = vec![("lifecycle", String::new())];
            call.headers = vec![
                ("content-type".to_owned(), "application/xml".to_owned()),
                ("content-md5".to_owned(), BASE64.encode(Md5::digest(merged.as_bytes()))),
            ];
            call.content = Content::Bytes(merged.as_bytes());
            match self.call(&self.agent, &call) {
                Ok(_) => return Ok(Rules::read(&self.rules()?)),
                Err(failure) if may_pass(&failure) => return Err(failure),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| self.no_s3("no rule was sent")))
    }
}

/// Whether trying again later may help.
fn may_pass(failure: &StoreError) -> bool {
    matches!(failure.fault, Fault::Busy(_) | Fault::Unreachable | Fault::Cancelled)
}
