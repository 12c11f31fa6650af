# SPDX-License-Identifier: GPL-2.0-or-later
"""What was played so far: a line of JSON for each act, written as soon as it is over.

A run that is ended keeps what it has, and the next one plays what is missing. The first line says
what was tortured with what; results of another driver, kernel or guest program are put away.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tests.torture.acts import Result

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """One driver in one kernel; `key` changes with the sources of all that runs in the guest."""

    series: str
    driver: str
    sanitizer: str
    release: str
    key: str

    @property
    def name(self) -> str:
        """For files and messages."""
        return f"{self.series}-{self.sanitizer}-{self.driver}"


@dataclass
class Record:
    """The results on one subject and the file that holds them."""

    file: Path
    subject: Subject
    results: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Keep a result, in place of an older one of the same act."""
        self.results = [r for r in self.results if r.act != result.act] + [result]
        with self.file.open("a", encoding="utf-8") as file:
            file.write(_line(asdict(result)))

    def has(self, act: str, *, again: bool) -> bool:
        """Whether an act was played; `again` takes only those that went well for it."""
        return any(r.act == act and (r.passed or not again) for r in self.results)


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def read(file: Path) -> Record:
    """A record as it lies on the disk. A last line that was cut short does not count."""
    first, *rest = file.read_text(encoding="utf-8").split("\n")
    record = Record(file, Subject(**json.loads(first)))
    found: dict[str, Result] = {}
    for line in rest[:-1]:
        values = json.loads(line)
        found.pop(values["act"], None)
        found[values["act"]] = Result(**{**values, "reports": tuple(values["reports"])})
    record.results = list(found.values())
    return record


def take_up(directory: Path, subject: Subject) -> Record:
    """The record of a subject: what there is of the very same one, or a new one."""
    file = directory / f"{subject.name}.jsonl"
    if file.is_file():
        record = read(file)
        if record.subject == subject:
            whole = _line(asdict(subject)) + "".join(_line(asdict(r)) for r in record.results)
            file.write_text(whole, encoding="utf-8")
            return record
        file.rename(file.with_suffix(".old"))
    directory.mkdir(parents=True, exist_ok=True)
    file.write_text(_line(asdict(subject)), encoding="utf-8")
    return Record(file, subject)
