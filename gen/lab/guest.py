# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's file system: busybox, a small helper, the modules, and a first process.

It is an initramfs. Module tables are made here by depmod, as an installation does, so that modprobe
in the guest resolves names, aliases and dependencies in the usual way.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab import cpio
from gen.lab.archive import Archive
from gen.lab.problem import LabError
from gen.lab.process import run, tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.lab.board import Board
    from gen.lab.kernel import Modules

FILES = resources.files("gen.lab") / "guest"
MODPROBE_TABLES = ("modules.dep", "modules.alias", "modules.symbols")
CRASH_KERNEL = "/crash/kernel"
CRASH_INITRD = "/crash/initrd"
CRASH_MARK = "lab: the crash kernel runs"


@dataclass(frozen=True)
class GuestFiles:
    """What QEMU boots: a kernel, an initramfs, and one with a crash kernel inside."""

    kernel: Path
    initrd: Path
    crash_initrd: Path


def build(
    modules: Modules, kernel: Path, work: Path, board: Board, extra: Sequence[cpio.Entry] = ()
) -> GuestFiles:
    """Make the initramfs archives for a board, with `extra` entries in the guest's, in `work`.

    Raises:
        LabError: a tool or busybox is missing, or the helper does not compile.
    """
    base = _base(work, board)
    own = [*_module_entries(modules, work / "tree"), *extra]
    files = GuestFiles(kernel, work / "initrd", work / "crash-initrd")
    files.initrd.write_bytes(cpio.archive([*base, *own]))
    crash = [
        cpio.directory("crash"),
        cpio.regular(CRASH_KERNEL.lstrip("/"), kernel.read_bytes()),
        cpio.regular(CRASH_INITRD.lstrip("/"), cpio.archive(base)),
    ]
    files.crash_initrd.write_bytes(cpio.archive([*base, *own, *crash]))
    return files


def _base(work: Path, board: Board) -> list[cpio.Entry]:
    helper = _compile_helper(work, board)
    return [
        *(cpio.directory(name) for name in ("bin", "dev", "lib", "lib/modules")),
        cpio.character("dev/console", 5, 1),
        cpio.character("dev/null", 1, 3),
        cpio.regular("bin/busybox", _busybox(board), executable=True),
        cpio.regular("bin/helper", helper.read_bytes(), executable=True),
        cpio.regular("init", (FILES / "init").read_bytes(), executable=True),
    ]


def _busybox(board: Board) -> bytes:
    """The program, which must bring everything along, since the guest has no libraries.

    That of another architecture is only unpacked here.
    """
    if board.cross:
        package = Archive(architecture=board.architecture).unpack("busybox-static")
        places = (package / directory / "busybox" for directory in ("usr/bin", "bin"))
        file = next(filter(Path.is_file, places))
    else:
        file = Path(tool("busybox"))
    data = file.read_bytes()
    if b"/ld-linux" in data:
        raise LabError("busybox is linked dynamically; install the package busybox-static")
    return data


def _compile_helper(work: Path, board: Board) -> Path:
    source = work / "helper.c"
    source.write_bytes((FILES / "helper.c").read_bytes())
    run([f"{board.cross}gcc", "-static", "-O1", "-Wall", "-Werror", "-o", work / "helper", source])
    return work / "helper"


def _module_entries(modules: Modules, tree: Path) -> list[cpio.Entry]:
    place = Path("lib/modules") / modules.release
    (tree / place / "updates").mkdir(parents=True)
    for file in modules.files:
        shutil.copy(file, tree / place / "updates" / file.name)
    run(["depmod", "-b", tree, modules.release])
    names = [
        *MODPROBE_TABLES,
        *(f"updates/{file.name}" for file in modules.files),
    ]
    return [
        cpio.directory(str(place)),
        cpio.directory(str(place / "updates")),
        *(cpio.regular(str(place / name), (tree / place / name).read_bytes()) for name in names),
    ]
