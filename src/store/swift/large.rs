//! Objects that are larger than the cluster takes in one piece, or that had better go in several:
//! static large objects.
//!
//! Source: Swift, "Static Large Objects". The segments lie in the same container, so that whoever
//! may read the object may read them, but not below the object's own prefix, so that a listing of
//! a run does not name them. Each has its own end: none outlives the object.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::json;

use super::Swift;
use super::answer::etag;
use super::call::{Call, Content, Target, Watch};
use crate::content::Body;
use crate::http::Agent;
use crate::store::transfer::{changed, hex};
use crate::store::{Fault, Meta, Part, Sent, StoreError, Stored, Upload};
use crate::submission::random_id;

/// Where the segments of all large objects are, below the id of each.
const SEGMENTS: &str = ".notify_pr-segments";
/// The size of the segments that a single `put` makes of a file that is too large.
const SEGMENT: u64 = 1 << 30;

/// What a bulk removal says in its body, under status 200 whatever happened.
#[derive(Deserialize)]
struct Removed {
    #[serde(rename = "Response Status")]
    status: String,
}

impl Swift {
    pub(super) fn begin_large(&self, key: &str, meta: &Meta) -> Stored<Upload> {
        let info = self.info(&self.agent)?;
        if info.segments == 0 {
            // One that is not larger than that goes whole, now that this is known.
            return Err(StoreError::new(
                Fault::Mismatch,
                format!("the store takes no file larger than {} bytes", info.object_bytes),
            )
            .at(self.name.clone())
            .advise("have the operator enable static large objects, or set max_file"));
        }
        let id = random_id().map_err(|error| StoreError { fault: Fault::Local, error })?;
        Ok(Upload { key: key.to_owned(), id, meta: meta.clone() })
    }

    pub(super) fn put_segment(
        &self,
        upload: &Upload,
        number: u32,
        body: &Body,
        range: Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part> {
        let size = range.end.saturating_sub(range.start);
        let key = segment_key(upload, number);
        let hash = Hash::default();
        let mut call = Call::new("PUT", Target::Object(&key));
        call.headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
        call.headers.extend(self.ends_after(upload.meta.expires));
        call.content = Content::Watched { body, range, sent, watch: &hash };
        self.under_way.segment(upload, number, false);
        let answer = self.put_object(&call)?;
        let answer = self.checked(&call, answer)?;
        self.under_way.segment(upload, number, true);
        // Hashed while it was sent, so that it need not be read twice.
        let md5 = hash.hex();
        match etag(&answer) {
            Some(theirs) if theirs != md5 => {
                Err(changed("the store has other bytes than were sent").at(upload.key.clone()))
            }
            _ => Ok(Part { number, etag: md5, size }),
        }
    }

    /// Stores the list of segments; the cluster compares their sizes and hashes with it.
    pub(super) fn put_manifest(&self, upload: &Upload, parts: &[Part]) -> Stored<()> {
        let list: Vec<_> = parts
            .iter()
            .map(|part| {
                json!({
                    "path": format!("/{}/{}", self.container, segment_key(upload, part.number)),
                    "etag": part.etag,
                    "size_bytes": part.size,
                })
            })
            .collect();
        let list = serde_json::Value::Array(list).to_string();
        let mut call = Call::new("PUT", Target::Object(&upload.key));
        call.query = vec![("multipart-manifest", "put")];
        call.headers = self.described(&upload.meta);
        call.content = Content::Bytes(list.as_bytes());
        self.under_way.manifest(upload);
        let answer = self.exchange(&self.agent, &call)?;
        if answer.status == 400 && answer.text().to_ascii_lowercase().contains("etag mismatch") {
            return Err(changed("a part in the store is not what was sent").at(upload.key.clone()));
        }
        self.checked(&call, self.of_swift(answer)?)?;
        self.under_way.finished(upload);
        Ok(())
    }

    /// Removes an object, and its segments if it has any. Which kind it is must be asked first: a
    /// plain object is not removed by the removal of a large one, nor the other way round.
    pub(super) fn delete_object(&self, agent: &Agent, key: &str) -> Stored<()> {
        let look = Call::new("HEAD", Target::Object(key));
        let looked = self.exchange(agent, &look)?;
        if looked.status == 404 {
            return Ok(());
        }
        let looked = self.checked(&look, looked)?;
        let large = looked
            .header("x-static-large-object")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !large {
            return self.remove(agent, key, None).map(drop);
        }
        let mut call = Call::new("DELETE", Target::Object(key));
        call.query = vec![("multipart-manifest", "delete")];
        call.headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let answer = self.call(agent, &call)?;
        match serde_json::from_slice::<Removed>(&answer.body) {
            Ok(removed) if !removed.status.starts_with('2') => Err(StoreError::new(
                Fault::Unreachable,
                format!("a large object was not removed: {}", removed.status),
            )
            .at(key)),
            // Ceph answers without a body.
            _ => Ok(()),
        }
    }

    /// Removes what stands under a key, and says whether it was there.
    pub(super) fn remove(&self, agent: &Agent, key: &str, time: Option<Duration>) -> Stored<bool> {
        let mut call = Call::new("DELETE", Target::Object(key));
        call.time = time;
        let answer = self.exchange(agent, &call)?;
        if answer.status == 404 { Ok(false) } else { self.checked(&call, answer).map(|_| true) }
    }

    /// Stores a body that is too large for one PUT in segments, one after the other.
    pub(super) fn put_in_parts(
        &self,
        key: &str,
        body: &Body,
        meta: &Meta,
        sent: &Sent<'_>,
    ) -> Stored<()> {
        let upload = self.begin_large(key, meta)?;
        let info = self.info(&self.agent)?;
        let least = body.len().div_ceil(u64::from(info.segments).max(1));
        let size = SEGMENT.max(least).min(info.object_bytes).max(1);
        let stored = (1..)
            .zip((0..body.len()).step_by(usize::try_from(size).unwrap_or(usize::MAX)))
            .map(|(number, start)| {
                let range = start..body.len().min(start + size);
                self.put_segment(&upload, number, body, range, sent)
            })
            .collect::<Stored<Vec<Part>>>()
            .and_then(|parts| self.put_manifest(&upload, &parts));
        if stored.is_err() {
            // What is left behind has its end; the failure itself says more.
            let _ = self.give_up(&upload);
        }
        stored
    }
}

/// The key of a segment.
pub(super) fn segment_key(upload: &Upload, number: u32) -> String {
    format!("{SEGMENTS}/{}/{number:06}", upload.id)
}

/// The MD5 of what is sent.
#[derive(Default)]
struct Hash(RefCell<Md5>);

impl Hash {
    fn hex(&self) -> String {
        hex(&self.0.borrow().clone().finalize())
    }
}

impl Watch for Hash {
    fn begin(&self) {
        *self.0.borrow_mut() = Md5::new();
    }

    fn see(&self, bytes: &[u8]) {
        self.0.borrow_mut().update(bytes);
    }
}
