# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver, built from out/, and a laboratory to boot it in."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gen.diagnostics import Diagnostics
from gen.lab import guest, kernel
from gen.lab.bench import Bench, inspect
from gen.lab.board import PC
from gen.lab.problem import LabError
from gen.lab.runner import Runner
from gen.lab.stories import all_scenarios
from gen.load import load_device
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gen.lab.scenario import Outcome
    from gen.model import Device

BUILT = ("*.o", "*.ko", "*.mod", "*.mod.c", ".*", "*.symvers", "*.order")


def shipped_device() -> Device:
    """The device of the spec that out/ was rendered from."""
    device = load_device(ROOT / "spec/pvpanic.yaml", Diagnostics())
    assert device is not None
    return device


def build(source: Path, target: Path, change: Callable[[Path], None] | None = None) -> Path:
    """Build a copy of a module directory, changed before if wanted."""
    tree = subprocess.run([ROOT / ".ci/kdir"], capture_output=True, text=True, check=False)
    if tree.returncode != 0:
        pytest.skip(f"no kernel headers: {tree.stderr.strip()}")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*BUILT))
    if change is not None:
        change(target)
    made = subprocess.run(
        ["make", "-C", tree.stdout.strip(), f"M={target}", "W=1", "modules"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return target


@dataclass(frozen=True)
class Laboratory:
    """Plays scenarios by name, each on a boot of its own."""

    bench: Bench

    def play(self, name: str, modules: Path, work: Path) -> Outcome:
        """The outcome of one scenario."""
        scenario = next(s for s in all_scenarios(self.bench) if s.name == name)
        found = kernel.read_modules(modules, self.bench.device)
        image = kernel.find_image(found.release, None, (), print)
        work.mkdir(exist_ok=True)
        files = guest.build(found, image, work, self.bench.board)
        (outcome,) = Runner(self.bench, files, work / "boots", print, jobs=1).run([scenario])
        return outcome


@pytest.fixture(scope="session")
def laboratory() -> Laboratory:
    """The installed QEMU, whatever it can show."""
    try:
        return Laboratory(inspect(shipped_device(), PC))
    except LabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped driver, built once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with (shared / "modules.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = shared / "modules"
        if not (target / "built").exists():
            shutil.rmtree(target, ignore_errors=True)
            build(ROOT / "out", target)
            (target / "built").touch()
    return target
