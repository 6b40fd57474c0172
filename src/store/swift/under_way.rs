//! Large objects that are being made: what has to be removed of one that is given up.
//!
//! A listing may be behind, so what was sent is known here. A segment that is still on its way when
//! it is removed does not stay in Swift, where a removal is younger than what was begun before it,
//! whichever ends first. Other servers have no such order: there what was not found is looked for
//! again a moment later.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::large::segment_key;
use super::{ABORT_TIME, Swift};
use crate::store::{Stored, Upload};

/// The pauses before what may have arrived in the meantime is removed. A cancel waits for them, and
/// has to be over within a second.
const PAUSES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(400)];

/// By the ids of the objects.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<HashMap<String, Sent>>);

/// What was sent of an object.
#[derive(Debug, Default)]
struct Sent {
    /// The numbers of the segments, and whether each is known to have arrived.
    segments: BTreeMap<u32, bool>,
    /// Whether the list of them was sent.
    manifest: bool,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment is about to be sent, or has arrived.
    pub(super) fn segment(&self, upload: &Upload, number: u32, arrived: bool) {
        self.lock().entry(upload.id.clone()).or_default().segments.insert(number, arrived);
    }

    /// The list of the segments is about to be sent.
    pub(super) fn manifest(&self, upload: &Upload) {
        self.lock().entry(upload.id.clone()).or_default().manifest = true;
    }

    /// The object is whole.
    pub(super) fn finished(&self, upload: &Upload) {
        self.lock().remove(&upload.id);
    }
}

impl Swift {
    /// Removes what was sent of an object that will not be.
    pub(super) fn give_up(&self, upload: &Upload) -> Stored<()> {
        let Some(sent) = self.under_way.lock().remove(&upload.id) else { return Ok(()) };
        // The agent may have been shut down by a cancel; what was begun is cleaned up all the same.
        let agent = self.agent.renewed();
        let remove = |key: &str| self.remove(&agent, key, Some(ABORT_TIME));
        if sent.manifest {
            // It may have been stored although the answer got lost, and would list nothing now.
            remove(&upload.key)?;
        }
        let mut segments: Vec<_> = sent.segments.into_iter().collect();
        for pause in PAUSES {
            if segments.is_empty() {
                break;
            }
            std::thread::sleep(pause);
            let mut left = Vec::new();
            for (number, arrived) in segments {
                let was_there = remove(&segment_key(upload, number))?;
                if !was_there && !arrived {
                    left.push((number, arrived));
                }
            }
            segments = left;
        }
        Ok(())
    }
}
