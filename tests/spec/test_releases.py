# SPDX-License-Identifier: GPL-2.0-or-later
"""Releases of mainline and of stable trees, and what each of them had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gen.generate import generate, read_device
from gen.model_restrict import restrict
from gen.release import PointRelease, Release
from tests.conftest import ROOT

SPEC = ROOT / "spec" / "pvpanic.yaml"


@pytest.mark.parametrize(
    ("release", "other", "reached"),
    [
        ("6.1.4", "6.1.95", False),
        ("6.1.95", "6.1.4", True),
        ("6.1.95", "6.1.95", True),
        ("6.1.100", "6.1.95", True),
        ("6.1.95", "6.1", False),
        ("6.1", "6.1.95", True),
        ("6.2", "6.1.95", False),
        ("6.10", "6.1.95", False),
    ],
)
def test_releases_of_a_series_are_in_order(release: str, other: str, reached: bool) -> None:
    assert PointRelease.parse(release).reaches(PointRelease.parse(other)) is reached


@pytest.mark.parametrize("text", ["6.1", "6.1.0", "6.1.192", "5.10.262"])
def test_a_release_is_written_as_it_was_read(text: str) -> None:
    assert str(PointRelease.parse(text)) == text


@pytest.mark.parametrize("text", ["", "6", "6.1.", "6.1.04", "6.1.4.1", "v6.1", "6.1-rc1", "6.1.x"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a release such as"):
        PointRelease.parse(text)


@pytest.mark.parametrize(
    ("release", "shown"),
    [
        ("6.1.0", False),
        ("6.1.4", False),
        ("6.1.94", False),
        ("6.1.95", True),
        ("6.1.192", True),
        ("6.1", True),
        ("6.2", False),
        ("6.8.9", False),
        ("6.8.10", True),
        ("6.9.0", True),
        ("7.3", True),
    ],
)
def test_a_stable_tree_has_what_it_took_over(release: str, shown: bool) -> None:
    device = restrict(read_device(SPEC), PointRelease.parse(release))
    pci = next(frontend for frontend in device.frontends if frontend.bus == "pci")
    assert (pci.attributes is not None) is shown
    rendered = generate(SPEC, "6.1", release).files
    name = f"{device.name}_groups"
    assert (name in rendered[f"{pci.name}.c"]) is shown
    other = next(frontend for frontend in device.frontends if frontend is not pci)
    assert name in rendered[f"{other.name}.c"]


def test_an_event_can_arrive_in_a_stable_tree() -> None:
    device = read_device(SPEC)
    late = device.events[-1]
    taken = replace(late.arrival, stable=(PointRelease(Release(6, 6), 40),))
    device = replace(device, events=(*device.events[:-1], replace(late, arrival=taken)))
    had = {
        text: late.name in {e.name for e in restrict(device, PointRelease.parse(text)).events}
        for text in ("6.6.39", "6.6.40", "6.6", "6.7", "6.10")
    }
    assert had == {"6.6.39": False, "6.6.40": True, "6.6": True, "6.7": False, "6.10": True}
