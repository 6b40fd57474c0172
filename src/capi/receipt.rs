//! The functions of a receipt.

use std::ffi::{CString, c_char};

use super::guard::{c_string, guarded};
use crate::Receipt;
use crate::receipt::Notice;

/// What became of a report. It is made by npr_report_submit(), freed by npr_receipt_free(), and
/// never changes: any number of threads may read it at the same time.
pub struct npr_receipt {
    pull_number: u64,
    comment_url: CString,
    comment_text: CString,
    page_url: CString,
    expires: CString,
    /// Names and addresses.
    files: Vec<(CString, CString)>,
    /// Names and reasons.
    missing: Vec<(CString, CString)>,
    json: CString,
}

impl npr_receipt {
    /// The texts of a receipt, made ready for C once and for all.
    pub(super) fn new(receipt: &Receipt) -> npr_receipt {
        let optional = |text: Option<&str>| c_string(text.unwrap_or_default());
        let first = receipt.pull_requests.first();
        let missing =
            |notice: &Notice| (optional(notice.name.as_deref()), c_string(&notice.reason));
        npr_receipt {
            pull_number: first.map_or(0, |first| first.number),
            comment_url: optional(first.and_then(|first| first.comment_url.as_deref())),
            comment_text: optional(receipt.comment_text.as_deref()),
            page_url: optional(receipt.page_url.as_deref()),
            expires: optional(receipt.expires.as_deref()),
            files: receipt
                .files
                .iter()
                .map(|file| (c_string(&file.name), optional(file.url.as_deref())))
                .collect(),
            missing: receipt.missing.iter().map(missing).collect(),
            json: c_string(&receipt.to_json()),
        }
    }
}

/// Reads something of a receipt; there is nothing to read if it is NULL.
///
/// # Safety
/// `receipt` is NULL or came from `npr_report_submit` and is not freed.
unsafe fn read<T>(
    receipt: *const npr_receipt,
    nothing: T,
    what: impl FnOnce(&npr_receipt) -> Option<T>,
) -> T
where
    T: Copy,
{
    // SAFETY: promised by the caller; a receipt never changes, so shared access is enough.
    guarded(nothing, || unsafe { receipt.as_ref() }.and_then(what).unwrap_or(nothing))
}

/// A text of a receipt.
///
/// # Safety
/// As for [`read`].
unsafe fn read_text(
    receipt: *const npr_receipt,
    what: impl FnOnce(&npr_receipt) -> Option<&CString>,
) -> *const c_char {
    // SAFETY: promised by the caller.
    unsafe { read(receipt, c"".as_ptr(), |receipt| Some(what(receipt)?.as_ptr())) }
}

/// Frees a receipt and every text that belongs to it. NULL is allowed and does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_free(receipt: *mut npr_receipt) {
    guarded((), || {
        if !receipt.is_null() {
            // SAFETY: it came from Box::into_raw in npr_report_submit and is not freed yet.
            drop(unsafe { Box::from_raw(receipt) });
        }
    });
}

/// Returns the number of the pull request, and 0 if none was found. If the commit belongs to
/// several, this and the next two functions speak of the first; npr_receipt_json() has all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_pull_number(receipt: *const npr_receipt) -> u64 {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read(receipt, 0, |receipt| Some(receipt.pull_number)) }
}

/// Returns the address of the comment, and "" if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_comment_url(receipt: *const npr_receipt) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| Some(&receipt.comment_url)) }
}

/// Returns the comment as it was composed, in Markdown, also if it could not be posted; "" if the
/// submission did not come that far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_comment_text(receipt: *const npr_receipt) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| Some(&receipt.comment_text)) }
}

/// Returns the address of the page that lists the files, and "" if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_page_url(receipt: *const npr_receipt) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| Some(&receipt.page_url)) }
}

/// Returns until when the links open, as RFC 3339 in UTC, such as "2026-07-08T09:10:11Z"; "" if
/// there are no links.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_expires(receipt: *const npr_receipt) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| Some(&receipt.expires)) }
}

/// Returns how many files are in the store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_file_count(receipt: *const npr_receipt) -> usize {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read(receipt, 0, |receipt| Some(receipt.files.len())) }
}

/// Returns the name of a stored file, as readers see it, and "" past the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_file_name(
    receipt: *const npr_receipt,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| receipt.files.get(index).map(|(name, _)| name)) }
}

/// Returns the address of a stored file, and "" if the public has no way to it or past the last
/// one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_file_url(
    receipt: *const npr_receipt,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| receipt.files.get(index).map(|(_, url)| url)) }
}

/// Returns how many things were wanted and are not in the store. The comment names them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_missing_count(receipt: *const npr_receipt) -> usize {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read(receipt, 0, |receipt| Some(receipt.missing.len())) }
}

/// Returns the name of something that is missing, and "" past the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_missing_name(
    receipt: *const npr_receipt,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| receipt.missing.get(index).map(|(name, _)| name)) }
}

/// Returns why something is missing, and "" past the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_missing_reason(
    receipt: *const npr_receipt,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| receipt.missing.get(index).map(|(_, reason)| reason)) }
}

/// Returns the whole receipt as JSON: the same object that notify_pr --json prints, described in
/// README.md. It is "" only if receipt is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn npr_receipt_json(receipt: *const npr_receipt) -> *const c_char {
    // SAFETY: the caller passes a receipt or NULL.
    unsafe { read_text(receipt, |receipt| Some(&receipt.json)) }
}
