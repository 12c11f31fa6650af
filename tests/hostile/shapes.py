# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rendered file consists of when the insides of comments, strings and texts are left out.

Two renderings of one device whose texts differ have the same shape, or a text became more than
that. Each kind of file is read by the lexer or parser of its own readers.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import kconfiglib
import yaml

from checks.kconfig import _Kconfig
from gen.csyntax import parse

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from tree_sitter import Node

_TRIGRAPHS = dict(zip("=/'()!<>-", "#\\^[]|{}~", strict=True))
_TEXTS = {"comment", "string_content", "escape_sequence", "system_lib_string"}


def shapes(files: Mapping[str, str]) -> dict[str, Hashable]:
    """The shape of each file of a rendering, by its path."""
    return {path: shape(path, text) for path, text in files.items()}


def shape(path: str, text: str) -> Hashable:  # noqa: PLR0911 (a kind of file is a return)
    """The shape of one file."""
    name = path.rpartition("/")[2]
    if name.endswith((".c", ".h")):
        return _c(text), _c(_spliced(text))
    if name == "Kconfig":
        return _kconfig(text)
    if name in {"Makefile", "rules", ".pvgen-files"}:
        return _lines(text)
    if name == "dkms.conf":
        return tuple(shlex.shlex(text, posix=False, punctuation_chars=True)), _lines(text)
    if name.endswith(".yaml"):
        return tuple(_kinds(document) for document in yaml.safe_load_all(text))
    if name in {"control", "changelog", "copyright"}:
        return _fields(text, " ")
    return _fields(text, "\t")


def _spliced(text: str) -> str:
    """C after its first two phases: trigraphs replaced, continued lines joined."""
    plain = re.sub(r"\?\?([=/'()!<>-])", lambda match: _TRIGRAPHS[match[1]], text)
    return re.sub(r"\\[ \t]*\n", " ", plain)


def _c(text: str) -> tuple[tuple[str, str], ...]:
    """The tokens, comments and the insides of strings without what they say."""
    found: list[tuple[str, str]] = []
    left: list[Node] = [parse(text).root_node]
    while left:
        node = left.pop()
        if node.type in _TEXTS or not node.children:
            words = (node.text or b"").decode()
            found.append((node.type, "" if node.type in _TEXTS else " ".join(words.split())))
        else:
            left += reversed(node.children)
    # A string is one token, however many pieces its escapes make of it.
    return tuple(one for one in found if one[0] not in {"string_content", "escape_sequence"})


def _kconfig(text: str) -> tuple[tuple[object, ...], ...]:
    """The entries, without the words of prompts and help."""
    nodes = _Kconfig(text).node_iter()
    return tuple(
        (type(node.item).__name__, getattr(node.item, "name", ""),
         getattr(node.item, "orig_type", 0), kconfiglib.expr_str(node.dep),
         node.prompt is not None, node.help is not None)
        for node in nodes
    )  # fmt: skip


def _lines(text: str) -> tuple[str, ...]:
    """The lines with comments left out; a comment goes on nowhere."""
    for line in text.splitlines():
        assert not (line.startswith("#") and line.endswith("\\"))
    return tuple(line for line in text.split("\n") if line and not line.startswith("#"))


def _kinds(value: Any) -> Hashable:
    """YAML without its texts: keys, and what kind of value each has."""
    if isinstance(value, dict):
        return tuple((key, _kinds(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return tuple(map(_kinds, value))
    return type(value).__name__


def _fields(text: str, indent: str) -> tuple[str, ...]:
    """The names of fields, in paragraphs; their values go on in lines with an indent."""
    heads = []
    for line in text.split("\n"):
        field = re.match(r"[^\s:#]+:", line)
        if not line or field:
            heads.append(field[0] if field else "")
        elif not line.startswith((indent, "#", "..")):
            heads.append(re.sub(r"\w+", "w", line))
    return tuple(one for at, one in enumerate(heads) if one or (at and heads[at - 1]))
