# SPDX-License-Identifier: GPL-2.0-or-later
"""A bound device's attributes: which there are, and reading and writing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.execution.calls import invoke
from checks.execution.layout import Struct
from checks.execution.loading import Loader
from checks.execution.opaque import Opaque, number
from checks.execution.state import Obj
from checks.execution.sysfs import array
from checks.execution.texts import sysfs_buffer
from checks.facts import CONST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.execution.devices import Devices
    from checks.execution.layout import KernelTypes
    from checks.execution.machine import Machine
    from checks.execution.program import Program
    from checks.execution.sysfs import Sysfs


class Attributes(Loader):
    """A driver's modules, with what its devices show.

    The attributes that their group does not show are in `hidden`; `groups` has the directory of
    those whose group has a name.
    """

    types: KernelTypes
    devices: Devices
    drivers: dict[str, tuple[Obj, Struct]]
    sysfs: Sysfs

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.hidden: set[str] = set()
        self.groups: dict[str, str] = {}

    def attributes(self, machine: Machine) -> dict[str, tuple[Any, Any, Any]]:
        """The attributes of a bound device: each with its structure, show and store."""
        found: dict[str, tuple[Any, Any, Any]] = {}
        for item, title, shown in self._items(machine):
            named = self.world.load((item[0], item[1] + self._at("attribute", "name")))
            name = self.world.text(named)
            if title:
                self.groups[name] = self.world.text(title)
            if shown:
                found[name] = self._functions(item)
            else:
                self.hidden.add(name)
        return found

    def _at(self, tag: str, member: str) -> int:
        return int(self.types.struct(tag).member(member)[0])

    def _functions(self, item: Any) -> tuple[Any, Any, Any]:
        """The structure around an attribute, and what reads and writes it."""
        layout, load = self.types.struct("device_attribute"), self.world.load
        whole = (item[0], item[1] - layout.member("attr")[0])
        show, store = (
            next(filter(None, (load((whole[0], whole[1] + layout.member(one)[0]))
                               for one in (name, f"{name}{CONST}") if one in layout.fields)), 0)
            for name in ("show", "store")
        )  # fmt: skip
        return whole, show, store

    def _items(self, machine: Machine) -> Iterator[tuple[Any, Any, bool]]:
        """The attributes of its driver's groups and those made by hand: with the group's name."""
        load = self.world.load
        for group in self._groups(machine):
            title = load((group[0], group[1] + self._at("attribute_group", "name")))
            attrs = load((group[0], group[1] + self._at("attribute_group", "attrs")))
            for count, item in enumerate(self._array(attrs)):
                yield item, title, not self._hides(machine, group, item, count)
        yield from self.sysfs.of(machine)

    def _groups(self, machine: Machine) -> Iterator[Any]:
        obj, struct = self.drivers[machine.frontend.name]
        inner, driver = struct.member("driver")
        if "dev_groups" in struct.fields:  # then the bus overwrites the inner one
            yield from self._array(self.world.load((obj, struct.member("dev_groups")[0])))
        elif isinstance(driver, Struct):
            at = inner + driver.member("dev_groups")[0]
            yield from self._array(self.world.load((obj, at)))

    def _hides(self, machine: Machine, group: Any, item: Any, place: int) -> bool:
        """Whether a group's own function says that a device does not have an attribute."""
        types = self.types
        at = types.struct("attribute_group").member("is_visible")[0]
        visible = group[0].cells.get(group[1] + at, 0)
        if not visible:
            return False
        device, at = self.devices.device(machine)
        kobject = (device, at + self.devices.kobject)
        task = self.task("making an attribute")
        mode = number(invoke(self.world, visible, kobject, item, place))
        self.settled(task)
        return not mode

    def _array(self, pointer: Any) -> Iterator[Any]:
        """The pointers of an array up to NULL."""
        self.world.at = self.program.places.get(pointer[0]) if pointer.__class__ is tuple else None
        return array(self.world, pointer)

    def show(self, machine: Machine, attribute: tuple[Any, Any, Any]) -> tuple[Any, str]:
        """Read an attribute: what show returned, and the text it made."""
        task = self.task("reading of an attribute")
        buffer = sysfs_buffer()
        device = self.devices.device(machine)
        result = invoke(self.world, attribute[1], device, attribute[0], buffer)
        self.settled(task)
        text = buffer[0].cells.get("text")
        return result, self.world.text(buffer) if text is None else text

    def store(self, machine: Machine, attribute: tuple[Any, Any, Any], text: str) -> Any:
        """Write to an attribute; what store returned."""
        task = self.task("writing to an attribute")
        buffer = (Obj("text", "the text written", None, text), 0)
        device = self.devices.device(machine)
        result = invoke(self.world, attribute[2], device, attribute[0], buffer, len(text))
        self.settled(task)
        if isinstance(result, Opaque):
            raise result.unknown()
        return result
