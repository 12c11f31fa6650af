# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kernel: the release that modules were built for, and the image of that release."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab.archive import NATIVE, Archive, backports, machine_origins
from gen.lab.problem import LabError
from gen.lab.process import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen.model import Device

# Packages that may hold the image, in the order of trial. From 7.2 on the first one is empty.
IMAGE_PACKAGES = (
    "linux-image-{release}",
    "linux-image-{release}-unsigned",
    "linux-binary-{release}",
    "linux-binary-{release}-unsigned",
)
IMAGE_PLACES = (
    "boot/vmlinuz-{release}",
    "usr/lib/modules/{release}/vmlinuz",
    "lib/modules/{release}/vmlinuz",
)


@dataclass(frozen=True)
class Modules:
    """The built driver: its modules in the order in which they can be loaded, and their kernel."""

    release: str
    files: tuple[Path, ...]


def module_names(device: Device) -> tuple[str, ...]:
    """The driver's modules: the core, then the frontends that need it."""
    return (device.name, *(frontend.name for frontend in device.frontends))


def read_modules(directory: Path, device: Device) -> Modules:
    """Find the driver's modules and the release that their version magic names.

    Raises:
        LabError: a module is missing, is no module, or they are for different kernels.
    """
    files = tuple(directory / f"{name}.ko" for name in module_names(device))
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise LabError(
            f"{directory} has no {', '.join(missing)}; build the modules first: "
            f"make -C /lib/modules/RELEASE/build M={directory.absolute()} modules"
        )
    releases = {file.name: _release_of_module(file) for file in files}
    if len(set(releases.values())) > 1:
        text = ", ".join(f"{name} for {release}" for name, release in releases.items())
        raise LabError(f"the modules in {directory} are for different kernels: {text}")
    return Modules(next(iter(releases.values())), files)


def _release_of_module(file: Path) -> str:
    try:
        magic = run(["modinfo", "-F", "vermagic", file.absolute()]).split()
    except LabError as error:
        raise LabError(f"{file} is not a kernel module: {error}") from None
    if not magic:
        raise LabError(f"{file} has no version magic")
    return magic[0]


def release_of_image(image: Path) -> str | None:
    """The release that a bzImage's header names, or None for another kind of image.

    The offsets are those of Documentation/arch/x86/boot.rst: `header` and `kernel_version`.
    """
    try:
        with image.open("rb") as file:
            start = file.read(0x10000)
    except OSError as error:
        raise LabError(f"{image} cannot be read: {error.strerror}") from None
    if start[0x202:0x206] != b"HdrS":
        return None
    offset = int.from_bytes(start[0x20E:0x210], "little") + 0x200
    text = start[offset : offset + 256].split(b"\0")[0].decode("ascii", "replace")
    return text.split()[0] if text else None


def find_image(
    release: str,
    given: Path | None,
    suites: tuple[str, ...],
    say: Callable[[str], None],
    architecture: str = NATIVE,
) -> Path:
    """The kernel image for a release: the given one, the installed one, or the archive's.

    Args:
        release: as `uname -r` tells it.
        given: an image that is used if it fits.
        suites: suites of the distribution to look through besides the machine's own.
        say: told what is being fetched.
        architecture: the kernel's.

    Raises:
        LabError: the given image is of another release, or no package holds one.
    """
    if given is not None:
        found = release_of_image(given)
        if found not in (None, release):
            raise LabError(f"{given} is a kernel {found}, but the modules are for {release}")
        return given
    installed = Path(f"/boot/vmlinuz-{release}")
    if os.access(installed, os.R_OK):
        return installed
    return _fetch_image(release, suites, say, architecture)


def _fetch_image(
    release: str, suites: tuple[str, ...], say: Callable[[str], None], architecture: str
) -> Path:
    """What was unpacked before, then the machine's suites, then their backports and those named."""
    packages = [layout.format(release=release) for layout in IMAGE_PACKAGES]
    for place in filter(None, map(Archive(architecture=architecture).kept, packages)):
        image = _image_in(place, release)
        if image is not None:
            return image
    more = (*backports(machine_origins()), *suites)
    for places in ((), more):
        archive = Archive(places, architecture, say=say)
        for package in filter(archive.has, packages):
            image = _image_in(archive.unpack(package), release)
            if image is not None:
                return image
    raise LabError(
        f"no package of the suites that were looked through holds a kernel {release}; "
        "name another suite with --suite, or an image with --kernel-image"
    )


def _image_in(directory: Path, release: str) -> Path | None:
    places = (directory / place.format(release=release) for place in IMAGE_PLACES)
    return next((place for place in places if place.is_file()), None)
