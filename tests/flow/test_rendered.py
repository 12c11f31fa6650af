# SPDX-License-Identifier: GPL-2.0-or-later
"""The rendered driver: every rule about control flow has looked, found nothing, and is quick."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import yaml

from checks.extract import extract
from checks.flow.analysis import flow_of
from checks.parse import parse_tree
from checks.rule import CHECKS, Context, Found, Unknown
from checks.tree import find_trees
from gen.generate import read_device
from tests.checks.trees import OUT, kernel
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = ROOT / "checks" / "rules_flow.yaml"
RULES = [item["id"] for item in yaml.safe_load(RECORDS.read_text(encoding="utf-8"))["rules"]]
LIMIT = 0.15  # seconds of processor time for the whole layer


def _context(path: Path) -> Context:
    device = read_device(None)
    tree = next(iter(find_trees([path], device)))
    units = parse_tree(tree, kernel())
    return Context(device, extract(tree, units, kernel()), units)


@pytest.fixture(scope="module")
def rendered() -> Context:
    return _context(OUT)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_found_and_nothing_is_left_open(rendered: Context, rule: str) -> None:
    assert [w for w in CHECKS[rule](rendered) if isinstance(w, (Found, Unknown))] == []


def test_the_layer_is_quick() -> None:
    context = _context(OUT)
    begin = time.process_time()
    for rule in RULES:
        list(CHECKS[rule](context))
    assert time.process_time() - begin < LIMIT


def test_cost_grows_with_the_number_of_functions_alone(tmp_path: Path) -> None:
    def paths(count: int) -> int:
        text = "".join(
            f"int f{n}(int a) {{ if (a < 0) return -1; return f{n - 1}(a); }}\n"
            for n in range(1, count)
        )
        path = tmp_path / "pvpanic.c"
        path.write_text("int f0(int a) { return a; }\n" + text, encoding="utf-8")
        traces = flow_of(_context(path)).traces
        return sum(len(trace.paths) for trace in traces.values())

    assert paths(40) - paths(20) == paths(60) - paths(40)
