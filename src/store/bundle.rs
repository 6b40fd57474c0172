//! Small objects that go to a store together, with one request.

use std::time::Duration;

use time::OffsetDateTime;

use crate::content::Body;

/// What a store says of the bundles that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundles {
    /// How long the store takes to answer anything.
    pub answer: Duration,
    /// The most objects of one bundle.
    pub most: usize,
}

/// Small objects and the archive that holds them.
#[derive(Debug)]
pub struct Bundle {
    /// What all keys begin with; it ends with `/`.
    pub folder: String,
    /// The archive, which [`crate::content::archive::pack`] made. The names in it are the keys
    /// without the folder.
    pub archive: Body,
    /// What is in it.
    pub members: Vec<Member>,
    /// When the objects may go.
    pub expires: Option<OffsetDateTime>,
}

/// An object in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The whole key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The MD5 of the bytes.
    pub md5: [u8; 16],
    /// `Content-Type`.
    pub content_type: &'static str,
}
