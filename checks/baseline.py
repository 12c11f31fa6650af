# SPDX-License-Identifier: GPL-2.0-or-later
"""What a baseline of the checker accepts, and what is wrong with entries that accept nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.suppress import Allowed, malformed, unusable
from gen.baseline import read_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gen.baseline import Entry
    from gen.diagnostics import Diagnostic

NAME = ".pvgen-baseline.yaml"


@dataclass(frozen=True)
class Baseline:
    """The entries that accept something, and why the others do not."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def read_baselines(places: Iterable[Path]) -> Baseline:
    """All entries of several baselines.

    Raises:
        BaselineError: one of them is none.
    """
    entries, problems = [], []
    for entry in (entry for place in places for entry in read_baseline(place)):
        problem = unusable(entry.rule, entry.at)
        if problem is None and not entry.reason:
            problem = malformed("this accepts nothing: it has no reason", entry.at, None)
        if problem is None:
            entries.append(entry)
        else:
            problems.append(problem)
    return Baseline(tuple(entries), tuple(problems))


def allowance(entry: Entry) -> Allowed:
    """Why the finding of an entry does not count."""
    return Allowed("external", entry.reason, entry.at)
