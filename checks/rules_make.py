# SPDX-License-Identifier: GPL-2.0-or-later
"""Makefiles against the spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checks.kconfig import DependencyTooLargeError, same_formula
from checks.match import OTHER_LAYOUT, anchor, expects_all
from checks.rule import Found, NotApplicable, Unknown, check
from checks.tree import Role
from gen.diagnostics import did_you_mean
from gen.kconfig import DependencyError, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import MakeObject
    from checks.rule import Context, Word


@check("SPEC023")
def check_makefile(context: Context) -> Iterator[Word]:
    """Each option builds the frontend's object and the core's, and every file is built."""
    if not context.device.frontends:
        yield NotApplicable(OTHER_LAYOUT)
        return
    objects = context.facts.makefile
    if objects is None:
        if expects_all(context):
            yield Found("the tree has no Makefile", anchor(context))
        else:
            yield NotApplicable("no Makefile given")
        return
    yield from _frontends(context, objects)
    yield from _modules(context, objects)
    yield from _sources(context, objects)
    yield from _conditions(context)
    yield from _descends(context)
    for item in {item.lost: item for item in objects if item.lost}.values():
        message = "this replaces the lines before it, where both options have the same value"
        yield Found(message, item.lost or item.span, None, "use +=")


def _frontends(context: Context, objects: tuple[MakeObject, ...]) -> Iterator[Word]:
    start = context.facts.tree.of(Role.MAKEFILE)[0].start
    options = {frontend.kconfig.symbol for frontend in context.device.frontends}
    used = {item.option for item in objects}
    stray = [item for item in objects if item.option not in options | {None}]
    for frontend in context.device.frontends:
        option = frontend.kconfig.symbol
        built = {item.name: item.span for item in objects if item.option == option}
        for name in (f"{frontend.name}.o", f"{context.device.name}.o"):
            if name in built:
                continue
            elsewhere = [item.span for item in stray if item.name == name]
            always = [item.span for item in objects if item.option is None and item.name == name]
            where = elsewhere or list(built.values()) or always
            message = f"CONFIG_{option} does not build {name}"
            if always and not elsewhere and not built:
                message += ", it is built in any case"
            close = did_you_mean(option, [item for item in used if item])
            hint = close if option not in used else None
            at = frontend.kconfig.at["symbol"]
            yield Found(message, where[0] if where else start, at, hint)
    names = {item.name for item in objects}
    parts = {item.whole: item.span for item in objects if item.whole not in {None, item.name}}
    for file in context.facts.tree.of(Role.UNIT):
        expected = {f"{item.name}.o" for item in context.device.frontends}
        name = f"{file.path.stem}.o"
        if name in parts:
            message = (
                f"{name} is linked from these parts alone, so {file.path.name} is not compiled"
            )
            yield Found(message, parts[name])
            continue
        if name not in names | expected | {f"{context.device.name}.o"}:
            yield Found(f"no line of the Makefile builds {name}", start)


def _modules(context: Context, objects: tuple[MakeObject, ...]) -> Iterator[Word]:
    """No file of a module of the spec is linked into one of another name."""
    modules = {f"{item.name}.o": item.at["name"] for item in context.device.frontends}
    seen: set[str | None] = set()
    for item in objects:
        if item.name in modules and item.whole not in {None, item.name, *seen}:
            seen.add(item.whole)
            whole = next(one for one in objects if one.name == item.whole)
            message = (
                f"{item.name} becomes a part of {item.whole}; the spec has a module of its name"
            )
            yield Found(message, whole.span, modules[item.name])


def _sources(context: Context, objects: tuple[MakeObject, ...]) -> Iterator[Word]:
    """What is built has a source file, unless parts take its place, which is told already."""
    options = {frontend.kconfig.symbol for frontend in context.device.frontends}
    sources = {f"{file.path.stem}.o" for file in context.facts.tree.of(Role.UNIT)}
    known = sources | {item.whole for item in objects if item.whole}
    told: set[str] = set()
    for item in objects if expects_all(context) else ():
        if item.option not in options or item.name in told | known or item.whole in sources:
            continue
        if item.name.endswith(".o") and not _there(item):
            told.add(item.name)
            yield Found(f"{item.name} has no source file here", item.span)


def _there(item: MakeObject) -> bool:
    """Whether a file that is no part of the driver has the source of an object."""
    place = Path(item.span.source.name).parent / item.name
    return any(place.with_suffix(kind).exists() for kind in (".c", ".S", ".rs"))


def _conditions(context: Context) -> Iterator[Word]:
    """A condition that stands in for Kconfig's says what the spec says."""
    symbols = {item.kconfig.symbol: item.kconfig for item in context.device.frontends}
    given = frozenset({context.device.kconfig.symbol})
    for option in context.facts.options:
        symbol = symbols.get(option.name)
        if symbol is None:
            continue
        try:
            wanted = parse_dependency(symbol.depends or "y")
            same = same_formula(parse_dependency(option.condition), wanted, given)
        except (DependencyError, DependencyTooLargeError):
            yield Unknown(f"the condition of {option.name} is not understood", option.span)
            continue
        if not same:
            message = f"{option.name} is built where it cannot be chosen, or not where it could"
            yield Found(message, option.span, symbol.at["depends"])


def _descends(context: Context) -> Iterator[Word]:
    """The Makefile of the directory above leads into the driver's."""
    own = [file.path.parent for file in context.facts.tree.of(Role.MAKEFILE)]
    for file in context.facts.tree.of(Role.PARENT):
        below = [path for path in own if path.parent == file.path.parent]
        if file.path.name.startswith("Kconfig") or not below:
            continue
        words = {w for line in file.source.lines for w in line.split("#")[0].split()}
        if f"{below[0].name}/" not in words:
            message = f"no line here leads into {below[0].name}/, so kbuild never builds the driver"
            yield Found(message, file.start, None, absent=True)
