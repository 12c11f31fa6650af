# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about locals: set before they are read, and in nobody's hands when the function ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import build, callee, walk
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.cfg import Node
    from checks.flow.program import Function
    from checks.rule import Context, Word


def _locals(function: Function) -> Iterator[c_ast.Decl]:
    """The variables of a function that live on its stack."""
    for node in walk(function.node.body):
        if isinstance(node, c_ast.Decl) and node.name and not {"static", "extern"} & set(
            node.storage
        ):  # fmt: skip
            yield node


@flow_check("KERN155")
def unset(flow: Flow, _context: Context) -> Iterator[Word]:
    """A local that some way through the function reads without having set it."""
    table = flow.program.kernel.table.values()
    lockers = frozenset(api.name for api in table if api.lock and api.kind == "macro")
    for function in flow.traces:
        names = [node.name for node in _locals(function) if node.init is None and _plain(node)]
        once = [name for name in names if names.count(name) == 1 and name not in function.params]
        entry = build(function.node) if once else None
        for name in once:
            node = _read(entry, name, lockers)
            if node is not None:
                message = f"there is a way to this on which nothing has set '{name}'"
                yield Found(message, place(function, node))


def _plain(node: c_ast.Decl) -> bool:
    kind = node.type
    whole = isinstance(kind, c_ast.TypeDecl) and isinstance(kind.type, c_ast.IdentifierType)
    return whole or isinstance(kind, c_ast.PtrDecl)


def _read(entry: Node | None, name: str, lockers: frozenset[str]) -> c_ast.Node | None:
    """The first read of a variable that is reached without its being set.

    `lockers` are the macros that lock: some put the flags of interrupts into an argument.
    """
    work, seen = [entry] if entry else [], set()
    while work:
        node = work.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        effect = _effect(node.ast, name, lockers)
        if isinstance(effect, c_ast.Node):
            return effect
        if effect is None:
            work += [after for _, after in reversed(node.after)]
    return None


def _effect(
    node: c_ast.Node | None, name: str, lockers: frozenset[str]
) -> c_ast.Node | bool | None:
    """What evaluating an expression does first to a variable: its read, True if it sets it."""
    if isinstance(node, c_ast.ID):
        return node if node.name == name else None
    if isinstance(node, c_ast.Assignment) and _is(node.lvalue, name):
        return _effect(node.rvalue, name, lockers) or (node.op == "=" or node.lvalue)
    if isinstance(node, c_ast.UnaryOp) and node.op in {"sizeof", "&"}:
        given = node.op == "&" and _is(node.expr, name)
        return given or (_effect(node.expr, name, lockers) if node.op == "&" else None)
    if isinstance(node, c_ast.StructRef):
        return _effect(node.name, name, lockers)
    called = callee(node) or ""
    if called.startswith("__") or called in lockers:
        # A stub of a macro, or a macro, which may set what it is given.
        return any(_is(item, name) for item in walk(node)) or None
    parts = (child for _, child in node.children()) if node is not None else ()
    return next((found for part in parts if (found := _effect(part, name, lockers))), None)


def _is(node: c_ast.Node, name: str) -> bool:
    return isinstance(node, c_ast.ID) and bool(node.name == name)


@flow_check("KERN156")
def on_the_stack(flow: Flow, _context: Context) -> Iterator[Word]:
    """A local's address that is kept when the function has returned."""
    for function in flow.traces:
        held = {node.name for node in _locals(function) if _structure(node)}
        held |= {node.name for node in _locals(function) if node.init and _address(node.init, held)}
        for node in walk(function.node.body) if held else ():
            if isinstance(node, c_ast.Assignment) and _address(node.rvalue, held):
                held |= {node.lvalue.name} if isinstance(node.lvalue, c_ast.ID) else set()
            api = flow.program.api(callee(node))
            if api is None or (api.acquires != "list" and api.data != "set"):
                continue
            for argument in node.args.exprs if node.args else ():
                if _root(argument) in held:
                    message = f"{callee(node)}() keeps this, and it is on the stack"
                    yield Found(message, place(function, argument))


def _structure(node: c_ast.Decl) -> bool:
    return isinstance(node.type, c_ast.TypeDecl) and isinstance(node.type.type, c_ast.Struct)


def _address(node: c_ast.Node, held: set[str]) -> bool:
    return isinstance(node, c_ast.UnaryOp) and node.op == "&" and _root(node) in held


def _root(node: c_ast.Node) -> str:
    while isinstance(node, (c_ast.StructRef, c_ast.UnaryOp)):
        node = node.name if isinstance(node, c_ast.StructRef) else node.expr
    return str(node.name) if isinstance(node, c_ast.ID) else ""
