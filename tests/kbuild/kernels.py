# SPDX-License-Identifier: GPL-2.0-or-later
"""Real kernels for the tests: build trees that are installed, sources that are fetched."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from gen.lab.archive import Archive, cache_directory
from tests.conftest import ROOT

# Later series than this Debian's own come from the suites that carry them.
SUITES = ("bookworm-backports", "trixie-backports")
OLDER = {"5.10": ("bullseye",)}
# What the tests need of a kernel's sources: the driver, and the tools that judge one.
PARTS = (
    "Makefile",
    "Kbuild",
    "MAINTAINERS",
    "drivers/misc/Kconfig",
    "drivers/misc/Makefile",
    "drivers/misc/pvpanic*",
    "Documentation/ABI/testing/sysfs-bus-pci-devices-pvpanic",
    "Documentation/devicetree/bindings/misc/*pvpanic*",
    "include/uapi/misc",
    "scripts/checkpatch.pl",
    "scripts/const_structs.checkpatch",
    "scripts/spelling.txt",
    "scripts/kernel-doc*",
    "scripts/get_abi.pl",
    "scripts/lib",
    "tools/docs",
    "tools/lib/python",
)


def build_tree() -> Path:
    """The kernel build tree that `make modules` would choose."""
    run = subprocess.run([ROOT / ".ci/kdir"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return Path(run.stdout.strip())


def backported_tree(series: str, place: Path) -> Path:
    """A build tree of a later series that this Debian's compiler builds for, laid out in `place`.

    Its packages are unpacked and not installed; only the tree's own Makefile names an absolute
    path, which is the installed one, and so that file is written anew.
    """
    archive = Archive(SUITES[:1])
    names = archive.names(f"^linux-headers-{re.escape(series)}[.][0-9.]+[+]deb[0-9]+-amd64$")
    assert names, f"{SUITES[0]} has no headers of Linux {series}"
    name = max(names, key=lambda name: [int(word) for word in re.findall(r"\d+", name)])
    stem = name.removeprefix("linux-headers-").removesuffix("-amd64")
    common = f"linux-headers-{stem}-common"
    # Copies, as the Makefile looks where it really is. Without vmlinux kbuild makes no BTF, for
    # which it would need the pahole of the same suite.
    for package in (name, common, f"linux-kbuild-{stem}"):
        shutil.copytree(
            archive.unpack(package) / "usr",
            place,
            symlinks=True,
            ignore=shutil.ignore_patterns("vmlinux"),
            dirs_exist_ok=True,
        )
    tree = place / "src" / name
    (tree / "Makefile").write_text(f"include {place / 'src' / common}/Makefile\n", encoding="utf-8")
    return tree


def source_tree(series: str) -> Path:
    """Parts of a series' sources as the distribution ships them, fetched once and kept."""
    package = Archive(OLDER.get(series, SUITES)).unpack(f"linux-source-{series}")
    # Another choice of parts is another tree.
    parts = hashlib.sha256("\n".join(PARTS).encode()).hexdigest()[:8]
    place = cache_directory() / "sources" / f"{package.name}-{parts}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait, and find it there
        if not place.is_dir():
            _unpack_source(package, place)
    return place


def _unpack_source(package: Path, place: Path) -> None:
    """Unpack the parts beside their place, so that it appears whole or not at all."""
    tarball = next((package / "usr/src").glob("linux-source-*.tar.xz"))
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".unpacking-") as directory:
        fresh = Path(directory) / "tree"
        fresh.mkdir()
        subprocess.run(
            ["tar", "-xJf", tarball, "-C", fresh, "--strip-components=1", "--wildcards",
             "--no-wildcards-match-slash",
             *(f"*/{part}" for part in PARTS)],
            check=False,  # not every series has every part; what a test misses, it will say
            capture_output=True,
        )  # fmt: skip
        fresh.rename(place)


def shipped_modules(names: tuple[str, ...]) -> dict[str, Path]:
    """The distribution's own modules for the kernel that `build_tree` builds for."""
    release = next(
        line.split('"')[1]
        for line in (build_tree() / "include/generated/utsrelease.h").read_text().splitlines()
        if "UTS_RELEASE" in line
    )
    package = Archive(SUITES).unpack(f"linux-image-{release}")
    found = {path.name.split(".ko")[0]: path for path in package.rglob("*.ko*")}
    return {name: found[name] for name in names}


def copy_driver(source: Path, target: Path) -> Path:
    """A copy of a module directory without what a build left there."""
    built = shutil.ignore_patterns("*.o", "*.ko", "*.mod", "*.mod.c", ".*", "Module.symvers",
                                   "modules.order")  # fmt: skip
    shutil.copytree(source, target, ignore=built)
    return target


def kbuild(directory: Path, *words: str, tree: Path | None = None) -> str:
    """Build a module directory; return all that was printed."""
    run = subprocess.run(
        ["make", "-C", tree or build_tree(), f"M={directory}", *words, "modules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    # Distributions ship headers without the kernel image that BTF would be made from.
    return "".join(line for line in run.stdout.splitlines(keepends=True) if "BTF" not in line)
