//! gzip at rest: text is stored compressed, with `Content-Encoding: gzip`, where that pays.
//!
//! Compressing comes after masking. What it gives waits in a spool, as its length and hash must
//! be known before it is sent: in memory as long as all spools together fit into one budget, and
//! in a temporary file without a name beyond that. Only as many threads compress at a time as the
//! machine has processors, so the compressors' own memory is bounded, too.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress, Status};

use super::desk::Desks;
use crate::input::look_at;

/// Files of fewer bytes fit into a packet or two, whatever is done to them.
pub(crate) const LEAST: u64 = 1024;
/// What all spools together may hold in memory, in bytes.
const BUDGET: u64 = 2 << 20;
/// The most threads that compress at a time; each compressor holds about 300 KiB.
const COMPRESSORS: usize = 8;
/// What must be left of a beginning for the rest to be compressed, in percent.
const WORTH: u64 = 80;
/// What a thread compresses in a second, in bytes, before it was measured.
const SPEED: f64 = 150e6;
/// The size of the blocks that go through a compressor.
const BLOCK: usize = 64 << 10;

/// Compresses, for all workers of an upload.
pub struct Gzip {
    shelf: Mutex<Shelf>,
    back: Condvar,
    /// Where what may be compressed is looked at first.
    pub(super) desks: Desks,
    blocks: Arc<Blocks>,
    bytes: AtomicU64,
    micros: AtomicU64,
}

struct Shelf {
    free: Vec<Press>,
    made: usize,
    most: usize,
}

/// A compressor and its buffers, which are used again and again.
struct Press {
    compress: Compress,
    input: Vec<u8>,
    output: Vec<u8>,
    /// What came of bytes that are held whole.
    whole: Vec<u8>,
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gzip").finish_non_exhaustive()
    }
}

impl Default for Gzip {
    fn default() -> Gzip {
        Gzip::new()
    }
}

impl Gzip {
    /// Compressors are made when they are needed.
    pub fn new() -> Gzip {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Gzip {
            shelf: Mutex::new(Shelf {
                free: Vec::new(),
                made: 0,
                most: processors.clamp(1, COMPRESSORS),
            }),
            back: Condvar::new(),
            desks: Desks::default(),
            blocks: Arc::default(),
            bytes: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    /// What one thread compresses in a second, in bytes.
    pub fn speed(&self) -> f64 {
        match self.micros.load(Relaxed) {
            // A few small files say nothing yet.
            0..1_000 => SPEED,
            micros => self.bytes.load(Relaxed) as f64 * 1e6 / micros as f64,
        }
    }

    /// Whether bytes that begin like this are worth it: the beginning is tried.
    pub(crate) fn is_worth(
        &self,
        beginning: &[u8],
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<bool> {
        let mut counter = Counter(0);
        self.run(&mut &beginning[..], &mut counter, goes_on)?;
        Ok(counter.0 * 100 <= beginning.len() as u64 * WORTH)
    }

    /// Compresses bytes that are held whole; `None` where it would save next to nothing.
    pub(crate) fn bytes(
        &self,
        bytes: &[u8],
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut press = self.borrow(goes_on)?;
        // What is kept may wait for long until it is sent, so it is no larger than it must be.
        let mut whole = std::mem::take(&mut press.whole);
        whole.clear();
        let done = self.pump(&mut press, &mut &bytes[..], &mut whole, goes_on);
        let is_worth = whole.len() as u64 * 100 <= bytes.len() as u64 * WORTH;
        let kept = (done.is_ok() && is_worth).then(|| whole.as_slice().to_vec());
        press.whole = whole;
        self.give_back(press);
        done.map(|()| kept)
    }

    /// Compresses what is read, to its end, and shows `seen` every piece of the result in turn.
    pub(crate) fn spool(
        &self,
        reader: &mut dyn Read,
        seen: &mut dyn FnMut(&[u8]),
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<Spool> {
        let mut spool =
            Spool { place: Place::Memory(Vec::new()), len: 0, blocks: Arc::clone(&self.blocks) };
        self.run(reader, &mut Seeing { spool: &mut spool, seen }, goes_on)?;
        Ok(spool)
    }

    fn run(
        &self,
        reader: &mut dyn Read,
        out: &mut dyn Write,
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let mut press = self.borrow(goes_on)?;
        let done = self.pump(&mut press, reader, out, goes_on);
        self.give_back(press);
        done
    }

    fn give_back(&self, press: Press) {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).free.push(press);
        self.back.notify_one();
    }

    fn pump(
        &self,
        press: &mut Press,
        reader: &mut dyn Read,
        out: &mut dyn Write,
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let Press { compress: compressor, input, output, .. } = press;
        compressor.reset();
        loop {
            if !goes_on() {
                return Err(io::Error::other("it was stopped"));
            }
            let count = match reader.read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            let flush = if count == 0 { FlushCompress::Finish } else { FlushCompress::None };
            let began = Instant::now();
            let mut rest = &input[..count];
            loop {
                let (read, written) = (compressor.total_in(), compressor.total_out());
                let status = compressor.compress(rest, output, flush)?;
                rest = &rest[(compressor.total_in() - read) as usize..];
                let made = (compressor.total_out() - written) as usize;
                out.write_all(&output[..made])?;
                match status {
                    Status::StreamEnd => return Ok(()),
                    _ if rest.is_empty() && made < output.len() && count > 0 => break,
                    _ => {}
                }
            }
            self.bytes.fetch_add(count as u64, Relaxed);
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.micros.fetch_add(micros, Relaxed);
        }
    }

    fn borrow(&self, goes_on: &dyn Fn() -> bool) -> io::Result<Press> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(free) = shelf.free.pop() {
                return Ok(free);
            }
            if shelf.made < shelf.most {
                shelf.made += 1;
                return Ok(Press {
                    compress: Compress::new_gzip(Compression::fast(), 15),
                    input: vec![0; BLOCK],
                    output: vec![0; BLOCK / 2],
                    whole: Vec::new(),
                });
            }
            if !goes_on() {
                return Err(io::Error::other("it was stopped"));
            }
            let waited = self.back.wait_timeout(shelf, Duration::from_millis(100));
            shelf = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The memory of all spools, in blocks that are used again.
#[derive(Default)]
struct Blocks(Mutex<(Vec<Vec<u8>>, u64)>);

impl Blocks {
    /// An empty block, unless the budget is used up.
    fn take(&self) -> Option<Vec<u8>> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(free) = blocks.0.pop() {
            return Some(free);
        }
        if (blocks.1 + 1) * BLOCK as u64 > BUDGET {
            return None;
        }
        blocks.1 += 1;
        Some(Vec::with_capacity(BLOCK))
    }

    fn give_back(&self, returned: &mut Vec<Vec<u8>>) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for mut block in returned.drain(..) {
            block.clear();
            blocks.0.push(block);
        }
    }
}

/// Bytes that wait to be sent. They are gone when this is dropped.
pub(crate) struct Spool {
    place: Place,
    len: u64,
    blocks: Arc<Blocks>,
}

enum Place {
    /// All but the last one are full.
    Memory(Vec<Vec<u8>>),
    File(Arc<File>),
}

impl Spool {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The file that holds all bytes, if one does.
    pub(super) fn file(&self) -> Option<&Arc<File>> {
        match &self.place {
            Place::Memory(_) => None,
            Place::File(file) => Some(file),
        }
    }

    /// Reads bytes from a place, as [`Read::read`] does; several threads may do it at once.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match &self.place {
            Place::Memory(blocks) => {
                let block = usize::try_from(at / BLOCK as u64).unwrap_or(usize::MAX);
                let from = (at % BLOCK as u64) as usize;
                match blocks.get(block).and_then(|block| block.get(from..)) {
                    Some(mut bytes) => bytes.read(buffer),
                    None => Ok(0),
                }
            }
            Place::File(file) => look_at(file, buffer, at),
        }
    }

    fn write(&mut self, mut piece: &[u8]) -> io::Result<()> {
        self.len += piece.len() as u64;
        if let Place::Memory(blocks) = &mut self.place {
            while !piece.is_empty() {
                match blocks.last_mut().filter(|block| block.len() < BLOCK) {
                    Some(block) => {
                        let (now, later) = piece.split_at(piece.len().min(BLOCK - block.len()));
                        block.extend_from_slice(now);
                        piece = later;
                    }
                    None => match self.blocks.take() {
                        Some(block) => blocks.push(block),
                        None => break,
                    },
                }
            }
            if piece.is_empty() {
                return Ok(());
            }
            let mut file = tempfile::tempfile()?;
            blocks.iter().try_for_each(|block| file.write_all(block))?;
            self.blocks.give_back(blocks);
            self.place = Place::File(Arc::new(file));
        }
        match &mut self.place {
            Place::File(file) => (&**file).write_all(piece),
            Place::Memory(_) => Ok(()),
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Place::Memory(blocks) = &mut self.place {
            self.blocks.give_back(blocks);
        }
    }
}

struct Seeing<'a> {
    spool: &'a mut Spool,
    seen: &'a mut dyn FnMut(&[u8]),
}

impl Write for Seeing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool.write(bytes)?;
        (self.seen)(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(spool: &Spool) -> Vec<u8> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; 10_000]);
        loop {
            match spool.read_at(&mut buffer, all.len() as u64).unwrap() {
                0 => return all,
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn a_spool_holds_the_same_bytes_in_memory_and_in_a_file() {
        let gzip = Gzip::new();
        // Incompressible, so that the spool is as large as what goes in.
        let mut state = 1u64;
        let noise: Vec<u8> = (0..BUDGET * 3 / 4)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let mut seen = Vec::new();
        let mut note = |piece: &[u8]| seen.extend_from_slice(piece);
        let first = gzip.spool(&mut &noise[..], &mut note, &|| true).unwrap();
        let second = gzip.spool(&mut &noise[..], &mut |_| (), &|| true).unwrap();
        assert!(matches!(first.place, Place::Memory(_)) && matches!(second.place, Place::File(_)));
        assert!(whole(&first) == whole(&second) && whole(&first) == seen);
        assert!(unpacked(&seen) == noise);
        assert_eq!((first.len(), second.len()), (seen.len() as u64, seen.len() as u64));
        drop((first, second));
        let (free, made) = &*gzip.blocks.0.lock().unwrap();
        assert_eq!(free.len() as u64, *made, "everything is given back");
        assert!(*made * BLOCK as u64 <= BUDGET);
    }

    #[test]
    fn what_shrinks_is_worth_it_and_what_does_not_is_not() {
        let gzip = Gzip::new();
        let text = b"DEBUG the same line again\n".repeat(400);
        assert!(gzip.is_worth(&text, &|| true).unwrap());
        let packed = gzip.bytes(&text, &|| true).unwrap().unwrap();
        assert_eq!(unpacked(&packed), text);
        assert!(!gzip.is_worth(&packed, &|| true).unwrap());
        assert_eq!(gzip.bytes(&packed, &|| true).unwrap(), None);
    }

    #[test]
    fn it_can_be_stopped() {
        let gzip = Gzip::new();
        let spooled = gzip.spool(&mut io::repeat(b'x'), &mut |_| (), &|| false);
        assert!(spooled.is_err());
        assert!(gzip.bytes(b"goes on all the same", &|| true).is_ok());
    }
}
