//! Counts what requests send, and tells all workers what the answers say of the store.

use std::cell::Cell;
use std::time::Instant;

use super::Crew;
use crate::events::Event;
use crate::store::{Fault, Sent, StoreError, Stored};

impl Crew<'_> {
    /// A store that asks for patience is heard by all workers.
    pub(super) fn heard<T>(&self, stored: Stored<T>) -> Stored<T> {
        if let Err(StoreError { fault: Fault::Busy(_), .. }) = &stored {
            self.queue.slow_down();
        }
        stored
    }

    /// Counts what a request sends; what it sent in vain is taken back.
    pub(super) fn counted<T>(
        &self,
        length: u64,
        work: impl FnOnce(&Sent<'_>) -> Stored<T>,
    ) -> Stored<T> {
        let total = Cell::new(0);
        let events = &self.submission.events;
        let result = self.heard(work(&|bytes| {
            if bytes > 0 {
                total.set(total.get() + bytes);
                events.emit(Event::Sent(bytes));
                self.queue.sent(bytes);
            }
            self.patience.lasts()
        }));
        if result.is_ok() {
            self.queue.answered();
        }
        let kept = if result.is_ok() { length } else { 0 };
        if total.get() > kept {
            events.emit(Event::Unsent(total.get() - kept));
        }
        result
    }

    /// The same for a request that says how fast the way is: nothing else takes its time.
    pub(super) fn timed<T>(
        &self,
        length: u64,
        work: impl FnOnce(&Sent<'_>) -> Stored<T>,
    ) -> Stored<T> {
        let began = Instant::now();
        let result = self.counted(length, work)?;
        self.link.sent(length, began.elapsed());
        Ok(result)
    }
}
