# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen kernels`: the series that a driver can be rendered for, or what one tree offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gen.console import fail, report
from gen.generate import read_device
from gen.headers import HeadersError
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.model_restrict import carry
from gen.options import PathName, spec_option
from gen.probe import probe_tree
from gen.resources import kernel_directory
from gen.specs import GenerationError

if TYPE_CHECKING:
    from pathlib import Path

    from gen.kernel import Kernel, Kernels
    from gen.model import Device
    from gen.probe import Probe


@click.command()
@spec_option
@click.option(
    "--probe",
    metavar="KDIR",
    type=PathName(),
    help="Look into the headers of this build tree, source tree or unpacked package instead.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def kernels(spec: Path | None, probe: Path | None, form: str) -> None:
    """List the kernel series, what each lacks, and what was verified when."""
    try:
        known = load_kernels(kernel_directory())
        device = read_device(spec)
        if probe is not None:
            found = probe_tree(probe, known)
            data = _probe_data(found, device)
            lines = _probe_lines(found, device)
        else:
            data = {"kernels": [_kernel_data(kernel, known, device) for kernel in known.all]}
            lines = [line for kernel in known.all for line in _kernel_lines(kernel, known, device)]
    except KernelFactsError as error:
        fail(str(error), 2)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except HeadersError as error:
        fail(str(error), 3)
    click.echo(json.dumps(data, indent=2) if form == "json" else "\n".join(lines))


def lacks(kernel: Kernel, device: Device) -> list[str]:
    """The features of a device that a kernel cannot carry, in words."""
    return [str(item) for item in carry(device, kernel)[1]]


def state(kernel: Kernel) -> str:
    """Whether the facts about a series were compared with real headers, which, and when."""
    found = kernel.verification
    return f"verified on {found.version}, {found.date}" if found else "unverified"


def _kernel_lines(kernel: Kernel, known: Kernels, device: Device) -> list[str]:
    default = " (default)" if kernel is known.default else ""
    return [
        f"{kernel.series:6} {state(kernel)}{default}",
        *(f"       {text}" for text in lacks(kernel, device)),
    ]


def _kernel_data(kernel: Kernel, known: Kernels, device: Device) -> dict[str, Any]:
    found, tree = kernel.verification, kernel.in_tree.get(device.name)
    return {
        "series": kernel.series,
        "default": kernel is known.default,
        "verified": {"version": found.version, "date": found.date} if found else None,
        "branch": kernel.branch,
        "suites": list(kernel.suites),
        "in_tree": {"path": tree.path, "kconfig": tree.kconfig, "modules": list(tree.modules)}
        if tree
        else None,
        "lacks": lacks(kernel, device),
    }


def _probe_lines(probe: Probe, device: Device) -> list[str]:
    differing = [fact for fact in probe.facts if fact.differs]
    base = probe.base.series
    lines = [f"{probe.directory}: Linux {probe.release}"]
    if not probe.known:
        lines.append(f"no facts about its series; compared with {base}, the next older one")
    elif not probe.base.verified:
        lines.append(f"the facts about Linux {base} are unverified")
    count = len(probe.facts)
    lines.append(f"{count} facts differ between series; {len(differing)} are not as in {base}")
    lines += [f"  {fact.name}: {fact.found}, in {base} {fact.expected}" for fact in differing]
    return [*lines, *lacks(probe.kernel, device)]


def _probe_data(probe: Probe, device: Device) -> dict[str, Any]:
    return {
        "version": str(probe.release),
        "series": probe.base.series,
        "series_known": probe.known,
        "series_verified": probe.base.verified,
        "facts": [
            {"name": fact.name, "found": fact.found, "series": fact.expected}
            for fact in probe.facts
        ],
        "differ": [fact.name for fact in probe.facts if fact.differs],
        "lacks": lacks(probe.kernel, device),
    }
