"""A lab to report to: a GitHub, a published folder and the folder of a job with run.ini.

The addresses of what is tested come from variables, which tests/python.rs sets:

NOTIFY_PR_LIBRARY          the library; without it, the one in the package
NOTIFY_PR_TEST_COMMAND     the notify_pr command
NOTIFY_PR_TEST_STAND_INS   the stand-ins program (tests/stand-ins)
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
# Where data/broken can raise; a plugin comes across all of it.
BREAKS = ("import", "Report", "load_environment", "get", "set", "attach", "begin", "set_summary")
BREAKS += ("submit", "close")
# Where data/hooks can raise, inside of the plugins.
HOOKS = ("Run.__init__", "Run.begin", "Run.found", "Run.count", "Run.end", "Run.summary")
SURPRISE = "a Surprise without text"
ROOT = Path(__file__).parent.parent.parent.parent
COMMIT = "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c"
TOKEN = "lab-token"


def built(name, variable):
    """A program that the tests need."""
    path = Path(os.environ.get(variable) or ROOT / "target" / "debug" / name)
    if not path.is_file():
        pytest.skip(f"SKIPPED: {path} is not built; {variable} may name another")
    return str(path)


def clean_environment(**more):
    """An environment in which no CI server and no settings show."""
    known = ("PATH", "HOME", "PYTHONPATH", "NOTIFY_PR_LIBRARY", "VIRTUAL_ENV", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in known if name in os.environ}
    return {**kept, **more}


def ended(process):
    """A process that has come to its end, with what it said."""
    try:
        out, _ = process.communicate(timeout=120)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out)


class Lab:
    """What a job meets."""

    def __init__(self, folder):
        self.job = folder / "job"
        self.published = folder / "published"
        for path in (self.job / "logs", self.published):
            path.mkdir(parents=True)
        self._process = subprocess.Popen(
            [built("stand-ins", "NOTIFY_PR_TEST_STAND_INS"), "--directory", str(self.published)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addresses = json.loads(self._process.stdout.readline())
        pull = {"number": 42, "fork": "contributor", "branch": "fix-volumes", "head": COMMIT}
        scene = {
            "tokens": [{"token": TOKEN, "login": "lab-bot", "scopes": ["public_repo"]}],
            "repositories": [{"owner": "apache", "name": "cloudstack", "fill": 3, "pulls": [pull]}],
        }
        self.control("state", scene)
        (self.job / "logs" / "results.txt").write_text("test_a ... ok\n")
        (self.job / "logs" / "ä ö.txt").write_text("test_b ... ok\n")
        (self.job / "token").write_text(TOKEN + "\n")
        self.ini = self.job / "run.ini"
        self.ini.write_text(
            f"token_file = {self.job}/token\nowner = apache\nrepo = cloudstack\n"
            f"api_url = {self.addresses['github']}\ncontext = kvm\n"
            f"outbox_dir = {self.job}/outbox\nstore_api = directory\n"
            f"store_endpoint = {self.published}\nstore_public_url = {self.addresses['directory']}\n"
        )

    def control(self, what, order=None):
        """Asks the stand-in something, or orders something."""
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self.addresses['control']}/{what}", body)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def stall(self, path="/"):
        """GitHub answers nothing any more."""
        self.control("faults", {"path": path, "trouble": "stall", "forever": True})

    def comments(self):
        """The comments on the pull request."""
        found = self.control("comments?repository=apache/cloudstack&pull=42")
        return [comment["body"] for comment in found]

    def run(self, *arguments, **more):
        """Runs Python in the folder of the job."""
        return ended(self._start(arguments, more))

    def run_interrupted(self, *arguments, **more):
        """The same, with a Ctrl-C while GitHub, which stalls, is being asked."""
        self.stall()
        # What is started in the background has Ctrl-C ignored.
        process = self._start(
            arguments, more, lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        )
        self.wait_for_requests()
        process.send_signal(signal.SIGINT)
        return ended(process)

    def _start(self, arguments, variables, before=None):
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=str(self.job),
            env=clean_environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            preexec_fn=before,
        )

    def wait_for_requests(self):
        """Waits until GitHub is asked something."""
        for _ in range(1000):
            if self.control("requests"):
                return
            time.sleep(0.02)
        raise AssertionError("nothing was asked of GitHub")

    def submit_spool(self, folder):
        """Submits what was set aside, as whoever holds the credentials does."""
        command = built("notify_pr", "NOTIFY_PR_TEST_COMMAND")
        arguments = ["--config", str(self.ini), "--commit", COMMIT, "--spool", str(folder), "--json"]
        submitted = subprocess.run(
            [command, *arguments],
            cwd=str(self.job),
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert submitted.returncode == 0, submitted.stderr.decode()
        return json.loads(submitted.stdout.decode())

    def close(self):
        """Ends the stand-ins, which then say whether GitHub would have accepted every request."""
        self._process.stdin.close()
        self._process.stdout.close()
        status = self._process.wait(timeout=30)
        assert status == 0, "a request violated GitHub's description"


@pytest.fixture
def lab(tmp_path):
    """A lab that ends with the test."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()
