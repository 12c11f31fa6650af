# SPDX-License-Identifier: GPL-2.0-or-later
"""Two tasks that take turns, each on a thread of its own; never do both run."""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from checks.execution.faults import BlockedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from checks.execution.state import Task
    from checks.execution.world import World
    from gen.source import Span

# Memory that two tasks may have in common.
_SHARED = frozenset({"static", "heap"})


class _AbandonedError(Exception):
    """The other task has shown a defect: this one is not gone on with."""


def _key(what: Any) -> Any:
    """What an access is to, the same in each run; None if nobody else can see it."""
    if what.__class__ is not tuple or not hasattr(what[0], "kind"):
        return what if what.__class__ in {str, tuple} else None
    obj, offset = what
    return (obj.kind, obj.name, offset) if obj.kind in _SHARED else None


class Recorder:
    """What each of several tasks reads and writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read: list[set[Any]] = []
        self.written: list[set[Any]] = []

    def __enter__(self) -> Self:
        self.world.watch = self._access
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.world.watch = None

    def next(self) -> None:
        """From here on it is another task."""
        self.read.append(set())
        self.written.append(set())

    def _access(self, what: Any, write: bool) -> None:
        if _key(what) is not None:
            (self.written if write else self.read)[-1].add(what)

    def contended(self) -> set[Any]:
        """What one of the two writes and the other one accesses, told as in any other run."""
        first, second = self.written
        both = (first & (self.read[1] | second)) | (second & self.read[0])
        return {_key(what) for what in both}


class Turns:
    """Runs two tasks. Each gives way once, before its numbered access to what both access.

    A task that waits for the other one gives way, too. `reached` counts those accesses of each
    task, `stops` has the place where each one gave way by its number.
    """

    def __init__(self, world: World, hot: set[Any], first: int, second: int | None) -> None:
        self._world, self._hot = world, hot
        self._at: tuple[int | None, ...] = (first, second)
        self._gates = (Lock(), Lock())
        self._turn = 0
        self._ended = [False, False]
        self._waiting: list[int | None] = [None, None]
        self._progress = 0
        self._error: BaseException | None = None
        self._thread: Thread | None = None
        self._tasks: list[Task | None] = [None, None]
        self.reached = [0, 0]
        self.stops: list[Span | None] = [None, None]
        self.waited = False
        # The first task's accesses up to this one are under the lock that the second one waits for
        # before it has accessed anything: giving way at any of them comes to the same.
        self.alike = first
        self._held: Any = None

    def run(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        """Run both to their ends.

        Raises:
            DefectError: one of them shows a defect, or they wait for each other.
        """
        world = self._world
        for gate in self._gates:
            gate.acquire()
        self._second = second
        world.watch, world.wait = self._access, self._wait
        try:
            first()
            self._tasks[0], self._ended[0] = None, True
            if not self._ended[1]:
                self._give_way()
        except BaseException:
            self._abandon()
            raise
        finally:
            world.watch, world.wait, world.peers = None, None, ()
            if self._thread is not None:
                self._thread.join()

    def _abandon(self) -> None:
        """Have the second task end where it is."""
        if self._thread is not None and not self._ended[1]:
            self._ended[0] = True
            self._error = _AbandonedError()
            self._turn = 1
            self._gates[1].release()

    def _body(self) -> None:
        """What the second thread does."""
        self._gates[1].acquire()
        try:
            if self._error is None:
                self._second()
        except _AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001 (handed to the other thread)
            self._error = error
        self._ended[1], self._tasks[1], self._turn = True, None, 0
        self._gates[0].release()

    def _access(self, what: Any, _write: bool) -> None:
        if _key(what) not in self._hot:
            return
        me = self._turn
        number = self.reached[me]
        self.reached[me] += 1
        self._progress += 1
        if me == 0 and self._held is not None:
            self._held = self._held if self._world.task.held == self._held else None
            self.alike = self.alike if self._held is None else number
        if self._at[me] == number and not self._ended[1 - me]:
            self.stops[me] = self._world.span()
            held = self._world.task.held
            self._give_way()
            if me == 0 and self.waited and self.reached[1] == 1 and held:
                self._held = held

    def _wait(self) -> None:
        me = self._turn
        if self._ended[1 - me]:
            raise BlockedError
        if self._waiting[1 - me] == self._progress:
            raise self._world.defect("RUN305", "waits for a task that waits for it: a deadlock")
        self._waiting[me] = self._progress
        self.waited = True
        self._give_way()
        self._waiting[me] = None

    def _give_way(self) -> None:
        """Let the other one go on until it gives way or ends."""
        me, world = self._turn, self._world
        kept = (world.task, world.at, world.depth, list(world.calls))
        self._tasks[me] = None if self._ended[me] else world.task
        world.peers = tuple(task for task in self._tasks if task is not None)
        world.depth = 0
        world.calls.clear()
        self._turn = 1 - me
        if me == 0 and self._thread is None:
            self._thread = Thread(target=self._body, daemon=True)
            self._thread.start()
        self._gates[1 - me].release()
        self._gates[me].acquire()
        world.task, world.at, world.depth = kept[:3]
        world.calls[:] = kept[3]
        if self._error is not None:
            raise self._error
