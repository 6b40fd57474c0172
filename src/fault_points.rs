//! For tests only: a submission panics where its title says, such as `fault-point: upload`.
//!
//! It is built with the hidden feature `fault-points` and is in no library that is shipped.

use crate::events::Event;
use crate::settings::Settings;
use crate::submission::Submission;

const MARK: &str = "fault-point: ";

/// Panics if this is the point that the title names.
#[allow(clippy::panic, reason = "that is what it is for")]
pub(crate) fn meet(settings: &Settings, point: &str) {
    let wanted = settings.text("title").and_then(|title| title.strip_prefix(MARK));
    if wanted == Some(point) {
        panic!("the fault point {point}");
    }
}

/// Panics on the thread that does what the title names: a stage, a `request`, a `stored` file, or
/// `submit` itself.
pub(crate) fn watch(submission: &Submission) {
    meet(&submission.settings, "submit");
    let settings = submission.settings.clone();
    submission.events.add_reader(move |event: &Event| match event {
        Event::StageBegins(stage) => meet(&settings, stage.name()),
        Event::Request { .. } => meet(&settings, "request"),
        Event::Stored { .. } => meet(&settings, "stored"),
        _ => {}
    });
}
