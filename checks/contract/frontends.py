# SPDX-License-Identifier: GPL-2.0-or-later
"""The drivers that a source registers with buses: ids, resources, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract.observed import Observed
from checks.contract.options import Options
from checks.contract.registers import shifted
from checks.match import ACPI_DRIVER, PCI_DRIVER, PLATFORM_DRIVER, unit_of
from gen.diff.directions import REFUSES
from gen.diff.pci import ANY, Claim
from gen.diff.records import Fact, Item, Unknown
from gen.frontend import ResourceKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from checks.facts import Call, DriverFacts, Entry, Object, UnitFacts
    from gen.source import Source, Span

BUSES = {PLATFORM_DRIVER: "platform", PCI_DRIVER: "pci", ACPI_DRIVER: "acpi"}
# The tables of ids: the member of the driver's structure, the kind of item, the entry's member.
TABLES = (("driver.acpi_match_table", "acpi", "id"), ("ids", "acpi", "id"),
          ("driver.of_match_table", "of", "compatible"))  # fmt: skip
# Beside its own number, -1 as what is stored of it.
_ANY = frozenset({-1, 0xFFFFFFFF})


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
        named = {id(one): f"frontend[{name}]" for one in self.drivers if (name := self._name(one))}
        self.options = Options(facts, self.drivers, named, unknown, torn)

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
                if (value := entry.fields.get(key)) and value.text:
                    found[kind][value.text] = None
        return {kind: tuple(texts) for kind, texts in found.items()}

    def items(self, seen: Observed | None) -> Iterator[Item]:
        """Each frontend, followed by what belongs to it; `seen` is what it did when it was run."""
        if not self.drivers:
            self._miss("frontend", "", "no driver structure of a known bus", self.core.file.start)
        for driver in self.drivers:
            yield from self._frontend(driver, seen or Observed())
        yield from self.options.others()

    def _miss(self, path: str, key: str, why: str, at: Span) -> None:
        self.unknown.append(Unknown(path, key, why, at))

    def _name(self, driver: Object) -> str | None:
        """What a driver is called; None where its text does not tell."""
        value = driver.fields.get("driver.name") or driver.fields.get("name")
        return value.text if value else None

    def _frontend(self, driver: Object, seen: Observed) -> Iterator[Item]:
        name = self._name(driver)
        if name is None:
            why = f"what the driver of {driver.name} is called is not known"
            self._miss("frontend", "name", why, driver.span)
            return
        path = f"frontend[{name}]"
        facts = {"bus": Fact(BUSES[driver.type], driver.span)}
        module = self.facts.module(driver.file)
        if module != name:
            facts["module"] = Fact(module, driver.span)
        facts |= self._marks(driver, path)
        facts["attributes"] = self._attributes(driver)
        if driver.type == PCI_DRIVER:
            bar = self._bar(driver)
            if bar:
                facts["bar"] = bar
            else:
                self._miss(path, "bar", "no single mapping of a BAR of a known number", driver.span)
        kinds = set(self._maps(driver)) if driver.type != PCI_DRIVER else {None}
        taken = {kind for kind in kinds if (name, kind) not in seen.refused}
        if kinds and not taken and (driver.type != PCI_DRIVER or "bar" in facts):
            facts["probe"] = Fact(REFUSES, driver.span)
        if far := shifted(seen.touched).get(name):
            places = {
                at for at in seen.touched[name].values() if at and at.source == driver.span.source
            }
            facts["registers-at"] = Fact(
                str(far), min(places, key=lambda at: at.line, default=driver.span)
            )
        for one in (one for one in kinds if (name, one) in seen.open):
            why, at = seen.open[name, one]
            where, key = (f"{path}.resource[{one}]", "") if one else (path, "probe")
            # What the core does is another matter, and told where it counts.
            if at is not None and at.source == driver.file.source:
                self._miss(where, key, f"whether it takes such a device is not known: {why}", at)
        yield Item("frontend", name, driver.span, facts, ("bus", "description"))
        yield from self._ids(driver, path)
        if driver.type != PCI_DRIVER:
            yield from self._resources(driver, path, taken or kinds)
        yield from self.options.own(driver, path)

    def _marks(self, driver: Object, path: str) -> dict[str, Fact]:
        """What the driver's module says of itself."""
        facts, unit = {}, unit_of(self.facts, driver)
        for key, kind in (("description", "description"), ("author", "author"),
                          ("module-license", "license")):  # fmt: skip
            marks = [m.value for m in (unit.marks if unit else ()) if m.kind == kind]
            if marks and marks[0].text is not None:
                facts[key] = Fact(marks[0].text, marks[0].span)
            else:
                self._miss(path, key, f"no MODULE_{kind.upper()} that is a text", driver.span)
        return facts

    def _attributes(self, driver: Object) -> Fact:
        """Whether the bus creates the devices' attributes from the member where they stand."""
        members = self.facts.kernel.members(PCI_DRIVER) if driver.type == PCI_DRIVER else {}
        right = "dev_groups" if "dev_groups" in members else "driver.dev_groups"
        value = driver.fields.get(right)
        return Fact("shown" if value else "not shown", value.span if value else driver.span)

    def _ids(self, driver: Object, path: str) -> Iterator[Item]:
        for member, kind, key in TABLES:
            facts = self._autoload(driver, member, kind)
            for entry in self._entries(driver, member):
                value = entry.fields.get(key)
                if value is not None and value.text:
                    yield Item(kind, value.text, value.span, facts, owner=path)
                else:
                    self._miss(path, kind, "an id that is no literal", driver.span)
        if driver.type == PCI_DRIVER:
            facts = self._autoload(driver, "id_table", "pci")
            for entry in self._entries(driver, "id_table"):
                claim = _claim(entry)
                if claim is not None:
                    at = entry.fields["device"].span if "device" in entry.fields else entry.span
                    yield Item("pci", claim.name, at, facts, owner=path)
                else:
                    self._miss(path, "pci", "an id whose value is not known", driver.span)

    def _autoload(self, driver: Object, member: str, kind: str) -> dict[str, Fact]:
        """That a table is not one from which aliases are made, where it is not."""
        value, unit = driver.fields.get(member), unit_of(self.facts, driver)
        table = self.facts.object(value.name, driver.file) if value else None
        marks = [mark for mark in (unit.marks if unit else ()) if mark.kind == f"table_{kind}"]
        if table is None or table.file is not driver.file:
            return {}
        if any(mark.value.name == table.name for mark in marks):
            return {}
        return {"autoload": Fact("no", table.span)}

    def _entries(self, driver: Object, member: str) -> list[Entry]:
        value = driver.fields.get(member)
        table = self.facts.object(value.name, driver.file) if value else None
        return [entry for entry in table.entries if not entry.empty] if table else []

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

    def _resources(
        self, driver: Object, path: str, kinds: Collection[ResourceKind | None]
    ) -> Iterator[Item]:
        found = self._maps(driver)
        if not found:
            self._miss(path, "resources", "no mapping of a resource is seen", driver.span)
        for kind in ResourceKind:
            if kind in found and kind in kinds:
                yield Item("resource", kind.value, found[kind], owner=path)


def _claim(entry: Entry) -> Claim | None:
    """What an entry of a table of PCI ids claims; None if that is not known."""
    keys = ("vendor", "device", "subvendor", "subdevice", "class", "class_mask")
    numbers = [entry.fields[key].number if key in entry.fields else 0 for key in keys]
    if any(number is None for number in numbers):
        return None
    ids = [ANY if number in _ANY else f"{number:04x}" for number in numbers[:4]]
    value, mask = (int(number or 0) & 0xFFFFFFFF for number in numbers[4:])
    return Claim((ids[0], ids[1], ids[2], ids[3]), value, mask)
