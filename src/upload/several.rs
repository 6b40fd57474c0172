//! Small objects are sent one behind the other, where the store takes them so.
//!
//! The way to the store and back is then gone once for several objects, and a thread is woken
//! once. Nothing depends on it: an object of which the store does not say that it has it goes by
//! itself, as if it had not been sent before, and that is where everything else is decided, tried
//! again and told.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::tasks::Most;
use super::{Crew, File, meta};
use crate::content::LANES;
use crate::events::Event;
use crate::store::{Line, MARKER, Put};

/// An object that was sent.
struct OnItsWay {
    index: usize,
    file: File,
    /// So many bytes were counted as sent.
    counted: u64,
}

impl Crew<'_> {
    /// How many objects a worker takes now. Small ones are sent one by one while something is wrong,
    /// which is told by the answers to requests that go by themselves, or the store asks for
    /// patience.
    pub(super) fn most(&self) -> Most {
        let is_wrong = self.in_a_row.load(Ordering::Relaxed) > 0 || self.queue.is_busy();
        let sent = if is_wrong { 1 } else { self.store.together() };
        // What is compressed keeps a processor busy for long, and is hashed meanwhile.
        let hashed_together = self.hashes_together() && self.compressing().is_none();
        Most { sent, prepared: if hashed_together { LANES } else { 1 } }
    }

    /// Stores these objects.
    pub(super) fn put_several(&self, indices: Vec<usize>) {
        let mut left = VecDeque::from(indices);
        if let Some(mut line) = self.store.line() {
            for OnItsWay { index, file, counted } in self.send_several(&mut *line, &mut left) {
                match line.answer() {
                    Put::Stored => {
                        self.queue.answered();
                        self.stored(index, file);
                        self.queue.close();
                        continue;
                    }
                    Put::Busy => self.queue.slow_down(),
                    Put::Unknown => {}
                }
                self.submission.events.emit(Event::Unsent(counted));
                left.push_back(index);
            }
        }
        // One of them tells what is wrong; everybody helps with the others.
        let Some(first) = left.pop_front() else { return };
        let count = left.len();
        self.queue.bring_back(left);
        (0..count).for_each(|_| self.queue.close());
        self.begin_object(first, None, 0);
    }

    /// Sends what can go this way, and takes it out of the list.
    fn send_several(&self, line: &mut dyn Line, indices: &mut VecDeque<usize>) -> Vec<OnItsWay> {
        let mut sent = Vec::with_capacity(indices.len());
        indices.retain(|&index| {
            let on_its_way = self.send_one(line, index);
            let stays = on_its_way.is_none();
            sent.extend(on_its_way);
            stays
        });
        sent
    }

    fn send_one(&self, line: &mut dyn Line, index: usize) -> Option<OnItsWay> {
        let object = &self.plan.objects[index];
        if object.key == MARKER || !self.lasts() {
            return None;
        }
        // What fails here fails again where it is told.
        let body = self.prepare(object, self.parts_from()).ok()?;
        let key = format!("{}{}", self.folder, object.key);
        let meta = meta(self.submission, body.media_type(), body.encoding());
        if !line.put(&key, &body, &meta) {
            return None;
        }
        self.submission.events.emit(Event::Sent(body.len()));
        self.queue.sent(body.len());
        let counted = body.len().max(body.plain_len());
        Some(OnItsWay { index, file: self.file(index, &key, &body), counted })
    }
}
