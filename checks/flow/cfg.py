# SPDX-License-Identifier: GPL-2.0-or-later
"""A function's control-flow graph.

A test has one edge for each outcome; `&&`, `||`, `!` and `?:` are taken apart into tests, so that
an edge says exactly what was found. The graph is built from the end, each statement given what
follows it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.dialect import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# In how many ways the choices of one expression may go.
MAX_WAYS = 128
# What the functions of a driver cost together: nodes of graphs that are made, what each step
# evaluates, and what is known then. A driver of this class costs some 3,000.
MAX_WORK = 200_000
_COST = 2
GUARD = "__model_guard_"
SCOPED = "__model_scoped_"


class TooManyWaysError(Exception):
    """More ways lead through a function than are followed."""


class Work:
    """What may still be done."""

    def __init__(self) -> None:
        self._left = MAX_WORK

    def do(self, much: int) -> None:
        """Something that costs so much.

        Raises:
            TooManyWaysError: that is too much.
        """
        self._left -= much
        if self._left < 0:
            raise TooManyWaysError


class Kind(enum.Enum):
    """What happens at a node."""

    STEP = "step"
    TEST = "test"
    SWITCH = "switch"
    RETURN = "return"
    LEAVE = "leave"
    JOIN = "join"


@dataclass(eq=False)
class Node:
    """A node: `ast` is evaluated, with `choices` telling which side of each `?:` in it counts.

    `after` has what follows, for a test by outcome (True, False), for a switch by the case's
    expression (None for the default). A node without successors ends the function. LEAVE ends
    the scope of the guards in `guards`. `size` is how much there is to evaluate.
    """

    kind: Kind
    ast: c_ast.Node | None = None
    after: list[tuple[object, Node]] = field(default_factory=list)
    choices: Mapping[int, bool] = field(default_factory=dict)
    guards: tuple[c_ast.Node, ...] = ()
    size: int = 1


@dataclass(frozen=True)
class Choice:
    """A `?:` of an expression that counts, with those that then count on each of its sides."""

    node: c_ast.TernaryOp
    yes: tuple[Choice, ...]
    no: tuple[Choice, ...]


@dataclass(frozen=True)
class Around:
    """Where the jumps of a statement lead."""

    brk: Node | None = None
    cont: Node | None = None


def walk(node: c_ast.Node) -> Iterator[c_ast.Node]:
    """A node and all below it, in the order of the text."""
    left = [node]
    while left:
        one = left.pop()
        yield one
        below = one.children()
        if below:
            left += [child for _, child in reversed(below)]


def callee(node: c_ast.Node | None) -> str | None:
    """The name that a call calls."""
    name = getattr(getattr(node, "name", None), "name", None)
    return name if isinstance(node, c_ast.FuncCall) and isinstance(name, str) else None


def build(function: c_ast.FuncDef, work: Work) -> Node:
    """The graph's entry.

    Raises:
        TooManyWaysError: it would be too large.
    """
    return _Builder(function, work).entry()


class _Builder:
    """Builds one graph."""

    def __init__(self, function: c_ast.FuncDef, work: Work) -> None:
        self._function, self._work = function, work
        labels = (node for node in walk(function.body) if isinstance(node, c_ast.Label))
        self._labels = {node.name: Node(Kind.JOIN) for node in labels}

    def entry(self) -> Node:
        """The graph's first node."""
        end = Node(Kind.RETURN)
        return self._statement(self._function.body, end, Around())

    def _statement(self, item: c_ast.Node | None, after: Node, around: Around) -> Node:
        """The first node of a statement that `after` follows."""
        if item is None or isinstance(item, (c_ast.EmptyStatement, c_ast.Pragma)):
            return after
        name = f"_{type(item).__name__.lower()}"
        method = getattr(self, name, None)
        if method is None:
            return self._step(item, after)
        node: Node = method(item, after, around)
        return node

    def _compound(self, item: c_ast.Compound, after: Node, around: Around) -> Node:
        items = item.block_items or []
        guards = tuple(part for part in items if (callee(part) or "").startswith(GUARD))
        after, around = _leaving(guards, after, around)
        for part in reversed(items):
            after = self._statement(part, after, around)
        return after

    def _decllist(self, item: c_ast.DeclList, after: Node, around: Around) -> Node:
        for part in reversed(item.decls):
            after = self._statement(part, after, around)
        return after

    def _exprlist(self, item: c_ast.ExprList, after: Node, around: Around) -> Node:
        for part in reversed(item.exprs):
            after = self._statement(part, after, around)
        return after

    def _if(self, item: c_ast.If, after: Node, around: Around) -> Node:
        yes = self._statement(item.iftrue, after, around)
        no = self._statement(item.iffalse, after, around)
        return self._test(item.cond, yes, no)

    def _while(self, item: c_ast.While, after: Node, _around: Around) -> Node:
        head = Node(Kind.JOIN)
        body = self._statement(item.stmt, head, self._inside(after, head))
        head.after.append((None, self._test(item.cond, body, after)))
        return head

    def _dowhile(self, item: c_ast.DoWhile, after: Node, _around: Around) -> Node:
        head, again = Node(Kind.JOIN), Node(Kind.JOIN)
        body = self._statement(item.stmt, again, self._inside(after, again))
        again.after.append((None, self._test(item.cond, head, after)))
        head.after.append((None, body))
        return head

    def _for(self, item: c_ast.For, after: Node, around: Around) -> Node:
        if (callee(item.cond) or "").startswith(SCOPED):
            inner, left = _leaving((item.cond,), after, Around(after, after))
            return self._step(item.cond, self._statement(item.stmt, inner, left))
        head = Node(Kind.JOIN)
        step = self._statement(item.next, head, around)
        body = self._statement(item.stmt, step, self._inside(after, step))
        test = self._test(item.cond, body, after) if item.cond is not None else body
        head.after.append((None, test))
        return self._statement(item.init, head, around)

    @staticmethod
    def _inside(after: Node, again: Node) -> Around:
        return Around(after, again)

    def _switch(self, item: c_ast.Switch, after: Node, around: Around) -> Node:
        node = Node(Kind.SWITCH, item.cond)
        parts = item.stmt.block_items or [] if isinstance(item.stmt, c_ast.Compound) else []
        inner, following = Around(after, around.cont), after
        for part in reversed(parts):
            if not isinstance(part, (c_ast.Case, c_ast.Default)):
                continue
            for statement in reversed(part.stmts or []):
                following = self._statement(statement, following, inner)
            label = part.expr if isinstance(part, c_ast.Case) else None
            node.after.append((label, following))
        if not any(label is None for label, _ in node.after):
            node.after.append((None, after))
        return node

    def _return(self, item: c_ast.Return, _after: Node, _around: Around) -> Node:
        return self._split(Node(Kind.RETURN, item, size=size(item)), _choices(item))

    @staticmethod
    def _break(_item: c_ast.Break, after: Node, around: Around) -> Node:
        return around.brk or after

    @staticmethod
    def _continue(_item: c_ast.Continue, after: Node, around: Around) -> Node:
        return around.cont or after

    def _goto(self, item: c_ast.Goto, after: Node, _around: Around) -> Node:
        return self._labels.get(item.name, after)

    def _label(self, item: c_ast.Label, after: Node, around: Around) -> Node:
        node = self._labels[item.name]
        node.after.append((None, self._statement(item.stmt, after, around)))
        return node

    def _step(self, item: c_ast.Node, after: Node) -> Node:
        return self._split(Node(Kind.STEP, item, [(None, after)], size=size(item)), _choices(item))

    def _split(self, node: Node, left: tuple[Choice, ...]) -> Node:
        """The node for each way in which the `?:` of its expression may go."""
        if _ways(left) > MAX_WAYS:
            raise TooManyWaysError
        self._work.do(_COST)
        if not left:
            return node
        first, *rest = left
        sides = []
        for side, inner in ((True, first.yes), (False, first.no)):
            choices = {**node.choices, id(first.node): side}
            one = Node(node.kind, node.ast, node.after, choices, size=node.size)
            sides.append(self._split(one, (*inner, *rest)))
        return self._test(first.node.cond, *sides)

    def _test(self, item: c_ast.Node, yes: Node, no: Node) -> Node:
        if isinstance(item, c_ast.UnaryOp) and item.op == "!":
            return self._test(item.expr, no, yes)
        if isinstance(item, c_ast.BinaryOp) and item.op == "&&":
            return self._test(item.left, self._test(item.right, yes, no), no)
        if isinstance(item, c_ast.BinaryOp) and item.op == "||":
            return self._test(item.left, yes, self._test(item.right, yes, no))
        if isinstance(item, c_ast.TernaryOp):
            first = yes if same(item) else self._test(item.iftrue, yes, no)
            return self._test(item.cond, first, self._test(item.iffalse, yes, no))
        self._work.do(_COST)
        return Node(Kind.TEST, item, [(True, yes), (False, no)], size=size(item))


def size(node: c_ast.Node) -> int:
    """How many nodes an expression has."""
    return sum(1 for _ in walk(node))


def _choices(node: c_ast.Node) -> tuple[Choice, ...]:
    """The `?:` that count from the start, in the order of the text."""
    if isinstance(node, c_ast.TernaryOp):
        return (Choice(node, _choices(node.iftrue), _choices(node.iffalse)),)
    return tuple(found for _, child in node.children() for found in _choices(child))


def _ways(choices: tuple[Choice, ...]) -> int:
    """In how many ways they may go; more than MAX_WAYS are not told apart."""
    ways = 1
    for choice in choices:
        ways = min(ways * (_ways(choice.yes) + _ways(choice.no)), MAX_WAYS + 1)
    return ways


def _leaving(guards: tuple[c_ast.Node, ...], after: Node, around: Around) -> tuple[Node, Around]:
    """What follows a scope with guards: they are let go on each way out of it."""
    if not guards:
        return after, around

    def left(node: Node | None) -> Node | None:
        return node and Node(Kind.LEAVE, None, [(None, node)], guards=guards)

    return left(after) or after, Around(left(around.brk), left(around.cont))
