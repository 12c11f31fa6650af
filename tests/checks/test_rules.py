# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule fires on its bad examples, at the right place, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.execution import rules as execution
from checks.rule import CHECKS, Example, Verdict, rules
from checks.run import NO_ANSWER
from tests.checks.trees import DRIVER, change, copy, run

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = [
    pytest.param(rule.id, example, id=f"{rule.id}-{number}")
    for rule in rules().values()
    if rule.id not in execution.RULES  # tests/execution has theirs
    for number, example in enumerate(rule.examples)
]


def test_every_rule_has_code_and_examples() -> None:
    assert set(CHECKS) | NO_ANSWER == set(rules())
    without = {rule.id for rule in rules().values() if not rule.examples}
    # tests/checks/test_garbage.py has bad inputs for the one, mainline is one for the other.
    assert without == {"PARSE001", "RUN312", "RUN314"}


def test_the_driver_is_silent_and_every_rule_has_looked() -> None:
    report = run(DRIVER)
    assert not report.findings
    nothing_there = {"KERN144", "KERN145", "KERN159"}  # RCU; callbacks of power management
    assert {item.rule.id: item.verdict for item in report.judgements} == dict.fromkeys(
        rules(), Verdict.PASS
    ) | dict.fromkeys(nothing_there | set(execution.RULES), Verdict.NOT_APPLICABLE)
    assert report.status == 0


def _places(text: str, example: Example) -> list[tuple[int, int]]:
    """Where the findings have to be: in the replaced piece if the text stands there."""
    start = text.find(example.bad) if example.bad else 0
    places = []
    for wanted in (example.at, *example.also):
        inside = text.find(wanted, start) if wanted in example.bad else text.find(wanted)
        assert inside >= 0, f"{wanted!r} is not in the changed file"
        line = text.count("\n", 0, inside) + 1
        places.append((line, inside - (text.rfind("\n", 0, inside) + 1) + 1))
    return sorted(places)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_bad_example_fires_its_rule_there(tmp_path: Path, rule: str, example: Example) -> None:
    tree = copy(tmp_path)
    text = change(tree, example.file, example.good, example.bad)
    report = run(tree)
    name = str(tree / example.file)
    found = [(item.rule, item.span.source.name) for item in report.findings]
    assert found == [(rule, name)] * (1 + len(example.also))
    places = sorted((item.span.line, item.span.column) for item in report.findings)
    assert places == _places(text, example)
    verdicts = {item.rule.id: item.verdict for item in report.judgements}
    assert verdicts[rule] is Verdict.FAIL
    gates = rules()[rule].gates
    assert report.status == (1 if gates else 3 if rule == "KERN133" else 0)
