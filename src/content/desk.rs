//! Memory that the beginning of a file, or all of a small one, is looked at in before it is compressed.
//!
//! It is used again and again. Made anew by every thread, it would stay behind wherever one of them
//! was, as the system's allocator keeps what is freed for the threads next to it.

use std::sync::{Mutex, PoisonError};

/// Those that nobody is at.
#[derive(Default)]
pub(super) struct Desks(Mutex<Vec<Vec<u8>>>);

/// Bytes on a desk, or, where there are no desks, in memory of their own.
pub(super) struct Desk<'a> {
    pub(super) bytes: Vec<u8>,
    desks: Option<&'a Desks>,
}

impl<'a> Desk<'a> {
    /// So many zeros, on a desk that has room for `most` bytes.
    pub(super) fn new(desks: Option<&'a Desks>, len: usize, most: usize) -> Desk<'a> {
        let Some(Desks(free)) = desks else { return Desk { bytes: vec![0; len], desks } };
        let free = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = free.unwrap_or_else(|| Vec::with_capacity(most));
        bytes.resize(len, 0);
        Desk { bytes, desks }
    }

    /// The bytes, to be kept.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        match self.desks {
            Some(_) => self.bytes.clone(),
            None => std::mem::take(&mut self.bytes),
        }
    }
}

impl AsRef<[u8]> for Desk<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        if let Some(Desks(free)) = self.desks {
            self.bytes.clear();
            let bytes = std::mem::take(&mut self.bytes);
            free.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
    }
}
