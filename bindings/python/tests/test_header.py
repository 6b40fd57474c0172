"""The package says the same as include/notify_pr.h."""

import re

import pytest
from conftest import ROOT

from notify_pr import Stage, Status, _library

HEADER = (ROOT / "include" / "notify_pr.h").read_text(encoding="utf-8")


def numbers(prefix, enum):
    body = re.search(r"typedef enum \{([^}]*)\} " + enum + ";", HEADER).group(1)
    return {name: int(n) for name, n in re.findall(prefix + r"([A-Z_]+) = (\d+),", body)}


def test_statuses_are_those_of_the_header():
    assert {status.name: status.value for status in Status} == numbers("NPR_", "npr_status")


def test_stages_are_those_of_the_header():
    assert {stage.name: stage.value for stage in Stage} == numbers("NPR_STAGE_", "npr_stage")


def test_the_version_of_the_interface_is_that_of_the_header():
    found = re.search(r"#define NPR_ABI_VERSION (\d+)", HEADER).group(1)
    assert int(found) == _library.ABI_VERSION


def test_functions_take_as_many_arguments_as_in_the_header():
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    declared = dict(re.findall(r"(npr_\w+)\(([^()]*)\);", code))
    bound = {name: found for name, found in vars(_library).items() if name in declared}
    assert "npr_report_submit" in bound
    for name, function in bound.items():
        arguments = [text for text in declared[name].split(",") if text.strip() != "void"]
        assert len(function.argtypes) == len(arguments), name
    # A receipt is read from its JSON, so that it outlives what the library made.
    left = {name for name in set(declared) - set(bound) if not name.startswith("npr_receipt_")}
    assert left == {"npr_abi_version", "npr_status_text"}


def test_progress_has_the_fields_of_the_header():
    body = re.search(r"typedef struct \{([^}]*)\} npr_progress;", HEADER).group(1)
    fields = re.findall(r"^\s+(?:npr_stage|uint64_t) (\w+);", body, flags=re.M)
    assert [name for name, _ in _library.NprProgress._fields_] == fields


@pytest.mark.parametrize("kind, name", [(Status, "STATUS_77"), (Stage, "STAGE_77")])
def test_a_number_of_a_later_library_is_a_number(kind, name):
    later = kind(77)
    assert (int(later), later.name) == (77, name)
    with pytest.raises(ValueError):
        kind("ok")
