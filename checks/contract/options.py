# SPDX-License-Identifier: GPL-2.0-or-later
"""The Kconfig symbols of a driver: those that build its modules, what they need, and the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kconfiglib

from gen.diff.records import Fact, Item, Unknown
from gen.kconfig import symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import DriverFacts, KconfigFact, Object
    from gen.source import Source, Span


class Options:
    """The options that decide what is built of a driver; what cannot be told goes to `unknown`.

    `paths` are the frontends of the drivers, by the identity of the driver's structure.
    """

    def __init__(
        self,
        facts: DriverFacts,
        drivers: list[Object],
        paths: Mapping[int, str],
        unknown: list[Unknown],
        torn: frozenset[Source],
    ) -> None:
        self.facts, self.drivers, self.paths = facts, drivers, paths
        self.unknown, self.torn = unknown, torn
        self.known = {one.name: one for one in facts.kconfig or ()}

    def _miss(self, path: str, why: str, at: Span) -> None:
        self.unknown.append(Unknown(path, "", why, at))

    def _option(self, driver: Object) -> str | None:
        """The option that builds a driver; None if none is known, or several are."""
        stem = driver.file.path.stem
        options = {one.option for one in self.facts.makefile or () if one.name == f"{stem}.o"}
        return next(iter(options)) if len(options) == 1 else None

    def _shared(self, option: str) -> list[Object]:
        return [one for one in self.drivers if self._option(one) == option]

    def own(self, driver: Object, path: str) -> Iterator[Item]:
        """The symbol of one driver alone."""
        option = self._option(driver)
        if option and len(self._shared(option)) > 1:
            return  # it is that of several, or of the whole device
        if not self.facts.kconfig:
            self._miss(f"{path}.kconfig", "no Kconfig is among the files", driver.span)
            return
        if driver.file.source in self.torn:
            why = "its file was not read in full, so that its option may build one more driver"
            self._miss(f"{path}.kconfig", why, driver.span)
            return
        fact = self.known.get(option or "")
        if fact is None:
            why = (
                f"no Kconfig entry for {option}"
                if option
                else "no Makefile says which option builds it"
            )
            self._miss(f"{path}.kconfig", why, driver.span)
        else:
            yield _symbol(fact, path)

    def others(self) -> Iterator[Item]:
        """The symbols that build several drivers, and those below the core's that build none."""
        core, options = self._core(), [self._option(driver) for driver in self.drivers]
        sure = None not in options and not self.torn
        for option in dict.fromkeys(one for one in options if one):
            shared = [self.paths[id(one)] for one in self._shared(option) if id(one) in self.paths]
            if len(shared) > 1 and option in self.known and option != core and sure:
                yield _symbol(self.known[option], " and ".join(shared))
        built = {one.option for one in self.facts.makefile or ()}
        for name, fact in self.known.items():
            if core and sure and name not in built and core in symbols(fact.depends):
                yield _symbol(fact, "nothing")

    def core(self, name: str, at: Span) -> Iterator[Item]:
        """The symbol that all frontends depend on; `name` is the device's."""
        core = self._core() or self._called(name)
        if core is not None:
            yield _symbol(self.known[core], "")
        else:
            self._miss("kconfig", f"no symbol that all frontends of {name} depend on", at)

    def _core(self) -> str | None:
        """The symbol that all drivers depend on, or the only one beside theirs that one does."""
        options = {self._option(driver) for driver in self.drivers}
        used = [self.known[one] for one in options if one in self.known]
        above = [symbols(one.depends) for one in used]
        shared = set.intersection(*above) & self.known.keys() if above else set()
        if not shared and len(used) == 1 and not self.torn:
            shared = {one.name for one in used}
        if not shared and above:
            shared = (set.union(*above) & self.known.keys()) - options
        return shared.pop() if len(shared) == 1 else None

    def _called(self, name: str) -> str | None:
        """The symbol of the device's name that builds no driver by itself."""
        symbol = name.upper()
        used = {self._option(driver) for driver in self.drivers}
        return symbol if symbol in self.known and symbol not in used and any(used) else None


def _symbol(fact: KconfigFact, owner: str) -> Item:
    facts = {"symbol": Fact(fact.name, fact.span), "type": Fact(fact.type, fact.type_span)}
    if fact.prompt:
        facts["prompt"] = Fact(fact.prompt, fact.span)
    depends = kconfiglib.expr_str(fact.depends)
    if depends != "y":
        facts["depends"] = Fact(depends, fact.depends_span or fact.span)
    for key, clause in fact.clauses.items():
        facts[key] = Fact(clause.text or "", clause.span)
    return Item("kconfig", "", fact.span, facts, owner=owner)
