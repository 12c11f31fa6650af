# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading a kernel log: what in it is a complaint, and what only says where modules come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Words with which the kernel and its detectors report a defect, wherever they stand.
ALARMS = re.compile(
    r"WARNING:|\bBUG:|UBSAN:|KASAN:|KCSAN:|\bOops\b|general protection|[Uu]nable to handle|"
    r"scheduling while atomic|sleeping function|unreferenced object|refcount_t:|"
    r"list_(?:add|del) corruption|possible (?:circular|recursive)|suspicious RCU|"
    r"INFO: (?:rcu|task|trying)|self-detected stall|blocked for more than|Bad page|"
    r"double fault|stack guard|nobody cared|sysfs: cannot create|Unknown symbol|"
    r"disagrees about version|Trying to (?:free|vfree) nonexistent"
)
# What the kernel says in a module's or driver's name without finding fault: where a module comes
# from, and that the PCI core switched a device on.
NOTE = re.compile(r"taints kernel|tainting kernel|: enabling device \(")
STAMP = re.compile(r"^\[ *\d+\.\d+\](?:\[[^\]]*\])? ?")
# Bit numbers of Documentation/admin-guide/tainted-kernels.rst that a good run may show: external
# module, unsigned module.
HARMLESS = (1 << 12) | (1 << 13)
FLAGS = {7: "oops", 9: "warning", 5: "bad page", 14: "soft lockup"}


def complaints(text: str, names: Sequence[str], allowed: Sequence[str] = ()) -> list[str]:
    """The lines that a good driver does not cause.

    These are alarms of the kernel's, and everything that our modules or drivers say themselves:
    there is nothing to say while all goes well.

    Args:
        text: the log, as the console shows it.
        names: of modules and drivers, with which their messages begin.
        allowed: regular expressions for lines that the scenario provokes.
    """
    ours = re.compile(rf"(?:{'|'.join(map(re.escape, names))})[ :]") if names else None
    found = []
    for raw in text.splitlines():
        line = STAMP.sub("", raw).strip()
        wrong = ALARMS.search(line) or (ours and ours.match(line))
        if wrong and not NOTE.search(line) and not any(re.search(a, line) for a in allowed):
            found.append(line)
    return found


def taint(flags: int) -> str:
    """The taints that a good run does not leave, in words where there is one."""
    bits = [bit for bit in range(flags.bit_length()) if flags & ~HARMLESS & (1 << bit)]
    return ", ".join(FLAGS.get(bit, f"bit {bit}") for bit in bits)
