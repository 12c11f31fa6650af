# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's driver of a series and the rendered one of the same release, built alike.

Mainline's is taken from the sources that the distribution ships beside the headers. Both are
compiled on these headers, in the same root file system.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.generate import generate
from gen.lab.archive import UNPACKING, Archive, cache_directory
from gen.lab.board import PC
from gen.lab.buildroot import BuildRoot, open_root
from gen.lab.kernel import module_names
from gen.lab.problem import LabError
from gen.lab.process import run
from gen.output import alone, clear

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gen.kernel import Kernel
    from gen.lab.buildroot import Headers
    from gen.model import Device


@dataclass(frozen=True)
class Pair:
    """Directories with the modules of both drivers, and the kernel's release."""

    mainline: Path
    ours: Path
    release: str


def comparable(device: Device, kernels: Sequence[Kernel]) -> list[str]:
    """The series whose own driver can be built and played beside the rendered one.

    There have to be packages, and mainline's driver has to have the spec's modules.
    """
    modules = sorted(module_names(device))
    trees = ((kernel, kernel.in_tree.get(device.name)) for kernel in kernels if kernel.packages)
    return [k.series for k, tree in trees if tree and sorted(tree.modules) == modules]


def build_pair(spec: Path | None, series: str, place: Path, say: Callable[[str], None]) -> Pair:
    """Build both in the directory `place`.

    Raises:
        GenerationError: the spec is bad, or there is nothing to render for the series.
        LabError: something cannot be had, or does not compile.
    """
    generation = generate(spec, series, series)
    kernel = generation.kernel
    root = open_root(kernel, PC, say)
    theirs = mainline_files(kernel, root.headers, generation.device.name, say)
    say(f"building mainline's driver and ours for {root.headers.release}")
    symbols = sorted(set(re.findall(r"CONFIG_\w+", theirs["Makefile"])))
    pair = Pair(place / "mainline", place / "ours", root.headers.release)
    _build(root, theirs, pair.mainline, [f"{symbol}=m" for symbol in symbols])
    _build(root, generation.files, pair.ours)
    return pair


def _build(
    root: BuildRoot, files: Mapping[str, str], modules: Path, words: Sequence[str] = ()
) -> None:
    built = root.build(files, modules, words)
    if not built.succeeded:
        last = " | ".join(built.log.strip().splitlines()[-5:])
        raise LabError(f"{modules.name} does not compile for {root.headers.release}: {last}")


def mainline_files(
    kernel: Kernel, headers: Headers, device: str, say: Callable[[str], None]
) -> dict[str, str]:
    """Mainline's directory of the driver, by file name, from the suites that have the headers.

    Raises:
        LabError: mainline has no such directory, or the sources cannot be had.
    """
    tree = kernel.in_tree.get(device)
    if kernel.packages is None or tree is None or tree.layout != "directory":
        raise LabError(f"Linux {kernel.series} has no directory with a driver of {device}")
    archive = Archive(headers.suites, say=say, alone=True)
    package = archive.unpack(kernel.packages.source)
    place = cache_directory() / "mainline" / package.name / device
    place.parent.mkdir(parents=True, exist_ok=True)
    with alone(place.parent):
        clear(place.parent, UNPACKING)
        if not place.is_dir():
            _extract(next((package / "usr/src").glob("linux-source-*.tar.*")), tree.path, place)
    return {file.name: file.read_text() for file in sorted(place.iterdir())}


def _extract(tarball: Path, path: str, place: Path) -> None:
    """Take one directory out of a source archive, so that `place` appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=UNPACKING) as directory:
        words = ["--strip-components=1", "--wildcards", f"*/{path}/*"]
        run(["tar", "-xf", tarball, "-C", directory, *words])
        found = Path(directory) / path
        if not found.is_dir():
            raise LabError(f"{tarball} has no {path}")
        found.rename(place)
