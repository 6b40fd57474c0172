//! The marker of a submission's folder: it says that the folder is ours, and when it may go.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Fault, StoreError};

/// The name of the object that marks the folder of a submission as made by this program. It is
/// stored before anything else, so that whatever is in the folder can be removed past its day.
pub const MARKER: &str = ".notify_pr-run.json";

/// The layout that this version writes and goes by.
const LAYOUT: u32 = 1;

/// What the marker of a submission's folder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The layout of this object: 1.
    pub notify_pr: u32,
    /// The id of the submission, which is also the name of the folder.
    pub submission: String,
    /// From when on the folder may be removed.
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
}

/// The marker alone as far as every layout has it.
#[derive(Deserialize)]
struct Layout {
    notify_pr: u32,
}

/// Folders past their day that stay, for a version of notify_pr marked them that this one does not
/// know: there may be more to what they say.
#[derive(Debug, Default)]
pub(super) struct Strange {
    count: u64,
    layout: u32,
}

impl Strange {
    /// Whether a marker names this folder and its time is up; one that is strange is counted.
    pub(super) fn may_go(&mut self, marker: &[u8], folder: &str, now: OffsetDateTime) -> bool {
        match serde_json::from_slice(marker) {
            Ok(Layout { notify_pr: LAYOUT }) => serde_json::from_slice::<Marker>(marker)
                .is_ok_and(|marker| marker.submission == folder && marker.expires < now),
            Ok(Layout { notify_pr }) => {
                self.count += 1;
                self.layout = notify_pr;
                false
            }
            Err(_) => false,
        }
    }

    /// An error that names them, if there are any. `store` is where they are.
    pub(super) fn name(&self, store: &str) -> Result<(), StoreError> {
        let (noun, verb) = if self.count == 1 { ("run", "stays") } else { ("runs", "stay") };
        match self.count {
            0 => Ok(()),
            count => Err(StoreError::new(
                Fault::Refused,
                format!(
                    "{count} {noun} past the day {verb}: another version of notify_pr marked what \
                     is there (layout {}, this one has {LAYOUT})",
                    self.layout
                ),
            )
            .at(store)
            .advise("let that version report here again, or remove the old folders by hand")),
        }
    }
}
