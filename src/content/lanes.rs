//! SHA-256 (FIPS 180-4) of several messages at the same time.
//!
//! A round waits for the round before it, and the instructions that processors have for it take
//! longer to give a result than to take the next message's. So four messages together need half the
//! time that they need one after the other. Where a processor has no such instructions, and where
//! this was compiled without optimising, they are hashed one after the other, by the library that
//! hashes everything else.

#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use sha2::block_api::compress256;

/// How many messages are hashed at the same time.
pub(crate) const LANES: usize = 4;
/// Fewer take as long as one after the other.
pub(crate) const FEWEST: usize = 3;
/// How much of each is read at a time, in bytes: blocks to the last byte.
const BUFFER: usize = 32 << 10;

/// What a message is hashed by.
type Block = [u8; 64];
/// The hash of the blocks so far.
type State = [u32; 8];

/// The hash of nothing (FIPS 180-4, 5.3.3).
#[rustfmt::skip]
const INITIAL: State = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
];

/// The SHA-256 of what each of the readers gives, in their order. One that fails has its error, and
/// takes nothing from the others; once `goes_on` says no, those that did not end have one too.
pub(super) fn sha256_of<R: Read>(
    readers: &mut [R],
    goes_on: &dyn Fn() -> bool,
) -> Vec<io::Result<[u8; 32]>> {
    // Without optimising it takes longer together.
    hash(readers, goes_on, !cfg!(debug_assertions))
}

fn hash<R: Read>(
    readers: &mut [R],
    goes_on: &dyn Fn() -> bool,
    together: bool,
) -> Vec<io::Result<[u8; 32]>> {
    let mut hashed: Vec<_> = readers.iter().map(|_| Err(stopped())).collect();
    let mut waiting = readers.iter_mut().enumerate();
    let mut lanes: Vec<_> = waiting.by_ref().take(LANES).map(Lane::new).collect();
    while !lanes.is_empty() && goes_on() {
        lanes.retain_mut(|lane| {
            loop {
                match lane.fill() {
                    Ok(()) if lane.filled == BUFFER => return true,
                    Ok(()) => hashed[lane.index] = Ok(lane.end()),
                    Err(why) => hashed[lane.index] = Err(why),
                }
                match waiting.next() {
                    Some(next) => lane.begin(next),
                    None => return false,
                }
            }
        });
        compress(&mut lanes, together);
    }
    hashed
}

/// Whether this processor has instructions for SHA-256 that are used.
pub(super) fn pay() -> bool {
    #[cfg(target_arch = "x86_64")]
    return sha_ni::is_there();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

pub(super) fn stopped() -> io::Error {
    io::Error::other("it was stopped")
}

/// A message that is being hashed.
struct Lane<'a, R> {
    /// Its place among all of them.
    index: usize,
    reader: &'a mut R,
    state: State,
    /// Its length so far, in bytes, without what is in the buffer.
    len: u64,
    buffer: Vec<u8>,
    /// How much of the buffer is filled.
    filled: usize,
}

impl<'a, R: Read> Lane<'a, R> {
    fn new((index, reader): (usize, &'a mut R)) -> Lane<'a, R> {
        Lane { index, reader, state: INITIAL, len: 0, buffer: vec![0; BUFFER], filled: 0 }
    }

    /// Goes on with another message.
    fn begin(&mut self, (index, reader): (usize, &'a mut R)) {
        (self.index, self.reader) = (index, reader);
        (self.state, self.len, self.filled) = (INITIAL, 0, 0);
    }

    /// Reads until the buffer is full, or to the end.
    fn fill(&mut self) -> io::Result<()> {
        while self.filled < BUFFER {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn blocks(&self) -> &[Block] {
        self.buffer[..self.filled].as_chunks().0
    }

    /// The whole buffer is in the state.
    fn absorbed(&mut self, state: State) {
        self.state = state;
        self.len += self.filled as u64;
        self.filled = 0;
    }

    /// The hash, when there is no more than what is in the buffer: that is followed by a bit, as few
    /// zeros as fill a block, and the length in bits (FIPS 180-4, 5.1.1).
    fn end(&self) -> [u8; 32] {
        let (blocks, rest) = self.buffer[..self.filled].as_chunks();
        let mut state = self.state;
        compress256(&mut state, blocks);
        let mut last: [Block; 2] = [[0; 64]; 2];
        let padded = last.as_flattened_mut();
        padded[..rest.len()].copy_from_slice(rest);
        padded[rest.len()] = 0x80;
        let ends = if rest.len() < 56 { 64 } else { 128 };
        let bits = (self.len + self.filled as u64).wrapping_mul(8);
        padded[ends - 8..ends].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut state, &last[..ends / 64]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

/// Takes what is in the buffers into the states.
fn compress<R: Read>(lanes: &mut [Lane<'_, R>], together: bool) {
    let mut states: [State; LANES] = [INITIAL; LANES];
    let mut blocks: [&[Block]; LANES] = [&[]; LANES];
    for (lane, (state, block)) in lanes.iter().zip(states.iter_mut().zip(&mut blocks)) {
        (*state, *block) = (lane.state, lane.blocks());
    }
    if let (FEWEST, Some(lane)) = (lanes.len(), lanes.first()) {
        // The fourth costs nothing, and three together still take less than one by one.
        blocks[FEWEST] = lane.blocks();
    }
    if !together || lanes.len() < FEWEST || !compress_together(&mut states, blocks) {
        states.iter_mut().zip(blocks).take(lanes.len()).for_each(|(state, blocks)| {
            compress256(state, blocks);
        });
    }
    lanes.iter_mut().zip(states).for_each(|(lane, state)| lane.absorbed(state));
}

#[cfg(target_arch = "x86_64")]
use sha_ni::compress as compress_together;

#[cfg(not(target_arch = "x86_64"))]
fn compress_together(_: &mut [State; LANES], _: [&[Block]; LANES]) -> bool {
    false
}
