# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator is: one kind of mistake, where it can be made, and which rules name it.

An operator is a function from a driver to changes. Its docstring says what the mistake does to a
user of the driver; a mistake that has no such effect is listed as equivalent, with the reason.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mutants.text import Driver, Place

Find = Callable[["Driver"], Iterable[Change]]


class Family(enum.StrEnum):
    """What a mistake is about."""

    FACTS = "device facts"
    TABLES = "tables and metadata"
    LOCKING = "locking and context"
    RESOURCES = "resources and errors"
    PORTABILITY = "portability"


@dataclass(frozen=True)
class Operator:
    """A kind of mistake.

    `rules` are the ids of the rules that name it. A finding has to stand in the changed function or
    declaration; `elsewhere` says why another place is right for this mistake. `absent` has, by
    driver, why the mistake cannot be made there, `equivalent`, by mutant, why it does no harm.
    `breaks` says which kernel's compiler would refuse the result.
    """

    name: str
    family: Family
    rules: frozenset[str]
    mistake: str
    find: Find = field(repr=False)
    elsewhere: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    equivalent: Mapping[str, str] = field(default_factory=dict)
    breaks: str = ""

    def named_by(self, rule: str) -> bool:
        """Whether a rule's finding names this mistake."""
        return rule in self.rules


@dataclass(frozen=True)
class Mutant:
    """A driver with one mistake."""

    name: str
    operator: Operator
    driver: str
    change: Change

    @property
    def equivalent(self) -> str:
        """Why this mutant does what the driver does, or an empty string."""
        for pattern, reason in self.operator.equivalent.items():
            if re.fullmatch(pattern, f"{self.driver}:{self.name}"):
                return reason
        return ""


OPERATORS: dict[str, Operator] = {}


def add(
    name: str,
    family: Family,
    rules: str,
    mistake: str,
    find: Find,
    *,
    elsewhere: str = "",
    absent: Mapping[str, str] | None = None,
    equivalent: Mapping[str, str] | None = None,
    breaks: str = "",
) -> None:
    """Enter an operator; `rules` are ids with blanks between them."""
    if name in OPERATORS:
        raise ValueError(f"two operators are called {name}")
    OPERATORS[name] = Operator(
        name, family, frozenset(rules.split()), mistake, find, elsewhere,
        absent or {}, equivalent or {}, breaks,
    )  # fmt: skip


def operator(
    name: str,
    family: Family,
    rules: str,
    *,
    elsewhere: str = "",
    absent: Mapping[str, str] | None = None,
    equivalent: Mapping[str, str] | None = None,
    breaks: str = "",
) -> Callable[[Find], Find]:
    """Make a function an operator; its docstring is the mistake."""

    def enter(find: Find) -> Find:
        mistake = " ".join((find.__doc__ or "").split())
        add(name, family, rules, mistake, find, elsewhere=elsewhere, absent=absent,
            equivalent=equivalent, breaks=breaks)  # fmt: skip
        return find

    return enter


def mutants(driver: Driver, family: Family | None = None) -> Iterator[Mutant]:
    """Every operator at every place of a driver, each result once."""
    for item in OPERATORS.values():
        if family in {None, item.family} and driver.name not in item.absent:
            yield from of_operator(driver, item)


def of_operator(driver: Driver, item: Operator) -> list[Mutant]:
    """One operator's mutants; several are told apart by a note or a number."""
    changes = list(dict.fromkeys(_with_header(change) for change in item.find(driver)))
    labels = [change.note for change in changes]
    found = []
    for number, change in enumerate(changes, 1):
        label = change.note
        if len(changes) > 1 and (not label or labels.count(label) > 1):
            label = f"{label}{'-' if label else ''}{number}"
        found.append(Mutant(f"{item.name}{'/' if label else ''}{label}", item, driver.name, change))
    return found


# Whoever calls another function includes its header, too.
_HEADERS = (
    (r"\bmsleep\(", "linux/delay.h"),
    (r"\bk(?:free|zalloc|malloc)\(", "linux/slab.h"),
    (r"\b(?:sn?|scn|kas)printf\(|\bsscanf\(", "linux/kernel.h"),
    (r"\bsynchronize_rcu\(", "linux/rcupdate.h"),
)


def _with_header(change: Change) -> Change:
    if change.file.suffix == ".c":
        for pattern, header in _HEADERS:
            if re.search(pattern, change.text):
                return replace(change, header=header)
    return change


# What most operators are made of.


def callee(pattern: str, to: str, note: str = "") -> Find:
    """Call another function; `to` may refer to groups of the pattern."""
    return lambda driver: [
        place.field("function").replace(
            re.sub(pattern, to, str(place.field("function"))), note or place.function
        )
        for place in driver.calls(pattern)
    ]


def argument(pattern: str, index: int, to: str, note: str = "") -> Find:
    """Call with another argument; `{}` stands for the one that is there."""
    return lambda driver: [
        place.arguments[index].replace(to.format(place.arguments[index]), note or place.function)
        for place in driver.calls(pattern)
        if str(place.arguments[index]) != to
    ]


def dropped(pattern: str) -> Find:
    """Do not call."""
    return lambda driver: [
        place.statement.drop(place.function or str(place.arguments[-1]))
        for place in driver.calls(pattern)
    ]


def both(*finds: Find) -> Find:
    """The changes of several."""
    return lambda driver: [change for find in finds for change in find(driver)]


def replaced(places: Callable[[Driver], Iterable[Place]], to: str, note: str = "") -> Find:
    """Other text at places; `{}` stands for what is there."""
    return lambda driver: [
        place.replace(to.format(place), note or place.function) for place in places(driver)
    ]
