//! What is sent: bytes of known length and hash that can be opened again and again.
//!
//! A store sees only a [`Body`], so retries, parts and replays work alike for files and for bytes
//! in memory, and masking of secrets happens in one place, before anything is counted or hashed.

pub mod archive;
pub mod compress;
mod desk;
mod file;
mod hash;
mod lanes;
pub mod media_type;
mod prepare;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use self::compress::Spool;
use self::file::{Id, became_shorter, id_of, replaced};
use self::hash::{Digest, Hash, Parts};
use self::lanes::sha256_of;
use self::reader::{Clean, Masking, Supply};
use crate::redact::{Kind, Redactor};

pub(crate) use self::file::{open_planned, open_regular, read_planned_folder};
pub use self::hash::Checksum;
pub(crate) use self::lanes::{FEWEST, LANES};
pub use self::prepare::{KEPT_IN_MEMORY, Preparing};
pub use self::reader::Reader;

/// Where the bytes of an object come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file. The last component of the path must not be a symbolic link.
    File(PathBuf),
    /// Bytes that the caller handed over.
    Memory(Arc<[u8]>),
}

impl Source {
    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        matches!(self, Source::File(_))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => f.debug_tuple("File").field(path).finish(),
            Source::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
        }
    }
}

/// Bytes of known length and hash. Several threads may open it at once, whole or in part, as often
/// as they need; what they read is masked already.
pub struct Body {
    content: Content,
    len: u64,
    plain_len: u64,
    digest: Option<Digest>,
    /// What is known of ranges.
    parts: Parts,
    media_type: &'static str,
    encoding: Option<&'static str>,
}

enum Content {
    File {
        path: PathBuf,
        redactor: Redactor,
        kind: Kind,
        clean: Clean,
        /// Which file it was.
        id: Id,
    },
    /// The caller's.
    Shared(Arc<[u8]>),
    Memory(Vec<u8>),
    Spool(Spool),
}

impl Content {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Content::Shared(bytes) => Some(bytes),
            Content::Memory(bytes) => Some(bytes),
            Content::File { .. } | Content::Spool(_) => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl Body {
    /// A body of bytes that are complete and masked as they are, such as pages and the full text.
    pub fn memory(bytes: impl Into<Arc<[u8]>>, checksum: Checksum) -> Body {
        let bytes = bytes.into();
        let media_type = media_type::of("", &bytes);
        Body::held(Content::Shared(bytes), media_type, checksum)
    }

    /// A body of bytes that are in memory.
    fn held(content: Content, media_type: &'static str, checksum: Checksum) -> Body {
        let bytes = content.bytes().unwrap_or_default();
        let len = bytes.len() as u64;
        let mut hash = Hash::new(checksum);
        hash.update(bytes);
        Body::hashed(len, Some(hash.digest()), media_type, content)
    }

    /// Makes a body of a source: masks it and computes its checksum in one pass over the bytes that
    /// are there when it is opened. A file that grows later is sent up to that length. The name is
    /// the one that is shown; its ending helps to tell the media type.
    ///
    /// # Errors
    /// A file that cannot be opened or read, that is no regular file (`InvalidInput`), or that
    /// became shorter while it was read (`UnexpectedEof`: preparing it again helps).
    pub fn prepare(
        source: &Source,
        name: &str,
        redactor: &Redactor,
        checksum: Checksum,
    ) -> io::Result<Body> {
        let preparing =
            Preparing { redactor, checksum, hashed_below: u64::MAX, gzip: None, goes_on: &|| true };
        preparing.body(source, name)
    }

    fn hashed(
        len: u64,
        digest: Option<Digest>,
        media_type: &'static str,
        content: Content,
    ) -> Body {
        let parts = Parts::default();
        Body { content, len, plain_len: len, digest, parts, media_type, encoding: None }
    }

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length in bytes before the bytes were compressed, if they were.
    pub fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// The `Content-Encoding` of the bytes, if they are compressed.
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }

    /// The SHA-256 of all bytes, if that was asked for and they are not so many that they go in
    /// parts. Whoever sends or copies them and finds another one knows that the file has changed,
    /// and prepares it again.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        match self.digest {
            Some(Digest::Sha256(digest)) => Some(digest),
            _ => None,
        }
    }

    /// The MD5 of all bytes, with the same conditions.
    pub fn md5(&self) -> Option<[u8; 16]> {
        match self.digest {
            Some(Digest::Md5(digest)) => Some(digest),
            _ => None,
        }
    }

    /// The SHA-256 of a range, if it is known.
    pub fn sha256_of(&self, range: &Range<u64>) -> Option<[u8; 32]> {
        if *range == (0..self.len) && self.digest.is_some() {
            return self.sha256();
        }
        self.parts.get(range)
    }

    /// Computes the SHA-256 of ranges, which [`Body::sha256_of`] then knows. That takes less at the
    /// same time than one after the other. A range that cannot be read, or none once `goes_on` says
    /// no, stays unknown: whoever sends it sees why.
    pub fn hash(&self, ranges: &[Range<u64>], goes_on: &dyn Fn() -> bool) {
        let open = |range: &Range<u64>| self.open(range.clone()).ok().filter(|_| goes_on());
        let opened = ranges.iter().filter_map(|range| Some((range, open(range)?)));
        let (ranges, mut readers): (Vec<_>, Vec<_>) = opened.unzip();
        for (range, hash) in ranges.into_iter().zip(sha256_of(&mut readers, goes_on)) {
            if let Ok(hash) = hash {
                self.parts.note(range, hash);
            }
        }
    }

    /// The Content-Type that the bytes of a run are served with; our own pages have another one
    /// ([`media_type::PAGE`]).
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The bytes, where they are in memory.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.content.bytes()
    }

    /// Opens the bytes of a range, which is `0..len()` for all of them. The reader gives exactly
    /// as many bytes as the range has, the same ones whichever range they are read through, or an
    /// error: it never ends early, as a request whose body does would hang.
    ///
    /// # Errors
    /// A file that cannot be opened any more; one that is another than was prepared, or shorter
    /// (`UnexpectedEof`), here or while it is read; a range that is not in the body.
    pub fn open(&self, range: Range<u64>) -> io::Result<Reader<'_>> {
        if range.start > range.end || range.end > self.len {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the range is not in the body",
            ));
        }
        let (start, end) = (range.start as usize, range.end as usize);
        let supply = match &self.content {
            Content::Shared(bytes) => Supply::Memory(&bytes[start..end]),
            Content::Memory(bytes) => Supply::Memory(&bytes[start..end]),
            Content::Spool(spool) => Supply::Spool(spool, range.start),
            Content::File { path, redactor, kind, clean, id } => {
                let (file, len) = open_planned(path)?;
                if id_of(&file)? != *id {
                    return Err(replaced());
                }
                if len < self.len {
                    return Err(became_shorter());
                }
                let masking = Masking { redactor, kind: *kind, len: self.len };
                masking.open(file, range.clone(), clean)?
            }
        };
        Ok(Reader::new(supply, range.end - range.start))
    }
}
