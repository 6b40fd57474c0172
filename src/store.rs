//! Where objects go. One trait, and one contract test that runs against every store.

mod bundle;
mod choose;
mod directory;
mod keystone;
mod marker;
mod s3;
mod server;
mod swift;
mod transfer;

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

use crate::content::{Body, Checksum};
use crate::error::Error;
use crate::status::Status;

pub use bundle::{Bundle, Bundles, Member};
pub use choose::choose;
pub use marker::{MARKER, Marker};

/// Small objects on their way to a store, sent before the answers to those before them are there.
pub trait Line {
    /// Sends an object that is in memory. Returns whether [`Line::answer`] will tell of it.
    fn put(&mut self, key: &str, body: &Body, meta: &Meta) -> bool;

    /// What came of the next object, in the order in which they were sent.
    fn answer(&mut self) -> Put;
}

/// What came of an object that was sent over a [`Line`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is in the store.
    Stored,
    /// The store asks for patience.
    Busy,
    /// Nothing that helps: it is to be put by itself, which tells why.
    Unknown,
}

/// What a store can take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest key in bytes.
    pub key_bytes: usize,
    /// The longest part of a key between two `/`, in bytes.
    pub component_bytes: usize,
    /// The largest object that one `put` may make, in bytes.
    pub put_bytes: u64,
    /// The sizes that a part of a large object may have, in bytes; the last one may be smaller.
    pub part_bytes: (u64, u64),
    /// The most parts that an object may have.
    pub parts: u32,
    /// From which size on an object had better be sent in parts, in bytes.
    pub parts_from: u64,
    /// What `put` compares, and wants to know of a body beforehand.
    pub checksum: Checksum,
}

/// What is said of an object besides its bytes.
#[derive(Clone, Debug)]
pub struct Meta {
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Encoding`, where the bytes are compressed.
    pub content_encoding: Option<String>,
    /// When the object may go, where the store can see to that itself.
    pub expires: Option<OffsetDateTime>,
}

/// How the public reads what is in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone who knows the address can read it.
    Public,
    /// The address carries a signature that ends.
    Signed,
}

/// Credentials that end, and with which signed links are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// When they end, where that is known.
    pub ends: Option<OffsetDateTime>,
}

/// What removes the objects that a submission has stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Who does it.
    pub removal: Removal,
    /// When the store will remove what is stored now, if that is before the time that was asked
    /// for.
    pub early: Option<OffsetDateTime>,
}

impl Expiry {
    /// Nothing happens before its time.
    fn by(removal: Removal) -> Expiry {
        Expiry { removal, early: None }
    }
}

/// Who removes objects past their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The store itself, by the end that each object carries.
    EachObject,
    /// A rule of the store, which has this name.
    Rule(String),
    /// This program, when it next reports to this store. The text says why not the store, where
    /// it could.
    NextRun(String),
}

/// A large object that is being made of parts.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The key of the object.
    pub key: String,
    /// The store's own id of this upload.
    pub id: String,
    /// What is said of the object.
    pub meta: Meta,
}

/// A part that the store has.
#[derive(Clone, Debug)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// What the store calls it.
    pub etag: String,
    /// Its size in bytes.
    pub size: u64,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// In the store's own order, which for most is that of the keys' bytes. The next page begins
    /// after the last key of this one.
    pub objects: Vec<Listed>,
    /// Whether there is more after the last one.
    pub more: bool,
}

/// What may be done about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Trying again cannot help: credentials, rights, a request that is wrong.
    Refused,
    /// The container or the object is not there.
    NotFound,
    /// The store asks to come back later, after so long if it says so.
    Busy(Option<Duration>),
    /// No answer, or one of the server's own failures: trying again may help.
    Unreachable,
    /// What arrived is not what was announced: prepare the body again.
    Mismatch,
    /// The local side failed: a file that vanished, a disk that is full.
    Local,
    /// Somebody asked to stop.
    Cancelled,
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    /// What may be done about it.
    pub fault: Fault,
    /// The words for the user.
    pub error: Error,
}

impl StoreError {
    /// A failure of the given kind; `what` says what was wrong, without a full stop. The status
    /// follows from the kind.
    pub fn new(fault: Fault, what: impl Into<String>) -> StoreError {
        let status = match fault {
            Fault::Refused | Fault::NotFound => Status::StoreRefused,
            Fault::Busy(_) | Fault::Unreachable => Status::StoreUnreachable,
            Fault::Mismatch | Fault::Local => Status::BadFile,
            Fault::Cancelled => Status::Cancelled,
        };
        StoreError { fault, error: Error::new(status, what) }
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> StoreError {
        self.error = self.error.at(place);
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> StoreError {
        self.error = self.error.advise(advice);
        self
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The result of what a store does.
pub type Stored<T> = std::result::Result<T, StoreError>;

/// Is told how many bytes more were sent, and answers whether to go on: `false` ends the transfer
/// with [`Fault::Cancelled`].
pub type Sent<'a> = dyn Fn(u64) -> bool + 'a;

/// All but the unreserved characters of RFC 3986 section 2.3, and the `/` between components.
const NOT_IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A key as it stands in the path of a URL: everything is percent-encoded but unreserved
/// characters and `/`.
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, NOT_IN_A_PATH).to_string()
}

/// Refuses a key that could leave its place: see [`Store`] for what a key may be.
fn check_key(key: &str, limits: &Limits) -> Stored<()> {
    let bad = |why: &str| {
        Err(StoreError::new(
            Fault::Refused,
            format!("{key:?} cannot be the key of an object: {why}"),
        ))
    };
    if key.len() > limits.key_bytes {
        return bad("it is too long");
    }
    if key.contains(['\0', '\\']) && cfg!(windows) || key.contains('\0') {
        return bad("it holds a character that no file name may hold");
    }
    for component in key.split('/') {
        if matches!(component, "" | "." | "..") {
            return bad("a component is empty, `.` or `..`");
        }
        if component.len() > limits.component_bytes {
            return bad("a component is too long");
        }
    }
    Ok(())
}

/// A place for objects. Keys are UTF-8, relative, and hold no empty, `.` or `..` component.
///
/// A method makes one attempt: whether to try again is the uploader's business. Several threads
/// call a store at once.
pub trait Store: Send + Sync {
    /// Which store this is, for messages: the address without secrets.
    fn name(&self) -> &str;

    /// What it can take.
    fn limits(&self) -> Limits;

    /// Whether an object is served with the `Content-Encoding` that it was stored with. A folder
    /// cannot say that what it holds is compressed.
    fn keeps_encoding(&self) -> bool {
        true
    }

    /// Makes the store ready: finds the container, or makes it if `store_create` says so. It is
    /// called once, before anything is put, and its failure is the clear answer to bad settings.
    fn prepare(&self) -> Stored<()>;

    /// Stores an object whole, replacing one of the same key.
    fn put(&self, key: &str, body: &Body, meta: &Meta, sent: &Sent<'_>) -> Stored<()>;

    /// How many small objects may go over a [`Line`], as far as is known.
    fn together(&self) -> usize {
        1
    }

    /// A way to send small objects one behind the other, if there is one now.
    fn line(&self) -> Option<Box<dyn Line + '_>> {
        None
    }

    /// What bundles of small objects the store takes, if any.
    fn takes_bundles(&self) -> Option<Bundles> {
        None
    }

    /// Stores small objects with one request, and says of each in turn whether it is proven to be
    /// stored as it was sent. Of the others nothing is known, and `put` makes them right. A store
    /// that cannot see to the end of what comes in a bundle fails with [`Fault::Refused`].
    fn put_bundle(&self, _bundle: &Bundle, _sent: &Sent<'_>) -> Stored<Vec<bool>> {
        Err(StoreError::new(Fault::Refused, "the store takes no bundles").at(self.name()))
    }

    /// Begins a large object.
    fn begin(&self, key: &str, meta: &Meta) -> Stored<Upload>;

    /// Stores the bytes `range` of the body as one part.
    fn put_part(
        &self,
        upload: &Upload,
        number: u32,
        body: &Body,
        range: std::ops::Range<u64>,
        sent: &Sent<'_>,
    ) -> Stored<Part>;

    /// Makes the object of its parts, which are given in their order.
    fn finish(&self, upload: &Upload, parts: &[Part]) -> Stored<()>;

    /// Gives a large object up and removes what was stored of it.
    fn abort(&self, upload: &Upload) -> Stored<()>;

    /// Gives up what may have been begun under this key without its id getting here, but not
    /// `kept`.
    fn abort_lost(&self, _key: &str, _kept: Option<&Upload>) -> Stored<()> {
        Ok(())
    }

    /// The bytes of an object, at most `limit` of them.
    fn get(&self, key: &str, limit: u64) -> Stored<Vec<u8>>;

    /// The objects whose keys begin with `prefix`, from the first one after the key `after`.
    fn list(&self, prefix: &str, after: Option<&str>) -> Stored<Listing>;

    /// Removes an object. One that is not there is no error.
    fn delete(&self, key: &str) -> Stored<()>;

    /// In which ways the public might read, the best first.
    fn ways(&self) -> Vec<Access>;

    /// The address of an object, percent-encoded; a signed one opens until `until`.
    fn link(&self, key: &str, access: Access, until: OffsetDateTime) -> Result<String, Error>;

    /// Whether signed links are made with credentials that end. Such a link carries a part of them.
    fn temporary(&self) -> Option<Temporary> {
        None
    }

    /// The address at which a container that everybody may list would show what is in the folder
    /// `prefix`, if it has one.
    fn listing_link(&self, _prefix: &str) -> Option<String> {
        None
    }

    /// What the operator of the store does so that everybody can read what is stored.
    fn how_to_publish(&self) -> String {
        "let everybody get the objects".to_owned()
    }

    /// What removes the objects past their time. Where the store has rules for it and may be
    /// given one by the settings, that is done now.
    fn expiry(&self) -> Stored<Expiry> {
        Ok(Expiry::by(Removal::NextRun(String::new())))
    }

    /// Removes this program's own runs that are past their day, where the store does not do it by
    /// itself. Returns how many objects went. It is an error where `goes_on` ended it, which is
    /// asked before each step.
    fn sweep(&self, now: OffsetDateTime, goes_on: &dyn Fn() -> bool) -> Stored<u64>;
}
