# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls of functions that have no model: what they return is not known, and little is touched.

Such a function changes nothing of the driver's but what it gets a pointer to, and of that not the
driver's own structures, whose members the kernel does not know. It may keep, release or call back
what it was given, and take or release a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.dialect import STRANGE
from checks.execution.faults import UnknownError
from checks.execution.layout import CHAR, VOID, Ptr, Struct
from checks.execution.locks import LOCKS
from checks.execution.opaque import Opaque, Site
from checks.execution.state import UNDEFINED, Obj

if TYPE_CHECKING:
    from checks.execution.expressions import Expressions
    from checks.execution.layout import Type
    from checks.execution.places import Code, Frame
    from checks.execution.world import World

_OWN = frozenset({"static", "heap", "stack"})
_LOCKS = frozenset({*LOCKS, "semaphore"})
# How deep a structure that is handed over is searched for functions of the driver.
_DEPTH = 3
NO_FACT = "it is neither in the given files nor in the kernel's facts"
NO_MODEL = "it is not modelled"


def stranger(on: Expressions, node: c_ast.FuncCall, why: str, returns: Type = VOID) -> Code:
    """Code for a call of a function without a model."""
    name = node.name.name if isinstance(node.name, c_ast.ID) else "a pointer"
    site = Site(f"{name}()", why, on.at(node), isinstance(returns, Ptr))
    on.program.strangers[node] = site
    given = [_argument(on, item, site) for item in on.arguments(node)]
    world, at, value = on.world, on.at(node), Opaque(on.world.questions, site)

    def run(f: Frame) -> Any:
        found = [code(f) for code in given]
        world.at = at
        world.put(world.kernel, "stranger", site)
        for pointer, type_ in found:
            hand_over(world, site, pointer, type_)
        return value

    return run


def _argument(on: Expressions, node: c_ast.Node, site: Site) -> Code:
    """An argument with its type. A macro may set a variable that it is given by name."""
    code, type_ = on.typed(node)
    variable = on.variable(node.name) if isinstance(node, c_ast.ID) else None
    slot = variable.slot if variable is not None and not variable.memory else None

    def run(f: Frame) -> Any:
        if slot is not None and f[slot] is UNDEFINED:
            f[slot] = Opaque(on.world.questions, site)
        try:
            return code(f), type_
        except UnknownError:
            return None, VOID

    return run


def hand_over(world: World, site: Site, pointer: Any, type_: Type) -> None:
    """A function without a model gets a pointer."""
    if _calls_back(world, pointer, _DEPTH):
        world.put(world.kernel, "called back", site)
    if pointer.__class__ is not tuple or pointer[0].kind in {"text", "handle"}:
        return
    obj, offset = pointer
    world.put(world.kernel, ("handed", obj), site)
    target = type_.to if isinstance(type_, Ptr) else VOID
    hidden = target == VOID and (obj.data == STRANGE or obj.kind == "static")
    if hidden or (isinstance(target, Struct) and target.tag in _LOCKS):
        world.put(world.kernel, "strange lock", site)
    elif obj.kind in _OWN and not (isinstance(target, Struct) and target.closed):
        whole = target.size <= CHAR.size
        end = (obj.size or 1 << 30) if whole else offset + target.size
        world.spoil(obj, offset, end, site)


def _calls_back(world: World, value: Any, depth: int) -> bool:
    """Whether a function of the driver can be reached from a value."""
    world.spend(1)
    if value.__class__ is not tuple:
        return callable(value)
    obj = value[0]
    if depth == 0 or not isinstance(obj, Obj) or obj.kind not in _OWN:
        return False
    return any(_calls_back(world, item, depth - 1) for item in list(obj.cells.values()))
