# SPDX-License-Identifier: GPL-2.0-or-later
"""Parsed units to facts: objects, marks, calls, register accesses, branches by resource kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.abi import read_abi
from checks.address import Addresses, Source
from checks.binding import read_bindings
from checks.facts import (
    Address,
    Branch,
    Call,
    DriverFacts,
    Mark,
    Object,
    RegisterAccess,
    UnitFacts,
    Value,
)
from checks.fold import fold, string, strip, type_name
from checks.initialiser import read_entries
from checks.kconfig import read_kconfig
from checks.macros import macro_values
from checks.makefile import read_makefile, read_options
from checks.preprocess import text_of
from checks.tree import Problem, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.parse import Unit
    from checks.tree import SourceTree, TreeFile
    from gen.kernel import Kernel
    from gen.source import Span

FACT = "__fact_"


def extract(
    tree: SourceTree, units: tuple[Unit, ...], kernel: Kernel, *, complete: bool = True
) -> DriverFacts:
    """All facts of a tree; one that is not complete may set elsewhere what nothing in it sets."""
    addresses = Addresses(kernel, complete)
    readers = [_Reader(unit, tree, kernel, addresses) for unit in units]
    for reader in readers:
        reader.learn()
    facts = tuple(reader.read() for reader in readers)
    problems = [*tree.problems, *(problem for unit in units for problem in unit.problems)]
    kconfig, more = read_kconfig(tree.of(Role.KCONFIG))
    problems += more
    makefile, more = read_makefile(tree.of(Role.MAKEFILE))
    problems += more
    options, more = read_options(tree.of(Role.MAKEFILE))
    problems += more
    return DriverFacts(
        tree=tree,
        kernel=kernel,
        units=facts,
        macros=macro_values(units, constants(kernel)),
        kconfig=kconfig,
        makefile=makefile,
        options=options,
        abi=read_abi(tree.of(Role.ABI)),
        bindings=read_bindings(tree.of(Role.BINDING)),
        problems=tuple(_once(problems)),
    )


def _once(problems: list[Problem]) -> Iterator[Problem]:
    """A header's problem is told once, however many files include it."""
    seen = set()
    for problem in problems:
        key = (problem.rule, problem.message, problem.span.source, problem.span)
        if key not in seen:
            seen.add(key)
            yield problem


def constants(kernel: Kernel) -> dict[str, int]:
    """The kernel's constants by name."""
    return {api.name: api.value for api in kernel.table.values() if api.value is not None}


class _Reader:
    """Reads one unit."""

    def __init__(self, unit: Unit, tree: SourceTree, kernel: Kernel, addresses: Addresses) -> None:
        self.unit, self.kernel, self.addresses = unit, kernel, addresses
        self.files = {file.source: file for file in tree.files}
        self.names = constants(kernel)
        self.structs: dict[str, tuple[str, ...]] = {}

    def learn(self) -> None:
        """What has to be known of all units before any is read."""
        for item in self._items():
            _Constants(self).visit(item)
        self.addresses.learn(self.unit, self.names)

    def _items(self) -> list[c_ast.Node]:
        """The unit's items without the stubs that were put before them."""
        items = self.unit.ast.ext if self.unit.ast else []
        return [item for item in items if self.unit.token(item) is not None]

    def read(self) -> UnitFacts:
        """All facts of the unit."""
        declarations = [item for item in self._items() if isinstance(item, c_ast.Decl)]
        functions = self.unit.functions
        calls = [(call, node) for item in functions for call, node in self._calls(item)]
        return UnitFacts(
            file=self.unit.file,
            objects=tuple(self._objects(declarations)),
            marks=tuple(self._marks(declarations)),
            calls=tuple(call for call, _ in calls),
            accesses=tuple(self._accesses(calls)),
            branches=tuple(branch for item in functions for branch in self._branches(item)),
            functions={item.decl.name: self.unit.name_span(item.decl) for item in functions},
            defines=self.unit.defines,
            includes=self.unit.includes,
        )

    def file_of(self, span: Span) -> TreeFile:
        """The tree's file that a span lies in."""
        return self.files.get(span.source, self.unit.file)

    def value(self, node: c_ast.Node) -> Value:
        """An expression as a value."""
        bare = strip(node)
        while isinstance(bare, c_ast.UnaryOp) and bare.op == "&":
            bare = strip(bare.expr)
        span = self.unit.span(node)
        return Value(
            span=span,
            written=text_of(span.source, span),
            number=fold(node, self.names),
            text=string(bare),
            name=_name(bare),
        )

    def _objects(self, declarations: list[c_ast.Decl]) -> Iterator[Object]:
        for item in declarations:
            if not item.name or item.name.startswith(FACT) or "extern" in item.storage:
                continue
            array = isinstance(item.type, c_ast.ArrayDecl)
            kind = type_name(item.type)
            if isinstance(item.type, c_ast.FuncDecl):
                continue
            span = self.unit.name_span(item)
            entries = tuple(read_entries(item.init, kind, array=array, reader=self))
            const = "const" in (item.quals or [])
            static = "static" in item.storage
            file = self.file_of(span)
            inner = item.type.type if array else None
            fixed = isinstance(inner, c_ast.PtrDecl) and "const" in inner.quals
            yield Object(item.name, kind, file, span, array, static, const, entries, fixed)

    def _marks(self, declarations: list[c_ast.Decl]) -> Iterator[Mark]:
        for item in declarations:
            if item.name and item.name.startswith(FACT) and item.init is not None:
                span = self.unit.name_span(item)
                kind = item.name.removeprefix(FACT)
                yield Mark(kind, self.value(item.init), self.file_of(span), span)

    def _calls(self, function: c_ast.FuncDef) -> Iterator[tuple[Call, c_ast.FuncCall]]:
        for node in _walk(function.body):
            name = getattr(getattr(node, "name", None), "name", None)
            if not isinstance(node, c_ast.FuncCall) or not isinstance(name, str):
                continue
            arguments = tuple(self.value(item) for item in (node.args.exprs if node.args else []))
            api = self.kernel.table.get(name)
            parameters = api.parameters if api else ()
            span = self.unit.span(node)
            call = Call(
                name=name,
                function=function.decl.name,
                file=self.file_of(span),
                span=span,
                callee=self.unit.name_span(node),
                arguments=arguments,
                named=dict(zip(parameters, arguments, strict=False)),
            )
            yield call, node

    def _accesses(self, calls: list[tuple[Call, c_ast.FuncCall]]) -> Iterator[RegisterAccess]:
        for call, node in calls:
            api = self.kernel.table.get(call.name)
            if api is None or api.access is None or not call.arguments:
                continue
            index = len(api.parameters) - 1
            if index >= len(call.arguments):
                continue
            source = Source(self.unit, call.function, node.args.exprs[index])
            address = self._address(source, call.arguments[index])
            yield RegisterAccess(call, api.access.direction, api.access.width, address)

    def _address(self, source: Source, value: Value) -> Address:
        """The offsets of an access: blamed on its own expression if that moves the address."""
        offsets = self.addresses.offsets(source)
        if offsets is None:
            return Address(None, value)
        sums = isinstance(strip(source.node), c_ast.BinaryOp)
        spans = {
            offset: value.span if sums or where is None else where.unit.span(where.node)
            for offset, where in offsets.items()
        }
        return Address(spans, value)

    def _branches(self, function: c_ast.FuncDef) -> Iterator[Branch]:
        for node in _walk(function.body):
            if isinstance(node, c_ast.Case):
                yield from self._branch(node.expr, node.stmts or [], function)
            compares = isinstance(node, c_ast.If) and isinstance(node.cond, c_ast.BinaryOp)
            if compares and node.cond.op in {"==", "&"}:
                yield from self._branch(node.cond.right, [node.iftrue], function)

    def _branch(
        self, label: c_ast.Node, body: list[c_ast.Node], function: c_ast.FuncDef
    ) -> Iterator[Branch]:
        kind = self._maps(_name(strip(label)))
        if kind is None:
            return
        inside = {id(node) for item in body for node in _walk(item)}
        mapped = [
            (self._maps(call.name) or "", call)
            for call, node in self._calls(function)
            if id(node) in inside and self._maps(call.name)
        ]
        yield Branch(kind, self.unit.span(label), tuple(mapped))

    def _maps(self, name: str | None) -> str | None:
        api = self.kernel.table.get(name or "")
        return api.maps if api else None


class _Constants(c_ast.NodeVisitor):  # type: ignore[misc]
    """Takes in enumerators and the member order of structs that the tree declares."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def visit_EnumeratorList(self, node: c_ast.EnumeratorList) -> None:  # noqa: N802 (pycparser calls it so)
        value: int | None = -1
        for item in node.enumerators:
            given = fold(item.value, self._reader.names) if item.value is not None else None
            value = given if item.value is not None else (None if value is None else value + 1)
            if value is not None:
                self._reader.names[item.name] = value

    def visit_Struct(self, node: c_ast.Struct) -> None:  # noqa: N802 (pycparser calls it so)
        if node.decls and node.name:
            names = tuple(item.name for item in node.decls if getattr(item, "name", None))
            self._reader.structs[f"struct {node.name}"] = names
        self.generic_visit(node)


def _name(node: c_ast.Node | None) -> str | None:
    """The variable that an expression names: `x`, `&x`, or the object in `&x.attr`."""
    while isinstance(node, (c_ast.StructRef, c_ast.ArrayRef)):
        node = node.name
    return node.name if isinstance(node, c_ast.ID) else None


def _walk(node: c_ast.Node) -> Iterator[c_ast.Node]:
    yield node
    for _, child in node.children():
        yield from _walk(child)
