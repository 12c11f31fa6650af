# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen dkms`: a DKMS source tree with a rendering for each series."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import click

from gen.console import fail, report, say
from gen.generate import GenerationError, generate, shown_name
from gen.kernel import KernelFactsError, load_kernels
from gen.options import as_of_option, spec_option
from gen.output import OutputError, write
from gen.render import render_dkms
from gen.resources import kernel_directory, template_directory


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
    try:
        series = load_kernels(kernel_directory()).series
        generations = {name: generate(spec, name, as_of) for name in series}
        device = generations[series[0]].device
        files = render_dkms(
            template_directory(),
            device,
            spec=shown_name(Path(device.source.name)),
            version=version("pvgen"),
            series=series,
            as_of=as_of,
        )
        place = out / f"{device.name}-{version('pvgen')}"
        for name, generation in generations.items():
            write(place / name, generation.files)
        write(place, files)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except KernelFactsError as error:
        fail(str(error), 2)
    except OutputError as error:
        fail(str(error), error.status)
    say(f"{place}: {len(series)} renderings and dkms.conf")
    click.echo(str(place))
