"""The nose plugin beside a stand-in of Marvin's."""

import os
import re
import shutil
import signal

import pytest
from conftest import BREAKS, COMMIT, DATA, HOOKS, SURPRISE

pytest.importorskip("nose", reason="SKIPPED: neither nose nor pynose is installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="SKIPPED: Marvin runs on Unix")

LINE = re.compile(r"^notify_pr: .*$", re.M)


@pytest.fixture
def suite(lab):
    """Runs nose on a suite as CloudStack's CI does, with Marvin unless it is not wanted."""
    for path in (DATA / "suites").glob("*.py"):
        shutil.copy(str(path), str(lab.job))
    shutil.copytree(str(DATA / "site"), str(lab.job / "site"))

    def run(name, *arguments, marvin=True, how=lab.run, **more):
        arguments = ["-m", "nose", name + ".py", "-s", *arguments]
        if marvin:
            arguments += ["--with-marvin", "--marvin-config=lab.cfg", f"--log-folder-path={lab.job}"]
            arguments += ["-a", "tags=advanced,required_hardware=false"]
            arguments += ["--zone=zim1", "--hypervisor=simulator"]
            more["PYTHONPATH"] = os.pathsep.join([more.get("PYTHONPATH", ""), str(lab.job / "site")])
        return how(*arguments, **more)

    return run


def moved(lab):
    """The folders that Marvin's finalize moved; before that a folder's name begins with a date."""
    folders = (lab.job / "MarvinLogs").iterdir()
    return [path for path in folders if not re.match(r"[A-Z][a-z]{2}_\d\d_\d{4}_", path.name)]


def stored(lab, name):
    [path] = [path for path in lab.published.rglob(name)]
    return path.read_text()


def test_a_run_is_set_aside_and_submitted_later(lab, suite):
    xunit = ["--with-xunit", "--xunit-file=xunit.xml"]
    ended = suite("suite_volumes", "--with-notify-pr", "--notify-pr-spool-dir=spool", *xunit)
    assert ended.returncode == 1
    spool = lab.job / "spool"
    assert LINE.findall(ended.stdout) == [
        f"notify_pr: set aside; notify_pr --spool {spool} submits it"
    ]
    assert "Final results are now copied to" in ended.stdout
    assert len(moved(lab)) == 1
    assert not lab.control("requests")

    receipt = lab.submit_spool(spool)
    [part] = receipt["parts"]
    counts = {name: part[name] for name in ("passed", "failed", "errors", "skipped")}
    assert counts == {"passed": 2, "failed": 1, "errors": 1, "skipped": 1}
    assert (part["name"], part["verdict"], part["finished"]) == ("suite_volumes", "failure", True)
    results = stored(lab, "results.txt")
    assert "Ran 5 tests" in results
    assert "FAILED (SKIP=1, errors=1, failures=1)" in results
    assert "</testsuite>" in stored(lab, "xunit.xml")
    assert "STARTED : TC: test_attach" in stored(lab, "runinfo.txt")
    assert not list(lab.published.rglob("*.obj"))
    [comment] = lab.comments()
    assert "suite_volumes" in comment


@pytest.mark.parametrize("how", [["--with-notify-pr"], []], ids=["with", "without"])
def test_the_run_ends_as_it_does_without_the_plugin(lab, suite, how):
    for name in ("suite_volumes", "suite_setup"):
        assert suite(name, *how).returncode == 1
    assert len(moved(lab)) == 2
    assert (lab.job / "notify_pr-spool").exists() == bool(how)


def test_a_setup_that_breaks_is_an_error(lab, suite):
    ended = suite("suite_setup", "--with-notify-pr", NOTIFY_PR_SPOOL_DIR=str(lab.job / "spool"))
    assert ended.returncode == 1
    [part] = lab.submit_spool(lab.job / "spool")["parts"]
    assert (part["passed"], part["errors"], part["verdict"]) == (0, 1, "failure")


def test_a_run_that_is_killed_did_not_finish(lab, suite):
    ended = suite("suite_killed", "--with-notify-pr")
    assert ended.returncode == -signal.SIGKILL
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["name"], part["finished"]) == ("suite_killed", False)
    assert "STARTED : TC: test_that_kills" in stored(lab, "runinfo.txt")


def test_a_data_center_that_cannot_be_deployed_did_not_finish(lab, suite):
    ended = suite("suite_volumes", "--with-notify-pr", MARVIN_DEPLOY="fails")
    assert ended.returncode == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["name"], part["finished"]) == ("suite_volumes", False)


def test_three_processes_leave_one_comment(lab, suite):
    for name in ("suite_volumes", "suite_setup", "suite_killed"):
        suite(name, "--with-notify-pr")
    receipt = lab.submit_spool(lab.job / "notify_pr-spool")
    assert len(receipt["parts"]) == 3
    assert len(lab.comments()) == 1


def test_tests_that_change_the_folder_change_nothing(lab, suite):
    suite("suite_volumes", "--with-notify-pr", "--with-xunit", "--xunit-file=x.xml", SUITE="moves")
    lab.submit_spool(lab.job / "notify_pr-spool")
    assert "</testsuite>" in stored(lab, "x.xml")


def test_failures_without_a_proper_text_are_counted(lab, suite):
    ended = suite("suite_texts", "--with-notify-pr", marvin=False)
    assert len(LINE.findall(ended.stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["failed"], part["errors"]) == (2, 1)
    assert "a Mute without text" in lab.comments()[0]


def test_now_submits_from_the_process(lab, suite):
    ended = suite(
        "suite_volumes",
        "--with-notify-pr",
        f"--notify-pr-config={lab.ini}",
        "--notify-pr-submit=now",
        f"--notify-pr-set=commit={COMMIT}",
    )
    assert ended.returncode == 1
    [line] = LINE.findall(ended.stdout)
    assert "#issuecomment" in line
    assert len(moved(lab)) == 1
    [comment] = lab.comments()
    assert "nose: 2 passed, 1 failed, 1 error, 1 skipped" in comment
    assert "AssertionError: 'detached' != 'attached'" in comment


def test_ctrl_c_while_it_submits_ends_neither_the_run_nor_marvin(lab, suite):
    more = [f"--notify-pr-config={lab.ini}", f"--notify-pr-set=commit={COMMIT}"]
    more += ["--with-notify-pr", "--notify-pr-submit=now"]
    ended = suite("suite_volumes", *more, how=lab.run_interrupted)
    assert ended.returncode == 1
    assert LINE.findall(ended.stdout) == ["notify_pr: nothing is reported: it was interrupted"]
    assert len(moved(lab)) == 1


def test_what_goes_wrong_is_one_line(lab, suite):
    troubles = [
        (["--notify-pr-config=no-such.ini"], {}, "no-such.ini"),
        (["--notify-pr-set=no_such_setting=1"], {}, "no_such_setting"),
        (["--notify-pr-spool-dir=/dev/null/spool"], {}, "/dev/null/spool"),
        ([], {"NOTIFY_PR_LIBRARY": "/no/such/library.so"}, "/no/such/library.so"),
    ]
    for number, (arguments, more, said) in enumerate(troubles):
        ended = suite("suite_volumes", "--with-notify-pr", *arguments, **more)
        [line] = LINE.findall(ended.stdout)
        assert line.startswith("notify_pr: nothing is reported: ") and said in line
        assert "Traceback" not in ended.stdout
        assert ended.returncode == 1
        assert len(moved(lab)) == number + 1


@pytest.mark.parametrize("where", BREAKS)
def test_whatever_breaks_in_us_the_run_ends_as_it_would(lab, suite, where):
    ended = suite("suite_volumes", "--with-notify-pr", PYTHONPATH=str(DATA / "broken"), BREAKS=where)
    assert ended.returncode == 1
    assert LINE.findall(ended.stdout) == [f"notify_pr: nothing is reported: {SURPRISE}"]
    assert "Traceback" not in ended.stdout
    [folder] = moved(lab)
    assert "Status : FAILED" in (folder / "results.txt").read_text()


@pytest.mark.parametrize("where", HOOKS)
def test_whatever_hook_breaks_the_run_ends_as_it_would(lab, suite, where):
    ended = suite("suite_volumes", "--with-notify-pr", PYTHONPATH=str(DATA / "hooks"), BREAKS=where)
    assert ended.returncode == 1
    [line] = LINE.findall(ended.stdout)
    assert "a surprise of our own" in line
    [folder] = moved(lab)
    assert "Ran 5 tests" in (folder / "results.txt").read_text()


def test_github_down_is_one_line_and_keeps_the_report(lab, suite):
    lab.control("faults", {"path": "/", "trouble": {"status": 401}, "forever": True})
    ended = suite(
        "suite_volumes", "--with-notify-pr", f"--notify-pr-config={lab.ini}",
        "--notify-pr-submit=now", f"--notify-pr-set=commit={COMMIT}",
    )
    [line] = LINE.findall(ended.stdout)
    assert "token" in line
    assert len(moved(lab)) == 1
    assert list((lab.job / "outbox").iterdir())


def test_it_works_without_marvin_and_by_environment(lab, suite):
    ended = suite("suite_texts", marvin=False, NOSE_WITH_NOTIFY_PR="1")
    assert len(LINE.findall(ended.stdout)) == 1
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert (part["failed"], part["errors"]) == (2, 1)


def counts(part):
    return [part[name] for name in ("passed", "failed", "errors", "skipped")]


@pytest.fixture
def processes(lab, suite):
    """Runs a suite in processes of nose's own, which leave no files behind."""
    temporary = lab.job / "tmp"
    temporary.mkdir()

    def run(*arguments, **more):
        arguments = ["--with-notify-pr", "--process-timeout=1", *arguments]
        ended = suite(
            "suite_processes", *arguments, marvin=False, TMPDIR=str(temporary), **more
        )
        assert len(LINE.findall(ended.stdout)) == 1
        assert not list(temporary.glob("notify_pr-*"))
        [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
        [comment] = lab.comments()
        return ended, part, comment

    return run


def test_processes_of_nose_are_counted_in_one_part(processes):
    ended, part, comment = processes("--processes=2")
    assert "Ran 6 tests" in ended.stdout
    assert ended.returncode == 1
    assert (counts(part), part["finished"]) == ([3, 1, 2, 1], True)
    for text in ("'detached' != 'attached'", "the agent is gone", "no zone"):
        assert text in comment


def test_a_process_of_nose_that_ends_in_a_test_is_an_error(processes):
    _, part, comment = processes("--processes=2", SUITE="ends")
    assert (counts(part), part["verdict"]) == ([2, 1, 3, 1], "failure")
    assert re.search("test_zzz_ends_its_process.*did not end.*not counted", comment)


def test_processes_of_nose_that_cannot_tell_say_nothing_themselves(processes):
    ended, part, comment = processes("--processes=2", SUITE="removes")
    assert ended.returncode == 1
    assert "FileNotFoundError" in LINE.findall(ended.stdout)[0]
    assert (counts(part), part["verdict"]) == ([0, 0, 0, 0], "failure")
    assert "not counted: 6 more that ran" in comment


def test_tests_that_nobody_tells_of_are_said_to_be_not_counted(processes):
    ended, part, comment = processes("--processes=1", SUITE="hides")
    assert ended.returncode == 1
    assert (counts(part), part["verdict"]) == ([0, 0, 0, 0], "failure")
    assert "not counted: 6 more that ran" in comment


def test_processes_of_nose_end_beside_marvin_as_they_do_without_us(lab, suite):
    ours = ["--with-notify-pr", "--notify-pr-attach=MarvinLogs"]
    ran = [suite("suite_volumes", "--processes=2", *how) for how in ([], ours)]
    assert [ended.returncode for ended in ran] == [1, 1]
    assert [ended.stdout.count("Final results are now copied to") for ended in ran] == [1, 1]
    [part] = lab.submit_spool(lab.job / "notify_pr-spool")["parts"]
    assert counts(part) == [2, 1, 1, 1]
    # Whoever attaches Marvin's folders attaches no passwords.
    assert list(lab.published.rglob("runinfo.txt"))
    assert not list(lab.published.rglob("*.obj"))
