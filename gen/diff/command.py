# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands `diff`, `git-setup` and the two that git itself calls."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.baseline import BaselineError, refuse_link
from gen.console import fail, report, say
from gen.diff.accept import NAME, accepted_text, read_accepted
from gen.diff.compare import compare
from gen.diff.records import Severity, TreeSide
from gen.diff.report import FORMATS, as_text
from gen.diff.sides import SideError, read_sides, split_range
from gen.options import PathName, kernel_option, spec_option
from gen.output import status_of, write_file
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from gen.baseline import Entry
    from gen.diff.compare import Comparison
    from gen.diff.sides import ReadTree


@click.command()
@click.argument("sides", nargs=-1, metavar="[OLD [NEW]]")
@spec_option
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text",
              show_default=True, help="How to write the report.")  # fmt: skip
@click.option("--gate", type=click.Choice([str(one) for one in Severity]),
              help="Exit 1 on a finding that is as bad as this, or worse.")  # fmt: skip
@click.option("--baseline", type=PathName(dir_okay=False), metavar="FILE",
              help=f"Accepted findings; without this, {NAME} if it is here.")  # fmt: skip
@click.option("--write-baseline", is_flag=True, help="Accept what is found; needs --reason.")
@click.option("--reason", metavar="TEXT", help="With --write-baseline: why new findings are fine.")
@click.option("--rendered", is_flag=True, help="Also show what each change does to the C.")
@kernel_option
@click.pass_obj
def diff(  # noqa: PLR0917 (an option is a parameter)
    read_tree: ReadTree | None,
    sides: tuple[str, ...],
    spec: Path | None,
    form: str,
    gate: str | None,
    baseline: Path | None,
    write_baseline: bool,
    reason: str | None,
    rendered: bool,
    kernel: str | None,
) -> None:
    """Say what differs between two specs, for whom, and how bad it is.

    OLD and NEW are spec files, git revisions or REV:path; REV1..REV2 is both at once. Any of them
    may end in @RELEASE: what the driver of Linux RELEASE had. A directory is a driver's C, read
    with the interfaces of the series after its @. With one revision, NEW is the spec
    on the disk; with none, OLD is HEAD. Exit status: 0 compared, 1 --gate is reached, 2 wrong
    usage or a bad spec, 3 not to be answered: so it is with --gate where a driver's C does not
    tell what the other side does.
    """
    if len(sides) > 2:  # noqa: PLR2004 (a diff has two sides)
        fail("a diff has two sides; more are given", 2)
    if write_baseline and not (reason or "").split():
        fail("--write-baseline needs --reason: why what is found is acceptable", 2)
    _go_together((reason, write_baseline, "--reason says why --write-baseline accepts"),
                 (kernel, rendered, "--kernel says what --rendered renders for"))  # fmt: skip
    try:
        place = baseline or Path(NAME)
        if baseline is None:
            refuse_link(place)
        # One that is named has to be there, unless it is about to be written.
        wanted = place.exists() or (baseline is not None and not write_baseline)
        entries = read_accepted(place) if wanted else ()
        before, after = read_sides(split_range(sides), spec, read_tree)
        result = compare(before, after, entries)
        if write_baseline:
            _accept(place, result, entries, reason or "")
            return
        if rendered:
            result = _rendered(result, kernel)
    except (SideError, BaselineError) as error:
        report(error.diagnostics)
        fail(str(error), error.status if isinstance(error, SideError) else 2)
    if form == "text":
        click.echo(as_text(result, colour=_colour()))
    elif text := FORMATS[form](result):
        click.echo(text)
    if gate:
        _judge(result, Severity(gate))


def _go_together(*options: tuple[object, object, str]) -> None:
    """Refuse an option without the one that it is for."""
    for one, other, what in options:
        if one and not other:
            fail(f"{what}; give both", 2)


def _judge(result: Comparison, gate: Severity) -> None:
    """End with status 1 where the gate is reached, and 3 where nobody knows whether it is."""
    if result.reaches(gate):
        sys.exit(1)
    if not result.complete:
        fail(f"whether a change is as bad as {gate} is not known: not all could be read", 3)


def _accept(place: Path, result: Comparison, old: tuple[Entry, ...], reason: str) -> None:
    """Accept everything that is found."""
    text = accepted_text(result, old, " ".join(reason.split()))
    try:
        write_file(place, text)
    except OSError as error:
        fail(f"{place}: {error.strerror}", status_of(error))
    count = len(result.findings) + len(result.accepted)
    say(f"{place}: {count} finding{'' if count == 1 else 's'} accepted")


def _rendered(result: Comparison, kernel: str | None) -> Comparison:
    """The comparison with what each change does to the rendered files."""
    if isinstance(result.old, TreeSide) or isinstance(result.new, TreeSide):
        fail("--rendered needs two specs; a side was read out of C", 2)
    # These take longer to load than all the rest does to run.
    from gen.diff.rendered import with_shares  # noqa: PLC0415
    from gen.kernel import KernelFactsError  # noqa: PLC0415
    from gen.kernel_load import load_kernels  # noqa: PLC0415

    try:
        kernels = load_kernels(kernel_directory())
        chosen = kernels.get(kernel) if kernel else kernels.default
        return with_shares(result, result.old.device, result.new.device, chosen)
    except KernelFactsError as error:
        fail(str(error), 2)


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


@click.command(name="git-pager", hidden=True)
def git_pager() -> None:
    """What git calls to page the output of `git show`."""
    from gen.diff.pager import page  # noqa: PLC0415 (other commands do without)

    page()
