# SPDX-License-Identifier: GPL-2.0-or-later
"""C expressions as Python closures: each takes a frame (a list, one slot for each variable).

What is not understood raises only when it is executed, so code that no scenario reaches does not
matter.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.faults import UnknownError
from checks.execution.layout import (
    CHAR,
    INT,
    LONG,
    UINT,
    ULONG,
    VOID,
    Array,
    Func,
    Int,
    Ptr,
    Struct,
)  # fmt: skip
from checks.execution.world import UNDEFINED, Obj
from checks.fold import fold, string

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.execution.layout import Type
    from checks.execution.program import Program, UnitCode

    Frame = list[Any]
    Code = Callable[[Frame], Any]

_ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
}  # fmt: skip
_COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
    "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
LIST_STEPS = ("first", "last", "next", "prev")


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
    """A local variable; one whose address is taken lives in an object that its slot holds."""

    slot: int
    type: Type
    memory: bool


class Expressions:
    """Compiles the expressions of one function, or of an initialiser at file scope."""

    def __init__(self, unit: UnitCode, program: Program) -> None:
        self.unit, self.program, self.world = unit, program, program.world
        self.scopes: list[dict[str, Variable]] = [{}]
        self.slots = 1
        self.walks: dict[str, str] = {}

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
            code, type_ = (
                self._sum(node.name, node.subscript, 1) if array else self.typed(node.expr)
            )
            return Lvalue(_target(type_), pointer=code)
        if isinstance(node, c_ast.FuncCall) and getattr(node.name, "name", "") == "READ_ONCE":
            return self.place(node.args.exprs[0])
        raise UnknownError(f"{type(node).__name__} is not understood as a place")

    def _global(self, node: c_ast.ID) -> Lvalue:
        unit, program, name = self.unit, self.program, node.name
        found = program.object(unit, name)
        if found is None:
            raise UnknownError(f"'{name}' is not in the given files or the kernel's facts")
        obj, type_ = found
        pointer = (obj, 0)
        return Lvalue(type_, pointer=lambda _f: pointer)

    def _member(self, node: c_ast.StructRef) -> Lvalue:
        if node.type == "->":
            base, type_ = self.typed(node.name)
            struct = _target(type_)
        else:
            place = self.place(node.name)
            struct, base = place.type, place.pointer or self.unknown(node, "a structure by value")
        if not isinstance(struct, Struct):
            raise UnknownError(f"what has the member '{node.field.name}' is not known")
        offset, member = struct.member(node.field.name)
        if offset == 0:
            return Lvalue(member, pointer=base, own=struct.closed)

        def pointer(f: Frame) -> Any:
            p = base(f)
            return (p[0], p[1] + offset) if p.__class__ is tuple else _far(p, offset)

        return Lvalue(member, pointer=pointer, own=struct.closed)

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

    # Leaves

    def _constant(self, node: c_ast.Constant) -> tuple[Code, Type]:
        text = string(node)
        if text is not None:
            pointer = (Obj("text", "a string literal", len(text) + 1, text), 0)
            return (lambda _f: pointer), Ptr(CHAR)
        number = fold(node, {})
        if number is None:
            raise UnknownError(f"the constant {node.value} is not understood")
        suffix = node.value.lower()
        long_ = "l" in suffix or not -(1 << 31) <= number < 1 << 32
        signed = "u" not in suffix.lstrip("0x") and number < (1 << 63 if long_ else 1 << 31)
        return (lambda _f: number), Int(64 if long_ else 32, signed)

    def _id(self, node: c_ast.ID) -> tuple[Code, Type]:
        name = node.name
        if self.variable(name) is None:
            number = self.program.constant(self.unit, name)
            if number is not None:
                return (lambda _f: number), INT if number < 1 << 31 else UINT
            func = self.program.function(self.unit, name)
            if func is not None:
                return (lambda _f: func), Ptr(Func(func.returns))
        return self.fetch(node, self.place(node))

    def _structref(self, node: c_ast.StructRef) -> tuple[Code, Type]:
        return self.fetch(node, self.place(node))

    def _arrayref(self, node: c_ast.ArrayRef) -> tuple[Code, Type]:
        return self.fetch(node, self.place(node))

    # Operators

    def _unaryop(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        if node.op == "&":
            return self.address(node.expr)
        if node.op == "sizeof":
            return self._sizeof(node)
        if node.op in {"++", "--", "p++", "p--"}:
            return self._step(node)
        code, type_ = self.typed(node.expr)
        if node.op == "*":
            called = isinstance(_target(type_), Func)
            return (code, type_) if called else self.fetch(node, self.place(node))
        return self._changed(node, code, type_)

    def _changed(self, node: c_ast.UnaryOp, code: Code, type_: Type) -> tuple[Code, Type]:
        """`!`, `~`, `-` and `+`."""
        if node.op == "!":
            return (lambda f: 0 if code(f) else 1), INT
        wide = _promoted(type_)
        wrap = wide.wrapper()
        if node.op == "~":
            return (lambda f: wrap(~code(f))), wide
        return (code if node.op == "+" else (lambda f: wrap(-code(f)))), wide

    def _sizeof(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        if isinstance(node.expr, c_ast.Typename):
            size = self.unit.types.of(node.expr).size
        elif (text := string(node.expr)) is not None:
            size = len(text) + 1
        else:
            try:
                size = self.place(node.expr).type.size
            except UnknownError:
                size = self.typed(node.expr)[1].size
        return (lambda _f: size), ULONG

    def _step(self, node: c_ast.UnaryOp) -> tuple[Code, Type]:
        place = self.place(node.expr)
        get, type_ = self.fetch(node.expr, place)
        one = _target(type_).size if isinstance(type_, Ptr) else 1
        by = one if "+" in node.op else -one
        put = self.assign(place, node)
        wrap = type_.wrapper() if isinstance(type_, Int) else None

        def code(f: Frame) -> Any:
            old = get(f)
            moved = old.__class__ is tuple
            new = (old[0], old[1] + by) if moved else wrap(old + by) if wrap else old + by
            put(f, new)
            return old if node.op.startswith("p") else new

        return code, type_

    def _binaryop(self, node: c_ast.BinaryOp) -> tuple[Code, Type]:
        op = node.op
        if op in {"&&", "||"}:
            a, b = self.value(node.left), self.value(node.right)
            if op == "&&":
                return (lambda f: 1 if a(f) and b(f) else 0), INT
            return (lambda f: 1 if a(f) or b(f) else 0), INT
        left, right = self.typed(node.left), self.typed(node.right)
        pointers = [isinstance(t, Ptr) for _, t in (left, right)]
        if op in _COMPARE:
            return self._compare(node, left, right)
        if any(pointers) and op in {"+", "-"} and not all(pointers):
            sign = -1 if op == "-" else 1
            pair = (node.left, node.right) if pointers[0] else (node.right, node.left)
            return self._sum(*pair, sign)
        if all(pointers):
            size = _target(left[1]).size
            return (lambda f: (left[0](f)[1] - right[0](f)[1]) // size), LONG
        return self._arithmetic(node, left, right)

    def _compare(
        self, node: c_ast.BinaryOp, left: tuple[Code, Type], right: tuple[Code, Type]
    ) -> tuple[Code, Type]:
        (a, at), (b, bt), act = left, right, _COMPARE[node.op]
        if not (isinstance(at, Int) and isinstance(bt, Int)):
            return (lambda f: int(act(a(f), b(f)))), INT
        wide = _common(at, bt)
        if wide.signed:
            return (lambda f: int(act(a(f), b(f)))), INT
        wrap = wide.wrapper()
        return (lambda f: int(act(wrap(a(f)), wrap(b(f))))), INT

    def _sum(self, base: c_ast.Node, plus: c_ast.Node, sign: int) -> tuple[Code, Type]:
        (a, type_), b = self.typed(base), self.value(plus)
        by = sign * _target(type_).size

        def code(f: Frame) -> Any:
            p, n = a(f), b(f)
            return (p[0], p[1] + n * by) if p.__class__ is tuple else _far(p, n * by)

        return code, type_

    def _arithmetic(
        self, node: c_ast.BinaryOp, left: tuple[Code, Type], right: tuple[Code, Type]
    ) -> tuple[Code, Type]:
        (a, at), (b, bt), op = left, right, node.op
        world, at_node = self.world, self.at(node)
        wide = _promoted(at) if op in {"<<", ">>"} else _common(at, bt)
        wrap = wide.wrapper()
        act: Callable[[Any, Any], Any]
        if op in _ARITHMETIC:
            act = _ARITHMETIC[op]
            return (lambda f: wrap(act(a(f), b(f)))), wide
        if op in {"/", "%"}:

            def act(x: int, y: int) -> int:
                if y == 0:
                    world.at = at_node
                    raise world.defect("RUN306", "divides by zero")
                quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
                return quotient if op == "/" else x - y * quotient
        else:
            limit = wide.bits
            shift = operator.lshift if op == "<<" else operator.rshift

            def act(x: int, y: int) -> int:
                if not 0 <= y < limit:
                    world.at = at_node
                    raise world.defect("RUN306", f"shifts {limit} bits by {y}")
                return int(shift(x, y))

        return (lambda f: wrap(act(wrap(a(f)), b(f)))), wide

    def _ternaryop(self, node: c_ast.TernaryOp) -> tuple[Code, Type]:
        cond, (a, at), (b, bt) = (
            self.value(node.cond), self.typed(node.iftrue), self.typed(node.iffalse),
        )  # fmt: skip
        type_ = _common(at, bt) if isinstance(at, Int) and isinstance(bt, Int) else at
        return (lambda f: a(f) if cond(f) else b(f)), bt if at == INT and bt != INT else type_

    def _exprlist(self, node: c_ast.ExprList) -> tuple[Code, Type]:
        codes = [self.typed(item) for item in node.exprs]
        return (lambda f: [code(f) for code, _ in codes][-1]), codes[-1][1]

    def _cast(self, node: c_ast.Cast) -> tuple[Code, Type]:
        (code, _), type_ = self.typed(node.expr), self.unit.types.of(node.to_type)
        if not isinstance(type_, Int):
            return code, type_
        wrap = type_.wrapper()
        return (lambda f: wrap(code(f))), type_

    # Assignment

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
        put = self.assign(place, node)
        if node.op == "=":
            code = self.value_for(node.rvalue, place.type, _spelled(node.lvalue))
        else:
            both = c_ast.BinaryOp(node.op[:-1], node.lvalue, node.rvalue, node.coord)
            code = self.value(both)
        return (lambda f: put(f, code(f))), place.type

    def _copy(self, node: c_ast.Assignment, place: Lvalue) -> Code:
        code, type_ = self.typed(node.rvalue)
        target, world, size = place.pointer, self.world, place.type.size
        if target is None or not isinstance(type_, Struct):
            raise UnknownError("how this structure is assigned is not understood")
        to = target

        def copy(f: Frame) -> Any:
            source, into = code(f), to(f)
            obj, start = world.check(source, "reads")
            for offset, value in list(obj.cells.items()):
                if isinstance(offset, int) and start <= offset < start + size:
                    world.store((into[0], into[1] + offset - start), value)
            return into

        return copy

    def value_for(self, node: c_ast.Node, type_: Type, spelled: str) -> Code:
        """A value for a place of a type, which says what a walk over a list steps to."""
        name = getattr(getattr(node, "name", None), "name", "")
        if isinstance(node, c_ast.FuncCall) and str(name).startswith("__model_list_"):
            self.walks.setdefault(spelled, string(node.args.exprs[1]) or "")
            return self.walk(node, _target(type_))
        return self.value(node)

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
        head, world, at = self.value(node.args.exprs[1]), self.world, self.at(node)
        entry = _target(type_)
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

    def _funccall(self, node: c_ast.FuncCall) -> tuple[Code, Type]:
        from checks.execution.calls import call  # noqa: PLC0415 (they call each other)

        return call(self, node)

    def arguments(self, node: c_ast.FuncCall) -> Sequence[c_ast.Node]:
        """The arguments of a call."""
        return node.args.exprs if node.args else ()


def _local(variable: Variable) -> Lvalue:
    if not variable.memory:
        return Lvalue(variable.type, variable.slot)
    slot = variable.slot
    return Lvalue(variable.type, pointer=lambda f: (f[slot], 0))


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


def _far(pointer: Any, by: int) -> Any:
    """A pointer that is a number, moved."""
    return pointer + by if pointer.__class__ is int else pointer


def _target(type_: Type) -> Type:
    return type_.to if isinstance(type_, Ptr) else VOID


def _promoted(type_: Type) -> Int:
    if not isinstance(type_, Int):
        return ULONG if isinstance(type_, Ptr) else LONG
    return INT if type_.bits < INT.bits else type_


def _common(left: Type, right: Type) -> Int:
    a, b = _promoted(left), _promoted(right)
    if a.bits != b.bits:
        return a if a.bits > b.bits else b
    return Int(a.bits, a.signed and b.signed)
