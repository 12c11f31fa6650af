# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about the data that a driver keeps with a device or hands to a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.cfg import walk
from checks.flow.fallible import failed, signs_of
from checks.flow.resources import acquired, action_of
from checks.flow.values import ZERO, sign
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path
    from checks.rule import Context, Word

# Before there was this, a driver had to set the variable.
SYS_OFF = "register_sys_off_handler"


@flow_check("KERN147")
def wrong_type(flow: Flow, _context: Context) -> Iterator[Word]:
    """What is kept or handed over is not what who gets it takes it for."""
    taken = _taken(flow)
    for function, event in flow.calls():
        given = (
            event.node.args.exprs
            if isinstance(event.node, c_ast.FuncCall) and event.node.args
            else []
        )
        api, action = flow.api(event), action_of(flow, function, event)
        if api is None or not given:
            continue
        kept = flow.program.type_of(given[-1], function)
        wanted = _casts(action) if action else taken if api.data == "set" else set()
        if _structure(kept) and wanted and kept not in wanted:
            who = f"{action.name}() takes it" if action else "others take it"
            message = f"this is a '{kept}', but {who} for a '{min(wanted)}'"
            yield Found(message, place(function, event.node))


def _structure(text: str) -> bool:
    return text.startswith("struct ") and text.endswith("*")


def _taken(flow: Flow) -> set[str]:
    """The types of the variables that a driver's data is put into."""
    found = set()
    for function, trace in flow.traces.items():
        for event in trace.of("set"):
            value, api = event.values[0], None
            if value[0] == "call":
                api = flow.program.api(value[2])
            kind = function.types.get(event.name, "")
            if api is not None and api.data == "get" and _structure(kind):
                found.add(kind)
    return found


def _casts(function: Function) -> set[str]:
    """The types of the variables that a function puts its first parameter into."""
    first = function.params[:1]
    found = set()
    for node in walk(function.node.body):
        if isinstance(node, c_ast.Decl) and isinstance(node.init, c_ast.ID):
            kind = function.types.get(node.name or "", "")
            if node.init.name in first and _structure(kind):
                found.add(kind)
    return found


@flow_check("KERN148")
def never_set(flow: Flow, _context: Context) -> Iterator[Word]:
    """A member of a structure that the driver allocates is read, but nothing ever sets it."""
    written: set[str] = set()
    made: set[str] = set()
    for trace in flow.traces.values():
        for event in trace.of("write", "once-write"):
            written.add(event.name)
            if _allocated(flow, event) and event.place:
                made.add(event.place[2])
    handed = _addresses(flow)
    for function, trace in flow.traces.items():
        for event in trace.of("read", "once-read"):
            owner = event.place[2] if event.place and event.place[0] == "field" else ""
            if owner in made and event.name not in written | handed:
                yield Found(
                    f"nothing ever sets '{event.name}'", place(function, event.node), absent=True
                )


def _allocated(flow: Flow, event: Event) -> bool:
    base = event.place[1] if event.place and event.place[0] == "field" else None
    api = flow.program.api(base[2]) if base and base[0] == "call" else None
    return api is not None and api.acquires == "memory"


def _addresses(flow: Flow) -> set[str]:
    """The members whose addresses are taken, also as arrays: others may set them."""
    found = set()
    for function in flow.traces:
        for node in walk(function.node.body):
            given = node.args.exprs if isinstance(node, c_ast.FuncCall) and node.args else []
            inner = [item for item in given if _array(flow, function, item)]
            if isinstance(node, c_ast.UnaryOp) and node.op == "&":
                inner.append(node.expr)
            for item in inner:
                if isinstance(item, c_ast.StructRef):
                    owner = flow.program.owner(item, function)
                    found.add(f"{owner}.{item.field.name}")
    return found


def _array(flow: Flow, function: Function, node: c_ast.Node) -> bool:
    """Whether an argument is a member that is an array, whose address is what a call gets."""
    if not isinstance(node, c_ast.StructRef):
        return False
    owner = flow.program.owner(node, function).removeprefix("struct ")
    structs = (item for item in walk(function.unit.ast) if isinstance(item, c_ast.Struct)
               and item.name == owner)  # fmt: skip
    return any(
        part.name == node.field.name and isinstance(part.type, c_ast.ArrayDecl)
        for item in structs
        for part in item.decls or []
        if isinstance(part, c_ast.Decl)
    )


@flow_check("KERN123")
def no_data(flow: Flow, _context: Context) -> Iterator[Word]:
    """A driver's data is used, but a probe that succeeds does not set it."""
    gets = [event for function, event in flow.calls() if _data(flow, event) == "get"]
    for root in flow.rooted("probe") if gets else ():
        below = flow.reach(root)
        if not any(_data(flow, e) == "set" for f in below for e in flow.traces[f].of("call")):
            maker = next(
                (f for f in below for use in acquired(flow, f) if use.kind == "memory"), root
            )
            message = f"{gets[0].name}() is used, but {maker.name}() does not set the data"
            yield Found(message, maker.span, absent=True)
            continue
        for function in below:
            yield from _unset(flow, function)


def _data(flow: Flow, event: Event) -> str | None:
    api = flow.api(event)
    return api.data if api is not None else None


def _failed(flow: Flow, function: Function, path: Path, event: Event) -> bool:
    """Whether a path knows that a call has failed; what it returns then is another question."""
    signs = signs_of(flow, function, event) if event.kind == "call" else None
    return signs is not None and failed(path, event, signs)


def _unset(flow: Flow, function: Function) -> Iterator[Word]:
    """Ways to succeed on which a function that sets the data does not."""
    trace = flow.traces[function]
    if not any(_data(flow, event) == "set" for event in trace.of("call")):
        return
    for path in trace.paths:
        done = any(e.kind == "call" and _data(flow, e) == "set" for e in path.state.history)
        fine = path.value is not None and sign(path.state.signs, path.value) & ZERO
        fine = fine and not any(_failed(flow, function, path, e) for e in path.state.history)
        if fine and not done and path.node is not None:
            message = f"{function.name}() succeeds here without setting the driver's data"
            yield Found(message, place(function, path.node))


@flow_check("KERN157")
def overwritten(flow: Flow, context: Context) -> Iterator[Word]:
    """A variable of the kernel's that a driver sets, where there is a call for that."""
    own = set(flow.program.globals)
    for function, trace in flow.traces.items():
        for event in trace.of("write", "once-write"):
            name = event.place[1] if event.place and event.place[0] == "global" else None
            api = context.facts.kernel.table.get(name) if isinstance(name, str) else None
            if api is None or api.kind != "variable" or name in own:
                continue
            if api.name == "pm_power_off" and not context.facts.kernel.has(SYS_OFF):
                continue
            message = f"'{name}' belongs to the kernel: whoever else relies on it is cut off"
            yield Found(message, place(function, event.node))
