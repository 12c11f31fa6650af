# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools that a kernel developer has, each run on a directory of driver sources."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab.archive import Archive, cache_directory
from tests.conftest import ROOT
from tests.kbuild.kernels import SUITES, build_tree
from tests.mutants.measure import Cost, measured

if TYPE_CHECKING:
    from collections.abc import Callable

_MESSAGE = re.compile(r"(?:error|warning|ERROR|WARNING|style|performance|portability)\b.*")
_COCCI = re.compile(r"^\S+\.[ch]:\d+(?::\d+(?:-\d+)?)?:? .*", re.MULTILINE)


@dataclass(frozen=True)
class Tool:
    """A tool: `run` on a directory; `again` on one that it was run on, with one file changed.

    `lacking` says why it cannot be run, or is empty; `builds`, whether it leaves files behind that
    spare it work the next time.
    """

    name: str
    how: str
    run: Callable[[Path], Cost]
    messages: Callable[[str], list[str]]
    lacking: str = ""
    builds: bool = False
    again: Callable[[Path, Path], Cost] | None = None

    def rerun(self, directory: Path, file: Path) -> Cost:
        """Look at a directory in which `file` has changed."""
        return self.again(directory, file) if self.again else self.run(directory)


def _lines(output: str) -> list[str]:
    """The messages of a tool, without the places, which a change moves."""
    found = []
    for line in output.splitlines():
        match = _MESSAGE.search(line)
        if match and "BTF" not in line:
            found.append(re.sub(r"(?<=:)\\d+", "", match[0]))
    return found


def _ours(directory: Path) -> Cost:
    return measured([Path(sys.executable).parent / "pvgen", "check", directory], ROOT)


def _our_lines(output: str) -> list[str]:
    return re.findall(r"(?:error|warning)\[\w+\]: .*", output)


def _kbuild(*words: str) -> Callable[[Path], Cost]:
    def run(directory: Path) -> Cost:
        return measured(["make", "-C", build_tree(), f"M={directory}", *words, "modules"],
                        directory)  # fmt: skip

    return run


def _cppcheck(directory: Path) -> Cost:
    return measured(["cppcheck", "--quiet", "--enable=warning,style,performance,portability",
                     f"-I{directory}", *_sources(directory)], directory)  # fmt: skip


def _scripts() -> list[Path]:
    """The kernel's semantic patches that have a report, from the distribution's sources."""
    package = Archive(SUITES).unpack("linux-source-6.1")
    place = cache_directory() / "coccinelle" / package.name
    if not place.is_dir():
        fresh = place.with_name(f".{place.name}")
        fresh.mkdir(parents=True, exist_ok=True)
        tarball = next((package / "usr/src").glob("linux-source-*.tar.xz"))
        subprocess.run(["tar", "-xJf", tarball, "-C", fresh, "--strip-components=1", "--wildcards",
                        "*/scripts/coccinelle/*"], check=True)  # fmt: skip
        fresh.rename(place)
    scripts = sorted(place.rglob("*.cocci"))
    return [path for path in scripts if "virtual report" in path.read_text(encoding="utf-8")]


def _coccinelle(scripts: list[Path]) -> Callable[[Path, list[Path]], Cost]:
    def run(directory: Path, files: list[Path]) -> Cost:
        costs = [
            measured(["spatch", "-D", "report", "--very-quiet", "--no-show-diff", "--no-includes",
                      "--include-headers", "--cocci-file", script, *files],
                     directory)
            for script in scripts
        ]  # fmt: skip
        output = "\n".join(cost.output for cost in costs)
        return Cost(sum(cost.seconds for cost in costs), max(cost.memory for cost in costs),
                    max(cost.status for cost in costs), output)  # fmt: skip

    return run


def _cocci_lines(output: str) -> list[str]:
    return [re.sub(r"^\S+ ", "", line) for line in _COCCI.findall(output)]


def _sources(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.c") if not path.name.endswith(".mod.c"))


def _touched(directory: Path, file: Path) -> list[Path]:
    return _sources(directory) if file.suffix == ".h" else [file]


def _missing(*programs: str) -> str:
    absent = [program for program in programs if shutil.which(program) is None]
    return f"{', '.join(absent)}: not installed" if absent else ""


def tools() -> list[Tool]:
    """All of them, those that are missing, too."""
    lacking = _missing("spatch")
    scripts = [] if lacking else _scripts()
    patches = _coccinelle(scripts)
    # C=1 looks at what is compiled anew, so at what a change touches.
    sparse = _kbuild("C=1", "W=1")
    return [
        Tool("pvgen check", "all rules, a process of its own", _ours, _our_lines),
        Tool("gcc W=1", "kbuild, W=1 modules", _kbuild("W=1"), _lines, _missing("gcc", "make"),
             builds=True),
        Tool("sparse", "kbuild, C=2 W=1 modules", _kbuild("C=2", "W=1"), _lines,
             _missing("sparse", "make"), builds=True, again=lambda place, _: sparse(place)),
        Tool("Coccinelle", f"{len(scripts)} of the kernel's semantic patches, report mode",
             lambda place: patches(place, _sources(place)), _cocci_lines, lacking,
             again=lambda place, file: patches(place, _touched(place, file))),
        Tool("cppcheck", "warning, style, performance, portability; no kernel headers",
             _cppcheck, _lines, _missing("cppcheck")),
        Tool("smatch", "kbuild, C=2 CHECK=smatch", _kbuild("C=2", "CHECK=smatch -p=kernel"),
             _lines, _missing("smatch") and f"{_missing('smatch')}, and Debian has no package"),
    ]  # fmt: skip
