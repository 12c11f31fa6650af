# SPDX-License-Identifier: GPL-2.0-or-later
"""The events of a contract: macros for user space, and when a driver was seen to send them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.contract.attributes import UNRUN
from checks.contract.macros import bits, enumerators, public_macros
from checks.contract.observed import sent_on
from gen.diff.occasions import SEPARATOR, SILENT
from gen.diff.records import Fact, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.contract.observed import Observed
    from checks.facts import DriverFacts, Value
    from checks.parse import Unit
    from gen.source import Span


class Events:
    """Reads them; what cannot be told goes to `miss`: path, key, reason and place."""

    def __init__(
        self, facts: DriverFacts, units: tuple[Unit, ...], name: str, miss: Callable[..., None]
    ) -> None:
        self.facts, self.units, self.name, self._miss = facts, units, name, miss

    def macros(self) -> Iterator[tuple[str, Value]]:
        """The macros for user space that may be an event, by the event's name."""
        prefix = f"{self.name.upper()}_"
        for name, value in public_macros(self.facts, prefix).items():
            if value.number is None:
                self._miss(f"event[{name.removeprefix(prefix).lower()}]", "",
                           f"what {name} is worth is not known", value.span)  # fmt: skip
            elif value.number > 0:
                yield name.removeprefix(prefix).lower(), value
        for name, at in enumerators(self.facts, prefix):
            why = f"{name} is an enumerator, and what it is worth is not read"
            self._miss(f"event[{name.removeprefix(prefix).lower()}]", "", why, at)

    def items(self, events: dict[str, Value], seen: Observed | None) -> Iterator[Item]:
        """Each event, when it is sent, and what is sent that has no macro."""
        if not events:
            self._miss("event", "", "no macro for user space that is one bit")
        events = self._meant(events)
        numbers = [value.number for value in events.values()]
        known = set(numbers)
        strange = {sent: SEPARATOR.join(on) for sent, on in (seen.triggers if seen else {}).items()
                   if sent not in known}  # fmt: skip
        for name, value in events.items():
            number = value.number or 0
            worth = SEPARATOR.join(map(str, bits(number)))
            facts = {"bit": Fact(worth, value.span)}
            triggers = sent_on(number, seen)
            if not triggers and SEPARATOR in worth:
                why = f"{number:#x} is not one bit, and is not seen to be sent"
                self._miss(f"event[{name}]", "", why, value.span)
                continue
            alone = seen is not None and number in seen.triggers
            mixed = None if alone else next((sent for sent in strange if sent & number), None)
            if mixed is not None:
                # Not by itself, but it is sent.
                why = f"on {strange[mixed]} it is sent with others, as {mixed:#x}"
                self._miss(f"event[{name}]", "trigger", why, value.span)
            elif numbers.count(number) > 1 and alone:
                on = SEPARATOR.join(triggers)
                why = f"{number:#x} is sent on {on}; other macros are worth the same"
                self._miss(f"event[{name}]", "trigger", why, value.span)
            elif not triggers:
                why = seen.why if seen else UNRUN
                self._miss(f"event[{name}]", "trigger", why, seen.at if seen else None)
            else:
                words = [*triggers, *([SILENT] if seen and number in seen.silent else [])]
                facts["trigger"] = Fact(SEPARATOR.join(words), self._use(name) or value.span)
            yield Item("event", name, value.span, facts, ("bit", "trigger"))
        whole = 0
        for one in known:
            whole |= one or 0
        for sent, on in strange.items():
            if sent & ~whole:
                self._miss("event", "name",
                           f"on {on} {sent:#x} is sent, for which there is no macro")  # fmt: skip

    def _meant(self, events: dict[str, Value]) -> dict[str, Value]:
        """The macros without those that only happen to be worth an event that the driver uses."""
        numbers = [value.number for value in events.values()]
        twice = [name for name, value in events.items() if numbers.count(value.number) > 1]
        used = {name for name in twice if self._use(name)}
        worth = {events[name].number for name in used}
        return {name: value for name, value in events.items()
                if name in used or name not in twice or value.number not in worth}  # fmt: skip

    def _use(self, event: str) -> Span | None:
        """Where the driver hands the macro of an event on for the first time, or else uses it."""
        name = f"{self.name}_{event}".upper()
        word = re.compile(rf"\b{re.escape(name)}\b")
        arguments = (one for call in self.facts.calls() for one in call.arguments)
        handed = next((one.span for one in arguments if word.search(one.written)), None)
        places = (token.span for unit in self.units for token in unit.tokens
                  if token.span.source is unit.file.source)  # fmt: skip
        return handed or next((at for at in places if _covers(at, name)), None)


def _covers(at: Span, name: str) -> bool:
    """Whether a name stands at a place."""
    first = at.column - 1
    return at.length == len(name) and at.source.line(at.line)[first : first + at.length] == name
