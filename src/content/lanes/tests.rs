use sha2::{Digest, Sha256};

use super::*;

fn bytes(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761 + seed) >> 7) as u8).collect()
}

/// Gives its bytes in pieces of odd sizes, and an error where the bytes end if it is to.
struct Pieces<'a> {
    bytes: &'a [u8],
    piece: usize,
    fails: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece = self.piece * 7 % 5_003 + 1;
        if self.piece.is_multiple_of(11) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() && self.fails {
            return Err(io::Error::other("gone"));
        }
        let most = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..most])
    }
}

fn pieces(messages: &[Vec<u8>]) -> Vec<Pieces<'_>> {
    let piece = |(at, bytes)| Pieces { bytes, piece: at + 1, fails: false };
    messages.iter().map(Vec::as_slice).enumerate().map(piece).collect()
}

fn check(messages: &[Vec<u8>]) {
    // Compiled for tests they are not hashed together unless it is asked for.
    for together in [false, true] {
        let hashed = hash(&mut pieces(messages), &|| true, together);
        assert_eq!(hashed.len(), messages.len());
        for (message, hash) in messages.iter().zip(hashed) {
            let expected: [u8; 32] = Sha256::digest(message).into();
            assert_eq!(hash.unwrap(), expected, "{} bytes", message.len());
        }
    }
}

#[test]
fn messages_of_any_length_have_the_hash_that_they_have_alone() {
    check(&[]);
    let lengths = (0..200).chain(BUFFER - 70..BUFFER + 70).chain([2 * BUFFER, 5 * BUFFER + 1]);
    let messages: Vec<_> = lengths.enumerate().map(|(seed, len)| bytes(seed, len)).collect();
    check(&messages);
    (1..6).for_each(|count| check(&messages[messages.len() - count..]));
}

#[test]
fn one_that_fails_has_its_error_and_the_others_their_hashes() {
    let messages: Vec<_> = (0..6).map(|seed| bytes(seed, 100_000 * (seed + 1))).collect();
    for failing in 0..6 {
        let mut readers = pieces(&messages);
        readers[failing].fails = true;
        for (at, hash) in sha256_of(&mut readers, &|| true).into_iter().enumerate() {
            match hash {
                Ok(hash) => assert_eq!(hash[..], Sha256::digest(&messages[at])[..]),
                Err(why) => assert_eq!((at, why.to_string().as_str()), (failing, "gone")),
            }
        }
    }
}

#[test]
fn nothing_more_is_read_once_it_was_stopped() {
    let messages: Vec<_> = (0..2).map(|seed| bytes(seed, 10 * BUFFER)).collect();
    let mut readers = pieces(&messages);
    let asked = std::cell::Cell::new(0);
    let hashed = sha256_of(&mut readers, &|| asked.replace(asked.get() + 1) < 3);
    assert!(hashed.iter().all(Result::is_err));
    assert_eq!(readers[0].bytes.len(), 7 * BUFFER);
}

#[test]
fn the_rounds_of_four_messages_are_those_of_each() {
    let messages: Vec<_> = (0..4).map(|seed| bytes(seed, 64 * (40 + seed))).collect();
    let blocks: [&[Block]; LANES] = std::array::from_fn(|lane| messages[lane].as_chunks().0);
    let before = [INITIAL, [0; 8], [u32::MAX; 8], [1, 2, 3, 4, 5, 6, 7, 8]];
    let mut states = before;
    let done = compress_together(&mut states, blocks);
    assert_eq!(done, pay());
    if !done {
        assert_eq!(states, before);
        return eprintln!("skipped: this processor has no instructions for SHA-256 that are used");
    }
    for (lane, mut state) in before.into_iter().enumerate() {
        // As many blocks as the shortest has.
        compress256(&mut state, &blocks[lane][..40]);
        assert_eq!(states[lane], state, "message {lane}");
    }
}
