# SPDX-License-Identifier: GPL-2.0-or-later
"""Benches with the shipped device or a made-up one, and a QEMU of any age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics
from gen.lab.bench import Bench
from gen.lab.board import PC
from gen.load import load_device
from gen.release import Release
from tests.conftest import ROOT

if TYPE_CHECKING:
    from gen.model import Device


def device(name: str = "spec/pvpanic.yaml") -> Device:
    loaded = load_device(ROOT / name, Diagnostics())
    assert loaded is not None
    return loaded


def bench(version: str = "10.0", name: str = "spec/pvpanic.yaml") -> Bench:
    """A bench whose QEMU has every device of the spec that was there in its time."""
    spec = device(name)
    release = Release.parse(version)
    hosts = [f.host for f in spec.frontends if f.host and f.host.since <= release]
    return Bench(spec, PC, release, {host.device: "events" for host in hosts})
