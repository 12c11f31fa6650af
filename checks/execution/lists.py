# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's linked lists, in the driver's own memory, and whether their changes are guarded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.execution.world import World

LINK = 8
# What list_del() leaves in an entry, so that using it again is seen.
POISON_NEXT, POISON_PREV = 0x100, 0x122


class Lists:
    """list_add() and its kin.

    `guards` has the locks that all changes of a list so far had in common and the place of the last
    one, `read` the lists that have been walked under RCU. Both are learnt over all scenarios.
    """

    def __init__(self, world: World, taken: Mapping[Any, set[Any]]) -> None:
        self._world, self.taken = world, taken
        self.guards: dict[Any, tuple[frozenset[Any], Any]] = {}
        self.read: set[Any] = set()

    def models(self) -> dict[str, Any]:
        """The functions by name."""
        return {
            "INIT_LIST_HEAD": self.start,
            "list_add": self.add,
            "list_add_rcu": partial(self.add, rcu=True),
            "list_add_tail": self.add_tail,
            "list_add_tail_rcu": partial(self.add_tail, rcu=True),
            "list_del": self.delete,
            "list_del_init": self.delete_init,
            "list_del_rcu": self.delete_rcu,
            "list_empty": self.empty,
            "INIT_HLIST_NODE": self._start_short,
            "INIT_HLIST_HEAD": lambda head: self._world.store(head, 0),
            "hlist_add_head": self.add_short,
            "hlist_add_head_rcu": partial(self.add_short, rcu=True),
            "hlist_del": self.delete_short,
            "hlist_del_init": partial(self.delete_short, left=(0, 0)),
            "hlist_del_rcu": partial(self.delete_short, left=(None, POISON_PREV)),
            "hlist_empty": lambda head: int(not self._world.load(head)),
        }

    def forget(self) -> None:
        """What was learnt holds no more."""
        self.guards.clear()
        self.read.clear()

    def start(self, head: Any) -> None:
        """INIT_LIST_HEAD()."""
        world = self._world
        pointer = world.check(head, "writes to")
        world.store(pointer, pointer)
        world.store(_prev(pointer), pointer)

    def _links(self, entry: Any) -> tuple[Any, Any]:
        """What an entry points to."""
        world = self._world
        obj, offset = world.check(entry, "reads")
        if obj.kind == "kernel":
            raise world.defect("RUN306", f"takes {obj.name} for a list's entry or head")
        found = tuple(world.load((obj, offset + link)) for link in (0, LINK))
        if any(item.__class__ is not tuple for item in found):
            what = "that is not on a list" if POISON_PREV in found else "that is not initialised"
            raise world.defect("RUN306", f"changes a list by an entry or head {what}")
        return found[0], found[1]

    def _guarded(self, head: Any) -> None:
        """All changes of a list need a lock in common.

        Raises:
            DefectError: this one has none in common with the others.
        """
        world = self._world
        held = frozenset(key for key, kind in world.task.held)
        common, at = self.guards.get(head, (held, world.at))
        if (common or held) and not common & held:
            message = "changes a list without the lock that guards it elsewhere"
            # Of two places with a lock each, the one whose lock is taken more seldom is wrong.
            if held and self._taken(held) > self._taken(common):
                world.at = at
            raise world.defect("RUN309", message)
        self.guards[head] = (common & held, world.at)

    def _taken(self, locks: frozenset[Any]) -> int:
        """At how many places a lock is taken."""
        return max((len(self.taken.get(lock, ())) for lock in locks), default=0)

    def _insert(self, entry: Any, before: Any, after: Any) -> None:
        world = self._world
        if entry in {after, before}:
            raise world.defect("RUN306", "adds an entry to a list that it is on already")
        world.store(entry, after)
        world.store(_prev(entry), before)
        world.store(_prev(after), entry)
        world.store(before, entry)

    def _published(self, head: Any, *, rcu: bool) -> None:
        """Readers without a lock may see an entry at once.

        Raises:
            DefectError: they may see it before what is in it.
        """
        if head in self.read and not rcu:
            message = "adds to a list that is read under RCU without RCU's variant of list_add()"
            raise self._world.defect("RUN309", message)

    def add(self, entry: Any, head: Any, *, rcu: bool = False) -> None:
        """list_add()."""
        first, _ = self._links(head)
        self._guarded(head)
        self._published(head, rcu=rcu)
        self._insert(entry, head, first)

    def add_tail(self, entry: Any, head: Any, *, rcu: bool = False) -> None:
        """list_add_tail()."""
        _, last = self._links(head)
        self._guarded(head)
        self._published(head, rcu=rcu)
        self._insert(entry, last, head)

    def _unlink(self, entry: Any) -> None:
        following, before = self._links(entry)
        world = self._world
        if self.read:
            world.put(world.kernel, ("unlinked", entry[0]), world.at)
        if world.load(before) != entry or world.load(_prev(following)) != entry:
            raise world.defect("RUN306", "takes an entry off a list that it is not on")
        head = following
        for _ in range(len(self.guards) and 16):
            if head in self.guards:
                self._guarded(head)
                break
            head = world.load(head)
            if head.__class__ is not tuple:
                break
        world.store(_prev(following), before)
        world.store(before, following)

    def delete(self, entry: Any) -> None:
        """list_del()."""
        self._unlink(entry)
        self._world.store(entry, POISON_NEXT)
        self._world.store(_prev(entry), POISON_PREV)

    def delete_rcu(self, entry: Any) -> None:
        """list_del_rcu()."""
        self._unlink(entry)
        self._world.store(_prev(entry), POISON_PREV)

    def delete_init(self, entry: Any) -> None:
        """list_del_init()."""
        self._unlink(entry)
        self.start(entry)

    def empty(self, head: Any) -> int:
        """list_empty()."""
        return int(self._world.load(head) == head)

    # Lists whose head is one pointer; each entry points to what points to it.

    def _start_short(self, entry: Any) -> None:
        self._world.store(entry, 0)
        self._world.store(_prev(entry), 0)

    def add_short(self, entry: Any, head: Any, *, rcu: bool = False) -> None:
        """hlist_add_head()."""
        world = self._world
        first = world.load(head)
        self._guarded(head)
        self._published(head, rcu=rcu)
        if first == entry:
            raise world.defect("RUN306", "adds an entry to a list that it is on already")
        world.store(entry, first)
        world.store(_prev(entry), head)
        if first.__class__ is tuple:
            world.store(_prev(first), entry)
        world.store(head, entry)

    def delete_short(self, entry: Any, left: Any = (POISON_NEXT, POISON_PREV)) -> None:
        """hlist_del(); `left` is what its links are afterwards, None where they stay."""
        world = self._world
        following, before = world.load(entry), world.load(_prev(entry))
        if before.__class__ is not tuple:
            raise world.defect("RUN306", "takes an entry off a list that it is not on")
        if self.read:
            world.put(world.kernel, ("unlinked", entry[0]), world.at)
        head = before
        while head not in self.guards and "dead" not in head[0].cells and head[0].kind == "heap":
            head = world.load(_prev(head))
        self._guarded(head)
        world.store(before, following)
        if following.__class__ is tuple:
            world.store(_prev(following), before)
        for place, value in ((entry, left[0]), (_prev(entry), left[1])):
            if value is not None:
                world.store(place, value)


def _prev(pointer: Any) -> Any:
    return (pointer[0], pointer[1] + LINK)
