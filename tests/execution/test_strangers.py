# SPDX-License-Identifier: GPL-2.0-or-later
"""A function of which nothing is known leaves everything judged that does not rest on it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from checks.rule import Assumed, Found, Unknown
from tests.checks.trees import change
from tests.execution.drivers import OUT, SPEC, words

if TYPE_CHECKING:
    from pathlib import Path

    from checks.rule import Word

CORE = "pvpanic.c"
HANDLER = "static struct sys_off_handler *pvpanic_power_off_handler;\n"
INIT = "\treturn atomic_notifier_chain_register(&panic_notifier_list,"
EXIT = "static void __exit pvpanic_exit(void)\n{\n"
PROBE = "\tpi->dev = dev;\n"
WRITE = "\t\t\tiowrite8(event, pi->base);"
GATE = "if (READ_ONCE(pi->events) & event)"
STORE = "\tmutex_lock(&pvpanic_lock);\n\tWRITE_ONCE"
PANIC = ".notifier_call = pvpanic_panic_notify,"


def _said(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, list[Word]]:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    for good, bad in changes:
        change(tree, CORE, good, bad)
    return words(tree, SPEC)


def _found(said: dict[str, list[Word]]) -> set[str]:
    return {rule for rule, items in said.items() if any(isinstance(item, Found) for item in items)}


def _open(said: dict[str, list[Word]]) -> set[str]:
    return {rule for rule, items in said.items() if any(isinstance(i, Unknown) for i in items)}


DIRECTORY = (
    (HANDLER, f"{HANDLER}static struct thing *directory;\n"),
    (INIT, ("\tdirectory = make_thing(THIS_MODULE, SOME_FLAG);\n\tif (IS_ERR(directory))\n"
            f"\t\treturn PTR_ERR(directory);\n\n{INIT}")),
    (EXIT, f"{EXIT}\tdrop_thing(directory);\n"),
)  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        DIRECTORY,
        ((PROBE, f"\tif (set_up(dev, &pi->node) < 0)\n\t\treturn -EIO;\n\n{PROBE}"),),
        ((PROBE, f"\tif (!may_use(dev))\n\t\treturn -ENODEV;\n\n{PROBE}"),),
        ((PROBE, f"\tif (dev->power.state == D3 && wake(dev))\n\t\tsay(dev);\n\n{PROBE}"),),
        ((PROBE, f"\twhile (busy(dev))\n\t\trelax();\n\n{PROBE}"),),
        ((PROBE, f"{PROBE}\tremember(pi);\n"),),
        ((STORE, f"\tset_bit_of(dev);\n\n{STORE}"),),
        ((STORE, f"\tswitch (level_of(dev)) {{\n\tcase HIGH:\n\t\tbreak;\n\t}}\n{STORE}"),),
    ],
)
def test_the_rest_is_judged(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    said = _said(tmp_path, *changes)
    assert not _found(said)
    assert not _open(said)
    for items in said.values():
        (item,) = items
        assert isinstance(item, Assumed)
        assert "is neither in the given files nor in the kernel's facts" in item.why
        assert item.span is not None
        assert item.span.source.name.endswith(CORE)


@pytest.mark.parametrize("where", [DIRECTORY, DIRECTORY[1:2]])
def test_a_defect_is_one_whatever_it_returns(
    tmp_path: Path, where: tuple[tuple[str, str], ...]
) -> None:
    said = _said(tmp_path, *where, (WRITE, "\t\t\tiowrite8(event << 1, pi->base);"))
    assert _found(said) == {"RUN301"}


@pytest.mark.parametrize(
    ("rule", "call", "good", "bad"),
    [
        # A condition of the driver's: what follows is a defect with one answer only.
        ("RUN301", "ready()", GATE, "if (ready(pi->dev) && READ_ONCE(pi->events) & event)"),
        ("RUN301", "ready()", GATE, "if (ready(pi->dev) || READ_ONCE(pi->events) & event)"),
        # Somebody else may do what is missing.
        ("RUN301", "send_it()", WRITE, "\t\t\tsend_it(event, pi->base);"),
        ("RUN309", "lock_it()", "\tmutex_lock(&pvpanic_lock);\n\tlist_add_rcu",
         "\tlock_it(&pvpanic_lock);\n\tlist_add_rcu"),
    ],
)  # fmt: skip
def test_what_rests_on_it_is_open(
    tmp_path: Path, rule: str, call: str, good: str, bad: str
) -> None:
    said = _said(tmp_path, (good, bad))
    assert not _found(said)
    assert rule in _open(said)
    for word in [item for item in said[rule] if isinstance(item, Unknown)]:
        assert call in word.why
        assert word.span is not None
        line = word.span.source.line(word.span.line)
        assert line[word.span.column - 1 :].startswith(call.removesuffix(")"))


def test_what_a_function_is_given_may_be_called(tmp_path: Path) -> None:
    said = _said(
        tmp_path,
        (INIT, "\treturn tell_of_panics(&panic_notifier_list,"),
        ("\tatomic_notifier_chain_unregister(", "\tno_more_panics("),
    )
    assert not _found(said)
    assert _open(said) == {"RUN308"}


def test_what_is_behind_a_pointer_is_not_known_afterwards(tmp_path: Path) -> None:
    said = _said(tmp_path, ("kstrtouint(buf, 16, &events)", "number_of(buf, &events)"))
    assert not _found(said)
    assert "RUN303" in _open(said)


def test_a_value_that_decides_what_is_written_ends_the_scenario(tmp_path: Path) -> None:
    said = _said(tmp_path, (WRITE, "\t\t\tiowrite8(code_of(event), pi->base);"))
    assert not _found(said)
    assert _open(said) == set(said)
