//! A bucket like those of S3, in memory.
//!
//! It takes path style (`/bucket/key`) and virtual-host style (`Host: bucket.…`), checks
//! `Content-MD5` and `x-amz-content-sha256` against the body, and looks at the form of the
//! authorization: which headers are signed, the date, the region, the expiry of presigned links.
//! **It does not verify signatures**, for it knows no secret: that is tested with real servers.

mod access;
mod listing;
mod multipart;
mod objects;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::multipart::Upload;
use super::error;
use crate::fault::Fault;
use crate::lock;
use crate::server::{Bodies, Handler, Options, Request, Response, Server, http_date};
use crate::tls::Identity;

/// How a bucket is started.
pub struct BucketOptions {
    /// Its name.
    pub name: String,
    /// Whether anybody may read objects (but not list them).
    pub public: bool,
    /// Whether it is there from the start, or made by `PUT /bucket`.
    pub exists: bool,
    /// The region that signatures must name; None takes any.
    pub region: Option<String>,
    /// Whether `x-amz-acl: public-read` is taken. Buckets of AWS made since April 2023 refuse it.
    pub acls: bool,
    /// Whether everybody may list it too.
    pub listable: bool,
    /// Whether it keeps rules of expiry. They are never carried out.
    pub lifecycle: bool,
    /// The least size of all parts of a multipart upload but the last.
    pub least_part: usize,
    /// Forgets what is sent: only lengths are kept, for benches.
    pub discard: bool,
    /// How much later each answer comes, as from a store far away.
    pub delay: Duration,
    /// Speaks TLS with this identity.
    pub tls: Option<Arc<Identity>>,
}

impl Default for BucketOptions {
    fn default() -> Self {
        BucketOptions {
            name: "logs".to_owned(),
            public: true,
            exists: true,
            region: None,
            acls: false,
            listable: false,
            lifecycle: false,
            least_part: 5 << 20,
            discard: false,
            delay: Duration::ZERO,
            tls: None,
        }
    }
}

/// An object of a bucket.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// What was sent; empty when the bucket discards.
    pub bytes: Arc<Vec<u8>>,
    /// How long it is.
    pub length: u64,
    /// With quotes.
    pub etag: String,
    /// The headers that S3 keeps, names in lower case: `content-type`, `cache-control`,
    /// `content-disposition`, `content-encoding`, `content-language`, `expires` and
    /// `x-amz-…` ones such as `x-amz-meta-…`, `x-amz-acl`, `x-amz-tagging`.
    pub headers: BTreeMap<String, String>,
    /// Seconds since 1970.
    pub modified: i64,
}

impl Stored {
    /// A header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The bytes as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A running bucket. It ends when it is dropped.
pub struct Bucket {
    server: Server,
    world: Arc<World>,
}

struct World {
    options: BucketOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    exists: bool,
    objects: BTreeMap<String, Stored>,
    uploads: BTreeMap<String, Upload>,
    last_upload: u64,
    /// The rules of expiry as they were sent.
    lifecycle: Option<String>,
    /// How far its clock is ahead, in seconds.
    ahead: i64,
}

impl Bucket {
    /// Starts a public bucket of this name.
    pub fn start(name: &str) -> Self {
        Self::start_with(BucketOptions { name: name.to_owned(), ..BucketOptions::default() })
    }

    /// Starts one that differs.
    pub fn start_with(options: BucketOptions) -> Self {
        let server_options = Options {
            bodies: if options.discard { Bodies::Count } else { Bodies::Keep },
            tls: options.tls.clone(),
        };
        let state = State { exists: options.exists, ..State::default() };
        let world = Arc::new(World { options, state: Mutex::new(state) });
        let server = Server::start(Door { world: world.clone() }, server_options);
        Bucket { server, world }
    }

    /// The endpoint, without a slash at the end: what `store_endpoint` is set to.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where its objects are read, in path style and without a slash at the end.
    pub fn public_url(&self) -> String {
        format!("{}/{}", self.server.url(), self.world.options.name)
    }

    /// An object.
    pub fn object(&self, key: &str) -> Option<Stored> {
        lock(&self.world.state).objects.get(key).cloned()
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.world.state).objects.keys().cloned().collect()
    }

    /// Puts an object in, as if somebody had sent it before.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let object = objects::stored(bytes.to_vec().into(), bytes.len() as u64, BTreeMap::new(), 0);
        lock(&self.world.state).objects.insert(key.to_owned(), object);
    }

    /// The rules of expiry as they were sent last.
    pub fn lifecycle(&self) -> Option<String> {
        lock(&self.world.state).lifecycle.clone()
    }

    /// Gives it rules of expiry, as if somebody had sent them before.
    pub fn set_lifecycle(&self, xml: &str) {
        lock(&self.world.state).lifecycle = Some(xml.to_owned());
    }

    /// How many multipart uploads were begun and neither completed nor aborted.
    pub fn unfinished_uploads(&self) -> usize {
        lock(&self.world.state).uploads.len()
    }

    /// Sets its clock ahead (or back): signatures more than 15 minutes off are refused.
    pub fn set_clock_ahead(&self, seconds: i64) {
        lock(&self.world.state).ahead = seconds;
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.server.requests()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.server.forget_requests();
    }

    /// Switches a trouble on.
    pub fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }

    /// Switches all troubles off.
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Bucket").field(&self.public_url()).finish()
    }
}

/// Where requests come in.
struct Door {
    world: Arc<World>,
}

impl Handler for Door {
    fn answer(&self, request: &Request) -> Response {
        let mut state = lock(&self.world.state);
        let mut response = self.world.answer(&mut state, request);
        response.set("x-amz-request-id", "STANDIN");
        response.set("Date", http_date(access::now() + state.ahead));
        response.delay = self.world.options.delay;
        response
    }
}

impl World {
    fn answer(&self, state: &mut State, request: &Request) -> Response {
        let Some((bucket, key)) = self.address(request) else {
            return error(400, "InvalidURI", "Couldn't parse the specified URI.");
        };
        if let Err(refused) = access::check(&self.options, state, request, &key) {
            return refused;
        }
        if bucket != self.options.name {
            return error(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        if key.is_empty() {
            return listing::answer(&self.options, state, request);
        }
        if !state.exists {
            return error(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        if key.len() > 1024 {
            return error(400, "KeyTooLongError", "Your key is too long");
        }
        if request.parameter("uploads").is_some() || request.parameter("uploadId").is_some() {
            return multipart::answer(&self.options, state, request, &key);
        }
        objects::answer(&self.options, state, request, &key)
    }

    /// Bucket and key of a request in either style; None when the key is no UTF-8.
    fn address(&self, request: &Request) -> Option<(String, String)> {
        let host = request.header("host").unwrap_or_default();
        let decoded = percent_encoding::percent_decode_str(request.path()).decode_utf8().ok()?;
        let path = decoded.strip_prefix('/')?;
        if host.starts_with(&format!("{}.", self.options.name)) {
            return Some((self.options.name.clone(), path.to_owned()));
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Some((bucket.to_owned(), key.to_owned()))
    }
}
