"""The plugin for pytest: ``pytest --notify-pr``, or ``notify_pr = true`` in its INI file.

With pytest-xdist, the process that hands out the tests reports; its workers do not.
"""

import os
from typing import Any, Optional

from .run import OPTIONS, Run, attribute, nothing, tell

_ON = "notify_pr"


def pytest_addoption(parser: Any) -> None:
    """Adds --notify-pr and the options that both plugins have."""
    group = parser.getgroup("notify-pr", "report the results on the pull request that is tested")
    group.addoption(
        "--notify-pr", dest=_ON, action="store_true", help="Report the results of this run"
    )
    parser.addini(_ON, "Report the results of each run", type="bool", default=False)
    for option in OPTIONS:
        group.addoption(
            f"--notify-pr-{option.name}",
            dest=attribute(option),
            metavar=option.metavar,
            action="append" if option.repeated else "store",
            default=None,
            help=option.help,
        )
        kind = "linelist" if option.repeated else None
        parser.addini(attribute(option), option.help, type=kind, default=None)


def pytest_configure(config: Any) -> None:
    """Switches the plugin on where it is wanted."""
    wanted = config.getoption(_ON) or config.getini(_ON)
    if not wanted or hasattr(config, "workerinput") or config.getoption("collectonly", False):
        return
    try:
        values = {
            option.name: config.getoption(attribute(option))
            or (option.variable and os.environ.get(option.variable))
            or config.getini(attribute(option))
            for option in OPTIONS
        }
        tests = [str(name).split("::")[0] for name in config.args]
        run = Run("pytest", values, tests)
    except Exception as error:
        tell(nothing(error))
    else:
        config.pluginmanager.register(NotifyPr(config, run))


class NotifyPr:
    """Watches one run."""

    def __init__(self, config: Any, run: Run) -> None:
        self._config = config
        self._run: Optional[Run] = run
        self._verdict: Optional[str] = None

    def pytest_sessionstart(self) -> None:
        """Says that the run began."""
        try:
            if self._run is not None:
                self._run.begin()
        except Exception as error:
            self._remember(error)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Counts a test: its call, and setup and teardown only if they break or skip."""
        if report.failed:
            self._count("failed" if report.when == "call" else "errors", report)
        elif report.skipped:
            self._count("skipped", report)
        elif report.passed and report.when == "call":
            self._count("passed", report)

    def pytest_collectreport(self, report: Any) -> None:
        """Counts files that could not be imported, and modules that skip themselves."""
        if report.failed or report.skipped:
            self._count("errors" if report.failed else "skipped", report)

    def pytest_sessionfinish(self, exitstatus: Any) -> None:
        """Remembers how the run ended: 0 and 1 follow from the counts, 5 means without tests."""
        self._verdict = None if int(exitstatus) in (0, 1, 5) else "error"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Reports. The JUnit file is complete by now."""
        line = self._end()
        if line is not None:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Reports where there is no terminal summary: after an internal error, or without
        pytest's terminal plugin."""
        line = self._end()
        if line is not None:
            tell(line)

    def _end(self) -> Optional[str]:
        run, self._run = self._run, None
        if run is None:
            return None
        try:
            return run.end([getattr(self._config.option, "xmlpath", None)], self._verdict)
        except Exception as error:
            return nothing(error)

    def _count(self, kind: str, report: Any) -> None:
        if self._run is None:
            return
        text = ""
        try:
            text = "" if kind in ("passed", "skipped") else _text(report)
        except Exception as error:
            self._remember(error)
        try:
            self._run.count(kind, report.nodeid, text)
        except Exception as error:
            self._remember(error)

    def _remember(self, error: Exception) -> None:
        if self._run is not None:
            self._run.remember(error)


def _text(report: Any) -> str:
    """What pytest says in one line, such as "AssertionError: assert 1 == 2"."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr).strip().split("\n")[0]
