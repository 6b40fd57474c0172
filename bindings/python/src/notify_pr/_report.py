"""A report: make it, load it, fill it, submit it."""

import os
from _thread import allocate_lock

from . import _library as c
from ._errors import error
from ._status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping, Optional, Tuple, Type, TypeVar, Union

    from ._receipt import Progress, Receipt

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Value = Union[str, int, os.PathLike[str]]
    Details = Optional[Mapping[str, Value]]
    Self = TypeVar("Self", bound="Report")


class Report:
    """Settings, a summary and attachments, to be submitted once.

    ``settings`` are names and values as in the INI file. They are stronger than those of files and
    of the environment, whenever they are set. ``details`` are rows of the table in the comment, as
    in the INI file's section of this name.

    Use it in a ``with`` statement, or call ``close``. One thread at a time may use it: while it is
    in use, calls from other threads and from its own progress function are a ``MisuseError``. Only
    ``cancel`` may be called at any time.
    """

    def __init__(self, *, details: "Details" = None, **settings: "Value") -> None:
        # What submits goes on if whoever waits for it is interrupted twice. So the lock is free
        # again when the library is done, and the report is freed by whoever comes last.
        self._using = allocate_lock()
        self._closing = False
        self._cancelled = False
        self._handle: "Optional[Any]" = c.npr_report_new()
        self._receipt: "Optional[Receipt]" = None
        for name, value in settings.items():
            self.set(name, value)
        for name, value in (details or {}).items():
            self.set(f"details.{name}", value)

    @classmethod
    def from_ini(
        cls: "Type[Self]", path: "Path", *, details: "Details" = None, **settings: "Value"
    ) -> "Self":
        """A report with the settings of an INI file and, stronger than those, the given ones."""
        report = cls(details=details, **settings)
        try:
            return report.load_ini(path)
        except BaseException:
            report.close()
            raise

    @classmethod
    def from_environment(
        cls: "Type[Self]", *, details: "Details" = None, **settings: "Value"
    ) -> "Self":
        """A report with the settings that ``load_environment`` finds, and the given ones."""
        report = cls(details=details, **settings)
        try:
            return report.load_environment()
        except BaseException:
            report.close()
            raise

    def load_ini(self: "Self", path: "Path") -> "Self":
        """Reads settings from an INI file. If a line is wrong, nothing of the file counts."""
        self._call(c.npr_report_load_ini, _path(path))
        return self

    def load_environment(self: "Self") -> "Self":
        """Reads variables NOTIFY_PR_*, those of other programs such as GITHUB_TOKEN, what the CI
        server says, and the git checkout in the working directory."""
        self._call(c.npr_report_load_environment)
        return self

    def load_spool(self: "Self", path: "Path") -> "Self":
        """Takes along what was set aside in a folder (``submit = collect``, ``spool_dir``).

        ``submit`` then submits all of it as one, and removes it when it was delivered. What is
        known to be of another commit or build stays there, with a warning.
        """
        self._call(c.npr_report_load_spool, _path(path))
        return self

    def set(self: "Self", name: str, value: "Value") -> "Self":
        """Sets a setting. An empty value switches a setting off that can do without a value.

        ``details.NAME`` is the row NAME of the table in the comment.
        """
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value)
        self._call(c.npr_report_set, _text(name), _text(os.fspath(value)))
        return self

    def get(self, name: str) -> str:
        """The value of a setting that is in force, and "" if there is none. Secrets are masked."""
        with self._in_use() as handle:
            value = c.text_of(c.npr_report_get(handle, _text(name)))
            if not value and not c.npr_setting_help(_text(name)):
                raise error(Status.BAD_SETTING, c.text_of(c.npr_report_error(handle)))
            return value

    def set_summary(self: "Self", markdown: str) -> "Self":
        """Sets the summary, in Markdown, which is used instead of the setting summary_file."""
        self._call(c.npr_report_set_summary, _text(markdown))
        return self

    def attach(self: "Self", *paths: "Path") -> "Self":
        """Adds files, and directories with everything in them, to what will be uploaded.

        They are read by ``submit`` and not before. What is not there then, the comment names as
        missing.
        """
        for path in paths:
            self._call(c.npr_report_attach, _path(path))
        return self

    def attach_bytes(self: "Self", name: str, data: "bytes | bytearray | memoryview") -> "Self":
        """Adds bytes to what will be uploaded, under a name that may hold slashes."""
        content = bytes(data)
        self._call(c.npr_report_attach_bytes, _text(name), content, len(content))
        return self

    def begin(self: "Self") -> "Self":
        """Says that this part of a run begins, where ``submit = collect``.

        If the process dies before ``submit``, the later submission of all parts shows this one as
        one that did not finish, with the files that are attached by now. It may be called again
        when more is attached. Where ``submit = now``, it does nothing.
        """
        self._call(c.npr_report_begin)
        return self

    def submit(self, progress: "Optional[Callable[[Progress], object]]" = None) -> "Receipt":
        """Uploads the files, finds the pull request, leaves the comment, and says what was done.

        With the setting ``submit = collect``, the report is set aside in the folder ``spool_dir``
        instead, without network and credentials.

        ``progress`` is called on this thread, whenever there is something new, at least every 200
        milliseconds. What it raises cancels the submission and is raised here; so does Ctrl-C. In
        every case this returns only when all is over, within about a second after a cancel, and
        ``receipt`` then says what was done.

        Raises a ``NotifyPrError`` with the receipt.
        """
        from ._submission import Submission

        return Submission(self, progress).run()

    def cancel(self) -> None:
        """Cancels the submission, from any thread or signal handler; ``submit`` raises Cancelled.

        A report that was cancelled stays so: it is not submitted any more."""
        self._cancelled = True

    @property
    def receipt(self) -> "Optional[Receipt]":
        """The receipt of ``submit``, also if that failed or was interrupted."""
        return self._receipt

    def close(self) -> None:
        """Frees the report. It may be called twice. A submission that is under way is cancelled,
        and the report is freed when that has ended."""
        self._closing = True
        self._cancelled = True
        if self._using.acquire(False):
            self._release()

    def __enter__(self: "Self") -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # If __init__ was interrupted there may be nothing to free.
        if getattr(self, "_handle", None) is not None:
            self.close()

    def _call(self, function: "Callable[..., int]", *arguments: object) -> None:
        """Calls a function of the library that returns a status."""
        with self._in_use() as handle:
            status = function(handle, *arguments)
            if status != Status.OK:
                raise error(status, c.text_of(c.npr_report_error(handle)))

    def _in_use(self) -> "_InUse":
        return _InUse(self)

    def _acquire(self) -> "Any":
        """Takes the handle for the one who calls; _release gives it back."""
        if not self._using.acquire(False):
            raise error(Status.MISUSE, "the report is in use: one thread at a time may use it")
        if self._handle is None or self._closing:
            self._release()
            raise error(Status.MISUSE, "the report was closed: make a new one")
        return self._handle

    def _release(self) -> None:
        if self._closing and self._handle is not None:
            handle, self._handle = self._handle, None
            c.npr_report_free(handle)
        self._using.release()
        # close() may have come in between, and found the report in use.
        if self._closing and self._handle is not None and self._using.acquire(False):
            self._release()


class _InUse:
    """The report's handle, for the length of a with statement."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __enter__(self) -> "Any":
        return self._report._acquire()

    def __exit__(self, *_: "Tuple[object, ...]") -> None:
        self._report._release()


def _text(text: str) -> bytes:
    """A text for the library, which itself refuses what is not Unicode."""
    return _whole(text.encode("utf-8", "surrogatepass"))


def _path(path: "Path") -> bytes:
    return _whole(os.fsencode(path))


def _whole(text: bytes) -> bytes:
    if b"\0" in text:
        raise ValueError("a text for notify_pr holds a NUL character")
    return text
