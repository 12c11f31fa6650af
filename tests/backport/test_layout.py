# SPDX-License-Identifier: GPL-2.0-or-later
"""Edits in trees that are laid out in other ways: each line stands as those around it do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gen.backport.layout import indent_unit, indented
from gen.backport.text import CText
from tests.backport.cases import CASES, REAL
from tests.backport.trees import AUTHOR, apply, backport, changed_tree
from tests.kbuild.kernels import kbuild

if TYPE_CHECKING:
    from pathlib import Path

CORE, PCI = "pvpanic.c", "pvpanic-pci.c"
_STORED = "\tpi->events = tmp;\n"
_HELD = (
    f"\tspin_lock(&pvpanic_lock);\n\tif (!pi)\n\t\tgoto out;\n{_STORED}"
    "out:\n\tspin_unlock(&pvpanic_lock);\n"
)
_LOCK, _UNLOCK = "mutex_lock(&pvpanic_power_off_mutex);", "mutex_unlock(&pvpanic_power_off_mutex);"
_TEST = "if (!!(tmp & PVPANIC_SHUTDOWN) != !!pvpanic_power_off_handler)"
_UPDATE = "pvpanic_power_off_update();"


def made(tmp_path: Path, file: str, *words: object) -> str:
    """The text of a file after the edit, which has to be made."""
    mails = tmp_path / "mails"
    done = backport("--tree", tmp_path / "tree", "--author", AUTHOR, "--out", mails, *words)
    assert done.exit_code == 0, done.output
    return (apply(tmp_path / "tree", mails) / file).read_text()


def refused(tmp_path: Path, *words: object) -> str:
    """What is said of an edit that must not be made."""
    mails = tmp_path / "mails"
    done = backport("--tree", tmp_path / "tree", "--author", AUTHOR, "--out", mails, *words)
    assert (done.exit_code, mails.exists()) == (3, False), done.output
    return done.output


def _stored(tmp_path: Path, new: str) -> None:
    changed_tree(tmp_path / "tree", CORE, {_STORED: new})


@pytest.mark.kbuild
def test_lines_within_a_block_are_indented_like_it(tmp_path: Path) -> None:
    _stored(tmp_path, "\tif (tmp != pi->events) {\n\t\tpi->events = tmp; /* new */\n\t}\n")
    assert (
        f"\t\t{_LOCK}\n\t\tpi->events = tmp; /* new */\n"
        f"\t\t{_TEST}\n\t\t\t{_UPDATE}\n\t\t{_UNLOCK}\n\t}}\n"
    ) in made(tmp_path, CORE, "--spec", REAL)


@pytest.mark.kbuild
def test_a_probe_that_undoes_what_it_did_is_edited_where_it_arranges_the_removal(
    tmp_path: Path,
) -> None:
    end = "\treturn devm_add_action_or_reset(dev, pvpanic_remove, pi);\n"
    nested = (
        "\tif (dev) {\n\t\tif (!dev_get_drvdata(dev))\n\t\t\tgoto out;\n"
        f"\t\t{end.strip()}\n\t}}\n\nout:\n\treturn -ENODEV;\n"
    )
    changed_tree(tmp_path / "tree", CORE, {end: nested})
    text = made(tmp_path, CORE, "--spec", REAL)
    assert f"\t\t{_LOCK}\n\t\t{_UPDATE}\n\t\t{_UNLOCK}\n\n\t{end}\t}}\n" in text
    kbuild(tmp_path / "tree/drivers/misc/pvpanic")


@pytest.mark.kbuild
def test_a_spinlock_around_the_store_is_taken_within_the_mutex(tmp_path: Path) -> None:
    held = f"\tspin_lock(&pvpanic_lock);\n{_STORED}\tspin_unlock(&pvpanic_lock);\n"
    _stored(tmp_path, held)
    text = made(tmp_path, CORE, "--spec", REAL)
    assert f"\t{_LOCK}\n{held}\t{_TEST}\n\t\t{_UPDATE}\n\t{_UNLOCK}\n" in text


@pytest.mark.kbuild
@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("\tif (tmp) { pi->events = tmp; } else { pi->events = 0; }\n", "more than one thing"),
        ("\tif (tmp)\n\t\tgoto set;\nset:\n\tpi->events = tmp;\n", "jumps while it sets"),
        ("\tswitch (tmp) {\n\tdefault:\n\t\tpi->events = tmp;\n\t\treturn count;\n\t}\n",
         "jumps while it sets"),
        (_HELD, "'pvpanic_lock' is held"),
    ],
)  # fmt: skip
def test_a_store_that_the_mutex_cannot_be_taken_around_is_refused(
    tmp_path: Path, new: str, told: str
) -> None:
    _stored(tmp_path, new)
    assert told in refused(tmp_path, "--spec", REAL)


@pytest.mark.kbuild
def test_a_removal_that_returns_early_is_refused(tmp_path: Path) -> None:
    old = "\t\t\tlist_del(&pi_cur->list);\n\t\t\tbreak;\n"
    new = "\t\t\tlist_del(&pi_cur->list);\n\t\t\tspin_unlock(&pvpanic_lock);\n\t\t\treturn;\n"
    changed_tree(tmp_path / "tree", CORE, {old: new})
    assert "the removal returns before its end" in refused(tmp_path, "--spec", REAL)


@pytest.mark.kbuild
@pytest.mark.parametrize("unit", ["    ", "  ", " " * 8])
def test_a_file_that_is_indented_with_blanks_gets_no_tab(tmp_path: Path, unit: str) -> None:
    tree = changed_tree(tmp_path / "tree", CORE, {})
    path = tree / "drivers/misc/pvpanic" / CORE
    old = re.sub(r"^\t+", lambda tabs: unit * len(tabs[0]), path.read_text(), flags=re.MULTILINE)
    path.write_text(old)
    text = made(tmp_path, CORE, "--spec", REAL)
    assert not re.findall(r"^ *\t.*", text, re.MULTILINE)
    assert f"\n{unit}{_TEST}\n{unit * 2}{_UPDATE}\n{unit}{_UNLOCK}\n" in text
    call = f"{unit * 2}handler = register_sys_off_handler("
    assert f"{call}SYS_OFF_MODE_POWER_OFF,\n{' ' * len(call)}SYS_OFF_PRIO_LOW,\n" in text
    kbuild(tree / "drivers/misc/pvpanic")


@pytest.mark.kbuild
@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        ("    { PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_PVPANIC)},\n",
         "    { PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_TEST)},\n"),
        ("\t{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_PVPANIC)}, {}\n", None),
    ],
)  # fmt: skip
def test_an_entry_stands_as_the_one_before_it(tmp_path: Path, new: str, wanted: str | None) -> None:
    old = "\t{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_PVPANIC)},\n"
    changed_tree(tmp_path / "tree", PCI, {f"{old}\t{{}}\n": new + ("\t{}\n" if wanted else "")})
    words = next(one for one in CASES if one.name == "further PCI id").words(tmp_path)
    if wanted:
        assert wanted in made(tmp_path, PCI, *words)
    else:
        assert "more than one thing" in refused(tmp_path, *words)


def test_what_most_statements_have_is_the_unit() -> None:
    code = "void f(void)\n{\n\ta();\n    b();\n    c();\nout:\n    d();\n}\n"
    assert indent_unit(CText("x.c", code)) == "    "
    assert indent_unit(CText("x.c", "int x;\n")) == "\t"


def test_tabs_and_places_below_parentheses_are_kept_or_turned_into_blanks() -> None:
    code = "if (a) {\n\tb = cc(d,\n\t       e);\n\n\t/* (\n\t * f */\n\tg();\n}\n"
    assert indented(code, "\t") == code
    assert indented(code, "  ", "  ") == (
        "  if (a) {\n    b = cc(d,\n           e);\n\n    /* (\n     * f */\n    g();\n  }\n"
    )
    deep = "f(aaaaaaaaaa,\n  b);\n"
    assert indented(deep, "\t", "\t\t") == "\t\tf(aaaaaaaaaa,\n\t\t  b);\n"
