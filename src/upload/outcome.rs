//! What came of the objects, and of the store as a whole.

use super::*;

impl Crew<'_> {
    /// Gives the store up when nothing succeeds any more.
    pub(super) fn judge(&self, given_up: GivenUp) {
        let GivenUp::Store(failure) = given_up else { return };
        let weight = match failure.fault {
            Fault::Refused | Fault::NotFound => 1,
            Fault::Busy(_) | Fault::Unreachable => EXHAUSTED,
            Fault::Mismatch | Fault::Local | Fault::Cancelled => return,
        };
        if self.in_a_row.fetch_add(weight, Ordering::Relaxed) + weight >= HOPELESS {
            self.stop(GivenUp::Store(failure));
        }
    }

    pub(super) fn stop(&self, given_up: GivenUp) {
        let reason = given_up.reason();
        self.fail(given_up.into_error(), reason);
    }

    pub(super) fn fail(&self, error: Error, reason: String) {
        self.lock_failure().get_or_insert((error.in_stage(Stage::Upload), reason));
    }

    pub(super) fn lock_failure(&self) -> std::sync::MutexGuard<'_, Option<(Error, String)>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self, index: usize, outcome: Result<File, String>) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
    }

    pub(super) fn missing(&self, index: usize, reason: String) {
        let name = self.plan.objects[index].name.clone();
        self.submission.events.emit(Event::Missing { name, reason: reason.clone() });
        self.settle(index, Err(reason));
    }

    /// Tells what came of removing the runs before this one; the error is a panic's.
    pub(super) fn swept(&self, swept: std::thread::Result<Stored<u64>>) {
        let events = &self.submission.events;
        match swept {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => events.note(format!("{count} objects past their day removed")),
            Ok(Err(failure)) => events.warn(failure.to_string()),
            Err(_) => events.warn("a bug of notify_pr kept it from removing what is past its day"),
        }
    }

    /// Names what nobody got to, and sorts everything as the plan has it.
    pub(super) fn result(self) -> Uploaded {
        if self.lock_failure().is_none()
            && let Err(GivenUp::Cancelled) = self.patience.check()
        {
            self.stop(GivenUp::Cancelled);
        }
        let rest = match &*self.lock_failure() {
            Some((_, reason)) => reason.clone(),
            None => GivenUp::TimeOut(None).reason(),
        };
        for index in 0..self.plan.objects.len() {
            let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            let settled = outcomes[index].is_some();
            drop(outcomes);
            if !settled {
                self.missing(index, rest.clone());
            }
        }
        let mut uploaded = Uploaded::default();
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        uploaded.failure = failure.map(|(error, _)| error);
        let outcomes = self.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let missing = &mut uploaded.missing;
        // In the memory of the outcomes: there may be very many of them.
        let files = outcomes.into_iter().zip(&self.plan.objects).filter_map(|(outcome, object)| {
            match outcome? {
                Ok(file) => return Some(file),
                Err(reason) => missing.push(LeftOut { name: object.name.clone(), reason }),
            }
            None
        });
        uploaded.files = files.collect();
        uploaded
    }
}
