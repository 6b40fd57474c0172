//! Stores one object: prepares it, sends it or begins its parts, and prepares it anew where it was
//! found changed.

use std::io;
use std::sync::atomic::Ordering;

use super::parts::Large;
use super::patience::GivenUp;
use super::{Crew, File, PREPARED, meta};
use crate::content::Body;
use crate::events::{Event, Step};
use crate::store::{Fault, MARKER, StoreError};

impl Crew<'_> {
    /// Stores an object, or begins one that goes in parts. It may have been prepared; `prepared`
    /// counts how often it was found changed before.
    pub(super) fn begin_object(&self, index: usize, body: Option<Box<Body>>, prepared: u32) {
        match self.store_object(index, body, prepared) {
            Ok(Some(file)) => self.stored(index, file),
            // Its parts are in the queue now.
            Ok(None) => return,
            Err(given_up) => self.not_stored(index, given_up),
        }
        self.queue.close();
    }

    pub(super) fn end_large(&self, large: &Large, ended: Result<(), GivenUp>) {
        match ended {
            Ok(()) => self.stored(large.index, self.file(large.index, large.key(), &large.body)),
            Err(GivenUp::Store(failure))
                if failure.fault == Fault::Mismatch && large.prepared + 1 < PREPARED =>
            {
                return self.begin_object(large.index, None, large.prepared + 1);
            }
            Err(given_up) => self.not_stored(large.index, given_up),
        }
        self.queue.close();
    }

    pub(super) fn stored(&self, index: usize, file: File) {
        self.in_a_row.store(0, Ordering::Relaxed);
        let events = &self.submission.events;
        events.emit(Event::Stored { name: file.name.clone(), size: file.size });
        events.emit(Event::StepDone(Step::Stored(file.key.clone())));
        self.settle(index, Ok(file));
    }

    fn not_stored(&self, index: usize, given_up: GivenUp) {
        self.missing(index, given_up.reason());
        self.judge(given_up);
    }

    pub(super) fn file(&self, index: usize, key: &str, body: &Body) -> File {
        // Progress counts bytes as they were planned.
        if body.plain_len() > body.len() {
            self.submission.events.emit(Event::Sent(body.plain_len() - body.len()));
        }
        File {
            name: self.plan.objects[index].name.clone(),
            key: key.to_owned(),
            size: body.plain_len(),
            content_type: body.media_type().into(),
        }
    }

    /// `None` where parts are on their way. A store may learn its limits from what it refuses.
    fn store_object(
        &self,
        index: usize,
        mut body: Option<Box<Body>>,
        mut prepared: u32,
    ) -> Result<Option<File>, GivenUp> {
        let object = &self.plan.objects[index];
        if object.key == MARKER {
            return Err(local("this name is used by notify_pr itself", None));
        }
        let key = format!("{}{}", self.folder, object.key);
        loop {
            self.patience.check()?;
            // A store may have told more of its limits meanwhile.
            let parts_from = self.parts_from();
            let body = match body.take() {
                Some(body) => Ok(*body),
                None => self.prepare(object, parts_from),
            };
            let last = match body {
                Ok(body) => {
                    let meta = meta(self.submission, body.media_type(), body.encoding());
                    let sent = if body.len() >= parts_from {
                        self.begin_large(index, &key, body, &meta, prepared).map(|()| None)
                    } else {
                        let put = || {
                            self.timed(body.len(), |sent| self.store.put(&key, &body, &meta, sent))
                        };
                        self.patience.retry(put).map(|()| Some(self.file(index, &key, &body)))
                    };
                    match sent {
                        Err(GivenUp::Store(failure)) if failure.fault == Fault::Mismatch => {
                            GivenUp::Store(failure)
                        }
                        ended => return ended,
                    }
                }
                Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                    local("the file kept changing while it was read", None)
                }
                Err(source) => {
                    self.patience.check()?;
                    return Err(local("the file cannot be read", Some(source)));
                }
            };
            prepared += 1;
            if prepared >= PREPARED {
                return Err(last);
            }
        }
    }

    /// From which size on an object goes in parts.
    pub(super) fn parts_from(&self) -> u64 {
        let limits = self.store.limits();
        limits.parts_from.min(limits.put_bytes.saturating_add(1))
    }
}

/// A failure on this side, which says nothing about the store.
fn local(what: &str, source: Option<io::Error>) -> GivenUp {
    let mut failure = StoreError::new(Fault::Local, what);
    if let Some(source) = source {
        failure.error = failure.error.because(source);
    }
    GivenUp::Store(failure)
}
