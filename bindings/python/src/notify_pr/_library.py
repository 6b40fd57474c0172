"""libnotify_pr: finding it, and its functions as include/notify_pr.h declares them.

The environment variable NOTIFY_PR_LIBRARY names the library to load. Without it, the one beside
this module is loaded, which the wheel brings along, or else the one that is installed on the
system.
"""

import ctypes
import os
import sys
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_size_t,
    c_uint64,
    c_void_p,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Type

# NPR_ABI_VERSION of the header that this module was written for.
ABI_VERSION = 0

_NAME = {"win32": "notify_pr.dll", "darwin": "libnotify_pr.dylib"}.get(
    sys.platform, "libnotify_pr.so"
)
_SYSTEM_NAME = {
    "win32": "notify_pr.dll",
    "darwin": f"libnotify_pr.{ABI_VERSION}.dylib",
}.get(sys.platform, f"libnotify_pr.so.{ABI_VERSION}")


class NprReport(Structure):
    """npr_report, whose inside is nobody's business."""


class NprReceipt(Structure):
    """npr_receipt, whose inside is nobody's business."""


class NprProgress(Structure):
    """npr_progress."""

    _fields_ = [
        ("stage", c_int),
        ("files_done", c_uint64),
        ("files", c_uint64),
        ("bytes_done", c_uint64),
        ("bytes", c_uint64),
    ]


NprOnProgress = CFUNCTYPE(c_int, POINTER(NprProgress), c_void_p)


def _load() -> ctypes.CDLL:
    named = os.environ.get("NOTIFY_PR_LIBRARY")
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
    path = named or (beside if os.path.exists(beside) else _SYSTEM_NAME)
    try:
        library = ctypes.CDLL(path)
        abi = library.npr_abi_version
    except (OSError, AttributeError) as error:
        origin = ", which NOTIFY_PR_LIBRARY names," if named else ""
        raise ImportError(
            f"the library {path}{origin} could not be loaded ({error}): install the wheel of "
            "notify_pr for this platform, install libnotify_pr on the system, or let the variable "
            "NOTIFY_PR_LIBRARY name the library"
        ) from error
    abi.restype = c_int
    abi.argtypes = ()
    found = abi()
    if found != ABI_VERSION:
        library.npr_version.restype = c_char_p
        raise ImportError(
            f"the library {path} is notify_pr {library.npr_version().decode()} with version "
            f"{found} of the binary interface, but this package needs version {ABI_VERSION}: "
            "install library and package of the same release"
            + (", or unset NOTIFY_PR_LIBRARY" if named else "")
        )
    return library


_library = _load()


def _function(name: str, result: "Type[Any] | None", *arguments: "Type[Any]") -> "Any":
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


_report = POINTER(NprReport)
_receipt = POINTER(NprReceipt)

npr_version = _function("npr_version", c_char_p)
npr_setting_name = _function("npr_setting_name", c_char_p, c_size_t)
npr_setting_help = _function("npr_setting_help", c_char_p, c_char_p)

npr_report_new = _function("npr_report_new", _report)
npr_report_free = _function("npr_report_free", None, _report)
npr_report_load_ini = _function("npr_report_load_ini", c_int, _report, c_char_p)
npr_report_load_environment = _function("npr_report_load_environment", c_int, _report)
npr_report_load_spool = _function("npr_report_load_spool", c_int, _report, c_char_p)
npr_report_set = _function("npr_report_set", c_int, _report, c_char_p, c_char_p)
npr_report_get = _function("npr_report_get", c_char_p, _report, c_char_p)
npr_report_set_summary = _function("npr_report_set_summary", c_int, _report, c_char_p)
npr_report_attach = _function("npr_report_attach", c_int, _report, c_char_p)
npr_report_attach_bytes = _function(
    "npr_report_attach_bytes", c_int, _report, c_char_p, c_char_p, c_size_t
)
npr_report_begin = _function("npr_report_begin", c_int, _report)
npr_report_on_progress = _function(
    "npr_report_on_progress", c_int, _report, NprOnProgress, c_void_p
)
npr_report_submit = _function("npr_report_submit", c_int, _report, POINTER(_receipt))
npr_report_error = _function("npr_report_error", c_char_p, _report)

npr_receipt_free = _function("npr_receipt_free", None, _receipt)
npr_receipt_json = _function("npr_receipt_json", c_char_p, _receipt)


def new_receipt() -> "Any":
    """A place for npr_report_submit to put a receipt."""
    return _receipt()


def text_of(text: "bytes | None") -> str:
    """A text of the library. It is UTF-8 and never NULL."""
    return (text or b"").decode("utf-8", "replace")


def version() -> str:
    """The version of the library that is running, such as "0.1.0"."""
    return text_of(npr_version())


def setting_names() -> "List[str]":
    """The names of all settings."""
    names: "List[str]" = []
    while True:
        name = text_of(npr_setting_name(len(names)))
        if not name:
            return names
        names.append(name)


def setting_help(name: str) -> str:
    """One line that says what a setting is; "" if there is none of this name."""
    return text_of(npr_setting_help(name.encode("utf-8", "surrogatepass")))
