//! Reads a body while it is sent: counts, stops when asked to, and remembers why it ended early.

use std::io::{self, Read};
use std::ops::Range;

use super::{Fault, Sent, StoreError, Stored};
use crate::content::{Body, Reader};
use crate::http::{Feed, Piece};

/// A range of a body on its way to a store.
pub(super) struct Transfer<'a> {
    reader: Reader<'a>,
    left: u64,
    sent: &'a Sent<'a>,
    ended: Option<StoreError>,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(
        body: &'a Body,
        range: Range<u64>,
        sent: &'a Sent<'a>,
    ) -> Stored<Transfer<'a>> {
        let left = range.end.saturating_sub(range.start);
        let reader = body.open(range).map_err(unreadable)?;
        Ok(Transfer { reader, left, sent, ended: None })
    }

    /// Why the transfer itself ended early, if it did; a network that fails leaves no trace here.
    pub(super) fn ended(&mut self) -> Option<StoreError> {
        self.ended.take()
    }

    /// The same, where reading has just failed.
    pub(super) fn failure(&mut self, source: io::Error) -> StoreError {
        self.ended().unwrap_or_else(|| unreadable(source))
    }

    /// So many bytes go to the store now.
    fn passes(&mut self, count: usize) -> io::Result<()> {
        self.left -= count as u64;
        match (self.sent)(count as u64) {
            true => Ok(()),
            false => self.end(StoreError::new(Fault::Cancelled, "the transfer was stopped")),
        }
    }

    fn end<T>(&mut self, failure: StoreError) -> io::Result<T> {
        self.ended = Some(failure);
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Read for Transfer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = match self.reader.read(&mut buffer[..most]) {
            Ok(0) => return self.end(changed("the file became shorter while it was sent")),
            Ok(read) => read,
            Err(source) if source.kind() == io::ErrorKind::Interrupted => return Err(source),
            Err(source) => return self.end(unreadable(source)),
        };
        self.passes(read)?;
        Ok(read)
    }
}

impl Feed for Transfer<'_> {
    fn piece(&mut self, most: usize) -> io::Result<Option<Piece>> {
        let piece = self.reader.piece(most);
        if let Some(piece) = &piece {
            self.passes(piece.len)?;
        }
        Ok(piece)
    }

    fn failed(&mut self, source: io::Error) {
        self.ended.get_or_insert_with(|| unreadable(source));
    }
}

/// What is sent is not what was prepared.
pub(super) fn changed(what: &str) -> StoreError {
    StoreError::new(Fault::Mismatch, what)
}

fn unreadable(source: io::Error) -> StoreError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return changed(
            "the file became shorter, or another one took its place, while it was sent",
        );
    }
    let mut failure = StoreError::new(Fault::Local, "the file can no longer be read");
    failure.error = failure.error.because(source);
    failure
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        digits.push(char::from(DIGITS[usize::from(byte >> 4)]));
        digits.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    digits
}
