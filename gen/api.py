# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of one interface of the kernel: a function, a structure, a macro, a constant.

What may differ from series to series has a range. Mainline series are compared as numbers. A
distribution's kernel may carry more than its series says (stable trees take interfaces back), never
less, so a range answers for the oldest point release of a series.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from gen.release import Release


@dataclass(frozen=True)
class Range:
    """The mainline series in which something holds, both ends included; None is open.

    `replacement` says what serves instead on the others.
    """

    since: Release | None = None
    until: Release | None = None
    replacement: str | None = None

    def __contains__(self, series: Release) -> bool:
        after = self.since is None or series >= self.since
        return after and (self.until is None or series <= self.until)


@dataclass(frozen=True)
class Member:
    """A struct member as a C declaration without its semicolon, and where it looks like that."""

    name: str
    text: str
    range: Range


@dataclass(frozen=True)
class Access:
    """A register access: `direction` is read or write, `width` in bits, `order` that of bytes."""

    direction: str
    width: int
    order: str = "little"


@dataclass(frozen=True)
class Lock:
    """How a lock is taken or given back: `variant` such as plain, irq, irqsave has to be the same.

    Who holds an `atomic` one must not sleep.
    """

    variant: str
    atomic: bool


@dataclass(frozen=True)
class Api:
    """A kernel interface; the fields are those of the table.

    `sleeps` is True, False, "gfp" (unless its flags forbid it) or None where it is no question.
    `fails` is never, errno, null, err-ptr or zero; before `fails_since` it never did. `expands` is
    what the parser's stub of a macro turns into, None where a use of it parses as it stands.

    `calls` has the role of each function that the kernel calls back, by parameter or member, such
    as probe, store or sys-off; for a notifier chain under "chain". `initialises` names what a call
    makes ready for use, `tells` the trigger whose presence it tells. `walk` is how a loop goes
    through a list: plain, safe (against deletion) or rcu; a change with rcu is safe under such
    loops. `waits` is the kind of lock whose holders a call waits for; `data` says that it sets or
    gets the driver's data of a device, `resets` that it calls the given function itself when it
    fails, `returns` which of its parameters it hands back. Up to a release,
    what it acquires may be managed if a function of `managed_with` made the device so.
    """

    name: str
    kind: str
    headers: Mapping[str, Range]
    range: Range
    prototype: str | None = None
    arch: bool = False
    params: tuple[str, ...] | None = None
    expands: str | None = None
    value: int | None = None
    members: tuple[Member, ...] = ()
    positions: tuple[str, ...] = ()
    sleeps: bool | str | None = None
    fails: str | None = None
    fails_since: Release | None = None
    must_check: bool = False
    acquires: str | None = None
    releases: str | None = None
    managed: str | None = None
    managed_with: Mapping[str, Range] = field(default_factory=dict)
    access: Access | None = None
    repeats: Access | None = None
    maps: str | None = None
    implies: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    lock: Lock | None = None
    initialises: str | None = None
    tells: str | None = None
    walk: str | None = None
    waits: str | None = None
    data: str | None = None
    resets: bool = False
    returns: str | None = None
    brought: Mapping[str, Range] = field(default_factory=dict)

    def beside(self, names: Container[str], release: Release) -> Api:
        """The interface as it is in a driver that calls functions of these names."""
        helped = any(name in names and release in span for name, span in self.managed_with.items())
        return replace(self, managed="pcim") if helped else self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of a function's parameters in order, as its prototype has them."""
        if self.prototype is None or not self.prototype.endswith(")"):
            return self.params or ()
        return _parameters(self.prototype.split(f"{self.name}(", 1)[1][:-1])


@cache  # there are as many as the table has functions
def _parameters(inner: str) -> tuple[str, ...]:
    return tuple(_parameter_name(text) for text in _split(inner))


def _split(text: str) -> list[str]:
    """Parameter declarations, split at the commas that are not inside parentheses."""
    return re.split(r",(?![^(]*\))", text)


def _parameter_name(text: str) -> str:
    pointer = re.search(r"\(\*\s*(\w+)\)", text)
    return pointer[1] if pointer else re.split(r"[\s*]+", text.strip())[-1]
