# SPDX-License-Identifier: GPL-2.0-or-later
"""The drivers that a source registers with buses: ids, resources, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kconfiglib

from checks.match import ACPI_DRIVER, PCI_DRIVER, PLATFORM_DRIVER, unit_of
from gen.diff.records import Fact, Item, Unknown
from gen.frontend import ResourceKind
from gen.kconfig import symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import Call, DriverFacts, KconfigFact, Object, UnitFacts, Value
    from gen.source import Source, Span

BUSES = {PLATFORM_DRIVER: "platform", PCI_DRIVER: "pci", ACPI_DRIVER: "acpi"}
# The tables of ids: the member of the driver's structure, the kind of item, the entry's member.
TABLES = (("driver.acpi_match_table", "acpi", "id"), ("ids", "acpi", "id"),
          ("driver.of_match_table", "of", "compatible"))  # fmt: skip


class Frontends:
    """All frontends of a driver; what cannot be told is added to `unknown`.

    In a file that is `torn` there may be more drivers than are seen.
    """

    def __init__(
        self,
        facts: DriverFacts,
        core: UnitFacts,
        unknown: list[Unknown],
        torn: frozenset[Source],
    ) -> None:
        self.facts, self.core, self.unknown, self.torn = facts, core, unknown, torn
        self.drivers = [one for type_ in BUSES for one in facts.objects(type_)]

    def bars(self) -> dict[str, int]:
        """The BAR that each PCI driver maps, by the driver's name."""
        return {name: int(bar.value) for one in self.drivers
                if (bar := self._bar(one)) and (name := self._name(one))}  # fmt: skip

    def kinds(self) -> frozenset[ResourceKind]:
        """The kinds of resource that platform drivers map."""
        drivers = [one for one in self.drivers if one.type != PCI_DRIVER]
        return frozenset(kind for one in drivers for kind in self._maps(one))

    def ids(self) -> dict[str, tuple[str, ...]]:
        """The ids in all tables that are known, by the kind of table."""
        found: dict[str, dict[str, None]] = {"acpi": {}, "of": {}}
        for member, kind, key in TABLES:
            for entry in (entry for one in self.drivers for entry in self._entries(one, member)):
                if (value := entry.get(key)) and value.text:
                    found[kind][value.text] = None
        return {kind: tuple(texts) for kind, texts in found.items()}

    def items(self) -> Iterator[Item]:
        """Each frontend, followed by what belongs to it."""
        if not self.drivers:
            self._miss("frontend", "", "no driver structure of a known bus", self.core.file.start)
        for driver in self.drivers:
            yield from self._frontend(driver)

    def _miss(self, path: str, key: str, why: str, at: Span) -> None:
        self.unknown.append(Unknown(path, key, why, at))

    def _name(self, driver: Object) -> str | None:
        """What a driver is called; None where its text does not tell."""
        value = driver.fields.get("driver.name") or driver.fields.get("name")
        return value.text if value else None

    def _frontend(self, driver: Object) -> Iterator[Item]:
        name, unit = self._name(driver), unit_of(self.facts, driver)
        if name is None:
            why = f"what the driver of {driver.name} is called is not known"
            self._miss("frontend", "name", why, driver.span)
            return
        path = f"frontend[{name}]"
        facts = {"bus": Fact(BUSES[driver.type], driver.span)}
        module = driver.file.path.stem
        if module != name:
            facts["module"] = Fact(module, driver.span)
        for key in ("description", "author"):
            marks = [m.value for m in (unit.marks if unit else ()) if m.kind == key]
            if marks and marks[0].text is not None:
                facts[key] = Fact(marks[0].text, marks[0].span)
            else:
                self._miss(path, key, f"no MODULE_{key.upper()} that is a text", driver.span)
        facts["attributes"] = self._attributes(driver)
        if driver.type == PCI_DRIVER:
            bar = self._bar(driver)
            if bar:
                facts["bar"] = bar
            else:
                self._miss(path, "bar", "no single mapping of a BAR of a known number", driver.span)
        yield Item("frontend", name, driver.span, facts, ("bus", "description"))
        yield from self._ids(driver, path)
        if driver.type != PCI_DRIVER:
            yield from self._resources(driver, path)
        yield from self._kconfig(driver, path)

    def _attributes(self, driver: Object) -> Fact:
        """Whether the bus creates the devices' attributes from the member where they stand."""
        members = self.facts.kernel.members(PCI_DRIVER) if driver.type == PCI_DRIVER else {}
        right = "dev_groups" if "dev_groups" in members else "driver.dev_groups"
        value = driver.fields.get(right)
        return Fact("shown" if value else "not shown", value.span if value else driver.span)

    def _ids(self, driver: Object, path: str) -> Iterator[Item]:
        for member, kind, key in TABLES:
            for entry in self._entries(driver, member):
                value = entry.get(key)
                if value is not None and value.text:
                    yield Item(kind, value.text, value.span, owner=path)
                else:
                    self._miss(path, kind, "an id that is no literal", driver.span)
        if driver.type == PCI_DRIVER:
            for entry in self._entries(driver, "id_table"):
                vendor, device = entry.get("vendor"), entry.get("device")
                if vendor and device and vendor.number is not None and device.number is not None:
                    name = f"{vendor.number:04x}:{device.number:04x}"
                    yield Item("pci", name, device.span, owner=path)
                else:
                    self._miss(path, "pci", "an id whose value is not known", driver.span)

    def _entries(self, driver: Object, member: str) -> list[Mapping[str, Value]]:
        value = driver.fields.get(member)
        table = self.facts.object(value.name, driver.file) if value else None
        return [entry.fields for entry in table.entries if not entry.empty] if table else []

    def _calls(self, driver: Object) -> list[Call]:
        """The calls that the driver's callbacks can reach within its file."""
        unit = unit_of(self.facts, driver)
        if unit is None:
            return []
        todo = [value.name for value in driver.fields.values() if value.name]
        reached: set[str] = set()
        while todo:
            name = todo.pop()
            if name in unit.functions and name not in reached:
                reached.add(name)
                for call in unit.calls:
                    if call.function == name:
                        todo += [call.name, *(one.name for one in call.arguments if one.name)]
        return [call for call in unit.calls if call.function in reached]

    def _bar(self, driver: Object) -> Fact | None:
        values = [call.named["bar"] for call in self._calls(driver)
                  if "bar" in call.named and self._acquires(call.name) == "iomap"]  # fmt: skip
        numbers = {value.number for value in values}
        if driver.type != PCI_DRIVER or len(numbers) != 1 or None in numbers:
            return None
        return Fact(str(values[0].number), values[0].span)

    def _acquires(self, name: str) -> str | None:
        api = self.facts.kernel.table.get(name)
        return api.acquires if api else None

    def _maps(self, driver: Object) -> dict[ResourceKind, Span]:
        table = self.facts.kernel.table
        found: dict[ResourceKind, Span] = {}
        for call in self._calls(driver):
            maps = table[call.name].maps if call.name in table else None
            if maps:
                found.setdefault(ResourceKind(maps), call.callee)
        return found

    def _resources(self, driver: Object, path: str) -> Iterator[Item]:
        found = self._maps(driver)
        if not found:
            self._miss(path, "resources", "no mapping of a resource is seen", driver.span)
        for kind in ResourceKind:
            if kind in found:
                yield Item("resource", kind.value, found[kind], owner=path)

    # Kconfig

    def _option(self, driver: Object) -> str | None:
        stem = driver.file.path.stem
        options = {one.option for one in self.facts.makefile or () if one.name == f"{stem}.o"}
        return next(iter(options)) if len(options) == 1 else None

    def _kconfig(self, driver: Object, path: str) -> Iterator[Item]:
        option = self._option(driver)
        if option and [self._option(one) for one in self.drivers].count(option) > 1:
            return  # one symbol builds several drivers: it is the whole device's
        if not self.facts.kconfig:
            self._miss(f"{path}.kconfig", "", "no Kconfig is among the files", driver.span)
            return
        if driver.file.source in self.torn:
            why = "whether its option builds one more driver is not known, since its file is torn"
            self._miss(f"{path}.kconfig", "", why, driver.span)
            return
        fact = next((one for one in self.facts.kconfig or () if one.name == option), None)
        if fact is None:
            why = (
                f"no Kconfig entry for {option}"
                if option
                else "no Makefile says which option builds it"
            )
            self._miss(f"{path}.kconfig", "", why, driver.span)
        else:
            yield _symbol(fact, path)

    def core_kconfig(self, name: str) -> Iterator[Item]:
        """The symbol that all frontends depend on."""
        known = {one.name: one for one in self.facts.kconfig or ()}
        options = {self._option(driver) for driver in self.drivers}
        used = [known[one] for one in options if one in known]
        above = [symbols(one.depends) for one in used]
        shared = set.intersection(*above) & known.keys() if above else set()
        alone = len(used) == 1 and not self.torn
        shared = shared or ({one.name for one in used} if alone else set())
        if len(shared) == 1:
            yield _symbol(known[shared.pop()], "")
        else:
            self._miss("kconfig", "", f"no symbol that all frontends of {name} depend on",
                       self.core.file.start)  # fmt: skip


def _symbol(fact: KconfigFact, owner: str) -> Item:
    facts = {"symbol": Fact(fact.name, fact.span), "type": Fact(fact.type, fact.type_span)}
    if fact.prompt:
        facts["prompt"] = Fact(fact.prompt, fact.span)
    depends = kconfiglib.expr_str(fact.depends)
    if depends != "y":
        facts["depends"] = Fact(depends, fact.depends_span or fact.span)
    return Item("kconfig", "", fact.span, facts, owner=owner)
