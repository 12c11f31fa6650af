# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario is and what comes out of one."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gen.lab.machine import Machine
    from gen.lab.stage import Stage


class Verdict(enum.StrEnum):
    """How a scenario ended. Only `PASS` says that the driver did as the spec wants."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "FAIL"
    ERROR = "ERROR"
    UNAVAILABLE = "UNAVAILABLE"
    INAPPLICABLE = "not applicable"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `main` where it is what the scenario is about."""

    what: str
    expected: str
    seen: str
    main: bool = False

    @property
    def passed(self) -> bool:
        """Whether it was as expected."""
        return self.expected == self.seen


@dataclass(frozen=True)
class Obstacle:
    """Why a scenario is not played: the verdict it gets and the reason."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Scenario:
    """A story with an expected end.

    Args:
        name: how the command line calls it.
        title: one line for the list.
        machine: what to boot.
        play: drives the guest and notes checks.
        ends: whether the guest is of no use afterwards.
        obstacle: set when it cannot be played.
    """

    name: str
    title: str
    machine: Machine
    play: Callable[[Stage], Awaitable[None]]
    ends: bool = False
    obstacle: Obstacle | None = None


@dataclass(frozen=True)
class Outcome:
    """What came out of a scenario; `seconds` without its share of the boot; `log` if kept."""

    name: str
    title: str
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    log: Path | None = None
