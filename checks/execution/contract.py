# SPDX-License-Identifier: GPL-2.0-or-later
"""What the spec says must happen, apart from any driver: the other side of each comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.execution.texts import EINVAL, ERANGE, as_text, parse
from gen.model import Mask, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.model import Attribute, Device, Event, Store

NUMBER = 64
# Bits that any text of a mask may have; what has more is no number of a narrow register either.
RANGE = 32


# Up to so many events, every combination of them is tried.
_ALL_SUBSETS = 4


@dataclass(frozen=True)
class Happening:
    """Something that may be reported: a trigger, and whether a crash kernel is loaded."""

    trigger: Trigger
    crash: bool = False

    def __str__(self) -> str:
        loaded = " with a crash kernel loaded" if self.crash else ""
        return f"{self.trigger.value}{loaded}"


class Contract:
    """The spec's device, as far as a driver can be compared with it.

    Releases older than the spec's frontends had no mask before they had attributes: then every
    event is sent, whatever the register reads as.
    """

    def __init__(self, spec: Device) -> None:
        self.spec = spec
        self.masked = not spec.later or bool(spec.sysfs)
        self.width = spec.event_register.width
        self.range = max(RANGE, self.width)
        self.known = 0
        for event in spec.events:
            self.known |= event.value

    def happenings(self) -> Iterator[Happening]:
        """All that may happen."""
        yield Happening(Trigger.PANIC)
        yield Happening(Trigger.PANIC, crash=True)
        yield Happening(Trigger.POWER_OFF)
        yield Happening(Trigger.RESTART)

    def event(self, happening: Happening) -> Event | None:
        """The event that reports it."""
        if happening.crash:
            crash = self.spec.event_for(Trigger.CRASH_KERNEL)
            if crash is not None:
                return crash
        return self.spec.event_for(happening.trigger)

    def capability(self, raw: int) -> int:
        """The events that a device and the driver know, from what the register reads as."""
        return raw & self.known if self.masked else self.known

    def capabilities(self) -> list[int]:
        """What a register may read as: every subset of known events, a bit more, all ones."""
        bits = [event.value for event in self.spec.events]
        ones = (1 << self.spec.capability_register.width) - 1
        unknown = next((1 << n for n in range(self.width) if not self.known >> n & 1), 0)
        found = list(_subsets(bits)) if len(bits) <= _ALL_SUBSETS else [0, *bits, self.known]
        return list(dict.fromkeys([self.known, *found, self.known | unknown, unknown, ones]))

    def masks(self, capability: int) -> list[int]:
        """Masks that may be stored."""
        bits = [event.value for event in self.spec.events if event.value & capability]
        if len(bits) <= _ALL_SUBSETS:
            return list(_subsets(bits))
        # Beyond that their number explodes: none, all, each alone, all but each.
        whole = sum(bits)
        return list(dict.fromkeys([0, whole, *bits, *(whole - bit for bit in bits)]))

    def pairs(self) -> list[tuple[int, int]]:
        """Masks of two devices: all pairs of few masks; else each beside all, none and itself."""
        bits = [event.value for event in self.spec.events]
        masks = list(dict.fromkeys([self.known, 0, *bits]))
        if len(bits) <= _ALL_SUBSETS:
            return [(one, other) for one in masks for other in masks]
        found = [pair for mask in masks for other in (self.known, 0, mask)
                 for pair in ((mask, other), (other, mask))]  # fmt: skip
        return list(dict.fromkeys(found))

    def shown(self, attribute: Attribute, capability: int, enabled: int) -> str | None:
        """The text of an attribute."""
        value = capability if attribute.shows is Mask.CAPABILITY else enabled
        return as_text(attribute.format, [value], lambda _: "")

    def stored(self, store: Store, text: str, capability: int) -> int | set[int]:
        """What writing a text does: the new mask, or the errors that may be returned."""
        number = parse(text, store.base, NUMBER, signed=False)
        if isinstance(number, str):
            return {-EINVAL}
        if number is None or number >= 1 << self.range:
            return {-EINVAL, -ERANGE}
        if number & ~capability:
            return {-EINVAL} if number < 1 << self.width else {-EINVAL, -ERANGE}
        return number

    def texts(self, store: Store, capability: int) -> list[str]:
        """Texts that are no masks of this capability."""
        outside = [1 << n for n in range(self.width) if not capability >> n & 1]
        numbers = [*outside[:2], *outside[-1:], capability | (outside[0] if outside else 0)]
        if self.width < self.range:
            # What a register's width cuts off would leave a mask that is fine.
            numbers += [1 << self.width, 1 << self.width | capability]
        bad = [written(store.base, n) for n in dict.fromkeys(numbers) if n & ~capability]
        over = written(store.base, 1 << self.range)
        return [*bad, "", "\n", "zz\n", "-1\n", " 1\n", "1 \n", "1\n\n", over, over * 3]


def spellings(base: int, number: int) -> list[str]:
    """Other texts in which the kernel's parsers of numbers see the same one."""
    plain = written(base, number).rstrip("\n")
    found = [plain, f"+{plain}\n"]
    if base:
        found += [f"{plain:0>{width}}\n" for width in (8, 17)]
    if base == 16:  # noqa: PLR2004 (hexadecimal)
        found += [f"0x{plain}\n", f"0X{plain.upper()}\n"]
    return found


def written(base: int, number: int) -> str:
    """A number as somebody writes it in a base; base 0 means any."""
    form = {16: "{:x}\n", 10: "{}\n", 8: "{:o}\n"}.get(base, "0x{:x}\n")
    return form.format(number)


def _subsets(bits: list[int]) -> Iterator[int]:
    for chosen in range(1 << len(bits)):
        yield sum(bit for n, bit in enumerate(bits) if chosen >> n & 1)
