"""The plugin for nose and pynose: ``nosetests --with-notify-pr``.

It runs beside Marvin's plugin, whose class it never imports. Marvin lets the results go to a
results.txt that it neither flushes nor closes, and moves the folder of that file away in its
``finalize``. So this plugin has a high score: its ``finalize`` comes first, flushes results.txt and
reports what is in the folder.

With ``--processes=N`` nose runs tests in processes that load all plugins anew and finalize none.
There this plugin only tells the process of the run what it counts (workers.py).
"""

import os
from typing import Any, Optional, Tuple

from nose.plugins.base import Plugin

from .run import OPTIONS, Run, attribute, nothing, said, tell
from .workers import Told, Worker

# nose hands the options of the run to its processes, and with them where these tell what they count.
TOLD = "notify_pr_told"


class NotifyPr(Plugin):  # type: ignore[misc]  # nose has no types
    """Report the results on the pull request that is tested"""

    name = "notify-pr"
    # Above 100, where nobody else is, so that nothing has been moved or closed yet.
    score = 1000

    _run: Optional[Run] = None
    _told: Optional[Told] = None
    _worker: Optional[Worker] = None
    _xunit: Optional[str] = None
    _result: Any = None
    _folder: Optional[str] = None

    def options(self, parser: Any, env: Any) -> None:
        """Adds --with-notify-pr and the options that both plugins have."""
        super().options(parser, env)
        for option in OPTIONS:
            parser.add_option(
                f"--notify-pr-{option.name}",
                dest=attribute(option),
                metavar=option.metavar,
                action="append" if option.repeated else "store",
                default=env.get(option.variable) if option.variable else None,
                help=option.help,
            )

    def configure(self, options: Any, conf: Any) -> None:
        """Begins before Marvin's plugin deploys its data center, which may end the process."""
        super().configure(options, conf)
        if not self.enabled:
            return
        try:
            if getattr(conf, "worker", False):
                self._worker = Worker.at(getattr(options, TOLD, None))
                return
            values = {option.name: getattr(options, attribute(option), None) for option in OPTIONS}
            # A file, or a file and a test in it.
            tests = [str(name).split(":")[0] for name in conf.testNames or ()]
            self._run = Run("nose", values, tests)
            self._run.begin()
            if getattr(options, "enable_plugin_marvin", False):
                # Marvin pickles its configuration into its log folder, passwords of hosts included.
                self._run.leave_out("*.obj")
            if str(getattr(options, "multiprocess_workers", None) or 0) != "0":
                self._told = Told()
                setattr(options, TOLD, self._told.folder)
            if getattr(options, "enable_plugin_xunit", False):
                xunit = getattr(options, "xunit_file", None) or "nosetests.xml"
                self._xunit = os.path.abspath(xunit)
        except Exception as error:
            if self._run is None:
                tell(nothing(error))
            self._remember(error)

    def prepareTestResult(self, result: Any) -> None:
        """Learns where results.txt is."""
        try:
            self._result = result
            name = getattr(getattr(result, "stream", None), "name", None)
            if isinstance(name, str) and os.path.basename(name) == "results.txt":
                self._folder = os.path.dirname(os.path.abspath(name))
                if self._run is not None:
                    self._run.found(self._folder)
        except Exception as error:
            self._remember(error)

    def startTest(self, test: Any) -> None:
        """Tells that a test begins, which may end its process."""
        try:
            if self._worker is not None:
                self._worker.begins(said(test))
        except Exception as error:
            self._remember(error)

    def stopTest(self, test: Any) -> None:
        """Tells that the test has ended."""
        try:
            if self._worker is not None:
                self._worker.ends()
        except Exception as error:
            self._remember(error)

    def addSuccess(self, test: Any, *_: Any) -> None:
        """Counts a test that passed."""
        self._count("passed", test)

    def addFailure(self, test: Any, err: Any, *_: Any) -> None:
        """Counts a test that failed."""
        self._count("failed", test, err)

    def addError(self, test: Any, err: Any, *_: Any) -> None:
        """Counts a test that broke. What is skipped arrives here too."""
        self._count("skipped" if self._is_skip(err) else "errors", test, err)

    def finalize(self, result: Any) -> None:
        """Reports."""
        try:
            run, self._run = self._run, None
            if run is None:
                return
            try:
                stream = getattr(result, "stream", None)
                if stream is not None and self._folder is not None:
                    stream.flush()
            except Exception as error:
                run.remember(error)
            self._gather(run, result)
            green = bool(result.wasSuccessful())
            failed = run.counts["failed"] + run.counts["errors"]
            verdict = None if green or failed else "failure"
            line = run.end([self._xunit], verdict)
            if line is not None:
                tell(line)
        except Exception as error:
            tell(nothing(error))

    def _gather(self, run: Run, result: Any) -> None:
        """Counts what other processes told, and how many tests nobody told of."""
        try:
            if self._told is not None:
                for kind, test, text in self._told.counts():
                    run.count(kind, test, text)
        except Exception as error:
            run.remember(error)
        try:
            if self._told is not None:
                self._told.close()
            run.unknown = max(0, int(result.testsRun) - sum(run.counts.values()))
        except Exception as error:
            run.remember(error)

    def _count(self, kind: str, test: Any, err: Optional[Tuple[Any, Any, Any]] = None) -> None:
        to = self._run or self._worker
        if to is None:
            return
        try:
            text = f"{getattr(err[0], '__name__', 'error')}: {said(err[1])}" if err else ""
            to.count(kind, said(test), text)
        except Exception as error:
            self._remember(error)

    def _is_skip(self, err: Tuple[Any, Any, Any]) -> bool:
        """Whether the framework counts this among what is no failure, such as SkipTest."""
        try:
            classes = getattr(self._result, "errorClasses", {})
            return any(
                issubclass(err[0], kind) and not is_failure
                for kind, (_, _, is_failure) in classes.items()
            )
        except Exception as error:
            self._remember(error)
            return False

    def _remember(self, error: Exception) -> None:
        if self._run is not None:
            self._run.remember(error)
