# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that the kernel calls back: whether they are of the type that it expects.

Types of functions, written in C or in the facts, have one form in which they are compared: the
result and each parameter. Of qualifiers, it keeps const behind a pointer: a function that takes a
pointer to const is of another type than one that does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.fold import type_name
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.facts import Call, Value
    from checks.parse import Unit
    from gen.api import Member
    from gen.kernel import Kernel

Signature = tuple[str, ...]
# A function pointer among the parameters of a prototype.
_POINTER = re.compile(r"[^,(]*\(\*\s*(\w+)\)\([^()]*\)")


def called_back(text: str, kernel: Kernel) -> str | None:
    """A declaration with the type of a function pointer spelled out; None if it is of another."""
    if "(*" in text:
        return text
    api = kernel.table.get(text.split(maxsplit=1)[0])
    typedef = api.prototype if api is not None and api.kind == "type" else None
    return typedef.removeprefix("typedef ") if typedef and "(*" in typedef else None


def type_of(function: c_ast.FuncDef) -> Signature:
    """The type of a function of the driver."""
    kind = function.decl.type
    parameters = [_parameter(item) for item in (kind.args.params if kind.args else ())]
    return (_plain(type_name(kind.type)), *(item for item in parameters if item != "void"))


def _parameter(node: c_ast.Node) -> str:
    inner, pointer = node.type, False
    while isinstance(inner, (c_ast.PtrDecl, c_ast.ArrayDecl)):
        inner, pointer = inner.type, True
    const = pointer and "const" in (getattr(inner, "quals", None) or ())
    stars = " *" if isinstance(node.type, c_ast.ArrayDecl) else ""
    return f"{'const ' if const else ''}{_plain(type_name(node) + stars)}"


def type_in(text: str) -> Signature:
    """The same of a declaration such as `int (*remove)(struct pci_dev *dev)`."""
    result, _, rest = text.partition("(*")
    parameters = rest.partition(")(")[2].removesuffix(")")
    texts = [re.sub(r"\w+$", "", item.strip()) for item in parameters.split(",")]
    return (_plain(result), *(_pointee(item) for item in texts))


def _pointee(text: str) -> str:
    const = re.search(r"\bconst\b[^*]*\*", text)
    return f"{'const ' if const else ''}{_plain(text)}"


def _plain(text: str) -> str:
    words = re.sub(r"\bconst\b", " ", text).replace("*", " * ").split()
    plain = re.sub(r"\b(long|short) int\b", r"\1", " ".join(words))
    return re.sub(r"\bunsigned(?! (?:int|long|short|char)\b)", "unsigned int", plain)


def in_member(
    value: Value,
    here: Member,
    others: tuple[list[Member], list[Member]],
    unit: Unit,
    kernel: Kernel,
) -> Iterator[Found]:
    """A function that the kernel calls back returns and takes what the target expects.

    `others` has the member on all series, and the one beside it for const arguments.
    """
    function = next((one for one in unit.functions if one.decl.name == value.name), None)
    if function is None:
        return
    given, wanted = type_of(function), type_in(called_back(here.text, kernel) or here.text)
    variants, beside = others
    if given == wanted or (_by_macro(value, here) and _fits(given, beside, kernel)):
        return
    other = next((one for one in (*variants, *beside) if type_in(one.text) == given), None)
    message = f"Linux {kernel.series} wants '{here.text}', and {value.name}() is none"
    if other is not None and other.range.since:
        message += f"; it is that since {other.range.since}"
    elif other is not None and other.range.until:
        message += f"; it was that until {other.range.until}"
    instead = other.range.replacement if other else None
    yield Found(message, value.span, None, f"use instead: {instead}" if instead else None)


def _by_macro(value: Value, member: Member) -> bool:
    """Whether a macro puts the function there, which chooses the member by the function's type."""
    text = value.span.source.line(value.span.line)
    return not re.search(rf"\.{member.name}\s*=|\b__ATTR", text)


def _fits(given: Signature, members: list[Member], kernel: Kernel) -> bool:
    return any(kernel.release in one.range and type_in(one.text) == given for one in members)


def in_calls(calls: Iterable[Call], unit: Unit, kernel: Kernel) -> Iterator[Found]:
    """Functions of the driver that calls hand to the kernel."""
    functions = {one.decl.name: one for one in unit.functions}
    for call in calls:
        api = kernel.table.get(call.name)
        prototype = (api.prototype if api is not None else None) or ""
        for match in _POINTER.finditer(prototype.partition("(")[2]):
            value = call.named.get(match[1])
            function = functions.get(value.name or "") if value is not None else None
            if function is None or value is None or type_of(function) == type_in(match[0].strip()):
                continue
            message = f"{call.name}() wants '{match[0].strip()}', and {value.name}() is none"
            yield Found(message, value.span)
