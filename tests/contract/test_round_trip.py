# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read out of a rendered driver is what it was rendered from.

Specs drawn at random are in tests/fuzz/test_chain.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.contract.find import find_driver
from checks.contract.read import read_contract
from checks.contract.records import rows
from gen.generate import generate, read_device
from gen.kernel_load import load_kernels
from gen.model_restrict import carry, restrict
from gen.release import PointRelease
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from checks.contract.records import Contract
    from gen.model import Device

ROOT = Path(__file__).parents[2]
SPECS = [ROOT / "spec/pvpanic.yaml", ROOT / "tests/spec/acme_watch.yaml",
         ROOT / "tests/spec/mite.yaml"]  # fmt: skip
KERNELS = load_kernels(kernel_directory())


def _read(place: Path, spec: Path, series: str, as_of: str | None = None) -> Contract:
    for name, text in generate(spec, series, as_of).files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_contract(find_driver([place]), KERNELS.get(series))


def _wanted(device: Device, series: str) -> dict[tuple[str, str], str]:
    return rows(carry(device, KERNELS.get(series))[0])


@pytest.mark.parametrize("series", KERNELS.series)
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_field_comes_back(spec: Path, series: str, tmp_path: Path) -> None:
    contract = _read(tmp_path, spec, series)
    assert contract.rows() == _wanted(read_device(spec), series)
    assert contract.unknown == ()


@pytest.mark.parametrize("release", ["5.13", "6.1", "6.9", "6.12"])
def test_the_contract_of_a_release_comes_back(release: str, tmp_path: Path) -> None:
    device = restrict(read_device(SPECS[0]), PointRelease.parse(release))
    contract = _read(tmp_path, SPECS[0], "6.1", release)
    assert contract.rows() == _wanted(device, "6.1")
    assert contract.unknown == ()


def test_what_cannot_be_told_apart_is_unknown(tmp_path: Path) -> None:
    """Where no attribute can be written, both masks are always equal."""
    device = restrict(read_device(SPECS[1]), PointRelease.parse("6.2"))
    contract = _read(tmp_path, SPECS[1], "6.1", "6.2")
    assert [(one.path, one.key) for one in contract.unknown] == [("attribute[supported]", "shows")]
    missing = _wanted(device, "6.1").items() - contract.rows().items()
    assert missing == {(("attribute[supported]", "shows"), "capability")}
