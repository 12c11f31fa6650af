# SPDX-License-Identifier: GPL-2.0-or-later
"""What was seen of a driver that was run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen.diff.directions import EVERY
from gen.frontend import ResourceKind
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.facts import Value
    from checks.tree import TreeFile
    from gen.model import Mask
    from gen.source import Span

# A driver's name, and a kind of resource that a device for it has; None for one on PCI.
Asked = tuple[str, ResourceKind | None]
# A direction, an offset and a width.
Access = tuple[str, int, int]


@dataclass
class Observed:
    """What was seen; `why` says of what is not here why it was not.

    `triggers` has by the value that is written the triggers on which it is; `complete` that all
    were tried. `silent` are those of a panic where nothing is sent with a crash kernel loaded.
    `negotiated` tells of the other values whether the driver knows them at all. `unasked` has the
    values that are sent to a device that claims to take none, `unmasked` those that are sent though
    the mask in an attribute is 0. `initial` is what the attribute of that mask shows at first,
    where it is not the capability. `present` are the attributes of devices, as far as that is sure;
    `hidden` tells of attributes on which devices they are not, `groups` the directory that they are
    in. `refusing` is the file whose module refuses to be loaded. `refuses` has by an attribute's
    name the masks within its bounds that a store does not take, and where it says so; `shown_at`
    and `bound_at` have the places where its functions gave what they showed, and answered what is
    out of bounds. `besides` is what no spec has, each with its place. `touched` has by a driver's
    name the accesses to its devices, each with the place in its file. `refused` are the drivers'
    names, each with a kind of resource, whose probe takes no device that has all that the driver
    asks for, and `open` those of which that is not known, with the reason and its place.
    """

    triggers: dict[int, tuple[Trigger, ...]] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    unasked: set[int] = field(default_factory=set)
    unmasked: dict[str, set[int]] = field(default_factory=dict)
    initial: dict[str, str] = field(default_factory=dict)
    touched: dict[str, dict[Access, Span | None]] = field(default_factory=dict)
    refused: set[Asked] = field(default_factory=set)
    open: dict[Asked, tuple[str, Span | None]] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    groups: dict[str, str] = field(default_factory=dict)
    refusing: TreeFile | None = None
    besides: dict[str, Span | None] = field(default_factory=dict)
    negotiated: dict[int, bool] = field(default_factory=dict)
    complete: bool = False
    shows: dict[str, Mask | None] = field(default_factory=dict)
    within: dict[str, str] = field(default_factory=dict)
    shown_at: dict[str, Span] = field(default_factory=dict)
    bound_at: dict[str, Span] = field(default_factory=dict)
    refuses: dict[str, tuple[str, Span | None]] = field(default_factory=dict)
    why: str = "the driver could not be run"
    at: Span | None = None

    def lacking(self, name: str) -> str | None:
        """The devices that an attribute is not on; all, if they have others and no group has it."""
        nowhere = self.present and name not in self.present
        return self.hidden.get(name) or (EVERY if nowhere else None)


def unheeded(
    events: Mapping[str, Value], seen: Observed, values: set[int] | None = None
) -> list[str]:
    """The names of the events whose values are among these; of all that are sent without any."""
    among = set(seen.triggers) if values is None else values
    return [name for name, value in events.items() if value.number in among]


def sent_on(number: int, seen: Observed | None) -> tuple[Trigger, ...]:
    """On which triggers a value is sent, or that it is not; none if that is not known."""
    found = seen.triggers.get(number, ()) if seen else ()
    if not found and seen and seen.complete and number in seen.negotiated:
        return (Trigger.NONE if seen.negotiated[number] else Trigger.UNUSED,)
    return found
