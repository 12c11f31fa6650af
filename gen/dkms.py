# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen dkms`: a DKMS source tree with every different rendering.

Which one a kernel gets, its headers tell where DKMS builds: dkms.conf asks them for the interfaces
that a rendering takes and that not every kernel has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.generate import banner_name, find_target, plan_for, read_device
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.needs import watched
from gen.options import PathName, as_of_option, spec_option
from gen.output import LIST, OutputError, write
from gen.render import render, render_dkms
from gen.resources import kernel_directory, template_directory
from gen.serial import tool_version
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.model import Device
    from gen.needs import Need
    from gen.plan import Plan


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

    def whole(self) -> dict[str, str]:
        """All files as one set, by path, with the list of them at the top."""
        files = {f"{below}/{name}".lstrip("/"): texts[name]
                 for below, texts in self.files.items() for name in texts}  # fmt: skip
        banner = files[LIST].partition("\n\n")[0]
        return files | {LIST: "\n".join([banner, "", *sorted(files.keys() - {LIST}), ""])}


@dataclass(frozen=True)
class Rendering:
    """What some series have in common: its directory, what it takes from a kernel, its files."""

    name: str
    needs: tuple[Need, ...]
    files: Mapping[str, str]


def _renderings(
    device: Device, series: Sequence[str], as_of: str | None
) -> tuple[Device, list[Rendering]]:
    """The device of the contract, and each rendering that differs, oldest first.

    Of series that get the same, the oldest that was verified is rendered for.
    """
    renderings: list[Rendering] = []
    last: tuple[Plan, bool] | None = None
    for name in series:
        target = find_target(name, as_of)
        kernel = watched(target.kernel)
        carried, plan = plan_for(device, replace(target, kernel=kernel))
        content = replace(plan, origin=(), left_out=())
        if last is not None and last[0] == content:
            if last[1] or not kernel.verified:
                continue
            renderings.pop()
        last = content, kernel.verified
        files = render(plan, template_directory())
        renderings.append(Rendering(name, tuple(sorted(kernel.needs)), files))
    return carried, renderings


def dkms_tree(spec: Path | None, as_of: str | None) -> DkmsTree:
    """Render for every series, and say what DKMS has to know about it.

    Ends the run with exit status 2 where the spec or the facts are bad.
    """
    try:
        series = load_kernels(kernel_directory()).series
        device, renderings = _renderings(read_device(spec), series, as_of)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except KernelFactsError as error:
        fail(str(error), 2)
    shown, version = banner_name(device), tool_version()
    top = render_dkms(
        template_directory(),
        device,
        spec=shown,
        version=version,
        renderings=renderings,
        as_of=as_of,
    )
    below = {rendering.name: rendering.files for rendering in renderings}
    return DkmsTree(device, version, shown, {**below, "": top})


@click.command()
@spec_option
@as_of_option
@click.option(
    "--out",
    type=PathName(file_okay=False),
    default=Path("dist/dkms"),
    show_default=True,
    help="Directory in which NAME-VERSION is written.",
)
def dkms(spec: Path | None, as_of: str | None, out: Path) -> None:
    """Render a source tree for DKMS, which builds what fits each kernel."""
    tree = dkms_tree(spec, as_of)
    place = out / tree.name
    try:
        write(place, tree.whole())
    except OutputError as error:
        fail(str(error), error.status)
    say(f"{place}: {len(tree.files) - 1} renderings and dkms.conf")
    click.echo(str(place))
