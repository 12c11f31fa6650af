# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of a series that is not installed, as the distribution packages them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gen.lab.archive import NATIVE, Archive, cache_directory
from gen.lab.board import PC
from gen.lab.buildroot import find_headers
from gen.output import alone

if TYPE_CHECKING:
    from pathlib import Path

    from gen.kernel import Kernel


def fetch_headers(kernel: Kernel) -> Path:
    """The newest headers of a series, unpacked beside those that all flavours share.

    Raises:
        LabError: no suite has them, or they cannot be fetched.
    """
    headers = find_headers(kernel, PC, _say)
    archive = Archive(headers.suites, say=_say, alone=True)
    common = f"{headers.package.removesuffix(NATIVE)}common"
    place = cache_directory() / "headers" / headers.package
    place.mkdir(parents=True, exist_ok=True)
    for package in (headers.package, common):
        target = archive.unpack(package) / "usr/src" / package
        # Another run may make the same link, or read through it, at this moment.
        with alone(place):
            fresh = place / f".{package}"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(place / package)
    return place / headers.package


def _say(text: str) -> None:
    print(text, file=sys.stderr)
