# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration, objects, licences, exports and the target kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.kconfig import DependencyTooLargeError, same_formula
from checks.match import OTHER_LAYOUT, anchor, expects_all, older
from checks.rule import Found, NotApplicable, Unknown, check
from checks.tree import Role
from gen.diagnostics import did_you_mean
from gen.kconfig import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import KconfigFact, Mark
    from checks.rule import Context, Word
    from checks.tree import TreeFile
    from gen.frontend import Frontend
    from gen.model import Device, KconfigSymbol
    from gen.source import Span

# The words up to the end of the comment or of the line.
SPDX = re.compile(
    r"SPDX-License-Identifier:\s*+((?:[^\s*]|\*(?!/))++(?:\s++(?:[^\s*]|\*(?!/))++)*+)"
)
# What the kernel's license-rules document says each MODULE_LICENSE text stands for.
LICENSES = {
    "GPL": {"GPL"},
    "GPL v2": {"GPL"},
    "GPL and additional rights": {"GPL"},
    "Dual BSD/GPL": {"GPL", "BSD"},
    "Dual MIT/GPL": {"GPL", "MIT"},
    "Dual MPL/GPL": {"GPL", "MPL"},
}


def _kconfig_files(context: Context) -> tuple[TreeFile, ...]:
    return context.facts.tree.of(Role.KCONFIG)


@check("SPEC022")
def check_kconfig(context: Context) -> Iterator[Word]:
    """Kconfig has the spec's symbols with type, dependency, prompt and help."""
    facts = context.facts.kconfig
    if not context.device.frontends:
        yield from _older_symbol(context)
        return
    if facts is None:
        if _kconfig_files(context):
            yield Unknown("the Kconfig file cannot be parsed", _kconfig_files(context)[0].start)
        elif expects_all(context):
            at = context.device.kconfig.at["symbol"]
            yield Found("the tree has no Kconfig file", anchor(context), at)
        else:
            yield NotApplicable("no Kconfig file given")
        return
    yield from _sourced(context)
    wanted = [context.device.kconfig, *(item.kconfig for item in context.device.frontends)]
    for symbol in wanted:
        fact = next((item for item in facts if item.name == symbol.symbol), None)
        if fact is None:
            others = [item.name for item in facts if item.name not in {w.symbol for w in wanted}]
            strange = [item for item in facts if item.name in others]
            close = did_you_mean(symbol.symbol, others)
            message = f"no Kconfig symbol {symbol.symbol}"
            near = [item for item in strange if close and f"'{item.name}'" in close] or strange
            if len(near) == 1:
                message, span = f"{message}: is this it, renamed?", near[0].span
            else:
                span = _kconfig_files(context)[0].start
            yield Found(message, span, symbol.at["symbol"], close)
        else:
            yield from _symbol(fact, symbol)


def _older_symbol(context: Context) -> Iterator[Word]:
    """Of a release of another layout, the symbol's type and dependency are known."""
    tree, name = older(context), context.device.kconfig.symbol
    facts = [item for item in context.facts.kconfig or () if item.name == name]
    if tree is None or not facts:
        yield NotApplicable(OTHER_LAYOUT)
    for fact in facts if tree else ():
        if tree and fact.type != tree.kconfig:
            message = f"{fact.name} is a {fact.type}; in this release it was {tree.kconfig}"
            yield Found(message, fact.type_span)
        if tree and tree.depends is not None:
            yield from _depends(fact, tree.depends, None)


def _sourced(context: Context) -> Iterator[Word]:
    """The Kconfig file of the directory above brings in the driver's."""
    own = [file.path for file in _kconfig_files(context)]
    for file in context.facts.tree.of(Role.PARENT):
        below = [path for path in own if path.parent.parent == file.path.parent]
        if not file.path.name.startswith("Kconfig") or not below:
            continue
        lines = (line.split("#")[0] for line in file.source.lines)
        ends = tuple(f'{path.parent.name}/{path.name}"' for path in below)
        if not any("source" in line and line.rstrip().endswith(ends) for line in lines):
            message = f"no line here brings in {below[0]}, so nobody is offered the driver"
            yield Found(message, file.start, None, f'add source "{below[0]}"', absent=True)


def _symbol(fact: KconfigFact, symbol: KconfigSymbol) -> Iterator[Word]:
    if fact.type != symbol.type:
        message = f"{fact.name} is a {fact.type}, the spec says {symbol.type}"
        yield Found(message, fact.type_span, symbol.at["type"])
    yield from _depends(fact, symbol.depends, symbol.at["depends"])
    if not fact.has_prompt:
        message = f"{fact.name} has no prompt, so nobody can choose it"
        yield Found(message, fact.span, symbol.at["prompt"])
    if fact.default is not None:
        message = f"{fact.name} is chosen where nobody has chosen it; the spec has no default"
        yield Found(message, fact.default, symbol.at["symbol"])
    if not fact.has_help:
        yield Found(f"{fact.name} has no help text", fact.span, symbol.at["help"])


def _depends(fact: KconfigFact, wanted: str | None, spec: Span | None) -> Iterator[Word]:
    """The dependency as a formula, against the spec's or the one of the release."""
    place = fact.depends_span or fact.span
    try:
        same = same_formula(fact.depends, parse_dependency(wanted or "y"))
    except DependencyTooLargeError:
        yield Unknown(f"{fact.name} depends on too many symbols to compare", place)
    else:
        if not same:
            rest = f"'{wanted}'" if wanted else "nothing"
            words = "what the spec says:" if spec else "what it did in this release:"
            yield Found(f"{fact.name} does not depend on {words} {rest}", place, spec)


@check("SPEC026")
def check_license(context: Context) -> Iterator[Word]:
    """The module's licence is the spec's and agrees with the file's SPDX tag."""
    found = False
    for unit in context.facts.units:
        marks = [mark for mark in unit.marks if mark.kind == "license"]
        if unit.file.role is not Role.UNIT:
            continue
        found = True
        tag = SPDX.search(unit.file.source.line(1))
        if tag is None:
            message = "line 1 has no SPDX licence tag"
            yield Found(message, unit.file.start, context.device.at["license"])
        for mark in marks:
            yield from _license(context, mark, tag[1] if tag else None)
    if not found:
        yield NotApplicable("no .c file given")


def _license(context: Context, mark: Mark, tag: str | None) -> Iterator[Word]:
    text, wanted = mark.value.text, context.device.module_license
    families = {word for word in ("GPL", "BSD", "MIT", "MPL") if word in (tag or "")}
    if text is None:
        yield Unknown("this licence is not a literal", mark.value.span)
    elif text != wanted and LICENSES.get(text) != LICENSES.get(wanted, {wanted}):
        message = f"the licence is '{text}', the spec says '{wanted}'"
        yield Found(message, mark.value.span, context.device.at["module-license"])
    elif tag is not None and not LICENSES.get(text, set()) <= families:
        message = f"the licence '{text}' does not agree with the file's SPDX tag {tag}"
        yield Found(message, mark.value.span, context.device.at["license"])


@check("SPEC028")
def check_metadata(context: Context) -> Iterator[Word]:
    """Each module has the author and the description that the spec gives it."""
    device = context.device
    wanted: dict[str, Device | Frontend] = {f"{device.name}.c": device}
    wanted |= {f"{item.name}.c": item for item in device.frontends}
    found = False
    for unit in context.facts.units if device.frontends else ():
        owner = wanted.get(unit.file.path.name)
        if owner is None or unit.file.role is not Role.UNIT:
            continue
        found = True
        for kind, text in (("author", owner.author), ("description", owner.description)):
            marks = [mark for mark in unit.marks if mark.kind == kind]
            if not marks:
                message = f"no MODULE_{kind.upper()}; the spec has '{text}'"
                yield Found(message, unit.file.start, owner.at[kind], absent=True)
            elif all(mark.value.text is None for mark in marks):
                yield Unknown(f"this {kind} is not a literal", marks[0].value.span)
            elif all(mark.value.text != text for mark in marks):
                message = f"the {kind} is not the spec's '{text}'"
                yield Found(message, marks[0].value.span, owner.at[kind])
    if not found:
        yield NotApplicable("none of the spec's modules among the given files")


@check("KERN128")
def check_module_license(context: Context) -> Iterator[Word]:
    """Every file that becomes a module says its licence."""
    units = [unit for unit in context.facts.units if unit.file.role is Role.UNIT]
    if not units:
        yield NotApplicable("no .c file given")
    modules = {frontend.name for frontend in context.device.frontends} | {context.device.name}
    for unit in units:
        if unit.file.path.stem in modules and not any(m.kind == "license" for m in unit.marks):
            message = "no MODULE_LICENSE: the module does not build"
            help_ = f'add MODULE_LICENSE("{context.device.module_license}");'
            yield Found(
                message, unit.file.start, context.device.at["module-license"], help_, absent=True
            )


@check("KERN129")
def check_exports(context: Context) -> Iterator[Word]:
    """What another module of the driver uses is exported."""
    exported = {
        m.value.name for kind in ("export", "export_gpl") for m in context.facts.marks(kind)
    }
    uses = _uses(context)
    yield from _namespaces(context, uses)
    found, modules = False, _modules(context)
    for unit in context.facts.units:
        shared = {item.name: item.span for item in unit.objects if not item.static}
        shared |= dict(unit.functions)
        for name, span in shared.items():
            own = modules.get(unit.file.path.stem, unit.file.path.stem)
            users = {user for user in uses.get(name, set()) - {unit.file.path.name}
                     if modules.get(user.removesuffix(".c"), user) != own}  # fmt: skip
            if users:
                found = True
                if name not in exported:
                    message = f"{name} is used by {', '.join(sorted(users))} but not exported"
                    yield Found(message, span, None, f"add EXPORT_SYMBOL_GPL({name});", absent=True)
    if not found:
        yield NotApplicable("no file uses another's symbols")


def _modules(context: Context) -> dict[str, str]:
    """The module that a file is linked into with others, by their names without ending."""
    return {
        item.name.removesuffix(".o"): item.whole.removesuffix(".o")
        for item in context.facts.makefile or ()
        if item.whole is not None and item.whole != item.name
    }


def _namespaces(context: Context, uses: Mapping[str, set[str]]) -> Iterator[Word]:
    """A module imports the namespaces of what it uses of the driver's other modules."""
    marks = context.facts.marks
    imported = {(mark.file, _bare(mark.value.text)) for mark in marks("import_ns")}
    modules = {mark.file for mark in marks("license")}
    for spaced in marks("export_ns"):
        name, _, namespace = (spaced.value.text or "").partition(" ")
        space, users = _bare(namespace), uses.get(name, set())
        without = [
            unit.file.path.name
            for unit in context.facts.units
            if unit.file.path.name in users
            and unit.file in modules - {spaced.file}
            and (unit.file, space) not in imported
        ]
        if without:
            message = f"{name} is in the namespace {space}, which {', '.join(without)} must import"
            fix = f'add MODULE_IMPORT_NS("{space}"); to each'
            yield Found(message, spaced.span, None, fix, absent=True)


def _bare(text: str | None) -> str:
    return (text or "").strip().strip('"')


@check("KERN130")
def check_static(context: Context) -> Iterator[Word]:
    """What only its own file uses is static."""
    exported = {
        m.value.name for kind in ("export", "export_gpl") for m in context.facts.marks(kind)
    }
    uses = _uses(context)
    found = False
    for unit in context.facts.units:
        if unit.file.role is not Role.UNIT:
            continue
        for item in unit.objects:
            found = True
            if not item.static and item.name not in exported and not uses.get(item.name):
                message = f"nothing outside this file uses {item.name}, and it is not static"
                yield Found(message, item.span, None, f"make {item.name} static")
        for name, span in open_functions(context, unit.file):
            found = True
            if name not in exported and not uses.get(name):
                message = f"nothing outside this file uses {name}(), and it is not static"
                yield Found(message, span, None, f"make {name}() static")
    if not found:
        yield NotApplicable("no file-scope objects")


def open_functions(context: Context, file: TreeFile) -> Iterator[tuple[str, Span]]:
    """The functions of a file that are not static and that no declaration makes so."""
    unit = next(unit for unit in context.units if unit.file is file)
    declared = {item.name for item in (unit.ast.ext if unit.ast else [])
                if isinstance(item, c_ast.Decl)}  # fmt: skip
    for item in unit.functions:
        if "static" not in item.decl.storage and item.decl.name not in declared:
            yield item.decl.name, unit.name_span(item.decl)


def _uses(context: Context) -> dict[str, set[str]]:
    """The names that each file calls or takes the address of, with the files."""
    uses: dict[str, set[str]] = {}
    for unit in context.facts.units:
        if unit.file.role is not Role.UNIT:
            continue
        names = {call.name for call in unit.calls}
        values = [
            value for item in unit.objects for e in item.entries for value in e.fields.values()
        ]
        values += [value for call in unit.calls for value in call.arguments]
        names |= {value.name for value in values if value.name}
        own = {item.name for item in unit.objects} | set(unit.functions)
        for name in names - own:
            uses.setdefault(name, set()).add(unit.file.path.name)
    return uses
