# SPDX-License-Identifier: GPL-2.0-or-later
"""Judged mutants as text and as JSON."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.mutants.judge import Baseline, Outcome, Subject, Verdict
from tests.mutants.text import changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.mutants.operators import Mutant

BAR = 0.97


def rate(outcomes: Iterable[Outcome]) -> float:
    """The share of mutants that were killed by name, among those that do harm."""
    counted = [item for item in outcomes if item.verdict is not Verdict.EQUIVALENT]
    killed = sum(item.verdict is Verdict.KILLED for item in counted)
    return killed / len(counted) if counted else 0.0


def matrix(outcomes: Iterable[Outcome]) -> str:
    """One line for each operator: verdicts, and how often each rule named its mutants."""
    table: dict[str, list[Outcome]] = {}
    for item in outcomes:
        table.setdefault(item.operator, []).append(item)
    head = f"{'operator':32} {'mutants':>7} {'killed':>6} {'acc.':>4} {'surv.':>5} {'equiv.':>6}"
    lines = [f"{head}  named by"]
    for name, items in table.items():
        count = Counter(item.verdict for item in items)
        rules = Counter(rule for item in items for rule in item.named)
        text = ", ".join(f"{rule} {number}" for rule, number in sorted(rules.items()))
        lines.append(
            f"{name:32} {len(items):7} {count[Verdict.KILLED]:6} {count[Verdict.ACCIDENT]:4} "
            f"{count[Verdict.SURVIVED]:5} {count[Verdict.EQUIVALENT]:6}  {text}"
        )
    return "\n".join(lines)


def rates(outcomes: list[Outcome], loud: Mapping[str, Baseline]) -> str:
    """Kill rates by family and driver, and over all."""
    lines = [f"{'family':24} {'driver':14} {'killed':>6} {'of':>5}  rate"]
    keys = dict.fromkeys((item.family, item.driver) for item in outcomes)
    for family, driver in [*keys, *(("all", name) for name in dict.fromkeys(d for _, d in keys)),
                           ("all", "all")]:  # fmt: skip
        some = [item for item in outcomes
                if family in {"all", item.family} and driver in {"all", item.driver}]  # fmt: skip
        counted = [item for item in some if item.verdict is not Verdict.EQUIVALENT]
        killed = sum(item.verdict is Verdict.KILLED for item in counted)
        silent = driver not in loud
        text = f"{rate(some):6.1%}" if silent else "  0.0%, as it is not silent unmutated"
        lines.append(f"{family:24} {driver:14} {killed:6} {len(counted):5} {text}")
    return "\n".join(lines)


def difference(subject: Subject, mutant: Mutant) -> str:
    """What a mutant changes."""
    file = next(f for f in subject.driver.files if f.path == mutant.change.file)
    return "\n".join(
        difflib.unified_diff(
            file.text.splitlines(),
            changed(file.text, mutant.change).text.splitlines(),
            f"a/{file.path}",
            f"b/{file.path}",
            n=2,
            lineterm="",
        )
    )


def leftovers(work: list[tuple[Subject, Mutant, Baseline]], outcomes: list[Outcome]) -> str:
    """Each mutant that was not killed, with its change and the reason if it does no harm."""
    parts = []
    for (subject, mutant, _), outcome in zip(work, outcomes, strict=True):
        if outcome.verdict is Verdict.KILLED:
            continue
        said = f" (said: {', '.join(outcome.other)})" if outcome.other else ""
        wanted = ", ".join(sorted(mutant.operator.rules))
        parts.append(f"{outcome.verdict}: {outcome.driver}:{outcome.mutant}{said}")
        if outcome.verdict is Verdict.EQUIVALENT:
            parts.append(f"  {outcome.note}")
        else:
            parts.append(f"  {mutant.operator.mistake} Wanted: {wanted}.")
        parts.append(difference(subject, mutant))
    return "\n".join(parts)


def as_data(
    outcomes: list[Outcome], baselines: Mapping[str, Baseline], seconds: float
) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "bar": BAR,
        "rate": rate(outcomes),
        "seconds": round(seconds, 1),
        "unmutated": {name: list(item.errors) for name, item in baselines.items()},
        "mutants": [asdict(item) | {"verdict": str(item.verdict)} for item in outcomes],
    }
