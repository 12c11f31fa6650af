# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of the contract as edits of a hand-written driver's own text."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backport.cases import CASES, REAL, Case
from tests.backport.trees import AUTHOR, SPEC, backport, make_tree
from tests.kbuild.kernels import kbuild, source_tree

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = ("--as-of", "6.1")


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
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.series} {case.name}")
def test_real_drivers_are_edited_mail_by_mail(tmp_path: Path, case: Case) -> None:
    source = source_tree(case.series)
    words = ["--tree", source, "--author", AUTHOR, "--signoff", "--out", tmp_path / "mails"]
    result = backport(*words, *case.words(tmp_path))
    assert result.exit_code == 0, result.output
    assert result.output.count("the checker finds nothing new") == case.mails
    assert result.output.count("contract: equal\n") == case.mails
    mails = sorted((tmp_path / "mails").iterdir())
    assert len(mails) == case.mails
    assert _lines(mails[0]) == case.lines
    judged = subprocess.run(
        [
            "perl",
            source / "scripts/checkpatch.pl",
            "--strict",
            "--no-tree",
            "-q",
            "--ignore",
            "GIT_COMMIT_ID,UNKNOWN_COMMIT_ID",
            *mails,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (judged.returncode, judged.stdout) == (0, "")
    tree = tmp_path / "tree"
    shutil.copytree(source, tree)
    git = ["git", "-C", str(tree), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    am = ["am", *map(str, mails)]
    for line in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "base"], am):
        subprocess.run([*git, *line], check=True, capture_output=True)


@pytest.mark.kbuild
def test_a_further_id_is_an_alias_of_the_module(tmp_path: Path) -> None:
    case = next(one for one in CASES if one.name == "further PCI id")
    tree = tmp_path / "tree"
    shutil.copytree(source_tree(case.series), tree)
    words = ["--tree", tree, "--author", AUTHOR, "--out", tmp_path / "mails"]
    assert backport(*words, *case.words(tmp_path)).exit_code == 0
    for mail in (tmp_path / "mails").iterdir():
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    home = tree / "drivers/misc/pvpanic"
    kbuild(home)
    aliases = subprocess.run(["modinfo", "-F", "alias", home / "pvpanic-pci.ko"],
                             capture_output=True, text=True, check=True)  # fmt: skip
    found = aliases.stdout.split()
    assert found == [f"pci:v00001B36d{one}sv*sd*bc*sc*i*" for one in ("00000005", "00000011")]


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
    assert (again.exit_code, "keeps this contract already" in again.output) == (2, True)
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


def _refused(room: Path, tree: Path, *words: object) -> tuple[int, str]:
    """How a change of the priority ends that must not be made."""
    spec = _changed(room, SPEC, "priority: 12", "priority: 7")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", room / "mails", *words)  # fmt: skip
    assert not (room / "mails").exists()
    return result.exit_code, result.output


def test_a_walk_of_another_name_is_not_taken_for_the_goal(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    text = core.read_text()
    assert "list_for_each_entry(" in text
    core.write_text(text.replace("list_for_each_entry(", "my_walk("))
    status, told = _refused(tmp_path, tree)
    assert status in {2, 3}
    assert "already" not in told


def test_a_source_that_ends_within_a_function_is_not_whole(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    lines = core.read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line == "}\n")
    core.write_text("".join(lines[:last]))
    status, told = _refused(tmp_path, tree)
    assert (status, "vmbell.c: a brace is not closed" in told) == (3, True), told


@pytest.mark.parametrize(
    ("author", "words"),
    [
        ("A. U. Thor, Jr. <a@example.org>", "git would write 'A. U. Thor, Jr <a@example.org>'"),
        ("... <a@example.org>", "git takes this for no author"),
        ("A\nB: c <a@example.org>", "--author is needed"),
        ("A <b>", "--author is needed"),
    ],
)
def test_an_author_that_mails_would_not_keep_is_refused(
    tmp_path: Path, author: str, words: str
) -> None:
    status, told = _refused(tmp_path, make_tree(tmp_path / "tree"), "--author", author)
    assert (status, words in told) == (2, True), told


def test_mails_are_not_written_into_the_tree(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    status, told = _refused(tmp_path, tree, "--out", tree / "mails")
    assert (status, "is in the tree, which is only read" in told) == (2, True)
    assert not (tree / "mails").exists()


def test_a_git_tree_that_another_git_works_in_is_only_read(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    git = ["git", "-C", str(tree), "-c", "user.name=A", "-c", "user.email=a@b"]
    for line in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "base"]):
        subprocess.run([*git, *line], check=True)
    lock = tree / ".git/index.lock"
    lock.touch()
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    edit(tree, spec, tmp_path / "mails", was=SPEC)
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_a_header_that_is_ahead_of_its_driver_needs_no_mail(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    later = '  - {name: resting, bit: 2, trigger: unused, since: "6.2", description: "It rests."}\n'
    old = SPEC.read_text()
    spec = tmp_path / "changed.yaml"
    head, hooks = old.split("\nhooks:")
    spec.write_text(f"{head}{later}\nhooks:{hooks}")
    words = ("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR, "--out")
    made = backport(*words, tmp_path / "mails")
    assert made.exit_code == 3  # the last macro is not written as a bit, so its like is not made
    header = tree / "include/uapi/misc/vmbell.h"
    more = "#define VMBELL_RESTING\t(1 << 2)\n\n#endif"
    header.write_text(header.read_text().replace("\n#endif", more))
    again = backport(*words, tmp_path / "mails")
    assert (again.exit_code, "keeps this contract already" in again.output) == (2, True)
