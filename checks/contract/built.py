# SPDX-License-Identifier: GPL-2.0-or-later
"""Which modules of a driver its Makefile leaves out, or builds without the core that they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.tree import Role
from gen.kconfig import symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import DriverFacts, MakeObject, UnitFacts
    from gen.source import Span


def unclear(facts: DriverFacts) -> Span | None:
    """The first line of a Makefile that was not understood, so that it may build anything."""
    makefiles = {file.source for file in facts.tree.of(Role.MAKEFILE)}
    return next((one.span for one in facts.problems if one.span.source in makefiles), None)


def unbuilt(facts: DriverFacts, core: UnitFacts) -> dict[str, Span]:
    """What is not built, each with its place: a module, or the core `with` a certain option.

    Nothing is said where there is no Makefile.
    """
    objects = facts.makefile
    if objects is None:
        return {}
    whole = facts.module(core.file)
    found = {}
    for unit in (one for one in facts.units if one.file.role is Role.UNIT):
        module = facts.module(unit.file)
        lines = [one for one in objects if one.name == f"{module}.o"]
        if not lines:
            found[module] = facts.tree.of(Role.MAKEFILE)[0].start
        elif module != whole:
            found |= {f"{whole} with {one.option or module}": one.span for one in lines
                      if not _along(facts, one, whole)}  # fmt: skip
    # Where nothing builds the core, no option does.
    return {whole: found[whole]} if whole in found else found


def _along(facts: DriverFacts, line: MakeObject, core: str) -> bool:
    """Whether the core is built wherever a line's object is."""
    options = {one.option for one in facts.makefile or () if one.name == f"{core}.o"}
    return None in options or not options.isdisjoint(_on(facts, line.option))


def _on(facts: DriverFacts, option: str | None) -> Iterator[str]:
    """An option, and what it cannot be on without."""
    if option is None:
        return
    yield option
    for fact in (one for one in facts.kconfig or () if one.name == option):
        yield from symbols(fact.depends)
        clause = fact.clauses.get("selects")
        yield from (clause.text or "").replace(",", " ").split() if clause else ()
