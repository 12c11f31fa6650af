# SPDX-License-Identifier: GPL-2.0-or-later
"""All operators, and the drivers that they are applied to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gen.generate import find_target, read_device
from gen.model_restrict import restrict
from tests.conftest import ROOT
from tests.kbuild.kernels import source_tree

# Importing a module of operators enters them.
from tests.mutants import (  # noqa: F401
    building,
    declarations,
    documents,
    errors,
    facts_gate,
    facts_ids,
    facts_register,
    facts_sysfs,
    locking,
    portability,
    resources,
    tables,
)
from tests.mutants.judge import Subject
from tests.mutants.text import read_driver

if TYPE_CHECKING:
    from collections.abc import Iterator

# A driver's name, the series it is for, and the release that it is judged as.
OURS = ("ours", None, None)
MAINLINE = ("mainline", "7.3", "7.3")
OLDER = ("mainline-6.1", "6.1", "6.1")
CHOICES = {
    "ours": (OURS,),
    "mainline": (MAINLINE,),
    "mainline-6.1": (OLDER,),
    "both": (OURS, MAINLINE),
    "all": (OURS, MAINLINE, OLDER),
}


def subjects(choice: str) -> Iterator[Subject]:
    """The chosen drivers: the rendered one, and mainline's from a distribution's sources."""
    for name, series, as_of in CHOICES[choice]:
        target = find_target(series, as_of)
        device = read_device(ROOT / "spec" / "pvpanic.yaml")
        if target.as_of:
            device = restrict(device, target.as_of)
        root = ROOT / "out" if series is None else source_tree(series)
        driver = read_driver(name, Path(root), device, str(target.kernel.series), as_of)
        yield Subject(driver, device, target.kernel)
