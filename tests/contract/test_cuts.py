# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver that ends early, cleanly between two declarations, says nothing that the whole does not.

Each file is cut after each of its declarations. What the rest tells is what the whole driver tells,
and of what it does not tell, `pvgen diff` claims nothing.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from checks.contract.find import NoDriverError, find_driver
from checks.contract.read import NothingReadError, read_contract
from gen.diff.compare import compare
from gen.diff.records import TreeSide
from gen.lab.problem import LabError
from tests.checks.trees import kernel
from tests.conftest import ROOT
from tests.kbuild.kernels import source_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from checks.contract.records import Contract

DRIVERS = {
    "rendered": "out",
    "three-files": "tests/checks/driver",
    "one-file": "tests/execution/classic",
    "two-drivers": "tests/execution/single",
}
# A comment or a text, in which a brace or a semicolon says nothing.
_OPAQUE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_STATED = re.compile(r"^MODULE_(?:AUTHOR|DESCRIPTION|LICENSE)\(.*\n", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include.*\n", re.MULTILINE)
_BUILD = {"Kconfig", "Makefile"}


def ends(text: str) -> Iterator[int]:
    """Where a declaration at file scope ends, but for the last one, and the includes end."""
    plain = _OPAQUE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    found = [max((match.end() for match in _INCLUDE.finditer(plain)), default=0)]
    depth = position = 0
    for line in plain.splitlines(keepends=True):
        position += len(line)
        bare = line.strip()
        if bare and not bare.startswith("#"):
            depth += sum(line.count(c) for c in "{(") - sum(line.count(c) for c in "})")
            if depth == 0 and bare[-1] in ";}":
                found.append(position)
    return iter(sorted(set(found))[:-1])


def stated_first(tree: Path) -> None:
    """Write what a module says of itself below the includes, as mainline does."""
    for path in tree.glob("*.c"):
        text = path.read_text(encoding="utf-8")
        stated, text = "".join(_STATED.findall(text)), _STATED.sub("", text)
        place = max(match.end() for match in _INCLUDE.finditer(text))
        path.write_text(f"{text[:place]}\n{stated}\n{text[place:].rstrip()}\n", encoding="utf-8")


def read(tree: Path, series: str, single: bool) -> Contract | None:
    """What a driver's directory tells, or its files in the order of their names."""
    files = [path for path in sorted(tree.rglob("*"))
             if path.suffix in {".c", ".h"} or path.name in _BUILD]  # fmt: skip
    try:
        return read_contract(find_driver(files if single else [tree]), kernel(series))
    except (NoDriverError, NothingReadError):
        return None


def told(contract: Contract) -> set[tuple[str, str, str]]:
    return {(i.path, key, fact.value) for i in contract.items for key, fact in i.facts.items()}


def side(contract: Contract) -> TreeSide:
    return TreeSide("a tree", contract.items, contract.unknown)


def made_up(tree: Path, series: str, single: bool = False) -> tuple[int, list[str]]:
    """How many cuts could be read, and what they say that the whole driver does not."""
    whole = read(tree, series, single)
    assert whole is not None
    assert ("driver", "") not in {(one.path, one.key) for one in whole.unknown}
    count, wrong = 0, []
    for path in sorted((*tree.rglob("*.c"), *tree.rglob("*.h"))):
        text = path.read_text(encoding="utf-8")
        for end in ends(text):
            path.write_text(text[:end], encoding="utf-8")
            part = read(tree, series, single)
            if part is None:
                continue
            count += 1
            where = f"{path.name}:{text[:end].count(chr(10))}"
            wrong += [f"{where}: {one}" for one in told(part) - told(whole)]
            for old, new in ((whole, part), (part, whole)):
                findings = compare(side(old), side(new)).findings
                wrong += [f"{where}: {one.message}" for one in findings]
        path.write_text(text, encoding="utf-8")
    return count, wrong


@pytest.mark.parametrize("first", [False, True], ids=["stated-last", "stated-first"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_was_cut_off_is_not_said_to_be_gone(driver: str, first: bool, tmp_path: Path) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(ROOT / DRIVERS[driver], tree, ignore=shutil.ignore_patterns("*.mod.[ch]"))
    if first:
        stated_first(tree)
    count, wrong = made_up(tree, "6.1")
    assert wrong == []
    assert count >= 10


def test_files_of_a_driver_whose_core_was_cut_off(tmp_path: Path) -> None:
    """Which of them is the core, and so what the device is called, is not guessed."""
    tree = tmp_path / "driver"
    shutil.copytree(ROOT / "out", tree, ignore=shutil.ignore_patterns("*.mod.[ch]"))
    count, wrong = made_up(tree, "6.1", single=True)
    assert wrong == []
    assert count >= 10


@pytest.mark.kbuild
@pytest.mark.parametrize("series", ["5.10", "6.1"])
def test_mainline_s_driver_cut_off(series: str, tmp_path: Path) -> None:
    try:
        whole = source_tree(series)
    except LabError as error:
        pytest.skip(f"mainline's sources of {series} cannot be fetched: {error}")
    for file in find_driver([whole]).files:
        target = tmp_path / "tree" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.source.text, encoding="utf-8")
    count, wrong = made_up(tmp_path / "tree", series)
    assert wrong == []
    assert count >= 10
