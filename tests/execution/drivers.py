# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers to run: rendered from specs, copied to be changed, and the execution rules alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checks.execution import rules as execution
from checks.extract import extract
from checks.parse import parse_tree
from checks.rule import CHECKS, Context, Found
from checks.tree import find_trees
from gen.generate import read_device
from gen.kernel_load import load_kernels
from gen.model_restrict import carry, restrict
from gen.release import PointRelease
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from checks.rule import Word

ROOT = Path(__file__).parent.parent.parent
OUT, SPEC = ROOT / "out", ROOT / "spec" / "pvpanic.yaml"
SPECS = ROOT / "tests" / "spec"


def words(
    tree: Path, spec: Path, series: str | None = None, as_of: str | None = None
) -> dict[str, list[Word]]:
    """What the execution rules say of a driver, none of the others having looked."""
    kernels = load_kernels(kernel_directory())
    kernel = kernels.get(series) if series else kernels.default
    device = read_device(spec)
    if as_of:
        device = restrict(device, PointRelease.parse(as_of), shared=True)
    device, _ = carry(device, kernel)
    source = find_trees([tree], device)[0]
    units = parse_tree(source, kernel)
    context = Context(device, extract(source, units, kernel), units)
    return {rule: list(CHECKS[rule](context)) for rule in execution.RULES}


def said(words: dict[str, list[Word]]) -> list[tuple[str, str]]:
    """Each finding's rule and the text from its place on; anything else as it is."""
    found = []
    for rule, items in words.items():
        for item in items:
            if isinstance(item, Found):
                line = item.span.source.line(item.span.line)
                found.append((rule, line[item.span.column - 1 :]))
            else:
                found.append((rule, repr(item)))
    return found
