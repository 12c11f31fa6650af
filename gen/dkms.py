# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen dkms`: a DKMS source tree with a rendering for each series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.generate import banner_name, generate
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.options import as_of_option, spec_option
from gen.output import OutputError, write
from gen.render import render_dkms
from gen.resources import kernel_directory, template_directory
from gen.serial import tool_version
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.model import Device


@dataclass(frozen=True)
class DkmsTree:
    """A DKMS source tree: `files` by their place below a directory (`` is the top)."""

    device: Device
    version: str
    spec: str
    files: Mapping[str, Mapping[str, str]]

    @property
    def name(self) -> str:
        """The directory's name, as DKMS wants it below /usr/src."""
        return f"{self.device.name}-{self.version}"


def dkms_tree(spec: Path | None, as_of: str | None) -> DkmsTree:
    """Render for every series, and what DKMS has to know about it.

    Ends the run with exit status 2 where the spec or the facts are bad.
    """
    try:
        series = load_kernels(kernel_directory()).series
        generations = {name: generate(spec, name, as_of) for name in series}
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except KernelFactsError as error:
        fail(str(error), 2)
    device = generations[series[0]].device
    shown, version = banner_name(device), tool_version()
    top = render_dkms(
        template_directory(), device, spec=shown, version=version, series=series, as_of=as_of
    )
    below = {name: generation.files for name, generation in generations.items()}
    return DkmsTree(device, version, shown, {**below, "": top})


@click.command()
@spec_option
@as_of_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist/dkms"),
    show_default=True,
    help="Directory in which NAME-VERSION is written.",
)
def dkms(spec: Path | None, as_of: str | None, out: Path) -> None:
    """Render a source tree for DKMS, which builds what fits each kernel."""
    tree = dkms_tree(spec, as_of)
    place = out / tree.name
    try:
        for below, files in tree.files.items():
            write(place / below, files)
    except OutputError as error:
        fail(str(error), error.status)
    say(f"{place}: {len(tree.files) - 1} renderings and dkms.conf")
    click.echo(str(place))
