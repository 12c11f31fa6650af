# SPDX-License-Identifier: GPL-2.0-or-later
"""How far from the start of the region an address is.

An address is followed through locals, members and parameters as long as each has one source in the
whole driver: that is how drivers of this class hand their mapping around. Anything else is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.fold import fold, member_path, strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen.kernel import Kernel

MAX_STEPS = 16


class Addresses:
    """Where values of the driver's variables come from."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._locals: dict[tuple[str, str], list[tuple[str, c_ast.Node]]] = defaultdict(list)
        self._members: dict[str, list[tuple[str, c_ast.Node]]] = defaultdict(list)
        self._parameters: dict[tuple[str, str], int] = {}
        self._calls: dict[str, list[tuple[str, list[c_ast.Node]]]] = defaultdict(list)

    def learn(self, functions: Iterable[c_ast.FuncDef]) -> None:
        """Take in the assignments and calls of a unit's functions."""
        for function in functions:
            name = function.decl.name
            arguments = getattr(function.decl.type.args, "params", None) or []
            for number, parameter in enumerate(arguments):
                if getattr(parameter, "name", None):
                    self._parameters[name, parameter.name] = number
            _Learner(name, self._locals, self._members, self._calls).visit(function.body)

    def offset(
        self, node: c_ast.Node | None, function: str, names: Mapping[str, int], steps: int = 0
    ) -> int | None:
        """Bytes from the start of the region, or None."""
        node = strip(node)
        if steps > MAX_STEPS or node is None:
            return None
        if isinstance(node, c_ast.BinaryOp) and node.op in {"+", "-"}:
            return self._sum(node, function, names, steps)
        if isinstance(node, c_ast.FuncCall):
            return self._mapping(node, function, names, steps)
        if isinstance(node, c_ast.ID):
            return self._variable(node.name, function, names, steps)
        path = member_path(node)
        if path is None:
            return None
        return self._agreed(self._members.get(path, []), names, steps) if path else None

    def _sum(
        self, node: c_ast.BinaryOp, function: str, names: Mapping[str, int], steps: int
    ) -> int | None:
        sign = 1 if node.op == "+" else -1
        for base, plus, factor in ((node.left, node.right, sign), (node.right, node.left, 1)):
            number = self.number(plus, function, names)
            if number is not None and (base is node.left or sign > 0):
                start = self.offset(base, function, names, steps + 1)
                return None if start is None else start + factor * number
        return None

    def number(
        self, node: c_ast.Node | None, function: str, names: Mapping[str, int]
    ) -> int | None:
        """A constant, or a local that is only ever set to one constant."""
        value = fold(node, names)
        stripped = strip(node)
        if value is None and isinstance(stripped, c_ast.ID):
            sources = self._locals.get((function, stripped.name), [])
            values = {fold(source, names) for _, source in sources}
            return values.pop() if len(values) == 1 else None
        return value

    def _mapping(
        self, node: c_ast.FuncCall, function: str, names: Mapping[str, int], steps: int
    ) -> int | None:
        """A mapping starts where the resource does, unless its own start is moved."""
        name = getattr(node.name, "name", "")
        api = self._kernel.table.get(name)
        if api is None or api.acquires != "iomap":
            return None
        arguments = node.args.exprs if node.args else []
        for parameter, argument in zip(api.parameters, arguments, strict=False):
            if parameter in {"port", "offset"} and isinstance(argument, c_ast.BinaryOp):
                return self._sum(argument, function, names, steps + 1)
        return 0

    def _variable(
        self, name: str, function: str, names: Mapping[str, int], steps: int
    ) -> int | None:
        number = self._parameters.get((function, name))
        sources = list(self._locals.get((function, name), []))
        if number is not None:
            calls = self._calls.get(function, [])
            sources += [(caller, given[number]) for caller, given in calls if number < len(given)]
            if not sources:
                return 0  # called from outside the driver: its caller hands over the region
        if not sources:
            sources = self._locals.get(("", name), [])
        return self._agreed(sources, names, steps)

    def _agreed(
        self, sources: list[tuple[str, c_ast.Node]], names: Mapping[str, int], steps: int
    ) -> int | None:
        """The offset that all sources agree on; a member that nothing sets starts the region."""
        if not sources:
            return 0
        found = {self.offset(node, function, names, steps + 1) for function, node in sources}
        return found.pop() if len(found) == 1 else None


class _Learner(c_ast.NodeVisitor):  # type: ignore[misc]
    """Collects one function's assignments and calls."""

    def __init__(
        self,
        function: str,
        locals_: dict[tuple[str, str], list[tuple[str, c_ast.Node]]],
        members: dict[str, list[tuple[str, c_ast.Node]]],
        calls: dict[str, list[tuple[str, list[c_ast.Node]]]],
    ) -> None:
        self._function, self._locals = function, locals_
        self._members, self._calls = members, calls

    def visit_Decl(self, node: c_ast.Decl) -> None:  # noqa: N802 (pycparser calls it so)
        if node.init is not None and node.name:
            self._locals[self._function, node.name].append((self._function, node.init))
        self.generic_visit(node)

    def visit_Assignment(self, node: c_ast.Assignment) -> None:  # noqa: N802 (pycparser calls it so)
        path = member_path(node.lvalue)
        if isinstance(node.lvalue, c_ast.ID):
            key = (self._function, node.lvalue.name)
            self._locals[key].append((self._function, _assigned(node)))
        elif path:
            self._members[path].append((self._function, _assigned(node)))
        self.generic_visit(node)

    def visit_FuncCall(self, node: c_ast.FuncCall) -> None:  # noqa: N802 (pycparser calls it so)
        name = getattr(node.name, "name", None)
        if isinstance(name, str):
            arguments = list(node.args.exprs) if node.args else []
            self._calls[name].append((self._function, arguments))
        self.generic_visit(node)


def _assigned(node: c_ast.Assignment) -> c_ast.Node:
    """What an assignment gives: for `p += 4`, the sum."""
    if node.op == "=":
        return node.rvalue
    return c_ast.BinaryOp(node.op[:-1], node.lvalue, node.rvalue, node.coord)
