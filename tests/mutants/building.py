# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes in what is built, when, and what user space gets of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.tree import Role
from tests.mutants.operators import Family, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutants.text import Driver

FACTS = Family.FACTS


def _in_files(
    driver: Driver, roles: Iterable[Role], pattern: str, to: str, note: str = ""
) -> Iterator[Change]:
    """Each match of a pattern in the files of some roles; the note is the first group."""
    for file in (file for role in roles for file in driver.of(role)):
        for match in re.finditer(pattern, file.text, re.MULTILINE):
            yield Change(file.path, match.start(), match.end(), match.expand(to), note or match[1])


@operator("kconfig-default", FACTS, "SPEC022")
def _default(driver: Driver) -> Iterable[Change]:
    """Everybody gets the driver who has not refused it."""
    for value in ("y", "m"):
        line = r"^(\t(?:tris|bool).*\n)"
        yield from _in_files(driver, [Role.KCONFIG], line, rf"\1\tdefault {value}\n", value)


@operator("makefile-assignment", FACTS, "SPEC023")
def _assignment(driver: Driver) -> Iterable[Change]:
    """The last option that is m takes the other modules away."""
    pattern = r"(?<=.o\n)^(obj-\S+\s*)\+="
    yield from _in_files(driver, [Role.MAKEFILE], pattern, r"\1:=", "replaces")


@operator("merged-module", FACTS, "SPEC023")
def _merged(driver: Driver) -> Iterable[Change]:
    """Scripts and configurations load a module that there is no more."""
    pattern = r"(\S+)-(\w+)\.o$"
    to = r"all-\2.o\nall-\2-y := \1-\2.o"
    for change in _in_files(driver, [Role.MAKEFILE], pattern, to):
        yield replace(change, note=change.text.split(".")[0])


@operator("object-without-source", FACTS, "SPEC023")
def _sourceless(driver: Driver) -> Iterable[Change]:
    """The build stops at an object that has no source."""
    pattern = r"(\S+)-(\w+)\.o$"
    yield from _in_files(driver, [Role.MAKEFILE], pattern, r"\1-\2.o \1-\2-core.o")


@operator("makefile-condition", FACTS, "SPEC023",
    absent={"mainline": "sets no option", "mainline-6.1": "sets no option"})  # fmt: skip
def _condition(driver: Driver) -> Iterable[Change]:
    """A module is built where its bus is not, and not where it is."""
    line = r"^(CONFIG_\w+)( := .*)\$\(CONFIG_(\w+)\)"
    yield from _in_files(driver, [Role.MAKEFILE], line, r"\1\2$(CONFIG_\3_QUIRKS)")


@operator("left-out-above", FACTS, "SPEC022 SPEC023",
    elsewhere="what is not there has no place", absent={"ours": "has nothing above"})  # fmt: skip
def _above(driver: Driver) -> Iterable[Change]:
    """The driver is in the tree, and nothing builds or offers it."""
    name = driver.of(Role.MAKEFILE)[0].path.parent.name
    pattern = rf"^.*\b({name}/(?:Kconfig)?).*\n"
    yield from _in_files(driver, [Role.PARENT], pattern, "")


@operator("header-licence", FACTS, "SPEC030")
def _licence(driver: Driver) -> Iterable[Change]:
    """Whoever includes the header would have to obey the GPL."""
    yield from _in_files(driver, [Role.UAPI], r"( WITH Linux-syscall-note)", "", "note")


@operator("kernel-macro-for-user-space", FACTS, "SPEC030")
def _kernel_macro(driver: Driver) -> Iterable[Change]:
    """No program that includes the header compiles."""
    yield from _in_files(driver, [Role.UAPI], r"(?:_BITUL\(|\(1 << )(\d)\)$", r"BIT(\1)")


@operator("header-guard", FACTS, "KERN149")
def _guard(driver: Driver) -> Iterable[Change]:
    """A file that gets the header twice does not compile."""
    pattern = r"(?<=_\n)^#define (\w+)_$"
    yield from _in_files(driver, [Role.HEADER, Role.UAPI], pattern, r"#define \1")


@operator("private-macro", FACTS, "SPEC005", elsewhere="what is not there has no place")
def _private(driver: Driver) -> Iterable[Change]:
    """User space does not learn of the event."""
    pattern = r"^#define (\w+)\t.*\n"
    yield from _in_files(driver, [Role.UAPI], pattern, "")
