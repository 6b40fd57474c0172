"""What both plugins do: a test run becomes a report.

By default the report is set aside (``submit = collect``) in a folder, and whoever holds the
credentials submits all parts afterwards with ``notify_pr --spool FOLDER``. Test processes run code
of the pull request's author, which can read everything that the process can read: ``submit = now``
gives it the token.

Nothing here may break a test run. What goes wrong becomes the line on the terminal.
"""

import os
import shlex
import sys
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

SPOOL = "notify_pr-spool"
# So many failures are named in the summary; the files tell all.
NAMED = 20
# So long may the text of a failure be there.
LONGEST = 200
# How the line on the terminal begins where there is no report.
NOTHING = "notify_pr: nothing is reported: "


class Option(NamedTuple):
    """An option of both plugins; it begins with ``--notify-pr-``."""

    name: str
    metavar: str
    help: str
    variable: Optional[str] = None
    repeated: bool = False


OPTIONS = (
    Option("config", "FILE", "Read settings from this INI file", "NOTIFY_PR_CONFIG"),
    Option(
        "submit",
        "HOW",
        "collect sets the report aside, which is the default; now submits it from this process, "
        "which gives the tested code the token",
        "NOTIFY_PR_SUBMIT",
    ),
    Option(
        "spool-dir",
        "DIR",
        f"Where reports are set aside, {SPOOL} in the working directory by default",
        "NOTIFY_PR_SPOOL_DIR",
    ),
    Option("part", "NAME", "What this part of the run is called", "NOTIFY_PR_PART"),
    Option("attach", "PATH", "Upload this file or folder too; may be repeated", None, True),
    Option("set", "NAME=VALUE", "Set any setting of notify_pr; may be repeated", None, True),
)


def attribute(option: Option) -> str:
    """The name under which the value of an option is kept."""
    return "notify_pr_" + option.name.replace("-", "_")


class Failure(NamedTuple):
    """A test that failed."""

    kind: str
    test: str
    text: str


class Run:
    """A test run, from its first moment to its report."""

    def __init__(self, framework: str, options: Mapping[str, Any], tests: Sequence[str]) -> None:
        self._framework = framework
        self._options = options
        self._tests = tests
        self._report: Any = None
        self._trouble: Optional[str] = None
        # A test may fork, and the child is not the run.
        self._process = os.getpid()
        self.counts: Dict[str, int] = {"passed": 0, "failed": 0, "errors": 0, "skipped": 0}
        # So many tests ran that nobody knows the end of.
        self.unknown = 0
        self._failures: List[Failure] = []

    def count(self, kind: str, test: str = "", text: str = "") -> None:
        """Counts a test. Those that failed and broke are named in the summary."""
        self.counts[kind] += 1
        if kind in ("failed", "errors") and len(self._failures) < NAMED:
            self._failures.append(Failure(kind, test, text))

    def begin(self) -> None:
        """Says that the run began. Paths are made absolute, because tests may change folders."""
        try:
            # Not before somebody wants it: a library that does not load breaks no other run.
            from notify_pr import Report

            report = Report()
            if self._options.get("config"):
                report.load_ini(self._options["config"])
            report.load_environment()
            # A shell's part is not this one.
            report.set("begun", "")
            report.set("submit", self._options.get("submit") or "collect")
            spool = self._options.get("spool-dir") or report.get("spool_dir") or SPOOL
            report.set("spool_dir", os.path.abspath(spool))
            if self._options.get("part") or not report.get("part"):
                name = self._options.get("part") or part_name(self._tests, self._framework)
                report.set("part", name)
            for setting in self._options.get("set") or ():
                name, _, value = setting.partition("=")
                report.set(name.strip(), value.strip())
            report.attach(*(os.path.abspath(path) for path in self._options.get("attach") or ()))
            self._report = report.begin()
        except Exception as error:
            self.remember(error)

    def found(self, folder: str) -> None:
        """Says where the run leaves its logs while it is going on."""
        try:
            if self._report is not None and os.getpid() == self._process:
                self._report.attach(folder).begin()
        except Exception as error:
            self.remember(error)

    def leave_out(self, pattern: str) -> None:
        """Files of such names are not uploaded, whatever is attached."""
        try:
            if self._report is not None:
                exclude = self._report.get("exclude")
                self._report.set("exclude", f"{exclude}, {pattern}" if exclude else pattern)
                self._report.begin()
        except Exception as error:
            self.remember(error)

    def remember(self, error: BaseException) -> None:
        """The first thing that goes wrong is what is said in the end."""
        self._trouble = self._trouble or _trouble(error)

    def end(self, files: Sequence[Optional[str]], verdict: Optional[str] = None) -> Optional[str]:
        """Submits the report or sets it aside. Returns the line that says what became of it, and
        None in a process that is not that of the run. Raises nothing, not even what Ctrl-C does:
        the framework and other plugins have work to do after this."""
        if os.getpid() != self._process:
            return None
        try:
            if self._report is not None:
                with self._report as report:
                    return f"notify_pr: {self._submitted(report, files, verdict)}"
        except KeyboardInterrupt:
            self._trouble = "it was interrupted"
        except BaseException as error:
            self._trouble = None
            self.remember(error)
        return f"{NOTHING}{self._trouble}"

    def _submitted(self, report: Any, files: Sequence[Optional[str]], verdict: Optional[str]) -> str:
        if verdict and report.get("verdict") in ("", "unknown"):
            report.set("verdict", verdict)
        report.set("counts", ", ".join(f"{name}={n}" for name, n in self.counts.items()))
        report.set_summary(self.summary())
        report.attach(*filter(None, files))
        try:
            receipt = report.submit()
        except Exception as error:
            receipt = getattr(error, "receipt", None)
            if receipt is None or not (receipt.spooled or receipt.comment_url):
                raise
            self.remember(error)
        trouble = f" ({self._trouble})" if self._trouble else ""
        if receipt.spooled:
            folder = shlex.quote(report.get("spool_dir"))
            return f"set aside; notify_pr --spool {folder} submits it{trouble}"
        return f"{receipt.comment_url or receipt.page_url or receipt.status_text}{trouble}"

    def summary(self) -> str:
        """What the framework counted, in Markdown."""
        words = [
            f"{n} {'error' if (name, n) == ('errors', 1) else name}"
            for name, n in self.counts.items()
            if n or name == "passed"
        ]
        lines = [f"{self._framework}: {', '.join(words)}"]
        for kind, test, text in self._failures:
            said = f": {_code(text)}" if text else ""
            lines.append(f"- **{'failed' if kind == 'failed' else 'error'}** {_code(test)}{said}")
        left = self.counts["failed"] + self.counts["errors"] - len(self._failures)
        if left:
            lines.append(f"- and {left} more")
        if self.unknown:
            lines.append(f"- not counted: {self.unknown} more that ran and did not tell how they ended")
        return "\n".join(lines[:1] + [""] + lines[1:])


def tell(line: str) -> None:
    """Writes the line to standard error, on a line of its own."""
    try:
        sys.stdout.flush()
        print(line, file=sys.stderr, flush=True)
    except Exception:
        # It is closed: nobody is there to be told.
        pass


def nothing(error: BaseException) -> str:
    """The line on the terminal where this stops everything."""
    return NOTHING + _trouble(error)


def _trouble(error: BaseException) -> str:
    text = " ".join(said(error).split())
    ours = type(error).__module__.startswith("notify_pr")
    return text if ours else f"{type(error).__name__}: {text}"


def said(value: Any) -> str:
    """A value as text, also where somebody made it so that it has none."""
    try:
        return str(value)
    except Exception:
        return f"a {type(value).__name__} without text"


def part_name(paths: Sequence[str], otherwise: str) -> str:
    """What a run of these test files is called."""
    names = [os.path.basename(path.rstrip("/")) for path in paths]
    modules = [name[:-3] if name.endswith(".py") else name for name in names if name]
    more = f" and {len(modules) - 1} more" if len(modules) > 1 else ""
    name = modules[0] + more if modules else os.path.basename(os.getcwd())
    return _clean(name) or otherwise


def _clean(text: str) -> str:
    """One line that is Unicode."""
    return " ".join(text.replace("\0", " ").encode("utf-8", "replace").decode().split())


def _code(text: str) -> str:
    line = _clean(text.replace("`", "'"))
    return f"`{line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}`" if line else ""
