# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare the facts table with the headers of real kernels: `python -m tests.kernel.verify`.

By default the running kernel's headers are used, or any that are installed, through kbuild itself.
Headers whose build tools do not run here (another distribution's) are read with --syntax: the
compiler alone, with the options that kbuild would give for finding headers. --fetch takes the
distribution's headers of every series, which needs its archive and some 10 MB for each.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.headers import HeadersError, open_headers
from gen.kernel import Kernel, KernelFactsError
from gen.kernel_load import load_kernels
from gen.lab.problem import LabError
from gen.resources import kernel_directory
from tests.kernel.fetch import fetch_headers
from tests.kernel.includes import strays
from tests.kernel.probe import Probe, discarding, probes

if TYPE_CHECKING:
    from collections.abc import Iterable

_MESSAGE = re.compile(r"(?:^|/)(?P<file>\w+)\.c:(?P<line>\d+):(?:\d+:)?\s*(?P<text>.*)")
_DROPPED = "ignoring return value"


@dataclass(frozen=True, order=True)
class Mismatch:
    """A fact that a kernel does not bear out."""

    fact: str
    message: str


class VerificationError(Exception):
    """Nothing could be compared; the message says why."""


def installed() -> list[Path]:
    """The directories of installed kernel headers that kbuild can use."""
    found = [path for path in Path("/lib/modules").glob("*/build") if (path / "Makefile").exists()]
    found += [path.parent for path in Path("/usr/src").glob("linux-headers-*/.config")]
    return sorted({path.resolve() for path in found})


def series_of(kdir: Path) -> str:
    """The mainline series of a header directory.

    Raises:
        VerificationError: it is no directory of kernel headers.
    """
    try:
        return str(open_headers(kdir).release.series)
    except HeadersError as error:
        raise VerificationError(str(error)) from None


def verify(kdir: Path, kernel: Kernel, *, syntax: bool = False) -> list[Mismatch]:
    """All facts of `kernel` that the headers in `kdir` contradict.

    Raises:
        VerificationError: the compiler did not get as far as looking at them.
    """
    files = [*probes(kernel), discarding(kernel)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for probe in files:
            (directory / f"{probe.name}.c").write_text(probe.text, encoding="utf-8")
        # A file that compiles shows that the set-up works at all.
        (directory / "empty.c").write_text("#include <linux/module.h>\n", encoding="utf-8")
        (directory / "Makefile").write_text("obj-m :=\n", encoding="utf-8")
        names = [probe.name for probe in files]
        compile_ = _syntax if syntax else _kbuild
        failed, words = compile_(kdir, directory, ["empty"])
        if failed:
            raise VerificationError(f"an empty module does not compile:\n{words[-2000:]}")
        failed, words = compile_(kdir, directory, names)
    found = _mismatches(words, files, kernel)
    stray = [
        Mismatch(header, f"{other} brings it, too")
        for header, other in strays(open_headers(kdir).roots, kernel)
    ]
    return found + _unexplained(failed, files, found) + stray


def _run(command: list[str], directory: Path) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def _kbuild(kdir: Path, directory: Path, names: list[str]) -> tuple[set[str], str]:
    """Compile as parts of an external module; the names that failed, and what was said."""
    objects = [f"{name}.o" for name in names]
    options = ["KCFLAGS=-Wno-error -fmax-errors=0", "CONFIG_DEBUG_INFO_BTF_MODULES="]
    command = ["make", "-k", "-j2", "-C", str(kdir), f"M={directory}", *options, *objects]
    _, words = _run(command, directory)
    return {name for name in names if not (directory / f"{name}.o").exists()}, words


def _syntax(kdir: Path, directory: Path, names: list[str]) -> tuple[set[str], str]:
    """The same without kbuild and without code."""
    roots = open_headers(kdir).roots
    places = ["arch/x86/include", "arch/x86/include/generated", "include"]
    places += ["arch/x86/include/uapi", "arch/x86/include/generated/uapi", "include/uapi"]
    places += ["include/generated/uapi"]
    paths = [f"-I{root / place}" for place in places for root in roots]
    first = ["linux/compiler-version.h", "linux/kconfig.h", "linux/compiler_types.h"]
    # Older kernels lack the first of them.
    first = [name for name in first if any((root / "include" / name).exists() for root in roots)]
    options = ["-std=gnu11", "-fshort-wchar", "-funsigned-char", "-fno-PIE", "-m64", "-O2"]
    options += ["-mcmodel=kernel", "-mno-sse", "-D__KERNEL__", "-DMODULE", "-fms-extensions"]
    options += ['-DKBUILD_MODNAME="facts"', '-DKBUILD_BASENAME="facts"', "-DCC_USING_FENTRY"]
    options += ['-DKBUILD_MODFILE="facts"', "-Wno-attributes"]
    includes = [word for name in first for word in ("-include", name)]
    # Kernels before 5.16 take stdarg.h from the compiler.
    _, own = _run(["gcc", "-print-file-name=include"], directory)
    base = ["gcc", "-S", "-o", "/dev/null", "-nostdinc", *options, *paths, *includes]
    base += ["-isystem", own.strip()]
    results = {name: _run([*base, f"{name}.c"], directory) for name in names}
    failed = {name for name, (status, _) in results.items() if status}
    return failed, "\n".join(words for _, words in results.values())


def _unexplained(
    failed: set[str], files: Iterable[Probe], found: Iterable[Mismatch]
) -> list[Mismatch]:
    """Files that do not compile although each of their facts seems right: the header's fault."""
    told = {item.fact for item in found}
    return [
        Mismatch(probe.name, "cannot be compiled with its header alone")
        for probe in files
        if probe.name in failed and not told & set(probe.facts.values())
    ]


def _mismatches(words: str, files: Iterable[Probe], kernel: Kernel) -> list[Mismatch]:
    by_name = {probe.name: probe for probe in files}
    found, dropped = set(), set()
    for line in words.splitlines():
        match = _MESSAGE.search(line)
        probe = by_name.get(match["file"]) if match else None
        fact = probe.facts.get(int(match["line"])) if match and probe else None
        if match is None or probe is None or fact is None:
            continue
        if probe.name == "discarding":
            dropped |= {fact} if _DROPPED in match["text"] else set()
        elif "error" in match["text"]:
            found.add(Mismatch(fact, match["text"]))
    said = {api.name for api in kernel if api.must_check}
    wrong = [(name, "must-check, says the kernel") for name in dropped - said]
    wrong += [(name, "not must-check, says the kernel") for name in said - dropped]
    found |= {Mismatch(*item) for item in wrong}
    return sorted(found)


def main(arguments: list[str] | None = None) -> int:
    """Verify each directory; 0 if all facts hold, 1 if one does not, 3 if nothing was compared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kdir", nargs="*", type=Path, help="kernel header directories")
    parser.add_argument("--syntax", action="store_true", help="use the compiler without kbuild")
    parser.add_argument("--fetch", action="store_true", help="fetch each series' headers")
    given = parser.parse_args(arguments)
    kernels = load_kernels(kernel_directory())
    worst = 0
    directories = given.kdir or [d for d in installed() if series_of(d) in kernels.series]
    if given.fetch:
        try:
            directories = [fetch_headers(kernel) for kernel in kernels.all if kernel.verified]
        except LabError as error:
            print(error, file=sys.stderr)
            return 3
    if not directories:
        print("no kernel headers are installed; install linux-headers-amd64", file=sys.stderr)
        return 3
    for kdir in directories:
        try:
            kernel = kernels.get(series_of(kdir))
            mismatches = verify(kdir, kernel, syntax=given.syntax or given.fetch)
        except (VerificationError, KernelFactsError) as error:
            print(f"{kdir}: {error}", file=sys.stderr)
            worst = 3
            continue
        for item in mismatches:
            print(f"{kdir}: {item.fact}: {item.message}")
        count = sum(1 for _ in kernel)
        print(f"{kdir}: {count} facts about Linux {kernel.series}, {len(mismatches)} do not hold")
        worst = max(worst, 1 if mismatches else 0)
    return worst


if __name__ == "__main__":
    sys.exit(main())
