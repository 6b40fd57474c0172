//! What a caller hands in: settings, a summary, attachments.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::settings::{Environment, Origin, Settings};
use crate::status::Status;

/// A report before it is submitted.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut report = notify_pr::Report::new();
/// report.load_ini("notify_pr.ini".as_ref())?;
/// report.set("commit", "3357460473a4ea60d338dd5f03d231294ba79f89")?;
/// report.attach("MarvinLogs".as_ref())?;
/// let receipt = report.submit(&mut |_| std::ops::ControlFlow::Continue(()))?;
/// println!("{}", receipt.to_json());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Report {
    pub(crate) settings: Settings,
    pub(crate) summary: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) submitted: bool,
    /// Who this part of a run is, once it has begun.
    pub(crate) begun: Option<Begun>,
    /// The folder whose parts are submitted with this report.
    pub(crate) spool: Option<PathBuf>,
}

/// A part of a run that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) at: OffsetDateTime,
    /// What it is called, if another process began it.
    pub(crate) name: Option<String>,
}

/// Something to upload.
#[derive(Clone, Debug)]
pub enum Attachment {
    /// A file, or a directory with all that is in it.
    Path(PathBuf),
    /// Bytes under a name, which may hold `/`.
    Bytes {
        /// The name.
        name: String,
        /// The bytes.
        data: Arc<[u8]>,
    },
    /// One regular file under a name, which may hold `/`. A link is not followed.
    File {
        /// The name.
        name: String,
        /// Where it is.
        path: PathBuf,
    },
}

impl Report {
    /// An empty report: every setting has its default.
    pub fn new() -> Report {
        Report::default()
    }

    /// Reads settings from an INI file. A value that was set by a stronger origin stays.
    ///
    /// # Errors
    /// `BadFile` if the file cannot be read, `BadSetting` with file and line for what is in it.
    pub fn load_ini(&mut self, path: &Path) -> Result<()> {
        self.settings.load_ini(path)
    }

    /// Reads settings from the process's environment: `NOTIFY_PR_*`, other programs' variables,
    /// the CI system's, and the git checkout in the working directory. Nothing else in the library
    /// reads the environment.
    ///
    /// # Errors
    /// `BadSetting` with the name of the variable.
    pub fn load_environment(&mut self) -> Result<()> {
        self.settings.load_environment(&Environment::of_process())
    }

    /// Sets a setting; this is stronger than every other origin. The name `details.NAME` is the row
    /// NAME of the table in the comment, as in the section `[details]` of an INI file.
    ///
    /// # Errors
    /// `BadSetting` if there is no such setting or the value is impossible.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.settings.set(name, value, Origin::Api)
    }

    /// The settings, to look at.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, to load them from further origins.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Sets the summary, in Markdown; it is used instead of `summary_file`.
    pub fn set_summary(&mut self, markdown: impl Into<String>) {
        self.summary = Some(markdown.into());
    }

    /// Adds a file or a directory. It is read during submit, not now; if it is not there then, it
    /// is named as missing.
    ///
    /// # Errors
    /// `BadSetting` if the path is empty.
    pub fn attach(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() {
            return Err(Error::new(Status::BadSetting, "the path of an attachment is empty")
                .advise("give the path of a file or a directory"));
        }
        self.attachments.push(Attachment::Path(path.to_owned()));
        Ok(())
    }

    /// Adds bytes under a name.
    ///
    /// # Errors
    /// `BadSetting` if the name is empty.
    pub fn attach_bytes(&mut self, name: &str, data: impl Into<Arc<[u8]>>) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new(Status::BadSetting, "the name of an attachment is empty")
                .advise("give the name that readers will see"));
        }
        self.attachments.push(Attachment::Bytes { name: name.to_owned(), data: data.into() });
        Ok(())
    }
}
