# SPDX-License-Identifier: GPL-2.0-or-later
"""Declarations: that they agree with what they declare, and how long what they declare lives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.rule import Found, NotApplicable, check
from checks.rules_ids import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Call
    from checks.parse import Unit
    from checks.rule import Context, Word
    from gen.source import Span

_MARKS = re.compile(r"\b__(init|exit)(?:data|const)?\b")
_LIFE = {"init": "is gone once the module is loaded", "exit": "is not there in a built-in driver"}


def signature(node: c_ast.Node | None) -> str:
    """A type with its qualifiers, parameters without their names and own qualifiers."""
    inner = signature(node.type) if node is not None and hasattr(node, "type") else ""
    quals = " const" if "const" in (getattr(node, "quals", None) or ()) else ""
    match node:
        case c_ast.PtrDecl():
            text = f"{inner} *{quals}"
        case c_ast.ArrayDecl():
            text = f"{inner} []"
        case c_ast.FuncDecl():
            parameters = [signature(item).removesuffix(" const") for item in _parameters(node)]
            text = f"{inner}({', '.join(parameters)})"
        case c_ast.TypeDecl():
            text = f"{quals} {inner}".strip()
        case c_ast.IdentifierType():
            text = " ".join(node.names)
        case c_ast.Struct() | c_ast.Union() | c_ast.Enum():
            text = f"{type(node).__name__.lower()} {node.name}"
        case c_ast.EllipsisParam():
            text = "..."
        case _:
            text = inner
    return text


def _parameters(node: c_ast.FuncDecl) -> list[c_ast.Node]:
    return [item for item in (node.args.params if node.args else []) if signature(item) != "void"]


def _declared(unit: Unit) -> Iterator[tuple[c_ast.Decl, bool]]:
    """The file-scope declarations of a unit, and whether each is a definition."""
    for item in unit.ast.ext if unit.ast else []:
        if isinstance(item, c_ast.FuncDef):
            yield item.decl, True
        elif isinstance(item, c_ast.Decl) and item.name and unit.token(item) is not None:
            function = isinstance(item.type, c_ast.FuncDecl)
            yield item, not function and "extern" not in item.storage


@check("KERN150")
def check_declarations(context: Context) -> Iterator[Word]:
    """A declaration says of a function or an object what its definition says."""
    told: set[str] = set()
    for unit in context.units:
        items = list(_declared(unit))
        definitions = {decl.name: decl for decl, defines in items if defines}
        for decl, defines in items:
            real = definitions.get(decl.name)
            if defines or real is None or real is decl or decl.name in told:
                continue
            here, there = unit.name_span(decl), unit.name_span(real)
            if "static" in real.storage and "static" not in decl.storage:
                told.add(decl.name)
                name = PurePath(here.source.name).name
                message = f"{decl.name} is static, and {name}:{here.line} declares it for others"
                yield Found(message, there, None)
            elif signature(decl) != signature(real):
                told.add(decl.name)
                message = f"{decl.name} is declared as '{signature(decl)}'"
                yield Found(f"{message} and defined as '{signature(real)}'", here, None)
    if not any(unit.ast for unit in context.units):
        yield NotApplicable("no C file could be parsed")


@dataclass(frozen=True)
class _Short:
    """A thing that does not live as long as the driver; other files see it if it is shared."""

    name: str
    life: str
    span: Span
    shared: bool


def _life(unit: Unit, decl: c_ast.Decl) -> str:
    """`init` or `exit` if the text around a declared name puts it into such a section."""
    span = unit.name_span(decl)
    lines = span.source.lines
    before = " ".join([*lines[max(span.line - 3, 0) : span.line - 1],
                       lines[span.line - 1][: span.column - 1]])  # fmt: skip
    after = lines[span.line - 1][span.column - 1 :]
    text = re.split(r"[;}/]", before)[-1] + re.split(r"[={;(]", after)[0]
    match = _MARKS.search(text)
    return match[1] if match else ""


@check("KERN151")
def check_life(context: Context) -> Iterator[Word]:
    """Nothing that stays uses what is thrown away after loading."""
    for unit in context.units:
        items = [(decl, _life(unit, decl)) for decl, defines in _declared(unit) if defines]
        short = [
            _Short(d.name, life, unit.name_span(d), "static" not in d.storage)
            for d, life in items
            if life
        ]
        lives = {decl.name: life for decl, life in items}
        for item in short:
            user = _user(context, unit, item, lives) or _stranger(context, unit, item)
            if user:
                yield Found(f"{item.name} {_LIFE[item.life]}, and {user}", item.span)
    if not context.units:
        yield NotApplicable("no C file given")


def _user(context: Context, unit: Unit, item: _Short, lives: dict[str, str]) -> str:
    """What uses a thing when it may be gone."""
    for node in unit.ast.ext if unit.ast else []:
        if isinstance(node, c_ast.FuncDef):
            stays = lives.get(node.decl.name) != item.life
            if stays and _names(node.body, item.name) and node.decl.name != item.name:
                return f"{node.decl.name}() uses it"
        elif isinstance(node, c_ast.Decl) and node.init is not None and unit.token(node):
            fact = (node.name or "").startswith("__fact_")
            if not fact and lives.get(node.name) != item.life and _names(node.init, item.name):
                return f"{node.name} keeps it"
    facts = next(one for one in context.facts.units if one.file is unit.file)
    for mark in facts.marks:
        if (
            mark.kind in {"init", "exit"}
            and mark.kind != item.life
            and mark.value.name == item.name
        ):
            return f"module_{mark.kind}() names it"
    for call in facts.calls if item.life == "init" else ():
        if _keeps(context, call) and any(v.name == item.name for v in call.arguments):
            return f"{call.name}() keeps it"
    return ""


def _stranger(context: Context, own: Unit, item: _Short) -> str:
    """What uses a thing in another file, which sees it and may call it at any time."""
    for unit in context.units if item.shared else ():
        items = {decl.name: decl for decl, defines in _declared(unit) if defines}
        if unit is own or item.name in items:
            continue
        for node in unit.ast.ext if unit.ast else []:
            body = getattr(node, "body", None) or getattr(node, "init", None)
            decl = getattr(node, "decl", node)
            if body is None or not unit.token(decl) or not _names(body, item.name):
                continue
            if _life(unit, decl) != item.life:
                name = PurePath(unit.file.path).name
                return f"{decl.name} in {name} uses it"
    return ""


def _keeps(context: Context, call: Call) -> bool:
    api = context.facts.kernel.table.get(call.name)
    return api is not None and api.acquires is not None


def _names(node: c_ast.Node, name: str) -> bool:
    if isinstance(node, c_ast.ID):
        return bool(node.name == name)
    return any(_names(child, name) for _, child in node.children())


@check("KERN152")
def check_const_tables(context: Context) -> Iterator[Word]:
    """Device tables are const."""
    kinds = [kind for _, kind in TABLES.values()]
    tables = [item for kind in kinds for item in context.facts.objects(kind) if item.array]
    if not tables:
        yield NotApplicable("no device table among the given files")
    for item in tables:
        if not item.const:
            yield Found(f"nothing changes {item.name}, and it is not const", item.span)


def _parameter_texts(context: Context, call: Call) -> dict[str, str]:
    """The declarations of the parameters of a kernel's function, by their names."""
    api = context.facts.kernel.table.get(call.name)
    if api is None or not api.prototype or api.kind != "function":
        return {}
    inner = api.prototype.split(f"{api.name}(", 1)[-1].removesuffix(")")
    texts = [item.strip() for item in re.split(r",(?![^(]*\))", inner)]
    return dict(zip(api.parameters, texts, strict=False))


@check("KERN153")
def check_const_given(context: Context) -> Iterator[Word]:
    """What is const is not given to somebody who changes it."""
    told: set[str] = set()
    for call in context.facts.calls():
        texts = _parameter_texts(context, call)
        for name, value in call.named.items():
            item = context.facts.object(value.name, call.file)
            plain = "*" in texts.get(name, "") and "const" not in texts[name]
            direct = value.written.replace(" ", "") == f"&{value.name}"
            if item is None or item.name in told or not plain or not direct:
                continue
            if item.const and not item.array:
                told.add(item.name)
                message = f"{call.name}() may change this, and {item.name} is const"
                yield Found(message, value.span, None, f"leave out the const of {item.name}")
