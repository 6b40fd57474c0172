"""examples/marvin, as a job on Jenkins runs it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COMMIT, DATA, ROOT, TOKEN, built, clean_environment

EXAMPLE = ROOT / "examples" / "marvin"
PROGRAMS = Path(sys.executable).parent
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="SKIPPED: Marvin runs on Unix"),
    pytest.mark.skipif(
        not all((PROGRAMS / name).exists() for name in ("nosetests", "notify_pr")),
        reason="SKIPPED: nose and the package have to be installed in this virtualenv",
    ),
]


@pytest.fixture
def job(lab):
    """A workspace with the suites of the pull request, and the example as ci/."""
    smoke = lab.job / "test" / "integration" / "smoke"
    shutil.copytree(str(DATA / "suites"), str(smoke))
    for name in ("suite_texts.py", "suite_hangs.py", "suite_processes.py"):
        (smoke / name).rename(lab.job / name)
    shutil.copytree(str(DATA / "site"), str(lab.job / "site"))
    shutil.copytree(str(EXAMPLE), str(lab.job / "ci"))
    details = (EXAMPLE / "notify_pr.ini").read_text().split("[details]")[1]
    (lab.job / "ci" / "notify_pr.ini").write_text(
        re.sub("token_file = .*\n", "", lab.ini.read_text()) + "[details]" + details
    )
    return lab


def environment(job, **more):
    """What Jenkins gives to a step."""
    return clean_environment(
        PATH=os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
        PYTHONPATH=str(job.job / "site"),
        WORKSPACE=str(job.job),
        BUILD_ID="17",
        JENKINS_URL="https://ci.example.org/",
        GIT_COMMIT=COMMIT,
        GIT_URL="https://github.com/apache/cloudstack.git",
        **more,
    )


def steps():
    """The pipeline's variables, and its shell steps with whether they get the credentials."""
    pipeline = (EXAMPLE / "Jenkinsfile").read_text()
    variables = dict(re.findall(r"^ +(\w+) = ['\"](.*)['\"]$", pipeline, re.M))
    found = re.finditer(r"(?:\)\]\) \{\s*(//[^\n]*\s*)*)?\bsh ('''|')(.*?)\2", pipeline, re.S)
    return variables, [(step.group(3), step.group(0).startswith(")")) for step in found]


def run(job, step, **more):
    return subprocess.run(
        ["sh", "-xe", "-c", step],
        cwd=str(job.job),
        env=environment(job, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )


def test_the_pipeline_reports_every_suite_in_one_comment(job):
    variables, found = steps()
    assert [with_credentials for _, with_credentials in found] == [True, False, True]
    known = {"WORKSPACE": str(job.job), "BUILD_ID": "17"}
    variables = {
        name: re.sub(r"\$\{(\w+)\}", lambda match: known[match.group(1)], value)
        for name, value in variables.items()
    }
    secrets = {"NOTIFY_PR_TOKEN": TOKEN}
    check, suites, submit = (step for step, _ in found)

    checked = run(job, check, **variables, **secrets)
    assert checked.returncode == 0, checked.stdout
    asked = len(job.control("requests"))
    tested = run(job, suites, **variables)
    assert tested.returncode == 1, tested.stdout
    assert "3 suites, 3 of them not green" in tested.stdout
    assert len(job.control("requests")) == asked

    submitted = run(job, submit, **variables, **secrets)
    assert submitted.returncode == 0, submitted.stdout
    assert TOKEN not in checked.stdout + submitted.stdout
    [comment] = job.comments()
    for line in (
        "| suite_setup | ❌ Failed | 0 |",
        "| suite_volumes | ❌ Failed | 2 | 1 | 1 | 1 |",
        "| suite_killed | ⏹️ Did not finish |",
        "KVM (AlmaLinux 9, x2)",
    ):
        assert line in comment, comment
    stored = " ".join(map(str, job.published.rglob("results.txt")))
    for name in ("suite_setup", "suite_volumes", "suite_killed"):
        assert f"/{name}/" in stored
    assert not list((job.job / "notify_pr-spool" / "17").glob("[!.]*"))


def test_a_build_that_ended_before_the_suites_is_only_a_warning(job):
    _, found = steps()
    more = {"NOTIFY_PR_TOKEN": TOKEN, "NOTIFY_PR_SPOOL_DIR": str(job.job / "spool")}
    ended = run(job, found[-1][0], **more)
    assert ended.returncode == 0
    assert "WARNING" in ended.stdout
    assert not job.comments()


def test_a_suite_that_hangs_is_ended_and_did_not_finish(job):
    more = {"NOTIFY_PR_SPOOL_DIR": str(job.job / "spool"), "MARVIN_CONFIG": "lab.cfg"}
    ended = run(job, "ci/run_suites suite_hangs.py", SUITE_TIMEOUT="3", **more)
    assert ended.returncode == 1
    [part] = job.submit_spool(job.job / "spool")["parts"]
    assert (part["name"], part["finished"]) == ("suite_hangs", False)


def test_a_suite_that_cannot_be_started_has_a_line(job):
    tools = job.job / "tools"
    tools.mkdir()
    (tools / "nosetests").write_text("#!/bin/sh\nexit 2\n")
    (tools / "nosetests").chmod(0o755)
    more = {"NOTIFY_PR_SPOOL_DIR": str(job.job / "spool"), "MARVIN_CONFIG": "lab.cfg"}
    ended = run(job, 'PATH="$PWD/tools:$PATH"; ci/run_suites a/test_one.py', **more)
    assert ended.returncode == 1
    [part] = job.submit_spool(job.job / "spool")["parts"]
    assert (part["name"], part["verdict"]) == ("test_one", "error")


def test_the_suites_want_to_know_the_lab_and_the_spool(job):
    for more in ({}, {"MARVIN_CONFIG": "lab.cfg"}):
        ended = run(job, "ci/run_suites suite.py", **more)
        assert ended.returncode != 0
        assert "has to name" in ended.stdout
    more = {"MARVIN_CONFIG": "lab.cfg", "NOTIFY_PR_SPOOL_DIR": "spool"}
    assert run(job, "ci/run_suites", **more).returncode == 2


def test_the_settings_of_the_example_are_settings(job):
    command = [built("notify_pr", "NOTIFY_PR_TEST_COMMAND"), "settings", "--config"]
    ended = subprocess.run(
        [*command, str(EXAMPLE / "notify_pr.ini")],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert ended.returncode == 0, ended.stdout
