# SPDX-License-Identifier: GPL-2.0-or-later
"""The same contract written in other styles: it is read as the same, or said to be unknown.

What the reader tells of a restyled driver is a fact of the driver; what it cannot tell is named
under `unknown`. Nothing is made up.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from checks.contract.find import find_driver
from checks.contract.read import read_contract
from gen.cli import main
from tests.checks.trees import kernel
from tests.conftest import ROOT

if TYPE_CHECKING:
    from checks.contract.records import Contract

FILES = {"core": "pvpanic.c", "pci": "pvpanic-pci.c", "mmio": "pvpanic-mmio.c",
         "uapi": "uapi/misc/pvpanic.h"}  # fmt: skip
STYLES = yaml.safe_load(Path(__file__).with_name("styles.yaml").read_text(encoding="utf-8"))
Edits = list[tuple[str, str, str]]


def read(place: Path, edits: Edits) -> Contract:
    shutil.copytree(ROOT / "out", place, ignore=shutil.ignore_patterns("*.mod.c"))
    for name, old, new in edits:
        path = place / FILES[name]
        text = path.read_bytes().decode()
        assert old in text, f"{path.name} has no {old!r}"
        path.write_bytes(text.replace(old, new).encode())
    return read_contract(find_driver([place]), kernel("6.1"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    return read(tmp_path_factory.mktemp("plain") / "out", []).rows()


@pytest.mark.parametrize("style", STYLES)
def test_another_style_is_the_same_contract(
    style: str, plain: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    contract = read(tmp_path / "out", STYLES[style]["edits"])
    texts = STYLES[style].get("unknown", ())
    unknown = {(path, key) for path, _, key in (text.partition(" ") for text in texts)}
    assert contract.rows().items() <= plain.items()
    assert {(one.path, one.key) for one in contract.unknown} == unknown
    assert plain.keys() - contract.rows().keys() == unknown - {("driver", "")}


def test_line_ends_do_not_count(plain: dict[tuple[str, str], str], tmp_path: Path) -> None:
    edits = [(name, "\n", "\r\n") for name in FILES]
    assert read(tmp_path / "out", edits).rows() == plain


def test_a_driver_called_like_its_module(tmp_path: Path) -> None:
    contract = read(tmp_path / "out", [("pci", '"pvpanic-pci"', "KBUILD_MODNAME")])
    names = {item.name for item in contract.items if item.kind == "frontend"}
    assert names == {"pvpanic-mmio", "pvpanic_pci"}


def test_a_driver_whose_name_is_not_known_gets_none(tmp_path: Path) -> None:
    contract = read(tmp_path / "out", [("pci", '"pvpanic-pci"', "vp_named_elsewhere")])
    assert {item.name for item in contract.items if item.kind == "frontend"} == {"pvpanic-mmio"}
    assert ("frontend", "name") in {(one.path, one.key) for one in contract.unknown}
    found = CliRunner().invoke(main, ["diff", str(ROOT / "out"), str(tmp_path / "out")])
    assert found.exit_code == 0
    assert found.stdout.endswith("no change in what could be read: 6 things unknown\n")
