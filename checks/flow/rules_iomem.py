# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about pointers to device registers: their annotation, and how they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import callee, walk
from checks.flow.values import origin
from checks.fold import strip, type_name
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.parse import Unit
    from checks.rule import Context, Word
    from gen.source import Span

ANNOTATION = "__iomem"


@flow_check("KERN124")
def annotation_lost(flow: Flow, _context: Context) -> Iterator[Word]:
    """A pointer to registers is declared like one to memory."""
    for function in flow.traces:
        for node in walk(function.node.body):
            for pointer in _pointers(flow, node):
                span = _declared(flow, function, pointer)
                if span is not None and not _annotated(span):
                    name = getattr(pointer, "name", None)
                    name = pointer.field.name if isinstance(pointer, c_ast.StructRef) else name
                    yield Found(_message(name), span)
    for name, span in _prototypes(flow):
        yield Found(_message(name), span)


def _message(name: str | None) -> str:
    return f"'{name}' points to registers, but is no {ANNOTATION} pointer"


def _pointers(flow: Flow, node: c_ast.Node) -> Iterator[c_ast.Node]:
    """Variables and members that an expression uses as, or fills with, a pointer to registers."""
    api = flow.program.api(callee(node))
    if api is not None and api.access is not None and node.args:
        base = strip(node.args.exprs[-1])
        while isinstance(base, c_ast.BinaryOp) and base.op in {"+", "-"}:
            base = strip(base.left)
        if isinstance(base, (c_ast.ID, c_ast.StructRef)):
            yield base
    maps = flow.program.api(callee(getattr(node, "rvalue", None)))
    if isinstance(node, c_ast.Assignment) and maps is not None and maps.acquires == "iomap":
        yield node.lvalue


def _declared(flow: Flow, function: Function, pointer: c_ast.Node) -> Span | None:
    """The place of a pointer's declaration; None if it is not one or not the driver's."""
    if isinstance(pointer, c_ast.StructRef):
        owner = flow.program.owner(pointer, function)
        return _member(flow, owner.removeprefix("struct "), pointer.field.name)
    if not isinstance(pointer, c_ast.ID):
        return None
    for node in walk(function.node):
        if isinstance(node, c_ast.Decl) and node.name == pointer.name:
            return _if_pointer(node, function.unit)
    known = flow.program.globals.get(pointer.name)
    return known.span if known is not None and known.type.endswith("*") else None


def _member(flow: Flow, owner: str, name: str) -> Span | None:
    for function in flow.traces:
        for item in function.unit.ast.ext if function.unit.ast else []:
            if isinstance(item, c_ast.FuncDef) or function.unit.token(item) is None:
                continue
            for node in walk(item):
                if isinstance(node, c_ast.Struct) and node.name == owner:
                    for part in node.decls or []:
                        if getattr(part, "name", None) == name:
                            return _if_pointer(part, function.unit)
    return None


def _if_pointer(node: c_ast.Decl, unit: Unit) -> Span | None:
    return unit.name_span(node) if type_name(node.type).count("*") == 1 else None


def _annotated(span: Span) -> bool:
    """Whether a declaration has the annotation before its name."""
    before = span.source.line(span.line)[: span.column - 1]
    start = max(before.rfind(mark) for mark in ";({")
    if start >= 0 and before[start] == "(":
        start = max(start, before.rfind(","))
    return ANNOTATION in before[start + 1 :]


def _prototypes(flow: Flow) -> Iterator[tuple[str, Span]]:
    """Parameters that a function's definition annotates and its declaration does not."""
    units = {function.unit.file: function.unit for function in flow.traces}
    for unit in units.values():
        for item in unit.ast.ext if unit.ast else []:
            if not isinstance(item, c_ast.Decl) or not isinstance(item.type, c_ast.FuncDecl):
                continue
            function = flow.program.function(item.name, unit)
            if function is None or unit.token(item) is None:
                continue
            declared = getattr(item.type.args, "params", None) or []
            defined = getattr(function.node.decl.type.args, "params", None) or []
            for one, other in zip(declared, defined, strict=False):
                here, there = _if_pointer(one, unit), _if_pointer(other, function.unit)
                if here and there and _annotated(there) and not _annotated(here):
                    yield other.name, here


@flow_check("KERN125")
def followed(flow: Flow, _context: Context) -> Iterator[Word]:
    """A pointer to registers is followed like one to memory."""
    for function, trace in flow.traces.items():
        addresses = {id(part) for node in walk(function.node.body) for part in _addressed(node)}
        for event in trace.of("deref"):
            if id(event.node) in addresses:
                continue
            inner = getattr(event.node, "expr", None) or getattr(event.node, "name", None)
            pointer = strip(inner)
            if callee(event.node) or pointer is None:
                continue
            start = origin(event.values[0])
            api = flow.program.api(start[2]) if start[0] == "call" else None
            span = _declared(flow, function, pointer)
            mapped = api is not None and api.acquires == "iomap"
            if mapped or (span is not None and _annotated(span)):
                message = "registers are not memory: they are read and written by accessors"
                yield Found(message, place(function, event.node))


def _addressed(node: c_ast.Node) -> Iterator[c_ast.Node]:
    """The steps of `&p->a.b`: its address is worked out, nothing is read."""
    inner = node.expr if isinstance(node, c_ast.UnaryOp) and node.op == "&" else None
    while isinstance(inner, (c_ast.StructRef, c_ast.ArrayRef)):
        yield inner
        inner = inner.name
