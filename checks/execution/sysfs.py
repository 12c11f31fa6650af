# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and directories that a driver itself makes in sysfs, one by one or as groups."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.calls import invoke
from checks.execution.devices import ENOMEM
from checks.execution.hooks import EEXIST
from checks.execution.opaque import Opaque, number
from checks.execution.state import Obj

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.execution.devices import Devices
    from checks.execution.layout import KernelTypes
    from checks.execution.machine import Machine
    from checks.execution.memory import Memory
    from checks.execution.world import World

DIRECTORY = "kobject"
# The directory of the kernel's own.
TOP = "kernel_kobj"


class Sysfs:
    """Books: "files" has each kobject with what was made there: title, attributes, which show.

    "kobjects" has the directories that the driver has made and not given back; "users" of one
    counts who has it.
    """

    def __init__(self, world: World, types: KernelTypes, memory: Memory, devices: Devices) -> None:
        self._world, self._types, self._memory, self._devices = world, types, memory, devices

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        return {
            "device_create_file": self._create_file,
            "device_remove_file": self._remove_file,
            "sysfs_create_group": self._create_group,
            "sysfs_remove_group": self._remove,
            "kobject_create_and_add": self._directory,
            "kobject_get": partial(self._users, 1),
            "kobject_put": partial(self._users, -1),
        }

    def there(self) -> tuple[Obj, ...]:
        """The directories that nobody has given back."""
        found: tuple[Obj, ...] = self._world.kernel.get("kobjects", ())
        return found

    def of(self, machine: Machine) -> Iterator[tuple[Any, Any, bool]]:
        """What has been made for a device: each attribute, its directory, whether it is shown."""
        for kobject, _, title, items in self._files():
            if kobject[0] is machine.obj:
                for item, shown in items:
                    yield item, title, shown

    def _files(self) -> tuple[tuple[Any, Any, Any, Any], ...]:
        found: tuple[tuple[Any, Any, Any, Any], ...] = self._world.kernel.get("files", ())
        return found

    # Files

    def _kobject(self, device: Any) -> Any:
        obj, at = self._world.check(device, "uses")
        return obj, at + self._devices.kobject

    def _create_file(self, device: Any, attribute: Any) -> int:
        if self._world.fails("device_create_file"):
            return -ENOMEM
        if isinstance(device, Opaque) or device == 0:
            return 0
        at = self._types.struct("device_attribute").member("attr")[0]
        obj, offset = self._world.check(attribute, "makes a file of")
        return self._made(self._kobject(device), attribute, 0, (((obj, offset + at), True),))

    def _remove_file(self, device: Any, attribute: Any) -> None:
        if not isinstance(device, Opaque) and device != 0:
            self._remove(self._kobject(device), attribute)

    def _create_group(self, kobject: Any, group: Any) -> int:
        if self._world.fails("sysfs_create_group"):
            return -ENOMEM
        if isinstance(kobject, Opaque):
            return 0
        self._world.check(kobject, "makes files in")
        obj, at = self._world.check(group, "makes files of")
        layout, load = self._types.struct("attribute_group"), self._world.load
        title, attrs = (load((obj, at + layout.member(one)[0])) for one in ("name", "attrs"))
        visible = obj.cells.get(at + layout.member("is_visible")[0], 0)
        items = tuple(
            (item, not visible or bool(number(invoke(self._world, visible, kobject, item, count))))
            for count, item in enumerate(array(self._world, attrs))
        )
        return self._made(kobject, group, title, items)

    def _made(self, kobject: Any, what: Any, title: Any, items: Any) -> int:
        world = self._world
        world.touch(("files", kobject[0]))
        if any(file[:2] == (kobject, what) for file in self._files()):
            return -EEXIST
        world.put(world.kernel, "files", (*self._files(), (kobject, what, title, items)))
        if kobject[0].data != DIRECTORY:  # what is in a directory goes with it
            self._memory.own(("files", kobject, what), f"{what[0].name} in sysfs")
        return 0

    def _remove(self, kobject: Any, what: Any) -> None:
        """Remove what was made; the kernel accepts what is not there."""
        if isinstance(kobject, Opaque):
            return
        world = self._world
        world.check(kobject, "removes files from")
        world.touch(("files", kobject[0]))
        left = tuple(file for file in self._files() if file[:2] != (kobject, what))
        world.put(world.kernel, "files", left)
        self._memory.disown(("files", kobject, what))

    # Directories

    def _directory(self, title: Any, _parent: Any) -> Any:
        world = self._world
        if world.fails("kobject_create_and_add"):
            return 0
        text = world.text(title) if title.__class__ is tuple else "?"
        made = Obj("kernel", f"the directory '{text}' in sysfs", data=DIRECTORY)
        world.touch("kobjects")
        world.put(world.kernel, "kobjects", (*self.there(), made))
        world.put(world.kernel, ("registered", made), world.at)
        world.put(world.kernel, ("users", made), 1)
        return (made, 0)

    def _users(self, more: int, kobject: Any) -> Any:
        """One more or less has a kobject; the directory goes with the last one."""
        if isinstance(kobject, Opaque) or kobject == 0:
            return kobject
        world, (obj, _) = self._world, self._world.check(kobject, "counts the users of")
        if obj.data != DIRECTORY:
            if obj.kind != "kernel":
                raise world.unknown("what a kobject of the driver's own does is not modelled")
            return kobject  # a device's, which stays
        left = world.kernel["users", obj] + more
        world.put(world.kernel, ("users", obj), left)
        if not left:
            world.touch("kobjects")
            files = tuple(file for file in self._files() if file[0][0] is not obj)
            world.put(world.kernel, "files", files)
            others = tuple(item for item in self.there() if item is not obj)
            world.put(world.kernel, "kobjects", others)
            world.put(obj.cells, "dead", "after the last one gave it back")
        return kobject


def array(world: World, pointer: Any) -> Iterator[Any]:
    """The pointers of an array up to NULL."""
    count = 0
    while pointer and (item := world.load((pointer[0], pointer[1] + 8 * count))):
        yield item
        count += 1
