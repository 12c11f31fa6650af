# SPDX-License-Identifier: GPL-2.0-or-later
"""What stable trees take, by the kernel's Documentation/process/stable-kernel-rules.rst.

A rule that cannot be answered does not hold: a series counts as one for a stable tree only where
all is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.mail import is_whole
from gen.backport.records import Delta
from gen.backport.upstream import hunk_lines
from gen.diff.records import Action
from gen.release import PointRelease

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen.backport.records import Patch
    from gen.kernel import Kernel

LIMIT = 100  # lines of a patch, with context
_FIX = re.compile(r"Fixes: [0-9a-f]{8,}|Cc: .*\bstable@(vger\.)?kernel\.org", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z-]+: ")
_IDS = frozenset({"pci", "acpi", "of"})


@dataclass(frozen=True)
class Ruling:
    """Whether a rule holds for a patch, None where that is not known, and why."""

    rule: str
    holds: bool | None
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {'?' if self.holds is None else 'yes' if self.holds else 'no'}, " + (
            self.why)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A patch, its length in lines, what newer series have of it, and each rule."""

    patch: Patch
    lines: int
    newer: tuple[tuple[str, bool | None], ...]
    rulings: tuple[Ruling, ...]

    @property
    def fits(self) -> bool:
        """Whether a stable tree would take it."""
        return all(one.holds for one in self.rulings)


def judge_series(
    patches: Sequence[Patch], diffs: Sequence[str], newer: Sequence[Kernel]
) -> list[Judged]:
    """Hold each patch of a series against the rules.

    Args:
        patches: the series.
        diffs: the diff of each.
        newer: the series after the target's, oldest first.
    """
    found = []
    for patch, diff in zip(patches, diffs, strict=True):
        lines = len(hunk_lines(diff))
        has = tuple((kernel.series, _has(patch, kernel)) for kernel in newer)
        rulings = (*_upstream(patch), _purpose(patch), _length(lines), _newer(has))
        found.append(Judged(patch, lines, has, rulings))
    return found


def _upstream(patch: Patch) -> Iterator[Ruling]:
    """It is in mainline, and comes as its author wrote it."""
    commit, known = patch.commit, patch.upstream
    if is_whole(commit):
        yield Ruling("in mainline", holds=True, why=f"commit {commit}")
    elif commit:
        yield Ruling(
            "in mainline", holds=None, why=f"only the digits {commit} of the commit are known"
        )
    else:
        yield Ruling("in mainline", holds=None, why="no commit of mainline is known for it")
    if patch.delta is Delta.REWRITTEN:
        why = "the code is the backporter's own, not mainline's"
        why += "" if patch.basis else "; mainline's patch was not given (--upstream)"
        yield Ruling("author and tags kept", holds=False, why=why)
    elif known is None:
        why = "mainline's patch was not given (--upstream)"
        yield Ruling("author and tags kept", holds=None, why=why)
    else:
        count = sum(_TAG.match(line) is not None for line in known.trailers)
        yield Ruling("author and tags kept", holds=True, why=f"{known.author}; tags: {count}")


def _purpose(patch: Patch) -> Ruling:
    """A fix, or a new device id."""
    rule = "a fix or a device id"
    subjects = {(one.subject, one.action) for one in patch.changes}
    if subjects and all(kind in _IDS and what is Action.ADDED for kind, what in subjects):
        return Ruling(rule, holds=True, why="it adds a device id")
    known = patch.upstream or patch.basis
    told = [line for line in (known.trailers if known else ()) if _FIX.match(line)]
    if told:
        return Ruling(rule, holds=True, why=f"mainline says: {told[0]}")
    what = ", ".join(f"{one.path} {one.action}" for one in patch.changes) or (
        "what it does is not known")  # fmt: skip
    return Ruling(rule, holds=False, why=f"nothing says that it fixes something ({what})")


def _length(lines: int) -> Ruling:
    return Ruling(f"at most {LIMIT} lines", holds=lines <= LIMIT, why=f"{lines} with context")


def _has(patch: Patch, kernel: Kernel) -> bool | None:
    """Whether the newest release of a series has it."""
    return None if patch.arrival is None else PointRelease(kernel.release) in patch.arrival


def _newer(has: Sequence[tuple[str, bool | None]]) -> Ruling:
    rule = "in every newer tree"
    if any(one is None for _, one in has):
        return Ruling(rule, holds=None, why="the spec does not tell since when mainline has it")
    lacking = [f"{series}.y" for series, one in has if not one]
    if lacking:
        return Ruling(rule, holds=False, why=f"{', '.join(lacking)} would have to get it first")
    return Ruling(
        rule, holds=True, why=", ".join(f"{series}.y" for series, _ in has) or "there is none"
    )
