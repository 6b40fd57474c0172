//! Many small objects with one request: Swift's bulk upload, which unpacks an archive.
//!
//! It answers 200 whatever happened, and older clusters do not hand the end of the request on to
//! the objects. So what it says is only believed of what it refuses: the listing proves each object
//! by its hash and type, and the first one is asked for its end before any other bundle is trusted.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::Swift;
use super::call::{Call, Content, Target};
use crate::http::Answer;
use crate::store::transfer::hex;
use crate::store::{Bundle, Bundles, Fault, Sent, Store, StoreError, Stored, check_key};

/// What the middleware says when it has unpacked an archive; heartbeats, which are spaces, may
/// stand before it.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "Number Files Created")]
    created: u64,
    /// Encoded paths from the container on, and a status of HTTP for each.
    #[serde(rename = "Errors", default)]
    errors: Vec<(String, String)>,
}

impl Swift {
    /// What the middleware takes, if the cluster has it, and that in a version that hands the end
    /// on.
    pub(super) fn offers_bundles(&self) -> Option<Bundles> {
        let info = self.info(&self.agent).ok()?;
        let most = info.bundled.filter(|most| *most > 0)?;
        Some(Bundles { answer: info.took, most })
    }

    /// Sends the archive and looks at what has come of it.
    pub(super) fn unpack(&self, bundle: &Bundle, sent: &Sent<'_>) -> Stored<Vec<bool>> {
        bundle.members.iter().try_for_each(|member| check_key(&member.key, &self.limits()))?;
        let mut call = Call::new("PUT", Target::Object(bundle.folder.trim_end_matches('/')));
        call.query = vec![("extract-archive", "tar.gz")];
        call.headers = vec![("accept".to_owned(), "application/json".to_owned())];
        call.headers.extend(self.ends_after(bundle.expires));
        let body = &bundle.archive;
        call.content = Content::Body { body, range: 0..body.len(), sent };
        let said = self.said(self.call(&self.agent, &call)?)?;
        let mut stored = vec![false; bundle.members.len()];
        if said.created == 0 {
            return Ok(stored);
        }
        self.find_members(bundle, &mut stored)?;
        for (path, _) in &said.errors {
            let path = percent_decode_str(path).decode_utf8_lossy();
            let key = path.split_once('/').map_or("", |(_, key)| key);
            for (member, stored) in bundle.members.iter().zip(&mut stored) {
                *stored &= member.key != key;
            }
        }
        if bundle.expires.is_some() {
            self.prove_end(bundle, &stored)?;
        }
        Ok(stored)
    }

    fn said(&self, answer: Answer) -> Stored<Said> {
        match answer.cut {
            Some(why) => Err(self.unreachable(why)),
            None => serde_json::from_slice(&answer.body)
                .map_err(|_| self.no_swift("it does not say what it unpacked")),
        }
    }

    /// Finds the members in the listing, with their hashes and types. One that the listing does
    /// not have yet counts as not stored.
    fn find_members(&self, bundle: &Bundle, stored: &mut [bool]) -> Stored<()> {
        let keys = || bundle.members.iter().map(|member| member.key.as_str());
        let (Some(first), Some(last)) = (keys().min(), keys().max()) else { return Ok(()) };
        let places: HashMap<&str, usize> = keys().zip(0..).collect();
        // A listing begins behind its marker and ends before its end.
        let mut marker = first.to_owned();
        marker.pop();
        let end = format!("{last}!");
        loop {
            let rows = self.rows(&self.agent, &bundle.folder, Some(&marker), Some(&end))?;
            for row in &rows.rows {
                if let Some(&place) = places.get(row.name.as_str()) {
                    let member = &bundle.members[place];
                    stored[place] = row.bytes == member.size
                        && row.hash == hex(&member.md5)
                        && same_type(&row.content_type, member.content_type);
                }
            }
            match rows.rows.last() {
                Some(row) if rows.more => marker.clone_from(&row.name),
                _ => return Ok(()),
            }
        }
    }

    /// Looks once whether an object that was unpacked knows its end.
    fn prove_end(&self, bundle: &Bundle, stored: &[bool]) -> Stored<()> {
        let first = bundle.members.iter().zip(stored).find(|(_, stored)| **stored);
        let Some((member, _)) = first.filter(|_| !self.ends_proven.load(Relaxed)) else {
            return Ok(());
        };
        let answer = self.call(&self.agent, &Call::new("HEAD", Target::Object(&member.key)))?;
        let end = answer.header("x-delete-at").and_then(|end| end.parse::<u64>().ok());
        if end.is_none() {
            return Err(StoreError::new(
                Fault::Refused,
                "the store does not remove what comes in an archive",
            )
            .at(self.name.clone()));
        }
        self.ends_proven.store(true, Relaxed);
        Ok(())
    }
}

/// A listing writes the parameters of a type without the spaces that an object keeps.
fn same_type(listed: &str, sent: &str) -> bool {
    listed.chars().filter(|c| *c != ' ').eq(sent.chars().filter(|c| *c != ' '))
}
