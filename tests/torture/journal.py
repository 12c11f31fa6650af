# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a kernel's log is the driver's affair: the lab's judgement without three reports.

On x86 a panic in an NMI registers an NMI handler to stop the other processors, which takes the lock
of the list of these handlers inside an NMI; lockdep tells it, whatever panics there. Hot plug of
PCI Express takes two locks of its own in both orders; lockdep tells it at the first plug.
And KCSAN tells races anywhere in the kernel; the driver's have a function of it in a stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab import journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# A report of lockdep's, up to the stack.
LOCKDEP = re.compile(
    r"^[^\n]*={20,}\n[^\n]*WARNING: (?:inconsistent lock state|possible circular)[^\n]*\n"
    r".*?stack backtrace:$",
    re.MULTILINE | re.DOTALL,
)
NMI_HANDLERS = re.compile(r"nmi_desc|__register_nmi_handler")
PORTS = re.compile(r"&ctrl->reset_lock.*pci_rescan_remove_lock", re.DOTALL)
# A report of KCSAN's, between two rules, or up to the panic that cuts it off.
KCSAN = re.compile(
    r"^[^\n]*={20,}\n[^\n]*BUG: KCSAN:.*?"
    r"(?:^[^\n]*={20,}$|(?=^[^\n]*Kernel panic - not syncing)|\Z)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Verdict:
    """What was complained about, and how many reports were about something else."""

    reports: tuple[str, ...]
    foreign: int = 0


def judge(log: str, names: Sequence[str], allowed: Sequence[str] = ()) -> Verdict:
    """Read a log.

    Args:
        log: as the console shows it.
        names: of the modules, as messages and stacks have them.
        allowed: regular expressions for lines that the act provokes.
    """
    modules = [name.replace("-", "_") for name in names]
    in_driver = re.compile(rf"\[(?:{'|'.join(map(re.escape, modules))})\]")

    def others_lock(report: str) -> bool:
        ports = PORTS.search(report) and not in_driver.search(report)
        return bool(NMI_HANDLERS.search(report) or ports)

    text, locks = _cut(LOCKDEP, log, others_lock)
    text, races = _cut(KCSAN, text, lambda report: not in_driver.search(report))
    return Verdict(tuple(journal.complaints(text, names, allowed)), locks + races)


def _cut(pattern: re.Pattern[str], text: str, foreign: Callable[[str], bool]) -> tuple[str, int]:
    """A text without those of its reports that are foreign, and how many they were."""
    count = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal count
        if not foreign(found[0]):
            return found[0]
        count += 1
        return ""

    return pattern.sub(replace, text), count
