# SPDX-License-Identifier: GPL-2.0-or-later
"""A few made-up specs through the whole chain; `make fuzz TARGETS=chain` draws others."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from gen.generate import generate
from tests.fuzz import chain
from tests.fuzz.chain import WATCH, Case, cases, prove, prove_all, rounds

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=8, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
@given(case=cases())
def test_the_chain_holds(case: Case) -> None:
    prove_all(case)


@pytest.fixture
def case() -> Case:
    spec = yaml.safe_load(WATCH.read_text(encoding="utf-8"))
    other = copy.deepcopy(spec)
    other["frontends"][0]["bar"] = 3
    return Case(spec, other, "6.1")


def test_a_change_that_is_not_found_would_be_told(case: Case, tmp_path: Path) -> None:
    prove(case, tmp_path)
    with pytest.raises(AssertionError):
        prove(Case(case.spec, case.spec, "6.1"), tmp_path)


def test_another_driver_would_be_told(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendered from the other spec, the driver is neither silent nor read as the first one."""
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(case.other), encoding="utf-8")
    monkeypatch.setattr(chain, "generate", lambda _, *words: generate(other, *words))
    with pytest.raises(AssertionError, match="SPEC014"):
        prove(case, tmp_path)


def test_rounds_are_counted_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "prove_all", lambda _: None)
    assert rounds(0.2, 1, 2) >= 2
