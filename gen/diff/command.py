# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands `diff`, `git-setup` and the two that git itself calls."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.diff.accept import NAME, read_accepted
from gen.diff.compare import Comparison, compare, with_hunks
from gen.diff.records import Severity
from gen.diff.report import FORMATS, as_text
from gen.diff.sides import SideError, read_side, split_range
from gen.kernel import KernelFactsError, load_kernels
from gen.options import kernel_option, spec_option
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from gen.diff.sides import ReadTree


@click.command()
@click.argument("sides", nargs=-1, metavar="[OLD [NEW]]")
@spec_option
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text",
              show_default=True, help="How to write the report.")  # fmt: skip
@click.option("--gate", type=click.Choice([str(one) for one in Severity]),
              help="Exit 1 on a finding that is as bad as this, or worse.")  # fmt: skip
@click.option("--accepted", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help=f"Accepted findings; without this, {NAME} if it is here.")  # fmt: skip
@click.option("--rendered", is_flag=True, help="Also show the hunks of the rendered files.")
@kernel_option
@click.pass_obj
def diff(  # noqa: PLR0917 (an option is a parameter)
    read_tree: ReadTree | None,
    sides: tuple[str, ...],
    spec: Path | None,
    form: str,
    gate: str | None,
    accepted: Path | None,
    rendered: bool,
    kernel: str | None,
) -> None:
    """Say what differs between two specs, for whom, and how bad it is.

    OLD and NEW are spec files, git revisions or REV:path; REV1..REV2 is both at once. Any of them
    may end in @RELEASE: what the driver of Linux RELEASE had. A directory is a driver's C, read
    with the interfaces of the series after its @. With one revision, NEW is the spec
    on the disk; with none, OLD is HEAD. Exit status: 0 compared, 1 --gate is reached, 2 wrong
    usage or a bad spec, 3 not to be answered.
    """
    if len(sides) > 2:  # noqa: PLR2004 (a diff has two sides)
        fail("a diff has two sides; more are given", 2)
    try:
        result = _compare(sides, spec, accepted, read_tree)
        if rendered:
            kernels = load_kernels(kernel_directory())
            result = with_hunks(result, kernels.get(kernel) if kernel else kernels.default)
    except SideError as error:
        report(error.diagnostics)
        fail(str(error), error.status)
    except KernelFactsError as error:
        fail(str(error), 2)
    if form == "text":
        click.echo(as_text(result, colour=_colour()))
    elif text := FORMATS[form](result):
        click.echo(text)
    sys.exit(1 if gate and result.reaches(Severity(gate)) else 0)


def _compare(
    sides: tuple[str, ...], spec: Path | None, accepted: Path | None, read_tree: ReadTree | None
) -> Comparison:
    old, new = split_range(sides)
    path = accepted or (Path(NAME) if Path(NAME).exists() else None)
    entries = read_accepted(path) if path else ()
    before, after = (read_side(word, spec, read_tree) for word in (old, new))
    return compare(before, after, entries)


def _colour() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


@click.command(name="git-setup")
@click.option("--undo", is_flag=True, help="Remove what was set up.")
def git_setup(undo: bool) -> None:
    """Let git diff and git show explain changes of specs, in this repository only."""
    from gen.diff.git import remove, set_up  # noqa: PLC0415 (other commands do without)

    try:
        for line in remove() if undo else set_up():
            say(line)
    except SideError as error:
        fail(str(error), error.status)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", 3)


@click.command(name="git-diff", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1)
def git_diff(words: tuple[str, ...]) -> None:
    """What git calls for a changed spec: its external diff protocol."""
    from gen.diff.git import external  # noqa: PLC0415 (other commands do without)

    click.echo(external(words), nl=False)


@click.command(name="git-textconv", hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
def git_textconv(path: Path) -> None:
    """What git calls for one version of a spec where it takes no external diff."""
    from gen.diff.git import textconv  # noqa: PLC0415 (other commands do without)

    click.echo(textconv(path), nl=False)
