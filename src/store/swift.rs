//! OpenStack Swift, and Ceph where it speaks the same.
//!
//! Sources: the Object Storage API reference and Swift's middleware documentation (SLO, TempURL,
//! ACLs, expiring objects); where Ceph differs, what it does was measured. Every object carries
//! its own end, so nothing is ever swept here.

mod answer;
mod bundle;
mod call;
mod container;
mod info;
mod large;
mod right;
mod temp_url;
mod under_way;

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;

use self::call::{Call, Content, Target};
use self::container::Making;
use self::info::Info;
use self::under_way::UnderWay;
use super::keystone::Tokens;
use super::server::Known;
use super::transfer::{changed, hex};
use super::{
    Access, Bundle, Bundles, Expiry, Fault, Limits, Listed, Listing, Meta, Part, Removal, Sent,
    Store, StoreError, Stored, Upload, check_key, encode_key,
};
use crate::content::{Body, Checksum};
use crate::error::{Error, Result};
use crate::http::{Agent, Answer, display_url};
use crate::status::Status;
use crate::submission::{Clock, Submission};

/// The container of the files where the settings name none.
const DEFAULT_CONTAINER: &str = "notify-pr";
/// From this size on files go in segments, side by side, and what fails is sent again by the segment.
const PARTS_FROM: u64 = 256 << 20;
/// How many objects a page of a listing holds; every cluster allows as many.
const PAGE: usize = 1000;
/// How long cleaning up may take for each request: it may be done while a user waits for the end.
const ABORT_TIME: Duration = Duration::from_secs(3);

/// How often it is asked who may read, where that fails for the moment, and the pause in between.
const LOOKS: u32 = 3;
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// The store of `store_api = swift`.
#[derive(Debug)]
pub(super) struct Swift {
    agent: Agent,
    clock: Clock,
    tokens: Tokens,
    container: String,
    /// The address that was asked for, and the container.
    name: String,
    public_url: Option<String>,
    create: bool,
    access: Wanted,
    making: Mutex<Making>,
    known: Known,
    /// How far the cluster's clock is ahead of ours.
    ahead: OnceLock<time::Duration>,
    info: Mutex<Option<Info>>,
    /// Large objects that are being made.
    under_way: UnderWay,
    /// Who may read, once that was asked.
    reading: Mutex<Option<temp_url::Reading>>,
    /// Whether the settings of the container or the account were not shown.
    hidden: AtomicBool,
    /// Whether an object that came in a bundle was seen to know its end.
    ends_proven: AtomicBool,
}

/// What `store_access` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// What is public already is read so, and everything else by signed links.
    Auto,
    /// Everybody may read, and a container may be made so.
    Public,
    /// Signed links only.
    Signed,
}

impl Swift {
    /// Contacts nobody.
    pub(super) fn new(submission: &Submission) -> Result<Swift> {
        let settings = &submission.settings;
        let container = settings.text("store_container").unwrap_or(DEFAULT_CONTAINER);
        if container.contains('/') || container.len() > 256 || matches!(container, "." | "..") {
            return Err(Error::new(
                Status::BadSetting,
                format!("store_container = {container} cannot be the name of a container"),
            )
            .advise("a folder inside the container is named by store_prefix"));
        }
        let public_url = settings.text("store_public_url");
        if let Some(url) = public_url {
            super::choose::check_url("store_public_url", url)?;
        }
        let endpoint = settings.text("store_endpoint").unwrap_or_default();
        let name =
            format!("{}, container {container}", display_url(endpoint.trim_end_matches('/')));
        Ok(Swift {
            agent: submission.agents.store.clone(),
            clock: submission.clock,
            tokens: Tokens::new(submission)?,
            container: container.to_owned(),
            name,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            create: settings.flag("store_create"),
            access: match settings.text("store_access") {
                Some("public") => Wanted::Public,
                Some("signed") => Wanted::Signed,
                _ => Wanted::Auto,
            },
            making: Mutex::default(),
            known: Known::default(),
            ahead: OnceLock::new(),
            info: Mutex::default(),
            under_way: UnderWay::default(),
            reading: Mutex::default(),
            hidden: AtomicBool::new(false),
            ends_proven: AtomicBool::new(false),
        })
    }

    /// The headers that say what an object is and when it goes. The span of time is what our clock
    /// says is left, so a clock that is wrong does not matter.
    fn described(&self, meta: &Meta) -> Vec<(String, String)> {
        let mut headers = vec![("content-type".to_owned(), meta.content_type.clone())];
        if let Some(encoding) = &meta.content_encoding {
            headers.push(("content-encoding".to_owned(), encoding.clone()));
        }
        headers.extend(self.ends_after(meta.expires));
        headers
    }

    fn ends_after(&self, end: Option<OffsetDateTime>) -> Option<(String, String)> {
        let left = (end? - self.clock.now()).whole_seconds();
        // Zero is refused.
        Some(("x-delete-after".to_owned(), left.max(1).to_string()))
    }

    /// Sends a PUT of an object; where there is no container yet, makes it and sends again.
    fn put_object(&self, call: &Call<'_>) -> Stored<Answer> {
        self.make_ready()?;
        let answer = self.exchange(&self.agent, call)?;
        if answer.status != 404 {
            return self.of_swift(answer);
        }
        self.make_container()?;
        let again = self.exchange(&self.agent, call)?;
        match again.status {
            // Another proxy of the cluster may remember for some seconds that there was none.
            404 => Err(self.not_yet()),
            _ => self.of_swift(again),
        }
    }
}

impl Store for Swift {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> Limits {
        let info = self.info.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_default();
        Limits {
            key_bytes: info.key_bytes,
            // Swift has no such limit; a web server in front of it, or a download, may.
            component_bytes: 255,
            put_bytes: info.object_bytes,
            part_bytes: (info.object_bytes.min(1 << 20), info.object_bytes),
            parts: info.segments,
            parts_from: match info.segments {
                0 => info.object_bytes,
                _ => info.object_bytes.min(PARTS_FROM),
            },
            checksum: Checksum::Md5,
        }
    }

    fn prepare(&self) -> Stored<()> {
        self.tokens.session(&self.agent).map(drop)
    }

    fn put(&self, key: &str, body: &Body, meta: &Meta, sent: &Sent<'_>) -> Stored<()> {
        check_key(key, &self.limits())?;
        if body.len() > self.limits().put_bytes {
            return self.put_in_parts(key, body, meta, sent);
        }
        let mut call = Call::new("PUT", Target::Object(key));
        call.headers = self.described(meta);
        let md5 = body.md5().map(|md5| hex(&md5));
        if let Some(md5) = &md5 {
            // Swift compares what arrives with it: 422 if it differs.
            call.headers.push(("etag".to_owned(), md5.clone()));
        }
        call.content = Content::Body { body, range: 0..body.len(), sent };
        let answer = self.put_object(&call)?;
        if answer.status == 413 && body.len() > self.info(&self.agent)?.object_bytes {
            // Now that this is known, others too go in parts from the beginning, side by side.
            return Err(changed("the store takes it in parts only").at(key));
        }
        let answer = self.checked(&call, answer)?;
        match (md5, answer::etag(&answer)) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                // Nobody vouches for what is there; where it cannot be removed, it has its end.
                let _ = self.remove(&self.agent, key, Some(ABORT_TIME));
                Err(changed("the store has other bytes than were sent").at(key))
            }
            _ => Ok(()),
        }
    }

    fn takes_bundles(&self) -> Option<Bundles> {
        self.offers_bundles()
    }

    fn put_bundle(&self, bundle: &Bundle, sent: &Sent<'_>) -> Stored<Vec<bool>> {
        self.unpack(bundle, sent)
    }

    fn begin(&self, key: &str, meta: &Meta) -> Stored<Upload> {
        check_key(key, &self.limits())?;
        self.begin_large(key, meta)
    }

    fn put_part(
        &self,
        upload: &Upload,
        number: u32,
        body: &Body,
        range: std::ops::Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part> {
        self.put_segment(upload, number, body, range, sent)
    }

    fn finish(&self, upload: &Upload, parts: &[Part]) -> Stored<()> {
        self.put_manifest(upload, parts)
    }

    fn abort(&self, upload: &Upload) -> Stored<()> {
        self.give_up(upload)
    }

    fn get(&self, key: &str, limit: u64) -> Stored<Vec<u8>> {
        check_key(key, &self.limits())?;
        let mut call = Call::new("GET", Target::Object(key));
        call.answer_limit = Some(limit);
        let answer = self.call(&self.agent, &call)?;
        match answer.cut {
            Some(why) => Err(self.unreachable(why)),
            None => Ok(answer.body),
        }
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Stored<Listing> {
        let Rows { rows, more } = self.rows(&self.agent, prefix, after, None)?;
        let listed = |row: Row| Listed { key: row.name, size: row.bytes };
        Ok(Listing { objects: rows.into_iter().map(listed).collect(), more })
    }

    fn delete(&self, key: &str) -> Stored<()> {
        check_key(key, &self.limits())?;
        self.delete_object(&self.agent, key)
    }

    fn ways(&self) -> Vec<Access> {
        // Nobody asks for them a second time, so what may pass is tried again here.
        let mut reading = self.reading();
        for _ in 1..LOOKS {
            if !reading.as_ref().is_err_and(may_pass) {
                break;
            }
            std::thread::sleep(LOOK_PAUSE);
            reading = self.reading();
        }
        // Where it cannot be asked, trying will tell.
        let (public, signed) = match reading {
            Ok(reading) => (reading.public || self.public_url.is_some(), reading.key.is_some()),
            Err(_) => (true, false),
        };
        let mut ways = Vec::new();
        if public && self.access != Wanted::Signed {
            ways.push(Access::Public);
        }
        if signed {
            ways.push(Access::Signed);
        }
        ways
    }

    fn link(&self, key: &str, access: Access, until: OffsetDateTime) -> Result<String, Error> {
        match (access, &self.public_url) {
            (Access::Public, Some(public)) => Ok(format!("{public}/{}", encode_key(key))),
            (Access::Public, None) => {
                let session = self.tokens.session(&self.agent).map_err(|failure| failure.error)?;
                Ok(self.url(&session.storage_url, Target::Object(key)))
            }
            (Access::Signed, _) => self.temporary_url(key, until).map_err(|failure| failure.error),
        }
    }

    fn listing_link(&self, prefix: &str) -> Option<String> {
        let session = self.tokens.session(&self.agent).ok()?;
        let container = self.url(&session.storage_url, Target::Container);
        Some(format!("{container}?limit=10&prefix={}", encode_key(prefix)))
    }

    fn how_to_publish(&self) -> String {
        self.how_to_open()
    }

    fn expiry(&self) -> Stored<Expiry> {
        Ok(Expiry::by(Removal::EachObject))
    }

    fn sweep(&self, _now: OffsetDateTime, _goes_on: &dyn Fn() -> bool) -> Stored<u64> {
        Ok(0)
    }
}

/// Whether asking again may help.
fn may_pass(failure: &StoreError) -> bool {
    matches!(failure.fault, Fault::Busy(_) | Fault::Unreachable)
}

/// An object in a listing; a pseudo-directory, which has only a `subdir`, is never asked for.
#[derive(Deserialize)]
struct Row {
    name: String,
    #[serde(default)]
    bytes: u64,
    /// The MD5 of the bytes, in digits.
    #[serde(default)]
    hash: String,
    #[serde(default)]
    content_type: String,
}

/// A page of a listing as Swift gives it.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    more: bool,
}

impl Swift {
    /// What stands in the listing between two names.
    fn rows(
        &self,
        agent: &Agent,
        prefix: &str,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Stored<Rows> {
        let mut call = Call::new("GET", Target::Container);
        let limit = PAGE.to_string();
        call.query = vec![("format", "json"), ("limit", &limit), ("prefix", prefix)];
        call.query.extend(after.map(|after| ("marker", after)));
        call.query.extend(before.map(|before| ("end_marker", before)));
        let answer = self.exchange(agent, &call)?;
        match (answer.status, self.create) {
            // It will be made when the first object comes.
            (404, true) => return Ok(Rows::default()),
            (404, false) => return Err(self.no_container()),
            _ => {}
        }
        let answer = self.checked(&call, answer)?;
        if let Some(why) = answer.cut {
            return Err(self.unreachable(why));
        }
        if answer.status == 204 {
            return Ok(Rows::default());
        }
        let Ok(rows) = serde_json::from_slice::<Vec<Row>>(&answer.body) else {
            return Err(self.no_swift("the answer is no listing"));
        };
        let more = rows.len() >= PAGE;
        Ok(Rows { rows, more })
    }

    /// What the cluster says of itself, asked for once.
    fn info(&self, agent: &Agent) -> Stored<Info> {
        let mut known = self.info.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = *known {
            return Ok(info);
        }
        let session = self.tokens.session(agent)?;
        let info = self.ask_info(agent, &session.storage_url)?;
        *known = Some(info);
        Ok(info)
    }
}
