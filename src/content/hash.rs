//! The checksum of what is sent: one, which is the one that the store compares.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::lanes;

/// Which checksum a store compares with what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// MD5 (RFC 1321).
    Md5,
}

impl Checksum {
    /// Whether that of several files or parts takes less when it is computed at the same time.
    pub(crate) fn pays_together(self) -> bool {
        self == Checksum::Sha256 && lanes::pay()
    }
}

/// The checksum of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    /// Their SHA-256.
    Sha256([u8; 32]),
    /// Their MD5.
    Md5([u8; 16]),
}

/// A checksum of bytes that come one after the other.
pub(super) enum Hash {
    Sha256(Sha256),
    Md5(Md5),
}

impl Hash {
    pub(super) fn new(checksum: Checksum) -> Hash {
        match checksum {
            Checksum::Sha256 => Hash::Sha256(Sha256::new()),
            Checksum::Md5 => Hash::Md5(Md5::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hash::Sha256(hash) => hash.update(bytes),
            Hash::Md5(hash) => hash.update(bytes),
        }
    }

    pub(super) fn digest(self) -> Digest {
        match self {
            Hash::Sha256(hash) => Digest::Sha256(hash.finalize().into()),
            Hash::Md5(hash) => Digest::Md5(hash.finalize().into()),
        }
    }
}

/// What is known of ranges of a body: by where each begins, where it ends, and its SHA-256.
#[derive(Default)]
pub(super) struct Parts(Mutex<BTreeMap<u64, (u64, [u8; 32])>>);

impl Parts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, (u64, [u8; 32])>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, range: &Range<u64>, sha256: [u8; 32]) {
        self.lock().insert(range.start, (range.end, sha256));
    }

    pub(super) fn get(&self, range: &Range<u64>) -> Option<[u8; 32]> {
        let (end, sha256) = *self.lock().get(&range.start)?;
        (end == range.end).then_some(sha256)
    }
}
