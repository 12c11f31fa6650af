# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests on a path mean for masks, worked out with numbers, whatever shape they have.

A value is evaluated with numbers in the places of what it is made of; a call of the driver's own
is worth what the path through the callee returns that its tests allow.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from checks.flow.values import mentions, sign_of_number, substitute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event
    from checks.flow.values import Value

    Leaf = Callable[[Value], int | None]

DEPTH = 4
_COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Bits:
    """Evaluates values; the calls among them are those of all functions."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._calls: dict[Value, tuple[Function, Event]] = {}
        self._paths: dict[Value, list[tuple[list[tuple[Value, int]], Value]]] = {}
        for function, event in flow.calls():
            if event.result is not None:
                self._calls.setdefault(event.result, (function, event))

    def given(self, value: Value) -> tuple[Value, ...]:
        """What a call got whose result a value is; nothing for any other value."""
        known = self._calls.get(value)
        return known[1].values if known else ()

    def rests_on(self, value: Value, wanted: Callable[[Value], bool]) -> bool:
        """Whether a value is made from one that is wanted, also by way of calls' arguments."""
        return mentions(
            value,
            lambda item: wanted(item) or any(mentions(one, wanted) for one in self.given(item)),
        )

    def worth(self, value: Value, leaf: Leaf, depth: int = 0) -> int | None:
        """The number that a value is, by the numbers that `leaf` gives; None if not known."""
        known = leaf(value)
        kind = value[0]
        if known is not None or kind == "num":
            return value[1] if known is None else known
        if kind in {"and", "or"}:
            return self._joined(value, leaf, depth)
        if kind in {"not", "neg"}:
            inner = self.worth(value[1], leaf, depth)
            return None if inner is None else ~inner if kind == "not" else -inner
        if kind == "cmp":
            left, right = (self.worth(item, leaf, depth) for item in value[2:])
            if left is None or right is None:
                return None
            return int(_COMPARE[value[1]](left, right))
        return self._returned(value, leaf, depth) if kind == "call" and depth < DEPTH else None

    def _joined(self, value: Value, leaf: Leaf, depth: int) -> int | None:
        total = value[2]
        for item in value[1]:
            number = self.worth(item, leaf, depth)
            if number is None:
                return None
            join = operator.and_ if value[0] == "and" else operator.or_
            total = number if total is None else join(total, number)
        return None if total is None else int(total)

    def _returned(self, value: Value, leaf: Leaf, depth: int) -> int | None:
        """What a call of the driver's own returns; None if its tests do not decide."""
        if value not in self._calls:
            return None
        function, event = self._calls[value]
        own = self._flow.called(function, event)
        found: set[int | None] = set()
        if value not in self._paths:
            # The values of the call stand in the place of the parameters, for all cases alike.
            self._paths[value] = [
                ([(substitute(v, event.values), s) for v, s in path.state.signs.items()],
                 substitute(path.value or ("op", 0), event.values))
                for path in (self._flow.traces[own].paths if own else ())
            ]  # fmt: skip
        for tests, result in self._paths[value]:
            if self.possible(tests, leaf, depth + 1):
                found.add(self.worth(result, leaf, depth + 1))
        return found.pop() if len(found) == 1 else None

    def possible(self, tests: Iterable[tuple[Value, int]], leaf: Leaf, depth: int = 0) -> bool:
        """Whether what tests have found can be, as far as that is known."""
        for value, signs in tests:
            number = self.worth(value, leaf, depth)
            if number is not None and not sign_of_number(number) & signs:
                return False
        return True

    def open(self, tests: Iterable[tuple[Value, int]], leaf: Leaf) -> Iterator[Value]:
        """The tested values that are not known."""
        return (value for value, _ in tests if self.worth(value, leaf) is None)
