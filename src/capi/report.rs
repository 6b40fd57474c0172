//! The functions of a report.

use std::ffi::{CString, c_char, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::guard::{c_string, call, data, guarded, internal, path, text};
use super::receipt::npr_receipt;
use super::{npr_on_progress, npr_progress, npr_status};
use crate::error::{Error, Result};
use crate::settings::{DETAIL, Setting};
use crate::status::Status;
use crate::{Failure, Progress, Receipt, Report};

/// A report: settings, a summary and attachments. It is made by npr_report_new() and freed by
/// npr_report_free(). One thread at a time may use it.
pub struct npr_report {
    inner: Mutex<Inner>,
}

pub(super) struct Inner {
    pub(super) report: Report,
    on_progress: npr_on_progress,
    user_data: *mut c_void,
    /// What `npr_report_error` returns.
    pub(super) error: CString,
    /// What `npr_report_get` returned last.
    shown: CString,
}

impl npr_report {
    /// The report, unless a call is using it.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, Inner>> {
        match self.inner.try_lock() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Inner {
    /// The report, to change it: what comes after submit would never be seen by anyone.
    fn unsent(&mut self) -> Result<&mut Report> {
        if self.report.submitted {
            return Err(Error::new(Status::Misuse, "the report was submitted already")
                .advise("make a new report for another submission"));
        }
        Ok(&mut self.report)
    }
}

/// Makes an empty report, in which every setting has its default. It reads no file and no
/// environment. You free it with npr_report_free(). It never returns NULL; if memory runs out, the
/// process ends.
#[unsafe(no_mangle)]
pub extern "C" fn npr_report_new() -> *mut npr_report {
    guarded(std::ptr::null_mut(), || {
        let inner = Inner {
            report: Report::new(),
            on_progress: None,
            user_data: std::ptr::null_mut(),
            error: CString::default(),
            shown: CString::default(),
        };
        Box::into_raw(Box::new(npr_report { inner: Mutex::new(inner) }))
    })
}

/// Frees a report and every text that npr_report_get() and npr_report_error() returned for it. It
/// may be freed without having been submitted, and before or after its receipt. NULL is allowed
/// and does nothing. A report that is being submitted, as in its own progress callback, is not
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_free(report: *mut npr_report) {
    guarded((), || {
        // SAFETY: the caller passes NULL or a report that is not freed yet.
        let in_use = unsafe { report.as_ref() }.is_none_or(|report| report.try_lock().is_none());
        if !in_use {
            // SAFETY: it came from Box::into_raw in npr_report_new, and nobody uses it.
            drop(unsafe { Box::from_raw(report) });
        }
    });
}

/// Reads settings from an INI file. What npr_report_set() set stays, in whatever order they are
/// called. Relative paths in the file begin at the working directory. If a line is wrong, nothing
/// of the file counts, and the error names file and line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_load_ini(
    report: *mut npr_report,
    path: *const c_char,
) -> npr_status {
    // SAFETY: the caller passes a report and a text, or NULL.
    unsafe { call(report, |inner| inner.unsent()?.load_ini(self::path(path, "path")?)) }
}

/// Reads settings from the environment: variables NOTIFY_PR_*, other programs' variables such as
/// GITHUB_TOKEN, what the CI server says, and the git checkout in the working directory. What
/// npr_report_set() set stays. As with getenv(), no thread may change the environment at the same
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_load_environment(report: *mut npr_report) -> npr_status {
    // SAFETY: the caller passes a report or NULL.
    unsafe { call(report, |inner| inner.unsent()?.load_environment()) }
}

/// Takes along what was set aside in a folder, with submit = collect: npr_report_submit() submits
/// all of it with this report, as one, and removes it when it was delivered. What is known to be of
/// another commit or build stays there, with a warning. The folder is the one that spool_dir named
/// when the parts were set aside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_load_spool(
    report: *mut npr_report,
    path: *const c_char,
) -> npr_status {
    // SAFETY: the caller passes a report and a text, or NULL.
    unsafe { call(report, |inner| inner.unsent()?.load_spool(self::path(path, "path")?)) }
}

/// Sets a setting. Its name is the same as in the INI file; this value is stronger than those of
/// all files and variables. An empty value switches a setting off that can do without a value. The
/// name "details.NAME" is the row NAME of the table in the comment, as in the section details of
/// an INI file: "details.Hypervisor". The texts are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_set(
    report: *mut npr_report,
    name: *const c_char,
    value: *const c_char,
) -> npr_status {
    // SAFETY: the caller passes a report and texts, or NULL.
    unsafe { call(report, |inner| inner.unsent()?.set(text(name, "name")?, text(value, "value")?)) }
}

/// Returns the value of a setting that is in force: set, loaded, or the default. A secret, and the
/// password in an address, are masked. It returns "" if there is no value, and also on failure:
/// then npr_report_error() says why. The text belongs to the report and is valid until the next
/// call of npr_report_get() on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_get(
    report: *mut npr_report,
    name: *const c_char,
) -> *const c_char {
    let mut shown = c"".as_ptr();
    // SAFETY: the caller passes a report and a text, or NULL.
    unsafe {
        call(report, |inner| {
            let name = text(name, "name")?;
            if Setting::find(name).is_none() && !name.starts_with(DETAIL) {
                return Err(Error::new(Status::BadSetting, format!("there is no setting {name}"))
                    .advise("npr_setting_name() lists all of them"));
            }
            inner.shown = c_string(&inner.report.settings().shown(name));
            shown = inner.shown.as_ptr();
            Ok(())
        });
    }
    shown
}

/// Sets the summary, in Markdown: what readers see first. It is used instead of the setting
/// summary_file. The text is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_set_summary(
    report: *mut npr_report,
    markdown: *const c_char,
) -> npr_status {
    // SAFETY: the caller passes a report and a text, or NULL.
    unsafe {
        call(report, |inner| {
            let markdown = text(markdown, "markdown")?;
            inner.unsent()?.set_summary(markdown);
            Ok(())
        })
    }
}

/// Adds a file, or a directory with everything in it, to what will be uploaded. It is read during
/// npr_report_submit() and not before; if it is not there then, the comment names it as missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_attach(
    report: *mut npr_report,
    path: *const c_char,
) -> npr_status {
    // SAFETY: the caller passes a report and a text, or NULL.
    unsafe { call(report, |inner| inner.unsent()?.attach(self::path(path, "path")?)) }
}

/// Adds bytes to what will be uploaded, under a name that may hold slashes. The bytes are copied;
/// data may be NULL if size is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_attach_bytes(
    report: *mut npr_report,
    name: *const c_char,
    data: *const c_void,
    size: usize,
) -> npr_status {
    // SAFETY: the caller passes a report, a text and so many bytes, or NULL.
    unsafe {
        call(report, |inner| {
            let (name, data) = (text(name, "name")?, self::data(data, size, "data")?);
            inner.unsent()?.attach_bytes(name, data)
        })
    }
}

/// Says that this part of a run begins, where the setting submit is collect: if the process dies
/// before npr_report_submit(), the later submission of all parts shows this one as one that did not
/// finish, with the files that are attached by now. It may be called again when more is attached.
/// Where submit is now, it does nothing. The setting begun has the id of the part then; a report of
/// another process that is given the same value ends this part.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_begin(report: *mut npr_report) -> npr_status {
    // SAFETY: the caller passes a report or NULL.
    unsafe { call(report, |inner| inner.unsent()?.begin()) }
}

/// Sets the function that is told how far the submission is. It is called during
/// npr_report_submit(), on the same thread: first before anything is sent or stored, then at least
/// every 200 milliseconds in every stage, also while the network stalls. When it cancels, the
/// submission ends within a second, with NPR_CANCELLED unless all was done already, and the function
/// is not called again; only the lookup of a host name is waited for. NULL takes the function away,
/// and user_data may be NULL. In the function, calls on the same report do nothing: those that
/// return a status return NPR_MISUSE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_on_progress(
    report: *mut npr_report,
    on_progress: npr_on_progress,
    user_data: *mut c_void,
) -> npr_status {
    // SAFETY: the caller passes a report or NULL.
    unsafe {
        call(report, |inner| {
            inner.unsent()?;
            inner.on_progress = on_progress;
            inner.user_data = user_data;
            Ok(())
        })
    }
}

/// Submits the report: uploads the files, finds the pull request and leaves the comment. It
/// returns when all is done and every thread it needed has ended. A report is submitted once.
///
/// The receipt says what was done. It is set on failure too, because files may have been uploaded
/// by then; *receipt is NULL only if report is NULL or in use. You free it with
/// npr_receipt_free(). If you do not want it, pass NULL for receipt.
///
/// Where no comment could be made, the text is kept in the folder that the setting outbox_dir
/// names. NPR_STORE_PARTIAL means that the comment was made and names what is missing.
///
/// With the setting submit = collect, the report is set aside in the folder that spool_dir names
/// instead, without network and credentials: that done, the status is NPR_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_submit(
    report: *mut npr_report,
    receipt: *mut *mut npr_receipt,
) -> npr_status {
    let mut done = std::ptr::null_mut();
    // SAFETY: the caller passes a report or NULL.
    let status = unsafe {
        call(report, |inner| {
            let (end, error) = match submit(inner) {
                Ok(end) => (end, None),
                Err(failure) => (*failure.receipt, Some(failure.error)),
            };
            done = Box::into_raw(Box::new(npr_receipt::new(&end)));
            error.map_or(Ok(()), Err)
        })
    };
    if done.is_null() && status == npr_status::NPR_INTERNAL {
        let error = Error::new(Status::Internal, "this is a bug in notify_pr");
        done = Box::into_raw(Box::new(npr_receipt::new(&Failure::unsent(error).receipt)));
    }
    // SAFETY: the caller passes NULL or a place for the receipt.
    match unsafe { receipt.as_mut() } {
        Some(receipt) => *receipt = done,
        // SAFETY: it is NULL or was made above, and nobody else knows it.
        None => unsafe { super::npr_receipt_free(done) },
    }
    status
}

fn submit(inner: &mut Inner) -> Result<Receipt, Failure> {
    let (on_progress, user_data) = (inner.on_progress, inner.user_data);
    let mut cancelled = false;
    let mut look_on = |progress: &Progress| {
        if let (Some(on_progress), false) = (on_progress, cancelled) {
            let progress = npr_progress {
                stage: progress.stage.into(),
                files_done: progress.files_done,
                files: progress.files,
                bytes_done: progress.bytes_done,
                bytes: progress.bytes,
            };
            // SAFETY: the caller of npr_report_on_progress promises that it may be called so.
            cancelled = unsafe { on_progress(&raw const progress, user_data) } != 0;
        }
        if cancelled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // Even where a bug shows, there is a receipt that says so.
    catch_unwind(AssertUnwindSafe(|| inner.report.submit(&mut look_on)))
        .unwrap_or_else(|panic| Err(Failure::unsent(internal(panic.as_ref()))))
}

/// Returns what went wrong in the last call on this report that failed: what, where, and what can
/// be done. It is "" if none failed, and holds no secrets; a call that succeeds leaves it as it is.
/// The text belongs to the report and is valid until the next call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_report_error(report: *const npr_report) -> *const c_char {
    guarded(c"".as_ptr(), || {
        // SAFETY: the caller passes a report or NULL.
        let Some(report) = (unsafe { report.as_ref() }) else { return c"report is NULL".as_ptr() };
        match report.try_lock() {
            Some(inner) => inner.error.as_ptr(),
            None => c"another call on the report has not ended".as_ptr(),
        }
    })
}
