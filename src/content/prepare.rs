//! Makes sources into bodies: reads, masks, compresses and hashes them, in one pass.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::compress::{self, Gzip};
use super::desk::{Desk, Desks};
use super::file::{Id, Stamp, became_shorter, id_of, open_planned, shorter};
use super::hash::{Digest, Hash};
use super::lanes::{sha256_of, stopped};
use super::reader::Clean;
use super::{Body, Checksum, Content, Source, media_type};
use crate::redact::{Kind, Masked, Redactor};

/// Files up to this size are read once and kept masked in memory, which costs less than reading
/// and masking them a second time.
pub const KEPT_IN_MEMORY: u64 = 96 * 1024;

/// From this size on they are read again instead, if nothing in them has to be masked and none of
/// them is compressed: very many may wait to be sent at the same time.
pub(super) const READ_AGAIN: u64 = 64 * 1024;

/// The size of the buffers that files are read through.
const BUFFER: usize = 64 * 1024;

/// How sources are made into bodies.
pub struct Preparing<'a> {
    /// Masks them.
    pub redactor: &'a Redactor,
    /// What the store compares.
    pub checksum: Checksum,
    /// Bodies of so many bytes or more are not hashed: they go in parts, which are hashed each.
    pub hashed_below: u64,
    /// Compresses text where that pays.
    pub gzip: Option<&'a Gzip>,
    /// Is asked again and again while a file is read; `false` ends it with an error.
    pub goes_on: &'a dyn Fn() -> bool,
}

/// A source on its way to be a body.
enum Begun<'a> {
    Body(Body),
    /// It is read to its end to be hashed.
    Reading(Reading<'a>),
}

/// A file that is read to its end, and stays where it is.
struct Reading<'a> {
    path: &'a Path,
    file: Arc<File>,
    len: u64,
    id: Id,
    stamp: Option<Stamp>,
    kind: Kind,
    media_type: &'static str,
    bytes: Exactly<Masked<Looked<'a>>>,
}

/// A file of which the beginning was looked at already: that, which is not kept for longer than it
/// is needed, and the rest.
struct Looked<'a> {
    beginning: Option<io::Cursor<Desk<'a>>>,
    rest: io::Take<Arc<File>>,
}

impl Read for Looked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(beginning) = &mut self.beginning else { return self.rest.read(buffer) };
        let count = beginning.read(buffer)?;
        if beginning.position() >= beginning.get_ref().bytes.len() as u64 {
            self.beginning = None;
        }
        Ok(count)
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Preparing<'_> {
    /// Makes a body of a source; see [`Body::prepare`].
    ///
    /// # Errors
    /// Those of [`Body::prepare`], and any kind once it was told to end.
    pub fn body(&self, source: &Source, name: &str) -> io::Result<Body> {
        let bodies = self.bodies([(source, name)]);
        bodies.into_iter().next().unwrap_or_else(|| Err(stopped()))
    }

    /// Makes bodies of several sources with their names, in their order. Files that are too large
    /// to be held are read and hashed at the same time, which takes less than one after the other.
    pub fn bodies<'s>(
        &self,
        sources: impl IntoIterator<Item = (&'s Source, &'s str)>,
    ) -> Vec<io::Result<Body>> {
        let (mut readings, mut places) = (Vec::new(), Vec::new());
        let mut bodies = Vec::new();
        for (place, (source, name)) in sources.into_iter().enumerate() {
            bodies.push(match self.begin(source, name) {
                Ok(Begun::Body(body)) => Ok(body),
                Ok(Begun::Reading(reading)) => {
                    readings.push(reading);
                    places.push(place);
                    Err(stopped())
                }
                Err(why) => Err(why),
            });
        }
        let digests = self.digests(&mut readings);
        for (place, (reading, digest)) in places.into_iter().zip(readings.into_iter().zip(digests))
        {
            bodies[place] = digest.map(|digest| self.ended(reading, digest));
        }
        bodies
    }

    fn begin<'s>(&'s self, source: &'s Source, name: &str) -> io::Result<Begun<'s>> {
        let path = match source {
            Source::Memory(bytes) => return self.shared(bytes, name).map(Begun::Body),
            Source::File(path) => path,
        };
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
            return Ok(Begun::Body(body));
        }
        if masked > 0 || stamp.is_none_or(|stamp| !stamp.is_still_of(&file)) {
            let content = Content::Memory(desk.into_bytes());
            return Ok(Begun::Body(Body::held(content, media_type, self.checksum)));
        }
        let mut hash = Hash::new(self.checksum);
        hash.update(&desk.bytes);
        let known = stamp.map(|stamp| (stamp, 0..len));
        let content = self.file(path, kind, id_of(&file)?, known);
        Ok(Begun::Body(Body::hashed(len, Some(hash.digest()), media_type, content)))
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

    fn read_through<'s>(
        &'s self,
        file: File,
        len: u64,
        path: &'s Path,
        name: &str,
    ) -> io::Result<Begun<'s>> {
        let (stamp, id) = (Stamp::of_settled(&file)?, id_of(&file)?);
        // What is looked at to tell the type is also tried on the compressor.
        let mut desk = Desk::new(self.desks(), BUFFER, KEPT_IN_MEMORY as usize);
        (&file).read_exact(&mut desk.bytes).map_err(shorter)?;
        let (kind, media_type) = media_type::look(name, &desk.bytes);
        let gzip = match self.compresses(len, media_type) {
            Some(gzip) if gzip.is_worth(&desk.bytes, self.goes_on)? => Some(gzip),
            _ => None,
        };
        if gzip.is_none() && len >= self.hashed_below {
            let content = self.file(path, kind, id, None);
            return Ok(Begun::Body(Body::hashed(len, None, media_type, content)));
        }
        let file = Arc::new(file);
        let rest = Arc::clone(&file).take(len - desk.bytes.len() as u64);
        let looked = Looked { beginning: Some(io::Cursor::new(desk)), rest };
        let masked = self.redactor.reader(looked, kind);
        let mut bytes = Exactly { inner: masked, left: len };
        if let Some(gzip) = gzip {
            let mut hash = Hash::new(self.checksum);
            let spool = gzip.spool(&mut bytes, &mut |piece| hash.update(piece), self.goes_on)?;
            let (packed, content) = (spool.len(), Content::Spool(spool));
            let body = Body::hashed(packed, Some(hash.digest()), media_type, content);
            return Ok(Begun::Body(Body { plain_len: len, encoding: Some("gzip"), ..body }));
        }
        let reading = Reading { path, file, len, id, stamp, kind, media_type, bytes };
        Ok(Begun::Reading(reading))
    }

    /// The checksums of what is read to its end.
    fn digests(&self, readings: &mut [Reading<'_>]) -> Vec<io::Result<Digest>> {
        match self.checksum {
            Checksum::Sha256 => {
                let hashed = sha256_of(readings, self.goes_on).into_iter();
                hashed.map(|hash| hash.map(Digest::Sha256)).collect()
            }
            Checksum::Md5 => readings.iter_mut().map(|reading| self.digest(reading)).collect(),
        }
    }

    fn digest(&self, reading: &mut impl Read) -> io::Result<Digest> {
        let mut hash = Hash::new(self.checksum);
        let mut buffer = vec![0; BUFFER];
        while (self.goes_on)() {
            match reading.read(&mut buffer) {
                Ok(0) => return Ok(hash.digest()),
                Ok(count) => hash.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Err(stopped())
    }

    /// The body of a file that was read to its end.
    fn ended(&self, reading: Reading<'_>, digest: Digest) -> Body {
        let Reading { path, file, len, id, stamp, kind, media_type, bytes } = reading;
        let clean = |stamp: &Stamp| bytes.inner.masked() == 0 && stamp.is_still_of(&file);
        let known = stamp.filter(clean).map(|stamp| (stamp, 0..len));
        Body::hashed(len, Some(digest), media_type, self.file(path, kind, id, known))
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
