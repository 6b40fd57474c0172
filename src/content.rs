//! What is sent: bytes of known length and hash that can be opened again and again.
//!
//! A store sees only a [`Body`], so retries, parts and replays work alike for files and for bytes
//! in memory, and masking of secrets happens in one place, before anything is counted or hashed.

pub mod archive;
pub mod compress;
mod desk;
mod file;
mod hash;
pub mod media_type;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::compress::{Gzip, Spool};
use self::desk::{Desk, Desks};
use self::file::{Id, Stamp, became_shorter, id_of, replaced, shorter};
use self::hash::{Digest, Hash};
use self::reader::{Clean, Masking, Supply};
use crate::redact::{Kind, Redactor};

pub(crate) use self::file::{open_planned, open_regular, read_planned_folder};
pub use self::hash::Checksum;
pub use self::reader::Reader;

/// Files up to this size are read once and kept masked in memory, which costs less than reading
/// and masking them a second time.
const KEPT_IN_MEMORY: u64 = 96 * 1024;

/// From this size on they are read again instead, if nothing in them has to be masked and none of
/// them is compressed: very many may wait to be sent at the same time.
const READ_AGAIN: u64 = 64 * 1024;

/// The size of the buffers that files are read through.
const BUFFER: usize = 64 * 1024;

/// Where the bytes of an object come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file. The last component of the path must not be a symbolic link.
    File(PathBuf),
    /// Bytes that the caller handed over.
    Memory(Arc<[u8]>),
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

/// How sources are made into bodies.
pub struct Preparing<'a> {
    /// Masks them.
    pub redactor: &'a Redactor,
    /// What the store compares.
    pub checksum: Checksum,
    /// Bodies of so many bytes or more are not hashed: they go in parts, and whoever sends a part
    /// hashes that.
    pub hashed_below: u64,
    /// Compresses text where that pays.
    pub gzip: Option<&'a Gzip>,
    /// Is asked again and again while a file is read; `false` ends it with an error.
    pub goes_on: &'a dyn Fn() -> bool,
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
        Body::hashed(len, Some(hash), media_type, content)
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

    fn hashed(len: u64, hash: Option<Hash>, media_type: &'static str, content: Content) -> Body {
        let digest = hash.map(Hash::digest);
        Body { content, len, plain_len: len, digest, media_type, encoding: None }
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
    pub fn sha256(&self) -> Option<&[u8; 32]> {
        match &self.digest {
            Some(Digest::Sha256(digest)) => Some(digest),
            _ => None,
        }
    }

    /// The MD5 of all bytes, with the same conditions.
    pub fn md5(&self) -> Option<&[u8; 16]> {
        match &self.digest {
            Some(Digest::Md5(digest)) => Some(digest),
            _ => None,
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

impl Preparing<'_> {
    /// Makes a body of a source; see [`Body::prepare`].
    ///
    /// # Errors
    /// Those of [`Body::prepare`], and any kind once it was told to end.
    pub fn body(&self, source: &Source, name: &str) -> io::Result<Body> {
        match source {
            Source::Memory(bytes) => self.shared(bytes, name),
            Source::File(path) => {
                let (file, len) = open_planned(path)?;
                if len > KEPT_IN_MEMORY {
                    return self.read_through(file, len, path, name);
                }
                let desks = self.desks().filter(|_| len >= compress::LEAST);
                let mut desk = Desk::new(desks, len as usize, KEPT_IN_MEMORY as usize);
                let stamp = if len < READ_AGAIN { None } else { Stamp::of_settled(&file)? };
                (&file).read_exact(&mut desk.bytes).map_err(shorter)?;
                let (kind, media_type) = media_type::look(name, &desk.bytes);
                let masked = self.redactor.bytes(&mut desk.bytes, kind);
                if let Some(body) = self.compressed(&desk.bytes, media_type)? {
                    return Ok(body);
                }
                if masked > 0 || stamp.is_none_or(|stamp| !stamp.is_still_of(&file)) {
                    let content = Content::Memory(desk.into_bytes());
                    return Ok(Body::held(content, media_type, self.checksum));
                }
                let mut hash = Hash::new(self.checksum);
                hash.update(&desk.bytes);
                let known = stamp.map(|stamp| (stamp, 0..len));
                let content = self.file(path, kind, id_of(&file)?, known);
                Ok(Body::hashed(len, Some(hash), media_type, content))
            }
        }
    }

    fn desks(&self) -> Option<&Desks> {
        self.gzip.map(|gzip| &gzip.desks)
    }

    fn shared(&self, bytes: &Arc<[u8]>, name: &str) -> io::Result<Body> {
        let (kind, media_type) = media_type::look(name, bytes);
        let mut masked = bytes.to_vec();
        // Mostly nothing is masked, and then the caller's bytes need not be held twice.
        let content = match self.redactor.bytes(&mut masked, kind) {
            0 => Content::Shared(Arc::clone(bytes)),
            _ => Content::Memory(masked),
        };
        let bytes = match &content {
            Content::Memory(masked) => masked,
            _ => &**bytes,
        };
        match self.compressed(bytes, media_type)? {
            Some(body) => Ok(body),
            None => Ok(Body::held(content, media_type, self.checksum)),
        }
    }

    /// The compressed body of bytes that are held whole, where it pays.
    fn compressed(&self, bytes: &[u8], media_type: &'static str) -> io::Result<Option<Body>> {
        let Some(gzip) = self.compresses(bytes.len() as u64, media_type) else { return Ok(None) };
        let Some(packed) = gzip.bytes(bytes, self.goes_on)? else { return Ok(None) };
        let body = Body::held(Content::Memory(packed), media_type, self.checksum);
        Ok(Some(Body { plain_len: bytes.len() as u64, encoding: Some("gzip"), ..body }))
    }

    /// Only text is compressed: what else may be large is mostly compressed already.
    fn compresses(&self, len: u64, media_type: &str) -> Option<&Gzip> {
        let text = media_type == media_type::TEXT || media_type == media_type::TEXT_UTF16;
        self.gzip.filter(|_| text && len >= compress::LEAST)
    }

    fn read_through(&self, file: File, len: u64, path: &Path, name: &str) -> io::Result<Body> {
        let (stamp, id) = (Stamp::of_settled(&file)?, id_of(&file)?);
        // What is looked at to tell the type is also tried on the compressor.
        let mut desk = Desk::new(self.desks(), BUFFER, KEPT_IN_MEMORY as usize);
        (&file).read_exact(&mut desk.bytes).map_err(shorter)?;
        let first_bytes = &desk.bytes[..];
        let (kind, media_type) = media_type::look(name, first_bytes);
        let gzip = match self.compresses(len, media_type) {
            Some(gzip) if gzip.is_worth(first_bytes, self.goes_on)? => Some(gzip),
            _ => None,
        };
        if gzip.is_none() && len >= self.hashed_below {
            return Ok(Body::hashed(len, None, media_type, self.file(path, kind, id, None)));
        }
        let rest = (&file).take(len - first_bytes.len() as u64);
        let masked = self.redactor.reader(io::Cursor::new(first_bytes).chain(rest), kind);
        let mut whole = Exactly { inner: masked, left: len };
        let mut hash = Hash::new(self.checksum);
        if let Some(gzip) = gzip {
            let mut seen = |piece: &[u8]| hash.update(piece);
            let spool = gzip.spool(&mut whole, &mut seen, self.goes_on)?;
            let (packed, content) = (spool.len(), Content::Spool(spool));
            let body = Body::hashed(packed, Some(hash), media_type, content);
            return Ok(Body { plain_len: len, encoding: Some("gzip"), ..body });
        }
        let mut buffer = vec![0; BUFFER];
        loop {
            if !(self.goes_on)() {
                return Err(io::Error::other("it was stopped"));
            }
            match whole.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => hash.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let stamp = stamp.filter(|stamp| whole.inner.masked() == 0 && stamp.is_still_of(&file));
        let content = self.file(path, kind, id, stamp.map(|stamp| (stamp, 0..len)));
        Ok(Body::hashed(len, Some(hash), media_type, content))
    }

    /// What stays in its file, with the range in which nothing has to be masked if one is known.
    fn file(&self, path: &Path, kind: Kind, id: Id, known: Option<(Stamp, Range<u64>)>) -> Content {
        let clean = Clean::default();
        if let Some((stamp, range)) = known {
            clean.note(stamp, range);
        }
        Content::File { path: path.to_owned(), redactor: self.redactor.clone(), kind, clean, id }
    }
}

impl fmt::Debug for Preparing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preparing").finish_non_exhaustive()
    }
}

/// Gives exactly `left` bytes, or an error.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(became_shorter());
        }
        self.left -= count as u64;
        Ok(count)
    }
}
