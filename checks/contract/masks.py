# SPDX-License-Identifier: GPL-2.0-or-later
"""What the attributes of a driver show and take, seen by using them while it runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from checks.errnos import error_name
from checks.execution.contract import written
from checks.execution.texts import EINVAL, ERANGE
from gen.diff.directions import ANYTHING, EVERY, KNOWN
from gen.diff.occasions import SEPARATOR
from gen.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.contract.observed import Observed
    from checks.execution.explorer import Explorer
    from checks.execution.machine import Machine
    from gen.source import Span

# Of a store that takes no mask; the answer stands behind it.
EVERY_MASK = "any mask"
# Texts that are no mask whatever the base, each with the error, and what is to be said of it.
NO_MASKS = (("zz\n", EINVAL, "no number"), ("9" * 40 + "\n", ERANGE, "too large"))


class Masks:
    """Loads and binds a driver, and uses its attributes; `bases` are their number bases."""

    def __init__(self, explorer: Explorer, seen: Observed, bases: Mapping[str, int]) -> None:
        self.explorer, self.core, self.seen, self.bases = explorer, explorer.core, seen, bases
        self.full = explorer.contract.known

    def load(self) -> None:
        """Load all modules."""
        for unit in self.core.modules:
            self.core.load(unit)

    def bind(self, machine: Machine, raw: int) -> bool:
        """Whether a device that reads as `raw` is bound."""
        machine.capability = raw
        return self.core.bind(machine) == 0

    def takes(self, machine: Machine, what: tuple[str, str] | None) -> bool:
        """Whether an attribute takes a text; nothing is always taken."""
        if what is None:
            return True
        attribute = self.core.attributes(machine).get(what[0])
        return attribute is not None and (
            self.core.store(machine, attribute, what[1]) == len(what[1])
        )

    def switch(self, mask: int) -> tuple[str, str] | None:
        """The attribute that holds the mask of what is sent, and a mask as it is written there."""
        shows = self.seen.shows
        names = [name for name in self.bases if shows.get(name) is Mask.ENABLED]
        return (names[0], written(self.bases[names[0]], mask)) if names else None

    def negotiates(self, machine: Machine) -> None:
        """Whether the attributes show a difference when a device has an event that is not sent."""
        bits = [1 << bit for bit in range(self.full.bit_length()) if self.full >> bit & 1]
        for value in (one for one in bits if one not in self.seen.triggers):
            texts = [self._first_shown(machine, raw) for raw in (0, value)]
            if texts[0]:
                self.seen.negotiated[value] = texts[0] != texts[1]

    def known(self) -> int:
        """The bits of the events that the driver negotiates, as far as that has been seen."""
        strange = sum(bit for bit, known in self.seen.negotiated.items() if not known)
        return self.full & ~strange

    def _first_shown(self, machine: Machine, raw: int) -> dict[str, str]:
        """What the attributes of a device with this capability show at first."""
        with self.explorer.trial():
            self.load()
            if self.bind(machine, raw):
                return self._shown(machine)
        return {}

    def masks(self, machine: Machine) -> None:
        """What the attributes of a device show and take."""
        with self.explorer.trial():
            self.load()
            if self.bind(machine, self.full):
                self._shows(machine)
        self._partial(machine)
        self._hidden(machine)

    def _shows(self, machine: Machine) -> None:
        """Which mask an attribute shows: the one that can be changed, or the other."""
        for name, attribute in self.core.attributes(machine).items():
            if not attribute[2] or name not in self.bases:
                continue
            first, kept = self._shown(machine), self._written(machine, name)
            if not kept and self._refuses_all(name):
                # What a store that takes nothing would set is what it would set if it did nothing.
                kept = dict.fromkeys((0, self.known()), first)
            if len(kept) < 2:  # noqa: PLR2004 (what is written is seen where two differ)
                return
            full = kept.get(self.known(), {})
            for other in (one for one in first if all(one in shown for shown in kept.values())):
                mask = follows({asked: shown[other] for asked, shown in kept.items()}, self.full)
                if other == name and mask is Mask.CAPABILITY and self._still_sends(machine, name):
                    mask = Mask.ENABLED  # it is the store that does nothing
                self.seen.shows[other] = mask
                self.core.show(machine, self.core.attributes(machine)[other])
                self._answered(self.seen.shown_at, other)
                if mask is Mask.ENABLED and full and first[other] != full[other]:
                    self.seen.initial[other] = first[other].strip()
            self._within(machine, name, whole=bool(full))

    def _answered(self, places: dict[str, Span], name: str) -> None:
        """Note where the function of an attribute that ran last returned."""
        place = self.core.world.returned
        at = place() if place else None
        if at is not None:
            places[name] = at

    def _refuses_all(self, name: str) -> bool:
        """Whether an attribute is known to take no mask at all."""
        return self.seen.refuses.get(name, ("",))[0].startswith(EVERY_MASK)

    def panic(self) -> list[int]:
        """What the panic notifiers return; the log has what they told devices, and nothing else."""
        world = self.core.world
        world.put(world.kernel, "log", ())
        self.core.task("panic", "a panic must not sleep")
        return [int(result) for result in self.core.panic()]

    def _still_sends(self, machine: Machine, name: str) -> bool:
        """Whether a panic is told though an attribute was set to no event."""
        self.takes(machine, (name, written(self.bases[name], 0)))
        self.panic()
        return bool(self.core.world.kernel["log"])

    def _written(self, machine: Machine, name: str) -> dict[int, dict[str, str]]:
        """What is shown after each mask that has an effect; what is answered otherwise is noted."""
        attribute, kept = self.core.attributes(machine)[name], {}
        bits = [1 << bit for bit in range(self.full.bit_length()) if self.known() >> bit & 1]
        answers: dict[int, tuple[int, Span | None]] = {}
        masks = list(dict.fromkeys([*bits[:1], 0, self.known(), *bits[1:]]))
        for mask in masks:
            before, text = self._shown(machine), written(self.bases[name], mask)
            result = int(self.core.store(machine, attribute, text))
            place, shown = self.core.world.returned, self._shown(machine)
            if result == len(text) or shown != before:
                kept[mask] = shown
            if result != len(text):
                answers[mask] = result, place() if place else None
        if answers and not self.explorer.unknown:
            at = next(iter(answers.values()))[1]
            self.seen.refuses[name] = refusals(answers, every=len(answers) == len(masks)), at
        return kept

    def _within(self, machine: Machine, name: str, *, whole: bool) -> None:
        """What becomes of a mask outside the capability, if the `whole` capability is taken."""
        attribute, base = self.core.attributes(machine)[name], self.bases[name]
        spare = next((1 << bit for bit in range(31) if not self.full >> bit & 1), None)
        if spare is None or not whole:
            return
        self.core.store(machine, attribute, written(base, 0))
        before, text = self._shown(machine), written(base, spare)
        result = int(self.core.store(machine, attribute, text))
        self._answered(self.seen.bound_at, name)
        bound = Mask.CAPABILITY.value if self._shown(machine) == before else ANYTHING
        if self._refuses_all(name):
            self.seen.within[name] = bound
            return
        if result == len(text) and bound != ANYTHING:
            bound += ", without an error"
        elif result < 0 and bound == ANYTHING:
            bound += f", with {error_name(result)} all the same"
        elif result not in {len(text), -EINVAL}:
            bound += f", with {answer(result)} instead of EINVAL"
        self.seen.within[name] = bound + "".join(self._unread(machine, name))

    def _unread(self, machine: Machine, name: str) -> Iterator[str]:
        """What is to be said of the answers to texts that are no number, or too large a one."""
        for text, wanted, what in NO_MASKS:
            result = int(self.core.store(machine, self.core.attributes(machine)[name], text))
            if result != -wanted:
                self._answered(self.seen.bound_at, name)
                yield f", with {answer(result)} for what is {what}"

    def _partial(self, machine: Machine) -> None:
        """Whether a mask starts as the events that a device takes, and may have no others.

        Nothing is said where the driver takes every event for one that the device takes.
        """
        missing = 1 << self.known().bit_length() >> 1
        whole, part = (self._first_shown(machine, raw) for raw in (self.full, self.full & ~missing))
        if not missing or whole == part:
            return
        for name, mask in self.seen.shows.items():
            same = name in part and part[name] == whole.get(name)
            if same and mask is Mask.ENABLED and name not in self.seen.initial:
                self.seen.initial[name] = KNOWN
            elif same and mask is Mask.CAPABILITY:
                self.seen.shows[name] = None  # what is always the same is no capability
        for name, bound in self.seen.within.items():
            if not bound.startswith(ANYTHING) and self._takes_missing(machine, name, missing):
                self.seen.within[name] = bound.replace(Mask.CAPABILITY.value, KNOWN)

    def _hidden(self, machine: Machine) -> None:
        """The attributes that devices have not, though they are among those of their driver."""
        hidden: dict[int, frozenset[str]] = {}
        for raw in (self.full, 0):
            with self.explorer.trial():
                self.load()
                if self.bind(machine, raw):
                    self.core.hidden.clear()
                    present = frozenset(self.core.attributes(machine))
                    self.seen.present |= frozenset() if self.explorer.unknown else present
                    hidden[raw] = frozenset(self.core.hidden)
        self.seen.groups.update(self.core.groups)
        if len(hidden) > 1:
            full, none = hidden[self.full], hidden[0]
            self.seen.hidden |= dict.fromkeys(full & none, EVERY)
            self.seen.hidden |= dict.fromkeys(full - none, "a device that takes all events")
            self.seen.hidden |= dict.fromkeys(none - full, "a device that takes no event")

    def _takes_missing(self, machine: Machine, name: str, missing: int) -> bool:
        """Whether an attribute takes a known event that the device does not take."""
        with self.explorer.trial():
            self.load()
            if self.bind(machine, self.full & ~missing):
                self.takes(machine, (name, written(self.bases[name], 0)))
                before = self._shown(machine)
                self.takes(machine, (name, written(self.bases[name], missing)))
                return self._shown(machine) != before
        return False

    def _shown(self, machine: Machine) -> dict[str, str]:
        present = self.core.attributes(machine)
        return {name: self.core.show(machine, item)[1] for name, item in present.items() if item[1]}


def follows(shown: Mapping[int, str], full: int) -> Mask | None:
    """Which mask an attribute shows, by what it showed after each one that was written.

    What was written has to be in a number that is shown, and nothing that the device cannot take;
    more of that is a mask that only grows. None if it neither is nor stays the same.
    """
    if len(set(shown.values())) == 1:
        return Mask.CAPABILITY
    numbers = {mask: _numbers(text) for mask, text in shown.items()}
    odd = any(
        read and not any(mask & ~one == 0 and one & ~full == 0 for one in read)
        for mask, read in numbers.items()
    )
    return None if odd else Mask.ENABLED


def _numbers(text: str) -> set[int]:
    """What a text may mean as a number, whatever its base; nothing if it is no number."""
    found = set()
    for base in (8, 10, 16):
        with contextlib.suppress(ValueError):
            found.add(int(text, base))
    return found


def answer(result: int) -> str:
    """What a store returned, as user space sees it."""
    return error_name(result) if result < 0 else f"{result} byte{'' if result == 1 else 's'} taken"


def refusals(answers: Mapping[int, tuple[int, Span | None]], *, every: bool) -> str:
    """The masks that were not taken, each with the answer; `every` says that these are all."""
    told: dict[str, list[int]] = {}
    for mask, (result, _) in answers.items():
        told.setdefault(answer(result), []).append(mask)
    if every and len(told) == 1:
        return f"{EVERY_MASK} ({next(iter(told))})"
    return SEPARATOR.join(
        f"{' '.join(f'{mask:#x}' for mask in sorted(masks))} ({said})"
        for said, masks in told.items()
    )
