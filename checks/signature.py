# SPDX-License-Identifier: GPL-2.0-or-later
"""Types of functions, written in C or in the facts, in one form in which they can be compared.

The form has the result and each parameter. Of qualifiers, it keeps const behind a pointer: a
function that takes a pointer to const is another type than one that does not.
"""

from __future__ import annotations

import re

from pycparser import c_ast

from checks.fold import type_name

Signature = tuple[str, ...]


def type_of(function: c_ast.FuncDef) -> Signature:
    """The type of a function of the driver."""
    kind = function.decl.type
    parameters = [_parameter(item) for item in (kind.args.params if kind.args else ())]
    return (type_name(kind.type), *(item for item in parameters if item != "void"))


def _parameter(node: c_ast.Node) -> str:
    inner, pointer = node.type, False
    while isinstance(inner, (c_ast.PtrDecl, c_ast.ArrayDecl)):
        inner, pointer = inner.type, True
    const = pointer and "const" in (getattr(inner, "quals", None) or ())
    stars = " *" if isinstance(node.type, c_ast.ArrayDecl) else ""
    return f"{'const ' if const else ''}{type_name(node)}{stars}"


def type_in(text: str) -> Signature:
    """The same of a member's declaration, `int (*remove)(struct pci_dev *dev)`."""
    result, _, rest = text.partition("(*")
    parameters = rest.partition(")(")[2].removesuffix(")")
    texts = [re.sub(r"\w+$", "", item.strip()) for item in parameters.split(",")]
    return (_plain(result), *(_pointee(item) for item in texts))


def _pointee(text: str) -> str:
    const = re.search(r"\bconst\b[^*]*\*", text)
    return f"{'const ' if const else ''}{_plain(text)}"


def _plain(text: str) -> str:
    words = re.sub(r"\bconst\b", " ", text).replace("*", " * ").split()
    return " ".join(words)
