# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a driver's modules: what modprobe.d and the kernel's command line can set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.diff.records import Fact, Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import DriverFacts


def parameters(facts: DriverFacts) -> Iterator[Item]:
    """Each parameter, called `MODULE.NAME` as on the command line; its mode is that in sysfs.

    What its macro says of it becomes two facts for the checker, one behind the other.
    """
    for mark, mode in zip(facts.marks("param_is"), facts.marks("param_mode"), strict=True):
        text, at = mark.value.text or "", mark.value.span
        name, _, type_ = text.partition(" ")
        told = {"type": Fact(type_, at)}
        if mode.value.number is not None:
            told["mode"] = Fact(f"{mode.value.number:04o}", mode.value.span)
        yield Item("parameter", f"{facts.module(mark.file)}.{name}", at, told)
