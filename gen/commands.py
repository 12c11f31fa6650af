# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that renders: `pvgen gen`."""

from __future__ import annotations

from pathlib import Path

import click

from gen.console import fail, report, say
from gen.generate import Generation, generate
from gen.options import PathName, as_of_option, kdir_option, kernel_option, spec_option
from gen.output import OutputError, compare, write
from gen.specs import GenerationError


@click.command()
@spec_option
@kernel_option
@kdir_option
@as_of_option
@click.option(
    "--out",
    type=PathName(file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Directory to write; it becomes a module directory for kbuild.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what is stale and exit 1.")
def gen(  # noqa: PLR0917 (an option is a parameter)
    spec: Path | None,
    kernel: str | None,
    kdir: Path | None,
    as_of: str | None,
    out: Path,
    check: bool,
) -> None:
    """Render the driver that a spec describes."""
    if not out.name and out != Path():
        fail(f"--out {out}: no place for rendered files", 2)
    try:
        generation = generate(spec, kernel, as_of, kdir)
        for note in generation.notes:
            say(f"note: {note}")
        if check:
            _check_fresh(out, generation)
        else:
            changes = write(out, generation.files)
            for change in changes:
                say(f"  {'remove' if change.new is None else 'write'} {out / change.path}")
            say(f"{out}: {len(generation.files)} files, {len(changes)} changed")
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except OutputError as error:
        fail(str(error), error.status)


def _check_fresh(out: Path, generation: Generation) -> None:
    """Show how the directory differs from what would be written now."""
    if not out.is_dir():
        fail(f"{out}: no such directory, so nothing was compared", 3)
    changes = compare(out, generation.files)
    for change in changes:
        click.echo(change.diff(), nl=False)
    if changes:
        fail(f"{out} is stale: {len(changes)} of its files differ; render it again", 1)
    say(f"{out}: {len(generation.files)} files, all up to date")
