# SPDX-License-Identifier: GPL-2.0-or-later
"""How far from the start of the region an address is.

An address is followed through locals, members and parameters, over files, as far as every source
of a value can be worked out: that is how drivers of this class hand their mapping around. The
result has every offset that can arrive. If one source is beyond this, the address is not known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.fold import fold, member_path, strip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.parse import Unit
    from gen.kernel import Kernel

MAX_STEPS = 12
MAX_OFFSETS = 16


@dataclass(frozen=True)
class Source:
    """An expression that gives a variable its value, and where it stands."""

    unit: Unit
    function: str
    node: c_ast.Node


# Offsets in bytes, each with the expression that last moved it away from the start.
Offsets = dict[int, Source | None]


class Addresses:
    """Where values of the driver's variables come from; `names` are its constants.

    Of a driver that is not complete, what nothing in it sets is not known.
    """

    def __init__(self, kernel: Kernel, complete: bool = True) -> None:
        self.names: dict[str, int] = {}
        self._complete = complete
        self._kernel = kernel
        self._locals: dict[tuple[Unit, str, str], list[Source]] = defaultdict(list)
        self._members: dict[str, list[Source]] = defaultdict(list)
        self._parameters: dict[tuple[Unit, str, str], int] = {}
        self._static: set[tuple[Unit, str]] = set()
        self._calls: dict[str, list[Source]] = defaultdict(list)

    def learn(self, unit: Unit, names: Mapping[str, int]) -> None:
        """Take in a unit's constants, and the assignments and calls of its functions."""
        self.names.update(names)
        for function in unit.functions:
            name = function.decl.name
            if "static" in function.decl.storage:
                self._static.add((unit, name))
            arguments = getattr(function.decl.type.args, "params", None) or []
            for number, parameter in enumerate(arguments):
                if getattr(parameter, "name", None):
                    self._parameters[unit, name, parameter.name] = number
            learner = _Learner(unit, name, self._locals, self._members, self._calls)
            learner.visit(function.body)

    def offsets(self, source: Source, steps: int = 0) -> Offsets | None:
        """All offsets from the start of the region that an address can have, or None."""
        node = strip(source.node)
        if steps > MAX_STEPS or node is None:
            return None
        if isinstance(node, c_ast.BinaryOp) and node.op in {"+", "-"}:
            return self._sum(source, node, steps)
        if isinstance(node, c_ast.FuncCall):
            return self._mapping(source, node)
        if isinstance(node, c_ast.ID):
            return self._all(self._sources(node.name, source), steps)
        path = member_path(node)
        return None if path is None else self._all(self._members.get(path, []), steps)

    def _sum(self, source: Source, node: c_ast.BinaryOp, steps: int) -> Offsets | None:
        moved = self._number(node.right, source)
        base = node.left
        if moved is None and node.op == "+":
            moved, base = self._number(node.left, source), node.right
        starts = self.offsets(Source(source.unit, source.function, base), steps + 1)
        if moved is None or starts is None:
            return None
        moved = moved if node.op == "+" else -moved
        here = Source(source.unit, source.function, node)
        return {start + moved: here if moved else where for start, where in starts.items()}

    def _number(self, node: c_ast.Node | None, near: Source) -> int | None:
        """A constant, or a local that is only ever set to one constant."""
        value, bare = fold(node, self.names), strip(node)
        if value is None and isinstance(bare, c_ast.ID):
            sources = self._locals.get((near.unit, near.function, bare.name), [])
            values = {fold(source.node, self.names) for source in sources}
            return values.pop() if len(values) == 1 else None
        return value

    def _mapping(self, source: Source, node: c_ast.FuncCall) -> Offsets | None:
        """A mapping starts where the resource does, unless its own start is moved."""
        api = self._kernel.table.get(getattr(node.name, "name", ""))
        if api is None or api.acquires != "iomap":
            return None
        arguments = node.args.exprs if node.args else []
        for parameter, argument in zip(api.parameters, arguments, strict=False):
            if parameter in {"port", "offset"} and isinstance(argument, c_ast.BinaryOp):
                moved = self._number(argument.right, source)
                sign = {"+": 1, "-": -1}.get(argument.op)
                if moved is None or sign is None:
                    return None
                return {sign * moved: Source(source.unit, source.function, argument)}
        return {0: None}

    def _sources(self, name: str, near: Source) -> list[Source]:
        """What a local or a parameter can be; nothing for what the driver's callers hand over."""
        unit, function = near.unit, near.function
        sources = list(self._locals.get((unit, function, name), []))
        number = self._parameters.get((unit, function, name))
        if number is None:
            return sources
        for call in self._calls.get(function, []):
            given = call.node.args.exprs if call.node.args else []
            seen = call.unit is unit or (unit, function) not in self._static
            if seen and number < len(given):
                sources.append(Source(call.unit, call.function, given[number]))
        return sources

    def _all(self, sources: list[Source], steps: int) -> Offsets | None:
        """The offsets of all sources; what nothing in the driver sets is the region's start."""
        if not sources:
            return {0: None} if self._complete else None
        found: Offsets = {}
        for source in sources:
            offsets = self.offsets(source, steps + 1)
            if offsets is None or len(found) > MAX_OFFSETS:
                return None
            found |= offsets
        return found


class _Learner(c_ast.NodeVisitor):  # type: ignore[misc]
    """Collects one function's assignments and calls."""

    def __init__(
        self,
        unit: Unit,
        function: str,
        locals_: dict[tuple[Unit, str, str], list[Source]],
        members: dict[str, list[Source]],
        calls: dict[str, list[Source]],
    ) -> None:
        self._unit, self._function, self._locals = unit, function, locals_
        self._members, self._calls = members, calls

    def visit_Decl(self, node: c_ast.Decl) -> None:  # noqa: N802 (pycparser calls it so)
        if node.init is not None and node.name:
            self._locals[self._unit, self._function, node.name].append(self._source(node.init))
        self.generic_visit(node)

    def visit_Assignment(self, node: c_ast.Assignment) -> None:  # noqa: N802 (as above)
        path = member_path(node.lvalue)
        source = self._source(_assigned(node))
        if isinstance(node.lvalue, c_ast.ID):
            self._locals[self._unit, self._function, node.lvalue.name].append(source)
        elif path:
            self._members[path].append(source)
        self.generic_visit(node)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> None:  # noqa: N802 (as above)
        name = getattr(node.name, "name", None)
        if isinstance(name, str):
            self._calls[name].append(self._source(node))
        self.generic_visit(node)

    def _source(self, node: c_ast.Node) -> Source:
        return Source(self._unit, self._function, node)


def _assigned(node: c_ast.Assignment) -> c_ast.Node:
    """What an assignment gives: for `p += 4`, the sum."""
    if node.op == "=":
        return node.rvalue
    return c_ast.BinaryOp(node.op[:-1], node.lvalue, node.rvalue, node.coord)
