# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of a series that is not installed, as the distribution packages them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen.lab.archive import Archive, cache_directory
from gen.lab.problem import LabError

if TYPE_CHECKING:
    from pathlib import Path

    from gen.kernel import Kernel

FLAVOUR = "amd64"
# Variants of the same version with other options.
_VARIANT = re.compile(r"-(cloud|rt)-")


def fetch_headers(kernel: Kernel) -> Path:
    """The newest headers of a series, unpacked beside those that all flavours share.

    Raises:
        LabError: no suite has them, or they cannot be fetched.
    """
    if kernel.packages is None:
        raise LabError(f"the distribution never shipped Linux {kernel.series}")
    archive = Archive(kernel.suites)
    pattern = kernel.packages.headers.format(flavour=FLAVOUR)
    names = archive.names(_posix(pattern))
    plain = [name for name in names if not _VARIANT.search(name)]
    if not plain:
        raise LabError(f"no package {pattern} in {', '.join(kernel.suites)}")
    name = max(plain, key=_numbers)
    common = f"{name.removesuffix(FLAVOUR)}common"
    place = cache_directory() / "headers" / name
    place.mkdir(parents=True, exist_ok=True)
    for package in (name, common):
        link = place / package
        link.unlink(missing_ok=True)
        link.symlink_to(archive.unpack(package) / "usr/src" / package)
    return place / name


def _posix(pattern: str) -> str:
    """A shell pattern as the extended regular expression that apt-cache wants."""
    return "^" + pattern.replace(".", "[.]").replace("*", ".*") + "$"


def _numbers(name: str) -> list[int]:
    """A key that sorts 6.12.9 before 6.12.10."""
    return [int(word) for word in re.findall(r"\d+", name)]
