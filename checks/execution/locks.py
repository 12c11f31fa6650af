# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks and RCU: who holds what, who would wait for whom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.world import World

# The structures of the locks that are modelled.
LOCKS = ("spinlock", "raw_spinlock", "mutex", "rw_semaphore")
# Those whose holder may sleep.
SLEEPING = frozenset({"mutex", "semaphore"})
# Function: kind of lock, and what it does to interrupts.
_TAKE = {
    "mutex_lock": ("mutex", ""), "down_write": ("semaphore", ""),
    "down_read": ("semaphore", ""), "spin_lock": ("spinlock", ""),
    "spin_lock_irq": ("spinlock", "irq"), "spin_lock_irqsave": ("spinlock", "irqsave"),
    "spin_lock_bh": ("spinlock", "bh"), "raw_spin_lock": ("spinlock", ""),
    "raw_spin_lock_irq": ("spinlock", "irq"), "raw_spin_lock_irqsave": ("spinlock", "irqsave"),
}  # fmt: skip
_TRY = {
    "mutex_trylock": ("mutex", ""), "spin_trylock": ("spinlock", ""),
    "spin_trylock_irq": ("spinlock", "irq"), "spin_trylock_bh": ("spinlock", "bh"),
    "spin_trylock_irqsave": ("spinlock", "irqsave"), "raw_spin_trylock": ("spinlock", ""),
    "raw_spin_trylock_irqsave": ("spinlock", "irqsave"),
}  # fmt: skip
_GIVE = {
    "mutex_unlock": ("mutex", ""), "up_write": ("semaphore", ""),
    "up_read": ("semaphore", ""), "spin_unlock": ("spinlock", ""),
    "spin_unlock_irq": ("spinlock", "irq"), "spin_unlock_irqrestore": ("spinlock", "irqsave"),
    "spin_unlock_bh": ("spinlock", "bh"), "raw_spin_unlock": ("spinlock", ""),
    "raw_spin_unlock_irq": ("spinlock", "irq"),
    "raw_spin_unlock_irqrestore": ("spinlock", "irqsave"),
}  # fmt: skip
# What readers under RCU begin and end with, and whether interrupts are off meanwhile: whatever
# keeps the scheduler away makes a grace period wait.
_SECTIONS = (
    ("rcu_read_lock", "rcu_read_unlock", 0), ("rcu_read_lock_sched", "rcu_read_unlock_sched", 0),
    ("rcu_read_lock_bh", "rcu_read_unlock_bh", 0), ("preempt_disable", "preempt_enable", 0),
    ("local_irq_disable", "local_irq_enable", 1), ("local_irq_save", "local_irq_restore", 1),
)  # fmt: skip
_GUARDS = {
    "mutex": ("mutex_lock", "mutex_unlock"),
    "spinlock": ("spin_lock", "spin_unlock"),
    "raw_spinlock": ("raw_spin_lock", "raw_spin_unlock"),
    "spinlock_irqsave": ("spin_lock_irqsave", "spin_unlock_irqrestore"),
    "spinlock_irq": ("spin_lock_irq", "spin_unlock_irq"),
}


class Locks:
    """The state of locks is in the kernel's books under ("lock", place): who holds it, and how.

    `taken` has the places where each was ever taken.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken: dict[Any, set[Any]] = {}

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        found: dict[str, Callable[..., Any]] = {
            "mutex_init": self._init,
            "init_rwsem": self._init,
            "spin_lock_init": self._init,
            "raw_spin_lock_init": self._init,
            "mutex_lock_interruptible": self._interruptible,
            "lockdep_assert_held": self._assert_held,
            "synchronize_rcu": self.synchronize,
            "synchronize_rcu_expedited": self.synchronize,
            "kfree_rcu": self._kfree_rcu,
        }
        for take, give, irqs in _SECTIONS:
            found[take] = partial(self._rcu, 1, irqs)
            found[give] = partial(self._rcu, -1, irqs)
        found |= {name: partial(self._take, *how) for name, how in _TAKE.items()}
        found |= {name: partial(self._try, *how) for name, how in _TRY.items()}
        found |= {name: partial(self._give, *how) for name, how in _GIVE.items()}
        return found

    def guard(self, kind: str, world: World) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """What a guard does at the start and at the end of its block."""
        if kind == "rcu":
            return lambda _lock: self._rcu(1), lambda _lock: self._rcu(-1)
        if kind not in _GUARDS:
            raise world.unknown(f"guard({kind}) is not modelled")
        take, give = _GUARDS[kind]
        return partial(self._take, *_TAKE[take]), partial(self._give, *_GIVE[give])

    def _init(self, lock: Any) -> None:
        obj, offset = self._world.check(lock, "writes to")
        again = obj.kind == "static" and ("ready", offset) in obj.cells
        if again and self._world.kernel.get("present", 0) > 1:
            message = "initialises a lock again that other devices use, and may hold"
            raise self._world.defect("RUN309", message)
        self._world.put(obj.cells, ("ready", offset), value=True)

    def _owner(self, lock: Any) -> Any:
        """Who holds a lock.

        Raises:
            DefectError: the lock is none.
        """
        obj, offset = self._world.check(lock, "locks")
        if ("ready", offset) not in obj.cells:
            raise self._world.defect("RUN309", "a lock is used that was never initialised")
        return self._world.kernel.get(("lock", lock))

    def _take(self, kind: str, how: str, lock: Any, *_flags: Any) -> int:
        world = self._world
        if kind in SLEEPING:
            world.may_sleep(f"taking a {kind}")
        world.touch(lock)
        while (owner := self._owner(lock)) is not None:
            self._wait(kind, owner[0])
        self._hold(kind, how, lock)
        return 0

    def _wait(self, kind: str, owner: Any) -> None:
        """Somebody holds the lock.

        Raises:
            DefectError: nobody will ever release it.
            BlockedError: another CPU will.
        """
        world = self._world
        if owner is world.task:
            raise world.defect("RUN305", f"takes a {kind} that it holds already: a deadlock")
        if world.task.interrupted(owner):
            message = f"waits for a {kind} that the interrupted {owner.name} holds: a deadlock"
            raise world.defect("RUN305", message)
        world.blocked()

    def _hold(self, kind: str, how: str, lock: Any) -> None:
        world, task = self._world, self._world.task
        world.put(world.kernel, ("lock", lock), (task, how, world.at))
        task.held = (*task.held, (lock, kind))
        self.taken.setdefault(lock, set()).add(world.at)
        task.irqs += bool(how)

    def _try(self, kind: str, how: str, lock: Any, *_flags: Any) -> int:
        self._world.touch(lock)
        if self._owner(lock) is not None:
            self._world.task.lost = self._world.at
            return 0
        self._hold(kind, how, lock)
        return 1

    def _interruptible(self, lock: Any) -> int:
        if self._world.fails("mutex_lock_interruptible"):
            return -4
        return self._take("mutex", "", lock)

    def _give(self, kind: str, how: str, lock: Any, *_flags: Any) -> None:
        world, task = self._world, self._world.task
        world.touch(lock)
        owner = self._owner(lock)
        if owner is None or owner[0] is not task:
            raise world.defect("RUN309", f"releases a {kind} that it does not hold")
        if owner[1] != how:
            taken = f"with {owner[1]}" if owner[1] else "without regard to interrupts"
            raise world.defect(
                "RUN309", f"releases a {kind} in another way than it took it ({taken})"
            )
        world.remove(world.kernel, ("lock", lock))
        task.held = tuple(item for item in task.held if item[0] != lock)
        task.irqs -= bool(how)

    def _assert_held(self, lock: Any) -> None:
        owner = self._owner(lock)
        if owner is None or owner[0] is not self._world.task:
            raise self._world.defect("RUN309", "runs without the lock that it says it needs")

    def _rcu(self, by: int, irqs: int = 0, *_flags: Any) -> None:
        task = self._world.task
        task.rcu += by
        task.irqs += by * irqs
        if task.rcu < 0:
            raise self._world.defect("RUN309", "leaves an RCU read section that it is not in")

    def _readers(self) -> bool:
        """Whether a task that is held still is in an RCU read section."""
        task = self._world.task.over
        while task is not None:
            if task.rcu or task.chains:
                return True
            task = task.over
        mine = self._world.task
        return any(item.rcu or item.chains for item in self._world.peers if item is not mine)

    def synchronize(self) -> None:
        """synchronize_rcu()."""
        world = self._world
        while self._readers():
            world.blocked()
        for key in [key for key in world.kernel if key.__class__ is tuple and key[0] == "unlinked"]:
            world.remove(world.kernel, key)

    def _kfree_rcu(self, pointer: Any, *_member: Any) -> None:
        if not self._readers() and pointer.__class__ is tuple:
            obj, _ = self._world.check(pointer, "frees")
            self._world.put(obj.cells, "dead", "after it was freed")
            self._world.remove(self._world.kernel, ("owned", obj))
