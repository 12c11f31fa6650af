# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and directories that a driver makes in debugfs and /proc: they outlive nobody's code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.devices import ENOMEM
from checks.execution.state import Obj

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.execution.layout import KernelTypes
    from checks.execution.world import World

# What a failed call returns, by the kind of entry.
FAILED = {"debugfs": -ENOMEM, "proc": 0}
# Kinds whose absence a driver need not care for: it works without them.
SPARE = frozenset({"debugfs", "kobject"})


class Entries:
    """Books: "entries" has what is there: each with the entry that it is in and its place."""

    def __init__(self, world: World, types: KernelTypes) -> None:
        self._world, self._types, self._table = world, types, types.table

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name: all that the facts say acquire or release an entry."""
        made: dict[str, Callable[..., Any]] = {}
        for name, api in self._table.items():
            if api.acquires not in FAILED and api.releases not in FAILED:
                continue
            names = api.parameters
            if api.acquires in FAILED and "parent" in names:
                made[name] = partial(self._make, name, api.acquires, names)
            elif api.releases in FAILED and names[:1] == ("name",):
                made[name] = partial(self._named, api.releases)
            elif api.releases in FAILED:
                made[name] = partial(self._remove, api.releases)
        return made

    def there(self) -> tuple[Obj, ...]:
        """The entries that nobody has removed."""
        found: tuple[Obj, ...] = self._world.kernel.get("entries", ())
        return found

    def setters(self) -> Iterator[tuple[str, Any, Any]]:
        """The files that a number can be written to: name, function and its data."""
        at = self._types.struct("file_operations").member("__model_set")[0]
        for item in self.there():
            operations, data = item.data[4:]
            if operations.__class__ is tuple and operations[0].kind == "static":
                setter = operations[0].cells.get(operations[1] + at, 0)
                if setter:
                    yield item.name, setter, data

    def _make(self, name: str, kind: str, names: tuple[str, ...], title: Any, *given: Any) -> Any:
        world, named = self._world, dict(zip(names[1:], given, strict=False))
        above = named["parent"]
        if world.fails(name):
            return FAILED[kind]
        if above.__class__ is int and above:
            return above  # what is made in a directory that there is not, is not there
        text = world.text(title) if title.__class__ is tuple else "?"
        inside = above[0] if above.__class__ is tuple else None
        made = Obj("handle", f"the {kind} entry '{text}'", data=(
            kind, text, inside, world.at, named.get("fops", 0), named.get("data", 0)
        ))  # fmt: skip
        world.touch("entries")
        world.put(world.kernel, "entries", (*self.there(), made))
        return (made, 0)

    def _remove(self, kind: str, entry: Any, *_rest: Any) -> None:
        """Remove an entry and all in it; the kernel accepts NULL and an error."""
        if entry.__class__ is tuple and entry[0].kind == "handle":
            if "dead" in entry[0].cells:
                raise self._world.defect("RUN306", f"removes {entry[0].name} once more")
            self._drop(lambda item: item is entry[0] and item.data[0] == kind)

    def _named(self, kind: str, title: Any, above: Any = 0) -> None:
        text = self._world.text(title) if title.__class__ is tuple else "?"
        inside = above[0] if above.__class__ is tuple else None
        self._drop(lambda item: item.data[:3] == (kind, text, inside))

    def _drop(self, chosen: Callable[[Obj], bool]) -> None:
        gone = {item for item in self.there() if chosen(item)}
        gone |= set(self._below(gone))
        self._world.touch("entries")
        for item in gone:
            self._world.put(item.cells, "dead", "after it was removed")
        left = tuple(item for item in self.there() if item not in gone)
        self._world.put(self._world.kernel, "entries", left)

    def _below(self, gone: set[Obj]) -> Iterator[Obj]:
        for item in self.there():
            above = item.data[2]
            while above is not None and above not in gone:
                above = above.data[2]
            if above is not None:
                yield item
