"""The wheel: what ``pip install ./bindings/python`` makes in a clean virtualenv."""

import os
import subprocess
import sys
import sysconfig
import zipfile

import pytest
from conftest import COMMIT, ROOT, built, clean_environment

import notify_pr

VERSION = notify_pr.version()
PROJECT = ROOT / "bindings" / "python"


def in_venv(venv, name):
    return str(venv / ("Scripts" if os.name == "nt" else "bin") / name)


def execute(*arguments, **more):
    environment = clean_environment(**more)
    for name in ("PYTHONPATH", "NOTIFY_PR_LIBRARY", "VIRTUAL_ENV"):
        environment.pop(name, None)
    return subprocess.run(
        list(map(str, arguments)),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A virtualenv with the package, and its wheel. The library is not built for it again."""
    library = os.environ.get("NOTIFY_PR_LIBRARY")
    if not library:
        pytest.skip("SKIPPED: NOTIFY_PR_LIBRARY has to name a library to put into the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    given = {
        "NOTIFY_PR_BUILD_LIBRARY": os.path.abspath(library),
        "NOTIFY_PR_BUILD_COMMAND": built("notify_pr", "NOTIFY_PR_TEST_COMMAND"),
    }
    pip = [in_venv(venv, "python"), "-m", "pip", "--disable-pip-version-check"]
    made = execute(*pip, "wheel", "--no-deps", "-w", folder, PROJECT, **given)
    if "No matching distribution found for hatchling" in made.stdout:
        pytest.skip("SKIPPED: hatchling, which builds the wheel, cannot be installed here")
    assert made.returncode == 0, made.stdout
    [wheel] = folder.glob("*.whl")
    done = execute(*pip, "install", wheel)
    assert done.returncode == 0, done.stdout
    return venv, wheel


def test_the_wheel_is_for_every_python_on_this_platform(installed):
    _, wheel = installed
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"notify_pr-{VERSION}-py3-none-{platform}.whl"
    with zipfile.ZipFile(str(wheel)) as archive:
        names = archive.namelist()
        metadata = archive.read(f"notify_pr-{VERSION}.dist-info/METADATA").decode()
    assert "notify_pr/py.typed" in names
    folders = {name.split("/")[0] for name in names}
    assert folders == {"notify_pr", "notify_pr_plugins", f"notify_pr-{VERSION}.dist-info"}
    assert "Requires-Dist" not in metadata


def test_it_needs_nothing_else_to_report(installed, lab):
    venv, _ = installed
    program = (
        "import sys, notify_pr\n"
        "with notify_pr.Report.from_ini(sys.argv[1], commit=sys.argv[2]) as report:\n"
        "    print(report.submit().comment_url)\n"
    )
    ended = execute(in_venv(venv, "python"), "-c", program, lab.ini, COMMIT)
    assert "#issuecomment" in ended.stdout
    assert len(lab.comments()) == 1


@pytest.mark.parametrize("how", ["module", "script"])
def test_the_command_is_there(installed, how):
    venv, _ = installed
    python = [in_venv(venv, "python"), "-m", "notify_pr"]
    command = python if how == "module" else [in_venv(venv, "notify_pr")]
    ended = execute(*command, "--version")
    assert (ended.returncode, ended.stdout) == (0, f"notify_pr {VERSION}\n")
    assert execute(*command, "--no-such-option").returncode == 3


def test_a_wheel_needs_both_files_or_none(installed):
    venv, _ = installed
    ended = execute(
        in_venv(venv, "python"), "-m", "pip", "wheel", "--no-deps", PROJECT,
        NOTIFY_PR_BUILD_LIBRARY="/no/such/library.so",
    )
    assert ended.returncode != 0
    assert "NOTIFY_PR_BUILD_LIBRARY has to name a file" in ended.stdout
