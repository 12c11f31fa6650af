# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs statements one after the other, and the signals that leave that order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.opaque import truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.places import Code, Frame
    from checks.execution.world import World

    Statement = Callable[[Frame], Any]

MAX_ROUNDS = 20_000
BREAK, CONTINUE, RETURN = object(), object(), object()


@dataclass(frozen=True)
class Goto:
    """The signal of a jump."""

    label: str


def sequence(world: World, codes: tuple[Statement, ...]) -> Statement:
    """Statements one after the other."""

    def run(f: Frame) -> Any:
        world.spend(len(codes))
        for code in codes:
            signal = code(f)
            if signal is not None:
                return signal
        return None

    return run


def jumping(world: World, codes: list[Statement], labels: dict[str, int]) -> Statement:
    """A block with labels."""

    def run(f: Frame) -> Any:
        number = 0
        while number < len(codes):
            world.spend(1)
            signal = codes[number](f)
            number += 1
            if isinstance(signal, Goto) and signal.label in labels:
                number = labels[signal.label]
            elif signal is not None:
                return signal
        return None

    return run


def cleaned(pointer: Code, give_back: Code, body: Statement) -> Statement:
    """A block at whose end a variable is given back, unless it is NULL or an error."""

    def run(f: Frame) -> Any:
        result = body(f)
        if pointer(f).__class__ is tuple:
            give_back(f)
        return result

    return run


def loop(
    world: World, start: Statement | None, more: Code, step: Statement | None, body: Statement
) -> Statement:
    """A loop with its start, condition, step and body."""

    def run(f: Frame) -> Any:
        if start is not None:
            start(f)
        rounds, questions = 0, world.questions
        while True:
            asked = questions.count
            if not more(f) or (rounds > 1 and questions.count != asked):
                return None  # nor is a loop gone on with whose end rests on what is not known
            signal = body(f)
            if signal is BREAK:
                return None
            if signal is not None and signal is not CONTINUE:
                return signal
            if step is not None:
                step(f)
            rounds += 1
            world.spend(1)
            if rounds > MAX_ROUNDS:
                raise world.unknown("a loop does not seem to end")

    return run


def switch(
    world: World, cond: Code, cases: list[tuple[Code | None, int]], codes: list[Statement]
) -> Statement:
    """A switch: labels, None for the default, with the number of the statement after them."""

    def run(f: Frame) -> Any:
        world.spend(len(cases) + len(codes))
        value = cond(f)
        start = next((n for code, n in cases if code is not None and truth(code(f) == value)), None)
        if start is None:
            start = next((n for code, n in cases if code is None), len(codes))
        for code in codes[start:]:
            signal = code(f)
            if signal is not None:
                return None if signal is BREAK else signal
        return None

    return run


def addressed(node: c_ast.Node) -> set[str]:
    """The names of variables whose address a function takes."""
    found = set()
    for _, child in node.children():
        if isinstance(child, c_ast.UnaryOp) and child.op == "&":
            inner = child.expr
            while isinstance(inner, c_ast.StructRef) and inner.type == ".":
                inner = inner.name
            if isinstance(inner, c_ast.ID):
                found.add(inner.name)
        found |= addressed(child)
    return found


def guarded_by(node: c_ast.Node) -> str | None:
    """The kind of lock that a block takes up to its end."""
    name = str(getattr(getattr(node, "name", None), "name", ""))
    is_call = isinstance(node, c_ast.FuncCall) and name.startswith("__model_guard_")
    return name.removeprefix("__model_guard_") if is_call else None
