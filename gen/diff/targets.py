# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make diff` prints: the comparison in markdown, the C of each kernel folded below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.diff.compare import compare
from gen.diff.markdown import as_markdown, fenced
from gen.diff.rendered import rendered_hunks
from gen.diff.sides import SideError, read_spec_side
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.options import spec_option
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="diff-kernels", hidden=True)
@click.argument("base")
@spec_option
def diff_kernels(base: str, spec: Path | None) -> None:
    """Compare the spec on the disk with that of a revision, and the C for every kernel."""
    try:
        old, new = read_spec_side(base, spec), read_spec_side("", spec, base)
    except SideError as error:
        report(error.diagnostics)
        fail(str(error), error.status)
    click.echo(as_markdown(compare(old, new)))
    for kernel in load_kernels(kernel_directory()).all:
        try:
            hunks = rendered_hunks(old.device, new.device, kernel)
        except KernelFactsError as error:
            say(f"pvgen: {error}")
            continue
        count = f"{len(hunks)} hunk{'' if len(hunks) == 1 else 's'}"
        click.echo(f"\n<details><summary>Linux {kernel.series}: {count}</summary>\n")
        click.echo("\n".join(fenced(hunks)))
        click.echo("</details>")
