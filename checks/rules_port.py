# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver uses of the kernel, against what the target's series has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.callbacks import called_back, in_calls, in_member
from checks.contract.gaps import nowhere
from checks.facts import CONST
from checks.fold import type_name
from checks.rule import Found, NotApplicable, Unknown, check
from checks.tree import Role
from gen.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import DriverFacts, Object, UnitFacts, Value
    from checks.parse import Unit
    from checks.rule import Context, Word
    from checks.tree import TreeFile
    from gen.api import Api, Member, Range
    from gen.kernel import Kernel
    from gen.source import Span

# Comments, literals and #include lines: there a name is no use of an interface. What is not closed
# is taken to its end: each of many would be looked for anew.
_NO_CODE = re.compile(
    r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.){0,16}'"
    r"|^[ \t]*\#[ \t]*include[^\n]*",
    re.DOTALL | re.MULTILINE,
)
CODE = frozenset({Role.UNIT, Role.HEADER, Role.UAPI})


def _lacks(kernel: Kernel, what: str, ranges: list[Range]) -> tuple[str, str | None]:
    """The sentence about something that a series lacks, and what helps."""
    words = f"Linux {kernel.series} has no {what}"
    later = [item for item in ranges if item.since and item.since > kernel.release]
    if later:
        first = min(later, key=lambda item: item.since or kernel.release)
        words += f"; it is there since {first.since}"
    elif ranges and ranges[-1].until:
        words += f"; {ranges[-1].until} was the last to have it"
    instead = next((item.replacement for item in ranges if item.replacement), None)
    return words, f"use instead: {instead}" if instead else None


@check("PORT201")
def check_apis(context: Context) -> Iterator[Word]:
    """The target has every function, macro, type and constant that is used."""
    facts = context.facts
    files = [file for file in facts.tree.files if file.role in CODE]
    if not files:
        yield NotApplicable("no C file given")
        return
    kernel = facts.kernel
    own = defined(facts)
    missing = {
        name: api
        for name, api in kernel.table.items()
        if not kernel.has(name) and api.kind != "format" and name not in own
    }
    if missing:
        words = "|".join(sorted((re.escape(name).replace(r"\ ", r"\s+") for name in missing),
                                key=len, reverse=True))  # fmt: skip
        for file in files:
            yield from _uses(file, re.compile(rf"(?<![\w.>])(?:{words})\b"), missing, kernel)
    for name, at in nowhere(facts, context.units) if facts.tree.whole else ():
        yield Unknown(f"whether Linux {kernel.series} has '{name}' is not known", at)


def defined(facts: DriverFacts) -> set[str]:
    """The names that the driver itself defines."""
    units = facts.units
    names = {name for unit in units for name in unit.functions}
    names |= {item.name for unit in units for item in unit.objects}
    return names | {item.name for unit in units for item in unit.defines}


def _uses(
    file: TreeFile, pattern: re.Pattern[str], missing: dict[str, Api], kernel: Kernel
) -> Iterator[Word]:
    """The first use of each missing name in a file."""
    for name, span in named(file, pattern):
        message, help_ = _lacks(kernel, name, [missing[name].range])
        yield Found(message, span, None, help_)


def named(file: TreeFile, pattern: re.Pattern[str]) -> Iterator[tuple[str, Span]]:
    """The names that a pattern matches in a file's code, each with the place of its first use."""
    text = file.source.text.replace("\r\n", "\n")
    code = _NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    plain = Source(file.source.name, code)
    seen = set()
    for match in pattern.finditer(code):
        name = " ".join(match[0].split())
        if name in seen:
            continue
        seen.add(name)
        at = plain.place(match.start())
        yield name, file.source.span(at.line, at.column, len(match[0].split("\n")[0]))


@check("PORT202")
def check_members(context: Context) -> Iterator[Word]:
    """The target's structs have the members that are set and read, with these types."""
    kernel, units = context.facts.kernel, {unit.file: unit for unit in context.units}
    found = False
    told: set[tuple[str, Span]] = set()
    for read in context.facts.units:
        for item in read.objects:
            found = True
            yield from _once(_object(item, units[read.file], context.facts), told)
        yield from _once(in_calls(read.calls, units[read.file], kernel), told)
    for unit in context.units:
        for function in unit.functions:
            found = True
            yield from _once(_accesses(unit, function, kernel), told)
    if not found:
        yield NotApplicable("no object and no function in the given files")


def _once(words: Iterator[Found], told: set[tuple[str, Span]]) -> Iterator[Found]:
    for word in words:
        key = (word.span.source.name, word.span)
        if key not in told:
            told.add(key)
            yield word


def _object(item: Object, unit: Unit, facts: DriverFacts) -> Iterator[Found]:
    """What an initialiser sets."""
    for entry in item.entries:
        for path, value in entry.fields.items():
            yield from _member(item.type, path, value, unit, facts)


def _member(type_: str, path: str, value: Value, unit: Unit, facts: DriverFacts) -> Iterator[Found]:
    """Follow a member path such as `driver.dev_groups`, as far as the facts know the types."""
    kernel, owner = facts.kernel, type_
    here: Member | None = None
    variants: list[Member] = []
    for name in path.split("."):
        variants = _variants(kernel, type_, name)
        if not variants:
            return
        here = next((one for one in variants if kernel.release in one.range), None)
        if here is None:
            message, help_ = _lacks(
                kernel, f"member '{name}' in {type_}", [one.range for one in variants]
            )
            yield Found(message, value.span, None, help_)
            return
        owner, type_ = type_, here.text.removesuffix(name).strip()
    if here is not None and value.name and called_back(here.text, kernel):
        beside = _variants(kernel, owner, f"{name}{CONST}")
        yield from in_member(value, here, (variants, beside), unit, kernel)
    elif here is not None and value.name:
        yield from _pointers(value, here, variants, unit, facts)
    elif here is not None and value.text is not None and not re.search(r"[*\[]", here.text):
        message = f"a string initialises '{here.text}' of {owner}, which is a number"
        yield Found(message, value.span)


def _pointers(
    value: Value, here: Member, variants: list[Member], unit: Unit, facts: DriverFacts
) -> Iterator[Found]:
    """An array of const pointers is no array of pointers that the kernel may change."""
    array = facts.object(value.name, unit.file)
    if array is None or not array.fixed or not re.search(r"\*\s*\*\s*\w+$", here.text):
        return
    series = facts.kernel.series
    message = f"Linux {series} wants '{here.text}', and {value.name} has const pointers"
    later = [one.range.since for one in variants if one is not here and one.range.since]
    if later:
        message += f"; it may have them since {min(later)}"
    yield Found(message, value.span, None, "leave out the const behind the *")


def _variants(kernel: Kernel, type_: str, name: str) -> list[Member]:
    api = kernel.table.get(type_)
    return [one for one in (api.members if api else ()) if one.name == name]


def _accesses(unit: Unit, function: c_ast.FuncDef, kernel: Kernel) -> Iterator[Found]:
    """Members that a function uses of structs that it gets or declares."""
    reader = _Members()
    reader.visit(function)
    for node in reader.uses:
        type_ = reader.types.get(node.name.name, "")
        variants = _variants(kernel, type_, node.field.name)
        if variants and not any(kernel.release in one.range for one in variants):
            what = f"member '{node.field.name}' in {type_}"
            message, help_ = _lacks(kernel, what, [one.range for one in variants])
            yield Found(message, unit.name_span(node.field), None, help_)


class _Members(c_ast.NodeVisitor):  # type: ignore[misc]
    """The variables of a function with the structs that they are or point to, and their members."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.uses: list[c_ast.StructRef] = []

    def visit_Decl(self, node: c_ast.Decl) -> None:  # noqa: N802 (pycparser calls it so)
        if node.name and not isinstance(node.type, c_ast.FuncDecl):
            self.types[node.name] = type_name(node.type).rstrip(" *")
        self.generic_visit(node)

    def visit_StructRef(self, node: c_ast.StructRef) -> None:  # noqa: N802 (as above)
        if isinstance(node.name, c_ast.ID):
            self.uses.append(node)
        self.generic_visit(node)


@check("PORT203")
def check_headers(context: Context) -> Iterator[Word]:
    """The target has every header that is included, and they bring the types of all tables."""
    kernel, seen = context.facts.kernel, set()
    includes = [item for unit in context.facts.units for item in unit.includes]
    if not includes:
        yield NotApplicable("no #include in the given files")
    for include in includes:
        key = (include.span.source, include.span)
        if include.file is not None or key in seen or include.header not in kernel.header_table:
            continue
        seen.add(key)
        if not kernel.has_header(include.header):
            message, help_ = _lacks(kernel, include.header, [kernel.header_table[include.header]])
            yield Found(message, include.span, None, help_)
    for unit in context.facts.units:
        yield from _incomplete(unit, kernel)


def _incomplete(unit: UnitFacts, kernel: Kernel) -> Iterator[Word]:
    """Tables of a type that no included header brings on the target."""
    included = {item.header for item in unit.includes if item.file is None}
    if not included <= set(kernel.header_table):
        return  # a header that the facts do not know may bring anything
    for item in unit.objects:
        api = kernel.table.get(item.type)
        if api is None or not api.brought or not item.array:
            continue
        header = kernel.header(item.type)
        known = {name for name, range_ in api.brought.items() if kernel.release in range_}
        if not included & {header, *known}:
            message = f"on Linux {kernel.series} nothing included here declares {item.type}"
            yield Found(message, item.span, None, f"include {header}")


@check("PORT205")
def check_version_code(context: Context) -> Iterator[Word]:
    """No code asks for the version of the kernel that it is compiled for."""
    files = [file for file in context.facts.tree.files if file.role in CODE]
    if not files:
        yield NotApplicable("no C file given")
    for file in files:
        for name, span in named(file, re.compile(r"\bLINUX_VERSION_CODE\b")):
            message = f"{name} asks at compile time what the target is"
            help_ = "render for the target instead: a series may have taken an interface back"
            yield Found(message, span, None, help_)
