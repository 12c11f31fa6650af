# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels that watch themselves, built from the distribution's source, each once.

A sanitizer excludes another, so there is a kernel for each. A build lies in the cache in a
directory whose name says what it was made from: the source's version, the sanitizer, and a hash of
the options and the compiler. Its trees name their absolute places, so it is not renamed after
building; a stamp comes last instead, and a directory without one is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab.archive import Archive, cache_directory
from gen.lab.problem import LabError
from gen.lab.process import run
from tests.kbuild.kernels import OLDER, SUITES

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
COMMON = HERE / "kernel.config"
SANITIZERS = ("kasan", "kcsan")
STAMP = "complete"
OPTION = re.compile(r"^(?P<name>CONFIG_\w+)=(?P<value>.*)$|^# (?P<unset>CONFIG_\w+) is not set$")
# Seconds for a whole build on a busy machine.
LIMIT = 7200.0


@dataclass(frozen=True)
class DebugKernel:
    """A built kernel: the tree that modules are built in, its release, a hash of what made it."""

    tree: Path
    release: str
    key: str

    @property
    def image(self) -> Path:
        """What QEMU boots."""
        return self.tree / "arch/x86/boot/bzImage"


def options(text: str) -> dict[str, str]:
    """The values in a configuration, `n` for what is not set."""
    found = filter(None, map(OPTION.match, text.splitlines()))
    return {m["name"] or m["unset"]: m["value"] if m["name"] else "n" for m in found}


def unmet(wanted: str, final: str) -> list[str]:
    """The options of a fragment that the final configuration does not have, as it has them.

    An option that is absent there counts as `n`.
    """
    have = options(final)
    return [
        f"{name}={value} (is {have.get(name, 'n')})"
        for name, value in options(wanted).items()
        if have.get(name, "n") != value
    ]


def fragments(sanitizer: str) -> tuple[Path, ...]:
    """The files of options that a sanitizer's kernel is made with."""
    return COMMON, HERE / f"{sanitizer}.config"


def wanted(sanitizer: str) -> str:
    """The options that a sanitizer's kernel must end with, without comments."""
    lines = "".join(file.read_text() for file in fragments(sanitizer)).splitlines()
    return "\n".join(filter(OPTION.match, lines))


def debug_kernel(series: str, sanitizer: str, say: Callable[[str], None]) -> DebugKernel:
    """A series' kernel with a sanitizer, from the cache or built now.

    Raises:
        LabError: no source, a missing tool, an option that did not come on, or a failed build.
    """
    package = Archive(OLDER.get(series, SUITES)).unpack(f"linux-source-{series}")
    compiler = run(["gcc", "--version"]).splitlines()[0]
    key = hashlib.sha256(f"{wanted(sanitizer)}\n{compiler}".encode()).hexdigest()[:12]
    place = cache_directory() / "debug-kernels" / f"{package.name}-{sanitizer}-{key}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / STAMP).is_file():
            shutil.rmtree(place, ignore_errors=True)
            _build(package, place, sanitizer, say)
    tree = place / "build"
    return DebugKernel(tree, (tree / "include/config/kernel.release").read_text().strip(), key)


def _build(package: Path, place: Path, sanitizer: str, say: Callable[[str], None]) -> None:
    source, tree = place / "source", place / "build"
    source.mkdir(parents=True)
    tree.mkdir()
    say(f"unpacking {package.name}")
    (tarball,) = (package / "usr/src").glob("linux-source-*.tar.xz")
    run(["tar", "-xJf", tarball, "-C", source, "--strip-components=1"])
    make: list[str | Path] = ["make", "-C", source, f"O={tree}", f"-j{os.cpu_count() or 1}"]
    run([*make, "tinyconfig"])
    merge = source / "scripts/kconfig/merge_config.sh"
    run(["sh", merge, "-m", "-O", tree, tree / ".config", *fragments(sanitizer)], cwd=tree)
    run([*make, "olddefconfig"])
    missing = unmet(wanted(sanitizer), (tree / ".config").read_text())
    if missing:
        raise LabError("the kernel would lack what was asked for: " + ", ".join(missing))
    say(f"building the {sanitizer} kernel of {package.name}; this takes 5 to 20 minutes")
    run([*make, "bzImage", "modules"], timeout=LIMIT)
    (place / STAMP).touch()
