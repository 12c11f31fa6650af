# SPDX-License-Identifier: GPL-2.0-or-later
"""What olddefconfig makes of a .config that was written for an older Kconfig, by kconfiglib."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import kconfiglib

from gen.diff.formula import lost
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen.diff.records import Item, Pair

_WORD = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class _Entry:
    symbol: str
    type: str
    depends: str | None


def carry_on(
    old: Sequence[Item], new: Sequence[Item], pair: Pair
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, int]]:
    """The lines of an old .config, those that one change leaves of it, and what it assumes.

    It has every symbol on that a side defines. The others are the kernel's: they have the values
    with which the old dependency holds and the new one does not; if there are none, all are on.

    Args:
        old: the Kconfig entries of the old side.
        new: those of the new side.
        pair: the entry of each side that changes.
    """
    left = _entries(old)
    own = {one.symbol for one in (*left, *_entries(new))}
    was, now = (_entries([one] if one else []) for one in (pair.old, pair.new))
    right = [now[0] if now and one in was else one for one in left if now or one not in was]
    right += [one for one in now if one not in right]
    assumed = (lost(was[0].depends, now[0].depends, own) if was and now else None) or {}
    others = {word for one in (*left, *right) for word in _WORD.findall(one.depends or "")} - own
    with scratch_room() as room:
        try:
            before = _parse(left, others, room / "old")
            for symbol in before.unique_defined_syms:
                symbol.set_value(assumed.get(symbol.name, 2))
            # Modules, where there is a choice: what a distribution has.
            for one in left:
                if one.type == "tristate":
                    before.syms[one.symbol].set_value(1)
            before.write_config(str(room / ".config"), header="")
            after = _parse(right, others, room / "new")
            after.load_config(str(room / ".config"))
        except kconfiglib.KconfigError:  # of a driver's C; a spec's are checked when it is loaded
            return (), (), {}
        return _lines(before, left), _lines(after, right), assumed


def _entries(side: Sequence[Item]) -> list[_Entry]:
    """Each symbol once, though several drivers may share one."""
    found: dict[str, _Entry] = {}
    for item in side:
        symbol, kind, depends = (item.facts.get(key) for key in ("symbol", "type", "depends"))
        if symbol and kind:
            entry = _Entry(symbol.value, kind.value, depends.value if depends else None)
            found.setdefault(entry.symbol, entry)
    return list(found.values())


def _parse(side: Sequence[_Entry], others: set[str], path: Path) -> kconfiglib.Kconfig:
    """Kconfig of the entries as the template lays them out, with what they depend on."""
    text = "config MODULES\n\tdef_bool y\n\toption modules\n"
    for name in sorted(others - {"y", "m", "n", "MODULES"}):
        text += f'\nconfig {name}\n\tbool "{name}"\n'
    for one in side:
        text += f'\nconfig {one.symbol}\n\t{one.type} "prompt"\n'
        text += f"\tdepends on {one.depends}\n" if one.depends else ""
    path.write_text(text, encoding="utf-8")
    return kconfiglib.Kconfig(str(path), warn=False)


def _lines(config: kconfiglib.Kconfig, side: Sequence[_Entry]) -> tuple[str, ...]:
    lines = []
    for one in side:
        value = config.syms[one.symbol].str_value
        unset = f"# CONFIG_{one.symbol} is not set"
        lines.append(unset if value == "n" else f"CONFIG_{one.symbol}={value}")
    return tuple(lines)
