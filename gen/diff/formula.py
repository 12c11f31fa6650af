# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig dependencies compared as formulas: what each allows for all values of its symbols."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# Beyond this many symbols, a table of all their values is no longer cheap.
MAX_SYMBOLS = 9
# A comparison, which a spec has not but a kernel's Kconfig may, is a symbol of its own.
_ATOM = r"[^\s()!&|=<>]+(?:\s*(?:!=|<=|>=|=|<|>)\s*[^\s()!&|=<>]+)?"
_TOKEN = re.compile(rf"\s*(&&|\|\||!|\(|\)|{_ATOM})")
_SIGNS = frozenset({"&&", "||", "!", "(", ")"})
_CONSTANTS = {"n": 0, "m": 1, "y": 2}


def compare_dependencies(old: str | None, new: str | None) -> str:
    """`same`, `tightened`, `loosened`, `other` for neither, or `undecided` if too large.

    A missing dependency always holds. Values are Kconfig's: n, m and y as 0, 1 and 2.
    """
    same = (old or "").split() == (new or "").split()
    try:
        left, right = _parse(old or "y"), _parse(new or "y")
    except (ValueError, IndexError):  # of a kernel tree, which nobody has checked
        return "same" if same else "other"
    words = {word for text in (old, new) for word in _TOKEN.findall(text or "")}
    names = sorted(word for word in words if word not in _CONSTANTS and word not in _SIGNS)
    if len(names) > MAX_SYMBOLS:
        return "same" if same else "undecided"
    less = more = False
    for values in itertools.product((0, 1, 2), repeat=len(names)):
        known = dict(zip(names, values, strict=True))
        was, now = left(known), right(known)
        less |= now < was
        more |= now > was
    return {(False, False): "same", (True, False): "tightened", (False, True): "loosened"}.get(
        (less, more), "other"
    )


def lost(old: str | None, new: str | None, own: Collection[str]) -> dict[str, int] | None:
    """Values of symbols, n or y, with which an old dependency holds and the new one does not.

    As many as can be are on.

    Args:
        old: the old dependency.
        new: the new one.
        own: symbols that are on anyway; they are not in the answer.
    """
    try:
        left, right = _parse(old or "y"), _parse(new or "y")
    except (ValueError, IndexError):
        return None
    words = {word for text in (old, new) for word in _TOKEN.findall(text or "")}
    names = sorted(words - set(own) - _CONSTANTS.keys() - _SIGNS)
    if len(names) > MAX_SYMBOLS or not all(re.fullmatch(r"\w+", name) for name in names):
        return None
    tables = (dict(zip(names, values, strict=True)) for values in
              itertools.product((2, 0), repeat=len(names)))  # fmt: skip
    for known in sorted(tables, key=lambda one: -sum(one.values())):
        every = {**dict.fromkeys(own, 2), **known}
        if right(every) < left(every):
            return known
    return None


def _parse(text: str) -> Callable[[Mapping[str, int]], int]:
    """A formula; a spec's is one that `gen.kconfig` has accepted.

    kconfiglib is not asked again: loading it takes longer than the rest of a diff.

    Raises:
        ValueError: it is none.
        IndexError: it ends too soon.
    """
    tokens = _TOKEN.findall(text)
    if "".join("".join(tokens).split()) != "".join(text.split()):
        raise ValueError(f"'{text}' is no dependency")
    formula = _either(tokens)
    if tokens:
        raise ValueError(f"'{text}' is no dependency")
    return formula


def _either(tokens: list[str]) -> Callable[[Mapping[str, int]], int]:
    parts = [_both(tokens)]
    while tokens[:1] == ["||"]:
        tokens.pop(0)
        parts.append(_both(tokens))
    return lambda known: max(part(known) for part in parts)


def _both(tokens: list[str]) -> Callable[[Mapping[str, int]], int]:
    parts = [_one(tokens)]
    while tokens[:1] == ["&&"]:
        tokens.pop(0)
        parts.append(_one(tokens))
    return lambda known: min(part(known) for part in parts)


def _one(tokens: list[str]) -> Callable[[Mapping[str, int]], int]:
    token = tokens.pop(0)
    if token == "!":  # noqa: S105 (an operator)
        inner = _one(tokens)
        return lambda known: 2 - inner(known)
    if token == "(":  # noqa: S105 (a bracket)
        inner = _either(tokens)
        tokens.pop(0)
        return inner
    if token in _CONSTANTS:
        return lambda _known: _CONSTANTS[token]
    if token in _SIGNS:
        raise ValueError(f"'{token}' is no symbol")
    return lambda known: known[token]
