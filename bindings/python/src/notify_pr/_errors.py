"""What can go wrong, grouped by whose turn it is to act."""

from ._status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Type

    from ._receipt import Receipt


class NotifyPrError(Exception):
    """Something that notify_pr was asked for was not done.

    As text it says what was wrong, where, and what to do. ``status`` is the exact reason.
    ``receipt`` says what was done until then; it is ``None`` where nothing was submitted.
    """

    def __init__(
        self,
        message: str,
        status: int = Status.INTERNAL,
        receipt: "Optional[Receipt]" = None,
    ) -> None:
        # All of it, so that the error can be pickled.
        super().__init__(message, status, receipt)
        self.message = message
        self.status = Status(status)
        self.receipt = receipt

    def __str__(self) -> str:
        return self.message


class SettingError(NotifyPrError):
    """A setting is unknown, missing or impossible, or a text is not Unicode."""


class MisuseError(NotifyPrError):
    """A call came in the wrong order, such as a second submit."""


class FileError(NotifyPrError):
    """A file could not be read, or the local disk not be written."""


class SecretFound(FileError):
    """What was to be published held one of our own secrets, so nothing was."""


class StoreError(NotifyPrError):
    """The store could not be reached, or refused."""


class Partial(StoreError):
    """Some files were not stored. The comment was made all the same and names them."""


class GitHubError(NotifyPrError):
    """GitHub could not be reached, refused, or asked to wait for too long."""


class NoPullRequest(GitHubError):
    """No pull request belongs to the commit."""


class Ambiguous(GitHubError):
    """More than one commit or pull request fits."""


class RefusedByPolicy(GitHubError):
    """A setting such as on_closed forbids the comment."""


class Cancelled(NotifyPrError):
    """The submission was cancelled with ``Report.cancel``."""


class Queued(NotifyPrError):
    """The report was set aside for a later submission."""


class TimedOut(NotifyPrError):
    """A budget of time ran out."""


class InternalError(NotifyPrError):
    """A bug in notify_pr. Other reports go on."""


_CLASSES: "Dict[int, Type[NotifyPrError]]" = {
    Status.NULL_ARGUMENT: SettingError,
    Status.BAD_TEXT: SettingError,
    Status.BAD_SETTING: SettingError,
    Status.MISUSE: MisuseError,
    Status.BAD_FILE: FileError,
    Status.DISK: FileError,
    Status.SECRET_FOUND: SecretFound,
    Status.STORE_UNREACHABLE: StoreError,
    Status.STORE_REFUSED: StoreError,
    Status.STORE_PARTIAL: Partial,
    Status.GITHUB_UNREACHABLE: GitHubError,
    Status.GITHUB_REFUSED: GitHubError,
    Status.GITHUB_BUSY: GitHubError,
    Status.NO_PULL_REQUEST: NoPullRequest,
    Status.AMBIGUOUS: Ambiguous,
    Status.REFUSED_BY_POLICY: RefusedByPolicy,
    Status.CANCELLED: Cancelled,
    Status.QUEUED: Queued,
    Status.TIMEOUT: TimedOut,
    Status.INTERNAL: InternalError,
}


def error(status: int, message: str, receipt: "Optional[Receipt]" = None) -> NotifyPrError:
    """The error that belongs to a status."""
    return _CLASSES.get(status, NotifyPrError)(message, status, receipt)
