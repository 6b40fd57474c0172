"""Reports the results of a CI run on the GitHub pull request that was tested.

    from notify_pr import Report

    with Report.from_ini("run.ini", commit=sha) as report:
        report.attach("MarvinLogs")
        receipt = report.submit()
    print(receipt.comment_url)

A report is settings, a summary and attachments. Submitting it uploads the attachments, finds the
pull request that the commit belongs to, and leaves one comment there. The names of settings are
those of the INI file; ``notify_pr settings`` lists them.
"""

from ._errors import (
    Ambiguous,
    Cancelled,
    FileError,
    GitHubError,
    InternalError,
    MisuseError,
    NoPullRequest,
    NotifyPrError,
    Partial,
    Queued,
    RefusedByPolicy,
    SecretFound,
    SettingError,
    StoreError,
    TimedOut,
)
from ._library import setting_help, setting_names, version
from ._report import Report
from ._status import Stage, Status

# mypy takes this name for true; typing itself is slow to import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._receipt import Notice, Part, Progress, PullRequest, Receipt, StoredFile

__all__ = [
    "Ambiguous",
    "Cancelled",
    "FileError",
    "GitHubError",
    "InternalError",
    "MisuseError",
    "NoPullRequest",
    "Notice",
    "NotifyPrError",
    "Part",
    "Partial",
    "Progress",
    "PullRequest",
    "Queued",
    "Receipt",
    "RefusedByPolicy",
    "Report",
    "SecretFound",
    "SettingError",
    "Stage",
    "Status",
    "StoreError",
    "StoredFile",
    "TimedOut",
    "setting_help",
    "setting_names",
    "version",
]

__version__ = version()


def __getattr__(name: str) -> object:
    # dataclasses costs more to import than everything else here together.
    if name in ("Notice", "Part", "Progress", "PullRequest", "Receipt", "StoredFile"):
        from . import _receipt

        return getattr(_receipt, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
