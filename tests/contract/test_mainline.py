# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's drivers say what the spec says of their release, or a reviewed list says why not."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from checks.contract.find import find_driver
from checks.contract.read import read_contract
from checks.contract.records import rows
from gen.generate import read_device
from gen.lab.problem import LabError
from gen.model_restrict import restrict
from gen.release import PointRelease
from tests.checks.trees import kernel
from tests.kbuild.kernels import source_tree

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "spec" / "pvpanic.yaml"
REVIEWED = yaml.safe_load((HERE / "mainline.yaml").read_text(encoding="utf-8"))


def _pattern(what: str) -> str:
    return what.replace("[", "[[]")


@pytest.mark.kbuild
@pytest.mark.parametrize("series", REVIEWED)
def test_mainline_is_what_the_spec_says_of_its_release(series: str) -> None:
    try:
        tree = source_tree(series)
    except LabError as error:
        pytest.skip(f"mainline's sources of {series} cannot be fetched: {error}")
    contract = read_contract(find_driver([tree]), kernel(series))
    wanted = rows(restrict(read_device(SPEC), PointRelease.parse(series), shared=True))
    keys = {key for key, _ in contract.rows().items() ^ wanted.items()}
    found = {" ".join(filter(None, key)) for key in keys}
    found |= {f"{one.path} {one.key}" for one in contract.unknown}
    patterns = [_pattern(entry["what"]) for entry in REVIEWED[series]]
    assert [one for one in sorted(found) if not any(fnmatchcase(one, p) for p in patterns)] == []
    assert [p for p in patterns if not any(fnmatchcase(one, p) for one in found)] == []


@pytest.mark.kbuild
def test_single_files_are_enough() -> None:
    try:
        tree = source_tree("5.10")
    except LabError as error:
        pytest.skip(f"mainline's sources of 5.10 cannot be fetched: {error}")
    name = "pvpanic"
    files = [tree / f"drivers/misc/{name}.c", tree / f"include/uapi/misc/{name}.h"]
    contract = read_contract(find_driver(files), kernel("5.10"))
    assert {item.name for item in contract.items if item.kind == "event"} == {
        "panicked", "crash_loaded",
    }  # fmt: skip
    assert ("panic-notifier", "priority") in contract.rows()
