# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a kernel's log is the driver's affair: the lab's judgement, without two kinds of reports.

On x86 a panic in an NMI registers an NMI handler to stop the other processors, which takes the lock
of the list of these handlers inside an NMI; lockdep tells it, whatever panics there. And KCSAN
tells races anywhere in the kernel; the driver's are those with a function of it in a stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab import journal

if TYPE_CHECKING:
    from collections.abc import Sequence

# A report of lockdep's, up to the stack, and what it names if it is about the list of NMI handlers.
LOCKDEP = re.compile(
    r"^[^\n]*={20,}\n[^\n]*WARNING: inconsistent lock state\n.*?stack backtrace:$",
    re.MULTILINE | re.DOTALL,
)
NMI_HANDLERS = re.compile(r"nmi_desc|__register_nmi_handler")
# A report of KCSAN's, between two rules.
KCSAN = re.compile(r"^[^\n]*={20,}\n[^\n]*BUG: KCSAN:.*?^[^\n]*={20,}$", re.MULTILINE | re.DOTALL)


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
    foreign = 0

    def cut(pattern: re.Pattern[str], text: str, *, known: re.Pattern[str], keep: bool) -> str:
        def replace(found: re.Match[str]) -> str:
            nonlocal foreign
            if bool(known.search(found[0])) is keep:
                return found[0]
            foreign += 1
            return ""

        return pattern.sub(replace, text)

    text = cut(LOCKDEP, log, known=NMI_HANDLERS, keep=False)
    text = cut(KCSAN, text, known=in_driver, keep=True)
    return Verdict(tuple(journal.complaints(text, names, allowed)), foreign)
