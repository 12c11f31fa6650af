# SPDX-License-Identifier: GPL-2.0-or-later
"""From a driver's facts to the contract that it implements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.contract.attributes import UNRUN, Attributes
from checks.contract.built import unbuilt, unclear
from checks.contract.configuration import configuration
from checks.contract.doubt import doubted, in_code
from checks.contract.events import Events
from checks.contract.frontends import Frontends
from checks.contract.gaps import gaps, unexported
from checks.contract.hooks import HOOKING, Hooks
from checks.contract.macros import bits
from checks.contract.observe import observe
from checks.contract.observed import unheeded
from checks.contract.parameters import parameters
from checks.contract.records import Contract
from checks.contract.registers import in_common, register_items
from checks.contract.stand_in import stand_in
from checks.extract import extract
from checks.parse import parse_tree
from checks.rules_build import SPDX
from checks.tree import Role
from gen.conflict import MESSAGE as CONFLICT
from gen.conflict import conflict
from gen.diagnostics import Diagnostics
from gen.diff.occasions import SEPARATOR
from gen.diff.records import Fact, Item, Unknown
from gen.frontend import ResourceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.contract.observed import Observed
    from checks.facts import DriverFacts, UnitFacts, Value
    from checks.parse import Unit
    from checks.tree import SourceTree, TreeFile
    from gen.kernel import Kernel
    from gen.source import Span

_GUARD = re.compile(r"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)", re.MULTILINE)


class NothingReadError(Exception):
    """Nothing of a contract could be read; the message says why, `diagnostics` where."""

    def __init__(self, message: str, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics or Diagnostics()


def read_contract(tree: SourceTree, kernel: Kernel) -> Contract:
    """The contract that a driver implements.

    Args:
        tree: its files, as `find_driver` finds them.
        kernel: the series whose interfaces the driver is read with.

    Raises:
        NothingReadError: no C could be read, or a merge of a file was not finished.
    """
    _refuse_conflicts(tree)
    units = parse_tree(tree, kernel)
    facts = extract(tree, units, kernel)
    sources = [unit for unit in facts.units if unit.file.role is Role.UNIT]
    if not any(unit.objects or unit.calls for unit in sources):
        why = facts.problems[0].message if facts.problems else "there is no driver in it"
        raise NothingReadError(f"nothing could be read: {why}")
    missing = [Unknown("driver", "", one.message, one.span) for one in facts.problems]
    missing += gaps(facts, units)
    if in_code(missing):
        # What nothing sets may be set where nothing was read.
        facts = extract(tree, units, kernel, complete=False)
    return _Reader(facts, units, missing).read()


def _refuse_conflicts(tree: SourceTree) -> None:
    """Neither side of a conflict is the driver, and so is not what both have together."""
    diagnostics = Diagnostics()
    for file in tree.files:
        if mark := conflict(file.source, in_c=True):
            diagnostics.error("PARSE001", CONFLICT, mark)
    if diagnostics.failed:
        raise NothingReadError("nothing could be read: a merge was not finished", diagnostics)


class _Reader:
    """Reads one driver; what it cannot tell goes to `unknown`."""

    def __init__(self, facts: DriverFacts, units: tuple[Unit, ...], missing: list[Unknown]) -> None:
        self.facts, self.units, self.missing = facts, units, missing
        sources = [unit for unit in facts.units if unit.file.role is Role.UNIT]
        hooked = [unit for unit in sources if any(call.name in HOOKING for call in unit.calls)]
        sources.sort(key=lambda unit: len(unit.file.path.stem))
        self.core = (hooked or sources)[0]
        self.gap = in_code(missing)
        self.found_core = bool(hooked) or self.gap is None
        self.at = self.core.file.start
        self.name = facts.module(self.core.file).replace("-", "_")
        self.unknown: list[Unknown] = []

    def read(self) -> Contract:
        """The whole contract."""
        registers = {
            (one.direction, offset, one.width): one.call.callee
            for unit in self.facts.units
            for one in unit.accesses
            for offset in one.address.offsets or ()
        }
        happenings = Events(self.facts, self.units, self.name, self._miss)
        events = dict(happenings.macros())
        torn = frozenset(one.at.source for one in self.missing)
        frontends = Frontends(self.facts, self.core, self.unknown, torn)
        reader = Attributes(self.facts, self._miss)
        attributes = self.facts.objects("struct device_attribute")
        bases = {name: base for one in attributes
                 for name, base in [(reader.name(one), reader.base(one))]
                 if name and base is not None}  # fmt: skip
        device = stand_in(
            self.facts, {f"{name}.{bit}": 1 << bit for name, value in events.items()
                         for bit in bits(value.number or 0)}, registers,
            frontends.bars(), frontends.kinds() or frozenset({ResourceKind.MEMORY}),
            frontends.ids(), self.at,
        )  # fmt: skip
        seen = None
        if device is not None and (device.frontends or device.later):
            numbers = {
                name: value.number for name, value in bases.items() if value.number is not None
            }
            seen = observe(device, self.facts, self.units, numbers, self.at)
        found = [
            *self._device(seen),
            *self._registers(registers, events, seen),
            *happenings.items(events, seen),
            *Hooks(self.facts, self._miss).items(),
            *frontends.items(seen),
            *(item for one in attributes for item in reader.items(one, events, seen)),
            *frontends.options.core(self.name, self.at),
            *self._uapi(),
            *self._besides(seen),
        ]
        more: list[Unknown] = []
        if self.gap:
            found, more = doubted(found, self.gap)
        more += configuration(self.facts.tree)
        return Contract(self.name, tuple(found), (*self.unknown, *self.missing, *more))

    def _miss(self, path: str, key: str, why: str, at: Span | None = None) -> None:
        self.unknown.append(Unknown(path, key, why, at or self.at))

    def _device(self, seen: Observed | None) -> Iterator[Item]:
        if not self.found_core:
            self._miss("device", "", "no file that was read registers a hook, as the core does")
            return
        facts = {"name": Fact(self.name, self.at)}
        spdx = _spdx(self.core.file)
        if spdx:
            facts["license"] = spdx
        else:
            self._miss("device", "license", "the file has no SPDX tag")
        for key, kind in (("module-license", "license"), ("author", "author"),
                          ("description", "description")):  # fmt: skip
            value = _mark(self.core, kind)
            if value is None or value.text is None:
                self._miss("device", key, f"no MODULE_{kind.upper()} that is a text")
            else:
                facts[key] = Fact(value.text, value.span)
        facts |= self._conduct(seen)
        if line := unclear(self.facts):
            self._miss("device", "unbuilt", "a line of the Makefile is not understood", line)
        left_out = {
            "unexported": unexported(self.facts, self.units),
            "unbuilt": {} if line else unbuilt(self.facts, self.core),
        }
        for key, lacking in left_out.items():
            if lacking:
                names = SEPARATOR.join(sorted(lacking))
                facts[key] = Fact(names, next(iter(lacking.values())))
        yield Item("device", "", self.at, facts)

    def _conduct(self, seen: Observed | None) -> dict[str, Fact]:
        """What the whole driver does that no spec has."""
        facts = {}
        if seen and seen.refusing:
            marks = [one for one in self.facts.marks("init") if one.file is seen.refusing]
            at = marks[0].value.span if marks else seen.refusing.start
            facts["refusing"] = Fact(self.facts.module(seen.refusing), at)
        return facts

    def _besides(self, seen: Observed | None) -> Iterator[Item]:
        """What it does that no spec has, and its modules' parameters, which none has either."""
        if self.gap or seen is None or not seen.triggers:
            self._miss("besides", "", seen.why if seen else UNRUN)
        else:
            for word, at in seen.besides.items():
                yield Item("besides", word, at or self.at)
        yield from parameters(self.facts)

    def _registers(
        self, registers: dict[tuple[str, int, int], Span], events: dict[str, Value],
        seen: Observed | None,
    ) -> Iterator[Item]:  # fmt: skip
        if not registers:
            self._miss("register", "", "no access to a register of a known address")
        for unit in self.facts.units:
            for one in unit.accesses:
                if one.address.offsets is None:
                    value = one.address.value
                    self._miss("register", "offset", f"where '{value.written}' points is not known",
                               value.span)  # fmt: skip
        deaf = unheeded(events, seen, seen.unasked) if seen else []
        heeded = not (seen and deaf and len(deaf) == len(unheeded(events, seen)))
        common = in_common(registers, seen.touched) if seen else registers
        yield from register_items(common, deaf, heeded=heeded)

    def _uapi(self) -> Iterator[Item]:
        for file in self.facts.tree.of(Role.UAPI)[:1]:
            parts = file.path.parts
            below = parts[len(parts) - parts[::-1].index("uapi") :]
            facts = {"path": Fact("/".join(below), file.start)}
            spdx, guard = _spdx(file), _GUARD.search(file.source.text)
            if spdx:
                facts["license"] = spdx
            else:
                self._miss("uapi", "license", "the file has no SPDX tag", file.start)
            if guard:
                facts["guard"] = Fact(guard[1], file.source.place(guard.start(1)))
            else:
                self._miss("uapi", "guard", "the file has no guard", file.start)
            yield Item("uapi", "", file.start, facts)
            return
        self._miss("uapi", "", "no header for user space among the files")


def _spdx(file: TreeFile) -> Fact | None:
    match = SPDX.search(file.source.line(1))
    return Fact(match[1], file.source.span(1, match.start(1) + 1, len(match[1]))) if match else None


def _mark(unit: UnitFacts, kind: str) -> Value | None:
    return next((mark.value for mark in unit.marks if mark.kind == kind), None)
