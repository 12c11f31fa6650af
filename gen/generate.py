# SPDX-License-Identifier: GPL-2.0-or-later
"""From the words of a command line to rendered texts: the stages in a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics
from gen.headers import HeadersError
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.load import load_device
from gen.model_restrict import NothingLeftError, restrict
from gen.plan import Target, make_plan
from gen.probe import probe_tree
from gen.release import PointRelease
from gen.resources import ROOT, kernel_directory, template_directory
from gen.specs import GenerationError, default_spec, shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.kernel import Kernel, Kernels
    from gen.model import Device
    from gen.plan import Place, Plan


@dataclass(frozen=True)
class Generation:
    """The rendered texts by path, and what a target could not carry."""

    device: Device
    kernel: Kernel
    files: Mapping[str, str]
    notes: tuple[str, ...]


def read_device(spec: Path | None) -> Device:
    """The device of a spec file, or of the default one.

    Raises:
        GenerationError: it does not load.
    """
    diagnostics = Diagnostics()
    path = spec or default_spec()
    device = load_device(path, diagnostics, _name_in_messages(path))
    if device is None:
        raise GenerationError("", diagnostics)
    return device


def _name_in_messages(path: Path) -> str:
    """As it was given; a spec of the installation is called as it is called in the project."""
    return shown_name(path) if path.is_absolute() and path.is_relative_to(ROOT) else str(path)


def find_target(kernel: str | None, as_of: str | None, kdir: Path | None = None) -> Target:
    """The target that the options name.

    Raises:
        GenerationError: no facts about that kernel, no such release, or no such tree.
    """
    if kernel is not None and kdir is not None:
        raise GenerationError("--kernel and --kdir both say which interfaces to use; give one")
    try:
        kernels = load_kernels(kernel_directory())
        chosen = kernels.default if kernel is None else kernels.get(kernel)
        if kdir is not None:
            chosen = probe_tree(kdir, kernels).kernel
        return Target(chosen, None if as_of is None else _release(as_of, kernels))
    except (HeadersError, KernelFactsError, ValueError) as error:
        raise GenerationError(str(error)) from None


def _release(text: str, kernels: Kernels) -> PointRelease:
    release, newest = PointRelease.parse(text), kernels.all[-1].release
    if release.series > newest:
        raise ValueError(f"nothing is known of Linux {release}; the newest is {newest}")
    return release


# A rendered file names its spec in comments of C, make and shell, and in a command to copy.
_NAME = re.compile(r"(?!-)[\w./+,@=-]+")


def banner_name(device: Device) -> str:
    """How rendered files call the spec of a device.

    Raises:
        GenerationError: the name could be more than a name in one of them.
    """
    name = shown_name(Path(device.source.name))
    if not _NAME.fullmatch(name):
        raise GenerationError(
            f"the spec's name '{name}' cannot stand in rendered files; rename it: letters, digits "
            "and any of ./+,@=_- are fine"
        )
    return name


def generate(
    spec: Path | None,
    kernel: str | None,
    as_of: str | None,
    kdir: Path | None = None,
    place: Place | None = None,
) -> Generation:
    """Load, restrict, plan and render.

    Args:
        spec: the spec; the default one if there is none.
        kernel: the series to render for.
        as_of: the release whose contract is wanted; the whole spec without it.
        kdir: a kernel tree that says which interfaces there are.
        place: the kernel tree that the files are to stand in.

    Raises:
        GenerationError: any of these is impossible.
    """
    target = replace(find_target(kernel, as_of, kdir), place=place)
    from gen.render import render  # noqa: PLC0415 (Jinja takes long to load)

    device, plan = plan_for(read_device(spec), target)
    files = render(plan, template_directory())
    notes = [*filter(None, [target.kernel.caveat]), *map(str, plan.left_out)]
    return Generation(device, target.kernel, files, tuple(notes))


def plan_for(device: Device, target: Target) -> tuple[Device, Plan]:
    """The device as the target's release had it, and the plan of its rendering.

    Raises:
        GenerationError: that release had nothing of it, or the kernel lacks what no driver can.
    """
    try:
        if target.as_of:
            device = restrict(device, target.as_of)
        return device, make_plan(device, target, banner_name(device))
    except (NothingLeftError, KernelFactsError) as error:
        raise GenerationError(str(error)) from None
