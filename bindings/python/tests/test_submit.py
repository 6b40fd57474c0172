"""What happens while a report is being submitted."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import COMMIT, clean_environment

import notify_pr
from notify_pr import Report, Stage, Status

INTERRUPTED = """
import json, signal, sys, threading, notify_pr
report = notify_pr.Report.from_ini(sys.argv[1], commit=sys.argv[2])
def interrupt(*_):
    # What comes when all is over would interrupt the test itself.
    if report.receipt is None:
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)
asked = []
def progress(now):
    if not asked:
        asked.append(now)
        print("submitting", flush=True)
try:
    with report:
        report.submit(progress=progress if sys.argv[3] == "progress" else None)
except KeyboardInterrupt:
    print(json.dumps({"status": report.receipt.status, "threads": threading.active_count()}))
# While Python ends, Ctrl-C is fatal again.
sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED: Ctrl-C cannot be sent to one process")
@pytest.mark.parametrize("how", ["progress", "silent"])
@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_cancels_and_waits_for_the_end(lab, how, times):
    lab.stall()
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(lab.ini), COMMIT, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    if how == "progress":
        assert process.stdout.readline() == b"submitting\n"
    else:
        lab.wait_for_requests()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.03)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out.decode()) == {"status": Status.CANCELLED, "threads": 1}


def test_progress_is_told_on_the_thread_that_submits(lab):
    seen = []
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        report.attach(lab.job / "logs")
        report.submit(progress=lambda now: seen.append((now, threading.current_thread())))
    assert {thread for _, thread in seen} == {threading.current_thread()}
    stages = [now.stage for now, _ in seen]
    assert stages == sorted(stages)
    assert isinstance(stages[0], Stage)
    last = seen[-1][0]
    assert (last.files_done, last.files) == (2, 2)


def test_progress_comes_while_the_network_stalls(lab):
    lab.stall()
    seen = []
    report = Report.from_ini(lab.ini, commit=COMMIT)

    def progress(now):
        seen.append(now)
        if len(seen) == 5:
            report.cancel()

    with report, pytest.raises(notify_pr.Cancelled) as caught:
        report.submit(progress=progress)
    assert caught.value.receipt.status is Status.CANCELLED


class Surprise(BaseException):
    """Something that no Exception is."""


@pytest.mark.parametrize("kind", [ValueError, SystemExit, Surprise])
def test_what_progress_raises_cancels_and_comes_back(lab, kind):
    lab.stall()
    raised = kind("from progress")

    def progress(now):
        raise raised

    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        with pytest.raises(kind) as caught:
            report.submit(progress=progress)
    assert caught.value is raised
    assert report.receipt.status is Status.CANCELLED
    assert not lab.comments()


def test_another_thread_can_cancel(lab):
    lab.stall()
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        timer = threading.Timer(0.3, report.cancel)
        timer.start()
        with pytest.raises(notify_pr.Cancelled):
            report.submit()
        timer.join()


def test_other_threads_go_on(lab):
    lab.stall()
    ticks, seen = [], []
    with Report.from_ini(lab.ini, commit=COMMIT) as report:

        def tick():
            # While the library had the interpreter for itself, only its calls would let others go on.
            while len(ticks) < 1000 and len(seen) < 50:
                ticks.append(len(seen))
                time.sleep(0)
            report.cancel()

        thread = threading.Thread(target=tick)
        thread.start()
        with pytest.raises(notify_pr.Cancelled):
            report.submit(progress=seen.append)
        thread.join()
    assert len(ticks) == 1000


def test_a_report_that_is_in_use_is_refused(lab):
    refused = []
    with Report.from_ini(lab.ini, commit=COMMIT) as report:

        def progress(now):
            with pytest.raises(notify_pr.MisuseError) as caught:
                report.set("context", "other")
            refused.append(caught.value.status)

        report.submit(progress=progress)
    assert set(refused) == {Status.MISUSE}


def test_closing_from_another_thread_cancels_and_frees_later(lab):
    lab.stall()
    report = Report.from_ini(lab.ini, commit=COMMIT)
    timer = threading.Timer(0.3, report.close)
    timer.start()
    with pytest.raises(notify_pr.Cancelled):
        report.submit()
    timer.join()
    with pytest.raises(notify_pr.MisuseError, match="closed"):
        report.set("context", "other")


def test_submit_leaves_no_thread(lab):
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        report.submit()
    assert threading.active_count() == 1


AT_EXIT = """
import atexit, sys, notify_pr
def submit():
    with notify_pr.Report.from_ini(sys.argv[1], commit=sys.argv[2]) as report:
        print(report.submit(progress=print).comment_url)
atexit.register(submit)
"""


def test_a_report_can_be_submitted_while_python_ends(lab):
    ended = lab.run("-c", AT_EXIT, lab.ini, COMMIT)
    assert ended.returncode == 0, ended.stdout
    assert "#issuecomment" in ended.stdout.splitlines()[-1]
