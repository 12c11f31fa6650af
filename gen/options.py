# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path

import click


class PathName(click.Path):
    """A path on the command line, given as a `Path`.

    An empty word is refused: pathlib takes it for the current directory, and `--out "$UNSET"`
    would write there.
    """

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True
    ) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """The path, or wrong usage."""
        if not os.fspath(value):
            self.fail("an empty word names no place", param, ctx)
        return super().convert(value, param, ctx)


spec_option = click.option(
    "--spec",
    type=PathName(),
    help="The device's spec; the one in spec/ when absent.",
)
kernel_option = click.option(
    "--kernel",
    metavar="SERIES",
    help="Kernel series whose interfaces to use, such as 6.1; see 'pvgen kernels'.",
)
kdir_option = click.option(
    "--kdir",
    metavar="KDIR",
    type=PathName(),
    help="Instead of --kernel: the interfaces that the headers of this kernel tree have.",
)
as_of_option = click.option(
    "--as-of",
    metavar="RELEASE",
    help="Only what the driver of that release had: 6.1 (its newest point release), or 6.1.4.",
)
