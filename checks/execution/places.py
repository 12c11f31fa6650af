# SPDX-License-Identifier: GPL-2.0-or-later
"""Where values are kept: variables, members, elements, and what is read there.

Code is a closure that takes a frame: a list with one slot for each variable. What is not understood
raises only when it is executed, so code that no scenario reaches does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.faults import UnknownError
from checks.execution.layout import (
    VOID,
    Array,
    Func,
    Ptr,
    Struct,
)  # fmt: skip
from checks.execution.opaque import Opaque
from checks.execution.state import UNDEFINED, Obj

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.layout import Type
    from checks.execution.program import Program, UnitCode

    Frame = list[Any]
    Code = Callable[[Frame], Any]


@dataclass(frozen=True)
class Lvalue:
    """Where a value is kept: in a frame's slot, or in memory at a pointer.

    `own` says that the memory has to be a structure that the driver defines.
    """

    type: Type
    slot: int | None = None
    pointer: Code | None = None
    own: bool = False


@dataclass(frozen=True)
class Variable:
    """A local variable; one whose address is taken lives in an object that its slot holds.

    A static one has its object for itself: `obj`.
    """

    slot: int
    type: Type
    memory: bool
    obj: Obj | None = None


class Places:
    """Compiles what one function, or an initialiser at file scope, finds somewhere."""

    def __init__(self, unit: UnitCode, program: Program) -> None:
        self.unit, self.program, self.world = unit, program, program.world
        self.scopes: list[dict[str, Variable]] = [{}]
        self.slots = 1
        self.walks: dict[str, str] = {}
        # What is asked for again is not compiled again: each level of it would be twice as long.
        self.compiled: dict[c_ast.Node, tuple[Code, Type]] = {}

    # Helpers

    def unknown(self, node: c_ast.Node, why: str) -> Code:
        """Code that cannot be run."""
        unit = self.unit

        def code(_frame: Frame) -> Any:
            raise UnknownError(why, unit.span(node))

        return code

    def variable(self, name: str) -> Variable | None:
        """The local variable of a name."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def value(self, node: c_ast.Node) -> Code:
        """An expression whose type does not matter."""
        return self.typed(node)[0]

    def typed(self, node: c_ast.Node) -> tuple[Code, Type]:
        """An expression and its type."""
        if node not in self.compiled:
            self.compiled[node] = self._compile(node)
        return self.compiled[node]

    def _compile(self, node: c_ast.Node) -> tuple[Code, Type]:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            return self.unknown(node, f"{type(node).__name__} is not understood here"), VOID
        try:
            found: tuple[Code, Type] = method(node)
        except UnknownError as error:
            return self.unknown(node, error.why), VOID
        return found

    # Places

    def place(self, node: c_ast.Node) -> Lvalue:
        """An expression that can be assigned to.

        Raises:
            UnknownError: it is none that is understood.
        """
        if isinstance(node, c_ast.ID):
            found = self.variable(node.name)
            return self._global(node) if found is None else _local(found)
        if isinstance(node, c_ast.StructRef):
            return self._member(node)
        if isinstance(node, c_ast.ArrayRef) or (isinstance(node, c_ast.UnaryOp) and node.op == "*"):
            array = isinstance(node, c_ast.ArrayRef)
            code, type_ = self.sum(node.name, node.subscript, 1) if array else self.typed(node.expr)
            return Lvalue(target(type_), pointer=code)
        if isinstance(node, c_ast.FuncCall) and getattr(node.name, "name", "") == "READ_ONCE":
            return self.place(node.args.exprs[0])
        raise UnknownError(f"{type(node).__name__} is not understood as a place")

    def settled(self, place: Lvalue) -> tuple[Code, Lvalue]:
        """What works out where a place is, and the place that is there from then on."""
        pointer, slot = place.pointer, self.slots
        if pointer is None:
            return (lambda _f: None), place
        self.slots += 1
        where = pointer

        def settle(f: Frame) -> None:
            f[slot] = where(f)

        return settle, replace(place, pointer=lambda f: f[slot])

    def _global(self, node: c_ast.ID) -> Lvalue:
        unit, program, name = self.unit, self.program, node.name
        found = program.object(unit, name)
        if found is None:
            found = program.stranger(name)
        obj, type_ = found
        pointer = (obj, 0)
        return Lvalue(type_, pointer=lambda _f: pointer)

    def _member(self, node: c_ast.StructRef) -> Lvalue:
        if node.type == "->":
            base, type_ = self.typed(node.name)
            struct = target(type_)
        else:
            place = self.place(node.name)
            struct, base = place.type, place.pointer or self.unknown(node, "a structure by value")
        if not isinstance(struct, Struct):
            return Lvalue(VOID, pointer=self._of_unknown(node.field.name, base))
        offset, member = struct.member(node.field.name)
        if offset == 0:
            return Lvalue(member, pointer=base, own=struct.closed)

        def pointer(f: Frame) -> Any:
            p = base(f)
            return (p[0], p[1] + offset) if p.__class__ is tuple else _far(p, offset)

        return Lvalue(member, pointer=pointer, own=struct.closed)

    def _of_unknown(self, name: str, base: Code) -> Code:
        """The place of a member of what is of no known type."""
        world = self.world

        def pointer(f: Frame) -> Any:
            p = base(f)
            if p.__class__ is tuple and p[0].kind == "kernel":
                p = world.foreign(p[0], p[1])
            if not isinstance(p, Opaque):
                raise UnknownError(f"what has the member '{name}' is not known")
            return p.derive(name)

        return pointer

    def address(self, node: c_ast.Node) -> tuple[Code, Type]:
        """The address of something."""
        if isinstance(node, c_ast.ID) and self.variable(node.name) is None:
            func = self.program.function(self.unit, node.name)
            if func is not None:
                return (lambda _f: func), Ptr(Func(func.returns))
        place = self.place(node)
        if place.pointer is None:
            raise UnknownError("the address of a variable that has none")
        return place.pointer, Ptr(place.type)

    def fetch(self, node: c_ast.Node, place: Lvalue) -> tuple[Code, Type]:
        """What is at a place; an array is its first element's address, a structure its own."""
        world, pointer, slot, at = self.world, place.pointer, place.slot, self.at(node)
        if isinstance(place.type, Array) and pointer is not None:
            return pointer, Ptr(place.type.of)
        if isinstance(place.type, Struct) and pointer is not None:
            return pointer, place.type
        if slot is not None:

            def local(f: Frame) -> Any:
                v = f[slot]
                if v is UNDEFINED:
                    world.at = at
                    raise world.defect("RUN306", "uses a variable that nothing has been put into")
                return v

            return local, place.type
        load = world.load_own if place.own else world.load
        where = pointer or self.unknown(node, "no place")

        def memory(f: Frame) -> Any:
            p = where(f)
            world.at = at
            return load(p)

        return memory, place.type

    def at(self, node: c_ast.Node) -> Callable[[], Any]:
        """The node's span, worked out when somebody asks."""
        return partial(self.unit.span, node)

    def sum(self, base: c_ast.Node, plus: c_ast.Node, sign: int) -> tuple[Code, Type]:
        """A pointer moved by a number of elements."""
        (a, type_), b = self.typed(base), self.value(plus)
        by = sign * target(type_).size

        def code(f: Frame) -> Any:
            p, n = a(f), b(f)
            return (p[0], p[1] + n * by) if p.__class__ is tuple else _far(p, n * by)

        return code, type_


def _local(variable: Variable) -> Lvalue:
    if variable.obj is not None:
        pointer = (variable.obj, 0)
        return Lvalue(variable.type, pointer=lambda _f: pointer)
    if not variable.memory:
        return Lvalue(variable.type, variable.slot)
    slot = variable.slot
    return Lvalue(variable.type, pointer=lambda f: (f[slot], 0))


def _far(pointer: Any, by: int) -> Any:
    """A pointer that is a number, moved."""
    return pointer + by if pointer.__class__ is int else pointer


def target(type_: Type) -> Type:
    """What a pointer points to."""
    return type_.to if isinstance(type_, Ptr) else VOID
