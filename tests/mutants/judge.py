# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker on each mutant: did it name the mistake, in the changed function?"""

from __future__ import annotations

import enum
import multiprocessing
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.run import check_paths
from checks.tree import Role
from gen.diagnostics import Severity
from tests.mutants.text import Text, changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.diagnostics import Diagnostic
    from gen.kernel import Kernel
    from gen.model import Device
    from tests.mutants.operators import Mutant
    from tests.mutants.text import Changed, Driver


class Verdict(enum.StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    ACCIDENT = "killed by accident"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True)
class Subject:
    """A driver with what it is checked against."""

    driver: Driver
    device: Device
    kernel: Kernel


@dataclass(frozen=True)
class Outcome:
    """A judged mutant: the rules that named the mistake, and what else the checker said."""

    driver: str
    mutant: str
    operator: str
    family: str
    verdict: Verdict
    named: tuple[str, ...]
    other: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Baseline:
    """What the checker says to the unchanged driver."""

    findings: Counter[tuple[str, str]]
    errors: tuple[str, ...]


def unpack(driver: Driver, directory: Path) -> Path:
    """The driver's files and nothing else, below a directory."""
    for file in driver.files:
        target = directory / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text, encoding="utf-8")
    documents = driver.root / "Documentation"
    if documents.is_dir() and not (driver.root / "drivers").is_dir():
        shutil.copytree(documents, directory / "Documentation", dirs_exist_ok=True)
    return directory


def findings(subject: Subject, directory: Path) -> list[Diagnostic]:
    """What the checker says to the driver in a directory, its notes left out."""
    report = check_paths([directory], subject.device, subject.kernel)
    return [item for item in report.findings if item.severity is not Severity.NOTE]


def baseline(subject: Subject) -> Baseline:
    """The verdict on the unchanged driver."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        found = findings(subject, unpack(subject.driver, Path(name)))
    errors = [f"{i.span.source.name}:{i.span.line}: {i.rule} {i.message}" for i in found
              if i.severity is Severity.ERROR]  # fmt: skip
    keys = Counter((item.rule, item.message) for item in found)
    return Baseline(keys, tuple(error.removeprefix(name).lstrip("/") for error in errors))


def _lines(file: Text, change: Changed) -> set[int]:
    """The lines of the items that a change touches; `file` has the changed text."""
    end = change.end
    if file.role is Role.MAKEFILE:
        return set(range(1, file.text.count("\n") + 2))
    if file.role is Role.KCONFIG:
        starts = [match.start() for match in re.finditer(r"^config ", file.text, re.MULTILINE)]
        first = max((start for start in starts if start <= change.start), default=0)
        last = min((start for start in starts if start > end), default=len(file.text))
        return set(_range(file.text, first, last))
    found: set[int] = set()
    for node in file.items():
        if node.start_byte <= end and node.end_byte >= change.start:
            found |= set(_range(file.text, node.start_byte, node.end_byte))
            name = node.child_by_field_name("name")
            if node.type == "preproc_def" and name is not None:
                found |= _uses(file, file.of(name))
    return found


def _range(text: str, start: int, end: int) -> range:
    return range(text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 2)


def _uses(file: Text, name: str) -> set[int]:
    """A wrong macro may be told where it is used."""
    return {
        file.text.count("\n", 0, match.start()) + 1
        for match in re.finditer(rf"\b{name}\b", file.text)
    }


def _in_place(item: Diagnostic, path: Path, lines: set[int]) -> bool:
    spans = (item.span, *(related.span for related in item.related))
    return any(span.source.name == str(path) and span.line in lines for span in spans)


def judge(subject: Subject, mutant: Mutant, directory: Path, before: Baseline) -> Outcome:
    """Check one mutant in a copy of its driver, which is as before afterwards."""
    change = mutant.change
    original = next(file for file in subject.driver.files if file.path == change.file)
    after = changed(original.text, change)
    file = Text(original.path, original.role, after.text)
    path = directory / change.file
    path.write_text(file.text, encoding="utf-8")
    try:
        found = findings(subject, directory)
    finally:
        path.write_text(original.text, encoding="utf-8")
    left = before.findings.copy()
    new = []
    for item in found:
        key = (item.rule, item.message)
        if left[key] > 0:
            left[key] -= 1
        else:
            new.append(item)
    lines = _lines(file, after)
    rule = mutant.operator
    named = {i.rule for i in new if rule.named_by(i.rule)
             and (rule.elsewhere or _in_place(i, path, lines))}  # fmt: skip
    other = {i.rule for i in new} - named
    return _outcome(mutant, named, other)


def _outcome(mutant: Mutant, named: set[str], other: set[str]) -> Outcome:
    verdict, note = Verdict.SURVIVED, ""
    if named:
        verdict = Verdict.KILLED
    elif mutant.equivalent:
        verdict, note = Verdict.EQUIVALENT, mutant.equivalent
    elif other:
        verdict = Verdict.ACCIDENT
    return Outcome(mutant.driver, mutant.name, mutant.operator.name, str(mutant.operator.family),
                   verdict, tuple(sorted(named)), tuple(sorted(other)), note)  # fmt: skip


_WORK: list[tuple[Subject, Mutant, Baseline]] = []


def _chunk(numbers: Sequence[int]) -> list[Outcome]:
    """A worker's share; one copy of a driver serves all of its mutants."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        places: dict[str, Path] = {}
        for number in numbers:
            subject, mutant, before = _WORK[number]
            if subject.driver.name not in places:
                place = Path(name) / subject.driver.name
                places[subject.driver.name] = unpack(subject.driver, place)
            outcomes.append(judge(subject, mutant, places[subject.driver.name], before))
    return outcomes


def judge_all(work: Iterable[tuple[Subject, Mutant, Baseline]], jobs: int) -> list[Outcome]:
    """Judge mutants in several processes, in their order."""
    _WORK[:] = work
    size = 8
    shares = [range(i, min(i + size, len(_WORK))) for i in range(0, len(_WORK), size)]
    # Operators hold functions, which only a forked process has without being sent them.
    with multiprocessing.get_context("fork").Pool(max(jobs, 1)) as pool:
        return [outcome for share in pool.imap(_chunk, shares) for outcome in share]
