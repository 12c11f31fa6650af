# SPDX-License-Identifier: GPL-2.0-or-later
"""Assignments, and the steps of a walk over a list, which are assignments to a pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.faults import UnknownError
from checks.execution.layout import (
    INT,
    Int,
    Ptr,
    Struct,
)  # fmt: skip
from checks.execution.opaque import truth
from checks.execution.places import Lvalue, Places, target
from checks.fold import string

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.layout import Type

    Frame = list[Any]
    Code = Callable[[Frame], Any]


LIST_STEPS = ("first", "last", "next", "prev")


class Assignments(Places):
    """Compiles what puts values somewhere."""

    def assign(self, place: Lvalue, node: c_ast.Node) -> Callable[[Frame, Any], Any]:
        """Code that puts a value somewhere and returns what it has become there."""
        world, slot, where, at = self.world, place.slot, place.pointer, self.at(node)
        wrap = place.type.wrapper() if isinstance(place.type, Int) else None
        if slot is not None:

            def local(f: Frame, v: Any) -> Any:
                f[slot] = v = wrap(v) if wrap else v
                return v

            return local
        pointer = where or self.unknown(node, "no place")
        store = world.store_own if place.own else world.store

        def memory(f: Frame, v: Any) -> Any:
            p = pointer(f)
            world.at = at
            v = wrap(v) if wrap else v
            store(p, v)
            return v

        return memory

    def _assignment(self, node: c_ast.Assignment) -> tuple[Code, Type]:
        place = self.place(node.lvalue)
        if isinstance(place.type, Struct):
            return self._copy(node, place), place.type
        if node.op != "=":
            return self._changing(node, place), place.type
        put = self.assign(place, node)
        code = self.value_for(node.rvalue, place.type, _spelled(node.lvalue))
        return (lambda f: put(f, code(f))), place.type

    def _changing(self, node: c_ast.Assignment, place: Lvalue) -> Code:
        """`+=` and its like, whose place is worked out once."""
        settle, place = self.settled(place)
        put, old = self.assign(place, node), c_ast.ID("", node.coord)
        self.compiled[old] = self.fetch(node.lvalue, place)
        code = self.value(c_ast.BinaryOp(node.op[:-1], old, node.rvalue, node.coord))

        def change(f: Frame) -> Any:
            settle(f)
            return put(f, code(f))

        return change

    def _copy(self, node: c_ast.Assignment, place: Lvalue) -> Code:
        code, type_ = self.typed(node.rvalue)
        target, world, size = place.pointer, self.world, place.type.size
        if target is None or not isinstance(type_, Struct):
            raise UnknownError("how this structure is assigned is not understood")
        to = target

        def copy(f: Frame) -> Any:
            source, into = code(f), to(f)
            obj, start = world.check(source, "reads")
            world.spend(len(obj.cells))
            for offset, value in list(obj.cells.items()):
                if isinstance(offset, int) and start <= offset < start + size:
                    world.store((into[0], into[1] + offset - start), value)
            return into

        return copy

    def value_for(self, node: c_ast.Node, type_: Type, spelled: str) -> Code:
        """A value for a place of a type, which says what a walk over a list steps to."""
        name = getattr(getattr(node, "name", None), "name", "")
        walks = str(name).startswith("__model_list_") and len(node.args.exprs) > 1
        if isinstance(node, c_ast.FuncCall) and walks:
            self.walks.setdefault(spelled, string(node.args.exprs[1]) or "")
            return self.walk(node, target(type_))
        code = self.value(node)
        site = self.program.strangers.get(node)
        if site is not None:
            site.pointer = site.pointer or isinstance(type_, Ptr)
        return code

    def walk(self, node: c_ast.FuncCall, entry: Type) -> Code:
        """A step over a list, as the stubs of its macros have them."""
        step = node.name.name.removeprefix("__model_list_")
        member = string(node.args.exprs[1]) or ""
        if step not in LIST_STEPS or not isinstance(entry, Struct):
            raise UnknownError("this step over a list is not understood")
        offset, _ = _path(entry, member)
        start, world, at = self.value(node.args.exprs[0]), self.world, self.at(node)
        back = offset if step in {"next", "prev"} else 0
        read = self.program.lists.read if step in {"first", "last"} else None
        link = 8 if step in {"last", "prev"} else 0

        def code(f: Frame) -> Any:
            p = start(f)
            world.at = at
            p = (p[0], p[1] + back) if p.__class__ is tuple else p
            if read is not None and world.task.rcu:
                read.add(p)
            found = world.load((p[0], p[1] + link) if p.__class__ is tuple else p)
            if found.__class__ is not tuple:
                return found
            return (found[0], found[1] - offset)

        return code

    def more(self, node: c_ast.FuncCall) -> tuple[Code, Type]:
        """Whether a walk over a list has not come back to the head."""
        position, type_ = self.typed(node.args.exprs[0])
        if len(node.args.exprs) == 1:
            return (lambda f: int(bool(truth(position(f))))), INT
        head, world, at = self.value(node.args.exprs[1]), self.world, self.at(node)
        entry = target(type_)
        member = self.walks.get(_spelled(node.args.exprs[0]), "")
        if not isinstance(entry, Struct) or not member:
            raise UnknownError("this walk over a list is not understood")
        offset, _ = _path(entry, member)

        def code(f: Frame) -> Any:
            p, h = position(f), head(f)
            if p.__class__ is not tuple:
                world.at = at
                raise world.defect("RUN306", "walks a list that is not initialised or broken")
            return int((p[0], p[1] + offset) != h)

        return code, INT


def _path(struct: Struct, member: str) -> tuple[int, Type]:
    """The place of `a.b` in a structure."""
    offset, type_ = 0, struct
    for name in member.replace(" ", "").split("."):
        if not isinstance(type_, Struct):
            raise UnknownError(f"'{member}' is not understood as a member")
        more, found = type_.member(name)
        offset, type_ = offset + more, found  # type: ignore[assignment]
    return offset, type_


def _spelled(node: c_ast.Node) -> str:
    if isinstance(node, c_ast.StructRef):
        return f"{_spelled(node.name)}{node.type}{node.field.name}"
    return str(getattr(node, "name", ""))
