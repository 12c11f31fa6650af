# SPDX-License-Identifier: GPL-2.0-or-later
"""Each operator makes its mistake where it says it can, in one place, and what comes out is C."""

from __future__ import annotations

import re

import pytest

from checks.rule import rules
from tests.mutants.catalogue import subjects
from tests.mutants.judge import Verdict
from tests.mutants.operators import OPERATORS, Family, Mutant, mutants, of_operator
from tests.mutants.report import difference
from tests.mutants.text import Driver, Text, changed

(OURS,) = subjects("ours")
NAMES = sorted(OPERATORS)


def _sound(driver: Driver, mutant: Mutant) -> None:
    change = mutant.change
    (file,) = (file for file in driver.files if file.path == change.file)
    assert file.text[change.start : change.end] != change.text
    after = Text(file.path, file.role, changed(file.text, change).text)
    assert after.text != file.text
    if file.path.suffix in {".c", ".h"}:
        assert file.errors() == 0
        assert after.errors() == 0, f"{mutant.name}: not C any more"


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_makes_its_mistake_in_the_rendered_driver(name: str) -> None:
    item = OPERATORS[name]
    if "ours" in item.absent:
        assert item.absent["ours"]
        return
    found = of_operator(OURS.driver, item)
    assert found, "it changes nothing"
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found:
        _sound(OURS.driver, mutant)


@pytest.mark.kbuild
@pytest.mark.parametrize("name", ["mainline", "mainline-6.1"])
def test_operators_make_their_mistakes_in_mainlines_driver(name: str) -> None:
    (subject,) = subjects(name)
    for item in OPERATORS.values():
        if name in item.absent:
            continue
        found = of_operator(subject.driver, item)
        assert found, f"{item.name} changes nothing"
        for mutant in found:
            _sound(subject.driver, mutant)


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_says_what_it_is(name: str) -> None:
    item = OPERATORS[name]
    assert re.fullmatch(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", name)
    assert item.mistake.endswith(".")
    assert item.rules, "no rule names it"
    assert all(re.fullmatch(r"(?:SPEC|KERN|PORT|RUN)\d{3}", rule) for rule in item.rules)


def test_most_operators_have_a_rule_that_the_checker_has() -> None:
    lacking = [name for name, item in OPERATORS.items() if not item.rules & set(rules())]
    assert len(lacking) <= len(OPERATORS) * 0.03, f"no rule could name these: {lacking}"


def test_every_family_has_mutants() -> None:
    for family in Family:
        assert list(mutants(OURS.driver, family)), family
    assert len(list(mutants(OURS.driver))) >= 120


def test_no_two_mutants_are_the_same_text() -> None:
    seen: dict[str, str] = {}
    for mutant in mutants(OURS.driver):
        text = difference(OURS, mutant)
        other = seen.setdefault(text, mutant.name)
        assert other == mutant.name, f"{mutant.name} is {other}"


def test_each_reason_for_harmlessness_is_about_a_mutant() -> None:
    for item in OPERATORS.values():
        for pattern, reason in item.equivalent.items():
            assert reason
            if pattern.startswith("ours"):
                names = [f"ours:{mutant.name}" for mutant in of_operator(OURS.driver, item)]
                assert any(re.fullmatch(pattern, name) for name in names), pattern


def test_verdicts_have_words() -> None:
    assert {str(verdict) for verdict in Verdict} == {
        "killed", "killed by accident", "survived", "equivalent"
    }  # fmt: skip
