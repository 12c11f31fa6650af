# SPDX-License-Identifier: GPL-2.0-or-later
"""A minimal root file system of a kernel's own suite, and module builds inside it.

A distribution's headers run programs that want the compiler and the C library of their own suite,
so they are not unpacked but installed, by mmdebstrap, into a root file system in the cache. That of
another architecture has the cross compiler, and the headers are laid into it: what they run belongs
to the architecture that builds.

All mounts are made in a mount namespace of their own, and everything in it ends with the process
that started it: after a kill -9 nothing is mounted and nothing runs on. A build works on a tmpfs of
that namespace, so that it leaves nothing in the root; sources go in and modules come out as tar.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab import apart
from gen.lab.archive import NATIVE, Archive, cache_directory, of_suites
from gen.lab.problem import LabError
from gen.lab.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gen.kernel import Kernel
    from gen.lab.board import Board

# Variants of the same version with other options.
_VARIANT = re.compile(r"-(cloud|rt)-")
# MiB that a root takes at most, with the packages that are fetched while it is made.
ROOM = 900
# Seconds for making a root, and for one build, on a slow line and a busy machine.
MAKE_LIMIT = 1800
BUILD_LIMIT = 600
_ENTER = 'mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/mnt" && exec chroot "$@"'
# $1 is the headers' directory. The log goes to stderr, since stdout carries the modules.
_BUILD = """
cd /mnt && mkdir module && tar -xf - -C module &&
make -C "$@" M=/mnt/module W=1 modules >&2 && cd module && tar -cf - *.ko
"""


@dataclass(frozen=True)
class Headers:
    """A series' headers: the package, the suites it is the newest of, the kernel's architecture.

    The suites are those of one release of the distribution. `compiler` is the package of the cross
    compiler that the kernel was built with; where the architecture is the one that builds, the
    headers bring their compiler along.
    """

    package: str
    suites: tuple[str, ...]
    architecture: str = NATIVE
    compiler: str | None = None

    @property
    def release(self) -> str:
        """The kernel's, as `uname -r` tells it."""
        return self.package.removeprefix("linux-headers-")


@dataclass(frozen=True)
class Built:
    """What kbuild did: all that it printed, and whether there are modules."""

    log: str
    succeeded: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """The lines with a warning of the compiler, of modpost or of kbuild."""
        return tuple(
            line for line in self.log.splitlines() if re.search(r"\bwarning\b", line, re.IGNORECASE)
        )


def find_headers(kernel: Kernel, board: Board, say: Callable[[str], None]) -> Headers:
    """The newest headers for a board, of the first release of the distribution that has some.

    Of that release all suites count, as for somebody who takes its updates.

    Raises:
        LabError: Debian never shipped the series, or no suite has it any more.
    """
    if kernel.packages is None:
        raise LabError(f"the distribution never shipped Linux {kernel.series}")
    pattern = kernel.packages.headers.format(flavour=board.architecture)
    for suites in _by_release(kernel.suites):
        archive = Archive(suites, board.architecture, say=say, alone=True)
        names = archive.names(_posix(pattern))
        plain = [name for name in names if not _VARIANT.search(name)]
        if plain:
            newest = max(plain, key=_numbers)
            compiler = _compiler(archive, newest, board) if board.cross else None
            return Headers(newest, suites, board.architecture, compiler)
    raise LabError(f"no package {pattern} in {', '.join(kernel.suites)}")


def _compiler(archive: Archive, headers: str, board: Board) -> str:
    """The cross compiler's package for the compiler that headers depend on.

    Raises:
        LabError: they depend on none.
    """
    found = re.search(r"\bgcc-\d+", archive.field(headers, "Depends"))
    if found is None:
        raise LabError(f"{headers} does not name its compiler")
    return f"{found[0]}-{board.cross.removesuffix('-')}"


def _posix(pattern: str) -> str:
    """A shell pattern as the extended regular expression that apt-cache wants."""
    return "^" + pattern.replace(".", "[.]").replace("*", ".*") + "$"


def _numbers(name: str) -> list[int]:
    """A key that sorts 6.12.9 before 6.12.10."""
    return [int(word) for word in re.findall(r"\d+", name)]


def base_suite(suite: str) -> str:
    """The suite with whole releases that a suite adds to."""
    return "sid" if suite == "experimental" else suite.partition("-")[0]


def _by_release(suites: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The suites put together by the release that they belong to, in the order of the releases."""
    releases = dict.fromkeys(map(base_suite, suites))
    return [tuple(s for s in suites if base_suite(s) == release) for release in releases]


@dataclass(frozen=True)
class BuildRoot:
    """The root file system with a package of headers, made when it is first needed."""

    headers: Headers
    say: Callable[[str], None]
    cache: Path

    @property
    def place(self) -> Path:
        """Where the root is; it appears there whole or not at all."""
        return self.cache / "roots" / f"{self._release}_{self.headers.package}"

    @property
    def _release(self) -> str:
        """The suite that the root begins with."""
        return base_suite(self.headers.suites[0])

    def make(self) -> None:
        """Make the root unless it is there. One that a killed run left is removed first.

        Raises:
            LabError: mmdebstrap is missing or failed: no network, no room, no user namespaces.
        """
        self.place.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self.place.is_dir():
                return
            self.say(f"making a root file system of {self._release}: {self.headers.package}")
            fresh = self.place.with_name(f".making-{self.place.name}")
            apart.remove(fresh)
            self._require_room()
            try:
                self._bootstrap(fresh)
                if self.headers.compiler:
                    self._lay(fresh)
                fresh.rename(self.place)
            except BaseException:
                apart.remove(fresh)
                raise

    def _require_room(self) -> None:
        """Refuse at once what would fail half-way, without a word about the reason."""
        room = shutil.disk_usage(self.place.parent).free >> 20
        if room < ROOM:
            raise LabError(
                f"{self.place.parent} has {room} MiB left; a root file system needs {ROOM} MiB"
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.place.parent / f"{self.place.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _bootstrap(self, fresh: Path) -> None:
        """Run mmdebstrap; apt verifies what it fetches."""
        suites = dict.fromkeys((self._release, *self.headers.suites))
        # apt would overlook a file that is named after the package: it has a plus sign in its name.
        sources = fresh.with_name(f"{self._release}.list")
        sources.write_text("".join(o.line(NATIVE) + "\n" for o in of_suites(tuple(suites))))
        options = fresh.with_name("apt.conf")
        options.write_text(_apt_options())
        mode = "root" if os.geteuid() == 0 else "unshare"
        # With user namespaces mmdebstrap makes mount namespaces itself.
        prefix = apart.private() if mode == "root" else apart.bound()
        packages = ",".join(self._packages())
        words = [f"--mode={mode}", "--variant=apt", f"--architectures={NATIVE}"]
        words += ["--quiet", f"--aptopt={options}"]
        run(
            ["mmdebstrap", *words, f"--include={packages}", next(iter(suites)), fresh,
             sources],
            timeout=MAKE_LIMIT,
            prefix=prefix,
        )  # fmt: skip

    def _packages(self) -> tuple[str, ...]:
        """What to install; of headers that are laid into the root, all that they refer to."""
        if self.headers.compiler is None:
            return ("make", "gcc", "binutils", self.headers.package)
        version = self.headers.release.removesuffix(f"-{self.headers.architecture}")
        return (
            *("make", self.headers.compiler),
            *(f"linux-headers-{version}-common", f"linux-kbuild-{version}"),
        )

    def _lay(self, fresh: Path) -> None:
        """Put headers of another architecture where an installation has them."""
        suites, other = self.headers.suites, self.headers.architecture
        files = Archive(suites, other, self.cache, self.say, alone=True).unpack(
            self.headers.package
        )
        shutil.copytree(files / "usr/src", fresh / "usr/src", symlinks=True, dirs_exist_ok=True)

    def build(self, files: Mapping[str, str], modules: Path, words: Sequence[str] = ()) -> Built:
        """Compile files with W=1 and put the modules into the directory `modules`.

        Args:
            files: sources by name, with the Makefile.
            modules: made if it is not there.
            words: more of kbuild's variables, as `CONFIG_X=m`.

        Raises:
            LabError: the root cannot be entered, or the build did not end in time.
        """
        source = f"/usr/src/{self.headers.package}"
        inside = ["/bin/sh", "-c", _BUILD, "sh", source, *words]
        command = [*apart.namespace(), "sh", "-c", _ENTER, "sh", self.place, *inside]
        try:
            done = subprocess.run(
                [*map(str, command)],
                input=apart.packed(files),
                capture_output=True,
                timeout=BUILD_LIMIT,
                check=False,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"the build did not end within {BUILD_LIMIT} s") from None
        log = done.stderr.decode(errors="replace")
        if "make" not in log:  # not even begun: a namespace or a mount was refused
            raise LabError(f"{self.place} cannot be entered: {log.strip() or 'no reason given'}")
        if done.returncode == 0:
            apart.unpack(done.stdout, modules)
        return Built(log, done.returncode == 0)


def open_root(kernel: Kernel, board: Board, say: Callable[[str], None]) -> BuildRoot:
    """The root file system for a series and a board, ready for builds.

    Raises:
        LabError: it cannot be made.
    """
    root = BuildRoot(find_headers(kernel, board, say), say, cache_directory())
    root.make()
    return root


def _apt_options() -> str:
    """How the machine's own apt reaches its archive: mmdebstrap does not read that by itself."""
    wanted = re.compile(r"Acquire::(https?|Check-|Retries)", re.IGNORECASE)
    lines = run(["apt-config", "dump"]).splitlines()
    return "".join(f"{line}\n" for line in lines if wanted.match(line))
