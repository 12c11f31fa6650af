# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks that a driver asks for: notifiers of the kernel's chains, and sys-off handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.directions import EARLY
from gen.diff.records import Fact, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.facts import Call, DriverFacts, Object, Value
    from gen.source import Span

HOOKING = frozenset({"atomic_notifier_chain_register", "register_sys_off_handler"})
# The kinds of hook, by what the function that asks for one acquires.
_CHAINS = {
    "notifier": "panic-notifier",
    "die-notifier": "die-notifier",
    "reboot-notifier": "reboot-notifier",
}
_SYS_OFF = "sys-off"
_PREPARE = "_PREPARE"


class Hooks:
    """Reads them; what cannot be told goes to `miss`: path, key, reason and place."""

    def __init__(self, facts: DriverFacts, miss: Callable[..., None]) -> None:
        self.facts, self._miss = facts, miss

    def items(self) -> Iterator[Item]:
        """Each kind of hook once, as it is asked for first."""
        blocks = self.facts.objects("struct notifier_block")
        asked = {kind: call for call in reversed(list(self.facts.calls()))
                 if (kind := self._kind(call))}  # fmt: skip
        named = {kind: self._block(call, blocks) for kind, call in asked.items()}
        free = [one for one in blocks if one not in named.values()]
        for kind in (*_CHAINS.values(), _SYS_OFF):
            if kind not in asked:
                continue
            if kind == _SYS_OFF:
                yield self._sys_off(asked[kind])
                continue
            block = named[kind] or (free[0] if len(free) == 1 else None)
            if block is None:
                self._miss(
                    kind, "priority", "which notifier it is, is not known", asked[kind].callee
                )
                yield Item(kind, "", asked[kind].callee)
            else:
                priority = self._priority(kind, block.fields.get("priority"), block.span)
                yield Item(kind, "", block.span, priority)

    def _kind(self, call: Call) -> str | None:
        api = self.facts.kernel.table.get(call.name)
        acquires = api.acquires if api else None
        return _SYS_OFF if acquires == _SYS_OFF else _CHAINS.get(acquires or "")

    @staticmethod
    def _block(call: Call, blocks: list[Object]) -> Object | None:
        value = call.named.get("nb")
        return next((one for one in blocks if value and one.name == value.name), None)

    def _sys_off(self, call: Call) -> Item:
        """A handler; one that is called before devices are shut down is told from others."""
        facts = self._given(call, "priority")
        at = call.named["mode"].span if "mode" in call.named else call.callee
        api = self.facts.kernel.table.get(call.name)
        implied = api.implies.get("mode") if api else None
        mode = call.named["mode"].name if "mode" in call.named else implied
        if mode is None or not mode.isupper():
            self._miss(
                _SYS_OFF, "stage", "the mode of the handler is no constant of the kernel", at
            )
        elif mode.endswith(_PREPARE):
            facts["stage"] = Fact(EARLY, at)
        return Item(_SYS_OFF, "", call.callee, facts)

    def _given(self, call: Call, key: str) -> dict[str, Fact]:
        """The priority that is handed over, or that the function itself has."""
        api = self.facts.kernel.table.get(call.name)
        implied = api.implies.get(key) if api else None
        if key not in call.named and implied:
            return {key: Fact(implied, call.callee)}
        return self._priority(_SYS_OFF, call.named.get(key), call.callee)

    def _priority(self, kind: str, value: Value | None, at: Span) -> dict[str, Fact]:
        if value is None:
            return {"priority": Fact("0", at)}
        if value.number is None:
            why = f"what '{value.written}' is worth is not known"
            self._miss(kind, "priority", why, value.span)
            return {}
        named = value.name is not None and value.name.isupper()
        text = value.name if named and value.name else str(value.number)
        return {"priority": Fact(text, value.span)}
