//! Small bodies in one archive: tar as POSIX.1-2001 has it (pax), gzipped.
//!
//! The extended header of each member holds its name, whatever that is made of, and its media type
//! where an extended attribute of a file would stand. Members are made when their turn comes, so
//! that only one of them is held at a time, and the archive waits in a spool.

use std::io::{self, Read};

use super::compress::Gzip;
use super::{Body, Content};

/// The attribute that says what a member is.
const MEDIA_TYPE: &str = "SCHILY.xattr.user.mime_type";
/// What everything in an archive is a multiple of.
const BLOCK: usize = 512;

/// Packs the bodies that `next` gives, with their names, until it gives none. The archive has
/// no checksum.
///
/// # Errors
/// A body that cannot be read, a disk that is full, or any kind once `goes_on` said no.
pub fn pack(
    gzip: &Gzip,
    next: &mut dyn FnMut() -> Option<(String, Body)>,
    goes_on: &dyn Fn() -> bool,
) -> io::Result<Body> {
    let mut tar = Tar { next, bytes: Vec::new(), at: 0, ended: false };
    let spool = gzip.spool(&mut tar, &mut |_| (), goes_on)?;
    Ok(Body::hashed(spool.len(), None, "application/gzip", Content::Spool(spool)))
}

/// Gives the bytes of an archive, a member at a time.
struct Tar<'a> {
    next: &'a mut dyn FnMut() -> Option<(String, Body)>,
    bytes: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Tar<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.bytes.len() && !self.ended {
            self.bytes.clear();
            self.at = 0;
            match (self.next)() {
                Some((name, body)) => add(&mut self.bytes, &name, &body)?,
                None => {
                    self.ended = true;
                    self.bytes.resize(2 * BLOCK, 0);
                }
            }
        }
        let count = (&self.bytes[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

fn add(bytes: &mut Vec<u8>, name: &str, body: &Body) -> io::Result<()> {
    let extended = record("path", name) + &record(MEDIA_TYPE, body.media_type());
    bytes.extend(header("pax", extended.len() as u64, b'x'));
    bytes.extend(extended.as_bytes());
    fill(bytes);
    // Whoever reads extended headers takes the name from there.
    bytes.extend(header("member", body.len(), b'0'));
    body.open(0..body.len())?.read_to_end(bytes)?;
    fill(bytes);
    Ok(())
}

fn fill(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

/// A record begins with its own length in bytes.
fn record(name: &str, value: &str) -> String {
    let rest = name.len() + value.len() + " =\n".len();
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {name}={value}\n")
}

fn header(name: &str, size: u64, kind: u8) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    // The sum is taken as if spaces stood where it stands.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Checksum;

    #[test]
    fn a_record_counts_its_own_length() {
        for length in [1, 90, 91, 92, 93, 94, 980, 990, 991, 992, 993, 994, 1_000] {
            let record = record("path", &"x".repeat(length));
            let said: usize = record.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(said, record.len());
        }
    }

    #[test]
    fn packing_can_be_stopped() {
        let mut endless = || Some(("a".to_owned(), Body::memory(*b"text", Checksum::Sha256)));
        assert!(pack(&Gzip::new(), &mut endless, &|| false).is_err());
    }
}
