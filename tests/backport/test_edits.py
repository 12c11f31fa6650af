# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of the contract as edits of a hand-written driver's own text."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backport.trees import AUTHOR, SPEC, backport, make_tree
from tests.conftest import ROOT
from tests.kbuild.kernels import build_tree, kbuild, source_tree

if TYPE_CHECKING:
    from pathlib import Path

REAL = ROOT / "spec/pvpanic.yaml"
AS_OF = ("--as-of", "6.1")
# What is asked of 6.1's own driver: a change of the spec, options, and which lines come and go.
CASES = {
    "power-off event": (("", ""), (), None),
    "renumbered event": (
        ("    bit: 1\n", "    bit: 3\n"),
        AS_OF,
        {"-#define PVPANIC_CRASH_LOADED\t(1 << 1)", "+#define PVPANIC_CRASH_LOADED\t(1 << 3)"},
    ),
    "PCI id": (
        ("id: 0x0011", "id: 0x0012"),
        AS_OF,
        {
            "-#define PCI_DEVICE_ID_REDHAT_PVPANIC     0x0011",
            "+#define PCI_DEVICE_ID_REDHAT_PVPANIC     0x0012",
        },
    ),
    "notifier priority": (
        ("priority: INT_MAX", "priority: 100"),
        AS_OF,
        {"-\t.priority = INT_MAX,", "+\t.priority = 100,"},
    ),
}


def _changed(room: Path, spec: Path, old: str, new: str) -> Path:
    text = spec.read_text()
    assert not old or text.count(old) == 1
    place = room / "changed.yaml"
    place.write_text(text.replace(old, new) if old else text)
    return place


def _lines(mail: Path) -> set[str]:
    """The lines that a mail removes and adds."""
    text = (
        mail.read_text().partition("\ndiff --git")[2].rpartition("\n-- \n")[0] or mail.read_text()
    )
    return {line for line in text.splitlines()
            if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}}  # fmt: skip


def edit(
    tree: Path, spec: Path, mails: Path, *words: object, was: Path | None = None
) -> list[Path]:
    """The mails of a backport that has to succeed."""
    more = ("--was", was) if was else ()
    result = backport("--spec", spec, "--tree", tree, "--author", AUTHOR, "--signoff",
                      "--out", mails, *more, *words)  # fmt: skip
    assert result.exit_code == 0, result.output
    return sorted(mails.iterdir())


@pytest.mark.kbuild
@pytest.mark.parametrize("name", CASES)
def test_real_drivers_are_edited_mail_by_mail(tmp_path: Path, name: str) -> None:
    (old, new), words, lines = CASES[name]
    source = source_tree("6.1")
    was = REAL if old else None
    mails = edit(source, _changed(tmp_path, REAL, old, new), tmp_path / "mails", *words, was=was)
    assert len(mails) == (1 if old else 2)
    if lines is not None:
        assert _lines(mails[0]) == lines
    # Nothing but the two parents' files that other drivers share is needed to build it.
    tree = tmp_path / "tree"
    shutil.copytree(source, tree)
    git = ["git", "-C", str(tree), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for line in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", "base"]):
        subprocess.run([*git, *line], check=True)
    # Out of tree, a kernel's own copy of the header would come first.
    header = f"KCPPFLAGS=-include {tree}/include/uapi/misc/pvpanic.h"
    for mail in mails:
        subprocess.run([*git, "am", "-q", str(mail)], check=True)
        assert "warning" not in kbuild(
            tree / "drivers/misc/pvpanic", "W=1", header, tree=build_tree()
        )
    judged = subprocess.run(
        ["perl", source / "scripts/checkpatch.pl", "--strict", "--no-tree", "-q", *mails],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (judged.returncode, judged.stdout) == (0, "")


@pytest.mark.kbuild
def test_the_same_again_and_another_layout_are_refused(tmp_path: Path) -> None:
    source = source_tree("6.1")
    words = ("--spec", REAL, "--author", AUTHOR, "--out", tmp_path / "out")
    same = backport(*words, "--tree", source, *AS_OF)
    assert (same.exit_code, "keeps this contract already" in same.output) == (2, True)
    old = backport(*words, "--kernel", "5.10", "--tree", source_tree("5.10"))
    assert (old.exit_code, "the driver is one file" in old.output) == (3, True)
    tree = tmp_path / "tree"
    shutil.copytree(source, tree)
    for mail in edit(source, REAL, tmp_path / "mails"):
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    again = backport(*words, "--tree", tree)
    assert (again.exit_code, "has PVPANIC_SHUTDOWN already" in again.output) == (2, True)
    assert not (tmp_path / "out").exists()


def _bell(tmp_path: Path, old: str, new: str) -> tuple[Path, Path]:
    return make_tree(tmp_path / "tree"), _changed(tmp_path, SPEC, old, new)


def test_a_change_without_an_edit_is_told_at_its_place(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, 'mode: "0444"', 'mode: "0400"')
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "no edit is known" in result.output
    assert "changed.yaml:" in result.output
    assert not (tmp_path / "mails").exists()


def test_a_place_that_is_not_certain_is_told(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "bit: 9", "bit: 11")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "include/uapi/misc/vmbell.h:7: VMBELL_LEAVING is not written as bit 9" in result.output
    assert not (tmp_path / "mails").exists()


def test_the_smallest_edit_is_made(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    mails = edit(tree, spec, tmp_path / "mails", was=SPEC)
    assert _lines(mails[0]) == {"-\t.priority = 3 * 4,", "+\t.priority = 7,"}


def test_two_places_for_one_role_are_one_too_many(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    with core.open("a") as file:
        file.write("static struct notifier_block other_nb = { .priority = 1 };\n")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "2 places could be the struct notifier_block of the driver" in result.output
    assert not (tmp_path / "mails").exists()


def test_a_tree_that_is_not_what_it_is_taken_for_is_refused(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    core.write_text(core.read_text().replace("3 * 4", "3 * 5"))
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert (result.exit_code, "its driver is not the one of" in result.output) == (2, True)
    assert not (tmp_path / "mails").exists()
