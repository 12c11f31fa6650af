# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees of a run: progress and messages on stderr, results on stdout."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from gen.diagnostics import format_text, summary, visible

if TYPE_CHECKING:
    from gen.diagnostics import Diagnostics


def say(text: str) -> None:
    """A line of progress."""
    click.echo(visible(text), err=True)


def colour_wanted() -> bool:
    """Whether messages on stderr may be coloured: a terminal, and nobody said NO_COLOR."""
    return sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def report(diagnostics: Diagnostics) -> None:
    """Messages about the spec, all of them, in the order of their places."""
    items = list(diagnostics)
    for item in items:
        click.echo(format_text(item, colour=colour_wanted()), err=True, color=colour_wanted())
    if items:
        say(summary(items))


def fail(text: str, status: int) -> NoReturn:
    """End with one sentence and an exit status."""
    if text:
        say(f"pvgen: {text}")
    sys.exit(status)
