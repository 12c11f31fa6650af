# SPDX-License-Identifier: GPL-2.0-or-later
"""C types as far as a driver of this class shows them: widths of integers, places of members.

Sizes are bytes on a 64-bit machine. A structure that only the kernel defines gets a place for each
member when it is first used, so that no layout of a kernel has to be known.
"""

from __future__ import annotations

import re
from collections import ChainMap
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pycparser import c_ast
from pycparser.c_parser import CParser

from checks.dialect import STRANGE
from checks.execution.faults import UnknownError
from checks.execution.opaque import Opaque
from checks.fold import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen.kernel import Kernel

POINTER = 8
# What says where a pointer leads, which changes nothing of a declaration.
_ANNOTATION = re.compile(r"\b__(?:iomem|user)\b")
# No object is larger than the kernel's half of the addresses.
MAX_SIZE = 1 << 63
# Where the members of a kernel's structure that the facts do not have are put, and how far apart.
FAR, APART = 1 << 16, 1 << 8


@dataclass(frozen=True)
class Int:
    """An integer of `bits`; a truth value has 1. A bit-field is a `part` of an integer."""

    bits: int
    signed: bool
    part: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return max(self.bits // 8, 1)

    def wrapper(self) -> Callable[[Any], Any]:
        """What storing into this type does to a number; pointers stay what they are."""
        if self.bits == 1 and not self.part:
            return lambda v: v if v.__class__ is Opaque else int(bool(v))
        mask, top = (1 << self.bits) - 1, 1 << (self.bits - 1)
        if not self.signed:
            return lambda v: v & mask if v.__class__ is int else v

        def wrap(v: Any) -> Any:
            if v.__class__ is not int or -top <= v < top:
                return v
            return ((v + top) & mask) - top

        return wrap


@dataclass(frozen=True)
class Void:
    """No type, or one that is not known: a value is kept as it is."""

    size: int = 1


@dataclass(frozen=True)
class Func:
    """A function that returns `returns`."""

    returns: Type
    size: int = 1


@dataclass(frozen=True)
class Ptr:
    """A pointer."""

    to: Type
    size: int = POINTER


@dataclass(frozen=True)
class Array:
    """`length` of a type."""

    of: Type
    length: int
    size: int


def array(of: Type, length: int) -> Array:
    """So many of a type."""
    return Array(of, length, _bounded(of.size * length))


def _bounded(size: int) -> int:
    """A size that an object may have.

    Raises:
        UnknownError: it may not.
    """
    if not 0 <= size < MAX_SIZE:
        raise UnknownError("no object has the size of this type")
    return size


@dataclass(eq=False)
class Struct:
    """A structure; `closed` once its members are all known."""

    tag: str
    fields: dict[str, tuple[int, Type]] = field(default_factory=dict)
    size: int = 0
    closed: bool = False
    positions: tuple[str, ...] = ()
    align: int = 0

    def add(self, name: str, type_: Type) -> None:
        """Append a member."""
        align = _align(type_)
        start = -(-self.size // align) * align
        self.fields[name] = (start, type_)
        self.align = max(self.align, align)
        # Locks side by side, of which no member is known, still have a place each.
        self.size = _bounded(start + (type_.size or (APART if isinstance(type_, Struct) else 0)))

    def member(self, name: str) -> tuple[int, Type]:
        """Where a member is, and its type."""
        if name not in self.fields:
            if self.closed:
                raise UnknownError(f"struct {self.tag} has no member '{name}'")
            self.fields[name] = (FAR + APART * len(self.fields), Void())
            self.align = max(self.align, 1)
            self.size = FAR + APART * len(self.fields)
        return self.fields[name]

    def at(self, number: int) -> str | None:
        """The name of a member by its number in an initialiser."""
        names = self.positions or tuple(self.fields)
        return names[number] if number < len(names) else None


Type = Int | Void | Func | Ptr | Array | Struct
INT, UINT, LONG, ULONG = Int(32, True), Int(32, False), Int(64, True), Int(64, False)  # noqa: FBT003 (signed)
CHAR, BOOL, VOID = Int(8, True), Int(1, False), Void()  # noqa: FBT003 (signed)
_WIDTHS = {"char": 8, "short": 16, "int": 32, "long": 64, "_Bool": 1}


def _align(type_: Type) -> int:
    if isinstance(type_, Array):
        return _align(type_.of)
    if isinstance(type_, Struct):
        return type_.align or POINTER
    return min(max(type_.size, 1), POINTER)


def _plain(names: list[str]) -> Type:
    if names == ["void"]:
        return VOID
    width = next((_WIDTHS[name] for name in names if name in _WIDTHS and name != "int"), 32)
    return Int(width, "unsigned" not in names and width != 1)


class Types:
    """The types of one unit: its own, and the kernel's from the facts."""

    def __init__(self, kernel: KernelTypes | None, constants: Mapping[str, int]) -> None:
        self._kernel = kernel
        self._typedefs: dict[str, c_ast.Node] = {}
        self._named: dict[str, Type] = {}
        self._structs: dict[str, Struct] = {}
        self.enums: dict[str, int] = {}
        self._numbers = ChainMap(self.enums, dict(constants))

    def learn(self, item: c_ast.Node) -> None:
        """Take in a declaration."""
        if isinstance(item, c_ast.Typedef):
            self._typedefs[item.name] = item.type
            self._named.pop(item.name, None)
        node = item.type if isinstance(item, (c_ast.Decl, c_ast.Typedef)) else item
        while isinstance(node, (c_ast.PtrDecl, c_ast.ArrayDecl, c_ast.TypeDecl, c_ast.FuncDecl)):
            node = node.type
        if isinstance(node, (c_ast.Struct, c_ast.Union)) and node.decls:
            self.struct(node)
        elif isinstance(node, c_ast.Enum) and node.values:
            self._enumerate(node)

    def _enumerate(self, node: c_ast.Enum) -> None:
        value = -1
        for item in node.values.enumerators:
            given = fold(item.value, self._numbers) if item.value is not None else value + 1
            if given is None:
                return
            value = self.enums[item.name] = given

    def struct(self, node: c_ast.Struct | c_ast.Union) -> Struct:
        """A structure that a declaration names or defines."""
        key = node.name or f"at {node.coord}"
        if key not in self._structs:
            outside = self._kernel.struct(key) if self._kernel and not node.decls else None
            self._structs[key] = outside or Struct(key)
        made = self._structs[key]
        if not node.decls or made.fields:
            return made
        for decl in node.decls if isinstance(node, c_ast.Struct) else ():
            if isinstance(decl, c_ast.Decl):
                made.add(decl.name or f"at {decl.coord}", self._narrowed(decl))
        made.closed = self._kernel is not None
        return made

    def _narrowed(self, decl: c_ast.Decl) -> Type:
        """The type of a member; a bit-field has its own width, and a place for itself."""
        type_ = self.of(decl.type)
        if decl.bitsize is None or not isinstance(type_, Int) or type_ == BOOL:
            return type_
        bits = fold(decl.bitsize, self._numbers)
        return replace(type_, bits=bits, part=True) if bits else type_

    def _tagged(self, node: c_ast.Struct | c_ast.Union | c_ast.Enum) -> Type:
        if node.name == STRANGE:
            return VOID
        return UINT if isinstance(node, c_ast.Enum) else self.struct(node)

    def of(self, node: c_ast.Node) -> Type:
        """The type that a declaration gives."""
        if isinstance(node, (c_ast.TypeDecl, c_ast.Typename, c_ast.Decl)):
            return self.of(node.type)
        if isinstance(node, (c_ast.PtrDecl, c_ast.FuncDecl)):
            wrap = Ptr if isinstance(node, c_ast.PtrDecl) else Func
            return wrap(self.of(node.type))
        if isinstance(node, c_ast.ArrayDecl):
            length = fold(node.dim, self._numbers) if node.dim else 0
            return array(self.of(node.type), length or 0)
        if isinstance(node, (c_ast.Struct, c_ast.Union, c_ast.Enum)):
            return self._tagged(node)
        if len(node.names) == 1 and node.names[0] in self._typedefs:
            return self._by_name(node.names[0])
        return _plain(node.names)

    def _by_name(self, name: str) -> Type:
        """The type that a typedef gives a name: worked out once, for it may rest on many others."""
        if name not in self._named:
            self._named[name] = self.of(self._typedefs[name])
        return self._named[name]


@lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[c_ast.Node, ...]:
    """The declarations of a text: those of one kernel serve all drivers that are read with it."""
    return tuple(CParser().parse(text).ext)


class KernelTypes:
    """Structures, constants and return types of the kernel, from the facts."""

    def __init__(self, kernel: Kernel) -> None:
        self.table, self._release = kernel.table, kernel.release
        self.constants = _constants(kernel)
        self._own = Types(None, self.constants)
        self._functions: dict[str, c_ast.Node] = {}
        self._known: dict[str, Struct] = {}
        for text in _declarations(kernel):
            for item in _parsed(text):
                if isinstance(item, c_ast.Decl) and isinstance(item.type, c_ast.FuncDecl):
                    self._functions[item.name] = item.type
                else:
                    self._own.learn(item)

    def can_fail(self, name: str) -> bool:
        """Whether a function can fail in this series."""
        api = self.table.get(name)
        since = api.fails_since if api is not None else None
        return since is None or self._release >= since

    def managed(self, name: str, after: str) -> bool:
        """Whether what a function acquires is managed after another one in this series."""
        return self.table[name].beside({after}, self._release).managed is not None

    def struct(self, tag: str) -> Struct:
        """A structure of the kernel, all of whose members nobody knows."""
        made = self._known.get(tag)
        if made is None:
            made = self._known[tag] = self._own.struct(c_ast.Struct(tag, None))
            api = self.table.get(f"struct {tag}")
            made.positions = api.positions if api else ()
        return made

    def returns(self, name: str) -> Type:
        """What a function of the kernel returns."""
        node = self._functions.get(name)
        return self._own.of(node.type) if node is not None else VOID


def _constants(kernel: Kernel) -> Mapping[str, int]:
    """The kernel's constants; one whose value no driver sees gets a bit of its own."""
    found, bit = {}, 1 << 20
    for api in kernel.table.values():
        if api.kind == "constant":
            found[api.name] = bit if api.value is None else api.value
            bit <<= api.value is None
    return found


def _declarations(kernel: Kernel) -> tuple[str, str]:
    """What the facts have of the kernel's types and functions, as C; then its structures.

    The first is the same for every series, so that it is parsed once for all of them.
    """
    types, structs, functions = [], [], []
    for api in kernel.table.values():
        if api.kind == "type":
            types.append(f"{api.prototype};")
        elif api.kind == "struct" and kernel.release in api.range:
            members = " ".join(f"{text};" for text in kernel.members(api.name).values())
            structs.append(f"{api.name} {{ {members} }};" if members else f"{api.name};")
        elif api.prototype and api.prototype.endswith(")"):
            functions.append(f"{_ANNOTATION.sub('', api.prototype)};")
    return "\n".join([*types, *functions]), "\n".join([*types, *structs])
