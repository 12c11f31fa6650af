# SPDX-License-Identifier: GPL-2.0-or-later
"""The attributes of a contract, from the objects and functions that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract.observed import Observed, unheeded
from gen.diff.occasions import SEPARATOR
from gen.diff.records import Fact, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.facts import DriverFacts, Object, Value

# Why nothing is known of what a driver does.
UNRUN = "the driver could not be run"
# Of an attribute that shows neither what is sent nor always the same.
OTHER = "something else"


class Attributes:
    """Reads them; what cannot be told goes to `miss`: path, key, reason and place."""

    def __init__(self, facts: DriverFacts, miss: Callable[..., None]) -> None:
        self.facts, self._miss = facts, miss

    def name(self, one: Object) -> str | None:
        """What an attribute is called."""
        value = one.fields.get("attr.name")
        return value.text if value else None

    def _argument(self, function: str | None, parameter: str) -> Value | None:
        """What a function hands to the callee that has a parameter of this name."""
        calls = [call for call in self.facts.calls()
                 if call.function == function and parameter in call.named]  # fmt: skip
        return calls[0].named[parameter] if len(calls) == 1 else None

    def base(self, one: Object) -> Value | None:
        """The base in which an attribute's store parses a number."""
        store = one.callback("store")
        return self._argument(store.name, "base") if store and store.name != "NULL" else None

    def items(self, one: Object, events: dict[str, Value], seen: Observed | None) -> Iterator[Item]:
        """What is read of one attribute."""
        name = self.name(one)
        if name is None:
            self._miss("attribute", "name", f"what {one.name} is called is not known", one.span)
            return
        path, facts = f"attribute[{name}]", {}
        mode, show = one.fields.get("attr.mode"), one.callback("show")
        if mode is not None and mode.number is not None:
            facts["mode"] = Fact(f"{mode.number:04o}", mode.span)
        else:
            self._miss(path, "mode", "its value is not known", one.span)
        self._shows((path, name), one, seen, facts)
        form = self._argument(show.name, "fmt") if show else None
        if form is not None and form.text is not None:
            facts["format"] = Fact(form.text, form.span)
        else:
            self._miss(path, "format", "no single call with a literal format", one.span)
        store = one.callback("store")
        if store is not None and store.name != "NULL":
            self._store((path, name), one, seen, facts)
            if seen and (deaf := unheeded(events, seen, seen.unmasked.get(name, set()))):
                facts["store.unheeded"] = Fact(SEPARATOR.join(deaf), one.span)
        yield Item("attribute", name, one.span, facts, ("mode", "shows", "format"))

    def _shows(
        self, names: tuple[str, str], one: Object, seen: Observed | None, facts: dict[str, Fact]
    ) -> None:
        """What was seen of an attribute: which mask it shows, at first as well, and where it is."""
        path, name = names
        seen = seen or Observed(why=UNRUN)
        if name in seen.shows:
            shows = seen.shows[name]
            at = seen.shown_at.get(name, one.span)
            facts["shows"] = Fact(shows.value if shows else OTHER, at)
        else:
            stores = [each.callback("store") for each in
                      self.facts.objects("struct device_attribute")]  # fmt: skip
            written = any(store is not None and store.name != "NULL" for store in stores)
            why = (
                seen.why if written else "no attribute can be written, so that both masks are equal"
            )
            if lacking := seen.lacking(name):
                why = f"{lacking} lacks it"
            self._miss(path, "shows", why, seen.at if written and seen.at else one.span)
        for key, told in (
            ("group", seen.groups.get(name)),
            ("hidden", seen.lacking(name)),
            ("initial", seen.initial.get(name)),
        ):
            if told is not None:
                facts[key] = Fact(told, one.span)

    def _store(
        self, names: tuple[str, str], one: Object, seen: Observed | None, facts: dict[str, Fact]
    ) -> None:
        path, name = names
        base, within = self.base(one), seen.within.get(name) if seen else None
        if base is not None and base.number is not None:
            facts["store.base"] = Fact(str(base.number), base.span)
        else:
            self._miss(path, "store.base", "no single call that parses a number", one.span)
        if seen and name in seen.refuses:
            told, at = seen.refuses[name]
            facts["store.refuses"] = Fact(told, at or one.span)
        if within is not None:
            at = seen.bound_at.get(name) if seen else None
            facts["store.within"] = Fact(within, at or one.span)
        elif seen is None or not seen.shows:
            self._miss(path, "store.within", seen.why if seen else UNRUN, one.span)
        else:
            why = "a mask inside the capability is not seen to be taken"
            self._miss(path, "store.within", why, one.span)
