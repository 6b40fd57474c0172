"""What a report promises."""

import dataclasses
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading

import pytest
from conftest import COMMIT, ROOT, TOKEN

import notify_pr
from notify_pr import Report, Status


def test_a_report_becomes_a_comment(lab):
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        report.set_summary("All **good**: ä ✓").attach(lab.job / "logs")
        report.attach_bytes("numbers/answer.txt", b"42\n\0")
        receipt = report.submit()
    assert receipt.status is Status.OK
    assert receipt.pull_number == 42
    assert receipt.comment_url == receipt.pull_requests[0].comment_url
    assert sorted(file.name.split("/")[-1] for file in receipt.files) == [
        "answer.txt", "results.txt", "ä ö.txt"
    ]
    assert receipt.page_url.startswith(lab.addresses["directory"])
    assert receipt.context == "kvm"
    assert json.loads(receipt.json)["commit"] == receipt.commit == COMMIT
    [comment] = lab.comments()
    assert comment == receipt.comment_text
    assert "All **good**: ä ✓" in comment


def test_a_receipt_never_changes(lab):
    with Report.from_ini(lab.ini, commit=COMMIT, dry_run=True) as report:
        receipt = report.submit()
    assert receipt.dry_run
    assert not lab.comments()
    with pytest.raises(dataclasses.FrozenInstanceError):
        receipt.commit = "other"
    assert hash(receipt) == hash(notify_pr.Receipt.from_json(receipt.json))
    assert pickle.loads(pickle.dumps(receipt)) == receipt


def test_what_was_set_is_stronger_than_the_file(lab):
    with Report(context="own") as report:
        assert report.load_ini(lab.ini).get("context") == "own"
        assert report.get("owner") == "apache"
        assert report.set("jobs", 3).get("jobs") == "3"


def test_details_are_rows_of_the_comment(lab):
    with lab.ini.open("a") as ini:
        ini.write("[details]\nZone = a\nHypervisor = Xen\n")
    details = {"Hypervisor": "KVM", "Hosts": 2, "Größe": "L"}
    with Report.from_ini(lab.ini, commit=COMMIT, dry_run=True, details=details) as report:
        report.set("details.Zone", "b")
        assert report.get("details.Hosts") == "2"
        assert report.get("details.Network") == ""
        text = report.submit().comment_text
    assert "| Zone | b |\n| Hypervisor | KVM |\n| Hosts | 2 |\n| Größe | L |\n" in text
    with pytest.raises(notify_pr.SettingError, match=r"details\.a\\nb"):
        Report(details={"a\nb": "c"})


def test_the_environment_is_read_only_when_asked(lab, monkeypatch):
    monkeypatch.setenv("NOTIFY_PR_CONTEXT", "from-environment")
    with Report() as report:
        assert report.get("context") != "from-environment"
    with Report.from_environment(owner="apache") as report:
        assert report.get("context") == "from-environment"
        assert report.get("owner") == "apache"


@pytest.mark.parametrize("kind", [str, os.fsencode, pathlib.Path])
def test_paths_may_be_text_bytes_and_path_like(lab, kind):
    with Report.from_ini(kind(str(lab.ini)), commit=COMMIT) as report:
        receipt = report.attach(kind(str(lab.job / "logs" / "ä ö.txt"))).submit()
    assert [file.name for file in receipt.files] == ["ä ö.txt"]


def test_secrets_are_masked():
    with Report(token="lab-secret-1234567890") as report:
        assert report.get("token")
        assert "secret" not in report.get("token")


@pytest.mark.parametrize(
    "name, value, status",
    [
        ("no_such_setting", "1", Status.BAD_SETTING),
        ("jobs", "many", Status.BAD_SETTING),
        ("title", "\udcff", Status.BAD_TEXT),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_why(name, value, status):
    with Report() as report:
        with pytest.raises(notify_pr.SettingError) as caught:
            report.set(name, value)
        assert caught.value.status is status
        assert str(caught.value)
        assert caught.value.receipt is None
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.status) == (str(caught.value), status)


def test_asking_for_a_setting_that_is_none_is_an_error():
    with Report() as report:
        assert report.get("title") == ""
        with pytest.raises(notify_pr.SettingError, match="no_such_setting"):
            report.get("no_such_setting")


def test_a_text_with_nul_is_refused_and_not_cut():
    with Report() as report:
        for call in (report.set_summary, report.attach, report.load_ini):
            with pytest.raises(ValueError, match="NUL"):
                call("a\0b")


def test_a_wrong_line_is_named(lab):
    lab.ini.write_text("owner = apache\nno_such_setting = 1\n")
    with pytest.raises(notify_pr.NotifyPrError, match=r"run\.ini:2"):
        Report.from_ini(lab.ini)


def test_errors_carry_the_receipt(lab):
    with Report.from_ini(lab.ini, commit="0" * 39 + "1") as report:
        with pytest.raises(notify_pr.NoPullRequest) as caught:
            report.attach(lab.job / "logs").submit()
    assert isinstance(caught.value, notify_pr.GitHubError)
    assert caught.value.status is caught.value.receipt.status is Status.NO_PULL_REQUEST
    assert report.receipt is caught.value.receipt
    assert caught.value.receipt.outbox


def test_a_wrong_token_is_githubs_refusal(lab):
    (lab.job / "token").write_text("other-token\n")
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        with pytest.raises(notify_pr.GitHubError) as caught:
            report.submit()
    assert caught.value.status is Status.GITHUB_REFUSED
    assert "other-token" not in str(caught.value)


def test_what_is_missing_is_partial_and_the_comment_is_made(lab):
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        with pytest.raises(notify_pr.Partial) as caught:
            report.attach("no-such-folder").submit()
    assert isinstance(caught.value, notify_pr.StoreError)
    assert [notice.name for notice in caught.value.receipt.missing] == ["no-such-folder"]
    assert caught.value.receipt.comment_url
    assert len(lab.comments()) == 1


def test_a_report_is_submitted_once(lab):
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        receipt = report.submit()
        with pytest.raises(notify_pr.MisuseError):
            report.submit()
        assert report.receipt is receipt
    assert len(lab.comments()) == 1


def test_a_closed_report_is_refused():
    report = Report()
    report.close()
    report.close()
    with pytest.raises(notify_pr.MisuseError, match="closed"):
        report.set("owner", "apache")


def test_a_thousand_reports_leave_nothing(lab):
    for _ in range(1000):
        with Report.from_ini(lab.ini) as report:
            report.attach_bytes("a", bytearray(1000))
    assert threading.active_count() == 1


def test_many_threads_with_a_report_each(lab):
    receipts = []

    def submit(number):
        with Report.from_ini(lab.ini, commit=COMMIT, context=f"lab-{number}") as report:
            receipts.append(report.attach(lab.job / "logs").submit())

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.comment_url for receipt in receipts}) == 8
    assert len(lab.comments()) == 8


def test_a_part_is_set_aside_and_submitted_later(lab):
    spool = lab.job / "spool"
    for name in ("one", "two"):
        with Report(submit="collect", spool_dir=spool, part=name) as report:
            report.set("counts", "passed=2").begin()
            receipt = report.attach(lab.job / "logs").submit()
        assert receipt.status is Status.OK
        assert receipt.spooled
        assert not receipt.requests
    killed = Report(submit="collect", spool_dir=spool, part="three").begin()
    killed.close()
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        receipt = report.load_spool(spool).submit()
    assert sorted((part.name, part.finished, part.passed) for part in receipt.parts) == [
        ("one", True, 2), ("three", False, None), ("two", True, 2)
    ]
    assert len(lab.comments()) == 1


def load(lab, library):
    return lab.run("-c", "import notify_pr", NOTIFY_PR_LIBRARY=str(library))


@pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: it is Linux that is told where to look")
def test_the_library_beside_the_module_comes_before_the_systems(lab):
    library = os.environ.get("NOTIFY_PR_LIBRARY")
    if not library:
        pytest.skip("SKIPPED: NOTIFY_PR_LIBRARY has to name the library")
    package, system = lab.job / "package", lab.job / "system"
    shutil.copytree(str(pathlib.Path(notify_pr.__file__).parent), str(package / "notify_pr"))
    beside = package / "notify_pr" / "libnotify_pr.so"
    for path in (beside, system / "libnotify_pr.so.0"):
        path.parent.mkdir(exist_ok=True)
        shutil.copy(library, str(path))
    program = (
        "import notify_pr; maps = open('/proc/self/maps').read().split(); "
        "print([word for word in maps if 'libnotify_pr.so' in word][0])"
    )
    more = {"PYTHONPATH": str(package), "LD_LIBRARY_PATH": str(system), "NOTIFY_PR_LIBRARY": ""}
    assert lab.run("-c", program, **more).stdout.strip() == str(beside)
    beside.unlink()
    assert lab.run("-c", program, **more).stdout.strip() == str(system / "libnotify_pr.so.0")


@pytest.mark.parametrize("name", ["libnothing.so", "run.ini", "logs"])
def test_what_is_no_library_is_an_import_error_with_advice(lab, name):
    ended = load(lab, lab.job / name)
    assert ended.returncode == 1
    assert "ImportError" in ended.stdout
    assert "which NOTIFY_PR_LIBRARY names" in ended.stdout


@pytest.mark.skipif(os.name == "nt", reason="it needs a C compiler named cc")
def test_a_library_that_does_not_fit_is_an_import_error_with_advice(lab):
    if not shutil.which("cc"):
        pytest.skip("SKIPPED: it needs a C compiler named cc")
    source, library = lab.job / "other.c", lab.job / "libother.so"
    source.write_text(
        'int npr_abi_version(void) { return 7; }\nconst char *npr_version(void) { return "9.9.9"; }'
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    ended = load(lab, library)
    assert ended.returncode == 1
    assert "ImportError" in ended.stdout
    assert "9.9.9 with version 7" in ended.stdout
    assert "needs version 0: install library and package of the same release" in ended.stdout


def test_the_token_is_in_no_receipt(lab):
    with Report.from_ini(lab.ini, commit=COMMIT) as report:
        assert TOKEN not in report.attach_bytes("a", TOKEN.encode()).submit().json


def test_the_program_in_the_readme_reports(lab):
    readme = (ROOT / "bindings" / "python" / "README.md").read_text()
    (lab.job / "program.py").write_text(readme.split("```python\n")[1].split("```")[0])
    for name in ("MarvinLogs", "integration-test-results"):
        (lab.job / name).mkdir()
        (lab.job / name / f"{name}.txt").write_text("all is well\n")
    ended = lab.run("program.py", COMMIT)
    assert (ended.returncode, ended.stdout.count("#issuecomment")) == (0, 1), ended.stdout
    [comment] = lab.comments()
    for part in ("1 **failed**", "MarvinLogs.txt", "integration-test-results.txt", "versions.txt"):
        assert part in comment
    assert lab.run("program.py", "0" * 39 + "1").returncode == Status.NO_PULL_REQUEST


def test_the_example_reports(lab):
    example = ROOT / "examples" / "report.py"
    ended = lab.run(example, lab.ini, COMMIT, "logs")
    assert (ended.returncode, ended.stdout.count("#issuecomment")) == (0, 1), ended.stdout
    # What is missing is named in the comment, which is made.
    ended = lab.run(example, lab.ini, COMMIT, "no-such-folder")
    assert (ended.returncode, ended.stdout.count("#issuecomment")) == (22, 1)
    assert lab.run(example, "no-such.ini", COMMIT).returncode == Status.BAD_FILE
    assert len(lab.comments()) == 1
