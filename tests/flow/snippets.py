# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces of drivers, followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.extract import extract
from checks.flow.analysis import flow_of
from checks.parse import parse_tree
from checks.rule import CHECKS, Context, Found
from checks.tree import find_trees
from tests.checks.trees import device, kernel

if TYPE_CHECKING:
    from pathlib import Path

    from checks.flow.analysis import Flow
    from checks.flow.trace import Trace

HEAD = """\
#include <linux/module.h>
struct bell { struct list_head entry; spinlock_t lock; void __iomem *regs; int mask; };
static DEFINE_SPINLOCK(big);
static DEFINE_MUTEX(slow);
static LIST_HEAD(all);
"""


def context(directory: Path, text: str) -> Context:
    """What rules see of a piece of C."""
    path = directory / "vmbell.c"
    path.write_text(HEAD + text, encoding="utf-8")
    tree = next(iter(find_trees([path], device())))
    units = parse_tree(tree, kernel())
    facts = extract(tree, units, kernel())
    assert not facts.problems, facts.problems
    return Context(device(), facts, units)


def flow(directory: Path, text: str) -> Flow:
    """A followed piece of C."""
    return flow_of(context(directory, text))


def trace(directory: Path, text: str, name: str = "f") -> Trace:
    """One function of it."""
    found = flow(directory, text).traces
    return next(item for function, item in found.items() if function.name == name)


# What a piece has no room for: metadata, driver structures, and callers in another file.
ABSENT = frozenset({"KERN128", "KERN130", "KERN132"})


def said(directory: Path, text: str, *rules: str) -> list[tuple[str, int]]:
    """What rules find: rule and line, counted from the piece's first line."""
    seen, skip = context(directory, text), HEAD.count("\n")
    names = rules or tuple(name for name in CHECKS if name.startswith("KERN1"))
    return sorted(
        (name, word.span.line - skip)
        for name in names
        for word in CHECKS[name](seen)
        if isinstance(word, Found) and name not in ABSENT
    )
