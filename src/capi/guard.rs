//! The one gate between C and the library: NULL, UTF-8, panics, and the text of an error.

use std::any::Any;
use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::npr_status;
use super::report::{Inner, npr_report};
use crate::error::{Error, Result};
use crate::status::Status;

/// Runs what a function does; if it panics, the function returns `otherwise`.
pub(super) fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// Runs a call on a report. An error leaves its text with the report, a panic is an error like
/// any other.
///
/// A report that another call is using is left alone: that is a callback calling back, or a second
/// thread, and it must not see a report that is half changed.
///
/// # Safety
/// `report` is NULL or came from `npr_report_new` and is not freed.
pub(super) unsafe fn call(
    report: *const npr_report,
    body: impl FnOnce(&mut Inner) -> Result<()>,
) -> npr_status {
    // SAFETY: the caller promises that the pointer is NULL or a report; only shared access is
    // taken, and the lock inside makes it exclusive.
    let Some(report) = (unsafe { report.as_ref() }) else { return npr_status::NPR_NULL_ARGUMENT };
    let Some(mut inner) = report.try_lock() else { return npr_status::NPR_MISUSE };
    let body = |inner: &mut Inner| {
        #[cfg(feature = "fault-points")]
        crate::fault_points::meet(inner.report.settings(), "call");
        body(inner)
    };
    let ended = catch_unwind(AssertUnwindSafe(|| body(&mut inner)))
        .unwrap_or_else(|panic| Err(internal(panic.as_ref())));
    match ended {
        Ok(()) => npr_status::NPR_OK,
        Err(error) => {
            inner.error = c_string(&error.to_string());
            error.status().into()
        }
    }
}

/// The error for a panic.
pub(super) fn internal(panic: &(dyn Any + Send)) -> Error {
    crate::conductor::internal(panic)
}

/// A text that C handed over.
///
/// # Safety
/// `pointer` is NULL or points to bytes that end with NUL and stay as they are during the call.
pub(super) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: promised by the caller.
    let bytes = unsafe { bytes(pointer, name) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Error::new(Status::BadText, format!("{name} is not valid UTF-8 from byte {at} on"))
            .advise("texts are UTF-8, whatever the locale")
    })
}

/// A path that C handed over: bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn path<'a>(pointer: *const c_char, name: &str) -> Result<&'a Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: promised by the caller.
        unsafe { bytes(pointer, name) }.map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    {
        // SAFETY: promised by the caller.
        unsafe { text(pointer, name) }.map(|text| Path::new(OsStr::new(text)))
    }
}

/// # Safety
/// As for [`text`].
unsafe fn bytes<'a>(pointer: *const c_char, name: &str) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: it is not NULL, and the caller promises that it ends with NUL.
    Ok(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Bytes of a known size that C handed over; NULL is no bytes.
///
/// # Safety
/// `pointer` is NULL or points to `size` bytes that stay as they are during the call.
pub(super) unsafe fn data<'a>(pointer: *const c_void, size: usize, name: &str) -> Result<&'a [u8]> {
    if size == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    if isize::try_from(size).is_err() {
        return Err(Error::new(Status::BadSetting, format!("{name} cannot be {size} bytes long"))
            .advise("pass the size in bytes"));
    }
    // SAFETY: it is not NULL, and the caller promises that so many bytes are there.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), size) })
}

fn null(name: &str) -> Error {
    Error::new(Status::NullArgument, format!("{name} is NULL"))
}

/// A text for C. A NUL within would end it early, so it becomes the replacement character.
pub(super) fn c_string(text: &str) -> CString {
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() };
    CString::new(text).unwrap_or_default()
}
