//! The store: a small object is written, read, opened by everybody, and removed.

use std::time::Duration;

use super::Findings;
use super::github::Known;
use crate::content::Body;
use crate::http::{Exchange, Request};
use crate::links::{self, Links};
use crate::plan;
use crate::status::Status;
use crate::store::{self, Access, Fault, MARKER, Marker, Meta, Removal, Store, Stored};
use crate::submission::{CLOCKS_DIFFER, Submission};

/// How often what may pass is tried, and how long is waited in between.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn look(submission: &Submission, known: &Known, findings: &mut Findings) {
    let chosen = match store::choose(submission) {
        Err(error) => return findings.failed("store_write", &error),
        Ok(chosen) => chosen,
    };
    let Some(store) = chosen else {
        return findings.warn(
            "store_write",
            "no store is configured, so files are not uploaded",
            "set store_api",
        );
    };
    if submission.dry_run {
        return findings.warn("store_write", "not looked at because of dry_run", "");
    }
    let repository = known.repository.as_deref().unwrap_or("unknown/unknown");
    let key = format!("{}{MARKER}", plan::folder(submission, repository, "check"));
    let probe = Probe { submission, store: store.as_ref(), key: &key };
    let Some(bytes) = probe.write(findings) else { return };
    probe.read(&bytes, findings);
    probe.open(known.private, findings);
    probe.remove(findings);
    probe.expiry(findings);
}

struct Probe<'a> {
    submission: &'a Submission,
    store: &'a dyn Store,
    key: &'a str,
}

impl Probe<'_> {
    /// Tries again what may pass.
    fn retry<T>(&self, mut work: impl FnMut() -> Stored<T>) -> Stored<T> {
        for _ in 1..ATTEMPTS {
            match work() {
                Err(failure) if matches!(failure.fault, Fault::Busy(_) | Fault::Unreachable) => {
                    std::thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
        work()
    }

    /// The object is a marker, so that a later run removes it where this one cannot.
    fn write(&self, findings: &mut Findings) -> Option<Vec<u8>> {
        let days = self.submission.settings.count("store_expire_days").unwrap_or(7).min(36_500);
        let days = time::Duration::days(i64::try_from(days).unwrap_or(7));
        let expires = self.submission.started.saturating_add(days);
        let submission = self.submission.id.clone();
        let marker = Marker { notify_pr: 1, submission, expires };
        let bytes = serde_json::to_vec(&marker).unwrap_or_default();
        let body = Body::memory(&bytes[..], self.store.limits().checksum);
        let meta = Meta {
            content_type: "application/json".to_owned(),
            content_encoding: None,
            expires: Some(expires),
        };
        let put = self.retry(|| {
            self.store.prepare()?;
            self.store.put(self.key, &body, &meta, &|_| true)
        });
        match put {
            Ok(()) => {
                findings.ok("store_write", format!("{} takes objects", self.store.name()));
                self.credentials(findings);
                Some(bytes)
            }
            Err(failure) => {
                findings.failed("store_write", &failure.error);
                None
            }
        }
    }

    /// A run may last longer than temporary credentials do.
    fn credentials(&self, findings: &mut Findings) {
        let Some(temporary) = self.store.temporary() else { return };
        let until = match temporary.ends {
            Some(ends) => format!("until {}", moment(ends)),
            None => "for a while only".to_owned(),
        };
        findings.warn(
            "store_write",
            format!("the store's credentials are temporary and good {until}"),
            "see that the run ends before, or use an access key that stays",
        );
    }

    fn read(&self, bytes: &[u8], findings: &mut Findings) {
        match self.retry(|| self.store.get(self.key, 4096)) {
            Ok(read) if read == bytes => findings.ok("store_read", "what was written came back"),
            Ok(_) => findings.fail(
                "store_read",
                Status::StoreRefused,
                "something else came back than was written",
                "see what changes objects on their way: a proxy, or the store itself",
            ),
            // An upload works all the same.
            Err(failure) => findings.warn(
                "store_read",
                failure.error.what(),
                failure.error.advice().unwrap_or_default(),
            ),
        }
    }

    fn open(&self, private: bool, findings: &mut Findings) {
        let decided = links::decide(self.submission, self.store, self.key, private);
        let links = match decided {
            Ok(links) => links,
            Err(error) => return findings.failed("store_access", &error),
        };
        let Links { access, until, caution } = links;
        match access {
            Some(access) => {
                findings.warnings("store_access");
                let how = match access {
                    Access::Public => "what is stored opens without credentials",
                    Access::Signed => "what is stored opens by a signed link",
                };
                let text = format!("{how}, until {}", until.date());
                match caution {
                    None => findings.ok("store_access", text),
                    Some(caution) => {
                        findings.warn("store_access", format!("{text}. {caution}"), "")
                    }
                }
                self.clock(access, until_of(self.submission), findings);
            }
            None => {
                let said: Vec<String> = std::mem::take(
                    &mut *findings.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
                );
                findings.fail(
                    "store_access",
                    Status::StoreRefused,
                    caution.unwrap_or_default(),
                    &said.join("; "),
                );
            }
        }
    }

    /// Compares the store's clock with ours: signatures have a time.
    fn clock(&self, access: Access, until: time::OffsetDateTime, findings: &mut Findings) {
        let Ok(link) = self.store.link(self.key, access, until) else { return };
        let answer = self.submission.agents.store.exchange(Request::new("GET", &link));
        let Exchange::Answered(answer) = answer else { return };
        if let Some(theirs) = answer.date() {
            compare(findings, "the store", theirs, time::OffsetDateTime::now_utc());
        }
    }

    fn remove(&self, findings: &mut Findings) {
        match self.retry(|| self.store.delete(self.key)) {
            Ok(()) => findings.ok("store_delete", "the object was removed again"),
            Err(failure) => findings.warn(
                "store_delete",
                format!("{} stays in the store: {}", self.key, failure.error.what()),
                failure.error.advice().unwrap_or_default(),
            ),
        }
    }

    fn expiry(&self, findings: &mut Findings) {
        let days = self.submission.settings.count("store_expire_days").unwrap_or(7);
        match self.retry(|| self.store.expiry()) {
            Err(failure) => findings.failed("expiry", &failure.error),
            Ok(expiry) => {
                if let Some(early) = expiry.early {
                    findings.warn(
                        "expiry",
                        format!(
                            "a rule of the store removes what is stored now on {}",
                            early.date()
                        ),
                        "take store_prefix out of that rule, or lower store_expire_days",
                    );
                }
                match expiry.removal {
                    Removal::EachObject => {
                        findings
                            .ok("expiry", format!("the store removes objects after {days} days"));
                    }
                    Removal::Rule(name) => findings.ok(
                        "expiry",
                        format!("the store's rule {name} removes objects after {days} days"),
                    ),
                    Removal::NextRun(why) if why.is_empty() => findings.ok(
                        "expiry",
                        format!("later runs remove what this one stores, after {days} days"),
                    ),
                    Removal::NextRun(why) => findings.warn(
                        "expiry",
                        format!("later runs remove what this one stores, after {days} days: {why}"),
                        "",
                    ),
                }
            }
        }
    }
}

/// `2026-11-30 12:22 UTC`.
fn moment(at: time::OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

fn until_of(submission: &Submission) -> time::OffsetDateTime {
    submission.started.saturating_add(time::Duration::HOUR)
}

/// Says how far a clock is from ours.
pub(super) fn compare(
    findings: &mut Findings,
    whose: &str,
    theirs: time::OffsetDateTime,
    ours: time::OffsetDateTime,
) {
    let apart = (theirs - ours).abs();
    let seconds = apart.whole_seconds();
    if apart > CLOCKS_DIFFER {
        findings.warn(
            "clock",
            format!("this machine's clock and that of {whose} differ by {seconds} s"),
            "set the clock of this machine, for instance with NTP",
        );
    } else {
        findings.ok("clock", format!("it agrees with that of {whose}"));
    }
}
