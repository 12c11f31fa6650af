# SPDX-License-Identifier: GPL-2.0-or-later
"""All functions of a driver with the types of what they use, and who calls them back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.cfg import callee, walk
from checks.fold import fold, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import DriverFacts
    from checks.parse import Unit
    from gen.api import Api
    from gen.kernel import Kernel
    from gen.source import Span


@dataclass(frozen=True, eq=False)
class Function:
    """A function: its parameters' names, the types of them and of its locals, by name."""

    name: str
    unit: Unit
    node: c_ast.FuncDef
    params: tuple[str, ...]
    types: Mapping[str, str]
    returns: str
    static: bool

    @property
    def span(self) -> Span:
        """The place of its name."""
        return self.unit.name_span(self.node.decl)


@dataclass(frozen=True, eq=False)
class Global:
    """A file-scope object: whether it has an initialiser, and its declaration's place."""

    name: str
    type: str
    initialised: bool
    span: Span


@dataclass(frozen=True)
class Root:
    """A function that the kernel calls, in a role such as probe; `place` is where it is told so."""

    function: Function
    role: str
    place: Span


@dataclass(eq=False)
class Program:
    """A whole driver."""

    kernel: Kernel
    facts: DriverFacts
    functions: list[Function] = field(default_factory=list)
    globals: dict[str, Global] = field(default_factory=dict)
    structs: dict[str, dict[str, str]] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)
    _named: dict[str, list[Function]] = field(default_factory=dict, init=False)

    def api(self, name: str | None) -> Api | None:
        """The kernel's interface of a name, unless the driver has its own function of it."""
        api = self.kernel.table.get(name or "")
        if api is None or not api.managed_with:
            return api
        return api.beside({call.name for call in self.facts.calls()}, self.kernel.release)

    def add(self, function: Function) -> None:
        """Take in one more function."""
        self.functions.append(function)
        self._named.setdefault(function.name, []).append(function)

    def function(self, name: str | None, near: Unit) -> Function | None:
        """The driver's function of a name, as one of the unit `near` sees it."""
        found = self._named.get(name or "", ())
        local = [item for item in found if item.unit is near]
        shared = [item for item in found if not item.static]
        return next(iter((*local, *shared)), None)

    def type_of(self, node: c_ast.Node | None, function: Function) -> str:
        """An expression's type, such as `struct device *`; empty if not known."""
        if isinstance(node, c_ast.ID):
            known = self.globals.get(node.name)
            return function.types.get(node.name, known.type if known else "")
        if isinstance(node, c_ast.Cast):
            return type_name(node.to_type)
        if isinstance(node, c_ast.UnaryOp) and node.op == "&":
            return f"{self.type_of(node.expr, function)} *"
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            return self.type_of(node.expr, function).removesuffix(" *")
        if isinstance(node, c_ast.StructRef):
            owner = self.owner(node, function)
            return self.structs.get(owner, {}).get(node.field.name, "")
        called = self.function(callee(node), function.unit)
        return called.returns if called else ""

    def owner(self, node: c_ast.StructRef, function: Function) -> str:
        """The type of the structure whose member an expression names."""
        return self.type_of(node.name, function).removesuffix(" *")


def read_program(units: tuple[Unit, ...], facts: DriverFacts, names: Mapping[str, int]) -> Program:
    """The functions of all units; `names` are the constants that the source may use."""
    program = Program(facts.kernel, facts, names=dict(names))
    for api in facts.kernel.table.values():
        if api.kind == "struct":
            program.structs[api.name] = (
                {
                    name: _declared_type(text, name)
                    for name, text in facts.kernel.members(api.name).items()
                }
                if api.range and facts.kernel.has(api.name)
                else {}
            )
    seen = set()
    for unit in units:
        for item in unit.ast.ext if unit.ast else []:
            if unit.token(item) is None:
                continue
            place = unit.name_span(item.decl if isinstance(item, c_ast.FuncDef) else item)
            if isinstance(item, c_ast.FuncDef) and (place.source, place) not in seen:
                seen.add((place.source, place))
                program.add(_function(item, unit))
            _declarations(item, unit, program)
    program.roots = list(_roots(program))
    return program


def _declared_type(text: str, name: str) -> str:
    before = text.rsplit(name, 1)[0].replace("const ", "").strip()
    stars = before.count("*")
    return before.replace("*", "").strip() + " *" * stars


def _function(node: c_ast.FuncDef, unit: Unit) -> Function:
    types = {
        item.name: type_name(item.type)
        for item in walk(node)
        if isinstance(item, c_ast.Decl) and item.name
    }
    declared = getattr(node.decl.type.args, "params", None) or []
    params = tuple(item.name for item in declared if getattr(item, "name", None))
    static = "static" in node.decl.storage
    returns = type_name(node.decl.type.type)
    return Function(node.decl.name, unit, node, params, types, returns, static)


def _declarations(item: c_ast.Node, unit: Unit, program: Program) -> None:
    """Take in the structures, enumerators and objects of a file-scope item."""
    for node in walk(item) if not isinstance(item, c_ast.FuncDef) else ():
        if isinstance(node, c_ast.Struct) and node.decls and node.name:
            program.structs[f"struct {node.name}"] = {
                part.name: type_name(part.type)
                for part in node.decls
                if getattr(part, "name", None)
            }
        if isinstance(node, c_ast.Enumerator) and node.value is not None:
            value = fold(node.value, program.names)
            if value is not None:
                program.names[node.name] = value
    if isinstance(item, c_ast.Decl) and item.name and not isinstance(item.type, c_ast.FuncDecl):
        known = program.globals.get(item.name)
        if known is None or not known.initialised:
            program.globals[item.name] = Global(
                item.name, type_name(item.type), item.init is not None, unit.name_span(item)
            )


def _roots(program: Program) -> Iterator[Root]:
    """Functions that the kernel calls: in its structures, or given to its functions."""
    for unit in program.facts.units:
        near = next((f.unit for f in program.functions if f.unit.file is unit.file), None)
        if near is None:
            continue
        for item in unit.objects:
            api = program.api(item.type)
            for member, role in (api.calls if api else {}).items():
                for entry in item.entries:
                    value = entry.fields.get(member)
                    found = program.function(value.name, near) if value else None
                    if found is not None and value is not None:
                        yield Root(found, role, value.span)
        for mark in unit.marks:
            role_of = {"init": "init", "exit": "exit"}.get(mark.kind)
            found = program.function(mark.value.name, near)
            if role_of and found is not None:
                yield Root(found, role_of, mark.span)
        for call in unit.calls:
            yield from _of_call(program, near, call.name, call.named)


def _of_call(
    program: Program, near: Unit, name: str, named: Mapping[str, object]
) -> Iterator[Root]:
    api = program.api(name)
    for parameter, role in (api.calls if api else {}).items():
        value = named.get(parameter)
        found = program.function(getattr(value, "name", None), near)
        if found is not None:
            yield Root(found, role, value.span)  # type: ignore[attr-defined]
    if api is not None and api.acquires == "notifier" and {"nh", "nb"} <= set(named):
        chain = program.api(getattr(named["nh"], "name", None))
        role = chain.calls.get("chain", "process") if chain else "process"
        for unit in program.facts.units:
            for item in unit.objects:
                block = getattr(named["nb"], "name", None)
                value = item.fields.get("notifier_call") if item.name == block else None
                found = program.function(value.name, near) if value else None
                if found is not None and value is not None:
                    yield Root(found, role, value.span)
