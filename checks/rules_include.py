# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver's files include, against what they use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.rule import Found, NotApplicable, Unknown, check
from checks.rules_port import CODE, defined, named
from checks.tree import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import UnitFacts
    from checks.rule import Context, Word
    from gen.kernel import Kernel
    from gen.source import Span

# What a declaration is needed for. A type may do with a forward declaration, and a constant is
# often defined in more than one header.
_DECLARED = frozenset({"function", "macro", "variable"})


@check("PORT206")
def check_needed(context: Context) -> Iterator[Word]:
    """Each file includes what declares the names that it uses, or a header that brings that."""
    units = [unit for unit in context.facts.units if unit.file.role is Role.UNIT]
    if not units:
        yield NotApplicable("no .c file given")
        return
    kernel, own = context.facts.kernel, defined(context.facts)
    needed = {
        api.name: kernel.header(api.name)
        for api in kernel
        if api.kind in _DECLARED and api.name not in own
    }
    judged = {name: header for name, header in needed.items() if header in kernel.bringers}
    # With its parameters, so that a member or a word of the same name is no use.
    words = "|".join(sorted(map(re.escape, judged), key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.>])(?:{words})\b")
    for unit in units:
        uses = [(name, judged[name], span) for name, span in named(unit.file, pattern)]
        uses += [(item.type, kernel.header(item.type), item.span) for item in unit.objects
                 if item.file is unit.file and _complete(item.type, kernel)]  # fmt: skip
        yield from _lacking(unit, uses, kernel)


def _complete(type_: str, kernel: Kernel) -> bool:
    """Whether an object of this type needs a header that few others bring."""
    # Tables, whose types several headers bring, are PORT203's.
    return (
        kernel.has(type_)
        and not kernel.table[type_].brought
        and kernel.header(type_) in kernel.bringers
    )


def _lacking(unit: UnitFacts, uses: list[tuple[str, str, Span]], kernel: Kernel) -> Iterator[Word]:
    """The first use of each header that nothing included here brings."""
    included = {item.header for item in unit.includes if item.file is None}
    foreign = sorted(included - set(kernel.header_table))
    told = set()
    for name, header, span in uses:
        others = {key for key, range_ in kernel.table[name].brought.items()
                  if kernel.release in range_}  # fmt: skip
        if header in told or included & {header, *kernel.bringers[header], *others}:
            continue
        told.add(header)
        if foreign:
            yield Unknown(f"whether <{foreign[0]}> brings {header} is not known", span)
            continue
        message = f"on Linux {kernel.series} nothing included here declares {name}"
        yield Found(message, span, None, f"include {header}")


@check("PORT207")
def check_own_definitions(context: Context) -> Iterator[Word]:
    """The driver defines no macro that the target's headers define."""
    if not any(file.role in CODE for file in context.facts.tree.files):
        yield NotApplicable("no C file given")
        return
    kernel, seen = context.facts.kernel, set()
    for item in (define for unit in context.facts.units for define in unit.defines):
        api = kernel.table.get(item.name)
        key = (item.span.source, item.span)
        if api is None or not kernel.has(item.name) or key in seen:
            continue
        seen.add(key)
        header = kernel.header(item.name)
        message = f"Linux {kernel.series} has {item.name} itself, in {header}"
        yield Found(message, item.span, None, "leave the definition out")
