//! The C API: what `include/notify_pr.h` declares, with the same names.
//!
//! The header is made from these files by `tests/header.rs`, in this order: the types and the
//! library here, then `report`, then `receipt`. Its preface is in `cbindgen.toml`. Every
//! function passes through `guard`, which deals with NULL, UTF-8 and panics.

#![allow(unsafe_code, reason = "C hands over pointers, and this is the place that takes them")]
#![allow(
    non_camel_case_types,
    reason = "the name in Rust is the name in C, so that grep finds both"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "what a caller must see to is the same for all functions and stands in the preface"
)]

mod guard;
mod receipt;
mod report;

use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::LazyLock;

pub use receipt::*;
pub use report::*;

use crate::settings::{DETAIL, Settings};
use crate::status::{Stage, Status};
use guard::{c_string, guarded, text};

/// The version of the binary interface. A program that was compiled with one number runs with
/// every library whose npr_abi_version() returns the same number; it is also the number in the
/// name libnotify_pr.so.N.
pub const NPR_ABI_VERSION: c_int = 0;

/// How a call ended. The numbers are grouped by whose turn it is to act, are never given another
/// meaning, and are also the exit statuses of the notify_pr command. Later versions may add
/// numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum npr_status {
    /// Everything that was asked for was done.
    NPR_OK = 0,
    /// An argument that may not be NULL was NULL.
    NPR_NULL_ARGUMENT = 1,
    /// A text was not valid UTF-8.
    NPR_BAD_TEXT = 2,
    /// A setting is unknown, missing or impossible.
    NPR_BAD_SETTING = 3,
    /// A call came in the wrong order, such as a second submit.
    NPR_MISUSE = 4,
    /// A file that the submission cannot do without could not be read.
    NPR_BAD_FILE = 10,
    /// The local disk could not be written.
    NPR_DISK = 11,
    /// What was to be published held one of our own secrets, so nothing was.
    NPR_SECRET_FOUND = 12,
    /// The store could not be reached.
    NPR_STORE_UNREACHABLE = 20,
    /// The store refused: credentials, rights, or a container that does not exist.
    NPR_STORE_REFUSED = 21,
    /// Some of what was to be stored was not stored; the comment was made all the same.
    NPR_STORE_PARTIAL = 22,
    /// GitHub could not be reached.
    NPR_GITHUB_UNREACHABLE = 30,
    /// GitHub refused: token, rights, a locked pull request or an archived repository.
    NPR_GITHUB_REFUSED = 31,
    /// GitHub asked to wait for longer than the budget of time allows.
    NPR_GITHUB_BUSY = 32,
    /// No pull request belongs to the commit.
    NPR_NO_PULL_REQUEST = 33,
    /// More than one commit or pull request fits.
    NPR_AMBIGUOUS = 34,
    /// A setting such as on_closed forbids the comment.
    NPR_REFUSED_BY_POLICY = 35,
    /// The progress callback cancelled the submission.
    NPR_CANCELLED = 40,
    /// The report was set aside for a later submission.
    NPR_QUEUED = 41,
    /// A budget of time ran out.
    NPR_TIMEOUT = 42,
    /// A bug in notify_pr. The report may still be freed, and other reports go on.
    NPR_INTERNAL = 50,
}

/// The steps that a report takes, in their order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum npr_stage {
    /// Which files become which objects of the store.
    NPR_STAGE_PLAN = 1,
    /// Which pull request the commit belongs to.
    NPR_STAGE_FIND = 2,
    /// The files go to the store.
    NPR_STAGE_UPLOAD = 3,
    /// The comment is written.
    NPR_STAGE_COMPOSE = 4,
    /// The pages that lead to the files go to the store.
    NPR_STAGE_PUBLISH = 5,
    /// The comment goes to the pull request.
    NPR_STAGE_POST = 6,
}

/// How far a submission is. Later versions may add fields at the end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npr_progress {
    /// The stage that is under way.
    pub stage: npr_stage,
    /// How many files are stored or given up.
    pub files_done: u64,
    /// How many files there are to store; 0 until the plan is made.
    pub files: u64,
    /// How many bytes were sent.
    pub bytes_done: u64,
    /// How many bytes there are to send; 0 until the plan is made.
    pub bytes: u64,
}

/// A function of yours that sees how far a submission is, and can stop it. It returns 0 to go on,
/// and anything else to cancel. The progress belongs to the library and ends with the call;
/// user_data is what you gave to npr_report_on_progress(). It must return: no longjmp() and no
/// C++ exception may leave it.
pub type npr_on_progress =
    Option<unsafe extern "C" fn(progress: *const npr_progress, user_data: *mut c_void) -> c_int>;

/// Returns the version of the library that is running, such as "0.1.0". Compare it with the
/// NPR_VERSION_ macros to see which one you compiled with. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn npr_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Returns the version of the binary interface of the library that is running. If it is not
/// NPR_ABI_VERSION, call nothing else but npr_version(): the library does not fit the header.
#[unsafe(no_mangle)]
pub extern "C" fn npr_abi_version() -> c_int {
    NPR_ABI_VERSION
}

/// Returns one line that says what a status means, without the particulars of a case; those are
/// in npr_report_error(). Any number may be asked for. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn npr_status_text(status: c_int) -> *const c_char {
    static TEXTS: LazyLock<Vec<CString>> =
        LazyLock::new(|| Status::ALL.iter().map(|status| c_string(status.text())).collect());
    guarded(c"".as_ptr(), || {
        let known = Status::ALL.iter().position(|known| known.code() == status);
        known.map_or(c"an unknown status".as_ptr(), |index| TEXTS[index].as_ptr())
    })
}

/// Name and help of every setting, in the order of the table.
static SETTINGS: LazyLock<Vec<(CString, CString)>> = LazyLock::new(|| {
    let both =
        |setting: &crate::settings::Setting| (c_string(setting.name()), c_string(setting.help()));
    Settings::table().iter().map(both).collect()
});

/// Returns the name of the setting with this index, and "" past the last one, so that all
/// settings can be listed without knowing their number. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn npr_setting_name(index: usize) -> *const c_char {
    guarded(c"".as_ptr(), || SETTINGS.get(index).map_or(c"".as_ptr(), |(name, _)| name.as_ptr()))
}

/// Returns one line that says what a setting is, also for a row "details.NAME", and "" if there is
/// no setting of this name or name is NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_setting_help(name: *const c_char) -> *const c_char {
    guarded(c"".as_ptr(), || {
        // SAFETY: the caller passes NULL or a text that ends with NUL.
        let Ok(name) = (unsafe { text(name, "name") }) else { return c"".as_ptr() };
        if name.starts_with(DETAIL) {
            return c"A row of the table in the comment".as_ptr();
        }
        let known = SETTINGS.iter().find(|(known, _)| known.to_bytes() == name.as_bytes());
        known.map_or(c"".as_ptr(), |(_, help)| help.as_ptr())
    })
}

impl From<Status> for npr_status {
    fn from(status: Status) -> npr_status {
        match status {
            Status::Ok => npr_status::NPR_OK,
            Status::NullArgument => npr_status::NPR_NULL_ARGUMENT,
            Status::BadText => npr_status::NPR_BAD_TEXT,
            Status::BadSetting => npr_status::NPR_BAD_SETTING,
            Status::Misuse => npr_status::NPR_MISUSE,
            Status::BadFile => npr_status::NPR_BAD_FILE,
            Status::Disk => npr_status::NPR_DISK,
            Status::SecretFound => npr_status::NPR_SECRET_FOUND,
            Status::StoreUnreachable => npr_status::NPR_STORE_UNREACHABLE,
            Status::StoreRefused => npr_status::NPR_STORE_REFUSED,
            Status::StorePartial => npr_status::NPR_STORE_PARTIAL,
            Status::GithubUnreachable => npr_status::NPR_GITHUB_UNREACHABLE,
            Status::GithubRefused => npr_status::NPR_GITHUB_REFUSED,
            Status::GithubBusy => npr_status::NPR_GITHUB_BUSY,
            Status::NoPullRequest => npr_status::NPR_NO_PULL_REQUEST,
            Status::Ambiguous => npr_status::NPR_AMBIGUOUS,
            Status::RefusedByPolicy => npr_status::NPR_REFUSED_BY_POLICY,
            Status::Cancelled => npr_status::NPR_CANCELLED,
            Status::Queued => npr_status::NPR_QUEUED,
            Status::Timeout => npr_status::NPR_TIMEOUT,
            Status::Internal => npr_status::NPR_INTERNAL,
        }
    }
}

impl From<Stage> for npr_stage {
    fn from(stage: Stage) -> npr_stage {
        match stage {
            Stage::Plan => npr_stage::NPR_STAGE_PLAN,
            Stage::Find => npr_stage::NPR_STAGE_FIND,
            Stage::Upload => npr_stage::NPR_STAGE_UPLOAD,
            Stage::Compose => npr_stage::NPR_STAGE_COMPOSE,
            Stage::Publish => npr_stage::NPR_STAGE_PUBLISH,
            Stage::Post => npr_stage::NPR_STAGE_POST,
        }
    }
}
