"""What processes that run tests for another tell it: ``nosetests --processes=N``.

nose brings home from them how many tests there were, but neither which of them passed nor that one
ended its process. So each process writes a file of lines of JSON, which it need not close: whatever
it was killed in, the lines before are there.
"""

import json
import os
import shutil
import tempfile
from typing import IO, Any, Dict, Iterator, List, Optional

# The key of a test that begins, and of one that has ended.
BEGINS, ENDS = "begins", "ends"


class Told:
    """The folder with those files, in the process that waits for the others."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="notify_pr-")

    def counts(self) -> Iterator[List[str]]:
        """What was counted, as the arguments of Run.count; a test that ended its process is an
        error."""
        for name in sorted(os.listdir(self.folder)):
            running: Optional[str] = None
            with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                for line in file:
                    told = _read(line)
                    if "count" in told:
                        yield [str(value) for value in told["count"]]
                    elif BEGINS in told:
                        running = str(told[BEGINS])
                    elif ENDS in told:
                        running = None
            if running is not None:
                yield ["errors", running, "it did not end, and what came after it is not counted"]

    def close(self) -> None:
        """Removes the folder, though a late process may put its file there just now."""
        for _ in range(3):
            shutil.rmtree(self.folder, ignore_errors=True)


class Worker:
    """The file of one process that runs tests for another."""

    def __init__(self, folder: str) -> None:
        # A test may fork, and the child is not the process that was asked.
        self._process = os.getpid()
        path = os.path.join(folder, str(self._process))
        self._file: IO[str] = open(path, "a", encoding="utf-8", errors="replace")

    @classmethod
    def at(cls, folder: Optional[str]) -> "Optional[Worker]":
        """A process that tells there, if it can: the run may be over before the process has come
        so far, and if it is not, it finds that something was not counted."""
        try:
            return cls(folder) if folder else None
        except OSError:
            return None

    def count(self, kind: str, test: str, text: str) -> None:
        """Tells of a test what Run.count is told in the process of the run."""
        self._tell({"count": [kind, test, text]})

    def begins(self, test: str) -> None:
        """Tells that a test begins."""
        self._tell({BEGINS: test})

    def ends(self) -> None:
        """Tells that the test has ended."""
        self._tell({ENDS: True})

    def _tell(self, what: Dict[str, Any]) -> None:
        if os.getpid() == self._process:
            self._file.write(json.dumps(what) + "\n")
            self._file.flush()


def _read(line: str) -> Dict[str, Any]:
    """A line; one that was not finished says nothing."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
