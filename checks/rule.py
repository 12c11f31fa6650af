# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule is: a record from rules.yaml and a function that looks at a driver's facts.

A rule's function yields what it has to say: `Found` for a defect, `Unknown` where the facts do not
decide, `NotApplicable` where there is nothing to look at. One that yields nothing has passed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from gen.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.facts import DriverFacts
    from checks.parse import Unit
    from gen.model import Device
    from gen.source import Span


class Verdict(enum.StrEnum):
    """What became of a rule in one run."""

    PASS = "pass"  # noqa: S105 (a verdict)
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Example:
    """A piece of a driver: `bad` instead of `good` in `file` fires the rule at the text `at`.

    `also` has the other places where it then fires.
    """

    file: str
    good: str
    bad: str
    at: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule's record. `confidence` is high or medium; only high-confidence errors gate.

    What a rule finds counts only where those that it `needs` have passed: a wrong number is told
    where it is defined, not wherever it is used.
    """

    id: str
    title: str
    severity: Severity
    confidence: str
    why: str
    reference: str
    examples: tuple[Example, ...]
    needs: tuple[str, ...] = ()

    @property
    def gates(self) -> bool:
        """Whether a finding of this rule decides the exit status."""
        return self.severity is Severity.ERROR and self.confidence == "high"


@dataclass(frozen=True)
class Judgement:
    """What became of one rule: the verdict and why; if it passed, what it has assumed."""

    rule: Rule
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Found:
    """A defect: a sentence, its place, and the place in the spec that it disagrees with.

    `absent` says that something was not found, which means nothing where not all was analysed.
    """

    message: str
    span: Span
    spec: Span | None = None
    help: str | None = None
    absent: bool = False


@dataclass(frozen=True)
class Unknown:
    """Something that the facts do not decide, and why."""

    why: str
    span: Span | None = None


@dataclass(frozen=True)
class Assumed:
    """What a rule that has passed has taken for granted."""

    why: str
    span: Span | None = None


@dataclass(frozen=True)
class NotApplicable:
    """Why there is nothing for the rule to look at."""

    why: str


@dataclass(frozen=True)
class Context:
    """What a rule may look at; `memo` keeps what several rules would work out alike."""

    device: Device
    facts: DriverFacts
    units: tuple[Unit, ...] = ()
    memo: dict[str, Any] = field(default_factory=dict)


Word = Found | Unknown | NotApplicable | Assumed
if TYPE_CHECKING:
    Check = Callable[[Context], Iterable[Word]]

CHECKS: dict[str, Check] = {}


def check(rule_id: str) -> Callable[[Check], Check]:
    """Make a function the code of a rule."""

    def register(function: Check) -> Check:
        if rule_id in CHECKS:
            raise ValueError(f"two functions for {rule_id}")
        CHECKS[rule_id] = function
        return function

    return register


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the files rules*.yaml and of their records."""
    files = sorted(resources.files("checks").iterdir(), key=lambda file: file.name)
    texts = [file.read_text("utf-8") for file in files if fnmatch(file.name, "rules*.yaml")]
    records = [_rule(item) for text in texts for item in yaml.load(text, _Loader)["rules"]]  # noqa: S506 (a safe loader)
    return {record.id: record for record in records}


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _rule(item: dict[str, Any]) -> Rule:
    return Rule(
        id=item["id"],
        title=item["title"],
        severity=Severity(item["severity"]),
        confidence=item["confidence"],
        why=item["why"].strip(),
        reference=item["reference"],
        examples=tuple(
            Example(**{**example, "also": tuple(example.get("also", ()))})
            for example in item.get("examples", [])
        ),
        needs=tuple(item.get("needs", ())),
    )
