//! The summary of a report: what was set, or the file.

use std::io::{self, Read};
use std::path::Path;

use super::Delivery;
use crate::compose::markdown;
use crate::input;

/// The most of a summary that is read; what is longer is cut.
const LIMIT: u64 = 16 << 20;

impl Delivery<'_> {
    /// Reads the summary that was set, or the file. That there is none is said in the comment.
    pub(super) fn read_summary(&mut self) {
        let read = match (&self.report.summary, self.submission.settings.path("summary_file")) {
            (Some(summary), _) => Ok(summary.clone()),
            (None, Some(path)) => self.read_summary_file(&path),
            (None, None) => return,
        };
        match read {
            Ok(summary) if !summary.trim().is_empty() => self.summary = Some(summary),
            Ok(_) => self.summary_missing = Some("the summary is empty".to_owned()),
            Err(reason) => self.summary_missing = Some(reason),
        }
        if let Some(reason) = &self.summary_missing {
            self.submission.events.warn(reason.clone());
        }
    }

    fn read_summary_file(&self, path: &Path) -> Result<String, String> {
        let mut bytes = Vec::new();
        let read = match path == Path::new("-") {
            true => io::stdin().lock().take(LIMIT).read_to_end(&mut bytes).map(|_| bytes),
            false => input::read(path, LIMIT, &mut |rest| {
                self.submission.cancel.sleep(rest).map_err(|_| io::ErrorKind::Interrupted.into())
            }),
        };
        // Only the name: the path of a machine is nobody's business.
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        match read {
            Ok(bytes) => Ok(markdown::lossy(&bytes)),
            Err(error) => Err(format!("the summary {name} could not be read: {error}")),
        }
    }
}
