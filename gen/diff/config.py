# SPDX-License-Identifier: GPL-2.0-or-later
"""What olddefconfig makes of a .config that was written for an older Kconfig, by kconfiglib."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import kconfiglib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen.model import KconfigSymbol

_WORD = re.compile(r"[A-Za-z0-9_]+")


def carry_on(
    old: Sequence[KconfigSymbol], new: Sequence[KconfigSymbol]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of an old .config that has everything on, and those that are left of it.

    Symbols that neither side defines are the kernel's: those that the old side names are on in the
    old .config; those that only the new side names were never asked for, and are off.
    """
    with tempfile.TemporaryDirectory(prefix="pvgen-diff-") as name:
        room = Path(name)
        before = _parse(old, _foreign(old, (*old, *new)), room / "old")
        for symbol in before.unique_defined_syms:
            symbol.set_value(2)
        # Modules, where there is a choice: what a distribution has.
        for one in old:
            if one.type == "tristate":
                before.syms[one.symbol].set_value(1)
        before.write_config(str(room / ".config"), header="")
        after = _parse(new, _foreign(new, (*old, *new)), room / "new")
        after.load_config(str(room / ".config"))
        return _lines(before, old), _lines(after, new)


def _foreign(side: Iterable[KconfigSymbol], every: Iterable[KconfigSymbol]) -> list[str]:
    own = {one.symbol for one in every}
    words = {word for one in side for word in _WORD.findall(one.depends or "")}
    return sorted(words - own - {"y", "m", "n", "MODULES"})


def _parse(side: Iterable[KconfigSymbol], foreign: list[str], path: Path) -> kconfiglib.Kconfig:
    """Kconfig of the entries as the template lays them out, with what they depend on."""
    text = "config MODULES\n\tdef_bool y\n\toption modules\n"
    text += "".join(f'\nconfig {name}\n\tbool "{name}"\n' for name in foreign)
    for one in side:
        text += f'\nconfig {one.symbol}\n\t{one.type} "prompt"\n'
        text += f"\tdepends on {one.depends}\n" if one.depends else ""
    path.write_text(text, encoding="utf-8")
    return kconfiglib.Kconfig(str(path), warn=False)


def _lines(config: kconfiglib.Kconfig, side: Iterable[KconfigSymbol]) -> tuple[str, ...]:
    lines = []
    for one in side:
        value = config.syms[one.symbol].str_value
        unset = f"# CONFIG_{one.symbol} is not set"
        lines.append(unset if value == "n" else f"CONFIG_{one.symbol}={value}")
    return tuple(lines)
