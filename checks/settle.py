# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings count: all but those that a comment or a baseline allows.

A comment or an entry that allows nothing is told, unless its rule did not come to a verdict.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.baseline import allowance
from checks.fingerprint import Finding
from checks.rule import Verdict
from checks.suppress import CONTROL, stale

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.baseline import Baseline
    from checks.rule import Judgement
    from checks.suppress import Allowed, Comment
    from gen.diagnostics import Diagnostic


@dataclass(frozen=True)
class Suppressed:
    """A finding that does not count, and why."""

    finding: Finding
    allowed: Allowed


@dataclass(frozen=True)
class Settled:
    """The findings that count and those that do not."""

    counted: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]


def settle(
    found: Iterable[Finding],
    comments: Iterable[Comment],
    baseline: Baseline,
    judged: Iterable[Judgement],
) -> Settled:
    """Part the findings, and add a remark for each suppression that suppresses nothing."""
    comments, entries = list(comments), {entry.fingerprint: entry for entry in baseline.entries}
    counted: list[Finding] = []
    suppressed: list[Suppressed] = []
    for one in found:
        covering = [item.allowed for item in comments if item.covers(one.item)]
        entry = entries.get(one.fingerprint)
        if entry is not None and entry.rule == one.item.rule:
            covering.append(allowance(entry))
        if covering:
            suppressed += [Suppressed(one, allowed) for allowed in covering]
        else:
            counted.append(one)
    used = {(item.finding.item.rule, _place(item.allowed)) for item in suppressed}
    undecided = {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}
    open_ = {item.rule.id for item in judged if item.verdict in undecided}
    allowing = [(item.rule, item.allowed) for item in comments]
    allowing += [(entry.rule, allowance(entry)) for entry in baseline.entries]
    counted += [
        _remark(stale(rule, allowed.span))
        for rule, allowed in allowing
        if (rule, _place(allowed)) not in used and rule not in open_
    ]
    counted += [_remark(problem) for problem in baseline.problems]
    return Settled(tuple(counted), tuple(_once(suppressed)))


def _once(suppressed: list[Suppressed]) -> Iterable[Suppressed]:
    """Each finding with the first of its reasons."""
    return {(s.finding.fingerprint, s.finding.item.rule): s for s in reversed(suppressed)}.values()


def _place(allowed: Allowed) -> tuple[str, int, int]:
    return (allowed.span.source.name, allowed.span.line, allowed.span.column)


def _remark(item: Diagnostic) -> Finding:
    return Finding(item, "", item.span.source.name)


def amend(
    judgements: Iterable[Judgement], counted: Iterable[Finding], quiet: str
) -> tuple[Judgement, ...]:
    """The judgements when only some findings count; `quiet` says why the others do not."""
    left = Counter(one.item.rule for one in counted)
    return tuple(_amended(item, left, quiet) for item in judgements)


def _amended(item: Judgement, left: Counter[str], quiet: str) -> Judgement:
    if item.verdict is Verdict.FAIL and not left[item.rule.id]:
        return replace(item, verdict=Verdict.PASS, why=quiet)
    if item.rule.id in CONTROL and left[item.rule.id]:
        return replace(item, verdict=Verdict.FAIL, why=f"{left[item.rule.id]} of them")
    return item
