# SPDX-License-Identifier: GPL-2.0-or-later
"""What olddefconfig makes of a .config that was written for an older Kconfig, by kconfiglib."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kconfiglib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.diff.records import Item

_WORD = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class _Entry:
    symbol: str
    type: str
    depends: str | None


def carry_on(old: Sequence[Item], new: Sequence[Item]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of an old .config that has everything on, and those that are left of it.

    Symbols that neither side defines are the kernel's: those that the old side names are on in the
    old .config; those that only the new side names were never asked for, and are off.

    Args:
        old: the Kconfig entries of the old side.
        new: those of the new side.
    """
    left, right = _entries(old), _entries(new)
    own = {one.symbol for one in (*left, *right)}
    with tempfile.TemporaryDirectory(prefix="pvgen-diff-") as name:
        room = Path(name)
        try:
            before = _parse(left, own, room / "old")
            for symbol in before.unique_defined_syms:
                symbol.set_value(2)
            # Modules, where there is a choice: what a distribution has.
            for one in left:
                if one.type == "tristate":
                    before.syms[one.symbol].set_value(1)
            before.write_config(str(room / ".config"), header="")
            after = _parse(right, own, room / "new")
            after.load_config(str(room / ".config"))
        except kconfiglib.KconfigError:  # of a driver's C; a spec's are checked when it is loaded
            return (), ()
        return _lines(before, left), _lines(after, right)


def _entries(side: Sequence[Item]) -> list[_Entry]:
    """Each symbol once, though several drivers may share one."""
    found: dict[str, _Entry] = {}
    for item in side:
        symbol, kind, depends = (item.facts.get(key) for key in ("symbol", "type", "depends"))
        if symbol and kind:
            entry = _Entry(symbol.value, kind.value, depends.value if depends else None)
            found.setdefault(entry.symbol, entry)
    return list(found.values())


def _parse(side: Sequence[_Entry], own: set[str], path: Path) -> kconfiglib.Kconfig:
    """Kconfig of the entries as the template lays them out, with what they depend on."""
    words = {word for one in side for word in _WORD.findall(one.depends or "")}
    text = "config MODULES\n\tdef_bool y\n\toption modules\n"
    for name in sorted(words - own - {"y", "m", "n", "MODULES"}):
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
