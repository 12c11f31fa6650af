# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read out of a rendered driver is what it was rendered from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from checks.contract.find import find_driver
from checks.contract.read import read_contract
from checks.contract.records import rows
from gen.diagnostics import Diagnostics
from gen.generate import generate, read_device
from gen.kernel_load import load_kernels
from gen.load import parse_device
from gen.model_restrict import carry, restrict
from gen.release import PointRelease
from gen.resources import kernel_directory
from gen.source import Source

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


@st.composite
def _variations(draw: st.DrawFn) -> dict[str, Any]:
    """The made-up watch with other numbers, names and hooks."""
    spec = yaml.safe_load(SPECS[1].read_text(encoding="utf-8"))
    width = draw(st.sampled_from([8, 16, 32]))
    spec["registers"][0] |= {"width": width, "offset": width // 8 * draw(st.integers(0, 6))}
    bits = draw(st.lists(st.integers(0, width - 1), min_size=5, max_size=5, unique=True))
    for event, bit in zip(spec["events"], bits, strict=True):
        event["bit"] = bit
    spec["events"] = draw(st.permutations(spec["events"]))
    spec["hooks"]["panic-notifier"]["priority"] = draw(st.integers(-(2**31), 2**31 - 1))
    spec["frontends"][0]["bar"] = draw(st.integers(0, 5))
    spec["frontends"][0]["device"]["id"] = draw(st.integers(1, 0xFFFE))
    spec["sysfs"][0]["mode"] = draw(st.sampled_from(["0400", "0440", "0444"]))
    spec["sysfs"][1]["format"] = draw(st.sampled_from(["%x\n", "0x%x\n", "%u\n"]))
    spec["sysfs"][1]["store"]["base"] = draw(st.sampled_from([0, 10, 16]))
    spec["kconfig"]["type"] = draw(st.sampled_from(["bool", "tristate"]))
    return dict(spec)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(varied=_variations())
def test_variations_come_back(
    varied: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("varied")
    text = yaml.safe_dump(varied, sort_keys=False)
    device = parse_device(Source("varied.yaml", text), Diagnostics())
    assume(device is not None)
    assert device is not None
    spec = place / "varied.yaml"
    spec.write_text(text, encoding="utf-8")
    contract = _read(place / "out", spec, "6.1")
    assert contract.rows() == _wanted(device, "6.1")
    assert contract.unknown == ()
