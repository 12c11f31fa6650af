# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run has: pieces of memory and flows of control."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ERRORS = 4095  # the largest error number that a pointer can be


class Undefined:
    """What a variable holds that nobody has set."""


UNDEFINED = Undefined()


@dataclass(eq=False)
class Obj:
    """A piece of memory: values by byte offset in `cells`, marks such as `dead` by name.

    `kind` is static, stack, heap, kernel, text, io (mapped registers) or handle (a kernel object
    that drivers only hand around). Memory of the kinds stack and heap starts undefined, unless
    marked `zero`.
    """

    kind: str
    name: str
    size: int | None = None
    text: str = ""
    cells: dict[Any, Any] = field(default_factory=dict)
    data: Any = None


@dataclass(eq=False)
class Task:
    """A flow of control. `atomic` says why it must not sleep; `over` is whom it has interrupted.

    `chains` counts the notifier chains that it goes through; they are read under RCU, too.
    """

    name: str
    atomic: str = ""
    over: Task | None = None
    same_cpu: bool = False
    rcu: int = 0
    chains: int = 0
    irqs: int = 0
    held: tuple[tuple[Any, str], ...] = ()
    lost: Any = None

    def interrupted(self, other: Task) -> bool:
        """Whether `other` cannot go on before this task ends, as it has the same CPU."""
        task: Task | None = self
        while task is not None and task.over is not None:
            if not task.same_cpu:
                return False
            if task.over is other:
                return True
            task = task.over
        return False


def bad(pointer: Any) -> str:
    """What a pointer is that is none to memory."""
    if isinstance(pointer, Undefined):
        return "memory through a pointer that was never set"
    if pointer.__class__ is not int:
        return "a function as if it were memory"
    number = pointer - (1 << 64) if pointer >> 63 == 1 else pointer
    if -ERRORS <= number < 0:
        return f"memory through an error number ({number}) as pointer"
    return "memory through a NULL pointer" if 0 <= number < 1 << 12 else "memory at a wild address"
