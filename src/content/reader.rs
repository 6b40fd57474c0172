//! Reads a range of a body. What lies in a file just as it is to be sent can also be had as a piece
//! of that file, so that the kernel can send it and nobody has to copy it.
//!
//! A file lies as it is to be sent where nothing has to be masked in it. That is known of a range
//! once it was read and masked to its end without a hit, for as long as nobody writes to the file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::compress::Spool;
use super::file::{Stamp, became_shorter};
use crate::http::Piece;
use crate::input::look_at;
use crate::redact::{Kind, Masked, Redactor};

/// A range of a file is masked from so many bytes before its beginning. Whether a byte is masked
/// depends only on what a match can reach: at most 4,096 bytes and the name of a rule, or one of
/// our own secrets of at most 8 KiB. So this far back the masker has found its feet again, and a
/// range holds the same bytes as the whole.
const LOOK_BACK: u64 = 64 * 1024;
/// Where pieces of a file end if they can: its pages are then sent as they are.
const PAGE: u64 = 4096;
/// Pieces of fewer bytes cost less when they are copied.
const LEAST: u64 = 16 << 10;

/// Reads a range of a body: exactly as many bytes as the range has, or an error.
pub struct Reader<'a> {
    supply: Supply<'a>,
    left: u64,
}

pub(super) enum Supply<'a> {
    Memory(&'a [u8]),
    /// From a place on.
    Spool(&'a Spool, u64),
    /// From a place on, as it lies there; if it is masked, it must still have its stamp.
    Plain(Arc<File>, u64, Option<(Masking<'a>, Stamp)>),
    Masked(Box<Masked<io::Take<Arc<File>>>>, Option<Proof<'a>>),
}

/// How a file is masked.
#[derive(Clone, Copy)]
pub(super) struct Masking<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) kind: Kind,
    /// How much of the file is looked at: a secret may straddle the end of a range.
    pub(super) len: u64,
}

/// What is known if a range is read to its end and nothing was masked.
pub(super) struct Proof<'a> {
    clean: &'a Clean,
    file: Arc<File>,
    stamp: Stamp,
    range: Range<u64>,
}

/// The ranges of a file in which nothing has to be masked.
#[derive(Default)]
pub(super) struct Clean(Mutex<Option<(Stamp, Vec<Range<u64>>)>>);

impl Clean {
    /// Nothing was masked in a range that was read from a file with this stamp, which it still has.
    pub(super) fn note(&self, stamp: Stamp, range: Range<u64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            Some((of, ranges)) if *of == stamp => ranges.push(range),
            _ => *known = Some((stamp, vec![range])),
        }
    }

    fn covers(&self, stamp: Stamp, range: &Range<u64>) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|(of, ranges)| {
            let holds = |known: &Range<u64>| known.start <= range.start && range.end <= known.end;
            *of == stamp && ranges.iter().any(holds)
        })
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<'a> Masking<'a> {
    /// Opens a range of a file.
    pub(super) fn open(
        self,
        file: File,
        range: Range<u64>,
        clean: &'a Clean,
    ) -> io::Result<Supply<'a>> {
        let file = Arc::new(file);
        if self.redactor.is_idle(self.kind) {
            return Ok(Supply::Plain(file, range.start, None));
        }
        let stamp = Stamp::of_settled(&file)?;
        if let Some(stamp) = stamp.filter(|stamp| clean.covers(*stamp, &range)) {
            return Ok(Supply::Plain(file, range.start, Some((self, stamp))));
        }
        let proof = stamp.map(|stamp| {
            let (file, range) = (Arc::clone(&file), range.clone());
            Proof { clean, file, stamp, range }
        });
        Ok(Supply::Masked(Box::new(self.masked(file, range.start)?), proof))
    }

    /// Masks a file from a place on.
    fn masked(self, file: Arc<File>, at: u64) -> io::Result<Masked<io::Take<Arc<File>>>> {
        let from = at.saturating_sub(LOOK_BACK);
        (&*file).seek(SeekFrom::Start(from))?;
        let mut masked = self.redactor.reader(file.take(self.len - from), self.kind);
        let before = at - from;
        if io::copy(&mut masked.by_ref().take(before), &mut io::sink())? < before {
            return Err(became_shorter());
        }
        Ok(masked)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(supply: Supply<'a>, left: u64) -> Reader<'a> {
        Reader { supply, left }
    }

    /// The next bytes, at most `most`, as a piece of a file, which are then taken as read. `None`
    /// where they do not lie in a file as they are to be sent: reading gives them, or tells why it
    /// cannot.
    pub fn piece(&mut self, most: usize) -> Option<Piece> {
        let (file, at) = match &mut self.supply {
            Supply::Plain(file, at, guard) => {
                if guard.as_ref().is_some_and(|(_, stamp)| !stamp.is_still_of(file)) {
                    return None;
                }
                (&*file, at)
            }
            Supply::Spool(spool, at) => (spool.file()?, at),
            Supply::Memory(_) | Supply::Masked(..) => return None,
        };
        let most = (most as u64).min(self.left);
        let over = (*at + most) % PAGE;
        let len = if most == self.left || over >= most { most } else { most - over };
        if len < LEAST || file.metadata().ok()?.len() < *at + len {
            return None;
        }
        let piece = Piece { file: Arc::clone(file), at: *at, len: len as usize };
        *at += len;
        self.left -= len;
        Some(piece)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (file, at, masking) = match &mut self.supply {
            Supply::Memory(bytes) => return bytes.read(buffer),
            Supply::Spool(spool, at) => return Ok(advance(at, spool.read_at(buffer, *at)?)),
            Supply::Masked(masked, _) => return masked.read(buffer),
            Supply::Plain(file, at, guard) => {
                let count = look_at(file, buffer, *at)?;
                match guard {
                    Some((masking, stamp)) if !stamp.is_still_of(file) => {
                        (Arc::clone(file), *at, *masking)
                    }
                    _ => return Ok(advance(at, count)),
                }
            }
        };
        // Somebody writes to it, so it is masked again from here on.
        let mut masked = masking.masked(file, at)?;
        let count = masked.read(buffer)?;
        self.supply = Supply::Masked(Box::new(masked), None);
        Ok(count)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.fill(&mut buffer[..most])?;
        if count == 0 {
            return Err(became_shorter());
        }
        self.left -= count as u64;
        if let Supply::Masked(masked, proof) = &mut self.supply
            && self.left == 0
            && masked.masked() == 0
            && let Some(Proof { clean, file, stamp, range }) = proof.take()
            && stamp.is_still_of(&file)
        {
            clean.note(stamp, range);
        }
        Ok(count)
    }
}

fn advance(at: &mut u64, count: usize) -> usize {
    *at += count as u64;
    count
}
