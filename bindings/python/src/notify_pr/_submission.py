"""One call of submit, on a thread of its own.

Python sees Ctrl-C only between its own instructions, so the library must not run on the thread that
Ctrl-C interrupts. That thread waits for an Event: an interrupted Thread.join() leaves a thread that
the next join() takes for dead. The callback from the library runs no code of the user: what that
raises could not pass through the library.
"""

import _thread
import ctypes
import threading

from . import _library as c
from ._errors import error
from ._receipt import Progress, Receipt
from ._status import Stage, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional

    from ._report import Report


class Submission:
    """What the waiting and the submitting thread share."""

    def __init__(
        self, report: "Report", on_progress: "Optional[Callable[[Progress], object]]"
    ) -> None:
        self._report = report
        self._on_progress = on_progress
        self._latest: "Optional[Progress]" = None
        self._news = threading.Event()
        self._done = threading.Event()
        self._unclaimed = [True]
        self._raised: "Optional[BaseException]" = None
        self._broken: "Optional[BaseException]" = None
        self._status: int = Status.INTERNAL
        self._message = ""
        self._receipt: "Optional[Receipt]" = None

    def run(self) -> Receipt:
        """Submits. When that is over, it returns the receipt, or raises what happened."""
        handle = self._report._acquire()
        try:
            self._start(handle)
            while not self._done.is_set():
                self._wait()
        finally:
            self._outlast()
        if self._raised is not None:
            raise self._raised
        if self._broken is not None:
            raise self._broken
        if self._status != Status.OK or self._receipt is None:
            raise error(self._status, self._message, self._receipt)
        return self._receipt

    def _start(self, handle: "Any") -> None:
        """Starts to submit."""
        started = False
        try:
            try:
                _thread.start_new_thread(self._submit, (handle,))
            except RuntimeError:
                # There are no new threads while the interpreter ends, and nobody to interrupt.
                self._submit(handle)
            started = True
        except BaseException as raised:
            self._remember(raised)
            # Whether the thread was started is not known if that was interrupted.
            if not started and self._claim():
                self._done.set()
                self._report._release()

    def _outlast(self) -> None:
        """Waits for the end though one Ctrl-C comes while another is being dealt with."""
        try:
            if not self._done.is_set():
                self._report.cancel()
            while not self._done.is_set():
                self._news.wait()
                self._news.clear()
        finally:
            if not self._done.is_set():
                self._outlast()

    def _wait(self) -> None:
        """Waits for the end, and passes on what happens until then."""
        shown = None
        try:
            while True:
                over = self._done.is_set()
                latest = self._latest
                wanted = self._on_progress is not None and self._raised is None
                if wanted and latest is not None and latest is not shown:
                    shown = latest
                    self._on_progress(latest)  # type: ignore[misc]  # it is not None
                if over:
                    return
                self._news.wait()
                self._news.clear()
        except BaseException as raised:
            self._remember(raised)

    def _remember(self, raised: BaseException) -> None:
        """The first thing that was raised counts, and cancels."""
        if self._raised is None:
            self._raised = raised
        self._report.cancel()

    def _claim(self) -> bool:
        """Whether nobody else submits; only the first who asks is told so."""
        try:
            return self._unclaimed.pop()
        except IndexError:
            return False

    def _submit(self, handle: "Any") -> None:
        """Runs on the submitting thread."""
        if not self._claim():
            return
        try:
            self._submit_with(handle)
        except BaseException as broken:
            self._broken = broken
        finally:
            self._report._release()
            self._done.set()
            self._news.set()

    def _submit_with(self, handle: "Any") -> None:
        told = c.NprOnProgress(self._tell)
        receipt = c.new_receipt()
        # This fails only if the report was submitted already. Then submit fails too, says so, and
        # calls nothing.
        c.npr_report_on_progress(handle, told, None)
        self._status = c.npr_report_submit(handle, ctypes.byref(receipt))
        try:
            self._message = c.text_of(c.npr_report_error(handle))
            json = c.text_of(c.npr_receipt_json(receipt))
            self._receipt = Receipt.from_json(json) if json else None
            # A second submit is refused, and has no part in what was done.
            self._report._receipt = self._report._receipt or self._receipt
        finally:
            c.npr_receipt_free(receipt)

    def _tell(self, progress: "Any", _: object) -> int:
        """Called by the library."""
        try:
            now = progress.contents
            self._latest = Progress(
                Stage(now.stage), now.files_done, now.files, now.bytes_done, now.bytes
            )
            self._news.set()
        except BaseException as broken:
            self._broken = broken
            return 1
        return 1 if self._report._cancelled else 0


__all__: "List[str]" = ["Submission"]
