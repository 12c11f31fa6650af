# SPDX-License-Identifier: GPL-2.0-or-later
"""How running a driver ends early: a defect shown, something not understood, or a wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.execution.opaque import Site
    from gen.source import Span


# What the interpreter stumbles over when a driver uses values in a way that it does not expect.
SURPRISES = (
    TypeError, AttributeError, LookupError, ValueError, ArithmeticError, StopIteration,
)  # fmt: skip


class UnknownError(Exception):
    """Something that the interpreter does not understand; `span` is where, once that is known."""

    def __init__(self, why: str, span: Span | None = None) -> None:
        super().__init__(why)
        self.why, self.span = why, span


class DoubtError(UnknownError):
    """What would be a defect by `rule` if nobody had been called of whom nothing is known."""

    def __init__(self, rule: str, why: str, site: Site) -> None:
        super().__init__(f"{why}: {site.why}", site.span())
        self.rule = rule


class CutError(UnknownError):
    """The driver gives up, since of the answers that a stranger may give, one made it do so."""

    def __init__(self) -> None:
        super().__init__("the driver gives up")


class DefectError(Exception):
    """The driver does what it must not; the rest of the scenario means nothing."""

    def __init__(
        self, rule: str, message: str, span: Span | None = None, spec: Span | None = None
    ) -> None:
        super().__init__(message)
        self.rule, self.message, self.span, self.spec = rule, message, span, spec


class BlockedError(Exception):
    """A CPU waits for another one, which is held still: here its part of the scenario ends."""
