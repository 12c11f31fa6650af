# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a run: memory, the modelled kernel's books, and who is executing.

Every change goes through `World.put`, which keeps a journal: a scenario is undone by playing it
back, so that scenarios share what they have in common and a panic can be tried out at every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.execution.faults import BlockedError, DefectError, UnknownError
from checks.execution.locks import SLEEPING
from checks.execution.opaque import Opaque, Questions, Site
from checks.execution.state import UNDEFINED, Task, bad

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.state import Obj
    from gen.source import Span

# What may be done between two looks at what is left, and in all scenarios: parts of expressions
# that are evaluated, characters and cells that are gone through, entries of the kernel's books.
FUEL = 20_000
TOTAL = 2_000_000
READS, WRITES = False, True  # what an access does
_NOTHING = object()
_SIZED = frozenset({tuple, str, frozenset})


class World:
    """Everything that a step of the driver may change, and the means to undo it."""

    def __init__(self) -> None:
        self.journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self.kernel: dict[Any, Any] = {}
        self.task = Task("the driver")
        self.fuel, self.left = FUEL, TOTAL
        self.at: Callable[[], Span] | None = None
        self.returned: Callable[[], Span] | None = None  # the last statement that gave a result
        self.step: Callable[[], None] | None = None
        self.fail_at: int | None = None
        self.tried: list[tuple[str, Any]] = []
        self.failed: str | None = None
        self.depth = 0
        self.questions = Questions(lambda keys: self.put(self.kernel, "asked", keys))
        self.questions.now = lambda: self.kernel.get("asked", frozenset())
        self._members: dict[Any, Opaque] = {}
        self.calls: list[Any] = []
        # While two tasks take turns: told of each access to memory or books that both may see, and
        # what a task does that waits for the other.
        self.watch: Callable[[Any, bool], None] | None = None
        self.wait: Callable[[], None] | None = None
        self.peers: tuple[Task, ...] = ()
        self.remarked: Callable[[DefectError], None] | None = None

    # Memory

    def put(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        """Change something, which costs by its size: both the old and the new are kept."""
        if value.__class__ in _SIZED:
            self.spend(len(value))
        self.journal.append((where, key, where.get(key, _NOTHING)))
        where[key] = value

    def remove(self, where: dict[Any, Any], key: Any) -> None:
        """Take something away."""
        if key in where:
            self.journal.append((where, key, where.pop(key)))

    def rollback(self, mark: int) -> None:
        """Undo all changes since the journal was `mark` long."""
        journal = self.journal
        while len(journal) > mark:
            where, key, old = journal.pop()
            if old is _NOTHING:
                where.pop(key, None)
            else:
                where[key] = old

    def span(self) -> Span | None:
        """Where the driver is."""
        return self.at() if self.at else None

    def defect(self, rule: str, message: str) -> DefectError:
        """A defect at the current place."""
        return DefectError(rule, message, self.span())

    def remark(self, rule: str, message: str) -> None:
        """A defect at the current place after which the scenario goes on."""
        if self.remarked is not None:
            self.remarked(self.defect(rule, message))

    def unknown(self, why: str) -> UnknownError:
        """Something not understood at the current place."""
        return UnknownError(why, self.span())

    def check(self, pointer: Any, doing: str) -> tuple[Obj, int]:
        """A pointer to memory that a driver may use.

        Raises:
            DefectError: it is none.
        """
        if isinstance(pointer, Opaque):
            raise pointer.unknown()
        if pointer.__class__ is not tuple:
            raise self.defect("RUN306", f"{doing} {bad(pointer)}")
        obj, offset = pointer
        if "dead" in obj.cells:
            raise self.defect("RUN306", f"{doing} {obj.name} {obj.cells['dead']}")
        if obj.kind in {"io", "text", "handle"} and (obj.kind != "text" or doing != "reads"):
            what = "directly, not with an accessor" if obj.kind == "io" else "of the kernel"
            raise self.defect("RUN306", f"{doing} {obj.name} {what}")
        return obj, offset

    def load(self, pointer: Any) -> Any:
        """The value at a pointer."""
        if self.watch is not None:
            self.watch(pointer, READS)
        if pointer.__class__ is tuple:
            cells = pointer[0].cells
            value = cells.get(pointer[1], UNDEFINED)
            if value is not UNDEFINED and "dead" not in cells:
                return value
        elif pointer.__class__ is Opaque:
            return pointer.derive("->")
        obj, offset = self.check(pointer, "reads")
        if obj.kind == "text":
            if not 0 <= offset <= len(obj.text):
                raise self.defect("RUN306", "reads beyond the end of a string")
            return ord(obj.text[offset]) if offset < len(obj.text) else 0
        if obj.size is not None and not 0 <= offset < obj.size:
            raise self.defect("RUN306", f"reads outside {obj.name}")
        if (found := self.foreign(obj, offset)) is not None:
            return found
        if obj.kind == "static" or "zero" in obj.cells:
            return 0
        raise self.defect("RUN306", f"reads a part of {obj.name} that nothing has been written to")

    def foreign(self, obj: Obj, offset: int) -> Opaque | None:
        """What somebody else than the driver has put into an object, or may have."""
        spoilt = obj.cells.get("spoilt", ())
        self.spend(len(spoilt))
        for start, end, site in spoilt:
            if start <= offset < end:
                return Opaque(self.questions, site, (offset,))
        if obj.kind != "kernel":
            return None
        key = (obj, offset)
        if key not in self._members:
            what = f"this member of {obj.name}" if offset else obj.name
            site = Site(what, "it is not modelled", self.at)
            self._members[key] = Opaque(self.questions, site)
        return self._members[key]

    def spoil(self, obj: Obj, start: int, end: int, site: Site) -> None:
        """What an object has from `start` up to before `end` is not known any more."""
        self.spend(len(obj.cells))
        for key in [key for key in obj.cells if key.__class__ is int and start <= key < end]:
            self.remove(obj.cells, key)
        self.put(obj.cells, "spoilt", ((start, end, site), *obj.cells.get("spoilt", ())))

    def store(self, pointer: Any, value: Any) -> None:
        """Write to memory; a pointer of which nothing is known leads to none of the driver's."""
        if pointer.__class__ is Opaque:
            return
        if self.watch is not None:
            self.watch(pointer, WRITES)
        obj, offset = self.check(pointer, "writes to")
        if obj.size is not None and not 0 <= offset < obj.size:
            raise self.defect("RUN306", f"writes outside {obj.name}")
        cells = obj.cells
        self.journal.append((cells, offset, cells.get(offset, _NOTHING)))
        cells[offset] = value

    def _owned(self, pointer: Any) -> None:
        """A pointer to one of the driver's own structures.

        Raises:
            DefectError: it is one to an object of the kernel.
        """
        if pointer.__class__ is tuple and pointer[0].kind == "kernel":
            raise self.defect("RUN306", f"takes {pointer[0].name} for a structure of its own")

    def load_own(self, pointer: Any) -> Any:
        """The value of a member of a structure that the driver defines."""
        if self.watch is not None:
            self.watch(pointer, READS)
        if pointer.__class__ is tuple:
            cells = pointer[0].cells
            value = cells.get(pointer[1], UNDEFINED)
            if value is not UNDEFINED and pointer[0].kind != "kernel" and "dead" not in cells:
                return value
        self._owned(pointer)
        return self.load(pointer)

    def store_own(self, pointer: Any, value: Any) -> None:
        """Write to a member of a structure that the driver defines."""
        if pointer.__class__ is Opaque:
            raise pointer.unknown()
        self._owned(pointer)
        self.store(pointer, value)

    def text(self, pointer: Any) -> str:
        """The string at a pointer, a character for each byte."""
        obj, offset = self.check(pointer, "reads")
        if obj.kind == "text":
            self.spend(len(obj.text))
            return obj.text[offset:]
        found: list[str] = []
        while code := self.load((obj, offset + len(found))):
            found.append(chr(code & 0xFF))
            self.spend(1)
        return "".join(found)

    # Time

    def tick(self) -> None:
        """A step of the driver has been made."""
        if self.step is not None:
            self.fuel = 0
            self.step()
            return
        self.settle()

    def spend(self, much: int) -> None:
        """Do something that costs so much and is no step of the driver."""
        self.fuel -= much
        if self.fuel < 0 and self.step is None:
            self.settle()

    def settle(self) -> None:
        """Take what has been done since the last time from what is left.

        Raises:
            UnknownError: nothing is.
        """
        self.left -= FUEL - self.fuel
        self.fuel = FUEL
        if self.left < 0:
            raise self.unknown("there is more to run than the checker has time for")

    def touch(self, key: Any) -> None:
        """A lock, or something in the kernel's books, is about to be changed."""
        if self.watch is not None:
            self.watch(key, WRITES)

    def blocked(self) -> None:
        """The task waits for what another one has; it is asked again once that has gone on.

        Raises:
            BlockedError: the other one is held still.
        """
        if self.wait is None:
            raise BlockedError
        self.wait()

    def between(self) -> None:
        """A step of the kernel on behalf of the driver has been made."""
        if self.step is not None:
            self.step()

    # Who may do what

    def may_sleep(self, what: str) -> None:
        """A function that may sleep is called.

        Raises:
            DefectError: the task must not sleep.
        """
        task = self.task
        spin = next((name for _, name in task.held if name not in SLEEPING), None)
        why = task.atomic or (f"a {spin} is held" if spin else "")
        why = why or ("RCU is held" if task.rcu else "interrupts are off" if task.irqs else "")
        if why:
            raise self.defect("RUN305", f"{what} may sleep, but {why}")

    def run(self, task: Task, code: Callable[[], Any]) -> Any:
        """Run something as a task, on top of the current one."""
        before, self.task = self.task, task
        try:
            return code()
        except BlockedError:
            return None
        finally:
            self.task = before

    def fails(self, name: str) -> bool:
        """Whether this call of a function that can fail does fail."""
        self.tried.append((name, self.at))
        if self.fail_at == len(self.tried) - 1:
            self.failed = name
            return True
        return False
