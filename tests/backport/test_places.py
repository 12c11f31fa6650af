# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of trees that cannot be edited, and where; and what an edit leaves to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen.backport.effects import compare_exports
from gen.backport.records import BackportError
from gen.backport.roles import core_roles
from gen.backport.text import CText
from gen.output import OutputError, write
from tests.backport.trees import AUTHOR, SPEC, backport, make_tree, send_elsewhere
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CORE = "drivers/misc/vmbell/vmbell.c"
PRIORITY = "\t.priority = 3 * 4,\n"


def _tree(room: Path, old: str = "", new: str = "", file: str = CORE) -> Path:
    tree = make_tree(room / "tree")
    text = (tree / file).read_text()
    assert not old or text.count(old) == 1
    (tree / file).write_bytes((text.replace(old, new) if old else text).encode())
    return tree


def _edit(room: Path, old: str = "priority: 12", new: str = "priority: 7") -> Result:
    """What comes of a changed spec."""
    text = SPEC.read_text()
    assert text.count(old) == 1
    (room / "changed.yaml").write_text(text.replace(old, new))
    mails = room / "mails"
    done = backport("--spec", room / "changed.yaml", "--was", SPEC, "--tree", room / "tree",
                    "--author", AUTHOR, "--out", mails)  # fmt: skip
    assert mails.exists() == (done.exit_code == 0)
    return done


@pytest.mark.parametrize(
    "new",
    [
        f"#ifdef CONFIG_SMP\n{PRIORITY}#endif\n",
        f"#ifdef CONFIG_SMP\n{PRIORITY}#else\n\t.priority = 1,\n#endif\n",
        f"#if 0\n\t.priority = 1,\n#else\n{PRIORITY}#endif\n",
    ],
)
def test_a_priority_under_a_condition_is_refused_at_the_condition(tmp_path: Path, new: str) -> None:
    text = (_tree(tmp_path, PRIORITY, new) / CORE).read_text()
    line = text[: text.index("#if")].count("\n") + 1
    done = _edit(tmp_path)
    assert done.exit_code == 3, done.output
    assert f"{CORE}:{line}: the initialiser of .priority is under this condition" in done.output


def test_conditions_are_those_that_are_around() -> None:
    text = CText("x.h", "#ifndef X_H\n#define X_H\n/*\n#if 0\n*/\nint a;\n#if A\nint b;\n#endif\n"
                 "void f(void)\n{\n#ifdef B\n\tg();\n#endif\n}\n#endif\n")  # fmt: skip
    kinds = ("declaration", "declaration", "function_definition")
    found = [one for one in text.root.children[0].named_children if one.type in kinds]
    inner = next(one for one in text.root.children[0].named_children if one.type == "preproc_if")
    assert text.one([found[0]], "a") == found[0]
    assert text.one([found[-1]], "f") == found[-1]
    with pytest.raises(BackportError, match=r"^x\.h:7: b is under this condition"):
        text.one([inner.named_children[-1]], "b")
    with pytest.raises(BackportError, match=r"^x\.h:12: c is under this condition"):
        text.one([], "c", found[-1])
    with pytest.raises(BackportError, match=r"^x\.h:6: nothing is d;"):
        text.one([], "d", found[0])
    with pytest.raises(BackportError, match=r"^x\.h: nothing is e;"):
        text.one([], "e")


@pytest.mark.parametrize(("file", "line"), [(CORE, 1), ("include/uapi/misc/vmbell.h", 1)])
def test_carriage_returns_are_told(tmp_path: Path, file: str, line: int) -> None:
    tree = make_tree(tmp_path / "tree")
    text = (tree / file).read_bytes()
    (tree / file).write_bytes(text.replace(b"\n", b"\r\n"))
    done = _edit(tmp_path)
    assert (done.exit_code, f"{file}:{line}: has a carriage return" in done.output) == (3, True)


def test_an_empty_source_is_called_so(tmp_path: Path) -> None:
    (make_tree(tmp_path / "tree") / CORE).write_text("")
    done = _edit(tmp_path)
    assert (done.exit_code, f"{CORE}: is empty; the source is not whole" in done.output) == (
        3, True)  # fmt: skip


def test_a_driver_of_another_contract_is_told_how_to_name_it(tmp_path: Path) -> None:
    _tree(tmp_path, "\t{ }\n", "\t{ PCI_VDEVICE(REDHAT_QUMRANET, 0x10f8) },\n\t{ }\n",
          "drivers/misc/vmbell/vmbell-pci.c")  # fmt: skip
    done = _edit(tmp_path)
    assert (done.exit_code, "--was names a spec that says so" in done.output) == (2, True)


def test_a_module_that_the_driver_comes_with_is_read_with_it(tmp_path: Path) -> None:
    """Nothing but its Kconfig symbol says that it is the driver's; and it registers nothing."""
    tree = make_tree(tmp_path / "tree")
    send_elsewhere(tree)
    done = _edit(tmp_path)
    assert done.exit_code == 0, done.output
    assert "had before: RUN308\n" in done.output  # as it has with all in one file
    text = (tree / "drivers/misc/vmbell/send.c").read_text()
    head = text.index("EXPORT_SYMBOL_GPL(vmbell_all)")
    (tree / "drivers/misc/vmbell/send.c").write_text(text[:head])
    (tmp_path / "again").mkdir()
    (tmp_path / "tree").rename(tmp_path / "again/tree")
    torn = _edit(tmp_path / "again")
    assert torn.exit_code in {2, 3}, torn.output


def test_a_guard_is_refused_where_it_stands() -> None:
    text = (ROOT / "tests/fuzz/corpus/patch/vmbell.c").read_text()
    text = text.replace("vmbell_strike(bell, chime);", "iowrite16(chime, bell->regs + 8);")
    held = text.replace(
        "\tbell->enabled = enabled;", "\tguard(mutex)(&bell_lock);\n\tbell->enabled = enabled;"
    )
    line = held[: held.index("guard(")].count("\n") + 1
    with pytest.raises(BackportError, match=rf"vmbell.c:{line}: what stands under this guard"):
        core_roles(CText("vmbell.c", held))
    core_roles(CText("vmbell.c", text))


def test_a_tree_without_headers_is_told_to_need_its_series(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    done = backport("--tree", tree, "--author", AUTHOR, "--out", tmp_path / "mails", "--kernel", "")
    assert done.exit_code == 2
    assert f"--kernel is needed: {tree} has no headers" in done.output


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("/* Rings\n * first of all.\n */\n", [0]),
        ("/* one */\n/* two */\n", [0, 1]),
        ("#define X 1 /* not about it */\n", []),
        ("/* not about it */\n\n", []),
    ],
)
def test_comments_by_a_changed_priority_are_to_be_read_again(
    tmp_path: Path, before: str, lines: list[int]
) -> None:
    head = "static struct notifier_block vmbell_nb = {"
    tree = _tree(tmp_path, head, f"{before}{head}")
    text = (tree / CORE).read_text()
    first = text[: text.index(f"{before}{head}")].count("\n") + 1
    done = _edit(tmp_path)
    assert done.exit_code == 0, done.output
    told = [f"comment: {CORE}:{first + one} stands by what changes" for one in lines]
    assert [one in done.output for one in told] == [True] * len(told)
    assert done.output.count("stands by what changes") == len(told)


def test_comments_in_the_lines_of_a_changed_value_are_to_be_read_again() -> None:
    text = CText("x.h", "#define A 1\t/* a */\n#define B 2 /* b */\n#define C 3 // c\n")
    text.remember_remarks(text.root.named_children[1])
    assert text.remarks == [2]


def test_exported_symbols_that_go_or_come_are_named() -> None:
    old = ["EXPORT_SYMBOL_GPL(a);\nEXPORT_SYMBOL(b);\n", "EXPORT_SYMBOL_NS_GPL(c, NS);\n"]
    new = ["/* EXPORT_SYMBOL(a); */\nEXPORT_SYMBOL_GPL(b);\nEXPORT_SYMBOL_GPL(d);\n"]
    assert list(compare_exports(old, new)) == [
        "The old driver alone exports what another's module may use: a, c",
        "The new driver alone exports: d",
    ]
    assert not list(compare_exports(old, old))


def test_two_runs_do_not_mix_their_mails(tmp_path: Path) -> None:
    write(tmp_path / "mails", {"0001-a.patch": "a"}, new=True)
    with pytest.raises(OutputError, match="another run has written there meanwhile"):
        write(tmp_path / "mails", {"0001-b.patch": "b"}, new=True)
    assert [path.name for path in (tmp_path / "mails").iterdir()] == ["0001-a.patch"]
