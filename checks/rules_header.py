# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers: guards, and what user space may include."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.rule import Found, NotApplicable, check
from checks.rules_build import SPDX
from checks.tree import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.preprocess import Include, MacroDefinition
    from checks.rule import Context, Word
    from checks.tree import TreeFile
    from gen.source import Span

NOTE = "WITH Linux-syscall-note"
HEADERS = (Role.HEADER, Role.UAPI)
_DIRECTIVE = re.compile(r"^\s*#\s*(\w+)[ \t]*(\w*)")
_NAME = re.compile(r"[A-Za-z_]\w*")


@check("KERN149")
def check_guards(context: Context) -> Iterator[Word]:
    """What a header asks for at its start is what it then defines, and no other header's."""
    files = [file for role in HEADERS for file in context.facts.tree.of(role)]
    if not files:
        yield NotApplicable("no header given")
    for file in files:
        matches = enumerate(map(_DIRECTIVE.match, file.source.lines), 1)
        lines = [(number, match) for number, match in matches if match]
        if len(lines) < len(("ifndef", "define", "endif")):
            continue
        (_, asked), (number, given) = lines[:2]
        defined = {match[2] for _, match in lines if match[1] == "define"}
        guards = (asked[1], given[1]) == ("ifndef", "define")
        if guards and asked[2] not in defined:
            span = file.source.span(number, given.start(2) + 1, len(given[2]))
            yield Found(f"the guard asks for {asked[2]}, and this defines {given[2]}", span)
    yield from _shared_guards(context)


def _guard(file: TreeFile) -> tuple[str, Span] | None:
    """The name that keeps a header from being read twice, where it asks for it."""
    matches = enumerate(map(_DIRECTIVE.match, file.source.lines), 1)
    lines = [(number, match) for number, match in matches if match][:2]
    if [match[1] for _, match in lines] != ["ifndef", "define"]:
        return None
    number, match = lines[0]
    return match[2], file.source.span(number, match.start(2) + 1, len(match[2]))


def _shared_guards(context: Context) -> Iterator[Word]:
    """Two headers of one file that ask for the same name: the second one is empty."""
    told = set()
    for unit in context.facts.units:
        files = {item.file.source.name: item.file for item in unit.includes if item.file}
        guards: dict[str, TreeFile] = {}
        # Of two, the driver's own is the one to be changed: user space sees the other.
        for file in sorted(files.values(), key=lambda one: one.role is not Role.UAPI):
            guard = _guard(file)
            other = guards.setdefault(guard[0], file) if guard else file
            if guard and other is not file and file.source.name not in told:
                told.add(file.source.name)
                message = f"{other.path} has this guard too: who includes both gets one of them"
                yield Found(message, guard[1])


@check("SPEC030")
def check_user_space(context: Context) -> Iterator[Word]:
    """The header for user space has the licence and the names that user space needs."""
    files = context.facts.tree.of(Role.UAPI)
    if not files:
        yield NotApplicable("no header for user space given")
    includes = {(item.span.source, item.span): item
                for unit in context.facts.units for item in unit.includes}  # fmt: skip
    defines = {(item.span.source, item.span): item
               for unit in context.facts.units for item in unit.defines}  # fmt: skip
    for file in files:
        tag, spec = SPDX.search(file.source.line(1)), context.device.uapi.at["license"]
        if NOTE in context.device.uapi.license and tag and NOTE not in tag[1]:
            message = f"this licence binds every program that includes the header: no '{NOTE}'"
            span = file.source.span(1, tag.start(1) + 1, len(tag[1]))
            yield Found(message, span, spec, f"the spec says '{context.device.uapi.license}'")
        mine = [item for item in includes.values() if item.span.source is file.source]
        yield from _kernel_headers(context, mine)
        lost = {item.header for item in mine}
        yield from _not_included(context, file, list(defines.values()), mine)
        yield from _kernel_names(context, file, list(defines.values()), lost)


def _kernel_headers(context: Context, includes: list[Include]) -> Iterator[Word]:
    kernel = context.facts.kernel
    for item in includes:
        kernels_own = item.header in kernel.header_table and item.header not in kernel.exported
        if item.file is None and kernels_own:
            yield Found(f"user space has no {item.header}", item.span, None, "use linux/const.h")


def _not_included(
    context: Context, file: TreeFile, defines: list[MacroDefinition], includes: list[Include]
) -> Iterator[Word]:
    """Macros made of what another exported header has, which this one does not bring."""
    kernel = context.facts.kernel
    told = {item.header for item in includes}
    if any(item.file is not None or item.header not in kernel.exported for item in includes):
        return  # what those bring is not known, or has been told
    own = {item.name for item in defines if item.span.source is file.source}
    for item in (item for item in defines if item.span.source is file.source):
        for name in dict.fromkeys(_NAME.findall(item.body)):
            api = kernel.table.get(name)
            headers = api.headers if api and name not in own else {}
            if kernel.exported & set(headers) and not told & set(headers):
                header = next(header for header in headers if header in kernel.exported)
                message = f"{item.name} is made of {name}, and {header} is not included here"
                yield Found(message, item.body_span, None, f"include <{header}>", absent=True)


def _kernel_names(
    context: Context, file: TreeFile, defines: list[MacroDefinition], told: set[str]
) -> Iterator[Word]:
    """Macros made of names that only the kernel has."""
    kernel = context.facts.kernel
    own = {item.name for item in defines if item.span.source is file.source}
    for item in defines:
        if item.span.source is not file.source:
            continue
        for name in _NAME.findall(item.body):
            api = kernel.table.get(name)
            if name in own or api is None:
                continue
            if not any(header in kernel.exported | told for header in api.headers):
                message = f"{item.name} is made of {name}, which user space does not have"
                yield Found(message, item.body_span)
