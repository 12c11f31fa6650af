# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about locals: set before they are read, and in nobody's hands when the function ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import callee, size, walk
from checks.flow.resources import Use, held, released_below
from checks.rule import Found, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.cfg import Node
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.rule import Context, Word
    from gen.api import Api


# How often a part of an expression is looked at for a variable.
MAX_LOOKS = 500_000


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
    left = MAX_LOOKS
    for function, trace in flow.traces.items():
        names = [node.name for node in _locals(function) if node.init is None and _plain(node)]
        once = [name for name in names if names.count(name) == 1 and name not in function.params]
        left -= len(once) * size(function.node.body)
        if left < 0:
            yield Unknown("there is too much to look for what nothing sets", function.span)
            return
        for name in once:
            node = _read(trace.entry, name, lockers)
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
        stack = _Stack.of(function)
        nodes = list(walk(function.node.body)) if stack.own else []
        stores = [node for node in nodes if isinstance(node, c_ast.Assignment)]
        for node in stores:
            if _kept(node, stack, stores):
                message = "this is on the stack, and is still pointed to after that"
                yield Found(message, place(function, node.rvalue))
        for node in nodes:
            if isinstance(node, c_ast.Return) and node.expr and stack.gone(node.expr):
                message = "this is on the stack, which is gone when the function returns"
                yield Found(message, place(function, node.expr))
        yield from _handed(flow, function, stack, nodes)


def _handed(
    flow: Flow, function: Function, stack: _Stack, nodes: list[c_ast.Node]
) -> Iterator[Word]:
    """What calls keep of the stack."""
    ends = {api.releases for node in nodes if (api := flow.program.api(callee(node)))}
    for node in nodes:
        api = flow.program.api(callee(node))
        if api is None or (api.acquires not in _KEEPING and api.data != "set"):
            continue
        given = node.args.exprs if node.args else []
        if api.data != "set" and api.acquires in ends and _ended(flow, function, node, api):
            continue
        # A list's head may be on the stack: it is the entries that others find.
        for argument in given[:1] if api.acquires == "list" else given:
            if stack.has(argument):
                message = f"{callee(node)}() keeps this, and it is on the stack"
                yield Found(message, place(function, argument))


# What those who get a pointer keep until they are told to give it back.
_KEEPING = frozenset({"list", "action", "notifier", "sys-off"})


def _ended(flow: Flow, function: Function, node: c_ast.FuncCall, api: Api) -> bool:
    """Whether each way on from a call that has not failed has it given back."""
    for path in flow.traces[function].paths:
        history = path.state.history
        at = next((n for n, event in enumerate(history) if event.node is node), None)
        if at is None or not held(path.state.signs, Use(function, history[at], "", api)):
            continue
        if not any(_ends(flow, function, event, api) for event in history[at + 1 :]):
            return False
    return True


def _ends(flow: Flow, function: Function, event: Event, api: Api) -> bool:
    """Whether an event gives back what a call acquires, or has a function do so."""
    if event.kind != "call":
        return False
    known, called = flow.api(event), flow.called(function, event)
    below = released_below(flow, called) if called is not None else []
    kinds = {use.kind for use in below} | ({known.releases} if known is not None else set())
    return api.acquires in kinds


@dataclass(frozen=True)
class _Stack:
    """What a function has on its stack, `own`, and those of it that point to it, `held`.

    `only` are those of the latter that never point to anything else.
    """

    own: frozenset[str]
    held: frozenset[str]
    only: frozenset[str] = frozenset()

    @classmethod
    def of(cls, function: Function) -> _Stack:
        """Those of a function, and which of them point to others."""
        nodes = list(_locals(function))
        own = frozenset(node.name for node in nodes if not node.name.startswith("__"))
        arrays = {node.name for node in nodes if isinstance(node.type, c_ast.ArrayDecl)}
        stack = cls(own, frozenset(arrays & own))
        pairs = [(node.name, node.init) for node in nodes if node.init is not None]
        names = {node.name for node in nodes if isinstance(node.type, c_ast.PtrDecl)}
        pairs += [
            (node.lvalue.name, node.rvalue)
            for node in walk(function.node.body)
            if isinstance(node, c_ast.Assignment) and isinstance(node.lvalue, c_ast.ID)
        ]
        found = {name for name, value in pairs if name in names and stack.has(value)}
        others = {name for name, value in pairs if not stack.has(value)}
        return cls(own, stack.held | found, stack.held | (found - others))

    def gone(self, node: c_ast.Node) -> bool:
        """Whether an expression that is returned is surely such an address."""
        return _Stack(self.own, self.only).has(node)

    def has(self, node: c_ast.Node) -> bool:
        """Whether an expression is the address of something on the stack."""
        while isinstance(node, c_ast.Cast):
            node = node.expr
        if isinstance(node, c_ast.ID):
            return node.name in self.held
        if not isinstance(node, c_ast.UnaryOp) or node.op != "&":
            return False
        name, through = _base(node.expr)
        return name in (self.held if through else self.own)


def _base(node: c_ast.Node) -> tuple[str, bool]:
    """The variable that an lvalue is a part of, and whether a pointer is followed on the way."""
    through = 0
    while isinstance(node, (c_ast.StructRef, c_ast.ArrayRef)):
        through += isinstance(node, c_ast.StructRef) and node.type == "->"
        node = node.name
    if isinstance(node, c_ast.UnaryOp) and node.op == "*":
        return _base(node.expr)[0], True
    # Who follows two of them is where the first one's target points.
    return (str(node.name) if isinstance(node, c_ast.ID) and through < 2 else ""), bool(through)  # noqa: PLR2004


def _kept(node: c_ast.Assignment, stack: _Stack, stores: list[c_ast.Assignment]) -> bool:
    """Whether an assignment puts such an address outside the function for good."""
    if node.op != "=" or not stack.has(node.rvalue):
        return False
    name, through = _base(node.lvalue)
    if not name or name in stack.held or (name in stack.own and not through):
        return False
    text = _written(node.lvalue)
    return not any(one is not node and _written(one.lvalue) == text for one in stores)


def _written(node: c_ast.Node) -> str:
    match node:
        case c_ast.ID():
            return str(node.name)
        case c_ast.StructRef():
            return f"{_written(node.name)}{node.type}{node.field.name}"
        case c_ast.UnaryOp():
            return f"{node.op}{_written(node.expr)}"
        case c_ast.ArrayRef():
            return f"{_written(node.name)}[]"
    return "?"
