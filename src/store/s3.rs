//! S3, and what speaks like it.
//!
//! Source: the Amazon S3 API Reference; where other servers differ, what they do was measured.
//! Signatures come from `s3::signing`, everything goes through the submission's own agent, and
//! the SHA-256 is the checksum: as the signed `x-amz-content-sha256`, and as
//! `x-amz-checksum-sha256` for servers such as SeaweedFS that do not compare the former.

mod answer;
mod call;
mod endpoint;
mod expiry;
mod lifecycle;
mod line;
mod public;
mod sign;
mod sweep;

use std::io::Read;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use self::call::{Call, Content};
use self::endpoint::Endpoint;
use self::expiry::Own;
use self::public::Public;
use self::sign::{Credentials, LONGEST_LINK, Signer, Target};
use super::server::Known;
use super::transfer::{Transfer, hex};
use super::{
    Access, Expiry, Fault, Limits, Listing, Meta, Part, Sent, Store, Stored, Temporary, Upload,
    check_key, encode_key,
};
use crate::content::{Body, Checksum};
use crate::error::{Error, Result};
use crate::http::Agent;
use crate::settings::Settings;
use crate::status::Status;
use crate::store;

/// How long giving up a multipart upload may take: it may be done while a user waits for the end.
const ABORT_TIME: Duration = Duration::from_secs(3);

/// The store of `store_api = s3`.
#[derive(Debug)]
pub(super) struct S3 {
    agent: Agent,
    endpoint: Endpoint,
    signer: Signer,
    name: String,
    public_url: Option<String>,
    create: bool,
    /// Whether the service takes `x-amz-checksum-sha256`, as far as is known.
    checksums: AtomicBool,
    public: Public,
    /// Until when the session token is good.
    ends: Option<OffsetDateTime>,
    own: Own,
    known: Known,
    /// What removes the objects, once that was asked.
    removed: Mutex<Option<Expiry>>,
}

impl S3 {
    /// Contacts nobody.
    pub(super) fn new(settings: &Settings, agent: Agent) -> Result<S3> {
        let endpoint = Endpoint::from_settings(settings)?;
        let public_url = settings.text("store_public_url");
        if let Some(url) = public_url {
            super::choose::check_url("store_public_url", url)?;
        }
        let credentials = Credentials {
            access_key: settings.text("store_identity").unwrap_or_default().to_owned(),
            secret_key: settings.text("store_secret").unwrap_or_default().to_owned(),
            session_token: settings.text("store_session_token").map(str::to_owned),
        };
        Ok(S3 {
            agent,
            signer: Signer::new(credentials, endpoint.region()),
            name: endpoint.display(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            create: settings.flag("store_create"),
            checksums: AtomicBool::new(true),
            public: Public::from_settings(settings),
            ends: expiry::session_end(settings)?,
            own: Own::from_settings(settings),
            known: Known::default(),
            removed: Mutex::default(),
            endpoint,
        })
    }

    /// Makes the bucket if it is not there. One that is there is left as it is: on some servers a
    /// second PUT would change its rights.
    fn create_bucket(&self) -> Stored<()> {
        let looked = self.call(&self.agent, &Call::new("HEAD", None));
        match looked {
            Ok(_) => return Ok(()),
            Err(failure) if failure.fault == Fault::NotFound => {}
            // An answer to HEAD has no words, and who may store but not list gets it too: the first
            // object will tell.
            Err(failure) if failure.error.status() == Status::StoreRefused => return Ok(()),
            Err(failure) => return Err(failure),
        }
        let region = self.signer.region();
        let constraint = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        );
        let mut call = Call::new("PUT", None);
        if self.endpoint.is_aws() && region != "us-east-1" {
            call.content = Content::Bytes(constraint.as_bytes());
        }
        call.fine = &["BucketAlreadyOwnedByYou", "BucketAlreadyExists"];
        self.call(&self.agent, &call).map(drop)
    }

    /// The call that stores a whole object.
    fn put_call<'a>(
        &self,
        key: &'a str,
        body: &'a Body,
        meta: &Meta,
        sent: &'a Sent<'a>,
    ) -> Stored<Call<'a>> {
        let mut call = Call::new("PUT", Some(key));
        call.headers = self.described(meta);
        let sha256 = match body.sha256() {
            Some(sha256) => {
                call.checksum = Some(BASE64.encode(sha256));
                hex(&sha256)
            }
            None => hash(body, 0..body.len(), sent)?,
        };
        call.content = Content::Body { body, range: 0..body.len(), sha256, sent };
        Ok(call)
    }

    fn abort_upload(&self, key: &str, id: &str) -> Stored<()> {
        // The agent may have been shut down by a cancel; what was begun is cleaned up all the same.
        let mut call = Call::new("DELETE", Some(key));
        call.query = vec![("uploadId", id.to_owned())];
        call.time = Some(ABORT_TIME);
        call.fine = &["NoSuchUpload"];
        self.call(&self.agent.renewed(), &call).map(drop)
    }
}

impl Store for S3 {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> Limits {
        Limits {
            key_bytes: 1024,
            component_bytes: 255,
            put_bytes: 5 << 30,
            part_bytes: (5 << 20, 5 << 30),
            parts: 10_000,
            parts_from: 64 << 20,
            checksum: Checksum::Sha256,
        }
    }

    fn prepare(&self) -> Stored<()> {
        if self.create { self.create_bucket() } else { Ok(()) }
    }

    fn put(&self, key: &str, body: &Body, meta: &Meta, sent: &Sent<'_>) -> Stored<()> {
        check_key(key, &self.limits())?;
        self.call(&self.agent, &self.put_call(key, body, meta, sent)?).map(drop)
    }

    fn together(&self) -> usize {
        self.agent.together()
    }

    fn line(&self) -> Option<Box<dyn store::Line + '_>> {
        line::Line::of(self).map(|line| Box::new(line) as Box<dyn store::Line>)
    }

    fn begin(&self, key: &str, meta: &Meta) -> Stored<Upload> {
        check_key(key, &self.limits())?;
        let mut call = Call::new("POST", Some(key));
        call.headers = self.described(meta);
        call.query = vec![("uploads", String::new())];
        let answer = self.call(&self.agent, &call)?;
        if let Some(why) = answer.cut {
            return Err(self.unreachable(why));
        }
        match answer::text_of(&answer.body, "UploadId") {
            Some(id) => Ok(Upload { key: key.to_owned(), id, meta: meta.clone() }),
            None => Err(self.no_s3("the answer names no upload")),
        }
    }

    fn put_part(
        &self,
        upload: &Upload,
        number: u32,
        body: &Body,
        range: Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part> {
        let size = range.end.saturating_sub(range.start);
        let mut call = Call::new("PUT", Some(&upload.key));
        call.query = vec![("partNumber", number.to_string()), ("uploadId", upload.id.clone())];
        let sha256 = hash(body, range.clone(), sent)?;
        call.content = Content::Body { body, range, sha256, sent };
        let answer = self.call(&self.agent, &call)?;
        match answer.header("etag") {
            Some(etag) => Ok(Part { number, etag: etag.to_owned(), size }),
            None => Err(self.no_s3("the answer to a part has no ETag")),
        }
    }

    fn finish(&self, upload: &Upload, parts: &[Part]) -> Stored<()> {
        let mut list = String::from(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
        );
        for part in parts {
            let etag = quick_xml::escape::escape(part.etag.as_str());
            let number = part.number;
            list.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            ));
        }
        list.push_str("</CompleteMultipartUpload>");
        let mut call = Call::new("POST", Some(&upload.key));
        call.query = vec![("uploadId", upload.id.clone())];
        call.headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
        call.content = Content::Bytes(list.as_bytes());
        // The status is sent before the work is done, so the body may still say that it failed.
        let answer = self.call(&self.agent, &call)?;
        if let Some(why) = answer.cut {
            return Err(self.unreachable(why));
        }
        Ok(())
    }

    fn abort(&self, upload: &Upload) -> Stored<()> {
        self.abort_upload(&upload.key, &upload.id)
    }

    fn abort_lost(&self, key: &str, kept: Option<&Upload>) -> Stored<()> {
        let mut call = Call::new("GET", None);
        call.query = vec![
            ("uploads", String::new()),
            ("encoding-type", "url".to_owned()),
            ("prefix", key.to_owned()),
        ];
        call.time = Some(ABORT_TIME);
        let answer = self.call(&self.agent.renewed(), &call)?;
        answer::uploads(&answer.body, key)
            .into_iter()
            .filter(|id| kept.is_none_or(|kept| kept.id != *id))
            .try_for_each(|id| self.abort_upload(key, &id))
    }

    fn get(&self, key: &str, limit: u64) -> Stored<Vec<u8>> {
        check_key(key, &self.limits())?;
        let mut call = Call::new("GET", Some(key));
        call.answer_limit = Some(limit);
        let answer = self.call(&self.agent, &call)?;
        match answer.cut {
            Some(why) => Err(self.unreachable(why)),
            None => Ok(answer.body),
        }
    }

    fn list(&self, prefix: &str, after: Option<&str>) -> Stored<Listing> {
        let mut call = Call::new("GET", None);
        call.query = vec![
            ("list-type", "2".to_owned()),
            ("encoding-type", "url".to_owned()),
            ("prefix", prefix.to_owned()),
        ];
        if let Some(after) = after {
            call.query.push(("start-after", after.to_owned()));
        }
        let answer = self.call(&self.agent, &call)?;
        if let Some(why) = answer.cut {
            return Err(self.unreachable(why));
        }
        if answer::text_of(&answer.body, "IsTruncated").is_none() {
            return Err(self.no_s3("the answer is no listing"));
        }
        Ok(answer::listing(&answer.body))
    }

    fn delete(&self, key: &str) -> Stored<()> {
        check_key(key, &self.limits())?;
        let mut call = Call::new("DELETE", Some(key));
        call.fine = &["NoSuchKey"];
        self.call(&self.agent, &call).map(drop)
    }

    fn ways(&self) -> Vec<Access> {
        self.public.ways()
    }

    fn link(&self, key: &str, access: Access, until: OffsetDateTime) -> Result<String, Error> {
        let region = self.signer.region();
        let host = self.endpoint.host(&region);
        let path = self.endpoint.path(Some(key));
        let plain = format!("{}://{host}{path}", self.endpoint.scheme());
        match (access, &self.public_url) {
            (Access::Public, Some(public)) => Ok(format!("{public}/{}", encode_key(key))),
            (Access::Public, None) => Ok(plain),
            (Access::Signed, _) => {
                // Both times are of our clock, whatever the store's says.
                let seconds = (until - OffsetDateTime::now_utc()).whole_seconds().min(LONGEST_LINK);
                let target =
                    Target { method: "GET", region: &region, host: &host, path: &path, query: &[] };
                let query = self.signer.presign(&target, seconds).map_err(|source| {
                    Error::new(Status::Internal, "a link cannot be signed").because(source)
                })?;
                Ok(format!("{plain}?{query}"))
            }
        }
    }

    fn temporary(&self) -> Option<Temporary> {
        self.signer.is_temporary().then_some(Temporary { ends: self.ends })
    }

    fn listing_link(&self, prefix: &str) -> Option<String> {
        let host = self.endpoint.host(&self.signer.region());
        let path = self.endpoint.path(None);
        let prefix = encode_key(prefix).replace('/', "%2F");
        let scheme = self.endpoint.scheme();
        Some(format!("{scheme}://{host}{path}?list-type=2&max-keys=10&prefix={prefix}"))
    }

    fn how_to_publish(&self) -> String {
        self.public.advice(&self.endpoint, &self.own.prefix)
    }

    fn expiry(&self) -> Stored<Expiry> {
        self.what_removes()
    }

    fn sweep(&self, now: OffsetDateTime, _goes_on: &dyn Fn() -> bool) -> Stored<u64> {
        // Each step is a request, and those are ended by the agent.
        self.sweep_old_runs(now)
    }
}

/// The SHA-256 of a part, which must be known before it is sent.
fn hash(body: &Body, range: Range<u64>, sent: &Sent<'_>) -> Stored<String> {
    if let Some(sha256) = body.sha256_of(&range) {
        return Ok(hex(&sha256));
    }
    // Reading is not sending, but may be stopped all the same.
    let still = |_| sent(0);
    let mut reader = Transfer::new(body, range, &still)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(read) => hash.update(&buffer[..read]),
            Err(source) => return Err(reader.failure(source)),
        }
    }
}
