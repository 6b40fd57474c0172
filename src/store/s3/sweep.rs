//! Removes this program's own runs past their day, where no rule of the bucket does.
//!
//! Only `<prefix>/<days>d/<yyyy-mm-dd>/` of our own prefix and days is looked at, and in there only
//! folders that hold a marker which names them. Everything else is left alone. Keys are listed in
//! the order of their days, so the oldest runs are seen first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use quick_xml::escape::escape;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use super::S3;
use super::answer;
use super::call::{Call, Content};
use crate::store::marker::Strange;
use crate::store::{Fault, MARKER, Removal, Store, StoreError, Stored};

/// The most objects that one submission removes for those before it; DeleteObjects takes as many.
const MOST: usize = 1000;
/// The most runs that are looked at; each is a request.
const RUNS: usize = 100;
/// How many pages of a listing are read: what is not ours may stand in the way.
const PAGES: usize = 5;
/// The longest marker that is read.
const MARKER_LIMIT: u64 = 4096;
/// `<yyyy-mm-dd>/<owner>/<repo>/<pr-N or sha>/<submission>/` below the folder of our days.
const DEPTH: usize = 5;

impl S3 {
    /// Returns how many objects went.
    pub(super) fn sweep_old_runs(&self, now: OffsetDateTime) -> Stored<u64> {
        if let Removal::Rule(_) = self.what_removes()?.removal {
            return Ok(0);
        }
        // Whose clock is ahead must not remove what others still want. The store has told by now where
        // the two differ.
        let now = now.min(self.signer.now());
        let base = self.own.folder();
        let mut going = Going {
            store: self,
            now,
            seen: 0,
            run: None,
            keys: Vec::new(),
            strange: Strange::default(),
        };
        let mut after: Option<String> = None;
        let mut whole = false;
        'pages: for _ in 0..PAGES {
            let page = self.list(&base, after.as_deref())?;
            for object in &page.objects {
                let Some((day, folder)) = self.run_of(&base, &object.key) else { continue };
                if !self.is_past(day, now) || going.is_enough() {
                    // What follows is younger, or must wait for the next run.
                    whole = !self.is_past(day, now);
                    break 'pages;
                }
                going.see(folder, &object.key)?;
            }
            after = page.objects.last().map(|object| object.key.clone());
            if !page.more || after.is_none() {
                whole = true;
                break;
            }
        }
        let (keys, strange) = going.end(whole);
        for keys in keys.chunks(MOST) {
            self.remove_all(keys)?;
        }
        strange.name(&self.name).map(|()| keys.len() as u64)
    }

    /// The day of a key and the folder of its run, which ends with a slash.
    fn run_of<'k>(&self, base: &str, key: &'k str) -> Option<(Date, &'k str)> {
        let rest = key.strip_prefix(base)?;
        let day = rest.split('/').next()?;
        let day = Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?;
        let slash = rest.match_indices('/').nth(DEPTH - 1)?.0;
        Some((day, &key[..base.len() + slash + 1]))
    }

    fn is_past(&self, day: Date, now: OffsetDateTime) -> bool {
        let days = Duration::days(i64::try_from(self.own.days).unwrap_or(36_500));
        day.checked_add(days).is_some_and(|last| last < now.date())
    }

    /// DeleteObjects, or one after the other on a server that does not know it.
    fn remove_all(&self, keys: &[String]) -> Stored<()> {
        let mut list = String::from(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>",
        );
        for key in keys {
            list.push_str(&format!("<Object><Key>{}</Key></Object>", escape(key.as_str())));
        }
        list.push_str("</Delete>");
        let mut call = Call::new("POST", None);
        call.query = vec![("delete", String::new())];
        call.headers = vec![
            ("content-type".to_owned(), "application/xml".to_owned()),
            ("content-md5".to_owned(), BASE64.encode(Md5::digest(list.as_bytes()))),
        ];
        call.content = Content::Bytes(list.as_bytes());
        call.fine = &["NotImplemented", "MethodNotAllowed", "MalformedXML"];
        let answer = self.call(&self.agent, &call)?;
        if !answer.is_success() {
            return keys.iter().try_for_each(|key| self.delete(key));
        }
        match answer::not_deleted(&answer.body) {
            None => Ok(()),
            Some(why) => Err(StoreError::new(
                Fault::Refused,
                format!("runs past their day cannot be removed: {why}"),
            )
            .at(self.name.clone())
            .advise(
                "give the access key the right s3:DeleteObject, or the bucket a rule that removes \
                 them",
            )),
        }
    }
}

/// The objects that are to be removed.
struct Going<'a> {
    store: &'a S3,
    now: OffsetDateTime,
    /// How many runs were looked at.
    seen: usize,
    /// The folder of the run that is being listed, and whether it is one that may go.
    run: Option<(String, bool)>,
    keys: Vec<String>,
    strange: Strange,
}

impl Going<'_> {
    fn is_enough(&self) -> bool {
        self.keys.len() >= MOST || self.seen > RUNS
    }

    /// Takes note of an object in the folder of a run.
    fn see(&mut self, folder: &str, key: &str) -> Stored<()> {
        if self.run.as_ref().is_none_or(|(known, _)| known != folder) {
            self.close();
            self.seen += 1;
            let may_go = self.may_go(folder)?;
            self.run = Some((folder.to_owned(), may_go));
        }
        let ours = self.run.as_ref().is_some_and(|(_, may_go)| *may_go);
        if ours && key.strip_prefix(folder) != Some(MARKER) {
            self.keys.push(key.to_owned());
        }
        Ok(())
    }

    /// The marker goes last, and only when everything else has been seen: a sweep that was cut
    /// short goes on with the next run.
    fn close(&mut self) {
        if let Some((folder, true)) = self.run.take() {
            self.keys.push(format!("{folder}{MARKER}"));
        }
    }

    fn end(mut self, whole: bool) -> (Vec<String>, Strange) {
        if whole {
            self.close();
        }
        (self.keys, self.strange)
    }

    /// Whether the folder's marker names this folder and its time is up.
    fn may_go(&mut self, folder: &str) -> Stored<bool> {
        let marker = match self.store.get(&format!("{folder}{MARKER}"), MARKER_LIMIT) {
            Ok(bytes) => bytes,
            Err(failure) if failure.fault == Fault::NotFound => return Ok(false),
            Err(failure) => return Err(failure),
        };
        let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Ok(self.strange.may_go(&marker, name, self.now))
    }
}
