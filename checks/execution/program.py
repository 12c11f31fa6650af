# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's files as one program: its functions and objects, found by name as a linker would."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.dialect import STRANGE
from checks.execution.expressions import Expressions
from checks.execution.faults import SURPRISES, DefectError, UnknownError
from checks.execution.functions import Function
from checks.execution.initial import initialise, length
from checks.execution.layout import FAR, VOID, Array, KernelTypes, Struct, Type, Types, array
from checks.execution.lists import Lists
from checks.execution.locks import LOCKS, Locks
from checks.execution.opaque import Site
from checks.execution.state import Obj
from checks.execution.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.facts import DriverFacts
    from checks.parse import Unit
    from gen.source import Span

MARK = "__fact_"


@dataclass(eq=False)
class UnitCode:
    """One .c file: its types, and what its file scope declares."""

    unit: Unit
    types: Types
    functions: dict[str, Function] = field(default_factory=dict)
    objects: dict[str, tuple[Obj, Type]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    marks: dict[str, list[c_ast.Node]] = field(default_factory=dict)
    inits: list[tuple[c_ast.Decl, Obj, Type]] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)

    def span(self, node: c_ast.Node) -> Span:
        """The place of a node."""
        return self.unit.span(node)


class Program:
    """The whole driver, ready to run in a world."""

    def __init__(self, units: Iterable[Unit], facts: DriverFacts) -> None:
        self.world, self.kernel = World(), facts.kernel
        self.facts = KernelTypes(facts.kernel)
        self.locks = Locks(self.world)
        self.lists = Lists(self.world, self.locks.taken)
        self.models: dict[str, Callable[..., Any]] = {}
        self.outside: dict[str, tuple[Obj, Type]] = {}
        self.strangers: dict[c_ast.Node, Site] = {}
        self.undefined: set[str] = set()
        self.places: dict[Obj, Callable[[], Span]] = {}
        self.preset("THIS_MODULE", (Obj("kernel", "the module"), 0))
        self.units = [self._read(unit) for unit in units if unit.ast is not None]
        for unit in self.units:
            for decl, obj, type_ in unit.inits:
                self._set(unit, decl, obj, type_)

    def _read(self, unit: Unit) -> UnitCode:
        made = UnitCode(unit, Types(self.facts, self.facts.constants))
        for item in unit.ast.ext if unit.ast else []:
            try:
                self._take_in(made, item)
            except UnknownError as error:
                raise UnknownError(error.why, unit.span(item)) from None
        return made

    def _take_in(self, unit: UnitCode, item: c_ast.Node) -> None:
        """Note what an item of a file is."""
        if isinstance(item, c_ast.FuncDef):
            name = item.decl.name
            returns = unit.types.of(item.decl.type.type)
            unit.functions[name] = Function(name, unit, item, self, returns)
            if "static" not in item.decl.storage:
                unit.shared.add(name)
        elif isinstance(item, (c_ast.Decl, c_ast.Typedef)):
            unit.types.learn(item)
            if isinstance(item, c_ast.Decl) and item.name:
                self._declare(unit, item)

    def _declare(self, unit: UnitCode, item: c_ast.Decl) -> None:
        if item.name.startswith(MARK):
            unit.marks.setdefault(item.name.removeprefix(MARK), []).append(item.init)
            return
        if isinstance(item.type, c_ast.FuncDecl):
            unit.declared.add(item.name)
            return
        if "extern" in item.storage and item.init is None:
            unit.declared.add(item.name)
            return
        type_ = unit.types.of(item.type)
        if isinstance(type_, Array) and item.init is not None and not type_.length:
            type_ = array(type_.of, length(item.init))
        size = None if isinstance(type_, Struct) and not type_.closed else type_.size
        known = unit.objects.get(item.name)
        obj = known[0] if known else Obj("static", f"'{item.name}'", size)
        obj.size = size
        unit.objects[item.name] = (obj, type_)
        self.places[obj] = partial(unit.span, item)
        if "static" not in item.storage:
            unit.shared.add(item.name)
        if item.init is not None:
            unit.inits.append((item, obj, type_))

    def _set(self, unit: UnitCode, decl: c_ast.Decl, obj: Obj, type_: Type) -> None:
        """Give a file-scope object its initial value."""
        if isinstance(type_, Struct) and type_.tag in LOCKS:
            obj.cells["ready", 0] = True
            return
        try:
            for offset, code in initialise(Expressions(unit, self), decl.init, type_):
                obj.cells[offset] = code([])
        except (UnknownError, DefectError, RecursionError, *SURPRISES) as error:
            why = error.why if isinstance(error, UnknownError) else "its initialiser is no constant"
            site = Site(obj.name, why, partial(unit.span, decl))
            self.world.spoil(obj, 0, FAR * 2, site)

    # Names

    def function(self, unit: UnitCode, name: str) -> Function | None:
        """The driver's function that a name means in a file."""
        if name in unit.functions:
            return unit.functions[name]
        others = (other for other in self.units if name in other.shared)
        return next((other.functions[name] for other in others if name in other.functions), None)

    def object(self, unit: UnitCode, name: str) -> tuple[Obj, Type] | None:
        """The object that a name means in a file: the driver's, or one of the kernel's."""
        if name in unit.objects:
            return unit.objects[name]
        for other in self.units:
            if name in other.shared and name in other.objects:
                return other.objects[name]
        api = self.facts.table.get(name)
        if api is None or api.kind != "variable":
            return None
        return self.outside.setdefault(name, (Obj("kernel", f"the kernel's '{name}'"), VOID))

    def stranger(self, name: str) -> tuple[Obj, Type]:
        """What a name means that is nowhere known; it has to be the kernel's."""
        self.undefined.add(name)
        made = Obj("kernel", f"the kernel's '{name}'", data=STRANGE)
        return self.outside.setdefault(name, (made, VOID))

    def preset(self, name: str, value: Any) -> None:
        """Give a variable of the kernel its value."""
        made = (Obj("kernel", f"the kernel's '{name}'"), VOID)
        self.outside.setdefault(name, made)[0].cells[0] = value

    def constant(self, unit: UnitCode, name: str) -> int | None:
        """An enumerator of a file or a constant of the kernel."""
        if name in unit.types.enums:
            return unit.types.enums[name]
        return self.facts.constants.get(name)
