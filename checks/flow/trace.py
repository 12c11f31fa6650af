# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens on the paths through a function: events, the state between them, how a path ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from checks.flow.values import name_of

if TYPE_CHECKING:
    from pycparser import c_ast

    from checks.flow.cfg import Node
    from checks.flow.program import Function
    from checks.flow.values import Place, Value


class Held(NamedTuple):
    """A lock that is held: which, by which call; a guard gives it back by itself."""

    lock: Value
    call: c_ast.Node
    api: str
    atomic: bool
    guard: bool
    more: tuple[Value, ...] = ()

    @property
    def name(self) -> str:
        """The lock's name in all functions."""
        return lock_name(self.lock)


class Event(NamedTuple):
    """Something that happens at `node`, while `locks` are held.

    `kind` is call, write, read, once-read, once-write, deref, walk, next, test, enter or leave a
    lock ("lock", "unlock"). `name` is the callee, or the place as `name_of` gives it; `values` are
    the arguments, the value written, and so on. `known` is what tests have found before it.
    """

    kind: str
    node: c_ast.Node
    name: str
    values: tuple[Value, ...] = ()
    result: Value | None = None
    locks: tuple[Held, ...] = ()
    known: frozenset[tuple[Value, int]] = frozenset()
    place: Place | None = None

    def again(self, other: Event) -> bool:
        """Whether it is the same event as another, whatever tests have found before each."""
        same = self.node is other.node and self.kind == other.kind
        return same and self.values == other.values and self.locks == other.locks


@dataclass(eq=False)
class State:
    """What holds at a point of a path. A step works on its own copy."""

    memory: dict[Place, Value] = field(default_factory=dict)
    signs: dict[Value, int] = field(default_factory=dict)
    locks: tuple[Held, ...] = ()
    history: tuple[Event, ...] = ()

    @property
    def size(self) -> int:
        """How much is known."""
        return len(self.memory) + len(self.signs) + len(self.history)

    def copy(self) -> State:
        """A state that can be changed without changing this one."""
        return State(dict(self.memory), dict(self.signs), self.locks, self.history)

    def key(self) -> object:
        """What makes two states alike."""
        return (
            frozenset(self.memory.items()),
            frozenset(self.signs.items()),
            self.locks,
            self.history,
        )

    def note(self, event: Event) -> None:
        """Append an event, unless the path has it already, as in the second round of a loop."""
        if not any(event.again(other) for other in self.history):
            self.history = (*self.history, event)


class Path(NamedTuple):
    """A whole path: what it returns, the `return` (None at the closing brace), the last state."""

    value: Value | None
    node: c_ast.Node | None
    state: State


class Outcome(NamedTuple):
    """A way in which a function may end: what it returns, the locks it takes and gives back."""

    value: Value | None
    sign: int
    taken: tuple[Held, ...]
    given: tuple[Value, ...]


@dataclass(eq=False)
class Trace:
    """A function as far as it was followed; `why` says what was not, if anything.

    `entry` is the first node of its graph, None if that is too large.
    """

    function: Function
    entry: Node | None = None
    paths: list[Path] = field(default_factory=list)
    events: dict[Event, None] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    why: str | None = None

    def of(self, *kinds: str) -> list[Event]:
        """All events of some kinds, each once, in the order in which they were met."""
        return [event for event in self.events if event.kind in kinds]


def lock_name(lock: Value) -> str:
    """A lock's name: that of the object whose address it is."""
    if lock[0] == "addr":
        return name_of(lock[1])
    return "RCU" if lock[0] == "rcu" else "a lock"
