# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

spec_option = click.option(
    "--spec",
    type=click.Path(path_type=Path),
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
    type=click.Path(path_type=Path),
    help="Instead of --kernel: the interfaces that the headers of this kernel tree have.",
)
as_of_option = click.option(
    "--as-of",
    metavar="RELEASE",
    help="Only what the driver of that release had: 6.1 (its newest point release), or 6.1.4.",
)
