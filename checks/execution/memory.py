# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocation, and resources that belong to a device: devres, released in reverse when it goes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.calls import invoke
from checks.execution.machine import PARENT
from checks.execution.state import Obj

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from checks.execution.world import World

ENOMEM = 12
FREED = "after it was freed"


class Memory:
    """Books: ("devres", device) has what is to be released, ("owned", object) what is not managed.

    A device is known by the object that its structures are part of.
    """

    def __init__(self, world: World, constants: Mapping[str, int]) -> None:
        self._world = world
        self._sleeping = constants.get("GFP_KERNEL", 0)

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        return {
            "devm_kmalloc": partial(self._managed, "devm_kmalloc", zero=False),
            "devm_kzalloc": partial(self._managed, "devm_kzalloc", zero=True),
            "devm_kcalloc": lambda dev, n, size, flags: self._managed(
                "devm_kcalloc", dev, n * size, flags, zero=True
            ),
            "devm_kasprintf": lambda dev, flags, *_rest: self._managed(
                "devm_kasprintf", dev, 1, flags, zero=True
            ),
            "devm_kstrdup": lambda dev, _text, flags: self._managed(
                "devm_kstrdup", dev, 1, flags, zero=True
            ),
            "devm_kfree": self._devm_kfree,
            "kmalloc": partial(self._plain, "kmalloc", zero=False),
            "kzalloc": partial(self._plain, "kzalloc", zero=True),
            "kcalloc": lambda n, size, flags: self._plain("kcalloc", n * size, flags, zero=True),
            "kfree": self.free,
            "kasprintf": lambda flags, *_rest: self._plain("kasprintf", 1, flags, zero=True),
            "devm_add_action": partial(self._action, "devm_add_action", reset=False),
            "devm_add_action_or_reset": partial(
                self._action, "devm_add_action_or_reset", reset=True
            ),
        }

    def _allocate(self, name: str, size: int, flags: int, zero: bool) -> Any:
        world = self._world
        if flags & self._sleeping:
            world.may_sleep(f"{name}() with these flags")
        if world.fails(name):
            return 0
        obj = Obj("heap", "allocated memory", size)
        if zero:
            obj.cells["zero"] = True
        return (obj, 0)

    def _managed(self, name: str, device: Any, size: int, flags: int, *, zero: bool) -> Any:
        owner = self._owner(name, device, "allocates for")
        found = self._allocate(name, size, flags, zero)
        if found:
            self.manage(owner, partial(self._kill, found[0]), found[0])
        return found

    def _plain(self, name: str, size: int, flags: int, *, zero: bool) -> Any:
        found = self._allocate(name, size, flags, zero)
        if found:
            self.own(found[0], f"memory from {name}()")
        return found

    def _kill(self, obj: Obj) -> None:
        if ("unlinked", obj) in self._world.kernel:
            self._world.at = self._world.kernel["unlinked", obj]
            message = "what leaves this list is freed without waiting for its readers under RCU"
            raise self._world.defect("RUN306", message)
        self._world.put(obj.cells, "dead", FREED)

    def _devm_kfree(self, device: Any, pointer: Any) -> None:
        world = self._world
        obj, _ = world.check(pointer, "frees")
        key = ("devres", world.check(device, "frees for")[0])
        left = world.kernel.get(key, ())
        if not any(what is obj for _, what in left):
            raise world.defect("RUN306", "frees as managed what is not managed by the device")
        world.put(world.kernel, key, tuple(item for item in left if item[1] is not obj))
        self._kill(obj)

    def free(self, pointer: Any) -> None:
        """kfree()."""
        if pointer == 0:
            return
        world = self._world
        obj, offset = world.check(pointer, "frees")
        if ("owned", obj) not in world.kernel or offset:
            why = "that is managed" if obj.kind == "heap" else "that was not allocated"
            raise world.defect("RUN306", f"frees memory {why}")
        world.remove(world.kernel, ("owned", obj))
        self._kill(obj)

    # Devres

    def _owner(self, name: str, device: Any, verb: str) -> Obj:
        """The device that is to release something.

        Raises:
            DefectError: it stays bound when that of the driver is unbound.
        """
        owner: Obj = self._world.check(device, verb)[0]
        if owner.data == PARENT:
            message = (
                f"{name}() has {owner.name} release this, which stays bound: it is kept for good"
            )
            raise self._world.defect("RUN304", message)
        return owner

    def manage(self, owner: Obj, release: Callable[[], Any], what: Any = None) -> None:
        """Have something released when a device goes."""
        world, key = self._world, ("devres", owner)
        world.put(world.kernel, key, (*world.kernel.get(key, ()), (release, what)))

    def own(self, obj: Any, what: str) -> None:
        """Note what the driver has to release itself."""
        self._world.put(self._world.kernel, ("owned", obj), (what, self._world.at))

    def disown(self, obj: Any) -> bool:
        """It is released; whether it was the driver's at all."""
        known = ("owned", obj) in self._world.kernel
        self._world.remove(self._world.kernel, ("owned", obj))
        return known

    def _action(self, name: str, device: Any, function: Any, data: Any, *, reset: bool) -> int:
        world = self._world
        owner = self._owner(name, device, "adds an action to")
        if world.fails(name):
            if reset:
                invoke(world, function, data)
            return -ENOMEM
        self.manage(owner, partial(invoke, world, function, data))
        return 0

    def release(self, owner: Obj) -> None:
        """Release all that a device manages, the last first."""
        world, key = self._world, ("devres", owner)
        while left := world.kernel.get(key, ()):
            world.put(world.kernel, key, left[:-1])
            left[-1][0]()
            world.between()
