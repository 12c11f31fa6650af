# SPDX-License-Identifier: GPL-2.0-or-later
"""Every execution rule fires on its bad examples, at the right place, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.execution.rules import RULES
from checks.rule import Example, rules
from gen.generate import generate
from gen.output import write
from tests.checks.trees import change
from tests.execution.drivers import SPECS, said, words

if TYPE_CHECKING:
    from pathlib import Path

ACME = SPECS / "acme_watch.yaml"
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule}-{number}")
    for rule in RULES
    for number, example in enumerate(rules()[rule].examples)
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_bad_example_fires_its_rule_there(tmp_path: Path, rule: str, example: Example) -> None:
    write(tmp_path / "out", generate(ACME, None, None).files)
    change(tmp_path / "out", example.file, example.good, example.bad)
    found = said(words(tmp_path / "out", ACME))
    assert [item for item, _ in found] == [rule] * (1 + len(example.also))
    for (_, text), wanted in zip(found, (example.at, *example.also), strict=True):
        assert text.startswith(wanted)


def test_the_driver_is_silent_otherwise(tmp_path: Path) -> None:
    write(tmp_path / "out", generate(ACME, None, None).files)
    assert said(words(tmp_path / "out", ACME)) == []
