"""The pytest plugin, with and without pytest-xdist."""

import os
import re
import signal

import pytest
from conftest import BREAKS, COMMIT, DATA, HOOKS, SURPRISE

from notify_pr import Report

LINE = re.compile(r"^notify_pr: .*$", re.M)

SUITE = """
import os, signal, pytest

def test_passes():
    pass

def test_fails():
    assert "detached" == "attached"

@pytest.fixture
def broken():
    raise RuntimeError("the agent is gone")

def test_breaks(broken):
    pass

@pytest.mark.skip(reason="no second host")
def test_is_skipped():
    pass

@pytest.mark.xfail
def test_is_known_to_fail():
    assert False

@pytest.mark.parametrize("number", range(4))
def test_many(number):
    if os.environ.get("SUITE") == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("SUITE") == "interrupted":
        # What is started in the background has Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGINT)
    if os.environ.get("SUITE") == "forks" and os.fork() == 0:
        pytest.exit("a child")
"""


@pytest.fixture
def suite(lab):
    """Runs pytest in a process of its own."""
    (lab.job / "test_volumes.py").write_text(SUITE)

    def run(*arguments, how=lab.run, **more):
        return how(
            "-m", "pytest", "-p", "no:cacheprovider", "test_volumes.py", *arguments, **more
        )

    return run


def counts(part):
    return {name: part[name] for name in ("passed", "failed", "errors", "skipped")}


EXPECTED = {"passed": 5, "failed": 1, "errors": 1, "skipped": 2}


def has_xdist():
    try:
        import xdist  # noqa: F401
    except ImportError:
        return False
    return True


XDIST = pytest.mark.skipif(not has_xdist(), reason="SKIPPED: pytest-xdist is not installed")


@pytest.mark.parametrize("xdist", [[], pytest.param(["-n2"], marks=XDIST)], ids=["one", "xdist"])
def test_a_run_is_set_aside_once_and_submitted_later(lab, suite, xdist):
    (lab.job / "logs" / "more.txt").write_text("more\n")
    ended = suite("--notify-pr", "--junit-xml=junit.xml", "--notify-pr-attach=logs", *xdist)
    assert ended.returncode == 1
    spool = lab.job / "notify_pr-spool"
    assert LINE.findall(ended.stdout) == [
        f"notify_pr: set aside; notify_pr --spool {spool} submits it"
    ]
    assert not lab.control("requests")
    receipt = lab.submit_spool(spool)
    [part] = receipt["parts"]
    assert counts(part) == EXPECTED
    assert (part["name"], part["verdict"], part["finished"]) == ("test_volumes", "failure", True)
    [junit] = list(lab.published.rglob("junit.xml"))
    assert "</testsuites>" in junit.read_text()
    assert len(list(lab.published.rglob("more.txt"))) == 1


def test_it_is_off_unless_it_is_asked_for(lab, suite):
    # A library that does not load would show.
    ended = suite(NOTIFY_PR_LIBRARY="/no/such/library.so")
    assert ended.returncode == 1
    assert not LINE.findall(ended.stdout)
    assert not (lab.job / "notify_pr-spool").exists()


def test_it_can_be_asked_for_in_the_ini_file(lab, suite):
    (lab.job / "pytest.ini").write_text(
        "[pytest]\nnotify_pr = true\nnotify_pr_part = smoke\nnotify_pr_set =\n    title = A & B\n"
    )
    assert len(LINE.findall(suite().stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert part["name"] == "smoke"


def test_an_ini_file_cannot_make_a_test_run_submit(lab, suite):
    lab.ini.write_text(lab.ini.read_text() + "submit = now\n")
    ended = suite("--notify-pr", f"--notify-pr-config={lab.ini}")
    assert "notify_pr: set aside" in ended.stdout
    assert not lab.control("requests")


def test_now_submits_from_the_process(lab, suite):
    ended = suite(
        "--notify-pr", f"--notify-pr-config={lab.ini}", f"--notify-pr-set=commit={COMMIT}",
        NOTIFY_PR_SUBMIT="now",
    )
    assert ended.returncode == 1
    [line] = LINE.findall(ended.stdout)
    assert "#issuecomment" in line
    [comment] = lab.comments()
    assert "pytest: 5 passed, 1 failed, 1 error, 2 skipped" in comment
    assert "assert 'detached' == 'attached'" in comment


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: signals are those of Unix")
def test_a_run_that_is_killed_did_not_finish(lab, suite):
    assert suite("--notify-pr", SUITE="killed").returncode == -signal.SIGKILL
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["name"], part["finished"]) == ("test_volumes", False)


@XDIST
@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: signals are those of Unix")
def test_a_worker_that_is_killed_is_told_and_the_run_reported_once(lab, suite):
    ended = suite("--notify-pr", "-n2", "-k", "many or passes", SUITE="killed")
    assert ended.returncode == 1
    assert len(LINE.findall(ended.stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["passed"], part["errors"], part["verdict"]) == (1, 4, "failure")


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: signals are those of Unix")
def test_a_run_that_is_interrupted_is_an_error(lab, suite):
    assert suite("--notify-pr", SUITE="interrupted").returncode == 2
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["verdict"], part["finished"]) == ("error", True)


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: signals are those of Unix")
def test_ctrl_c_while_it_submits_does_not_change_how_the_run_ends(lab, suite):
    more = [f"--notify-pr-config={lab.ini}", f"--notify-pr-set=commit={COMMIT}"]
    ended = suite("--notify-pr", "--notify-pr-submit=now", *more, how=lab.run_interrupted)
    assert ended.returncode == 1
    assert LINE.findall(ended.stdout) == ["notify_pr: nothing is reported: it was interrupted"]
    assert "1 error" in ended.stdout.splitlines()[-1]


def test_a_part_that_a_shell_began_is_not_this_one(lab, suite):
    shells = Report(submit="collect", spool_dir=lab.job / "notify_pr-spool", part="shell").begin()
    assert suite("--notify-pr", NOTIFY_PR_BEGUN=shells.get("begun")).returncode == 1
    shells.close()
    parts = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    ended = {part["name"]: part["finished"] for part in parts}
    assert ended == {"shell": False, "test_volumes": True}


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: it needs fork")
def test_a_forked_child_reports_nothing(lab, suite):
    assert len(LINE.findall(suite("--notify-pr", SUITE="forks").stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert counts(part) == EXPECTED


def test_a_file_that_cannot_be_imported_is_an_error(lab, suite):
    (lab.job / "test_volumes.py").write_text("import no_such_module\n")
    assert suite("--notify-pr").returncode == 2
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["errors"], part["verdict"]) == (1, "error")


def test_green_stays_green_whatever_goes_wrong(lab, suite):
    (lab.job / "test_volumes.py").write_text("def test_passes(): pass\n")
    for arguments, more in (
        (["--notify-pr-set=no_such_setting=1"], {}),
        (["--notify-pr-spool-dir=/dev/null/spool"], {}),
        ([], {"NOTIFY_PR_LIBRARY": "/no/such/library.so"}),
    ):
        ended = suite("--notify-pr", *arguments, **more)
        assert ended.returncode == 0
        [line] = LINE.findall(ended.stdout)
        assert line.startswith("notify_pr: nothing is reported: ")
        assert "Traceback" not in ended.stdout


@pytest.mark.parametrize("where", BREAKS)
def test_whatever_breaks_in_us_the_run_ends_as_it_would(lab, suite, where):
    ended = suite("--notify-pr", PYTHONPATH=str(DATA / "broken"), BREAKS=where)
    assert ended.returncode == 1
    assert LINE.findall(ended.stdout) == [f"notify_pr: nothing is reported: {SURPRISE}"]
    assert "INTERNALERROR" not in ended.stdout


@pytest.mark.parametrize("where", HOOKS)
def test_whatever_hook_breaks_the_run_ends_as_it_would(lab, suite, where):
    ended = suite("--notify-pr", PYTHONPATH=str(DATA / "hooks"), BREAKS=where)
    assert ended.returncode == 1
    # It has no log folder that could be found.
    expected = "set aside" if where == "Run.found" else "a surprise of our own"
    [line] = LINE.findall(ended.stdout)
    assert expected in line
    assert "INTERNALERROR" not in ended.stdout


ENDINGS = {
    "green": (0, "def test_passes(): pass"),
    "red": (1, "def test_fails(): assert False"),
    "import": (2, "import no_such_module"),
    "usage": (4, "--no-such-option"),
    "empty": (5, ""),
    "exit": (77, "import pytest\ndef test_exits(): pytest.exit('enough', returncode=77)"),
}


@pytest.mark.parametrize("how", [["--notify-pr"], [], ["-p", "no:notify_pr"]])
@pytest.mark.parametrize("status, text", ENDINGS.values(), ids=ENDINGS.keys())
def test_pytest_ends_with_the_status_that_it_has_without_us(lab, suite, how, status, text):
    option = [text] if text.startswith("--") else []
    (lab.job / "test_volumes.py").write_text("" if option else text + "\n")
    ended = suite(*how, *option)
    assert ended.returncode == status, ended.stdout
    assert len(LINE.findall(ended.stdout)) == (1 if how == ["--notify-pr"] and not option else 0)


@XDIST
@pytest.mark.parametrize("how", ["load", "loadfile"])
def test_a_worker_that_ends_is_told_and_the_run_reported_once(lab, suite, how):
    (lab.job / "test_ends.py").write_text("import os\ndef test_ends(): os._exit(0)\n")
    more = ["-n4", "--dist", how, "--max-worker-restart=2"]
    ended = suite("test_ends.py", "--notify-pr", *more)
    assert ended.returncode == 1
    assert len(LINE.findall(ended.stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    # With loadfile, xdist tries the test again in other workers, and each time is a failure of its own
    # in pytest's counts; here it is an error, because the test has no result.
    told = re.findall(r"(\d+) (failed|passed|error)", ended.stdout.splitlines()[-1])
    told = {word: int(number) for number, word in told}
    assert (part["passed"], part["failed"], part["verdict"]) == (told["passed"], 1, "failure")
    assert part["failed"] + part["errors"] == told["failed"] + told["error"]
    assert "test_ends" in lab.comments()[0]


def test_without_a_terminal_the_line_goes_to_standard_error(lab, suite):
    ended = suite("--notify-pr", "-p", "no:terminal")
    assert ended.returncode == 1
    assert len(LINE.findall(ended.stdout)) == 1
