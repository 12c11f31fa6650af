# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's chains: notifiers of a panic, handlers of power-off and restart; small helpers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.calls import invoke
from checks.execution.devices import EBUSY
from checks.execution.opaque import Opaque, truth
from checks.execution.state import ERRORS, Obj
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.layout import KernelTypes
    from checks.execution.memory import Memory
    from checks.execution.world import World

EEXIST, ENOENT = 17, 2
STOP = 0x8000
# What tells a driver that it is called in an interrupt.
CONTEXT = frozenset({"in_nmi", "in_interrupt", "in_irq", "in_hardirq"})
# The chain that is told of a reboot, and what it is told.
REBOOT = "reboot"
# The chain of those who can restart the machine; it is told of a cold restart.
RESTART, COLD = "restart", 0
ACTIONS = {Trigger.RESTART: 1, Trigger.POWER_OFF: 3}


class Hooks:
    """Books: ("chain", place) has notifier blocks, "sys-off" handlers with mode and priority.

    "present" has the number of devices that the driver knows.
    """

    def __init__(
        self, world: World, types: KernelTypes, memory: Memory, wait: Callable[[], None]
    ) -> None:
        self._world, self._types, self._memory, self._wait = world, types, memory, wait

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        return {
            "atomic_notifier_chain_register": self._register,
            "atomic_notifier_chain_unregister": self._unregister,
            "register_reboot_notifier": lambda block: self._chained(REBOOT, block),
            "unregister_reboot_notifier": lambda block: self._unregister(REBOOT, block),
            "register_restart_handler": lambda block: self._chained(RESTART, block),
            "unregister_restart_handler": lambda block: self._unregister(RESTART, block),
            "register_sys_off_handler": self._sys_off,
            "unregister_sys_off_handler": self._no_sys_off,
            "devm_register_sys_off_handler": self._devm_sys_off,
            "devm_register_power_off_handler": lambda dev, function, data: self._implied(
                "devm_register_power_off_handler", dev, function, data
            ),
            "devm_register_restart_handler": lambda dev, function, data: self._implied(
                "devm_register_restart_handler", dev, function, data
            ),
            **dict.fromkeys(("in_nmi", "in_interrupt", "in_irq", "in_hardirq"), self._interrupting),
            "in_atomic": lambda: int(bool(self._world.task.atomic)),
            "irqs_disabled": lambda: int(bool(self._world.task.atomic or self._world.task.irqs)),
            "preemptible": lambda: int(not self._world.task.atomic),
            "try_module_get": lambda _module: int(not self._world.fails("try_module_get")),
            "kexec_crash_loaded": lambda: self._world.kernel.get("crash", 0),
            "IS_ERR": is_error,
            "IS_ERR_OR_NULL": _error_or_null,
            "PTR_ERR": _number,
            "ERR_PTR": lambda number: number,
            "PTR_ERR_OR_ZERO": lambda pointer: _number(pointer) if is_error(pointer) else 0,
            "atomic_read": self._world.load,
            "atomic_set": self._world.store,
            "atomic_inc": partial(self._count, 1),
            "atomic_dec": partial(self._count, -1),
            "atomic_inc_return": partial(self._count, 1),
            "atomic_dec_return": partial(self._count, -1),
        }

    def _count(self, step: int, counter: Any) -> int:
        number = int(self._world.load(counter)) + step
        self._world.store(counter, number)
        return number

    def _interrupting(self) -> int:
        """Whether the processor was interrupted, as a panic may have been found in an NMI."""
        return int(self._world.kernel.get("nmi", 0))

    # Notifiers

    def _register(self, chain: Any, block: Any) -> int:
        world = self._world
        world.check(block, "registers")
        name = "atomic_notifier_chain_register"
        if self._types.can_fail(name) and world.fails(name):
            return -EEXIST
        return self._chained(chain, block)

    def _chained(self, chain: Any, block: Any) -> int:
        """A block is on a chain."""
        world, key = self._world, ("chain", chain)
        world.check(block, "registers")
        world.touch(key)
        there = world.kernel.get(key, ())
        if block in there:
            raise world.defect("RUN308", "registers a notifier that is registered already")
        world.put(world.kernel, key, (*there, block))
        world.put(world.kernel, ("registered", block), world.at)
        return 0

    def _unregister(self, chain: Any, block: Any) -> int:
        world, key = self._world, ("chain", chain)
        world.touch(key)
        there = world.kernel.get(key, ())
        if block not in there:
            raise world.defect("RUN308", "unregisters a notifier that is not registered")
        world.put(world.kernel, key, tuple(item for item in there if item != block))
        self._wait()
        return 0

    def _call(self, function: Any, *given: Any) -> Any:
        """Call what is in a chain, which nobody who leaves it can overtake."""
        task = self._world.task
        task.chains += 1
        result = invoke(self._world, function, *given)
        task.chains -= 1
        return result

    def notify(self, chain: Any, action: int = 0) -> list[Any]:
        """Call a chain's blocks, the highest priority first; what they return."""
        layout, load = self._types.struct("notifier_block"), self._world.load
        results = []
        blocks = self._world.kernel.get(("chain", chain), ())
        priority, function = (layout.member(name)[0] for name in ("priority", "notifier_call"))
        for obj, at in sorted(blocks, key=lambda block: -load((block[0], block[1] + priority))):
            self._world.at = self._world.kernel.get(("registered", (obj, at)))
            call = load((obj, at + function))
            results.append(self._call(call, (obj, at), action, 0))
            if results[-1] & STOP:
                break
        return results

    # Power-off and restart

    def _add(self, name: str, mode: int, priority: int, function: Any, data: Any) -> Any:
        world = self._world
        if world.fails(name):
            return -EBUSY
        world.touch("sys-off")
        there = world.kernel.get("sys-off", ())
        default = self._types.constants.get("SYS_OFF_PRIO_DEFAULT")
        if priority != default and any(item.data[:2] == (mode, priority) for item in there):
            if world.kernel.get("present", 0) <= 1:
                raise world.defect("RUN308", "registers its handler again while it is registered")
            world.put(world.kernel, "refused", world.at)
            return -EBUSY
        made = Obj("handle", "a sys-off handler", data=(mode, priority, function, data, world.at))
        world.put(world.kernel, "sys-off", (*there, made))
        return (made, 0)

    def _sys_off(self, mode: int, priority: int, function: Any, data: Any) -> Any:
        return self._add("register_sys_off_handler", mode, priority, function, data)

    def _remove(self, obj: Obj) -> None:
        world = self._world
        there = world.kernel.get("sys-off", ())
        world.put(world.kernel, "sys-off", tuple(item for item in there if item is not obj))
        world.put(obj.cells, "dead", "after it was unregistered")
        self._wait()

    def _no_sys_off(self, handler: Any) -> None:
        if handler.__class__ is not tuple:
            return  # the kernel accepts NULL and an error
        self._world.touch("sys-off")
        if handler[0].kind != "handle" or "dead" in handler[0].cells:
            raise self._world.defect("RUN308", "unregisters a handler that is not registered")
        self._remove(handler[0])

    def _devm_sys_off(self, device: Any, mode: int, priority: int, function: Any, data: Any) -> int:
        owner, _ = self._world.check(device, "registers for")
        made = self._add("devm_register_sys_off_handler", mode, priority, function, data)
        if made.__class__ is not tuple:
            return int(made)
        self._memory.manage(owner, lambda: self._remove(made[0]))
        return 0

    def _implied(self, name: str, device: Any, function: Any, data: Any) -> int:
        """A function whose mode and priority the facts have."""
        implies, constants = self._types.table[name].implies, self._types.constants
        mode, priority = (constants[implies[key]] for key in ("mode", "priority"))
        return self._devm_sys_off(device, mode, priority, function, data)

    def handlers(self, mode: int) -> list[Obj]:
        """The registered handlers of a mode, the highest priority first."""
        there = [item for item in self._world.kernel.get("sys-off", ()) if item.data[0] == mode]
        return sorted(there, key=lambda item: -item.data[1])

    def sys_off(self, mode: int) -> list[Any]:
        """Call the handlers of a mode; what they return."""
        layout, results = self._types.struct("sys_off_data"), []
        for handler in self.handlers(mode):
            data = Obj("kernel", "the handler's data")
            for member, value in {"mode": mode, "cb_data": handler.data[3], "cmd": 0}.items():
                data.cells[layout.member(member)[0]] = value
            results.append(self._call(handler.data[2], (data, 0)))
            if results[-1] & STOP:
                break
        return results


def _error_or_null(pointer: Any) -> int:
    return int(not truth(pointer) or bool(is_error(pointer)))


def _number(pointer: Any) -> Any:
    if isinstance(pointer, Opaque):
        return pointer
    number = pointer if pointer.__class__ is int else 1
    return number - (1 << 64) if number >> 63 == 1 else number


def is_error(pointer: Any) -> int:
    """Whether a pointer is an error number."""
    if isinstance(pointer, Opaque):
        return int(pointer.is_error())
    return int(pointer.__class__ is int and -ERRORS <= _number(pointer) < 0)
