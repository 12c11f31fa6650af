# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of which nothing is known: what a function without a model returns, what the kernel keeps.

Such a value is handed on like any other. Only where the driver asks something of it, in a condition
or a comparison, has it to be one of three: zero, valid (above zero, or a pointer) or an error.
Which one is a question that is noted; what else the answer might have been is run as well.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from checks.execution.faults import UnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gen.source import Span

# Steps from a value to another that is made of it, beyond which all are one.
_FAR = 8


class State(Enum):
    """What a value is, and a number that stands for it."""

    ZERO = 0
    VALID = (1 << 31) - 1
    ERROR = -5


@dataclass(eq=False)
class Site:
    """Where such a value comes from: `what` names it, `why` says why it is not known."""

    what: str
    why: str
    at: Callable[[], Span] | None = None
    pointer: bool = False

    def span(self) -> Span | None:
        """The place in the driver."""
        return self.at() if self.at is not None else None


@dataclass
class Question:
    """What a driver has asked of a value; `others` are the answers that were not given."""

    site: Site
    usual: State
    others: set[State] = field(default_factory=set)


class Questions:
    """All that were asked in a run; `given` has the answers that are not the usual ones.

    `now` has the keys of those on the way to the present state of things. With `strict`, nothing
    may be asked.
    """

    def __init__(self, note: Callable[[frozenset[Hashable]], None]) -> None:
        self.given: dict[Hashable, State] = {}
        self.asked: dict[Hashable, Question] = {}
        self.now: Callable[[], frozenset[Hashable]] = frozenset
        self.count = 0
        self.strict = False
        self._note = note

    def answer(self, value: Opaque, *others: State, usual: State | None = None) -> State:
        """What a value is; `others` are what else it might be.

        Raises:
            UnknownError: nothing may be asked.
        """
        if self.strict:
            raise value.unknown()
        key, plain = value.key, State.VALID if value.fresh and value.site.pointer else State.ZERO
        self.count += 1
        question = self.asked.setdefault(key, Question(value.site, usual or plain))
        question.others |= set(others) - {question.usual}
        if key not in (now := self.now()):
            self._note(now | {key})
        return self.given.get(key, question.usual)


class Opaque:
    """A value of which nothing is known, by where it comes from and what was done to it."""

    __slots__ = ("asks", "path", "site")

    def __init__(self, asks: Questions, site: Site, path: tuple[Hashable, ...] = ()) -> None:
        self.asks, self.site, self.path = asks, site, path

    @property
    def key(self) -> Hashable:
        """The same for the same value in each run."""
        return (self.site, *self.path)

    @property
    def fresh(self) -> bool:
        """Whether it is as it came."""
        return not self.path

    def derive(self, *steps: Any) -> Opaque:
        """A value made from this one."""
        plain = tuple(_plain(step) for step in steps)
        return Opaque(self.asks, self.site, (*self.path, *plain)[:_FAR])

    def unknown(self) -> UnknownError:
        """Nothing can be said any more."""
        return UnknownError(f"what {self.site.what} gives is not known: {self.site.why}",
                            self.site.span())  # fmt: skip

    # What a driver asks

    def holds(self) -> bool:
        """Whether it is other than zero."""
        pointer = self.fresh and self.site.pointer
        return self.asks.answer(self, State.ZERO if pointer else State.ERROR) is not State.ZERO

    def is_error(self) -> bool:
        """Whether it is an error pointer."""
        return self.asks.answer(self, State.ERROR) is State.ERROR

    def number(self) -> int:
        """An integer that stands for it."""
        return int(self.asks.answer(self, State.ERROR).value)

    # What C does

    def __bool__(self) -> bool:
        """The checker itself must not ask.

        Raises:
            UnknownError: always.
        """
        raise self.unknown()

    def __add__(self, other: Any) -> Opaque:
        return self.derive("+", other)

    def __sub__(self, other: Any) -> Opaque:
        return self.derive("-", other)

    def __mul__(self, other: Any) -> Opaque:
        return self.derive("*", other)

    def __and__(self, other: Any) -> Any:
        return 0 if other.__class__ is int and other == 0 else self.derive("&", other)

    def __or__(self, other: Any) -> Opaque:
        return self.derive("|", other)

    def __xor__(self, other: Any) -> Opaque:
        return self.derive("^", other)

    def __lshift__(self, other: Any) -> Opaque:
        return self.derive("<<", other)

    def __rshift__(self, other: Any) -> Opaque:
        return self.derive(">>", other)

    def __invert__(self) -> Opaque:
        return self.derive("~")

    def __neg__(self) -> Opaque:
        return self.derive("0-")

    __radd__, __rmul__, __rand__ = __add__, __mul__, __and__
    __ror__, __rxor__ = __or__, __xor__

    def __rsub__(self, other: Any) -> Opaque:
        return self.derive("r-", other)

    def __rlshift__(self, other: Any) -> Opaque:
        return self.derive("r<<", other)

    def __rrshift__(self, other: Any) -> Opaque:
        return self.derive("r>>", other)

    def __eq__(self, other: object) -> Any:
        return Comparison(self, "==", other)

    def __ne__(self, other: object) -> Any:
        return Comparison(self, "!=", other)

    def __lt__(self, other: Any) -> Comparison:
        return Comparison(self, "<", other)

    def __le__(self, other: Any) -> Comparison:
        return Comparison(self, "<=", other)

    def __gt__(self, other: Any) -> Comparison:
        return Comparison(self, ">", other)

    def __ge__(self, other: Any) -> Comparison:
        return Comparison(self, ">=", other)

    __hash__ = object.__hash__


_ACTS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
         ">": operator.gt, ">=": operator.ge}  # fmt: skip
_UP, _EQUAL = (">", ">="), ("==", "!=")


class Comparison(Opaque):
    """What a comparison with such a value gives."""

    __slots__ = ("left", "op", "right")

    def __init__(self, left: Opaque, op: str, right: Any) -> None:
        super().__init__(left.asks, left.site, (*left.path, op, _plain(right))[:_FAR])
        self.left, self.op, self.right = left, op, right

    def holds(self) -> bool:
        """Whether it is true."""
        other = self.right
        if other.__class__ is int and not (other and self.op in _EQUAL):
            if self.op in _EQUAL:
                return self.left.holds() is (self.op == "!=")
            more = State.VALID if self.op in _UP else State.ERROR
            return bool(_ACTS[self.op](self.asks.answer(self.left, more).value, other))
        usual, less = State.ZERO, State.VALID
        if self.op == "!=":
            usual, less = less, usual
        return self.asks.answer(self, less, usual=usual) is State.VALID


def truth(value: Any) -> Any:
    """Whether a condition of the driver's holds."""
    return value.holds() if isinstance(value, Opaque) else value


def number(value: Any) -> Any:
    """A result that has to be an integer."""
    return value.number() if isinstance(value, Opaque) else value


def _plain(step: Any) -> Hashable:
    if isinstance(step, Opaque):
        return step.key
    return step if isinstance(step, (int, str)) else type(step).__name__
